"""What the program says is said in Chinese too, with the same values."""

from __future__ import annotations

import re

import pytest

from pet2rep_core.errors import UnknownNameError
from pet2rep_core.records import Language
from pet2rep_core.ui.sentences import error_in_language, in_language, known_sentences
from tests.program_sentences import program_sentences


def test_every_sentence_of_the_program_is_in_the_table() -> None:
    said = program_sentences()
    assert len(said) > 400  # the search itself works
    assert {sentence: where for sentence, where in said.items() if sentence not in known_sentences()} == {}


def test_the_table_has_no_sentence_that_nobody_says() -> None:
    assert known_sentences() - set(program_sentences()) == set()


@pytest.mark.parametrize("sentence", sorted(program_sentences()))
def test_values_come_through(sentence: str) -> None:
    values = [f"«{n}»" for n in range(sentence.count("{}"))]
    said = in_language(_filled(sentence, values), Language.CHINESE)
    assert re.search("[\u4e00-\u9fff]", said)
    assert sorted(re.findall("«[0-9]+»", said)) == sorted(values)


def _filled(sentence: str, values: list[str]) -> str:
    first, *rest = sentence.split("{}")
    return first + "".join(value + part for value, part in zip(values, rest, strict=True))


def test_an_error_of_an_unknown_name() -> None:
    error = UnknownNameError("case", "demo-7", ["demo-01"])
    assert error_in_language(error, Language.CHINESE) == ("没有名为 'demo-7' 的病例。", "您是指 'demo-01' 吗？")
    assert error_in_language(error, Language.ENGLISH) == (error.message, error.hint)


def test_an_unknown_sentence_stays_as_it_is() -> None:
    assert in_language("Nobody wrote this down: 7.", Language.CHINESE) == "Nobody wrote this down: 7."
