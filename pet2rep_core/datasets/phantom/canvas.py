"""A map of tissues that shapes are painted on, in a patient's own millimetres.

Shapes are given in *model* millimetres: x to the patient's left, y to the back, z to the head, origin in
the middle between the hip joints, for an adult of about 1.75 m. :class:`Frame` puts them into the world of a
case (size of the patient, slight tilt on the table).

Only operations that IEEE 754 rounds alike everywhere (no exponentials, no sums in an order that depends on
the machine) touch the map, so that every machine paints the same voxels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Array = npt.NDArray[Any]
Point = tuple[float, float, float]
Region = Callable[[Array, Array, Array], Array]
_TILE = (64, 128, 128)


@dataclass(frozen=True, slots=True)
class Frame:
    """How model millimetres become world millimetres.

    Parameters
    ----------
    scale : (x, y, z)
        Size of the patient against the model.
    lean_mm : float
        How far the head end lies to the patient's left of the foot end.
    sway_mm : float
        Depth of a slight side bend of the trunk.
    """

    scale: Point
    lean_mm: float = 0.0
    sway_mm: float = 0.0

    def shift_x(self, z: Array) -> Array:
        """Return the sideways shift in mm at model heights ``z``."""
        t = (z - 300.0) / 500.0
        return self.lean_mm * t + self.sway_mm * (1.0 - 4.0 * t * t)

    def to_world(self, point: Point) -> Point:
        """Return a model point in world mm (left, posterior, superior)."""
        shift = float(self.shift_x(np.asarray(point[2], dtype=np.float64)))
        return point[0] * self.scale[0] + shift, point[1] * self.scale[1], point[2] * self.scale[2]


@dataclass(frozen=True, slots=True)
class Patch:
    """A box of voxels with the coordinates of their centres, broadcastable to the box."""

    where: tuple[slice, slice, slice]
    x: Array
    y: Array
    z: Array


def spline(points: Sequence[Point], radii: Sequence[float], step: float) -> tuple[Array, Array]:
    """Return points and radii along a Catmull-Rom curve through ``points``, about ``step`` mm apart."""
    p = np.asarray(points, dtype=np.float64)
    r = np.interp(np.linspace(0, 1, len(p)), np.linspace(0, 1, len(radii)), np.asarray(radii, dtype=np.float64))
    padded = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    out, out_r = [], []
    for n in range(len(p) - 1):
        a, b, c, d = padded[n : n + 4]
        pieces = max(1, math.ceil(math.dist(b, c) / step))
        for t in (m / pieces for m in range(pieces)):
            curve = 2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t * t * t
            out.append(0.5 * curve)
            out_r.append(r[n] + (r[n + 1] - r[n]) * t)
    return np.vstack([*out, p[-1]]), np.array([*out_r, r[-1]])


class Canvas:
    """The tissue map of one case: one small code for every voxel of the CT grid, array order (K, J, I)."""

    def __init__(
        self, tissues: Mapping[str, int], frame: Frame, axes: tuple[Array, Array, Array], rng: np.random.Generator
    ) -> None:
        """Start with air; ``axes`` are the world mm of the voxel centres along I, J, K."""
        self.codes = dict(tissues)
        self.frame = frame
        self.rng = rng
        self.axes = axes
        x, y, z = axes
        self.model_z = (z / frame.scale[2]).astype(np.float32)
        shift = frame.shift_x(self.model_z.astype(np.float64))
        self.model_x = ((x[None, :] - shift[:, None]) / frame.scale[0]).astype(np.float32)
        self.model_y = (y / frame.scale[1]).astype(np.float32)
        self.labels = np.full((len(z), len(y), len(x)), self.codes["air"], dtype=np.uint8)
        self.rough = self._noise((4.0, 7.0, 7.0))
        self.grain = self._noise((1.2, 2.2, 2.2))
        self.strands = self._noise((12.0, 8.0, 8.0))

    def _noise(self, sigma: Point) -> Array:
        tile = ndimage.gaussian_filter(self.rng.standard_normal(_TILE), sigma, mode="wrap")
        return np.round(tile / math.sqrt(float(np.mean(tile * tile))), 3).astype(np.float32)

    def add(self, tissue: str) -> None:
        """Give a new tissue (a lesion) the next code."""
        if tissue not in self.codes:
            self.codes[tissue] = len(self.codes)

    def patch(self, low: Sequence[float], high: Sequence[float]) -> Patch | None:
        """Return the voxels between two model corners, or None where the grid does not reach."""
        k0, k1 = np.searchsorted(self.model_z, [low[2], high[2]])
        j0, j1 = np.searchsorted(self.model_y, [low[1], high[1]])
        if k0 >= k1 or j0 >= j1:
            return None
        i0 = int(np.searchsorted(self.model_x[k0:k1].max(axis=0), low[0]))
        i1 = int(np.searchsorted(self.model_x[k0:k1].min(axis=0), high[0]))
        if i0 >= i1:
            return None
        where = (slice(int(k0), int(k1)), slice(int(j0), int(j1)), slice(i0, i1))
        return Patch(
            where, self.model_x[where[0], None, where[2]], self.model_y[None, where[1], None],
            self.model_z[where[0], None, None],
        )  # fmt: skip

    def texture(self, patch: Patch, tile: Array, offset: int = 0) -> Array:
        """Return a piece of a repeating smooth noise (mean 0, standard deviation 1) for a patch."""
        index = [(np.arange(s.start, s.stop) + offset * (a + 3)) % n
                 for a, (s, n) in enumerate(zip(patch.where, _TILE, strict=True))]  # fmt: skip
        return np.asarray(tile[np.ix_(*index)])

    def fill(self, patch: Patch, mask: Array, tissue: str, only: Sequence[str] = ()) -> None:
        """Write a tissue into the masked voxels of a patch, over the tissues in ``only`` or over all."""
        under = self.labels[patch.where]
        if only:
            mask = mask & self.among(only)[under]
        under[mask] = self.codes[tissue]

    def among(self, tissues: Sequence[str]) -> Array:
        """Return a look-up table that is True at the codes of these tissues."""
        table = np.zeros(256, dtype=bool)
        table[[self.codes[t] for t in tissues]] = True
        return table

    def blob(
        self, tissue: str, centre: Sequence[float], radii: Sequence[float], *, power: int = 2,
        turn: Sequence[float] = (0.0, 0.0, 0.0), rough: float = 0.05, only: Sequence[str] = (),
        where: Region | None = None, offset: int = 0,
    ) -> None:  # fmt: skip
        """Paint a superellipsoid with a slightly uneven surface.

        ``turn`` turns it about the x, y and z axis in degrees; ``rough`` is the unevenness as a share of the
        radius; ``where`` cuts it to a region in model coordinates.
        """
        turned = any(turn)
        reach = [max(radii)] * 3 if turned else list(radii)
        margin = 1.0 + 3.0 * rough
        patch = self.patch([c - r * margin for c, r in zip(centre, reach, strict=True)],
                           [c + r * margin for c, r in zip(centre, reach, strict=True)])  # fmt: skip
        if patch is None:
            return
        u, v, w = patch.x - np.float32(centre[0]), patch.y - np.float32(centre[1]), patch.z - np.float32(centre[2])
        if turned:
            m = _turn(turn)
            u, v, w = (m[0][n] * u + m[1][n] * v + m[2][n] * w for n in range(3))
        f = sum((_power(c / np.float32(r), power) for c, r in zip((u, v, w), radii, strict=True)), np.float32(0))
        if rough:
            f = f + np.float32(power * rough) * self.texture(patch, self.rough, offset)
        mask = np.broadcast_to(f < 1, self.labels[patch.where].shape)
        if where is not None:
            mask = mask & where(patch.x, patch.y, patch.z)
        self.fill(patch, mask, tissue, only)

    def tube(
        self, tissue: str, points: Sequence[Point], radii: Sequence[float], *, rough: float = 0.0,
        only: Sequence[str] = (), where: Region | None = None, flat: Point = (1.0, 1.0, 1.0),
    ) -> None:  # fmt: skip
        """Paint a tube along a smooth curve; ``flat`` stretches its cross-section along x, y, z."""
        path, r = spline(points, radii, step=max(3.0, 0.9 * float(min(radii))))
        f = np.asarray(flat, dtype=np.float64)
        for a, b, ra, rb in zip(path[:-1], path[1:], r[:-1], r[1:], strict=True):
            reach = max(ra, rb) * f * (1.0 + 2.0 * rough)
            patch = self.patch(np.minimum(a, b) - reach, np.maximum(a, b) + reach)
            if patch is None:
                continue
            sa, step = a / f, (b - a) / f
            length2 = float(step @ step) or 1.0
            u, v, w = (c / np.float32(s) - np.float32(o)
                       for c, s, o in zip((patch.x, patch.y, patch.z), f, sa, strict=True))  # fmt: skip
            s0, s1, s2 = (np.float32(s) for s in step)
            t = np.clip((u * s0 + v * s1 + w * s2) * np.float32(1 / length2), 0, 1)
            du, dv, dw = u - t * s0, v - t * s1, w - t * s2
            radius = np.float32(ra) + np.float32(rb - ra) * t
            if rough:
                radius = radius * (1 + np.float32(rough) * self.texture(patch, self.rough))
            mask = du * du + dv * dv + dw * dw < radius * radius
            if where is not None:
                mask = mask & where(patch.x, patch.y, patch.z)
            self.fill(patch, mask, tissue, only)

    def pair(self, paint: Callable[[float], None]) -> None:
        """Paint once for the right (-1) and once for the left (+1) side."""
        for side in (-1.0, 1.0):
            paint(side)


def _power(value: Array, power: int) -> Array:
    square = value * value
    if power == 2:
        return square
    return square * np.abs(value) if power == 3 else square * square


def _turn(degrees: Sequence[float]) -> list[list[np.float32]]:
    cx, cy, cz = (math.cos(math.radians(d)) for d in degrees)
    sx, sy, sz = (math.sin(math.radians(d)) for d in degrees)
    m = (
        np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
        @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        @ np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    )
    return [[np.float32(round(float(v), 6)) for v in row] for row in m]
