"""From the words of a report to places in the volume of its case: organs, SUVmax values, named slices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from pet2rep_core.imaging.bands import Band, mask_side, matches_mask, read_bands
from pet2rep_core.imaging.landmarks import BandPlace, CaseLandmarks, read_landmarks
from pet2rep_core.imaging.organ_masks import OrganPlace
from pet2rep_core.imaging.prepared import PreparedCase
from pet2rep_core.records import Language
from pet2rep_core.report.lexicon import organ_name
from pet2rep_core.report.mentions import Mention, NamedSlice, OrganWord, Side, SuvMax, find_mentions
from pet2rep_core.workflow.open_case import OpenCase

How = Literal["slice", "mask", "suvmax", "band"]
Plane = Literal["coronal", "axial"]
Point = tuple[float, float, float]
_WIDER = (0.3, 0.12, 0.15)
"""How far beyond its band a peak is still an organ's: in half widths, depths of the body and lung heights."""
_NEARLY = 0.02
"""A printed SUVmax may differ by this share from the one that the files give."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where some words of a report lead.

    Parameters
    ----------
    start, end : int
        The words, in characters of the report as given.
    plane : str
        The plane that shows it best.
    point : (i, j, k)
        Grid coordinates (fractional voxels).
    k_range : (low, high) or None
        Part of the body along K that may hold it, in grid coordinates.
    how : str
        ``slice`` a slice named by its number, ``mask`` an imported organ mask, ``suvmax`` a PET peak of the stated
        value, ``band`` an estimate from body proportions.
    organ : str
        Id of the organ lexicon; empty where none is named.
    label : str
        One sentence that says what is shown and how sure it is.
    """

    start: int
    end: int
    plane: Plane
    point: Point
    k_range: tuple[float, float] | None
    how: How
    organ: str
    label: str


@dataclass(frozen=True, slots=True)
class _Target:
    """A place before it is tied to words."""

    point: Point
    k_range: tuple[float, float] | None
    how: How
    label: str


