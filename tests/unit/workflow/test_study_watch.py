"""Progress, quality, give-aways, guesses, adjudication: numbers that can be worked out by hand."""

from dataclasses import replace

import pytest

from pet2rep_core.errors import PermissionDeniedError, StoreError
from pet2rep_core.records import Person, Role, Stage, StudyState
from pet2rep_core.workflow.study_adjudicate import (
    adjudicate,
    difference_texts,
    differences,
    settled_values,
    unlock_requests,
)
from pet2rep_core.workflow.study_guess import guess_model, guess_sheet
from pet2rep_core.workflow.study_make import move_study
from pet2rep_core.workflow.study_quality import quality
from pet2rep_core.workflow.study_read import open_desk, studies_of, submit
from pet2rep_core.workflow.study_watch import guess_results, history, leak_counts, progress, remind
from tests.reader_study import (
    ADMIN,
    KEYS,
    LANGUAGE,
    MODELS,
    RESEARCHER,
    Habit,
    a_protocol,
    add_reports,
    click,
    person,
    read_items,
    read_store,
    started_study,
    whole_study,
)

FLAT = Habit(spread=0)
"""Gives model-good 5, model-fair 3 and model-poor 2 on every dimension."""


@pytest.fixture
def filled(reported):
    return reported


def study(store, **changes):
    return started_study(store, a_protocol(6, **{"training": 0, "staged": False, "repeat_share": 0.0, **changes}))


def test_progress_counts_items_times_and_training(filled):
    study_id = started_study(filled, a_protocol(6, staged=True))
    read_items(filled, study_id, "R01", Habit(spread=0))
    read_items(filled, study_id, "R02", Habit(shift=-2, spread=0))
    move_study(filled, RESEARCHER, study_id, StudyState.COLLECTING)
    read_items(filled, study_id, "R01", Habit(spread=0, seconds=30), most=5)
    one, two, three = progress(filled, RESEARCHER, study_id)
    assert (one.training_done, one.training_total, one.within_one, one.passed) == (1, 1, 1.0, True)
    assert (one.done, one.total) == (2, len(filled.studies.items(study_id, "R01")) - 1)
    assert one.median_active_ms == 60_000  # two stages of half a minute
    assert one.last_at > two.last_at > ""
    assert (two.within_one, two.passed, two.admitted, two.done, two.median_active_ms) == (0.0, False, False, 0, None)
    assert (three.training_done, three.passed, three.last_at) == (0, None, "")


def test_readers_are_reminded_on_their_own_list(filled):
    study_id = study(filled)
    assert studies_of(filled, person("R02"))[0].reminded_at == ""
    remind(filled, RESEARCHER, study_id, "R02")
    assert studies_of(filled, person("R02"))[0].reminded_at
    assert studies_of(filled, person("R01"))[0].reminded_at == ""
    assert [one.reminded_at > "" for one in progress(filled, RESEARCHER, study_id)] == [False, True, False]
    with pytest.raises(StoreError, match="'R09' is no reader of this study"):
        remind(filled, RESEARCHER, study_id, "R09")
    move_study(filled, RESEARCHER, study_id, StudyState.LOCKED)
    with pytest.raises(StoreError, match="Nobody is reminded"):
        remind(filled, RESEARCHER, study_id, "R02")


def test_a_reader_who_marks_straight_down_and_fast_stands_out(filled):
    study_id = study(filled)
    read_items(filled, study_id, "R01", Habit(seconds=90))
    read_items(filled, study_id, "R02", Habit(seconds=9, spread=0))
    one, two, three = quality(filled, RESEARCHER, study_id)
    assert (one.items, two.items, three.items) == (18, 18, 0)
    assert one.straight < 0.5 <= two.straight == 1.0
    assert (one.fast, two.fast, three.fast) == (0.0, 1.0, None)
    assert set(two.flags) == {"straight_lining", "too_fast"}
    assert "too_fast" not in one.flags
    assert three.flags == ()


def test_leniency_is_the_distance_from_the_other_readers(filled):
    study_id = study(filled, run_ids=("r-model-fair",))
    read_items(filled, study_id, "R01", FLAT)
    read_items(filled, study_id, "R02", FLAT)
    read_items(filled, study_id, "R03", Habit(shift=2, spread=0))
    one, two, three = quality(filled, RESEARCHER, study_id)
    # R03 gives 2 points more than both others; each of them differs from the mean of the other two by -1
    assert (one.leniency, two.leniency, three.leniency) == (-1.0, -1.0, 2.0)
    assert "leniency" in three.flags
    assert (one.drift, one.repeat_difference, one.edits, one.shift) == (0.0, None, 0, None)


