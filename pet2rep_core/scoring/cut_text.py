"""A report cut once for all language scores, and a memo of such texts."""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import cached_property
from itertools import repeat

import numpy as np
import numpy.typing as npt

from pet2rep_core.records import Language
from pet2rep_core.report.sections import SectionKind, find_sections
from pet2rep_core.report.slots import strip_slots
from pet2rep_core.scoring import bleu, chrf
from pet2rep_core.scoring.meteor import MeteorIndex, MeteorText
from pet2rep_core.scoring.ngrams import Ids, NgramIndex
from pet2rep_core.scoring.profiles import Profile, ReportPart
from pet2rep_core.scoring.rouge import RougeIndex

KEPT_CHARACTERS = 2_000_000
"""Characters of text that the memo keeps cut: about 2,000 reports, some 100 to 300 MB if all are references."""


def plain_text(text: str, part: ReportPart) -> str:
    """Return what is scored of a report: all of it or its findings, without slot brackets."""
    if part is ReportPart.FINDINGS:
        sections = find_sections(text)
        text = "\n".join(text[s.start : s.end] for s in sections if s.kind is SectionKind.FINDINGS)
    return strip_slots(text) if any(bracket in text for bracket in "[]【】") else text


class CutText:
    """A plain text as the scores see it.

    What it needs to be compared with as a reference is made at its first use as one and then serves every
    hypothesis.

    Parameters
    ----------
    text : str
        What :func:`plain_text` returned.
    """

    def __init__(self, text: str, profile: Profile, language: Language) -> None:
        self.text = text
        self.profile = profile
        self.language = language

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing but white space is left."""
        return not self.text.strip()

    @cached_property
    def words(self) -> list[str]:
        """Words of BLEU and ROUGE-L."""
        return self.profile.words[self.language].cut(self.text)

    @cached_property
    def meteor_text(self) -> MeteorText:
        """Words of METEOR."""
        cutter = self.profile.meteor_words[self.language]
        same = cutter.name == self.profile.words[self.language].name
        return MeteorText(self.words if same else cutter.cut(self.text))

    @cached_property
    def code_points(self) -> npt.NDArray[np.uint32]:
        """Characters of chrF, white space left out."""
        return np.frombuffer("".join(self.text.split()).encode("utf-32-le", "surrogatepass"), np.uint32)

    def bleu(self, hypothesis: CutText) -> tuple[float, ...]:
        """Return BLEU-1 to BLEU-4 of a hypothesis against this reference."""
        ids = np.fromiter(map(self._numbers.get, hypothesis.words, repeat(-1)), np.int64, len(hypothesis.words))
        return bleu.bleu_scores(self._word_ngrams.matches(ids), len(hypothesis.words), len(self.words))

    def meteor(self, hypothesis: CutText) -> float:
        """Return METEOR of a hypothesis against this reference."""
        return self._meteor_index.score(hypothesis.meteor_text)

    def rouge(self, hypothesis: CutText) -> float:
        """Return ROUGE-L of a hypothesis against this reference, in the form of rouge_score."""
        return self._rouge_index.score(hypothesis.words)

    def chrf(self, hypothesis: CutText) -> float:
        """Return chrF of a hypothesis against this reference."""
        alphabet, points = self._alphabet, hypothesis.code_points
        places = np.minimum(np.searchsorted(alphabet, points), len(alphabet) - 1)
        ids = np.where(alphabet[places] == points, places, -1)
        return chrf.chrf_score(self._character_ngrams.matches(ids), len(points), len(self.code_points))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(dict.fromkeys(self.words))}

    @cached_property
    def _word_ngrams(self) -> NgramIndex:
        ids: Ids = np.array([self._numbers[word] for word in self.words], np.int64)
        return NgramIndex(ids, len(self._numbers), bleu.ORDERS)

    @cached_property
    def _alphabet(self) -> npt.NDArray[np.uint32]:
        return np.unique(self.code_points)

    @cached_property
    def _character_ngrams(self) -> NgramIndex:
        ids: Ids = np.searchsorted(self._alphabet, self.code_points).astype(np.int64)
        return NgramIndex(ids, len(self._alphabet), chrf.ORDERS)

    @cached_property
    def _meteor_index(self) -> MeteorIndex:
        return MeteorIndex(self.meteor_text)

    @cached_property
    def _rouge_index(self) -> RougeIndex:
        return RougeIndex(self.words)


class CutTexts:
    """The texts that were used last, cut; as many as ``characters`` allows. Threads may share it."""

    def __init__(self, characters: int = KEPT_CHARACTERS) -> None:
        self._limit = characters
        self._held = 0
        self._texts: OrderedDict[tuple[str, str, str], CutText] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, text: str, profile: Profile, language: Language) -> CutText:
        """Return the cut text, from the memo where it is there."""
        key = (profile.name, language.value, text)
        with self._lock:
            known = self._texts.get(key)
            if known is not None:
                self._texts.move_to_end(key)
                return known
            made = CutText(text, profile, language)
            if len(text) <= self._limit // 4:
                self._texts[key] = made
                self._held += len(text)
                while self._held > self._limit:
                    (_, _, oldest), _ = self._texts.popitem(last=False)
                    self._held -= len(oldest)
            return made

    def forget(self) -> None:
        """Empty the memo."""
        with self._lock:
            self._texts.clear()
            self._held = 0
