"""All checks together: scores, signatures, reasons, odd texts; and the memo behind them."""

import json

import pytest

from pet2rep_core.errors import UnknownNameError
from pet2rep_core.records import Language, UptakeState
from pet2rep_core.report import uptake
from pet2rep_core.scoring import read_text
from pet2rep_core.scoring.checks import CHECKS, FROM_CELLS, Given, check_report, find_check
from pet2rep_core.scoring.clinical import CellSide, overrule_clinical, score_clinical
from pet2rep_core.scoring.read_text import ReadTexts, lexicon_mark, read_texts

ZH = Language.CHINESE
REFERENCE = (
    "影像所见：右肺结节，大小约2.0cm，FDG代谢增高，SUVmax 8.0。脾脏FDG代谢未见异常。\n影像诊断：右肺结节FDG代谢增高。"
)
HYPOTHESIS = (
    "影像所见：左肺结节，大小约4.0cm，FDG代谢增高，SUVmax 8.1。脾脏FDG代谢增高。前列腺[增大]。姓名：王建国\n"
    "影像诊断：两肺FDG代谢未见异常。"
)
GIVEN = Given("影像所见：脾脏FDG代谢【增高】。\n影像诊断：【】", "写报告。", {"sex": "F"})


def values(checks):
    return {score.metric: score.value for score in checks.scores}


def test_scores_counted_by_hand():
    checks = check_report(HYPOTHESIS, REFERENCE, ZH, GIVEN)
    found = values(checks)
    copied = len("脾脏FDG代谢增高") / sum(
        map(len, ("左肺结节，大小约4.0cm，FDG代谢增高，SUVmax8.1", "脾脏FDG代谢增高", "两肺FDG代谢未见异常"))
    )
    # Witness: by hand; headings do not count, "前列腺增大" and "王建国" are too short
    assert found.pop("template_copy") == pytest.approx(copied)
    assert found == {
        "laterality_errors": 1, "suvmax_f1": 1.0, "size_f1": 0.0, "omissions": 0, "hallucinations": 1,
        "structure": 1.0, "slots_left": 1, "fabricated_identity": 1, "metadata_conflicts": 1, "contradictions": 1,
        "reference_contradictions": 0,
    }  # fmt: skip
    assert set(checks.details) == {
        "laterality_errors", "suvmax_f1", "size_f1", "hallucinations", "slots_left", "fabricated_identity",
        "metadata_conflicts", "contradictions",
    }  # fmt: skip
    assert json.loads(json.dumps(checks.details))["fabricated_identity"][0]["value"] == "王建国"


def test_every_row_of_the_registry_has_a_score_and_a_signature():
    for language in Language:
        scores = check_report("", "", language).scores
        assert [score.metric for score in scores] == list(CHECKS)
        for score in scores:
            assert score.signature == CHECKS[score.metric].signature(language)
            assert ("extractor:" in score.signature) is CHECKS[score.metric].extracted
            assert (score.value, score.reason) == (None, "empty generation")
    with pytest.raises(UnknownNameError, match="Did you mean 'omissions'"):
        find_check("omission")


def test_what_cannot_be_said_has_its_reason():
    reasons = {s.metric: s.reason for s in check_report("肝脏。", "肝脏。", ZH).scores if s.value is None}
    assert reasons == {
        "laterality_errors": "no organ with a side in both reports",
        "suvmax_f1": "no SUVmax in either report",
        "size_f1": "no size in either report",
        "structure": "the template has no headings",
        "template_copy": "no sentence long enough",
        "metadata_conflicts": "sex and age of the patient are not known",
        "contradictions": "findings and impression share no organ",
        "reference_contradictions": "findings and impression of the reference share no organ",
    }


def test_the_reference_against_itself_is_without_fault():
    found = values(check_report(REFERENCE, REFERENCE, ZH, GIVEN))
    assert found["suvmax_f1"] == found["size_f1"] == 1.0
    assert {found[name] for name in ("laterality_errors", "omissions", "hallucinations", "contradictions")} == {0}


def test_an_overruled_cell_moves_the_scores_of_cells_alone_and_says_so():
    automatic = score_clinical(HYPOTHESIS, REFERENCE, ZH)
    changed = overrule_clinical(automatic, {(CellSide.HYPOTHESIS, "spleen"): (UptakeState.NORMAL,)})
    row = next(row for row in changed.rows if row.organ == "spleen")
    assert (row.hypothesis, row.automatic.hypothesis) == ((UptakeState.NORMAL,), (UptakeState.INCREASED,))
    assert row.agreement.value == "match"
    # Witness: by hand. Lung right, spleen wrong: P = 1/2, R = 1; then P = R = 1.
    assert (automatic.precision, automatic.recall) == (0.5, 1.0)
    assert (changed.precision, changed.recall) == (1.0, 1.0)
    before = {s.metric: s for s in check_report(HYPOTHESIS, REFERENCE, ZH, GIVEN).scores}
    after = {s.metric: s for s in check_report(HYPOTHESIS, REFERENCE, ZH, GIVEN, clinical=changed).scores}
    assert {name for name in before if before[name] != after[name]} == set(FROM_CELLS)
    assert (before["hallucinations"].value, after["hallucinations"].value) == (1, 0)
    assert all("cells:overruled" in after[name].signature for name in FROM_CELLS)
    assert all("cells:overruled" in score.signature for score in changed.scores)
    with pytest.raises(UnknownNameError, match="no organ named 'livr'"):
        overrule_clinical(automatic, {(CellSide.HYPOTHESIS, "livr"): ()})


@pytest.mark.parametrize(
    "text",
    [
        "[]", "{}" * 500, "# " * 2000, '{"report": "肝脏FDG代谢增高"}', "- 肝脏\n" * 3000, "\x00\x1b[31m",
        "<b>肝</b>" * 50, "\u202e肝脏FDG代谢增高。", "\ud800", "医院" * 5000, "2023年" * 5000,
        "The liver shows increased uptake. " * 500,
    ],
    ids=range(12),
)  # fmt: skip
def test_odd_texts_are_checked_and_crash_nothing(text):
    for language in Language:
        assert len(check_report(text, REFERENCE, language, GIVEN).scores) == len(CHECKS)


def test_each_text_is_read_once(monkeypatch):
    calls = []

    def counted(text, language, **how):
        calls.append(text)
        return uptake.extract_findings_uptake(text, language, **how)

    monkeypatch.setattr(read_text, "extract_findings_uptake", counted)
    read_texts().forget()
    for hypothesis in ("肝脏FDG代谢增高。", "脾脏FDG代谢增高。", "肝脏FDG代谢增高。"):
        check_report(hypothesis, REFERENCE, ZH, GIVEN)
        score_clinical(hypothesis, REFERENCE, ZH)
    assert sorted(calls) == sorted([REFERENCE, "肝脏FDG代谢增高。", "脾脏FDG代谢增高。"])


def test_the_memo_keeps_what_was_used_last_and_tells_languages_apart():
    memo = ReadTexts(characters=40)
    first = memo.get("a" * 10, ZH)
    assert memo.get("a" * 10, ZH) is first
    assert memo.get("a" * 10, Language.ENGLISH) is not first
    for letter in "bcd":
        memo.get(letter * 10, ZH)
    assert memo.get("a" * 10, ZH) is not first
    long = memo.get("x" * 11, ZH)
    assert memo.get("x" * 11, ZH) is not long  # longer than a quarter of the memo


def test_the_lexicon_marks_the_signatures():
    assert len(lexicon_mark()) == 8
    assert f"lexicon:{lexicon_mark()}" in score_clinical("a", "a", ZH).scores[0].signature
