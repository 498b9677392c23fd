"""SUVpeak: the highest mean of a small sphere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pet2rep_core.imaging.voi import Index, Point, Region, reach_in_voxels, to_mm
from pet2rep_core.imaging.volume import Array, Volume

PEAK_DIAMETER_MM = 2 * (3 * 1000 / (4 * np.pi)) ** (1 / 3)
"""12.407 mm: a sphere of 1 mL."""

_EDGE_MM = 1e-6
_FIRST_GUESSES = 64
_NONE = "No sphere of 1 mL that is centred on a voxel of the VOI lies wholly within the image's valid voxels."


@dataclass(frozen=True, slots=True)
class Peak:
    """The highest mean of a 1 mL sphere, where its centre is, and of how many voxels the mean is.

    ``value`` is None where there is none, and then ``reason`` says why.
    """

    value: float | None
    index: Index | None = None
    mm: Point | None = None
    voxels: int = 0
    reason: str = ""


def peak_of(pet: Volume, region: Region) -> Peak:
    """Return the highest mean over 1 mL spheres that are centred on the voxels of a region.

    A sphere's mean is over the voxels of the whole PET whose centre is not farther than 6.204 mm from its own
    centre, also over those outside of the region, none in part. Spheres that reach beyond the image or hold a
    voxel that is no number do not count.

    Notes
    -----
    This is IBSI's global intensity peak (0F91). Programs differ: some centre the sphere on the hottest voxel only
    (IBSI's local peak, VJGA), some keep the whole sphere inside the VOI, some weight the voxels that the sphere
    cuts, some take the part of a sphere that lies within the image. Vanderhoek et al. found that measured response
    depends on the choice: peaks of different programs may be compared only where they follow one definition.

    References
    ----------
    Wahl et al., J Nucl Med 2009;50(Suppl 1):122S (PERCIST); Boellaard et al., EJNMMI 2015;42:328 (EANM 2.0);
    IBSI reference manual, 0F91; Vanderhoek et al., J Nucl Med 2012;53:4.
    """
    offsets = _offsets(pet)
    margin = np.abs(offsets).max(axis=0)
    box, at = _with_margin(pet, region, margin)
    flat = box.ravel()
    inside = np.argwhere(region.mask) + margin
    centres = np.ravel_multi_index(tuple(inside.T), box.shape)
    steps = offsets @ (np.array(box.strides) // box.itemsize)
    bound = _lower_bound(flat, centres, steps)
    if bound is not None:
        centres = _within_reach(box, centres, offsets, bound)
    means = _means(flat, centres, steps)
    if np.isnan(means).all():
        return Peak(None, reason=_NONE)
    best = int(np.nanargmax(means))
    place = np.array(np.unravel_index(int(centres[best]), box.shape)) + at
    i, j, k = (int(value) for value in place)
    x, y, z = (float(value) for value in to_mm(pet, place)[0])
    return Peak(float(means[best]), (i, j, k), (x, y, z), len(steps))


def _offsets(pet: Volume) -> npt.NDArray[np.int_]:
    """Return the (n, 3) index steps from a voxel to all whose centre lies in the sphere around it."""
    radius = PEAK_DIAMETER_MM / 2
    reach = np.floor(reach_in_voxels(pet, radius) + _EDGE_MM).astype(int)
    steps = np.indices(tuple((2 * reach + 1).tolist())).reshape(3, -1).T - reach
    distance = np.linalg.norm(steps @ pet.affine_lps[:3, :3].T, axis=1)
    return np.asarray(steps[distance <= radius + _EDGE_MM])


def _with_margin(
    pet: Volume, region: Region, margin: npt.NDArray[np.int_]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int_]]:
    """Return the region's box with a margin, NaN where the image ends or is no number, and where it begins."""
    at = np.array(region.first) - margin
    shape = np.array(region.mask.shape) + 2 * margin
    first, last = np.maximum(at, 0), np.minimum(at + shape, pet.values.shape)
    box = np.full(shape, np.nan, dtype=np.float32)
    i, j, k = (slice(a, b) for a, b in zip(first, last, strict=True))
    to_i, to_j, to_k = (slice(a, b) for a, b in zip(first - at, last - at, strict=True))
    box[to_i, to_j, to_k] = pet.values[i, j, k]
    box[~np.isfinite(box)] = np.nan
    return box, at


def _means(flat: Array, centres: npt.NDArray[np.int_], steps: npt.NDArray[np.int_]) -> npt.NDArray[np.float64]:
    total: npt.NDArray[np.float64] = np.zeros(len(centres))
    for step in steps:
        total += flat[centres + step]
    return np.asarray(total / len(steps))


def _lower_bound(flat: Array, centres: npt.NDArray[np.int_], steps: npt.NDArray[np.int_]) -> float | None:
    """Return a value that the peak does reach, from the spheres around the hottest voxels; None if they fail."""
    values = np.nan_to_num(flat[centres], nan=-np.inf)
    n = min(_FIRST_GUESSES, len(centres))
    hottest = centres[np.argpartition(values, -n)[-n:]]
    means = _means(flat, hottest, steps)
    if np.isnan(means).all():
        return None
    best = float(np.nanmax(means))
    return best - 1e-6 * abs(best)  # a sphere of equal values may have a mean that is rounded upwards


def _within_reach(
    box: npt.NDArray[np.float32], centres: npt.NDArray[np.int_], offsets: npt.NDArray[np.int_], bound: float
) -> npt.NDArray[np.int_]:
    """Return the centres whose sphere holds a voxel of at least ``bound``: no other can have a higher mean."""
    hot = np.argwhere(box >= bound)
    if len(hot) * len(offsets) > box.size // 8:
        return centres  # looking at every sphere takes less memory, and is as quick
    near = (hot[:, None, :] - offsets[None, :, :]).reshape(-1, 3)
    near = near[((near >= 0) & (near < box.shape)).all(axis=1)]
    marked = np.zeros(box.shape, dtype=bool)
    marked[tuple(near.T)] = True
    return np.asarray(centres[marked.ravel()[centres]])
