"""Language scores against other programs, by hand and by laws."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pet2rep_core.errors import SettingsError, UnknownNameError
from pet2rep_core.records import Language
from pet2rep_core.scoring.nlg import METRICS, find_metric, score_nlg
from pet2rep_core.scoring.signature import signature
from pet2rep_core.scoring.tokens import tokenize


def values(hypothesis: str, reference: str, language: Language) -> dict[str, float | None]:
    return {score.metric: score.value for score in score_nlg(hypothesis, reference, language)}


def test_scores_by_hand():
    # Witness: by hand. 5 of 6 words and 3 of 5 pairs of words are in the reference.
    got = values("the cat sat on a mat", "the cat sat on the mat", Language.ENGLISH)
    assert got["bleu1"] == pytest.approx(5 / 6)
    assert got["bleu2"] == pytest.approx(math.sqrt(5 / 6 * 3 / 5))
    assert got["rougeL"] == pytest.approx(5 / 6)
    # METEOR: F = 5/6. nltk pairs from the right, so "the" goes to the second one: chunks "the", "cat sat on", "mat".
    assert got["meteor"] == pytest.approx(5 / 6 * (1 - 0.5 * (3 / 5) ** 3))


def test_meteor_matches_stems_and_knows_no_synonyms():
    assert values("lungs", "lung", Language.ENGLISH)["meteor"] == pytest.approx(0.5)
    assert values("automobile", "car", Language.ENGLISH)["meteor"] == 0


def test_chinese_words_and_dropped_slots():
    # Witness: jieba 0.42.1, jieba.lcut of the same text without brackets and spaces.
    assert tokenize("肝脏[形态正常]， FDG【摄取增高】。", Language.CHINESE) == [
        "肝脏", "形态", "正常", "，", "FDG", "摄取", "增高", "。",
    ]  # fmt: skip


def test_english_words():
    assert tokenize("The 18F-FDG uptake (SUVmax 3.5) isn't [high].", Language.ENGLISH) == [
        "the", "18f-fdg", "uptake", "(", "suvmax", "3.5", ")", "isn't", "high", ".",
    ]  # fmt: skip


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("hypothesis", ["", " \n", "[]【】"])
def test_an_empty_generation_has_a_reason_and_no_number(hypothesis, language):
    for score in score_nlg(hypothesis, "肝 liver", language):
        assert (score.value, score.reason) == (None, "empty generation")


def test_an_empty_reference_has_a_reason_and_no_number():
    assert {s.reason for s in score_nlg("liver", "", Language.ENGLISH)} == {"empty reference"}


def test_nothing_in_common_is_zero_and_silent(recwarn):
    assert values("脾脏增大", "liver", Language.CHINESE) == pytest.approx(dict.fromkeys(METRICS, 0.0), abs=1e-70)
    assert not recwarn.list


TEXT = st.lists(
    st.sampled_from(["肝脏", "FDG", "摄取", "未见", "异常", "，", "。", " ", "\n", "3.5", "cm", "。", "liver "]),
    max_size=30,
).map("".join)


@settings(max_examples=80, deadline=None)
@given(hypothesis=TEXT, reference=TEXT, language=st.sampled_from(list(Language)))
def test_every_score_is_a_share_or_has_a_reason(hypothesis, reference, language):
    for score in score_nlg(hypothesis, reference, language):
        assert (score.value is None) == bool(score.reason)
        assert score.value is None or 0 <= score.value <= 1 + 1e-12


def test_signatures():
    assert signature("rougeL", version=1, tok="jieba-0.42.1", agg="case") == "rougeL|agg:case|tok:jieba-0.42.1|v:1"
    with pytest.raises(SettingsError, match="cannot stand in a signature"):
        signature("rougeL", version=1, tok="a|b")


def test_unknown_metric_offers_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'bleu4'"):
        find_metric("bleu-4")
