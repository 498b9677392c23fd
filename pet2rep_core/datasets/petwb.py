"""PETWB-REP (Zenodo 16789748): whole-body FDG PET/CT with Chinese and English reports, in each form met.

The release, in the manner of BIDS::

    rawdata/sub-<id>/ses-01/anat/*_ct.nii.gz, rawdata/sub-<id>/ses-01/pet/*_pet.nii.gz
    derivatives/sub-<id>/…/*_desc-pet_suv.nii.gz   (or *_desc-suv_pet.nii.gz)
    metadata.csv                                   keyed by "Image ID"

The authors' own script (suv_calculate.py)::

    <id>/<id>_pet_suv.nii.gz, <id>/<id>_ct_res.nii.gz

With tables, as the paper's figure shows it::

    Imaging_data/{CT_RAW,PET_RAW,CT_NORM,PET_SUV}/<id>….nii.gz
    Non-Imaging_data/{meta_data,report_zh,report_en}.csv

The columns of the report tables are documented nowhere; see :mod:`pet2rep_core.datasets.tables` for those taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pet2rep_core.datasets.files import (
    UNKNOWN_UNIT,
    Found,
    Layout,
    case_name,
    file_names,
    image_series,
    image_stem,
    walk,
)
from pet2rep_core.datasets.tables import CaseTables, plain_id, reports_beside
from pet2rep_core.records import CaseError, CaseSource, Report, SeriesInfo, SeriesRole

_SUV_NAME = re.compile(r"desc-(?:pet_suv|suv_pet)$")
_SCRIPT_NAME = re.compile(r"(?P<id>.+)_(?P<kind>pet_suv|ct_res)")
_SUBFOLDERS = 3
_TABLE_FOLDERS = ("Non-Imaging_data", "Non_Imaging_data", "Non-imaging_data")
_IMAGE_FOLDERS = ("PET_SUV", "PET_RAW", "CT_RAW", "CT_NORM")
_KIND_ENDING = re.compile(r"(?:[_\-](?:ct|pet|raw|norm|suv|res|desc-pet|desc-suv))+$", re.IGNORECASE)
_NOT_HU = "CT_NORM is z-scored and no longer in HU; CT_RAW is needed."
_SUV_IS_USED = "The PET in SUV is used."


def _release_root(root: Path) -> tuple[Path, str | None]:
    """Return the dataset's folder, and the one subject asked for where a subject's folder is given."""
    place = root.resolve()
    if place.name.startswith("sub-") and place.parent.name in ("rawdata", "derivatives"):
        return place.parent.parent, place.name
    if place.name == "rawdata":
        return place.parent, None
    return root, None


def _subjects(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(place for place in folder.iterdir() if place.name.startswith("sub-") and place.is_dir())


def _has_suv(subject: Path) -> bool:
    return any(_SUV_NAME.search(image_stem(name) or "") for _, names in walk(subject, _SUBFOLDERS) for name in names)


def _script_files(root: Path) -> dict[str, tuple[Path, dict[str, Path], list[str]]]:
    """Return the case folders that the authors' own script writes: id to folder, images and file names."""
    cases = {}
    for folder, names in walk(root, 1):
        files = {}
        for name in names:
            match = _SCRIPT_NAME.fullmatch(image_stem(name) or "")
            if match is not None and match["id"] == folder.resolve().name:
                files[match["kind"]] = folder / name
        if files:
            cases[folder.resolve().name] = (folder, files, names)
    return cases


def detect_petwb(root: Path) -> bool:
    """Tell whether there is rawdata/sub-* with SUV derivatives or metadata.csv, or the script's own names."""
    if not root.is_dir():
        return False
    dataset, _ = _release_root(root)
    raw = _subjects(dataset / "rawdata")
    if raw and any(_has_suv(subject) for subject in _subjects(dataset / "derivatives")):
        return True
    if raw and (dataset / "metadata.csv").is_file():
        sidecars = any(name.endswith("_pet.json") for _, names in walk(raw[0], _SUBFOLDERS) for name in names)
        return not sidecars
    return bool(_script_files(root))


def find_petwb(root: Path) -> tuple[list[CaseSource], list[CaseError]]:
    """List the cases of PETWB-REP's release, or of what the authors' own script wrote."""
    dataset, only = _release_root(root)
    found = Found()
    tables = CaseTables().read_folder(dataset, depth=1)
    derived = {subject.name: subject for subject in _subjects(dataset / "derivatives")}
    raw = {subject.name: subject for subject in _subjects(dataset / "rawdata")}
    for name in sorted(raw.keys() | derived.keys()):
        if only is not None and name != only:
            tables.of([name])
            continue
        with found.case(name):
            for session, files in _release_sessions(raw.get(name), derived.get(name)).items():
                case_id = name if session in ("", "ses-01", "ses-1") else f"{name}_{session}"
                found.add(_case(case_id, "petwb-rep", files, _Texts(*tables.of([case_id, name]))))
    for name, (folder, files_by_kind, names) in _script_files(root).items():
        with found.case(name):
            reports, facts, problems = tables.of([name])
            own, own_problems = reports_beside(folder, names)
            kinds = {"pet_suv": "suv", "ct_res": "ct"}
            files = [(kinds[kind], path) for kind, path in sorted(files_by_kind.items(), reverse=True)]
            texts = _Texts(own or reports, facts, problems + own_problems)
            found.add(_case(case_name(name), "petwb-rep", files, texts))
    found.errors += tables.errors
    if only is None:
        _add_reports_alone(found, tables, "petwb-rep")
    return found.result()


