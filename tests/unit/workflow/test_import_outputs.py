"""Outputs written elsewhere: each format, honest ends, what is left out and why."""

from __future__ import annotations

import json

import pytest

from pet2rep_core.cli.main import main
from pet2rep_core.errors import DatasetLayoutError, UnknownNameError
from pet2rep_core.records import GenerationStatus, Language, Person, Role
from pet2rep_core.store import Recorded
from pet2rep_core.vlm.catalog import read_catalog
from pet2rep_core.workflow.import_outputs import import_outputs
from tests.layout_files import REPORT_EN, REPORT_ZH, save_text

SOMEBODY = Person("R07", Role.RESEARCHER)
DONE, EMPTY, FAILED = GenerationStatus.DONE, GenerationStatus.EMPTY, GenerationStatus.FAILED


def take(store, path, *, setting="fused", model="meddr", language=Language.CHINESE):
    return list(import_outputs(store, SOMEBODY, path, read_catalog().row(model), setting, language))


def jsonl(path, *records):
    return save_text(path, "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in records)) or path


def test_the_benchmarks_lines(study, store, tmp_path):
    path = tmp_path / "out.jsonl"
    jsonl(
        path,
        {"subject_id": "a", "llm_output": ["影像所见：一"], "ground_truth": REPORT_ZH},
        {"subject_id": "b", "llm_output": ["  "], "ground_truth": "另一份报告"},
        {"subject_id": "c", "llm_output": ["一", "二"]},
        {"subject_id": "z", "llm_output": ["影像所见"]},
        {"subject_id": "a", "llm_output": ["又一份"]},
    )
    found = take(store, path)
    assert [(one.case_id, one.status) for one in found] == [
        ("a", DONE), ("b", EMPTY), ("c", FAILED), ("z", None), ("a", None),
    ]  # fmt: skip
    reasons = [one.reason for one in found]
    assert reasons[0] == ""
    assert reasons[1:] == [
        "The output is empty.", "The line has 2 outputs, and one is expected.", "The case 'z' is not in the store.",
        "The case has an output further up already.",
    ]  # fmt: skip
    assert [one.warning for one in found][:2] == [
        "", "The reference report in the file is not that of the store.",
    ]  # fmt: skip
    [stored] = store.generations("a")
    assert stored.generation.text == "影像所见：一"
    assert stored.detail == {"route": "import", "where": "out.jsonl line 1"}
    [run] = store.runs()
    assert (run.model, run.input_setting, run.parameters["route"]) == ("meddr", "fused", "import")


def test_again_changes_nothing_and_another_file_is_another_run(study, store, tmp_path):
    path = tmp_path / "out.jsonl"
    jsonl(path, {"subject_id": "a", "llm_output": ["一"]})
    assert [one.recorded for one in take(store, path)] == [Recorded.NEW]
    assert [one.recorded for one in take(store, path)] == [Recorded.UNCHANGED]
    jsonl(path, {"subject_id": "a", "llm_output": ["二"]})
    assert [one.recorded for one in take(store, path)] == [Recorded.NEW]
    assert len(store.runs()) == 2


@pytest.mark.parametrize("name", ["reports.csv", "reports.tsv"])
def test_a_table(study, store, tmp_path, name):
    mark = "\t" if name.endswith("tsv") else ","
    path = tmp_path / name
    save_text(path, f'case{mark}report{mark}more\na{mark}"FINDINGS: one,{mark}\ntwo"{mark}x\nb{mark}{mark}\n')
    found = take(store, path, language=Language.ENGLISH)
    assert [(one.case_id, one.status) for one in found] == [("a", DONE), ("b", EMPTY)]
    assert store.generations("a")[0].generation.text == f"FINDINGS: one,{mark}\ntwo"


def test_a_folder_of_texts_and_the_message_of_a_failed_request(study, store, tmp_path):
    folder = tmp_path / "texts"
    save_text(folder / "a.txt", REPORT_EN)
    save_text(folder / "b.txt", "Failed to obtain answer via API.")
    save_text(folder / "notes.md", "no output")
    (folder / "c.txt").write_bytes(b"\xff\xff\xff\x00\x01")
    found = {one.case_id: one for one in take(store, folder, language=Language.ENGLISH)}
    assert set(found) == {"a", "b", "c"}
    assert found["a"].status is DONE
    assert (found["b"].status, found["b"].reason) == (FAILED, "The output is the message of a failed request.")
    assert found["c"].status is not DONE
    [failed] = store.generations("b")
    assert failed.generation.text == ""


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [("x.csv", "a,b\n1,2\n", "lacks a column"), ("x.pdf", "x", "no file of outputs"), ("x.jsonl", "", "no outputs"),
     (None, "", "nothing at")],
    ids=["columns", "kind", "empty", "none"],
)  # fmt: skip
def test_what_holds_no_outputs(study, store, tmp_path, name, content, complaint):
    path = tmp_path / (name or "nowhere")
    if name:
        save_text(path, content)
    with pytest.raises(DatasetLayoutError, match=complaint):
        take(store, path)
    assert store.runs() == []


def test_an_unknown_setting(study, store, tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'fused'"):
        take(store, tmp_path, setting="fusde")


def test_the_command(tmp_path, study, store, settings, monkeypatch, capsys):
    store.close()
    monkeypatch.setenv("PET2REP_HOME", str(settings.home))
    path = tmp_path / "out.jsonl"
    jsonl(path, {"subject_id": "a", "llm_output": ["一"]}, {"subject_id": "q", "llm_output": ["二"]})
    words = ["import-outputs", str(path), "--model", "meddr", "--input", "separate"]
    assert main(words) == 1
    out, err = capsys.readouterr()
    assert out == "1 done, 1 left out.\n"
    assert err == "out.jsonl line 2: The case 'q' is not in the store.\n"
    assert main([*words, "--json"]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["case_id"], one["status"]) for one in lines] == [("a", "done"), ("q", None)]
    assert main(["import-outputs", str(path), "--model", "medr", "--input", "fused"]) == 2
    assert "Did you mean 'meddr'?" in capsys.readouterr().err
