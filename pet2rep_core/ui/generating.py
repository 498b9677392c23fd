"""Open a generated report of a case, or have one written: model, input, language and options."""

from __future__ import annotations

import streamlit as st

from pet2rep_core.errors import Pet2RepError
from pet2rep_core.prompts.prompt import INPUT_SETTINGS
from pet2rep_core.records import Generation, GenerationStatus, Language
from pet2rep_core.ui import state
from pet2rep_core.ui.answering import draw_answer, draw_failed_attempts
from pet2rep_core.ui.asking import is_asked_now, start_answer, workplace
from pet2rep_core.ui.frame import LANGUAGE_NAMES, Page, page_part, shown_errors
from pet2rep_core.ui.model_options import draw_options
from pet2rep_core.ui.models import choice_name, look_at_models, order_of, status_name, takes_address, way_of
from pet2rep_core.ui.names import catalog_of, setting_name
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.ui.privacy_gate import ask_before_sending, draw_key
from pet2rep_core.ui.tables import run_names, unlike
from pet2rep_core.vlm.baselines import SCRIPTED
from pet2rep_core.vlm.model_row import ModelRow
from pet2rep_core.vlm.request import Finding, Route, Severity
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow.build_request import Asking
from pet2rep_core.workflow.open_case import OpenCase
from pet2rep_core.workflow.preflight_run import check_plan
from pet2rep_core.workflow.readiness import Readiness, Ready
from pet2rep_core.workflow.run_plan import RunChoices, RunPlan, pair_models, plan_run


def choose_generation(page: Page, case: OpenCase, language: Language) -> Generation | None:
    """Let the researcher open or generate a report of this case."""
    stored = page.server.store.generations(case.row.case_id)
    if not draw_answer(page, case):
        _draw_form(page, case, language)
    draw_failed_attempts(page, stored, language)
    mine = [one.generation for one in stored if one.generation.language is language]
    done = {one.generation_id: one for one in mine if one.status is not GenerationStatus.FAILED}
    if not done:
        return None
    opened = st.session_state.get(state.GENERATION)
    ids = list(done)
    names = _report_names(page, list(done.values()))
    chosen = st.selectbox(
        page.text("review.which"),
        ids,
        index=ids.index(opened) if opened in done else len(ids) - 1,
        format_func=names.__getitem__,
    )
    st.session_state[state.GENERATION] = chosen
    return done[chosen]


def _report_names(page: Page, reports: list[Generation]) -> dict[str, str]:
    """Return the reports by id, each as its run is called and how it ended where that is not as it should."""
    ours = {one.run_id for one in reports}
    runs = run_names(page, (run for run in page.server.store.runs() if run.run_id in ours))
    names = {}
    for one in reports:
        ended = "" if one.status is GenerationStatus.DONE else f" · {status_name(page, one.status)}"
        names[one.generation_id] = f"{runs[one.run_id]}{ended}"
    return unlike(names)


@page_part
def _draw_form(page: Page, case: OpenCase, language: Language) -> None:
    """Draw the choice of a model and of how it is asked; a change draws only this part anew."""
    with shown_errors():
        _draw_choices(page, case, language)


def _draw_choices(page: Page, case: OpenCase, language: Language) -> None:
    say = page.text
    rows = sorted(catalog_of(page).rows.values(), key=order_of)
    by_id = {row.id: row for row in rows}
    base_url = st.session_state.get(state.ADDRESS, "")
    looked = look_at_models(page, base_url)
    model_box, button_box = st.columns([5, 2], vertical_alignment="bottom")
    ids, chosen = list(by_id), st.session_state.get(state.MODEL)
    model = model_box.selectbox(
        say("review.model"), ids, index=ids.index(chosen) if chosen in by_id else 0, key="model",
        format_func=lambda one: choice_name(page, by_id[one], looked[one]),
    )  # fmt: skip
    row = by_id[model or rows[0].id]
    st.session_state[state.MODEL] = row.id
    go = button_box.container()
    ready = looked[row.id]
    choices, setting = _draw_asking(page, row, ready, language)
    can_ask = ready.ready not in (Ready.OWN_CODE, Ready.WRONG_ADDRESS)
    plan = None
    if can_ask:
        pairs = pair_models(catalog_of(page), [row.id], [setting], base_url=choices.base_url)
        plan = plan_run(page.server.store, pairs, [case.row.case_id], choices)
    problems = _draw_findings(page, ready, plan)
    pressed = go.button(
        say("review.generate"), type="primary", width="stretch", disabled=plan is None or problems, key="generate-one"
    )
    if pressed and plan is not None:
        if is_asked_now(page, plan):
            st.info(say("generate.asked_now"))
            return
        asked = plan
        ask_before_sending(page, asked, lambda: start_answer(page, case.row.case_id, asked))


