"""Local maxima of a PET: the places that a reported SUVmax can be."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pet2rep_core.imaging.volume import Volume

LEAST_SUV = 1.5
REACH_MM = 6.0
_SLAB = 32


@dataclass(frozen=True, slots=True, eq=False)
class Peaks:
    """Voxels that no neighbour within about ``REACH_MM`` exceeds.

    ``places`` is an (N, 3) int32 array of voxels (I, J, K), ``values`` the (N,) float32 SUVbw there.
    """

    places: npt.NDArray[np.int32]
    values: npt.NDArray[np.float32]


def find_peaks(pet: Volume, *, least: float = LEAST_SUV) -> Peaks:
    """Return the local maxima of a PET at or above ``least``, hottest first.

    The volume is read in slabs of 32 coronal planes, so that a mapped file is never held as a whole.
    """
    reach = [max(1, round(REACH_MM / step)) for step in pet.spacing_mm]
    size = [2 * n + 1 for n in reach]
    planes = pet.values.shape[1]
    places, values = [], []
    for first in range(0, planes, _SLAB):
        low, high = max(first - reach[1], 0), min(first + _SLAB + reach[1], planes)
        slab = np.asarray(pet.values[:, low:high, :], dtype=np.float32)
        highest = ndimage.maximum_filter(slab, size=size, mode="nearest")
        own = slice(first - low, min(first + _SLAB, planes) - low)
        found = np.argwhere((slab[:, own] == highest[:, own]) & (slab[:, own] >= least))
        values.append(slab[:, own][tuple(found.T)])
        places.append(found + np.array([0, first, 0]))
    at, value = np.concatenate(places), np.concatenate(values)
    order = np.argsort(-value, kind="stable")
    return Peaks(at[order].astype(np.int32), value[order])
