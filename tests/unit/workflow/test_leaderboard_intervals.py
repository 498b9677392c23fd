"""Intervals and tests made for many models at once are those of scoring/statistics.py, one by one."""

import numpy as np
import pytest

from pet2rep_core.scoring.statistics import (
    IntervalMethod,
    bootstrap_interval,
    mean_of,
    permutation_test,
)
from pet2rep_core.workflow.leaderboard_intervals import NO_CASE, UNDEFINED, Table, differences, intervals

SEED, LEVEL = 7, 0.95


def statistics(totals):
    return {"mean": mean_of(totals), "share": totals[..., 0] / (totals[..., 0] + totals[..., 1])}


def share(totals):
    return statistics(totals)["share"]


def difference(totals):
    return mean_of(totals[..., :2]) - mean_of(totals[..., 2:])


def numbers(seed, cases):
    rng = np.random.default_rng(seed)
    return np.stack([rng.random(cases), np.ones(cases)], axis=1)


def masked(cases, *, without=()):
    mask = np.ones(cases, np.bool_)
    mask[list(without)] = False
    return mask


@pytest.mark.parametrize("cases", [2, 7, 60, 565])
def test_intervals_are_those_of_one_model_at_a_time(cases):
    masks = [masked(cases), masked(cases, without=[0] if cases > 2 else []), masked(cases)]
    tables = [Table(numbers(seed, cases), mask) for seed, mask in enumerate(masks)]
    found = intervals(tables, statistics, seed=SEED, resamples=4000, level=LEVEL)
    for table, one in zip(tables, found, strict=True):
        for name, statistic in (("mean", mean_of), ("share", share)):
            # Witness: bootstrap_interval, which is checked against scipy in tests/unit/scoring.
            wanted = bootstrap_interval(
                table.numbers[table.mask], statistic, seed=SEED, resamples=4000, method=IntervalMethod.PERCENTILE
            )
            got = (one[name].value, one[name].low, one[name].high)
            assert got == pytest.approx((wanted.value, wanted.low, wanted.high), abs=1e-12)
            assert (one[name].cases, one[name].undefined) == (wanted.cases, wanted.undefined)


@pytest.mark.parametrize("cases", [3, 9, 60, 565])
def test_differences_are_those_of_one_pair_at_a_time(cases):
    baseline = Table(numbers(99, cases), masked(cases))
    models = [Table(numbers(seed, cases), masked(cases, without=[1] if seed else [])) for seed in range(3)]
    found = differences([(one, baseline) for one in models], statistics, seed=SEED, resamples=4000, level=LEVEL)
    for one, made in zip(models, found, strict=True):
        first, second = one.numbers[one.mask], baseline.numbers[one.mask]
        interval, test = made["mean"]
        # Witness: permutation_test, and bootstrap_interval of the difference of both tables beside each other.
        wanted = permutation_test(first, second, mean_of, seed=SEED, resamples=4000)
        assert test.p_value == pytest.approx(wanted.p_value, abs=1e-12)
        assert (test.difference, test.cases, test.exact) == (
            pytest.approx(wanted.difference),
            wanted.cases,
            wanted.exact,
        )
        both = np.hstack([first, second])
        apart = bootstrap_interval(both, difference, seed=SEED, resamples=4000, method=IntervalMethod.PERCENTILE)
        assert (interval.low, interval.high) == pytest.approx((apart.low, apart.high), abs=1e-12)


def test_what_has_no_interval_says_why():
    none = Table(np.zeros((3, 2)), masked(3))
    empty = Table(numbers(1, 3), np.zeros(3, np.bool_))
    single = Table(numbers(1, 3), masked(3, without=[0, 1]))
    with np.errstate(invalid="ignore"):
        found = intervals([none, empty, single], statistics, seed=SEED, resamples=50, level=LEVEL)
        [apart] = differences([(empty, single)], statistics, seed=SEED, resamples=50, level=LEVEL)
        [made] = differences([(none, none)], statistics, seed=SEED, resamples=50, level=LEVEL)
    assert [one["mean"].reason for one in found] == [UNDEFINED, NO_CASE, "fewer than two cases"]
    assert [one["mean"].value for one in found] == [None, None, pytest.approx(numbers(1, 3)[2, 0])]
    assert made["mean"][1].p_value is None
    assert made["mean"][1].reason == UNDEFINED
    assert (apart["mean"][1].p_value, apart["mean"][1].reason) == (None, NO_CASE)  # no case that both have
    assert differences([], statistics, seed=SEED, resamples=50, level=LEVEL) == []
