"""``pet2rep study``: list, show and verify, as a person or a script runs them."""

import contextlib

import duckdb
import pytest

from pet2rep_core.cli.main import main
from pet2rep_core.records import StudyState
from pet2rep_core.settings import Settings
from pet2rep_core.store import open_store
from pet2rep_core.workflow.study_make import move_study
from tests.reader_study import RESEARCHER, a_protocol, add_reports, read_items, started_study
from tests.study_files import run_json


@pytest.fixture
def made(home):
    """A study of two readers, one of whom has read."""
    home.mkdir()
    with contextlib.closing(open_store(Settings(home=home, workers=1))) as store:
        add_reports(store, 3)
        study_id = started_study(store, a_protocol(3, training=0, readers=("R01", "R02"), staged=False))
        read_items(store, study_id, "R01")
        move_study(store, RESEARCHER, study_id, StudyState.LOCKED)
    return study_id


def test_without_a_study(home, capsys):
    assert main(["study", "list"]) == 0
    assert capsys.readouterr().out == "There is no reader study yet.\n"
    assert run_json(capsys, "study", "list") == (0, {"studies": []})
    assert run_json(capsys, "study", "verify") == (0, {"studies": 0, "ratings": 0, "problems": []})


def test_list_and_show(made, capsys):
    status, listed = run_json(capsys, "study", "list")
    [line] = listed["studies"]
    assert status == 0
    assert (line["study_id"], line["state"], line["done"], line["items"]) == (made, "locked", 9, 18)
    assert main(["study", "list"]) == 0
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["study", "state", "readers", "done", "made", "title"]
    assert row.split()[:4] == [made, "locked", "2", "9/18"]
    status, shown = run_json(capsys, "study", "show", made)
    assert (shown["study"], shown["state"], shown["protocol"]["readers"]) == (made, "locked", ["R01", "R02"])
    assert [(one["reader"], one["done"], one["total"]) for one in shown["readers"]] == [("R01", 9, 9), ("R02", 0, 9)]
    assert [one["action"] for one in shown["events"]] == ["create", "assign", "assign", "state", "state"]
    assert main(["study", "show", made]) == 0
    out = capsys.readouterr().out
    assert "3 cases, 3 runs, 0 for training, crossed," in out
    assert "collecting → locked" in out


def test_an_unknown_study(made, capsys):
    for action in ("show", "verify"):
        assert main(["study", action, "s-none"]) == 2
        assert "There is no study named 's-none'." in capsys.readouterr().err


def test_verify_finds_an_edit(home, made, capsys):
    status, report = run_json(capsys, "study", "verify")
    assert (status, report) == (0, {"studies": 1, "ratings": 9, "problems": []})
    assert main(["study", "verify", made]) == 0
    assert capsys.readouterr().out == "All is well: 1 studies with 9 ratings, every chain whole.\n"
    with contextlib.closing(duckdb.connect(str(home / "pet2rep.duckdb"))) as connection:
        connection.execute("DROP TRIGGER study_rating_no_update ON study_rating")
        connection.execute("UPDATE study_rating SET comment = 'praise'")
    status, report = run_json(capsys, "study", "verify")
    assert status == 1
    assert len([line for line in report["problems"] if "was changed after it was saved" in line]) == 9
    assert main(["study", "verify"]) == 1


def test_verify_says_what_had_to_be_brought_back(home, made, capsys):
    with contextlib.closing(duckdb.connect(str(home / "pet2rep.duckdb"))) as connection:
        connection.execute("DROP TRIGGER study_rating_no_delete ON study_rating")
        connection.execute("DELETE FROM study_rating")
    status, report = run_json(capsys, "study", "verify")
    assert status == 1
    assert "9 study ratings were missing in the database and came back from the journal." in report["problems"]
    assert run_json(capsys, "study", "verify")[0] == 0


def test_a_rating_that_is_gone_from_both_is_found_by_the_seal(home, made, capsys):
    journal = home / "pet2rep.journal.jsonl"
    lines = journal.read_text(encoding="utf-8").splitlines(keepends=True)
    place = max(number for number, line in enumerate(lines) if '"table":"study_rating"' in line)
    del lines[place]
    journal.write_text("".join(lines), encoding="utf-8")
    with contextlib.closing(duckdb.connect(str(home / "pet2rep.duckdb"))) as connection:
        connection.execute("DROP TRIGGER study_rating_no_delete ON study_rating")
        connection.execute("DELETE FROM study_rating WHERE created_at = (SELECT max(created_at) FROM study_rating)")
    status, report = run_json(capsys, "study", "verify")
    assert status == 1
    assert f"The ratings of the study {made} are not those that it was locked with." in report["problems"]
    assert any("chain is broken" in line for line in report["problems"])
