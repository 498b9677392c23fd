"""How far readers agree on one dimension: every statistic with its interval over patients, or why there is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from pet2rep_core.study.agreement_tables import (
    complete_columns,
    complete_icc,
    count_columns,
    count_statistics,
    incomplete_columns,
    incomplete_icc,
    mean_kappa,
    pair_columns,
    pair_statistics,
    reader_pairs,
)
from pet2rep_core.study.estimates import (
    Array,
    Estimate,
    Plan,
    Reason,
    Statistics,
    estimate_all,
    interval,
    missing,
    resample,
    signature,
    sum_by_patient,
)
from pet2rep_core.study.ratings import RatingSheet

STATISTICS = (
    "weighted_kappa", "icc_2_1", "icc_2_k", "icc_2_1_shared", "icc_2_k_shared", "krippendorff_alpha", "gwet_ac2",
    "gwet_ac2_ordinal", "exact", "within_one",
)  # fmt: skip
CHANCE_CORRECTED = STATISTICS[:8]
_TWO_WAY = {"model": "two-way-random"}
_HOW: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "weighted_kappa": {"weights": "quadratic", "pairs": "mean"},
        "icc_2_1": {**_TWO_WAY, "items": "complete"},
        "icc_2_k": {**_TWO_WAY, "items": "complete"},
        "icc_2_1_shared": {**_TWO_WAY, "items": "shared", "estimator": "henderson3"},
        "icc_2_k_shared": {**_TWO_WAY, "items": "shared", "estimator": "henderson3", "k": "mean"},
        "krippendorff_alpha": {"metric": "ordinal"},
        "gwet_ac2": {"weights": "quadratic"},
        "gwet_ac2_ordinal": {"weights": "ordinal"},
        "exact": {"pairs": "items"},
        "within_one": {"pairs": "items"},
    }
)


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Agreement of two readers on the items that both rated."""

    readers: tuple[str, str]
    items: int
    weighted_kappa: Estimate
    exact: float | None
    within_one: float | None


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of all readers on one dimension.

    ``shared`` counts the items that two readers or more rated, ``complete`` those that every reader rated.
    """

    readers: tuple[str, ...]
    items: int
    shared: int
    complete: int
    patients: int
    given: int
    not_assessable: int
    statistics: Mapping[str, Estimate]
    pairs: tuple[PairAgreement, ...]


def measure_agreement(sheet: RatingSheet, plan: Plan | None = None) -> Agreement:
    """Return every statistic of agreement of one dimension.

    Kappa is the mean over the pairs of readers that have one. ``icc_2_1`` and ``icc_2_k`` are those of Shrout and
    Fleiss on the items that every reader rated; the two named ``shared`` take all items with two readers or more, in
    blocks too, by Henderson's method III, with the mean number of readers an item as k. Alpha and AC2 take missing
    ratings as they are. Exact and within one are the shares of the pairs of ratings of an item, averaged over items.
    """
    plan = plan or Plan()
    readers_of = np.count_nonzero(sheet.values, axis=1)
    shared = int((readers_of >= 2).sum())
    complete = int((readers_of == len(sheet.readers)).sum()) if len(sheet.readers) > 1 else 0
    why = _why_none(sheet, shared)
    found: Mapping[str, Estimate]
    pairs: tuple[PairAgreement, ...] = ()
    if why is None:
        found, pairs = _measure(sheet, plan, shared)
    else:
        found = {
            name: missing(why, signature(name, plan, **_HOW[name]), items=shared, patients=sheet.patient_count)
            for name in STATISTICS
        }
    return Agreement(
        sheet.readers, len(sheet.items), shared, complete, sheet.patient_count, sheet.given, sheet.not_assessable,
        MappingProxyType(found), pairs,
    )  # fmt: skip


def _why_none(sheet: RatingSheet, shared: int) -> Reason | None:
    if not sheet.given:
        return Reason.NOTHING
    if len(sheet.readers) < 2:
        return Reason.ONE_READER
    return Reason.NOT_SHARED if not shared else Reason.ONE_ITEM if shared == 1 else None


def _measure(sheet: RatingSheet, plan: Plan, shared: int) -> tuple[dict[str, Estimate], tuple[PairAgreement, ...]]:
    pairs = sum_by_patient(pair_columns(sheet.values), sheet.patients, sheet.patient_count)
    counts = sum_by_patient(count_columns(sheet.values), sheet.patients, sheet.patient_count)
    found, by_pair = _pairs(sheet, pairs, plan, shared)
    names = ("krippendorff_alpha", "gwet_ac2", "gwet_ac2_ordinal", "exact", "within_one")
    signed = {name: signature(name, plan, **_HOW[name]) for name in names}
    found |= estimate_all(counts, count_statistics, plan, signed, items=shared, undefined=Reason.NO_VARIATION)
    found |= _icc(sheet, plan)
    if len(np.unique(sheet.values[sheet.values > 0])) == 1:
        # AC2 would be 1 by its formula and the others nothing: values that never differ say nothing about readers
        for name in CHANCE_CORRECTED:
            one = found[name]
            found[name] = missing(Reason.NO_VARIATION, one.signature, items=one.items, patients=one.patients)
    return {name: found[name] for name in STATISTICS}, by_pair


def _pairs(
    sheet: RatingSheet, table: Array, plan: Plan, shared: int
) -> tuple[dict[str, Estimate], tuple[PairAgreement, ...]]:
    """Return the mean kappa and that of every pair, from the same draws."""

    def statistics(totals: Array) -> dict[str, Array]:
        return {"mean": mean_kappa(totals), "each": pair_statistics(totals)[1]}

    patients = sheet.patient_count
    items, kappa, exact, near = pair_statistics(table.sum(axis=0))
    drawn = resample(table, statistics, plan) if patients > 1 else {"mean": np.empty(0), "each": np.empty((0, 0))}
    signed = signature("weighted_kappa", plan, **_HOW["weighted_kappa"])
    signed_pair = signature("weighted_kappa", plan, weights="quadratic", pairs="one")
    by_pair = []
    for at, (first, second) in enumerate(reader_pairs(len(sheet.readers))):
        names = sheet.readers[first], sheet.readers[second]
        both = int(items[at])
        own = len(np.unique(sheet.patients[(sheet.values[:, first] > 0) & (sheet.values[:, second] > 0)]))
        why = Reason.NOT_SHARED if not both else Reason.ONE_ITEM if both == 1 else Reason.NO_VARIATION
        each = drawn["each"][:, at] if patients > 1 else np.empty(0)
        one = interval(float(kappa[at]), each, plan, signed_pair, items=both, patients=own, undefined=why)
        by_pair.append(PairAgreement(names, both, one, _number(exact[at]), _number(near[at])))
    value = float(mean_kappa(table.sum(axis=0)))
    few = Reason.ONE_ITEM if max(items) < 2 else Reason.NO_VARIATION
    mean = interval(value, drawn["mean"], plan, signed, items=shared, patients=patients, undefined=few)
    return {"weighted_kappa": mean}, tuple(by_pair)


def _icc(sheet: RatingSheet, plan: Plan) -> dict[str, Estimate]:
    """Return the ICC of the items that all readers rated, and of those that two did."""
    readers, rated = len(sheet.readers), np.count_nonzero(sheet.values, axis=1)
    found: dict[str, Estimate] = {}
    ways: tuple[tuple[tuple[str, str], npt.NDArray[np.bool_], Callable[..., Array], Statistics], ...] = (
        (("icc_2_1", "icc_2_k"), rated == readers, complete_columns, complete_icc),
        (("icc_2_1_shared", "icc_2_k_shared"), rated >= 2, incomplete_columns, incomplete_icc(readers)),
    )
    for names, kept, columns, statistics in ways:
        items = int(kept.sum())
        signed = {name: signature(name, plan, **_HOW[name]) for name in names}
        if items < 2:
            found |= {name: missing(Reason.NOT_COMPLETE, signed[name], items=items) for name in names}
            continue
        table = sum_by_patient(columns(sheet.values[kept]), sheet.patients[kept], sheet.patient_count)
        own = len(np.unique(sheet.patients[kept]))
        found |= estimate_all(table, statistics, plan, signed, items=items, patients=own)
    return found


def _number(value: Array) -> float | None:
    return float(value) if np.isfinite(value) else None