def find_places(
    case: OpenCase, text: str, language: Language, *, landmarks: CaseLandmarks | None = None
) -> tuple[Place, ...]:
    """Return the clickable words of a report in order; no two overlap.

    Words whose place is not in the volume, or cannot be told, have none. Values of earlier studies have none either.

    Parameters
    ----------
    case : OpenCase
        Its images give the grid.
    text : str
        The report as it is shown.
    language : Language
        Language of the report; labels are in it too.
    landmarks : CaseLandmarks, optional
        From :func:`read_landmarks` for the same images; read here where they are left out, which takes longer than
        all the rest.
    """
    images = case.images
    if images is None or images.grid is None:
        return ()
    known = landmarks if landmarks is not None else read_landmarks(images)
    if known is None:
        return ()
    finder = _Finder(images, known, language, text)
    found: list[Place] = []
    for mention in find_mentions(text, language):
        for place in sorted(finder.places(mention), key=lambda one: (one.start, -one.end)):
            if not found or found[-1].end <= place.start:
                found.append(place)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Finder:
    """One report and one case."""

    images: PreparedCase
    landmarks: CaseLandmarks
    language: Language
    text: str

    def places(self, mention: Mention) -> Iterator[Place]:
        """Yield the places of a sentence; a value's organ leads where the value leads."""
        of_words: dict[OrganWord, _Target] = {}
        for value in mention.suv_max:
            target = None if value.earlier else self._value(value)
            if target is None:
                continue
            inside = all(not word.start < value.start < word.end for word in mention.organs)
            start = value.label_start if inside else value.start
            yield _place(start, value.end, value.organs[0].organ if value.organs else "", target)
            if target.how == "suvmax":
                for word in value.organs:
                    of_words.setdefault(word, target)
        for word in mention.organs:
            target = of_words.get(word) or self._organ(word)
            if target is not None:
                yield _place(word.start, word.end, word.organ, target)
        for one in mention.slices:
            target = self._slice(one)
            if target is not None:
                yield _place(one.start, one.end, "", target, plane="axial")

    def _band(self, word: OrganWord) -> Band:
        return read_bands().find(word.organ, self.text[word.start : word.end])[0]

    def _organ(self, word: OrganWord) -> _Target | None:
        """Return the organ's mask, else its band."""
        band = self._band(word)
        name = self._mask(word, band)
        if name is not None:
            mask = self.images.organs[name]
            i, j, k = mask.centre
            low, high = mask.box[2]
            label = self._say("mask", organ=self._name(word), mask=name)
            return _Target((i, j, k), (low - 0.5, high - 0.5), "mask", label)
        placed = self.landmarks.place(band, _one_side(word))
        if placed is None:
            return None
        return _Target(placed.point, placed.box[2], "band", self._say("band", organ=self._name(word)))

    def _mask(self, word: OrganWord, band: Band) -> str | None:
        """Return the mask that fits the words best: its part and side, then its side, then its part, then the organ.

        Of several the one with the hottest voxel is taken, else the largest.
        """
        organs = self.images.organs
        whole = read_bands().organs[word.organ]
        side = _one_side(word)
        for fitting in (band, whole):
            own = [name for name in organs if matches_mask(fitting, name)]
            if side is not None and whole.paired:
                own = [name for name in own if mask_side(name) in (side, None)]
            if own:
                return max(own, key=lambda name: (organs[name].hottest_value or 0.0, organs[name].volume_ml))
        return None

    def _value(self, value: SuvMax) -> _Target | None:
        """Return the PET peak of a stated SUVmax in the band or mask of its organ, else the organ itself.

        Without an organ only a value that one peak alone has leads anywhere.
        """
        if not value.organs:
            alone = self._peaks(value, _half_digit(value), None)
            return self._peak(value, int(alone[0]), None) if alone.size == 1 else None
        for word in value.organs:
            boxes = self._boxes(word)
            for tolerance in (_half_digit(value), max(_half_digit(value), _NEARLY * value.value)):
                for box in boxes:
                    found = self._peaks(value, tolerance, box)
                    if found.size:
                        return self._peak(value, self._nearest(found, boxes[0]), word)
        target = self._organ(value.organs[0])
        if target is None or target.how != "band" or self.landmarks.peaks is None:
            return target
        label = self._say("no_peak", organ=self._name(value.organs[0]))
        return _Target(target.point, target.k_range, "band", label)

    def _boxes(self, word: OrganWord) -> list[npt.NDArray[np.float64]]:
        """Return where a peak of the organ may lie, narrowest first: (2, 3) arrays of low and high corner."""
        band = self._band(word)
        boxes = []
        name = self._mask(word, band)
        if name is not None:
            boxes.append(_mask_box(self.images.organs[name]))
        placed = self.landmarks.place(band, _one_side(word))
        if placed is not None:
            boxes += [_box(placed), _box(placed) + np.array([[-1.0], [1.0]]) * self._wider(placed)]
        return boxes

    def _wider(self, placed: BandPlace) -> npt.NDArray[np.float64]:
        known = self.landmarks
        depth = float(np.interp(placed.point[2], known.heights, known.back - known.front))
        size = np.array([known.half_width, depth, known.lung_height], dtype=np.float64)
        return np.asarray(size * np.array(_WIDER))

    def _peaks(self, value: SuvMax, tolerance: float, box: npt.NDArray[np.float64] | None) -> npt.NDArray[np.intp]:
        peaks = self.landmarks.peaks
        if peaks is None:
            return np.zeros(0, dtype=np.intp)
        fits = np.abs(peaks.values - value.value) <= tolerance + 1e-6
        if box is not None:
            fits &= ((peaks.places >= box[0]) & (peaks.places <= box[1])).all(axis=1)
        return np.flatnonzero(fits)

    def _nearest(self, found: npt.NDArray[np.intp], box: npt.NDArray[np.float64]) -> int:
        peaks, grid = self.landmarks.peaks, self.images.grid
        assert peaks is not None  # these are some of them
        assert grid is not None  # find_places has looked
        away = (peaks.places[found] - box.mean(axis=0)) * np.array(grid.spacing_mm)
        return int(found[(away**2).sum(axis=1).argmin()])

    def _peak(self, value: SuvMax, number: int, word: OrganWord | None) -> _Target:
        peaks = self.landmarks.peaks
        assert peaks is not None  # number is one of them
        i, j, k = (float(n) for n in peaks.places[number])
        shown = f"{float(peaks.values[number]):.{max(value.decimals, 1)}f}"
        return _Target((i, j, k), None, "suvmax", self._say("suvmax", organ=self._name(word), value=shown))

    def _slice(self, one: NamedSlice) -> _Target | None:
        """Return the axial slice of a number, counted from the head: how the report counts is not known."""
        size = self.landmarks.shape
        if not 1 <= one.first <= size[2]:
            return None
        k = float(size[2] - one.first)
        i, j = (float(np.interp(k, self.landmarks.heights, line)) for line in self._axis())
        return _Target((i, j, k), (k - 0.5, k + 0.5), "slice", self._say("slice", number=str(one.first)))

    def _axis(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        known = self.landmarks
        return known.middle, (known.front + known.back) / 2

    def _name(self, word: OrganWord | None) -> str:
        if word is None:
            return self._say("no_organ")
        name = organ_name(word.organ, self.language)
        if word.side is None or not read_bands().organs[word.organ].paired:
            return name
        side = self._say(word.side.value)
        return f"{name}（{side}）" if self.language is Language.CHINESE else f"{name} ({side})"

    def _say(self, key: str, **more: str) -> str:
        wording: Mapping[str, str] = read_bands().wording[self.language]
        return wording[key].format(**more)


def _place(start: int, end: int, organ: str, target: _Target, plane: Plane = "coronal") -> Place:
    return Place(start, end, plane, target.point, target.k_range, target.how, organ, target.label)


def _one_side(word: OrganWord) -> str | None:
    return word.side.value if word.side in (Side.LEFT, Side.RIGHT) else None


def _half_digit(value: SuvMax) -> float:
    """Return half of the last printed digit: 12.6 stands for 12.55 to 12.65."""
    return 0.5 * 10.0**-value.decimals


def _box(placed: BandPlace) -> npt.NDArray[np.float64]:
    return np.array(placed.box, dtype=np.float64).T


def _mask_box(mask: OrganPlace) -> npt.NDArray[np.float64]:
    low, high = np.array(mask.box, dtype=np.float64).T
    return np.stack([low - 1, high])
