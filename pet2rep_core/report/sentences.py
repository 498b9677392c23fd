"""Cut a text into sentences that a person can point at; every character that is not white belongs to one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_END = re.compile(r"[。；;！!？?]+[”’」』）)\]】\"']*|(?P<stop>\.)(?=\s|$)|(?<=[\u3400-\u9fff)）])\.(?!\d)|\n+")
_LAST_WORD = re.compile(r"[^\s(（]*$")
_GOES_ON = re.compile(r"(?:dr|mr|mrs|st|vs|cf|no|ca|e\.g|i\.e|fig|img|approx|\d{1,2}|[a-z])", re.IGNORECASE)
"""Words after which a full stop ends no sentence: abbreviations, and the number of a list at the start of a line."""


@dataclass(frozen=True, slots=True)
class SentenceSpan:
    """One sentence at [start, end) of its text, counted in characters (code points)."""

    number: int
    start: int
    end: int


def split_sentences(text: str) -> tuple[SentenceSpan, ...]:
    """Return the sentences in order, without the white space around them, numbered from 0."""
    spans: list[SentenceSpan] = []
    start = 0
    for end in _ends(text):
        part = text[start:end]
        if part.strip():
            left = start + len(part) - len(part.lstrip())
            spans.append(SentenceSpan(len(spans), left, start + len(part.rstrip())))
        start = end
    return tuple(spans)


def _ends(text: str) -> Iterator[int]:
    start = 0
    for found in _END.finditer(text):
        if found["stop"] and _goes_on(text[start : found.start()]):
            continue
        start = found.end()
        yield start
    yield len(text)


def _goes_on(before: str) -> bool:
    """Tell whether a full stop after these words belongs to an abbreviation or to the number of a list."""
    word = _LAST_WORD.search(before)
    if word is None or not _GOES_ON.fullmatch(word[0]):
        return False
    return not word[0].isdigit() or not before[: word.start()].strip()
