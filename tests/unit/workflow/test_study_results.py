"""Results of a rated study: against the ratings themselves, blind and not."""

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from pet2rep_core.errors import DatasetLayoutError
from pet2rep_core.study.estimates import Plan, Reason
from pet2rep_core.workflow.study_frame import arms_of, blinded, dimensions_of, filled, frame_of, run_letters
from pet2rep_core.workflow.study_results import ALL_READERS, agreement_of, make_results
from pet2rep_core.workflow.study_validity import metrics_against_readers
from tests.rated_study import ARMS, DIMENSIONS, rated_table
from tests.unit.workflow.study_sources import source_of

PLAN = Plan(seed=5, resamples=100)
TABLE = filled(rated_table())
FRAME = frame_of(TABLE)
RESULTS = make_results(FRAME, blind=False, plan=PLAN)
ROWS = pd.DataFrame(TABLE.to_pylist())  # the witness: plain pandas on plain rows
MAIN = ROWS[(ROWS["kind"] == "main") & (ROWS["stage"] == "final")]
FUSED = "run-alpha-7B-fused"


def test_counts():
    counts = RESULTS.counts
    assert (counts.readers, counts.patients, counts.reports, counts.ratings, counts.repeats) == (3, 12, 36, 108, 9)
    assert counts.not_assessable == MAIN["value"].isna().sum()
    assert counts.staged
    # two stages of each item, 41 s and its position in ms each; positions 1 to 36
    assert counts.seconds_per_item == pytest.approx(2 * (41 + np.median(np.arange(1, 37)) / 1000))


def test_arms_and_dimensions():
    assert [(one.model, one.input_setting) for one in RESULTS.arms] == sorted(ARMS)
    assert RESULTS.dimensions == DIMENSIONS
    again = rated_table(arms=[("m", "fused"), ("m", "fused ")], dimensions=("zzz", "ove", "acc"))
    assert dimensions_of(frame_of(again)) == ("acc", "ove", "zzz")


def test_two_runs_of_one_model_and_setting_are_told_apart():
    table = TABLE.set_column(
        TABLE.schema.get_field_index("input_setting"), "input_setting", [["fused"] * TABLE.num_rows]
    )
    assert [one.label for one in arms_of(frame_of(table))] == [
        "alpha-7B #1 · fused",
        "alpha-7B #2 · fused",
        "beta · fused",
    ]


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_summaries_are_those_of_the_rows(dimension):
    rows = MAIN[(MAIN["dimension"] == dimension) & (MAIN["run_id"] == FUSED)]["value"].dropna()
    one = RESULTS.summaries[dimension, FUSED]
    assert (one.n, one.mean, one.sd) == (len(rows), pytest.approx(rows.mean()), pytest.approx(rows.std()))
    assert one.good_share == pytest.approx((rows >= 4).mean())
    assert sum(one.counts) == one.n


def test_agreement_leaves_training_repeats_and_provisional_ratings_out():
    again = agreement_of(FRAME[(FRAME["kind"] == "main") & (FRAME["stage"] == "final")], "acc", PLAN)
    assert RESULTS.agreement["acc"] == again
    assert RESULTS.agreement["acc"].items == 36
    training = TABLE.set_column(TABLE.schema.get_field_index("kind"), "kind", [["training"] * TABLE.num_rows])
    nothing = make_results(frame_of(training), blind=False, plan=PLAN)
    assert {one.why for one in nothing.agreement["acc"].statistics.values()} == {Reason.NOTHING}
    assert nothing.counts.ratings == 0


def test_agreement_of_one_model():
    one = agreement_of(FRAME, "acc", PLAN, run=FUSED)
    assert one.items == 12
    assert one.statistics["icc_2_1"].value != RESULTS.agreement["acc"].statistics["icc_2_1"].value


