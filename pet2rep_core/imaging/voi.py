"""Which voxels a volume of interest holds: a sphere, or an outline drawn in one plane and extruded.

A voxel belongs to a VOI where its centre does; no voxel counts in part. A region is a box of the grid and a
mask in it, so that only that box of a memory-mapped volume is ever read.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pet2rep_core.errors import ImageGeometryError
from pet2rep_core.imaging.planes import PLANE_AXES, Plane
from pet2rep_core.imaging.volume import Array, Volume

Point = tuple[float, float, float]
Index = tuple[int, int, int]

MAX_DIAMETER_MM = 500.0
MAX_POINTS = 2000
MAX_VOXELS = 30_000_000
"""Voxels of a VOI's box: a whole-body PET of 4 mm has 14 million. One request must not take a server's memory."""

_FARTHEST_MM = 1e5
_EDGE = 1e-6
"""Share of a voxel, or mm, by which rounding may move a centre that lies on an edge."""


@dataclass(frozen=True, slots=True)
class Sphere:
    """A ball: ``centre_mm`` in LPS coordinates, ``diameter_mm`` above 0."""

    centre_mm: Point
    diameter_mm: float

    def __post_init__(self) -> None:
        """Refuse a sphere without place or size."""
        _check_points((self.centre_mm,), "The centre of the sphere")
        if not 0 < self.diameter_mm <= MAX_DIAMETER_MM:
            raise ImageGeometryError(
                f"A sphere cannot have a diameter of {self.diameter_mm:g} mm.",
                hint=f"Give a diameter above 0 and up to {MAX_DIAMETER_MM:g} mm.",
            )


@dataclass(frozen=True, slots=True)
class Freehand:
    """A closed outline in plane ``index`` of the grid; ``points_mm`` are its corners in LPS coordinates."""

    plane: Plane
    index: int
    points_mm: tuple[Point, ...]

    def __post_init__(self) -> None:
        """Refuse an outline that encloses nothing or has no place."""
        if not 3 <= len(self.points_mm) <= MAX_POINTS:
            raise ImageGeometryError(
                f"The outline has {len(self.points_mm)} points.", hint=f"Draw one with 3 to {MAX_POINTS} points."
            )
        _check_points(self.points_mm, "A point of the outline")


@dataclass(frozen=True, slots=True)
class Line:
    """A straight line between two points in LPS coordinates."""

    start_mm: Point
    end_mm: Point

    def __post_init__(self) -> None:
        """Refuse a line without length or place."""
        _check_points((self.start_mm, self.end_mm), "An end of the line")
        if self.length_mm == 0:
            raise ImageGeometryError("The line has no length.", hint="Draw it from one point to another.")

    @property
    def length_mm(self) -> float:
        """Distance between both ends in mm."""
        return math.dist(self.start_mm, self.end_mm)


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """The voxels of a VOI on a grid.

    Parameters
    ----------
    first : (i, j, k)
        Index of the box's first voxel.
    mask : (I, J, K) bool array
        Which voxels of the box belong; at least one does.
    clipped : bool
        Whether the shape reaches beyond the image, so that a part of it is missing.
    """

    first: Index
    mask: npt.NDArray[np.bool_]
    clipped: bool

    @property
    def box(self) -> tuple[slice, slice, slice]:
        """The box as an index into the grid's array."""
        i, j, k = (slice(first, first + size) for first, size in zip(self.first, self.mask.shape, strict=True))
        return i, j, k


def voxel_volume_ml(grid: Volume) -> float:
    """Return the volume of one voxel in mL; right for oblique grids too."""
    return abs(float(np.linalg.det(grid.affine_lps[:3, :3]))) / 1000


