"""Ratings for the tests of agreement, written as rows of digits: one item a row, one reader a digit, '.' is missing."""

from __future__ import annotations

import numpy as np

from pet2rep_core.study.ratings import OneRating, RatingSheet, make_sheet


def _rows(text: str) -> list[str]:
    return text.split()


# Four readers of different leniency on forty items; drawn once with numpy's generator 7 and written down.
FULL = _rows(
    "3323 5243 3432 3223 3342 3121 3344 4353 3243 3224 4343 4233 4334 2323 2321 4345 1122 3233 1111 2122 "
    "2111 2314 1212 4245 4332 4232 1111 4222 3333 2243 1131 3213 2212 2211 5344 2132 3344 5335 4233 4334"
)
# The same with about 15 in 100 ratings missing, some items with a single one left.
HOLES = _rows(
    "33.3 52.3 3.32 322. 3342 31.1 3344 4353 .243 3224 4.4. 4233 4334 2.23 2.2. ...5 1122 3233 1.11 212. "
    "2111 231. 1212 4245 4332 4232 1.11 4222 333. 22.3 11.. 3.13 2212 22.1 .344 2.32 3344 ..3. 4233 4334"
)


def values_of(rows: list[str]) -> np.ndarray:
    return np.array([[0 if digit == "." else int(digit) for digit in row] for row in rows], np.int8)


def sheet_of(rows: list[str], patients: list[str] | None = None) -> RatingSheet:
    """Return the sheet of rows of digits; every item is a patient of its own where none are given."""
    return make_sheet(
        [
            OneRating(f"R{column}", f"i{row:03}", patients[row] if patients else f"p{row:03}", int(digit))
            for row, digits in enumerate(rows)
            for column, digit in enumerate(digits)
            if digit != "."
        ]
    )
