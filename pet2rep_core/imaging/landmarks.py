"""Heights in a body that can be seen in a volume, and the place of an organ's band between them.

The lungs carry everything: air inside the body shows their apex and base, their height is the unit of
``data/bands.toml``, and what is not in view is put where an average body has it, and marked so. Without a CT that
shows lungs the brain and the bladder, the hot ends of an FDG PET, take their part. All of it is an estimate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from pet2rep_core.imaging.bands import Band, Height, read_bands
from pet2rep_core.imaging.maxima import Peaks, find_peaks
from pet2rep_core.imaging.prepared import PreparedCase
from pet2rep_core.imaging.volume import Volume
from pet2rep_core.records import PetUnit

Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
_SAMPLE_MM = 7.0
_BODY_HU, _AIR_HU = -300, -400
_LEAST_LUNGS_ML = 300.0
_LUNG_TAIL = 0.005
_LEAST_IN_VIEW = 0.25
_HOT = 4.0
_BRAIN_ML = (250.0, 2500.0)
_LEAST_BLADDER_ML = 8.0
_MIDDLE_MM = 40.0
_BRAIN_REACH_MM = 220.0
_SKULL_MM = 12.0


@dataclass(frozen=True, slots=True)
class Level:
    """A landmark along K of the grid (a fraction of a voxel); ``seen`` is False where it is only estimated."""

    k: float
    seen: bool


@dataclass(frozen=True, slots=True)
class BandPlace:
    """A band in a volume: a point and a box in grid coordinates, (low, high) along I, J and K."""

    point: tuple[float, float, float]
    box: tuple[tuple[float, float], tuple[float, float], tuple[float, float]]
    seen: bool


@dataclass(frozen=True, slots=True, eq=False)
class CaseLandmarks:
    """Landmarks of one case, with the middle, front and back of the body at every sampled height.

    Parameters
    ----------
    levels : dict
        Landmark to its level; empty where nothing could be found.
    lung_height, half_width : float
        In voxels along K and along I.
    heights, middle, front, back : (N,) arrays
        Places along K, and there the middle of the body along I and its front and back along J.
    shape : (I, J, K)
        Size of the grid.
    peaks : Peaks or None
        Local maxima of the PET where it is in SUVbw.
    """

    levels: Mapping[str, Level]
    lung_height: float
    half_width: float
    heights: Floats
    middle: Floats
    front: Floats
    back: Floats
    shape: tuple[int, int, int]
    peaks: Peaks | None

    def level(self, height: Height) -> float:
        """Return where a height lies along K."""
        own = self.levels[height.landmark].k + height.above * self.lung_height
        return own if height.toward is None else own + height.share * (self.level(height.toward) - own)

    def place(self, band: Band, side: str | None) -> BandPlace | None:
        """Return where a band lies; None where there are no landmarks or less than a quarter of the band is in view.

        Parameters
        ----------
        band : Band
            From :func:`pet2rep_core.imaging.bands.read_bands`.
        side : str or None
            left or right; it narrows paired organs only. Without it the point of a paired organ is the midline.
        """
        if not self.levels:
            return None
        low, high = sorted((self.level(band.bottom), self.level(band.top)))
        whole = high - low
        low, high = max(low, -0.5), min(high, self.shape[2] - 0.5)
        if high - low < _LEAST_IN_VIEW * whole:
            return None
        k = (low + high) / 2
        middle, front, back = (float(np.interp(k, self.heights, line)) for line in (self.middle, self.front, self.back))
        across, point = band.across, band.point[0]
        if band.paired and side in ("left", "right"):
            sign = 1 if side == "left" else -1
            point = sign * (point or sum(across) / 2)
            across = (min(sign * a for a in across), max(sign * a for a in across))
        elif band.paired:
            across, point = (-max(across), max(across)), 0.0
        in_i = tuple(middle + a * self.half_width for a in across)
        in_j = tuple(front + d * (back - front) for d in band.depth)
        at = (middle + point * self.half_width, front + band.point[1] * (back - front), k)
        inside = [min(max(value, 0.0), size - 1.0) for value, size in zip(at, self.shape, strict=True)]
        seen = self.levels[band.top.landmark].seen and self.levels[band.bottom.landmark].seen
        return BandPlace((inside[0], inside[1], inside[2]), ((in_i[0], in_i[1]), (in_j[0], in_j[1]), (low, high)), seen)


def read_landmarks(images: PreparedCase) -> CaseLandmarks | None:
    """Return the landmarks of a case; None for a case without volumes.

    It reads a sample of the voxels every 7 mm, and the whole PET once for its peaks.
    """
    grid = images.grid
    if grid is None:
        return None
    step = np.array([max(1, round(_SAMPLE_MM / mm)) for mm in grid.spacing_mm])
    sample_mm = step * np.array(grid.spacing_mm)
    pet = None if images.pet is None else _sample(images.pet, step)
    ct = None if images.ct is None else _sample(images.ct, step)
    air = None if ct is None else _lung_air(ct)
    body = _body(ct, pet, air)
    outline = _outline(body, sample_mm)
    lungs = None if air is None else _measure_lungs(air, sample_mm)
    hot = _HotEnds(None, None) if pet is None else _find_hot_ends(pet, body, outline, sample_mm)
    frame = _frame(lungs, hot, body, outline, sample_mm)
    in_suv = images.pet is not None and images.pet_unit is PetUnit.SUVBW
    return CaseLandmarks(
        levels={name: Level(float(level.k * step[2]), level.seen) for name, level in frame.levels.items()},
        lung_height=float(frame.lung_height * step[2]),
        half_width=float(frame.half_width * step[0]),
        heights=np.arange(body.shape[2], dtype=np.float64) * float(step[2]),
        middle=outline.middle * step[0],
        front=outline.front * step[1],
        back=outline.back * step[1],
        shape=(grid.values.shape[0], grid.values.shape[1], grid.values.shape[2]),
        peaks=find_peaks(images.pet) if in_suv and images.pet is not None else None,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Outline:
    """Middle (I), front and back (J) of the body at every sampled height."""

    middle: Floats
    front: Floats
    back: Floats


@dataclass(frozen=True, slots=True)
class _Lungs:
    """Apex and base (K), half width (I); whether the volume cuts them off above or below."""

    apex: float
    base: float
    half_width: float
    cut_above: bool
    cut_below: bool


@dataclass(frozen=True, slots=True)
class _HotEnds:
    """Top and bottom of the brain and middle of the bladder along K, where a PET shows them."""

    brain: tuple[float, float] | None
    bladder: float | None


@dataclass(frozen=True, slots=True)
class _Frame:
    levels: dict[str, Level]
    lung_height: float
    half_width: float


def _sample(volume: Volume, step: npt.NDArray[np.int_]) -> npt.NDArray[Any]:
    return np.asarray(volume.values[:: step[0], :: step[1], :: step[2]])


def _body(ct: npt.NDArray[Any] | None, pet: npt.NDArray[Any] | None, air: Mask | None) -> Mask:
    """Return the body with what it holds, without the table."""
    if ct is not None:
        mask = ct > _BODY_HU
    else:
        assert pet is not None  # a case with a grid has one of them
        mask = pet > 0.05 * float(np.percentile(pet, 99.5))
    # The table is a thin sheet: an erosion along J removes it and leaves the body.
    line = np.zeros((1, 3, 1), dtype=bool)
    line[:, :, 0] = True
    opened = ndimage.binary_opening(mask, structure=line)
    labels, count = ndimage.label(opened)
    if count:
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        opened = labels == sizes.argmax()
    return _filled(opened if air is None else opened | air)


def _filled(mask: Mask) -> Mask:
    """Return the mask with its holes of every axial plane."""
    return np.stack([ndimage.binary_fill_holes(mask[:, :, k]) for k in range(mask.shape[2])], axis=-1).astype(bool)


def _outline(body: Mask, sample_mm: npt.NDArray[Any]) -> _Outline:
    size_i, size_j, size_k = body.shape
    lines = np.full((3, size_k), np.nan)
    reach = max(1, round(_MIDDLE_MM / sample_mm[0]))
    for k in range(size_k):
        mass = body[:, :, k].sum(axis=1).cumsum()
        if not mass[-1]:
            continue
        middle = int(np.searchsorted(mass, mass[-1] / 2))
        rows = np.flatnonzero(body[max(middle - reach, 0) : middle + reach + 1, :, k].any(axis=0))
        lines[:, k] = middle, rows[0], rows[-1]
    known = np.flatnonzero(np.isfinite(lines[0]))
    if not known.size:
        return _Outline(np.full(size_k, (size_i - 1) / 2), np.zeros(size_k), np.full(size_k, size_j - 1.0))
    middle, front, back = (np.interp(np.arange(size_k), known, line[known]) for line in lines)
    return _Outline(middle, front, back)


def _lung_air(ct: npt.NDArray[Any]) -> Mask:
    """Return the largest air inside the body, with a second lung of nearly its size."""
    labels, count = ndimage.label(_filled(ct > _BODY_HU) & (ct < _AIR_HU))
    if not count:
        return np.zeros(ct.shape, dtype=bool)
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    lungs = labels == sizes.argmax()
    extent = np.flatnonzero(lungs.any(axis=(0, 1)))
    for other in np.flatnonzero(sizes > 0.3 * sizes.max()):
        heights = np.flatnonzero((labels == other).any(axis=(0, 1)))
        if min(heights[-1], extent[-1]) > max(heights[0], extent[0]):
            lungs |= labels == other
    return np.asarray(lungs)


def _measure_lungs(lungs: Mask, sample_mm: npt.NDArray[Any]) -> _Lungs | None:
    """Return where the lungs end, or None where the air is too little to be lungs."""
    if lungs.sum() * float(np.prod(sample_mm)) / 1000 < _LEAST_LUNGS_ML:
        return None
    profile = lungs.sum(axis=(0, 1)).astype(float)
    share = np.cumsum(profile) / profile.sum()
    # The trachea goes on above the apex; it holds less than this share of the air.
    base, apex = np.searchsorted(share, [_LUNG_TAIL, 1 - _LUNG_TAIL])
    columns = np.cumsum(lungs.sum(axis=(1, 2)).astype(float))
    left, right = np.searchsorted(columns / columns[-1], [0.01, 0.99])
    wide = 0.25 * profile.max()
    return _Lungs(
        apex=float(apex),
        base=float(base),
        half_width=float(right - left + 1) / 2,
        cut_above=bool(profile[-1] > wide),
        cut_below=bool(profile[0] > wide),
    )


def _find_hot_ends(pet: npt.NDArray[Any], body: Mask, outline: _Outline, sample_mm: npt.NDArray[Any]) -> _HotEnds:
    """Return the brain and the bladder: large and hot at the top, hot in the middle at the bottom."""
    inside = np.flatnonzero(body.any(axis=(0, 1)))
    if not inside.size:
        return _HotEnds(None, None)
    bottom, top = int(inside[0]), int(inside[-1])
    smooth = ndimage.uniform_filter(np.where(body, pet, 0.0), 3)
    labels, _ = ndimage.label(smooth > _HOT * float(np.median(pet[body])))
    voxel_ml = float(np.prod(sample_mm)) / 1000
    brain: tuple[float, float] | None = None
    bladder: tuple[float, float] | None = None
    for number, where in enumerate(ndimage.find_objects(labels), start=1):
        own = labels[where] == number
        volume_ml = own.sum() * voxel_ml
        low, high = where[2].start, where[2].stop - 1
        away_mm = abs((where[0].start + where[0].stop - 1) / 2 - outline.middle[(low + high) // 2]) * sample_mm[0]
        from_top_mm = (top - (low + high) / 2) * sample_mm[2]
        if _BRAIN_ML[0] < volume_ml < _BRAIN_ML[1] and away_mm < _MIDDLE_MM and from_top_mm < _BRAIN_REACH_MM:
            brain = (float(high), float(low))
        elif volume_ml > _LEAST_BLADDER_ML and away_mm < _MIDDLE_MM and high < bottom + 0.45 * (top - bottom):
            heat = float(smooth[where][own].sum())
            middle = float(np.average(np.arange(low, high + 1), weights=own.sum(axis=(0, 1))))
            bladder = max(bladder or (0.0, 0.0), (heat, middle))
    return _HotEnds(brain, None if bladder is None else bladder[1])


def _frame(lungs: _Lungs | None, hot: _HotEnds, body: Mask, outline: _Outline, sample_mm: npt.NDArray[Any]) -> _Frame:
    """Return all landmarks: those seen, and the others where an average body has them (``[body]`` of the bands)."""
    average = read_bands().body
    usual = average.lung_height_mm / sample_mm[2]
    if lungs is not None:
        return _frame_of_lungs(lungs, hot, body, outline, sample_mm)
    half_width = average.half_width * average.lung_height_mm / sample_mm[0]
    vertex = None if hot.brain is None else hot.brain[0] + _SKULL_MM / sample_mm[2]
    if vertex is not None and hot.bladder is not None:
        height = (vertex - hot.bladder) / (average.vertex_above_apex + 1 + average.bladder_below_base)
        # The brain alone tells more than two ends that no adult has.
        usual = height if 0.7 < height / usual < 1.4 else usual
        base = vertex - (average.vertex_above_apex + 1) * usual
    elif vertex is not None:
        base = vertex - (average.vertex_above_apex + 1) * usual
    elif hot.bladder is not None:
        base = hot.bladder + average.bladder_below_base * usual
    else:
        return _Frame({}, usual, half_width)
    levels = {"lung_apex": Level(base + usual, False), "lung_base": Level(base, False)}
    seen_vertex = None if vertex is None else Level(vertex, True)
    return _Frame(_completed(levels, usual, seen_vertex, hot.bladder), usual, half_width)


def _frame_of_lungs(lungs: _Lungs, hot: _HotEnds, body: Mask, outline: _Outline, sample_mm: npt.NDArray[Any]) -> _Frame:
    average = read_bands().body
    usual = average.lung_height_mm / sample_mm[2]
    cut = lungs.cut_above or lungs.cut_below
    height = max(lungs.apex - lungs.base, usual) if cut else lungs.apex - lungs.base
    apex, base = lungs.apex, lungs.base
    if lungs.cut_above and lungs.cut_below:
        apex, base = (apex + base + height) / 2, (apex + base - height) / 2
    elif lungs.cut_above:
        apex = base + height
    elif lungs.cut_below:
        base = apex - height
    levels = {"lung_apex": Level(apex, not lungs.cut_above), "lung_base": Level(base, not lungs.cut_below)}
    bladder = hot.bladder
    expected = base - average.bladder_below_base * height
    if bladder is not None and abs(bladder - expected) > 0.35 * height:
        bladder = None
    vertex = _top_of_head(body, outline, sample_mm, apex)
    if vertex is None and hot.brain is not None:
        vertex = hot.brain[0] + _SKULL_MM / sample_mm[2]
    if vertex is not None and not 0.8 < (vertex - apex) / height < 1.6:
        vertex = None
    return _Frame(
        _completed(levels, height, None if vertex is None else Level(vertex, True), bladder), height, lungs.half_width
    )


def _top_of_head(body: Mask, outline: _Outline, sample_mm: npt.NDArray[Any], apex: float) -> float | None:
    """Return the last height with body in the middle, if air is seen above it."""
    reach = max(1, round(_MIDDLE_MM / sample_mm[0]))
    start = max(int(apex), 0)
    filled = [
        bool(body[max(round(outline.middle[k]) - reach, 0) : round(outline.middle[k]) + reach + 1, :, k].any())
        for k in range(start, body.shape[2])
    ]
    if not filled or filled[-1] or not any(filled):
        return None
    return float(start + max(n for n, there in enumerate(filled) if there))


def _completed(
    levels: dict[str, Level], height: float, vertex: Level | None, bladder: float | None
) -> dict[str, Level]:
    """Return all landmarks; those that were not found stand where an average body has them."""
    average = read_bands().body
    apex, base = levels["lung_apex"].k, levels["lung_base"].k
    top = vertex or Level(apex + average.vertex_above_apex * height, False)
    low = Level(base - average.bladder_below_base * height, False) if bladder is None else Level(bladder, True)
    return {
        "vertex": top,
        "skull_base": Level(apex + average.skull_base_share * (top.k - apex), False),
        "chin": Level(apex + average.chin_share * (top.k - apex), False),
        "lung_apex": levels["lung_apex"],
        "carina": Level(apex - average.carina_below_apex * height, False),
        "lung_base": levels["lung_base"],
        "bladder": low,
        "pelvic_floor": Level(low.k - average.pelvic_floor_below_bladder * height, False),
    }
