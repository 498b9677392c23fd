"""Reports side by side, and the generation of a report."""

from __future__ import annotations

import streamlit as st

from pet2rep_core.records import Generation, GenerationStatus, Language
from pet2rep_core.ui import state
from pet2rep_core.ui.frame import Page, shown_errors
from pet2rep_core.ui.places import places_in
from pet2rep_core.ui.plain import escape_markdown, report_html
from pet2rep_core.vlm.baselines import BUILT_IN_MODELS, SCRIPTED
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow.generate import generate_report
from pet2rep_core.workflow.open_case import OpenCase


def draw_reports(page: Page, case: OpenCase, generation: Generation | None, language: Language) -> None:
    """Draw the generated and the reference report beside each other."""
    left, right = st.columns(2)
    with left:
        title = page.text("review.generated")
        st.markdown(f"**{title}**")
        if generation is None:
            empty = "review.no_generated" if page.is_research else "review.no_generated_reading"
            st.info(page.text(empty))
        else:
            if page.is_research:
                made_by = page.text("review.generated_by", model=generation.model, n=len(generation.text))
                st.caption(escape_markdown(made_by))
            _draw_report(page, case, generation.text, language, title)
    with right:
        title = page.text("review.reference")
        st.markdown(f"**{title}**")
        reference = case.references.get(language)
        if reference is None:
            st.info(page.text("review.no_reference"))
        else:
            if page.is_research and generation is not None:
                st.caption(page.text("review.length", n=len(reference.text)))
            _draw_report(page, case, reference.text, language, title)


def _draw_report(page: Page, case: OpenCase, body: str, language: Language, title: str) -> None:
    places = places_in(page.server, case, body, language)
    st.html(report_html(body, language=language.value, label=title, places=places))


def choose_generation(page: Page, case: OpenCase, language: Language) -> Generation | None:
    """Let the researcher open or generate a report of this case."""
    store = page.server.store
    mine = [g.generation for g in store.generations(case.row.case_id) if g.generation.language is language]
    done = {g.generation_id: g for g in mine if g.status is not GenerationStatus.FAILED}
    model_box, behaviour_box, button_box = st.columns([3, 3, 2], vertical_alignment="bottom")
    model = model_box.selectbox(
        page.text("review.model"), list(BUILT_IN_MODELS), format_func=lambda m: page.name("model", m), key="model"
    )
    behaviour = Behaviour.MIXED
    if model == SCRIPTED:
        chosen_behaviour = behaviour_box.selectbox(
            page.text("review.behaviour"),
            sorted(Behaviour, key=lambda b: b is not Behaviour.MIXED),
            format_func=lambda b: page.text(f"behaviour.{b.value}"),
            key="behaviour",
        )
        behaviour = Behaviour(chosen_behaviour or Behaviour.MIXED)
    if button_box.button(page.text("review.generate"), type="primary", width="stretch"):
        with shown_errors():
            new = generate_report(store, case.row.case_id, model, language, behaviour=behaviour, person=page.person)
            st.session_state[state.GENERATION] = new.generation_id
            st.rerun()
    if not done:
        return None
    opened = st.session_state.get(state.GENERATION)
    ids = list(done)
    chosen = st.selectbox(
        page.text("review.which"),
        ids,
        index=ids.index(opened) if opened in done else len(ids) - 1,
        format_func=lambda g: f"{page.name('model', done[g].model)} · {done[g].run_id[:10]}",
    )
    st.session_state[state.GENERATION] = chosen
    return done[chosen]
