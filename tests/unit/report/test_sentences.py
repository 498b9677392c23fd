"""Sentences that a person can point at: every character in one of them, and cut where a reader would cut."""

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pet2rep_core.report.sentences import split_sentences
from tests.report_sets.labels import read_reports


def pieces(text):
    return [text[one.start : one.end] for one in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n ", []),
        ("No end", ["No end"]),
        ("Liver is normal. Spleen, too.", ["Liver is normal.", "Spleen, too."]),
        ("SUVmax 3.5 in the liver. Size 2.1 cm.", ["SUVmax 3.5 in the liver.", "Size 2.1 cm."]),
        ("1. Lungs: clear.\n2. Liver: normal.", ["1. Lungs: clear.", "2. Liver: normal."]),
        ("Nodes, e.g. hilar, are seen. Cf. the CT.", ["Nodes, e.g. hilar, are seen.", "Cf. the CT."]),
        ("In level 5. Then more.", ["In level 5.", "Then more."]),
        ("Normal? Yes! Stable; no change.", ["Normal?", "Yes!", "Stable;", "no change."]),
        (
            "影像所见：肝脏FDG摄取增高，SUVmax 3.5；脾脏正常。",
            ["影像所见：肝脏FDG摄取增高，SUVmax 3.5；", "脾脏正常。"],
        ),
        ("肝脏正常.脾脏正常.", ["肝脏正常.", "脾脏正常."]),
        ("（未见异常。）双肾正常。", ["（未见异常。）", "双肾正常。"]),
        ("影像诊断\n\n1、肝转移？\n", ["影像诊断", "1、肝转移？"]),
        ("\U0001f600 肝。脾", ["\U0001f600 肝。", "脾"]),
    ],
)
def test_cuts(text, expected):
    assert pieces(text) == expected


@example("a.b. c")
@given(st.text(alphabet="ab 1.。；;!?\n）(肝脾\U0001f600\u3000", max_size=60))
def test_nothing_is_lost_and_nothing_overlaps(text):
    spans = split_sentences(text)
    assert [one.number for one in spans] == list(range(len(spans)))
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert "".join("".join(pieces(text)).split()) == "".join(text.split())
    for one in spans:
        assert text[one.start : one.end] == text[one.start : one.end].strip() != ""


@pytest.mark.parametrize("name", ["reports_1.toml", "reports_2.toml", "reports_3.toml"])
def test_whole_reports_fall_into_sentences_of_a_readable_length(name):
    for row in read_reports(name):
        found = pieces(row.text)
        assert len(found) >= 2
        assert max(map(len, found)) <= 400
