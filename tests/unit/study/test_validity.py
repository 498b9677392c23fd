"""Metrics against readers: scipy is the witness of tau-b and Spearman, counting by hand that of pairs in a patient."""

import itertools

import numpy as np
import pytest
import scipy.stats

from pet2rep_core.study import rank_tables
from pet2rep_core.study.estimates import Plan, Reason, draw_weights
from pet2rep_core.study.validity import measure_ceiling, measure_validity, reader_means
from tests.unit.study.sheets import FULL, HOLES, sheet_of

RNG = np.random.default_rng(3)
PATIENTS = np.arange(60) % 12
HUMAN = np.round(RNG.random(60) * 12) / 3 + 1
METRICS = {"near": np.round(HUMAN + RNG.normal(0, 1, 60), 1), "far": np.round(RNG.random(60), 1)}
METRICS["gaps"] = np.where(np.arange(60) % 7 == 0, np.nan, METRICS["near"])
PLAN = Plan(seed=4, resamples=300)


def by_name(found):
    return {one.name: one for one in found}


@pytest.mark.parametrize("name", sorted(METRICS))
def test_tau_b_and_spearman_are_those_of_scipy(name):
    found = by_name(measure_validity(METRICS, HUMAN, PATIENTS, PLAN))[name]
    there = np.isfinite(METRICS[name])
    a, b = METRICS[name][there], HUMAN[there]
    assert found.items == there.sum()
    assert found.measures["tau_b"].value == pytest.approx(scipy.stats.kendalltau(a, b).statistic, abs=1e-12)
    assert found.measures["spearman"].value == pytest.approx(scipy.stats.spearmanr(a, b).statistic, abs=1e-12)


@pytest.mark.parametrize("block", [4_000_000, 500])
def test_intervals_are_those_of_items_drawn_again(block, monkeypatch):
    monkeypatch.setattr(rank_tables, "_BLOCK_CELLS", block)
    plan = Plan(seed=8, resamples=30)
    found = by_name(measure_validity({"near": METRICS["near"]}, HUMAN, PATIENTS, plan))["near"].measures
    tau, rho = [], []
    for weights in next(draw_weights(12, plan)):
        rows = np.concatenate([np.flatnonzero(p == PATIENTS) for p in range(12) for _ in range(int(weights[p]))])
        tau.append(scipy.stats.kendalltau(METRICS["near"][rows], HUMAN[rows]).statistic)
        rho.append(scipy.stats.spearmanr(METRICS["near"][rows], HUMAN[rows]).statistic)
    for name, drawn in (("tau_b", tau), ("spearman", rho)):
        ends = np.quantile(drawn, (0.025, 0.975))
        assert (found[name].low, found[name].high) == pytest.approx(tuple(ends), abs=1e-12)


def test_sums_beyond_single_precision_are_exact(monkeypatch):
    small = by_name(measure_validity(METRICS, HUMAN, PATIENTS, PLAN))
    monkeypatch.setattr(rank_tables, "_EXACT_IN_FLOAT32", 0)
    assert by_name(measure_validity(METRICS, HUMAN, PATIENTS, PLAN)) == small


def test_pairs_of_one_patient_are_counted_with_half_for_a_tie():
    right = whole = 0.0
    for a, b in itertools.combinations(range(60), 2):
        if PATIENTS[a] == PATIENTS[b] and HUMAN[a] != HUMAN[b]:
            order = np.sign(METRICS["near"][a] - METRICS["near"][b]) * np.sign(HUMAN[a] - HUMAN[b])
            right += 0.5 if order == 0 else order > 0
            whole += 1
    found = by_name(measure_validity(METRICS, HUMAN, PATIENTS, PLAN))
    assert found["near"].measures["within_patient"].value == pytest.approx(right / whole, abs=1e-12)


def test_a_metric_that_orders_like_the_readers_reaches_one_and_turned_round_minus_one():
    found = by_name(measure_validity({"same": HUMAN * 3, "other": -HUMAN}, HUMAN, PATIENTS, PLAN))
    assert [one.value for one in found["same"].measures.values()] == pytest.approx([1, 1, 1])
    assert [one.value for one in found["other"].measures.values()] == pytest.approx([-1, -1, 0])
    assert found["same"].measures["tau_b"].low == pytest.approx(1)


def test_why_there_is_no_number():
    flat = by_name(measure_validity({"flat": np.ones(60), "none": np.full(60, np.nan)}, HUMAN, PATIENTS, PLAN))
    assert flat["flat"].measures["tau_b"].why is Reason.NO_VARIATION
    assert flat["flat"].measures["within_patient"].value == 0.5  # a constant is a coin
    assert {one.why for one in flat["none"].measures.values()} == {Reason.NOTHING}
    [alone] = measure_validity({"near": METRICS["near"]}, HUMAN, np.arange(60), PLAN)
    assert alone.measures["within_patient"].why is Reason.NO_PAIRS
    [one] = measure_validity({"near": METRICS["near"]}, HUMAN, np.zeros(60, int), PLAN)
    assert one.measures["tau_b"].why is Reason.ONE_PATIENT
    assert one.measures["tau_b"].value is not None


@pytest.mark.parametrize("rows", [FULL, HOLES], ids=["full", "holes"])
def test_the_ceiling_is_one_reader_against_the_mean_of_the_others(rows):
    sheet = sheet_of(rows, [f"p{row // 4:02}" for row in range(40)])
    ceiling = measure_ceiling(sheet, PLAN)
    expected = []
    for at, one in enumerate(ceiling.readers):
        own, others = sheet.values[:, at].astype(float), reader_means(sheet, without=at)
        both = (own > 0) & np.isfinite(others)
        expected.append(scipy.stats.kendalltau(own[both], others[both]).statistic)
        assert one.measures["tau_b"].value == pytest.approx(expected[-1], abs=1e-12)
    mean = ceiling.mean["tau_b"]
    assert mean.value == pytest.approx(np.mean(expected), abs=1e-12)
    assert mean.low < mean.value < mean.high


def test_one_reader_has_no_ceiling():
    ceiling = measure_ceiling(sheet_of(["3", "4", "5"]), PLAN)
    assert {one.why for one in ceiling.mean.values()} == {Reason.ONE_READER}
    assert measure_ceiling(sheet_of([]), PLAN).mean["spearman"].why is Reason.NOTHING


def test_readers_who_meet_on_one_patient_alone_have_a_ceiling_without_an_interval():
    ceiling = measure_ceiling(sheet_of(["12", "23", "35", "4.", ".2"], ["a", "a", "a", "b", "c"]), PLAN)
    assert ceiling.mean["tau_b"].value == 1
    assert ceiling.mean["tau_b"].why is Reason.ONE_PATIENT
