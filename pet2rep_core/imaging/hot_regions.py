"""The hottest regions of a PET in 3D: voxels at or above SUV 4.0 that hang together, with SUVmax and volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from pet2rep_core.imaging.voi import voxel_volume_ml
from pet2rep_core.imaging.volume import Volume

HOT_SUV = 4.0
LEAST_ML = 0.3
MOST = 12
VERSION = 1
_WITH_CORNERS = np.ones((3, 3, 3), dtype=bool)


@dataclass(frozen=True, slots=True)
class HotRegion:
    """One region.

    Parameters
    ----------
    suv_max : float
        SUVbw of its hottest voxel, g/mL.
    place : (i, j, k)
        That voxel.
    volume_ml : float
        Volume of its voxels, mL.
    """

    suv_max: float
    place: tuple[int, int, int]
    volume_ml: float


def find_hot_regions(
    pet: Volume, *, threshold: float = HOT_SUV, least_ml: float = LEAST_ML, most: int = MOST
) -> tuple[HotRegion, ...]:
    """Return the regions of a PET in SUVbw, the hottest first.

    Voxels that touch at a face, an edge or a corner hang together. Physiological uptake counts as any other.

    Parameters
    ----------
    threshold : float
        SUVbw that a voxel must reach.
    least_ml : float
        Smaller regions are left out: a few voxels are noise.
    most : int
        How many are returned at most.
    """
    above = pet.values >= threshold  # NaN is below everything
    if not above.any():
        return ()
    labels, _ = ndimage.label(above, structure=_WITH_CORNERS)
    voxel_ml = voxel_volume_ml(pet)
    found = []
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        own = labels[box] == number
        volume_ml = float(own.sum() * voxel_ml)
        if volume_ml < least_ml:
            continue
        values = np.where(own, pet.values[box], -np.inf)
        at = np.unravel_index(int(values.argmax()), values.shape)
        i, j, k = (int(one) + int(side.start) for one, side in zip(at, box, strict=True))
        found.append(HotRegion(float(values[at]), (i, j, k), volume_ml))
    found.sort(key=lambda region: (-region.suv_max, region.place))
    return tuple(found[:most])
