"""Language scores by hand, by laws, and against the libraries that they are known from."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.report_texts import ReportWriter
from pet2rep_core.errors import SettingsError, UnknownNameError
from pet2rep_core.records import Language
from pet2rep_core.scoring.nlg import METRICS, find_metric, score_nlg
from pet2rep_core.scoring.profiles import PROFILES, ReportPart
from pet2rep_core.scoring.signature import signature
from pet2rep_core.scoring.verify import verify_scores

ZH, EN = Language.CHINESE, Language.ENGLISH
NOT_INSTALLED = "needs a library that is not installed"


def values(hypothesis: str, reference: str, language: Language, **options: object) -> dict[str, float | None]:
    return {score.metric: score.value for score in score_nlg(hypothesis, reference, language, **options)}


def differences(hypothesis: str, reference: str, language: Language, profile: str) -> list[object]:
    """Return the checks that are not equal to the last bit, those without their library left out."""
    checks = verify_scores(hypothesis, reference, language, profile=profile)
    assert any(check.difference == 0 for check in checks)
    return [check for check in checks if check.difference != 0 and NOT_INSTALLED not in check.reason]


def test_scores_by_hand():
    # Witness: by hand. 5 of 6 words and 3 of 5 pairs of words are in the reference.
    got = values("the cat sat on a mat", "the cat sat on the mat", EN)
    assert got["bleu1"] == pytest.approx(5 / 6)
    assert got["bleu2"] == pytest.approx(math.sqrt(5 / 6 * 3 / 5))
    assert got["rougeL"] == pytest.approx(5 / 6)
    # METEOR: F = 5/6. nltk pairs from the right, so "the" goes to the second one: chunks "the", "cat sat on", "mat".
    assert got["meteor"] == pytest.approx(5 / 6 * (1 - 0.5 * (3 / 5) ** 3))


def test_chrf_by_hand():
    # Witness: by hand. "abc" against "abd": 2 of 3 letters, 1 of 2 pairs, 0 of 1 triple are there; means are equal.
    assert values("ab c", "abd", EN)["chrf"] == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)


def test_a_short_generation_has_the_brevity_penalty():
    # Witness: by hand. All 3 words match; the reference has 6.
    assert values("the cat sat", "the cat sat on the mat", EN)["bleu1"] == pytest.approx(math.exp(1 - 6 / 3))


def test_rouge_of_the_package_counts_sets_of_words():
    # Witness: by hand and rouge 1.0.1. Words of the reference {肝脏, 脾脏, 。}, of the output {肝脏, 。}, common 2.
    got = values("肝脏。肝脏。肝脏。", "肝脏。脾脏。", ZH, profile="table-1")["rougeL"]
    assert got == pytest.approx(2 * (1 * 2 / 3) / (1 + 2 / 3), abs=1e-8)
    assert values("肝脏。肝脏。肝脏。", "肝脏。脾脏。", ZH)["rougeL"] == pytest.approx(
        2 * (3 / 6) * (3 / 4) / (3 / 6 + 3 / 4)
    )


def test_meteor_of_table_1_sees_a_paragraph_as_one_word():
    # Witness: nltk, as worked out for the benchmark's template: 1 word of 7 matches, the reference has 3.
    got = values("影像所见： a b c d e f", "影像所见： x y", ZH, profile="table-1")["meteor"]
    assert got == pytest.approx(0.5 / (0.9 * 3 + 0.1 * 7), abs=1e-12)


def test_meteor_matches_stems_and_knows_no_synonyms():
    assert values("lungs", "lung", EN)["meteor"] == pytest.approx(0.5)
    assert values("automobile", "car", EN)["meteor"] == 0


def test_findings_only():
    whole, findings = "影像所见：肝脏正常。\n影像诊断：肝癌。", "影像所见：肝脏正常。\n影像诊断：未见异常。"
    assert values(whole, findings, ZH, part=ReportPart.FINDINGS)["bleu1"] == 1
    assert values(whole, findings, ZH)["bleu1"] < 1
    reasons = {s.reason for s in score_nlg("影像诊断：肝癌。", whole, ZH, part=ReportPart.FINDINGS)}
    assert reasons == {"no findings in the generated report"}
    reasons = {s.reason for s in score_nlg(whole, "影像诊断：肝癌。", ZH, part=ReportPart.FINDINGS)}
    assert reasons == {"no findings in the reference report"}


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("hypothesis", ["", " \n", "[]【】", "\u3000\t\x1f"])
@pytest.mark.parametrize("profile", ["reference", "characters"])
def test_an_empty_generation_has_a_reason_and_no_number(hypothesis, language, profile):
    for score in score_nlg(hypothesis, "肝 liver", language, profile=profile):
        assert (score.value, score.reason) == (None, "empty generation")


def test_an_empty_reference_has_a_reason_and_no_number():
    assert {s.reason for s in score_nlg("liver", "", EN)} == {"empty reference"}


def test_a_language_without_the_profile_has_a_reason_and_no_number():
    scores = score_nlg("liver", "liver", EN, profile="table-1")
    assert [s.metric for s in scores] == ["bleu1", "bleu2", "bleu3", "bleu4", "meteor", "rougeL"]
    assert {(s.value, s.reason) for s in scores} == {(None, "the profile table-1 is not defined for 'en'")}


def test_nothing_in_common_is_zero_and_silent(recwarn):
    assert values("脾脏增大", "liver", ZH) == pytest.approx(dict.fromkeys(METRICS, 0.0), abs=1e-70)
    assert not recwarn.list


def test_only_the_metrics_that_were_asked_for():
    assert list(values("肝", "肝", ZH, metrics=("rougeL", "bleu2"))) == ["bleu2", "rougeL"]
    with pytest.raises(UnknownNameError, match="no metric named 'chrf'"):
        score_nlg("肝", "肝", ZH, profile="table-1", metrics=("chrf",))
    with pytest.raises(UnknownNameError, match="Did you mean 'reference'"):
        score_nlg("肝", "肝", ZH, profile="refrence")


# Witnesses: nltk 3.10.4, rouge_score 0.1.2 and, where they are installed, rouge 1.0.1 and sacrebleu.
@pytest.mark.parametrize(
    ("language", "profile", "count"),
    [(ZH, "reference", 25), (ZH, "characters", 4), (ZH, "table-1", 8), (EN, "reference", 5), (EN, "characters", 1)],
)
def test_every_number_is_its_witness_to_the_last_bit_on_reports(language, profile, count):
    writer = ReportWriter(language, seed=7)
    for _ in range(count):
        reference = writer.reference()
        assert differences(writer.output(reference), reference, language, profile) == []


WORD = st.sampled_from(
    ["肝脏", "FDG", "fdg", "摄取", "未见", "异常", "，", "。", " ", "\n", "3.5", "cm", "nodule ", "nodules ",
     "Nodular ", ".", "increase ", "increased ", "increases ", "İ", "ß", "\U00020000"]
)  # fmt: skip
TEXT = st.lists(WORD, max_size=40).map("".join)


@settings(max_examples=150, deadline=None)
@given(
    hypothesis=TEXT, reference=TEXT, language=st.sampled_from(list(Language)), profile=st.sampled_from(list(PROFILES))
)
def test_every_score_is_its_witness_to_the_last_bit_or_has_a_reason(hypothesis, reference, language, profile):
    scores = score_nlg(hypothesis, reference, language, profile=profile)
    for score in scores:
        assert (score.value is None) == bool(score.reason)
        assert score.value is None or 0 <= score.value <= 1 + 1e-12
    for check in verify_scores(hypothesis, reference, language, profile=profile, scores=scores):
        assert check.difference == 0 or check.reason
        assert not check.differs


def test_signatures():
    assert signature("rougeL", version=1, tok="jieba-0.42.1", agg="case") == "rougeL|agg:case|tok:jieba-0.42.1|v:1"
    with pytest.raises(SettingsError, match="cannot stand in a signature"):
        signature("rougeL", version=1, tok="a|b")


def test_unknown_metric_offers_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'bleu4'"):
        find_metric("bleu-4")
