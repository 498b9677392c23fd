"""Repeats, leniency, drift, the shift by the reference, and summaries: numbers that can be added up by hand."""

import numpy as np
import pytest
import scipy.stats

from pet2rep_core.study.estimates import Plan, Reason
from pet2rep_core.study.habits import Change, PlacedRating, measure_habits, measure_shift
from pet2rep_core.study.repeats import TwoReadings, measure_repeats
from pet2rep_core.study.summaries import summarise_values

PLAN = Plan(seed=1, resamples=200)


def test_repeats_by_hand():
    readings = [TwoReadings("R1", f"p{at}", a, b) for at, (a, b) in enumerate([(1, 1), (2, 3), (5, 3), (4, 4)])]
    found = measure_repeats(readings, PLAN)
    assert found["exact"].value == 0.5
    assert found["within_one"].value == 0.75
    assert found["mean_change"].value == pytest.approx(-0.25)
    # Cohen 1968 by hand: squared differences 5 of 4 pairs; by chance (4*(46+35) - 2*12*11) / 4 = 15.
    assert found["weighted_kappa"].value == pytest.approx(1 - 4 * 5 / (4 * (46 + 35) - 2 * 12 * 11))
    assert found["exact"].items == 4


def test_repeats_that_say_nothing():
    assert {one.why for one in measure_repeats([], PLAN).values()} == {Reason.NO_REPEATS}
    same = measure_repeats([TwoReadings("R1", p, 4, 4) for p in "ab"], PLAN)
    assert same["weighted_kappa"].why is Reason.NO_VARIATION
    assert same["exact"].value == 1
    one = measure_repeats([TwoReadings("R1", "a", 4, 3)], PLAN)
    assert one["weighted_kappa"].why is Reason.ONE_ITEM
    assert one["mean_change"].value == -1


def ratings(values):
    return [
        PlacedRating(reader, f"i{item}", f"p{item % 9}", item + 1, value)
        for reader, row in values.items()
        for item, value in enumerate(row)
    ]


def test_leniency_is_the_distance_to_the_others():
    found = {one.reader: one for one in measure_habits(ratings({"A": [4] * 30, "B": [3] * 30, "C": [2] * 30}), PLAN)}
    assert [found[name].leniency.value for name in "ABC"] == pytest.approx([1.5, 0, -1.5])
    assert (found["A"].leniency.low, found["A"].leniency.high) == (1.5, 1.5)
    assert found["A"].drift.value == pytest.approx(0)


def test_drift_is_the_slope_of_scipy():
    rng = np.random.default_rng(2)
    rows = {name: [int(v) for v in rng.integers(1, 6, 50)] for name in "ABC"}
    rows["A"] = [min(5, 1 + item // 10) for item in range(50)]
    found = {one.reader: one for one in measure_habits(ratings(rows), PLAN)}
    apart = np.array(rows["A"]) - (np.array(rows["B"]) + rows["C"]) / 2
    slope = scipy.stats.linregress(np.arange(50), apart).slope
    assert found["A"].drift.value == pytest.approx(100 * slope, abs=1e-9)
    assert found["A"].drift.low < 100 * slope < found["A"].drift.high


def test_readers_alone_have_no_leniency():
    [alone] = measure_habits(ratings({"A": [1, 2, 3]}), PLAN)
    assert alone.leniency.why is Reason.ONE_READER
    apart = measure_habits([PlacedRating("A", "x", "p", 1, 3), PlacedRating("B", "y", "p", 1, 3)], PLAN)
    assert {one.drift.why for one in apart} == {Reason.NOT_SHARED}
    once = measure_habits([PlacedRating(reader, "x", "p", 1, 3) for reader in "AB"], PLAN)
    assert {one.drift.why for one in once} == {Reason.UNDEFINED}  # one item has no slope
    assert measure_habits([], PLAN) == ()


def test_the_shift_by_the_reference():
    found = measure_shift([Change(f"p{at}", a, b) for at, (a, b) in enumerate([(3, 3), (4, 2), (2, 3), (5, 3)])], PLAN)
    assert [found[name].value for name in ("mean", "changed", "up", "down")] == [-0.75, 0.75, 0.25, 0.5]
    assert {one.why for one in measure_shift([], PLAN).values()} == {Reason.NOTHING}


def test_a_summary_by_hand():
    found = summarise_values([1, 4, None, 5, 4, 4], ["a", "a", "b", "c", "c", "d"])
    assert (found.n, found.not_assessable, found.patients) == (5, 1, 3)
    assert found.counts == (1, 0, 0, 3, 1)
    assert found.mean == pytest.approx(3.6)
    assert found.sd == pytest.approx(np.std([1, 4, 5, 4, 4], ddof=1))
    assert (found.q1, found.median, found.q3) == (4, 4, 4)
    assert found.good_share == 0.8


def test_summaries_of_next_to_nothing():
    none = summarise_values([None, None], ["a", "b"])
    assert (none.n, none.not_assessable, none.mean, none.good_share) == (0, 2, None, None)
    assert none.counts == (0, 0, 0, 0, 0)
    one = summarise_values([2], ["a"])
    assert (one.mean, one.sd, one.median) == (2, None, 2)
