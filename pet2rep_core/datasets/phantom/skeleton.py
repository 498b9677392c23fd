"""Bones: spine, rib cage, shoulders, arms, pelvis and thighs."""

from __future__ import annotations

import math

import numpy as np

from pet2rep_core.datasets.phantom.body import arm_paths, cavity_outline
from pet2rep_core.datasets.phantom.canvas import Canvas, Point

# Vertebrae from head to foot: height of the body's centre, its depth, half width, half depth, half height (model mm).
VERTEBRAE: dict[str, tuple[float, float, float, float, float]] = {
    "C2": (634, 22, 9, 8, 9), "C3": (615, 22, 10, 8.5, 6.5), "C4": (599, 23, 10.5, 9, 6.5),
    "C5": (583, 25, 11, 9, 6.5), "C6": (567, 29, 11.5, 9, 6.5), "C7": (551, 35, 12.5, 9.5, 7),
    "T1": (534, 41, 14, 10, 7.5), "T2": (515, 46, 14, 11, 8), "T3": (496, 50, 14, 12, 8), "T4": (477, 54, 14, 13, 8),
    "T5": (457, 57, 14, 14, 8.5), "T6": (437, 58, 14.5, 14.5, 8.5), "T7": (416, 58, 15, 15, 9),
    "T8": (394, 57, 15.5, 15.5, 9), "T9": (371, 54, 16, 16, 9.5), "T10": (347, 50, 17, 16, 10),
    "T11": (322, 45, 18, 16.5, 10.5), "T12": (296, 40, 19.5, 16.5, 11.5), "L1": (267, 34, 21, 17, 12.5),
    "L2": (235, 28, 22, 17, 13), "L3": (201, 24, 23, 17.5, 13.5), "L4": (166, 24, 24, 18, 13.5),
    "L5": (131, 29, 25, 18, 13.5),
}  # fmt: skip


def paint_bones(canvas: Canvas, arms_up: bool) -> None:
    """Paint the whole skeleton below the skull."""
    _rib_cage(canvas)
    canvas.pair(lambda s: _shoulder(canvas, s))
    canvas.pair(lambda s: _arm(canvas, s, arms_up))
    canvas.pair(lambda s: _pelvis(canvas, s))
    _sacrum(canvas)
    canvas.pair(lambda s: _thigh(canvas, s))
    _spine(canvas)


def _spine(canvas: Canvas) -> None:
    levels = list(VERTEBRAE.items())
    for n, (name, (z, y, w, d, h)) in enumerate(levels):
        under = levels[n + 1][1] if n + 1 < len(levels) else (97, 42, 25, 18, 12)
        gap, mid_y = (z - h + under[0] + under[4]) / 2, (y + under[1]) / 2
        canvas.blob("disc", (0, mid_y, gap), (w * 0.98, d * 0.98, (z - under[0]) / 2 - 4), power=4, rough=0.02)
        back = y + d + 18
        size = 0.62 if name.startswith("C") else 1.0
        lumbar = name.startswith("L")
        reach = 34 if lumbar else (26 if name.startswith("T") else 17)
        drop = 4 if lumbar else (20 if name.startswith("T") else 6)
        for tissue, thin in (("thin_cortex", 0.0), ("trabecular", 2.2)):
            r = 5.5 * size - thin
            if r < 1.2:
                continue
            for s in (-1.0, 1.0):
                canvas.tube(tissue, [(s * 11 * size, y + d - 3, z + 3), (s * 13 * size, y + d + 9, z + 1)], [r])
                canvas.tube(tissue, [(s * 13 * size, y + d + 9, z), (s * 4, back, z - 4)], [r * 0.85])
                canvas.tube(tissue, [(s * 14 * size, y + d + 7, z), (s * reach, y + d + (9 if lumbar else 16), z + 2)],
                            [r * 0.8, r * 0.65])  # fmt: skip
                canvas.tube(tissue, [(s * 14 * size, y + d + 10, z + h), (s * 14 * size, y + d + 10, z - h)], [r])
            length = 28 if lumbar else 22 * size
            canvas.tube(tissue, [(0, back - 2, z - 4), (0, back + length, z - 4 - drop)], [r * 0.8],
                        flat=(0.75, 1, 1.6 if lumbar else 1.1))  # fmt: skip
        canvas.blob("thin_cortex", (0, y, z), (w, d, h), power=4, rough=0.02)
        canvas.blob("trabecular", (0, y, z), (w - 1.7, d - 1.7, h - 1.6), power=4, rough=0.02)
    canal: list[Point] = [(0, y + d + 8, z) for z, y, _, d, _ in VERTEBRAE.values()]
    canvas.tube("csf", [(0, 30, 665), *canal, (0, 68, 90)], [9, 8, 8, 8.5, 7])
    canvas.tube("cord", [(0, 30, 668), *canal[:19]], [5.5, 4.6, 4.6, 3.5])


