"""Organ masks beside the images of a case, in every layout.

::

    <images>/segmentations/<organ>.nii.gz        TotalSegmentator's folder; also totalsegmentator/
    <images>/<case>_seg/<organ>.nii.gz           where several cases share the folder
    <images>/segmentations.nii.gz                TotalSegmentator's label map (--ml); also <case>_seg.nii.gz

Only names are looked at here; what the masks show is read when the case is imported.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from pet2rep_core.datasets.files import image_series, image_stem, printable, walk
from pet2rep_core.errors import DatasetLayoutError, InputDataError
from pet2rep_core.records import CaseSource, SeriesInfo, SeriesRole

_NAMES = ("segmentations", "totalsegmentator", "totalseg")
_ENDINGS = ("_seg", "_segmentations", "_totalsegmentator", "_totalseg")
_IMAGE_ENDING = re.compile(r"(?:_+(?:ct|pet|pt|suv|pet_suv|ct_res|ctres|0000|0001))+$", re.IGNORECASE)


def add_organ_masks(cases: Iterable[CaseSource]) -> tuple[CaseSource, ...]:
    """Return the cases with the organ masks that lie beside their images, as series of the role MASK."""
    listed = tuple(cases)
    places = [_places(case) for case in listed]
    shared = Counter(place for one in places for place in one)
    entries = {place: _entries(place) for place in shared}
    return tuple(
        _with_masks(case, {place: entries[place] for place in own}, {place for place in own if shared[place] == 1})
        for case, own in zip(listed, places, strict=True)
    )


def mask_folder(folder: Path) -> SeriesInfo:
    """Return the image files of a folder as one series of masks; its size is None, no header is read.

    Raises
    ------
    DatasetLayoutError
        If the folder holds no image.
    """
    files = tuple(folder / name for name in next(walk(folder, 0))[1] if image_stem(name) is not None)
    if not files:
        raise DatasetLayoutError(
            f"The folder {folder.name!r} holds no mask.", hint="Put one NIfTI file an organ into it, or leave it out."
        )
    return SeriesInfo(SeriesRole.MASK, files, description=printable(folder.name))


def _places(case: CaseSource) -> tuple[Path, ...]:
    """Return the folders in which a case's masks may lie: that of its images; for DICOM also that of its series."""
    image = case.used(SeriesRole.CT) or case.used(SeriesRole.PET)
    if image is None:
        return ()
    home = image.files[0].parent
    return (home, home.parent) if case.layout == "dicom" else (home,)


def _entries(place: Path) -> tuple[str, ...]:
    """Return the names in a folder that may be masks: folders and images named like them."""
    with os.scandir(place) as listing:
        found = sorted((entry.name, entry.is_dir()) for entry in listing if not entry.name.startswith("."))
    return tuple(name for name, is_folder in found if _prefix(name if is_folder else image_stem(name)) is not None)


def _prefix(stem: str | None) -> str | None:
    """Return the case's name that a folder or image of masks begins with, "" where it has none; None for others.

    Examples
    --------
    >>> _prefix("a_seg"), _prefix("segmentations"), _prefix("ct")
    ('a', '', None)
    """
    if stem is None:
        return None
    lower = stem.lower()
    if lower in _NAMES:
        return ""
    ending = next((ending for ending in _ENDINGS if lower.endswith(ending) and len(lower) > len(ending)), None)
    return None if ending is None else stem[: -len(ending)]


def _with_masks(case: CaseSource, entries: Mapping[Path, tuple[str, ...]], alone: set[Path]) -> CaseSource:
    """Return a case with the masks that carry its name, or lie where no other case has its images."""
    known = {file for series in case.series for file in series.files}
    own_names = {case.case_id.casefold()}
    for series in case.series:
        stem = image_stem(series.files[0].name) or ""
        own_names |= {stem.casefold(), _IMAGE_ENDING.sub("", stem).casefold()} - {""}
    found: list[SeriesInfo] = []
    problems: list[str] = []
    for place, names in entries.items():
        for name in names:
            path = place / name
            prefix = _prefix(image_stem(name) or name)
            if path in known or not (place in alone or (prefix or "").casefold() in own_names):
                continue
            try:
                found.append(mask_folder(path) if path.is_dir() else image_series(path, SeriesRole.MASK))
            except InputDataError as error:
                problems.append(printable(f"The organ masks {name!r} were left out: {error.message}"))
    if not found and not problems:
        return case
    return replace(case, series=(*case.series, *found), problems=(*case.problems, *problems))
