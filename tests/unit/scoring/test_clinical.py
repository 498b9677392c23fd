"""Clinical efficacy, counted by hand."""

import pytest

from pet2rep_core.records import Language
from pet2rep_core.scoring.clinical import Agreement, score_clinical

REFERENCE = "影像所见：脑FDG摄取减低。右肺结节FDG代谢增高。肝脏FDG代谢增高。脾脏FDG摄取正常。影像诊断：胃FDG代谢增高。"
HYPOTHESIS = "脑FDG摄取增高。右肺结节FDG代谢增高。肝脏FDG摄取未见异常。脾脏FDG代谢增高。"


def test_organ_table_and_numbers():
    result = score_clinical(HYPOTHESIS, REFERENCE, Language.CHINESE)
    rows = {row.organ: row for row in result.rows}
    assert len(rows) == 33
    assert {organ: rows[organ].agreement for organ in ("brain", "lung", "liver", "spleen", "stomach")} == {
        "brain": Agreement.DIFFERS,
        "lung": Agreement.MATCH,
        "liver": Agreement.MISSED,
        "spleen": Agreement.INVENTED,
        "stomach": Agreement.BOTH_UNSTATED,
    }
    # Witness: by hand. Increased: lung right; brain and spleen wrong; liver missed. Decreased: brain missed.
    increased, decreased, absent = result.classes
    assert (increased.tp, increased.fp, increased.fn) == (1, 2, 1)
    assert (decreased.tp, decreased.fp, decreased.fn) == (0, 0, 1)
    assert increased.precision == pytest.approx(1 / 3)
    assert increased.recall == pytest.approx(1 / 2)
    assert increased.f1 == pytest.approx(2 / 5)
    assert (decreased.precision, decreased.recall, decreased.f1) == (0, 0, 0)
    assert (absent.precision, absent.reason) == (None, "no absent uptake in either report")
    assert result.precision == pytest.approx(1 / 6)
    assert result.recall == pytest.approx(1 / 4)
    assert result.f1_macro == pytest.approx(1 / 5)
    assert result.f1_table == pytest.approx(2 * (1 / 6) * (1 / 4) / (1 / 6 + 1 / 4))
    assert [score.value for score in result.scores] == [result.precision, result.recall, result.f1_table]


def test_evidence_counts_from_the_start_of_each_report():
    result = score_clinical(HYPOTHESIS, REFERENCE, Language.CHINESE)
    lung = next(row for row in result.rows if row.organ == "lung")
    (said,), (true,) = lung.hypothesis_evidence, lung.reference_evidence
    assert HYPOTHESIS[said.start : said.end] == said.text == "FDG代谢增高"
    assert REFERENCE[true.organ_start : true.organ_end] == "右肺"


def test_a_report_against_itself_is_perfect():
    result = score_clinical(REFERENCE, REFERENCE, Language.CHINESE)
    assert (result.precision, result.recall, result.f1_macro, result.f1_table) == (1, 1, 1, 1)


def test_two_normal_reports_have_no_number_but_a_reason():
    result = score_clinical("肝脏FDG摄取正常。", "脾脏FDG摄取正常。", Language.CHINESE)
    assert {(s.value, s.reason) for s in result.scores} == {(None, "no positive state in either report")}
    assert {row.agreement for row in result.rows} == {Agreement.MATCH, Agreement.BOTH_UNSTATED}


def test_an_empty_generation_has_a_reason_and_counts_as_having_missed_everything():
    empty, whole = (score_clinical(said, REFERENCE, Language.CHINESE) for said in ("", REFERENCE))
    assert {(s.value, s.reason) for s in empty.scores} == {(None, "empty generation")}
    assert empty.unscored == 1
    assert [(c.tp, c.fp, c.fn) for c in empty.classes] == [(0, 0, c.tp) for c in whole.classes]
    assert sum(c.tp for c in whole.classes) > 0


def test_english():
    result = score_clinical(
        "No abnormal FDG uptake in the liver.", "There is increased FDG uptake in the liver.", Language.ENGLISH
    )
    assert next(r for r in result.rows if r.organ == "liver").agreement is Agreement.MISSED
