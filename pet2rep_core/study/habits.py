"""Habits of readers: leniency against the others, drift along the way, and the shift when the reference is shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pet2rep_core.study.estimates import (
    Array,
    Estimate,
    Plan,
    Reason,
    estimate_all,
    missing,
    ratio,
    signature,
    sum_by_patient,
)

DRIFT_ITEMS = 100
"""Drift is said for so many items."""


@dataclass(frozen=True, slots=True)
class PlacedRating:
    """A value with its place in the reader's own list."""

    reader: str
    item: str
    patient: str
    position: float
    value: int


@dataclass(frozen=True, slots=True)
class Habit:
    """How far a reader lies above the others, and how that changes over 100 items of his list."""

    reader: str
    leniency: Estimate
    drift: Estimate


@dataclass(frozen=True, slots=True)
class Change:
    """A value before and after the reference was shown."""

    patient: str
    before: int
    after: int


def measure_habits(ratings: Sequence[PlacedRating], plan: Plan | None = None) -> tuple[Habit, ...]:
    """Return leniency and drift of every reader on one dimension.

    Leniency is the mean over items of the reader's value minus the mean of the others on the same item; drift is the
    slope of that difference over the position in the reader's list, times 100.
    """
    plan = plan or Plan()
    of_item: dict[str, list[PlacedRating]] = defaultdict(list)
    for one in ratings:
        of_item[one.item].append(one)
    apart: dict[str, list[tuple[str, float, float]]] = {one.reader: [] for one in ratings}
    for together in of_item.values():
        total = sum(one.value for one in together)
        for one in together if len(together) > 1 else ():
            others = (total - one.value) / (len(together) - 1)
            apart[one.reader].append((one.patient, one.position, one.value - others))
    alone = Reason.ONE_READER if len(apart) < 2 else Reason.NOT_SHARED
    return tuple(_habit(reader, apart[reader], alone, plan) for reader in sorted(apart))


def measure_shift(changes: Sequence[Change], plan: Plan | None = None) -> dict[str, Estimate]:
    """Return what the reference changed: mean of final minus provisional, and the shares changed, up and down."""
    plan = plan or Plan()
    names = ("mean", "changed", "up", "down")
    signed = {name: signature(f"shift_{name}", plan) for name in names}
    if not changes:
        return {name: missing(Reason.NOTHING, signed[name]) for name in names}
    _, patients = np.unique([one.patient for one in changes], return_inverse=True)
    moves = np.array([one.after - one.before for one in changes], np.float64)
    columns = np.stack([np.ones_like(moves), moves, moves != 0, moves > 0, moves < 0], axis=1)
    table = sum_by_patient(columns, patients.astype(np.intp), int(patients.max()) + 1)

    def statistics(totals: Array) -> dict[str, Array]:
        return {name: ratio(totals[..., at], totals[..., 0]) for at, name in enumerate(names, start=1)}

    return estimate_all(table, statistics, plan, signed, items=len(changes))


def _habit(reader: str, apart: Sequence[tuple[str, float, float]], alone: Reason, plan: Plan) -> Habit:
    signed = {
        "leniency": signature("leniency", plan, against="other-readers"),
        "drift": signature("drift", plan, against="other-readers", per=f"{DRIFT_ITEMS}-items"),
    }
    if not apart:
        return Habit(reader, missing(alone, signed["leniency"]), missing(alone, signed["drift"]))
    _, patients = np.unique([patient for patient, _, _ in apart], return_inverse=True)
    x, y = (np.array([row[at] for row in apart], np.float64) for at in (1, 2))
    x = (x - x.mean()) / DRIFT_ITEMS
    columns = np.stack([np.ones_like(x), x, y, x * x, x * y], axis=1)
    table = sum_by_patient(columns, patients.astype(np.intp), int(patients.max()) + 1)
    found = estimate_all(table, _slope, plan, signed, items=len(apart))
    return Habit(reader, found["leniency"], found["drift"])


def _slope(totals: Array) -> dict[str, Array]:
    n, x, y, xx, xy = (totals[..., at] for at in range(5))
    spread = n * xx - x * x
    spread = np.where(spread > 1e-9 * np.maximum(n * xx, 1e-12), spread, 0.0)
    return {"leniency": ratio(y, n), "drift": ratio(n * xy - x * y, spread)}
