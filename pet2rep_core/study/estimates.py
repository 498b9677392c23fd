"""Numbers of the reader study with intervals over patients, or the reason why there is none.

All outputs of a patient are drawn together (cluster bootstrap). A statistic here is a function of column totals, so
that drawing patients again is one product of a matrix of weights with a table that has one row a patient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
Statistics: TypeAlias = Callable[[Array], Mapping[str, Array]]
"""Totals of the columns, (…, columns), to every statistic by its name, (…) each; NaN where it is undefined."""

RESAMPLES = 2_000
LEVEL = 0.95
SEED = 2026
FEW_PATIENTS = 20
"""Below so many patients a bootstrap interval is rough, and mostly too narrow."""
_BATCH_CELLS = 4_000_000
_VERSION = 1


class Reason(StrEnum):
    """Why a number or its interval is not there."""

    NOTHING = "nothing"
    ONE_READER = "one_reader"
    NOT_SHARED = "not_shared"
    ONE_ITEM = "one_item"
    NOT_COMPLETE = "not_complete"
    NO_VARIATION = "no_variation"
    UNDEFINED = "undefined"
    ONE_PATIENT = "one_patient"
    MOSTLY_UNDEFINED = "mostly_undefined"
    NO_REPEATS = "no_repeats"
    NO_PAIRS = "no_pairs"


SENTENCES: dict[Reason, str] = {
    Reason.NOTHING: "There is no rating.",
    Reason.ONE_READER: "Only one reader rated.",
    Reason.NOT_SHARED: "No item was rated by two readers.",
    Reason.ONE_ITEM: "Only one item was rated by two readers.",
    Reason.NOT_COMPLETE: "Fewer than two items were rated by every reader.",
    Reason.NO_VARIATION: "All values are the same, so agreement beyond chance is undefined.",
    Reason.UNDEFINED: "The statistic is undefined on these values.",
    Reason.ONE_PATIENT: "There is only one patient, so there is no interval over patients.",
    Reason.MOSTLY_UNDEFINED: "The statistic is undefined in most resamples, so there is no interval.",
    Reason.NO_REPEATS: "No item was rated twice by the same reader.",
    Reason.NO_PAIRS: "No patient has two outputs that were rated differently.",
}
"""What each reason says; the interface says it in the language of the page."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How intervals are made: the same plan and the same ratings give the same numbers."""

    seed: int = SEED
    resamples: int = RESAMPLES
    level: float = LEVEL

    def __post_init__(self) -> None:
        """Refuse a plan that makes no interval."""
        if self.resamples < 1 or not 0 < self.level < 1 or self.seed < 0:
            raise ValueError(f"A plan needs resamples, a level between 0 and 1 and a seed from 0 up, not {self}.")

    @property
    def tail(self) -> float:
        """Share of the resamples below the lower end."""
        return (1 - self.level) / 2


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its percentile bootstrap interval over patients.

    ``why`` says why there is no value or, where there is one, no interval. ``items`` is how many rated items it
    rests on, ``undefined`` in how many resamples it had no value; these are left out of the ends. Where that is most of
    them, there is no interval.
    """

    value: float | None
    low: float | None
    high: float | None
    items: int
    patients: int
    signature: str
    undefined: int = 0
    why: Reason | None = None

    @property
    def reason(self) -> str:
        """What is missing, in one sentence; empty where nothing is."""
        return SENTENCES[self.why] if self.why else ""


def signature(name: str, plan: Plan, **parts: str) -> str:
    """Return how a number was made, such as ``gwet_ac2|boot:patient|n:2000|seed:2026|weights:quadratic|v:1``."""
    said = {
        **parts, "boot": "patient", "interval": "percentile", "level": f"{plan.level:g}", "n": str(plan.resamples),
        "seed": str(plan.seed),
    }  # fmt: skip
    return "|".join([name, *(f"{key}:{said[key]}" for key in sorted(said)), f"v:{_VERSION}"])


def missing(why: Reason, signed: str, *, items: int = 0, patients: int = 0) -> Estimate:
    """Return an estimate that could not be made."""
    return Estimate(None, None, None, items, patients, signed, why=why)


def sum_by_patient(columns: Array, patients: npt.NDArray[np.intp], count: int) -> Array:
    """Return the sums of the rows of each patient.

    Parameters
    ----------
    columns : (items, columns) array
    patients : (items,) array of int
        Number of the patient of each row, from 0 up to ``count``.
    """
    order = np.argsort(patients, kind="stable")
    present, starts = np.unique(patients[order], return_index=True)
    total = np.zeros((count, columns.shape[1]))
    if len(present):
        total[present] = np.add.reduceat(columns[order], starts, axis=0)
    return total


def draw_weights(patients: int, plan: Plan, cells: int = _BATCH_CELLS) -> Iterator[Array]:
    """Yield how often each patient is drawn, (resamples, patients), some resamples at a time.

    They are the same whatever ``cells``, the size of a piece. Those of a study of usual size are kept: all its
    statistics rest on the same draws, and drawing takes longer than most of them.
    """
    size = max(1, cells // max(1, patients))
    if plan.resamples * patients <= _BATCH_CELLS:
        kept = _kept_weights(patients, plan)
        yield from (kept[start : start + size] for start in range(0, plan.resamples, size))
        return
    rng = np.random.default_rng(plan.seed)
    for start in range(0, plan.resamples, size):
        yield _drawn(rng, min(size, plan.resamples - start), patients)


@lru_cache(maxsize=2)
def _kept_weights(patients: int, plan: Plan) -> Array:
    weights = _drawn(np.random.default_rng(plan.seed), plan.resamples, patients)
    weights.flags.writeable = False
    return weights


def _drawn(rng: np.random.Generator, resamples: int, patients: int) -> Array:
    drawn = rng.integers(0, patients, (resamples, patients)) + patients * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * patients).reshape(resamples, patients).astype(np.float64)


def resample(table: Array, statistics: Statistics, plan: Plan) -> dict[str, Array]:
    """Return every statistic of the resampled patients, (resamples,) or (resamples, …) each.

    Parameters
    ----------
    table : (patients, columns) array
        Per-patient numbers whose totals make the statistics.
    """
    cells = min(_BATCH_CELLS, max(1, _BATCH_CELLS // max(1, table.shape[1])) * max(1, len(table)))
    parts = [statistics(weights @ table) for weights in draw_weights(len(table), plan, cells)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def interval(
    value: float, drawn: Array, plan: Plan, signed: str, *, items: int, patients: int, undefined: Reason | None = None
) -> Estimate:
    """Return a value with the percentile ends of its resamples.

    Parameters
    ----------
    value : float
        NaN where the statistic is undefined; ``undefined`` then says why.
    drawn : (resamples,) array
        NaN where a resample has no value. Not looked at where there are fewer than two patients.
    """
    if not np.isfinite(value):
        return missing(undefined or Reason.UNDEFINED, signed, items=items, patients=patients)
    known = drawn[np.isfinite(drawn)] if patients > 1 else drawn[:0]
    if patients < 2 or not len(known) or 2 * len(known) < len(drawn):
        why = Reason.ONE_PATIENT if patients < 2 or not len(drawn) else Reason.MOSTLY_UNDEFINED
        return Estimate(
            float(value), None, None, items, patients, signed, len(drawn) - len(known) if patients > 1 else 0, why
        )
    low, high = (float(end) for end in np.quantile(known, (plan.tail, 1 - plan.tail)))
    return Estimate(float(value), low, high, items, patients, signed, len(drawn) - len(known))


def estimate_all(
    table: Array,
    statistics: Statistics,
    plan: Plan,
    signatures: Mapping[str, str],
    *,
    items: int,
    patients: int | None = None,
    undefined: Reason | None = None,
) -> dict[str, Estimate]:
    """Return every signed statistic of a table of patients with its interval.

    ``patients`` says how many rows of the table hold anything, where not all do.
    """
    patients = len(table) if patients is None else patients
    values = statistics(table.sum(axis=0))
    drawn = resample(table, statistics, plan) if patients > 1 else {}
    return {
        name: interval(
            float(values[name]),
            drawn.get(name, np.empty(0)),
            plan,
            signed,
            items=items,
            patients=patients,
            undefined=undefined,
        )
        for name, signed in signatures.items()
    }


def ratio(part: Array, whole: Array) -> Array:
    """Return part / whole; NaN where the whole is zero."""
    return np.where(whole == 0, np.nan, part / np.where(whole == 0, 1.0, whole))
