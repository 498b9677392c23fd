"""BIDS with PET: ``sub-<id>[/ses-<id>]/pet/…_pet.nii.gz`` and its sidecar ``…_pet.json``.

The CT, for which BIDS has no place of its own, is looked for as ``*_ct.nii.gz`` in ``ct/``, ``anat/`` or ``pet/``.
Weights come from ``participants.tsv`` or ``sub-<id>_sessions.tsv``. Field names are those of the BIDS
specification, modality-specific files, positron emission tomography.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pet2rep_core.datasets.files import Found, Layout, case_name, image_series, image_stem, walk
from pet2rep_core.datasets.report_files import read_table, read_text
from pet2rep_core.datasets.tables import CaseTables, fact_name, plain, reports_beside
from pet2rep_core.errors import DatasetLayoutError
from pet2rep_core.records import CaseError, CaseSource, Report, SeriesInfo, SeriesRole, SuvFactors

_DEPTH = 3
_PET_NAME = re.compile(r"_pet\.nii(\.gz)?$")
_RADIOACTIVITY_BQ = {"bq": 1.0, "kbq": 1e3, "mbq": 1e6, "gbq": 1e9, "uci": 3.7e4, "mci": 3.7e7}
_HALF_LIFE_S = {
    # ICRP 107; F-18 as scanners write it.
    "f18": 6586.2,
    "c11": 1223.4,
    "n13": 597.9,
    "o15": 122.24,
    "ga68": 4062.6,
    "cu64": 45720.0,
    "zr89": 282276.0,
    "i124": 360806.4,
    "rb82": 76.38,
}
TIME_RULE = "bids-image-decay-correction-time"


def _dataset_root(root: Path) -> Path:
    """Return the dataset's folder where one subject's or session's folder is given."""
    place = root.resolve()
    while place.name.startswith(("sub-", "ses-")) or place.name == "pet":
        place = place.parent
    return root if place == root.resolve() else place


def _pet_folders(root: Path) -> list[tuple[Path, list[str]]]:
    """Return the folders ``[sub-…/[ses-…/]]pet`` with PET images, and their file names."""
    base = root / "rawdata" if (root / "rawdata").is_dir() else root
    if base.resolve().name.startswith(("sub-", "ses-")) or base.resolve().name == "pet":
        starts = [base]
    else:
        starts = sorted(place for place in base.glob("sub-*") if place.is_dir())
    folders = []
    for start in starts:
        for folder, names in walk(start, 2):
            place = folder.resolve()
            if place.name == "pet" and place.parent.name.startswith(("sub-", "ses-")):
                folders.append((folder, [name for name in names if _PET_NAME.search(name)]))
    return [(folder, names) for folder, names in folders if names]


def detect_bids(root: Path) -> bool:
    """Tell whether there is a ``sub-*/pet`` or ``sub-*/ses-*/pet`` folder with ``*_pet.nii.gz``."""
    return root.is_dir() and bool(_pet_folders(root))


def find_bids(root: Path) -> tuple[list[CaseSource], list[CaseError]]:
    """List the PET sessions of a BIDS dataset, or of one subject's folder."""
    found = Found()
    dataset = _dataset_root(root)
    tables = CaseTables().read_folder(dataset)
    if (root / "rawdata").is_dir():
        tables.read_folder(root / "rawdata")
    folders = _pet_folders(root)
    subjects = [_entities(folder)[0] for folder, _ in folders]
    for folder, names in folders:
        subject, session = _entities(folder)
        case_id = case_name(subject, session)
        with found.case(case_id):
            keys = [case_id, *([subject] if subjects.count(subject) == 1 else [])]
            reports, facts, problems = tables.of(keys, shared=subject)
            facts |= _session_facts(folder, subject, session)
            own, own_problems = _own_reports(folder)
            series = (*_pet_series(folder, names), *_ct_series(folder))
            pet = next((s for s in series if s.role is SeriesRole.PET and s.skipped is None), None)
            if pet is not None:
                reason = sidecar_suv(pet, facts).reason
                problems += (reason,) if reason else ()
            found.add(
                CaseSource(
                    case_id,
                    "bids-pet",
                    series=series,
                    reports=own or reports,
                    metadata=facts,
                    problems=problems + own_problems,
                )
            )
    found.errors += tables.close() if dataset == root else tables.errors
    return found.result()


