"""``pet2rep agreement``: figures of a table, from a file and from standard input."""

import io
import json
import sys

import pytest
from sklearn.metrics import cohen_kappa_score

from pet2rep_core.cli.main import main
from tests.study_files import run_json
from tests.unit.study.sheets import FULL

HEAD = "reader,item,patient,dimension,value\n"
STATISTICS = {
    "weighted_kappa", "icc_2_1", "icc_2_k", "icc_2_1_shared", "icc_2_k_shared", "krippendorff_alpha", "gwet_ac2",
    "gwet_ac2_ordinal", "exact", "within_one",
}  # fmt: skip


@pytest.fixture
def table(tmp_path):
    rows = [
        f"R{reader},i{item},p{item // 2},{dimension},{digit}"
        for dimension in ("acc", "准确")
        for item, digits in enumerate(FULL)
        for reader, digit in enumerate(digits)
    ]
    path = tmp_path / "ratings.csv"
    path.write_text(HEAD + "\n".join([*rows, "R9,i0,p0,flat,", "R0,i0,p0,flat,4", "R1,i0,p0,flat,4"]), encoding="utf-8")
    return path


def test_json_has_every_statistic_with_its_interval_or_the_reason(table, capsys):
    status, said = run_json(capsys, "agreement", table, "--seed", "3", "--resamples", "100")
    assert status == 0
    assert (said["seed"], said["resamples"], said["level"]) == (3, 100, 0.95)
    assert list(said["dimensions"]) == ["acc", "准确", "flat"]
    acc = said["dimensions"]["acc"]
    assert set(acc["statistics"]) == STATISTICS
    assert (acc["items"], acc["patients"], acc["ratings"], acc["not_assessable"]) == (40, 20, 160, 0)
    for one in acc["statistics"].values():
        assert one["low"] < one["value"] < one["high"]
        assert "reason" not in one
        assert "seed:3" in one["signature"]
    pair = acc["pairs"][0]
    first, second = ([int(row[at]) for row in FULL] for at in (0, 1))
    assert pair["readers"] == ["R0", "R1"]
    assert pair["weighted_kappa"]["value"] == pytest.approx(cohen_kappa_score(first, second, weights="quadratic"))
    flat = said["dimensions"]["flat"]
    assert flat["not_assessable"] == 1
    for one in flat["statistics"].values():
        assert one["value"] is one["low"] is None
        assert one["reason"] == "Only one item was rated by two readers."


def test_the_seed_fixes_the_intervals(table, capsys):
    one = run_json(capsys, "agreement", table, "--seed", "3", "--resamples", "50")
    assert run_json(capsys, "agreement", table, "--seed", "3", "--resamples", "50") == one
    other = run_json(capsys, "agreement", table, "--seed", "4", "--resamples", "50")
    assert other != one


def test_standard_input(table, capsys, monkeypatch):
    expected = run_json(capsys, "agreement", table, "--resamples", "20")[1]["dimensions"]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(table.read_bytes())))
    assert run_json(capsys, "agreement", "-", "--resamples", "20")[1]["dimensions"] == expected


def test_words_for_a_person(table, capsys):
    assert main(["agreement", str(table), "--resamples", "50"]) == 0
    out = capsys.readouterr().out
    assert "acc: 4 readers, 40 items (40 shared, 40 by all), 20 patients, 160 ratings, 0 not assessable" in out
    assert "Only one item was rated by two readers." in out
    assert "R0 / R1" in out
    assert out.endswith("Percentile bootstrap over patients, 50 resamples, seed 2026.\n")


def test_few_patients_are_a_caution(table, capsys):
    said = run_json(capsys, "agreement", table, "--resamples", "20")[1]["dimensions"]
    assert "caution" not in said["acc"]
    assert said["flat"]["caution"].startswith("There are fewer than 20 patients")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (HEAD + "R1,a,p,acc,9\n", "Line 2 of r.csv has the value '9'."),
        (HEAD + "R1,a,p,acc,3\nR1,a,p,acc,4\n", "Line 3 of r.csv has the reader, item and dimension of line 2 again."),
        ("a,b\n", "r.csv has no column 'reader'."),
    ],
)
def test_a_bad_table_is_one_sentence_and_nothing_else(tmp_path, capsys, text, complaint):
    path = tmp_path / "r.csv"
    path.write_text(text)
    assert main(["agreement", str(path), "--json"]) == 2
    out, err = capsys.readouterr()
    assert err.startswith(complaint)
    assert err.count("\n") == 1
    assert json.loads(out)["error"]["message"] == complaint
    assert main(["agreement", str(tmp_path / "none.csv")]) == 2
    assert capsys.readouterr().err.startswith("none.csv cannot be read: No such file")
