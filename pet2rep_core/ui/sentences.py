"""The program's own sentences (errors, hints, findings) in the reader's language.

Rooms below the interface speak English. A sentence is recognised by its fixed words and said again with the same
values, from ``data/texts/sentences_zh/``; one that is not in those tables stays as it is.

A row's ``en`` is the sentence as the program says it, with ``{}`` for each value. In ``zh``, ``{1}``, ``{2}`` … are
the values in the order of the English sentence, and ``{}`` alone is the next one.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from itertools import count

from pet2rep_core.errors import Pet2RepError
from pet2rep_core.records import Language
from pet2rep_core.settings import DATA_DIR

SENTENCES = DATA_DIR / "texts" / "sentences_zh"
"""One file for each room, and ``words.toml`` for words of the program that stand as a value in a sentence."""

_VALUE = re.compile(r"\{(\d*)\}")
_END = re.compile(r"(?<=[.?!]) ")


@dataclass(frozen=True, slots=True)
class _Sentence:
    """One English sentence as a pattern, and what is said instead; ``fixed`` counts its letters beside the values."""

    pattern: re.Pattern[str]
    said: str
    fixed: int


def in_language(said: str, language: Language) -> str:
    """Return what the program says in a language: one sentence of its tables, or several after each other.

    English, and whatever is not in the tables, is returned as it is.
    """
    if language is Language.ENGLISH or not said:
        return said
    return _translated(said) or said


def _translated(said: str) -> str | None:
    """Return the Chinese of a sentence, or of sentences that follow each other; None where one is unknown."""
    sentences, words = _read()
    if said in words:
        return words[said]
    for end in _END.finditer(said):
        first, rest = _translated(said[: end.start()]), _translated(said[end.end() :])
        if first and rest:
            return first + rest
    for one in sentences:
        found = one.pattern.fullmatch(said)
        if found:
            values = [words.get(value, value) for value in found.groups()]
            return _VALUE.sub(lambda place, v=values: v[int(place.group(1)) - 1], one.said)  # type: ignore[misc]
    return None


def error_in_language(error: Pet2RepError, language: Language) -> tuple[str, str]:
    """Return what an error says, and what to do next, in a language."""
    return in_language(error.message, language), in_language(error.hint, language)


def known_sentences() -> frozenset[str]:
    """Return the English sentences of the tables, with ``{}`` for each value."""
    return frozenset(row["en"] for row in _rows("sentence"))


def _rows(kind: str) -> list[dict[str, str]]:
    tables = (tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(SENTENCES.glob("*.toml")))
    return [row for table in tables for row in table.get(kind, ())]


@cache
def _read() -> tuple[tuple[_Sentence, ...], dict[str, str]]:
    """Return the sentences, those with the most fixed words first, and the words that stand as values in them."""
    found = [_sentence(row["en"], row["zh"]) for row in _rows("sentence")]
    words = {row["en"]: row["zh"] for row in _rows("word")}
    return tuple(sorted(found, key=lambda one: -one.fixed)), words


def _sentence(english: str, chinese: str) -> _Sentence:
    parts = english.split("{}")
    pattern = re.compile("(.+?)".join(map(re.escape, parts)), re.DOTALL)
    numbers = count(1)
    said = _VALUE.sub(lambda place: f"{{{place.group(1) or next(numbers)}}}", chinese)
    return _Sentence(pattern, said, sum(map(len, parts)))
