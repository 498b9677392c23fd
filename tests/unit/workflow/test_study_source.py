"""A study of the store as results and files: who may, blind until unblinded, and the same numbers everywhere."""

import csv
import io
import json

import pytest

from pet2rep_core.cli.main import main
from pet2rep_core.errors import PermissionDeniedError, StoreError, UnknownNameError
from pet2rep_core.records import Score, StudyState
from pet2rep_core.settings import read_settings
from pet2rep_core.store import open_store
from pet2rep_core.study.estimates import Plan
from pet2rep_core.study.leaks import leaks_version
from pet2rep_core.workflow.study_adjudicate import adjudicate, differences
from pet2rep_core.workflow.study_export import export_study
from pet2rep_core.workflow.study_frame import frame_of
from pet2rep_core.workflow.study_import import read_long
from pet2rep_core.workflow.study_make import move_study
from pet2rep_core.workflow.study_results import make_results
from pet2rep_core.workflow.study_source import find_study, read_source, source_version
from tests.reader_study import (
    ADMIN,
    MODELS,
    RESEARCHER,
    a_protocol,
    a_report,
    add_reports,
    click,
    person,
    started_study,
    whole_study,
)
from tests.study_files import run_json

PLAN = Plan(seed=1, resamples=50)
NAMES = (*MODELS, "r-model", "g-model", "fused")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PET2REP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PET2REP_WORKERS", "1")
    return tmp_path / "home"


def made(store, until):
    """Return a finished study with scores and one settled difference."""
    study_id = whole_study(store, cases=4)
    for place, model in enumerate(MODELS):
        store.record_scores(a_report(model, 1).generation_id, [Score("chrf", 0.9 - 0.3 * place, "chrf|v:1")], {})
    first = differences(store, RESEARCHER, study_id)[0]
    adjudicate(store, RESEARCHER, study_id, first.report, first.dimension, 3, "Read again.", event_id=click())
    if until is StudyState.UNBLINDED:
        move_study(store, RESEARCHER, study_id, StudyState.LOCKED)
        move_study(store, ADMIN, study_id, StudyState.UNBLINDED)
    return study_id


def test_only_researchers_read_results(store):
    study_id = started_study_with_reports(store)
    with pytest.raises(PermissionDeniedError, match="'researcher'"):
        read_source(store, person("R01"), study_id)
    with pytest.raises(UnknownNameError, match="There is no study named 'nothing'"):
        read_source(store, RESEARCHER, "nothing")


def started_study_with_reports(store):
    add_reports(store, 3)
    return started_study(store, a_protocol(3))


def test_a_study_is_found_by_name_and_by_a_title_of_its_own(store):
    study_id = started_study_with_reports(store)
    assert find_study(store, study_id) == find_study(store, "Three readers, coronal PET/CT") == study_id
    with pytest.raises(UnknownNameError):
        find_study(store, "another")
    started_study(store, a_protocol(3))
    with pytest.raises(UnknownNameError):
        find_study(store, "Three readers, coronal PET/CT")  # two have it


@pytest.mark.slow
def test_before_unblinding_nothing_names_a_model(home, tmp_path, capsys):
    store = open_store(read_settings())
    study_id = made(store, StudyState.COLLECTING)
    source = read_source(store, RESEARCHER, study_id)
    assert source.blind
    assert source.ratings.num_rows == 3 * (9 + 1) * 2 * 5  # nine reports and one for training, in two stages
    assert source.marks.num_rows > 0
    assert source.settled.num_rows == 1
    assert source.scores.num_rows == 3
    said = json.dumps(
        [one.to_pylist() for one in (source.ratings, source.marks, source.settled, source.scores)]
        + [dict(source.protocol)]
    )
    for name in NAMES:
        assert name not in said
    assert set(source.ratings["model"].to_pylist()) == set("ABC") >= set(source.settled["model"].to_pylist())
    assert set(source.scores["generation_id"].to_pylist()) <= set(source.ratings["generation_id"].to_pylist())
    before = source_version(store, study_id)
    store.record_scores(a_report(MODELS[0], 2).generation_id, [Score("chrf", 0.5, "chrf|v:1")], {})
    assert source_version(store, study_id) != before
    store.close()
    assert main(["export", "Three readers, coronal PET/CT", "--out", str(tmp_path / "out")]) == 0
    assert capsys.readouterr().err == "The study is collecting, not unblinded: models are letters.\n"
    for path in (tmp_path / "out").iterdir():
        text = path.read_text(encoding="utf-8-sig")
        for name in NAMES:
            assert name not in text, path.name
    manifest = json.loads((tmp_path / "out" / "manifest_csv.json").read_text(encoding="utf-8"))
    assert (manifest["blind"], manifest["protocol"]["runs"]) == (True, 3)
    assert (manifest["leaks_versions"], manifest["counts"]["giveaways"]) == ([leaks_version()], 3)
    methods = (tmp_path / "out" / "METHODS.md").read_text(encoding="utf-8")
    assert "; 3 of 9 reports had words or signs that tell something of their author (" in methods
    assert f"table of give-aways {leaks_version()}" in methods


@pytest.mark.slow
def test_the_exported_study_gives_the_numbers_of_the_store(home, tmp_path, capsys):
    store = open_store(read_settings())
    study_id = made(store, StudyState.UNBLINDED)
    source = read_source(store, RESEARCHER, study_id)
    results = make_results(source.frame, blind=False, plan=Plan())
    store.close()
    out = tmp_path / "out"
    for file_format in ("csv", "jsonl"):
        status, said = run_json(capsys, "export", study_id, "--out", out, "--format", file_format)
        assert status == 0
        assert said["files"][-1].endswith(f"manifest_{file_format}.json")
    rows = list(csv.DictReader(io.StringIO((out / "summary.csv").read_text(encoding="utf-8"), newline="")))
    assert {row["model"] for row in rows} == set(MODELS)
    for row in rows:
        arm = next(one for one in results.arms if one.model == row["model"])
        one = results.summaries[row["dimension"], arm.key]
        assert (int(row["n"]), float(row["mean"])) == (one.n, one.mean)
    agreement = csv.DictReader(io.StringIO((out / "agreement.csv").read_text(encoding="utf-8"), newline=""))
    for row in agreement:
        if row["readers"] == "all":
            one = results.agreement[row["dimension"]].statistics[row["statistic"]]
            assert [float(row[name]) if row[name] else None for name in ("value", "low")] == [one.value, one.low]
            assert row["reason"] == one.reason
    for file_format in ("csv", "jsonl"):
        again = read_long(out / f"ratings_long.{file_format}")
        assert again.equals(source.ratings)
        assert make_results(frame_of(again), blind=False, plan=PLAN) == make_results(
            source.frame, blind=False, plan=PLAN
        )
    assert main(["export", study_id, "--out", str(out), "--excel"]) == 0
    assert (out / "ratings_wide.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    capsys.readouterr()


def test_a_study_without_ratings_has_nothing_to_export(store, tmp_path):
    study_id = started_study_with_reports(store)
    with pytest.raises(StoreError, match="The study has no rating yet"):
        export_study(read_source(store, RESEARCHER, study_id), tmp_path, "csv")
