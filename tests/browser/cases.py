"""Quick cases for the browser: each shows something that the demo study does not."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from pet2rep_core.datasets.layouts import scan_dataset
from pet2rep_core.datasets.load import load_case
from pet2rep_core.imaging.prepared import open_prepared, prepare_case
from pet2rep_core.imaging.volume import Volume
from pet2rep_core.records import Language, PetUnit, Report, SuvFactors
from pet2rep_core.settings import Settings
from pet2rep_core.store import CaseRow, Store, open_store
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow.generate import generate_report
from pet2rep_core.workflow.import_dataset import ImportStatus, Preparation, record_preparation
from tests.layout_files import FINDINGS_EN, FINDINGS_ZH, IMPRESSION_EN, IMPRESSION_ZH, REPORT_EN, REPORT_ZH

PHANTOM, NO_SUV, PICTURES, HOSTILE = "browser-a", "browser-b", "browser-c", "browser-d"
UNEVEN, REAL = "browser-e", "browser-f"
PET_SIZE, PET_MM = (64, 60, 70), 5.0
CT_SIZE, CT_MM = (128, 120, 140), 2.5
# Voxels of the PET in LPS order: high I is the patient's left, low J the front, high K the head.
BRIGHT = (slice(54, 60), slice(4, 8), slice(60, 66))
LIVER = (slice(8, 28), slice(16, 44), slice(24, 40))
BRIGHT_PLANE, LIVER_PLANE = 5, 30

HOSTILE_PARTS = (
    "<img src=x onerror=alert(1)>",
    "<script>alert(2)</script>",
    "**bold** [link](javascript:alert(3))",
    "$x$",
    ":red[x]",
    "right \u202eto left",
)
HOSTILE_TEXT = "\n".join(HOSTILE_PARTS)
_REPORTS = (
    Report(Language.CHINESE, REPORT_ZH, FINDINGS_ZH, IMPRESSION_ZH),
    Report(Language.ENGLISH, REPORT_EN, FINDINGS_EN, IMPRESSION_EN),
)
_HOSTILE_REPORTS = tuple(Report(language, HOSTILE_TEXT, HOSTILE_TEXT) for language in Language)


def phantom_pet() -> Volume:
    """Return SUV 1 in the body, 4 in the liver on the right, 20 in the left anterior superior corner."""
    values = np.full(PET_SIZE, 1.0, np.float32)
    values[LIVER] = 4.0
    values[BRIGHT] = 20.0
    return Volume(values, _affine(PET_MM, 0.0))


def phantom_ct() -> Volume:
    """Return the same in HU on voxels of half the size: body 40, liver 60, corner 1000."""
    values = np.full(CT_SIZE, 40, np.int16)
    values[_twice(LIVER)] = 60
    values[_twice(BRIGHT)] = 1000
    # A finer voxel's centre lies a quarter of a coarse voxel nearer to the edge.
    return Volume(values, _affine(CT_MM, -CT_MM / 2))


def uneven_pet() -> Volume:
    """Return uptake that differs from voxel to voxel, on voxels of three sizes, with a hole of no number."""
    rng = np.random.default_rng(5)
    values = rng.gamma(1.5, 1.6, (44, 38, 50)).astype(np.float32)
    values[20:24, 10:14, 30:33] = np.nan
    affine = np.diag([4.1, 5.3, 3.27, 1.0])
    affine[:3, 3] = (-91.0, -77.5, 810.25)
    return Volume(values, affine)


def uneven_ct() -> Volume:
    """Return a CT that begins inside the PET and ends outside of it, on voxels that fit its voxels nowhere."""
    rng = np.random.default_rng(6)
    values = rng.integers(-900, 1400, (120, 90, 70)).astype(np.int16)
    affine = np.diag([1.37, 1.91, 2.5, 1.0])
    affine[:3, 3] = (-70.3, -60.1, 801.7)
    return Volume(values, affine)


def fill_home(home: Path) -> None:
    """Make a store with the cases, and reports to rate for two of them; the real study where it is to be had."""
    settings = Settings(home=home, workers=1)
    home.mkdir(parents=True, exist_ok=True)
    store = open_store(settings)
    try:
        _record_cases(settings, store, home.parent)
        for language in Language:
            for case_id in (HOSTILE, UNEVEN):
                generate_report(store, case_id, "scripted", language, behaviour=Behaviour.COPY)
    finally:
        store.close()


def _record_cases(settings: Settings, store: Store, folder: Path) -> None:
    suv = SuvFactors(bw=1.0, time_rule="already-suv")
    pet = phantom_pet()
    activity = Volume(pet.values * 1000, pet.affine_lps)
    none = SuvFactors(reason="The files do not say when the tracer was injected.")
    uneven, uneven_on = uneven_pet(), uneven_ct()
    pictures = tuple(_draw_picture(folder / f"picture-{n}.png", n) for n in range(2))
    kept = settings.prepared
    keys = {
        PHANTOM: prepare_case(kept, pet=pet, pet_unit=PetUnit.SUVBW, suv=suv, ct=phantom_ct()),
        NO_SUV: prepare_case(kept, pet=activity, pet_unit=PetUnit.ACTIVITY_BQML, suv=none, ct=None),
        PICTURES: prepare_case(kept, pet=None, pet_unit=None, suv=SuvFactors(), ct=None, pictures=pictures),
        HOSTILE: None,
        UNEVEN: prepare_case(kept, pet=uneven, pet_unit=PetUnit.SUVBW, suv=suv, ct=uneven_on),
    }
    if "PET2REP_REAL_DATA" in os.environ:
        keys[REAL] = _prepare_real(kept, Path(os.environ["PET2REP_REAL_DATA"]))
    for case_id, key in keys.items():
        reports = _HOSTILE_REPORTS if case_id == HOSTILE else _REPORTS
        done = record_preparation(Preparation(_row(kept, case_id, key), reports, case_id), store)
        assert done.status is ImportStatus.NEW, done


def _prepare_real(kept: Path, folder: Path) -> str:
    [found] = scan_dataset(folder / "acrin042_nifti").cases
    one = load_case(found)
    return prepare_case(kept, pet=one.pet, pet_unit=one.pet_unit, suv=one.suv, ct=one.ct, warnings=one.warnings)


def _row(kept: Path, case_id: str, key: str | None) -> CaseRow:
    row = CaseRow(
        case_id=case_id,
        dataset="browser",
        layout="test",
        prepared_key=key,
        source_sha256=key or "0" * 64,
        metadata={},
        suv={"warnings": []},
    )
    if key is None:
        return row
    case = open_prepared(kept, key)
    return replace(
        row,
        has_pet=case.pet is not None,
        has_ct=case.ct is not None,
        n_pictures=len(case.pictures),
        suv={**asdict(case.suv), "unit": case.pet_unit, "warnings": []},
        key_slices=case.key_slices,
    )


def _affine(step_mm: float, shift_mm: float) -> np.ndarray:
    affine = np.diag([step_mm, step_mm, step_mm, 1.0])
    affine[:3, 3] = np.array([-160.0, -150.0, -175.0]) + shift_mm
    return affine


def _twice(block: tuple[slice, ...]) -> tuple[slice, ...]:
    return tuple(slice(2 * part.start, 2 * part.stop) for part in block)


def _draw_picture(path: Path, n: int) -> Path:
    from PIL import Image

    Image.new("RGB", (60, 80), (40 + 60 * n, 90, 90)).save(path)
    return path
