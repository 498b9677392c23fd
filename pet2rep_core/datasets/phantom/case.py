"""One demo case: painted, scanned, measured, reported."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from pet2rep_core.datasets.phantom.abdomen import paint_belly
from pet2rep_core.datasets.phantom.body import paint_body, paint_cover
from pet2rep_core.datasets.phantom.canvas import Array, Canvas, Point
from pet2rep_core.datasets.phantom.head import paint_head
from pet2rep_core.datasets.phantom.reports import Measured, normal_organs, write_reports
from pet2rep_core.datasets.phantom.scanner import scan_ct, scan_pet
from pet2rep_core.datasets.phantom.skeleton import paint_bones
from pet2rep_core.datasets.phantom.spec import CaseSpec, LesionSpec, Tissue, read_case_spec
from pet2rep_core.datasets.phantom.thorax import paint_chest
from pet2rep_core.imaging.volume import Volume
from pet2rep_core.records import Report, UptakeState

PHANTOM_VERSION = "1"
"""Raised whenever the voxels or the reports of a case change."""

CT_SIZE = 320
CT_FIELD_MM = 500.0
SLICE_MM = 3.0
_LOW, _HIGH = -205.0, 828.0
MARGIN_MM = 3.0
"""SUVmax of a lesion is taken in a sphere of half its largest diameter and this margin."""


@dataclass(frozen=True, slots=True)
class TruthItem:
    """What is true of one organ or lesion of a demo case.

    Parameters
    ----------
    organ : str
        Organ group, as in the organ lexicon.
    state : UptakeState
        FDG uptake of the organ or lesion.
    side : str
        ``left``, ``right``, ``bilateral``, or empty for organs without a side.
    name : str
        Name of the lesion; empty for an organ without one.
    seen : str
        ``both``, ``pet`` or ``ct``: which image shows the lesion.
    suv_max : float or None
        SUVbw in g/mL, the largest PET voxel within half the largest diameter + 3 mm of the centre; None
        for organs without a lesion.
    size_mm : (x, y, z) or None
        Painted diameters across, front to back and along the body.
    centre_mm : (x, y, z) or None
        Centre in world mm (left, posterior, superior).
    """

    organ: str
    state: UptakeState
    side: str = ""
    name: str = ""
    seen: str = "both"
    suv_max: float | None = None
    size_mm: Point | None = None
    centre_mm: Point | None = None


@dataclass(frozen=True, slots=True)
class DemoCase:
    """A synthetic study with reports that are true of it: ``pet`` in SUVbw (g/mL), ``ct`` in HU, both LPS."""

    case_id: str
    pet: Volume
    ct: Volume
    reports: tuple[Report, ...]
    metadata: dict[str, str]
    truth: tuple[TruthItem, ...]


def make_demo_case(case_id: str) -> DemoCase:
    """Return one synthetic whole-body FDG PET/CT case; the same call gives the same voxels and reports.

    Raises
    ------
    UnknownNameError
        If there is no such case.
    """
    spec = read_case_spec(case_id)
    rng = np.random.default_rng(spec.seed)
    canvas = _paint(spec, rng)
    tissues = [_tissue(spec, name) for name in canvas.codes]
    hu, suv, grain = (np.array(column) for column in zip(*((t.hu, t.suv, t.grain_hu) for t in tissues), strict=True))
    pet, centres = scan_pet(canvas, suv, spec.scanner, rng)
    ct = scan_ct(canvas, hu, grain, spec.ct_noise_hu, rng)
    x, y, z = canvas.axes
    pet_volume = _volume(
        pet, (centres[0], centres[0], z[0]), (spec.scanner.spacing_mm, spec.scanner.spacing_mm, SLICE_MM)
    )
    spacing = CT_FIELD_MM / CT_SIZE
    ct_volume = _volume(ct, (x[0], y[0], z[0]), (spacing, spacing, SLICE_MM))
    lesions = tuple(_measure(spec, lesion, pet_volume) for lesion in spec.lesions)
    measured = [
        Measured(t.name, s.group, t.suv_max or 0.0, s.diameter_mm) for t, s in zip(lesions, spec.lesions, strict=True)
    ]
    taken = {t.organ for t in lesions}
    normal = tuple(TruthItem(o, UptakeState.NORMAL) for o in normal_organs(spec) if o not in taken)
    return DemoCase(
        case_id, pet_volume, ct_volume, write_reports(spec, measured), dict(spec.metadata), normal + lesions
    )


def _paint(spec: CaseSpec, rng: np.random.Generator) -> Canvas:
    spacing = CT_FIELD_MM / CT_SIZE
    plane = (np.arange(CT_SIZE) - (CT_SIZE - 1) / 2) * spacing
    height = spec.frame.scale[2]
    first = round(_LOW * height / SLICE_MM)
    count = round((_HIGH - _LOW) * height / SLICE_MM)
    z = (first + np.arange(count)) * SLICE_MM
    canvas = Canvas({name: n for n, name in enumerate(spec.tissues)}, spec.frame, (plane, plane, z), rng)
    paint_body(canvas, spec.build)
    paint_head(canvas)
    paint_bones(canvas, spec.build.arms_up)
    paint_chest(canvas)
    paint_belly(canvas, spec.build.female, spec.bladder_mm)
    for n, lesion in enumerate(spec.lesions):
        if lesion.painted:
            canvas.add(_code(lesion.name))
            radii = [d / 2 / s for d, s in zip(lesion.diameter_mm, spec.frame.scale, strict=True)]
            canvas.blob(_code(lesion.name), lesion.centre, radii, power=lesion.power, rough=lesion.rough,
                        only=lesion.only, offset=7 * n)  # fmt: skip
            _spicules(canvas, lesion, radii)
    paint_cover(canvas)
    return canvas


def _spicules(canvas: Canvas, lesion: LesionSpec, radii: list[float]) -> None:
    for _ in range(lesion.spicules):
        way = canvas.rng.standard_normal(3)
        way /= math.sqrt(float(way[0] * way[0] + way[1] * way[1] + way[2] * way[2]))
        ends = []
        for reach in (0.8, 1.45 + 0.5 * float(canvas.rng.random())):
            x, y, z = (round(c + reach * r * float(w), 3) for c, r, w in zip(lesion.centre, radii, way, strict=True))
            ends.append((x, y, z))
        canvas.tube("lung_vessel", ends, [2.2, 1.0], only=("lung",))


def _code(lesion: str) -> str:
    return f"lesion {lesion}"


def _tissue(spec: CaseSpec, name: str) -> Tissue:
    if name in spec.tissues:
        return spec.tissues[name]
    lesion = next(row for row in spec.lesions if _code(row.name) == name)
    base = spec.tissues[lesion.like] if lesion.like else Tissue(40.0, 1.0, 8.0)
    return Tissue(
        base.hu if lesion.hu is None else lesion.hu, base.suv if lesion.suv is None else lesion.suv, base.grain_hu
    )


def _volume(values: Array, origin: tuple[float, float, float], spacing: Point) -> Volume:
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = origin
    out = values.T
    out.flags.writeable = False
    return Volume(out, affine)


def _measure(spec: CaseSpec, lesion: LesionSpec, pet: Volume) -> TruthItem:
    centre = spec.frame.to_world(lesion.centre)
    radius = max(lesion.diameter_mm) / 2 + MARGIN_MM
    suv_max: float | None = None
    if lesion.state is UptakeState.INCREASED:
        suv_max = round(sphere_max(pet, centre, radius), 3)
    return TruthItem(
        lesion.organ, lesion.state, lesion.side, lesion.name, lesion.seen, suv_max, lesion.diameter_mm,
        (round(centre[0], 2), round(centre[1], 2), round(centre[2], 2)),
    )  # fmt: skip


def sphere_max(volume: Volume, centre_mm: Point, radius_mm: float) -> float:
    """Return the largest voxel whose centre lies within a sphere, for a volume with LPS axes."""
    axes = [
        volume.affine_lps[a, 3] + volume.affine_lps[a, a] * np.arange(n) - centre_mm[a]
        for a, n in enumerate(volume.values.shape)
    ]
    near = [np.flatnonzero(np.abs(a) <= radius_mm) for a in axes]
    x, y, z = (a[n] for a, n in zip(axes, near, strict=True))
    inside = x[:, None, None] ** 2 + y[None, :, None] ** 2 + z[None, None, :] ** 2 <= radius_mm**2
    return float(volume.values[np.ix_(*near)][inside].max())
