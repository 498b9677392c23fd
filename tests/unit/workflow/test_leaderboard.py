"""The leaderboard against numbers that were added up by hand."""

import pytest

from pet2rep_core.records import GenerationStatus, Language
from pet2rep_core.scoring.profiles import ReportPart
from pet2rep_core.scoring.statistics import holm
from pet2rep_core.workflow.generate import generate_report
from pet2rep_core.workflow.leaderboard import BOARD_METRICS, OVERALL_OF, Selection, make_leaderboard
from pet2rep_core.workflow.leaderboard_table import reason_of
from pet2rep_core.workflow.score_book import read_score_book
from pet2rep_core.workflow.score_run import plan_scores, score_planned
from tests.leaderboard_study import (
    CASES,
    CUT,
    DONE,
    EMPTY,
    FAILED,
    LANGUAGE,
    MISSED,
    PERFECT,
    REFUSED,
    add_cases,
    add_entry,
)  # fmt: skip

FEW = 200


def flat(value, cases=CASES):
    return dict.fromkeys(cases, value)


def board(store, **selection):
    return make_leaderboard(read_score_book(store), Selection(LANGUAGE, **selection), resamples=FEW)


def values(row):
    return {name: cell.interval.value for name, cell in row.cells.items()}


def test_means_pooled_cells_and_overall(store):
    add_cases(store)
    add_entry(store, "template", flat(0.2))
    cells = {"c1": PERFECT, "c2": MISSED, "c3": ((1, 2, 0), (1, 0, 0), (0, 0, 0)), "c4": ((0, 0, 0),) * 3}
    add_entry(store, "m", {"c1": 0.1, "c2": 0.2, "c3": 0.3, "c4": 0.6}, cells=cells)
    first, second = board(store).rows
    assert [first.entry.model, second.entry.model] == ["template", "m"]  # the highest Overall first
    # Witness: by hand. increased: TP 2, FP 2, FN 1; decreased: TP 1; absent has no cell and does not count.
    precision, recall = (2 / 4 + 1) / 2, (2 / 3 + 1) / 2
    f1 = 2 * precision * recall / (precision + recall)
    got = values(second)
    assert got["bleu4"] == got["meteor"] == got["rougeL"] == got["chrf"] == pytest.approx(0.3)
    assert (got["ce_precision"], got["ce_recall"], got["ce_f1"]) == pytest.approx((precision, recall, f1))
    assert got["ce_f1_macro"] == pytest.approx((4 / 7 + 1) / 2)
    assert got["overall"] == pytest.approx((3 * 0.3 + precision + recall + f1) / 6)
    # Witness: statistics.stdev([0.1, 0.2, 0.3, 0.6])
    assert second.cells["bleu4"].sd == pytest.approx(0.21602468994692867)
    assert second.cells["ce_f1"].sd is None
    for cell in second.cells.values():
        assert cell.interval.low <= cell.interval.value <= cell.interval.high
    assert values(first)["overall"] == pytest.approx((3 * 0.2 + 3) / 6)


def test_the_difference_to_the_template_is_on_the_same_cases(store):
    add_cases(store)
    add_entry(store, "template", {"c1": 0.1, "c2": 0.2, "c3": 0.3, "c4": 0.4})
    add_entry(store, "m", {"c2": 0.7, "c3": 0.8, "c4": None}, statuses={"c4": EMPTY})
    add_entry(store, "n", flat(0.5))
    made = board(store)
    assert made.template.model == "template"
    rows = {row.entry.model: row for row in made.rows}
    cell = rows["m"].cells["bleu4"]
    assert cell.gain.value == pytest.approx(0.5)  # by hand: 0.75 on c2 and c3, where the template has 0.25
    assert cell.scored == 2
    assert cell.against.difference == pytest.approx(0.5)
    # By hand: of the 2^3 ways of swapping, the empty case moves nothing; 2 of the 4 others are as far from 0.
    assert (cell.against.p_value, cell.against.exact) == (0.5, True)
    assert rows["template"].cells["bleu4"].gain is None
    for name in BOARD_METRICS:
        raw = [rows[model].cells[name].against.p_value for model in ("m", "n")]
        assert [rows[model].cells[name].p_holm for model in ("m", "n")] == list(holm(raw))


