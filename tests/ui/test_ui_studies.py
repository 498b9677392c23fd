"""The studies page without a browser: plan, make, move, watch, settle, unlock, unblind."""

import shutil
from functools import partial
from types import SimpleNamespace

import pytest

from pet2rep_core.records import Language, StudyState
from pet2rep_core.ui.formats import Formats
from pet2rep_core.ui.server import server
from pet2rep_core.ui.study_training import read_training
from pet2rep_core.ui.texts import text
from pet2rep_core.workflow.study_adjudicate import settled_values
from pet2rep_core.workflow.study_make import make_study, study_list, study_of
from pet2rep_core.workflow.study_read import ask_unlock, list_items
from tests.reader_study import (
    ADMIN,
    RESEARCHER,
    Habit,
    a_protocol,
    person,
    read_items,
    started_study,
    whole_study,
)


@pytest.fixture
def store(home, reported_home):
    shutil.copytree(reported_home, home)
    return server().store


@pytest.fixture
def page(open_app):
    def run(language="en", view="research"):
        return open_app("studies", view=view, language=language, reader="S01")

    return run


def words(app):
    parts = [*app.markdown, *app.caption, *app.info, *app.warning, *app.success, *app.error, *app.title]
    return "\n".join(str(part.value) for part in parts)


def table(app, column):
    return next(one.value for one in app.dataframe if column in one.value)


def turn_to(app, tab):
    app.session_state["study-tabs"] = tab
    return app.run()


def new_study(app):
    app.session_state["studies-tabs"] = "New study"
    return app.run()


def press(app, key):
    button = next(one for one in app.button if one.key == key or (one.key or "").startswith(key))
    return button.click().run()


def test_without_reports_the_page_says_what_to_do(page):
    app = page()
    assert not app.exception
    assert "There is no study yet." in words(app)
    assert "Generate reports first." in words(new_study(app))


def test_a_reading_person_sees_nothing_of_it(store, page):
    whole_study(store, cases=4)
    app = page(view="reading")
    assert not app.exception
    assert "Studies are made and watched in the Research view: choose it under “View”" in words(app)
    assert len(app.tabs) == len(app.dataframe) == 0


def test_a_study_is_planned_seen_and_made(store, page):
    app = new_study(page())
    assert "Choose these to see what the study asks and gives: Title, Models and settings, Readers." in words(app)
    app.multiselect(key="new-runs").select("r-model-good").select("r-model-fair").run()
    app.multiselect(key="new-readers").set_value(["R01", "R02"]).run()
    assert not app.exception
    assert {one.label: one.value for one in app.metric}["Reports"] == "32"
    # Bonett 2002 at an ICC of 0.7 with two readers: 0.2 * sqrt(99.92 / 31) and 0.2 * sqrt(99.92 / 15)
    assert {one.label: one.value for one in app.metric}["Width of the 95 % interval"] == "0.36 – 0.52"
    assert "Before the study can be made: Title." in words(app)
    app.text_input(key="new-title").set_value("Two readers").run()
    load = app.dataframe[0].value
    assert list(load["Reader"]) == ["R01", "R02"]
    assert list(load["Reports"]) == ["32", "32"]
    app = press(app, "make-study")
    assert not app.exception
    [line] = study_list(store, ADMIN)
    study = study_of(store, ADMIN, line.study_id)
    assert (line.title, study.protocol.readers, len(study.protocol.case_ids)) == ("Two readers", ("R01", "R02"), 16)
    assert study.created_by == "S01"
    assert "**● Draft**" in words(app)


