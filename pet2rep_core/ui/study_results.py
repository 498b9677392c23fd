"""The results of reader studies: what is shown of which study, counts, and the ratings of each model."""

from __future__ import annotations

import streamlit as st

from pet2rep_core.records import Language
from pet2rep_core.study.rubric import VALUES
from pet2rep_core.study.summaries import SIGNATURE
from pet2rep_core.ui.chart_frame import draw
from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.ui.study_agreement import draw_agreement, draw_readers
from pet2rep_core.ui.study_cache import shown_results, shown_source, version_of
from pet2rep_core.ui.study_charts import Bar, Mean, diverging_bars, radar
from pet2rep_core.ui.study_files import draw_files
from pet2rep_core.ui.study_models import draw_metrics, draw_models
from pet2rep_core.ui.study_words import arm_label, choose_dimension, dimension_name, draw_rows, draw_signatures
from pet2rep_core.workflow.study_make import StudyLine, study_list
from pet2rep_core.workflow.study_results import StudyResults

PARTS = ("ratings", "agreement", "models", "metrics", "readers", "files")


def draw_study_results(page: Page) -> None:
    """Draw the results of one reader study, for researchers; models are letters until it is unblinded."""
    say = page.text
    person = page.person
    studies = {one.study_id: one for one in study_list(page.server.store, person)}
    if not studies:
        st.info(say("study_results.no_study"))
        return
    chosen = st.selectbox(
        say("study_results.study"), list(studies), format_func=lambda one: _study_name(page, studies[one]),
        key="results_study", width=560,
    ) or next(iter(studies))  # fmt: skip
    version = version_of(page, chosen)
    with st.spinner(say("study_results.working")):
        source = shown_source(page, person, chosen)
        results = shown_results(version, source) if source.ratings.num_rows else None
    if results is None or not results.counts.ratings:
        st.info(say("study_results.no_rating"))
        return
    if results.blind:
        st.info(say("study_results.blind", state=say(f"studies.state_{source.state}")))
    _draw_counts(page, results)
    part = st.segmented_control(
        say("study_results.part"), list(PARTS), default=PARTS[0], required=True, key="results_part",
        format_func=lambda one: say(f"study_results.part_{one}"), label_visibility="collapsed",
    ) or PARTS[0]  # fmt: skip
    if part == "ratings":
        _draw_ratings(page, results)
    elif part == "agreement":
        draw_agreement(page, version, source, results)
    elif part == "models":
        draw_models(page, results)
    elif part == "metrics":
        draw_metrics(page, version, source, results)
    elif part == "readers":
        draw_readers(page, results)
    else:
        draw_files(page, version, source)


def _study_name(page: Page, one: StudyLine) -> str:
    return f"{one.title} · {page.text(f'studies.state_{one.state.value}')} · {one.study_id}"


def _draw_counts(page: Page, results: StudyResults) -> None:
    say, counts = page.text, results.counts
    time = "–" if counts.seconds_per_item is None else say("study_results.seconds", n=f"{counts.seconds_per_item:.0f}")
    facts = {
        "readers": str(counts.readers), "patients": str(counts.patients), "reports": str(counts.reports),
        "ratings": str(counts.ratings), "repeats": str(counts.repeats), "not_assessable": str(counts.not_assessable),
        "time": time,
    }  # fmt: skip
    for box, (name, value) in zip(st.columns(len(facts)), facts.items(), strict=True):
        box.metric(say(f"study_results.count_{name}"), value)
    versions = ", ".join(results.rubric_versions)
    st.caption(
        say("study_results.how", resamples=results.plan.resamples, seed=results.plan.seed,
            level=round(100 * results.plan.level), rubric=escape_markdown(versions))
    )  # fmt: skip


def _draw_ratings(page: Page, results: StudyResults) -> None:
    say = page.text
    st.subheader(say("study_results.table_title"))
    rows: list[dict[str, object]] = []
    for dimension in results.dimensions:
        for arm in results.arms:
            one = results.summaries[dimension, arm.key]
            rows.append(
                {
                    say("study_results.dimension"): dimension_name(page, dimension),
                    say("study_results.model"): arm_label(page, arm),
                    say("study_results.n"): one.n,
                    say("study_results.mean"): one.mean,
                    say("study_results.sd"): one.sd,
                    say("study_results.median"): one.median,
                    say("study_results.quartiles"): "–" if one.q1 is None else f"{one.q1:g} – {one.q3:g}",
                    say("study_results.good"): None if one.good_share is None else 100 * one.good_share,
                    **{str(value): count for value, count in zip(VALUES, one.counts, strict=True)},
                    say("study_results.count_not_assessable"): one.not_assessable,
                }
            )
    draw_rows(rows, decimals=2)
    left, right = st.columns([2, 3])
    with left:
        _draw_radar(page, results)
    with right:
        _draw_distributions(page, results)
    draw_signatures(page, [SIGNATURE], key="ratings_signatures")


def _draw_radar(page: Page, results: StudyResults) -> None:
    say = page.text
    st.subheader(say("study_results.radar_title"))
    means = [
        Mean(arm_label(page, arm), tuple(results.summaries[one, arm.key].mean for one in results.dimensions))
        for arm in results.arms
    ]
    draw(radar(means, [dimension_name(page, one) for one in results.dimensions]), "study_radar")
    st.caption(say("study_results.radar_note"))


def _draw_distributions(page: Page, results: StudyResults) -> None:
    say = page.text
    st.subheader(say("study_results.bars_title"))
    dimension = choose_dimension(page, results, "bars_dimension")
    bars = [Bar(arm_label(page, arm), results.summaries[dimension, arm.key].counts) for arm in results.arms]
    names = _anchor_names(page, dimension)
    draw(diverging_bars(bars, names=names, axis=say("study_results.bars_axis")), "study_bars")
    st.caption(say("study_results.bars_note"))


def _anchor_names(page: Page, dimension: str) -> list[str]:
    """Return the values, with the anchors of the dimension where these are single words."""
    rubric = page.server.rubric
    if dimension not in rubric.keys:
        return [str(value) for value in VALUES]
    anchors = [rubric.dimension(dimension).anchors[value][page.language].rstrip(".。") for value in VALUES]
    short = all(len(one) <= (4 if page.language is Language.CHINESE else 10) for one in anchors)
    return [f"{value} {anchor}" if short else str(value) for value, anchor in zip(VALUES, anchors, strict=True)]
