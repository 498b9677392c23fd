"""Tables and their cells: differences, times, and runs under names that tell them apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from pet2rep_core.store import RunRow
from pet2rep_core.ui.formats import NONE
from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.names import model_name, setting_name


def draw_table(table: pd.DataFrame | Sequence[Mapping[str, object]], **options: Any) -> Any:
    """Draw a table over the whole width, with a dash in every cell that has no value; takes what Streamlit's takes."""
    return st.dataframe(pd.DataFrame(table), hide_index=True, width="stretch", placeholder=NONE, **options)


def signed(page: Page, value: float | None, digits: int = 2) -> str:
    """Return a difference with its sign, a dash for None."""
    said = page.formats.number(value, digits)
    return f"+{said}" if value is not None and value >= 0 else said


def moment(page: Page, at: str) -> str:
    """Return a time of the store for a column, a dash where there is none."""
    return page.formats.table(at) or NONE


def run_names(page: Page, runs: Iterable[RunRow]) -> dict[str, str]:
    """Return the runs by name, each with as much beside its model as tells it from the others."""
    found = list(runs)
    names = {run.run_id: _name(page, run, 0) for run in found}
    for detail in (1, 2):
        counts = Counter(names.values())
        names = {run.run_id: _name(page, run, detail) if counts[names[run.run_id]] > 1 else names[run.run_id]
                 for run in found}  # fmt: skip
    return names


def unlike(labels: Mapping[str, str]) -> dict[str, str]:
    """Return the labels of things by name, each that is not the only one of its kind with its name behind it.

    A box that lets choose among labels cannot tell two that are alike.
    """
    counts = Counter(labels.values())
    return {name: f"{label} · {name}" if counts[label] > 1 else label for name, label in labels.items()}


def _name(page: Page, run: RunRow, detail: int) -> str:
    behaviour = run.parameters.get("behaviour")
    parts = [
        model_name(page, run.model),
        page.text(f"behaviour.{behaviour}") if isinstance(behaviour, str) else "",
        setting_name(page, run.input_setting),
        f"{page.text('studies.seed')} {run.seed}" if detail and run.seed is not None else "",
        run.run_id if detail > 1 else "",
    ]
    return " · ".join(part for part in parts if part)
