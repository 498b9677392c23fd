"""The table of the hottest regions that the input setting ``fused-measured`` puts into a prompt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pet2rep_core.errors import ImageGeometryError, SettingsError
from pet2rep_core.imaging.bands import read_bands
from pet2rep_core.imaging.hot_regions import HOT_SUV, LEAST_ML, MOST, VERSION, HotRegion, find_hot_regions
from pet2rep_core.imaging.landmarks import CaseLandmarks, read_landmarks
from pet2rep_core.imaging.prepared import PreparedCase
from pet2rep_core.prompts.prompt import Prompt
from pet2rep_core.records import Language, PetUnit
from pet2rep_core.report.lexicon import organ_name

SIGNATURE = f"regions|min:suv{HOT_SUV:g}|least:{LEAST_ML:g}ml|most:{MOST}|v:{VERSION}"
_BONE_HU = 150.0
_MIDDLE = 0.12
"""Share of the lungs' half width within which a place counts as near the midline."""
_LAST = ("bone", "soft_tissue", "prostate", "uterus_ovary")
"""Organs that are named only where no other fits: bone and soft tissue are everywhere, the others by the bladder."""
_OVER_THE_MIDDLE = ("brain",)
"""Paired organs whose halves make one region."""
_NAMES = 2


@dataclass(frozen=True, slots=True)
class PlacedRegion:
    """A region with the organs that may hold it, the likeliest first, its side, vertebra and nearest picture."""

    region: HotRegion
    organs: tuple[str, ...]
    side: str
    vertebra: str
    picture: int


def has_measurements(images: PreparedCase | None) -> bool:
    """Tell whether a case has what the table needs: a PET in SUV."""
    return images is not None and images.pet is not None and images.pet_unit is PetUnit.SUVBW


def no_suv() -> ImageGeometryError:
    """Return the error of a case without what the table needs."""
    return ImageGeometryError(
        "The case has no SUV, so nothing can be measured for the prompt.", hint='Choose the input "fused".'
    )


def measured_regions(images: PreparedCase, indices: tuple[int, ...]) -> tuple[PlacedRegion, ...]:
    """Return the hottest regions of a case with their places.

    Parameters
    ----------
    indices : tuple of int
        Coronal planes of the pictures, along J.

    Raises
    ------
    ImageGeometryError
        If the PET is not in SUV.
    """
    if images.pet is None or not has_measurements(images):
        raise no_suv()
    landmarks = read_landmarks(images)
    return tuple(_placed(images, landmarks, region, indices) for region in find_hot_regions(images.pet))


def measured_table(regions: tuple[PlacedRegion, ...], prompt: Prompt) -> str:
    """Return the table of regions in the words of a prompt, below the rule that explains it.

    Raises
    ------
    SettingsError
        If the prompt has no words for it.
    """
    words = prompt.measured
    if not words:
        raise SettingsError(
            f"The prompt {prompt.name!r} has no words for measurements.",
            hint="Take the standard prompt, or add [measured] to its file.",
        )
    if not regions:
        return "\n".join([_fixed(words["rule"]), _fixed(words["none"])])
    rows = [
        words["row"].format(
            n=number,
            suv=f"{one.region.suv_max:.1f}",
            volume=f"{one.region.volume_ml:.1f}",
            place=_said(one, words, prompt.language),
            picture=one.picture,
        )
        for number, one in enumerate(regions, start=1)
    ]
    return "\n".join([_fixed(words["rule"]), words["head"], *rows])


def _fixed(text: str) -> str:
    return text.format(threshold=f"{HOT_SUV:.1f}", least=f"{LEAST_ML:g}", most=MOST)


def _said(one: PlacedRegion, words: Mapping[str, str], language: Language) -> str:
    if not one.organs:
        return words["unknown"]
    names = [organ_name(organ, language) for organ in one.organs]
    return words["place"].format(
        organs=words["or"].join(name[:1].lower() + name[1:] for name in names),
        side=words[one.side],
        level=words["level"].format(vertebra=one.vertebra) if one.vertebra else words["no_level"],
    )


def _placed(
    images: PreparedCase, landmarks: CaseLandmarks | None, region: HotRegion, indices: tuple[int, ...]
) -> PlacedRegion:
    _, j, k = region.place
    picture = 1 + int(np.argmin([abs(j - index) for index in indices])) if indices else 1
    if landmarks is None or not landmarks.levels:
        return PlacedRegion(region, (), "middle", "", picture)
    away = _away(landmarks, region)
    side = "middle" if abs(away) < _MIDDLE else "left" if away > 0 else "right"
    return PlacedRegion(region, _organs(images, landmarks, region), side, _vertebra(landmarks, k), picture)


def _away(landmarks: CaseLandmarks, region: HotRegion) -> float:
    """Return how far to the left of the middle of the body a region lies, in half widths of the lungs."""
    i, _, k = region.place
    return (i - float(np.interp(k, landmarks.heights, landmarks.middle))) / landmarks.half_width


def _organs(images: PreparedCase, landmarks: CaseLandmarks, region: HotRegion) -> tuple[str, ...]:
    """Return the organ of the mask whose hottest voxel this is, else those whose bands hold it, narrowest first."""
    bands = read_bands()
    for name, mask in images.organs.items():
        organ = bands.organ_of_mask(name)
        if organ is not None and mask.hottest == region.place:
            return (organ,)
    side = "left" if _away(landmarks, region) > 0 else "right"
    vertebra = _vertebra(landmarks, region.place[2])
    candidates = [(organ, band, None if organ in _OVER_THE_MIDDLE else side) for organ, band in bands.organs.items()]
    if vertebra:
        candidates.append(("bone", bands.find("bone", vertebra)[0], None))
    fitting: list[tuple[bool, float, str]] = []
    for organ, band, on_side in candidates:
        placed = landmarks.place(band, on_side)
        if placed is None:
            continue
        low, high = np.array(placed.box, dtype=np.float64).T
        if (np.array(region.place) >= low - 0.5).all() and (np.array(region.place) <= high + 0.5).all():
            last = organ in _LAST and band is bands.organs[organ]
            fitting.append((last, float(np.prod(high - low)), organ))
    names = list(dict.fromkeys(organ for _, _, organ in sorted(fitting)))
    if _in_bone(images, region):
        names = ["bone", *(name for name in names if name != "bone")]
    return tuple(names[:_NAMES])


def _in_bone(images: PreparedCase, region: HotRegion) -> bool:
    if images.ct is None:
        return False
    around = tuple(slice(max(one - 1, 0), one + 2) for one in region.place)
    return float(np.median(images.ct.values[around])) >= _BONE_HU


def _vertebra(landmarks: CaseLandmarks, k: int) -> str:
    """Return the vertebra at this height; empty above the neck, and S1 for all that is below it."""
    heights = {name: landmarks.level(height) for name, height in read_bands().vertebrae.items()}
    top = max(heights.values())
    step = abs(heights["L1"] - heights["L2"])
    if k > top + step:
        return ""
    return min(heights, key=lambda name: abs(heights[name] - k))