def _draw_asking(page: Page, row: ModelRow, ready: Readiness, language: Language) -> tuple[RunChoices, str]:
    """Draw how a model is asked, and return that with the input setting."""
    say = page.text
    setting_box, language_box, options_box = st.columns([4, 3, 3], vertical_alignment="bottom")
    if ready.route is Route.BUILT_IN:
        behaviour = Behaviour.MIXED
        if row.id == SCRIPTED:
            behaviour = setting_box.selectbox(
                say("review.behaviour"),
                sorted(Behaviour, key=lambda one: one is not Behaviour.MIXED),
                format_func=lambda one: say(f"behaviour.{one.value}"),
                key="behaviour",
            ) or Behaviour.MIXED  # fmt: skip
        return RunChoices(asking=Asking(language=language), behaviour=Behaviour(behaviour)), "fused"
    setting = setting_box.selectbox(
        say("generate.input"), list(INPUT_SETTINGS), index=1, format_func=lambda one: setting_name(page, one),
        key="input_setting", help=say("generate.input_help"),
    )  # fmt: skip
    wanted = language_box.selectbox(
        say("generate.language"), list(Language), index=list(Language).index(language),
        format_func=LANGUAGE_NAMES.__getitem__, key=f"generate-language-{language.value}",
    )  # fmt: skip
    with options_box.popover(say("generate.options"), width="stretch", icon=":material/tune:"):
        server = takes_address(row)
        wishes = draw_options(page, "one", row.accepted(ready.route), Language(wanted or language), server=server)
    return RunChoices(asking=wishes.asking, base_url=wishes.base_url, again=wishes.again), setting


def _draw_findings(page: Page, ready: Readiness, plan: RunPlan | None) -> bool:
    """Say how the model would be reached and what would go wrong; tell whether it cannot be asked for sure."""
    if ready.route is Route.BUILT_IN:
        return False
    st.caption(escape_markdown(way_of(page, ready)))
    if ready.outside and ready.key_env and ready.ready is not Ready.NO_KEY:
        draw_key(page, ready.key_env)
    findings = []
    if ready.ready is not Ready.YES:
        findings.append(Finding(Severity.ERROR, ready.message, ready.hint))
    if plan is not None:
        findings += [Finding(Severity.ERROR, one.message, one.hint) for one in plan.left_out]
        findings += _checked(page, plan)
    draw_findings(page, findings)
    # a server may be there by the time of the click; without a key nobody need be asked whether something may leave
    return plan is None or bool(plan.left_out) or ready.ready in (Ready.NO_KEY, Ready.GONE)


def _checked(page: Page, plan: RunPlan) -> list[Finding]:
    """Return what is found without asking a server; kept, since pictures are drawn for it."""
    if not plan.items:
        return []
    key = (plan.items[0].generation_id, plan.choices.base_url)
    kept: tuple[object, list[Finding]] = st.session_state.get(state.CHECKED, (None, []))
    if kept[0] != key:
        try:
            found = [one for check in check_plan(workplace(page), plan, ask_servers=False) for one in check.findings]
        except Pet2RepError as error:
            found = [Finding(Severity.ERROR, error.message, error.hint)]
        kept = (key, found)
        st.session_state[state.CHECKED] = kept
    return kept[1]


def draw_findings(page: Page, findings: list[Finding]) -> None:
    """Draw each finding as one clear sentence, and below it what mends it."""
    for one in dict.fromkeys(findings):
        words = "  \n".join(escape_markdown(page.said(part)) for part in (one.message, one.hint) if part)
        if one.severity is Severity.ERROR:
            st.error(words)
        else:
            st.warning(words)
