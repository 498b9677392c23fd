"""Plan a study: what is read by whom, what that asks of the readers, and how precise it will be."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from pet2rep_core.records import Language
from pet2rep_core.store import RunRow
from pet2rep_core.study.design import PATIENT_GAP, REPEAT_GAP, REPEAT_SHARE, Design
from pet2rep_core.study.protocol import PASS_MARK, Protocol
from pet2rep_core.ui import state
from pet2rep_core.ui.frame import LANGUAGE_NAMES, Page, note_for_next_run, shown_errors
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.ui.study_preview import draw_preview
from pet2rep_core.ui.study_training import choose_training
from pet2rep_core.ui.tables import run_names
from pet2rep_core.workflow.study_make import make_study, preview_study


def draw_form(page: Page) -> None:
    """Draw the plan of a new study, its preview, and the button that makes it."""
    say, store = page.text, page.server.store
    runs = _runs_with_reports(page)
    if not runs:
        st.info(say("studies.no_reports"))
        return
    languages = [one for one in Language if any(run.language is one for run in runs)]
    with st.container(border=True):
        left, right = st.columns([3, 1])
        title = left.text_input(say("studies.name"), max_chars=80, key="new-title", help=say("studies.name_help"))
        language = right.segmented_control(
            say("review.report_language"),
            languages,
            default=page.language if page.language in languages else languages[0],
            format_func=LANGUAGE_NAMES.__getitem__,
            key="new-language",
            required=True,
        )
        run_ids = _choose_runs(page, [run for run in runs if run.language is language])
        case_ids = _choose_cases(page, run_ids)
        readers = st.multiselect(
            say("studies.readers"),
            _known_readers(page),
            accept_new_options=True,
            key="new-readers",
            help=say("studies.readers_help"),
            placeholder=say("studies.readers_placeholder"),
        )
    design = _choose_design(page, len(readers))
    training = choose_training(page, case_ids, run_ids)
    missing = _missing(page, title, run_ids, readers)
    if not readers or not run_ids:
        st.info(say("studies.preview_needs", what=", ".join(missing)))
        return
    protocol = Protocol(
        title=title.strip() or say("studies.untitled"),
        language=language or languages[0],
        case_ids=tuple(case_id for case_id in case_ids if case_id not in training.case_ids),
        run_ids=tuple(run_ids),
        readers=tuple(readers),
        rubric_version=page.server.rubric.version,
        training=training.items,
        **design,
    )
    preview = preview_study(store, page.person, protocol)
    draw_preview(page, replace(preview, training=len(training.case_ids)))
    if training.missing:
        st.warning(escape_markdown(training.missing))
    if missing:
        st.info(say("studies.make_needs", what=", ".join(missing)))
    if st.button(say("studies.make"), type="primary", disabled=bool(missing or training.missing), key="make-study"):
        with shown_errors():
            study_id = make_study(store, page.person, protocol, event_id=str(uuid.uuid4()))
            st.session_state[state.STUDY] = study_id
            note_for_next_run(say("studies.made_note"))
            st.rerun()


def _runs_with_reports(page: Page) -> list[RunRow]:
    done = {run_id for _, run_id in page.server.store.studies.finished_reports()}
    return [run for run in page.server.store.runs() if run.run_id in done]


def _missing(page: Page, title: str, run_ids: Sequence[str], readers: Sequence[str]) -> list[str]:
    needed = {"studies.name": title.strip(), "studies.runs": run_ids, "studies.readers": readers}
    return [page.text(key) for key, value in needed.items() if not value]


def _choose_runs(page: Page, runs: Sequence[RunRow]) -> list[str]:
    names = run_names(page, runs)
    return st.multiselect(
        page.text("studies.runs"),
        list(names),
        format_func=names.__getitem__,
        key="new-runs",
        help=page.text("studies.runs_help"),
        placeholder=page.text("studies.runs_placeholder"),
    )


def _choose_cases(page: Page, run_ids: Sequence[str]) -> list[str]:
    """Return the chosen cases, by default all that have a report of a chosen run."""
    finished = page.server.store.studies.finished_reports()
    with_report = {case_id for case_id, run_id in finished if run_id in run_ids}
    rows = [row for row in page.server.store.cases() if row.case_id in with_report]
    datasets = sorted({row.dataset for row in rows})
    left, right = st.columns([1, 2])
    only = left.multiselect(
        page.text("studies.datasets"), datasets, key="new-datasets", placeholder=page.text("studies.all")
    )
    there = [row.case_id for row in rows if not only or row.dataset in only]
    chosen = right.multiselect(
        page.text("studies.cases"),
        there,
        key="new-cases",
        placeholder=page.text("studies.all_cases", n=len(there)) if run_ids else page.text("studies.runs_first"),
        help=page.text("studies.cases_help"),
    )
    return chosen or there


def _known_readers(page: Page) -> list[str]:
    """Return who has an account here, and the readers of earlier studies."""
    store = page.server.store
    earlier = {item.reader for study_id in store.studies.study_ids() for item in store.studies.items(study_id)}
    return sorted(earlier | {account.name for account in store.accounts.all() if not account.disabled})


def _choose_design(page: Page, readers: int) -> dict[str, Any]:
    say = page.text
    with st.container(border=True):
        one, two, three, four = st.columns([2, 1, 1, 1], vertical_alignment="bottom")
        design = one.segmented_control(
            say("studies.design"),
            list(Design),
            default=Design.CROSSED,
            format_func=lambda name: say(f"studies.design_{name.value}"),
            key="new-design",
            help=say("studies.design_help"),
            required=True,
        )
        per_item = two.number_input(
            say("studies.per_item"),
            min_value=1,
            max_value=max(readers, 2),
            value=2,
            disabled=design is not Design.BLOCKS,
            key="new-per-item",
        )
        staged = three.toggle(say("studies.staged"), value=True, key="new-staged", help=say("studies.staged_help"))
        seed = four.number_input(
            say("studies.seed"), min_value=0, max_value=2**31, value=1, key="new-seed", help=say("studies.seed_help")
        )
        one, two, three, four = st.columns(4, vertical_alignment="bottom")
        share = one.slider(
            say("studies.repeats"), 0, 30, round(100 * REPEAT_SHARE), format="%d %%", key="new-share",
            help=say("studies.repeats_help"),
        )  # fmt: skip
        repeat_gap = two.number_input(
            say("studies.repeat_gap"), min_value=1, max_value=1000, value=REPEAT_GAP, key="new-repeat-gap"
        )
        patient_gap = three.number_input(
            say("studies.patient_gap"), min_value=1, max_value=1000, value=PATIENT_GAP, key="new-patient-gap"
        )
        icc = four.slider(
            say("studies.expected_icc"), 0.3, 0.9, 0.7, 0.05, key="new-icc", help=say("studies.expected_icc_help")
        )
        st.caption(say("studies.rubric_version", version=page.server.rubric.version))
    return {
        "design": design or Design.CROSSED,
        "per_item": int(per_item),
        "staged": staged,
        "seed": int(seed),
        "repeat_share": share / 100,
        "repeat_gap": int(repeat_gap),
        "patient_gap": int(patient_gap),
        "expected_icc": icc,
        "pass_mark": st.session_state.get("new-pass-mark", round(100 * PASS_MARK)) / 100,
    }
