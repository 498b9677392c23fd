"""Ratings of one dimension as an array: items down, readers across."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pet2rep_core.study.rubric import VALUES


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
    seen: dict[tuple[str, str], int | None] = {}
    owner: dict[str, str] = {}
    for one in ratings:
        if one.value is not None and one.value not in VALUES:
            raise ValueError(f"A rating is one of {VALUES}, not {one.value!r}.")
        if (one.item, one.reader) in seen:
            raise ValueError("A reader rated an item twice.")
        if owner.setdefault(one.item, one.patient) != one.patient:
            raise ValueError("An item belongs to two patients.")
        seen[one.item, one.reader] = one.value
    given = {key: value for key, value in seen.items() if value is not None}
    readers = tuple(sorted({reader for _, reader in given}))
    items = tuple(sorted({item for item, _ in given}))
    row, column = _places(items), _places(readers)
    values = np.zeros((len(items), len(readers)), np.int8)
    for (item, reader), value in given.items():
        values[row[item], column[reader]] = value
    number = _places(sorted({owner[item] for item in items}))
    patients = np.array([number[owner[item]] for item in items], np.intp)
    return RatingSheet(readers, items, values, patients, len(seen) - len(given))


def _places(names: Sequence[str]) -> Mapping[str, int]:
    return {name: place for place, name in enumerate(names)}
