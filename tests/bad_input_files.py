"""Bad inputs, each beside a good case of the same folder, with what must become of it.

Every row of ``BAD_INPUTS`` builds a folder of two cases. ``taken`` says whether the bad one still goes in, and
``words`` is what a person must be told: in a warning where it goes in, in its reason where it does not.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pydicom

from tests.dicom_files import phantom, uid, write_ct, write_pet
from tests.layout_files import FINDINGS_EN, REPORT_ZH, save_ct, save_pet, save_text

GOOD = {"good", f"dcm-{hashlib.sha256(uid('good').encode()).hexdigest()[:10]}"}
"""Names of the good case: that of the manifest and that of the DICOM study."""
COLUMNS = "case,pet,ct,pet_unit,report"


@dataclass(frozen=True, slots=True)
class BadInput:
    """One kind of bad input; ``words`` are parts of what is said, all of which must be there."""

    name: str
    build: Callable[[Path], Any]
    taken: bool
    words: tuple[str, ...]


def _dicom(**changes: Any) -> Callable[[Path], Any]:
    """Build two studies; ``changes`` go to the PET of the bad one."""

    def build(root: Path) -> None:
        _good_study(root)
        write_pet(root / "bad", phantom(), study="bad", **changes)

    return build


def _good_study(root: Path) -> None:
    write_pet(root / "ok", phantom(), study="good")


def _then(first: Callable[[Path], Any], change: Callable[[list[Path]], Any]) -> Callable[[Path], Any]:
    def build(root: Path) -> None:
        first(root)
        change(sorted((root / "bad").iterdir()))

    return build


def _without_pixels(files: list[Path]) -> None:
    for file in files:
        data = pydicom.dcmread(file)
        del data.PixelData
        data.save_as(file)


def _localizer(root: Path) -> None:
    _good_study(root)
    write_ct(root / "bad", phantom(), study="bad", tags={"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]})


def _other_frame(root: Path) -> None:
    _good_study(root)
    write_pet(root / "bad", phantom(), study="bad")
    write_ct(root / "bad_ct", phantom(), study="bad", frame="other")


def _barely_overlapping_dicom(root: Path) -> None:
    _good_study(root)
    write_pet(root / "bad", phantom(), study="bad")
    write_ct(root / "bad_ct", np.zeros((32, 40, 6)), study="bad", origin_lps=(-20, -30, -40 + 15), spacing_mm=(1, 1, 3))


def _manifest(row: str, build: Callable[[Path], Any] = lambda root: None) -> Callable[[Path], Any]:
    """Build a manifest of a good case and the given row."""

    def both(root: Path) -> None:
        save_pet(root / "ok.nii.gz")
        build(root)
        save_text(root / "manifest.csv", f"{COLUMNS}\ngood,ok.nii.gz,,suvbw,{FINDINGS_EN!r}\n{row}\n")

    return both


def save_values(path: Path, values: np.ndarray, affine_ras: np.ndarray | None = None, *, forms: str = "both") -> None:
    """Write a NIfTI; ``forms`` says whether sform and qform are ``both`` set, ``qform`` alone or ``none``."""
    affine = np.diag([-4.0, -4.0, 3.0, 1.0]) if affine_ras is None else affine_ras
    image = nibabel.Nifti1Image(values.astype(np.float32), affine)
    image.set_qform(affine, code=0 if forms == "none" else 1)
    image.set_sform(affine, code=1 if forms == "both" else 0)
    nibabel.save(image, path)


def _with_hole(value: float) -> Callable[[Path], Any]:
    def build(root: Path) -> None:
        values = np.ones((12, 10, 8))
        values[6, 5, 4] = value
        save_values(root / "bad.nii.gz", values)

    return build


def _nan_at_the_border(root: Path) -> None:
    values = np.ones((12, 10, 8))
    values[0] = np.nan
    save_values(root / "bad.nii.gz", values)


def _cut_gzip(root: Path) -> None:
    save_values(root / "whole.nii.gz", np.random.default_rng(1).random((12, 10, 8)))
    raw = (root / "whole.nii.gz").read_bytes()
    (root / "bad.nii.gz").write_bytes(raw[: len(raw) // 2])
    (root / "whole.nii.gz").unlink()


def _far_ct(root: Path) -> None:
    save_pet(root / "bad.nii.gz")
    affine = np.diag([-4.0, -4.0, 3.0, 1.0])
    affine[:3, 3] = (22, 18, 10)
    save_values(root / "bad_ct.nii.gz", np.zeros((12, 10, 8)), affine)


def _outside(root: Path) -> None:
    save_pet(root.parent / "outside.nii.gz")


DOSE, WEIGHT = "RadionuclideTotalDose", "PatientWeight"
_NO_TIMES = {"SeriesTime": None, "AcquisitionTime": None, "SeriesDate": None, "AcquisitionDate": None}

BAD_INPUTS = [
    BadInput("weight missing", _dicom(tags={WEIGHT: None}), True, (WEIGHT,)),
    BadInput("weight zero", _dicom(tags={WEIGHT: 0}), True, (WEIGHT,)),
    BadInput("dose missing", _dicom(injection={DOSE: None}), True, (DOSE,)),
    BadInput("dose zero", _dicom(injection={DOSE: 0}), True, (DOSE,)),
    BadInput(
        "injection time missing", _dicom(injection={"RadiopharmaceuticalStartTime": None}), True,
        ("RadiopharmaceuticalStart",),
    ),
    BadInput("scan times missing", _dicom(tags=_NO_TIMES), True, ("Time",)),
    BadInput(
        "not attenuation-corrected",
        _dicom(tags={"CorrectedImage": ["DECY"], "AttenuationCorrectionMethod": None, "Units": "PROPCNTS"}), False,
        ("not attenuation-corrected",),
    ),
    BadInput("localizer that says CT", _localizer, False, ("localizer",)),
    BadInput("CT of another frame of reference", _other_frame, True, ("another frame of reference",)),
    BadInput("missing slice", _then(_dicom(), lambda files: files[2].unlink()), False, ("1 slice is missing",)),
    BadInput(
        "slices not evenly spaced", _dicom(positions_mm=[0, 3, 6, 10, 13, 16]), False, ("slice distance changes",)
    ),
    BadInput("no pixel data", _then(_dicom(), _without_pixels), False, ("no pixel data",)),
    BadInput(
        "file of a series that is no image", _then(_dicom(), lambda files: files[3].write_bytes(b"no image" * 99)),
        False, ("slice is missing",),
    ),
    BadInput("CT that barely overlaps the PET", _barely_overlapping_dicom, False, ("covers only",)),
    BadInput(
        "4D", _manifest("bad,bad.nii.gz,,suvbw,", lambda root: save_pet(root / "bad.nii.gz", frames=3)), False,
        ("4 dimensions (3 frames)",),
    ),
    BadInput(
        "sform 0 with qform 0",
        _manifest(
            "bad,bad.nii.gz,,suvbw,", lambda root: save_values(root / "bad.nii.gz", np.ones((9, 8, 7)), forms="none")
        ),
        False, ("does not say how it lies",),
    ),
    BadInput(
        "sform 0 with qform 1",
        _manifest(
            "bad,bad.nii.gz,,suvbw,", lambda root: save_values(root / "bad.nii.gz", np.ones((9, 8, 7)), forms="qform")
        ),
        True, (),
    ),
    BadInput("NaN in the body", _manifest("bad,bad.nii.gz,,suvbw,", _with_hole(np.nan)), False, ("not numbers",)),
    BadInput("infinite value", _manifest("bad,bad.nii.gz,,suvbw,", _with_hole(np.inf)), False, ("infinite",)),
    BadInput("NaN at the border", _manifest("bad,bad.nii.gz,,suvbw,", _nan_at_the_border), True, ("lowest value",)),
    BadInput("PET and CT apart", _manifest("bad,bad.nii.gz,bad_ct.nii.gz,suvbw,", _far_ct), False, ("covers only",)),
    BadInput("truncated gzip", _manifest("bad,bad.nii.gz,,suvbw,", _cut_gzip), False, ("cut off or damaged",)),
    BadInput(
        "not an image",
        _manifest("bad,bad.nii.gz,,suvbw,", lambda root: (root / "bad.nii.gz").write_bytes(gzip.compress(b"hi" * 999))),
        False, ("damaged or not an image",),
    ),
    BadInput("path outside", _manifest("bad,../outside.nii.gz,,suvbw,", _outside), False, ("leads out",)),
    BadInput(
        "empty report", _manifest("bad,,,,bad.txt", lambda root: save_text(root / "bad.txt", " \n")), False, ("empty",)
    ),
    BadInput(
        "report in GB18030",
        _manifest("bad,,,,bad.txt", lambda root: save_text(root / "bad.txt", REPORT_ZH, encoding="gb18030")), True, (),
    ),
    BadInput(
        "unit of the PET not given",
        _manifest("bad,bad.nii.gz,,,", lambda root: save_ct(root / "bad.nii.gz")), True, ("no SUV",),
    ),
]  # fmt: skip