@pytest.mark.parametrize("dimension", ["acc", "ove"])
def test_models_are_compared_on_patient_means(dimension):
    rows = MAIN[(MAIN["dimension"] == dimension) & MAIN["value"].notna()]
    means = rows.groupby(["run_id", "patient"])["value"].mean().unstack(0)
    for one in RESULTS.comparisons[dimension]:
        apart = (means[one.first.key] - means[one.second.key]).dropna()
        assert one.difference.value == pytest.approx(apart.mean())
        assert one.effect == pytest.approx(apart.mean() / apart.std())
        assert (one.better, one.same, one.worse) == ((apart > 0).sum(), (apart == 0).sum(), (apart < 0).sum())
        # Witness: scipy counts all 4,096 ways of swapping twelve patients too.
        test = scipy.stats.permutation_test(
            (apart,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=True
        )
        assert one.test.exact
        assert one.test.p_value == pytest.approx(test.pvalue, abs=1e-12)
        assert one.p_holm >= one.test.p_value


def test_a_patient_that_one_model_lacks_is_left_out_of_the_pair():
    lacking = FRAME.copy()
    lacking.loc[(lacking["run_id"] == FUSED) & (lacking["patient"] == "case-003"), "value"] = pd.NA
    found = make_results(lacking, blind=False, plan=PLAN).comparisons["acc"]
    assert [one.difference.cases for one in found] == [11, 11, 12]


def test_repeats_habits_and_shift_find_what_was_put_in():
    assert RESULTS.repeats["acc"][ALL_READERS]["exact"].items == 9 - _unpaired("acc")
    assert sorted(RESULTS.repeats["acc"]) == ["", "R1", "R2", "R3"]
    leniency = {one.reader: one.leniency.value for one in RESULTS.habits["ove"]}
    assert leniency["R1"] > 0.2 > -0.2 > leniency["R2"]  # half a point above, a third below
    assert set(RESULTS.shift["acc"]) == {"mean", "changed", "up", "down"}
    once = make_results(frame_of(rated_table(staged=False)), blind=False, plan=PLAN)
    assert once.shift == {}
    assert not once.counts.staged


def _unpaired(dimension):
    rows = ROWS[(ROWS["stage"] == "final") & (ROWS["dimension"] == dimension)].set_index("item")
    again = rows[rows["kind"] == "repeat"]
    return sum(pd.isna(one.value) or pd.isna(rows.loc[one.repeat_of].value) for one in again.itertuples())


def test_blind_results_have_the_same_numbers_and_no_name():
    letters = run_letters(TABLE)
    assert sorted(letters.values()) == ["A", "B", "C"]
    hidden = blinded(TABLE, letters)
    found = make_results(frame_of(hidden), blind=True, plan=PLAN)
    assert [one.label for one in found.arms] == ["A", "B", "C"]
    assert found.summaries["acc", letters[FUSED]] == RESULTS.summaries["acc", FUSED]
    assert found.agreement["acc"].statistics["exact"].value == RESULTS.agreement["acc"].statistics["exact"].value
    said = str(hidden.to_pylist())
    for word in ("alpha", "beta", "fused", "separate", "run-", "g-"):
        assert word not in said


def test_letters_say_nothing_of_the_order_of_models():
    orders = {
        tuple(run_letters(filled(rated_table(patients=1, study=f"s-{n}", dimensions=("acc",)))).items())
        for n in range(30)
    }
    assert len({tuple(sorted(one)) for one in orders}) == 6  # every order of three models comes


def test_metrics_against_readers_have_the_ceiling_beside_them():
    source = source_of()
    found = metrics_against_readers(source.frame, source.scores, "ove", PLAN)
    measures = {one.name: one.measures["tau_b"] for one in found.metrics}
    assert sorted(measures) == ["bleu4", "ce_f1", "meteor"]
    assert measures["ce_f1"].low > 0.4 > measures["bleu4"].high
    assert measures["meteor"].items == 24
    assert found.ceiling.mean["tau_b"].value > 0.4
    assert found.signatures["bleu4"] == "bleu4|profile:reference|v:1"


def test_a_table_that_is_none():
    with pytest.raises(DatasetLayoutError, match="The ratings have no column 'value'"):
        frame_of(TABLE.drop_columns(["value"]))
    wrong = TABLE.set_column(TABLE.schema.get_field_index("value"), "value", [[7] * TABLE.num_rows])
    with pytest.raises(DatasetLayoutError, match="A rating has the value 7"):
        frame_of(wrong)
    doubled = pd.concat([FRAME, FRAME])
    with pytest.raises(DatasetLayoutError, match="'acc' do not fit together: A reader rated an item twice"):
        agreement_of(doubled, "acc", PLAN)
