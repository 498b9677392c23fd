"""Reports that follow from a case: phrases with slots, filled with what was measured on the voxels.

``data/demo/phrases.toml`` holds the sections of a report in their order, with several wordings of the normal
statement in pairs (Chinese, English); a case file replaces the sections that it has something to say about.
Slots are ``{lesion.suv}`` (SUVmax, one decimal), ``{lesion.size}`` (two largest diameters in cm) and
``{lesion.long}`` (largest diameter in cm); a group of lesions gives its highest SUVmax and largest member.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pet2rep_core.datasets.phantom.canvas import Point
from pet2rep_core.datasets.phantom.spec import DEMO_DIR, CaseSpec, read_toml
from pet2rep_core.errors import DatasetLayoutError
from pet2rep_core.records import Language, Report

_HEADINGS = {Language.CHINESE: ("影像所见：", "影像诊断："), Language.ENGLISH: ("Findings:", "Impression:")}


@dataclass(frozen=True, slots=True)
class Measured:
    """A lesion's name, group, SUVmax (g/mL) and diameters (mm)."""

    name: str
    group: str
    suv_max: float
    diameter_mm: Point


@dataclass(frozen=True, slots=True)
class _Slot:
    suv: str
    size: str
    long: str


def report_sections(spec: CaseSpec) -> list[dict[str, Any]]:
    """Return the sections of this patient's report, head to toe, those of the other sex left out."""
    rows: list[dict[str, Any]] = read_toml(DEMO_DIR / "phrases.toml")["section"]
    return [row for row in rows if row.get("sex", spec.metadata["sex"]) == spec.metadata["sex"]]


def normal_organs(spec: CaseSpec) -> tuple[str, ...]:
    """Return the organs whose uptake the report states, head to toe."""
    return tuple(organ for row in report_sections(spec) for organ in row["organs"])


def write_reports(spec: CaseSpec, lesions: Sequence[Measured]) -> tuple[Report, ...]:
    """Return the Chinese and the English reference report of a case.

    Raises
    ------
    DatasetLayoutError
        If a text has a slot that no lesion of the case fills.
    """
    slots = {row.name: _slot([row]) for row in lesions}
    for group in {row.group for row in lesions if row.group}:
        slots[group] = _slot([row for row in lesions if row.group == group])
    unknown = set(spec.sections) - {row["name"] for row in report_sections(spec)}
    if unknown:
        raise DatasetLayoutError(
            f"{spec.case_id}.toml has text for the unknown section {sorted(unknown)[0]!r}.",
            hint="Use the names of the sections in phrases.toml.",
        )
    return tuple(_report(spec, slots, language) for language in Language)


def _slot(lesions: Sequence[Measured]) -> _Slot:
    largest = max(lesions, key=lambda row: max(row.diameter_mm))
    a, b, _ = sorted(largest.diameter_mm, reverse=True)
    suv = max(row.suv_max for row in lesions)
    return _Slot(f"{suv:.1f}", f"{a / 10:.1f} cm×{b / 10:.1f} cm", f"{a / 10:.1f} cm")


def _report(spec: CaseSpec, slots: Mapping[str, _Slot], language: Language) -> Report:
    lines = []
    phrases = read_toml(DEMO_DIR / "phrases.toml")
    leads: list[str] = phrases["lead"][language]
    lines.append(leads[spec.number % len(leads)])
    for n, row in enumerate(report_sections(spec)):
        words: list[str] = row[language]
        text = words[(spec.number + n) % len(words)]
        lines.append(spec.sections.get(row["name"], {}).get(language, text))
    findings = "\n".join(_fill(spec, line, slots) for line in lines)
    impression = _fill(spec, spec.impression[language].strip(), slots)
    first, second = _HEADINGS[language]
    gap = "" if language is Language.CHINESE else "\n"
    return Report(language, f"{first}{gap}{findings}\n{second}{gap}{impression}", findings, impression)


def _fill(spec: CaseSpec, text: str, slots: Mapping[str, _Slot]) -> str:
    try:
        return text.format_map(slots)
    except (KeyError, AttributeError, ValueError, IndexError) as error:
        raise DatasetLayoutError(
            f"A report text of {spec.case_id} has a slot that nothing fills: {error}.",
            hint="Use {lesion.suv}, {lesion.size} or {lesion.long} with the name of a lesion or group.",
        ) from error