def test_without_a_template_nothing_is_compared(store):
    add_cases(store)
    add_entry(store, "m", flat(0.3))
    made = board(store)
    assert made.template is None
    assert made.rows[0].cells["overall"].against is None
    assert made.rows[0].cells["overall"].p_holm is None


def test_cases_and_how_generations_ended(store):
    add_cases(store)
    add_entry(store, "template", flat(0.2))
    ends = {"c1": EMPTY, "c2": REFUSED, "c3": CUT}
    add_entry(store, "m", {"c1": None, "c2": None, "c3": 0.4}, statuses=ends)
    add_entry(store, "waiting", flat(0.1, ("c1", "c2")), statuses={"c2": FAILED}, scored=False)
    made = board(store)
    rows = {row.entry.model: row for row in made.rows}
    assert (made.cases, made.common) == (4, 2)
    assert (rows["m"].cases, rows["m"].scored, rows["m"].unscored) == (3, 1, 0)
    assert rows["m"].statuses == {EMPTY: 1, REFUSED: 1, CUT: 1}
    assert values(rows["m"])["bleu4"] == pytest.approx(0.4)
    # Witness: by hand. The two without a text missed an organ each, the cut one found its own: recall 1 of 3.
    assert values(rows["m"])["ce_recall"] == pytest.approx(1 / 3)
    assert (rows["waiting"].cases, rows["waiting"].unscored) == (2, 1)
    assert rows["waiting"].statuses == {DONE: 1, FAILED: 1}
    assert rows["waiting"].cells["overall"].missing == OVERALL_OF
    assert reason_of(rows["waiting"].cells["overall"]).startswith("missing of the six: bleu4, meteor")
    assert reason_of(rows["waiting"].cells["bleu4"]) == "no case is scored"
    assert made.rows[-1] is rows["waiting"]  # what has no Overall stands last

    same = board(store, same_cases=True)
    assert same.cases == 2
    assert {row.cases for row in same.rows} == {2}


def test_overall_is_undefined_where_one_of_the_six_is(store):
    add_cases(store)
    nothing = dict.fromkeys(CASES, ((0, 0, 0),) * 3)
    add_entry(store, "m", flat(0.3), cells=nothing)
    [row] = board(store).rows
    assert values(row)["overall"] is None
    assert row.cells["overall"].missing == ("ce_precision", "ce_recall", "ce_f1")
    assert reason_of(row.cells["overall"]) == "missing of the six: ce_precision, ce_recall, ce_f1"
    assert reason_of(row.cells["ce_f1"]) == "undefined on these cases"
    assert reason_of(row.cells["bleu4"]) == ""


def test_runs_of_one_model_are_told_apart_or_joined(store):
    add_cases(store)
    for behaviour in ("copy", "omit"):
        add_entry(store, "scripted", flat(0.3), parameters={"behaviour": behaviour})
    # the prompt came with the case: two runs, no case in both, so one entry
    add_entry(store, "joined", {"c1": 0.1, "c2": 0.1}, prompt="1")
    add_entry(store, "joined", {"c3": 0.3, "c4": 0.3}, prompt="2")
    # two tries at the same case: two entries
    add_entry(store, "again", flat(0.1), prompt="1")
    add_entry(store, "again", flat(0.2, ("c1",)), prompt="2")
    rows = board(store).rows
    assert sorted(row.entry.label for row in rows) == [
        "again (run=r-again-text-only-1-en)", "again (run=r-again-text-only-2-en)", "joined",
        "scripted (behaviour=copy)", "scripted (behaviour=omit)",
    ]  # fmt: skip
    [joined] = [row for row in rows if row.entry.model == "joined"]
    assert (joined.cases, values(joined)["bleu4"]) == (4, pytest.approx(0.2))
    assert {row.entry.group for row in rows} == {"model", "demonstration"}


