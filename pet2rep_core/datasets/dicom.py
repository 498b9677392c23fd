"""Cases from DICOM exports: one PET and one CT per study, everything else named with its reason."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections import defaultdict
from pathlib import Path

import numpy as np

from pet2rep_core.datasets.dicom_series import (
    FoundSeries,
    dicom_suv,
    find_dicom_series,
    read_dicom_volume,
    read_pet_attributes,
)
from pet2rep_core.errors import DatasetLayoutError
from pet2rep_core.records import CaseError, CaseSource, SeriesInfo, SeriesRole

__all__ = ["dicom_suv", "find_dicom_cases", "find_dicom_series", "read_dicom_volume", "read_pet_attributes"]

LAYOUT = "dicom"
_AGE = re.compile(r"(\d{1,3})([DWMY])")
_OLDEST_NAMED_AGE = 89
_PER_YEAR = {"Y": 1.0, "M": 12.0, "W": 52.18, "D": 365.25}


def find_dicom_cases(root: Path) -> tuple[list[CaseSource], list[CaseError]]:
    """Find the studies below a path, or in one file, and pair a PET with a CT in each.

    Of several PET series the one with an SUV and most slices is used; of several CT series in its frame of
    reference the one that covers most of the PET, then the finest. ``case_id`` is a hash of the
    StudyInstanceUID, so that no identifier of the patient leaves the files.

    Returns
    -------
    cases : list of CaseSource
        Each with at least one usable PET or CT; all other series carry their reason in ``skipped``.
    errors : list of CaseError
        Damaged files and studies without any usable series.
    """
    try:
        found, errors = find_dicom_series(root)
    except DatasetLayoutError as error:
        return [], [CaseError(root.name, error.message)]
    studies: dict[str, list[FoundSeries]] = defaultdict(list)
    for series in found:
        first = series.slices[0]
        studies[first.study or first.series or first.sop_instance or first.file.name].append(series)
    cases = []
    for study, members in studies.items():
        case = _case(study, members)
        if case.used(SeriesRole.PET) is None and case.used(SeriesRole.CT) is None:
            errors.append(CaseError(case.case_id, _why_nothing(members)))
        else:
            cases.append(case)
    return cases, errors


def _case(study: str, members: list[FoundSeries]) -> CaseSource:
    pet = _best_pet(members)
    ct, reasons = _best_ct(members, pet)
    series: list[SeriesInfo] = []
    for one in members:
        if one.skipped is None and one is not pet and one is not ct:
            reason = reasons.get(id(one)) or _not_chosen(one, pet if one.role is SeriesRole.PET else ct)
            series.append(dataclasses.replace(one, skipped=reason))
        else:
            series.append(one)
    return CaseSource(
        case_id=f"dcm-{hashlib.sha256(study.encode()).hexdigest()[:10]}",
        layout=LAYOUT,
        series=tuple(series),
        metadata=_metadata(pet or ct),
        problems=_problems(series, pet=pet, ct=ct),
    )


def _best_pet(members: list[FoundSeries]) -> FoundSeries | None:
    usable = [one for one in members if one.role is SeriesRole.PET and one.skipped is None]
    return max(usable, key=lambda one: (dicom_suv(one).bw is not None, len(one.files)), default=None)


def _best_ct(members: list[FoundSeries], pet: FoundSeries | None) -> tuple[FoundSeries | None, dict[int, str]]:
    """Return the CT for a PET, and for others that cannot be laid over it the reason by their id."""
    reasons: dict[int, str] = {}
    usable = []
    for one in members:
        if one.role is not SeriesRole.CT or one.skipped is not None:
            continue
        reason = _cannot_overlay(one, pet) if pet is not None else None
        if reason is None:
            usable.append(one)
        else:
            reasons[id(one)] = reason
    best = max(usable, key=lambda one: (_overlap_mm(one, pet), -_slice_mm(one), len(one.files)), default=None)
    return best, reasons


def _cannot_overlay(ct: FoundSeries, pet: FoundSeries) -> str | None:
    frames = ct.slices[0].frame_of_reference, pet.slices[0].frame_of_reference
    if not all(frames):
        return "The frame of reference of CT or PET is not named, so the CT cannot be laid over the PET."
    if frames[0] != frames[1]:
        return "The CT has another frame of reference than the PET, so it cannot be laid over it."
    if len(ct.files) == 1 and len(pet.files) > 1:
        return "A single slice where a volume is needed."
    if _overlap_mm(ct, pet) <= 0:
        return "The CT and the PET do not overlap along the body."
    return None


def _overlap_mm(ct: FoundSeries, pet: FoundSeries | None) -> float:
    """Return how far both reach together along the PET's slice axis, in whole mm so that near ties are ties."""
    if pet is None:
        return 0.0
    normal = _normal(pet)
    ranges = []
    for series in (ct, pet):
        corners = _corners(series) @ normal
        ranges.append((corners.min(), corners.max()))
    return float(round(min(high for _, high in ranges) - max(low for low, _ in ranges)))


