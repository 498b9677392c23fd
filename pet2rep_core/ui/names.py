"""What models, metrics, settings and profiles are called on a page."""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st

from pet2rep_core.prompts.prompt import STANDARD
from pet2rep_core.scoring.checks import CHECKS
from pet2rep_core.scoring.nlg import METRICS
from pet2rep_core.ui.frame import Page
from pet2rep_core.vlm.baselines import BUILT_IN_MODELS
from pet2rep_core.vlm.catalog import Catalog, read_catalog
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow.check_values import METRIC as IN_IMAGE
from pet2rep_core.workflow.score_book import Entry

_BEHAVIOUR = re.compile(f"behaviour=({'|'.join(Behaviour)})")


def catalog_of(page: Page) -> Catalog:
    """Return the catalog, read again where the user's own file has changed."""
    own = page.server.settings.models or page.server.settings.home / "models.toml"
    try:
        stamp = own.stat().st_mtime_ns
    except OSError:
        stamp = 0
    return _read(str(own), stamp, page.server.settings.models is not None)


@st.cache_resource(max_entries=4, show_spinner=False)
def _read(own: str, stamp: int, named: bool) -> Catalog:
    return read_catalog(Path(own) if named or stamp else None)


def model_name(page: Page, model: str) -> str:
    """Return what a model is called on the page: our own in its language, others by the catalog's label."""
    if model in BUILT_IN_MODELS:
        return page.name("model", model)
    row = catalog_of(page).rows.get(model)
    return model if row is None else row.label


def metric_name(page: Page, metric: str) -> str:
    """Return what a metric, or the score of a check, is called on the page."""
    if metric in CHECKS or metric == IN_IMAGE:
        return page.text(f"scores.metric_{metric}")
    return METRICS[metric].label if metric in METRICS else page.text(f"leaderboard.metric_{metric}")


def group_name(page: Page, group: str) -> str:
    """Return what a group of models is called on the page."""
    return page.text(f"leaderboard.group_{group}")


def setting_name(page: Page, setting: str) -> str:
    """Return what an input setting is called on the page; one that we do not know as it is."""
    known = ("separate", "fused", "fused-measured", "text-only")
    return page.text(f"leaderboard.setting_{setting}") if setting in known else setting


def prompt_name(page: Page, prompt: str) -> str:
    """Return what a prompt is called on the page: our own in its language, one of a dataset by its own name."""
    return page.text("generate.prompt_standard") if prompt == STANDARD else prompt


def profile_name(page: Page, profile: str) -> str:
    """Return what a profile is called on the page."""
    return page.text(f"leaderboard.profile_{profile}")


def format_name(file_format: str) -> str:
    """Return what a format of files is called, given its ending or our own name for it."""
    return {"tex": "LaTeX", "latex": "LaTeX", "parquet": "Parquet"}.get(file_format, file_format.upper())


def entry_name(page: Page, entry: Entry) -> str:
    """Return model and variant in the language of the page."""
    name, variant = model_name(page, entry.model), behaviour_named(page, entry.variant)
    return f"{name} · {variant}" if variant else name


def label_name(page: Page, model: str, label: str) -> str:
    """Return the label of a table, a model's id with what tells its runs apart, in the language of the page."""
    variant = label.removeprefix(model).strip()
    variant = variant[1:-1] if variant.startswith("(") and variant.endswith(")") else variant
    return " · ".join(filter(None, (model_name(page, model), behaviour_named(page, variant))))


def behaviour_named(page: Page, variant: str) -> str:
    """Return a variant with the behaviour of the scripted model in the language of the page."""
    return _BEHAVIOUR.sub(lambda said: page.text(f"behaviour.{said[1]}"), variant)
