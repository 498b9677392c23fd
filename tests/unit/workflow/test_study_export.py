"""A study as files: what a program, a spreadsheet and LaTeX read, and the long table read again."""

import csv
import hashlib
import io
import json
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pet2rep_core.errors import DatasetLayoutError, ReportParseError, StoreError, UnknownNameError
from pet2rep_core.records import Language
from pet2rep_core.study.agreement import measure_agreement
from pet2rep_core.study.estimates import Plan
from pet2rep_core.study.read_ratings import parse_ratings
from pet2rep_core.workflow.study_cells import inert_cell, restored_cell
from pet2rep_core.workflow.study_export import (
    LONG,
    METHODS,
    STUDY_FORMATS,
    encode,
    export_study,
    manifest_name,
    study_files,
    study_tables,
)
from pet2rep_core.workflow.study_frame import frame_of
from pet2rep_core.workflow.study_import import read_long
from pet2rep_core.workflow.study_methods import methods_text
from pet2rep_core.workflow.study_results import agreement_of
from tests.rated_study import rated_table
from tests.unit.workflow.study_sources import PROTOCOL, source_of

GOLDEN = Path(__file__).parents[2] / "golden" / "study"
PLAN = Plan(seed=5, resamples=60)
EVIL = (
    '=HYPERLINK("http://x","y")',
    "+1",
    "-1",
    "@SUM(A1)",
    "\tx",
    "\rx",
    "'=1",
    "''=1",
    "＝1",
    'it\'s, "so"\r\nand 好',
)
MADE_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_NS = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def hostile():
    """Return ratings whose comments and readers a spreadsheet would run."""
    table = rated_table(patients=4, readers=("R1", "=R2"), dimensions=("acc", "ove"))
    comments = [EVIL[at % len(EVIL)] for at in range(table.num_rows)]
    return table.set_column(table.schema.get_field_index("comment"), "comment", pa.array(comments, pa.string()))


@pytest.fixture(scope="module")
def made():
    return study_tables(source_of(hostile(), title="=1+1"), plan=PLAN)


@pytest.mark.parametrize("text", EVIL)
def test_cells_are_neutralised_and_come_back(text):
    safe = inert_cell(text)
    assert not safe.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))
    assert restored_cell(safe) == text


@given(st.text("=+-@'\t\ra ", max_size=6))
def test_neutralising_can_always_be_taken_back(text):
    assert restored_cell(inert_cell(text)) == text


@pytest.mark.parametrize("mark", [False, True])
@pytest.mark.parametrize("file_format", ["csv", "jsonl", "parquet"])
def test_the_long_table_read_again_is_the_same(made, tmp_path, file_format, mark):
    path = tmp_path / f"{LONG}.{file_format}"
    path.write_bytes(study_files(made, file_format, mark=mark)[path.name])
    again = read_long(path)
    assert again.equals(made.source.ratings)
    assert agreement_of(frame_of(again), "acc", PLAN) == agreement_of(frame_of(made.source.ratings), "acc", PLAN)


def test_the_long_table_as_excel_saves_it_is_the_same(made, tmp_path):
    """Excel of a Chinese system: GB18030, no quotes that are not needed, lines of CR LF, whole numbers with a point."""
    rows = list(csv.reader(io.StringIO(encode(made.source.ratings, "csv").decode(), newline="")))
    value = rows[0].index("value")
    for row in rows[1:]:
        row[value] += ".0" if row[value] else ""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    path = tmp_path / "saved.csv"
    path.write_bytes(text.getvalue().encode("gb18030"))
    assert read_long(path).equals(made.source.ratings)


def test_csv_has_no_cell_that_a_spreadsheet_runs_and_numbers_stay_numbers(made):
    files = study_files(made, "csv", mark=True)
    for name, data in files.items():
        if not name.endswith(".csv"):
            continue
        assert data.startswith(b"\xef\xbb\xbf")
        rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
        for row in rows:
            for cell in row:
                number = re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", cell)
                assert number or not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert not study_files(made, "csv")["summary.csv"].startswith(b"\xef\xbb\xbf")
    numbers = [
        row["value"] for row in csv.DictReader(io.StringIO(files["readers.csv"].decode("utf-8-sig"), newline=""))
    ]
    assert any(float(number) < 0 for number in numbers if number)  # a negative number is no formula


