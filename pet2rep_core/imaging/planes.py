"""Planes through volumes: coronal, axial and sagittal, on the pixels of a screen.

Every plane is counted on the grid of the case: the PET where there is one, else the CT, in LPS order (I grows
to the patient's left, J to the back, K to the head). A place is said in grid coordinates: fractional voxel
indices, whole numbers at voxel centres. The head is at the top of a coronal and a sagittal picture, the front
at the top of an axial and at the left of a sagittal one, and the patient's right is at the left.

The viewer samples in the browser by the rules of :func:`sample_plane`; the tests compare both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from pet2rep_core.errors import ImageGeometryError
from pet2rep_core.imaging.volume import Volume

AIR_HU = -1024
Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
"""First voxel and one past the last along I, J and K."""

_LETTERS = {"L": "L", "R": "R", "A": "A", "P": "P", "S": "H", "I": "F"}
_OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "S": "I", "I": "S"}


class Plane(StrEnum):
    """The three planes of the viewer."""

    CORONAL = "coronal"
    AXIAL = "axial"
    SAGITTAL = "sagittal"


@dataclass(frozen=True, slots=True)
class PlaneAxes:
    """Which axis (0, 1, 2 for I, J, K) runs across the picture, which down, and which through it.

    A sign is -1 where the axis runs against the picture's direction.
    """

    across: int
    down: int
    normal: int
    across_sign: int
    down_sign: int


PLANE_AXES = {
    Plane.CORONAL: PlaneAxes(0, 2, 1, 1, -1),
    Plane.AXIAL: PlaneAxes(0, 1, 2, 1, 1),
    Plane.SAGITTAL: PlaneAxes(1, 2, 0, 1, -1),
}


@dataclass(frozen=True, slots=True)
class Field:
    """Which pixels of a plane to draw.

    Parameters
    ----------
    across_start, down_start : float
        Grid coordinates of the centre of column 0 and of row 0.
    across_step, down_step : float
        Voxels of the grid from one column to the next, and from one row to the next; may be negative.
    columns, rows : int
        Size of the picture.
    """

    across_start: float
    across_step: float
    down_start: float
    down_step: float
    columns: int
    rows: int

    def __post_init__(self) -> None:
        """Refuse a field without pixels or without a place."""
        places = (self.across_start, self.across_step, self.down_start, self.down_step)
        if self.columns < 1 or self.rows < 1 or not all(map(math.isfinite, places)):
            raise ImageGeometryError(
                f"A picture of {self.columns} x {self.rows} pixels cannot be drawn there.",
                hint="Give at least one pixel and finite coordinates.",
            )

    @property
    def across(self) -> npt.NDArray[np.float64]:
        """Grid coordinates of the columns: start + n * step."""
        return np.asarray(self.across_start + np.arange(self.columns) * self.across_step, dtype=np.float64)

    @property
    def down(self) -> npt.NDArray[np.float64]:
        """Grid coordinates of the rows: start + n * step."""
        return np.asarray(self.down_start + np.arange(self.rows) * self.down_step, dtype=np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """PET and CT of one place on the same pixels, (rows, columns) each; one of them may be missing."""

    pet: npt.NDArray[np.float32] | None
    ct: npt.NDArray[np.float32] | None


class Placement(NamedTuple):
    """How grid coordinates become those of another volume along I, J, K: coordinate * scale + shift."""

    scale: tuple[float, float, float]
    shift: tuple[float, float, float]


def fit_field(grid: Volume, plane: Plane, pixel_mm: float, box: Box | None = None) -> Field:
    """Return the square pixels that cover a plane of the grid.

    The outer edge of the first pixel lies on the outer edge of the first voxel, half a voxel before its
    centre. The last pixel may end up to half a pixel before or after the last voxel; every centre is inside.

    Parameters
    ----------
    grid : Volume
        In LPS order.
    pixel_mm : float
        Side of a pixel in mm.
    box : Box, optional
        Part of the grid; all of it where it is left out.

    Raises
    ------
    ImageGeometryError
        If the box is not a part of the grid or a pixel has no size.
    """
    shape = grid.values.shape
    box = box or ((0, shape[0]), (0, shape[1]), (0, shape[2]))
    if not all(0 <= first < last <= n for (first, last), n in zip(box, shape, strict=True)):
        raise ImageGeometryError(f"The box {box} is not a part of the volume {shape}.", hint="Choose voxels of it.")
    if not (math.isfinite(pixel_mm) and pixel_mm > 0):
        raise ImageGeometryError(f"A pixel of {pixel_mm:g} mm cannot be drawn.", hint="Give a size above 0 mm.")
    axes = PLANE_AXES[plane]
    across = _fit(box[axes.across], pixel_mm / grid.spacing_mm[axes.across], axes.across_sign)
    down = _fit(box[axes.down], pixel_mm / grid.spacing_mm[axes.down], axes.down_sign)
    return Field(across[0], across[1], down[0], down[1], columns=across[2], rows=down[2])


def _fit(part: tuple[int, int], step: float, sign: int) -> tuple[float, float, int]:
    """Return start, step and number of the pixels that cover the voxels ``part``; ``step`` in voxels."""
    first, last = part
    # A tie goes down, with room for rounding: else the last centre would lie on the edge, in or out by chance.
    count = max(math.ceil((last - first) / step - 0.5 - 1e-9), 1)
    half = min(step, last - first) / 2
    start = first - 0.5 + half if sign > 0 else last - 0.5 - half
    return start, sign * step, count


def plane_letters(volume: Volume, plane: Plane) -> dict[str, str]:
    """Return the letters at the left, right, top and bottom of a plane, from the volume's affine.

    H is the head and F the feet, as DICOM names them.
    """
    axes = PLANE_AXES[plane]
    edges = {}
    for axis, sign, before, after in (
        (axes.across, axes.across_sign, "left", "right"),
        (axes.down, axes.down_sign, "top", "bottom"),
    ):
        grows = volume.orientation[axis]
        if sign < 0:
            grows = _OPPOSITE[grows]
        edges[before], edges[after] = _LETTERS[_OPPOSITE[grows]], _LETTERS[grows]
    return edges


def plane_values(volume: Volume, plane: Plane, index: int) -> npt.NDArray[Any]:
    """Return one plane voxel by voxel as it is shown: (rows, columns) view of the volume.

    Raises
    ------
    ImageGeometryError
        If the volume is not in LPS order or has no such plane.
    """
    _check(volume, plane, index)
    axes = PLANE_AXES[plane]
    return np.asarray(_at(volume, axes, index)[:: axes.down_sign, :: axes.across_sign])


def parallel(one: Volume, other: Volume) -> bool:
    """Tell whether both grids have their axes along the patient's, within a thousandth."""
    for volume in (one, other):
        direction = volume.affine_lps[:3, :3] / np.array(volume.spacing_mm)
        if np.abs(direction - np.eye(3)).max() > 1e-3:
            return False
    return True


