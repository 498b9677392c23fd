"""Ratings of one dimension as an array: items down, readers across."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pet2rep_core.study.rubric import VALUES

Named: TypeAlias = tuple[tuple[str, ...], npt.NDArray[np.intp]]
"""Names, and the place of the name that each row has."""


@dataclass(frozen=True, slots=True)
class OneRating:
    """What one reader said of one item; None is not assessable."""

    reader: str
    item: str
    patient: str
    value: int | None


@dataclass(frozen=True, slots=True, eq=False)
class RatingSheet:
    """Ratings of one dimension.

    Parameters
    ----------
    readers, items : tuple of str
    values : (items, readers) array of int8
        1 to 5; 0 where the reader gave none.
    patients : (items,) array of int
        Number of the patient of each item, from 0 up without gaps.
    not_assessable : int
        Ratings that say so.
    """

    readers: tuple[str, ...]
    items: tuple[str, ...]
    values: npt.NDArray[np.int8]
    patients: npt.NDArray[np.intp]
    not_assessable: int = 0

    @property
    def patient_count(self) -> int:
        """Patients of all items."""
        return int(self.patients.max()) + 1 if len(self.patients) else 0

    @property
    def given(self) -> int:
        """Ratings with a value."""
        return int(np.count_nonzero(self.values))


def make_sheet(ratings: Sequence[OneRating]) -> RatingSheet:
    """Return ratings as an array; readers, items and patients are sorted, so that the order of the rows is nothing.

    Only items with at least one value are in it, and only readers who gave one.

    Raises
    ------
    ValueError
        If a value is not on the scale, a reader rated an item twice, or an item belongs to two patients.
    """
    return sheet_of_columns(
        _numbered([one.reader for one in ratings]),
        _numbered([one.item for one in ratings]),
        _numbered([one.patient for one in ratings]),
        np.array([np.nan if one.value is None else one.value for one in ratings], np.float64),
    )


def sheet_of_columns(reader: Named, item: Named, patient: Named, values: npt.NDArray[np.float64]) -> RatingSheet:
    """Return columns of ratings as an array; see :func:`make_sheet`.

    Parameters
    ----------
    reader, item, patient : (names, (ratings,) array of int)
        Names, each once and in any order, and which of them each rating has; names that no rating has are left out.
    values : (ratings,) array
        NaN where not assessable.

    Raises
    ------
    ValueError
        As :func:`make_sheet`.
    """
    given = ~np.isnan(values)
    wrong = values[given & ~np.isin(values, VALUES)]
    if len(wrong):
        raise ValueError(f"A rating is one of {VALUES}, not {wrong[0]:g}.")
    if len(np.unique(item[1] * len(reader[0]) + reader[1])) < len(values):
        raise ValueError("A reader rated an item twice.")
    owner = np.zeros(len(item[0]), np.intp)
    owner[item[1]] = patient[1]
    if (owner[item[1]] != patient[1]).any():
        raise ValueError("An item belongs to two patients.")
    readers, column = _sorted(reader, given)
    items, row = _sorted(item, given)
    _, number = _sorted(patient, given)
    table = np.zeros((len(items), len(readers)), np.int8)
    table[row, column] = values[given]
    patients = np.zeros(len(items), np.intp)
    patients[row] = number
    return RatingSheet(readers, items, table, patients, int(len(values) - given.sum()))


def _numbered(names: Sequence[str]) -> Named:
    number = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return tuple(number), np.array([number[name] for name in names], np.intp)


def _sorted(named: Named, kept: npt.NDArray[np.bool_]) -> Named:
    """Return the names of the rows that are kept in order, and which of them each such row has."""
    names, at = named
    there = sorted(np.unique(at[kept]).tolist(), key=names.__getitem__)
    place = np.zeros(len(names), np.intp)
    place[there] = np.arange(len(there))
    return tuple(names[one] for one in there), place[at[kept]]
