"""Whether the SUVmax values of a report are in the PET of its case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from pet2rep_core.imaging.bands import matches_mask, read_bands
from pet2rep_core.imaging.landmarks import CaseLandmarks
from pet2rep_core.imaging.maxima import LEAST_SUV
from pet2rep_core.imaging.prepared import PreparedCase
from pet2rep_core.records import Language, PetUnit, Score
from pet2rep_core.scoring.read_text import EXTRACTOR, ReadText, StatedValue, lexicon_mark, read_texts
from pet2rep_core.scoring.signature import signature

METRIC = "suvmax_in_image"
VERSION = 1
NEAR, FAR = 0.02, 0.05
"""A peak supports a value within 2 % (or half its last digit); a value is missing only if no peak is within 5 %."""
_WIDER = (0.3, 0.12, 0.15)
"""How far beyond its band an organ is still looked for: in half widths, depths of the body and lung heights."""
_CLAIMS_AT_MOST = 1000


class InImage(StrEnum):
    """Whether a stated SUVmax is in the PET."""

    SUPPORTED = "supported"
    NOT_FOUND = "not found"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class ImageValue:
    """One SUVmax of a report against the PET: what was found, and why nothing can be told.

    ``nearest`` is the peak (g/mL) that supports it, ``place`` its voxel (I, J, K); None otherwise.
    """

    organ: str
    stated: StatedValue
    found: InImage
    reason: str = ""
    nearest: float | None = None
    place: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class ImageValues:
    """All SUVmax values of a report against the PET of its case; ``problem`` says why it could not be looked at."""

    language: Language
    values: tuple[ImageValue, ...]
    problem: str = ""

    @property
    def score(self) -> Score:
        """Return the share of supported values among those that can be told."""
        told = [one.found for one in self.values if one.found is not InImage.CANNOT_TELL]
        line = image_signature(self.language)
        if told:
            return Score(METRIC, told.count(InImage.SUPPORTED) / len(told), line)
        if self.problem:
            return Score(METRIC, None, line, self.problem)
        reason = "no SUVmax that can be looked for" if self.values else "no SUVmax in the generated report"
        return Score(METRIC, None, line, reason)


def image_signature(language: Language) -> str:
    """Return the signature of the share of supported values."""
    return signature(
        METRIC, version=VERSION, agg="case", extractor=EXTRACTOR, lang=language.value, lexicon=lexicon_mark(),
        tol=f"{NEAR:g}-{FAR:g}",
    )  # fmt: skip


def check_image_values(
    hypothesis: str, reference: str, language: Language, images: PreparedCase, landmarks: CaseLandmarks | None
) -> ImageValues:
    """Return for each SUVmax of a report whether the PET has a peak of that value where the organ lies.

    ``supported``: a peak within 2 % of the value (or half of its last digit) lies in a mask of the organ, or in its
    band of the body, somewhat widened. ``not found``: no peak within 5 % lies there, and both ends of the band were
    seen in the images. Everything else is ``cannot tell``: a PET that is not in SUV, a value below the lowest
    peak kept, a band that is only estimated, a peak that is near but not near enough, or a PET in which fewer than
    half of the reference's own values can be found, as its scale is then not that of the reports.

    Parameters
    ----------
    images : PreparedCase
        Images of the case.
    landmarks : CaseLandmarks or None
        From :func:`pet2rep_core.imaging.landmarks.read_landmarks` for the same images.
    """
    said, true = read_texts().get(hypothesis, language), read_texts().get(reference, language)
    if landmarks is None or landmarks.peaks is None or images.pet_unit is not PetUnit.SUVBW:
        return ImageValues(language, tuple(_untold(said, "the PET is not in SUV")))
    finder = _Finder(images, landmarks)
    own = [finder.look(organ, value).found for organ, value in _stated(true)]
    told = [found for found in own if found is not InImage.CANNOT_TELL]
    if told and told.count(InImage.SUPPORTED) * 2 < len(told):
        return ImageValues(language, tuple(_untold(said, "most values of the reference are not in this PET")))
    return ImageValues(language, tuple(finder.look(organ, value) for organ, value in _stated(said)))


@dataclass(frozen=True, slots=True)
class _Finder:
    images: PreparedCase
    landmarks: CaseLandmarks

    def look(self, organ: str, stated: StatedValue) -> ImageValue:
        """Look for one value."""
        peaks, value = self.landmarks.peaks, stated.values[0]
        assert peaks is not None  # check_image_values has looked
        if value < LEAST_SUV * (1 + FAR):
            return ImageValue(organ, stated, InImage.CANNOT_TELL, f"values below {LEAST_SUV:g} are not looked for")
        boxes, seen = self._boxes(organ)
        if not boxes:
            return ImageValue(organ, stated, InImage.CANNOT_TELL, "the organ is not in view")
        inside = np.zeros(len(peaks.values), dtype=np.bool_)
        for box in boxes:
            inside |= ((peaks.places >= box[0]) & (peaks.places <= box[1])).all(axis=1)
        away = np.where(inside, np.abs(peaks.values - value), np.inf)
        nearest = int(away.argmin()) if len(away) else -1
        least = float(away[nearest]) if nearest >= 0 else float("inf")
        if least <= max(_half_digit(stated), NEAR * value) + 1e-6:
            i, j, k = (int(n) for n in peaks.places[nearest])
            return ImageValue(organ, stated, InImage.SUPPORTED, "", float(peaks.values[nearest]), (i, j, k))
        if least <= FAR * value:
            return ImageValue(organ, stated, InImage.CANNOT_TELL, "a peak is near, but not near enough")
        if not seen:
            return ImageValue(organ, stated, InImage.CANNOT_TELL, "the place of the organ is only estimated")
        return ImageValue(organ, stated, InImage.NOT_FOUND)

    def _boxes(self, organ: str) -> tuple[list[npt.NDArray[np.float64]], bool]:
        """Return where peaks of the organ may lie, as (2, 3) low and high corners, and whether that is known."""
        band = read_bands().organs[organ]
        boxes = []
        for name, mask in self.images.organs.items():
            if matches_mask(band, name):
                low, high = np.array(mask.box, dtype=np.float64).T
                boxes.append(np.stack([low - 1, high]))
        placed = self.landmarks.place(band, None)
        if placed is None:
            return boxes, bool(boxes)
        known = self.landmarks
        depth = float(np.interp(placed.point[2], known.heights, known.back - known.front))
        wider = np.array([known.half_width, depth, known.lung_height]) * np.array(_WIDER)
        boxes.append(np.array(placed.box, dtype=np.float64).T + np.array([[-1.0], [1.0]]) * wider)
        return boxes, placed.seen


def _stated(text: ReadText) -> list[tuple[str, StatedValue]]:
    values = [(organ, value) for organ, of_organ in text.suv_max.items() for value in of_organ]
    return values[:_CLAIMS_AT_MOST]


def _untold(text: ReadText, reason: str) -> Iterator[ImageValue]:
    for organ, value in _stated(text):
        yield ImageValue(organ, value, InImage.CANNOT_TELL, reason)


def _half_digit(stated: StatedValue) -> float:
    """Return half of the last printed digit: 12.6 stands for 12.55 to 12.65."""
    return float(0.5 * 10.0 ** -len(stated.quote.text.partition(".")[2]))
