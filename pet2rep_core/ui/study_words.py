"""What the numbers of a reader study are called on the page, in its language."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
import streamlit as st

from pet2rep_core.study.estimates import Estimate
from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.names import model_name, setting_name
from pet2rep_core.ui.tables import draw_table
from pet2rep_core.workflow.study_frame import Arm
from pet2rep_core.workflow.study_make import StudyLine
from pet2rep_core.workflow.study_results import StudyResults

_LINE_PX, _TALLEST_PX = 35, 700


def dimension_name(page: Page, key: str) -> str:
    """Return what a dimension is called; one that the rubric does not have keeps its key."""
    rubric = page.server.rubric
    return rubric.dimension(key).name[page.language] if key in rubric.keys else key


def study_name(page: Page, line: StudyLine) -> str:
    """Return a study as a box lists it: its title, where it stands, and of when it is."""
    return f"{line.title} · {page.text(f'studies.state_{line.state.value}')} · {page.formats.date(line.created_at)}"


def arm_label(page: Page, arm: Arm) -> str:
    """Return model and input setting, or the letter of a blind study."""
    if not arm.input_setting:
        return page.text("study_results.blind_model", letter=arm.model)
    model, number, which = arm.model.partition(" #")  # runs of one model in one setting are numbered
    return f"{model_name(page, model)}{number}{which} · {setting_name(page, arm.input_setting)}"


def choose_dimension(page: Page, results: StudyResults, key: str) -> str:
    """Let a person choose a dimension."""
    chosen = st.segmented_control(
        page.text("study_results.dimension"), list(results.dimensions), default=results.dimensions[-1], required=True,
        format_func=lambda one: dimension_name(page, one), key=key,
    )  # fmt: skip
    return chosen or results.dimensions[-1]


def reason(page: Page, one: Estimate) -> str:
    """Return why a number or its interval is missing; empty where nothing is."""
    return page.said(one.reason)


def span_text(one: Estimate, digits: int = 2) -> str:
    """Return a number with its interval; a dash where there is none."""
    if one.value is None:
        return "–"
    value = _rounded(one.value, digits)
    if one.low is None or one.high is None:
        return value
    return f"{value} [{_rounded(one.low, digits)}, {_rounded(one.high, digits)}]"


def _rounded(value: float, digits: int) -> str:
    return f"{value:z.{digits}f}"  # a little below nothing is 0.00, not -0.00


def p_text(p: float | None) -> str:
    """Return a p-value as papers print it."""
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def estimate_cells(page: Page, one: Estimate) -> dict[str, object]:
    """Return value, interval, counts and reason as the cells of a row."""
    say = page.text
    return {
        say("study_results.value"): one.value,
        say("study_results.low"): one.low,
        say("study_results.high"): one.high,
        say("study_results.items"): one.items,
        say("study_results.patients"): one.patients,
        say("study_results.reason"): reason(page, one),
    }


def draw_rows(rows: list[dict[str, object]], *, decimals: int = 3) -> None:
    """Draw rows as a table; whole numbers stay whole, others get decimals, and empty columns are left out."""
    frame = pd.DataFrame(rows)
    frame = frame[[column for column in frame.columns if any(cell != "" for cell in frame[column])]]
    config: dict[str, Any] = {}
    for column in frame.columns:
        cells = [cell for cell in frame[column] if isinstance(cell, float) and cell == cell]
        if cells:
            frame[column] = frame[column].map(lambda cell: _nothing_is_zero(cell, decimals))
            config[column] = st.column_config.NumberColumn(format=f"%.{decimals}f")
    height = min(_TALLEST_PX, _LINE_PX * (len(rows) + 1) + 3)
    draw_table(frame, height=height, column_config=config)


def _nothing_is_zero(cell: object, decimals: int) -> object:
    """Return a number a little below nothing as 0, which a column would show as -0.000."""
    return 0.0 if isinstance(cell, float) and round(cell, decimals) == 0 else cell


def draw_signatures(page: Page, signatures: Iterable[str], *, key: str) -> None:
    """Draw how the numbers above were made, one line each."""
    lines = list(dict.fromkeys(signatures))
    if lines:
        with st.expander(page.text("study_results.signatures"), key=key):
            st.code("\n".join(lines), language=None, wrap_lines=True)
