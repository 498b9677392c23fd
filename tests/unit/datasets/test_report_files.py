"""Reports and tables as files: encodings, quoting, languages."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pet2rep_core.datasets.report_files import (
    build_report,
    decode_text,
    language_in_name,
    parse_language,
    read_table,
    read_text,
)
from pet2rep_core.datasets.tables import CaseTables, may_identify, plain, reports_beside
from pet2rep_core.errors import DatasetLayoutError, ReportParseError
from pet2rep_core.records import Language
from tests.layout_files import FINDINGS_EN, FINDINGS_ZH, IMPRESSION_ZH, REPORT_EN, REPORT_ZH, save_table, save_text

CHINESE = "影像所见：右肺上叶见一结节，FDG摄取增高，SUVmax 8.2。〇㎝㎎"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"], ids=["utf8", "utf8-mark", "utf16", "gb18030", "gbk"]
)
def test_chinese_is_read_in_every_encoding(encoding: str) -> None:
    text = CHINESE if encoding != "gbk" else CHINESE.replace("〇", "零")
    assert decode_text(text.encode(encoding)) == text


def test_big_endian_utf16_with_a_mark() -> None:
    assert decode_text(b"\xfe\xff" + CHINESE.encode("utf-16-be")) == CHINESE


def test_utf8_wins_where_both_decode() -> None:
    # The bytes of "增高" in UTF-8 are also valid GB18030 (three two-byte characters).
    data = "增高".encode()
    assert data.decode("gb18030") != "增高"
    assert decode_text(data) == "增高"


@given(st.text(st.characters(codec="gb18030", exclude_categories=("Cn", "Co", "Cs", "Cc"))))
def test_utf8_always_comes_back(text: str) -> None:
    text = text.removeprefix("\ufeff")
    assert decode_text(text.encode()) == text


@pytest.mark.parametrize(
    ("data", "tried"),
    [
        (b"\xff\xff\xff", "UTF-8 or GB18030"),
        ("影".encode("gb18030")[:1], "UTF-8 or GB18030"),
        (b"abc\x00def", "UTF-8 or GB18030"),
        (b"\xef\xbb\xbf\xff\xff", "UTF-8-SIG"),
        (b"\xff\xfe\x00", "UTF-16"),
        (b"PK\x03\x04\x14\x00\x06\x00", "UTF-8 or GB18030"),
    ],
)
def test_what_is_no_text_is_refused_with_the_encodings_tried(data: bytes, tried: str) -> None:
    with pytest.raises(ReportParseError, match=f"not readable as {tried}") as caught:
        decode_text(data)
    assert "UTF-8" in caught.value.hint


def test_message_names_the_file_and_not_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "r.txt"
    path.write_bytes(b"\xff\xff\xff")
    with pytest.raises(ReportParseError, match=r"^r\.txt: ") as caught:
        read_text(path)
    assert str(tmp_path) not in str(caught.value)
    with pytest.raises(ReportParseError, match=r"gone\.txt cannot be read"):
        read_text(tmp_path / "gone.txt")


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("zh", Language.CHINESE),
        (" EN ", Language.ENGLISH),
        ("zh_CN", Language.CHINESE),
        ("中文", Language.CHINESE),
        ("", None),
    ],
)
def test_language_codes(code: str, language: Language | None) -> None:
    assert parse_language(code) is language


def test_unknown_language() -> None:
    with pytest.raises(ReportParseError, match=r"'fr' is not a language of reports.*zh or en"):
        parse_language("fr")


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("report_zh", Language.CHINESE),
        ("report-en.csv", Language.ENGLISH),
        ("Report CN", Language.CHINESE),
        ("zh_en", None),
        ("report", None),
        ("generation", None),
    ],
)
def test_language_in_a_name(name: str, language: Language | None) -> None:
    assert language_in_name(name) is language


def test_report_of_whole_text_is_split() -> None:
    report = build_report(text=REPORT_ZH)
    assert report is not None
    assert (report.language, report.findings, report.impression) == (Language.CHINESE, FINDINGS_ZH, IMPRESSION_ZH)


def test_report_of_two_cells_keeps_them() -> None:
    report = build_report(findings=f" {FINDINGS_ZH} ", impression=IMPRESSION_ZH)
    assert report is not None
    assert report.text == f"{FINDINGS_ZH}\n{IMPRESSION_ZH}"
    assert (report.findings, report.impression) == (FINDINGS_ZH, IMPRESSION_ZH)


def test_headings_inside_cells_are_not_doubled() -> None:
    report = build_report(findings=f"影像所见：{FINDINGS_ZH}", impression=f"影像诊断：{IMPRESSION_ZH}")
    assert report is not None
    assert (report.text, report.findings, report.impression) == (REPORT_ZH, FINDINGS_ZH, IMPRESSION_ZH)
    whole_in_one_cell = build_report(findings=REPORT_ZH)
    assert whole_in_one_cell is not None
    assert (whole_in_one_cell.findings, whole_in_one_cell.impression) == (FINDINGS_ZH, IMPRESSION_ZH)


def test_impression_alone() -> None:
    report = build_report(impression=IMPRESSION_ZH)
    assert report is not None
    assert (report.findings, report.impression) == ("", IMPRESSION_ZH)


def test_blank_cells_are_no_report() -> None:
    assert build_report(text=" \n", findings="\t") is None


class TestReadTable:
    def test_quoted_line_breaks_and_line_numbers(self, tmp_path: Path) -> None:
        path = save_text(tmp_path / "t.csv", '\r\nid,text\r\na,"one\r\ntwo, ""three"""\r\n\r\nb,four\r\n')
        table = read_table(path)
        assert table.columns == ("id", "text")
        assert [(row.line, row.cells["id"], row.cells["text"]) for row in table.rows] == [
            (3, "a", 'one\r\ntwo, "three"'),
            (6, "b", "four"),
        ]

    def test_long_cells(self, tmp_path: Path) -> None:
        before = csv.field_size_limit()
        text = "长" * 200_000
        path = save_table(tmp_path / "t.csv", ["id", "text"], [["a", text]])
        assert read_table(path).rows[0].cells["text"] == text
        assert csv.field_size_limit() == before

    def test_short_and_long_lines(self, tmp_path: Path) -> None:
        first, second, third = read_table(save_text(tmp_path / "t.csv", "a,b\n1\n1,2,\n1,2,3\n")).rows
        assert first.cells == {"a": "1", "b": ""}
        assert (first.fault, second.fault) == ("", "")
        assert "3 cells for 2 columns" in third.fault

    @pytest.mark.parametrize(
        ("text", "words"),
        [("", "is empty"), (" \n\n", "is empty"), ('a,b\n1,"2\n', "line 2"), ("a,A\n", "two columns named 'a'")],
    )
    def test_refused(self, tmp_path: Path, text: str, words: str) -> None:
        with pytest.raises(DatasetLayoutError, match=words):
            read_table(save_text(tmp_path / "t.csv", text))


