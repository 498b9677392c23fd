"""Scores made again with the libraries they are known from, to show that ours are the same numbers.

Nothing of the fast way is used but the text that is compared: the words are cut anew, without the memo.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import sys
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pet2rep_core.errors import MissingDependencyError
from pet2rep_core.records import Language, Score
from pet2rep_core.scoring import tokens
from pet2rep_core.scoring.cut_text import plain_text
from pet2rep_core.scoring.nlg import score_nlg
from pet2rep_core.scoring.profiles import DEFAULT_PROFILE, ReportPart, RougeForm, find_profile

_SCORE_CELLS = 20_000_000
_PACKAGE_CELLS = 2_000_000
_RECURSION = 100_000
_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True)
class Check:
    """One score beside the same score of a reference library.

    ``difference`` is ours minus theirs; None, with the ``reason``, where either is missing. Our numbers are meant
    to be equal to the last bit, so any difference is a fault.
    """

    metric: str
    value: float | None
    witness: str
    witness_value: float | None
    reason: str = ""

    @property
    def difference(self) -> float | None:
        """Our value minus the witness's."""
        return None if self.value is None or self.witness_value is None else self.value - self.witness_value

    @property
    def differs(self) -> bool:
        """Tell whether both values are there and are not the same number."""
        return bool(self.difference)


def verify_scores(
    hypothesis: str,
    reference: str,
    language: Language,
    *,
    profile: str = DEFAULT_PROFILE,
    part: ReportPart = ReportPart.FULL,
    scores: Sequence[Score] | None = None,
) -> tuple[Check, ...]:
    """Return each language score beside that of nltk, rouge_score, rouge or sacrebleu.

    Parameters
    ----------
    profile, part
        As for :func:`pet2rep_core.scoring.nlg.score_nlg`.
    scores : sequence of Score, optional
        The scores to check, such as stored ones; made now where left out. Others than language scores are
        passed over.

    Raises
    ------
    UnknownNameError
        If there is no such profile.
    """
    chosen = find_profile(profile)
    if scores is None:
        scores = score_nlg(hypothesis, reference, language, profile=profile, part=part)
    scores = [score for score in scores if score.metric in chosen.metrics]
    if language not in chosen.words:
        return tuple(Check(score.metric, score.value, "", None, score.reason) for score in scores)
    said, true = plain_text(hypothesis, part), plain_text(reference, part)
    words = tuple(_CUT[chosen.words[language].name](text) for text in (said, true))
    pieces = tuple(_CUT[chosen.meteor_words[language].name](text) for text in (said, true))
    checks = []
    for score in scores:
        form = f"rougeL-{chosen.rouge.value}" if score.metric == "rougeL" else score.metric
        library, witness = _WITNESSES[form]
        given = (said, true) if form == "chrf" else pieces if form == "meteor" else words
        checks.append(_check(score, library, witness, *given))
    return tuple(checks)


def _check(score: Score, library: str, witness: Callable[..., float | str], said: Any, true: Any) -> Check:
    if score.value is None:
        return Check(score.metric, None, library, None, score.reason)
    try:
        name = f"{library} {importlib.metadata.version(library)}"
        got = witness(said, true)
    except (ImportError, importlib.metadata.PackageNotFoundError):
        missing = MissingDependencyError(f"Checking {score.metric}", f"pip install {library}")
        return Check(score.metric, score.value, library, None, str(missing))
    if isinstance(got, str):
        return Check(score.metric, score.value, name, None, got)
    return Check(score.metric, score.value, name, got)


def _bleu(order: int) -> Callable[[list[str], list[str]], float | str]:
    def score(said: list[str], true: list[str]) -> float | str:
        nltk_bleu = importlib.import_module("nltk.translate.bleu_score")
        # nltk warns where no n-gram matches; the filter belongs to the whole process, hence the lock
        with _LOCK, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            return float(nltk_bleu.sentence_bleu([true], said, weights=(1 / order,) * order))

    return score


class _NoSynonyms:
    """Stands in for WordNet and knows no synonym."""

    def synsets(self, _word: str) -> list[object]:
        return []


def _meteor(said: list[str], true: list[str]) -> float | str:
    nltk_meteor = importlib.import_module("nltk.translate.meteor_score")
    return float(nltk_meteor.single_meteor_score(true, said, wordnet=_NoSynonyms()))


class _Given:
    """Hands rouge_score the words that were cut before."""

    def tokenize(self, words: list[str]) -> list[str]:
        return words


def _rouge_score(said: list[str], true: list[str]) -> float | str:
    if len(said) * len(true) > _SCORE_CELLS:
        return f"too long for rouge_score: {len(said)} by {len(true)} words"
    scorer = importlib.import_module("rouge_score.rouge_scorer").RougeScorer(["rougeL"], tokenizer=_Given())
    return float(scorer.score(true, said)["rougeL"].fmeasure)


def _rouge_package(said: list[str], true: list[str]) -> float | str:
    if len(said) * len(true) > _PACKAGE_CELLS:
        return f"too long for rouge: {len(said)} by {len(true)} words"
    scorer = importlib.import_module("rouge").Rouge(metrics=["rouge-l"])
    with _LOCK:
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(limit, _RECURSION))  # the package calls itself once a word
        try:
            return float(scorer.get_scores(" ".join(said), " ".join(true))[0]["rouge-l"]["f"])
        except ValueError:
            return "the package rouge refuses a text of full stops alone"
        finally:
            sys.setrecursionlimit(limit)


def _chrf(said: str, true: str) -> float | str:
    return float(importlib.import_module("sacrebleu").CHRF().sentence_score(said, [true]).score) / 100


_WITNESSES: Mapping[str, tuple[str, Callable[..., float | str]]] = MappingProxyType(
    {
        **{f"bleu{order}": ("nltk", _bleu(order)) for order in (1, 2, 3, 4)},
        "meteor": ("nltk", _meteor),
        f"rougeL-{RougeForm.LCS.value}": ("rouge-score", _rouge_score),
        f"rougeL-{RougeForm.SETS.value}": ("rouge", _rouge_package),
        "chrf": ("sacrebleu", _chrf),
    }
)


def _jieba(text: str) -> list[str]:
    return [word for word in tokens.load_jieba().cut(text) if not word.isspace()]


_CUT: Mapping[str, Callable[[str], list[str]]] = MappingProxyType(
    {
        tokens.JIEBA.name: _jieba,
        tokens.JIEBA_WITH_SPACES.name: lambda text: list(tokens.load_jieba().cut(text)),
        tokens.ENGLISH_WORDS.name: tokens.english_words,
        tokens.CHARACTERS.name: lambda text: [one for one in text if not one.isspace()],
        tokens.LOWER_CHARACTERS.name: lambda text: [one for one in text.lower() if not one.isspace()],
        tokens.SPACES.name: str.split,
    }
)
