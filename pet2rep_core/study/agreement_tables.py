"""Agreement of readers from sums over patients: what is summed, and the statistics of the sums.

Every statistic of this module is an exact function of totals over items, so that patients can be drawn again
without looking at a rating twice.

References
----------
Cohen 1968, Psychological Bulletin 70, 213-220 (weighted kappa). Shrout and Fleiss 1979, Psychological Bulletin 86,
420-428 (ICC). Searle, Casella and McCulloch 1992, Variance Components, chapter 5 (Henderson's method III).
Krippendorff 2011, Computing Krippendorff's Alpha-Reliability. Gwet 2014, Handbook of Inter-Rater Reliability, 4th ed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from pet2rep_core.study.estimates import Array, ratio
from pet2rep_core.study.rubric import VALUES

Values = npt.NDArray[np.int8]
SCALE = len(VALUES)
_STEPS = np.abs(np.subtract.outer(np.arange(SCALE), np.arange(SCALE))).astype(np.float64)
QUADRATIC: Array = 1 - (_STEPS / (SCALE - 1)) ** 2
_PAIRS_BETWEEN = (_STEPS + 1) * _STEPS / 2
ORDINAL: Array = 1 - _PAIRS_BETWEEN / _PAIRS_BETWEEN.max()
"""Gwet's ordinal weights: the number of pairs of categories from one to the other."""
_AGREEMENTS: tuple[Array, ...] = (
    np.eye(SCALE), (_STEPS <= 1).astype(np.float64), QUADRATIC, ORDINAL,
)  # fmt: skip
PAIR_COLUMNS = 8


def reader_pairs(readers: int) -> list[tuple[int, int]]:
    """Return the pairs of readers in the order of the columns of :func:`pair_columns`."""
    return list(itertools.combinations(range(readers), 2))


def pair_columns(values: Values) -> Array:
    """Return, for each item and pair of readers, what weighted kappa and plain agreement are summed from.

    Returns
    -------
    (items, pairs * 8) array
        Both rated, the two values, their squares, their product, the same, within one; zeros where one is missing.
    """
    first, second = (np.array([pair[at] for pair in reader_pairs(values.shape[1])], np.intp) for at in (0, 1))
    a, b = (values[:, place].astype(np.float64) for place in (first, second))
    both = ((a > 0) & (b > 0)).astype(np.float64)
    apart = np.abs(a - b)
    parts = [both, a, b, a * a, b * b, a * b, apart == 0, apart <= 1]
    return np.stack([part * both for part in parts], axis=2).reshape(len(values), -1)


def pair_statistics(totals: Array) -> tuple[Array, Array, Array, Array]:
    """Return shared items, quadratic weighted kappa, share exact and share within one of each pair, (…, pairs)."""
    n, a, b, aa, bb, ab, same, near = (totals[..., at::PAIR_COLUMNS] for at in range(PAIR_COLUMNS))
    chance = n * (aa + bb) - 2 * a * b
    kappa = 1 - ratio(n * (aa + bb - 2 * ab), np.where(n >= 2, chance, 0.0))  # of one item it is 0 or nothing
    return n, kappa, ratio(same, n), ratio(near, n)


def mean_kappa(totals: Array) -> Array:
    """Return the mean of weighted kappa over the pairs of readers that have one; NaN where none has."""
    kappa = pair_statistics(totals)[1]
    known = np.isfinite(kappa)
    return ratio(np.where(known, kappa, 0.0).sum(axis=-1), known.sum(axis=-1).astype(np.float64))


def count_columns(values: Values) -> Array:
    """Return what alpha, AC2 and plain agreement are summed from.

    Returns
    -------
    (items, 36) array
        The coincidences of each two values (25), the agreement with each weight (4), whether two readers
        rated (1), the shares of the values among the readers (5), whether one did (1).
    """
    counts = np.stack([(values == value).sum(axis=1) for value in VALUES], axis=1).astype(np.float64)
    readers = counts.sum(axis=1)
    shared = (readers >= 2).astype(np.float64)
    others = np.where(readers >= 2, readers - 1, 1.0)
    pairs = counts[:, :, None] * counts[:, None, :] - counts[:, :, None] * np.eye(SCALE)
    coincidences = pairs * (shared / others)[:, None, None]
    agreed = [
        (pairs * weights).sum(axis=(1, 2)) * shared / (others * np.maximum(readers, 1)) for weights in _AGREEMENTS
    ]
    shares = counts / np.maximum(readers, 1)[:, None]
    return np.hstack(
        [coincidences.reshape(len(values), -1), np.stack(agreed, axis=1), shared[:, None], shares,
         (readers >= 1).astype(np.float64)[:, None]]
    )  # fmt: skip


def count_statistics(totals: Array) -> dict[str, Array]:
    """Return alpha, AC2 with both weights, and the shares exact and within one, from totals of the counts."""
    cells = SCALE * SCALE
    coincidences = totals[..., :cells].reshape(*totals.shape[:-1], SCALE, SCALE)
    agreed = ratio(totals[..., cells : cells + 4], totals[..., cells + 4 : cells + 5])
    shares = ratio(totals[..., cells + 5 : cells + 5 + SCALE], totals[..., cells + 5 + SCALE :])
    spread = (shares * (1 - shares)).sum(axis=-1)
    return {
        "krippendorff_alpha": _ordinal_alpha(coincidences),
        "gwet_ac2": _ac2(agreed[..., 2], spread, QUADRATIC),
        "gwet_ac2_ordinal": _ac2(agreed[..., 3], spread, ORDINAL),
        "exact": agreed[..., 0],
        "within_one": agreed[..., 1],
    }


