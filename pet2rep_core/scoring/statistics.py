"""Intervals over cases and paired tests between models, from per-case numbers that add up.

A statistic is a function of column totals: a mean is (sum of values) / (number of values), CE is made of summed
counts of cells. Drawing cases again is then one product of a matrix of weights with the table of cases;
nothing is tokenised or counted a second time. Everything is seeded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
Statistic: TypeAlias = Callable[[Array], Array]
"""Totals of the columns, (…, columns), to the statistic, (…); NaN where it is undefined."""

RESAMPLES = 10_000
TOO_FEW = "fewer than two cases"
_BATCH_CELLS = 2_000_000
_NORMAL = NormalDist()


class IntervalMethod(StrEnum):
    """How the ends of a bootstrap interval are found."""

    PERCENTILE = "percentile"
    BCA = "bca"


@dataclass(frozen=True, slots=True)
class Interval:
    """A statistic and its bootstrap interval over cases.

    ``undefined`` counts the resamples in which the statistic had no value; they are left out of the ends. What
    could not be given is None, with the ``reason``.
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    method: IntervalMethod
    resamples: int
    cases: int
    undefined: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Two-sided paired permutation test: first minus second, over the same cases.

    ``exact`` tells that every way of swapping was counted; else the p-value is (hits + 1) / (draws + 1).
    """

    difference: float | None
    p_value: float | None
    cases: int
    exact: bool = False
    reason: str = ""


def mean_table(values: Sequence[float | None]) -> Array:
    """Return the table of a mean, one row a case: the value and 1, or two zeros where there is no value."""
    return np.array([(0.0, 0.0) if value is None else (value, 1.0) for value in values], np.float64).reshape(-1, 2)


def mean_of(totals: Array) -> Array:
    """Return the mean from the totals of :func:`mean_table`."""
    return _ratio(totals[..., 0], totals[..., 1])


def pooled_precision(totals: Array) -> Array:
    """Return the mean over classes of TP / (TP + FP), from totals of TP, FP and FN of each class in turn."""
    tp, fp, fn = _cells(totals)
    return _macro(_ratio(tp, tp + fp, empty=0.0), tp + fp + fn)


def pooled_recall(totals: Array) -> Array:
    """Return the mean over classes of TP / (TP + FN), from totals of TP, FP and FN of each class in turn."""
    tp, fp, fn = _cells(totals)
    return _macro(_ratio(tp, tp + fn, empty=0.0), tp + fp + fn)


def pooled_f1_macro(totals: Array) -> Array:
    """Return the mean over classes of F1, from totals of TP, FP and FN of each class in turn."""
    tp, fp, fn = _cells(totals)
    return _macro(_ratio(2 * tp, 2 * tp + fp + fn), tp + fp + fn)


def table_f1(precision: Array, recall: Array) -> Array:
    """Return the harmonic mean of macro precision and macro recall, the F1 in the form of the paper's table."""
    both = precision + recall
    return np.where(both == 0, 0.0, _ratio(2 * precision * recall, both))


def bootstrap_interval(
    table: Array,
    statistic: Statistic,
    *,
    seed: int,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    method: IntervalMethod = IntervalMethod.BCA,
) -> Interval:
    """Return a statistic of all cases with its bootstrap interval.

    Parameters
    ----------
    table : (cases, columns) array
        Per-case numbers whose totals make the statistic.
    seed : int
        The same seed draws the same cases, whatever the statistic: intervals of two models are paired.

    References
    ----------
    Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapters 13 and 14.
    """
    cases = len(table)
    value = _number(statistic(table.sum(axis=0))) if cases else None
    nothing = Interval(value, None, None, level, method, resamples, cases)
    if cases < 2 or value is None:
        return _because(nothing, TOO_FEW if cases < 2 else "the statistic is undefined on these cases")
    drawn = np.concatenate([statistic(weights @ table) for weights in _weights(cases, resamples, seed)])
    defined = drawn[np.isfinite(drawn)]
    undefined = len(drawn) - len(defined)
    if not len(defined):
        return _because(nothing, "the statistic is undefined in every resample")
    tail = (1 - level) / 2
    ends = (tail, 1 - tail)
    if method is IntervalMethod.BCA and np.ptp(defined) > 0:
        corrected = _bca_ends(defined, value, statistic(table.sum(axis=0) - table), tail)
        if corrected is None:
            return _because(nothing, "the BCa correction is undefined; ask for the percentile interval")
        ends = corrected
    low, high = (float(end) for end in np.quantile(defined, ends))
    return Interval(value, low, high, level, method, resamples, cases, undefined)


