"""Runs over many cases: choose, look at the plan, start."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

import streamlit as st

from pet2rep_core.errors import Pet2RepError
from pet2rep_core.prompts.prompt import INPUT_SETTINGS
from pet2rep_core.records import Language
from pet2rep_core.store import CaseRow
from pet2rep_core.ui import state
from pet2rep_core.ui.asking import is_asked_now, start_run, workplace
from pet2rep_core.ui.batch_plan import draw_plan
from pet2rep_core.ui.frame import LANGUAGE_NAMES, Page, link_to, note_for_next_run, shown_errors
from pet2rep_core.ui.model_options import draw_options
from pet2rep_core.ui.models import choice_name, look_at_models, order_of, takes_address
from pet2rep_core.ui.names import catalog_of, setting_name
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.ui.privacy_gate import ask_before_sending, not_allowed
from pet2rep_core.vlm.baselines import SCRIPTED
from pet2rep_core.vlm.model_row import ModelRow
from pet2rep_core.vlm.request import Finding, Route, Severity
from pet2rep_core.workflow.preflight_run import PairingCheck, check_plan, require_one_currency
from pet2rep_core.workflow.readiness import Readiness, Ready
from pet2rep_core.workflow.run_plan import RunChoices, RunPlan, pair_models, plan_run

_ALL, _DATASETS, _CHOSEN = "all", "datasets", "chosen"
_Planned = tuple[object, RunPlan, tuple[PairingCheck, ...]]


def draw_new_run(page: Page) -> None:
    """Draw the form of a run, its plan, and the button that starts it."""
    cases = page.server.store.cases()
    if not cases:
        st.info(page.text("generate.no_cases"))
        link_to("import", page.text("generate.go_import"), icon=":material/download:")
        return
    rows = _choose_models(page)
    settings, language = _choose_input(page, rows)
    chosen = _choose_cases(page, cases)
    choices = _choose_how(page, rows, language)
    if choices is None:
        return
    key = ([row.id for row in rows], settings, chosen, choices)
    ready = bool(rows and chosen and settings)
    if st.button(page.text("generate.make_plan"), disabled=not ready, icon=":material/checklist:", key="make-plan"):
        st.session_state.pop(state.PLAN, None)
        with shown_errors(), st.spinner(page.text("generate.planning")):
            st.session_state[state.PLAN] = (key, *_make_plan(page, rows, settings, chosen, choices))
    if not ready:
        st.caption(page.text("generate.choose_first"))
    planned: _Planned | None = st.session_state.get(state.PLAN)
    if planned is None:
        return
    if planned[0] != key:
        st.caption(page.text("generate.plan_old"))
        return
    _draw_planned(page, planned[1], planned[2])


def _choose_models(page: Page) -> list[ModelRow]:
    rows = {row.id: row for row in sorted(catalog_of(page).rows.values(), key=order_of)}
    looked = look_at_models(page, st.session_state.get(state.ADDRESS, ""))
    names = {
        model: choice_name(page, row, looked[model])
        for model, row in rows.items()
        if looked[model].ready is not Ready.OWN_CODE
    }
    # a widget forgets options that are called otherwise by now, so it is another one where a name has changed
    mark = hashlib.sha256("\n".join(names.values()).encode()).hexdigest()[:12]
    kept: list[str] = st.session_state.get(state.MODELS, [])
    chosen = st.multiselect(
        page.text("generate.models"), list(names), [model for model in kept if model in names],
        key=f"run-models-{mark}", format_func=names.__getitem__, placeholder=page.text("generate.models_hint"),
        help=page.text("generate.models_help"), select_all=False,
    )  # fmt: skip
    st.session_state[state.MODELS] = chosen
    return [rows[model] for model in chosen]


def _choose_input(page: Page, rows: Iterable[ModelRow]) -> tuple[list[str], Language]:
    say = page.text
    setting_box, language_box = st.columns([5, 3], vertical_alignment="bottom")
    settings = setting_box.pills(
        say("generate.inputs"), list(INPUT_SETTINGS), selection_mode="multi", default=["fused"], key="run-inputs",
        format_func=lambda one: setting_name(page, one), help=say("generate.input_help"),
    )  # fmt: skip
    language = language_box.segmented_control(
        say("generate.language"), list(Language), default=page.language, format_func=LANGUAGE_NAMES.__getitem__,
        key="run-language", required=True,
    )  # fmt: skip
    built_in_only = all(Route.BUILT_IN in row.routes for row in rows)
    if settings or not built_in_only:
        return [one for one in INPUT_SETTINGS if one in settings], Language(language or page.language)
    return ["fused"], Language(language or page.language)  # built-in models read no picture


def _choose_cases(page: Page, cases: list[CaseRow]) -> list[str]:
    say = page.text
    which_box, name_box = st.columns([3, 5], vertical_alignment="bottom")
    which = which_box.segmented_control(
        say("generate.cases"), [_ALL, _DATASETS, _CHOSEN], default=_ALL, key="run-cases", required=True,
        format_func=lambda one: say(f"generate.cases_{one}", **({"n": len(cases)} if one == _ALL else {})),
    )  # fmt: skip
    if which == _DATASETS:
        names = list(dict.fromkeys(row.dataset for row in cases))
        wanted = name_box.multiselect(say("generate.datasets"), names, key="run-datasets",
                                      placeholder=say("generate.pick"), select_all=False)  # fmt: skip
        return [row.case_id for row in cases if row.dataset in wanted]
    if which == _CHOSEN:
        return list(
            name_box.multiselect(
                say("generate.chosen"),
                [row.case_id for row in cases],
                key="run-chosen",
                placeholder=say("generate.pick"),
                select_all=False,
            )
        )
    return [row.case_id for row in cases]


def _choose_how(page: Page, rows: list[ModelRow], language: Language) -> RunChoices | None:
    """Return how the run works; None where what is set cannot be."""
    say = page.text
    looked = look_at_models(page)
    accepted = {name for row in rows for name in row.accepted(looked[row.id].route)}
    seed = 0
    with st.expander(say("generate.options"), icon=":material/tune:"):
        if any(row.id == SCRIPTED for row in rows):
            seed = int(st.number_input(say("generate.scripted_seed"), 0, 2**31 - 1, 0, key="run-scripted-seed") or 0)
        wishes = draw_options(page, "run", accepted, language, server=any(map(takes_address, rows)))
        parallel_box, limit_box, cost_box = st.columns(3)
        parallel = parallel_box.number_input(
            say("generate.parallel"), 1, 512, None, key="run-parallel", placeholder=say("generate.parallel_hint"),
            help=say("generate.parallel_help"),
        )  # fmt: skip
        limit = limit_box.number_input(
            say("generate.time_limit"), 1, 86400, 600, key="run-limit", help=say("generate.time_limit_help")
        )
        cost = cost_box.number_input(
            say("generate.max_cost"), 0.0, None, None, step=1.0, key="run-cost", placeholder=say("generate.no_cap"),
            help=say("generate.max_cost_help"),
        )  # fmt: skip
    vendors = [row.label for row in rows if Route.BUILT_IN not in row.routes and not takes_address(row)]
    if wishes.base_url and vendors:
        st.error(escape_markdown(say("generate.address_not_for", names=page.formats.listed(vendors))))
        return None
    return RunChoices(
        asking=replace(wishes.asking, language=language),
        base_url=wishes.base_url,
        parallel=parallel,
        time_limit_s=float(limit or 600),
        max_cost=cost,
        again=wishes.again,
        seed=seed,
    )


def _make_plan(
    page: Page, rows: list[ModelRow], settings: list[str], cases: list[str], choices: RunChoices
) -> tuple[RunPlan, tuple[PairingCheck, ...]]:
    pairs = pair_models(catalog_of(page), [row.id for row in rows], settings, base_url=choices.base_url)
    plan = plan_run(page.server.store, pairs, cases, choices)
    require_one_currency(plan)
    # a server outside is not even asked whether it is there before somebody has allowed it
    closed = {one.host for one in not_allowed(page, plan)}
    here = replace(plan, pairings=tuple(pair for pair in plan.pairings if plan.host_of(pair) not in closed))
    outside = replace(plan, pairings=tuple(pair for pair in plan.pairings if plan.host_of(pair) in closed))
    place = workplace(page)
    looked = look_at_models(page, choices.base_url)
    unasked = (_with_readiness(one, looked) for one in check_plan(place, outside, ask_servers=False))
    return plan, (*check_plan(place, here), *unasked)


def _with_readiness(check: PairingCheck, looked: Mapping[str, Readiness]) -> PairingCheck:
    """Return a check that also says what is known without asking the server: no key for it, or no such model."""
    one = looked[check.pairing.row.id]
    if one.ready not in (Ready.NO_KEY, Ready.GONE):
        return check
    return replace(check, findings=(*check.findings, Finding(Severity.ERROR, one.message, one.hint)))


def _draw_planned(page: Page, plan: RunPlan, checks: tuple[PairingCheck, ...]) -> None:
    say = page.text
    draw_plan(page, plan, checks)
    broken = {check.pairing.name for check in checks if check.problem is not None}
    count = sum(item.pairing.name not in broken for item in plan.items)
    if not plan.items:
        st.success(say("generate.nothing_to_ask"), icon=":material/done_all:")
        return
    if not count:
        st.error(say("generate.none_can_run"))
        return
    busy = is_asked_now(page, plan)
    if busy:
        st.info(say("generate.asked_now"))
    if st.button(say("generate.start", n=count), type="primary", disabled=busy, icon=":material/play_arrow:",
                 key="start-run"):  # fmt: skip
        with shown_errors():
            asked = _without_the_useless(page, plan, broken)
            ask_before_sending(page, asked, lambda: _start(page, asked))


def _without_the_useless(page: Page, plan: RunPlan, broken: Collection[str]) -> RunPlan:
    """Return a plan without what cannot run and would first have to be allowed: nobody is asked to for nothing."""
    closed = {one.host for one in not_allowed(page, plan)}
    useless = {one.name for one in plan.pairings if one.name in broken and plan.host_of(one) in closed}
    return replace(
        plan,
        pairings=tuple(one for one in plan.pairings if one.name not in useless),
        items=tuple(item for item in plan.items if item.pairing.name not in useless),
    )


def _start(page: Page, plan: RunPlan) -> None:
    try:
        start_run(page, plan)
    except Pet2RepError:
        st.session_state.pop(state.PLAN, None)
        raise
    st.session_state.pop(state.PLAN, None)
    note_for_next_run(page.text("generate.started"))
