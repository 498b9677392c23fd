"""Reports as the reading desk gets them: cut into sentences and words that lead somewhere, nothing lost."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pet2rep_core.records import Language, text_sha256
from pet2rep_core.report.sentences import split_sentences
from pet2rep_core.ui.desk_json import guesses_of, report_json
from pet2rep_core.ui.plain import visible
from pet2rep_core.workflow.study_records import ShownText


@dataclass(frozen=True)
class Words:
    start: int
    end: int
    point: tuple[float, float, float] = (1.0, 2.0, 3.0)
    plane: str = "coronal"
    label: str = "Liver"


def shown(text: str) -> ShownText:
    return ShownText(text, text_sha256(text), split_sentences(text))


def test_words_lead_somewhere_inside_their_sentence() -> None:
    text = "The liver is normal. 肝右叶 shows a lesion."
    report = report_json(shown(text), Language.ENGLISH, (Words(4, 9), Words(21, 24)))
    first, gap, second = report["segments"]
    assert (first["sentence"], gap["sentence"], second["sentence"]) == (0, None, 1)
    assert [part["text"] for part in first["parts"]] == ["The ", "liver", " is normal."]
    assert first["parts"][1] == {"text": "liver", "point": "1.00,2.00,3.00", "plane": "coronal", "label": "Liver"}
    assert second["parts"][0]["text"] == "肝右叶"
    assert (second["start"], second["end"]) == (21, len(text))


def test_places_count_characters_and_not_what_scripts_count() -> None:
    text = "🩻 first. 🩻🩻 second."
    _, _, second = report_json(shown(text), Language.ENGLISH)["segments"]
    assert text[second["start"] : second["end"]] == "🩻🩻 second."


def test_hidden_marks_are_made_visible() -> None:
    [only] = report_json(shown("right \u202eto left"), Language.ENGLISH)["segments"]
    assert only["parts"] == [{"text": "right \u2039U+202E\u203ato left"}]


@given(st.text(max_size=80), st.integers(0, 80), st.integers(1, 20))
def test_the_parts_are_the_whole_text(text: str, start: int, length: int) -> None:
    places = (Words(start, min(start + length, len(text))),) if start < len(text) else ()
    segments = report_json(shown(text), Language.CHINESE, places)["segments"]
    assert "".join(part["text"] for one in segments for part in one["parts"]) == visible(text)
    assert [one["start"] for one in segments[1:]] == [one["end"] for one in segments[:-1]]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [({}, {}), ({"guesses": []}, {}), ({"guesses": {"": "x", "c": "y"}}, {"": "x", "c": "y"})],
)
def test_guesses(sent: dict[str, object], expected: dict[str, str]) -> None:
    assert guesses_of(sent) == expected
