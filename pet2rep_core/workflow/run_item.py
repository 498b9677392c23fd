"""One report of a run: built, asked for with patience, kept on the disk, stored; whatever happens is said honestly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from pet2rep_core.errors import (
    CancelledError,
    GenerationError,
    InputDataError,
    ModelUnavailableError,
    Pet2RepError,
    ProviderBusyError,
    ProviderRefusedError,
    SettingsError,
)
from pet2rep_core.imaging.display import Display
from pet2rep_core.records import Generation, GenerationStatus, Person
from pet2rep_core.settings import Settings
from pet2rep_core.store import Store, StoredGeneration
from pet2rep_core.store.rows import generation_row, run_row
from pet2rep_core.vlm.answer_status import reason_of_answer
from pet2rep_core.vlm.model_row import ModelRow
from pet2rep_core.vlm.preflight import estimate_price
from pet2rep_core.vlm.request import Adapter, Answer, Finding, Usage
from pet2rep_core.workflow.answer_ledger import AnswerLedger
from pet2rep_core.workflow.build_request import BuiltRequest, build_request
from pet2rep_core.workflow.cost_cap import CostCap
from pet2rep_core.workflow.open_case import open_case
from pet2rep_core.workflow.patience import ask_patiently
from pet2rep_core.workflow.providers import record_sending
from pet2rep_core.workflow.run_plan import ANSWERED, LeftOut, Pairing, PlannedItem, RunPlan, input_setting
from pet2rep_core.workflow.run_progress import RunProgress


class Stopped(Exception):  # noqa: N818 - no error: a person stopped the run
    """The item was not finished and stays missing."""


class CapReachedError(GenerationError):
    """The request could cost more than is left of the cap; it was not sent."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """Where a run works: the store, the settings, how pictures are drawn, who asked for it."""

    store: Store
    settings: Settings
    display: Display
    person: Person


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """How one item ended.

    Parameters
    ----------
    status : GenerationStatus or None
        None where nothing was asked; ``reason`` says why, and ``hint`` what to do.
    already : bool
        Whether it was there before this run, or is a copy of the same request's answer.
    for_all, busy : bool
        Whether every further request would end the same way; whether the server could not be had.
    """

    case_id: str
    model: str
    setting: str
    run_id: str | None
    generation_id: str | None
    status: GenerationStatus | None
    reason: str = ""
    hint: str = ""
    already: bool = False
    seconds: float | None = None
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None
    attempts: int = 0
    for_all: bool = False
    busy: bool = False

    @property
    def is_done(self) -> bool:
        """Tell whether there is a finished report."""
        return self.status is GenerationStatus.DONE

    @staticmethod
    def there(item: PlannedItem, status: GenerationStatus) -> ItemOutcome:
        """Return the outcome of an item that was there before."""
        return _outcome(item, status, already=True)

    @staticmethod
    def not_asked(pairing: Pairing, case_id: str, why: Finding | LeftOut | Pet2RepError) -> ItemOutcome:
        """Return the outcome of an item that could not be asked for."""
        return ItemOutcome(case_id, pairing.row.id, pairing.setting, None, None, None, why.message, why.hint)

    @staticmethod
    def written(item: PlannedItem, made: Generation) -> ItemOutcome:
        """Return the outcome of a report that a built-in model wrote."""
        return _outcome(item, made.status, made.error)

    @staticmethod
    def failed_unstored(item: PlannedItem, error: Pet2RepError) -> ItemOutcome:
        """Return the outcome of an item that failed before anything was asked."""
        return ItemOutcome(
            item.case.case_id,
            item.pairing.row.id,
            item.pairing.setting,
            None,
            None,
            GenerationStatus.FAILED,
            str(error),
        )


def _outcome(item: PlannedItem, status: GenerationStatus, reason: str = "", **more: Any) -> ItemOutcome:
    return ItemOutcome(
        case_id=item.case.case_id,
        model=item.pairing.row.id,
        setting=item.pairing.setting,
        run_id=item.run.run_id,
        generation_id=item.generation_id,
        status=status,
        reason=reason,
        **more,
    )


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
        on_text: Callable[[str], None] | None = None,
        on_try: Callable[[int], None] | None = None,
    ) -> ItemOutcome:
        """Return how the item ended; a failure is stored as one, and never as an answer.

        Raises
        ------
        Stopped
            If a person stopped it, or the cost cap is reached.
        StoreError
            If what came back could not be stored.
        """
        try:
            built = self._build(item)
        except (InputDataError, SettingsError) as error:
            self._progress.less()
            return ItemOutcome.failed_unstored(item, error)
        asked = {"request_sha256": built.request.sha256, "route": item.pairing.route.value}
        same = None if self._plan.choices.again else self._answers.get(_paid(item.pairing.row.id, asked))
        if same is not None:
            self._progress.less()
            return self._copy(item, built, same)
        estimate = (estimate_price(item.pairing.row, built.request) or 0.0) if self._plan.host_of(item.pairing) else 0.0
        if not self._cap.hold(estimate, cancelled):
            if cancelled():
                raise Stopped
            raise CapReachedError(
                f"The cost cap of {self._cap.limit:g} leaves no room for one more request of up to {estimate:.2g}.",
                hint="Raise the cap to go on; what is missing is asked then.",
            )
        return self._asked(adapter, item, built, estimate, cancelled, on_text, on_try)

    def _build(self, item: PlannedItem) -> BuiltRequest:
        case = open_case(self._store, self._place.settings, item.case.case_id)
        pairing = item.pairing
        return build_request(
            case, pairing.row, pairing.route, input_setting(pairing), self._plan.choices.asking, self._place.display
        )

    def _asked(
        self,
        adapter: Adapter,
        item: PlannedItem,
        built: BuiltRequest,
        estimate: float,
        cancelled: Callable[[], bool],
        on_text: Callable[[str], None] | None,
        on_try: Callable[[int], None] | None,
    ) -> ItemOutcome:
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
        return self._record(item, answer, error, started, seconds, detail, cost if host else None, tries)

    def _record(
        self,
        item: PlannedItem,
        answer: Answer | None,
        error: GenerationError | None,
        started: str,
        seconds: float,
        detail: dict[str, Any],
        cost: float | None,
        tries: int,
    ) -> ItemOutcome:
        status = GenerationStatus.FAILED if answer is None else answer.status
        reason = reason_of_answer(answer) if answer is not None else "" if error is None else error.message
        hint = "" if error is None else error.hint
        detail |= {"hint": hint} if hint else {}
        text = "" if answer is None else _storable(answer.text)
        row = self._row(item, status, text, reason, started=started, seconds=seconds, detail=detail)
        if answer is not None:
            self._ledger.keep(run_row(item.run), row)
            with self._lock:
                self._kept += 1
        self._store_row(item, row)
        if answer is not None:
            with self._lock:
                self._stored += 1
        refused = error if isinstance(error, ProviderRefusedError) else None
        return _outcome(
            item,
            status,
            reason,
            hint=hint,
            seconds=seconds,
            usage=Usage() if answer is None else answer.usage,
            cost=cost,
            attempts=tries,
            busy=isinstance(error, ProviderBusyError),
            for_all=isinstance(error, ModelUnavailableError) or (refused is not None and refused.for_all),
        )

    def _copy(self, item: PlannedItem, built: BuiltRequest, same: StoredGeneration) -> ItemOutcome:
        """Store the answer of the same request for this run too; it was paid once."""
        source = same.generation
        told = {name: value for name, value in same.detail.items() if name not in ("cost", "attempts")}
        detail = told | built.detail() | {"copied_from": source.generation_id}
        row = self._row(item, source.status, source.text, source.error, started=None, seconds=None, detail=detail)
        self._store_row(item, row)
        return _outcome(item, source.status, source.error, already=True)

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
        self._store.record_rows("generations", [row])


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
