"""A report read once for every score that asks what it says, and a memo of such reports."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, cached_property

from pet2rep_core.errors import SettingsError
from pet2rep_core.records import POSITIVE_STATES, Language, UptakeState
from pet2rep_core.report.lexicon import LEXICON_FILE
from pet2rep_core.report.sections import SectionKind, find_sections
from pet2rep_core.report.uptake import OrganUptake, extract_findings_uptake, extract_uptake

EXTRACTOR = "rules-4"
"""Raised whenever the rules of :mod:`pet2rep_core.report` read a text otherwise: all that is made of them is new."""

KEPT_CHARACTERS = 2_000_000
"""Characters of text that the memo keeps read: about 2,000 Chinese reports."""

_SENTENCE_END = {
    Language.CHINESE: re.compile(r"[。；;！!\n]|(?<=[\u4e00-\u9fff])\.(?!\d)"),
    Language.ENGLISH: re.compile(r"[.;!](?=\s|$)|\n"),
}


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of a text that prove something, at [start, end) of it."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class StatedValue:
    """A number of an organ as a report states it: one SUVmax (g/mL), or one to three lengths (mm)."""

    values: tuple[float, ...]
    quote: Quote


class ReadText:
    """A report and what it says; each part is read at its first use.

    Parameters
    ----------
    text : str
        The whole report, as its author wrote it; every offset counts in it.
    language : Language
        Language of the rules that read it.
    """

    def __init__(self, text: str, language: Language) -> None:
        self.text = text
        self.language = language

    @cached_property
    def findings(self) -> dict[str, OrganUptake]:
        """What the findings state, by organ; a report without headings is all findings."""
        return {item.organ: item for item in extract_findings_uptake(self.text, self.language)}

    @property
    def cells(self) -> dict[str, OrganUptake]:
        """What the findings state, by organ, perhaps without sides and values: all that the organ table needs."""
        return self.findings if "findings" in self.__dict__ else self._cells

    @cached_property
    def _cells(self) -> dict[str, OrganUptake]:
        found = extract_findings_uptake(self.text, self.language, with_claims=False)
        return {item.organ: item for item in found}

    @cached_property
    def impression(self) -> dict[str, OrganUptake]:
        """What the impression states, by organ."""
        kept = ["\n"] * len(self.text)
        sections = [section for section in find_sections(self.text) if section.kind is SectionKind.IMPRESSION]
        if not sections:
            return {}
        for section in sections:
            kept[section.start : section.end] = self.text[section.start : section.end]
        found = extract_uptake("".join(kept), self.language)
        return {
            item.organ: replace(
                item, evidence=tuple(replace(one, text=self.text[one.start : one.end]) for one in item.evidence)
            )
            for item in found
        }

    @cached_property
    def suv_max(self) -> dict[str, tuple[StatedValue, ...]]:
        """Different SUVmax values of each organ, those of the findings first."""
        return self._values("suv")

    @cached_property
    def sizes(self) -> dict[str, tuple[StatedValue, ...]]:
        """Different sizes of each organ's lesions, longest length first, those of the findings first."""
        return self._values("size")

    @cached_property
    def sentences(self) -> tuple[tuple[int, int], ...]:
        """Where each sentence that is not blank begins and ends, without its end mark."""
        return tuple(_sentences(self.text, self.language))

    def states(self, organ: str) -> tuple[UptakeState, ...]:
        """Return what the findings state of an organ; empty where they leave it out."""
        item = self.findings.get(organ)
        return () if item is None else item.states

    def is_positive(self, organ: str) -> bool:
        """Tell whether findings or impression state a positive uptake of an organ."""
        return any(
            state in POSITIVE_STATES
            for part in (self.findings, self.impression)
            if organ in part
            for state in part[organ].states
        )

    def quote(self, start: int, end: int) -> Quote:
        """Return the words at [start, end)."""
        return Quote(start, end, self.text[start:end])

    def sentence_at(self, place: int) -> tuple[int, int]:
        """Return the sentence that holds a character, or (place, place) between sentences."""
        low, high = 0, len(self.sentences)
        while low < high:
            middle = (low + high) // 2
            start, end = self.sentences[middle]
            if place >= end:
                low = middle + 1
            elif place < start:
                high = middle
            else:
                return start, end
        return place, place

    def _values(self, kind: str) -> dict[str, tuple[StatedValue, ...]]:
        found: dict[str, dict[tuple[float, ...], StatedValue]] = {}
        for part in (self.findings, self.impression):
            for organ, item in part.items():
                of_organ = found.setdefault(organ, {})
                claims = (
                    [((claim.value,), claim.start, claim.end) for claim in item.suv_claims]
                    if kind == "suv"
                    else [(tuple(sorted(claim.mm, reverse=True)), claim.start, claim.end) for claim in item.size_claims]
                )
                for values, start, end in claims:
                    of_organ.setdefault(values, StatedValue(values, self.quote(start, end)))
        return {organ: tuple(values.values()) for organ, values in found.items() if values}


class ReadTexts:
    """The texts that were used last, read; as many as ``characters`` allows. Threads may share it."""

    def __init__(self, characters: int = KEPT_CHARACTERS) -> None:
        self._limit = characters
        self._held = 0
        self._texts: OrderedDict[tuple[str, str], ReadText] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, text: str, language: Language) -> ReadText:
        """Return the text, from the memo where it is there."""
        key = (language.value, text)
        with self._lock:
            known = self._texts.get(key)
            if known is not None:
                self._texts.move_to_end(key)
                return known
            made = ReadText(text, language)
            if len(text) <= self._limit // 4:
                self._texts[key] = made
                self._held += len(text)
                while self._held > self._limit:
                    (_, oldest), _ = self._texts.popitem(last=False)
                    self._held -= len(oldest)
            return made

    def forget(self) -> None:
        """Empty the memo."""
        with self._lock:
            self._texts.clear()
            self._held = 0


@cache
def read_texts() -> ReadTexts:
    """Return the memo that all scores of this process share."""
    return ReadTexts()


@cache
def lexicon_mark() -> str:
    """Return eight hexadecimal digits that change with every edit of the organ lexicon.

    Raises
    ------
    SettingsError
        If the lexicon cannot be read.
    """
    try:
        return hashlib.sha256(LEXICON_FILE.read_bytes()).hexdigest()[:8]
    except OSError as error:
        raise SettingsError(
            f"The organ lexicon {LEXICON_FILE.name} cannot be read: {error.strerror}.",
            hint="Restore the file that came with the program.",
        ) from error


def _sentences(text: str, language: Language) -> Iterator[tuple[int, int]]:
    at = 0
    for match in [*_SENTENCE_END[language].finditer(text), None]:
        start, end = at, len(text) if match is None else match.start()
        part = text[start:end]
        if part.strip():
            yield start + len(part) - len(part.lstrip()), start + len(part.rstrip())
        at = end if match is None else match.end()
