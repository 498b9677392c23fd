"""One report of a run: built, asked for with patience, kept on the disk, stored; whatever happens is said honestly."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from pet2rep_core.errors import (
    CancelledError,
    GenerationError,
    InputDataError,
    ModelUnavailableError,
    ProviderBusyError,
    ProviderRefusedError,
    SettingsError,
)
from pet2rep_core.records import Generation, GenerationStatus
from pet2rep_core.store import StoredGeneration
from pet2rep_core.store.rows import generation_row, run_row
from pet2rep_core.vlm.answer_status import reason_of_answer
from pet2rep_core.vlm.model_row import ModelRow
from pet2rep_core.vlm.preflight import estimate_price
from pet2rep_core.vlm.request import Adapter, Answer, Usage
from pet2rep_core.workflow.answer_ledger import AnswerLedger
from pet2rep_core.workflow.build_request import BuiltRequest, build_request
from pet2rep_core.workflow.cost_cap import CostCap
from pet2rep_core.workflow.open_case import open_for_models
from pet2rep_core.workflow.patience import ask_patiently
from pet2rep_core.workflow.providers import record_sending
from pet2rep_core.workflow.row_writer import RowWriter
from pet2rep_core.workflow.run_outcome import ItemOutcome, Workplace, outcome_of
from pet2rep_core.workflow.run_plan import ANSWERED, PlannedItem, RunPlan, input_setting
from pet2rep_core.workflow.run_progress import RunProgress

_POLL_S = 0.1
_BUILDERS = 3
"""Requests that are built at once: more would only keep the thread of the network waiting."""


class Stopped(Exception):  # noqa: N818 - no error: a person stopped the run
    """The item was not finished and stays missing."""


class NotStarted(Exception):  # noqa: N818 - no error either: asking on is no use
    """The item was built and not asked."""


class CapReachedError(GenerationError):
    """The request could cost more than is left of the cap; it was not sent."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What became of one request."""

    answer: Answer | None
    error: GenerationError | None
    started: str
    seconds: float
    detail: dict[str, Any]
    cost: float | None
    tries: int

    @property
    def for_all(self) -> bool:
        """Tell whether every further request of this model would end the same way."""
        refused = self.error if isinstance(self.error, ProviderRefusedError) else None
        return isinstance(self.error, ModelUnavailableError) or (refused is not None and refused.for_all)


class Gate:
    """Lets as many requests out at once as a server takes, and none once it is shut."""

    def __init__(self, places: int) -> None:
        self._places = threading.Semaphore(places)
        self._shut = threading.Event()

    def shut(self) -> None:
        """Let nobody out any more; those that are out come back."""
        self._shut.set()

    @contextlib.contextmanager
    def passed(self, cancelled: Callable[[], bool]) -> Iterator[None]:
        """Wait for a place, and hold it."""
        while not self._places.acquire(timeout=_POLL_S):
            if cancelled():
                raise Stopped
        try:
            if cancelled():
                raise Stopped
            if self._shut.is_set():
                raise NotStarted
            yield
        finally:
            self._places.release()