def test_no_training_case_has_a_consensus_before_somebody_entered_it(store, page):
    app = new_study(page())
    app.multiselect(key="new-runs").select("r-model-good").run()
    app.multiselect(key="new-readers").set_value(["R01", "R02"]).run()
    app.text_input(key="new-title").set_value("Two readers").run()
    app.multiselect(key="new-training").set_value(["case-01", "case-02"]).run()
    assert not app.exception
    empty = table(app, "Feedback to the reader")
    dimensions = [one.name[Language.ENGLISH] for one in server().rubric.dimensions]
    assert empty[dimensions].isna().all().all()
    assert list(table(app, "Items in all")["Training"]) == ["2", "2"]
    said = words(app).replace("\\", "")
    assert (
        f"every training case before the study can be made; it lacks: case-01 ({', '.join(dimensions)}); case-02"
        in said
    )
    assert next(one for one in app.button if one.key == "make-study").disabled

    filled = empty.copy()
    filled.loc["case-01", dimensions] = [1, 2, 3, 4, 5]
    filled.loc["case-02", dimensions[1:]] = 4
    english = Language.ENGLISH
    shown = SimpleNamespace(text=partial(text, english), language=english, formats=Formats(english), server=server())
    runs = {filled["Report of"].iloc[0]: "r-model-good"}
    training = read_training(shown, filled, runs)
    assert [one.case_id for one in training.items] == ["case-01"]
    assert list(training.items[0].consensus.values()) == [1, 2, 3, 4, 5]
    assert training.case_ids == ("case-01", "case-02")
    assert training.missing.endswith(f"it lacks: case-02 ({dimensions[0]}).")
    filled.loc["case-02", dimensions[0]] = 5
    assert read_training(shown, filled, runs).missing == ""


@pytest.mark.parametrize(
    ("language", "words_said"),
    [("en", "An interval wider than 1 says next to nothing"), ("zh", "区间宽度超过 1 时，几乎无法说明一致性")],
)
def test_an_interval_that_says_nothing_is_called_so(store, page, language, words_said):
    app = page(language)
    app.session_state["studies-tabs"] = text(Language(language), "studies.tab_new")
    app.run()
    app.multiselect(key="new-runs").select("r-model-good").run()
    app.multiselect(key="new-readers").set_value(["R01", "R02"]).run()
    assert words_said not in words(app)
    app.multiselect(key="new-cases").set_value(["case-01", "case-02"]).run()
    assert not app.exception
    assert words_said in words(app)
    # Bonett 2002 at an ICC of 0.7 with two readers: see tests/unit/study/test_precision.py
    assert "101" in next(one.value for one in app.warning if words_said in one.value)


def test_what_cannot_be_is_said_in_one_sentence(store, page):
    app = new_study(page())
    app.multiselect(key="new-runs").select("r-model-good").run()
    app.multiselect(key="new-readers").set_value(["R01"]).run()
    assert "With one reader a report there is no agreement to measure." in words(app)
    app.text_input(key="new-title").set_value("model-good alone").run()
    assert not app.exception
    assert "The title names a model" in "".join(one.value for one in app.error)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_study_goes_all_the_way(store, page, language):
    study_id = started_study(store, a_protocol(4))
    app = page(language)
    assert not app.exception
    for reader in ("R01", "R02"):
        read_items(store, study_id, reader)
    app = press(app.run(), f"move-{study_id}-collecting")
    assert study_of(store, ADMIN, study_id).state is StudyState.COLLECTING
    read_items(store, study_id, "R01")
    app = press(app.run(), f"move-{study_id}-locked")
    app = press(app.run(), f"move-{study_id}-unblinded")
    assert not app.exception
    assert study_of(store, ADMIN, study_id).state is StudyState.UNBLINDED
    assert ("● Unblinded" if language == "en" else "● 已揭盲") in words(app)


def test_progress_quality_and_events_are_shown(store, page):
    whole_study(store, cases=5)
    app = page()
    assert not app.exception
    progress = table(app, "Passed")
    assert list(progress["Reader"]) == ["R01", "R02", "R03"]
    assert list(progress["Passed"]) == ["yes", "yes", "yes"]
    quality = table(turn_to(app, "Quality"), "Stands out")
    assert "straight-lining" in quality.set_index("Reader").loc["R03", "Stands out"]
    leaks = table(turn_to(app, "Blinding"), "names itself")
    assert leaks["names itself"].sum() == 4
    assert "Found with the table of give-aways, version 2026\\.1." in words(app)
    assert "Three readers" in app.selectbox[0].options[0]
    plan = table(turn_to(app, "Plan"), "Value").set_index("What")["Value"]
    assert (plan["Readers"], plan["Seed"]) == ("R01, R02, R03", "7")
    assert len(plan[""]) == int(plan["Models and settings"])
    events = table(turn_to(app, "Events"), "Who")
    assert list(events["What"])[-1] == "made"
    app = press(app, "verify-study")
    assert "All is well: no event, rating or item was edited." in words(app)


