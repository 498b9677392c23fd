"""Reports side by side, generation of a report, and its scores."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pet2rep_core.records import Generation, GenerationStatus, Language, Score, UptakeState
from pet2rep_core.report.lexicon import organ_name
from pet2rep_core.report.uptake import Evidence
from pet2rep_core.scoring.clinical import Agreement
from pet2rep_core.ui import state
from pet2rep_core.ui.frame import Page, shown_errors
from pet2rep_core.ui.places import places_in
from pet2rep_core.ui.plain import escape_markdown, report_html
from pet2rep_core.vlm.baselines import BUILT_IN_MODELS, SCRIPTED
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow.generate import generate_report
from pet2rep_core.workflow.open_case import OpenCase
from pet2rep_core.workflow.score import ScoredReport, score_generation


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
    places = places_in(page, case, body, language)
    st.html(report_html(body, language=language.value, label=title, places=places))


def choose_generation(page: Page, case: OpenCase, language: Language) -> Generation | None:
    """Let the researcher open or generate a report of this case."""
    store = page.server.store
    mine = [g.generation for g in store.generations(case.row.case_id) if g.generation.language is language]
    done = {g.generation_id: g for g in mine if g.status is not GenerationStatus.FAILED}
    model_box, behaviour_box, button_box = st.columns([3, 3, 2], vertical_alignment="bottom")
    model = model_box.selectbox(
        page.text("review.model"), list(BUILT_IN_MODELS), format_func=lambda m: page.text(f"model.{m}"), key="model"
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
            new = generate_report(store, case.row.case_id, model, language, behaviour=behaviour)
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
        format_func=lambda g: f"{page.text(f'model.{done[g].model}')} · {done[g].run_id[:10]}",
    )
    st.session_state[state.GENERATION] = chosen
    return done[chosen]


@st.fragment
def draw_scores(page: Page, generation: Generation) -> None:
    """Score the open report at a click, and show each number with its signature and the organ table."""
    if st.button(page.text("review.score")):
        st.session_state[state.SCORED] = generation.generation_id
    if st.session_state.get(state.SCORED) != generation.generation_id:
        return
    with shown_errors():
        with st.spinner(page.text("scores.at_work")):
            scored = score_generation(page.server.store, generation.generation_id)
        _draw_numbers(page, scored)
        _draw_organs(page, scored)


def _draw_numbers(page: Page, scored: ScoredReport) -> None:
    say = page.text
    rows = [
        {
            say("scores.metric"): score.metric,
            say("scores.value"): _number(page, score),
            say("scores.signature"): score.signature,
        }
        for score in scored.scores
    ]
    st.markdown(f"**{say('scores.title')}**")
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")


def _draw_organs(page: Page, scored: ScoredReport) -> None:
    say = page.text
    rows = [
        {
            say("scores.organ"): organ_name(row.organ, page.language),
            say("scores.reference"): _states(page, row.reference),
            say("scores.generated"): _states(page, row.hypothesis),
            say("scores.agreement"): say(f"agreement.{row.agreement.value}"),
            say("scores.evidence_reference"): _words(row.reference_evidence),
            say("scores.evidence_generated"): _words(row.hypothesis_evidence),
        }
        for row in scored.clinical.rows
        if row.agreement is not Agreement.BOTH_UNSTATED
    ]
    st.markdown(f"**{say('scores.organs')}**")
    st.caption(say("scores.ce_note"))
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch")
    classes = [
        {
            say("scores.class"): say(f"state.{c.state.value}"),
            say("scores.support"): c.tp + c.fn,
            "TP": c.tp,
            "FP": c.fp,
            "FN": c.fn,
            say("scores.precision"): say("scores.undefined") if c.precision is None else f"{c.precision:.3f}",
            say("scores.recall"): say("scores.undefined") if c.recall is None else f"{c.recall:.3f}",
            say("scores.f1"): say("scores.undefined") if c.f1 is None else f"{c.f1:.3f}",
        }
        for c in scored.clinical.classes
    ]
    st.dataframe(pd.DataFrame(classes), hide_index=True, width="stretch")


def _number(page: Page, score: Score) -> str:
    return page.text("scores.none", reason=score.reason) if score.value is None else f"{score.value:.4f}"


def _states(page: Page, states: tuple[UptakeState, ...]) -> str:
    return ", ".join(page.text(f"state.{s.value}") for s in states) or page.text("state.unstated")


def _words(evidence: tuple[Evidence, ...]) -> str:
    return " | ".join(e.text for e in evidence)