def _rib(level: int, s: float) -> tuple[list[Point], float]:
    z, y, w, d, _ = VERTEBRAE[f"T{level}"]
    ends = (2.55, 2.6, 2.6, 2.6, 2.55, 2.5, 2.42, 2.3, 2.2, 2.0, 1.35, 0.95)
    slope = (22, 38, 50, 58, 64, 68, 72, 74, 76, 74, 60, 42)[level - 1]
    points: list[Point] = [(s * (w + 3), y + d - 6, z + 4)]
    start = 0.42
    for n in range(12):
        angle = start + (ends[level - 1] - start) * n / 11
        bend = (1 - math.cos(angle)) / 2
        zz = z + 6 - slope * (bend * 1.1)
        a, front, back = cavity_outline(max(min(zz, 543.0), 200.0))
        a, front, back = a + 5, front - 5, back + 4
        sx, cy = math.sin(angle), math.cos(angle)
        # Points of a superellipse of power 2.5, as the cavity itself.
        x = a * math.copysign(abs(sx) ** 0.8, sx)
        yy = (front + back) / 2 + (back - front) / 2 * math.copysign(abs(cy) ** 0.8, cy)
        points.append((round(s * x, 3), round(yy, 3), round(zz, 3)))
    return points, 4.6 if level in (1, 12) else 5.2


def _rib_cage(canvas: Canvas) -> None:
    for level in range(1, 13):
        for s in (-1.0, 1.0):
            points, r = _rib(level, s)
            canvas.tube("cortical", points, [r, r, r - 0.5], flat=(0.8, 0.8, 1.2))
            canvas.tube("rib_marrow", points, [r - 2.0], flat=(0.8, 0.8, 1.2))
            if level <= 10:
                x, y, z = points[-1]
                notch = 505 - 14 * min(level, 7)
                front = float(np.interp(notch, (372, 405, 452, 478, 508), (-96, -94, -84, -71, -61)))
                meet: Point = (s * 17, front, notch) if level <= 7 else (s * 42, -92, z + 22)
                middle: Point = ((x + meet[0]) / 2, min(y, meet[1]) - 1, (z + meet[2]) / 2 - 6)
                canvas.tube("cartilage", [points[-1], middle, meet], [5.0, 4.6])
    for tissue, thin in (("thin_cortex", 0.0), ("rib_marrow", 1.8)):
        canvas.tube(tissue, [(0, -66, 508), (0, -77, 478), (0, -89, 452)], [15 - thin, 13 - thin, 11 - thin],
                    flat=(1.4, 0.42 if thin == 0 else 0.34, 1))  # fmt: skip
        canvas.tube(tissue, [(0, -91, 446), (0, -99, 405), (0, -101, 372)], [12 - thin, 14 - thin, 9 - thin],
                    flat=(1.1, 0.42 if thin == 0 else 0.34, 1))  # fmt: skip


def _shoulder(canvas: Canvas, s: float) -> None:
    for tissue, thin in (("cortical", 0.0), ("rib_marrow", 2.2)):
        canvas.tube(tissue, [(s * 20, -60, 512), (s * 55, -58, 524), (s * 95, -32, 538), (s * 138, -2, 548)],
                    [7.5 - thin, 5.6 - thin, 5.6 - thin, 6.5 - thin])  # fmt: skip
    glenoid: Point = (s * 132, 26, 522)
    tip: Point = (s * 104, 98, 398)
    spine_end: Point = (s * 70, 92, 500)
    for n in range(15):
        t = n / 14
        edge: Point = tuple(a + (b - a) * t for a, b in zip(spine_end, tip, strict=True))  # type: ignore[assignment]
        outer: Point = tuple(a + (b - a) * t for a, b in zip(glenoid, tip, strict=True))  # type: ignore[assignment]
        mid: Point = ((edge[0] + outer[0]) / 2, (edge[1] + outer[1]) / 2 + 5, (edge[2] + outer[2]) / 2)
        canvas.tube("thin_cortex", [edge, mid, outer], [3.4, 2.6, 4.2])
    for tissue, thin in (("cortical", 0.0), ("rib_marrow", 2.0)):
        canvas.tube(tissue, [glenoid, tip], [7.5 - thin, 4.2 - thin])
        canvas.tube(tissue, [(s * 72, 97, 502), (s * 110, 88, 522), (s * 146, 48, 552), (s * 152, 12, 556)],
                    [4 - thin / 2, 5.5 - thin, 7 - thin, 6 - thin])  # fmt: skip
        canvas.blob(tissue, glenoid, (10 - thin, 15 - thin, 18 - thin))
        canvas.tube(tissue, [(s * 128, 12, 536), (s * 130, -16, 534)], [6 - thin])


