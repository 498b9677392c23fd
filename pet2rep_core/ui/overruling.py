"""Overruling a cell of the organ table: the form, and the history of what was overruled."""

from __future__ import annotations

import streamlit as st

from pet2rep_core.records import Generation, UptakeState
from pet2rep_core.report.lexicon import organ_name, read_lexicon
from pet2rep_core.scoring.clinical import CellSide
from pet2rep_core.ui.frame import Page, note_for_next_run, shown_errors
from pet2rep_core.ui.tables import draw_table
from pet2rep_core.workflow.overrule import CellView, open_cell, overrule_cell, withdraw_overrule
from pet2rep_core.workflow.score import ScoredReport


def draw_overruling(page: Page, generation: Generation, scored: ScoredReport) -> None:
    """Draw the form that overrules a cell, with author and reason; the automatic value stays beside it."""
    say, store = page.text, page.server.store
    with st.expander(say("overrule.title", n=len(scored.overrules))):
        st.caption(say("overrule.lead"))
        organ_box, side_box = st.columns(2)
        organ = organ_box.selectbox(
            say("scores.organ"), list(read_lexicon().rank), format_func=lambda o: organ_name(o, page.language)
        )
        sides = {CellSide.HYPOTHESIS: say("scores.generated"), CellSide.REFERENCE: say("scores.reference")}
        side = side_box.segmented_control(
            say("overrule.side"), list(sides), default=CellSide.HYPOTHESIS, format_func=sides.__getitem__, required=True
        )
        cell = open_cell(store, generation.generation_id, CellSide(side), organ, person=page.person)
        st.text(say("overrule.automatic", states=_states(page, cell.automatic)))
        _draw_form(page, generation, CellSide(side), organ, cell)
        _draw_history(page, cell)


def _draw_form(page: Page, generation: Generation, side: CellSide, organ: str, cell: CellView) -> None:
    say, store = page.text, page.server.store
    with st.form(f"overrule-{side}-{organ}", border=False):
        now = cell.automatic if cell.overruled is None else cell.overruled
        states = st.multiselect(
            say("overrule.states"),
            list(UptakeState),
            default=list(now),
            format_func=lambda s: say(f"state.{s.value}"),
            select_all=False,
        )
        reason = st.text_input(say("overrule.reason"), max_chars=500)
        buttons = st.container(horizontal=True)
        save = buttons.form_submit_button(say("overrule.save"))
        withdraw = buttons.form_submit_button(say("overrule.withdraw"), disabled=cell.overruled is None)
    where = (store, generation.generation_id, side, organ)
    with shown_errors():
        if save:
            overrule_cell(*where, states, author=page.reader, reason=reason, person=page.person)
        elif withdraw:
            withdraw_overrule(*where, author=page.reader, reason=reason, person=page.person)
        if save or withdraw:
            note_for_next_run(say("overrule.saved"))
            st.rerun(scope="fragment")


def _draw_history(page: Page, cell: CellView) -> None:
    say = page.text
    rows = [
        {
            say("results.revision"): number,
            say("overrule.states"): say("overrule.withdrawn")
            if one.withdrawn
            else _states(page, tuple(map(UptakeState, one.overrule.states))),
            say("overrule.author"): one.overrule.author,
            say("overrule.reason"): one.overrule.reason,
            say("results.saved_at"): page.formats.moment(one.created_at),
        }
        for number, one in enumerate(cell.history, start=1)
    ]
    if rows:
        draw_table(rows)


def _states(page: Page, states: tuple[UptakeState, ...]) -> str:
    return page.formats.listed(page.text(f"state.{s.value}") for s in states) or page.text("state.unstated")
