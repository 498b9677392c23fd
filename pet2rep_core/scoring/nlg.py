"""BLEU, METEOR and ROUGE-L of one generated report against its reference.

Profile ``reference``: sentence scores over the tokens of :mod:`pet2rep_core.scoring.tokens`; the mean over
cases is the summary. BLEU without smoothing, ROUGE-L as F1, METEOR with exact and Porter-stem matches only
(no synonyms: nothing to download; on Chinese reports the value is that of nltk with the English WordNet).
"""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pet2rep_core.errors import UnknownNameError
from pet2rep_core.records import Language, Score
from pet2rep_core.scoring.signature import signature
from pet2rep_core.scoring.tokens import TOKENIZERS, tokenize

EMPTY_GENERATION = "empty generation"
EMPTY_REFERENCE = "empty reference"

_WARNINGS_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the registry: how a metric is called, what makes it, and the version of its numbers."""

    name: str
    label: str
    description: str
    version: int
    score: Callable[[Sequence[str], Sequence[str]], float]

    def signature(self, language: Language) -> str:
        """Return the signature that stands beside every number of this metric."""
        return signature(
            self.name,
            version=self.version,
            agg="case",
            lang=language.value,
            profile="reference",
            tok=TOKENIZERS[language],
        )


class _NoSynonyms:
    """Stands in for WordNet and knows no synonym."""

    def synsets(self, _word: str) -> list[object]:
        return []


def _bleu(order: int) -> Callable[[Sequence[str], Sequence[str]], float]:
    weights = (1 / order,) * order

    def score(hypothesis: Sequence[str], reference: Sequence[str]) -> float:
        from nltk.translate.bleu_score import sentence_bleu  # noqa: PLC0415 - nltk is slow to import

        # nltk warns where no n-gram matches; the value 0 (1e-78 and the like) says the same.
        # The warning filter belongs to the whole process, hence the lock.
        with _WARNINGS_LOCK, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return float(sentence_bleu([list(reference)], list(hypothesis), weights=weights))

    return score


def _meteor(hypothesis: Sequence[str], reference: Sequence[str]) -> float:
    from nltk.translate.meteor_score import single_meteor_score  # noqa: PLC0415 - nltk is slow to import

    return float(single_meteor_score(list(reference), list(hypothesis), wordnet=_NoSynonyms()))


class _Split:
    """Hands rouge_score the words that were cut before."""

    def tokenize(self, text: str) -> list[str]:
        return text.split("\x1f")


def _rouge_l(hypothesis: Sequence[str], reference: Sequence[str]) -> float:
    from rouge_score.rouge_scorer import RougeScorer  # noqa: PLC0415 - rouge_score imports nltk

    scorer = RougeScorer(["rougeL"], tokenizer=_Split())
    return float(scorer.score("\x1f".join(reference), "\x1f".join(hypothesis))["rougeL"].fmeasure)


def _rows() -> tuple[Metric, ...]:
    bleus = (
        Metric(f"bleu{n}", f"BLEU-{n}", f"Clipped precision of 1- to {n}-grams with brevity penalty.", 1, _bleu(n))
        for n in (1, 2, 3, 4)
    )
    meteor = "Harmonic mean of matched words with a penalty for scattered matches; no synonyms."
    return (
        *bleus,
        Metric("meteor", "METEOR", meteor, 1, _meteor),
        Metric("rougeL", "ROUGE-L", "F1 of the longest common subsequence of words.", 1, _rouge_l),
    )


METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _rows()})
"""Registry of the language metrics: adding one is one row."""


def find_metric(name: str) -> Metric:
    """Return a metric of the registry.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    if name not in METRICS:
        raise UnknownNameError("metric", name, METRICS)
    return METRICS[name]


def score_nlg(hypothesis: str, reference: str, language: Language) -> tuple[Score, ...]:
    """Return every language score of one generated report.

    An empty generation (or reference) gets no number but the reason.
    """
    candidate, truth = tokenize(hypothesis, language), tokenize(reference, language)
    reason = EMPTY_GENERATION if not candidate else EMPTY_REFERENCE if not truth else ""
    return tuple(_score(metric, candidate, truth, language, reason) for metric in METRICS.values())


def _score(
    metric: Metric, hypothesis: Sequence[str], reference: Sequence[str], language: Language, reason: str
) -> Score:
    value = None if reason else metric.score(hypothesis, reference)
    if value is not None and not math.isfinite(value):
        value, reason = None, "no finite value"
    return Score(metric.name, value, metric.signature(language), reason)
