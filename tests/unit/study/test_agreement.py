"""Agreement of readers: against published tables and against other programs, full and with holes.

Programs: scikit-learn 1.9.1 (cohen_kappa_score) and krippendorff 0.9.0 are asked here; irrCAC 0.4.4 (Gwet's own
formulas in Python) and pingouin 0.6.1 (intraclass_corr) need other versions of numpy and pandas than the app, so that
their answers for the same ratings are written down.
"""

import itertools

import krippendorff
import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from pet2rep_core.study import estimates
from pet2rep_core.study.agreement import CHANCE_CORRECTED, STATISTICS, measure_agreement
from pet2rep_core.study.agreement_tables import (
    ORDINAL,
    QUADRATIC,
    complete_columns,
    complete_icc,
    incomplete_columns,
    incomplete_icc,
)
from pet2rep_core.study.estimates import Estimate, Plan, Reason, draw_weights, interval
from tests.unit.study.sheets import FULL, HOLES, sheet_of, values_of

PLAN = Plan(seed=3, resamples=200)
# Shrout and Fleiss 1979, table 2: six targets, four judges; table 4 prints ICC(2,1) = .29, ICC(2,4) = .62.
SHROUT_FLEISS = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], np.int8)
# Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, section D: four observers, twelve units, missing data.
KRIPPENDORFF = ["11.1", "2232", "3333", "3333", "2222", "1234", "4444", "1121", "2222", ".555", "..11", ".3.."]


def value(rows, name):
    return measure_agreement(sheet_of(rows), PLAN).statistics[name].value


def test_icc_of_shrout_and_fleiss():
    found = complete_icc(complete_columns(SHROUT_FLEISS).sum(axis=0))
    assert found["icc_2_1"] == pytest.approx(0.2897638, abs=1e-7)  # R: psych::ICC(sf), ICC2
    assert found["icc_2_k"] == pytest.approx(0.6200505, abs=1e-7)  # R: psych::ICC(sf), ICC2k
    assert (round(float(found["icc_2_1"]), 2), round(float(found["icc_2_k"]), 2)) == (0.29, 0.62)  # as printed


def test_alpha_of_krippendorff():
    # Printed: ordinal alpha 0.815; krippendorff 0.9.0 gives all digits.
    assert value(KRIPPENDORFF, "krippendorff_alpha") == pytest.approx(0.815, abs=5e-4)
    assert value(KRIPPENDORFF, "krippendorff_alpha") == pytest.approx(0.8153875037548814, abs=1e-12)


def test_ac2_of_the_same_table():
    # Gwet's cac.raw4raters is Krippendorff's table; his AC1 of it is 0.77544. AC2 and pa by irrCAC 0.4.4.
    assert value(KRIPPENDORFF, "gwet_ac2") == pytest.approx(0.9140007236, abs=1e-9)
    assert value(KRIPPENDORFF, "gwet_ac2_ordinal") == pytest.approx(0.8989397699, abs=1e-9)
    assert value(KRIPPENDORFF, "exact") == pytest.approx(0.8181818182, abs=1e-9)


def test_weights_are_those_of_gwet():
    # Gwet 2014, tables of weights for five categories.
    assert QUADRATIC[0] == pytest.approx([1, 0.9375, 0.75, 0.4375, 0])
    assert ORDINAL[0] == pytest.approx([1, 0.9, 0.7, 0.4, 0])


@pytest.mark.parametrize("rows", [FULL, HOLES], ids=["full", "holes"])
def test_kappa_of_every_pair_is_that_of_scikit_learn(rows):
    values = values_of(rows)
    found = measure_agreement(sheet_of(rows), PLAN)
    expected = []
    for pair, (a, b) in zip(found.pairs, itertools.combinations(range(4), 2), strict=True):
        both = (values[:, a] > 0) & (values[:, b] > 0)
        kappa = cohen_kappa_score(values[both, a], values[both, b], weights="quadratic")
        assert pair.readers == (f"R{a}", f"R{b}")
        assert pair.items == both.sum()
        assert pair.weighted_kappa.value == pytest.approx(kappa, abs=1e-12)
        assert pair.exact == pytest.approx(np.mean(values[both, a] == values[both, b]))
        expected.append(kappa)
    assert found.statistics["weighted_kappa"].value == pytest.approx(np.mean(expected), abs=1e-12)


