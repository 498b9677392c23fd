"""Leaderboards as files: what a program, a spreadsheet and LaTeX read."""

import csv
import hashlib
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pyarrow.parquet
import pytest

from pet2rep_core import __version__
from pet2rep_core.errors import StoreError, UnknownNameError
from pet2rep_core.workflow.leaderboard import BOARD_METRICS, OVERALL_OF
from pet2rep_core.workflow.leaderboard_export import (
    BOARD_FORMATS,
    MANIFEST,
    all_leaderboards,
    encode_leaderboards,
    export_leaderboard,
    leaderboard_files,
    zip_files,
)
from pet2rep_core.workflow.leaderboard_latex import escape_latex, latex_table
from pet2rep_core.workflow.leaderboard_table import METRICS_SCHEMA
from pet2rep_core.workflow.leaderboard_xlsx import inert_text
from pet2rep_core.workflow.score_book import read_score_book
from tests.leaderboard_study import CASES, EMPTY, add_cases, add_entry

GOLDEN = Path(__file__).parents[2] / "golden" / "leaderboard"
EVIL = '=HYPERLINK("http://x","y")'
MADE_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_NS = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


@pytest.fixture
def boards(store):
    add_cases(store)
    add_entry(store, "template", {"c1": 0.1, "c2": 0.2, "c3": 0.3, "c4": 0.4})
    add_entry(store, EVIL, {"c1": 0.05, "c2": None, "c3": 0.1, "c4": 0.2}, statuses={"c2": EMPTY}, setting="fused")
    add_entry(store, "better_100%", dict.fromkeys(CASES, 0.5), setting="separate")
    add_entry(store, "not scored", dict.fromkeys(CASES, None), scored=False)
    return all_leaderboards(read_score_book(store), resamples=200)


