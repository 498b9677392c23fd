"""Take in reports that a model wrote elsewhere: JSON lines, a table, or a folder of texts."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import streamlit as st

from pet2rep_core.prompts.prompt import INPUT_SETTINGS
from pet2rep_core.records import Language
from pet2rep_core.ui.frame import LANGUAGE_NAMES, Page, shown_errors
from pet2rep_core.ui.models import order_of, status_name
from pet2rep_core.ui.names import catalog_of, model_name, setting_name
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.ui.tables import draw_table
from pet2rep_core.vlm.request import Route
from pet2rep_core.workflow.generate import TEXT_ONLY
from pet2rep_core.workflow.import_outputs import OutputOutcome, import_outputs

_SHOWN = 500


def draw_outputs_import(page: Page) -> None:
    """Draw the form, and what became of each output."""
    say = page.text
    st.markdown(say("outputs.lead"))
    rows = sorted(catalog_of(page).rows.values(), key=lambda row: (Route.BUILT_IN in row.routes, *order_of(row)))
    ids = [row.id for row in rows if Route.BUILT_IN not in row.routes]
    settings = [*INPUT_SETTINGS, TEXT_ONLY]
    with st.form("outputs", border=False):
        path = st.text_input(say("outputs.path"), key="outputs-path")
        model_box, input_box, language_box, button_box = st.columns([4, 3, 2, 2], vertical_alignment="bottom")
        model = model_box.selectbox(
            say("outputs.model"), ids, format_func=lambda one: model_name(page, one), key="outputs-model"
        )
        setting = input_box.selectbox(
            say("outputs.input"),
            settings,
            index=1,
            format_func=lambda one: setting_name(page, one),
            key="outputs-input",
        )
        language = language_box.selectbox(
            say("generate.language"), list(Language), index=list(Language).index(page.language),
            format_func=LANGUAGE_NAMES.__getitem__, key="outputs-language",
        )  # fmt: skip
        pressed = button_box.form_submit_button(say("outputs.take"), type="primary", width="stretch")
    if not pressed:
        return
    if not path.strip() or model is None:
        st.info(say("outputs.path_first"))
        return
    with shown_errors(), st.spinner(" "):
        row, chosen = catalog_of(page).row(model), Language(language or page.language)
        found = list(
            import_outputs(page.server.store, page.person, Path(path.strip()).expanduser(), row, setting, chosen)
        )
        _draw_outcomes(page, found)


def _draw_outcomes(page: Page, found: list[OutputOutcome]) -> None:
    say = page.text
    counts = Counter(status_name(page, one.status) for one in found)
    st.success(escape_markdown(" · ".join(f"{name} {count}" for name, count in counts.items())))
    lines = [
        {
            say("outputs.where"): one.where,
            say("review.case"): one.case_id,
            say("import.status"): status_name(page, one.status),
            say("import.reason"): " ".join(page.said(part) for part in (one.reason, one.warning) if part),
        }
        for one in found[:_SHOWN]
    ]
    draw_table(lines)
