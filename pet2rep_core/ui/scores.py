"""Scores of the open report: numbers with signatures, the organ table, the checks, and the words behind them."""

from __future__ import annotations

import streamlit as st

from pet2rep_core.records import Generation, Score, UptakeState
from pet2rep_core.report.lexicon import organ_name
from pet2rep_core.report.uptake import Evidence
from pet2rep_core.scoring.clinical import Agreement, ClinicalResult, OrganRow
from pet2rep_core.scoring.profiles import DEFAULT_PROFILE, PROFILES, ReportPart
from pet2rep_core.ui import state
from pet2rep_core.ui.evidence import evidence_marks, list_flags
from pet2rep_core.ui.formats import NONE
from pet2rep_core.ui.frame import Page, page_part, shown_errors
from pet2rep_core.ui.names import metric_name, profile_name
from pet2rep_core.ui.overruling import draw_overruling
from pet2rep_core.ui.plain import escape_markdown, report_html
from pet2rep_core.ui.tables import draw_table, signed
from pet2rep_core.workflow.open_case import OpenCase
from pet2rep_core.workflow.score import ScoredReport, differences_to_template, score_generation, verify_generation


@page_part
def draw_scores(page: Page, case: OpenCase, generation: Generation) -> None:
    """Score the open report at a click, and show what each number is made of."""
    say = page.text
    bar = st.container(horizontal=True, vertical_alignment="bottom")
    profile = bar.selectbox(
        say("leaderboard.profile"),
        list(PROFILES),
        index=list(PROFILES).index(DEFAULT_PROFILE),
        format_func=lambda one: profile_name(page, one),
        key="score_profile",
    )
    parts = {part.value: say(f"leaderboard.part_{part.value}") for part in ReportPart}
    part = ReportPart(
        bar.selectbox(say("leaderboard.part"), list(parts), format_func=parts.__getitem__, key="score_part") or "full"
    )
    if bar.button(say("review.score"), type="primary"):
        st.session_state[state.SCORED] = generation.generation_id
    if st.session_state.get(state.SCORED) != generation.generation_id:
        return
    with shown_errors():
        with st.spinner(say("scores.at_work")):
            landmarks = None if case.images is None or case.images.grid is None else page.server.facts.landmarks(case)
            scored = score_generation(
                page.server.store,
                generation.generation_id,
                profile=profile,
                part=part,
                case=case if landmarks is not None else None,
                landmarks=landmarks,
                person=page.person,
            )
        _draw_numbers(page, generation, scored, profile, part)
        _draw_organs(page, scored)
        _draw_flags(page, scored)
        _draw_evidence(page, generation, scored)
        draw_overruling(page, generation, scored)


def _draw_numbers(page: Page, generation: Generation, scored: ScoredReport, profile: str, part: ReportPart) -> None:
    say = page.text
    st.markdown(f"**{say('scores.title')}**")
    if not PROFILES[profile].confirmed:
        st.caption(say("leaderboard.unconfirmed"))
    store = page.server.store
    beside = {
        one.score.signature: one
        for one in differences_to_template(
            store, generation.generation_id, profile=profile, part=part, person=page.person
        )
    }
    rows = []
    for score in (*scored.scores, *scored.overruled_scores):
        template = beside.get(score.signature)
        rows.append(
            {
                say("scores.metric"): metric_name(page, score.metric),
                say("scores.value"): _number(page, score),
                say("scores.to_template"): signed(page, None if template is None else template.difference, 4),
                say("scores.signature"): score.signature,
            }
        )
    draw_table(rows)
    if st.button(say("scores.verify"), help=say("scores.verify_help")):
        _draw_verification(page, generation)


