"""Which reports were asked for, run by run, and what of it is missing: so that any run goes on with one click.

The store keeps a run with its answers. What a run was meant to hold stands in the audit log, since an item that was
never asked leaves no row.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pet2rep_core.errors import Pet2RepError, SettingsError
from pet2rep_core.records import GenerationStatus, Person
from pet2rep_core.store import RunRow, Store, StoredEvent
from pet2rep_core.vlm.catalog import Catalog
from pet2rep_core.vlm.request import Options, Route
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow.build_request import OWN_PROMPT, Asking
from pet2rep_core.workflow.generate import TEXT_ONLY
from pet2rep_core.workflow.run_plan import ANSWERED, Pairing, RunChoices, RunPlan, plan_run

STARTED = "generate.start"
NOT_SENT = Options(temperature=None, top_p=None, top_k=None, repetition_penalty=None, seed=None)
"""Options of which none is set; a run keeps those that were."""


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """One run as it stands.

    Parameters
    ----------
    counts : mapping of GenerationStatus to int
        Its newest attempts by how they ended.
    missing : tuple of str
        Cases that it was asked for and that have no answer: never asked, stopped or failed.
    last_at : str
        When it last got an answer, or was last started.
    started : StoredEvent or None
        How it was last started; None for runs that no page started.
    """

    run: RunRow
    counts: Mapping[GenerationStatus, int]
    missing: tuple[str, ...]
    last_at: str
    started: StoredEvent | None

    @property
    def can_go_on(self) -> bool:
        """Tell whether the program itself asked; finished outputs that were imported have nothing to go on with."""
        return self.run.input_setting == TEXT_ONLY or self.run.parameters.get("route") in (
            Route.TRANSFORMERS.value, Route.OPENAI.value, Route.ANTHROPIC.value,
        )  # fmt: skip


def record_start(store: Store, person: Person, plan: RunPlan) -> None:
    """Keep what a plan is meant to hold, run by run, and how it is asked."""
    runs: dict[str, RunRow] = {}
    cases: dict[str, list[str]] = defaultdict(list)
    for item in (*plan.items, *(item for item, _ in plan.there)):
        runs[item.run.run_id] = item.run
        cases[item.run.run_id].append(item.case.case_id)
    choices = plan.choices
    for run_id, run in runs.items():
        detail = {
            "cases": cases[run_id],
            "model": run.model,
            "base_url": choices.base_url,
            "parallel": choices.parallel,
            "time_limit_s": choices.time_limit_s,
            "max_cost": choices.max_cost,
            "prompt": choices.asking.prompt,
        }
        store.record_run(run)
        store.record_event(person.name, STARTED, "run", run_id, detail)


def earlier_runs(store: Store) -> list[EarlierRun]:
    """Return every run, the one that was last at work first."""
    events: dict[str, list[StoredEvent]] = defaultdict(list)
    for event in store.events((STARTED,)):
        events[event.object_id].append(event)
    status: dict[str, dict[str, GenerationStatus]] = defaultdict(dict)
    last: dict[str, str] = {}
    for one in store.generations():
        run_id = one.generation.run_id
        status[run_id][one.generation.case_id] = one.generation.status
        last[run_id] = max(last.get(run_id, ""), one.created_at)
    there = {row.case_id for row in store.cases()}
    found = [_earlier(run, events.get(run.run_id, []), status[run.run_id], last, there) for run in store.runs()]
    return sorted(found, key=lambda one: one.last_at, reverse=True)


def _earlier(
    run: RunRow,
    events: list[StoredEvent],
    status: Mapping[str, GenerationStatus],
    last: Mapping[str, str],
    there: set[str],
) -> EarlierRun:
    wanted = dict.fromkeys(status)
    for event in events:
        wanted |= dict.fromkeys(str(case_id) for case_id in event.detail.get("cases", ()))
    missing = tuple(
        case_id
        for case_id in wanted
        if case_id in there and status.get(case_id, GenerationStatus.FAILED) not in ANSWERED
    )
    started = events[-1] if events else None
    moments = (last.get(run.run_id, ""), "" if started is None else started.created_at, run.created_at or "")
    return EarlierRun(run, Counter(status.values()), missing, max(moments), started)


def plan_to_go_on(store: Store, catalog: Catalog, earlier: EarlierRun) -> RunPlan:
    """Return the plan that asks for what a run lacks, exactly as it was asked before.

    Raises
    ------
    SettingsError
        If the same run can not be had any more: its model, its prompt or its options are others by now.
    UnknownNameError
        If its model is not in the catalog any more.
    """
    run, detail = earlier.run, {} if earlier.started is None else earlier.started.detail
    row = catalog.row(run.model)
    built_in = run.input_setting == TEXT_ONLY
    route = Route.BUILT_IN if built_in else Route(str(run.parameters.get("route")))
    if route not in row.routes:
        raise SettingsError(
            f"The model {run.model!r} is not asked by the route {route.value!r} any more.",
            hint="Start a new run with it.",
        )
    problem: Pet2RepError | None = None
    for prompt in dict.fromkeys((str(detail.get("prompt", OWN_PROMPT)), OWN_PROMPT, _prompt_name(run))):
        try:
            choices = _choices(run, detail, prompt)
            plan = plan_run(store, [Pairing(row, route, run.input_setting)], earlier.missing, choices)
        except Pet2RepError as error:
            problem = problem or error
            continue
        if all(item.run.run_id == run.run_id for item in plan.items):
            return plan
    raise problem or SettingsError(
        f"The run {run.run_id} cannot go on: its prompt, its options or its model have changed since.",
        hint="Start a new run; the reports of this one stay.",
    )


def _prompt_name(run: RunRow) -> str:
    return str(run.parameters.get("prompt", OWN_PROMPT))


def _choices(run: RunRow, detail: Mapping[str, Any], prompt: str) -> RunChoices:
    sent: dict[str, Any] = dict(run.parameters.get("options", {}))
    return RunChoices(
        asking=Asking(run.language, prompt, run.parameters.get("size_px"), replace(NOT_SENT, **sent)),
        base_url=str(detail.get("base_url", "")),
        parallel=detail.get("parallel"),
        time_limit_s=float(detail.get("time_limit_s", 600.0)),
        max_cost=detail.get("max_cost"),
        behaviour=Behaviour(run.parameters.get("behaviour", Behaviour.MIXED)),
        seed=run.seed or 0,
    )
