"""Three coronal planes that stand for a case.

The benchmark takes the fixed columns 90, 100 and 110 of a 200-wide grid of 4.07 mm: the middle of the
grid and 40.7 mm behind and in front of it. On other grids and off-centre patients those columns miss the
body, so the rule here finds the body first and then takes the same distances.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pet2rep_core.errors import InputDataError
from pet2rep_core.imaging.planes import Box
from pet2rep_core.imaging.volume import Array, Volume
from pet2rep_core.records import KeySlices

RULE = "body-centre-40.7mm:v1"
OFFSET_MM = 40.7
_BODY_HU = -300
_STEP = 2


def find_body(ct: Volume | None, pet: Volume | None) -> npt.NDArray[np.bool_]:
    """Return a mask of the patient on every second voxel of the grid: (I/2, J/2, K/2) array.

    From CT: above -300 HU, the table cut off by an opening, largest piece. From PET alone: above 5 % of
    the 99.5th percentile, largest piece after the same opening.
    """
    mask = _tissue(ct, pet)
    # The table is a thin sheet: two steps of erosion along J remove it and leave the body.
    line = np.zeros((1, 3, 1), dtype=bool)
    line[:, :, 0] = True
    opened = ndimage.binary_opening(mask, structure=line, iterations=2)
    labels, count = ndimage.label(opened if opened.any() else mask)
    if count == 0:
        return np.zeros(mask.shape, dtype=bool)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == sizes.argmax())


def body_columns(ct: Volume | None, pet: Volume | None, *, margin_mm: float = 15.0) -> tuple[int, int]:
    """Return the columns (first, one past the last, along I) that hold the patient and a margin of air.

    A column counts where at least one sample in 200 is above the threshold of :func:`find_body`. Without any,
    all columns are returned.
    """
    mask = _tissue(ct, pet)
    grid = pet if pet is not None else ct
    assert grid is not None  # _tissue has refused this
    return _extent(_filled(mask, 0), grid, 0, margin_mm)


def body_box(ct: Volume | None, pet: Volume | None, *, margin_mm: float = 15.0) -> Box:
    """Return the part of the grid that holds the patient: (first, one past the last) along I, J and K.

    A column or plane belongs to it where at least one sample in 200 is denser than air or takes up tracer, and
    where any voxel has more uptake than the 99.5th percentile, be it alone: a hot spot is never cut away. A
    margin of air is added. K is taken whole, and so is an axis along which nothing is found. Both volumes, where
    given, are on the same grid.

    Raises
    ------
    InputDataError
        If there is neither a PET nor a CT volume.
    """
    grid = pet if pet is not None else ct
    masks = [_tissue(*pair) for pair in ((ct, None), (None, pet)) if pair != (None, None)]
    if grid is None:
        raise _nothing_given()
    n_i, n_j, n_k = grid.values.shape
    hot_i, hot_j = (np.zeros(n_i, dtype=bool), np.zeros(n_j, dtype=bool)) if pet is None else _hot(pet)
    columns, planes = (
        _extent(np.concatenate([*(_filled(mask, axis) for mask in masks), np.flatnonzero(hot)]), grid, axis, margin_mm)
        for axis, hot in enumerate((hot_i, hot_j))
    )
    return columns, planes, (0, n_k)


def _filled(mask: npt.NDArray[np.bool_], axis: int) -> npt.NDArray[np.intp]:
    """Return where at least one sample in 200 across an axis is set, in voxels of the grid."""
    others = tuple(other for other in range(3) if other != axis)
    return np.flatnonzero(mask.mean(axis=others) > 0.005) * _STEP


def _extent(filled: npt.NDArray[np.intp], grid: Volume, axis: int, margin_mm: float) -> tuple[int, int]:
    """Return the range of the filled places with a margin; the whole axis where there are none."""
    size = grid.values.shape[axis]
    if filled.size == 0:
        return 0, size
    margin = round(margin_mm / grid.spacing_mm[axis])
    return max(int(filled.min()) - margin, 0), min(int(filled.max()) + _STEP + margin, size)


def _hot(pet: Volume) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return in which columns (I) and planes (J) any voxel lies above the 99.5th percentile of the samples."""
    threshold = _uptake_percentile(_samples(pet))
    columns, planes = (np.zeros(size, dtype=bool) for size in pet.values.shape[:2])
    for j in range(planes.size):
        hot = (pet.values[:, j, :] > threshold).any(axis=1)
        planes[j] = hot.any()
        columns |= hot
    return columns, planes


def _tissue(ct: Volume | None, pet: Volume | None) -> npt.NDArray[np.bool_]:
    """Return what is denser than air, or takes up tracer where there is no CT: (I/2, J/2, K/2) array."""
    if ct is not None:
        return np.asarray(_samples(ct) > _BODY_HU)
    if pet is not None:
        coarse = np.nan_to_num(_samples(pet))
        return np.asarray(coarse > 0.05 * _uptake_percentile(coarse))
    raise _nothing_given()


def _samples(volume: Volume) -> Array:
    return volume.values[::_STEP, ::_STEP, ::_STEP]


def _uptake_percentile(samples: Array) -> float:
    return float(np.percentile(np.nan_to_num(samples), 99.5))


def _nothing_given() -> InputDataError:
    return InputDataError("There is no volume to find a body in.", hint="Give a PET or a CT volume.")


def choose_key_slices(ct: Volume | None, pet: Volume | None) -> KeySlices:
    """Return three coronal planes: 40.7 mm behind the body's centre, the centre, 40.7 mm in front of it.

    The centre is the middle of the body's mass along J; planes are held between the 15th and 85th percentile
    of the body's mass, so that a thin patient still gets three planes of body. The order is back to front,
    as the benchmark counts. Both volumes, where given, are on the same LPS grid.

    Raises
    ------
    InputDataError
        If there is neither a PET nor a CT volume.
    """
    grid = pet if pet is not None else ct
    mask = find_body(ct, pet)
    assert grid is not None  # find_body has refused this
    n_planes = grid.values.shape[1]
    mass: npt.NDArray[Any] = mask.sum(axis=(0, 2)).astype(float)
    if not mass.any():
        centre, low, high = (n_planes - 1) / 2, 0.0, float(n_planes - 1)
        reason = "No body was found; the planes are taken around the middle of the grid."
    else:
        share = np.cumsum(mass) / mass.sum()
        places = np.arange(mass.size) * _STEP + _STEP / 2  # the far edge of what a sample stands for
        low, centre, high = (float(np.interp(q, share, places)) for q in (0.15, 0.5, 0.85))
        reason = ""
    step = OFFSET_MM / grid.spacing_mm[1]
    planes = [round(min(max(centre + sign * step, low), high)) for sign in (1, 0, -1)]
    indices = tuple(min(max(p, 0), n_planes - 1) for p in planes)
    return KeySlices(indices=indices, rule=RULE, reason=reason)
