"""How precise the agreement of a study will be, before it begins.

The width of the confidence interval of an intraclass correlation after Bonett, Statistics in Medicine 2002;21:1331.
"""

from __future__ import annotations

import math
from statistics import NormalDist

from pet2rep_core.errors import SettingsError

AIM, UNINFORMATIVE = 0.2, 1.0
"""A width worth aiming at, and one above which an interval says next to nothing: most of the scale lies in it."""
METHOD = "icc_width|conf:0.95|method:bonett-2002|v:1"


def icc_items(width: float, readers: int, icc: float, *, confidence: float = 0.95) -> int:
    """Return how many items give an interval of the ICC that is at most so wide (both sides together)."""
    _check(readers, icc)
    if not 0 < width < 2:
        raise SettingsError(f"An interval cannot be {width} wide.", hint="Give a width between 0 and 2, such as 0.2.")
    # a hair is taken off: a number that is whole but for rounding is not raised
    return math.ceil(_spread(readers, icc, confidence) / width**2 + 1 - 1e-9)


def icc_width(items: int, readers: int, icc: float, *, confidence: float = 0.95) -> float:
    """Return the expected full width of the interval of the ICC; at most 2, as wide as an ICC can be."""
    _check(readers, icc)
    if items < 2:
        return 2.0
    return min(2.0, math.sqrt(_spread(readers, icc, confidence) / (items - 1)))


def _spread(readers: int, icc: float, confidence: float) -> float:
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    return 8 * z**2 * (1 - icc) ** 2 * (1 + (readers - 1) * icc) ** 2 / (readers * (readers - 1))


def _check(readers: int, icc: float) -> None:
    if readers < 2:
        raise SettingsError("One reader cannot agree with anyone.", hint="Let at least 2 readers read each report.")
    if not 0 <= icc < 1:
        raise SettingsError(f"An expected ICC of {icc} cannot be used.", hint="Give a number from 0 to below 1.")