@pytest.mark.parametrize("rows", [FULL, HOLES], ids=["full", "holes"])
def test_alpha_is_that_of_krippendorff_the_program(rows):
    values = values_of(rows).astype(float)
    values[values == 0] = np.nan
    expected = krippendorff.alpha(values.T, level_of_measurement="ordinal", value_domain=[1, 2, 3, 4, 5])
    assert value(rows, "krippendorff_alpha") == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("rows", "quadratic", "ordinal", "exact"),
    [
        (FULL, 0.734616022558, 0.673237435624, 0.325),
        (HOLES, 0.773757941197, 0.720627626233, 0.412280701754),
    ],
    ids=["full", "holes"],
)
def test_ac2_is_that_of_irrcac(rows, quadratic, ordinal, exact):
    found = measure_agreement(sheet_of(rows), PLAN).statistics
    got = [found[name].value for name in ("gwet_ac2", "gwet_ac2_ordinal", "exact")]
    assert got == pytest.approx([quadratic, ordinal, exact], abs=1e-11)


@pytest.mark.parametrize(
    ("rows", "single", "mean", "items"),
    [(FULL, 0.495646, 0.797199, 40), (HOLES, 0.465513, 0.776975, 18)],
    ids=["full", "holes"],
)
def test_icc_of_complete_items_is_that_of_pingouin(rows, single, mean, items):
    found = measure_agreement(sheet_of(rows), PLAN).statistics
    assert (found["icc_2_1"].value, found["icc_2_k"].value) == pytest.approx((single, mean), abs=1e-6)
    assert found["icc_2_1"].items == items


def variances_by_projections(values):
    """Henderson's method III by whole projection matrices, as Searle writes it: items, readers, residual."""
    rows = [(i, j, values[i, j]) for i, j in zip(*np.nonzero(values), strict=True)]
    y = np.array([row[2] for row in rows], float)
    items, readers = (np.eye(size)[[row[at] for row in rows]] for at, size in ((0, len(values)), (1, len(values[0]))))
    of_items, of_readers, of_both = (x @ np.linalg.pinv(x) for x in (items, readers, np.hstack([items, readers])))
    rest = np.eye(len(y)) - of_both
    residual = y @ rest @ y / np.trace(rest)

    def part(form, effect):
        return (y @ form @ y - residual * np.trace(form)) / np.trace(effect.T @ form @ effect)

    return part(of_both - of_readers, items), part(of_both - of_items, readers), residual


BLOCKS = ["".join(d if (row + at) % 4 < 2 else "." for at, d in enumerate(digits)) for row, digits in enumerate(FULL)]


@pytest.mark.parametrize("rows", [FULL, HOLES, BLOCKS], ids=["full", "holes", "blocks"])
def test_icc_of_shared_items_is_that_of_projections(rows):
    values = values_of(rows)
    values = values[(values > 0).sum(axis=1) >= 2]
    item, reader, residual = variances_by_projections(values)
    k = np.count_nonzero(values) / len(values)
    found = measure_agreement(sheet_of(rows), PLAN).statistics
    assert found["icc_2_1_shared"].value == pytest.approx(item / (item + reader + residual), abs=1e-10)
    assert found["icc_2_k_shared"].value == pytest.approx(item / (item + (reader + residual) / k), abs=1e-10)


def test_icc_of_shared_items_is_the_usual_one_where_nothing_is_missing():
    for values in (SHROUT_FLEISS, values_of(FULL)):
        usual = complete_icc(complete_columns(values).sum(axis=0))
        shared = incomplete_icc(4)(incomplete_columns(values).sum(axis=0))
        assert shared["icc_2_1_shared"] == pytest.approx(usual["icc_2_1"], abs=1e-12)
        assert shared["icc_2_k_shared"] == pytest.approx(usual["icc_2_k"], abs=1e-12)


def test_readers_in_blocks_have_no_icc_of_complete_items_and_the_reason_is_said():
    found = measure_agreement(sheet_of(BLOCKS), PLAN).statistics
    assert found["icc_2_1"].value is None
    assert found["icc_2_1"].reason == "Fewer than two items were rated by every reader."
    assert found["icc_2_1_shared"].low < found["icc_2_1_shared"].value < found["icc_2_1_shared"].high


@pytest.mark.parametrize("rows", [FULL, HOLES], ids=["full", "holes"])
def test_intervals_are_those_of_rows_drawn_again(rows):
    """The sums of patients give what a loop over resampled tables of ratings gives."""
    patients = [f"p{row // 3:02}" for row in range(len(rows))]
    plan = Plan(seed=11, resamples=25)
    found = measure_agreement(sheet_of(rows, patients), plan).statistics
    drawn = {name: [] for name in STATISTICS}
    for weights in next(draw_weights(len(set(patients)), plan)):
        again = [row for row, one in zip(rows, patients, strict=True) for _ in range(int(weights[int(one[1:])]))]
        once = measure_agreement(sheet_of(again), Plan(resamples=1)).statistics
        for name in STATISTICS:
            drawn[name].append(once[name].value)
    for name in STATISTICS:
        low, high = np.quantile(drawn[name], (0.025, 0.975))
        assert (found[name].low, found[name].high) == pytest.approx((low, high), abs=1e-9)


