"""Rank correlations of weighted items, so that patients can be drawn again: Kendall's tau-b and Spearman's rho.

An item that is drawn twice stands there twice. Tau-b is then a form in the weights of the patients, because the
order of two items does not depend on how often they are drawn; Spearman's ranks are counted anew in each resample.

References
----------
Kendall 1945, Biometrika 33, 239-251 (ties, tau-b). Spearman's rho is Pearson's correlation of mid-ranks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pet2rep_core.study.estimates import Array, ratio

_BLOCK_CELLS = 4_000_000
_EXACT_IN_FLOAT32 = 2**24


@dataclass(frozen=True, slots=True, eq=False)
class OrderTables:
    """Sums over the items of every two patients, (patients, patients) each.

    ``apart`` counts, for each number, the pairs of items that it tells apart; ``together``, for each asked pair of
    numbers, the pairs that both put in the same order less those that they put in opposite orders.
    """

    apart: tuple[Array, ...]
    together: tuple[Array, ...]
    sizes: npt.NDArray[np.intp]


def order_tables(numbers: Array, pairs: Sequence[tuple[int, int]], patients: npt.NDArray[np.intp]) -> OrderTables:
    """Return how numbers order the same items.

    Parameters
    ----------
    numbers : (items, columns) array
    pairs : sequence of two columns
    patients : (items,) array of int
        From 0 up without gaps.
    """
    order = np.argsort(patients, kind="stable")
    columns = numbers[order].T
    starts = np.unique(patients[order], return_index=True)[1]
    ends = np.append(starts[1:], len(order))
    apart = [np.zeros((len(starts), len(starts))) for _ in columns]
    together = [np.zeros((len(starts), len(starts))) for _ in pairs]
    per_block = max(1, _BLOCK_CELLS * len(starts) // max(1, len(order)) ** 2)
    for first in range(0, len(starts), per_block):
        last = min(first + per_block, len(starts))
        rows = slice(starts[first], ends[last - 1])
        inner = starts[first:last] - starts[first]
        signs = [np.sign(column[rows, None] - column[None, :]).astype(np.int8) for column in columns]
        for table, own in zip(apart, signs, strict=True):
            table[first:last] = _by_patient(np.abs(own), inner, starts)
        for table, (a, b) in zip(together, pairs, strict=True):
            table[first:last] = _by_patient(signs[a] * signs[b], inner, starts)
    return OrderTables(tuple(apart), tuple(together), ends - starts)


def tau_b(tables: OrderTables, pair: int, first: int, second: int, weights: Array) -> Array:
    """Return tau-b of two numbers for each row of (resamples, patients) weights; NaN where one does not vary."""
    agree = _form(weights, tables.together[pair], tables.sizes)
    varied = [_form(weights, tables.apart[at], tables.sizes) for at in (first, second)]
    return ratio(agree, np.sqrt(varied[0] * varied[1]))


def within_accuracy(tables: OrderTables, pair: int, human: int, weights: Array) -> Array:
    """Return the share of the pairs of one patient's items, apart for the reader, that the other orders like him.

    A pair that the other does not tell apart counts half. NaN where no pair is apart for the reader.
    """
    agree, apart = (weights @ np.diag(table) for table in (tables.together[pair], tables.apart[human]))
    return 0.5 + ratio(agree, 2 * apart)


class WeightedRanks:
    """Mid-ranks of one number of the items in each resample, less their mean.

    Parameters
    ----------
    numbers : (items,) array
    weights : (resamples, items) array
        How often each item stands there.
    """

    def __init__(self, numbers: Array, weights: Array) -> None:
        _, place, sizes = np.unique(numbers, return_inverse=True, return_counts=True)
        order = np.argsort(place, kind="stable")
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
        of_value = np.add.reduceat(weights[:, order], starts, axis=1)
        total = weights.sum(axis=1, keepdims=True)
        middle = np.cumsum(of_value, axis=1) - (of_value - 1) / 2 - (total + 1) / 2
        self.centred = middle[:, place]
        self.spread = (of_value * middle**2).sum(axis=1)


def spearman(first: WeightedRanks, second: WeightedRanks, weights: Array) -> Array:
    """Return Spearman's rho in each resample; NaN where one of the numbers does not vary."""
    together = np.einsum("ij,ij,ij->i", weights, first.centred, second.centred)
    return ratio(together, np.sqrt(first.spread * second.spread))


def _by_patient(pairs: npt.NDArray[np.int8], rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]) -> Array:
    halfway = np.add.reduceat(pairs, columns, axis=1, dtype=np.int32)
    return np.add.reduceat(halfway, rows, axis=0).astype(np.float64)


def _form(weights: Array, table: Array, sizes: npt.NDArray[np.intp]) -> Array:
    """Return w' T w for each row of weights; in single precision where every sum in it is exact there."""
    items = float((weights @ sizes).max(initial=0.0))
    if items**2 < _EXACT_IN_FLOAT32:
        small = weights.astype(np.float32)
        return np.asarray(((small @ table.astype(np.float32)) * small).sum(axis=1, dtype=np.float64))
    return np.asarray(((weights @ table) * weights).sum(axis=1))
