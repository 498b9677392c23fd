"""Chest: lungs with their vessels, airways, heart and great vessels."""

from __future__ import annotations

import math

import numpy as np

from pet2rep_core.datasets.phantom.body import cavity, dome
from pet2rep_core.datasets.phantom.canvas import Array, Canvas, Point


def paint_chest(canvas: Canvas) -> None:
    """Paint lungs, mediastinum and heart, in this order."""
    patch = canvas.patch((-140, -100, 250), (140, 100, 556))
    if patch is not None:
        inside = (cavity(patch.x, patch.y, patch.z, 3.0) < 1) & (patch.z > dome(patch.x, patch.y))
        wave = np.float32(4.5) * canvas.texture(patch, canvas.rough, 33)
        inside = inside & ~_middle(patch.x + wave, patch.y + wave, patch.z)
        canvas.fill(patch, inside, "lung", only=("inner_fat", "muscle", "fascia"))
    _lung_trees(canvas)
    _vessels(canvas)
    _heart(canvas)
    _airways(canvas)


def _middle(x: Array, y: Array, z: Array) -> Array:
    """Return where the mediastinum and the spine part the lungs."""
    grow = np.clip((470 - z) / 60, 0, 1)
    narrow = np.clip((z - 505) / 40, 0, 1)
    left = 27 + 14 * grow - 4 * narrow
    right = 27 + 6 * grow - 2 * narrow
    front = (x < left) & (x > -right)
    # In front the lungs nearly meet behind the sternum, at the back they reach beside the spine.
    slim = np.clip((-y - 45) / 28, 0, 1) * np.clip((z - 400) / 30, 0, 1)
    front = front & (np.abs(x) < 40 - 30 * slim)
    spine = (np.abs(x) < 19 - np.clip((y - 62) / 12, 0, 1) * 3) & (y > 36)
    u, v, w = (x - 16) / 66, (y + 40) / 52, (z - 392) / 58
    deep = np.clip((20 - y) / 36, 0, 1)
    bulge = np.clip(1 - np.abs(z - 400) / 50, 0, 1)
    column = front & (y < 40) & (x < 13 + 32 * deep) & (x > -13 - (13 + 15 * bulge) * deep)
    return np.asarray(column | spine | (u * u + v * v + w * w < 1))


def _lung_trees(canvas: Canvas) -> None:
    """Grow vessels from the hila into the lungs, thinner at every fork."""
    rng = canvas.rng
    for s in (-1.0, 1.0):
        hilum = np.array([s * 44.0, 8.0, 445.0])
        ends = []
        for _ in range(110):
            z = 300 + 235 * float(rng.random())
            reach = 60 + 70 * float(rng.random())
            angle = (float(rng.random()) - 0.5) * 3.6
            ends.append(hilum + np.array([s * math.cos(angle) * reach, 5 + math.sin(angle) * 80, (z - 445) * 0.95]))
        for n, end in enumerate(ends):
            mid = hilum + (end - hilum) * 0.5 + rng.standard_normal(3) * 13
            start = hilum if n < 14 else hilum + (ends[n % 14] - hilum) * 0.42
            size = 6.5 if n < 14 else 3.4
            points = [_point(start), _point(start * 0.4 + mid * 0.6), _point(end)]
            canvas.tube("lung_vessel", points, [size, 0.62 * size, 1.0], only=("lung",))


def _point(p: Array) -> Point:
    return round(float(p[0]), 3), round(float(p[1]), 3), round(float(p[2]), 3)


