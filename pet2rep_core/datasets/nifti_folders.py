"""autoPET I/II and HECKTOR: one folder a study or a pair of names, images in NIfTI.

autoPET (FDG-PET-CT-Lesions, doi 10.7937/gkr0-xv29, as NIfTI)::

    PETCT_<hash>/<study>/{SUV,PET,CT,CTres,SEG}.nii.gz     and fdg_metadata.csv at the top

SUV is the PET in SUVbw, PET the same in Bq/mL, CTres the CT on the PET's grid. HECKTOR::

    imagesTr/<ID>__{CT,PT}.nii.gz, labelsTr/<ID>.nii.gz    (2022)
    <ID>/<ID>__{CT,PT}.nii.gz, <ID>/<ID>.nii.gz            (2025)
"""

from __future__ import annotations

import re
from pathlib import Path

from pet2rep_core.datasets.files import (
    UNKNOWN_UNIT,
    Found,
    Layout,
    case_name,
    image_series,
    relative_parts,
    walk,
)
from pet2rep_core.datasets.tables import CaseTables, reports_beside
from pet2rep_core.errors import DatasetLayoutError
from pet2rep_core.records import CaseError, CaseSource, SeriesInfo, SeriesRole

_AUTOPET_STEMS = ("SUV", "PET", "CT", "CTres", "SEG")
_AUTOPET_DEPTH = 3
_HECKTOR_NAME = re.compile(r"(?P<id>[^.].*)__(?P<kind>CT|PT)\.nii(?:\.gz)?")
_HECKTOR_DEPTH = 2


def _autopet_files(folder: Path, names: list[str]) -> dict[str, Path]:
    files = {stem: f"{stem}{suffix}" for stem in _AUTOPET_STEMS for suffix in (".nii", ".nii.gz")}
    files |= {stem: f"{stem}.nii.gz" for stem in _AUTOPET_STEMS if f"{stem}.nii.gz" in names}
    return {stem: folder / name for stem, name in files.items() if name in names}


def _is_autopet(stems: dict[str, Path]) -> bool:
    # PET and CT alone are names that anybody gives; only SUV or CTres beside them are autoPET's own.
    return len(stems) > 1 and ("SUV" in stems or {"PET", "CTres"} <= set(stems))


def detect_autopet(root: Path) -> bool:
    """Tell whether a folder down to three levels holds SUV.nii.gz with CT, CTres, PET or SEG beside it."""
    return root.is_dir() and any(_is_autopet(_autopet_files(*found)) for found in walk(root, _AUTOPET_DEPTH))


def _autopet_id(folder: Path, root: Path) -> tuple[str, str]:
    """Return case name and patient; the same whether the dataset, the patient or the study folder is given."""
    absolute = folder.resolve().parts
    start = next((i for i, part in enumerate(absolute) if part.startswith("PETCT_")), None)
    parts = relative_parts(folder, root) if start is None else absolute[start:]
    return case_name(*parts), parts[0]


def find_autopet(root: Path) -> tuple[list[CaseSource], list[CaseError]]:
    """List the studies of an autoPET I/II dataset, of one patient's folder or of one study's."""
    found = Found()
    studies = [(f, n, s) for f, n in walk(root, _AUTOPET_DEPTH) if (s := _autopet_files(f, n))]
    patients = [_autopet_id(folder, root)[1] for folder, _, _ in studies]
    tables = CaseTables().read_folder(root)
    for (folder, names, stems), patient in zip(studies, patients, strict=True):
        case_id, _ = _autopet_id(folder, root)
        with found.case("/".join(relative_parts(folder, root))):
            if not {"SUV", "PET"} & set(stems):
                raise DatasetLayoutError("It has neither SUV.nii.gz nor PET.nii.gz.", hint="Copy the folder again.")
            single = patients.count(patient) == 1
            keys = [case_id, f"{patient}/{folder.name}", folder.name, *([patient] if single else [])]
            reports, facts, problems = tables.of(keys, shared=patient)
            own, own_problems = reports_beside(folder, names)
            case = CaseSource(
                case_id,
                "autopet",
                series=_autopet_series(stems),
                reports=own or reports,
                metadata=facts,
                problems=problems + own_problems,
            )
            found.add(case)
    found.errors += tables.close()
    return found.result()


def _autopet_series(stems: dict[str, Path]) -> tuple[SeriesInfo, ...]:
    series = []
    if "SUV" in stems:
        series.append(image_series(stems["SUV"], SeriesRole.PET, units="SUVBW"))
    if "PET" in stems:
        reason = "SUV.nii.gz holds the same PET in SUV and is used." if "SUV" in stems else None
        series.append(image_series(stems["PET"], SeriesRole.PET, units="BQML", skipped=reason))
    if "CT" in stems:
        series.append(image_series(stems["CT"], SeriesRole.CT, units="HU"))
    if "CTres" in stems:
        reason = "CT.nii.gz shows the same CT on its own, finer grid and is used." if "CT" in stems else None
        series.append(image_series(stems["CTres"], SeriesRole.CT, units="HU", skipped=reason))
    if "SEG" in stems:
        series.append(image_series(stems["SEG"], SeriesRole.MASK))
    return tuple(series)


def detect_hecktor(root: Path) -> bool:
    """Tell whether a folder down to two levels holds ``<ID>__PT.nii.gz`` or ``<ID>__CT.nii.gz``."""
    return root.is_dir() and any(
        _HECKTOR_NAME.fullmatch(name) for _, names in walk(root, _HECKTOR_DEPTH) for name in names
    )


def find_hecktor(root: Path) -> tuple[list[CaseSource], list[CaseError]]:
    """List the patients of a HECKTOR dataset (2022 or 2025), or of one patient's folder."""
    found = Found()
    images: dict[str, dict[str, Path]] = {}
    others: dict[str, Path] = {}
    texts: dict[Path, list[str]] = {}
    for folder, names in walk(root, _HECKTOR_DEPTH):
        texts[folder] = names
        for name in names:
            match = _HECKTOR_NAME.fullmatch(name)
            if match is not None:
                images.setdefault(match["id"], {}).setdefault(match["kind"], folder / name)
            elif name.endswith((".nii.gz", ".nii")) and (folder.name.startswith("labels") or "__" not in name):
                others.setdefault(re.sub(r"\.nii(\.gz)?$", "", name), folder / name)
    tables = CaseTables().read_folder(root)
    for name, files in sorted(images.items()):
        with found.case(name):
            series = []
            if "PT" in files:
                series.append(image_series(files["PT"], SeriesRole.PET))
            if "CT" in files:
                series.append(image_series(files["CT"], SeriesRole.CT, units="HU"))
            if name in others:
                series.append(image_series(others[name], SeriesRole.MASK))
            reports, facts, problems = tables.of([name])
            folder = next(iter(files.values())).parent
            own, own_problems = reports_beside(folder, texts[folder]) if folder.name == name else ((), ())
            if "PT" in files:
                problems += (UNKNOWN_UNIT,)
            found.add(
                CaseSource(
                    case_name(name),
                    "hecktor",
                    series=tuple(series),
                    reports=own or reports,
                    metadata=facts,
                    problems=problems + own_problems,
                )
            )
    found.errors += tables.close()
    return found.result()


AUTOPET = Layout(
    "autopet",
    "autoPET I/II: <patient>/<study>/ with SUV, PET, CT, CTres and SEG as NIfTI",
    detect_autopet,
    find_autopet,
)
HECKTOR = Layout("hecktor", "HECKTOR: <ID>__CT.nii.gz and <ID>__PT.nii.gz", detect_hecktor, find_hecktor)
