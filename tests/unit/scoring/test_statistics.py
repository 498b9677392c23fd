"""Intervals and tests: against scipy, against R, by counting all ways, and by laws."""

import itertools

import numpy as np
import pytest
import scipy.stats

from pet2rep_core.records import POSITIVE_STATES, Language
from pet2rep_core.scoring.clinical import ClassCounts, score_clinical
from pet2rep_core.scoring.statistics import (
    IntervalMethod,
    bootstrap_interval,
    holm,
    mean_of,
    mean_table,
    permutation_test,
    pooled_f1_macro,
    pooled_precision,
    pooled_recall,
    table_f1,
)

RNG = np.random.default_rng(11)
SKEWED = RNG.gamma(0.7, 0.2, 60)
OTHER = SKEWED + RNG.normal(0.02, 0.05, 60)
BCA, PERCENTILE = IntervalMethod.BCA, IntervalMethod.PERCENTILE


@pytest.mark.parametrize("method", [BCA, PERCENTILE])
@pytest.mark.parametrize("level", [0.95, 0.8])
def test_mean_interval_is_that_of_scipy(method, level):
    # Witness: scipy.stats.bootstrap, which draws the same cases from the same seed.
    expected = scipy.stats.bootstrap(
        (SKEWED,), np.mean, n_resamples=3000, confidence_level=level, vectorized=True,
        method={BCA: "BCa", PERCENTILE: "percentile"}[method], rng=np.random.default_rng(5),
    ).confidence_interval  # fmt: skip
    got = bootstrap_interval(mean_table(SKEWED), mean_of, seed=5, level=level, resamples=3000, method=method)
    assert (got.low, got.high) == pytest.approx((expected.low, expected.high), abs=1e-12)
    assert got.value == pytest.approx(SKEWED.mean(), abs=1e-15)
    assert (got.cases, got.resamples, got.undefined, got.reason) == (60, 3000, 0, "")


def pooled_f1(totals):
    return table_f1(pooled_precision(totals), pooled_recall(totals))


def test_interval_of_a_statistic_of_counts_is_that_of_scipy():
    # Witness: scipy.stats.bootstrap over case numbers, with CE pooled by a loop over the drawn cases.
    table = RNG.poisson(1.0, (30, 9)).astype(float)

    def pooled(cases):
        tp, fp, fn = (sum(table[case] for case in cases)[place::3] for place in range(3))
        p, r = np.mean(tp / (tp + fp)), np.mean(tp / (tp + fn))
        return 2 * p * r / (p + r)

    expected = scipy.stats.bootstrap(
        (np.arange(30),), pooled, n_resamples=500, vectorized=False, method="BCa", rng=np.random.default_rng(2)
    ).confidence_interval
    got = bootstrap_interval(table, pooled_f1, seed=2, resamples=500)
    assert got.value == pytest.approx(pooled(range(30)))
    assert (got.low, got.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_intervals_are_seeded():
    one, same, other = (bootstrap_interval(mean_table(SKEWED), mean_of, seed=s, resamples=200) for s in (1, 1, 2))
    assert one == same
    assert one != other


def test_a_batch_draws_what_one_table_draws(monkeypatch):
    whole = bootstrap_interval(mean_table(SKEWED), mean_of, seed=1, resamples=500)
    flips = permutation_test(mean_table(SKEWED), mean_table(OTHER), mean_of, seed=1, resamples=500)
    monkeypatch.setattr("pet2rep_core.scoring.statistics._BATCH_CELLS", 700)
    assert bootstrap_interval(mean_table(SKEWED), mean_of, seed=1, resamples=500).low == pytest.approx(whole.low)
    assert permutation_test(mean_table(SKEWED), mean_table(OTHER), mean_of, seed=1, resamples=500).cases == flips.cases


def test_cases_without_a_value_stay_out_of_the_mean():
    got = bootstrap_interval(mean_table([0.2, None, 0.4]), mean_of, seed=0, resamples=400, method=PERCENTILE)
    assert got.value == pytest.approx(0.3)
    assert got.cases == 3
    # Witness: by hand. All three draws hit the case without a value once in 27 resamples: 14.8 are expected.
    assert 4 <= got.undefined <= 30
    assert (got.low, got.high) == pytest.approx((0.2, 0.4))


def test_a_constant_has_an_interval_of_no_width():
    got = bootstrap_interval(mean_table([0.5] * 8), mean_of, seed=0, resamples=50)
    assert (got.value, got.low, got.high) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("values", "value", "reason"),
    [
        ([], None, "fewer than two cases"),
        ([0.5], 0.5, "fewer than two cases"),
        ([None, None], None, "the statistic is undefined on these cases"),
    ],
)
def test_what_has_no_interval_has_a_reason(values, value, reason):
    got = bootstrap_interval(mean_table(values), mean_of, seed=0)
    assert (got.value, got.low, got.high, got.reason) == (value, None, None, reason)


