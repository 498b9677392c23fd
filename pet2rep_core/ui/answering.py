"""A report as a model writes it: the text as it comes, a way to stop it, and how it ended."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pet2rep_core.records import GenerationStatus, Language
from pet2rep_core.store import StoredGeneration
from pet2rep_core.ui import state
from pet2rep_core.ui.asking import span_in_words
from pet2rep_core.ui.frame import Page, note_for_next_run, page_part
from pet2rep_core.ui.models import status_name
from pet2rep_core.ui.names import model_name
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.ui.privacy_gate import inert_box
from pet2rep_core.workflow.live_answer import LiveAnswer
from pet2rep_core.workflow.open_case import OpenCase
from pet2rep_core.workflow.run_outcome import ItemOutcome

_EVERY_S = 0.4


def draw_answer(page: Page, case: OpenCase) -> bool:
    """Draw what is written for this case now, or how it ended without a report; tell whether one is written now.

    A report that is there is opened.
    """
    key = (page.reader, case.row.case_id)
    job = page.server.answers.get(key)
    if job is None:
        return False
    if job.running:
        _draw_running(page, job)
        return True
    outcome = job.outcome
    if outcome is not None and outcome.generation_id and outcome.status is not GenerationStatus.FAILED:
        del page.server.answers[key]
        _open(page, job, outcome)
    _draw_without_report(page, job)
    if st.button(page.text("generate.close"), key="answer-close"):
        del page.server.answers[key]
        st.rerun()
    return False


def _open(page: Page, job: LiveAnswer, outcome: ItemOutcome) -> None:
    """Open the new report in its own language on the next run."""
    st.session_state[state.GENERATION] = outcome.generation_id
    st.session_state[state.REPORT_LANGUAGE] = job.plan.choices.asking.language
    st.session_state.pop("report_language", None)
    if outcome.already:
        note_for_next_run(page.text("generate.already"))
    st.rerun()


@partial(page_part, run_every=_EVERY_S)
def _draw_running(page: Page, job: LiveAnswer) -> None:
    if not job.running:
        st.rerun()
    say = page.text
    pairing = job.plan.pairings[0]
    name = model_name(page, pairing.row.id)
    words_box, stop_box = st.columns([5, 2], vertical_alignment="center")
    words_box.markdown(escape_markdown(page.formats.labelled(name, _phase(page, job))))
    if stop_box.button(say("generate.stop"), icon=":material/stop:", width="stretch", disabled=job.cancelled,
                       key="answer-stop"):  # fmt: skip
        job.cancel()
    for wait in job.progress.waiting:
        st.warning(_waiting(page, wait.seconds_left, wait.reason), icon=":material/hourglass_top:")
    st.html(inert_box(job.text, say("generate.live", model=name), extra="p2r-live"))


def _phase(page: Page, job: LiveAnswer) -> str:
    say = page.text
    if job.cancelled:
        return say("generate.stopping")
    if job.text:
        words = say("generate.writing", n=len(job.text))
        return words if job.tries < 2 else f"{words} · {say('generate.attempt', n=job.tries)}"
    return phase_name(page, job.progress.phase)


def phase_name(page: Page, phase: str) -> str:
    """Return what a run does now, in words."""
    known = ("checking", "loading", "asking")
    return page.text(f"generate.phase_{phase if phase in known else 'starting'}")


def _waiting(page: Page, seconds: float, reason: str) -> str:
    words = page.text("generate.waiting", left=span_in_words(page, seconds))
    return escape_markdown(f"{words} {page.said(reason)}")


def _draw_without_report(page: Page, job: LiveAnswer) -> None:
    say, outcome = page.text, job.outcome
    if job.cancelled and outcome is None:
        st.info(say("generate.stopped"))
        return
    reason, hint = ("", "") if outcome is None else (outcome.reason, outcome.hint)
    if job.problem is not None:
        reason, hint = job.problem.message, job.problem.hint
    words = say("generate.failed", model=model_name(page, job.plan.pairings[0].row.id))
    said = "  \n".join(escape_markdown(page.said(one)) for one in (reason, hint) if one)
    st.error(f"{escape_markdown(words)}  \n{said}")


def draw_ending(page: Page, stored: StoredGeneration) -> None:
    """Say plainly how an answer ended that is no finished report, and what to do next."""
    status = stored.generation.status
    if status is GenerationStatus.DONE:
        return
    reason = page.said(stored.generation.error)
    what_next = page.text(f"generate.next_{status.value}")
    ended = status_name(page, status)
    words = f"**{escape_markdown(ended[:1].upper() + ended[1:])}**  \n" + "  \n".join(
        escape_markdown(one) for one in (reason, what_next) if one
    )
    st.warning(words)


def draw_failed_attempts(page: Page, stored: list[StoredGeneration], language: Language) -> None:
    """List what failed for this case, apart from the reports."""
    failed = [
        one
        for one in stored
        if one.generation.status is GenerationStatus.FAILED and one.generation.language is language
    ]
    if not failed:
        return
    with st.expander(page.text("generate.failed_attempts", n=len(failed))):
        for one in failed:
            hint = str(one.detail.get("hint", ""))
            said = " · ".join(page.said(part) for part in (one.generation.error, hint) if part)
            head = f"{model_name(page, one.generation.model)} · {page.formats.moment(one.created_at)}"
            st.markdown(f"**{escape_markdown(head)}**  \n{escape_markdown(said)}")