class TestCaseTables:
    @pytest.mark.parametrize(
        "columns",
        [
            ["Image ID", "report"],
            ["image_id", "Report Text"],
            ["编号", "报告"],
            ["patient_id", "report_en"],
            ["participant_id", "en_report"],
        ],
    )
    def test_synonyms_of_columns(self, tmp_path: Path, columns: list[str]) -> None:
        save_table(tmp_path / "reports.csv", columns, [["001", REPORT_EN]])
        tables = CaseTables().read_folder(tmp_path)
        reports, _, _ = tables.of(["sub-001"])
        assert [report.language for report in reports] == [Language.ENGLISH]
        assert not tables.close()

    @pytest.mark.parametrize(
        ("findings", "impression"),
        [
            ("影像所见", "影像诊断"),
            ("检查所见", "诊断意见"),
            ("Findings", "Impression"),
            ("findings_zh", "conclusion_zh"),
        ],
    )
    def test_synonyms_of_parts(self, tmp_path: Path, findings: str, impression: str) -> None:
        rows = [["1", FINDINGS_ZH, IMPRESSION_ZH]]
        save_table(tmp_path / "report.tsv", ["id", findings, impression], rows, separator="\t", encoding="gb18030")
        ((report,), _, _) = CaseTables().read_folder(tmp_path).of(["1"])
        assert (report.findings, report.impression) == (FINDINGS_ZH, IMPRESSION_ZH)

    def test_two_languages_in_one_table(self, tmp_path: Path) -> None:
        save_table(
            tmp_path / "reports.csv",
            ["id", "report_zh", "report_en"],
            [["1", REPORT_ZH, REPORT_EN], ["2", "", REPORT_EN]],
        )
        tables = CaseTables().read_folder(tmp_path)
        assert {report.language for report in tables.of(["1"])[0]} == set(Language)
        assert [report.language for report in tables.of(["2"])[0]] == [Language.ENGLISH]
        assert not tables.errors

    def test_column_of_languages(self, tmp_path: Path) -> None:
        save_table(tmp_path / "reports.csv", ["id", "language", "text"], [["1", "en", "FDG 5"], ["2", "xx", "FDG 5"]])
        tables = CaseTables().read_folder(tmp_path)
        assert tables.of(["1"])[0][0].language is Language.ENGLISH
        (error,) = tables.errors
        assert error.where == "reports.csv line 3"
        assert "'xx'" in error.reason

    def test_reports_without_a_case_are_counted(self, tmp_path: Path) -> None:
        save_table(tmp_path / "reports.csv", ["id", "report"], [["1", REPORT_EN], ["2", REPORT_EN]])
        tables = CaseTables().read_folder(tmp_path)
        tables.of(["1"])
        (error,) = tables.close()
        assert "'2'" in error.reason

    def test_workbooks_are_named(self, tmp_path: Path) -> None:
        (tmp_path / "reports.xlsx").write_bytes(b"PK")
        (error,) = CaseTables().read_folder(tmp_path).errors
        assert "Excel workbook. Save it as CSV" in error.reason

    def test_no_column_of_ids(self, tmp_path: Path) -> None:
        save_table(tmp_path / "metadata.csv", ["Age", "Sex"], [["1", "F"]])
        (error,) = CaseTables().read_folder(tmp_path).errors
        assert "no column of case ids; its columns are 'Age', 'Sex'" in error.reason

    def test_facts_never_identify(self, tmp_path: Path) -> None:
        columns = ["ID", "Name", "Birth Date", "Age", "MRN", "Weight (kg)"]
        save_table(tmp_path / "metadata.csv", columns, [["1", "X", "1970", "50", "77", "60"]])
        _, facts, _ = CaseTables().read_folder(tmp_path).of(["1"])
        assert facts == {"age": "50", "weight_kg": "60"}


@pytest.mark.parametrize(
    "column", ["Patient Name", "姓名", "birth_date", "MRN", "Study UID", "AccessionNumber", "住院号"]
)
def test_columns_that_may_identify(column: str) -> None:
    assert may_identify(column)


@pytest.mark.parametrize("column", ["age", "sex", "weight_kg", "stage", "疾病"])
def test_columns_that_do_not_identify(column: str) -> None:
    assert not may_identify(column)


def test_plain_names() -> None:
    assert plain("Image ID") == plain("image_id") == plain("image-id") == "imageid"


def test_text_files_beside_a_case(tmp_path: Path) -> None:
    save_text(tmp_path / "report_en.txt", REPORT_EN)
    save_text(tmp_path / "report_zh.txt", REPORT_ZH, encoding="gb18030")
    save_text(tmp_path / "report.txt", f"Findings: {FINDINGS_EN}")
    save_text(tmp_path / "report_2.txt", " ")
    names = sorted(path.name for path in tmp_path.iterdir())
    reports, problems = reports_beside(tmp_path, names)
    assert {report.language for report in reports} == set(Language)
    assert len(problems) == 2
    assert any("report_2.txt is empty" in problem for problem in problems)
