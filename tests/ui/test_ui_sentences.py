"""What the program says is said in Chinese too, with the same values."""

from __future__ import annotations

import re

import pytest

from pet2rep_core.datasets.layouts import LAYOUTS
from pet2rep_core.errors import UnknownNameError
from pet2rep_core.records import Language
from pet2rep_core.ui.sentences import error_in_language, in_language, known_sentences, known_words
from tests.program_sentences import program_reasons, program_sentences


def test_every_sentence_of_the_program_is_in_the_table() -> None:
    said = program_sentences()
    assert len(said) > 550  # the search itself works
    assert {sentence: where for sentence, where in said.items() if sentence not in known_sentences()} == {}


def test_the_table_has_no_sentence_that_nobody_says() -> None:
    assert known_sentences() - set(program_sentences()) == set()


def test_every_reason_of_the_program_is_among_the_words() -> None:
    reasons = program_reasons()
    assert len(reasons) > 30  # the search itself works
    assert {reason: where for reason, where in reasons.items() if reason not in known_words()} == {}


@pytest.mark.parametrize(
    "said",
    [
        "There is no liver reference yet: put a sphere of 30 mm into the right liver lobe and keep it.",  # a constant
        "Convert or copy the file again from its source.",  # a hint that many errors share
        "A localizer (scout) view, not an axial volume, although it says Modality CT.",  # returned
        "The answer is empty: the case has no reference report.",  # appended
        "The run {} already has a finished report for the case {}.",  # filled with str.format
        "No SUV: {}",  # followed by another sentence
        "missing of the six: {}",  # a reason with a value
    ],
)
def test_the_search_finds_what_is_not_given_to_an_error(said: str) -> None:
    assert said in program_sentences()


@pytest.mark.parametrize(
    "reason",
    [
        "empty generation",  # a constant
        "no SUVmax in either report",  # of a table
        "no SUVmax in the generated report",  # a choice
        "the package rouge refuses a text of full stops alone",  # returned in place of a number
        "no case is scored",  # returned by a function that is named after it
    ],
)
def test_the_search_finds_reasons(reason: str) -> None:
    assert reason in program_reasons()


def test_words_are_said_in_chinese() -> None:
    english = {word for word in known_words() if not re.search("[\u4e00-\u9fff]", in_language(word, Language.CHINESE))}
    assert english == {"ct", "pet"}  # abbreviations stay as they are


def test_every_layout_is_described_in_chinese() -> None:
    assert {layout.description for layout in LAYOUTS.values()} - known_words() == set()


def test_values_come_through() -> None:
    lost = {}
    for sentence in program_sentences():
        values = [f"«{n}»" for n in range(sentence.count("{}"))]
        said = in_language(_filled(sentence, values), Language.CHINESE)
        if not re.search("[\u4e00-\u9fff]", said) or sorted(re.findall("«[0-9]+»", said)) != values:
            lost[sentence] = said
    assert lost == {}


def _filled(sentence: str, values: list[str]) -> str:
    first, *rest = sentence.split("{}")
    return first + "".join(value + part for value, part in zip(values, rest, strict=True))


def test_an_error_of_an_unknown_name() -> None:
    error = UnknownNameError("case", "demo-7", ["demo-01"])
    assert error_in_language(error, Language.CHINESE) == ("没有名为 'demo-7' 的病例。", "您是指 'demo-01' 吗？")
    assert error_in_language(error, Language.ENGLISH) == (error.message, error.hint)


@pytest.mark.parametrize(
    ("said", "chinese"),
    [
        ("No SUV: The PET is not in SUV.", "没有 SUV：PET 的单位不是 SUV。"),
        ("template: empty generation", "模板：生成报告为空"),
        (
            "SeriesTime (0008,0031) is absent, so the scan start was computed from FrameReferenceTime (0054,1300).",
            "缺少 SeriesTime (0008,0031)，因此扫描开始时间由 FrameReferenceTime (0054,1300) 计算。",
        ),
        (
            "PET 'WB' is not used. 3 slices are missing between 0.0 and 12.0 mm.",
            "未采用 PET 'WB'。位置 0.0 至 12.0 mm 之间：缺少 3 层。",
        ),
        ("no increased uptake in either report", "两份报告均无摄取增高"),
    ],
)
def test_a_value_that_is_a_sentence_or_a_word_is_said_too(said: str, chinese: str) -> None:
    assert in_language(said, Language.CHINESE) == chinese


@pytest.mark.parametrize("message", ["IO Error: Table x is damaged.", "Catalog Error: it is absent."])
def test_what_a_library_says_is_not_taken_for_a_sentence_of_ours(message: str) -> None:
    assert in_language(f"The database could not be read: {message}", Language.CHINESE) == f"无法读取数据库：{message}"


def test_a_long_text_of_something_else_stays_as_it_is() -> None:
    # some hundred sentences, every one of which has fixed words of ours
    report = "The liver is normal. A nodule of 12 mm is not enlarged: it is absent in the PET. " * 120
    assert in_language(report, Language.CHINESE) == report


def test_an_unknown_sentence_stays_as_it_is() -> None:
    assert in_language("Nobody wrote this down: 7.", Language.CHINESE) == "Nobody wrote this down: 7."
