"""Importing: new, unchanged, revised, failed; cancel and resume; killed and resumed; backends; clashes."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pet2rep_core.datasets.layouts import scan_dataset
from pet2rep_core.imaging.prepared import open_prepared, verify_prepared
from pet2rep_core.records import Language
from pet2rep_core.settings import Settings
from pet2rep_core.store import InboxRecorder, open_store
from pet2rep_core.workflow import import_dataset
from pet2rep_core.workflow.import_dataset import ImportStatus, dataset_name, import_cases
from pet2rep_core.workflow.open_case import open_case
from tests.bad_input_files import save_values
from tests.layout_files import BIDS_SIDECAR, BUILDERS, REPORT_EN, build_bids, save_pet, save_text
from tests.study_files import (
    PROJECT,
    build_slow_study,
    build_study,
    import_all,
    keys,
    start,
    statuses,
)


def test_what_was_imported_can_be_opened(study, store, settings):
    case = open_case(store, settings, "a")
    assert case.kinds == ("ct", "pet", "fused")
    assert case.pet_unit_label == "SUVbw g/mL"
    assert case.images.pet.values.max() == 7.0  # layout_files.BRIGHT
    assert set(case.references) == set(Language)
    assert case.row.dataset == "study"
    assert open_case(store, settings, "b").kinds == ()
    assert len(open_case(store, settings, "b").images.pictures) == 1
    assert open_case(store, settings, "c").images is None
    assert open_case(store, settings, "c").references[Language.ENGLISH].text == REPORT_EN


@pytest.mark.parametrize("name", sorted(BUILDERS))
def test_every_layout_goes_in_and_in_again(tmp_path, settings, store, name):
    root = BUILDERS[name][1](tmp_path / "set")
    first = import_all(root, settings, store)
    before = keys(store)
    assert before
    assert set(statuses(first).values()) <= {"new", "failed"}
    again = import_all(root, settings, store, dataset="another name")
    assert {n: "unchanged" if s == "new" else s for n, s in statuses(first).items()} == statuses(again)
    assert keys(store) == before
    assert {row.dataset for row in store.cases()} == {"set"}
    assert store.verify() == []
    for key in filter(None, before.values()):
        assert verify_prepared(settings.prepared, key) == []


def test_a_case_that_did_not_change_is_not_read_again(study, store, settings, monkeypatch):
    monkeypatch.setattr(import_dataset, "load_case", None)
    assert set(statuses(import_all(study, settings, store)).values()) == {"unchanged"}


def test_prepared_images_that_are_gone_are_made_again(study, store, settings):
    before = keys(store)
    shutil.rmtree(settings.prepared / before["a"][:2])
    assert statuses(import_all(study, settings, store)) == {"a": "unchanged", "b": "unchanged", "c": "unchanged"}
    assert open_prepared(settings.prepared, before["a"]).pet is not None


def test_other_files_are_a_revision_of_that_case_alone(study, store, settings):
    before = keys(store)
    save_pet(study / "a_pet.nii.gz", scale=2.0)
    assert statuses(import_all(study, settings, store)) == {"a": "revised", "b": "unchanged", "c": "unchanged"}
    after = keys(store)
    assert after["a"] != before["a"]
    assert open_prepared(settings.prepared, after["a"]).pet.values.max() == 14.0
    assert open_prepared(settings.prepared, before["a"]).pet.values.max() == 7.0


def test_another_report_is_a_revision(study, store, settings):
    manifest = study / "manifest.csv"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("suspicious", "highly suspicious"), "utf-8")
    assert statuses(import_all(study, settings, store)) == {"a": "revised", "b": "unchanged", "c": "revised"}
    newest = {r.report.language: r for r in store.reports("a")}
    assert "highly suspicious" in newest[Language.ENGLISH].report.text
    assert [newest[language].revision for language in Language] == [1, 2]


def test_what_stands_beside_the_image_counts_too(tmp_path, settings, store):
    root = tmp_path / "units"
    save_pet(root / "pet.nii.gz")
    save_text(root / "manifest.csv", "case,pet,pet_unit\na,pet.nii.gz,\n")
    assert import_all(root, settings, store)["a"].status is ImportStatus.NEW
    assert store.case("a").suv["bw"] is None
    save_text(root / "manifest.csv", "case,pet,pet_unit\na,pet.nii.gz,suvbw\n")
    assert import_all(root, settings, store)["a"].status is ImportStatus.REVISED
    assert store.case("a").suv["bw"] == 1.0


def test_a_corrected_sidecar_gives_another_suv(tmp_path, settings, store):
    root = build_bids(tmp_path / "bids")
    import_all(root, settings, store)
    first = store.case("sub-03").suv["bw"]
    path = root / "sub-03" / "pet" / "sub-03_pet.json"
    dose = str(BIDS_SIDECAR["InjectedRadioactivity"])
    path.write_text(path.read_text().replace(dose, "150.0"))
    assert import_all(root, settings, store)["sub-03"].status is ImportStatus.REVISED
    # half the dose, twice the SUV
    assert store.case("sub-03").suv["bw"] == pytest.approx(2 * first, rel=1e-12)


@pytest.mark.parametrize("backend", ["threading", "loky"])
def test_two_cases_at_a_time_give_the_same(tmp_path, study, store, settings, backend):
    other = Settings(home=tmp_path / backend, workers=2)
    beside = open_store(other)
    assert set(statuses(import_all(study, other, beside, backend=backend)).values()) == {"new"}
    assert keys(beside) == keys(store)
    beside.close()


def test_failures_are_listed_while_the_others_go_in(tmp_path, settings, store):
    root = build_study(tmp_path / "set")
    pet = root / "a_pet.nii.gz"
    save_values(pet, np.random.default_rng(0).random((12, 10, 8)))
    pet.write_bytes(pet.read_bytes()[: pet.stat().st_size // 2])
    outcomes = import_all(root, settings, store)
    assert statuses(outcomes) == {"a": "failed", "b": "new", "c": "new"}
    assert outcomes["a"].reason.startswith("a_pet.nii.gz is cut off or damaged.")
    assert [row.case_id for row in store.cases()] == ["b", "c"]


def test_a_file_that_vanished_is_a_sentence(tmp_path, settings, store):
    root = build_study(tmp_path / "set")
    scan = scan_dataset(root)
    (root / "a_ct.nii.gz").unlink()
    outcomes = {one.case_id: one for one in import_cases(scan, settings, store)}
    assert outcomes["a"].reason == "a_ct.nii.gz cannot be read: No such file or directory."
    assert outcomes["b"].status is ImportStatus.NEW


@pytest.mark.parametrize(("workers", "backend"), [(1, "loky"), (2, "threading")])
def test_cancelled_and_resumed(tmp_path, settings, store, monkeypatch, workers, backend):
    root = tmp_path / "set"
    lines = "".join(f'case-{n},"{REPORT_EN}"\n' for n in range(12))
    save_text(root / "manifest.csv", f"case,report\n{lines}")
    prepare = import_dataset.prepare_source

    def slowly(*arguments):
        time.sleep(0.1)
        return prepare(*arguments)

    monkeypatch.setattr(import_dataset, "prepare_source", slowly)
    stop = threading.Event()
    done = []
    chosen = replace(settings, workers=workers)
    for one in import_cases(scan_dataset(root), chosen, store, backend=backend, cancelled=stop.is_set):
        done.append(one.case_id)
        stop.set()
    assert 1 <= len(done) <= 3 * workers  # those under way, and the next that joblib had taken for each worker
    assert sorted(done) == sorted(row.case_id for row in store.cases())
    monkeypatch.setattr(import_dataset, "prepare_source", prepare)
    again = statuses(import_all(root, chosen, store, backend=backend))
    assert sorted(name for name, status in again.items() if status == "unchanged") == sorted(done)
    assert len(store.cases()) == 12


def test_two_datasets_with_the_same_case_name(study, tmp_path, settings, store):
    other = build_study(tmp_path / "other")
    save_pet(other / "a_pet.nii.gz", scale=3.0)
    before = keys(store)
    outcomes = import_all(other, settings, store)
    # b and c are the same files, so they are the same cases
    assert statuses(outcomes) == {"a": "failed", "b": "unchanged", "c": "unchanged"}
    assert outcomes["a"].reason.startswith("The case 'a' is already in the dataset 'study' with other files.")
    assert keys(store) == before
    assert statuses(import_all(other, settings, store, dataset="study"))["a"] == "revised"


def test_a_clash_that_is_handed_over_leaves_the_other_case_alone(study, tmp_path, settings, store):
    other = build_study(tmp_path / "other")
    save_pet(other / "a_pet.nii.gz", scale=3.0)
    manifest = other / "manifest.csv"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("suspicious", "not suspicious"), "utf-8")
    outcomes = import_all(other, settings, InboxRecorder(settings))
    assert set(statuses(outcomes).values()) == {"handed over"}
    before = keys(store)
    assert sum(file.reason is not None for file in store.ingest_inbox()) == 5  # a: 1 + 2, c: 1 + 1
    assert keys(store) == before
    assert all("not suspicious" not in r.report.text for r in store.reports("a") + store.reports("c"))
    assert store.verify() == []


@pytest.mark.parametrize(
    ("name", "expected"), [("a.b", "a.b"), ("suv.nii.gz", "suv"), ("list.csv", "list"), ("slice", "slice")]
)
def test_names_of_datasets(tmp_path, name, expected):
    place = tmp_path / name
    if name == "a.b":
        place.mkdir()
    else:
        place.touch()
    assert dataset_name(place) == expected


def test_killed_in_the_middle_and_resumed(tmp_path):
    root = build_slow_study(tmp_path / "set")
    home = tmp_path / "home"
    process = start(home, "import", root, "--yes")
    assert process.stderr.readline().startswith("[1/6]")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    settings = Settings(home=home, workers=2)
    store = open_store(settings)
    there = set(keys(store))
    assert 1 <= len(there) < 6
    resumed = statuses(import_all(root, settings, store, backend="threading"))
    assert {name for name, status in resumed.items() if status == "unchanged"} == there
    fresh = Settings(home=tmp_path / "fresh", workers=2)
    beside = open_store(fresh)
    import_all(root, fresh, beside, backend="threading")
    assert keys(store) == keys(beside)
    assert all(verify_prepared(settings.prepared, key) == [] for key in keys(store).values())
    assert store.verify() == []
    store.close()
    beside.close()


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_ends_after_the_cases_under_way(tmp_path, workers):
    root = build_slow_study(tmp_path / "set", count=40, side=100, files=1)
    home = tmp_path / "home"
    process = start(home, "import", root, "--yes", "--workers", workers)
    assert process.stderr.readline().startswith("[1/40]")
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers too
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Stopping after the cases under way" in err
    assert "Traceback" not in out + err
    store = open_store(Settings(home=home, workers=1))
    count = len(store.cases())
    store.close()
    assert 1 <= count < 40
    assert f"Stopped: {count} of 40 cases are in. Import the same path again to go on from there." in err
    assert "new" in out


FULL_DISK = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (8 * 2**20, 8 * 2**20))
from pet2rep_core.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def test_a_disk_without_room_for_one_case(tmp_path):
    """Files of more than 8 MB cannot be written: the big case fails with a sentence, the small one goes in."""
    import nibabel

    root = build_study(tmp_path / "set")
    big = np.random.default_rng(0).random((160, 160, 100), dtype=np.float32)
    nibabel.save(nibabel.Nifti1Image(big, np.diag([4.0, 4, 3, 1])), root / "big.nii")
    manifest = root / "manifest.csv"
    manifest.write_text(manifest.read_text(encoding="utf-8") + "big,big.nii,,suvbw,,,\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, "import", str(root), "--yes"], cwd=PROJECT, capture_output=True, text=True,
        env={**os.environ, "PET2REP_HOME": str(tmp_path / "home"), "PET2REP_WORKERS": "1"},
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "failed: big: The prepared case could not be written: " in done.stdout
    assert "Free some space and import again." in done.stdout
    assert "3 new, 1 failed." in done.stdout
    assert not list((tmp_path / "home" / "prepared").glob(".build-*"))


def test_no_room_for_the_database_is_a_sentence_for_each_case(tmp_path, settings, store):
    root = build_study(tmp_path / "set")
    store._database.min_free_bytes = 2**60
    outcomes = import_all(root, settings, store)
    assert set(statuses(outcomes).values()) == {"failed"}
    assert all("MB left" in one.reason for one in outcomes.values())
    store._database.min_free_bytes = 0
    assert set(statuses(import_all(root, settings, store)).values()) == {"new"}


def test_a_memo_that_cannot_be_written_is_said(tmp_path, settings, store):
    settings.prepared.mkdir(parents=True)
    (settings.prepared / "sources").write_text("a file in its place")
    outcomes = import_all(build_study(tmp_path / "set"), settings, store)
    assert statuses(outcomes) == {"a": "failed", "b": "failed", "c": "new"}
    assert outcomes["a"].reason.startswith("The prepared case could not be written: ")


def test_everything_crosses_to_another_process(tmp_path):
    """What a worker on another machine gets and gives must survive pickling."""
    import pickle

    root = BUILDERS["dicom"][1](tmp_path / "set")
    for source in scan_dataset(root).cases:
        copy = pickle.loads(pickle.dumps(source))
        done = import_dataset.prepare_source(copy, "d", tmp_path / "prepared")
        assert pickle.loads(pickle.dumps(done)) == done
        assert isinstance(done.row.prepared_key, str)
        assert Path(tmp_path / "prepared" / done.row.prepared_key[:2] / done.row.prepared_key).is_dir()