def to_index(grid: Volume, points_mm: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return fractional voxel indices, (n, 3), of points in LPS mm, (n, 3)."""
    points = np.atleast_2d(np.asarray(points_mm, dtype=float))
    inverse = np.linalg.inv(grid.affine_lps)
    return np.asarray(points @ inverse[:3, :3].T + inverse[:3, 3])


def to_mm(grid: Volume, index: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return LPS mm, (n, 3), of voxel indices, (n, 3)."""
    places = np.atleast_2d(np.asarray(index, dtype=float))
    return np.asarray(places @ grid.affine_lps[:3, :3].T + grid.affine_lps[:3, 3])


def reach_in_voxels(grid: Volume, radius_mm: float) -> npt.NDArray[np.float64]:
    """Return how far a ball reaches along I, J, K in voxels; right for oblique grids too."""
    return np.asarray(radius_mm * np.linalg.norm(np.linalg.inv(grid.affine_lps[:3, :3]), axis=1))


def region_of(grid: Volume, shape: Sphere | Freehand) -> Region:
    """Return the voxels of a shape.

    A sphere holds the voxels whose centre is not farther than its radius, and always the voxel that its centre
    lies in. An outline holds those whose centre is inside it by the even-odd rule (a centre on an edge may fall
    to either side), in its own plane and in each plane that is not farther from it than half of the outline's
    larger extent.

    Raises
    ------
    ImageGeometryError
        If the shape holds no voxel of the image, or an outline does not lie in its plane.
    """
    return _sphere(grid, shape) if isinstance(shape, Sphere) else _freehand(grid, shape)


def _check_points(points: tuple[Point, ...], what: str) -> None:
    if not all(len(point) == 3 and all(abs(value) <= _FARTHEST_MM for value in point) for point in points):
        raise ImageGeometryError(f"{what} is not a place in mm.", hint="Give three finite numbers in LPS mm.")


def _sphere(grid: Volume, sphere: Sphere) -> Region:
    radius = sphere.diameter_mm / 2
    size = np.array(grid.values.shape)
    centre = to_index(grid, sphere.centre_mm)[0]
    if (centre < -0.5 - _EDGE).any() or (centre > size - 0.5 + _EDGE).any():
        raise ImageGeometryError("The centre of the sphere is outside the image.", hint="Put it into the image.")
    reach = reach_in_voxels(grid, radius)
    home = np.clip(np.rint(centre), 0, size - 1).astype(int)
    low = np.minimum(np.ceil(centre - reach - _EDGE).astype(int), home)
    high = np.maximum(np.floor(centre + reach + _EDGE).astype(int), home) + 1
    first, last = np.maximum(low, 0), np.minimum(high, size)
    _check_size(first, last)
    mask = _distance_squared(grid, first, last, centre) <= (radius + _EDGE) ** 2
    mask[tuple(home - first)] = True
    return _region(first, mask, clipped=bool((low < 0).any() or (high > size).any()))


def _distance_squared(
    grid: Volume, first: npt.NDArray[np.int_], last: npt.NDArray[np.int_], centre: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the squared distance in mm of every voxel of a box from a fractional index."""
    i, j, k = (np.arange(a, b) - c for a, b, c in zip(first, last, centre, strict=True))
    squared: npt.NDArray[np.float64] = np.zeros((i.size, j.size, k.size))
    for row in grid.affine_lps[:3, :3]:
        squared += (row[0] * i[:, None, None] + row[1] * j[None, :, None] + row[2] * k[None, None, :]) ** 2
    return squared


def _freehand(grid: Volume, outline: Freehand) -> Region:
    if grid.orientation != "LPS":
        raise ImageGeometryError(
            f"The volume is in {grid.orientation} order, not LPS.", hint="Turn it with Volume.to_lps() first."
        )
    normal, size = PLANE_AXES[outline.plane].normal, grid.values.shape
    if not 0 <= outline.index < size[normal]:
        raise ImageGeometryError(
            f"There is no {outline.plane} plane {outline.index}; planes are 0 to {size[normal] - 1}.",
            hint="Draw the outline in a plane of the image.",
        )
    points = to_index(grid, outline.points_mm)
    if np.abs(points[:, normal] - outline.index).max() > 0.5 + _EDGE:
        raise ImageGeometryError(
            f"The outline does not lie in {outline.plane} plane {outline.index}.", hint="Draw it in one plane."
        )
    u, v = (axis for axis in range(3) if axis != normal)
    low, high = points.min(axis=0), points.max(axis=0)
    extent_mm = float(((high - low) * grid.spacing_mm)[[u, v]].max())
    depth = math.floor(extent_mm / 2 / grid.spacing_mm[normal] + _EDGE)
    low[normal], high[normal] = outline.index - depth, outline.index + depth
    first = np.maximum(np.ceil(low), 0).astype(int)
    last = np.minimum(np.floor(high) + 1, size).astype(int)
    if (last <= first).any():
        raise _encloses_nothing()
    _check_size(first, last)
    inside = _even_odd(points[:, u] - first[u], points[:, v] - first[v], last[u] - first[u], last[v] - first[v])
    if not inside.any():
        raise _encloses_nothing()
    # u < v, so that the plane's two axes stay in the order of the box's.
    mask = np.repeat(np.expand_dims(inside, normal), last[normal] - first[normal], axis=normal)
    clipped = bool((low < -0.5).any() or (high > np.array(size) - 0.5).any())
    return _region(first, mask, clipped=clipped)


def _check_size(first: npt.NDArray[np.int_], last: npt.NDArray[np.int_]) -> None:
    voxels = math.prod((last - first).tolist())
    if voxels > MAX_VOXELS:
        raise ImageGeometryError(
            f"This VOI spans {voxels / 1e6:.0f} million voxels, more than {MAX_VOXELS / 1e6:.0f} million.",
            hint="Draw a smaller one.",
        )


def _encloses_nothing() -> ImageGeometryError:
    return ImageGeometryError(
        "The outline does not enclose the centre of a single voxel of the image.", hint="Draw a larger one."
    )


def _even_odd(u: Array, v: Array, n_u: int, n_v: int) -> npt.NDArray[np.bool_]:
    """Return the (n_u, n_v) points 0, 1, 2, … that lie inside a closed polygon by the even-odd rule.

    Each edge turns everything at and above the place where it crosses a line of constant ``u``; what was turned
    an odd number of times is inside.
    """
    rows = np.arange(n_u)[None, :]
    u0, v0, u1, v1 = u[:, None], v[:, None], np.roll(u, -1)[:, None], np.roll(v, -1)[:, None]
    edge, row = np.nonzero((u0 <= rows) != (u1 <= rows))
    e0, e1 = u0[edge, 0], u1[edge, 0]
    crossing = v0[edge, 0] + (row - e0) / (e1 - e0) * (v1[edge, 0] - v0[edge, 0])
    column = np.clip(np.ceil(crossing), 0, n_v).astype(int)
    turned = np.zeros((n_u, n_v + 1), dtype=np.int64)
    np.add.at(turned, (row, column), 1)
    return np.asarray(np.cumsum(turned, axis=1)[:, :n_v] % 2 == 1)


def _region(first: npt.NDArray[np.int_], mask: npt.NDArray[np.bool_], *, clipped: bool) -> Region:
    i, j, k = (int(value) for value in first)
    return Region((i, j, k), mask, clipped)
