"""The program's own sentences (errors, hints, findings, reasons, warnings) in the reader's language.

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
"""One file for each room, ``words.toml`` for words of the program that stand as a value in a sentence, and
``models.toml`` for what the rows of the catalog of models say."""

_VALUE = re.compile(r"\{(\d*)\}")
_END = re.compile(r"(?<=[.?!]) ")
_MOST = 8
"""Sentences after each other that are told apart; an error and its hint have four at most."""
_SURE = 12
"""Fixed letters from which a sentence is also recognised where it stands as a value in another one."""


@dataclass(frozen=True, slots=True)
class _Sentence:
    """The fixed words of an English sentence, between which values stand, and what is said instead."""

    parts: tuple[str, ...]
    said: str

    @property
    def fixed(self) -> int:
        """Letters beside the values."""
        return sum(map(len, self.parts))

    def values_in(self, said: str) -> list[str] | None:
        """Return the values of a sentence that has these fixed words, each as short as can be; None for another."""
        first, *rest = self.parts
        if not said.startswith(first):
            return None
        if not rest:
            return [] if said == first else None
        values, at = [], len(first)
        for part in rest[:-1]:
            found = said.find(part, at + 1)
            if found < 0:
                return None
            values.append(said[at:found])
            at = found + len(part)
        end = len(said) - len(rest[-1])
        return [*values, said[at:end]] if end > at and said.endswith(rest[-1]) else None

    def with_values(self, values: list[str]) -> str:
        """Return what is said instead, with the values in their places."""
        return _VALUE.sub(lambda place: values[int(place.group(1)) - 1], self.said)


def in_language(said: str, language: Language) -> str:
    """Return what the program says in a language: one sentence of its tables, or several after each other.

    A value that is itself a word or a sentence of the tables is said in the language too. English, and whatever is
    not in the tables, is returned as it is.
    """
    if language is Language.ENGLISH or not said:
        return said
    return _translated(said) or said


def _translated(said: str, least: int = 0) -> str | None:
    """Return the Chinese of a sentence, or of sentences that follow each other; None where one is unknown."""
    sentences, words = _read()
    if said in words:
        return words[said]
    # a long text of something else is told by its lack of fixed words, before anything is compared in full
    possible = [one for one in sentences if one.fixed >= least and all(part in said for part in one.parts)]
    starts = [0, *(end.end() for end in _END.finditer(said))][:_MOST] if possible else []
    stops = [*(start - 1 for start in starts[1:]), len(said)]
    rest: dict[int, str] = {len(said) + 1: ""}
    for start in reversed(starts):
        for stop in (stop for stop in stops if stop > start):
            if stop + 1 in rest and (first := _translated_one(said[start:stop], possible)) is not None:
                rest[start] = first + rest[stop + 1]
                break
    return rest.get(0)


def _translated_one(said: str, possible: list[_Sentence]) -> str | None:
    _, words = _read()
    if said in words:
        return words[said]
    found = [(one, values) for one in possible if (values := one.values_in(said)) is not None]
    if not found:
        return None
    # a sentence that runs over the end of another one is the right one only where there is no better
    one, values = next((pair for pair in found if not any(map(_END.search, pair[1]))), found[0])
    return one.with_values([words.get(value) or _translated(value, _SURE) or value for value in values])


def error_in_language(error: Pet2RepError, language: Language) -> tuple[str, str]:
    """Return what an error says, and what to do next, in a language."""
    return in_language(error.message, language), in_language(error.hint, language)


@cache
def known_words() -> frozenset[str]:
    """Return the English words of the tables that stand alone or as a value."""
    return frozenset(row["en"] for row in _rows("word"))


@cache
def known_sentences() -> frozenset[str]:
    """Return the English sentences of the tables, with ``{}`` for each value."""
    return frozenset(row["en"] for row in _rows("sentence"))


def _rows(kind: str) -> list[dict[str, str]]:
    tables = (tomllib.loads(path.read_text(encoding="utf-8")) for path in sorted(SENTENCES.glob("*.toml")))
    return [row for table in tables for row in table.get(kind, ())]


@cache
def _read() -> tuple[tuple[_Sentence, ...], dict[str, str]]:
    """Return the sentences and the words that stand as values in them.

    A sentence that begins with a fixed word comes before one that begins with a value, then the one with more of them.
    """
    found = [_sentence(row["en"], row["zh"]) for row in _rows("sentence")]
    words = {row["en"]: row["zh"] for row in _rows("word")}
    return tuple(sorted(found, key=lambda one: (not one.parts[0], -one.fixed))), words


def _sentence(english: str, chinese: str) -> _Sentence:
    numbers = count(1)
    said = _VALUE.sub(lambda place: f"{{{place.group(1) or next(numbers)}}}", chinese)
    return _Sentence(tuple(english.split("{}")), said)
