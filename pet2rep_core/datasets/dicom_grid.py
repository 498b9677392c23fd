"""The grid that the slices of a DICOM series span.

Tolerances: the distance between neighbouring slices may differ from its median by 0.1 mm or 2 %, whichever
is more; no slice may lie more than a fifth of that distance from where an even spacing puts it; slices may
shift sideways by at most 1 mm over the series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import nibabel
import numpy as np
import numpy.typing as npt

from pet2rep_core.datasets.dicom_tags import SliceHeader
from pet2rep_core.errors import ImageGeometryError

_EXPORT_HINT = "Export the whole series again from its source."


@dataclass(frozen=True, slots=True)
class SeriesGrid:
    """The grid of a series: its slices in order along their normal, and the affine of (column, row, slice)."""

    slices: tuple[SliceHeader, ...]
    affine_lps: npt.NDArray[np.float64]
    size: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    orientation: str


def series_grid(slices: Sequence[SliceHeader]) -> SeriesGrid:
    """Order slices along their normal and return the grid that they span.

    Raises
    ------
    ImageGeometryError
        If sizes, orientations or spacings differ, slices are missing, repeated or unevenly spaced.
    """
    first = slices[0]
    spacing, size, directions = _plane(first)
    for other in slices:
        if other.position_mm is None:
            raise ImageGeometryError("ImagePositionPatient (0020,0032) is absent.", hint=_EXPORT_HINT)
        if other.size != size:
            raise ImageGeometryError(
                f"The series mixes slices of {size[0]}x{size[1]} and {_size_words(other)} voxels.", hint=_EXPORT_HINT
            )
        _, _, its_directions = _plane(other)
        if np.abs(its_directions - directions).max() > 1e-3:
            raise ImageGeometryError(
                "The series mixes slices of different ImageOrientationPatient (0020,0037).", hint=_EXPORT_HINT
            )
        if np.abs(np.subtract(other.spacing_mm or (0, 0), spacing)).max() > 1e-3:
            raise ImageGeometryError(
                "The series mixes slices of different PixelSpacing (0028,0030).", hint=_EXPORT_HINT
            )
        if other.units != first.units:
            raise ImageGeometryError("The series mixes slices of different Units (0054,1001).", hint=_EXPORT_HINT)
    normal = np.cross(directions[0], directions[1])
    positions = np.array([one.position_mm for one in slices], dtype=float)
    order = np.argsort(positions @ normal, kind="stable")
    positions = positions[order]
    distance = _slice_distance(positions, normal, first)
    affine = np.eye(4)
    affine[:3, 0] = directions[0] * spacing[0]
    affine[:3, 1] = directions[1] * spacing[1]
    affine[:3, 2] = normal * distance
    affine[:3, 3] = positions[0]
    letters = nibabel.orientations.aff2axcodes(affine, labels=(("R", "L"), ("A", "P"), ("I", "S")))
    return SeriesGrid(
        slices=tuple(slices[index] for index in order),
        affine_lps=affine,
        size=(*size, len(slices)),
        spacing_mm=(*spacing, distance),
        orientation="".join(letters),
    )


def _plane(header: SliceHeader) -> tuple[tuple[float, float], tuple[int, int], npt.NDArray[np.float64]]:
    if header.size is None:
        raise ImageGeometryError("Rows (0028,0010) or Columns (0028,0011) is absent.", hint=_EXPORT_HINT)
    if header.spacing_mm is None or min(header.spacing_mm) <= 0:
        raise ImageGeometryError("PixelSpacing (0028,0030) is absent or not positive.", hint=_EXPORT_HINT)
    if header.orientation is None:
        raise ImageGeometryError("ImageOrientationPatient (0020,0037) is absent.", hint=_EXPORT_HINT)
    directions = np.array(header.orientation, dtype=float).reshape(2, 3)
    lengths = np.linalg.norm(directions, axis=1)
    if np.abs(lengths - 1).max() > 1e-2 or abs(float(directions[0] @ directions[1])) > 1e-2:
        raise ImageGeometryError(
            "ImageOrientationPatient (0020,0037) does not hold two perpendicular unit vectors.", hint=_EXPORT_HINT
        )
    return header.spacing_mm, header.size, directions / lengths[:, None]


def _slice_distance(positions: npt.NDArray[np.float64], normal: npt.NDArray[np.float64], first: SliceHeader) -> float:
    """Return the distance of neighbouring slices in mm, positions (K, 3) being sorted along the normal."""
    if len(positions) == 1:
        return first.thickness_mm if first.thickness_mm and first.thickness_mm > 0 else 1.0
    along = positions @ normal
    gaps = np.diff(along)
    usual = float(np.median(gaps))
    repeated = gaps < 0.01
    if repeated.any():
        where = float(along[int(np.argmax(repeated))])
        raise ImageGeometryError(
            f"{int(repeated.sum()) + 1} or more images share positions, first at {where:.1f} mm: "
            "a dynamic or gated series, or two series in one.",
            hint="Give one frame as its own series.",
        )
    tolerance = max(0.1, 0.02 * usual)
    uneven = np.abs(gaps - usual) > tolerance
    if uneven.any():
        worst = int(np.argmax(np.abs(gaps - usual)))
        start, end, gap = float(along[worst]), float(along[worst + 1]), float(gaps[worst])
        missing = round(gap / usual) - 1
        if missing >= 1 and abs(gap - (missing + 1) * usual) <= tolerance * (missing + 1):
            what = "1 slice is missing" if missing == 1 else f"{missing} slices are missing"
        else:
            what = f"The slice distance changes from {usual:.2f} to {gap:.2f} mm"
        raise ImageGeometryError(f"{what} between {start:.1f} and {end:.1f} mm.", hint=_EXPORT_HINT)
    mean = float(along[-1] - along[0]) / len(gaps)
    drift = np.abs(along - along[0] - mean * np.arange(len(along))).max()
    if drift > max(0.1, 0.2 * mean):
        raise ImageGeometryError(
            f"The slice distance changes over the series; a slice lies {drift:.1f} mm off an even spacing.",
            hint=_EXPORT_HINT,
        )
    sideways = positions - positions[0] - np.outer(along - along[0], normal)
    shift = float(np.linalg.norm(sideways, axis=1).max())
    if shift > 1.0:
        raise ImageGeometryError(
            f"The slices shift sideways by {shift:.1f} mm over the series (a tilted gantry?).",
            hint="Resample the series to a rectangular grid first.",
        )
    return mean


def _size_words(header: SliceHeader) -> str:
    return "an unknown number of" if header.size is None else f"{header.size[0]}x{header.size[1]}"
