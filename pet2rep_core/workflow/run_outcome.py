"""What a run works with, and how each of its items ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pet2rep_core.errors import Pet2RepError
from pet2rep_core.imaging.display import Display
from pet2rep_core.records import Generation, GenerationStatus, Person
from pet2rep_core.settings import Settings
from pet2rep_core.store import Store
from pet2rep_core.vlm.request import Finding, Usage
from pet2rep_core.workflow.run_plan import LeftOut, Pairing, PlannedItem


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
        return outcome_of(item, status, already=True)

    @staticmethod
    def not_asked(pairing: Pairing, case_id: str, why: Finding | LeftOut | Pet2RepError) -> ItemOutcome:
        """Return the outcome of an item that could not be asked for."""
        return ItemOutcome(case_id, pairing.row.id, pairing.setting, None, None, None, why.message, why.hint)

    @staticmethod
    def written(item: PlannedItem, made: Generation) -> ItemOutcome:
        """Return the outcome of a report that a built-in model wrote."""
        return outcome_of(item, made.status, made.error)

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


def outcome_of(item: PlannedItem, status: GenerationStatus, reason: str = "", **more: Any) -> ItemOutcome:
    """Return the outcome of an item that has a generation."""
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
