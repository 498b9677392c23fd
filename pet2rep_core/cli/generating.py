"""``pet2rep generate``: reports of any model of the catalog for many cases, without a browser."""

from __future__ import annotations

import argparse
import getpass
import json
from collections.abc import Sequence
from typing import Any

from pet2rep_core.cli.exit_status import ExitStatus, status_of
from pet2rep_core.cli.interrupting import stop_on_interrupt
from pet2rep_core.cli.output import Progress, note, one_line, say
from pet2rep_core.cli.planning import checks_json, note_findings, say_plan
from pet2rep_core.cli.stores import own_store, require_case_ids
from pet2rep_core.errors import GenerationError, ProviderBusyError, UnknownNameError
from pet2rep_core.imaging.display import read_display
from pet2rep_core.prompts.prompt import INPUT_SETTINGS
from pet2rep_core.records import Language, Person, Role
from pet2rep_core.settings import Settings
from pet2rep_core.vlm.catalog import read_catalog
from pet2rep_core.vlm.request import Options, Route
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow.build_request import Asking
from pet2rep_core.workflow.preflight_run import check_plan
from pet2rep_core.workflow.providers import Sending, allow_provider, allowed_hosts, require_allowed, sendings_of
from pet2rep_core.workflow.run_log import record_start
from pet2rep_core.workflow.run_models import run_planned
from pet2rep_core.workflow.run_outcome import ItemOutcome, Workplace
from pet2rep_core.workflow.run_plan import RunChoices, RunPlan, pair_models, plan_run
from pet2rep_core.workflow.run_progress import RunProgress

NOT_ASKED = "not asked"


def run(args: argparse.Namespace, settings: Settings) -> ExitStatus:
    """Generate a report with every named model for every named case; finished ones stay as they are."""
    models = tuple(dict.fromkeys(name for names in args.models for name in names))
    choices = _choices(args)
    route = Route(args.route) if args.route else None
    pairings = pair_models(read_catalog(), models, args.input, base_url=choices.base_url, route=route)
    with own_store(settings) as store:
        plan = plan_run(store, pairings, require_case_ids(store, args.cases), choices)
        place = Workplace(store, settings, read_display(), person_of_terminal())
        sendings = sendings_of(plan)
        if args.dry_run:
            return _dry_run(place, plan, sendings, as_json=args.json)
        _allow(place, sendings, args.allow_provider or ())
        checks = check_plan(place, plan)
        note_findings(checks)
        problem = next((one.problem for one in checks if one.problem is not None), None)
        if problem is not None:
            raise GenerationError(f"{problem.message} Nothing was asked.", hint=problem.hint)
        record_start(store, place.person, plan)  # so that the page knows what is missing
        progress = RunProgress(on_wait=_note_wait)
        steps = Progress(
            len(plan.items) + len(plan.there) + len(plan.left_out), time_left=lambda: progress.seconds_left
        )
        outcomes: list[ItemOutcome] = []
        with stop_on_interrupt("\nStopping; answers under way are not waited for.\n") as stop:
            for outcome in run_planned(place, plan, cancelled=stop, progress=progress, checks=checks):
                outcomes.append(outcome)
                if args.json:
                    say(json.dumps(outcome_json(outcome), allow_nan=False))
                steps.step(f"{outcome.case_id} {_name(outcome)}: {_status(outcome)}")
        steps.end()
        return _end(outcomes, stopped=stop.asked, as_json=args.json)


def person_of_terminal() -> Person:
    """Return who works at this terminal: whoever has the files may do what an administrator may."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "command line"
    return Person(name, Role.ADMIN)


def outcome_json(outcome: ItemOutcome) -> dict[str, Any]:
    """Return an outcome as one line of JSON says it."""
    return {
        "case_id": outcome.case_id,
        "model": outcome.model,
        "input": outcome.setting,
        "generation_id": outcome.generation_id,
        "run_id": outcome.run_id,
        "status": _status(outcome),
        "reason": _reason(outcome),
        "already": outcome.already,
        "seconds": outcome.seconds,
        "attempts": outcome.attempts,
        "input_tokens": outcome.usage.input_tokens,
        "output_tokens": outcome.usage.output_tokens,
        "cost": outcome.cost,
    }


def _choices(args: argparse.Namespace) -> RunChoices:
    known = [one.value for one in Behaviour]
    if args.behaviour not in known:
        raise UnknownNameError("behaviour of the scripted model", args.behaviour, known)
    given = {
        "max_new_tokens": args.max_new_tokens,
        "temperature": args.temperature,
        "top_p": args.top_p,
        "top_k": args.top_k,
        "repetition_penalty": args.repetition_penalty,
    }
    options = Options(seed=args.seed, **{name: value for name, value in given.items() if value is not None})
    asking = Asking(Language(args.language), prompt=args.prompt, size_px=args.size, options=options)
    return RunChoices(
        asking=asking,
        base_url=args.base_url or "",
        parallel=args.concurrency,
        time_limit_s=args.time_limit,
        max_cost=args.max_cost,
        again=args.again,
        behaviour=Behaviour(args.behaviour),
        seed=args.seed,
    )


def _allow(place: Workplace, sendings: Sequence[Sending], hosts: Sequence[str]) -> None:
    """Record what the person at the terminal confirms, and refuse what nobody did; then nothing is recorded."""
    unconfirmed = [one for one in sendings if one.host not in hosts]
    require_allowed(place.store, unconfirmed)
    for one in sendings:
        if one.host in hosts:
            allow_provider(place.store, place.person, one)
            note(
                one_line(f"Sending {one.pictures} pictures and {one.requests} prompts of {one.dataset} to {one.host}.")
            )
    for host in sorted(set(hosts) - {one.host for one in sendings}):
        note(one_line(f"Nothing goes to {host} in this run."))


def _dry_run(place: Workplace, plan: RunPlan, sendings: Sequence[Sending], *, as_json: bool) -> ExitStatus:
    allowed = all(one.host in allowed_hosts(place.store, one.dataset) for one in sendings)
    checks = check_plan(place, plan, ask_servers=allowed)
    if as_json:
        for line in checks_json(plan, checks, sendings):
            say(json.dumps(line, allow_nan=False))
    else:
        say_plan(plan, checks, sendings)
    return ExitStatus.NOTHING if any(one.problem is not None for one in checks) else ExitStatus.DONE


def _end(outcomes: Sequence[ItemOutcome], *, stopped: bool, as_json: bool) -> ExitStatus:
    done = [one for one in outcomes if one.is_done]
    failed = [one for one in outcomes if not one.is_done]
    if not as_json:
        say(f"{len(done)} of {len(outcomes)} reports are there.")
    for one in failed:
        note(one_line(f"{one.case_id} {_name(one)}: {_reason(one) or _status(one)}"))
    if stopped:
        note("Stopped. What was finished is kept; run the same command again to go on.")
        return ExitStatus.STOPPED
    return status_of(len(done), len(failed))


def _note_wait(case_id: str, model: str, seconds: float, error: ProviderBusyError) -> None:
    note(one_line(f"{case_id} {model}: {error.message} Trying again in {seconds:.0f} s."))


def _name(outcome: ItemOutcome) -> str:
    return f"{outcome.model} ({outcome.setting})" if outcome.setting in INPUT_SETTINGS else outcome.model


def _status(outcome: ItemOutcome) -> str:
    return NOT_ASKED if outcome.status is None else outcome.status.value


def _reason(outcome: ItemOutcome) -> str:
    return one_line(f"{outcome.reason} {outcome.hint}")