def _vessels(canvas: Canvas) -> None:
    soft = ("inner_fat", "lung", "lung_vessel", "muscle", "fascia")
    canvas.tube("inner_fat", [(-2, -20, 520), (0, -18, 480), (4, -8, 430)], [27, 30, 34], only=soft, rough=0.08)
    arch: list[Point] = [(-6, -28, 418), (-20, -32, 450), (-18, -26, 478), (2, -6, 494), (22, 20, 486), (27, 34, 462),
                         (26, 40, 420), (22, 38, 370), (14, 28, 320), (8, 14, 285)]  # fmt: skip
    canvas.tube("inner_fat", arch, [19, 19, 18, 17, 16, 16], only=("lung", "lung_vessel"))
    canvas.tube("blood", arch, [16, 16.5, 15, 14, 13, 13, 12.5, 12, 11, 10])
    canvas.tube("blood", [(-32, -26, 515), (-33, -22, 470), (-34, -20, 420)], [8.5, 9.5, 10])
    canvas.tube("blood", [(-32, -26, 512), (-10, -34, 506), (18, -34, 516), (34, -16, 532)], [8, 7, 6.5, 6])
    canvas.tube("blood", [(-32, -26, 512), (-36, -16, 535)], [8, 6.5])
    for path, r in (([(-10, -18, 490), (-20, -10, 520), (-24, -2, 542)], 6.0),
                    ([(4, -6, 494), (12, -4, 520), (22, 0, 542)], 4.5),
                    ([(16, 10, 490), (28, 12, 520), (40, 10, 542), (80, 6, 540)], 4.8)):  # fmt: skip
        canvas.tube("blood", path, [r])
    canvas.tube(
        "blood", [(6, -58, 415), (14, -44, 440), (22, -22, 455), (42, 6, 456), (58, 12, 448)], [14, 14, 13, 10, 7]
    )
    canvas.tube("blood", [(18, -26, 452), (-8, -8, 450), (-36, 2, 446), (-54, 6, 440)], [11, 11, 9.5, 7])
    for end in ((-48, 14, 425), (-46, -6, 410), (50, 18, 428), (48, 4, 412)):
        canvas.tube("blood", [(4 + end[0] * 0.3, 8, 410), end], [8, 6])
    canvas.tube("blood", [(-30, -6, 335), (-30, -14, 365), (-30, -22, 385)], [12])
    canvas.tube("esophagus", [(2, 2, 560), (4, 22, 520), (6, 26, 480), (4, 28, 430), (8, 18, 380), (22, 2, 352)],
                [6, 6, 6, 6.5, 7, 8], flat=(1.25, 0.8, 1))  # fmt: skip


def _heart(canvas: Canvas) -> None:
    turn = (0.0, 32.0, -38.0)
    canvas.blob("inner_fat", (16, -40, 392), (64, 49, 54), rough=0.03, only=("lung", "lung_vessel", "muscle", "fascia"))
    canvas.blob("blood", (-26, -36, 392), (29, 30, 34), rough=0.05)
    canvas.blob("blood", (8, 0, 412), (34, 20, 24), rough=0.05)
    canvas.blob("right_ventricle", (6, -62, 384), (38, 24, 30), turn=(0, 20, -14), rough=0.05)
    canvas.blob("blood", (6, -63, 385), (33, 19.5, 26), turn=(0, 20, -14), rough=0.05)
    canvas.blob("myocardium", (42, -40, 384), (47, 33, 33), turn=turn, rough=0.03)
    canvas.blob("blood", (38, -37, 387), (37, 21, 21), turn=turn, rough=0.04)
    canvas.blob("blood", (10, -14, 404), (19, 18, 18), rough=0.03)
    canvas.blob("blood", (-2, -34, 414), (16, 16, 16), rough=0.03)


def _airways(canvas: Canvas) -> None:
    trachea: list[Point] = [(0, -15, 562), (-1, -6, 530), (-2, 4, 500), (-2, 10, 470)]
    right: list[Point] = [(-2, 10, 470), (-20, 11, 456), (-40, 12, 444), (-52, 14, 426)]
    left: list[Point] = [(-2, 10, 470), (18, 12, 452), (40, 15, 440), (54, 18, 424)]
    for path, r in ((trachea, [9.5]), (right, [8.5, 8, 6.5, 4.5]), (left, [8, 7, 5.8, 4.2])):
        canvas.tube("bronchus_wall", path, [v + 1.8 for v in r])
    for path, r in ((trachea, [9.5]), (right, [8.5, 8, 6.5, 4.5]), (left, [8, 7, 5.8, 4.2])):
        canvas.tube("airway", path, r)
    for s, start in ((-1.0, (-40.0, 12.0, 444.0)), (1.0, (42.0, 16.0, 438.0))):
        for end in ((s * 78, -20, 470), (s * 72, 22, 492), (s * 80, -34, 420), (s * 76, 30, 390), (s * 64, 40, 360)):
            middle: Point = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + 9, (start[2] + end[2]) / 2 - 8)
            canvas.tube("bronchus_wall", [start, middle, end], [3.0, 2.2, 1.2], only=("lung", "lung_vessel"))
            canvas.tube("airway", [start, middle, end], [2.0, 1.2, 0.5], only=("bronchus_wall", "lung", "lung_vessel"))