def _arm(canvas: Canvas, s: float, arms_up: bool) -> None:
    upper, fore, *_ = (path for path, _, _ in arm_paths(arms_up, s))
    head: Point = (s * 155, 22, 530)
    shaft = [head, *upper[2:]]
    canvas.blob("cortical", head, (23, 23, 22), rough=0.02)
    canvas.blob("rib_marrow", head, (20.5, 20.5, 19.5), rough=0.02)
    canvas.tube("cortical", shaft, [15, 11, 10.5, 12])
    canvas.tube("fatty_marrow", shaft[1:], [6, 5.5, 6])
    for off in (-9.0, 9.0):
        bone: list[Point] = [(x + off, y + 0.4 * off, z) for x, y, z in fore]
        canvas.tube("cortical", bone, [8, 6.5, 7])
        canvas.tube("fatty_marrow", bone, [3.6, 3.0, 4])


def _pelvis(canvas: Canvas, s: float) -> None:
    low: list[Point] = [(s * 82, -22, 52), (s * 80, 8, 52), (s * 74, 36, 56), (s * 58, 62, 72)]
    crest: list[Point] = [(s * 122, -66, 112), (s * 139, -20, 160), (s * 126, 38, 172), (s * 52, 88, 132)]
    count = 34
    for tissue, thin in (("cortical", 0.0), ("pelvic_marrow", 2.0)):
        for n in range(count):
            t = 3 * n / (count - 1)
            k = min(int(t), 2)
            u = t - k
            a: Point = tuple(p + (q - p) * u for p, q in zip(low[k], low[k + 1], strict=True))  # type: ignore[assignment]
            b: Point = tuple(p + (q - p) * u for p, q in zip(crest[k], crest[k + 1], strict=True))  # type: ignore[assignment]
            mid: Point = ((a[0] + b[0]) / 2 - s * 3, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2)
            canvas.tube(tissue, [a, mid, b], [9 - thin, 4.6 - 0.8 * thin, 6.5 - thin])
        canvas.blob(tissue, (s * 80, 4, 22), (32 - thin, 36 - thin, 36 - thin), rough=0.04,
                    where=lambda x, _y, _z: s * x < 94)  # fmt: skip
        canvas.tube(tissue, [(s * 66, -20, 18), (s * 36, -50, 14), (s * 9, -60, 0)], [10 - thin, 8 - thin, 9 - thin])
        canvas.tube(tissue, [(s * 9, -60, -2), (s * 26, -42, -28), (s * 46, -4, -48)], [8 - thin, 7 - thin, 9 - thin])
        canvas.tube(tissue, [(s * 80, 32, 8), (s * 66, 36, -20), (s * 52, 20, -46)], [15 - thin, 13 - thin, 13 - thin])
    canvas.blob("inner_fat", (s * 90, 2, 16), (27.5, 27.5, 27.5), rough=0)
    canvas.blob("muscle", (s * 56, 6, 20), (12, 34, 34), only=("inner_fat",))
    canvas.blob("cartilage", (0, -58, -2), (5, 9, 16))


def _sacrum(canvas: Canvas) -> None:
    steps = ((94, 46, 50, 19), (72, 58, 46, 18), (50, 70, 37, 15), (30, 78, 28, 12), (12, 80, 19, 10))
    for tissue, thin in (("thin_cortex", 0.0), ("trabecular", 2.2)):
        for z, y, w, d in steps:
            canvas.blob(tissue, (0, y, z), (w - thin, d - thin, 15 - thin / 2), power=3, rough=0.05)
        canvas.tube(tissue, [(0, 78, 4), (0, 70, -12), (0, 62, -20)], [7 - thin, 5 - thin, 3.5])
    for z, y, w, _ in steps[:4]:
        for s in (-1.0, 1.0):
            canvas.tube("inner_fat", [(s * w * 0.46, y - 16, z - 11), (s * w * 0.44, y + 10, z - 11)], [3.2])
    canvas.tube("csf", [(0, 68, 95), (0, 78, 70), (0, 86, 45)], [7, 5, 2])


def _thigh(canvas: Canvas, s: float) -> None:
    head: Point = (s * 90, 2, 16)
    trochanter: Point = (s * 132, 20, -2)
    shaft: list[Point] = [(s * 124, 14, -24), (s * 112, 4, -100), (s * 98, 0, -220)]
    canvas.blob("thin_cortex", head, (24.5, 24.5, 24.5), rough=0)
    canvas.blob("pelvic_marrow", head, (22.2, 22.2, 22.2), rough=0)
    for tissue, thin in (("cortical", 0.0), ("pelvic_marrow", 2.6)):
        canvas.tube(tissue, [(s * 98, 5, 12), trochanter], [16 - thin, 17 - thin])
        canvas.blob(tissue, trochanter, (16 - thin, 19 - thin, 23 - thin), rough=0.05)
        canvas.tube(tissue, [trochanter, shaft[0]], [18 - thin, 17 - thin])
    canvas.blob("pelvic_marrow", (s * 93, 3, 15), (17, 15, 15), rough=0)
    canvas.tube("cortical", shaft, [17, 14.5, 14.5])
    canvas.tube("pelvic_marrow", shaft[:2], [12.5, 7])
    canvas.tube("fatty_marrow", [shaft[1], shaft[2]], [7.5, 7.5])
