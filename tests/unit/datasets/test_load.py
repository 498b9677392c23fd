"""Volumes of a case: units, factors, warnings, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pet2rep_core.datasets.files import case_name, image_stem, resolve_inside, walk
from pet2rep_core.datasets.layouts import scan_dataset
from pet2rep_core.datasets.load import load_case, pet_suv
from pet2rep_core.errors import DatasetLayoutError, ImageReadError
from pet2rep_core.records import CaseSource, PetUnit, SeriesRole
from tests.layout_files import (
    BRIGHT,
    BRIGHT_VOXEL_LPS,
    CT_SIZE,
    PET_SIZE,
    REPORT_EN,
    build_autopet,
    build_dicom,
    build_manifest,
    build_pair,
    save_ct,
    save_pet,
    save_text,
)


def only_case(root: Path) -> CaseSource:
    (case,) = scan_dataset(root).cases
    return case


@pytest.mark.parametrize(
    ("unit", "expected", "reason"),
    [
        ("suvbw", PetUnit.SUVBW, None),
        ("bqml", PetUnit.ACTIVITY_BQML, "no dose"),
        ("", PetUnit.COUNTS, "does not say"),
    ],
)
def test_unit_follows_what_is_stated(tmp_path: Path, unit: str, expected: PetUnit, reason: str | None) -> None:
    save_pet(tmp_path / "pet.nii.gz")
    save_text(tmp_path / "manifest.csv", f"case,pet,pet_unit\na,pet.nii.gz,{unit}\n")
    loaded = load_case(only_case(tmp_path))
    assert loaded.pet_unit is expected
    assert (loaded.suv.bw == 1.0) is (expected is PetUnit.SUVBW)
    assert reason is None or reason in str(loaded.suv.reason)
    # No unit but SUV from another may scale the values: the file's maximum is 7.
    assert loaded.pet is not None
    assert loaded.pet.values.max() == BRIGHT
    assert loaded.pet.values.dtype == np.float32
    assert loaded.ct is None


def test_volumes_stay_on_their_own_grids(tmp_path: Path) -> None:
    loaded = load_case(only_case(build_pair(tmp_path)))
    assert loaded.pet is not None
    assert loaded.ct is not None
    assert (loaded.pet.values.shape, loaded.pet.orientation) == (PET_SIZE, "LPS")
    assert (loaded.ct.values.shape, loaded.ct.orientation) == (CT_SIZE, "RAS")
    # CT keeps the scanner's padding: clamping is the next room's work.
    assert loaded.ct.values.min() == -3024
    bright = tuple(int(i) for i in np.unravel_index(int(loaded.pet.values.argmax()), PET_SIZE))
    assert bright == BRIGHT_VOXEL_LPS


def test_autopet_says_that_its_suv_may_differ(tmp_path: Path) -> None:
    case = scan_dataset(build_autopet(tmp_path)).cases[0]
    loaded = load_case(case)
    assert (loaded.suv.bw, loaded.suv.time_rule) == (1.0, "already-suv")
    assert any("few per cent" in warning for warning in loaded.warnings)
    assert pet_suv(case, case.used(SeriesRole.PET)) == loaded.suv  # type: ignore[arg-type]


def test_ct_alone(tmp_path: Path) -> None:
    loaded = load_case(only_case(save_ct(tmp_path / "ct.nii.gz")))
    assert loaded.ct is not None
    assert (loaded.pet, loaded.pet_unit, loaded.suv.bw) == (None, None, None)
    assert "no PET" in str(loaded.suv.reason)


def test_reports_alone(tmp_path: Path) -> None:
    save_text(tmp_path / "manifest.csv", f'case,report\na,"{REPORT_EN}"\n')
    loaded = load_case(only_case(tmp_path))
    assert (loaded.pet, loaded.ct) == (None, None)


def test_dicom_goes_to_its_own_reader(tmp_path: Path) -> None:
    # 70 kg, 300 MBq, 3600 s after injection: 70000 / (3e8 * 2 ** (-3600 / 6586.2)) = 3.408152e-4.
    loaded = load_case(only_case(build_dicom(tmp_path)))
    assert loaded.suv.bw == pytest.approx(3.408152e-4, rel=1e-6)
    assert loaded.pet_unit is PetUnit.SUVBW
    assert loaded.pet is not None
    assert loaded.pet.values.max() == pytest.approx(300 * 3.408152e-4, rel=1e-5)
    assert loaded.ct is not None
    assert loaded.ct.values.max() == 300


def test_file_that_is_cut_off_is_refused_when_it_is_read(tmp_path: Path) -> None:
    path = save_pet(tmp_path / "suv.nii")
    case = only_case(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ImageReadError, match=r"suv\.nii") as caught:
        load_case(case)
    assert str(tmp_path) not in str(caught.value)


def test_manifest_reads_what_the_scan_named(tmp_path: Path) -> None:
    case = scan_dataset(build_manifest(tmp_path)).cases[0]
    loaded = load_case(case)
    assert loaded.pet_unit is PetUnit.SUVBW
    assert any("manifest says so" in warning for warning in loaded.warnings)


class TestFiles:
    @pytest.mark.parametrize(
        ("parts", "name"),
        [
            (("PETCT_01", "04-21-2003 PET  (CT)"), "PETCT_01_04-21-2003-PET-CT"),
            (("病例 1",), "病例-1"),
            (("a", ""), "a"),
            (("../..",), ""),
        ],
    )
    def test_case_names(self, parts: tuple[str, ...], name: str) -> None:
        assert case_name(*parts) == name

    @pytest.mark.parametrize(
        ("name", "stem"),
        [("a.nii.gz", "a"), ("A.NII", "A"), ("x.y.mha", "x.y"), ("a.gz", None), (".nii.gz", None), ("a.dcm", None)],
    )
    def test_image_stems(self, name: str, stem: str | None) -> None:
        assert image_stem(name) == stem

    def test_hidden_names_are_left_out(self, tmp_path: Path) -> None:
        for name in ("b/.hidden", "b/x", "a/y", ".git/z", "System Volume Information/w"):
            save_text(tmp_path / name, "")
        found = [(folder.name, names) for folder, names in walk(tmp_path, 1)]
        assert found == [(tmp_path.name, []), ("a", ["y"]), ("b", ["x"])]

    @pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/passwd", "C:\\x", "..\\x", "\0", "a" * 5000, "."])
    def test_paths_that_are_refused(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "set").mkdir()
        save_text(tmp_path / "x", "")
        with pytest.raises(DatasetLayoutError) as caught:
            resolve_inside(name, tmp_path / "set", tmp_path / "set")
        assert str(tmp_path) not in str(caught.value)

    def test_paths_that_are_taken(self, tmp_path: Path) -> None:
        save_text(tmp_path / "a" / "b.txt", "")
        for name in ("a/b.txt", "./a/b.txt", "a\\b.txt", "a/../a/b.txt", str(tmp_path / "a" / "b.txt")):
            assert resolve_inside(name, tmp_path, tmp_path).resolve() == (tmp_path / "a" / "b.txt").resolve()
