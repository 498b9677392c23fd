"""Models of a study compared with each other, and automatic metrics with the readers."""

from __future__ import annotations

import streamlit as st

from pet2rep_core.scoring.nlg import METRICS
from pet2rep_core.study.validity import MEASURES
from pet2rep_core.ui.chart_frame import draw
from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.study_cache import shown_validity
from pet2rep_core.ui.study_charts import Span, interval_plot
from pet2rep_core.ui.study_words import (
    arm_label,
    choose_dimension,
    draw_rows,
    draw_signatures,
    estimate_cells,
    p_text,
    reason,
)
from pet2rep_core.workflow.study_comparisons import ArmComparison
from pet2rep_core.workflow.study_latex import metric_label
from pet2rep_core.workflow.study_results import StudyResults
from pet2rep_core.workflow.study_source import StudySource


def draw_models(page: Page, results: StudyResults) -> None:
    """Draw every two models compared on one dimension."""
    say = page.text
    st.subheader(say("study_results.models_title"))
    if len(results.arms) < 2:
        st.info(say("study_results.one_model"))
        return
    dimension = choose_dimension(page, results, "models_dimension")
    found = results.comparisons[dimension]
    names = [
        say("study_results.less", first=arm_label(page, one.first), second=arm_label(page, one.second)) for one in found
    ]
    spans = [
        Span(name, "", one.difference.value, one.difference.low, one.difference.high)
        for name, one in zip(names, found, strict=True)
        if one.difference.value is not None
    ]
    if spans:
        draw(interval_plot(spans, axis=say("study_results.difference_axis"), reference=(0.0, "")), "study_differences")
    draw_rows([_comparison(page, name, one) for name, one in zip(names, found, strict=True)])
    st.caption(say("study_results.models_note"))
    draw_signatures(page, (one.signature for one in found), key="models_signatures")


def _comparison(page: Page, name: str, one: ArmComparison) -> dict[str, object]:
    say = page.text
    return {
        say("study_results.comparison"): name,
        say("study_results.difference"): one.difference.value,
        say("study_results.low"): one.difference.low,
        say("study_results.high"): one.difference.high,
        say("study_results.p_value"): p_text(one.test.p_value),
        say("study_results.p_holm"): p_text(one.p_holm),
        say("study_results.exact_test"): say("study_results.yes" if one.test.exact else "study_results.no"),
        say("study_results.effect"): one.effect,
        say("study_results.better"): f"{one.better} / {one.same} / {one.worse}",
        say("study_results.patients"): one.difference.cases,
    }


def draw_metrics(page: Page, version: str, source: StudySource, results: StudyResults) -> None:
    """Draw how the metrics order the reports of a study, and how one reader does, on one dimension."""
    say = page.text
    st.subheader(say("study_results.metrics_title"))
    left, right = st.columns(2)
    with left:
        dimension = choose_dimension(page, results, "metrics_dimension")
    with right:
        measure = st.segmented_control(
            say("study_results.measure"), list(MEASURES), default=MEASURES[0], required=True, key="metrics_measure",
            format_func=lambda one: say(f"study_results.measure_{one}"),
        ) or MEASURES[0]  # fmt: skip
    with st.spinner(say("study_results.working")):
        found = shown_validity(version, source, dimension, results.plan)
    if not found.metrics:
        st.info(say("study_results.no_metric"))
        return
    ordered = sorted(found.metrics, key=lambda one: -(one.measures[measure].value or -2.0))
    labels = {one.name: metric_name(page, one.name) for one in ordered}
    spans = [
        Span(labels[one.name], "", estimate.value, estimate.low, estimate.high)
        for one in ordered
        if (estimate := one.measures[measure]).value is not None
    ]
    ceiling = found.ceiling.mean[measure]
    if spans:
        reference = None if ceiling.value is None else (ceiling.value, say("study_results.one_reader"))
        band = None if ceiling.low is None or ceiling.high is None else (ceiling.low, ceiling.high)
        figure = interval_plot(spans, axis=say(f"study_results.measure_{measure}"), reference=reference, band=band)
        draw(figure, "study_metrics")
    rows = [
        {say("study_results.metric"): labels[one.name], **estimate_cells(page, one.measures[measure])}
        for one in ordered
    ]
    readers = [
        {
            say("study_results.metric"): say("study_results.reader_against", reader=one.name),
            **estimate_cells(page, one.measures[measure]),
        }
        for one in found.ceiling.readers
    ]
    mean = {say("study_results.metric"): say("study_results.one_reader"), **estimate_cells(page, ceiling)}
    draw_rows([*rows, mean, *readers])
    if ceiling.why:
        st.caption(reason(page, ceiling))
    st.caption(say("study_results.metrics_note"))
    signatures = [one.measures[measure].signature for one in ordered[:1]]
    signatures += [ceiling.signature, *(found.signatures[one.name] for one in ordered)]
    draw_signatures(page, signatures, key="metrics_signatures")


def metric_name(page: Page, name: str) -> str:
    """Return what a metric is called on the page."""
    if name in METRICS or not name.startswith("ce_"):
        return metric_label(name)
    return page.text(f"leaderboard.metric_{name}")
