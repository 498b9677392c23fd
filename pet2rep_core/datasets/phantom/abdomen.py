"""Belly and pelvis: liver, spleen, stomach, bowel, kidneys, vessels, bladder, genital organs."""

from __future__ import annotations

import math

import numpy as np

from pet2rep_core.datasets.phantom.body import cavity, dome
from pet2rep_core.datasets.phantom.canvas import Array, Canvas, Point

_SOFT = ("inner_fat", "muscle", "fascia")


def paint_belly(canvas: Canvas, female: bool, bladder_mm: float) -> None:
    """Paint the organs below the diaphragm, deep ones first."""
    _muscles(canvas)
    _great_vessels(canvas)
    _kidneys(canvas)
    _pelvis(canvas, female, bladder_mm)
    _small_bowel(canvas)
    _colon(canvas)
    _stomach(canvas)
    _pancreas(canvas)
    _spleen(canvas)
    _liver(canvas)


def _below_dome(x: Array, y: Array, z: Array) -> Array:
    return (z < dome(x, y) - 4) & (cavity(x, y, z, 2.0) < 1)


def _muscles(canvas: Canvas) -> None:
    patch = canvas.patch((-140, -100, 240), (140, 100, 380))
    if patch is not None:
        # The crura and the dome itself: a thin sheet of muscle between lung and belly.
        z = dome(patch.x, patch.y)
        sheet = (patch.z < z) & (patch.z > z - 3.5) & (cavity(patch.x, patch.y, patch.z, 1.0) < 1)
        canvas.fill(patch, sheet, "muscle", only=("inner_fat",))

    def half(s: float) -> None:
        psoas: list[Point] = [(s * 24, 36, 285), (s * 33, 34, 230), (s * 42, 28, 170), (s * 56, 8, 110),
                              (s * 76, -22, 60), (s * 92, -20, 20)]  # fmt: skip
        canvas.tube("muscle", psoas, [5, 12, 19, 20, 17, 13], only=("inner_fat", "fascia"))
        canvas.tube(
            "muscle", [(s * 64, 60, 265), (s * 70, 60, 210), (s * 76, 60, 165)], [11, 14, 16], only=("inner_fat",)
        )
        canvas.tube("muscle", [(s * 104, -20, 140), (s * 98, -6, 100), (s * 90, -14, 66)], [10, 15, 14],
                    only=("inner_fat",))  # fmt: skip
        canvas.tube("muscle", [(s * 12, 34, 345), (s * 14, 26, 300), (s * 16, 20, 265)], [5], only=("inner_fat",))

    canvas.pair(half)


def _great_vessels(canvas: Canvas) -> None:
    canvas.tube("blood", [(8, 14, 290), (6, 4, 250), (5, -2, 200), (2, -2, 160)], [10, 9.5, 9, 8.5])
    canvas.tube("blood", [(-28, -4, 345), (-24, 4, 300), (-22, 4, 240), (-18, 2, 160)], [12, 12, 11, 11])
    canvas.tube("blood", [(0, -4, 200), (2, -24, 215), (-8, -34, 190), (-16, -40, 140)], [4.5], only=_SOFT)

    def iliac(s: float) -> None:
        canvas.tube("blood", [(2, -2, 162), (s * 26, 6, 125), (s * 50, -2, 85), (s * 66, -44, 35), (s * 70, -58, -30),
                              (s * 66, -50, -90), (s * 58, -20, -215)], [6.5, 6, 5.5, 5, 5, 4.5, 4])  # fmt: skip
        canvas.tube("blood", [(-16, 2, 162), (s * 30, 16, 118), (s * 48, 8, 80), (s * 58, -38, 32), (s * 60, -54, -30),
                              (s * 58, -44, -90), (s * 52, -12, -215)], [7.5, 7, 6.5, 6, 6, 5, 4])  # fmt: skip

    canvas.pair(iliac)


