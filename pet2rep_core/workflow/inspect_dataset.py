"""Say what the importer sees, without writing anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pet2rep_core.datasets.layouts import scan_dataset
from pet2rep_core.datasets.load import load_case, pet_suv
from pet2rep_core.errors import Pet2RepError
from pet2rep_core.records import CaseSource, PetUnit, SeriesInfo, SeriesRole, SuvFactors


def inspect_dataset(path: Path, *, layout: str | None = None) -> dict[str, Any]:
    """Return what lies below a path as JSON-ready data: ``cases`` and ``errors``.

    A case has ``case_id``, ``layout``, ``series``, ``suv`` (factors, ``time_rule``, ``reason``, ``warnings``)
    and ``suv_max`` (None without SUV). The voxels of the PET are read, those of the CT are not. A case whose
    PET cannot be read goes to ``errors``.

    Raises
    ------
    DatasetLayoutError
        If nothing below the path can be used.
    """
    scan = scan_dataset(path, layout=layout)
    cases: list[dict[str, Any]] = []
    errors = [{"where": error.where, "reason": error.reason} for error in scan.errors]
    for source in scan.cases:
        try:
            cases.append(_case(source))
        except Pet2RepError as error:
            errors.append({"where": source.case_id, "reason": str(error)})
    return {"cases": cases, "errors": errors}


def _case(source: CaseSource) -> dict[str, Any]:
    series = source.used(SeriesRole.PET)
    suv = SuvFactors(reason="The case has no PET.") if series is None else pet_suv(source, series)
    return {
        "case_id": source.case_id,
        "layout": source.layout,
        "series": [_series(info) for info in source.series],
        "suv": {
            "bw": suv.bw,
            "lbm": suv.lbm,
            "bsa": suv.bsa,
            "ibw": suv.ibw,
            "time_rule": suv.time_rule,
            "reason": suv.reason,
            "warnings": list(suv.warnings),
        },
        "suv_max": None if series is None else _suv_max(source),
        "pictures": len(source.pictures),
        "reports": [{"language": r.language.value, "characters": len(r.text)} for r in source.reports],
        "problems": list(source.problems),
    }


def _series(info: SeriesInfo) -> dict[str, Any]:
    return {
        "role": info.role.value,
        "description": info.description,
        "files": len(info.files),
        "size": None if info.size is None else list(info.size),
        "spacing_mm": None if info.spacing_mm is None else [round(s, 4) for s in info.spacing_mm],
        "orientation": info.orientation,
        "units": info.units,
        "skipped": info.skipped,
    }


def _suv_max(source: CaseSource) -> float | None:
    without_ct = replace(source, series=tuple(s for s in source.series if s.role is not SeriesRole.CT))
    loaded = load_case(without_ct)
    if loaded.pet is None or loaded.pet_unit is not PetUnit.SUVBW:
        return None
    return float(np.max(loaded.pet.values))
