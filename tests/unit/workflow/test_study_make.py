"""Making studies: what a plan asks for, what is refused, how a study moves."""

from collections import Counter
from dataclasses import replace

import pytest

from pet2rep_core.errors import PermissionDeniedError, SettingsError, StoreError, UnknownNameError
from pet2rep_core.records import Generation, GenerationStatus, ItemKind, Language, Person, Role, StudyState
from pet2rep_core.store import RunRow
from pet2rep_core.study.design import Design
from pet2rep_core.study.protocol import Protocol, TrainingItem, protocol_json, read_protocol
from pet2rep_core.workflow.study_file import CREATE, event_of
from pet2rep_core.workflow.study_make import (
    discard_study,
    make_study,
    move_study,
    next_states,
    preview_study,
    study_list,
    study_of,
)
from pet2rep_core.workflow.study_watch import history
from tests.reader_study import (
    ADMIN,
    KEYS,
    LANGUAGE,
    MODELS,
    READERS,
    RESEARCHER,
    a_protocol,
    person,
    run_name,
    started_study,
)


@pytest.fixture
def filled(reported):
    return reported


def test_a_preview_says_what_is_asked_and_how_precise_it_will_be(filled):
    preview = preview_study(filled, RESEARCHER, a_protocol(8))
    assert (preview.reports, preview.patients, preview.readers_per_report, preview.training) == (21, 7, 3, 1)
    assert [(load.reader, load.main, load.repeats_wanted) for load in preview.loads] == [(r, 21, 2) for r in READERS]
    # Bonett 2002: 68 reports would give a fifth; with n reports the width grows by the root of 67 / (n - 1)
    assert preview.width_reports == pytest.approx(0.2 * (66.38 / 20) ** 0.5, rel=1e-3)
    assert preview.width_patients == pytest.approx(0.2 * (66.38 / 6) ** 0.5, rel=1e-3)
    assert preview.absent == ()
    assert filled.studies.study_ids() == []  # nothing was stored


def test_reports_that_failed_are_left_out_and_named(filled):
    filled.record_run(RunRow("r-new", "model-new", "fused", "0" * 64, LANGUAGE, {}))
    filled.record_generation(
        Generation("g-new", "r-new", "case-01", "model-new", LANGUAGE, GenerationStatus.FAILED, "", "It broke.")
    )
    preview = preview_study(filled, RESEARCHER, a_protocol(8, run_ids=(run_name(MODELS[0]), "r-new")))
    assert preview.reports == 7
    assert preview.absent == tuple((f"case-{n:02d}", "r-new") for n in range(1, 8))


def test_blocks_share_the_work(filled):
    protocol = a_protocol(8, design=Design.BLOCKS, per_item=2)
    preview = preview_study(filled, RESEARCHER, protocol)
    assert preview.readers_per_report == 2
    assert sum(load.main for load in preview.loads) == 2 * 21
    one = preview_study(filled, RESEARCHER, a_protocol(8, readers=("R01",)))
    assert one.width_reports is one.width_patients is None


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"title": " "}, SettingsError, "The title has 0 characters."),
        ({"title": "model-good against the rest"}, SettingsError, "The title names a model."),
        ({"title": "GPT-4 and others"}, SettingsError, "The title names a model."),
        ({"run_ids": ()}, SettingsError, "The study has no model."),
        ({"run_ids": ("r-none",)}, SettingsError, "The run 'r-none' is not in the store."),
        ({"case_ids": ("nobody",)}, UnknownNameError, "There is no case named 'nobody'."),
        ({"case_ids": ()}, SettingsError, "The study has no report to read."),
        ({"language": Language.CHINESE}, SettingsError, "A run of 'model-good' is in another language than the study."),
        ({"pass_mark": 1.5}, SettingsError, "The pass mark is 1.5."),
        ({"readers": ("R01", "R01")}, SettingsError, "A reader is in the study twice."),
        ({"readers": ("Dr. Who",)}, StoreError, "'Dr. Who' cannot be a reader's name."),
        ({"case_ids": ("case-01", "case-08")}, SettingsError, "The case 'case-08' is both for training"),
        (
            {"training": (TrainingItem("case-08", "r-none", {"acc": 3}),)},
            SettingsError,
            "The run 'r-none' is not in the store.",
        ),
    ],
)
def test_what_cannot_be_a_study(filled, changes, error, words):
    with pytest.raises(error, match=words):
        make_study(filled, RESEARCHER, replace(a_protocol(8), **changes))
    assert filled.studies.study_ids() == []