def placement(grid: Volume, other: Volume) -> Placement:
    """Return how coordinates of the grid become those of a volume on the same grid or with parallel axes.

    Along each axis the scale is grid spacing / other spacing and the shift is
    (grid origin - other origin) / other spacing.

    Raises
    ------
    ImageGeometryError
        If the axes are not parallel.
    """
    if not (other is grid or parallel(grid, other) or other.same_grid(grid)):
        raise ImageGeometryError(
            "The axes of the volume are not parallel to the grid's.", hint="Use the volume that was put on the grid."
        )
    step = np.array(other.spacing_mm)
    scale = np.array(grid.spacing_mm) / step
    shift = (grid.affine_lps[:3, 3] - other.affine_lps[:3, 3]) / step
    return Placement(
        (float(scale[0]), float(scale[1]), float(scale[2])), (float(shift[0]), float(shift[1]), float(shift[2]))
    )


def shown_ct(pet: Volume | None, ct: Volume | None, ct_fine: Volume | None) -> Volume | None:
    """Return the CT to show: the one on its own grid where that is parallel to the PET's, else the resampled one.

    Without a PET the planes are counted on ``ct`` itself, and that is shown.
    """
    if pet is None or ct_fine is None or not parallel(pet, ct_fine):
        return ct
    return ct_fine


