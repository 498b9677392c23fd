"""Intervals and tests of many models at once: the draws of :mod:`pet2rep_core.scoring.statistics`, made once for all.

Numbers are those of ``bootstrap_interval`` (percentile) and ``permutation_test`` with the same seed; only the work is
shared, so that one product of matrices serves every model and every metric.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pet2rep_core.scoring.statistics import TOO_FEW, Array, Interval, IntervalMethod, PairedTest

Statistics: TypeAlias = Callable[[Array], dict[str, Array]]
"""Totals of the columns, (…, columns), to every statistic by its name, (…) each; NaN where it is undefined."""

_BATCH_CELLS = 1_000_000
NO_CASE = "no case"
UNDEFINED = "undefined on these cases"


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Per-case numbers of one model over all cases, and which cases are its own.

    Parameters
    ----------
    numbers : (cases, columns) array
        Numbers whose totals make the statistics.
    mask : (cases,) array of bool
        Cases that count.
    """

    numbers: Array
    mask: npt.NDArray[np.bool_]


def intervals(
    tables: Sequence[Table], statistics: Statistics, *, seed: int, resamples: int, level: float
) -> list[dict[str, Interval]]:
    """Return the percentile bootstrap interval of every statistic of every table."""
    found: list[dict[str, Interval]] = [{} for _ in tables]
    for mask, members in _by_mask(tables):
        stack = np.stack([tables[place].numbers[mask] for place in members], axis=1)  # cases, models, columns
        values = statistics(stack.sum(axis=0))
        drawn = _drawn(stack, statistics, seed, resamples)
        for at, place in enumerate(members):
            for name, value in values.items():
                found[place][name] = _interval(value[at], drawn[name][:, at], len(stack), resamples, level)
    return found


def differences(
    pairs: Sequence[tuple[Table, Table]],
    statistics: Statistics,
    *,
    seed: int,
    resamples: int,
    level: float,
) -> list[dict[str, tuple[Interval, PairedTest]]]:
    """Return interval and paired permutation test of first minus second, over the cases that both have."""
    both = [Table(np.hstack([a.numbers, b.numbers]), a.mask & b.mask) for a, b in pairs]
    if not both:
        return []
    columns = pairs[0][0].numbers.shape[1]

    def apart(totals: Array) -> dict[str, Array]:
        first, second = statistics(totals[..., :columns]), statistics(totals[..., columns:])
        return {name: first[name] - second[name] for name in first}

    spans = intervals(both, apart, seed=seed, resamples=resamples, level=level)
    tests = _permuted(both, apart, columns, seed, resamples)
    return [{name: (span[name], test[name]) for name in span} for span, test in zip(spans, tests, strict=True)]


def _drawn(stack: Array, statistics: Statistics, seed: int, resamples: int) -> dict[str, Array]:
    """Return the statistics of resampled cases: (resamples, models) for each."""
    cases, models, columns = stack.shape
    flat = stack.reshape(cases, models * columns)
    if cases < 2:
        return {name: np.empty((0, models)) for name in statistics(stack.sum(axis=0))}
    rng = np.random.default_rng(seed)
    parts = []
    for count in _batches(cases, resamples):
        drawn = rng.integers(0, cases, (count, cases)) + cases * np.arange(count)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=count * cases).reshape(count, cases).astype(np.float64)
        parts.append(statistics((weights @ flat).reshape(count, models, columns)))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _interval(value: Array, drawn: Array, cases: int, resamples: int, level: float) -> Interval:
    method = IntervalMethod.PERCENTILE
    if not np.isfinite(value):
        return Interval(None, None, None, level, method, resamples, cases, 0, UNDEFINED if cases else NO_CASE)
    if cases < 2:
        return Interval(float(value), None, None, level, method, resamples, cases, 0, TOO_FEW)
    defined = drawn[np.isfinite(drawn)]
    undefined = len(drawn) - len(defined)
    if not len(defined):
        return Interval(float(value), None, None, level, method, resamples, cases, undefined, UNDEFINED)
    tail = (1 - level) / 2
    low, high = (float(end) for end in np.quantile(defined, (tail, 1 - tail)))
    return Interval(float(value), low, high, level, method, resamples, cases, undefined)


def _permuted(
    both: Sequence[Table], apart: Statistics, columns: int, seed: int, resamples: int
) -> list[dict[str, PairedTest]]:
    found: list[dict[str, PairedTest]] = [{} for _ in both]
    for mask, members in _by_mask(both):
        stack = np.stack([both[place].numbers[mask] for place in members], axis=1)
        cases, models, width = stack.shape
        change = np.concatenate([stack[..., columns:] - stack[..., :columns]] * 2, axis=2)
        change[..., columns:] *= -1  # what the first gains, the second loses
        total = stack.sum(axis=0)
        exact = bool(cases) and 2**cases <= resamples
        observed = apart(total)
        hits = {name: np.zeros(models, np.int64) for name in observed}
        draws = {name: np.zeros(models, np.int64) for name in observed}
        flat = change.reshape(cases, models * width)
        for swaps in _swaps(cases, resamples, seed, exact=exact) if cases else ():
            for name, drawn in apart(total + (swaps @ flat).reshape(len(swaps), models, -1)).items():
                seen = np.abs(observed[name])
                near = 100 * np.finfo(np.float64).eps * np.fmax(1.0, seen)  # sums in another order: the last bits
                with np.errstate(invalid="ignore"):
                    hits[name] += np.count_nonzero(np.abs(drawn) >= seen - near, axis=0)
                draws[name] += np.count_nonzero(np.isfinite(drawn), axis=0)
        for at, place in enumerate(members):
            for name in observed:
                found[place][name] = _test(observed[name][at], hits[name][at], draws[name][at], cases, exact=exact)
    return found


def _test(difference: Array, hits: np.int64, draws: np.int64, cases: int, *, exact: bool) -> PairedTest:
    if not cases or not np.isfinite(difference):
        return PairedTest(None, None, cases, reason=UNDEFINED if cases else NO_CASE)
    p_value = hits / draws if exact else (hits + 1) / (draws + 1)
    return PairedTest(float(difference), float(p_value), cases, exact)


def _swaps(cases: int, resamples: int, seed: int, *, exact: bool) -> Iterator[Array]:
    if exact:
        yield (np.arange(2**cases)[:, None] >> np.arange(cases) & 1).astype(np.float64)
        return
    rng = np.random.default_rng(seed)
    # the sizes are those of statistics.py: small integers are drawn some at a time, and other sizes draw others
    for count in _batches(cases, resamples, 2 * _BATCH_CELLS):
        yield rng.integers(0, 2, (count, cases), dtype=np.int8).astype(np.float64)


def _batches(cases: int, resamples: int, cells: int = _BATCH_CELLS) -> Iterator[int]:
    size = max(1, cells // cases)
    for start in range(0, resamples, size):
        yield min(size, resamples - start)


def _by_mask(tables: Sequence[Table]) -> Iterator[tuple[npt.NDArray[np.bool_], list[int]]]:
    """Yield the tables that have the same cases, by their places."""
    groups: dict[bytes, list[int]] = {}
    for place, table in enumerate(tables):
        groups.setdefault(table.mask.tobytes(), []).append(place)
    for members in groups.values():
        yield tables[members[0]].mask, members