def test_separate_against_fused(store):
    add_cases(store)
    add_entry(store, "m", flat(0.3), setting="separate")
    add_entry(store, "m", flat(0.5), setting="fused")
    add_entry(store, "alone", flat(0.5), setting="fused")
    [pair] = board(store).pairs
    interval, test, p_holm = pair.gains["bleu4"]
    assert (pair.separate.input_setting, pair.fused.input_setting) == ("separate", "fused")
    assert interval.value == pytest.approx(0.2)
    assert p_holm == test.p_value == 2 / 16  # by hand: 2 of the 2^4 ways of swapping are as far from 0


def test_agreement_by_organ_counts_positive_organs_alone(store):
    add_cases(store)
    add_entry(store, "m", flat(0.3), agreement="missed")
    made = board(store)
    assert set(made.organs) == {"liver"}
    [cell] = made.organs["liver"].values()
    assert (cell.match, cell.missed, cell.cases) == (0, 4, 4)


def test_datasets_are_kept_apart(store):
    add_cases(store, ("c1", "c2"), "one")
    add_cases(store, ("c3", "c4"), "two")
    add_entry(store, "m", {"c1": 0.1, "c2": 0.1, "c3": 0.3, "c4": 0.3})
    add_entry(store, "only-one", {"c1": 0.1, "c2": 0.1})
    made = board(store, datasets=("two",))
    assert [(row.entry.model, row.cases) for row in made.rows] == [("m", 2)]
    assert values(made.rows[0])["bleu4"] == pytest.approx(0.3)


def test_scores_of_other_versions_are_counted_and_left_out(store):
    add_cases(store)
    add_entry(store, "m", flat(0.3), version="9")
    book = read_score_book(store)
    assert (book.rows, book.passed_over) == (4 * 3, 4 * 7)
    assert book.languages == ()


def test_an_empty_store_has_no_rows(store):
    book = read_score_book(store)
    assert (book.entries, book.languages, book.rows) == ((), (), 0)
    made = make_leaderboard(book, Selection(LANGUAGE), resamples=FEW)
    assert (made.rows, made.cases, made.common, made.template) == ((), 0, 0, None)


def test_the_same_scores_have_the_same_hash_and_others_another(store):
    add_cases(store)
    add_entry(store, "m", flat(0.3))
    first = read_score_book(store).sha256
    assert read_score_book(store).sha256 == first
    add_entry(store, "n", flat(0.3))
    assert read_score_book(store).sha256 != first


def test_real_scores_make_a_leaderboard_without_scoring_again(study, store, monkeypatch):
    """A generated and scored study; the leaderboard cuts no text."""
    for model in ("template", "scripted"):
        generate_report(store, "a", model, Language.ENGLISH)
        generate_report(store, "c", model, Language.ENGLISH)
    assert len(list(score_planned(store, None, plan_scores(store, images=False)))) == 4
    monkeypatch.setattr("pet2rep_core.scoring.nlg.score_nlg", None)
    monkeypatch.setattr("pet2rep_core.scoring.clinical.score_clinical", None)
    made = board(store)
    assert {row.entry.model for row in made.rows} == {"template", "scripted"}
    assert made.score_rows == 4 * 10
    assert made.passed_over == 0
    stored = [s.score.value for s in store.scores() if s.score.metric == "bleu4" and "template" not in s.run_id]
    mean = sum(values(row)["bleu4"] * row.scored for row in made.rows) / 4
    assert mean == pytest.approx(sum(stored) / len(stored))
    assert made.selection.part is ReportPart.FULL
    assert {status for row in made.rows for status in row.statuses} == {GenerationStatus.DONE}
