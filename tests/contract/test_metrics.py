"""What every metric of the registry must obey."""

import pytest

from pet2rep_core.records import Language
from pet2rep_core.scoring.nlg import METRICS, score_nlg
from pet2rep_core.scoring.profiles import PROFILES, Profile

TEXTS = {
    Language.CHINESE: ("肝脏形态正常，FDG摄取未见异常。", "脾脏增大，FDG代谢增高。"),
    Language.ENGLISH: ("The liver is normal without FDG uptake.", "An enlarged spleen shows hypermetabolism!"),
}
CASES = [
    (name, language, profile)
    for profile in PROFILES.values()
    for language in profile.words
    for name in profile.metrics
]  # fmt: skip


def value(name: str, hypothesis: str, reference: str, language: Language, profile: Profile) -> float | None:
    return score_nlg(hypothesis, reference, language, profile=profile.name, metrics=(name,))[0].value


@pytest.mark.parametrize(("name", "language", "profile"), CASES)
def test_a_text_against_itself_is_best(name, language, profile):
    one, other = TEXTS[language]
    best, worse = value(name, one, one, language, profile), value(name, other, one, language, profile)
    assert best is not None
    assert worse is not None
    # METEOR counts one chunk even in a perfect match; in table-1 the text is one word, so the half of it is left.
    assert best == pytest.approx(0.5 if (name, profile.name) == ("meteor", "table-1") else 1, abs=0.001)
    assert 0 <= worse < best


@pytest.mark.parametrize(("name", "language", "profile"), CASES)
def test_brackets_of_slots_do_not_count(name, language, profile):
    one, other = TEXTS[language]
    assert value(name, f"[{other}]", f"【{one}】", language, profile) == value(name, other, one, language, profile)


@pytest.mark.parametrize(("name", "language", "profile"), CASES)
def test_signature_form(name, language, profile):
    parts = METRICS[name].signature(language).split("|")
    keys = [part.split(":")[0] for part in parts[1:]]
    assert parts[0] == name
    assert keys[-1] == "v"
    assert keys[:-1] == sorted(keys[:-1])


@pytest.mark.parametrize(("name", "language", "profile"), CASES)
def test_an_empty_generation_is_unscored(name, language, profile):
    assert value(name, "", TEXTS[language][0], language, profile) is None