def test_who_missed_the_pass_mark_is_let_go_on(store, page):
    study_id = started_study(store, a_protocol(4))
    read_items(store, study_id, "R01", Habit(shift=-3, spread=0))
    app = page()
    assert "R01 has 0% of the training answers within one point" in words(app).replace("\\", "")
    app.text_input(key="admit-reason-R01").set_value("Talked it over.").run()
    app = press(app, "admit-R01")
    assert store.studies.last_event(study_id, "admit", "R01").content["reason"] == "Talked it over."
    assert "R01 has" not in words(app)
    app = press(app, "remind")
    assert [event.subject for event in store.studies.events(study_id, "remind")] == ["R02"]


def test_differences_are_settled_without_names(store, page):
    study_id = started_study(store, a_protocol(3, training=0, readers=("R01", "R02"), staged=False))
    read_items(store, study_id, "R01", Habit(spread=0))
    read_items(store, study_id, "R02", Habit(shift=-2, spread=0))
    app = turn_to(page(), "Differences")
    assert not app.exception
    choice = difference(app)
    assert all(not any(name in option for name in ("R01", "R02", "model")) for option in choice.options)
    value = next(one for one in app.segmented_control if (one.key or "").startswith("settle-value-"))
    value.set_value(4).run()
    reason = next(one for one in app.text_input if (one.key or "").startswith("settle-reason-"))
    reason.set_value("Seen on slice 40.").run()
    app = press(app, "settle-")
    assert not app.exception
    [settled] = settled_values(store, RESEARCHER, study_id)
    assert (settled.value, settled.reason) == (4, "Seen on slice 40.")
    # A browser goes on showing a label that is gone; the box is another one, so that it shows what is settled next.
    assert difference(app).key != choice.key
    assert difference(app).value == difference(app).options[0] == choice.options[1]


def test_the_chosen_difference_stays_chosen_while_others_come(store, page):
    study_id = started_study(store, a_protocol(3, training=0, readers=("R01", "R02"), staged=False))
    read_items(store, study_id, "R01", Habit(spread=0))
    read_items(store, study_id, "R02", Habit(shift=-2, spread=0), most=4)
    app = turn_to(page(), "Differences")
    few = difference(app)
    wanted = few.options[-1]
    app = few.set_value(wanted).run()
    before = difference_shown(app)
    read_items(store, study_id, "R02", Habit(shift=-2, spread=0))
    app = app.run()
    assert len(difference(app).options) > len(few.options)
    assert difference_shown(app) == before


def difference(app):
    return next(one for one in app.selectbox if (one.key or "").startswith("difference-choice-"))


def difference_shown(app):
    """Return the report and the dimension whose score is asked for."""
    return next(one.key for one in app.segmented_control if (one.key or "").startswith("settle-value-"))


def test_two_studies_of_one_title_can_be_told_apart_and_a_step_is_asked_for_anew(store, page):
    one, other = (started_study(store, a_protocol(3)) for _ in range(2))
    app = page()
    choice = next(box for box in app.selectbox if (box.key or "").startswith("study-choice-"))
    assert len(set(choice.options)) == 2
    for wanted in (one, other):
        app = next(box for box in app.selectbox if (box.key or "").startswith("study-choice-")).set_value(wanted).run()
        assert any(button.key == f"move-{wanted}-collecting" for button in app.button)
    app = press(app, f"move-{other}-collecting")
    moved = next(box for box in app.selectbox if (box.key or "").startswith("study-choice-"))
    assert moved.key != choice.key  # the label says the new state
    assert moved.value == other
    assert any(button.key == f"move-{other}-locked" for button in app.button)
    assert "**● Collecting**" in words(app)
    assert "0 of 21 done" in words(app)


def test_an_unlock_is_asked_for_and_granted(store, page):
    study_id = whole_study(store, cases=4, until=StudyState.LOCKED)
    code = list_items(store, person("R01"), study_id)[1].code
    ask_unlock(store, person("R01"), study_id, code, "<b>left</b> for right")
    app = page()
    assert "&lt;b" not in words(app)
    assert "\\<b\\>left\\<\\/b\\> for right" in words(app)
    app = press(app, f"grant-{code}")
    assert not app.exception
    assert store.studies.last_event(study_id, "grant-unlock", code) is not None
    assert "No reader asks to change a submitted item." in words(app)


def test_a_draft_is_discarded(store, page):
    make_study(store, RESEARCHER, a_protocol(3))
    app = press(page(), "discard-")
    assert study_list(store, ADMIN) == ()
    assert "There is no study yet." in words(app)
