"""Real and reference DICOM. Expected numbers: expected.json beside the scans, which names their witnesses."""

import json
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk

from pet2rep_core.datasets.dicom import dicom_suv, find_dicom_cases, read_dicom_volume
from pet2rep_core.records import CaseSource, SeriesInfo, SeriesRole

pytestmark = pytest.mark.real

REFERENCE_OBJECTS = [
    "DRO_0_0", "DRO_1_0", "DRO_2_0", "DRO_2_1", "DRO_2_2", "DRO_2_3", "DRO_2_4", "DRO_2_5", "DRO_3_0", "DRO_3_1",
    "DRO_3_2", "DRO_3_3", "DRO_3_4", "DRO_4_0", "DRO_4_1", "DRO_4_2", "DRO_5_0",
]  # fmt: skip
RULES = {
    "DRO_2_0": "already-suv", "DRO_2_1": "already-suv", "DRO_2_2": "already-suv", "DRO_2_3": "already-suv",
    "DRO_2_4": "philips-suv-factor", "DRO_3_1": "admin", "DRO_3_2": "frame-reference-time",
    "DRO_3_3": "ge-scan-datetime", "DRO_3_4": "none-corrected",
}  # fmt: skip


@pytest.fixture(scope="module")
def expected(real_data: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((real_data / "expected.json").read_text())
    return loaded


@pytest.fixture(scope="module")
def acrin(real_data: Path) -> CaseSource:
    cases, errors = find_dicom_cases(real_data / "acrin042_dicom")
    assert errors == []
    (case,) = cases
    return case


@pytest.fixture(scope="module")
def objects(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ibsi")
    with tarfile.open(real_data / "ibsi_suv_dro.tar.xz") as archive:
        archive.extractall(folder, filter="data")
    return folder / "DRO"


def used(case: CaseSource, role: SeriesRole) -> SeriesInfo:
    series = case.used(role)
    assert series is not None
    return series


@pytest.mark.parametrize("name", REFERENCE_OBJECTS)
def test_ibsi_reference_object(objects: Path, name: str) -> None:
    (case,), errors = find_dicom_cases(objects / name)
    assert errors == []
    pet = used(case, SeriesRole.PET)
    suv = dicom_suv(pet)
    assert suv.bw is not None
    assert suv.time_rule == RULES.get(name, "series-time")
    volume = read_dicom_volume(pet)
    mask = nibabel.load(objects / name / "mask" / "DRO_mask.nii.gz")
    assert nibabel.aff2axcodes(mask.affine) == ("L", "P", "S") == tuple(volume.orientation)
    inside = volume.values[np.asarray(mask.dataobj) > 0] * suv.bw
    # oncoray/suv_computation DRO_list.csv
    assert (inside.min(), np.median(inside), inside.max()) == pytest.approx((0.20, 1.00, 4.00), abs=0.025)


def test_acrin_series_are_told_apart(acrin: CaseSource) -> None:
    reasons = {one.description: one.skipped for one in acrin.series}
    assert reasons["PET AC"] is None
    assert reasons["CT IMAGES"] is None
    assert "not attenuation-corrected" in str(reasons["PET NAC"])
    assert "localizer" in str(reasons["SCOUT"])
    assert reasons["PET SUV Factors"] == "RWV is not a PET or CT image volume."
    assert len(reasons) == 5
    assert "ACRIN" not in f"{acrin.case_id}{acrin.metadata}"


def test_acrin_pet(acrin: CaseSource, expected: dict[str, Any]) -> None:
    want = expected["acrin042"]
    pet = used(acrin, SeriesRole.PET)
    assert pet.size == tuple(want["pet_size"])
    assert pet.spacing_mm == pytest.approx(want["pet_spacing"], abs=1e-4)
    suv = dicom_suv(pet)
    assert suv.bw == pytest.approx(want["suvbw_factor"], rel=1e-9)
    assert suv.time_rule == "ge-scan-datetime"
    assert suv.warnings == ()
    volume = read_dicom_volume(pet)
    assert volume.affine_lps[:3, 3] == pytest.approx(want["pet_origin_lps"], abs=1e-3)
    assert volume.orientation == "LPS"
    assert volume.values.dtype == np.float32
    assert float(volume.values.max()) == pytest.approx(want["bqml_max"], rel=1e-7)
    where = np.unravel_index(int(volume.values.argmax()), volume.values.shape)
    assert list(where[::-1]) == want["suv_max_zyx"]
    assert float(volume.values.max()) * suv.bw == pytest.approx(want["suv_max"], rel=1e-6)
    (z0, z1), (y0, y1), (x0, x1) = want["box_zyx"]
    liver = volume.values[x0:x1, y0:y1, z0:z1].mean() * suv.bw
    assert liver == pytest.approx(want["suv_liver_mean_box"], rel=1e-5)


def test_acrin_factors_against_the_rwv_object(acrin: CaseSource, expected: dict[str, Any]) -> None:
    reference = expected["acrin042"]["rwv_reference"]
    suv = dicom_suv(used(acrin, SeriesRole.PET))
    assert suv.bw == pytest.approx(reference["suvbw"], rel=2e-5)
    assert suv.lbm == pytest.approx(reference["suvlbm"], rel=2e-5)
    assert suv.ibw == pytest.approx(reference["suvibw"], rel=2e-5)
    # that program divides m2 by kBq and calls it cm2/ml: ten times too small (IBSI's DRO_2_3 agrees with ours)
    assert suv.bsa == pytest.approx(10 * reference["suvbsa"], rel=2e-5)


def test_acrin_ct(acrin: CaseSource, expected: dict[str, Any]) -> None:
    want = expected["acrin042"]
    ct = used(acrin, SeriesRole.CT)
    assert ct.size == tuple(want["ct_size"])
    assert ct.spacing_mm == pytest.approx(want["ct_spacing"], abs=1e-4)
    volume = read_dicom_volume(ct)
    assert volume.values.dtype == np.int16
    assert volume.affine_lps[:3, 3] == pytest.approx(want["ct_origin_lps"], abs=1e-3)
    assert (int(volume.values.min()), int(volume.values.max())) == (want["ct_min"], want["ct_max"])
    # SimpleITK itself, over the same list of files
    reader = sitk.ImageFileReader()
    for index in (0, 67, 134):
        reader.SetFileName(str(ct.files[index]))
        assert np.array_equal(sitk.GetArrayFromImage(reader.Execute())[0].T, volume.values[:, :, index])


def test_sts_with_a_slope_in_every_slice(real_data: Path, tmp_path: Path, expected: dict[str, Any]) -> None:
    with zipfile.ZipFile(real_data / "sts001_GE_wholebody_FDG_PET_dicom.zip") as archive:
        archive.extractall(tmp_path)
    (case,), errors = find_dicom_cases(tmp_path)
    assert errors == []
    want = expected["sts001"]
    pet = used(case, SeriesRole.PET)
    assert pet.size == tuple(want["size"])
    assert pet.spacing_mm == pytest.approx(want["spacing"], abs=1e-4)
    suv = dicom_suv(pet)
    assert suv.bw == pytest.approx(want["suvbw_factor"], rel=1e-9)
    volume = read_dicom_volume(pet)
    assert volume.affine_lps[:3, 3] == pytest.approx(want["origin_lps"], abs=1e-3)
    assert float(volume.values.max()) == pytest.approx(want["bqml_max"], rel=1e-7)
    assert float(volume.values.max()) * suv.bw == pytest.approx(want["suv_max"], rel=1e-6)
    reasons = [one.skipped for one in case.series if one.role is SeriesRole.OTHER]
    assert reasons == ["RTSTRUCT is not a PET or CT image volume."]
    assert case.used(SeriesRole.CT) is None


def test_a_lone_real_slice(real_data: Path) -> None:
    file = sorted((real_data / "acrin042_dicom" / "PET_AC").iterdir())[40]
    (case,), errors = find_dicom_cases(file)
    assert errors == []
    pet = used(case, SeriesRole.PET)
    assert pet.size == (128, 128, 1)
    assert dicom_suv(pet).bw == pytest.approx(0.0004211100701355315, rel=1e-9)


def test_a_lone_uncorrected_slice_is_refused(real_data: Path) -> None:
    file = sorted((real_data / "acrin042_dicom" / "PET_NAC_subset").iterdir())[0]
    cases, errors = find_dicom_cases(file)
    assert cases == []
    assert "not attenuation-corrected" in errors[0].reason
