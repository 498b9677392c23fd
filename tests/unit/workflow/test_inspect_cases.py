"""What inspect says, and that it writes nothing."""

import json

import pytest

from pet2rep_core.errors import DatasetLayoutError
from pet2rep_core.workflow.inspect_dataset import inspect_dataset
from tests.dicom_files import PET_BW, phantom, write_ct, write_pet
from tests.layout_files import BRIGHT, BUILDERS
from tests.study_files import build_study

# issue 2, "Commands that others script against"
PROMISED = {
    "": {"case_id", "layout", "series", "suv", "suv_max"},
    "series": {"role", "size", "spacing_mm", "orientation", "units", "skipped"},
    "suv": {"bw", "lbm", "bsa", "ibw", "time_rule", "reason", "warnings"},
}


@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_the_keys_are_those_that_others_script_against(tmp_path, name):
    seen = inspect_dataset(BUILDERS[name][1](tmp_path))
    assert seen.keys() == {"cases", "errors"}
    assert seen["cases"]
    for case in seen["cases"]:
        assert case.keys() == PROMISED[""] | {"pictures", "reports", "problems"}
        assert case["suv"].keys() == PROMISED["suv"]
        for series in case["series"]:
            assert series.keys() == PROMISED["series"] | {"description", "files"}
    assert json.loads(json.dumps(seen, allow_nan=False)) == seen


def test_a_dicom_study(tmp_path):
    write_pet(tmp_path / "pet", phantom())
    write_ct(tmp_path / "ct", phantom((32, 40, 6)))
    write_ct(tmp_path / "scout", phantom(), series="scout", tags={"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]})
    [case] = inspect_dataset(tmp_path)["cases"]
    assert case["layout"] == "dicom"
    pet = next(series for series in case["series"] if series["role"] == "pet")
    assert (pet["size"], pet["spacing_mm"]) == ([8, 10, 6], [4.0, 4.0, 3.0])
    assert (pet["orientation"], pet["units"], pet["skipped"], pet["files"]) == ("LPS", "BQML", None, 6)
    assert [series["skipped"] is None for series in case["series"] if series["role"] == "ct"] == [True, False]
    # dicom_files.PET_BW is worked out there from weight, dose and decay; the bright voxel holds 4000 Bq/mL
    assert case["suv"]["bw"] == pytest.approx(PET_BW, rel=1e-9)
    assert case["suv_max"] == pytest.approx(4000 * PET_BW, rel=1e-6)
    assert case["suv"]["reason"] is None
    assert "SECRET" not in json.dumps(case)


def test_without_suv_there_is_a_reason_and_no_number(tmp_path):
    write_pet(tmp_path, phantom(), tags={"PatientWeight": None})
    [case] = inspect_dataset(tmp_path)["cases"]
    assert case["suv"]["bw"] is case["suv_max"] is None
    assert "PatientWeight" in case["suv"]["reason"]


def test_a_lone_slice_and_a_folder_of_them(tmp_path):
    files = write_pet(tmp_path, phantom())
    [case] = inspect_dataset(files[0])["cases"]
    assert case["series"][0]["size"] == [8, 10, 1]
    assert case["suv_max"] == pytest.approx(100 * PET_BW, rel=1e-6)
    assert inspect_dataset(tmp_path)["cases"][0]["series"][0]["size"] == [8, 10, 6]


def test_a_study_of_several_kinds(tmp_path):
    cases = {case["case_id"]: case for case in inspect_dataset(build_study(tmp_path))["cases"]}
    assert cases["a"]["suv_max"] == BRIGHT
    assert [report["language"] for report in cases["a"]["reports"]] == ["zh", "en"]
    assert (cases["b"]["pictures"], cases["b"]["suv"]["reason"]) == (1, "The case has no PET.")
    assert cases["c"]["series"] == []


def test_nothing_is_written(tmp_path):
    root = build_study(tmp_path / "set")
    before = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))
    inspect_dataset(root)
    assert sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")) == before


def test_what_cannot_be_used_is_refused(tmp_path):
    with pytest.raises(DatasetLayoutError, match="no file or folder"):
        inspect_dataset(tmp_path / "nothing")
