"""Whether automatic metrics order reports as readers do, and how well one reader does that for the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pet2rep_core.study.estimates import Array, Estimate, Plan, Reason, draw_weights, interval, signature
from pet2rep_core.study.rank_tables import WeightedRanks, order_tables, spearman, tau_b, within_accuracy
from pet2rep_core.study.ratings import RatingSheet

MEASURES = ("tau_b", "spearman", "within_patient")
_FEWEST = 2
_CELLS = 2_000_000


@dataclass(frozen=True, slots=True)
class Validity:
    """One metric (or one reader) against what readers said, over the items that have both."""

    name: str
    items: int
    patients: int
    measures: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class HumanCeiling:
    """One reader against the mean of the others: each reader, and the mean over readers."""

    readers: tuple[Validity, ...]
    mean: Mapping[str, Estimate]


def reader_means(sheet: RatingSheet, without: int | None = None) -> Array:
    """Return the mean over the readers of each item, leaving one reader out where asked; NaN where nobody is left."""
    values = sheet.values.astype(np.float64)
    if without is not None:
        values[:, without] = 0
    readers = (values > 0).sum(axis=1)
    return np.where(readers > 0, values.sum(axis=1) / np.maximum(readers, 1), np.nan)


def measure_validity(
    metrics: Mapping[str, Array], human: Array, patients: npt.NDArray[np.intp], plan: Plan | None = None
) -> tuple[Validity, ...]:
    """Return how every metric orders the items against the mean of the readers.

    Parameters
    ----------
    metrics : mapping of str to (items,) array
        NaN where an item has no score.
    human : (items,) array
        Mean of the readers; NaN where there is none.
    patients : (items,) array of int
    """
    plan = plan or Plan()
    groups: dict[bytes, list[str]] = {}
    for name, scores in metrics.items():
        groups.setdefault((np.isfinite(scores) & np.isfinite(human)).tobytes(), []).append(name)
    found: dict[str, Validity] = {}
    for mask, names in groups.items():
        kept = np.frombuffer(mask, np.bool_)
        scores = np.stack([metrics[name][kept] for name in names], axis=1)
        for name, one in zip(names, _against(names, scores, human[kept], patients[kept], plan)[0], strict=True):
            found[name] = one
    return tuple(found[name] for name in metrics)


def measure_ceiling(sheet: RatingSheet, plan: Plan | None = None) -> HumanCeiling:
    """Return how every reader orders the items against the mean of the other readers, and the mean over readers.

    The interval of the mean comes from the same draws of patients for all readers.
    """
    plan = plan or Plan()
    found: list[Validity] = []
    draws: list[dict[str, Array]] = []
    for at, reader in enumerate(sheet.readers):
        others = reader_means(sheet, without=at)
        own = sheet.values[:, at].astype(np.float64)
        kept = (own > 0) & np.isfinite(others)
        [one], [drawn] = _against(
            [reader], own[kept][:, None], others[kept], sheet.patients[kept], plan, sheet.patient_count
        )
        found.append(one)
        draws.append(drawn)
    return HumanCeiling(tuple(found), {name: _mean(name, found, draws, sheet, plan) for name in MEASURES})


def _mean(
    name: str, readers: Sequence[Validity], draws: Sequence[Mapping[str, Array]], sheet: RatingSheet, plan: Plan
) -> Estimate:
    signed = signature(f"human_{name}", plan, against="mean-of-others", readers="mean")
    values = [value for one in readers if (value := one.measures[name].value) is not None]
    alone = Reason.ONE_READER if len(sheet.readers) < 2 else Reason.UNDEFINED
    if not sheet.readers:
        alone = Reason.NOTHING
    drawn = [one[name] for one in draws if len(one[name])]
    together = np.empty(0)
    if drawn:
        stack = np.stack(drawn)
        known = np.isfinite(stack)
        together = np.where(
            known.any(axis=0), np.where(known, stack, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1), np.nan
        )
    value = float(np.mean(values)) if values else float("nan")
    items = int((np.count_nonzero(sheet.values, axis=1) >= 2).sum())
    return interval(value, together, plan, signed, items=items, patients=sheet.patient_count, undefined=alone)


def _against(
    names: Sequence[str],
    scores: Array,
    human: Array,
    patients: npt.NDArray[np.intp],
    plan: Plan,
    patient_count: int | None = None,
) -> tuple[list[Validity], list[dict[str, Array]]]:
    """Return every column of scores against the readers, and its resamples.

    With ``patient_count`` patients keep their numbers, so that the draws are those of the whole sheet.
    """
    items, last = len(human), len(names)
    present = np.unique(patients)
    if items < _FEWEST:
        none = {name: np.empty(0) for name in MEASURES}
        return [_validity(name, none, none, items, len(present), plan) for name in names], [none] * last
    count = patient_count or len(present)
    place = np.searchsorted(present, patients)
    tables = order_tables(np.column_stack([scores, human]), [(at, last) for at in range(last)], place)
    parts: list[list[dict[str, Array]]] = [[] for _ in names]
    drawn = draw_weights(count, plan, max(1, _CELLS // items) * count) if len(present) > 1 else iter(())
    for weights in (np.ones((1, count)), *drawn):
        own = weights[:, present] if patient_count else weights
        of_items = own[:, place]
        ranks = WeightedRanks(human, of_items)
        for at in range(last):
            rho = spearman(WeightedRanks(scores[:, at], of_items), ranks, of_items)
            tau, accuracy = tau_b(tables, at, at, last, own), within_accuracy(tables, at, last, own)
            parts[at].append({"tau_b": tau, "spearman": rho, "within_patient": accuracy})
    found, draws = [], []
    for name, part in zip(names, parts, strict=True):
        value = part[0]
        draw = {one: np.concatenate([row[one] for row in part[1:]] or [np.empty(0)]) for one in MEASURES}
        found.append(_validity(name, value, draw, items, len(present), plan))
        draws.append(draw)
    return found, draws


def _validity(
    name: str, value: Mapping[str, Array], drawn: Mapping[str, Array], items: int, patients: int, plan: Plan
) -> Validity:
    measures = {}
    for one in MEASURES:
        number = float(value[one][0]) if len(value[one]) else float("nan")
        why = (Reason.NO_PAIRS if one == "within_patient" else Reason.NO_VARIATION) if items >= _FEWEST else (
            Reason.ONE_ITEM if items else Reason.NOTHING
        )  # fmt: skip
        signed = signature(one, plan, against="mean-of-readers")
        measures[one] = interval(number, drawn[one], plan, signed, items=items, patients=patients, undefined=why)
    return Validity(name, items, patients, measures)
