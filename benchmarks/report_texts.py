"""Realistic reports in any number: the demo study's phrases, seeded, with wording and numbers of their own.

A reference draws one wording of every section. An output starts from its reference and draws other wordings,
leaves sentences out, moves some, and rewrites a share of its clauses with words of other clauses and other
numbers, so that a share of its phrases has never been seen before.
"""

from __future__ import annotations

import random
import re
import tomllib

from pet2rep_core.records import Language
from pet2rep_core.settings import DATA_DIR

REWRITTEN = 0.2
"""Share of an output's clauses that are rewritten."""

_CLAUSE = {Language.CHINESE: re.compile("[^，。；：\n]+"), Language.ENGLISH: re.compile("[^,.;:\n]+")}
_LESION = {
    Language.CHINESE: "{place}见结节影，大小约{a}cm×{b}cm，FDG摄取{state}，SUVmax约{suv}。",
    Language.ENGLISH: "A nodule of {a} cm x {b} cm is seen in {place}, FDG uptake is {state}, SUVmax {suv}.",
}
_PLACES = {
    Language.CHINESE: ("右肺上叶", "左肺下叶", "肝右叶", "左侧肾上腺", "第3腰椎", "右侧锁骨上区", "乙状结肠", "脾门区"),
    Language.ENGLISH: ("the right lung", "the left lung", "the liver", "the spleen", "the third lumbar vertebra"),
}
_STATES = {
    Language.CHINESE: ("增高", "明显增高", "轻度增高", "减低", "未见异常"),
    Language.ENGLISH: ("increased", "mildly increased", "decreased", "normal"),
}


class ReportWriter:
    """Writes references and outputs of one language."""

    def __init__(self, language: Language = Language.CHINESE, seed: int = 0) -> None:
        self._language = language
        self._random = random.Random(seed)
        phrases = tomllib.loads((DATA_DIR / "demo" / "phrases.toml").read_text(encoding="utf-8"))
        self._lead: list[str] = phrases["lead"][language.value]
        self._sections: list[list[str]] = [row[language.value] for row in phrases["section"]]
        clauses = {clause for rows in self._sections for row in rows for clause in _CLAUSE[language].findall(row)}
        self._clauses = sorted(clauses)

    def reference(self) -> str:
        """Return one report of about 900 characters (Chinese)."""
        sentences = [self._random.choice(self._lead), *(self._random.choice(rows) for rows in self._sections)]
        for _ in range(3):
            sentences.insert(self._random.randrange(1, len(sentences)), self._lesion())
        return "\n".join(sentences)

    def output(self, reference: str) -> str:
        """Return what a model may have made of a case with this reference."""
        sentences = reference.split("\n")
        kept = [self._reworded(sentence) for sentence in sentences if self._random.random() > 0.1]
        if len(kept) > 1:
            kept.insert(self._random.randrange(len(kept)), kept.pop(self._random.randrange(len(kept))))
        kept.insert(self._random.randrange(len(kept) + 1), self._lesion())
        return _CLAUSE[self._language].sub(self._maybe_rewritten, "\n".join(kept))

    def _reworded(self, sentence: str) -> str:
        for rows in self._sections:
            if sentence in rows:
                return self._random.choice(rows)
        return self._lesion()

    def _lesion(self) -> str:
        draw = self._random
        return _LESION[self._language].format(
            place=draw.choice(_PLACES[self._language]), state=draw.choice(_STATES[self._language]),
            a=round(draw.uniform(0.5, 6), 1), b=round(draw.uniform(0.5, 4), 1), suv=round(draw.uniform(1, 25), 1),
        )  # fmt: skip

    def _maybe_rewritten(self, clause: re.Match[str]) -> str:
        if self._random.random() >= REWRITTEN:
            return clause[0]
        other = self._random.choice(self._clauses)
        return clause[0][: self._random.randrange(len(clause[0]))] + other[self._random.randrange(len(other)) :]
