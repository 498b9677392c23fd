"""Clipped counts of n-grams: how many n-grams of a text are also in a reference, each as often as it is there."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Ids: TypeAlias = npt.NDArray[np.int64]


class NgramIndex:
    """The n-grams of a reference, for every order from 1 up, numbered so that one order leads to the next.

    An n-gram is the number of its first n - 1 symbols with its last symbol, so the keys stay small whatever the
    order and the alphabet, and no two n-grams share a key.

    Parameters
    ----------
    ids : (N,) int64 array
        Symbols of the reference, numbered from 0.
    symbols : int
        How many different symbols there are.
    orders : int
        Longest n-gram.
    """

    def __init__(self, ids: Ids, symbols: int, orders: int) -> None:
        self._symbols = symbols
        self._counts = [np.bincount(ids, minlength=symbols)]
        self._keys: list[Ids] = []
        grams = ids
        for order in range(2, orders + 1):
            keys, grams, counts = _numbered(grams[:-1] * symbols + ids[order - 1 :])
            self._keys.append(keys)
            self._counts.append(counts)

    def matches(self, ids: Ids) -> tuple[int, ...]:
        """Return the clipped number of matching n-grams of each order.

        Parameters
        ----------
        ids : (M,) int64 array
            Symbols of the other text in the reference's numbers; -1 for one that the reference does not have.
        """
        starts = np.flatnonzero(ids >= 0)
        grams = ids[starts]
        found = [_clipped(grams, self._counts[0])]
        for order, keys in enumerate(self._keys, start=2):
            last = starts + (order - 1)
            inside = np.searchsorted(last, len(ids))  # starts ascend, so what runs over the end stands last
            starts, grams = starts[:inside], grams[:inside]
            symbols = ids[last[:inside]]
            if not len(starts) or not len(keys):
                return (*found, *(0 for _ in range(order, len(self._keys) + 2)))
            wanted = grams * self._symbols + symbols
            places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            hit = (keys[places] == wanted) & (symbols >= 0)
            starts, grams = starts[hit], places[hit]
            found.append(_clipped(grams, self._counts[order - 1]))
        return tuple(found)


def _numbered(keys: Ids) -> tuple[Ids, Ids, Ids]:
    """Return the different keys in order, the number of each key given, and how often each is there.

    ``np.unique`` does the same in twice the time for arrays as short as a report.
    """
    order = np.argsort(keys)
    ordered = keys[order]
    new = np.ones(len(keys), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    numbers = np.cumsum(new) - 1
    given = np.empty(len(keys), np.int64)
    given[order] = numbers
    return ordered[new], given, np.bincount(numbers)


def _clipped(grams: Ids, counts: Ids) -> int:
    return int(np.minimum(np.bincount(grams, minlength=len(counts)), counts).sum())