def _kidneys(canvas: Canvas) -> None:
    for s, z in ((-1.0, 232.0), (1.0, 248.0)):
        centre = (s * 62, 42, z)
        turn = (10.0, s * 14.0, s * 22.0)
        canvas.blob("inner_fat", centre, (36, 33, 66), turn=turn, rough=0.05, only=("muscle", "fascia"),
                    where=lambda _x, y, _z: y < 72)  # fmt: skip
        canvas.blob("kidney", centre, (27, 24, 54), turn=turn, rough=0.05, only=_SOFT)
        sinus = (s * 52, 36, z)
        canvas.blob("inner_fat", sinus, (17, 12, 28), rough=0.15, only=("kidney",))
        pelvis: Point = (s * 46, 32, z - 2)
        for dz in (-26.0, -10.0, 8.0, 24.0):
            off = np.round(canvas.rng.standard_normal(3) * (3.0, 3.5, 4.0), 2)
            end: Point = (s * (60 - 0.08 * abs(dz)) + off[0], 42 + off[1], z + dz + off[2])
            size = 2.2 + 2.2 * float(canvas.rng.random())
            canvas.tube(
                "renal_pelvis", [pelvis, (s * 52, 36, z + 0.5 * dz), end], [2.2, 1.6, size], only=("kidney", *_SOFT)
            )
        canvas.blob("renal_pelvis", pelvis, (6, 5, 9), rough=0.15, only=("kidney", *_SOFT))
        canvas.tube("ureter", [pelvis, (s * 38, 28, z - 35), (s * 35, 14, z - 62)], [3, 2.0, 1.4], only=_SOFT)
        canvas.tube("ureter", [(s * 38, 2, 128), (s * 44, 4, 105)], [1.9], only=_SOFT)
        canvas.tube("blood", [(0 if s > 0 else -20, 4, z - 2), (s * 30, 18, z + 2), (s * 44, 28, z)], [4.5], only=_SOFT)
    for s, z, y in ((-1.0, 296.0, 28.0), (1.0, 306.0, 24.0)):
        canvas.tube("adrenal", [(s * 34, y, z - 12), (s * 33, y - 6, z), (s * 36, y + 8, z - 10)], [2.9], only=_SOFT)
        canvas.tube("adrenal", [(s * 33, y - 6, z), (s * 44, y + 6, z - 14)], [2.7], only=_SOFT)


def _pelvis(canvas: Canvas, female: bool, size: float) -> None:
    canvas.tube("bowel_quiet", [(4, 66, 66), (-2, 66, 40), (0, 56, 14), (0, 50, -24)], [17, 18, 17, 11], rough=0.1)
    canvas.tube("stool", [(4, 66, 66), (-2, 66, 40), (0, 56, 16)], [12, 14, 11], rough=0.2)
    canvas.tube("gas", [(2, 60, 58), (-2, 58, 36)], [6, 5], rough=0.3)
    canvas.pair(lambda s: canvas.tube("muscle", [(s * 52, 40, 60), (s * 50, 10, 30), (s * 40, -24, 8)], [9, 11, 8],
                                      only=("inner_fat",)))  # fmt: skip
    centre = (0, -28, 28 + 0.4 * size)
    canvas.blob("bladder_wall", centre, (size + 3, 0.8 * size + 3, 0.8 * size + 3), turn=(16, 5, 0), rough=0.05)
    canvas.blob("bladder", centre, (size, 0.8 * size, 0.8 * size), turn=(16, 5, 0), rough=0.05)
    if female:
        top = 28 + 0.4 * size
        canvas.blob("uterus", (3, 14, top + 14), (25, 19, 27), turn=(-35, 0, 0), rough=0.06, only=_SOFT)
        canvas.tube("uterus", [(2, 18, top - 2), (0, 26, top - 22), (0, 28, top - 38)], [14, 12, 9], only=_SOFT)
        canvas.pair(lambda s: canvas.blob("ovary", (s * 42, 16, top + 18), (11, 9, 13), rough=0.1, only=_SOFT))
    else:
        canvas.blob("prostate", (0, -14, 4), (23, 16, 16), rough=0.05)
        canvas.pair(lambda s: canvas.blob("prostate", (s * 16, 12, 22), (14, 6, 6), rough=0.1, only=_SOFT))


