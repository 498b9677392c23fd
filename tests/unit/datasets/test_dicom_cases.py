"""Cases from DICOM studies: which series are used, which are left out and why."""

from pathlib import Path
from typing import Any

import pytest

from pet2rep_core.datasets.dicom import find_dicom_cases
from pet2rep_core.records import CaseSource, SeriesInfo, SeriesRole
from tests.dicom_files import phantom, write_ct, write_pet


def only(folder: Path) -> CaseSource:
    cases, errors = find_dicom_cases(folder)
    assert errors == []
    assert len(cases) == 1
    return cases[0]


def named(case: CaseSource, description: str) -> SeriesInfo:
    return next(one for one in case.series if one.description == description)


def test_pet_and_ct_make_a_case_without_an_identifier(tmp_path: Path) -> None:
    write_pet(tmp_path / "pet", phantom())
    write_ct(tmp_path / "ct", phantom())
    case = only(tmp_path)
    assert case.layout == "dicom"
    assert case.used(SeriesRole.PET) is not None
    assert case.used(SeriesRole.CT) is not None
    assert case.case_id.startswith("dcm-")
    assert len(case.case_id) == 14
    assert case.metadata == {
        "sex": "M", "age": "69", "weight_kg": "70", "height_m": "1.75", "manufacturer": "Synthetic",
    }  # fmt: skip
    facts = f"{case.case_id} {case.metadata} {case.problems} {[one.description for one in case.series]}"
    assert "SECRET" not in facts
    assert "Doe" not in facts
    assert only(tmp_path).case_id == case.case_id


@pytest.mark.parametrize(("age", "years"), [("069Y", "69"), ("018M", "1"), ("095Y", "90+"), ("", None), ("69", None)])
def test_age(tmp_path: Path, age: str, years: str | None) -> None:
    write_pet(tmp_path, phantom(), tags={"PatientAge": age})
    assert only(tmp_path).metadata.get("age") == years


def test_best_series_are_chosen_and_the_others_named(tmp_path: Path) -> None:
    write_pet(tmp_path / "1", phantom((8, 10, 3)), series="short", tags={"SeriesDescription": "PET short"})
    write_pet(tmp_path / "2", phantom(), series="long")
    write_pet(
        tmp_path / "3", phantom((8, 10, 9)), series="nac", tags={"SeriesDescription": "PET NAC", "Units": "PROPCNTS",
        "AttenuationCorrectionMethod": None},
    )  # fmt: skip
    write_pet(tmp_path / "4", phantom((8, 10, 9)), series="cps", tags={"SeriesDescription": "PET CPS", "Units": "CPS"})
    write_ct(tmp_path / "5", phantom((8, 10, 3)), series="thick", tags={"SeriesDescription": "CT thick"},
             spacing_mm=(1.0, 1.0, 6.0))  # fmt: skip
    write_ct(tmp_path / "6", phantom((8, 10, 9)), series="fine", spacing_mm=(1.0, 1.0, 2.0))
    write_ct(tmp_path / "7", phantom((8, 10, 2)), series="part", tags={"SeriesDescription": "CT part"},
             spacing_mm=(1.0, 1.0, 1.0))  # fmt: skip
    case = only(tmp_path)
    pet, ct = case.used(SeriesRole.PET), case.used(SeriesRole.CT)
    assert pet is not None
    assert pet.description == "PET AC"
    assert pet.size == (8, 10, 6)
    assert ct is not None
    assert ct.size == (8, 10, 9)
    reasons = {one.description: one.skipped for one in case.series if one.skipped}
    assert reasons["PET short"] == "Another PET series of this study is used: 'PET AC' with 6 slices."
    assert reasons["PET CPS"] == reasons["PET short"]
    assert "not attenuation-corrected" in reasons["PET NAC"]
    assert reasons["CT thick"] == reasons["CT part"] == "Another CT series of this study is used: 'CT' with 9 slices."
    assert len(reasons) == 5


@pytest.mark.parametrize(
    ("ct", "words"),
    [
        ({"frame": "another"}, "another frame of reference"),
        ({"tags": {"FrameOfReferenceUID": None}}, "not named"),
        ({"origin_lps": (-20.0, -30.0, 500.0)}, "do not overlap"),
        ({"positions_mm": [0, 3, 6, 12, 15, 18]}, "1 slice is missing"),
        ({"tags": {"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}}, "localizer"),
    ],
)
def test_ct_that_cannot_be_used_leaves_a_pet_case(tmp_path: Path, ct: dict[str, Any], words: str) -> None:
    write_pet(tmp_path / "pet", phantom())
    write_ct(tmp_path / "ct", phantom(), **ct)
    case = only(tmp_path)
    assert case.used(SeriesRole.PET) is not None
    assert case.used(SeriesRole.CT) is None
    skipped = next(one.skipped for one in case.series if one.role is SeriesRole.CT)
    assert skipped is not None
    assert words in skipped
    assert any(words in problem for problem in case.problems)


def test_single_ct_slice_does_not_go_with_a_volume(tmp_path: Path) -> None:
    write_pet(tmp_path / "pet", phantom())
    write_ct(tmp_path / "ct", phantom((8, 10, 1)))
    assert named(only(tmp_path), "CT").skipped == "A single slice where a volume is needed."


def test_pet_only_and_ct_only_are_cases(tmp_path: Path) -> None:
    write_pet(tmp_path / "pet", phantom(), study="one")
    write_ct(tmp_path / "ct", phantom(), study="two")
    cases, errors = find_dicom_cases(tmp_path)
    assert errors == []
    assert sorted((case.used(SeriesRole.PET) is None, case.used(SeriesRole.CT) is None) for case in cases) == [
        (False, True),
        (True, False),
    ]


def test_folder_of_single_slices_gives_a_case_each(tmp_path: Path) -> None:
    for number in range(3):
        write_pet(tmp_path, phantom((8, 10, 1)), study=f"s{number}", names=lambda index, number=number: f"{number}.dcm")
    cases, errors = find_dicom_cases(tmp_path)
    assert errors == []
    assert [case.series[0].size for case in cases] == [(8, 10, 1)] * 3
    assert len({case.case_id for case in cases}) == 3


def test_study_with_nothing_usable_is_an_error_with_its_reason(tmp_path: Path) -> None:
    write_pet(tmp_path, phantom((8, 10, 1)), tags={"CorrectedImage": ["DECY"]})
    cases, errors = find_dicom_cases(tmp_path / "0000.dcm")
    assert cases == []
    assert errors[0].reason == "The PET is not attenuation-corrected: CorrectedImage (0028,0051) lacks ATTN."


@pytest.mark.parametrize("content", [b"", b"hello", b"\0" * 128 + b"DICM" + b"\xff" * 64])
def test_file_that_is_no_dicom(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "text.dcm"
    file.write_bytes(content)
    for path in (file, tmp_path):
        cases, errors = find_dicom_cases(path)
        assert cases == []
        assert len(errors) == 1
        assert "text.dcm is" in errors[0].reason