def test_a_workbook_has_numbers_as_numbers_and_no_formula(made):
    data = study_files(made, "xlsx")["study.xlsx"]
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = [
            s.get("name") for s in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter(f"{{{_NS['x']}}}sheet")
        ]
        assert names == ["about", *made.tables]
        for number in range(1, len(names) + 1):
            root = ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{number}.xml"))
            assert root.findall(".//x:f", _NS) == []
        summary = ElementTree.fromstring(archive.read(f"xl/worksheets/sheet{names.index('summary') + 1}.xml"))
        mean = summary.find(".//x:row[@r='2']/x:c[@r='G2']", _NS)
        assert mean.get("t") is None  # a number
        assert float(mean.find("x:v", _NS).text) == pytest.approx(made.tables["summary"]["mean"][0].as_py())
        texts = "".join(ElementTree.fromstring(archive.read("xl/sharedStrings.xml")).itertext())
        assert "'=R2" in texts
    assert study_files(made, "xlsx")["study.xlsx"] == data


def test_wide_and_by_reader_have_the_values_of_the_long_table(made):
    long = {
        (row["item"], row["stage"], row["dimension"]): row for row in made.source.ratings.to_pylist()
    }  # fmt: skip
    wide = made.tables["ratings_wide"].to_pylist()
    assert len(wide) * 2 == len(long)
    for row in wide:
        for dimension in ("acc", "ove"):
            one = long[row["item"], row["stage"], dimension]
            assert (row[dimension], row[f"{dimension}_comment"]) == (one["value"], one["comment"])
            assert row[f"{dimension}_reason"] == one["reason"]
    by_reader = made.tables["ratings_by_reader"]
    assert by_reader.schema.names[-2:] == ["reader_=R2", "reader_R1"]
    assert by_reader.num_rows == 12 * 2


def test_headers_are_what_others_read(made):
    golden = (GOLDEN / "headers.txt").read_text(encoding="utf-8").splitlines()
    assert [f"{name}: {' '.join(table.schema.names)}" for name, table in made.tables.items()] == golden


def test_the_agreement_input_gives_the_figures_of_the_study(made):
    sheets = parse_ratings(study_files(made, "csv")["agreement_input.csv"], "agreement_input.csv")
    for dimension, sheet in sheets.items():
        found = measure_agreement(sheet, PLAN).statistics
        expected = made.results.agreement[dimension].statistics
        assert {name: one.value for name, one in found.items()} == {name: one.value for name, one in expected.items()}
        assert {name: one.low for name, one in found.items()} == {name: one.low for name, one in expected.items()}


@pytest.mark.parametrize("file_format", STUDY_FORMATS)
def test_the_manifest_names_every_file_with_its_hash(made, file_format):
    files = study_files(made, file_format, made_at=MADE_AT)
    manifest = json.loads(files.pop(manifest_name(file_format)))
    assert {name: one["sha256"] for name, one in manifest["files"].items()} == {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items()
    }
    assert METHODS in files
    assert manifest["made_at"] == "2026-01-02T03:04:05+00:00"
    assert (manifest["seed"], manifest["resamples"]) == (5, 60)
    assert manifest["rows"] == {name: table.num_rows for name, table in made.tables.items()}
    assert manifest["rubric"]["dimensions"][0]["anchors"]["5"]["zh"] == "与图像及参考报告相比无错误。"
    assert manifest["protocol"] == PROTOCOL
    assert set(manifest["libraries"]) == {"numpy", "pandas", "pyarrow", "duckdb"}


def test_the_same_ratings_give_the_same_files(made):
    again = study_tables(source_of(hostile(), title="=1+1"), plan=PLAN)
    for file_format in STUDY_FORMATS:
        assert study_files(made, file_format, made_at=MADE_AT) == study_files(again, file_format, made_at=MADE_AT)


def test_json_lines_are_plain_json(made):
    rows = [json.loads(line) for line in study_files(made, "jsonl")["summary.jsonl"].decode().splitlines()]
    assert rows == made.tables["summary"].to_pylist()
    assert json.loads(study_files(made, "jsonl")[f"{LONG}.jsonl"].splitlines()[0])["comment"] == EVIL[0]


def test_parquet_keeps_types(made):
    table = pyarrow.parquet.read_table(io.BytesIO(study_files(made, "parquet")["agreement.parquet"]))
    assert table.schema.equals(made.tables["agreement"].schema)


