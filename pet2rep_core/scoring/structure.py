"""Whether a generated report keeps to its template: headings and their order, slots left over, sentences copied."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from pet2rep_core.records import Language
from pet2rep_core.report.sections import SectionKind, find_sections
from pet2rep_core.report.slots import find_slots, strip_slots
from pet2rep_core.scoring.read_text import Quote, ReadText

LEAST_SENTENCE = {Language.CHINESE: 6, Language.ENGLISH: 12}
"""Shorter sentences (in letters, without white space) say nothing about copying."""

_MARKDOWN = r"[ \t\u3000*#>_【\[\-]*(?:\d+[.、)][ \t]*)?[*_]*"
_HEADING = re.compile(
    rf"(?:^|(?<=[。；;.\n]))[ \t\u3000]*{_MARKDOWN}"
    r"(?P<label>[\u4e00-\u9fffA-Za-z][\u4e00-\u9fffA-Za-z /&\-]{0,39}?)[*_】\]]*[ \t]*[:：]",
    re.MULTILINE,
)
_KEY = re.compile(r"[\s\[\]【】*#_`]+")
_EMPTY = re.compile(r"\[[\s\u3000_]*\]|【[\s\u3000_]*】|_{3,}|[（(][\s\u3000_]{2,}[）)]")
_BRACKETED = re.compile(r"\[([^\[\]【】\n]{1,400})\]|【([^\[\]【】\n]{1,400})】")
_NOT_A_SLOT = re.compile(r"\s*(?:\d{1,3}(?:m|[A-Z][a-z]?)?(?:[-,–]\d{1,3})*|\d{1,3}[A-Z][a-z]?-?[A-Za-z\d]*|[x ✓√])\s*")
_STATE = r"(?:增高|升高|减低|降低|缺失|缺损|正常|异常|未见异常|increased|decreased|absent|normal)"
_CHOICE = re.compile(rf"{_STATE}(?:\s*[/|]\s*{_STATE})+", re.IGNORECASE)
_INSTRUCTION = re.compile(
    r"请(?:填|选|描述|补充|在此|根据)|待填|待补|填写|X{2,}|x{3,}"
    r"|\b(?:please (?:fill|choose|select|describe|specify|insert)|fill in|to be completed)\b"
    r"|<[A-Za-z_ ]{3,30}>|\{[A-Za-z_ ]{3,30}\}"
)


class SlotKind(StrEnum):
    """How a slot was left over."""

    EMPTY = "empty"
    CHOICE = "choice"
    INSTRUCTION = "instruction"
    BRACKETS = "brackets"


@dataclass(frozen=True, slots=True)
class SlotLeft:
    """A place of the template that the report should have filled and did not, or kept in its brackets."""

    kind: SlotKind
    quote: Quote


@dataclass(frozen=True, slots=True)
class HeadingCheck:
    """One heading of the template: where the report has it (None: nowhere), and whether it keeps its order."""

    heading: str
    found: Quote | None
    in_order: bool


@dataclass(frozen=True, slots=True)
class StructureCheck:
    """Headings and slots of one report. ``share`` is that of the template's headings found in order, or None."""

    headings: tuple[HeadingCheck, ...]
    slots: tuple[SlotLeft, ...]

    @property
    def share(self) -> float | None:
        """Share of the template's headings that stand in the report in the template's order."""
        return sum(one.in_order for one in self.headings) / len(self.headings) if self.headings else None


@dataclass(frozen=True, slots=True)
class CopyCheck:
    """The sentences of a report that stand letter by letter in the template or in the prompt."""

    copied: tuple[Quote, ...]
    copied_letters: int
    letters: int

    @property
    def share(self) -> float | None:
        """Share of the report's letters that are in such sentences; None where it has no sentence."""
        return self.copied_letters / self.letters if self.letters else None


def check_structure(text: ReadText, template: str) -> StructureCheck:
    """Return how a report follows the headings of its template, and the slots that were left over.

    A heading is a label before a colon at the start of a line or sentence. Findings and impression are found by any
    of their usual names. Of headings that change places, as few as possible are out of order.

    A slot is left over where brackets hold nothing, an instruction, a choice of states or still the text that should
    stand without them. ``[18F]``, ``[1]`` and headings in brackets (【影像诊断】) are none.

    Examples
    --------
    ==========================  ===========
    脑：FDG代谢【】。            empty
    FDG代谢【增高/减低/正常】。   choice
    FDG代谢[请填写]。            instruction
    FDG代谢【增高】。            brackets
    静脉注射[18F]FDG后显像。     (none)
    ==========================  ===========
    """
    return StructureCheck(_check_headings(text, template), tuple(_slots_left(text)))


