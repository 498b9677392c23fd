"""What every metric of the registry must obey."""

import pytest

from pet2rep_core.records import Language
from pet2rep_core.scoring.nlg import METRICS, score_nlg

TEXTS = {
    Language.CHINESE: ("肝脏形态正常，FDG摄取未见异常。", "脾脏增大，FDG代谢增高。"),
    Language.ENGLISH: ("The liver is normal without FDG uptake.", "An enlarged spleen shows hypermetabolism!"),
}
CASES = [(name, language) for name in METRICS for language in Language]


def value(name: str, hypothesis: str, reference: str, language: Language) -> float | None:
    return next(s.value for s in score_nlg(hypothesis, reference, language) if s.metric == name)


@pytest.mark.parametrize(("name", "language"), CASES)
def test_a_text_against_itself_is_best(name, language):
    one, other = TEXTS[language]
    best, worse = value(name, one, one, language), value(name, other, one, language)
    assert best is not None
    assert worse is not None
    # METEOR counts one chunk even in a perfect match, so it stays just below 1.
    assert best == pytest.approx(1, abs=0.001)
    assert 0 <= worse < best


@pytest.mark.parametrize(("name", "language"), CASES)
def test_brackets_of_slots_do_not_count(name, language):
    one, other = TEXTS[language]
    assert value(name, f"[{other}]", f"【{one}】", language) == value(name, other, one, language)


@pytest.mark.parametrize(("name", "language"), CASES)
def test_signature_form(name, language):
    parts = METRICS[name].signature(language).split("|")
    keys = [part.split(":")[0] for part in parts[1:]]
    assert parts[0] == name
    assert keys[-1] == "v"
    assert keys[:-1] == sorted(keys[:-1])


@pytest.mark.parametrize(("name", "language"), CASES)
def test_an_empty_generation_is_unscored(name, language):
    assert value(name, "", TEXTS[language][0], language) is None