def _ordinal_alpha(coincidences: Array) -> Array:
    """Return alpha; the distance of two values is how many pairable values lie between their middles, squared."""
    margins = coincidences.sum(axis=-1)
    middles = np.cumsum(margins, axis=-1) - margins / 2
    distance = (middles[..., :, None] - middles[..., None, :]) ** 2
    seen = (coincidences * distance).sum(axis=(-2, -1))
    chance = (margins[..., :, None] * margins[..., None, :] * distance).sum(axis=(-2, -1))
    varies = (margins > 1e-9).sum(axis=-1) > 1
    return 1 - ratio((margins.sum(axis=-1) - 1) * seen, np.where(varies, chance, 0.0))


def _ac2(agreed: Array, spread: Array, weights: Array) -> Array:
    chance = spread * weights.sum() / (SCALE * (SCALE - 1))
    return ratio(agreed - chance, 1 - chance)


def complete_columns(values: Values) -> Array:
    """Return what the ICC of items that every reader rated is summed from: 1, T^2, sum of squares, each reader."""
    y = values.astype(np.float64)
    return np.hstack([np.ones((len(y), 1)), y.sum(axis=1, keepdims=True) ** 2, (y * y).sum(axis=1, keepdims=True), y])


def complete_icc(totals: Array) -> dict[str, Array]:
    """Return ICC(2,1) and ICC(2,k) of Shrout and Fleiss from the totals of :func:`complete_columns`."""
    n, squares_of_sums, squares, by_reader = totals[..., 0], totals[..., 1], totals[..., 2], totals[..., 3:]
    k = float(by_reader.shape[-1])
    middle = ratio(by_reader.sum(axis=-1) ** 2, n * k)
    items = squares_of_sums / k - middle
    readers = ratio((by_reader**2).sum(axis=-1), n) - middle
    left = squares - middle - items - readers
    between_items = ratio(items, n - 1)
    between_readers = readers / (k - 1)
    residual = ratio(left, (n - 1) * (k - 1))
    off = ratio(between_readers - residual, n)
    return {
        "icc_2_1": _safe_ratio(between_items - residual, between_items + (k - 1) * residual + k * off, n),
        "icc_2_k": _safe_ratio(between_items - residual, between_items + off, n),
    }


def incomplete_columns(values: Values) -> Array:
    """Return what the ICC of items with two or more ratings is summed from; the readers need not be the same."""
    y = values.astype(np.float64)
    rated = (y > 0).astype(np.float64)
    k = rated.sum(axis=1, keepdims=True)
    total = y.sum(axis=1, keepdims=True)
    own = rated[:, :, None] * np.eye(y.shape[1]) - rated[:, :, None] * rated[:, None, :] / k[:, :, None]
    return np.hstack(
        [np.ones_like(k), k, total**2 / k, (y * y).sum(axis=1, keepdims=True), y, rated, y - rated * total / k,
         own.reshape(len(y), -1)]
    )  # fmt: skip


def incomplete_icc(readers: int) -> Callable[[Array], dict[str, Array]]:
    """Return ICC(2,1) and ICC(2,k) by Henderson's method III, from totals of :func:`incomplete_columns`.

    ``k`` is the mean number of readers an item. On complete items the result is that of :func:`complete_icc`.
    """

    def statistics(totals: Array) -> dict[str, Array]:
        items, n, of_items, squares = (totals[..., at] for at in range(4))
        sums, counts, q = (totals[..., 4 + readers * at : 4 + readers * (at + 1)] for at in range(3))
        c = totals[..., 4 + 3 * readers :].reshape(*totals.shape[:-1], readers, readers)
        lengths, directions = np.linalg.eigh(c)
        real = lengths > 1e-9 * np.maximum(lengths[..., -1:], 1.0)
        along = np.einsum("...ij,...i->...j", directions, q)
        of_readers = np.where(real, along**2 / np.where(real, lengths, 1.0), 0.0).sum(axis=-1)
        rank = real.sum(axis=-1)
        present = (counts > 0).sum(axis=-1)
        plain_readers = np.where(counts > 0, sums**2 / np.maximum(counts, 1.0), 0.0).sum(axis=-1)
        residual = ratio(squares - of_items - of_readers, n - items - rank)
        reader_part = ratio(of_readers - rank * residual, n - items)
        item_part = ratio(of_items + of_readers - plain_readers - (items + rank - present) * residual, n - present)
        apart = reader_part + residual
        each = ratio(n, items)
        apart = np.where((rank > 0) & (n - items - rank > 0), apart, np.nan)
        return {
            "icc_2_1_shared": _safe_ratio(item_part, item_part + apart, items),
            "icc_2_k_shared": _safe_ratio(item_part, item_part + ratio(apart, each), items),
        }

    return statistics


def _safe_ratio(part: Array, whole: Array, items: Array) -> Array:
    """Return a ratio of variances; NaN where the whole is no more than the rounding of sums of small integers."""
    return ratio(part, np.where((whole > 1e-9) & (items >= 2), whole, 0.0))
