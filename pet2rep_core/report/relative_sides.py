"""Sides that a report names by an earlier side: "同侧", "对侧", "ipsilateral", "contralateral"."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass, replace

from pet2rep_core.records import Language
from pet2rep_core.report.normalise import PlainText

_REACH = 300
"""Characters before a relative side in which the side that it goes back to is looked for."""
_CLAUSE_END = re.compile(r"[,;。\n]|\.(?!\d)")


@dataclass(frozen=True, slots=True)
class _Rules:
    """Words of one language: relative sides, named sides, and what shows that a side is only compared with."""

    relative: re.Pattern[str]
    named: re.Pattern[str]
    compared_before: re.Pattern[str]
    compared_after: re.Pattern[str]
    denied: re.Pattern[str]
    left: str
    right: str


_RULES = {
    Language.CHINESE: _Rules(
        relative=re.compile(r"(?P<same>同侧)|对侧"),
        # Lobes of the liver and chambers of the heart are no sides of the body.
        named=re.compile(r"(?<!肝)(?<!肝脏)(?<!左)(?P<left>左)(?![右心室房])|(?<!肝)(?<!肝脏)(?<!左)右(?![左心室房])"),
        compared_before=re.compile(r"(?:较|比|于|对照|参照)$"),
        compared_after=re.compile(
            r"[^,;。]{0,12}?(?:相仿|相似|相近|相当|一致|对称|比较|相比|对比)"
            r"|(?:的|正常|相应|相同|同一|部位|区域?|皮[质层]|组织)*(?:SUV|约|为|[\d:])",
            re.IGNORECASE,
        ),
        denied=re.compile(r"未见|未及|正常|无(?!明显强化)|不高"),
        left="左侧",
        right="右侧",
    ),
    Language.ENGLISH: _Rules(
        relative=re.compile(r"\b(?:(?P<same>ipsilateral)|contralateral)\b", re.IGNORECASE),
        named=re.compile(r"\b(?:(?P<left>left|lt|lul|lll|lingula)|right|rt|rul|rml|rll)(?:-sided)?\b", re.IGNORECASE),
        compared_before=re.compile(
            r"\b(?:than|to|with|versus|vs\.?|from)\s(?:(?:the|that|of|in|on)\s)*$", re.IGNORECASE
        ),
        compared_after=re.compile(r"(?!)"),
        denied=re.compile(
            r"\b(?:no|not|without|normal|unremarkable|negative|non-?avid"
            r"|compared|versus|vs)\b", re.IGNORECASE
        ),
        left="left",
        right="right",
    ),
}  # fmt: skip


def name_relative_sides(plain: PlainText, language: Language) -> PlainText:
    """Return the text with each relative side written as the side that it means, every character in its place.

    A relative side goes back to the nearest side named before it. One that is only compared with, or that has no
    named side before it, stays as it is.
    """
    rules = _RULES[language]
    relative = list(rules.relative.finditer(plain.text))
    if not relative:
        return plain
    named = list(rules.named.finditer(plain.text))
    starts = [side.start() for side in named]
    parts: list[str] = []
    at = 0
    for match in relative:
        near = bisect_left(starts, match.start() - _REACH)
        side = _meant(plain.text, match, named[near : bisect_left(starts, match.start())], rules)
        if side:
            # The filling keeps the length, and ends the word.
            parts += [plain.text[at : match.start()], side.ljust(match.end() - match.start(), "-")]
            at = match.end()
    return replace(plain, text="".join([*parts, plain.text[at:]]))


def _is_denied(text: str, side: re.Match[str], rules: _Rules) -> bool:
    """Tell whether the clause of a side says that nothing is there: a lesion's side is looked for."""
    before = _CLAUSE_END.split(text[max(0, side.start() - 60) : side.start()])[-1]
    after = _CLAUSE_END.split(text[side.end() : side.end() + 60], maxsplit=1)[0]
    return rules.denied.search(before) is not None or rules.denied.search(after) is not None


def _meant(text: str, match: re.Match[str], named: list[re.Match[str]], rules: _Rules) -> str:
    """Return the side that a relative one means, by the sides named before it; empty where it means none."""
    before = text[max(0, match.start() - 60) : match.start()]
    if not named or rules.compared_before.search(before) or rules.compared_after.match(text, match.end()):
        return ""
    nearest = next((side for side in reversed(named) if not _is_denied(text, side, rules)), named[-1])
    return rules.left if (nearest["left"] is not None) == (match["same"] is not None) else rules.right
