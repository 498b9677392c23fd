"""Which case and which generated report is open."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pet2rep_core.records import Generation, Language
from pet2rep_core.ui import state
from pet2rep_core.ui.frame import LANGUAGE_NAMES, Page, link_to
from pet2rep_core.workflow.open_case import OpenCase, open_case
from pet2rep_core.workflow.permissions import RESEARCH
from pet2rep_core.workflow.rate import next_unrated, to_rate

_KEYS = {"before": "H", "after": "J"}
"""The viewer's help sheet names them; the digits, U and N belong to the rating."""


def choose_case(page: Page) -> tuple[OpenCase, Language] | None:
    """Let a person choose a case and the language of its reports; None where there is no case.

    The case stands in the address, so that a reload comes back to it.
    """
    rows = page.server.store.cases()
    ids = [row.case_id for row in rows]
    if not ids:
        st.info(page.text("review.no_cases"))
        if page.operator.role in RESEARCH:
            link_to("import", page.text("generate.go_import"), icon=":material/download:")
        return None
    _come_from_link(page)
    wanted = st.session_state.get(state.CASE) or st.query_params.get("case")
    if wanted is None and not page.is_research:
        waiting = next_unrated(page.server.store, page.reader, page.language)
        go_to(waiting)
        wanted = None if waiting is None else waiting.case_id
    bar = st.container(horizontal=True, vertical_alignment="bottom")
    datasets = {row.case_id: row.dataset for row in rows}
    chosen = bar.selectbox(
        page.text("review.case"),
        ids,
        index=ids.index(wanted) if wanted in ids else 0,
        format_func=lambda case_id: f"{case_id} · {datasets[case_id]}",
        key="case_choice",
    )
    if chosen != st.session_state.get(state.CASE):
        st.session_state[state.CASE] = chosen
    if st.query_params.get("case") != chosen:
        for key in ("generation", "linked"):
            st.query_params.pop(key, None)
    place = ids.index(chosen)
    _draw_step(page, bar, "before", ids[place - 1] if place else None)
    _draw_step(page, bar, "after", ids[place + 1] if place + 1 < len(ids) else None)
    st.query_params["case"] = chosen
    case = open_case(page.server.store, page.server.settings, chosen)
    with bar:
        language = _choose_report_language(page, list(case.references))
    return case, language


def _come_from_link(page: Page) -> None:
    """Open the case and the generated report that a link names, once; what a person opens later counts."""
    generation_id, case_id = st.query_params.get("generation"), st.query_params.get("case")
    link = generation_id or (case_id if "linked" in st.query_params else None)
    if link is None or link == st.session_state.get(state.LINKED):
        return
    st.session_state[state.LINKED] = link
    if generation_id:
        generation = page.server.store.generation(generation_id).generation
        go_to(generation)
        st.session_state[state.REPORT_LANGUAGE] = generation.language
        st.session_state.pop("report_language", None)
    elif case_id:
        _open_case(case_id)


def generation_to_rate(page: Page, case: OpenCase, language: Language) -> Generation | None:
    """Return the report of this case that a reader rates now: the one opened, else the first not rated."""
    mine = [g for g in to_rate(page.server.store, language) if g.case_id == case.row.case_id]
    opened = st.session_state.get(state.GENERATION)
    chosen = next((g for g in mine if g.generation_id == opened), None)
    if chosen is None:
        unrated = (g for g in mine if page.server.store.rating(g.generation_id, page.reader) is None)
        chosen = next(unrated, mine[0] if mine else None)
    return chosen


def _draw_step(page: Page, box: DeltaGenerator, where: str, case_id: str | None) -> None:
    """Draw the button, with its key, that opens the case before or after."""
    box.button(
        page.text(f"review.case_{where}"),
        key=f"case_{where}",
        icon=":material/chevron_left:" if where == "before" else ":material/chevron_right:",
        shortcut=_KEYS[where],
        disabled=case_id is None,
        on_click=_open_case,
        args=(case_id,),
    )


def _open_case(case_id: str) -> None:
    st.session_state[state.CASE] = case_id
    for key in (state.GENERATION, state.REPORT_LANGUAGE, "case_choice"):
        st.session_state.pop(key, None)


def following_case(page: Page, case: OpenCase) -> str | None:
    """Return the case that is most likely opened next: the next one to rate, else the next of the list."""
    case_id = case.row.case_id
    if not page.is_research:
        waiting = next_unrated(page.server.store, page.reader, page.language, after=case_id)
        if waiting is not None and waiting.case_id != case_id:
            return waiting.case_id
    ids = [row.case_id for row in page.server.store.cases()]
    place = ids.index(case_id) + 1
    return ids[place] if place < len(ids) else None


def go_to(generation: Generation | None) -> None:
    """Open a generated report with its case on the next run."""
    if generation is not None:
        st.session_state[state.CASE] = generation.case_id
        st.session_state[state.GENERATION] = generation.generation_id
        st.session_state.pop("case_choice", None)


def _choose_report_language(page: Page, available: list[Language]) -> Language:
    """Let a person choose the language of the reports; that of a linked report or the interface's own comes first."""
    first = st.session_state.get(state.REPORT_LANGUAGE, page.language)
    order = sorted(available or list(Language), key=lambda code: code is not first)
    chosen = st.segmented_control(
        page.text("review.report_language"),
        order,
        default=order[0],
        format_func=LANGUAGE_NAMES.__getitem__,
        key="report_language",
        required=True,
    )
    return Language(chosen)