def sheets(data):
    """Return the cells of each sheet as (kind, text)."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        texts = [
            "".join(part.text or "" for part in item.iter(f"{{{_NS['x']}}}t"))
            for item in ElementTree.fromstring(archive.read("xl/sharedStrings.xml")).findall("x:si", _NS)
        ]
        names = [
            s.get("name") for s in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter(f"{{{_NS['x']}}}sheet")
        ]
        found = {}
        for number, name in enumerate(names, start=1):
            root = ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{number}.xml"))
            assert root.findall(".//x:f", _NS) == []  # no formula anywhere
            found[name] = [
                [(c.get("t"), texts[int(c.find("x:v", _NS).text)] if c.get("t") == "s" else c.find("x:v", _NS).text)
                 for c in row.findall("x:c", _NS) if c.find("x:v", _NS) is not None]
                for row in root.findall(".//x:row", _NS)
            ]  # fmt: skip
        return found


def test_headers_are_what_others_read():
    golden = (GOLDEN / "metrics_header.txt").read_text(encoding="utf-8").splitlines()
    assert METRICS_SCHEMA.names == golden


def test_latex_is_exactly_this(boards):
    lines = latex_table(boards[0]).splitlines()
    signatures = [f"% {name}: {boards[0].signatures[name]}" for name in (*OVERALL_OF, "overall")]
    assert lines[3:10] == signatures
    assert [*lines[:3], *lines[10:]] == (GOLDEN / "table.tex").read_text(encoding="utf-8").splitlines()


def test_every_format_has_every_model_and_metric(boards):
    rows = 4 * len(BOARD_METRICS)
    files = leaderboard_files(boards, made_at=MADE_AT)
    assert sorted(files) == sorted([*(f"leaderboard.{name}" for name in BOARD_FORMATS), MANIFEST])
    table = pyarrow.parquet.read_table(io.BytesIO(files["leaderboard.parquet"]))
    assert table.schema.equals(METRICS_SCHEMA)
    assert table.num_rows == rows
    lines = list(csv.DictReader(io.StringIO(files["leaderboard.csv"].decode("utf-8"))))
    assert len(lines) == rows
    said = json.loads(files["leaderboard.json"], parse_constant=pytest.fail)
    assert len(said["rows"]) == rows
    assert said["rows"] == table.to_pylist()
    for line, row in zip(lines, table.to_pylist(), strict=True):
        for name in ("value", "difference", "p_holm"):
            assert line[name] == "" if row[name] is None else float(line[name]) == row[name]
    assert sum(row["value"] is None for row in table.to_pylist()) == len(BOARD_METRICS)
    assert {row["reason"] != "" for row in table.to_pylist() if row["value"] is None} == {True}
    found = sheets(files["leaderboard.xlsx"])
    assert [len(cells) for cells in found.values()][:3] == [1 + 4, 1 + rows, 1 + 49]
    assert list(found) == ["Models", "Metrics", "Table 1 (published)", "About"]


def test_texts_cannot_run_in_a_spreadsheet_and_numbers_stay_numbers(boards):
    lines = list(csv.DictReader(io.StringIO(encode_leaderboards(boards, "csv").decode("utf-8"))))
    assert {line["model"] for line in lines} >= {"'" + EVIL}
    assert any(line["difference"].startswith("-") for line in lines)  # a negative number is no formula
    parquet = pyarrow.parquet.read_table(io.BytesIO(encode_leaderboards(boards, "parquet")))
    assert EVIL in parquet["model"].to_pylist()  # other formats run nothing
    cells = [cell for rows in sheets(encode_leaderboards(boards, "xlsx")).values() for row in rows for cell in row]
    assert ("s", "'" + EVIL) in cells
    assert not [text for kind, text in cells if kind == "s" and text.startswith(tuple("=+-@"))]
    assert any(kind in (None, "n") and text.startswith("-") for kind, text in cells)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("=1", "'=1"), ("+1", "'+1"), ("-a", "'-a"), ("@a", "'@a"), ("\t=1", "'\t=1"), ("\r=1", "'\r=1"),
     ("＝1", "'＝1"), ("a=1", "a=1"), ("", ""), ("Qwen2.5-VL", "Qwen2.5-VL")],
)  # fmt: skip
def test_inert_text(text, wanted):
    assert inert_text(text) == wanted


def test_the_manifest_says_how_and_hashes_every_file(boards):
    files = leaderboard_files(boards, made_at=MADE_AT)
    manifest = json.loads(files[MANIFEST])
    assert manifest["made_at"] == "2026-01-02T03:04:05+00:00"
    assert (manifest["version"], manifest["resamples"]) == (__version__, 200)
    assert manifest["seed"] == boards[0].seed
    assert manifest["rows"] == 4 * len(BOARD_METRICS)
    assert manifest["score_rows"] == 12 * 10
    assert len(manifest["score_rows_sha256"]) == 64
    [one] = manifest["leaderboards"]
    assert one["signatures"] == {name: boards[0].signatures[name] for name in BOARD_METRICS}
    assert (one["models"], one["cases"], one["template"]) == (4, 4, "template")
    assert {n: f["sha256"] for n, f in manifest["files"].items()} == {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items() if name != MANIFEST
    }


def test_the_same_numbers_give_the_same_bytes(boards):
    assert leaderboard_files(boards, made_at=MADE_AT) == leaderboard_files(boards, made_at=MADE_AT)
    files = leaderboard_files(boards, made_at=MADE_AT)
    assert zip_files(files) == zip_files(files)
    with zipfile.ZipFile(io.BytesIO(zip_files(files))) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files


def test_files_in_a_folder(store, boards, tmp_path):
    written = export_leaderboard(store, tmp_path / "out")
    assert [path.name for path in written] == [*(f"leaderboard.{name}" for name in BOARD_FORMATS), MANIFEST]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(path.name for path in written)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"leaderboard\.csv cannot be written"):
        export_leaderboard(store, tmp_path / "file")
    with pytest.raises(UnknownNameError, match=r"no format named 'xls'.*Did you mean 'xlsx'"):
        encode_leaderboards(boards, "xls")


def test_nothing_is_written_where_nothing_is_scored(store, tmp_path):
    assert export_leaderboard(store, tmp_path / "out") == []
    assert not (tmp_path / "out").exists()


def test_latex_prints_letters():
    assert escape_latex("[a]_b & 50% #1 {x} ~^\\\nend") == (
        r"{[}a]\_b \& 50\% \#1 \{x\} \textasciitilde{}\textasciicircum{}\textbackslash{} end"
    )