def _release_sessions(raw: Path | None, derived: Path | None) -> dict[str, list[tuple[str, Path]]]:
    """Return the images of a subject by session: each with its kind, the PET in SUV first."""
    files: list[tuple[str, str, Path]] = []
    # Raw before derived: a CT in the derivatives is one resampled to the PET.
    for subject in (raw, derived):
        for folder, names in walk(subject, _SUBFOLDERS) if subject else ():
            for name in names:
                stem = image_stem(name)
                kind = _kind(stem) if stem else None
                if kind is not None:
                    match = re.search(r"ses-[0-9A-Za-z]+", f"{'/'.join(folder.parts[-3:])}/{name}")
                    files.append((match.group() if match else "", kind, folder / name))
    named = sorted({session for session, _, _ in files if session})
    sessions: dict[str, list[tuple[str, Path]]] = {}
    for session, kind, path in sorted(files, key=lambda file: file[1] != "suv"):
        # Derivatives do not always repeat the session; with one session there is no doubt.
        place = session or (named[0] if len(named) == 1 else "")
        sessions.setdefault(place, []).append((kind, path))
    return sessions


def _kind(stem: str) -> str | None:
    lower = stem.lower()
    if _SUV_NAME.search(lower) or lower.endswith("pet_suv"):
        return "suv"
    if "norm" in lower and "ct" in lower:
        return "ct_norm"
    if lower.endswith("_ct") or "_ct_" in lower:
        return "ct"
    return "pet" if "pet" in lower else None


def _series(kind: str, path: Path, earlier: list[SeriesInfo]) -> SeriesInfo:
    role = SeriesRole.CT if kind.startswith("ct") else SeriesRole.PET
    if kind == "ct_norm":
        return image_series(path, role, skipped=_NOT_HU)
    units = {"suv": "SUVBW", "ct": "HU"}.get(kind)
    used = next((s for s in earlier if s.role is role and s.skipped is None), None)
    reason = None
    if used is not None:
        reason = _SUV_IS_USED if kind == "pet" and used.units == "SUVBW" else f"{used.files[0].name} is used."
    return image_series(path, role, units=units, skipped=reason)


@dataclass(frozen=True, slots=True)
class _Texts:
    """What the tables and text files say about a case."""

    reports: tuple[Report, ...]
    facts: dict[str, str]
    problems: tuple[str, ...]


def _case(case_id: str, layout: str, files: list[tuple[str, Path]], texts: _Texts) -> CaseSource:
    series: list[SeriesInfo] = []
    for kind, path in files:
        series.append(_series(kind, path, series))
    problems = texts.problems
    if any(s.role is SeriesRole.PET and s.skipped is None and s.units is None for s in series):
        problems += (UNKNOWN_UNIT,)
    return CaseSource(case_id, layout, tuple(series), (), texts.reports, texts.facts, problems)


def _add_reports_alone(found: Found, tables: CaseTables, layout: str) -> None:
    """Take the reports without images as cases of their own: a release may come in parts."""
    for name in tables.leftover_ids():
        with found.case(name):
            texts = _Texts(*tables.of([name]))
            found.add(_case(case_name(name), layout, [], texts))


def _imaging_folder(root: Path) -> Path:
    return root / "Imaging_data" if (root / "Imaging_data").is_dir() else root


def detect_petwb_tables(root: Path) -> bool:
    """Tell whether there are PET_SUV, CT_RAW or their like, or tables of reports in Non-Imaging_data."""
    if not root.is_dir():
        return False
    images = _imaging_folder(root)
    return (
        any((images / folder).is_dir() for folder in _IMAGE_FOLDERS)
        or any((root / folder).is_dir() for folder in _TABLE_FOLDERS)
        or any((root / name).is_file() for name in ("report_zh.csv", "report_en.csv"))
    )


def find_petwb_tables(root: Path) -> tuple[list[CaseSource], list[CaseError]]:
    """List the cases of PETWB-REP in folders by kind with tables; reports without images are cases too."""
    found = Found()
    tables = CaseTables().read_folder(root)
    for place in _TABLE_FOLDERS:
        tables.read_folder(root / place)
    images: dict[str, list[tuple[str, Path]]] = {}
    names: dict[str, str] = {}
    kinds = {"PET_SUV": "suv", "PET_RAW": "pet", "CT_RAW": "ct", "CT_NORM": "ct_norm"}
    for place, kind in kinds.items():
        for name in file_names(_imaging_folder(root) / place):
            stem = image_stem(name)
            if stem is not None:
                shown = _KIND_ENDING.sub("", stem)
                names.setdefault(plain_id(shown), shown)
                images.setdefault(plain_id(shown), []).append((kind, _imaging_folder(root) / place / name))
    for key in sorted(images):
        with found.case(names[key]):
            texts = _Texts(*tables.of([names[key]]))
            found.add(_case(case_name(names[key]), "petwb-rep-tables", images[key], texts))
    found.errors += tables.errors
    _add_reports_alone(found, tables, "petwb-rep-tables")
    return found.result()


PETWB = Layout(
    "petwb-rep",
    "PETWB-REP: rawdata/sub-<id>/ with derivatives/…_desc-pet_suv.nii.gz and metadata.csv",
    detect_petwb,
    find_petwb,
)
PETWB_TABLES = Layout(
    "petwb-rep-tables",
    "PETWB-REP with tables: Imaging_data/{CT_RAW,PET_SUV} and Non-Imaging_data/{meta_data,report_zh,report_en}.csv",
    detect_petwb_tables,
    find_petwb_tables,
)
