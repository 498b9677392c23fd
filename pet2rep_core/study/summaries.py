"""What readers said of one model on one dimension: counts, mean and spread, quartiles, share of good ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pet2rep_core.study.rubric import VALUES

GOOD = 4
"""A value from here up counts as good."""

SIGNATURE = "summary|good:4|items:main|quantiles:type7|sd:n-1|stage:final|v:1"
"""How the numbers of a summary are made."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Ratings of one dimension, of one model and input setting.

    ``counts`` has one number for each value from 1 to 5. What needs a value is None where there is none; the standard
    deviation (n - 1) is None below two. Quartiles are those of linear interpolation (type 7 of R, the default of
    numpy).
    """

    n: int
    not_assessable: int
    patients: int
    counts: tuple[int, ...]
    mean: float | None
    sd: float | None
    q1: float | None
    median: float | None
    q3: float | None
    good_share: float | None


def summarise_values(values: Sequence[int | None], patients: Sequence[str]) -> Summary:
    """Return the summary of some ratings; None is not assessable.

    Parameters
    ----------
    values : sequence of int or None
    patients : sequence of str
        The patient of each rating; only those with a value are counted.
    """
    pairs = [(value, patient) for value, patient in zip(values, patients, strict=True) if value is not None]
    given = np.array([value for value, _ in pairs], np.float64)
    counts = tuple(int((given == value).sum()) for value in VALUES)
    n, absent = len(given), len(values) - len(given)
    if not n:
        return Summary(0, absent, 0, counts, None, None, None, None, None, None)
    q1, median, q3 = (float(end) for end in np.quantile(given, (0.25, 0.5, 0.75)))
    return Summary(
        n=n,
        not_assessable=absent,
        patients=len({patient for _, patient in pairs}),
        counts=counts,
        mean=float(given.mean()),
        sd=float(given.std(ddof=1)) if n > 1 else None,
        q1=q1,
        median=median,
        q3=q3,
        good_share=float((given >= GOOD).mean()),
    )
