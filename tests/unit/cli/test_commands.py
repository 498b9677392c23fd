"""Every command as a person or a script runs it."""

import io
import json
import shutil
import subprocess
import sys
from types import SimpleNamespace

import duckdb
import numpy as np
import pytest

from pet2rep_core.cli import importing
from pet2rep_core.cli.main import main
from pet2rep_core.datasets.layouts import LAYOUTS
from pet2rep_core.datasets.phantom import demo_case_ids
from pet2rep_core.imaging.volume import Volume
from pet2rep_core.records import Language, Report
from pet2rep_core.settings import Settings
from pet2rep_core.store import InboxRecorder, open_store
from tests.dicom_files import phantom, write_pet
from tests.layout_files import REPORT_EN, REPORT_ZH, save_pet, save_text
from tests.study_files import PROJECT, environment, run_json


def run_json_lines(capsys, *words):
    """Run a command with --json that writes a line of JSON for each result."""
    capsys.readouterr()
    status = main([*words, "--json"])
    return status, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def imported(home, study, capsys):
    assert main(["import", str(study)]) == 0
    capsys.readouterr()
    return Settings(home=home, workers=1)


def test_layouts(home, capsys):
    status, listed = run_json(capsys, "layouts")
    assert status == 0
    assert [one["name"] for one in listed["layouts"]] == list(LAYOUTS)
    assert main(["layouts"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == len(LAYOUTS)


class TestInspect:
    def test_json_on_standard_output_alone(self, home, study, capsys):
        status, seen = run_json(capsys, "inspect", study)
        assert status == 0
        assert [case["case_id"] for case in seen["cases"]] == ["a", "b", "c"]
        assert seen["errors"] == []
        assert not home.exists()

    def test_for_a_person(self, home, study, capsys):
        save_text(study / "manifest.csv", (study / "manifest.csv").read_text("utf-8") + "d,none.nii,,,,,\n")
        assert main(["inspect", str(study)]) == 0
        out, err = capsys.readouterr()
        for words in (
            "Case a (manifest)", "12x10x8", "4x4x3", "LPS", "SUVBW", "SUV factors: BW 1 (time rule: already-suv)",
            "SUVmax (BW) of the whole image: 7.00 g/mL", "Warning: The PET is taken as SUVbw", "Report: zh,",
            "Pictures: 1", "SUV: none. The case has no PET.", "Not taken:", "There is no file 'none.nii'",
        ):  # fmt: skip
            assert words in out
        assert err == ""

    def test_nothing_that_can_be_imported(self, home, tmp_path, capsys):
        write_pet(tmp_path / "nac", phantom(), tags={"CorrectedImage": ["DECY"]})
        status, seen = run_json(capsys, "inspect", tmp_path / "nac")
        assert status == 2
        assert seen["cases"] == []
        assert seen["errors"][0].keys() == {"where", "reason"}
        assert main(["inspect", str(tmp_path / "nac")]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        assert "not attenuation-corrected" in err

    @pytest.mark.parametrize(
        ("words", "reason"),
        [
            (["nothing-there"], "There is no file or folder 'nothing-there'"),
            (["study", "--layout", "dicon"], "Did you mean 'dicom'"),
            (["empty"], "holds no DICOM file"),
        ],
    )
    def test_refusals_are_json_too(self, home, study, tmp_path, capsys, words, reason):
        (tmp_path / "empty").mkdir()
        status, seen = run_json(capsys, "inspect", tmp_path / words[0], *words[1:])
        assert status == 2
        assert seen["cases"] == []
        assert reason in seen["errors"][0]["reason"]
        assert seen["errors"][0]["where"] == words[0]

    def test_many_reasons_are_one_sentence(self, home, tmp_path, capsys):
        save_text(tmp_path / "manifest.csv", "case,pet\na,x.nii\nb,y.nii\n")
        assert main(["inspect", str(tmp_path)]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert "(2 reasons). The first: manifest.csv line 2: There is no file 'x.nii'." in err


class TestImport:
    def test_preview_then_import(self, home, study, capsys):
        assert main(["import", str(study)]) == 0
        out, err = capsys.readouterr()
        assert "3 cases of the layout 'manifest' for the dataset 'study':" in out
        assert "  a: PET 12x10x8, CT 24x20x8, report in zh, report in en\n" in out
        assert "  b: 1 pictures, report in zh\n" in out
        assert "3 new.\n" in out
        assert err.splitlines()[-1].startswith("[3/3]")

    def test_again_as_json_under_another_name(self, imported, study, capsys):
        status, said = run_json(capsys, "import", study, "--dataset", "other", "--workers", 2)
        assert status == 0
        assert said["dataset"] == "other"
        assert (said["handed_over"], said["stopped"]) == (False, False)
        assert [one["status"] for one in said["outcomes"]] == ["unchanged"] * 3

    def test_a_dry_run_writes_nothing(self, home, study, capsys):
        status, said = run_json(capsys, "import", study, "--dry-run")
        assert status == 0
        assert said["dry_run"] is True
        assert [(c["case_id"], c["pet"], c["ct"], c["pictures"], c["reports"]) for c in said["cases"]] == [
            ("a", True, True, 0, ["zh", "en"]), ("b", False, False, 1, ["zh"]), ("c", False, False, 0, ["en"]),
        ]  # fmt: skip
        assert not home.exists()

    @pytest.mark.parametrize(("answer", "status"), [("y\n", 0), ("yes\n", 0), ("\n", 2), ("n\n", 2), ("", 2)])
    def test_it_asks_on_a_terminal(self, home, study, capsys, monkeypatch, answer, status):
        terminal = io.StringIO(answer)
        terminal.isatty = lambda: True
        monkeypatch.setattr(importing.sys, "stdin", terminal)
        assert main(["import", str(study)]) == status
        err = capsys.readouterr().err
        assert "Import this? [y/N]" in err
        assert ("Nothing was imported." in err) == (status == 2)
        assert (home / "pet2rep.duckdb").exists() == (status == 0)

    def test_it_does_not_ask_with_yes(self, home, study, capsys, monkeypatch):
        terminal = io.StringIO("")
        terminal.isatty = lambda: True
        monkeypatch.setattr(importing.sys, "stdin", terminal)
        assert main(["import", str(study), "--yes"]) == 0

    def test_some_fail_and_are_listed_at_the_end(self, home, study, capsys):
        (study / "b.png").write_bytes(b"no picture")
        assert main(["import", str(study)]) == 1
        out, _ = capsys.readouterr()
        assert "2 new, 1 failed.\n" in out
        assert out.splitlines()[-1].startswith("  failed: b: b.png does not contain a PNG or JPEG picture.")

    def test_nothing_goes_in(self, home, tmp_path, capsys):
        save_pet(tmp_path / "one" / "pet.nii.gz", frames=2)
        assert main(["import", str(tmp_path / "one")]) == 2
        out, err = capsys.readouterr()
        assert "frames" in out
        assert "Nothing can be imported" in err
        status, said = run_json(capsys, "import", tmp_path / "one")
        assert (status, said["cases"]) == (2, [])
        assert said["errors"]

    def test_every_case_fails(self, home, study, capsys):
        (study / "b.png").write_bytes(b"no picture")
        save_text(study / "manifest.csv", "case,pictures\nb,b.png\n")
        assert main(["import", str(study)]) == 2
        assert "Nothing was imported. b: b.png does not contain" in capsys.readouterr().err

    def test_a_cluster_that_is_not_there(self, home, study, capsys):
        pytest.importorskip("distributed")
        for address in ("nonsense", "tcp://127.0.0.1"):
            assert main(["import", str(study), "--dask", address]) == 2
            assert f"There is no Dask scheduler at {address!r}." in capsys.readouterr().err

    def test_without_dask_it_says_what_to_install(self, home, study, capsys, monkeypatch):
        monkeypatch.setitem(sys.modules, "distributed", None)
        assert main(["import", str(study), "--dask", "tcp://x:1"]) == 2
        err = capsys.readouterr().err
        assert "needs a library that is not installed. Install it with: pip install 'pet2rep-review[dask]'" in err


HOLDER = """
import json, sys
from pet2rep_core.settings import read_settings
from pet2rep_core.store import open_store
store = open_store(read_settings())
print("ready", flush=True)
sys.stdin.readline()
taken = [file.reason for file in store.ingest_inbox()]
reports = {c.case_id: len(store.reports(c.case_id)) for c in store.cases()}
print(json.dumps([taken, reports, store.verify()]), flush=True)
store.close()
"""


@pytest.fixture
def app(home):
    """Another process that has the store open, as the app does."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER], cwd=PROJECT, env=environment(home), text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    yield process
    process.communicate()


class TestWhileTheAppRuns:
    def test_an_import_is_handed_over_and_taken(self, app, home, study, capsys):
        assert main(["import", str(study)]) == 0
        out, err = capsys.readouterr()
        assert "The app has the store open: the results are handed over to it." in err
        assert "3 handed over.\n" in out
        status, said = run_json(capsys, "import", study)
        assert (status, said["handed_over"]) == (0, True)
        app.stdin.write("go\n")
        app.stdin.flush()
        taken, reports, problems = json.loads(app.stdout.readline())
        assert set(taken) == {None}
        assert reports == {"a": 2, "b": 1, "c": 1}
        assert problems == []

    @pytest.mark.parametrize(
        "words",
        [["generate", "--model", "template"], ["score"], ["export", "--out", "out"], ["verify"]],
        ids=lambda w: w[0],
    )
    def test_what_cannot_be_handed_over_says_so(self, app, capsys, words):
        assert main(words) == 2
        assert capsys.readouterr().err.splitlines() == [
            "The app (or another command) has the store open. Do this on the app's page, or stop the app and try again."
        ]

    def test_demo_cases_are_handed_over(self, app, home, capsys, monkeypatch):
        from pet2rep_core.cli import demo

        asked = []
        monkeypatch.setattr(demo, "make_demo_study", lambda names, *rest: asked.append((names, *rest)) or iter(()))
        assert main(["demo", "--cases", "demo-02"]) == 0
        [(names, _, recorder)] = asked
        assert names == ("demo-02",)
        assert isinstance(recorder, InboxRecorder)


class TestGenerateScoreExportVerify:
    def test_from_cases_to_tables(self, imported, tmp_path, capsys):
        status, said = run_json_lines(
            capsys, "generate", "--model", "template", "--model", "scripted", "--language", "en", "--cases", "a,c"
        )
        assert status == 0
        assert [(g["case_id"], g["model"], g["status"]) for g in said] == [
            ("a", "template", "done"), ("c", "template", "done"), ("a", "scripted", "done"), ("c", "scripted", "done"),
        ]  # fmt: skip
        again = run_json_lines(capsys, "generate", "--model", "template", "--language", "en", "--cases", "a,c")[1]
        assert again == [{**one, "already": True} for one in said[:2]]

        status, scored = run_json_lines(capsys, "score")
        assert status == 0
        assert len(scored) == 4
        assert all(score["signature"] for one in scored for score in one["scores"])
        assert run_json_lines(capsys, "score") == (0, [])
        assert len(run_json_lines(capsys, "score", "--all")[1]) == 4
        assert main(["score"]) == 0
        assert capsys.readouterr().out == "There is nothing to score.\n"

        for file_format in ("csv", "parquet"):
            status, files = run_json(capsys, "export", "--out", tmp_path / "out", "--format", file_format)
            assert status == 0
            scores = next(name for name in files["files"] if "scores" in name)
            found = duckdb.sql(f"SELECT count(DISTINCT generation_id) FROM '{scores}'").fetchall()
            assert found == [(4,)]
        assert main(["export", "--out", str(tmp_path / "out")]) == 0
        assert capsys.readouterr().out.splitlines() == [
            str(tmp_path / "out" / name)
            for name in (
                *(f"{n}.csv" for n in ("ratings", "scores", "measurements")),
                *(f"leaderboard.{kind}" for kind in ("csv", "parquet", "xlsx", "tex", "json", "manifest.json")),
            )
        ]

    def test_what_fails_is_named_and_the_rest_is_made(self, imported, capsys):
        assert main(["generate", "--model", "scripted", "--language", "en"]) == 1
        out, err = capsys.readouterr()
        assert out == "2 of 3 reports are there.\n"
        assert err.splitlines()[-1].startswith("b scripted: The scripted model needs a reference report in 'en'")
        assert main(["generate", "--model", "template", "--language", "en", "--cases", "b"]) == 0
        capsys.readouterr()
        status, said = run_json_lines(capsys, "score")
        assert status == 1
        reasons = {one["case_id"]: one["reason"] for one in said}
        assert "no reference report" in reasons["b"]
        assert reasons["a"] == reasons["c"] == ""

    @pytest.mark.parametrize(
        ("words", "complaint"),
        [
            (["generate", "--model", "templat"], "Did you mean 'template'?"),
            (["generate", "--model", "template", "--cases", "a,nobody"], "There is no case named 'nobody'."),
            (["generate", "--model", "scripted", "--behaviour", "mix"], "Did you mean 'mixed'?"),
            (["export", "--out", "out", "--format", "xlsx"], "There is no format named 'xlsx'."),
            (["export", "out"], "--out is missing."),
            (["export", "s-9", "--out", "out"], "There is no study named 's-9'. There is none yet."),
            (["export", "s-9", "--out", "out", "--format", "xls"], "There is no format named 'xls'."),
            (["demo", "--cases", "demo-99"], "There is no demo case named 'demo-99'."),
        ],
    )
    def test_names_that_are_not_there(self, imported, capsys, words, complaint):
        assert main(words) == 2
        assert complaint in capsys.readouterr().err

    def test_without_cases(self, home, capsys):
        assert main(["generate", "--model", "template"]) == 2
        assert capsys.readouterr().err == "There are no cases yet. Import a dataset, or run: pet2rep demo\n"

    def test_refused_hand_overs_are_said(self, imported, capsys):
        from tests.crash.samples import SCORES

        InboxRecorder(imported).record_scores("g-none", SCORES)
        assert main(["verify"]) == 0
        assert (
            "handed over earlier were refused: The generation 'g-none' is not in the store." in capsys.readouterr().err
        )

    def test_verify_reads_every_byte(self, imported, capsys):
        assert main(["verify"]) == 0
        assert capsys.readouterr().out == "All is well: the database and 3 cases.\n"
        store = open_store(imported)
        rows = {row.case_id: row for row in store.cases()}
        store.close()
        folder = {name: imported.prepared / row.prepared_key[:2] / row.prepared_key for name, row in rows.items()
                  if row.prepared_key}  # fmt: skip
        values = (folder["a"] / "pet.npy").read_bytes()
        (folder["a"] / "pet.npy").write_bytes(values[:-1] + b"\x01")
        (folder["b"] / "case.json").unlink()
        assert main(["verify"]) == 1
        assert capsys.readouterr().out.splitlines() == [
            "a: pet.npy does not have the recorded content",
            "b: The prepared images of this case are missing or damaged. Import the case again; ratings stay.",
        ]
        assert run_json(capsys, "verify")[0] == 1


def small_demo_case(case_id):
    """A demo case of a few voxels in place of the phantom, which takes seconds and has tests of its own."""
    ramp = np.linspace(0, 5, 12 * 40 * 30, dtype=np.float32).reshape(12, 40, 30)
    affine_lps = np.diag([10.0, 10.0, 10.0, 1.0])
    reports = (Report(Language.CHINESE, REPORT_ZH, REPORT_ZH), Report(Language.ENGLISH, REPORT_EN, REPORT_EN))
    return SimpleNamespace(
        pet=Volume(ramp, affine_lps), ct=Volume((ramp * 40).astype(np.int16), affine_lps), reports=reports,
        metadata={"sex": "F"},
    )  # fmt: skip


def test_demo_cases_go_in_once(home, capsys, monkeypatch):
    monkeypatch.setattr("pet2rep_core.workflow.demo.make_demo_case", small_demo_case)
    assert main(["demo", "--cases", "demo-03"]) == 0
    assert "1 new." in capsys.readouterr().out
    status, said = run_json(capsys, "demo", "--cases", "demo-03")
    assert (status, said) == (0, {"dataset": "demo", "handed_over": False, "outcomes": []})
    status, said = run_json(capsys, "demo")
    assert status == 0
    assert [one["status"] for one in said["outcomes"]] == ["new"] * (len(demo_case_ids()) - 1)
    assert main(["demo"]) == 0
    assert capsys.readouterr().out == "The demo study is complete.\n"
    shutil.rmtree(home / "prepared")
    assert [one["status"] for one in run_json(capsys, "demo")[1]["outcomes"]] == ["unchanged"] * len(demo_case_ids())
    assert run_json_lines(capsys, "generate", "--models", "scripted,template-normal", "--cases", "all")[0] == 0
    assert run_json_lines(capsys, "score")[0] == 0
