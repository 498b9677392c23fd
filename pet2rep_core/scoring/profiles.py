"""Named ways of making the language scores: which words, which metrics, whose definition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from pet2rep_core.errors import UnknownNameError
from pet2rep_core.records import Language
from pet2rep_core.scoring.tokens import (
    CHARACTERS,
    ENGLISH_WORDS,
    JIEBA,
    JIEBA_WITH_SPACES,
    LOWER_CHARACTERS,
    SPACES,
    Tokenizer,
)

DEFAULT_PROFILE = "reference"
NLG_METRICS = ("bleu1", "bleu2", "bleu3", "bleu4", "meteor", "rougeL", "chrf")
"""Every language metric, in the order in which tables show them."""


class ReportPart(StrEnum):
    """How much of a report the language scores read."""

    FULL = "full"
    FINDINGS = "findings"


class RougeForm(StrEnum):
    """Whose ROUGE-L: that of rouge_score, or the sets of words of the package ``rouge``."""

    LCS = "f1"
    SETS = "f1-sets"


@dataclass(frozen=True, slots=True)
class Profile:
    """One way of making the language scores.

    Parameters
    ----------
    words : mapping of Language to Tokenizer
        Words of BLEU and ROUGE-L; a language that is not there has no scores under this profile.
    meteor_words : mapping of Language to Tokenizer
        Words of METEOR.
    confirmed : bool
        False where the profile is a guess at a definition that nobody has published.
    """

    name: str
    label: str
    description: str
    words: Mapping[Language, Tokenizer]
    meteor_words: Mapping[Language, Tokenizer]
    metrics: tuple[str, ...] = NLG_METRICS
    rouge: RougeForm = RougeForm.LCS
    confirmed: bool = True


_WORDS = MappingProxyType({Language.CHINESE: JIEBA, Language.ENGLISH: ENGLISH_WORDS})
_CHARACTERS = MappingProxyType({Language.CHINESE: CHARACTERS, Language.ENGLISH: LOWER_CHARACTERS})

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            Profile(
                "reference",
                "Reference",
                "Slot brackets removed. Chinese: jieba 0.42.1, exact mode, hidden Markov model, white space dropped, "
                "punctuation kept. English: lower-case words and punctuation. BLEU without smoothing, ROUGE-L as "
                "F1, METEOR with exact and stem matches, chrF of characters.",
                _WORDS,
                _WORDS,
            ),
            Profile(
                "table-1",
                "Table 1 (not confirmed)",
                "The closest known match to Table 1 of the PET2Rep paper, which does not say how its scores were "
                "made; not confirmed. jieba words with white space kept, BLEU without smoothing, ROUGE-L of the "
                "package rouge (sets of words), METEOR on the pieces between white space: a Chinese paragraph is one "
                "word there, so this METEOR says little about the report. Chinese only.",
                MappingProxyType({Language.CHINESE: JIEBA_WITH_SPACES}),
                MappingProxyType({Language.CHINESE: SPACES}),
                metrics=("bleu1", "bleu2", "bleu3", "bleu4", "meteor", "rougeL"),
                rouge=RougeForm.SETS,
                confirmed=False,
            ),
            Profile(
                "characters",
                "Characters",
                "Slot brackets removed, every character but white space is a word: no word cutter and no dictionary "
                "can move these scores. Otherwise as Reference; English in lower case.",
                _CHARACTERS,
                _CHARACTERS,
            ),
        )
    }
)


def find_profile(name: str) -> Profile:
    """Return a profile by its name.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    if name not in PROFILES:
        raise UnknownNameError("score profile", name, PROFILES)
    return PROFILES[name]