def sample_plane(
    pet: Volume | None, ct: Volume | None, plane: Plane, index: int, field: Field, *, smooth: bool = True
) -> Planes:
    """Return one plane of a case on the pixels of a field.

    The rules, which the viewer's JavaScript follows too:

    1. Column c lies at ``across_start + c * across_step`` and row r at ``down_start + r * down_step`` in grid
       coordinates. In the CT the place along each axis is ``coordinate * scale + shift`` (:func:`placement`).
    2. A place before -0.5 or after n - 0.5, half a voxel outside the n voxels of an axis, has no value: NaN
       for PET and -1024 for CT. Other places are held between 0 and n - 1.
    3. Smooth: ``a + (b - a) * w`` with a at floor(place), b the next voxel and w the fraction. Where w is 0,
       b is not read. Not smooth: the voxel at floor(place + 0.5).
    4. The PET is read in its plane ``index``. The CT is read where that plane lies: first between its two
       planes, rounded to float32; then, for both, in the plane.
    5. NaN stays NaN: so does every pixel with a NaN voxel of weight above 0.
    6. The arithmetic is in double precision; the results are rounded to float32.

    Parameters
    ----------
    pet : Volume or None
        The grid, where it is there. In LPS order.
    ct : Volume or None
        On the same grid or on its own with parallel axes, see :func:`shown_ct`; the grid where there is no PET.
    index : int
        Plane of the grid along the normal.
    smooth : bool
        Whether to interpolate.

    Raises
    ------
    ImageGeometryError
        If there is no volume, no such plane, or a volume is not in LPS order or not parallel to the grid.
    """
    grid = pet if pet is not None else ct
    if grid is None:
        raise ImageGeometryError("The case has no volume.", hint="Show its pictures instead.")
    _check(grid, plane, index)
    axes = PLANE_AXES[plane]
    pet_plane, ct_plane = None, None
    if pet is not None:
        cut = _at(pet, axes, index).astype(np.float32)
        pet_plane = _read(cut, field.down, field.across, smooth=smooth, nothing=np.nan)
    if ct is not None:
        scale, shift = placement(grid, ct)
        at, down, across = (
            places * scale[axis] + shift[axis]
            for places, axis in (
                (np.array([index], dtype=np.float64), axes.normal),
                (field.down, axes.down),
                (field.across, axes.across),
            )
        )
        between = _between(ct, axes, at, smooth=smooth)
        if between is None:
            ct_plane = np.full((field.rows, field.columns), AIR_HU, dtype=np.float32)
        else:
            ct_plane = _read(between, down, across, smooth=smooth, nothing=AIR_HU)
    return Planes(pet=pet_plane, ct=ct_plane)


def _check(volume: Volume, plane: Plane, index: int) -> None:
    if volume.orientation != "LPS":
        raise ImageGeometryError(
            f"The volume is in {volume.orientation} order, not LPS.", hint="Turn it with Volume.to_lps() first."
        )
    count = volume.values.shape[PLANE_AXES[plane].normal]
    if not 0 <= index < count:
        raise ImageGeometryError(
            f"There is no {plane} plane {index}; planes are 0 to {count - 1}.", hint="Choose a plane of the volume."
        )


def _at(volume: Volume, axes: PlaneAxes, index: int) -> npt.NDArray[Any]:
    """Return a view of one plane, (down, across), both along the grid's axes."""
    where: list[slice | int] = [slice(None)] * 3
    where[axes.normal] = index
    plane = volume.values[tuple(where)]
    return np.asarray(plane.T if axes.across < axes.down else plane)


class _Neighbours(NamedTuple):
    below: npt.NDArray[np.intp]
    above: npt.NDArray[np.intp]
    weight: npt.NDArray[np.float64]

    @classmethod
    def of(cls, places: npt.NDArray[np.float64], count: int, *, smooth: bool) -> _Neighbours:
        held = np.clip(places, 0, count - 1)
        below = np.floor(held if smooth else held + 0.5).astype(np.intp)
        weight = held - below if smooth else np.zeros_like(held)
        return cls(below, np.where(weight > 0, below + 1, below), weight)


def _inside(places: npt.NDArray[np.float64], count: int) -> npt.NDArray[np.bool_]:
    return np.asarray((places >= -0.5) & (places <= count - 0.5))


def _between(
    volume: Volume, axes: PlaneAxes, at: npt.NDArray[np.float64], *, smooth: bool
) -> npt.NDArray[np.float32] | None:
    """Read a volume at one place along the normal; only the planes beside it are touched."""
    count = volume.values.shape[axes.normal]
    if not _inside(at, count).all():
        return None
    below, above, weight = _Neighbours.of(at, count, smooth=smooth)
    first = _at(volume, axes, int(below[0])).astype(np.float64)
    if weight[0] > 0:
        first += (_at(volume, axes, int(above[0])) - first) * weight[0]
    return first.astype(np.float32)


def _read(
    cut: npt.NDArray[np.float32],
    down: npt.NDArray[np.float64],
    across: npt.NDArray[np.float64],
    *,
    smooth: bool,
    nothing: float,
) -> npt.NDArray[np.float32]:
    """Read a plane (down, across) at the places of rows and columns."""
    rows, columns = _inside(down, cut.shape[0]), _inside(across, cut.shape[1])
    out = np.full((down.size, across.size), nothing, dtype=np.float32)
    below, above, weight = _Neighbours.of(down[rows], cut.shape[0], smooth=smooth)
    values = cut[below].astype(np.float64)
    if smooth:
        values += (cut[above] - values) * weight[:, None]
    below, above, weight = _Neighbours.of(across[columns], cut.shape[1], smooth=smooth)
    if smooth:
        first = values[:, below]
        values = first + (values[:, above] - first) * weight
    else:
        values = values[:, below]
    out[np.ix_(rows, columns)] = values
    return out