def _entities(pet_folder: Path) -> tuple[str, str]:
    parts = pet_folder.resolve().parts
    if parts[-2].startswith("ses-"):
        return parts[-3], parts[-2]
    return parts[-2], ""


def _own_reports(pet_folder: Path) -> tuple[tuple[Report, ...], tuple[str, ...]]:
    place = pet_folder.resolve().parent
    return reports_beside(place, next(walk(place, 0))[1])


def _session_facts(pet_folder: Path, subject: str, session: str) -> dict[str, str]:
    """Return the facts that ``sub-<id>_sessions.tsv`` has for a session; they are closer than participants.tsv."""
    place = pet_folder.resolve().parent
    path = place.parent / f"{subject}_sessions.tsv"
    if not session or not path.is_file():
        return {}
    table = read_table(path)
    key = next((column for column in table.columns if plain(column) in ("sessionid", "session")), None)
    row = next((row for row in table.rows if key and row.cells[key].removeprefix("ses-") == session[4:]), None)
    if row is None:
        return {}
    missing = ("", "n/a")
    return {fact: value for column, value in row.cells.items() if (fact := fact_name(column)) and value not in missing}


def _pet_series(folder: Path, names: list[str]) -> list[SeriesInfo]:
    series: list[SeriesInfo] = []
    for name in names:
        sidecar = read_sidecar(folder / name)
        units = _units(sidecar)
        reason = _why_not(name, sidecar)
        used = next((s for s in series if s.skipped is None), None)
        if reason is None and used is not None:
            reason = f"{used.files[0].name} of the same session is used."
        series.append(image_series(folder / name, SeriesRole.PET, units=units, skipped=reason))
    return series


def _ct_series(pet_folder: Path) -> list[SeriesInfo]:
    place = pet_folder.resolve().parent
    series: list[SeriesInfo] = []
    for modality in ("ct", "anat", "pet"):
        for folder, names in walk(place / modality, 0) if (place / modality).is_dir() else ():
            for name in names:
                stem = image_stem(name)
                if stem is None or not stem.lower().endswith("_ct"):
                    continue
                reason = f"{series[0].files[0].name} is used." if series else None
                path = pet_folder.parent / folder.name / name
                series.append(image_series(path, SeriesRole.CT, units="HU", skipped=reason))
    return series


def _why_not(name: str, sidecar: dict[str, Any]) -> str | None:
    """Return why a reconstruction cannot be shown as one corrected image, or None."""
    if "_rec-nacstat" in name or "_rec-nacdyn" in name:
        return f"{name} is not corrected for attenuation."
    if "_rec-acdyn" in name:
        return f"{name} is dynamic: only a static image can be used."
    correction = str(sidecar.get("AttenuationCorrection", "")).strip().casefold()
    if correction in ("none", "no", "false", "nac", "not applied"):
        return f"{name} is not corrected for attenuation."
    durations = sidecar.get("FrameDuration")
    if isinstance(durations, list) and len(durations) > 1:
        return f"{name} is dynamic ({len(durations)} frames): only a static image can be used."
    return None


def read_sidecar(image: Path) -> dict[str, Any]:
    """Return the JSON fields that hold for a PET image.

    BIDS inherits: a ``…_pet.json`` higher up holds for all images whose name has all its entities; the closest
    one wins.

    Raises
    ------
    DatasetLayoutError
        If a sidecar is not a JSON object.
    """
    entities = set((image_stem(image.name) or "").split("_"))
    place = image.resolve().parent
    levels = [place]
    while len(levels) <= _DEPTH and levels[-1].name.startswith(("pet", "sub-", "ses-")):
        levels.append(levels[-1].parent)
    fields: dict[str, Any] = {}
    for level in reversed(levels):
        fitting = [
            path for path in level.glob("*pet.json") if set(path.name.removesuffix(".json").split("_")) <= entities
        ]
        for path in sorted(fitting, key=lambda path: len(path.name.split("_"))):
            try:
                content = json.loads(read_text(path))
            except json.JSONDecodeError as error:
                raise DatasetLayoutError(
                    f"{path.name} is not valid JSON (line {error.lineno}).", hint="Correct the sidecar."
                ) from error
            if not isinstance(content, dict):
                raise DatasetLayoutError(f"{path.name} is not a JSON object.", hint="Correct the sidecar.")
            fields |= content
    return fields


