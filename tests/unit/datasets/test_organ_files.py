"""Which files beside a case's images are taken as its organ masks."""

from pathlib import Path

import pytest

from pet2rep_core.datasets.layouts import scan_dataset
from pet2rep_core.records import CaseSource, SeriesRole
from tests.layout_files import BUILDERS, by_id, save_ct, save_mask, save_pet, save_table


def masks_of(case: CaseSource) -> list[tuple[str, list[str]]]:
    series = [s for s in case.series if s.role is SeriesRole.MASK and s.skipped is None]
    return [(s.description, [file.name for file in s.files]) for s in series]


def pair(folder: Path, stem: str = "") -> Path:
    save_pet(folder / f"{stem}suv.nii.gz")
    save_ct(folder / f"{stem}ct.nii.gz")
    return folder


@pytest.mark.parametrize("name", ["segmentations", "totalsegmentator", "TotalSegmentator", "scan_seg"])
def test_a_folder_of_masks_beside_the_images(tmp_path: Path, name: str) -> None:
    root = pair(tmp_path / "set" / "patient")
    save_mask(root / name / "liver.nii.gz")
    save_mask(root / name / "spleen.nii.gz")
    (root / name / "statistics.json").write_text("{}")
    (case,) = scan_dataset(tmp_path / "set").cases
    assert masks_of(case) == [(name, ["liver.nii.gz", "spleen.nii.gz"])]


def test_a_label_map_beside_the_images(tmp_path: Path) -> None:
    root = pair(tmp_path / "set" / "patient")
    save_mask(root / "segmentations.nii.gz")
    (case,) = scan_dataset(tmp_path / "set").cases
    assert masks_of(case) == [("segmentations.nii.gz", ["segmentations.nii.gz"])]


def test_cases_that_share_a_folder_take_masks_of_their_own_name(tmp_path: Path) -> None:
    root = pair(pair(tmp_path / "set", "a_"), "b_")
    save_mask(root / "a_segmentations" / "liver.nii.gz")
    save_mask(root / "B_totalsegmentator.nii.gz")
    save_mask(root / "segmentations" / "liver.nii.gz")  # whose?
    cases = by_id(scan_dataset(root))
    assert masks_of(cases["a"]) == [("a_segmentations", ["liver.nii.gz"])]
    assert masks_of(cases["b"]) == [("B_totalsegmentator.nii.gz", ["B_totalsegmentator.nii.gz"])]


def test_a_file_is_not_taken_twice(tmp_path: Path) -> None:
    root = pair(tmp_path / "set", "a_")
    save_mask(root / "a_seg.nii.gz")
    (case,) = scan_dataset(root).cases
    assert masks_of(case) == [("a_seg.nii.gz", ["a_seg.nii.gz"])]


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    root = pair(tmp_path / "set" / "patient")
    (root / "segmentations").mkdir()
    (case,) = scan_dataset(tmp_path / "set").cases
    assert masks_of(case) == []
    assert case.problems == (
        "The organ masks 'segmentations' were left out: The folder 'segmentations' holds no mask.",
    )


def test_a_manifest_names_a_folder(tmp_path: Path) -> None:
    root = pair(tmp_path / "set")
    save_mask(root / "organs" / "liver.nii.gz")
    save_mask(root / "lesions.nii.gz")
    rows = [("a", "suv.nii.gz", "organs"), ("b", "suv.nii.gz", "lesions.nii.gz")]
    save_table(root / "manifest.csv", ("case", "pet", "mask"), rows)
    cases = by_id(scan_dataset(root))
    assert masks_of(cases["a"]) == [("organs", ["liver.nii.gz"])]
    assert masks_of(cases["b"]) == [("lesions.nii.gz", ["lesions.nii.gz"])]


def test_a_manifest_may_not_name_a_folder_elsewhere(tmp_path: Path) -> None:
    root = pair(tmp_path / "set")
    save_mask(tmp_path / "other" / "liver.nii.gz")
    save_table(root / "manifest.csv", ("case", "pet", "mask"), [("a", "suv.nii.gz", "../other")])
    scan = scan_dataset(root)
    assert scan.cases == ()
    assert "leads out of the dataset's folder" in scan.errors[0].reason


def test_masks_lie_beside_dicom_series(tmp_path: Path) -> None:
    root = BUILDERS["dicom"][1](tmp_path / "set")
    (before,) = scan_dataset(root).cases[:1]
    image = before.used(SeriesRole.CT) or before.used(SeriesRole.PET)
    assert image is not None
    save_mask(image.files[0].parent / "segmentations" / "liver.nii.gz")
    after = by_id(scan_dataset(root))[before.case_id]
    assert masks_of(after) == [("segmentations", ["liver.nii.gz"])]