def _corners(series: FoundSeries) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the centres of the corner voxels, with half a slice added on both sides, as (N, 3) in mm."""
    assert series.size is not None
    assert series.spacing_mm is not None
    row, column = np.array(series.slices[0].orientation, dtype=float).reshape(2, 3)
    across = np.cross(row, column) * series.spacing_mm[2] / 2
    corners = []
    for one, side in ((series.slices[0], -1), (series.slices[-1], 1)):
        start = np.array(one.position_mm, dtype=float) + side * across
        for i in (0, (series.size[0] - 1) * series.spacing_mm[0]):
            for j in (0, (series.size[1] - 1) * series.spacing_mm[1]):
                corners.append(start + i * row + j * column)
    return np.array(corners)


def _normal(series: FoundSeries) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    row, column = np.array(series.slices[0].orientation, dtype=float).reshape(2, 3)
    return np.cross(row, column)


def _slice_mm(series: FoundSeries) -> float:
    return series.spacing_mm[2] if series.spacing_mm else 0.0


def _not_chosen(series: FoundSeries, chosen: FoundSeries | None) -> str:
    kind = "PET" if series.role is SeriesRole.PET else "CT"
    count = len(chosen.files) if chosen else 0
    if chosen and chosen.description:
        return f"Another {kind} series of this study is used: {chosen.description!r} with {count} slices."
    return f"Another {kind} series of this study, of {count} slices, is used."


def _problems(series: list[SeriesInfo], *, pet: FoundSeries | None, ct: FoundSeries | None) -> tuple[str, ...]:
    """Return why the case lacks its PET or its CT, if it has candidates for them."""
    lacking = {role for role, used in ((SeriesRole.PET, pet), (SeriesRole.CT, ct)) if used is None}
    return tuple(
        f"{one.role.upper()} {one.description!r} is not used. {one.skipped}" for one in series if one.role in lacking
    )


def _why_nothing(members: list[FoundSeries]) -> str:
    images = [one for one in members if one.role is not SeriesRole.OTHER] or members
    pets = [one for one in images if one.role is SeriesRole.PET] or images
    reason = pets[0].skipped or "It cannot be used."
    return reason if len(members) == 1 else f"The study has no usable PET or CT series. {reason}"


def _metadata(series: FoundSeries | None) -> dict[str, str]:
    """Return what describes the patient without naming them; an age over 89 years could name them."""
    if series is None or series.tags is None:
        return {}
    tags = series.tags
    facts = {"sex": tags.sex, "manufacturer": tags.manufacturer, "age": _age_years(tags.age)}
    if tags.weight_kg:
        facts["weight_kg"] = f"{tags.weight_kg:g}"
    if tags.height_m:
        facts["height_m"] = f"{tags.height_m:.4g}"
    return {name: value for name, value in facts.items() if value}


def _age_years(text: str) -> str:
    match = _AGE.fullmatch(text.upper())
    if match is None:
        return ""
    years = int(int(match[1]) / _PER_YEAR[match[2]])
    return str(years) if years <= _OLDEST_NAMED_AGE else "90+"