def _units(sidecar: dict[str, Any]) -> str | None:
    """Return the unit as DICOM names it; other units as the sidecar writes them."""
    given = str(sidecar.get("Units", "")).strip()
    key = re.sub(r"[\s/_\-]", "", given).casefold()
    if key in ("bqml", "becquerel/ml"):
        return "BQML"
    if key in ("suv", "suvbw", "gml"):
        return "SUVBW"
    return given or None


def sidecar_suv(series: SeriesInfo, metadata: dict[str, str]) -> SuvFactors:
    """Return the factor from Bq/mL to SUVbw, or the reason why there is none.

    Parameters
    ----------
    series : SeriesInfo
        The PET as found; its sidecar is read again.
    metadata : dict
        Facts of the case; ``weight_kg`` is needed.

    Notes
    -----
    SUVbw = activity * weight / dose at the time to which the image is decay-corrected
    (``ImageDecayCorrectionTime``; both it and ``InjectionStart`` are seconds from ``TimeZero``).
    """
    if series.units == "SUVBW":
        return SuvFactors(bw=1.0, time_rule="already-suv")
    if series.units is None:
        return SuvFactors(reason="The PET's sidecar has no Units, so there is no SUV.")
    if series.units != "BQML":
        return SuvFactors(reason=f"The PET is in {series.units!r}, not in Bq/mL, so there is no SUV.")
    sidecar = read_sidecar(series.files[0])
    missing = [
        field
        for field in (
            "InjectedRadioactivity",
            "InjectedRadioactivityUnits",
            "ImageDecayCorrectionTime",
            "InjectionStart",
        )
        if sidecar.get(field) in (None, "", "n/a")
    ]
    if missing:
        return SuvFactors(reason=f"The PET's sidecar has no {', '.join(missing)}, so there is no SUV.")
    if sidecar.get("ImageDecayCorrected") is not True:
        return SuvFactors(
            reason="The PET's sidecar does not say that the image is decay-corrected, so there is no SUV."
        )
    weight_kg = _number(metadata.get("weight_kg", ""))
    if weight_kg is None or not 0 < weight_kg < 1000:
        return SuvFactors(
            reason="There is no usable body weight in participants.tsv or sessions.tsv, so there is no SUV."
        )
    unit = str(sidecar["InjectedRadioactivityUnits"]).strip().casefold().replace("µ", "u")
    dose, corrected_s, injected_s = (
        _number(sidecar[field]) for field in ("InjectedRadioactivity", "ImageDecayCorrectionTime", "InjectionStart")
    )
    if unit not in _RADIOACTIVITY_BQ or dose is None or dose <= 0:
        return SuvFactors(reason="The injected radioactivity in the sidecar is not usable, so there is no SUV.")
    if corrected_s is None or injected_s is None:
        return SuvFactors(reason="The times in the sidecar are no numbers, so there is no SUV.")
    decay_s = corrected_s - injected_s
    remaining = 1.0
    if decay_s != 0:
        nuclide = _nuclide(str(sidecar.get("TracerRadionuclide", "")))
        if nuclide is None:
            return SuvFactors(reason="The tracer's radionuclide is not given or not known, so there is no SUV.")
        remaining = 2.0 ** (-decay_s / _HALF_LIFE_S[nuclide])
    bw = weight_kg * 1000.0 / (dose * _RADIOACTIVITY_BQ[unit] * remaining)
    return SuvFactors(bw=bw, time_rule=TIME_RULE)


def _number(value: object) -> float | None:
    """Return a finite number, or None."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if abs(number) < float("inf") else None


def _nuclide(text: str) -> str | None:
    """Return the key of a radionuclide written as F18, 18F, [18F] or F-18."""
    letters = "".join(re.findall(r"[A-Za-z]+", text)).casefold()
    digits = "".join(re.findall(r"\d+", text))
    key = letters + digits
    return key if key in _HALF_LIFE_S else None


BIDS = Layout("bids-pet", "BIDS: sub-<id>[/ses-<id>]/pet/*_pet.nii.gz with *_pet.json", detect_bids, find_bids)