def test_the_seed_fixes_the_intervals():
    one, same = (measure_agreement(sheet_of(HOLES), Plan(1, 50)).statistics for _ in range(2))
    other = measure_agreement(sheet_of(HOLES), Plan(2, 50)).statistics
    assert one == same
    assert all(one[name].low != other[name].low for name in STATISTICS)
    assert all(one[name].value == other[name].value for name in STATISTICS)
    assert "seed:1" in one["icc_2_1"].signature


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], Reason.NOTHING),
        (["3.", "4."], Reason.ONE_READER),
        (["3.", ".4", "2."], Reason.NOT_SHARED),
        (["34", "2."], Reason.ONE_ITEM),
    ],
)
def test_nothing_to_compare_is_a_reason_and_never_a_number(rows, why):
    found = measure_agreement(sheet_of(rows), PLAN).statistics
    assert {one.why for one in found.values()} == {why}
    assert {one.value for one in found.values()} == {None}
    assert all(one.reason.endswith(".") for one in found.values())


def test_values_that_never_differ_say_nothing_beyond_chance():
    found = measure_agreement(sheet_of(["444", "44.", "444"]), PLAN).statistics
    assert {found[name].why for name in CHANCE_CORRECTED} == {Reason.NO_VARIATION}
    assert {found[name].value for name in CHANCE_CORRECTED} == {None}
    assert (found["exact"].value, found["within_one"].value) == (1.0, 1.0)


def test_one_constant_reader_is_no_agreement_beyond_chance():
    # By hand: kappa of a constant reader is 0, because what is seen is what chance gives.
    assert value(["14", "24", "34", "54"], "weighted_kappa") == pytest.approx(0)
    assert value(["14", "14"], "weighted_kappa") == pytest.approx(0)


def test_one_patient_gives_numbers_without_intervals():
    found = measure_agreement(sheet_of(FULL, ["p"] * 40), PLAN).statistics
    for one in found.values():
        assert one.value is not None
        assert (one.low, one.high, one.why) == (None, None, Reason.ONE_PATIENT)


def test_resamples_without_a_value_are_counted_and_left_out():
    # Three patients: each alone has no variation, so that one resample in nine has no kappa.
    rows, patients = ["11", "11", "33", "33", "55", "55"], ["a", "a", "b", "b", "c", "c"]
    kappa = measure_agreement(sheet_of(rows, patients), Plan(3, 900)).statistics["weighted_kappa"]
    assert 70 < kappa.undefined < 130
    assert (kappa.low, kappa.high) == (1.0, 1.0)


def test_a_statistic_that_most_resamples_lack_has_no_interval():
    rows, patients = ["11", "11", "11", "12"], ["a", "b", "c", "d"]
    some = measure_agreement(sheet_of(rows, patients), Plan(3, 400)).statistics["icc_2_1"]
    assert some.value is not None
    assert some.low is not None
    alone = [Estimate(0.5, None, None, 4, 2, "s", 3, Reason.MOSTLY_UNDEFINED)]
    drawn = np.array([np.nan, np.nan, np.nan, 0.5, 0.6])
    assert [interval(0.5, drawn, Plan(3, 5), "s", items=4, patients=2)] == alone


def test_counts_of_the_sheet():
    found = measure_agreement(sheet_of(HOLES), PLAN)
    assert (found.items, found.shared, found.complete) == (40, 38, 18)
    assert found.given == sum(c != "." for row in HOLES for c in row)
    assert found.patients == 40


@pytest.mark.parametrize("patients", [3, 41])
def test_patients_are_drawn_the_same_in_pieces_of_any_size_and_are_not_changed(monkeypatch, patients):
    plan = Plan(5, 101)
    whole = np.concatenate(list(draw_weights(patients, plan)))
    assert (whole.sum(axis=1) == patients).all()
    assert (np.concatenate(list(draw_weights(patients, plan, 7 * patients))) == whole).all()
    with pytest.raises(ValueError, match="read-only"):
        next(draw_weights(patients, plan))[0, 0] = 9
    # Witness: a study too large to keep its draws, which are made piece by piece.
    monkeypatch.setattr(estimates, "_BATCH_CELLS", 100 * patients)
    assert (np.concatenate(list(draw_weights(patients, plan, 9 * patients))) == whole).all()