def find_copies(text: ReadText, template: str, task: str = "") -> CopyCheck:
    """Return which sentences of a report are sentences of the template or of the prompt, letter by letter.

    White space, slot brackets, Markdown, capitals and a heading before the sentence do not count. Sentences under
    :data:`LEAST_SENTENCE` letters are passed over, as are headings alone. A copied sentence may be right: the share
    says how much was rewritten, and is to be read beside the reference's own.
    """
    known = _sentence_keys(strip_slots(template), text.language) | _sentence_keys(task, text.language)
    copied, letters, of_copied = [], 0, 0
    for start, end in text.sentences:
        key = _sentence_key(text.text[start:end])
        if len(key) < LEAST_SENTENCE[text.language]:
            continue
        letters += len(key)
        if key in known:
            of_copied += len(key)
            copied.append(text.quote(start, end))
    return CopyCheck(tuple(copied), of_copied, letters)


def _sentence_key(sentence: str) -> str:
    heading = _HEADING.match(sentence)
    return _key(sentence if heading is None else sentence[heading.end() :])


def _key(sentence: str) -> str:
    return _KEY.sub("", sentence).casefold()


@lru_cache(maxsize=64)
def _sentence_keys(text: str, language: Language) -> frozenset[str]:
    read = ReadText(text, language)
    return frozenset(_sentence_key(text[start:end]) for start, end in read.sentences)


def _headings(text: str) -> list[tuple[str, int, int]]:
    return [(_canonical(match["label"]), *match.span("label")) for match in _HEADING.finditer(text)]


@lru_cache(maxsize=1024)
def _canonical(label: str) -> str:
    """Return one name for all headings of findings, one for all of the impression, else the label itself."""
    found = find_sections(f"{label}：x")
    if found and found[0].start >= len(label):
        return "impression" if found[0].kind is SectionKind.IMPRESSION else "findings"
    return _key(label)


@lru_cache(maxsize=64)
def _template_headings(template: str) -> tuple[tuple[str, str], ...]:
    plain = "".join(_outside_slots(template))
    first: dict[str, str] = {}
    for name, start, end in _headings(plain):
        first.setdefault(name, plain[start:end])
    return tuple(first.items())


def _outside_slots(template: str) -> Iterator[str]:
    at = 0
    for slot in find_slots(template):
        yield template[at : slot.start]
        at = slot.end
    yield template[at:]


def _check_headings(text: ReadText, template: str) -> tuple[HeadingCheck, ...]:
    wanted = _template_headings(template)
    at: dict[str, tuple[int, int]] = {}
    for name, start, end in _headings(text.text):
        at.setdefault(name, (start, end))
    kept = _longest_rising([(place, at[name][0]) for place, (name, _) in enumerate(wanted) if name in at])
    return tuple(
        HeadingCheck(label, text.quote(*at[name]) if name in at else None, place in kept)
        for place, (name, label) in enumerate(wanted)
    )


def _longest_rising(places: list[tuple[int, int]]) -> frozenset[int]:
    """Return which of (number, place in the text) make the longest run that rises in both."""
    tails: list[int] = []
    ends: list[int] = []
    before: list[int | None] = []
    for index, (_, place) in enumerate(places):
        length = bisect_left(tails, place)
        tails[length : length + 1] = [place]
        ends[length : length + 1] = [index]
        before.append(ends[length - 1] if length else None)
    kept = set()
    step: int | None = ends[-1] if ends else None
    while step is not None:
        kept.add(places[step][0])
        step = before[step]
    return frozenset(kept)


def _slots_left(text: ReadText) -> list[SlotLeft]:
    found: list[SlotLeft] = []
    taken: list[tuple[int, int]] = []

    def add(kind: SlotKind, start: int, end: int) -> None:
        if not taken or start >= taken[-1][1]:
            taken.append((start, end))
            found.append(SlotLeft(kind, text.quote(start, end)))

    places: list[tuple[int, int, SlotKind]] = [(*m.span(), SlotKind.EMPTY) for m in _EMPTY.finditer(text.text)]
    for match in _BRACKETED.finditer(text.text):
        inside = match[1] if match[1] is not None else match[2]
        if not inside.strip() or _NOT_A_SLOT.fullmatch(inside) or _is_heading(text.text, *match.span()):
            continue
        kind = (
            SlotKind.INSTRUCTION
            if _INSTRUCTION.search(inside)
            else SlotKind.CHOICE
            if _CHOICE.search(inside)
            else SlotKind.BRACKETS
        )
        places.append((*match.span(), kind))
    places += [(*m.span(), SlotKind.CHOICE) for m in _CHOICE.finditer(text.text)]
    places += [(*m.span(), SlotKind.INSTRUCTION) for m in _INSTRUCTION.finditer(text.text)]
    for start, end, kind in sorted(places, key=lambda one: (one[0], -one[1])):
        add(kind, start, end)
    return found


def _is_heading(text: str, start: int, end: int) -> bool:
    """Tell whether brackets open a line and what follows them is a colon or the line's end: 【影像诊断】."""
    line = text.rfind("\n", 0, start) + 1
    opens = not text[line:start].strip(" \t\u3000*#>-")
    after = text[end : end + 8].lstrip(" \t\u3000*")
    return opens and end - start <= 24 and (not after or after[0] in ":：\r\n")
