"""Part a report into findings and impression, and tell its language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from pet2rep_core.errors import ReportParseError
from pet2rep_core.records import Language, Report


class SectionKind(StrEnum):
    """Part of a report that metrics ask for."""

    FINDINGS = "findings"
    IMPRESSION = "impression"


@dataclass(frozen=True, slots=True)
class Section:
    """Text of one section, without its heading, at [start, end) of the whole report."""

    kind: SectionKind
    start: int
    end: int


_MARK = r"[ \t\u3000*#>_【\[]*"
_END_MARK = r"[ \t\u3000*_】\]]*"
_FINDINGS = (
    r"(?:(?:PET[/-]?CT)?(?:影像|检查|影像学|显像|PET[/-]?CT)(?:学)?(?:所见"
    r"|表现|描述)|所见|Imaging Findings|Findings)"
)
_IMPRESSION = (
    r"(?:(?:PET[/-]?CT)?(?:影像|影像学|检查|放射学|临床|PET[/-]?CT)(?:学)?(?:诊断|印象|结论|意见|提示)(?:意见)?"
    r"|诊断(?:意见|印象|结论)?|印象|结论|意见|Impressions?|Conclusions?|Opinions?|Diagnos(?:is|es))"
)
_COLON = r"(?:[:：]|(?=[ \t\u3000]*(?:\r?\n|$)))"
_HEADING = re.compile(
    rf"(?:(?:^|(?<=[。；;.\n\r]))\s*){_MARK}(?:\d+[.、)]\s*|[一二三四]、\s*)?"
    rf"(?:(?P<findings>{_FINDINGS})|(?P<impression>{_IMPRESSION}))"
    rf"{_END_MARK}(?:[（(][^）)\n]{{0,12}}[）)])?{_END_MARK}{_COLON}{_END_MARK}",
    re.IGNORECASE | re.MULTILINE,
)
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")


def detect_language(text: str) -> Language:
    """Return the language in which most of the text is written; Chinese where a Han character weighs a word."""
    han = len(_HAN.findall(text))
    return Language.CHINESE if han and han >= len(_LATIN_WORD.findall(text)) else Language.ENGLISH


def find_sections(text: str) -> tuple[Section, ...]:
    """Return the sections in the order in which they stand; text before the first heading is findings.

    A report that has no heading is one section of findings.
    """
    headings = list(_HEADING.finditer(text))
    sections: list[Section] = []
    first = headings[0].start() if headings else len(text)
    if text[:first].strip():
        sections.append(_trimmed(text, SectionKind.FINDINGS, 0, first))
    for number, heading in enumerate(headings):
        end = headings[number + 1].start() if number + 1 < len(headings) else len(text)
        kind = SectionKind.FINDINGS if heading["findings"] else SectionKind.IMPRESSION
        if text[heading.end() : end].strip():
            sections.append(_trimmed(text, kind, heading.end(), end))
    return tuple(sections)


def split_report(text: str, language: Language | None = None) -> Report:
    """Return the report with findings and impression apart.

    Parameters
    ----------
    text : str
        The report as its author wrote it; it is kept unchanged as ``Report.text``.
    language : Language, optional
        Detected from the text if not given.

    Raises
    ------
    ReportParseError
        If the text has no word in it.
    """
    if not text.strip():
        raise ReportParseError("The report is empty.", hint="Leave the report out, or give a file with text in it.")
    sections = find_sections(text)
    return Report(
        language=language or detect_language(text),
        text=text,
        findings=_joined(text, sections, SectionKind.FINDINGS),
        impression=_joined(text, sections, SectionKind.IMPRESSION),
    )


def _joined(text: str, sections: tuple[Section, ...], kind: SectionKind) -> str:
    return "\n".join(text[s.start : s.end] for s in sections if s.kind is kind)


def _trimmed(text: str, kind: SectionKind, start: int, end: int) -> Section:
    part = text[start:end]
    left = len(part) - len(part.lstrip())
    return Section(kind, start + left, start + len(part.rstrip()))
