"""A person overrules a cell: both values stay, scores exist in both forms, and it can be taken back."""

import pytest

from pet2rep_core.errors import StoreError, UnknownNameError
from pet2rep_core.records import Language, UptakeState
from pet2rep_core.scoring.clinical import CellSide
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow.generate import generate_report
from pet2rep_core.workflow.overrule import open_cell, overrule_cell, withdraw_overrule
from pet2rep_core.workflow.score import score_generation
from pet2rep_core.workflow.score_pairs import NOT_OVERRULED
from pet2rep_core.workflow.score_run import plan_scores, score_planned

INCREASED, NORMAL = UptakeState.INCREASED, UptakeState.NORMAL


@pytest.fixture
def copy(study, store):
    return generate_report(store, "a", "scripted", Language.ENGLISH, behaviour=Behaviour.COPY).generation_id


def overruled_lines(store, generation_id):
    return {s.score.metric: s.score for s in store.scores(generation_id) if "cells:overruled" in s.score.signature}


def an_organ(store, copy):
    row = next(row for row in score_generation(store, copy).clinical.rows if row.hypothesis == (INCREASED,))
    return row.organ


def test_both_values_and_both_forms_of_the_scores(store, copy):
    organ = an_organ(store, copy)
    before = score_generation(store, copy)
    assert (before.overruled, before.overruled_scores, overruled_lines(store, copy)) == (None, (), {})
    overrule_cell(store, copy, CellSide.HYPOTHESIS, organ, [NORMAL], author="R01", reason="only a shadow")
    after = score_generation(store, copy)
    assert after.scores == before.scores
    row = next(row for row in after.overruled.rows if row.organ == organ)
    assert (row.reference, row.hypothesis, row.automatic.hypothesis) == ((INCREASED,), (NORMAL,), (INCREASED,))
    assert row.agreement.value == "missed"
    assert [one.overrule.reason for one in after.overrules] == ["only a shadow"]
    lines = overruled_lines(store, copy)
    assert set(lines) == {"ce_precision", "ce_recall", "ce_f1", "omissions", "hallucinations"}
    # its impression still says that the organ is positive, so that nothing is omitted
    assert (lines["ce_recall"].value, lines["omissions"].value) == (after.overruled.recall, 0)
    assert lines["ce_recall"].value < 1
    automatic = {s.score.metric: s.score for s in store.scores(copy) if "cells:" not in s.score.signature}
    assert (automatic["ce_recall"].value, automatic["omissions"].value) == (1, 0)


def test_a_cell_shows_automatic_value_evidence_and_history(store, copy):
    organ = an_organ(store, copy)
    fresh = open_cell(store, copy, CellSide.HYPOTHESIS, organ)
    assert (fresh.automatic, fresh.overruled, fresh.history) == ((INCREASED,), None, ())
    assert fresh.evidence
    overrule_cell(store, copy, CellSide.HYPOTHESIS, organ, [], author="R01", reason="a")
    overrule_cell(store, copy, CellSide.HYPOTHESIS, organ, [UptakeState.ABSENT, INCREASED], author="R02", reason="b")
    view = open_cell(store, copy, CellSide.HYPOTHESIS, organ)
    assert (view.automatic, view.overruled) == ((INCREASED,), (INCREASED, UptakeState.ABSENT))
    assert [(one.overrule.author, one.overrule.automatic) for one in view.history] == [
        ("R01", ("increased",)), ("R02", ("increased",)),
    ]  # fmt: skip


def test_a_cell_of_the_reference_counts_for_every_report_of_the_case(store, copy):
    organ = an_organ(store, copy)
    other = generate_report(store, "a", "template", Language.ENGLISH).generation_id
    elsewhere = generate_report(store, "c", "template", Language.ENGLISH).generation_id
    overrule_cell(store, copy, CellSide.REFERENCE, organ, [NORMAL], author="R01", reason="a")
    assert score_generation(store, other).overruled is not None
    assert score_generation(store, elsewhere).overruled is None
    chinese = generate_report(store, "a", "template", Language.CHINESE).generation_id
    assert score_generation(store, chinese).overruled is None


def test_what_is_taken_back_leaves_a_reason_and_no_old_number(store, copy, settings):
    organ = an_organ(store, copy)
    overrule_cell(store, copy, CellSide.HYPOTHESIS, organ, [NORMAL], author="R01", reason="a")
    assert [one.made for one in score_planned(store, settings, plan_scores(store, images=False))] == [5]
    withdraw_overrule(store, copy, CellSide.HYPOTHESIS, organ, author="R02", reason="misread")
    assert open_cell(store, copy, CellSide.HYPOTHESIS, organ).overruled is None
    assert plan_scores(store, images=False).total == 1
    assert list(score_planned(store, settings, plan_scores(store, images=False)))
    assert {(s.value, s.reason) for s in overruled_lines(store, copy).values()} == {(None, NOT_OVERRULED)}
    assert plan_scores(store, images=False).total == 0
    assert store.verify() == []


def test_refusals(store, copy):
    with pytest.raises(UnknownNameError, match="Did you mean 'liver'"):
        overrule_cell(store, copy, CellSide.HYPOTHESIS, "livr", [NORMAL], author="R01", reason="a")
    with pytest.raises(StoreError, match="no reason"):
        overrule_cell(store, copy, CellSide.HYPOTHESIS, "liver", [NORMAL], author="R01", reason=" ")
    with pytest.raises(StoreError, match="cannot be a reader's name"):
        overrule_cell(store, copy, CellSide.HYPOTHESIS, "liver", [NORMAL], author="Dr. Wang", reason="a")
    with pytest.raises(StoreError, match="not overruled"):
        withdraw_overrule(store, copy, CellSide.HYPOTHESIS, "liver", author="R01", reason="a")
    assert store.overrules() == []
