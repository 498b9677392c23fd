"""Laws of agreement, whatever the ratings are."""

import math

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pet2rep_core.study.agreement import measure_agreement
from pet2rep_core.study.estimates import Plan
from tests.unit.study.sheets import sheet_of

PLAN = Plan(seed=5, resamples=40)


@st.composite
def tables(draw, holes=True):
    readers = draw(st.integers(2, 5))
    digits = "12345." if holes else "12345"
    return draw(st.lists(st.text(digits, min_size=readers, max_size=readers), min_size=3, max_size=14))


def numbers(rows, patients=None):
    return {name: one.value for name, one in measure_agreement(sheet_of(rows, patients), PLAN).statistics.items()}


def same(first, second):
    assert set(first) == set(second)
    for name, value in first.items():
        other = second[name]
        assert (value is None) == (other is None), name
        assert value is None or math.isclose(value, other, abs_tol=1e-7), name


@settings(max_examples=60, deadline=None)
@given(tables(), st.randoms(use_true_random=False))
def test_the_order_of_readers_and_items_does_not_matter(rows, random):
    order = list(range(len(rows[0])))
    random.shuffle(order)
    moved = ["".join(row[at] for at in order) for row in rows]
    random.shuffle(moved)
    same(numbers(rows), numbers(moved))


@settings(max_examples=60, deadline=None)
@given(tables())
def test_every_number_is_finite_or_has_a_reason(rows):
    for one in measure_agreement(sheet_of(rows), PLAN).statistics.values():
        assert (one.value is None) <= bool(one.reason)
        for number in (one.value, one.low, one.high):
            assert number is None or math.isfinite(number)
        assert one.low is None or one.low <= one.high
        assert one.value is None or one.value <= 1 + 1e-9


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=3, max_size=20), st.integers(2, 4))
def test_readers_who_say_the_same_agree_wholly_where_they_vary(values, readers):
    assume(len(set(values)) > 1)
    found = numbers([str(value) * readers for value in values])
    assert all(math.isclose(value, 1, abs_tol=1e-9) for value in found.values())


@settings(max_examples=60, deadline=None)
@given(tables(holes=False))
def test_the_mean_of_readers_is_no_less_reliable_than_one(rows):
    found = numbers(rows)
    assume(found["icc_2_1"] is not None and found["icc_2_1"] > 0)
    assert found["icc_2_k"] >= found["icc_2_1"] - 1e-12


@settings(max_examples=40, deadline=None)
@given(tables())
def test_the_scale_may_be_read_from_its_other_end(rows):
    turned = [row.translate(str.maketrans("12345", "54321")) for row in rows]
    same(numbers(rows), numbers(turned))


@settings(max_examples=40, deadline=None)
@given(tables(), st.integers(1, 6))
def test_patients_change_the_intervals_and_not_the_values(rows, count):
    same(numbers(rows), numbers(rows, [f"p{row % count}" for row in range(len(rows))]))


@settings(max_examples=30, deadline=None)
@given(tables(), st.integers(1, 3))
def test_items_of_one_reader_alone_leave_all_but_ac2_as_they_are(rows, more):
    """An item that nobody shares says nothing about agreement; Gwet counts its value among the chances."""
    before = numbers(rows)
    after = numbers([*rows, *["3" + "." * (len(rows[0]) - 1)] * more])
    assume(before["exact"] is not None)
    kept = [name for name in before if not name.startswith("gwet")]
    varied = len(set("".join(rows)) - {"."}) > 1
    if varied:
        same({name: before[name] for name in kept}, {name: after[name] for name in kept})


def test_a_leniency_of_one_reader_lowers_absolute_agreement_and_nothing_else_of_the_icc():
    rng = np.random.default_rng(1)
    truth = rng.integers(2, 5, 60)
    alike = numbers([f"{v}{v}" for v in truth])
    lenient = numbers([f"{v}{v + 1}" for v in truth])
    assert alike["icc_2_1"] == 1
    assert 0.5 < lenient["icc_2_1"] < 0.8  # the variance of 2 to 4 is about .7, that of two readers one apart .5
    assert lenient["within_one"] == 1
    assert lenient["exact"] == 0