class ItemWorker:
    """Works on items of one plan, from any number of threads."""

    def __init__(
        self,
        place: Workplace,
        plan: RunPlan,
        ledger: AnswerLedger,
        cap: CostCap,
        progress: RunProgress,
    ) -> None:
        self._place = place
        self._store = place.store
        self._plan = plan
        self._ledger = ledger
        self._cap = cap
        self._progress = progress
        self._lock = threading.Lock()
        self._runs: set[str] = set()
        self._writer = RowWriter(place.store)
        self._builders = threading.Semaphore(_BUILDERS)
        self._kept = self._stored = 0
        models = {one.row.id for one in plan.pairings}
        self._answers = {
            _paid(one.generation.model, one.detail): one
            for one in place.store.generations()
            if one.generation.model in models and one.generation.status in ANSWERED
        }

    @property
    def all_stored(self) -> bool:
        """Tell whether every answer that was kept on the disk is in the store."""
        return self._kept == self._stored

    def work(
        self,
        adapter: Adapter,
        item: PlannedItem,
        cancelled: Callable[[], bool],
        *,
        gate: Gate | None = None,
        on_text: Callable[[str], None] | None = None,
        on_try: Callable[[int], None] | None = None,
    ) -> ItemOutcome:
        """Return how the item ended; a failure is stored as one, and never as an answer.

        Parameters
        ----------
        gate : Gate, optional
            Passed with the request built, and left as soon as its answer is there.

        Raises
        ------
        Stopped
            If a person stopped it.
        NotStarted
            If the gate was shut.
        CapReachedError
            If the request could cost more than is left.
        StoreError
            If what came back could not be stored.
        """
        try:
            with self._builders:
                if cancelled():
                    raise Stopped
                built = self._build(item)
        except (InputDataError, SettingsError) as error:
            self._progress.less()
            return ItemOutcome.failed_unstored(item, error)
        asked = {"request_sha256": built.request.sha256, "route": item.pairing.route.value}
        same = None if self._plan.choices.again else self._answers.get(_paid(item.pairing.row.id, asked))
        if same is not None:
            self._progress.less()
            return self._copy(item, built, same)
        with gate.passed(cancelled) if gate is not None else contextlib.nullcontext():
            asked_for = self._ask(adapter, item, built, cancelled, on_text, on_try)
            if gate is not None and asked_for.for_all:
                gate.shut()
        return self._record(item, asked_for)

    def _ask(
        self,
        adapter: Adapter,
        item: PlannedItem,
        built: BuiltRequest,
        cancelled: Callable[[], bool],
        on_text: Callable[[str], None] | None,
        on_try: Callable[[int], None] | None,
    ) -> _Asked:
        estimate = (estimate_price(item.pairing.row, built.request) or 0.0) if self._plan.host_of(item.pairing) else 0.0
        if not self._cap.hold(estimate, cancelled):
            if cancelled():
                raise Stopped
            raise CapReachedError(
                f"The cost cap of {self._cap.limit:g} leaves no room for one more request of up to {estimate:.2g}.",
                hint="Raise the cap to go on; what is missing is asked then.",
            )
        return self._held(adapter, item, built, estimate, cancelled, on_text, on_try)

    def _build(self, item: PlannedItem) -> BuiltRequest:
        case = open_for_models(self._place.settings, item.case)
        pairing = item.pairing
        return build_request(
            case, pairing.row, pairing.route, input_setting(pairing), self._plan.choices.asking, self._place.display
        )

    def _held(
        self,
        adapter: Adapter,
        item: PlannedItem,
        built: BuiltRequest,
        estimate: float,
        cancelled: Callable[[], bool],
        on_text: Callable[[str], None] | None,
        on_try: Callable[[int], None] | None,
    ) -> _Asked:
        host, case_id, model = self._plan.host_of(item.pairing), item.case.case_id, item.pairing.row.id
        tries = 0

        def each_try(number: int) -> None:
            nonlocal tries
            tries = number
            self._progress.wait_over(case_id, model)
            if host:
                record_sending(self._store, self._place.person, item, host, built.request)
            if on_try is not None:
                on_try(number)

        started, clock = datetime.now(UTC).isoformat(timespec="microseconds"), time.perf_counter()
        self._progress.start_one()
        answer: Answer | None = None
        error: GenerationError | None = None
        cost = 0.0
        try:
            answer, tries = ask_patiently(
                adapter,
                built.request,
                patience=self._plan.choices.patience,
                cancelled=cancelled,
                on_text=on_text,
                on_try=each_try,
                on_wait=lambda seconds, why: self._progress.wait(case_id, model, seconds, why),
            )
            cost = _cost(item.pairing.row, answer.usage, estimate)
        except CancelledError as stopped:
            cost = estimate if host and tries else 0.0  # nobody says what a stopped request costs
            raise Stopped from stopped
        except GenerationError as failure:
            error = failure
            # what got lost on its way may have been written and billed
            cost = estimate if isinstance(failure, ProviderBusyError) and host else 0.0
        finally:
            self._progress.wait_over(case_id, model)
            self._progress.end_one(answered=answer is not None or error is not None)
            self._cap.settle(estimate, cost)
            self._progress.spent = self._cap.spent
        seconds = time.perf_counter() - clock
        detail = built.detail() | {"route": item.pairing.route.value, "attempts": tries} | _told(answer)
        if item.pairing.row.prices is not None and host:
            detail["cost"] = {"amount": cost, "currency": item.pairing.row.prices.currency}
        return _Asked(answer, error, started, seconds, detail, cost if host else None, tries)

    def _record(self, item: PlannedItem, asked: _Asked) -> ItemOutcome:
        answer, error, detail = asked.answer, asked.error, asked.detail
        status = GenerationStatus.FAILED if answer is None else answer.status
        reason = reason_of_answer(answer) if answer is not None else "" if error is None else error.message
        hint = "" if error is None else error.hint
        detail |= {"hint": hint} if hint else {}
        text = "" if answer is None else _storable(answer.text)
        row = self._row(item, status, text, reason, started=asked.started, seconds=asked.seconds, detail=detail)
        if answer is not None:
            self._ledger.keep(run_row(item.run), row)
            with self._lock:
                self._kept += 1
        self._store_row(item, row)
        if answer is not None:
            with self._lock:
                self._stored += 1
        return outcome_of(
            item,
            status,
            reason,
            hint=hint,
            seconds=asked.seconds,
            usage=Usage() if answer is None else answer.usage,
            cost=asked.cost,
            attempts=asked.tries,
            busy=isinstance(error, ProviderBusyError),
            for_all=asked.for_all,
        )

    def _copy(self, item: PlannedItem, built: BuiltRequest, same: StoredGeneration) -> ItemOutcome:
        """Store the answer of the same request for this run too; it was paid once."""
        source = same.generation
        told = {name: value for name, value in same.detail.items() if name not in ("cost", "attempts")}
        detail = told | built.detail() | {"copied_from": source.generation_id}
        row = self._row(item, source.status, source.text, source.error, started=None, seconds=None, detail=detail)
        self._store_row(item, row)
        return outcome_of(item, source.status, source.error, already=True)

    def _row(
        self,
        item: PlannedItem,
        status: GenerationStatus,
        text: str,
        error: str,
        *,
        started: str | None,
        seconds: float | None,
        detail: dict[str, Any],
    ) -> dict[str, Any]:
        generation = Generation(
            generation_id=item.generation_id,
            run_id=item.run.run_id,
            case_id=item.case.case_id,
            model=item.pairing.row.id,
            language=item.run.language,
            status=status,
            text=text,
            error=error,
        )
        return generation_row(generation, started_at=started, duration_s=seconds, detail=detail)

    def _store_row(self, item: PlannedItem, row: dict[str, Any]) -> None:
        with self._lock:
            if item.run.run_id not in self._runs:
                self._store.record_run(item.run)
                self._runs.add(item.run.run_id)
        self._writer.write(row)


def _paid(model: str, detail: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return what tells that a request was answered before: the model, the route and all that went out."""
    return model, str(detail.get("route")), str(detail.get("request_sha256"))


def _told(answer: Answer | None) -> dict[str, Any]:
    """Return what an answer says of itself, for the record."""
    if answer is None:
        return {}
    return {
        "finish_reason": answer.finish_reason,
        "usage": asdict(answer.usage),
        "options_sent": dict(answer.sent),
        "model_returned": answer.model,
        "engine": dict(answer.engine),
        "request_id": answer.request_id,
    }


def _cost(row: ModelRow, usage: Usage, estimate: float) -> float:
    """Return what an answer cost by its usage; the estimate, which is the most, where it tells none."""
    if row.prices is None:
        return 0.0
    if usage.input_tokens is None or usage.output_tokens is None:
        return estimate
    return (usage.input_tokens * row.prices.input + usage.output_tokens * row.prices.output) / 1e6


def _storable(text: str) -> str:
    """Return a text that every database can hold: halves of characters and NULs become the replacement mark."""
    return text.encode("utf-8", errors="replace").decode("utf-8").replace("\x00", "\ufffd")
