"""How far a reader agrees with himself: hidden repeats against the first reading of the same output."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pet2rep_core.study.agreement_tables import PAIR_COLUMNS, pair_columns, pair_statistics
from pet2rep_core.study.estimates import (
    Array,
    Estimate,
    Plan,
    Reason,
    estimate_all,
    missing,
    signature,
    sum_by_patient,
)

STATISTICS = ("weighted_kappa", "exact", "within_one", "mean_change")


@dataclass(frozen=True, slots=True)
class TwoReadings:
    """One output that a reader rated twice on one dimension, both times with a value."""

    reader: str
    patient: str
    first: int
    second: int


def measure_repeats(readings: Sequence[TwoReadings], plan: Plan | None = None) -> dict[str, Estimate]:
    """Return agreement of second with first readings, pooled over the readers who are in ``readings``.

    ``mean_change`` is second minus first.
    """
    plan = plan or Plan()
    signed = {name: signature(f"intra_{name}", plan) for name in STATISTICS}
    signed["weighted_kappa"] = signature("intra_weighted_kappa", plan, weights="quadratic")
    if not readings:
        return {name: missing(Reason.NO_REPEATS, signed[name]) for name in STATISTICS}
    _, patients = np.unique([one.patient for one in readings], return_inverse=True)
    values = np.array([(one.first, one.second) for one in readings], np.int8)
    table = sum_by_patient(pair_columns(values), patients.astype(np.intp), int(patients.max()) + 1)
    few = Reason.NO_VARIATION if len(readings) > 1 else Reason.ONE_ITEM
    found = estimate_all(table, _statistics, plan, signed, items=len(readings), undefined=few)
    if len(np.unique(values)) == 1:
        one = found["weighted_kappa"]
        found["weighted_kappa"] = missing(few, one.signature, items=one.items, patients=one.patients)
    return found


def _statistics(totals: Array) -> dict[str, Array]:
    assert totals.shape[-1] == PAIR_COLUMNS
    n, kappa, exact, near = (part[..., 0] for part in pair_statistics(totals))
    change = np.where(n == 0, np.nan, (totals[..., 2] - totals[..., 1]) / np.where(n == 0, 1.0, n))
    return {"weighted_kappa": kappa, "exact": exact, "within_one": near, "mean_change": change}
