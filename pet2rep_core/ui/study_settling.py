"""Differences between readers, settled without names; and requests to unlock an item of a locked study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from pet2rep_core.records import Person, StudyState, text_sha256
from pet2rep_core.study.rubric import VALUES
from pet2rep_core.ui import state
from pet2rep_core.ui.frame import Page, note_for_next_run, shown_errors
from pet2rep_core.ui.images import draw_images
from pet2rep_core.ui.plain import escape_markdown, report_html
from pet2rep_core.ui.tables import moment
from pet2rep_core.workflow.open_case import open_case
from pet2rep_core.workflow.study_adjudicate import (
    SETTLING,
    Disagreement,
    adjudicate,
    decide_unlock,
    difference_texts,
    differences,
    unlock_requests,
)
from pet2rep_core.workflow.study_file import StudyFile


def draw_differences(page: Page, person: Person, study: StudyFile) -> None:
    """Draw the queue of differences, and one of them with its texts and the way to settle it."""
    say, store = page.text, page.server.store
    if study.state is StudyState.DRAFT:
        st.info(say("studies.not_started"))
        return
    found = differences(store, person, study.study_id)
    if not found:
        st.info(say("studies.no_differences"))
        return
    open_ = [one for one in found if one.settled is None]
    st.caption(say("studies.differences_help"))
    st.progress(
        1 - len(open_) / len(found), text=say("studies.settled_of", n=len(found) - len(open_), total=len(found))
    )
    only_open = st.toggle(say("studies.only_open"), value=True, key="only-open-differences")
    shown = open_ if only_open else list(found)
    if not shown:
        st.success(say("studies.all_settled"))
        return
    numbers = {one.report: number for number, one in enumerate({d.report: d for d in found}.values(), start=1)}
    _draw_difference(page, person, study, _choose_difference(page, shown, numbers))


def _choose_difference(page: Page, shown: Sequence[Disagreement], numbers: Mapping[str, int]) -> Disagreement:
    """Let one difference be chosen; the one that was stays chosen while others come and go."""
    labels = {_label(page, one, numbers[one.report]): one for one in shown}
    names = [(one.report, one.dimension) for one in shown]
    before = st.session_state.get(state.DIFFERENCE)
    label = st.selectbox(
        page.text("studies.difference"),
        list(labels),
        index=names.index(before) if before in names else 0,
        # a browser goes on showing a label that is gone: another box for other labels
        key=f"difference-choice-{text_sha256('|'.join(labels))}",
    )
    chosen = labels[label]
    st.session_state[state.DIFFERENCE] = (chosen.report, chosen.dimension)
    return chosen


def _label(page: Page, one: Disagreement, report: int) -> str:
    dimension = page.server.rubric.dimension(one.dimension).name[page.language]
    values = " / ".join(map(str, one.values))
    return page.text("studies.difference_label", report=report, dimension=dimension, values=values)


def _draw_difference(page: Page, person: Person, study: StudyFile, one: Disagreement) -> None:
    say, store = page.text, page.server.store
    texts = difference_texts(store, person, study.study_id, one.report)
    language = study.protocol.language.value
    left, right = st.columns(2)
    left.markdown(f"**{say('review.generated')}**")
    left.html(report_html(texts.generated.text, language=language, label=say("review.generated")))
    right.markdown(f"**{say('review.reference')}**")
    if texts.reference is None:
        right.info(say("review.no_reference"))
    else:
        right.html(report_html(texts.reference.text, language=language, label=say("review.reference")))
    if st.toggle(say("studies.show_images"), key="difference-images"):
        draw_images(page, open_case(store, page.server.settings, texts.case_id), None)
    dimension = page.server.rubric.dimension(one.dimension)
    st.markdown(f"**{dimension.name[page.language]}** – {dimension.question[page.language]}")
    for comment in one.comments:
        st.markdown(f"> {escape_markdown(comment)}")
    if study.state not in SETTLING:
        st.info(say("studies.settling_over"))
        return
    key = f"{one.report}-{one.dimension}"
    value = st.segmented_control(
        say("studies.settled_value"),
        VALUES,
        default=one.settled,
        format_func=lambda score: f"{score} {dimension.anchors[score][page.language]}",
        key=f"settle-value-{key}",
    )
    reason = st.text_input(say("studies.settle_reason"), value=one.reason, key=f"settle-reason-{key}", max_chars=1000)
    if st.button(say("studies.settle"), type="primary", disabled=value is None, key=f"settle-{key}"):
        with shown_errors():
            adjudicate(store, person, study.study_id, one.report, one.dimension, int(value or 0), reason)
            note_for_next_run(say("studies.settled_note"))
            st.rerun()


def draw_requests(page: Page, person: Person, study: StudyFile) -> None:
    """Draw the requests to unlock an item, each with a way to grant or refuse it."""
    if study.state is not StudyState.LOCKED:
        return
    say, store = page.text, page.server.store
    requests = unlock_requests(store, person, study.study_id)
    st.markdown(f"**{say('studies.requests')}**")
    if not requests:
        st.caption(say("studies.no_requests"))
    for one in requests:
        with st.container(border=True):
            said = say("studies.request", reader=one.reader, number=one.number, when=moment(page, one.asked_at))
            st.markdown(f"{escape_markdown(said)}  \n{escape_markdown(one.reason)}")
            field, yes, no = st.columns([3, 1, 1], vertical_alignment="bottom")
            reason = field.text_input(say("studies.request_reason"), key=f"unlock-reason-{one.code}", max_chars=500)
            grant = yes.button(say("studies.grant"), key=f"grant-{one.code}", width="stretch")
            refuse = no.button(say("studies.refuse"), key=f"refuse-{one.code}", width="stretch")
            if grant or refuse:
                with shown_errors():
                    decide_unlock(store, person, study.study_id, one.code, grant=grant, reason=reason)
                    st.rerun()
