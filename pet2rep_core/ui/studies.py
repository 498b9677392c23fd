"""The studies page: choose a study, see where it is, move it on, and its tabs."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from pet2rep_core.records import Person, StudyState
from pet2rep_core.ui import state
from pet2rep_core.ui.frame import LANGUAGE_NAMES, Page, note_for_next_run, shown_errors
from pet2rep_core.ui.study_settling import draw_differences, draw_requests
from pet2rep_core.ui.study_watching import draw_blinding, draw_events, draw_progress, draw_quality
from pet2rep_core.ui.study_words import study_name
from pet2rep_core.ui.tables import draw_table, run_names, unlike
from pet2rep_core.workflow.study_file import StudyFile
from pet2rep_core.workflow.study_make import StudyLine, discard_study, move_study, next_states, study_of

_LINE_PX = 35
_ICONS = {True: "●", False: "○"}


def draw_study(page: Page, lines: Sequence[StudyLine]) -> None:
    """Let one study be chosen, and draw it."""
    if not lines:
        st.info(page.text("studies.none"))
        return
    by_id = {one.study_id: one for one in lines}
    titles = unlike({one.study_id: study_name(page, one) for one in lines})
    chosen = st.session_state.get(state.STUDY)
    study_id = st.selectbox(
        page.text("studies.choose"),
        list(titles),
        index=list(titles).index(chosen) if chosen in titles else 0,
        format_func=titles.__getitem__,
        # a browser goes on showing the label that was chosen: where a study has moved on, another box takes its place
        key=f"study-choice-{'|'.join(titles.values())}",
    )
    st.session_state[state.STUDY] = study_id
    study = study_of(page.server.store, page.person, study_id)
    _draw_states(page, study, by_id[study_id])
    _draw_moves(page, study)
    person = page.person
    drawers = {
        "progress": _draw_progress,
        "quality": draw_quality,
        "differences": draw_differences,
        "blinding": draw_blinding,
        "plan": _draw_plan,
        "events": draw_events,
    }
    names = [page.text(f"studies.tab_{name}") for name in drawers]
    # only the open one is worked out: each looks at every rating of the study
    for tab, draw in zip(st.tabs(names, key="study-tabs", on_change="rerun"), drawers.values(), strict=True):
        if tab.open:
            with tab, shown_errors():
                draw(page, person, study)


def _draw_progress(page: Page, person: Person, study: StudyFile) -> None:
    draw_progress(page, person, study)
    draw_requests(page, person, study)


def _draw_states(page: Page, study: StudyFile, line: StudyLine) -> None:
    """Show the way of a study and where it is on it."""
    states = [one for one in StudyState if one is not StudyState.CALIBRATION or study.protocol.training]
    here = states.index(study.state) if study.state in states else 0
    parts = []
    for place, one in enumerate(states):
        name = page.text(f"studies.state_{one.value}")
        parts.append(f"**{_ICONS[True]} {name}**" if place == here else f"{_ICONS[place < here]} {name}")
    done = [page.text("studies.done_of", done=line.done, total=line.items)] if line.items else []
    st.markdown(" · ".join([" → ".join(parts), *done]))
    st.caption(page.text(f"studies.state_{study.state.value}_help"))


def _draw_moves(page: Page, study: StudyFile) -> None:
    """Offer the next step, each with what it means and a second click."""
    store, person = page.server.store, page.person
    boxes = st.columns([1, 1, 3])
    for box, to in zip(boxes, next_states(study), strict=False):
        # a key of its own: else the question of the next step lies open where this one was answered
        with box.popover(page.text(f"studies.to_{to.value}"), width="stretch", key=f"step-{study.study_id}-{to.value}"):
            st.markdown(page.text(f"studies.to_{to.value}_help"))
            sure = st.button(
                page.text(f"studies.to_{to.value}_sure"), type="primary", key=f"move-{study.study_id}-{to.value}"
            )
            if sure:
                with shown_errors():
                    move_study(store, person, study.study_id, to)
                    note_for_next_run(page.text("studies.moved", state=page.text(f"studies.state_{to.value}")))
                    st.rerun()
    if study.state is StudyState.DRAFT:
        with boxes[1].popover(page.text("studies.discard"), width="stretch"):
            st.markdown(page.text("studies.discard_help"))
            if st.button(page.text("studies.discard_sure"), key=f"discard-{study.study_id}"):
                with shown_errors():
                    discard_study(store, person, study.study_id)
                    st.session_state.pop(state.STUDY, None)
                    st.rerun()


def _draw_plan(page: Page, _: Person, study: StudyFile) -> None:
    """Show the protocol as it was decided."""
    plan, say = study.protocol, page.text
    names = run_names(page, (run for run in page.server.store.runs() if run.run_id in plan.run_ids))
    listed = page.formats.listed
    design = say(f"studies.design_{plan.design.value}")
    rows = {
        say("studies.study_name"): study.study_id,
        say("app.language"): LANGUAGE_NAMES[plan.language],
        say("studies.cases"): str(len(plan.case_ids)),
        say("studies.runs"): str(len(plan.run_ids)),
        say("studies.readers"): listed(plan.readers),
        say("studies.design"): design,
        say("studies.per_item"): str(plan.readers_per_report),
        say("studies.staged"): say("studies.yes" if plan.staged else "studies.no"),
        say("studies.repeats"): page.formats.percent(plan.repeat_share),
        say("studies.repeat_gap"): str(plan.repeat_gap),
        say("studies.patient_gap"): str(plan.patient_gap),
        say("studies.training"): listed(one.case_id for one in plan.training) or say("studies.nothing"),
        say("studies.pass_mark"): page.formats.percent(plan.pass_mark),
        say("studies.seed"): str(plan.seed),
        say("studies.rubric"): plan.rubric_version,
        say("studies.made_by"): f"{study.created_by}, {page.formats.moment(study.created_at)}",
    }
    lines = list(rows.items())
    # one line each: a cell does not break a line, and studies compare up to twenty models
    at = next(place for place, (name, _) in enumerate(lines) if name == say("studies.runs")) + 1
    lines[at:at] = [("", names.get(run_id, run_id)) for run_id in plan.run_ids]
    table = pd.DataFrame(lines, columns=[say("saw.what"), say("saw.value")])
    draw_table(table, height=_LINE_PX * (len(lines) + 1) + 3)
