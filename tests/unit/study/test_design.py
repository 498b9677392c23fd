"""The assignment: laws that hold for every plan, and a few plans by hand."""

import subprocess
import sys
from collections import Counter
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pet2rep_core.errors import SettingsError
from pet2rep_core.records import ItemKind
from pet2rep_core.study.design import Design, Output, Plan, assign, loads


def outputs(cases, runs):
    return tuple(Output(f"case-{c:03d}", f"run-{r}") for c in range(cases) for r in range(runs))


def names(count):
    return tuple(f"R{number:02d}" for number in range(1, count + 1))


@st.composite
def plans(draw):
    """Any plan, with up to a third of the reports absent."""
    whole = outputs(draw(st.integers(1, 30)), draw(st.integers(1, 5)))
    gone = draw(st.sets(st.sampled_from(whole), max_size=len(whole) // 3))
    readers = names(draw(st.integers(1, 5)))
    return Plan(
        outputs=tuple(output for output in whole if output not in gone),
        readers=readers,
        design=draw(st.sampled_from(Design)),
        per_item=draw(st.integers(1, len(readers))),
        repeat_share=draw(st.sampled_from([0.0, 0.1, 0.3, 0.5])),
        repeat_gap=draw(st.sampled_from([1, 5, 20])),
        patient_gap=draw(st.sampled_from([1, 3, 10])),
        seed=draw(st.integers(0, 1000)),
    )


def of_reader(readings, reader):
    return [one for one in readings if one.reader == reader]


@settings(max_examples=60)
@given(plans())
def test_laws_of_every_assignment(plan):
    readings = assign(plan)
    per_output = Counter(one.output for one in readings if one.kind is ItemKind.MAIN)
    each = len(plan.readers) if plan.design is Design.CROSSED else plan.per_item
    assert per_output == dict.fromkeys(plan.outputs, each)  # every report, by as many readers
    for load in loads(plan, readings):
        mine = of_reader(readings, load.reader)
        assert [one.position for one in mine] == list(range(len(mine)))
        main = [one.output for one in mine if one.kind is ItemKind.MAIN]
        assert len(set(main)) == len(main) == load.main  # none twice but as a repeat
        repeats = [one for one in mine if one.kind is ItemKind.REPEAT]
        assert load.repeats == len(repeats) <= load.repeats_wanted == round(plan.repeat_share * len(main))
        assert len({one.output for one in repeats}) == len(repeats)  # none more than twice
        for one in repeats:
            assert mine[one.repeat_of].output == one.output
            assert mine[one.repeat_of].kind is ItemKind.MAIN
            assert one.position - one.repeat_of >= plan.repeat_gap
    assert assign(plan) == readings  # the same at every return


@settings(max_examples=40)
@given(plans())
def test_a_case_keeps_its_readers_and_loads_are_balanced(plan):
    readings = [one for one in assign(plan) if one.kind is ItemKind.MAIN]
    readers_of = {}
    for one in readings:
        readers_of.setdefault(one.output, set()).add(one.reader)
    for one, other in combinations(plan.outputs, 2):
        if one.case_id == other.case_id:
            assert readers_of[one] == readers_of[other]
    heaviest_case = max(Counter(output.case_id for output in plan.outputs).values())
    counts = [len(of_reader(readings, reader)) for reader in plan.readers]
    assert max(counts) - min(counts) <= heaviest_case


@settings(max_examples=40)
@given(st.integers(2, 30), st.integers(2, 5), st.integers(1, 12), st.integers(0, 1000))
def test_reports_of_a_patient_are_apart_as_far_as_can_be(cases, runs, gap, seed):
    plan = Plan(outputs(cases, runs), names(2), repeat_share=0, patient_gap=gap, seed=seed)
    readings = assign(plan)
    for load in loads(plan, readings):
        # no order does better: among cases + 1 neighbours two belong to one patient
        assert min(gap, cases) <= load.patient_gap <= cases
        assert load.patients == cases


@settings(max_examples=30)
@given(st.integers(1, 40), st.integers(2, 5), st.integers(0, 1000))
def test_every_model_comes_first_equally_often(cases, runs, seed):
    for reader in names(2):
        mine = of_reader(assign(Plan(outputs(cases, runs), names(2), repeat_share=0, seed=seed)), reader)
        first = {}
        for one in mine:
            first.setdefault(one.output.case_id, one.output.run_id)
        counts = Counter(first.values())
        assert max(counts.values()) - min(counts[f"run-{r}"] for r in range(runs)) <= 1


@pytest.mark.parametrize(
    ("cases", "runs", "repeats", "patient_gap"), [(40, 3, 12, 10), (12, 3, 4, 10), (20, 2, 4, 10), (9, 2, 0, 10)]
)
def test_a_tenth_is_repeated_far_away(cases, runs, repeats, patient_gap):
    plan = Plan(outputs(cases, runs), names(3), seed=7)
    for load in loads(plan, assign(plan)):
        assert load.main == cases * runs
        assert load.repeats_wanted == round(0.1 * cases * runs)
        assert load.repeats == repeats
        assert load.patient_gap >= min(patient_gap, cases) or load.repeats
        assert load.repeat_gap is None or load.repeat_gap >= 20


def test_repeats_cover_the_models_in_turn():
    plan = Plan(outputs(60, 3), names(2), seed=3)
    for reader in plan.readers:
        counts = Counter(one.output.run_id for one in of_reader(assign(plan), reader) if one.kind is ItemKind.REPEAT)
        assert counts == {"run-0": 6, "run-1": 6, "run-2": 6}


def test_blocks_pair_the_readers_evenly():
    """Ten cases, five readers, two each: every pair once is the only balanced way (a block design 2-(5,2,1))."""
    for seed in range(5):
        plan = Plan(outputs(10, 1), names(5), Design.BLOCKS, 2, repeat_share=0, seed=seed)
        readers_of = {}
        for one in assign(plan):
            readers_of.setdefault(one.output, set()).add(one.reader)
        pairs = Counter(frozenset(readers) for readers in readers_of.values())
        assert sum(pairs.values()) == 10
        assert max(pairs.values()) <= 2
        assert {len(of_reader(assign(plan), reader)) for reader in plan.readers} == {4}


def test_readers_and_seeds_have_orders_of_their_own():
    def order(seed, reader):
        return [one.output for one in of_reader(assign(Plan(outputs(20, 2), names(2), seed=seed)), reader)]

    assert order(1, "R01") != order(1, "R02")
    assert order(1, "R01") != order(2, "R01")
    assert order(1, "R01") == order(1, "R01")


def test_the_order_is_the_same_in_another_process():
    program = (
        "from tests.unit.study.test_design import *\n"
        "print([(r.position, r.output.case_id, r.output.run_id) for r in assign(Plan(outputs(9, 2), names(2)))])"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] != ""


def test_neighbours_are_not_a_cycle():
    """The second round is not the first one again: a reader must not know what comes."""
    mine = [one.output.case_id for one in assign(Plan(outputs(20, 2), names(1), repeat_share=0))]
    following = Counter(pairwise(mine))
    assert following.most_common(1)[0][1] == 1 or len(following) > 25


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"outputs": ()}, "The study has no report to read."),
        ({"outputs": (Output("a", "b"), Output("a", "b"))}, "A report is in the study twice."),
        ({"readers": ()}, "The study has no reader."),
        ({"readers": ("R1", "R1")}, "A reader is in the study twice."),
        ({"design": Design.BLOCKS, "per_item": 3}, "3 of 2 readers cannot read each report."),
        ({"repeat_share": 0.6}, "The share of repeats is 0.6."),
        ({"patient_gap": 0}, "A gap is less than 1."),
    ],
)
def test_plans_that_cannot_be(changes, words):
    with pytest.raises(SettingsError, match=words):
        Plan(**{"outputs": outputs(2, 2), "readers": names(2), **changes})