def _draw_verification(page: Page, generation: Generation) -> None:
    say = page.text
    with st.spinner(say("scores.at_work")):
        checked = verify_generation(page.server.store, generation.generation_id, person=page.person)
    rows = [
        {
            say("scores.signature"): signature,
            say("scores.witness"): check.witness,
            say("scores.difference"): page.said(check.reason)
            if check.difference is None
            else f"{check.difference:.1e}",
            say("scores.agreement"): "✗" if check.differs else "✓" if check.difference is not None else NONE,
        }
        for signature, check in checked
    ]
    draw_table(rows)


def _draw_organs(page: Page, scored: ScoredReport) -> None:
    say = page.text
    table = scored.overruled or scored.clinical
    rows = [
        {
            say("scores.organ"): organ_name(row.organ, page.language),
            say("scores.reference"): _cell(page, row, "reference"),
            say("scores.generated"): _cell(page, row, "hypothesis"),
            say("scores.agreement"): say(f"agreement.{row.agreement.value}"),
            say("scores.evidence_reference"): _words(row.reference_evidence),
            say("scores.evidence_generated"): _words(row.hypothesis_evidence),
        }
        for row in table.rows
        if row.agreement is not Agreement.BOTH_UNSTATED or row.automatic is not None
    ]
    st.markdown(f"**{say('scores.organs')}**")
    st.caption(say("scores.ce_note"))
    draw_table(rows)
    draw_table(_classes(page, table))


def _classes(page: Page, table: ClinicalResult) -> list[dict[str, object]]:
    say = page.text

    def ratio(value: float | None) -> str:
        return say("scores.undefined") if value is None else f"{value:.3f}"

    return [
        {
            say("scores.class"): say(f"state.{c.state.value}"),
            say("scores.support"): c.tp + c.fn,
            "TP": c.tp,
            "FP": c.fp,
            "FN": c.fn,
            say("scores.precision"): ratio(c.precision),
            say("scores.recall"): ratio(c.recall),
            say("scores.f1"): ratio(c.f1),
        }
        for c in table.classes
    ]


def _draw_flags(page: Page, scored: ScoredReport) -> None:
    say = page.text
    st.markdown(f"**{say('scores.flags')}**")
    rows = [
        {
            say("scores.flag"): flag.name,
            say("scores.what"): flag.what,
            say("scores.evidence_generated"): flag.generated or NONE,
            say("scores.evidence_reference"): flag.reference or NONE,
        }
        for flag in list_flags(page, scored)
    ]
    if rows:
        draw_table(rows)
    else:
        st.caption(say("scores.no_flags"))


def _draw_evidence(page: Page, generation: Generation, scored: ScoredReport) -> None:
    say = page.text
    st.markdown(f"**{say('scores.in_place')}**")
    kinds = ("match", "missed", "invented", "differs", "flag")
    st.html(" ".join(f'<mark class="p2r-{kind}">{say(f"mark.{kind}")}</mark>' for kind in kinds))
    generated, reference = evidence_marks(page, scored)
    language = generation.language.value
    for box, title, text, marks in zip(
        st.columns(2),
        (say("review.generated"), say("review.reference")),
        (generation.text, scored.reference.text),
        (generated, reference),
        strict=True,
    ):
        box.html(report_html(text, language=language, label=title, marks=marks))
        box.caption(escape_markdown(title))


def _number(page: Page, score: Score) -> str:
    return page.text("scores.none", reason=page.said(score.reason)) if score.value is None else f"{score.value:.4f}"


def _cell(page: Page, row: OrganRow, side: str) -> str:
    """Return the states of a cell; where a person overruled it, what the rules read stands beside."""
    now = _states(page, getattr(row, side))
    before = now if row.automatic is None else _states(page, getattr(row.automatic, side))
    return now if now == before else page.text("scores.overruled_cell", now=now, before=before)


def _states(page: Page, states: tuple[UptakeState, ...]) -> str:
    return page.formats.listed(page.text(f"state.{s.value}") for s in states) or page.text("state.unstated")


def _words(evidence: tuple[Evidence, ...]) -> str:
    return " | ".join(e.text for e in evidence) or NONE