def test_a_consensus_is_made_of_scores():
    with pytest.raises(SettingsError, match=r"The consensus for the training case 'c' is \{'acc': 6\}\."):
        TrainingItem("c", "r", {"acc": 6})


def test_a_protocol_comes_back_from_its_event(filled):
    protocol = a_protocol(8, design=Design.BLOCKS, staged=False)
    assert read_protocol(protocol_json(protocol)) == protocol
    assert study_of(filled, RESEARCHER, make_study(filled, RESEARCHER, protocol)).protocol == protocol


def test_starting_gives_every_reader_the_items_under_codes_that_say_nothing(filled):
    study_id = started_study(filled, a_protocol(8))
    items = filled.studies.items(study_id)
    kinds = Counter((item.reader, item.kind) for item in items)
    for reader in READERS:
        assert (kinds[reader, ItemKind.TRAINING], kinds[reader, ItemKind.MAIN]) == (1, 21)
        assert 0 < kinds[reader, ItemKind.REPEAT] <= 2
    assert len({item.code for item in items}) == len(items)
    aliases = {item.case_id: item.alias for item in items}
    assert len(set(aliases.values())) == 8
    for item in items:
        assert item.alias == aliases[item.case_id]
        assert len(item.code) == len(item.alias) == 16
        assert item.kind is not ItemKind.TRAINING or item.position == 1
        first = next((one for one in items if one.code == item.repeat_of), None)
        assert (first is None) is (item.kind is not ItemKind.REPEAT)
        if first is not None:
            assert (first.reader, first.generation_id) == (item.reader, item.generation_id)
            assert item.position - first.position >= 20
    for reader in READERS:
        assert [i.position for i in filled.studies.items(study_id, reader)] == list(
            range(1, 1 + sum(i.reader == reader for i in items))
        )


def test_the_states_follow_each_other_once(filled):
    study_id = make_study(filled, RESEARCHER, a_protocol(8))
    order = [StudyState.CALIBRATION, StudyState.COLLECTING, StudyState.LOCKED, StudyState.UNBLINDED]
    for place, state in enumerate(order):
        assert next_states(study_of(filled, ADMIN, study_id)) == (state,)
        for later in order[place + 1 :]:
            with pytest.raises(StoreError, match="cannot go to"):
                move_study(filled, ADMIN, study_id, later)
        move_study(filled, ADMIN, study_id, state)
        move_study(filled, ADMIN, study_id, state)  # the second click does nothing
    assert next_states(study_of(filled, ADMIN, study_id)) == ()
    lines = history(filled, ADMIN, study_id)
    assert [line.detail for line in lines if line.action == "state"] == [
        "draft → calibration", "calibration → collecting", "collecting → locked", "locked → unblinded",
    ]  # fmt: skip
    assert {line.actor for line in lines} == {"S01", "A01"}
    assert all(line.created_at for line in lines)


def test_without_training_there_is_no_calibration(filled):
    study_id = make_study(filled, RESEARCHER, a_protocol(8, training=0))
    assert next_states(study_of(filled, RESEARCHER, study_id)) == (StudyState.COLLECTING,)
    with pytest.raises(StoreError, match="A study in the state 'draft' cannot go to 'calibration'"):
        move_study(filled, RESEARCHER, study_id, StudyState.CALIBRATION)


def test_only_an_administrator_unblinds(filled):
    study_id = started_study(filled, a_protocol(8, training=0))
    move_study(filled, RESEARCHER, study_id, StudyState.LOCKED)
    with pytest.raises(PermissionDeniedError, match="This needs the role 'admin'"):
        move_study(filled, RESEARCHER, study_id, StudyState.UNBLINDED)
    move_study(filled, ADMIN, study_id, StudyState.UNBLINDED)