def _small_bowel(canvas: Canvas) -> None:
    rng = canvas.rng
    kinds = ("bowel_quiet", "bowel_usual", "bowel_quiet", "bowel_usual", "bowel_usual")
    low, high = np.array([-72.0, -66.0, 46.0]), np.array([84.0, 16.0, 206.0])
    for _ in range(64):
        at = low + (high - low) * rng.random(3)
        heading = rng.standard_normal(3) * (1.0, 0.5, 1.0)
        part: list[Point] = []
        for _ in range(6):
            heading = 0.55 * heading + rng.standard_normal(3) * (0.8, 0.35, 0.8)
            at = np.clip(at + 19.0 * heading / math.sqrt(float(heading @ heading)), low, high)
            part.append((round(float(at[0]), 2), round(float(at[1]), 2), round(float(at[2]), 2)))
        kind = kinds[int(rng.integers(len(kinds)))]
        r = 8.5 + 4.0 * float(rng.random())
        if rng.random() < 0.22:
            continue
        canvas.tube(kind, part, [r], rough=0.12, only=("inner_fat",), where=_below_dome)
        canvas.tube("bowel_content", part, [r - 3.6], rough=0.25, only=(kind,))
        if rng.random() < 0.3:
            x, y, z = part[2]
            canvas.blob("gas", (x, y - 4, z), (9, 4, 5), rough=0.2, only=("bowel_content",))
    canvas.tube("bowel_usual", [(-34, -34, 245), (-46, -4, 232), (-40, 2, 190), (0, -12, 176), (28, -20, 215)],
                [11], rough=0.1, only=("inner_fat",))  # fmt: skip


def _colon(canvas: Canvas) -> None:
    parts: list[tuple[str, list[Point], float]] = [
        ("bowel_usual", [(-84, -8, 88), (-96, 4, 110), (-99, 14, 150)], 24.0),
        ("bowel_quiet", [(-99, 14, 150), (-97, 12, 185), (-88, 0, 212)], 21.0),
        ("bowel_quiet", [(-88, -2, 212), (-62, -48, 200), (-28, -66, 190)], 18.0),
        ("bowel_quiet", [(-28, -66, 190), (10, -70, 182), (50, -62, 206), (88, -30, 258), (104, 10, 282)], 16.0),
        ("bowel_usual", [(104, 10, 282), (109, 34, 250), (107, 36, 200), (104, 28, 150)], 14.0),
        ("bowel_quiet", [(104, 28, 150), (90, 8, 112), (62, 12, 88), (36, 0, 84), (26, 30, 92), (6, 60, 74)], 13.0),
    ]
    for kind, path, r in parts:
        haustra = [r * f for f in (1.0, 0.82, 1.05, 0.85, 1.0, 0.88, 1.04)]
        fine = [(float(p[0]), float(p[1]), float(p[2])) for p in _resample(path, 9)]
        canvas.tube(kind, fine, haustra, rough=0.1, only=("inner_fat", "bowel_usual", "bowel_quiet"))
        canvas.tube("stool", fine, [v - 3.6 for v in haustra], rough=0.14, only=(kind,))
        for p in fine[1::2]:
            canvas.blob(
                "gas", (p[0], p[1] - 0.45 * r, p[2]), (0.62 * r, 0.4 * r, 0.66 * r), rough=0.25, only=("stool",)
            )


def _resample(path: list[Point], count: int) -> Array:
    p = np.asarray(path, dtype=np.float64)
    t = np.linspace(0, len(p) - 1, count)
    return np.stack([np.interp(t, np.arange(len(p)), p[:, a]) for a in range(3)], axis=1).round(3)


def _stomach(canvas: Canvas) -> None:
    path: list[Point] = [(58, 18, 330), (64, -2, 312), (60, -30, 278), (42, -50, 246), (10, -54, 232), (-18, -46, 238),
                         (-32, -36, 246)]  # fmt: skip
    radii = [29, 32, 26, 22, 18, 13, 9]
    soft = (*_SOFT, "bowel_usual", "bowel_quiet", "bowel_content", "stool", "gas")
    canvas.tube("stomach_wall", path, radii, rough=0.10, only=soft, where=_below_dome)
    canvas.tube("stomach_content", path, [r - 5.0 for r in radii], rough=0.2, only=("stomach_wall",))
    canvas.blob("gas", (60, -36, 292), (17, 9, 26), rough=0.12, only=("stomach_content",))
    canvas.blob("gas", (30, -62, 240), (22, 6, 9), rough=0.12, only=("stomach_content",))


