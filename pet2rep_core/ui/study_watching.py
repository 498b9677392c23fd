"""How a study goes: progress and reminders, quality of the readers' work, the blinding, and what was done."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pet2rep_core.records import Person, StudyState
from pet2rep_core.ui.formats import NONE
from pet2rep_core.ui.frame import Page, note_for_next_run, shown_errors
from pet2rep_core.ui.names import model_name
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.ui.study_cache import shown_leaks, shown_progress, shown_quality
from pet2rep_core.ui.tables import moment, signed
from pet2rep_core.workflow.study_file import OPEN_STATES, StudyFile
from pet2rep_core.workflow.study_quality import DRIFT_POINTS, FAST_MS, FAST_SHARE, FEW, LENIENCY_POINTS, STRAIGHT_SHARE
from pet2rep_core.workflow.study_watch import (
    ReaderProgress,
    admit,
    guess_results,
    history,
    remind,
)


def draw_progress(page: Page, person: Person, study: StudyFile) -> None:
    """Draw how far each reader is; offer a reminder, and to admit who missed the pass mark."""
    say = page.text
    if study.state is StudyState.DRAFT:
        st.info(say("studies.not_started"))
        return
    readers = shown_progress(page, person, study.study_id)
    rows = [
        {
            say("studies.reader"): one.reader,
            say("studies.training"): f"{one.training_done} / {one.training_total}",
            say("studies.within_one"): page.formats.percent(one.within_one),
            say("studies.passed"): _passed(page, one),
            say("studies.progress"): 100 * one.done / one.total if one.total else 0.0,
            say("studies.items"): f"{one.done} / {one.total}",
            say("studies.active_time"): NONE if one.median_active_ms is None else f"{one.median_active_ms / 1000:.0f}",
            say("studies.last_answer"): moment(page, one.last_at),
            say("studies.reminded"): moment(page, one.reminded_at),
        }
        for one in readers
    ]
    bar = st.column_config.ProgressColumn(say("studies.progress"), min_value=0, max_value=100, format="%.0f%%")
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", column_config={say("studies.progress"): bar})
    if study.state not in OPEN_STATES:
        return
    collecting = study.state is StudyState.COLLECTING
    waiting = [
        one.reader for one in readers if one.training_done < one.training_total or (collecting and one.done < one.total)
    ]
    if waiting:
        _offer_reminder(page, person, study, waiting)
    for one in readers:
        if one.passed is False and not one.admitted:
            _offer_admission(page, person, study, one)


def _passed(page: Page, one: ReaderProgress) -> str:
    if one.passed is None:
        return NONE
    if one.passed:
        return page.text("studies.yes")
    return page.text("studies.admitted" if one.admitted else "studies.no")


def _offer_reminder(page: Page, person: Person, study: StudyFile, waiting: list[str]) -> None:
    choice, button = st.columns([3, 1], vertical_alignment="bottom")
    reader = choice.selectbox(page.text("studies.remind_whom"), waiting, help=page.text("studies.remind_help"))
    if button.button(page.text("studies.remind"), width="stretch", key="remind"):
        with shown_errors():
            remind(page.server.store, person, study.study_id, reader)
            note_for_next_run(page.text("studies.reminded_note", reader=reader))
            st.rerun()


def _offer_admission(page: Page, person: Person, study: StudyFile, one: ReaderProgress) -> None:
    within, mark = page.formats.percent(one.within_one), page.formats.percent(study.protocol.pass_mark)
    said = page.text("studies.not_passed", reader=one.reader, share=within, mark=mark)
    st.warning(escape_markdown(said))
    field, button = st.columns([3, 1], vertical_alignment="bottom")
    reason = field.text_input(page.text("studies.admit_reason"), key=f"admit-reason-{one.reader}", max_chars=500)
    if button.button(page.text("studies.admit"), width="stretch", key=f"admit-{one.reader}"):
        with shown_errors():
            admit(page.server.store, person, study.study_id, one.reader, reason)
            st.rerun()


def draw_quality(page: Page, person: Person, study: StudyFile) -> None:
    """Draw how each reader works, and what stands out."""
    say = page.text
    readers = shown_quality(page, person, study.study_id)
    if not any(one.items for one in readers):
        st.info(say("studies.no_answers"))
        return
    rows = [
        {
            say("studies.reader"): one.reader,
            say("studies.items"): one.items,
            say("studies.flags"): ", ".join(say(f"studies.flag_{name}") for name in one.flags) or NONE,
            say("studies.straight"): page.formats.percent(one.straight),
            say("studies.fast"): page.formats.percent(one.fast),
            say("studies.leniency"): signed(page, one.leniency),
            say("studies.drift"): signed(page, one.drift),
            say("studies.repeat_difference"): page.formats.number(one.repeat_difference, 2),
            say("studies.shift"): signed(page, one.shift),
            say("studies.edits"): one.edits,
        }
        for one in readers
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
    st.caption(
        say(
            "studies.quality_help",
            straight=page.formats.percent(STRAIGHT_SHARE),
            seconds=FAST_MS // 1000,
            fast=page.formats.percent(FAST_SHARE),
            leniency=LENIENCY_POINTS,
            drift=DRIFT_POINTS,
            few=FEW,
        )
    )


def draw_blinding(page: Page, person: Person, study: StudyFile) -> None:
    """Draw what gave the models away, and how well readers guessed them."""
    say, store = page.text, page.server.store
    leaks = shown_leaks(page, person, study.study_id)
    if not leaks:
        st.info(say("studies.no_answers"))
        return
    st.markdown(f"**{say('studies.leaks')}**")
    st.caption(say("studies.leaks_help"))
    kinds = sorted({kind for one in leaks for kind in one.kinds})
    rows = [
        {say("results.model"): model_name(page, one.model), say("studies.reports"): one.reports}
        | {say(f"studies.leak_{kind}"): one.kinds.get(kind, 0) for kind in kinds}
        for one in leaks
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
    versions = sorted({version for one in leaks for version in one.versions})
    if versions:
        st.caption(say("studies.leaks_version", version=escape_markdown(", ".join(versions))))
    st.markdown(f"**{say('studies.guesses')}**")
    guesses = guess_results(store, person, study.study_id)
    if not guesses:
        st.caption(say("studies.no_guesses"))
        return
    rows = [
        {
            say("studies.reader"): one.reader,
            say("studies.guess_asked"): one.asked,
            say("studies.guess_answered"): one.answered,
            say("studies.guess_right"): one.right,
            say("studies.guess_chance"): page.formats.number(one.answered / one.choices, 1) if one.choices else NONE,
            say("studies.guess_comment"): " ".join(part for part in (one.whole, one.comment) if part),
        }
        for one in guesses
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")


def draw_events(page: Page, person: Person, study: StudyFile) -> None:
    """Draw who did what, the newest first, and check the chain on demand."""
    say = page.text
    if st.button(say("studies.verify"), key="verify-study"):
        problems = page.server.store.studies.problems(study.study_id)
        if problems:
            st.error("  \n".join(escape_markdown(page.said(one)) for one in problems[:20]))
        else:
            st.success(say("studies.verified"))
    rows = [
        {
            say("studies.when"): moment(page, one.created_at),
            say("studies.who"): one.actor,
            say("studies.what"): say(f"studies.action_{one.action.replace('-', '_')}"),
            say("studies.whom"): one.subject or NONE,
            say("studies.detail"): _detail(page, one.action, one.detail),
        }
        for one in reversed(history(page.server.store, person, study.study_id))
    ]
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")


def _detail(page: Page, action: str, detail: str) -> str:
    if action == "state":
        return " → ".join(page.text(f"studies.state_{name.strip()}") for name in detail.split("→"))
    return page.text("studies.items_assigned", n=detail) if action == "assign" else detail
