"""Tables of ratings that people bring: encodings, separators, and what is wrong with them in one sentence."""

import pytest

from pet2rep_core.errors import DatasetLayoutError, ReportParseError
from pet2rep_core.study.read_ratings import parse_ratings, read_ratings

HEAD = "reader,item,patient,dimension,value\n"
GOOD = HEAD + "R1,a,p1,acc,4\nR2,a,p1,acc,5\nR1,b,p2,acc,\nR2,b,p2,acc,3\nR1,a,p1,com,1\n"


def test_a_plain_table():
    sheets = parse_ratings(GOOD.encode(), "r.csv")
    assert list(sheets) == ["acc", "com"]
    assert sheets["acc"].readers == ("R1", "R2")
    assert sheets["acc"].values.tolist() == [[4, 5], [0, 3]]
    assert (sheets["acc"].not_assessable, sheets["com"].not_assessable) == (1, 0)
    assert sheets["acc"].patient_count == 2


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_and_separators(tmp_path, encoding, separator):
    path = tmp_path / "评分.csv"
    path.write_bytes(GOOD.replace("R1", "张医生").replace("acc", "准确性").replace(",", separator).encode(encoding))
    sheets = read_ratings(path)
    assert list(sheets) == ["准确性", "com"]
    assert sheets["准确性"].readers == ("R2", "张医生")


def test_columns_in_any_order_with_others_beside_them_and_whole_numbers_as_tables_write_them():
    text = "Value,note,DIMENSION,patient,item,reader\r\n4.0,x,acc,p,a,R1\r\n 2 ,,acc,p,a,R2\r\n\r\n,,acc,p,b,R2\r\n"
    sheet = parse_ratings(text.encode(), "r.csv")["acc"]
    assert sheet.values.tolist() == [[4, 2]]
    assert sheet.items == ("a",)
    assert sheet.not_assessable == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "r.csv is empty."),
        (HEAD, "r.csv has no rating."),
        ("reader,item,dimension,value\n", "r.csv has no column 'patient'."),
        (HEAD + "R1,a,p,acc,6\n", "Line 2 of r.csv has the value '6'. Values are 1, 2, 3, 4 and 5"),
        (HEAD + "R1,a,p,acc,3.5\n", "Line 2 of r.csv has the value '3.5'."),
        (HEAD + "R1,a,p,acc,nan\n", "Line 2 of r.csv has the value 'nan'."),
        (HEAD + "R1,a,p,acc,inf\n", "Line 2 of r.csv has the value 'inf'."),
        (HEAD + "R1,a,p,acc,0\n", "Line 2 of r.csv has the value '0'."),
        (HEAD + "R1,a,p,acc,-1\n", "Line 2 of r.csv has the value '-1'."),
        (HEAD + "R1,a,p,acc,good\n", "Line 2 of r.csv has the value 'good'."),
        (HEAD + ",a,p,acc,3\n", "Line 2 of r.csv has no reader. Only the value may be empty."),
        (HEAD + "R1,a,,acc,3\n", "Line 2 of r.csv has no patient."),
        (HEAD + "R1,a,p,acc,3\n\nR1,a,p,acc,3\n", "Line 4 of r.csv has the reader, item and dimension of line 2"),
        (HEAD + "R1,a,p,acc,\nR1,a,p,acc,3\n", "Line 3 of r.csv has the reader, item and dimension of line 2 again."),
        (HEAD + "R1,a,p,acc,3\nR2,a,q,com,3\n", "Line 3 of r.csv gives an item to another patient than line 2."),
        (HEAD + "R1,a,p,acc,3,9\n", "Line 2 of r.csv has more cells than the heading."),
        (HEAD + 'R1,"a,p,acc,3\n', "r.csv has broken quoting in the record that begins in line 2."),
        (HEAD.replace("item", "reader"), "r.csv has two columns named 'reader'."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(text, words):
    with pytest.raises(DatasetLayoutError) as caught:
        parse_ratings(text.encode(), "r.csv")
    assert words in str(caught.value)
    assert caught.value.hint


def test_what_is_no_text(tmp_path):
    with pytest.raises(ReportParseError, match=r"^r\.csv: The text is not readable as UTF-8 or GB18030\."):
        parse_ratings(b"\x00\xff\xfe\x00\x81", "r.csv")
    with pytest.raises(ReportParseError, match=r"^none\.csv cannot be read: No such file"):
        read_ratings(tmp_path / "none.csv")
    with pytest.raises(ReportParseError, match="cannot be read: Is a directory"):
        read_ratings(tmp_path)


def test_patients_are_not_named_in_errors():
    with pytest.raises(DatasetLayoutError) as caught:
        parse_ratings((HEAD + "R1,a,WANG,acc,3\nR2,a,LI,acc,3\n").encode(), "r.csv")
    assert "WANG" not in str(caught.value)
    assert "LI" not in str(caught.value)
