"""The check against the reference libraries: it must find a wrong score, and say what it could not do."""

import sys
from dataclasses import replace

import pytest

from pet2rep_core.errors import UnknownNameError
from pet2rep_core.records import Language
from pet2rep_core.scoring.nlg import score_nlg
from pet2rep_core.scoring.profiles import NLG_METRICS
from pet2rep_core.scoring.verify import verify_scores

PAIR = ("肝脏FDG摄取增高，脾脏正常。", "肝脏FDG摄取未见异常，脾脏正常。")


def test_every_metric_names_its_witness():
    checks = verify_scores(*PAIR, Language.CHINESE)
    assert tuple(check.metric for check in checks) == NLG_METRICS
    assert [check.witness.split()[0] for check in checks] == ["nltk"] * 5 + ["rouge-score", "sacrebleu"]
    assert [check.difference for check in checks][:6] == [0.0] * 6


@pytest.mark.parametrize("place", range(6))
def test_a_wrong_score_is_found(place):
    scores = list(score_nlg(*PAIR, Language.CHINESE))
    scores[place] = replace(scores[place], value=scores[place].value + 1e-15)
    checks = verify_scores(*PAIR, Language.CHINESE, scores=scores)
    assert [check.differs for check in checks] == [number == place for number in range(7)]


def test_scores_of_other_kinds_are_passed_over():
    scores = score_nlg(*PAIR, Language.CHINESE, metrics=("meteor",))
    others = (replace(scores[0], metric="ce_f1"),)
    assert [c.metric for c in verify_scores(*PAIR, Language.CHINESE, scores=scores + others)] == ["meteor"]


def test_what_has_no_score_keeps_its_reason():
    assert {(c.difference, c.reason) for c in verify_scores("", "肝", Language.CHINESE)} == {(None, "empty generation")}
    checks = verify_scores("liver", "liver", Language.ENGLISH, profile="table-1")
    assert {c.reason for c in checks} == {"the profile table-1 is not defined for 'en'"}
    assert not any(c.differs for c in checks)


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    [check] = [c for c in verify_scores(*PAIR, Language.CHINESE) if c.metric == "chrf"]
    assert (check.difference, check.differs) == (None, False)
    assert "Install it with: pip install sacrebleu" in check.reason


def test_texts_too_long_for_a_library_are_said(monkeypatch):
    monkeypatch.setattr("pet2rep_core.scoring.verify._SCORE_CELLS", 3)
    [check] = [c for c in verify_scores(*PAIR, Language.CHINESE) if c.metric == "rougeL"]
    # Witness: jieba.lcut of the two texts.
    assert check.reason == "too long for rouge_score: 8 by 8 words"


def test_an_unknown_profile():
    with pytest.raises(UnknownNameError, match="no score profile named 'table1'"):
        verify_scores(*PAIR, Language.CHINESE, profile="table1")


def test_the_package_rouge_itself_where_it_is_installed():
    pytest.importorskip("rouge")
    for said, true in (PAIR, ("a. b. c", "a b. c"), ("1.5 cm  2.5", "2.5. 1.5 cm"), ("肝 。", ". .肝")):
        [check] = [c for c in verify_scores(said, true, Language.CHINESE, profile="table-1") if c.metric == "rougeL"]
        assert check.difference == 0


def test_sacrebleu_itself_where_it_is_installed():
    pytest.importorskip("sacrebleu")
    for said, true in (PAIR, ("a", "abcdefgh"), ("ab cd", "abcd"), ("x", "y"), ("\ud800a", "a")):
        [check] = [c for c in verify_scores(said, true, Language.CHINESE) if c.metric == "chrf"]
        assert check.difference == 0
