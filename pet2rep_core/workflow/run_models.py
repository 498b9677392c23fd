"""Ask models about many cases: all that is missing, each answer stored as it comes, stopped and resumed at any time.

The one way to generate. Built-in models write at once; the others are asked through their adapters, by as many threads
as the adapter takes requests.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from pet2rep_core.errors import GenerationError, InputDataError, Pet2RepError
from pet2rep_core.records import Generation
from pet2rep_core.vlm.adapters import open_adapter
from pet2rep_core.vlm.model_row import ModelRow
from pet2rep_core.vlm.request import Adapter, Route
from pet2rep_core.workflow.answer_ledger import AnswerLedger, take_in_answers
from pet2rep_core.workflow.cost_cap import CostCap
from pet2rep_core.workflow.generate import generate_report
from pet2rep_core.workflow.permissions import RESEARCH, require
from pet2rep_core.workflow.preflight_run import PairingCheck, check_plan, require_one_currency
from pet2rep_core.workflow.providers import require_allowed, sendings_of
from pet2rep_core.workflow.run_item import CapReachedError, Gate, ItemWorker, NotStarted, Stopped
from pet2rep_core.workflow.run_outcome import ItemOutcome, Workplace
from pet2rep_core.workflow.run_plan import Pairing, PlannedItem, RunPlan
from pet2rep_core.workflow.run_progress import RunProgress

_POLL_S = 0.1
_DOWN = 8
"""So many requests in a row that failed although they were tried again: the server is down."""


class Opener(Protocol):
    """Opens adapters; :func:`~pet2rep_core.vlm.adapters.open_adapter` unless a test gives another."""

    def __call__(
        self, row: ModelRow, route: Route, *, base_url: str, parallel: int | None, time_limit_s: float
    ) -> Adapter:
        """Return the adapter of a model."""
        ...


def run_planned(
    place: Workplace,
    plan: RunPlan,
    *,
    cancelled: Callable[[], bool],
    progress: RunProgress | None = None,
    checks: Sequence[PairingCheck] | None = None,
    opener: Opener = open_adapter,
) -> Iterator[ItemOutcome]:
    """Ask for everything in a plan and yield each item as it ends; what was there already comes first.

    Parameters
    ----------
    cancelled : callable
        Asked often. Where it says so, requests under way end within a second or two and stay missing.
    progress : RunProgress, optional
        Told how the run stands.
    checks : sequence of PairingCheck, optional
        What :func:`~pet2rep_core.workflow.preflight_run.check_plan` found; it is done here where left out. A pairing
        with an error is not asked: its items come back with the reason.

    Raises
    ------
    PermissionDeniedError
        If the person may not generate, or something would leave this machine that nobody has allowed.
    SettingsError
        If a cost cap cannot hold, because a model has no price.
    StoreError
        If an answer could not be stored; it is kept on the disk and taken in at the next start.
    """
    require(place.person, RESEARCH)
    require_allowed(place.store, sendings_of(plan))
    require_one_currency(plan)
    take_in_answers(place.store, place.settings)
    progress = progress or RunProgress()
    for item, status in plan.there:
        yield ItemOutcome.there(item, status)
    for out in plan.left_out:
        yield ItemOutcome.not_asked(out.pairing, out.case_id, out)
    if not plan.items:
        return
    if checks is None:
        progress.enter("checking")
        checks = check_plan(place, plan, opener=opener)
    broken = {check.pairing.key: check.problem for check in checks if check.problem is not None}
    progress.expect(sum(not one.pairing.is_built_in and one.pairing.key not in broken for one in plan.items))
    cap = CostCap(plan.choices.max_cost)
    ledger = AnswerLedger(place.settings)
    clean = False
    try:
        worker = ItemWorker(place, plan, ledger, cap, progress)
        for pairing in plan.pairings:
            items = plan.of(pairing)
            if not items or cancelled():
                continue
            problem = broken.get(pairing.key)
            if problem is not None:
                yield from (ItemOutcome.not_asked(pairing, one.case.case_id, problem) for one in items)
            elif pairing.is_built_in:
                yield from _write_built_in(place, plan, items, cancelled)
            else:
                yield from _ask_pairing(worker, plan, pairing, items, cancelled, progress, opener)
        clean = True
    finally:
        progress.enter("")
        ledger.close(all_stored=clean or worker.all_stored)


def generate_one(
    place: Workplace,
    plan: RunPlan,
    *,
    cancelled: Callable[[], bool],
    on_text: Callable[[str], None] | None = None,
    on_try: Callable[[int], None] | None = None,
    progress: RunProgress | None = None,
    opener: Opener = open_adapter,
) -> ItemOutcome:
    """Ask one model about one case, with the text as it comes.

    Parameters
    ----------
    plan : RunPlan
        With one item, or with none where the report is there already.
    on_text : callable, optional
        Gets each piece of text, in the calling thread.
    on_try : callable, optional
        Called before each attempt; pieces of an earlier one are void then.

    Raises
    ------
    GenerationError
        If preflight found an error, or it was stopped.
    Pet2RepError
        As :func:`run_planned`.
    """
    require(place.person, RESEARCH)
    require_allowed(place.store, sendings_of(plan))
    require_one_currency(plan)
    take_in_answers(place.store, place.settings)
    if plan.left_out:
        raise GenerationError(plan.left_out[0].message, hint="Choose another input, or another case.")
    if plan.there:
        return ItemOutcome.there(*plan.there[0])
    [item] = plan.items
    if item.pairing.is_built_in:
        [outcome] = _write_built_in(place, plan, [item], cancelled)
        return outcome
    progress = progress or RunProgress()
    progress.enter("checking", item.pairing.row.id)
    [check] = check_plan(place, plan, opener=opener)
    if check.problem is not None:
        raise GenerationError(check.problem.message, hint=check.problem.hint)
    ledger = AnswerLedger(place.settings)
    cap = CostCap(plan.choices.max_cost)
    worker = ItemWorker(place, plan, ledger, cap, progress)
    adapter = _open(plan, item.pairing, opener)
    try:
        progress.enter("asking", item.pairing.row.id)
        progress.expect(1)
        return worker.work(adapter, item, cancelled, on_text=on_text, on_try=on_try)
    finally:
        progress.enter("")
        adapter.close()
        ledger.close(all_stored=worker.all_stored)


def _open(plan: RunPlan, pairing: Pairing, opener: Opener) -> Adapter:
    choices = plan.choices
    return opener(
        pairing.row,
        pairing.route,
        base_url=choices.base_url,
        parallel=choices.parallel,
        time_limit_s=choices.time_limit_s,
    )


def _write_built_in(
    place: Workplace, plan: RunPlan, items: Sequence[PlannedItem], cancelled: Callable[[], bool]
) -> Iterator[ItemOutcome]:
    choices = plan.choices
    for item in items:
        if cancelled():
            return
        try:
            made: Generation = generate_report(
                place.store,
                item.case.case_id,
                item.pairing.row.id,
                choices.asking.language,
                behaviour=choices.behaviour,
                seed=choices.seed,
                person=place.person,
            )
        except (GenerationError, InputDataError) as error:
            yield ItemOutcome.failed_unstored(item, error)
            continue
        yield ItemOutcome.written(item, made)


def _ask_pairing(
    worker: ItemWorker,
    plan: RunPlan,
    pairing: Pairing,
    items: Sequence[PlannedItem],
    cancelled: Callable[[], bool],
    progress: RunProgress,
    opener: Opener,
) -> Iterator[ItemOutcome]:
    try:
        adapter = _open(plan, pairing, opener)
    except Pet2RepError as error:
        why = error
        progress.less(len(items))
        yield from (ItemOutcome.not_asked(pairing, item.case.case_id, why) for item in items)
        return
    progress.enter("asking", pairing.row.id)
    crew = _Crew(worker, adapter, items, cancelled)
    try:
        yield from crew.outcomes()
    finally:
        crew.dismiss()
        adapter.close()
    left = crew.not_asked
    progress.less(len(left))
    reason = crew.reason
    if reason is not None:
        yield from (ItemOutcome.not_asked(pairing, item.case.case_id, reason) for item in left)


class _Crew:
    """The threads that ask one model; they stop at a wish, at an error of the store, or where asking on is no use."""

    def __init__(
        self, worker: ItemWorker, adapter: Adapter, items: Sequence[PlannedItem], cancelled: Callable[[], bool]
    ) -> None:
        self.reason: Pet2RepError | None = None
        """Why the rest was not asked; None where it was, or where a person stopped it."""
        self._worker = worker
        self._adapter = adapter
        self._cancelled = cancelled
        self._ended = threading.Event()
        self._waiting = list(reversed(items))
        self._down = 0
        self._lock = threading.Lock()
        self._results: queue.SimpleQueue[ItemOutcome | BaseException | None] = queue.SimpleQueue()
        self._gate = Gate(max(1, adapter.parallel))
        # twice as many as the server takes: while some wait for answers, others build requests and store what came
        count = max(1, min(2 * adapter.parallel, len(items)))
        self._threads = [threading.Thread(target=self._work, name=f"ask {n}", daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    @property
    def not_asked(self) -> list[PlannedItem]:
        """Items that nobody took."""
        return sorted(self._waiting, key=lambda item: item.case.case_id)

    def outcomes(self) -> Iterator[ItemOutcome]:
        """Yield outcomes until every thread has ended."""
        left = len(self._threads)
        while left:
            result = self._results.get()
            if result is None:
                left -= 1
            elif isinstance(result, BaseException):
                self._ended.set()
                raise result
            else:
                yield result

    def dismiss(self) -> None:
        """End the threads, and wait for them."""
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _stop(self) -> bool:
        return self._ended.is_set() or self._cancelled()

    def _work(self) -> None:
        try:
            while not self._stop() and self.reason is None:
                with self._lock:
                    if not self._waiting:
                        break
                    item = self._waiting.pop()
                try:
                    outcome = self._worker.work(self._adapter, item, self._stop, gate=self._gate)
                except Stopped:
                    break
                except NotStarted:
                    self._give_back(item, None)
                    break
                except CapReachedError as error:
                    self._give_back(item, error)
                    break
                self._judge(outcome)
                self._results.put(outcome)
        except BaseException as error:  # raised again in the thread that waits for the outcomes
            self._results.put(error)
        finally:
            self._results.put(None)

    def _judge(self, outcome: ItemOutcome) -> None:
        """Stop asking where every further request would end the same way."""
        with self._lock:
            self._down = self._down + 1 if outcome.busy else 0
            if outcome.for_all or self._down >= max(_DOWN, 2 * self._adapter.parallel):
                self.reason = self.reason or GenerationError(outcome.reason, hint=outcome.hint)
                self._gate.shut()

    def _give_back(self, item: PlannedItem, reason: Pet2RepError | None) -> None:
        with self._lock:
            self._waiting.append(item)
            self.reason = self.reason or reason
            self._gate.shut()