def test_drift_is_the_move_from_the_first_third_to_the_last(filled):
    study_id = started_study(
        filled,
        a_protocol(12, training=0, staged=False, repeat_share=0.0, run_ids=("r-model-poor",), readers=("R01",)),
    )
    read_items(filled, study_id, "R01", Habit(spread=0, drift=2.4))
    [one] = quality(filled, RESEARCHER, study_id)
    # items 1-4 gain round(0.2 .. 0.8) = 0 0 1 1, items 9-12 gain round(1.8 .. 2.4) = 2 2 2 2
    assert one.drift == 1.5
    assert "drift" in one.flags


def test_repeats_and_the_shift_of_the_second_stage(filled):
    study_id = started_study(filled, a_protocol(16, training=0, models=MODELS[1:2], readers=("R01",), repeat_gap=5))

    def change(desk, draft):
        value = (3 if desk.stage is Stage.PROVISIONAL else 4) - (1 if desk.number > 14 else 0)
        return replace(draft, answers=dict.fromkeys(KEYS, value))

    read_items(filled, study_id, "R01", change=change)
    [one] = quality(filled, RESEARCHER, study_id)
    assert one.shift == 1.0
    items = filled.studies.items(study_id, "R01")
    position = {item.code: item.position for item in items}
    moved = [(position[i.code] > 14) != (position[i.repeat_of] > 14) for i in items if i.repeat_of]
    assert one.repeat_difference == sum(moved) / len(moved)
    assert one.items == 18


def test_changes_after_submission_are_counted(filled):
    study_id = study(filled)
    read_items(filled, study_id, "R01", FLAT)
    code = filled.studies.items(study_id, "R01")[0].code
    desk = open_desk(filled, person("R01"), study_id, code=code)
    draft = replace(desk.draft, answers=dict.fromkeys(KEYS, 1))
    submit(filled, person("R01"), study_id, code, draft, event_id=click(), reason="Looked again.")
    assert [one.edits for one in quality(filled, RESEARCHER, study_id)] == [1, 0, 0]


def test_give_aways_are_counted_by_model(filled):
    study_id = study(filled)
    read_items(filled, study_id, "R01")
    read_items(filled, study_id, "R02", most=2)
    found = {one.model: (one.reports, one.kinds) for one in leak_counts(filled, RESEARCHER, study_id)}
    assert found == {"model-good": (6, {}), "model-fair": (6, {}), "model-poor": (6, {"names_itself": 6})}


def test_guesses_are_compared_with_the_truth(filled):
    study_id = study(filled)
    read_items(filled, study_id, "R01", FLAT)
    move_study(filled, RESEARCHER, study_id, StudyState.LOCKED)
    sheet = guess_sheet(filled, person("R01"), study_id)
    guess_model(filled, person("R01"), study_id, dict.fromkeys(sheet.codes, "Model Good"), event_id=click())
    guess_model(filled, person("R01"), study_id, dict.fromkeys(sheet.codes, "model-poor"), event_id=click())
    [one] = guess_results(filled, RESEARCHER, study_id)
    # the sample takes the runs in turn: 4 of 12 are of each model; the first answer counts
    assert (one.reader, one.asked, one.answered, one.right, one.choices) == ("R01", 12, 12, 4, 3)


@pytest.fixture
def differing(filled):
    """R01 gives model-good 5, R02 gives it 3: a difference of two on every dimension, as for model-fair."""
    cases, runs = ("case-01", "case-02", "case-03"), ("r-model-good", "r-model-fair")
    study_id = study(filled, readers=("R01", "R02"), case_ids=cases, run_ids=runs)
    read_items(filled, study_id, "R01", FLAT)
    read_items(filled, study_id, "R02", Habit(shift=-2, spread=0))
    return study_id


def test_differences_of_two_points_wait_anonymously(filled, differing):
    found = differences(filled, RESEARCHER, differing)
    expected = {"model-good": (3, 5), "model-fair": (1, 3)}
    assert len(found) == 6 * len(KEYS)
    items = {item.code: item for item in filled.studies.items(differing)}
    for one in found:
        model = items[one.report].run_id.removeprefix("r-")
        assert tuple(sorted(one.values)) == expected[model]
        assert (one.settled, one.reason) == (None, "")
        said = repr(one)
        assert not any(name in said for name in ("R01", "R02", *MODELS, "case-"))
    texts = difference_texts(filled, RESEARCHER, differing, found[0].report)
    assert texts.reference is not None
    assert texts.generated.text == filled.studies.text_of(items[found[0].report])


def test_unfinished_reports_do_not_wait_yet(filled):
    study_id = study(filled, readers=("R01", "R02"))
    read_items(filled, study_id, "R01", FLAT)
    assert differences(filled, RESEARCHER, study_id) == ()
    read_items(filled, study_id, "R02", Habit(shift=-2, spread=0), most=1)
    assert len({one.report for one in differences(filled, RESEARCHER, study_id)}) <= 1


