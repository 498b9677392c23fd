"""Head and neck: skull, brain, face, airway, glands."""

from __future__ import annotations

import numpy as np

from pet2rep_core.datasets.phantom.canvas import Canvas, Point

BRAIN: Point = (0, 12, 732)
_BRAIN_RADII = (66.0, 85.0, 68.0)


def paint_head(canvas: Canvas) -> None:
    """Paint the head from the outside inwards."""
    for tissue, grow in (("fat", 0.0), ("muscle", -4.0)):
        canvas.blob(tissue, (0, 12, 732), (80 + grow, 99 + grow, 83 + grow), rough=0.0)
        canvas.blob(tissue, (0, -34, 662), (60 + grow, 56 + grow, 64 + grow), power=3, rough=0.02)
        canvas.blob(tissue, (0, -58, 622), (36 + grow, 30 + grow, 24 + grow), rough=0.03)
        canvas.tube(tissue, [(0, -84, 705), (0, -93, 680), (0, -84, 668)], [8 + grow / 2, 11 + grow / 2, 9 + grow / 2])
    canvas.pair(lambda s: canvas.blob("fat", (s * 46, -52, 655), (14, 26, 26), rough=0.15, only=("muscle",)))
    _skull(canvas)
    _brain(canvas)
    _face(canvas)
    _neck(canvas)


def _skull(canvas: Canvas) -> None:
    for tissue, grow in (("skull", 0.0), ("diploe", -2.2), ("skull", -4.8)):
        canvas.blob(
            tissue, BRAIN, (74 + grow, 93 + grow, 76 + grow), rough=0.008, where=lambda _x, y, z: z > 690 + 0 * y
        )
        canvas.blob(
            tissue, (0, 26, 690), (66 + grow, 74 + grow, 31 + grow), rough=0.02, where=lambda _x, _y, z: z < 692
        )
    canvas.pair(lambda s: canvas.tube("diploe", [(s * 10, 2, 674), (s * 30, 14, 672), (s * 56, 24, 674)], [6, 8, 10],
                                      rough=0.25))  # fmt: skip
    canvas.blob("diploe", (0, -14, 678), (16, 26, 9), rough=0.25)
    canvas.pair(lambda s: canvas.tube("skull", [(s * 12, -34, 686), (s * 34, -40, 690), (s * 56, -30, 694)], [3.5],
                                      rough=0.2))  # fmt: skip
    canvas.pair(lambda s: canvas.blob("diploe", (s * 58, 28, 664), (14, 20, 18), rough=0.2))
    canvas.pair(lambda s: canvas.blob("airway", (s * 58, 32, 662), (10, 14, 14), rough=0.5, only=("diploe",), offset=8))
    canvas.blob("csf", BRAIN, (68, 87, 70), rough=0.008, where=lambda _x, _y, z: z > 690)
    canvas.blob("csf", (0, 28, 692), (60, 68, 28), rough=0.02, where=lambda _x, y, z: z > 670 - 0.3 * (y - 10))


def _brain(canvas: Canvas) -> None:
    patch = canvas.patch((-70, -80, 690), (70, 104, 806))
    if patch is not None:
        u, v, w = ((c - np.float32(o)) / np.float32(r)
                   for c, o, r in zip((patch.x, patch.y, patch.z), BRAIN, _BRAIN_RADII, strict=True))  # fmt: skip
        f = np.sqrt(u * u + v * v + w * w)
        folds = canvas.texture(patch, canvas.grain, 3) + 0.8 * canvas.texture(patch, canvas.rough, 9)
        inside = (f < 1) & ((patch.z > 702 + 0.14 * (patch.y - 20)) | (patch.y < 10))
        canvas.fill(patch, inside, "white_matter")
        ribbon = inside & ((f > 0.80 + 0.075 * folds) | (np.abs(patch.x) < 7 + 2.5 * folds))
        canvas.fill(patch, ribbon, "grey_matter")
        sulci = inside & (f > 0.84) & (np.abs(folds) < 0.13)
        canvas.fill(patch, sulci, "csf")
        canvas.fill(patch, inside & (np.abs(patch.x) < 1.2) & (f > 0.55), "csf")

    def half(s: float) -> None:
        canvas.tube("basal_ganglia", [(s * 11, -22, 742), (s * 14, -6, 756), (s * 19, 14, 758)], [7, 5, 3])
        canvas.blob("basal_ganglia", (s * 25, -6, 738), (8, 19, 13), turn=(0, s * 12, s * 14))
        canvas.blob("basal_ganglia", (s * 10, 14, 738), (9, 15, 10))
        canvas.tube("grey_matter", [(s * 36, -22, 738), (s * 40, 4, 736), (s * 38, 24, 744)], [5, 6, 5], rough=0.2)
        canvas.tube("csf", [(s * 8, -34, 744), (s * 9, -8, 756), (s * 14, 26, 758), (s * 24, 44, 745)], [4, 4.5, 5, 4])
        canvas.tube("csf", [(s * 24, 44, 745), (s * 30, 26, 728), (s * 32, 4, 720)], [4, 3.5, 2.5])
        canvas.blob(
            "grey_matter", (s * 39, -6, 698), (20, 36, 22), rough=0.12, only=("csf", "white_matter", "grey_matter")
        )
        canvas.blob("white_matter", (s * 40, -6, 702), (10, 25, 11), rough=0.2, only=("grey_matter",))
        canvas.blob("cerebellum", (s * 25, 62, 688), (27, 28, 20), rough=0.1)
        canvas.blob("white_matter", (s * 17, 56, 690), (9, 10, 6), rough=0.2)

    canvas.pair(half)
    canvas.blob("csf", (0, 14, 736), (2, 12, 8))
    canvas.tube("white_matter", [(0, 26, 722), (0, 22, 700), (0, 30, 672)], [11, 13, 7])


