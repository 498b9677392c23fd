"""Agreement of the readers of a study with each other and with themselves, and their habits."""

from __future__ import annotations

import streamlit as st

from pet2rep_core.study.agreement import STATISTICS, Agreement
from pet2rep_core.study.estimates import FEW_PATIENTS
from pet2rep_core.study.habits import DRIFT_ITEMS
from pet2rep_core.ui.chart_frame import draw
from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.ui.study_cache import shown_agreement
from pet2rep_core.ui.study_charts import Span, interval_plot
from pet2rep_core.ui.study_words import (
    arm_label,
    choose_dimension,
    dimension_name,
    draw_rows,
    draw_signatures,
    estimate_cells,
    reason,
    span_text,
)
from pet2rep_core.workflow.study_results import ALL_READERS, StudyResults
from pet2rep_core.workflow.study_source import StudySource

_SHARED = ("icc_2_1_shared", "icc_2_k_shared")


def draw_agreement(page: Page, version: str, source: StudySource, results: StudyResults) -> None:
    """Draw every statistic of agreement with its interval, or the reason why there is none."""
    say = page.text
    st.subheader(say("study_results.agreement_title"))
    names = {"": say("study_results.all_models"), **{arm.key: arm_label(page, arm) for arm in results.arms}}
    run = st.selectbox(
        say("study_results.agreement_of"), list(names), format_func=names.__getitem__, key="agreement_of", width=420
    )
    found = (
        {one: shown_agreement(version, source, one, run, results.plan) for one in results.dimensions}
        if run
        else dict(results.agreement)
    )
    complete = all(one.complete == one.shared for one in found.values())
    statistics = [name for name in STATISTICS if not (complete and name in _SHARED)]
    rows: list[dict[str, object]] = [
        {
            say("study_results.statistic"): say(f"study_results.stat_{name}"),
            **{dimension_name(page, one): span_text(agreement.statistics[name]) for one, agreement in found.items()},
        }
        for name in statistics
    ]
    draw_rows(rows)
    _draw_reasons(page, found, statistics)
    if any(one.patients < FEW_PATIENTS for one in found.values()):
        st.caption(say("study_results.few_patients", n=FEW_PATIENTS))
    name = st.selectbox(
        say("study_results.statistic"), statistics, format_func=lambda one: say(f"study_results.stat_{one}"),
        key="agreement_statistic", width=420,
    ) or statistics[0]  # fmt: skip
    spans = [
        Span(dimension_name(page, one), "", estimate.value, estimate.low, estimate.high)
        for one, agreement in found.items()
        if (estimate := agreement.statistics[name]).value is not None
    ]
    if spans:
        least = min(0.0, *(span.value if span.low is None else span.low for span in spans))
        figure = interval_plot(spans, axis=say(f"study_results.stat_{name}"), bounds=(least - 0.02, 1.02))
        draw(figure, "study_agreement")
    st.caption(say("study_results.agreement_note"))
    with st.expander(say("study_results.pairs_title"), key="agreement_pairs"):
        _draw_pairs(page, found)
    draw_signatures(
        page, (one.statistics[name].signature for one in found.values() for name in statistics),
        key="agreement_signatures",
    )  # fmt: skip


def _draw_reasons(page: Page, found: dict[str, Agreement], statistics: list[str]) -> None:
    say = page.text
    for dimension, one in found.items():
        reasons: dict[str, list[str]] = {}
        for name in statistics:
            if one.statistics[name].why:
                reasons.setdefault(reason(page, one.statistics[name]), []).append(say(f"study_results.stat_{name}"))
        for why, names in reasons.items():
            st.caption(
                say("study_results.missing", dimension=escape_markdown(dimension_name(page, dimension)),
                    statistics=escape_markdown(", ".join(names)), reason=why)
            )  # fmt: skip


def _draw_pairs(page: Page, found: dict[str, Agreement]) -> None:
    say = page.text
    rows: list[dict[str, object]] = []
    for dimension, agreement in found.items():
        for pair in agreement.pairs:
            rows.append(
                {
                    say("study_results.dimension"): dimension_name(page, dimension),
                    say("study_results.two_readers"): " / ".join(pair.readers),
                    **estimate_cells(page, pair.weighted_kappa),
                    say("study_results.stat_exact"): pair.exact,
                    say("study_results.stat_within_one"): pair.within_one,
                }
            )
    if rows:
        draw_rows(rows)
    else:
        st.caption(say("study_results.no_pair"))


def draw_readers(page: Page, results: StudyResults) -> None:
    """Draw repeats, leniency, drift, and what the reference changed."""
    say = page.text
    dimension = choose_dimension(page, results, "readers_dimension")
    st.subheader(say("study_results.repeats_title"))
    rows: list[dict[str, object]] = []
    repeats = results.repeats[dimension]
    for reader, found in repeats.items():
        row: dict[str, object] = {say("study_results.reader"): reader or say("study_results.all_readers")}
        row |= {say(f"study_results.repeat_{name}"): span_text(one) for name, one in found.items()}
        row |= {
            say("study_results.items"): found["exact"].items,
            say("study_results.reason"): reason(page, found["weighted_kappa"]),
        }
        rows.append(row)
    draw_rows(rows)
    st.caption(say("study_results.repeats_note"))
    _draw_habits(page, results, dimension)
    if results.shift:
        st.subheader(say("study_results.shift_title"))
        shift: list[dict[str, object]] = []
        for one in results.dimensions:
            cells = {say(f"study_results.shift_{name}"): span_text(e) for name, e in results.shift[one].items()}
            items = {say("study_results.items"): results.shift[one]["mean"].items}
            shift.append({say("study_results.dimension"): dimension_name(page, one), **cells, **items})
        draw_rows(shift)
        st.caption(say("study_results.shift_note"))
    signatures = [one.signature for one in repeats[ALL_READERS].values()]
    signatures += [e.signature for one in results.habits[dimension] for e in (one.leniency, one.drift)]
    signatures += [one.signature for one in results.shift.get(dimension, {}).values()]
    draw_signatures(page, signatures, key="readers_signatures")


def _draw_habits(page: Page, results: StudyResults, dimension: str) -> None:
    say = page.text
    st.subheader(say("study_results.habits_title"))
    habits = results.habits[dimension]
    left, right = st.columns(2)
    for box, name in ((left, "leniency"), (right, "drift")):
        spans = [
            Span(one.reader, "", estimate.value, estimate.low, estimate.high)
            for one in habits
            if (estimate := one.leniency if name == "leniency" else one.drift).value is not None
        ]
        with box:
            if spans:
                axis = say(f"study_results.{name}_axis", n=DRIFT_ITEMS) if name == "drift" else say(
                    "study_results.leniency_axis"
                )  # fmt: skip
                draw(interval_plot(spans, axis=axis, reference=(0.0, "")), f"study_{name}")
    rows: list[dict[str, object]] = [
        {
            say("study_results.reader"): one.reader,
            say("study_results.leniency"): span_text(one.leniency),
            say("study_results.drift", n=DRIFT_ITEMS): span_text(one.drift),
            say("study_results.items"): one.leniency.items,
            say("study_results.reason"): reason(page, one.leniency) or reason(page, one.drift),
        }
        for one in habits
    ]
    if rows:
        draw_rows(rows)
    st.caption(say("study_results.habits_note", n=DRIFT_ITEMS))