def test_latex_is_whole(made):
    text = study_files(made, "latex")["tables.tex"].decode()
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 4
    assert text.count(r"\toprule") == text.count(r"\bottomrule") == 4
    columns = None
    for line in text.splitlines():
        if line.startswith(r"\begin{tabular}"):
            columns = len(line.removeprefix(r"\begin{tabular}").strip("{}"))
        elif line.endswith(r"\\"):
            assert len(re.findall(r"(?<!\\)&", line)) == columns - 1, line
    assert "nan" not in text.casefold().replace("fusednan", "")


def test_methods_say_the_numbers_of_the_study():
    made = study_tables(source_of(), plan=PLAN)
    english = methods_text(made.results, PROTOCOL, Language.ENGLISH)
    chinese = methods_text(made.results, PROTOCOL, Language.CHINESE)
    assert english.startswith("3 readers rated 36 generated reports of 12 patients, written by 3 model configurations")
    assert chinese.startswith("3 名阅片者对 12 例患者的 36 份生成报告进行评分")
    low = min(one.statistics["icc_2_k"].value for one in made.results.agreement.values())
    high = max(one.statistics["icc_2_k"].value for one in made.results.agreement.values())
    assert f"ICC(2,k) {low:.2f} to {high:.2f}" in english
    assert f"ICC(2,k) 为 {low:.2f}–{high:.2f}" in chinese
    for said in (english, chinese):
        for number in (
            "2026.1",
            "10000",
            "(60 " if said is english else "60 次",
            str(made.results.counts.not_assessable),
        ):
            assert number in said
        assert "{" not in said
        assert "None" not in said


def test_methods_of_a_study_without_stages_repeats_and_other_models():
    made = study_tables(source_of(rated_table(arms=[("m", "fused")], staged=False, repeats=0)), plan=PLAN)
    english = methods_text(made.results, {"design": "blocks", "per_item": 2}, Language.ENGLISH)
    assert "balanced incomplete blocks, 2 readers a report" in english
    for word in ("repeat", "images alone", "Holm", "seed 17"):
        assert word not in english


def test_a_blind_study_names_no_model_in_any_file():
    source = source_of(blind=True)
    for file_format in STUDY_FORMATS:
        for name, data in study_files(study_tables(source, plan=PLAN), file_format).items():
            if name.endswith((".xlsx", ".parquet")):
                continue  # compressed; made of the same tables
            for word in (b"alpha-7B", b"beta", b"separate", b"run-"):
                assert word not in data.replace(b"alpha|", b"|"), (name, word)


def test_writing(tmp_path):
    source = source_of(rated_table(patients=3, dimensions=("acc",)))
    paths = export_study(source, tmp_path / "out", "csv", plan=PLAN)
    assert paths[-1].name == "manifest_csv.json"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(path.name for path in paths)
    with pytest.raises(UnknownNameError, match="There is no format named 'xls'"):
        export_study(source, tmp_path, "xls")
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be written"):
        export_study(source, tmp_path / "file", "jsonl", plan=PLAN)
    with pytest.raises(StoreError, match="The study has no rating yet"):
        export_study(source_of(rated_table().slice(0, 0)), tmp_path, "csv")


@pytest.mark.parametrize(
    ("name", "data", "error", "words"),
    [
        ("a.xls", b"", UnknownNameError, "There is no format named 'xls'"),
        ("a.csv", b"study,item\n1\n", DatasetLayoutError, "a.csv is no long table of ratings."),
        ("a.csv", b"study,item\nx,y\n", DatasetLayoutError, "The ratings have no column 'kind'"),
        ("a.csv", b"", DatasetLayoutError, "a.csv is no long table"),
        ("a.jsonl", b"{", DatasetLayoutError, "a.jsonl is no long table"),
        ("a.jsonl", b"\xff\xfe{}", DatasetLayoutError, "a.jsonl is no long table"),
        ("a.parquet", b"PAR1", DatasetLayoutError, "a.parquet is no long table"),
        ("none.csv", None, ReportParseError, "none.csv cannot be read: No such file"),
    ],
)  # fmt: skip
def test_files_that_are_no_long_table(tmp_path, name, data, error, words):
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(error, match=words.replace(".", r"\.")):
        read_long(path)


def test_a_value_off_the_scale_is_refused_when_read_again(made, tmp_path):
    path = tmp_path / "a.jsonl"
    rows = [{**row, "value": 6} for row in made.source.ratings.to_pylist()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(DatasetLayoutError, match="A rating has the value 6"):
        read_long(path)
