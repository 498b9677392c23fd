"""METEOR of one text: matched words and how scattered they stand. Exact and stem matches, no synonyms."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np

from pet2rep_core.scoring.ngrams import Ids

if TYPE_CHECKING:
    from nltk.stem.porter import PorterStemmer

ALPHA, BETA, GAMMA = 0.9, 3.0, 0.5

_LATIN = re.compile("[a-z]")
_KEPT_WORDS = 200_000


class MeteorText:
    """The words of a text as METEOR sees them: in lower case, with their stems where they have one.

    Parameters
    ----------
    words : sequence of str
        The text, cut.
    """

    def __init__(self, words: Sequence[str]) -> None:
        lower = _lower()
        self.words = list(map(lower.__getitem__, words))
        self.has_stems = lower.is_full or not lower.stemmed.isdisjoint(self.words)


class MeteorIndex:
    """The words of a reference by number, with their places."""

    def __init__(self, text: MeteorText) -> None:
        self.text = text
        self._number = {word: number for number, word in enumerate(dict.fromkeys(text.words))}
        ids = np.array([self._number[word] for word in text.words], np.int64)
        self._counts = np.bincount(ids, minlength=len(self._number))
        self._ends = np.cumsum(self._counts)
        self._places = np.argsort(ids, kind="stable")

    def score(self, hypothesis: MeteorText) -> float:
        """Return METEOR from 0 to 1, equal to the last bit to nltk's ``single_meteor_score`` without synonyms.

        A word is paired with the last free place of the same word, from the end of the text to its start;
        what is left is paired by Porter stems in the same way.

        References
        ----------
        Lavie and Agarwal 2007, WMT, 228-231.
        """
        there, places = self._exact(hypothesis)
        if hypothesis.has_stems or self.text.has_stems:
            there, places = self._with_stems(hypothesis, there, places)
        matched = len(there)
        if not matched:
            return 0.0
        precision, recall = matched / len(hypothesis.words), matched / len(self.text.words)
        mean = (precision * recall) / (ALPHA * precision + (1 - ALPHA) * recall)
        joined = (np.diff(there) == 1) & (np.diff(places) == 1)
        chunks = matched - int(np.count_nonzero(joined))
        penalty = GAMMA * (chunks / matched) ** BETA
        return float((1 - penalty) * mean)

    def _exact(self, hypothesis: MeteorText) -> tuple[Ids, Ids]:
        """Return the matched places of both texts, in the order of the hypothesis."""
        count = len(hypothesis.words)
        ids = np.fromiter(map(self._number.get, hypothesis.words, repeat(-1)), np.int64, count)
        there = np.flatnonzero(ids >= 0)
        ids = ids[there]
        order = np.argsort(ids, kind="stable")
        sorted_ids = ids[order]
        totals = np.bincount(ids, minlength=len(self._counts))
        # the last of a word has rank 0, the one before it 1, and so on
        rank = np.cumsum(totals)[sorted_ids] - 1 - np.arange(len(ids))
        free = rank < self._counts[sorted_ids]
        pairs = np.full(len(ids), -1, np.int64)
        pairs[order[free]] = self._places[self._ends[sorted_ids[free]] - 1 - rank[free]]
        found = pairs >= 0
        return there[found], pairs[found]

    def _with_stems(self, hypothesis: MeteorText, there: Ids, places: Ids) -> tuple[Ids, Ids]:
        left_here = np.setdiff1d(np.arange(len(hypothesis.words)), there, assume_unique=True)
        left_there = np.setdiff1d(np.arange(len(self.text.words)), places, assume_unique=True)
        waiting: defaultdict[str, list[int]] = defaultdict(list)
        for place in left_there.tolist():
            waiting[stem(self.text.words[place])].append(place)
        pairs = [
            (at, free.pop()) for at in reversed(left_here.tolist()) if (free := waiting.get(stem(hypothesis.words[at])))
        ]
        if not pairs:
            return there, places
        all_there = np.concatenate([there, [at for at, _ in pairs]])
        all_places = np.concatenate([places, [place for _, place in pairs]])
        order = np.argsort(all_there)
        return all_there[order], all_places[order]


class _Lower(dict[str, str]):
    """A memo of words in lower case, which also keeps those that have a stem other than themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.stemmed: set[str] = set()
        self.is_full = False

    def __missing__(self, word: str) -> str:
        lower = word.lower()
        if len(self) < _KEPT_WORDS:
            if stem(lower) != lower:
                self.stemmed.add(lower)
            self[word] = lower
        else:
            self.is_full = True  # from now on every text goes through the stems, which changes no score
        return lower


@cache
def _lower() -> _Lower:
    return _Lower()


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Return the Porter stem of a word in lower case; a word without a Latin letter is its own."""
    return str(_stemmer().stem(word)) if _LATIN.search(word) else word


@cache
def _stemmer() -> PorterStemmer:
    from nltk.stem.porter import PorterStemmer  # noqa: PLC0415 - nltk is slow to import

    return PorterStemmer()
