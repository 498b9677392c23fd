"""Habits of readers: leniency against the others, drift along the way, and the shift when the reference is shown."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pet2rep_core.study.estimates import (
    Array,
    Estimate,
    Plan,
    Reason,
    estimate_all,
    interval,
    missing,
    ratio,
    resample,
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
    signed = {
        "leniency": signature("leniency", plan, against="other-readers"),
        "drift": signature("drift", plan, against="other-readers", per=f"{DRIFT_ITEMS}-items"),
    }
    readers = sorted({one.reader for one in ratings})
    column = {reader: at for at, reader in enumerate(readers)}
    of_item: dict[str, list[PlacedRating]] = defaultdict(list)
    for one in ratings:
        of_item[one.item].append(one)
    rows = [
        (one.patient, column[one.reader], one.position, one.value - (total - one.value) / (len(together) - 1))
        for together in of_item.values()
        if len(together) > 1
        for total in (sum(one.value for one in together),)
        for one in together
    ]
    alone = Reason.ONE_READER if len(readers) < 2 else Reason.NOT_SHARED
    if not rows:
        return tuple(
            Habit(reader, missing(alone, signed["leniency"]), missing(alone, signed["drift"])) for reader in readers
        )
    _, patients = np.unique([row[0] for row in rows], return_inverse=True)
    who, x, y = (np.array([row[at] for row in rows], np.float64) for at in (1, 2, 3))
    return _habits(
        readers, who.astype(np.intp), (x - x.mean()) / DRIFT_ITEMS, y, patients.astype(np.intp), alone, signed, plan
    )


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


def _habits(
    readers: Sequence[str],
    who: npt.NDArray[np.intp],
    x: Array,
    y: Array,
    patients: npt.NDArray[np.intp],
    alone: Reason,
    signed: Mapping[str, str],
    plan: Plan,
) -> tuple[Habit, ...]:
    """Return the habits of all readers from the same draws of patients."""
    columns = np.zeros((len(x), len(readers), 5))
    columns[np.arange(len(x)), who] = np.stack([np.ones_like(x), x, y, x * x, x * y], axis=1)
    table = sum_by_patient(columns.reshape(len(x), -1), patients, int(patients.max()) + 1)

    def statistics(totals: Array) -> dict[str, Array]:
        return _slope(totals.reshape(*totals.shape[:-1], len(readers), 5))

    values = statistics(table.sum(axis=0))
    drawn = resample(table, statistics, plan) if len(table) > 1 else {}
    found = []
    for at, reader in enumerate(readers):
        mine = who == at
        items, own = int(mine.sum()), len(np.unique(patients[mine]))
        both = {
            name: interval(
                float(values[name][at]),
                drawn[name][:, at] if drawn else np.empty(0),
                plan,
                said,
                items=items,
                patients=own,
                undefined=Reason.UNDEFINED if items else alone,
            )
            for name, said in signed.items()
        }
        found.append(Habit(reader, both["leniency"], both["drift"]))
    return tuple(found)


def _slope(totals: Array) -> dict[str, Array]:
    n, x, y, xx, xy = (totals[..., at] for at in range(5))
    spread = n * xx - x * x
    spread = np.where(spread > 1e-9 * np.maximum(n * xx, 1e-12), spread, 0.0)
    return {"leniency": ratio(y, n), "drift": ratio(n * xy - x * y, spread)}