def permutation_test(
    first: Array, second: Array, statistic: Statistic, *, seed: int, resamples: int = RESAMPLES
) -> PairedTest:
    """Return the paired permutation test of the difference of a statistic between two models.

    In each draw every case keeps or swaps its two rows (for a mean: the difference of the case keeps or flips
    its sign). All ways are counted where there are no more of them than draws were asked for.

    Parameters
    ----------
    first, second : (cases, columns) array
        The tables of both models, one row a case, the same case in the same row.

    Raises
    ------
    ValueError
        If the tables have different shapes.
    """
    if first.shape != second.shape:
        raise ValueError(f"Paired tables must have one shape, not {first.shape} and {second.shape}.")
    cases = len(first)
    if not cases:
        return PairedTest(None, None, 0, reason="no case")
    total, other = first.sum(axis=0), second.sum(axis=0)
    difference = _number(statistic(total) - statistic(other))
    if difference is None:
        return PairedTest(None, None, cases, reason="the statistic is undefined on these cases")
    exact = 2**cases <= resamples
    change = second - first
    hits = draws = 0
    near = 100 * np.finfo(np.float64).eps * max(1.0, abs(difference))  # sums in another order differ in the last bits
    for swaps in _all_swaps(cases) if exact else _swaps(cases, resamples, seed):
        moved = swaps @ change
        drawn = statistic(total + moved) - statistic(other - moved)
        drawn = drawn[np.isfinite(drawn)]
        hits += int(np.count_nonzero(np.abs(drawn) >= abs(difference) - near))
        draws += len(drawn)
    p_value = hits / draws if exact else (hits + 1) / (draws + 1)
    return PairedTest(difference, p_value, cases, exact)


def holm(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Return p-values corrected for their number, step by step from the smallest; None stays None and counts not.

    References
    ----------
    Holm 1979, Scandinavian Journal of Statistics 6, 65-70; ``p.adjust(method = "holm")`` of R.
    """
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    least = 0.0
    for rank, (p, place) in enumerate(known):
        least = max(least, min(1.0, (len(known) - rank) * p))
        corrected[place] = least
    return tuple(corrected)


def _weights(cases: int, resamples: int, seed: int) -> Iterator[Array]:
    """Yield how often each case is drawn, some resamples at a time."""
    rng = np.random.default_rng(seed)
    for count in _batches(cases, resamples):
        drawn = rng.integers(0, cases, (count, cases)) + cases * np.arange(count)[:, None]
        yield np.bincount(drawn.ravel(), minlength=count * cases).reshape(count, cases).astype(np.float64)


def _swaps(cases: int, resamples: int, seed: int) -> Iterator[Array]:
    rng = np.random.default_rng(seed)
    for count in _batches(cases, resamples):
        yield rng.integers(0, 2, (count, cases), dtype=np.int8).astype(np.float64)


def _all_swaps(cases: int) -> Iterator[Array]:
    yield (np.arange(2**cases)[:, None] >> np.arange(cases) & 1).astype(np.float64)


def _batches(cases: int, resamples: int) -> Iterator[int]:
    size = max(1, _BATCH_CELLS // cases)
    for start in range(0, resamples, size):
        yield min(size, resamples - start)


def _bca_ends(drawn: Array, value: float, jackknife: Array, tail: float) -> tuple[float, float] | None:
    """Return the quantiles of the BCa interval; None where bias or acceleration cannot be had."""
    below = float(np.mean(drawn < value) + np.mean(drawn <= value)) / 2
    apart = jackknife.mean() - jackknife
    spread = float((apart**2).sum())
    if not 0 < below < 1 or not np.isfinite(spread) or spread == 0:
        return None
    bias = _NORMAL.inv_cdf(below)
    acceleration = float((apart**3).sum()) / (6 * spread**1.5)
    ends = []
    for alpha in (tail, 1 - tail):
        moved = bias + _NORMAL.inv_cdf(alpha)
        ends.append(_NORMAL.cdf(bias + moved / (1 - acceleration * moved)))
    return ends[0], ends[1]


def _cells(totals: Array) -> tuple[Array, Array, Array]:
    return totals[..., 0::3], totals[..., 1::3], totals[..., 2::3]


def _macro(values: Array, support: Array) -> Array:
    """Return the mean over the classes that have a cell; NaN where none has."""
    defined = support > 0
    return _ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1).astype(np.float64))


def _ratio(part: Array, whole: Array, *, empty: float = float("nan")) -> Array:
    return np.where(whole == 0, empty, part / np.where(whole == 0, 1.0, whole))


def _number(value: Array) -> float | None:
    return float(value) if np.isfinite(value) else None


def _because(interval: Interval, reason: str) -> Interval:
    return Interval(
        interval.value,
        None,
        None,
        interval.level,
        interval.method,
        interval.resamples,
        interval.cases,
        interval.undefined,
        reason,
    )
