"""Outer shape: trunk, limbs, fat, muscle, skin, the patient table, and the cavities of the trunk."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pet2rep_core.datasets.phantom.canvas import Array, Canvas, Point

# Muscle outline of the trunk by height: z, half width, front, back (model mm).
_TRUNK = np.array(
    [
        (-60, 152, -62, 84), (-30, 158, -74, 92), (0, 160, -82, 97), (40, 154, -86, 98), (80, 146, -88, 92),
        (120, 138, -88, 84), (165, 130, -88, 80), (210, 128, -90, 82), (260, 136, -94, 88), (320, 145, -98, 96),
        (380, 150, -103, 103), (440, 152, -97, 108), (480, 152, -86, 106), (505, 150, -72, 98), (522, 140, -60, 92),
        (536, 124, -52, 86), (548, 103, -46, 80), (562, 81, -41, 73), (580, 64, -38, 67), (610, 54, -40, 62),
        (640, 54, -30, 66), (670, 50, -10, 68),
    ],
    dtype=np.float64,
)  # fmt: skip
# Share of the case's fat thickness at a height: z, sides, front, back.
_FAT = np.array(
    [
        (-60, 1.0, 0.9, 1.2), (0, 1.5, 1.0, 1.6), (60, 1.5, 1.2, 1.5), (130, 1.4, 1.5, 1.2), (220, 1.0, 1.3, 0.8),
        (320, 0.8, 0.8, 0.7), (440, 0.8, 0.6, 0.7), (520, 0.5, 0.4, 0.6), (560, 0.4, 0.3, 0.5), (670, 0.3, 0.3, 0.4),
    ],
    dtype=np.float64,
)  # fmt: skip
# Inside of the rib cage and of the belly wall: z, half width, front, back.
_CAVITY = np.array(
    [
        (-20, 16, 20, 56), (-4, 48, -30, 60), (14, 80, -52, 62), (50, 100, -62, 66), (100, 112, -74, 62),
        (165, 116, -78, 60),
        (210, 116, -79, 66), (255, 125, -83, 78), (300, 133, -87, 86), (350, 136, -90, 90), (400, 131, -86, 90),
        (440, 122, -76, 88), (480, 106, -62, 82), (505, 90, -44, 74), (522, 74, -26, 66), (536, 58, -10, 58),
        (546, 38, 6, 48), (552, 15, 20, 36),
    ],
    dtype=np.float64,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Build:
    """Build of one patient: fat thickness and breast size in mm, sex, and where the arms lie."""

    female: bool
    fat_mm: float
    arms_up: bool
    breast_mm: float


def _rows(table: npt.NDArray[np.float64], z: Array) -> tuple[Array, ...]:
    return tuple(np.interp(z, table[:, 0], table[:, c]).astype(np.float32) for c in range(1, table.shape[1]))


def section(x: Array, y: Array, half_width: Array, front: Array, back: Array) -> Array:
    """Return a value below 1 inside a rounded cross-section (superellipse of power 2.5)."""
    u = np.abs(x) / half_width
    v = np.abs(y - (front + back) / 2) / ((back - front) / 2)
    return u * u * np.sqrt(u) + v * v * np.sqrt(v)


def cavity(x: Array, y: Array, z: Array, inset: float = 0.0) -> Array:
    """Return a value below 1 inside the rib cage and the belly wall."""
    width, front, back = (r.reshape(z.shape) for r in _rows(_CAVITY, z))
    return section(x, y, np.maximum(width - inset, 1), front + inset, back - inset)


def cavity_outline(z: float) -> tuple[float, float, float]:
    """Return half width, front and back of the inside of the rib cage at a model height."""
    width, front, back = (float(np.interp(z, _CAVITY[:, 0], _CAVITY[:, c])) for c in (1, 2, 3))
    return width, front, back


def dome(x: Array, y: Array) -> Array:
    """Return the model height of the diaphragm above every (x, y)."""
    side = np.where(x < 0, np.float32(371), np.float32(355))
    u = (np.abs(x) - 62) / 78
    v = np.where(y > -15, (y + 15) / 100, (y + 15) / 85)
    drop = np.where(np.abs(x) < 62, 22 * u * u, 50 * u * u) + np.where(y > -15, 100 * v * v, 40 * v * v)
    return np.asarray(side - drop)


def paint_body(canvas: Canvas, build: Build) -> None:
    """Paint fat, muscle and the inner cavities; skin and table come last, see :func:`paint_cover`."""
    fat = build.fat_mm
    _trunk(canvas, build, "fat", grow=fat)
    _limbs(canvas, build, "fat", grow=0.75 * fat)
    if build.female:
        canvas.pair(lambda s: _breast(canvas, s, build))
    else:
        canvas.pair(lambda s: canvas.blob("fat", (s * 75, -98 - 0.4 * fat, 400), (55, 10 + 0.5 * fat, 45)))
    canvas.blob("fat", (0, 80, -15), (118, 42 + fat, 62), rough=0.02)
    _trunk(canvas, build, "muscle", grow=0.0)
    canvas.pair(lambda s: canvas.blob("muscle", (s * 66, 82, 10), (58, 32, 66), turn=(0, s * 12, 0), rough=0.06))
    _limbs(canvas, build, "muscle", grow=-3.0)
    _fascia(canvas)
    _inner_fat(canvas)


def _trunk(canvas: Canvas, build: Build, tissue: str, grow: float) -> None:
    low, high = -58.0, 672.0
    for z0 in np.arange(low, high, 60.0):
        patch = canvas.patch((-300, -300, z0), (300, 300, min(z0 + 60.0, high)))
        if patch is None:
            continue
        width, front, back = (r.reshape(patch.z.shape) for r in _rows(_TRUNK, patch.z))
        side, belly, rear = (r.reshape(patch.z.shape) for r in _rows(_FAT, patch.z))
        hips = np.clip(1 - np.abs(patch.z - 10) / 120, 0, 1) * (9 if build.female else 0)
        waist = np.clip(1 - np.abs(patch.z - 210) / 90, 0, 1) * (7 if build.female else 0)
        g = np.float32(grow)
        f = section(patch.x, patch.y, width + hips - waist + g * side, front - g * belly, back + g * rear)
        f = f + np.float32(0.028) * canvas.texture(patch, canvas.rough)
        # The back is not convex: a furrow runs along the spine.
        groove = np.clip(1 - np.abs(patch.x) / 26, 0, 1) * np.clip((patch.y - 60) / 40, 0, 1)
        low_back = np.clip(1 - np.abs(patch.z - 230) / 230, 0, 1)
        crotch = np.clip((-16 - patch.z) / 40, 0, 1)
        arch = np.float32(1.5) * crotch * crotch * np.clip(1.2 - np.abs(patch.x) / 50, 0, 1)
        canvas.fill(patch, f + arch + np.float32(0.16) * groove * low_back < 1, tissue)


def _limbs(canvas: Canvas, build: Build, tissue: str, grow: float) -> None:
    g = grow
    leg = 1.06 if build.female else 1.0

    def one(s: float) -> None:
        legs: list[Point] = [(s * 92, 4, 20), (s * 91, 4, -60), (s * 87, 6, -130), (s * 84, 8, -215)]
        canvas.tube(tissue, legs, [66 + g, 75 * leg + g, 71 * leg + g, 64 * leg + g], rough=0.012)
        for n, (path, radii, flat) in enumerate(arm_paths(build.arms_up, s)):
            thin = 0.55 if n else 1.0
            canvas.tube(tissue, path, [r + thin * g for r in radii], rough=0.015, flat=flat)

    canvas.pair(one)


def arm_paths(arms_up: bool, s: float) -> list[tuple[list[Point], list[float], Point]]:
    """Return upper arm and forearm of one side: points, muscle radii, stretch of the cross-section."""
    if arms_up:
        return [
            ([(s * 118, 26, 486), (s * 150, 24, 538), (s * 162, 14, 590), (s * 168, 4, 650), (s * 172, -6, 730)],
             [44, 47, 42, 38, 35], (1.0, 1.05, 1.0)),
            ([(s * 172, -6, 730), (s * 165, -14, 775), (s * 132, -18, 815), (s * 88, -20, 850)],
             [36, 36, 31, 26], (1.0, 1.0, 1.0)),
        ]  # fmt: skip
    return [
        ([(s * 132, 26, 520), (s * 164, 30, 505), (s * 184, 36, 440), (s * 194, 42, 340), (s * 198, 44, 250)],
         [38, 40, 34, 30, 27], (0.92, 1.15, 1.0)),
        ([(s * 198, 44, 250), (s * 202, 34, 190), (s * 203, 14, 100), (s * 200, 0, 30)],
         [29, 28, 22, 17], (0.85, 1.1, 1.0)),
        ([(s * 200, 0, 30), (s * 197, -4, -30), (s * 190, -4, -90)], [18, 17, 10], (0.65, 1.6, 1.0)),
    ]  # fmt: skip


def _breast(canvas: Canvas, s: float, build: Build) -> None:
    size = build.breast_mm
    y = -82 - 0.6 * build.fat_mm
    canvas.blob("fat", (s * 84, y, 400), (70, size, 74), rough=0.03)
    canvas.blob("fat", (s * 88, y - 4, 388), (56, size, 52), rough=0.03)
    inner = 0.7 * size
    canvas.blob("breast", (s * 86, y - 0.25 * size, 394), (42, inner, 40), rough=0.3, only=("fat",))


def _fascia(canvas: Canvas) -> None:
    """Part the muscles by thin curved sheets of fat, as fasciae do."""
    for z0 in np.arange(-215.0, 660.0, 60.0):
        patch = canvas.patch((-300, -300, z0), (300, 300, z0 + 60.0))
        if patch is None:
            continue
        sheets = canvas.texture(patch, canvas.strands, offset=17)
        mask = np.abs(sheets) < np.float32(0.06)
        mask |= np.abs(canvas.texture(patch, canvas.strands, offset=41) - 1) < np.float32(0.05)
        canvas.fill(patch, mask, "fascia", only=("muscle",))

    def axilla(s: float) -> None:
        path: list[Point] = [(s * 112, -14, 518), (s * 127, 4, 474), (s * 136, 8, 430)]
        canvas.tube("fat", path, [10, 15, 8], rough=0.3, only=("muscle", "fascia"))
        pectoral: list[Point] = [(s * 60, -84, 470), (s * 98, -62, 480), (s * 122, -30, 490)]
        canvas.tube("fat", pectoral, [2.5, 3.5, 5], rough=0.3, only=("muscle", "fascia"), flat=(1, 1, 6))

    canvas.pair(axilla)


def _inner_fat(canvas: Canvas) -> None:
    for z0 in np.arange(-20.0, 555.0, 60.0):
        patch = canvas.patch((-145, -110, z0), (145, 110, min(z0 + 60.0, 556.0)))
        if patch is None:
            continue
        f = cavity(patch.x, patch.y, patch.z) + np.float32(0.03) * canvas.texture(patch, canvas.rough, 5)
        canvas.fill(patch, np.broadcast_to(f < 1, canvas.labels[patch.where].shape), "inner_fat")


def paint_cover(canvas: Canvas) -> None:
    """Paint the skin on the outside of everything, and the table under the patient."""
    for part in range(0, canvas.labels.shape[0], 64):
        block = canvas.labels[part : part + 64]
        outside = block == canvas.codes["air"]
        near = np.zeros_like(outside)
        near[:, 1:] |= outside[:, :-1]
        near[:, :-1] |= outside[:, 1:]
        near[:, :, 1:] |= outside[:, :, :-1]
        near[:, :, :-1] |= outside[:, :, 1:]
        block[near & ((block == canvas.codes["fat"]) | (block == canvas.codes["muscle"]))] = canvas.codes["skin"]
    _table(canvas)


def _table(canvas: Canvas) -> None:
    x, y, _ = canvas.axes
    solid = np.flatnonzero((canvas.labels != canvas.codes["air"]).any(axis=(0, 2)))
    top = np.float32(y[solid[-1]] - 14.0)
    across, down = x[None, :].astype(np.float32), y[:, None].astype(np.float32)
    bowl = top + 22 - across * across * np.float32(0.0006)
    inside = np.abs(across) < 212
    shell = (down > bowl) & (down < bowl + 4) & inside
    foot = top + 62
    walls = np.abs(down - (foot - np.maximum(np.abs(across) - 120, 0) * np.float32(0.62))) < 2.2
    shell |= walls & inside & (down > bowl)
    foam = (down > bowl - 13) & (down <= bowl) & (np.abs(across) < 190)
    for code, mask in (("foam", foam), ("table", shell)):
        j, i = np.nonzero(mask)
        under = canvas.labels[:, j, i]
        under[under == canvas.codes["air"]] = canvas.codes[code]
        canvas.labels[:, j, i] = under
