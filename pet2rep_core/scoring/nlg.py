"""BLEU, METEOR, ROUGE-L and chrF of one generated report against its reference, under a named profile.

Every number equals that of the library it is known from (nltk, rouge_score, rouge, sacrebleu) on the same words
to the last bit; :mod:`pet2rep_core.scoring.verify` shows it. The mean over cases is the summary.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType

from pet2rep_core.errors import UnknownNameError
from pet2rep_core.records import Language, Score
from pet2rep_core.scoring import rouge_sets
from pet2rep_core.scoring.cut_text import CutText, CutTexts, plain_text
from pet2rep_core.scoring.profiles import DEFAULT_PROFILE, PROFILES, Profile, ReportPart, RougeForm, find_profile
from pet2rep_core.scoring.signature import signature

BLEUS = ("bleu1", "bleu2", "bleu3", "bleu4")
EMPTY_GENERATION = "empty generation"
EMPTY_REFERENCE = "empty reference"
NO_FINDINGS = "no findings in the generated report"
NO_REFERENCE_FINDINGS = "no findings in the reference report"
TOO_LONG = "texts too long for the ROUGE-L of the package rouge"


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the registry: how a metric is called, and the version of its numbers."""

    name: str
    label: str
    description: str
    version: int
    parts: tuple[tuple[str, str], ...]

    def signature(
        self, language: Language, profile: Profile = PROFILES[DEFAULT_PROFILE], part: ReportPart = ReportPart.FULL
    ) -> str:
        """Return the signature that stands beside every number of this metric."""
        return _signature(self.name, language, profile.name, part)


def _rows() -> tuple[Metric, ...]:
    bleus = (
        Metric(
            f"bleu{n}",
            f"BLEU-{n}",
            f"Clipped precision of 1- to {n}-grams with brevity penalty.",
            1,
            (("smooth", "none"),),
        )
        for n in (1, 2, 3, 4)
    )
    meteor = "Harmonic mean of matched words with a penalty for scattered matches; no synonyms."
    return (
        *bleus,
        Metric("meteor", "METEOR", meteor, 1, (("match", "exact+stem"),)),
        Metric("rougeL", "ROUGE-L", "F1 of the longest common subsequence of words.", 1, ()),
        Metric("chrf", "chrF", "F-score of character 1- to 6-grams, recall weighs double.", 1, (("beta", "2"),)),
    )


METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _rows()})
"""Registry of the language metrics: adding one is one row."""


@lru_cache(maxsize=256)
def _signature(name: str, language: Language, profile_name: str, part: ReportPart) -> str:
    metric, profile = find_metric(name), find_profile(profile_name)
    tokenizer = (profile.meteor_words if name == "meteor" else profile.words).get(language)
    more = {"stat": profile.rouge.value} if name == "rougeL" else {}
    return signature(
        name,
        version=metric.version,
        agg="case",
        lang=language.value,
        part=part.value,
        profile=profile.name,
        tok="characters" if name == "chrf" else tokenizer.name if tokenizer else "none",
        **dict(metric.parts),
        **more,
    )


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


def score_nlg(
    hypothesis: str,
    reference: str,
    language: Language,
    *,
    profile: str = DEFAULT_PROFILE,
    part: ReportPart = ReportPart.FULL,
    metrics: Collection[str] | None = None,
) -> tuple[Score, ...]:
    """Return the language scores of one generated report.

    What cannot be scored (an empty text, a language that the profile does not have) gets no number but the
    reason.

    Parameters
    ----------
    profile : str
        Name in :data:`pet2rep_core.scoring.profiles.PROFILES`.
    part : ReportPart
        Compare the whole reports, or their findings alone.
    metrics : collection of str, optional
        Only these of the profile's metrics; all where left out.

    Raises
    ------
    UnknownNameError
        If there is no such profile, or a metric is not in it.
    """
    chosen = find_profile(profile)
    for name in metrics or ():
        if name not in chosen.metrics:
            raise UnknownNameError("metric", name, chosen.metrics)
    wanted = tuple(name for name in chosen.metrics if metrics is None or name in metrics)
    texts = cut_texts()
    said = texts.get(plain_text(hypothesis, part), chosen, language)
    true = texts.get(plain_text(reference, part), chosen, language)
    reason = why_unscored(hypothesis, reference, said, true)
    values: dict[str, float | str] = dict.fromkeys(wanted, reason) if reason else _values(said, true, wanted)
    return tuple(_score(METRICS[name], values[name], language, chosen, part) for name in wanted)


def why_unscored(hypothesis: str, reference: str, said: CutText, true: CutText) -> str:
    """Return why a pair has no language scores at all; empty where it has them."""
    if said.language not in said.profile.words:
        return f"the profile {said.profile.name} is not defined for {said.language.value!r}"
    if not hypothesis.strip():
        return EMPTY_GENERATION
    if not reference.strip():
        return EMPTY_REFERENCE
    for text, plain, empty, no_findings in (
        (hypothesis, said, EMPTY_GENERATION, NO_FINDINGS),
        (reference, true, EMPTY_REFERENCE, NO_REFERENCE_FINDINGS),
    ):
        if plain.is_empty:
            return no_findings if plain_text(text, ReportPart.FULL).strip() else empty
    return ""


@cache
def cut_texts() -> CutTexts:
    """Return the memo of cut texts that all scores of this process share."""
    return CutTexts()


def _values(said: CutText, true: CutText, wanted: Collection[str]) -> dict[str, float | str]:
    values: dict[str, float | str] = {}
    if any(name in wanted for name in BLEUS):
        values.update(zip(BLEUS, true.bleu(said), strict=True))
    if "meteor" in wanted:
        values["meteor"] = true.meteor(said)
    if "rougeL" in wanted:
        values["rougeL"] = _ROUGE[true.profile.rouge](said, true)
    if "chrf" in wanted:
        values["chrf"] = true.chrf(said)
    return values


def _rouge_sets(said: CutText, true: CutText) -> float | str:
    if len(said.words) * len(true.words) > rouge_sets.LARGEST_TABLE:
        return TOO_LONG
    return rouge_sets.rouge_sets_score(said.words, true.words)


_ROUGE: Mapping[RougeForm, Callable[[CutText, CutText], float | str]] = MappingProxyType(
    {RougeForm.LCS: lambda said, true: true.rouge(said), RougeForm.SETS: _rouge_sets}
)


def _score(metric: Metric, value: float | str, language: Language, profile: Profile, part: ReportPart) -> Score:
    """Return the score of a value, or of the reason why there is none."""
    line = metric.signature(language, profile, part)
    if isinstance(value, str):
        return Score(metric.name, None, line, value)
    if not math.isfinite(value):
        return Score(metric.name, None, line, "no finite value")
    return Score(metric.name, value, line)