def test_a_start_that_was_interrupted_goes_on_with_the_same_codes(filled, monkeypatch):
    study_id = make_study(filled, RESEARCHER, a_protocol(8))
    record, said = filled.studies.record_event, []

    def fail_at_the_third(event):
        said.append(event)
        if len(said) == 3:
            raise StoreError("The disk is full.")
        return record(event)

    monkeypatch.setattr(filled.studies, "record_event", fail_at_the_third)
    with pytest.raises(StoreError, match="The disk is full"):
        move_study(filled, RESEARCHER, study_id, StudyState.CALIBRATION)
    monkeypatch.undo()
    before = filled.studies.items(study_id, "R01")
    assert before
    move_study(filled, RESEARCHER, study_id, StudyState.CALIBRATION)
    items = filled.studies.items(study_id)
    assert [item for item in items if item.reader == "R01"] == before
    assert {item.reader for item in items} == set(READERS)
    assert len({(item.case_id, item.alias) for item in items}) == 8
    assert filled.verify() == []


def test_a_draft_can_be_discarded_and_a_started_study_cannot(filled):
    draft = make_study(filled, RESEARCHER, a_protocol(8))
    started = started_study(filled, a_protocol(8))
    assert {line.study_id for line in study_list(filled, RESEARCHER)} == {draft, started}
    discard_study(filled, RESEARCHER, draft)
    [line] = study_list(filled, RESEARCHER)
    assert (line.study_id, line.state, line.readers, line.done) == (started, StudyState.CALIBRATION, 3, 0)
    with pytest.raises(StoreError, match="A study that was started cannot be discarded"):
        discard_study(filled, RESEARCHER, started)
    with pytest.raises(StoreError, match="cannot go to"):
        move_study(filled, RESEARCHER, draft, StudyState.CALIBRATION)


def test_a_rater_makes_and_moves_nothing(filled):
    study_id = started_study(filled, a_protocol(8))
    rater = person("R01")
    for forbidden in (
        lambda: preview_study(filled, rater, a_protocol(8)),
        lambda: make_study(filled, rater, a_protocol(8)),
        lambda: move_study(filled, rater, study_id, StudyState.COLLECTING),
        lambda: discard_study(filled, rater, study_id),
        lambda: study_list(filled, rater),
        lambda: study_of(filled, rater, study_id),
        lambda: history(filled, rater, study_id),
    ):
        with pytest.raises(PermissionDeniedError, match="This needs the role"):
            forbidden()
    assert study_of(filled, RESEARCHER, study_id).state is StudyState.CALIBRATION


def test_another_rubric_stops_the_start(filled):
    study_id = make_study(filled, RESEARCHER, replace(a_protocol(8), rubric_version="1999.1"))
    with pytest.raises(SettingsError, match=r"made with the rubric '1999\.1'"):
        move_study(filled, Person("S02", Role.ADMIN), study_id, StudyState.CALIBRATION)
    assert filled.studies.items(study_id) == []


def test_nothing_is_made_or_started_before_every_training_case_has_its_whole_consensus(filled):
    half = (TrainingItem("case-08", "r-model-good", {"acc": 3, "ove": 4}),)
    protocol = a_protocol(8, training=0, case_ids=("case-01", "case-02"))
    protocol = replace(protocol, training=half)
    assert preview_study(filled, RESEARCHER, protocol).training == 1  # what it asks of the readers can be seen
    words = r"The training case 'case-08' has no consensus for com, cla, usa\."
    with pytest.raises(SettingsError, match=words):
        make_study(filled, RESEARCHER, protocol)
    # a draft of a program that did not ask for it
    event = event_of(RESEARCHER, "s-half", CREATE, "", {"protocol": protocol_json(protocol)})
    filled.studies.record_event(event)
    with pytest.raises(SettingsError, match=words):
        move_study(filled, RESEARCHER, "s-half", StudyState.CALIBRATION)
    assert study_of(filled, RESEARCHER, "s-half").state is StudyState.DRAFT
    assert filled.studies.items("s-half") == []


def test_the_defaults_are_those_of_the_plan():
    protocol = Protocol("t", LANGUAGE, ("a",), ("r",), ("R01",), "1")
    assert (protocol.repeat_share, protocol.repeat_gap, protocol.patient_gap) == (0.1, 20, 10)
    assert (protocol.staged, protocol.pass_mark, len(KEYS)) == (True, 0.8, 5)