def test_settling_is_an_event_and_overwrites_nothing(filled, differing):
    one = differences(filled, RESEARCHER, differing)[0]
    before = filled.studies.ratings(differing, history=True)
    adjudicate(filled, RESEARCHER, differing, one.report, one.dimension, 4, "The lesion is there.")
    adjudicate(filled, ADMIN, differing, one.report, one.dimension, 3, "Read again together.")
    assert filled.studies.ratings(differing, history=True) == before
    [settled] = settled_values(filled, RESEARCHER, differing)
    item = filled.studies.item(differing, one.report)
    assert (settled.case_id, settled.run_id, settled.dimension) == (item.case_id, item.run_id, one.dimension)
    assert (settled.value, settled.values, settled.reason) == (3, tuple(sorted(one.values)), "Read again together.")
    now = next(d for d in differences(filled, RESEARCHER, differing) if d.report == one.report)
    assert (now.settled, now.reason) == (3, "Read again together.")
    assert [line.action for line in history(filled, RESEARCHER, differing)][-2:] == ["adjudicate", "adjudicate"]
    assert filled.verify() == []


@pytest.mark.parametrize(
    ("value", "reason", "words"),
    [(6, "x", "6 is not a score"), (True, "x", "True is not a score"), (3, " ", "settled without a reason")],
)
def test_what_cannot_settle_a_difference(filled, differing, value, reason, words):
    one = differences(filled, RESEARCHER, differing)[0]
    with pytest.raises(StoreError, match=words):
        adjudicate(filled, RESEARCHER, differing, one.report, one.dimension, value, reason)
    with pytest.raises(StoreError, match="There is no such difference"):
        adjudicate(filled, RESEARCHER, differing, "0" * 16, one.dimension, 3, "x")


def test_who_reads_in_the_study_settles_nothing_before_the_lock(filled, differing):
    reading_researcher = Person("R01", Role.RESEARCHER)
    with pytest.raises(PermissionDeniedError, match="You read in this study"):
        differences(filled, reading_researcher, differing)
    move_study(filled, RESEARCHER, differing, StudyState.LOCKED)
    assert differences(filled, reading_researcher, differing)
    move_study(filled, ADMIN, differing, StudyState.UNBLINDED)
    one = differences(filled, RESEARCHER, differing)[0]
    with pytest.raises(StoreError, match="not collecting or locked"):
        adjudicate(filled, RESEARCHER, differing, one.report, one.dimension, 3, "too late")


def test_a_rater_sees_nothing_of_this(filled, differing):
    rater = person("R01")
    for forbidden in (progress, quality, leak_counts, guess_results, history, differences, settled_values,
                      unlock_requests):  # fmt: skip
        with pytest.raises(PermissionDeniedError, match="This needs the role 'researcher'"):
            forbidden(filled, rater, differing)
    with pytest.raises(PermissionDeniedError):
        remind(filled, rater, differing, "R02")
    with pytest.raises(PermissionDeniedError):
        adjudicate(filled, rater, differing, "x", "acc", 3, "x")
    with pytest.raises(PermissionDeniedError):
        difference_texts(filled, rater, differing, "x")


def test_a_whole_study_comes_out_as_one_table(store):
    study_id = whole_study(store, until=StudyState.UNBLINDED)
    table = store.studies.ratings_table(study_id).to_pandas()
    items = store.studies.items(study_id)
    assert len(table) == len(items) * 2 * len(KEYS)
    assert set(table["reader"]) == {"R01", "R02", "R03"}
    assert set(table["model"]) == set(MODELS)
    assert set(table["kind"]) == {"training", "main", "repeat"}
    assert set(table["stage"]) == {"provisional", "final"}
    main = table[(table["kind"] == "main") & (table["stage"] == "final")]
    assert len(main) == 3 * 24 * len(KEYS)
    without = main[main["value"].isna()]
    assert set(zip(without["reader"], without["model"], without["reason"], strict=True)) == {
        ("R01", "model-poor", "Too little text.")
    }
    assert table[table["kind"] == "repeat"]["repeat_of"].isin(table["item"]).all()
    assert table[table["kind"] != "repeat"]["repeat_of"].isna().all()
    assert (table["dataset"] == "small").all()
    marks = store.studies.marks_table(study_id).to_pandas()
    assert set(marks["mark"]) == {"uptake", "missed"}
    assert set(marks["text"]) == {"generated", "reference"}
    assert (marks["end"] > marks["start"]).all()
    assert store.verify() == []


def test_a_study_is_made_of_whatever_reports_a_store_has(store):
    add_reports(store, 6)
    study_id = read_store(store, LANGUAGE)
    assert {one.state for one in studies_of(store, person("R01"))} == {StudyState.COLLECTING}
    assert [one.done for one in progress(store, RESEARCHER, study_id)] == [one.total for one in progress(
        store, RESEARCHER, study_id
    )]  # fmt: skip
    assert progress(store, RESEARCHER, study_id)[0].total > 15