def _pancreas(canvas: Canvas) -> None:
    canvas.tube("pancreas", [(-30, -14, 222), (-22, -18, 240), (4, -22, 250), (34, -6, 262), (66, 18, 282)],
                [13, 12, 9, 9.5, 9], rough=0.2, only=("inner_fat",))  # fmt: skip
    canvas.tube(
        "blood", [(-18, -10, 252), (14, -8, 258), (50, 12, 276), (88, 30, 300)], [5, 4, 4, 3.5], only=("inner_fat",)
    )


def _spleen(canvas: Canvas) -> None:
    soft = (*_SOFT, "bowel_usual", "bowel_quiet", "stool", "gas")
    canvas.blob("spleen", (102, 42, 288), (35, 50, 58), turn=(-22, -8, 24), rough=0.06, only=soft,
                where=lambda x, y, z: _below_dome(x, y, z)
                & ((x - 66) * (x - 66) + (y - 4) * (y - 4) > 34 * 34) & (z < dome(x, y) - 5))  # fmt: skip


def _liver(canvas: Canvas) -> None:
    patch = canvas.patch((-140, -100, 170), (84, 95, 372))
    if patch is None:
        return
    x, y, z = patch.x, patch.y, patch.z
    room = (cavity(x, y, z, 4.0) < 1) & (z < dome(x, y) - 3)
    t = np.clip((x + 125) / 205, 0, 1)
    wave = canvas.texture(patch, canvas.rough, 21)
    # Lower edge: the right lobe hangs low at the side, the left lobe thins out towards its tip.
    lower = 196 + 112 * t * np.sqrt(t) + np.clip(y + 20, 0, 60) * 0.30 + 26 * np.clip(1 - np.abs(x + 62) / 26, 0, 1)
    back = np.where(x < -30, 84, 84 - (x + 30) * 1.75)
    # The left lobe thins out from both sides, and its back is hollowed by the stomach.
    tip = np.clip((x - 10) / 62, 0, 1.4)
    upper = dome(x, y) - 3 - 26 * tip * tip
    mask = room & (z > lower + 4.5 * wave + 14 * tip * tip) & (z < upper + 3 * wave) & (y < back + 4 * wave)
    bulge = (x + 10) / 90
    mask = mask & ((x < -10) | (y < 30 - 62 * bulge * np.sqrt(np.maximum(bulge, 0)) + 5 * wave))
    canvas.fill(patch, mask, "liver", only=(*_SOFT, "bowel_usual", "bowel_quiet", "bowel_content", "stool", "gas",
                                            "stomach_wall", "pancreas", "stomach_content"))  # fmt: skip
    hepatic: list[list[Point]] = [
        [(-28, 0, 340), (-60, 4, 330), (-100, 10, 305)], [(-28, -4, 342), (-56, -34, 322), (-70, -60, 295)],
        [(-26, -6, 342), (-4, -36, 328), (22, -54, 316)], [(-28, -10, 262), (-52, -4, 280), (-84, 0, 282)],
        [(-52, -4, 280), (-74, 20, 290), (-98, 34, 300)], [(-52, -4, 280), (-84, -22, 262), (-104, -20, 240)],
        [(-42, -8, 275), (-16, -34, 296), (6, -56, 302)],
    ]  # fmt: skip
    for path in hepatic:
        canvas.tube("liver_vein", path, [5.2, 3.8, 2.0], only=("liver",))
    canvas.tube(
        "blood", [(-20, -10, 246), (-30, -10, 262), (-40, -8, 276)], [6.5], only=("inner_fat", "liver", "pancreas")
    )
    canvas.blob("gallbladder", (-60, -46, 214), (15, 17, 27), turn=(24, 0, 0), rough=0.03,
                only=("liver", *_SOFT, "stool", "bowel_quiet", "gas", "bowel_usual", "bowel_content"))  # fmt: skip
