"""A plain form of a report for the rules, with the way back to the characters of the original."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from pet2rep_core.records import Language

BLANK = "□"
"""Stands for a character that no rule may read; keeps the length of the text."""

_DROPPED = frozenset("[]【】*#`_\u200b\u200c\u200d\ufeff\u00ad")
_SLOT = re.compile(r"[\[【［]([^\[\]【】［］]*)[\]】］]")
_STATE_ZH = (
    r"(?:FDG|的|呈|明显|轻度|摄取|代谢|放射性|程度){0,8}"
    r"(?:增高|升高|减低|降低|缺失|缺损|正常|(?:无|未见)(?:明显)?(?:异常|增高)(?:增高|摄取)?|生理性(?:摄取)?)"
)
_STATE_EN = (
    r"(?:fdg |uptake |is |are ){0,4}(?:increased|decreased|absent|normal|elevated"
    r"|reduced|hypermetabolic|physiological|"
    r"no abnormality)(?: uptake)?"
)
_CHOICE = re.compile(rf"{_STATE_ZH}(?:\s*[/|]\s*{_STATE_ZH})+|\b{_STATE_EN}(?:\s*[/|]\s*{_STATE_EN})+\b", re.IGNORECASE)
_STATE_WORD = (
    r"(?:增高|升高|减低|降低|缺失|缺损|稀疏|正常|均匀|对称|异常|不高|生理性"
    r"|increased|decreased|absent|normal|elevated|reduced|uniform|abnormal)"
)
_SLOT_ALTERNATIVES = re.compile(
    rf"[^/|]{{0,12}}{_STATE_WORD}[^/|]{{0,8}}(?:[/|][^/|]{{0,12}}{_STATE_WORD}[^/|]{{0,8}})+", re.IGNORECASE
)
_SLOT_CHOICE = re.compile(rf"{_STATE_ZH}\s*或\s*{_STATE_ZH}|\b{_STATE_EN}\s+or\s+{_STATE_EN}\b", re.IGNORECASE)
_BRACKET = re.compile(r"\([^()。\n]{1,80}\)")
_PLACES = re.compile(r"\([左右双两侧第\d、,;/~及和与至肋椎前后腋区段叶组TLCS -]+\)")
_INSTRUCTION = re.compile(
    r"请|选择|填写|待填|待补|XX|\bplease\b|\bchoose\b|\bselect\b|\bfill\b|\bdescribe\b|\bspecify\b", re.I
)


@dataclass(frozen=True, slots=True)
class PlainText:
    """A normalised text; ``origin[i]`` is the place of its character i in the original."""

    text: str
    origin: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return the original's [start, end) for a non-empty span of the plain text."""
        return self.origin[start], self.origin[end - 1] + 1


@lru_cache(maxsize=16)
def normalise(text: str, language: Language) -> PlainText:
    """Return the text in compatibility form (NFKC), without slot brackets, Markdown and inner Chinese spaces.

    Slots that still hold a choice ("增高/减低/正常") or an instruction are blanked: they state nothing.
    """
    blanked = _unresolved(text)
    characters: list[str] = []
    origin: list[int] = []
    for place, character in enumerate(text):
        if character in _DROPPED:
            continue
        plainer = character if character.isascii() else unicodedata.normalize("NFKC", character)
        for plain in BLANK if place in blanked else plainer:
            if plain in _DROPPED:
                continue
            characters.append(plain)
            origin.append(place)
    if language is Language.CHINESE:
        kept = [i for i, plain in enumerate(characters) if not _inner_space(characters, i)]
    else:
        kept = [i for i in range(len(characters)) if not _doubled_space(characters, i)]
        for i in kept:
            if not characters[i].isalnum():
                characters[i] = _english_character(characters, i)
    plain_text = _BRACKET.sub(_one_sentence, "".join(characters[i] for i in kept))
    return PlainText(plain_text, tuple(origin[i] for i in kept))


def _one_sentence(bracket: re.Match[str]) -> str:
    """Return a short bracket whose semicolons part a list, not sentences: "(右3、6;左4)"."""
    if _PLACES.fullmatch(bracket.group()):
        return bracket.group().replace(";", "、").replace(",", "、")
    return bracket.group().replace(";", ",")


def _unresolved(text: str) -> frozenset[int]:
    places: set[int] = set()
    for slot in _SLOT.finditer(text):
        if (
            _SLOT_ALTERNATIVES.fullmatch(slot[1])
            or _INSTRUCTION.search(slot[1])
            or _SLOT_CHOICE.search(slot[1])
            or _CHOICE.search(slot[1])
        ):
            places.update(range(slot.start(1), slot.end(1)))
    for choice in _CHOICE.finditer(text):
        places.update(range(choice.start(), choice.end()))
    return frozenset(places)


def _inner_space(characters: list[str], i: int) -> bool:
    if not characters[i].isspace() or characters[i] in "\r\n":
        return False
    before = characters[i - 1] if i else " "
    after = characters[i + 1] if i + 1 < len(characters) else " "
    return not (_is_word(before) and _is_word(after))


def _is_word(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _doubled_space(characters: list[str], i: int) -> bool:
    return i > 0 and characters[i] in " \t" and characters[i - 1] in " \t"


def _english_character(characters: list[str], i: int) -> str:
    """Join a line that was wrapped inside a sentence; other characters stay."""
    character = characters[i]
    if character == "\t" or (character == "\n" and 0 < i < len(characters) - 1 and _wrapped(characters, i)):
        return " "
    return "'" if character == "\u2019" else "-" if character in "\u2010\u2011\u2012\u2013\u2014" else character


def _wrapped(characters: list[str], i: int) -> bool:
    return characters[i - 1] not in ".;:!?\n" and characters[i + 1].islower()
