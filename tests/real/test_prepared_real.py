"""A real study from its files to a prepared case. Numbers: expected.json beside the scans, with their witnesses."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk

from pet2rep_core.datasets.layouts import scan_dataset
from pet2rep_core.datasets.load import LoadedCase, load_case
from pet2rep_core.imaging.display import Window, read_display
from pet2rep_core.imaging.planes import Plane, fit_field, sample_plane, shown_ct
from pet2rep_core.imaging.prepared import PreparedCase, open_prepared, prepare_case, verify_prepared
from pet2rep_core.imaging.render import Style, render_planes
from pet2rep_core.imaging.volume import volume_to_sitk
from pet2rep_core.records import PetUnit

pytestmark = pytest.mark.real
FOLDERS = ["acrin042_dicom", "acrin042_nifti"]


@pytest.fixture(scope="module")
def want(real_data: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((real_data / "expected.json").read_text())["acrin042"]
    return loaded


@pytest.fixture(scope="module")
def loaded(real_data: Path) -> dict[str, LoadedCase]:
    found = {name: scan_dataset(real_data / name) for name in FOLDERS}
    assert all(len(scan.cases) == 1 and scan.errors == () for scan in found.values())
    return {name: load_case(scan.cases[0]) for name, scan in found.items()}


@pytest.fixture(scope="module")
def cases(loaded: dict[str, LoadedCase], tmp_path_factory: pytest.TempPathFactory) -> dict[str, PreparedCase]:
    root = tmp_path_factory.mktemp("prepared")
    opened = {}
    for name, one in loaded.items():
        key = prepare_case(root, pet=one.pet, pet_unit=one.pet_unit, suv=one.suv, ct=one.ct, warnings=one.warnings)
        assert verify_prepared(root, key) == []
        opened[name] = open_prepared(root, key)
    return opened


@pytest.mark.parametrize("name", FOLDERS)
def test_the_hottest_voxel(cases: dict[str, PreparedCase], want: dict[str, Any], name: str) -> None:
    case = cases[name]
    assert case.pet is not None
    assert case.pet_unit is PetUnit.SUVBW
    values = case.pet.values
    assert float(values.max()) == pytest.approx(want["suv_max"], rel=1e-5)
    assert list(np.unravel_index(int(values.argmax()), values.shape))[::-1] == want["suv_max_zyx"]
    z, y, x = want["hilar_zyx"]
    assert float(values[x, y, z]) == pytest.approx(want["hilar_tumour_suvmax_in_z60_99"], rel=1e-5)
    assert float(values[:, :, 60:100].max()) == float(values[x, y, z])


@pytest.mark.parametrize("name", FOLDERS)
def test_the_liver(cases: dict[str, PreparedCase], want: dict[str, Any], name: str) -> None:
    case = cases[name]
    assert case.pet is not None
    assert case.ct is not None
    (z0, z1), (y0, y1), (x0, x1) = want["box_zyx"]
    box = np.s_[x0:x1, y0:y1, z0:z1]
    assert float(case.pet.values[box].mean()) == pytest.approx(want["suv_liver_mean_box"], rel=1e-5)
    assert float(case.ct.values[box].mean()) == pytest.approx(want["ctres_liver_mean_HU"], abs=0.5)
    assert case.ct.same_grid(case.pet, tolerance_mm=0)


def test_the_files_really_hold_padding(loaded: dict[str, LoadedCase], want: dict[str, Any]) -> None:
    raw = loaded["acrin042_nifti"].ct
    assert raw is not None
    assert (raw.values < -1024).mean() == pytest.approx(0.14, abs=0.005)  # the README of the data
    dicom = loaded["acrin042_dicom"].ct
    assert dicom is not None
    assert int(dicom.values.min()) == want["ct_min"]


@pytest.mark.parametrize("name", FOLDERS)
def test_padding_is_nowhere(cases: dict[str, PreparedCase], name: str) -> None:
    for volume in (cases[name].ct, cases[name].ct_fine):
        if volume is not None:
            assert int(volume.values.min()) == -1024


def test_the_ct_on_the_pet_grid_against_simpleitk(
    cases: dict[str, PreparedCase], loaded: dict[str, LoadedCase]
) -> None:
    ct, pet = loaded["acrin042_dicom"].ct, loaded["acrin042_dicom"].pet
    ours = cases["acrin042_dicom"].ct
    assert ct is not None
    assert pet is not None
    assert ours is not None
    clamped = sitk.Clamp(volume_to_sitk(ct), sitk.sitkInt16, -1024.0, 32767.0)
    moved = sitk.Resample(clamped, volume_to_sitk(pet), sitk.Transform(), sitk.sitkLinear, -1024.0, sitk.sitkInt16)
    assert np.array_equal(sitk.GetArrayFromImage(moved).T, ours.values)


def test_both_roads_give_the_same_body(cases: dict[str, PreparedCase]) -> None:
    """Witness: the NIfTI files that came with the data, converted from the same study; their CT was not clamped."""
    one, other = cases["acrin042_dicom"], cases["acrin042_nifti"]
    assert one.pet is not None
    assert other.pet is not None
    assert one.ct is not None
    assert other.ct is not None
    assert one.pet.same_grid(other.pet)
    assert np.abs(one.pet.values - other.pet.values).max() < 1e-3
    body = other.ct.values > -900
    assert (np.abs(one.ct.values[body].astype(int) - other.ct.values[body]) <= 1).mean() > 0.99
    assert other.ct_fine is None


@pytest.mark.parametrize("name", FOLDERS)
def test_key_planes_lie_in_the_body(cases: dict[str, PreparedCase], name: str) -> None:
    case = cases[name]
    assert case.key_slices is not None
    assert case.ct is not None
    assert case.pet is not None
    assert case.key_slices.reason == ""
    behind, middle, before = case.key_slices.indices
    assert behind > middle > before
    assert (behind - before) * case.pet.spacing_mm[1] == pytest.approx(81.4, abs=case.pet.spacing_mm[1])
    assert case.key_slices == cases[FOLDERS[0]].key_slices
    for j in case.key_slices.indices:
        tissue = (case.ct.values[:, j, :] > -300).any(axis=0)
        assert tissue.mean() == 1.0  # from the first to the last slice
        assert (case.ct.values[:, j, :] > -300).mean() > 0.25


def test_the_hottest_voxel_is_drawn_where_it_is(cases: dict[str, PreparedCase], want: dict[str, Any]) -> None:
    case = cases["acrin042_dicom"]
    assert case.pet is not None
    z, y, x = want["suv_max_zyx"]
    field = fit_field(case.pet, Plane.CORONAL, 2.0)
    planes = sample_plane(case.pet, shown_ct(case.pet, case.ct, case.ct_fine), Plane.CORONAL, y, field)
    style = Style(Window(0, want["suv_max"]), read_display().ct_window("soft-tissue"))
    picture = render_planes(planes, "pet", style, read_display())
    row, column = np.argwhere(picture[:, :, 0] == picture.min())[0]
    n_k, spacing = case.pet.values.shape[2], case.pet.spacing_mm
    assert row * 2.0 == pytest.approx((n_k - z - 0.5) * spacing[2], abs=3)
    assert column * 2.0 == pytest.approx((x + 0.5) * spacing[0], abs=3)
