"""Organ masks on their way in: measured once, kept as places, never a reason to fail."""

from pathlib import Path

import nibabel
import numpy as np
import pytest

from pet2rep_core.datasets import load
from pet2rep_core.datasets.layouts import scan_dataset
from pet2rep_core.imaging.organ_masks import OrganPlace
from pet2rep_core.imaging.prepared import open_prepared
from pet2rep_core.records import SeriesRole
from pet2rep_core.workflow.import_dataset import ImportStatus
from tests.layout_files import BRIGHT, BRIGHT_VOXEL_LPS, BUILDERS, save_ct, save_mask, save_pet
from tests.study_files import import_all


@pytest.fixture
def patient(tmp_path: Path) -> Path:
    """A PET and a CT with a mask of the bright voxel, and one of the CT's whole grid, as TotalSegmentator lays them."""
    root = tmp_path / "set" / "patient"
    save_pet(root / "suv.nii.gz")
    save_ct(root / "ct.nii.gz")
    save_mask(root / "segmentations" / "heart.nii.gz")
    ct = nibabel.load(root / "ct.nii.gz")
    whole = nibabel.Nifti1Image(np.ones(ct.shape, np.uint8), ct.affine)
    nibabel.save(whole, root / "segmentations" / "lung_upper_lobe_left.nii.gz")
    return root


def organs_of(settings, store, case_id="patient"):
    return open_prepared(settings.prepared, store.case(case_id).prepared_key).organs


def test_places_of_organs_are_prepared(patient, settings, store):
    outcome = import_all(patient.parent, settings, store)["patient"]
    assert (outcome.status, outcome.reason) == (ImportStatus.NEW, "")
    assert not any("mask" in warning for warning in outcome.warnings)
    i, j, k = BRIGHT_VOXEL_LPS
    whole = ((0, 12), (0, 10), (0, 8))
    assert organs_of(settings, store) == {
        # one voxel of 4 x 4 x 3 mm; the CT's grid covers the PET's, and its volume is the CT's
        "heart": OrganPlace((i, j, k), ((i, i + 1), (j, j + 1), (k, k + 1)), 0.048, (i, j, k), BRIGHT),
        "lung_upper_lobe_left": OrganPlace((5, 4, 3), whole, 24 * 20 * 8 * 12 / 1000, (i, j, k), BRIGHT),
    }
    assert import_all(patient.parent, settings, store)["patient"].status is ImportStatus.UNCHANGED


def test_another_mask_is_a_revision(patient, settings, store):
    import_all(patient.parent, settings, store)
    (patient / "segmentations" / "heart.nii.gz").unlink()
    assert import_all(patient.parent, settings, store)["patient"].status is ImportStatus.REVISED
    assert set(organs_of(settings, store)) == {"lung_upper_lobe_left"}


def test_masks_that_cannot_be_used_are_warnings(patient, settings, store):
    folder = patient / "segmentations"
    far = np.diag([-4.0, -4.0, 3.0, 1.0])
    far[:3, 3] = 900.0
    nibabel.save(nibabel.Nifti1Image(np.ones((3, 3, 3), np.uint8), far), folder / "liver.nii.gz")
    (folder / "spleen.nii.gz").write_bytes(b"no image")
    outcome = import_all(patient.parent, settings, store)["patient"]
    assert outcome.status is ImportStatus.NEW
    assert outcome.warnings[1:] == (  # the first is about the unit of the PET
        "An organ mask was left out: spleen.nii.gz is damaged or not an image.",
        "Organ masks outside the images are not used (1): 'liver'.",
    )
    assert set(organs_of(settings, store)) == {"heart", "lung_upper_lobe_left"}
    assert set(outcome.warnings) <= set(open_prepared(settings.prepared, store.case("patient").prepared_key).warnings)


def test_a_case_of_a_ct_alone_has_organs_without_values(patient, settings, store):
    (patient / "suv.nii.gz").unlink()
    import_all(patient.parent, settings, store)
    heart = organs_of(settings, store)["heart"]
    assert (heart.hottest, heart.hottest_value) == (None, None)
    # the bright voxel's middle lies between two voxels of the CT, whose axes were turned
    assert heart.box[2] == (7, 8)


def test_a_study_without_masks_is_not_slowed(tmp_path, settings, store, monkeypatch):
    monkeypatch.setattr(load, "measure_masks", None)
    save_pet(tmp_path / "set" / "a" / "suv.nii.gz")
    assert import_all(tmp_path / "set", settings, store)["a"].status is ImportStatus.NEW


@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_masks_of_lesions_give_no_organs(tmp_path, settings, store, name):
    outcomes = import_all(BUILDERS[name][1](tmp_path / "set"), settings, store)
    assert not any("mask" in warning for outcome in outcomes.values() for warning in outcome.warnings)
    for row in store.cases():
        if row.prepared_key is not None:
            assert open_prepared(settings.prepared, row.prepared_key).organs == {}


def test_some_layouts_have_masks_of_lesions(tmp_path):
    """The test above would prove nothing without them."""
    scans = [scan_dataset(build(tmp_path / name)) for name, (_, build) in BUILDERS.items()]
    with_masks = {scan.layout for scan in scans for case in scan.cases if case.used(SeriesRole.MASK)}
    assert {"autopet", "nnunet", "hecktor"} <= with_masks
