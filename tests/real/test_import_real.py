"""Real studies through the command line. Expected numbers: expected.json beside the scans, with their witnesses."""

import json
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pet2rep_core.imaging.prepared import open_prepared, verify_prepared
from pet2rep_core.prompts.prompt import read_benchmark_prompt
from pet2rep_core.records import Language
from pet2rep_core.report.slots import find_slots, strip_slots
from pet2rep_core.settings import Settings
from pet2rep_core.store import open_store
from pet2rep_core.workflow.build_request import study_prompt
from pet2rep_core.workflow.generate import generate_report
from tests.study_files import COMMAND, PROJECT, environment, run_json

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def expected(real_data: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((real_data / "expected.json").read_text())
    return loaded


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PET2REP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PET2REP_WORKERS", "1")
    return tmp_path / "home"


def test_acrin_inspected_in_a_shell(real_data, expected, tmp_path):
    want = expected["acrin042"]
    done = subprocess.run(
        [*COMMAND, "inspect", str(real_data / "acrin042_dicom"), "--json"], cwd=PROJECT, capture_output=True, text=True,
        env=environment(tmp_path / "home"),
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    seen = json.loads(done.stdout)
    assert seen["errors"] == []
    [case] = seen["cases"]
    by_name = {series["description"]: series for series in case["series"]}
    pet, ct = by_name["PET AC"], by_name["CT IMAGES"]
    assert (pet["role"], pet["size"], pet["units"], pet["skipped"]) == ("pet", want["pet_size"], "BQML", None)
    assert (ct["role"], ct["size"], ct["orientation"], ct["skipped"]) == ("ct", want["ct_size"], "LPS", None)
    assert pet["spacing_mm"] == pytest.approx(want["pet_spacing"], abs=1e-3)
    assert ct["spacing_mm"] == pytest.approx(want["ct_spacing"], abs=1e-3)
    reasons = {name: series["skipped"] for name, series in by_name.items() if series["skipped"]}
    assert {name: words in reasons[name] for name, words in (
        ("PET NAC", "not attenuation-corrected"), ("SCOUT", "localizer"), ("PET SUV Factors", "RWV is not"),
    )} == dict.fromkeys(reasons, True)  # fmt: skip
    assert case["suv"]["bw"] == pytest.approx(want["suvbw_factor"], rel=1e-9)
    assert case["suv"]["lbm"] == pytest.approx(want["rwv_reference"]["suvlbm"], rel=2e-5)
    assert case["suv"]["ibw"] == pytest.approx(want["rwv_reference"]["suvibw"], rel=2e-5)
    assert (case["suv"]["time_rule"], case["suv"]["reason"]) == ("ge-scan-datetime", None)
    assert case["suv_max"] == pytest.approx(want["suv_max"], rel=1e-6)
    assert "ACRIN" not in done.stdout
    assert not (tmp_path / "home").exists()


def test_acrin_imported_and_imported_again(real_data, expected, home, capsys):
    want = expected["acrin042"]
    status, said = run_json(capsys, "import", real_data / "acrin042_dicom")
    assert status == 0
    assert [one["status"] for one in said["outcomes"]] == ["new"]
    status, said = run_json(capsys, "import", real_data / "acrin042_dicom", "--dataset", "again")
    assert [one["status"] for one in said["outcomes"]] == ["unchanged"]
    settings = Settings(home, 1)
    store = open_store(settings)
    [row] = store.cases()
    images = open_prepared(settings.prepared, row.prepared_key)
    assert (row.dataset, row.has_pet, row.has_ct) == ("acrin042_dicom", True, True)
    assert row.suv["bw"] == pytest.approx(want["suvbw_factor"], rel=1e-9)
    assert float(images.pet.values.max()) == pytest.approx(want["suv_max"], rel=1e-6)
    (z0, z1), (y0, y1), (x0, x1) = want["box_zyx"]
    assert float(images.pet.values[x0:x1, y0:y1, z0:z1].mean()) == pytest.approx(want["suv_liver_mean_box"], rel=1e-5)
    assert float(images.ct.values[x0:x1, y0:y1, z0:z1].mean()) == pytest.approx(want["ctres_liver_mean_HU"], abs=1.0)
    assert verify_prepared(settings.prepared, row.prepared_key) == []
    assert "ACRIN" not in str(row)
    store.close()


def test_lone_slices(real_data, expected, home, capsys):
    want = expected["acrin042"]
    file = sorted((real_data / "acrin042_dicom" / "PET_AC").iterdir())[40]
    status, seen = run_json(capsys, "inspect", file)
    assert status == 0
    assert seen["cases"][0]["series"][0]["size"] == [*want["pet_size"][:2], 1]
    assert seen["cases"][0]["suv"]["bw"] == pytest.approx(want["suvbw_factor"], rel=1e-9)
    for path in (real_data / "acrin042_dicom" / "PET_NAC_subset", real_data / "acrin042_dicom" / "SCOUT"):
        status, seen = run_json(capsys, "inspect", path)
        assert (status, seen["cases"]) == (2, [])
        assert seen["errors"][0]["reason"]


def test_sts_from_its_archive(real_data, expected, home, tmp_path, capsys):
    want = expected["sts001"]
    with zipfile.ZipFile(real_data / "sts001_GE_wholebody_FDG_PET_dicom.zip") as archive:
        archive.extractall(tmp_path / "sts")
    status, seen = run_json(capsys, "inspect", tmp_path / "sts")
    assert status == 0
    [case] = seen["cases"]
    pet = next(series for series in case["series"] if series["role"] == "pet")
    assert pet["size"] == want["size"]
    assert case["suv"]["bw"] == pytest.approx(want["suvbw_factor"], rel=1e-9)
    assert case["suv_max"] == pytest.approx(want["suv_max"], rel=1e-6)
    assert run_json(capsys, "import", tmp_path / "sts")[0] == 0
    store = open_store(Settings(home, 1))
    [row] = store.cases()
    assert (row.has_pet, row.has_ct) == (True, False)
    assert open_prepared(Settings(home, 1).prepared, row.prepared_key).ct is None
    store.close()


def test_the_benchmark_as_the_user_has_it(real_data, home, capsys):
    status, said = run_json(capsys, "import", real_data / "pet2rep_demo")
    assert status == 0
    assert [one["status"] for one in said["outcomes"]] == ["new"]
    store = open_store(Settings(home, 1))
    [row] = store.cases()
    assert (row.has_pet, row.has_ct, row.n_pictures) == (False, False, 3)
    assert [report.report.language for report in store.reports(row.case_id)] == [Language.CHINESE]
    made = generate_report(store, row.case_id, "template", Language.CHINESE)
    assert store.runs()[0].prompt_sha256 == study_prompt(row.metadata, Language.CHINESE).sha256
    assert made.text == strip_slots(read_benchmark_prompt(row.metadata).template)
    assert not find_slots(made.text)
    store.close()
    assert run_json(capsys, "score")[0] == 0


def test_the_converted_study_has_the_same_suv(real_data, expected, home, capsys):
    want = expected["acrin042"]
    status, seen = run_json(capsys, "inspect", real_data / "acrin042_nifti")
    assert status == 0
    assert seen["cases"][0]["suv"]["time_rule"] == "already-suv"
    assert seen["cases"][0]["suv_max"] == pytest.approx(want["suv_max"], rel=1e-6)
    assert run_json(capsys, "import", real_data / "acrin042_nifti")[0] == 0
    store = open_store(Settings(home, 1))
    [row] = store.cases()
    images = open_prepared(Settings(home, 1).prepared, row.prepared_key)
    assert float(images.pet.values.max()) == pytest.approx(want["suv_max"], rel=1e-6)
    # 14 % of the file's CT voxels lie below air on purpose: they are clamped
    assert int(images.ct.values.min()) == -1024
    store.close()
