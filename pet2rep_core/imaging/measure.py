"""Numbers of a volume of interest, on the original voxels: maximum, mean, peak, segmented volumes, HU, a histogram.

Everything is in the unit of the PET: SUVbw where it is known, else Bq/mL or counts, and then nothing here is
called SUV. Voxels that are no numbers are left out and counted. Standard deviations are of the population
(divided by the number of voxels), as IBSI defines them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.ndimage

from pet2rep_core.errors import ImageGeometryError
from pet2rep_core.imaging.peak import Peak, peak_of
from pet2rep_core.imaging.prepared import PreparedCase
from pet2rep_core.imaging.voi import (
    Freehand,
    Index,
    Line,
    Point,
    Region,
    Sphere,
    region_of,
    to_index,
    to_mm,
    voxel_volume_ml,
)
from pet2rep_core.imaging.volume import Volume
from pet2rep_core.records import PetUnit

VERSION = 1
RELATIVE_THRESHOLD = 0.41
FIXED_THRESHOLDS = {"suv2.5": 2.5, "suv4.0": 4.0}
THRESHOLDS = ("41pct", *FIXED_THRESHOLDS, "percist")
"""Names of the thresholds, in the order in which they are given."""

LIVER_DIAMETER_MM = 30.0
MAX_BINS = 64
MAX_SAMPLES = 512
_WITH_CORNERS = np.ones((3, 3, 3), dtype=bool)


@dataclass(frozen=True, slots=True)
class Uptake:
    """The PET over a VOI, in ``unit``. ``max_index`` is (i, j, k), ``max_mm`` its centre in LPS mm."""

    unit: PetUnit
    max: float
    max_index: Index
    max_mm: Point
    mean: float
    sd: float
    min: float
    peak: Peak


@dataclass(frozen=True, slots=True)
class Segment:
    """The voxels of a VOI at or above a threshold that hang together with its hottest voxel.

    ``total`` is volume times mean: with SUV the TLG (g), and ``volume_ml`` the MTV. Where the threshold does not
    exist its value is None; where no voxel reaches it the volume is 0 and there is no mean. ``reason`` says why.
    """

    threshold: str
    value: float | None
    voxels: int | None
    volume_ml: float | None
    mean: float | None
    total: float | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Hounsfield:
    """The CT over a VOI in HU; ``left_out`` voxels lie where the CT was not taken."""

    mean: float
    sd: float
    min: float
    max: float
    voxels: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of equal bins between ``edges``; the last bin holds its upper edge."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VoiResult:
    """What was measured in a VOI.

    ``voxels`` and ``volume_ml`` count the voxels that are numbers, ``left_out`` the others; ``clipped`` tells
    that the shape reaches beyond the image. ``uptake`` is None without a PET, ``hu`` without a CT there; the
    histogram is of the PET where there is one, else of the CT.
    """

    voxels: int
    left_out: int
    volume_ml: float
    clipped: bool
    uptake: Uptake | None
    segments: tuple[Segment, ...]
    hu: Hounsfield | None
    histogram: Histogram
    signature: str


@dataclass(frozen=True, slots=True)
class LiverReference:
    """Mean and SD of a 3 cm sphere in the right liver lobe in SUVbw.

    ``sul_per_suvbw`` is lean body mass over body weight, None where it is not known.
    """

    mean: float
    sd: float
    sul_per_suvbw: float | None

    @property
    def threshold(self) -> float:
        """1.5 times the mean plus 2 SD, in SUVbw.

        PERCIST 1.0 states it for SUL. Lean body mass only scales all values of a patient, so that the same
        voxels pass either way (Wahl et al., J Nucl Med 2009;50(Suppl 1):122S).
        """
        return 1.5 * self.mean + 2 * self.sd

    @property
    def threshold_sul(self) -> float | None:
        """The same in SUL, or None where the lean body mass is not known."""
        return None if self.sul_per_suvbw is None else self.threshold * self.sul_per_suvbw

    @property
    def scale(self) -> str:
        """Name of the scale that the threshold is stated in."""
        return "suvbw" if self.sul_per_suvbw is None else "sul"


@dataclass(frozen=True, slots=True)
class LineResult:
    """Values along a line at equal distances; None where the image ends or is no number."""

    length_mm: float
    distance_mm: tuple[float, ...]
    unit: PetUnit | None
    pet: tuple[float | None, ...] | None
    hu: tuple[float | None, ...] | None
    signature: str


def measure_voi(
    images: PreparedCase, shape: Sphere | Freehand, *, liver: LiverReference | None = None, no_liver: str = ""
) -> VoiResult:
    """Return the numbers of a VOI on the grid of a case.

    Parameters
    ----------
    images : PreparedCase
        ``pet`` and ``ct`` are on one grid; ``ct_fine`` tells where the CT was taken.
    liver : LiverReference, optional
        For the PERCIST threshold; without it ``no_liver`` says in one sentence why there is none.

    Raises
    ------
    ImageGeometryError
        If the case has no volume, or the VOI holds no voxel of it that is a number.
    """
    grid = _grid(images)
    region = region_of(grid, shape)
    values = grid.values[region.box][region.mask].astype(np.float64)
    good = np.isfinite(values)
    numbers = values[good]
    if numbers.size == 0:
        raise ImageGeometryError(
            f"None of the {values.size} voxels of this VOI holds a number.", hint="Put it where the image has values."
        )
    unit = images.pet_unit if images.pet is not None else None
    uptake: Uptake | None = None
    segments: tuple[Segment, ...] = ()
    if images.pet is not None and unit is not None:
        uptake, segments = _uptake(images.pet, unit, region, numbers, liver, no_liver)
    return VoiResult(
        voxels=int(numbers.size),
        left_out=int(values.size - numbers.size),
        volume_ml=numbers.size * voxel_volume_ml(grid),
        clipped=region.clipped,
        uptake=uptake,
        segments=segments,
        hu=_hounsfield(images, region),
        histogram=_histogram(numbers),
        signature=_voi_signature(shape, unit, liver),
    )


def liver_reference(images: PreparedCase, sphere: Sphere) -> LiverReference:
    """Return mean and SD of a liver reference sphere.

    Raises
    ------
    ImageGeometryError
        If the PET is not in SUV, or the sphere is not the whole 3 cm sphere of PERCIST.
    """
    if images.pet is None or images.pet_unit is not PetUnit.SUVBW:
        raise ImageGeometryError("A liver reference needs a PET in SUV.", hint="Measure it in a case with SUV.")
    if abs(sphere.diameter_mm - LIVER_DIAMETER_MM) > 0.01:
        raise ImageGeometryError(
            f"The liver reference has a diameter of {sphere.diameter_mm:g} mm.",
            hint=f"PERCIST asks for a sphere of {LIVER_DIAMETER_MM:g} mm in the right lobe.",
        )
    region = region_of(images.pet, sphere)
    values = images.pet.values[region.box][region.mask].astype(np.float64)
    if region.clipped or not np.isfinite(values).all():
        raise ImageGeometryError(
            "The liver reference reaches beyond the image's valid voxels.", hint="Put all of it into the liver."
        )
    bw, lbm = images.suv.bw, images.suv.lbm
    return LiverReference(
        mean=float(values.mean()), sd=float(values.std()), sul_per_suvbw=None if bw is None or lbm is None else lbm / bw
    )


def measure_line(images: PreparedCase, line: Line) -> LineResult:
    """Return length and profile of a line, sampled at least twice per voxel; the CT on its own grid.

    Raises
    ------
    ImageGeometryError
        If the case has no volume or no part of the line is in it.
    """
    grid = _grid(images)
    ct = images.ct_fine or images.ct
    steps = int(np.ceil(2 * line.length_mm / min(grid.spacing_mm)))
    return profile(images.pet, images.pet_unit, ct, line, n=min(max(steps, 1) + 1, MAX_SAMPLES))


def profile(pet: Volume | None, pet_unit: PetUnit | None, ct: Volume | None, line: Line, *, n: int) -> LineResult:
    """Return ``n`` values from the start of a line to its end, interpolated linearly.

    Raises
    ------
    ImageGeometryError
        If no part of the line is in the image.
    """
    share = np.linspace(0.0, 1.0, n)
    start, end = np.array(line.start_mm), np.array(line.end_mm)
    points = start + share[:, None] * (end - start)
    along = {name: _along(volume, points) for name, volume in (("pet", pet), ("hu", ct)) if volume is not None}
    if not any(np.isfinite(values).any() for values in along.values()):
        raise ImageGeometryError("No part of the line lies in the image.", hint="Draw it over the image.")
    found = {name: tuple(_or_none(value) for value in values) for name, values in along.items()}
    return LineResult(
        length_mm=line.length_mm,
        distance_mm=tuple(float(value) for value in share * line.length_mm),
        unit=pet_unit,
        pet=found.get("pet"),
        hu=found.get("hu"),
        signature=_signature("line", interpolation="linear", unit=str(pet_unit or "hu")),
    )


def _grid(images: PreparedCase) -> Volume:
    if images.grid is None:
        raise ImageGeometryError("This case has no volume to measure in.", hint="Only PET and CT can be measured.")
    return images.grid


def _uptake(
    pet: Volume,
    unit: PetUnit,
    region: Region,
    numbers: npt.NDArray[np.float64],
    liver: LiverReference | None,
    no_liver: str,
) -> tuple[Uptake, tuple[Segment, ...]]:
    box = np.where(region.mask, pet.values[region.box].astype(np.float64), np.nan)
    box[~np.isfinite(box)] = np.nan
    at = np.unravel_index(int(np.nanargmax(box)), box.shape)
    i, j, k = (int(a + b) for a, b in zip(at, region.first, strict=True))
    x, y, z = (float(value) for value in to_mm(pet, (i, j, k))[0])
    hottest = float(box[at])
    uptake = Uptake(
        unit=unit,
        max=hottest,
        max_index=(i, j, k),
        max_mm=(x, y, z),
        mean=float(numbers.mean()),
        sd=float(numbers.std()),
        min=float(numbers.min()),
        peak=peak_of(pet, region),
    )
    voxel_ml = voxel_volume_ml(pet)
    wanted = _thresholds(unit, hottest, liver, no_liver)
    return uptake, tuple(_segment(name, *wanted[name], box, at, voxel_ml) for name in THRESHOLDS)


def _thresholds(
    unit: PetUnit, hottest: float, liver: LiverReference | None, no_liver: str
) -> dict[str, tuple[float | None, str]]:
    """Return value, or reason, of each threshold."""
    found: dict[str, tuple[float | None, str]] = {
        "41pct": (RELATIVE_THRESHOLD * hottest, "") if hottest > 0 else (None, "The VOI has no uptake above zero.")
    }
    if unit is not PetUnit.SUVBW:
        reason = "The PET is not in SUV."
        return found | dict.fromkeys((*FIXED_THRESHOLDS, "percist"), (None, reason))
    found |= {name: (value, "") for name, value in FIXED_THRESHOLDS.items()}
    return found | {"percist": (None, no_liver) if liver is None else (liver.threshold, "")}


def _segment(
    name: str, threshold: float | None, reason: str, box: npt.NDArray[Any], at: tuple[Any, ...], voxel_ml: float
) -> Segment:
    if threshold is None:
        return Segment(name, None, None, None, None, None, reason)
    above = box >= threshold  # NaN is below everything
    if not above[at]:
        return Segment(name, threshold, 0, 0.0, None, 0.0, f"No voxel of the VOI reaches {threshold:.4g}.")
    labels, _ = scipy.ndimage.label(above, structure=_WITH_CORNERS)
    inside = box[labels == labels[at]]
    volume, mean = inside.size * voxel_ml, float(inside.mean())
    return Segment(name, threshold, int(inside.size), volume, mean, volume * mean)


def _hounsfield(images: PreparedCase, region: Region) -> Hounsfield | None:
    if images.ct is None:
        return None
    values = images.ct.values[region.box][region.mask].astype(np.float64)
    taken = np.isfinite(values)
    if images.ct_fine is not None:
        # The CT on the PET's grid is filled with air where there is no CT; that is no measurement.
        index = np.argwhere(region.mask) + region.first
        place = to_index(images.ct_fine, to_mm(images.ct, index))
        taken &= ((place >= -0.5) & (place <= np.array(images.ct_fine.values.shape) - 0.5)).all(axis=1)
    inside = values[taken]
    if inside.size == 0:
        return None
    return Hounsfield(
        mean=float(inside.mean()),
        sd=float(inside.std()),
        min=float(inside.min()),
        max=float(inside.max()),
        voxels=int(inside.size),
        left_out=int(values.size - inside.size),
    )


def _histogram(numbers: npt.NDArray[np.float64]) -> Histogram:
    low, high = float(numbers.min()), float(numbers.max())
    if low == high:
        return Histogram((low, high), (int(numbers.size),))
    bins = min(MAX_BINS, int(np.ceil(np.sqrt(numbers.size))))
    counts, edges = np.histogram(numbers, bins=bins, range=(low, high))
    return Histogram(tuple(float(edge) for edge in edges), tuple(int(count) for count in counts))


def _along(volume: Volume, points_mm: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Read a volume linearly at points in LPS mm; NaN outside. Edge voxels reach half a voxel outwards."""
    size = np.array(volume.values.shape)
    index = to_index(volume, points_mm)
    outside = ((index < -0.5) | (index > size - 0.5)).any(axis=1)
    found = np.full(len(index), np.nan)
    if outside.all():
        return found
    place = np.clip(index[~outside], 0, size - 1)
    first = np.floor(place.min(axis=0)).astype(int)
    last = np.ceil(place.max(axis=0)).astype(int) + 1
    i, j, k = (slice(a, b) for a, b in zip(first, last, strict=True))
    box = np.asarray(volume.values[i, j, k], dtype=np.float64)
    found[~outside] = scipy.ndimage.map_coordinates(box, (place - first).T, order=1, mode="nearest")
    return found


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _voi_signature(shape: Sphere | Freehand, unit: PetUnit | None, liver: LiverReference | None) -> str:
    name = "sphere" if isinstance(shape, Sphere) else "freehand"
    if unit is None:
        return _signature("voi", sd="population", shape=name, unit="hu")
    thresholds = ["41pct", *(FIXED_THRESHOLDS if unit is PetUnit.SUVBW else ())]
    if unit is PetUnit.SUVBW and liver is not None:
        thresholds.append(f"percist-{liver.scale}")
    return _signature(
        "voi",
        conn="26",
        peak="1ml-voxel-centres",
        sd="population",
        shape=name,
        thr=",".join(thresholds),
        unit=str(unit),
    )


def _signature(what: str, **parts: str) -> str:
    return "|".join([what, *(f"{key}:{parts[key]}" for key in sorted(parts)), f"v:{VERSION}"])
