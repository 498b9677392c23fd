"""Runs under way with their progress, and earlier ones that go on with one click."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import partial

import streamlit as st

from pet2rep_core.records import GenerationStatus, Language
from pet2rep_core.ui.answering import phase_name
from pet2rep_core.ui.asking import is_asked_now, span_in_words, start_run
from pet2rep_core.ui.frame import LANGUAGE_NAMES, Page, link_to, note_for_next_run, page_part, shown_errors
from pet2rep_core.ui.models import status_name
from pet2rep_core.ui.names import catalog_of, model_name, prompt_name, setting_name
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.ui.privacy_gate import ask_before_sending
from pet2rep_core.ui.tables import draw_table, run_names
from pet2rep_core.workflow.jobs import GenerateJob
from pet2rep_core.workflow.run_log import EarlierRun, earlier_runs, plan_to_go_on
from pet2rep_core.workflow.run_outcome import ItemOutcome

_EVERY_S = 0.8
_WAITS_SHOWN = 5
_RUNS_SHOWN = 12
_OUTCOMES_SHOWN = 300


def draw_runs_under_way(page: Page) -> None:
    """Draw every run that is at work on this server, whoever started it and whenever the page was left."""
    running = [job for job in page.server.generate_jobs if job.running]
    ended = [job for job in page.server.generate_jobs if not job.running]
    for job in running:
        _draw_running(page, job)
    if ended:
        _draw_ended(page, ended[-1])


@partial(page_part, run_every=_EVERY_S)
def _draw_running(page: Page, job: GenerateJob) -> None:
    if not job.running:
        st.rerun()
    say, progress = page.text, job.progress
    done, left = len(job.outcomes), job.seconds_left
    words = [say("run.progress", done=done, total=job.total)]
    if job.cancelled:
        words.append(say("generate.stopping"))
    elif left is not None:
        words.append(say("run.left", span=span_in_words(page, max(1.0, left))))
    elif done < job.total:
        words.append(say("run.left_unknown"))
    with st.container(border=True):
        st.markdown(f"**{escape_markdown(_title(page, job))}**")
        st.progress(done / job.total if job.total else 0.0, escape_markdown(" · ".join(words)))
        parts = [_counted(page, _counts(job)), say("run.under_way", n=progress.under_way)]
        if progress.phase:
            model = model_name(page, progress.model) if progress.model else ""
            parts.insert(0, f"{phase_name(page, progress.phase)} {model}".strip())
        cap = job.plan.choices.max_cost
        if progress.spent or cap is not None:
            parts.append(say("run.spent", amount=f"{progress.spent:.2f}") if cap is None else
                         say("run.spent_of", amount=f"{progress.spent:.2f}", cap=f"{cap:g}"))  # fmt: skip
        st.caption(escape_markdown(" · ".join(part for part in parts if part)))
        waiting = progress.waiting
        for one in waiting[:_WAITS_SHOWN]:
            said = say("run.waiting", model=model_name(page, one.model), case=one.case_id,
                       span=span_in_words(page, one.seconds_left))  # fmt: skip
            st.caption(f":material/hourglass_top: {escape_markdown(f'{said} {page.said(one.reason)}')}")
        if len(waiting) > _WAITS_SHOWN:
            st.caption(say("run.more_waiting", n=len(waiting) - _WAITS_SHOWN))
        st.caption(say("run.leave"))
        if st.button(say("run.cancel"), disabled=job.cancelled, key=f"cancel-{id(job)}", icon=":material/stop:"):
            job.cancel()


def _draw_ended(page: Page, job: GenerateJob) -> None:
    say, counts = page.text, _counts(job)
    with st.container(border=True):
        st.markdown(f"**{escape_markdown(_title(page, job))}**")
        if job.problem is not None:
            hint = page.said(job.problem.hint)
            st.error("  \n".join(escape_markdown(one) for one in (page.said(job.problem.message), hint) if one))
        if job.cancelled and len(job.outcomes) < job.total:
            st.warning(say("run.cancelled", done=len(job.outcomes), total=job.total))
        st.markdown(escape_markdown(page.formats.labelled(say("run.ended"), _counted(page, counts) or "0")))
        bad = [one for one in job.outcomes if not one.is_done]
        if bad:
            with st.expander(say("run.not_done", n=len(bad))):
                lines = [_outcome(page, one) for one in bad[:_OUTCOMES_SHOWN]]
                draw_table(lines)
        with st.container(horizontal=True, vertical_alignment="center"):
            link_to("review", say("run.review"), icon=":material/visibility:")
            link_to("results", say("run.results"), icon=":material/leaderboard:")
            if st.button(say("run.hide"), key=f"hide-{id(job)}"):
                page.server.generate_jobs.remove(job)
                st.rerun()


def _title(page: Page, job: GenerateJob) -> str:
    names = list(dict.fromkeys(model_name(page, pairing.row.id) for pairing in job.plan.pairings))
    settings = list(dict.fromkeys(setting_name(page, pairing.setting) for pairing in job.plan.pairings))
    language = LANGUAGE_NAMES[job.plan.choices.asking.language]
    return " · ".join([page.formats.listed(names), page.formats.listed(settings), language])


def _counts(job: GenerateJob) -> Counter[str]:
    """Return how many ended how; those that were there before count apart."""
    return Counter(
        "already" if one.already else "not_asked" if one.status is None else one.status.value
        for one in list(job.outcomes)
    )


def _counted(page: Page, counts: Mapping[str, int]) -> str:
    order = ("already", *GenerationStatus, "not_asked")
    return " · ".join(f"{page.text(f'generate.ended_{one}')} {counts[one]}" for one in order if counts.get(one))


def _outcome(page: Page, one: ItemOutcome) -> dict[str, str]:
    say = page.text
    return {
        say("review.case"): one.case_id,
        say("plan.model"): model_name(page, one.model),
        say("plan.input"): setting_name(page, one.setting),
        say("import.status"): status_name(page, one.status),
        say("import.reason"): " · ".join(page.said(part) for part in (one.reason, one.hint) if part),
    }


def draw_earlier_runs(page: Page) -> None:
    """List earlier runs with how their reports ended; what is missing is asked for with one click."""
    say = page.text
    found = earlier_runs(page.server.store)
    if not found:
        st.info(say("run.none"))
        return
    incomplete = st.checkbox(say("run.only_incomplete"), key="runs-incomplete")
    shown = [one for one in found if one.missing and one.can_go_on] if incomplete else found
    if not shown:
        st.info(say("run.all_complete"))
        return
    some = shown
    if len(shown) > _RUNS_SHOWN and not st.checkbox(say("run.show_all", n=len(shown)), key="runs-all"):
        some = shown[:_RUNS_SHOWN]
    names: dict[str, str] = {}
    for language in Language:
        names |= run_names(page, (one.run for one in found if one.run.language is language))
    for one in some:
        _draw_earlier(page, one, names[one.run.run_id])


def _draw_earlier(page: Page, one: EarlierRun, name: str) -> None:
    say, run = page.text, one.run
    counts = {status.value: count for status, count in one.counts.items()}
    prompt = prompt_name(page, str(run.parameters.get("prompt") or run.parameters.get("source") or ""))
    line = " · ".join(
        part for part in (run.run_id[:10], prompt, page.formats.moment(one.last_at), _counted(page, counts)) if part
    )
    with st.container(border=True):
        words_box, button_box = st.columns([7, 3], vertical_alignment="center")
        words_box.markdown(
            f"**{escape_markdown(f'{name} · {LANGUAGE_NAMES[run.language]}')}**  \n{escape_markdown(line)}"
        )
        if not one.missing or not one.can_go_on:
            button_box.caption(say("run.whole" if one.can_go_on else "run.imported"))
            return
        label = say("run.go_on", n=len(one.missing))
        if button_box.button(label, key=f"go-on-{run.run_id}", width="stretch", icon=":material/play_arrow:"):
            with shown_errors():
                _go_on(page, one)


def _go_on(page: Page, one: EarlierRun) -> None:
    plan = plan_to_go_on(page.server.store, catalog_of(page), one)
    if is_asked_now(page, plan):
        st.info(page.text("generate.asked_now"))
        return

    def go() -> None:
        start_run(page, plan)
        note_for_next_run(page.text("generate.started"))

    ask_before_sending(page, plan, go)