def test_exact_permutation_is_that_of_scipy():
    # Witness: scipy.stats.permutation_test, all 2 ** 9 ways.
    a, b = SKEWED[:9], OTHER[:9] + 0.03
    expected = scipy.stats.permutation_test(
        (a, b), lambda x, y: np.mean(x - y), permutation_type="samples", n_resamples=np.inf
    )
    got = permutation_test(mean_table(a), mean_table(b), mean_of, seed=0)
    assert (got.exact, got.cases) == (True, 9)
    assert got.difference == pytest.approx(expected.statistic)
    assert got.p_value == pytest.approx(expected.pvalue, abs=1e-15)


def test_drawn_permutation_is_near_the_exact_one_and_counts_itself():
    a, b = SKEWED[:12], OTHER[:12]
    exact = permutation_test(mean_table(a), mean_table(b), mean_of, seed=0)
    drawn = permutation_test(mean_table(a), mean_table(b), mean_of, seed=0, resamples=4000)
    assert (exact.exact, drawn.exact) == (True, False)
    assert drawn.p_value == pytest.approx(exact.p_value, abs=4 * np.sqrt(exact.p_value / 4000))
    # Witness: by hand. A difference that no draw reaches has 1 / (draws + 1).
    far = permutation_test(mean_table(np.ones(60)), mean_table(np.zeros(60)), mean_of, seed=0, resamples=999)
    assert far.p_value == pytest.approx(0.001)


def test_permutation_of_counts_is_every_way_of_swapping():
    # Witness: all 2 ** 5 ways, by a loop.
    first, second = (RNG.poisson(1.5, (5, 9)).astype(float) for _ in range(2))
    seen = abs(float(pooled_f1_macro(first.sum(0)) - pooled_f1_macro(second.sum(0))))
    hits = 0
    for swaps in itertools.product((False, True), repeat=5):
        one = sum(second[i] if swap else first[i] for i, swap in enumerate(swaps))
        two = sum(first[i] if swap else second[i] for i, swap in enumerate(swaps))
        hits += abs(float(pooled_f1_macro(one) - pooled_f1_macro(two))) >= seen - 1e-12
    assert permutation_test(first, second, pooled_f1_macro, seed=0).p_value == hits / 32


def test_a_model_against_itself_has_p_1():
    assert permutation_test(mean_table(SKEWED), mean_table(SKEWED), mean_of, seed=3, resamples=200).p_value == 1


def test_permutations_that_cannot_be():
    assert permutation_test(mean_table([]), mean_table([]), mean_of, seed=0).reason == "no case"
    none = permutation_test(mean_table([None]), mean_table([0.5]), mean_of, seed=0)
    assert (none.p_value, none.reason) == (None, "the statistic is undefined on these cases")
    with pytest.raises(ValueError, match="one shape"):
        permutation_test(mean_table([0.1]), mean_table([0.1, 0.2]), mean_of, seed=0)


def test_holm_is_that_of_r():
    # Witness: R, p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") is 0.03 0.06 0.06 0.02.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx((0.03, 0.06, 0.06, 0.02))
    # Witness: by hand; the largest is cut at 1, and what has no p-value does not count.
    assert holm([0.9, None, 0.6]) == (1.0, None, 1.0)
    assert holm([]) == ()
    assert holm([0.02, 0.02]) == (0.04, 0.04)


def test_pooled_clinical_efficacy_is_that_of_the_counts():
    # Witness: the counts of each class added up, and the means over classes of what ClassCounts says of them.
    texts = [
        ("肝脏FDG摄取增高。", "肝脏FDG摄取增高。"),
        ("脾脏FDG摄取增高。", "胃FDG摄取减低。"),
        ("肺FDG摄取正常。", "肺FDG摄取增高。"),
    ]
    results = [score_clinical(said, true, Language.CHINESE) for said, true in texts]
    totals = np.array([[n for c in one.classes for n in (c.tp, c.fp, c.fn)] for one in results], float).sum(axis=0)
    added = [ClassCounts(state, *map(int, totals[3 * at : 3 * at + 3])) for at, state in enumerate(POSITIVE_STATES)]
    defined = [one for one in added if one.defined]
    assert len(defined) == 2
    precision, recall, f1 = (np.mean([getattr(c, name) for c in defined]) for name in ("precision", "recall", "f1"))
    assert float(pooled_precision(totals)) == pytest.approx(precision)
    assert float(pooled_recall(totals)) == pytest.approx(recall)
    assert float(pooled_f1_macro(totals)) == pytest.approx(f1)
    assert float(pooled_f1(totals)) == pytest.approx(2 * precision * recall / (precision + recall))


def test_pooled_clinical_efficacy_without_a_cell_is_undefined():
    nothing = np.zeros((4, 9))
    for statistic in (pooled_precision, pooled_recall, pooled_f1_macro, pooled_f1):
        assert np.isnan(statistic(nothing.sum(0)))
        assert bootstrap_interval(nothing, statistic, seed=0).reason == "the statistic is undefined on these cases"


def test_all_wrong_is_zero_and_not_undefined():
    # Witness: by hand. Cells are there and none agrees.
    totals = np.array([0, 2, 1, 0, 0, 0, 0, 0, 0], float)
    assert [float(f(totals)) for f in (pooled_precision, pooled_recall, pooled_f1_macro, pooled_f1)] == [0] * 4
