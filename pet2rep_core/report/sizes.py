"""Sizes of lesions in a text: "2.3cm×1.8cm", "4.2 x 3.5 x 3.0 cm", "直径约9mm"."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = r"\d{1,4}(?:\.\d{1,3})?"
_UNIT = r"(?:cm|mm|厘米|毫米|公分|centimet(?:er|re)s?|millimet(?:er|re)s?)"
_TIMES = r"\s?(?:[×xX*╳✕]|by|乘)\s?"
_SIZE = re.compile(
    rf"(?<![\d.])(?P<first>{_NUMBER})(?:\s?-?{_UNIT})?"
    rf"(?P<more>(?:{_TIMES}{_NUMBER}(?:\s?-?{_UNIT})?){{0,2}})"
    rf"(?:\s?(?:-|~|至|到|to)\s?(?P<to>{_NUMBER}))?"
    rf"(?<=[\dm米分s])(?:\s?-?(?P<unit>{_UNIT}))?(?![a-z/²2³3])",
    re.IGNORECASE,
)
_HAS_UNIT = re.compile(_UNIT, re.IGNORECASE)
_MILLIMETRES = re.compile(r"mm|毫米|milli", re.IGNORECASE)
_NOT_A_SIZE = re.compile(
    r"(?:层厚|层距|层间距|矩阵|视野|距[^,;。]{0,10}|slice thickness(?: of)?|thick slices|from the"
    r"|within)\s?(?:约|为|of)?\s?$",
    re.IGNORECASE,
)
_EARLIER_BEFORE = re.compile(
    r"(?:原|前次|上次|既往|前片|治疗前|化疗前|术前|由|从|\b(?:previous(?:ly)?|prior|formerly|was|from|baseline))"
    r"(?:\s?(?:大小|直径|短径|长径|size|measuring|measured))?\s?(?:约|为|:|of)?\s?$",
    re.IGNORECASE,
)
_EARLIER_AFTER = re.compile(
    r"\s?(?:(?:缩小|减小|增大|增加)(?:至|到|为)|previously|on (?:the )?(?:prior|previous))", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class RawSize:
    """One stated size in mm, largest first as written, at [start, end) of the text that was searched."""

    mm: tuple[float, ...]
    start: int
    end: int


def find_sizes(text: str, start: int, end: int) -> list[RawSize]:
    """Return the sizes of this study in ``text[start:end]``, in mm and in the order in which they are written.

    A range ("0.5-1.2cm") gives both ends. Distances, slice thickness and sizes of earlier studies are left out.
    """
    found: list[RawSize] = []
    for match in _SIZE.finditer(text, start, end):
        units = [*_HAS_UNIT.findall(match.group())]
        if not units:
            continue
        before = text[max(start, match.start() - 24) : match.start()]
        if _NOT_A_SIZE.search(before) or _EARLIER_BEFORE.search(before) or _EARLIER_AFTER.match(text, match.end(), end):
            continue
        scale = 1.0 if _MILLIMETRES.search(units[-1]) else 10.0
        numbers = [float(number) for number in re.findall(_NUMBER, match.group())]
        found.append(RawSize(tuple(round(number * scale, 2) for number in numbers), match.start(), match.end()))
    return found