def _face(canvas: Canvas) -> None:
    def half(s: float) -> None:
        canvas.tube("cortical", [(s * 12, -80, 716), (s * 34, -74, 722), (s * 52, -58, 704), (s * 44, -66, 682),
                                 (s * 14, -80, 684)], [4.5, 5, 4.5, 4.5, 4])  # fmt: skip
        canvas.tube("cortical", [(s * 48, -60, 682), (s * 62, -34, 684), (s * 64, 4, 682)], [5, 3.6, 4.5])
        canvas.blob("skull", (s * 24, -60, 664), (20, 20, 19), rough=0.06)
        canvas.blob("airway", (s * 25, -58, 666), (17, 17, 16.5), rough=0.08)
        canvas.tube("cortical", [(s * 53, 0, 678), (s * 54, -6, 650), (s * 48, -22, 624), (s * 26, -62, 606),
                                 (s * 3, -76, 604)], [5, 7, 8.5, 8, 8], flat=(0.7, 0.9, 1.2))  # fmt: skip
        canvas.tube("diploe", [(s * 53, -8, 644), (s * 47, -24, 624), (s * 26, -62, 606)], [4, 5, 4.5],
                    flat=(0.6, 0.8, 1.1))  # fmt: skip
        canvas.tube("tooth", [(s * 2, -78, 624), (s * 16, -70, 624), (s * 27, -46, 625)], [3.6], flat=(1, 1, 2.3))
        canvas.blob("inner_fat", (s * 31, -48, 701), (17, 30, 15), rough=0)
        canvas.blob("eye", (s * 32, -66, 702), (12, 12, 12), rough=0)
        for dx, dz in ((0, 10), (0, -10), (-9, 0), (9, 0)):
            canvas.tube("eye_muscle", [(s * 31 + dx, -56, 702 + dz), (s * 18 + dx * 0.3, -28, 701 + dz * 0.3)], [2.2])
        canvas.blob("muscle", (s * 58, -12, 652), (9, 20, 28), only=("fat", "inner_fat"))
        canvas.blob("salivary", (s * 58, 10, 648), (11, 16, 22), rough=0.15, only=("muscle", "fat", "fascia"))
        canvas.blob("salivary", (s * 33, -28, 602), (10, 14, 11), rough=0.15, only=("muscle", "fat", "fascia"))
        canvas.blob("tonsil", (s * 18, -14, 632), (5.5, 7, 10), rough=0.2)

    canvas.pair(half)
    canvas.blob("skull", (0, -62, 694), (14, 22, 16), rough=0.05)
    canvas.pair(lambda s: canvas.blob("airway", (s * 6.5, -58, 695), (5, 20, 14), rough=0.3))
    canvas.pair(lambda s: canvas.blob("airway", (s * 10, -80, 722), (8, 4.5, 9), rough=0.2))
    canvas.blob("airway", (0, -26, 690), (12, 11, 9), rough=0.1)
    canvas.blob("mucosa", (0, -60, 668), (16, 30, 18), rough=0.1, only=("muscle", "fat", "skull"))
    canvas.pair(lambda s: canvas.blob("airway", (s * 4, -58, 664), (2.2, 30, 15), rough=0.4))
    canvas.tube(
        "mucosa", [(0, -26, 668), (0, -14, 650), (0, -6, 628), (0, -8, 606)], [13, 12, 12, 12], flat=(1.1, 0.8, 1)
    )
    canvas.blob("tongue", (0, -46, 626), (22, 30, 17), rough=0.05)
    canvas.blob("cortical", (0, -50, 648), (22, 28, 3), rough=0.1)


def _neck(canvas: Canvas) -> None:
    canvas.pair(lambda s: canvas.tube("inner_fat", [(s * 34, 6, 626), (s * 34, 4, 590), (s * 36, 8, 556)], [10, 11, 14],
                                      only=("muscle", "fascia")))  # fmt: skip
    canvas.pair(lambda s: canvas.tube("muscle", [(s * 56, 22, 640), (s * 46, -8, 590), (s * 24, -38, 534)], [8, 10, 7],
                                      only=("inner_fat", "fat")))  # fmt: skip
    canvas.pair(lambda s: canvas.tube("blood", [(s * 26, 2, 645), (s * 25, 0, 590), (s * 22, 0, 540)], [4.4, 4.6, 4.6]))
    canvas.pair(
        lambda s: canvas.tube("blood", [(s * 33, 8, 645), (s * 34, 2, 590), (s * 30, -8, 535)], [4.5, 6.2, 6.5])
    )
    canvas.tube("larynx", [(0, -16, 604), (0, -20, 580), (0, -18, 560)], [14, 15, 12])
    canvas.tube("airway", [(0, -26, 668), (0, -12, 648), (0, -8, 622), (0, -12, 604), (0, -16, 582), (0, -15, 560)],
                [7, 5, 6, 7.5, 3.4, 8], flat=(1.15, 0.85, 1))  # fmt: skip
    canvas.pair(lambda s: canvas.blob("thyroid", (s * 18, -12, 556), (9, 10, 22), rough=0.08,
                                      only=("muscle", "fascia", "inner_fat", "fat", "larynx")))  # fmt: skip
    canvas.blob("thyroid", (0, -27, 550), (14, 4, 7), rough=0.1)
