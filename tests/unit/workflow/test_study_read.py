"""A reader's desk: next item, drafts, stages, stale tabs, one event a click, nothing that names a model."""

import dataclasses
import json
from dataclasses import replace

import pytest

from pet2rep_core.errors import PermissionDeniedError, StaleRatingError, StoreError, UnknownNameError
from pet2rep_core.records import Language, Mark, MarkKind, Missed, Person, Role, Stage, StudyState, text_sha256
from pet2rep_core.report.sections import split_report
from pet2rep_core.store import open_store
from pet2rep_core.study.leaks import leaks_version
from pet2rep_core.workflow.study_adjudicate import decide_unlock, unlock_requests
from pet2rep_core.workflow.study_make import make_study, move_study
from pet2rep_core.workflow.study_read import (
    Desk,
    DraftSource,
    EmptyDesk,
    ItemProgress,
    NoDeskReason,
    UnlockState,
    ask_unlock,
    case_behind,
    case_of_alias,
    guess_model,
    guess_sheet,
    keep_draft,
    list_items,
    open_desk,
    studies_of,
    submit,
)
from pet2rep_core.workflow.study_watch import admit
from tests.reader_study import (
    ADMIN,
    KEYS,
    LANGUAGE,
    MODELS,
    RESEARCHER,
    Habit,
    a_protocol,
    click,
    person,
    read_items,
    started_study,
)

R01 = person("R01")
GOOD = dict.fromkeys(KEYS, 4)


@pytest.fixture
def filled(reported):
    return reported


@pytest.fixture
def reading(filled):
    """A study without training and with both stages."""
    return started_study(filled, a_protocol(4, training=0))


@pytest.fixture
def training(filled):
    return started_study(filled, a_protocol(4))


def complete(desk, **changes):
    return replace(desk.draft, **{"answers": GOOD, **changes})


def send(store, study_id, desk, *, event_id="", reason="", **changes):
    draft = complete(desk, **changes)
    return submit(store, R01, study_id, desk.code, draft, event_id=event_id or click(), reason=reason)


def test_the_first_item_opens_without_the_reference(filled, reading):
    desk = open_desk(filled, R01, reading)
    assert (desk.number, desk.total, desk.done, desk.is_training) == (1, 12, 0, False)
    assert (desk.stage, desk.reference, desk.source, desk.may_submit) == (Stage.PROVISIONAL, None, "empty", True)
    assert (desk.draft.revision, desk.draft.answers, desk.needs_reason) == (0, {}, False)
    item = filled.studies.item(reading, desk.code)
    assert desk.generated.text == filled.generation(item.generation_id).generation.text
    assert desk.generated.sha256 == text_sha256(desk.generated.text)
    sentences = [desk.generated.text[one.start : one.end] for one in desk.generated.sentences]
    assert [one.number for one in desk.generated.sentences] == list(range(len(sentences)))
    assert "".join(sentences).replace(" ", "") == desk.generated.text.replace(" ", "")


def test_what_a_desk_returns_names_nothing(filled, training):
    """Everything that may reach a rater's browser, searched for every name that it must not have."""
    secrets = {*MODELS, *(f"r-{m}" for m in MODELS), *(f"case-{n:02d}" for n in range(1, 5)), "small", "fused"}
    secrets |= {f"g-{m}-{n}" for m in MODELS for n in range(1, 5)}
    seen = []
    for state in (StudyState.CALIBRATION, StudyState.COLLECTING):
        if state is StudyState.COLLECTING:
            move_study(filled, RESEARCHER, training, state)
        while isinstance(desk := open_desk(filled, R01, training), Desk):
            seen.append(json.dumps(dataclasses.asdict(desk), default=str))
            keep_draft(filled, R01, training, desk.code, complete(desk))
            done = send(filled, training, desk)
            seen.append(json.dumps(dataclasses.asdict(done), default=str))
        seen.append(json.dumps(dataclasses.asdict(desk), default=str))
    seen += [json.dumps([dataclasses.asdict(one) for one in list_items(filled, R01, training)], default=str)]
    seen += [json.dumps([dataclasses.asdict(one) for one in studies_of(filled, R01)], default=str)]
    seen += [json.dumps(dataclasses.asdict(guess_sheet(filled, R01, training)), default=str)]
    everything = "\n".join(seen)
    assert len(seen) > 25
    assert [name for name in sorted(secrets) if name in everything] == []


def test_each_click_is_kept_and_a_reload_brings_it_back(filled, reading):
    desk = open_desk(filled, R01, reading)
    marks = (Mark(0, 0, 9, MarkKind.PLACE, significant=False),)
    draft = replace(
        desk.draft, answers={"acc": 4, "com": None}, reasons={"com": "cut off"}, comment="肝", marks=marks, active_ms=5
    )
    assert keep_draft(filled, R01, reading, desk.code, draft) == 1
    assert keep_draft(filled, R01, reading, desk.code, replace(draft, answers={"acc": 3, "com": None})) == 2
    again = open_desk(filled, R01, reading)
    assert (again.code, again.source) == (desk.code, DraftSource.DRAFT)
    assert again.draft == replace(draft, answers={"acc": 3, "com": None}, opening=again.draft.opening)
    assert again.draft.opening != desk.draft.opening
    assert list_items(filled, R01, reading)[0].progress is ItemProgress.DRAFT


def test_a_draft_comes_back_after_a_restart(settings, filled, reading):
    desk = open_desk(filled, R01, reading)
    keep_draft(filled, R01, reading, desk.code, replace(desk.draft, answers={"acc": 2}))
    filled.close()
    store = open_store(settings)
    assert open_desk(store, R01, reading).draft.answers == {"acc": 2}
    store.close()


def test_both_stages_are_kept(filled, reading):
    first = open_desk(filled, R01, reading)
    done = send(filled, reading, first, answers=dict.fromkeys(KEYS, 5))
    assert (done.stage, done.revision, done.repeated) == (Stage.PROVISIONAL, 1, False)
    assert (done.next_stage, done.next_code) == (Stage.FINAL, first.code)
    second = open_desk(filled, R01, reading)
    assert (second.code, second.stage, second.source) == (first.code, Stage.FINAL, DraftSource.PROVISIONAL)
    assert second.reference is not None
    assert second.draft.answers == second.provisional.answers == dict.fromkeys(KEYS, 5)
    assert (second.draft.revision, second.draft.active_ms) == (0, 0)
    assert list_items(filled, R01, reading)[0].progress is ItemProgress.PROVISIONAL
    missed = (Missed(1, 10, 20, significant=True),)
    done = send(filled, reading, second, answers=dict.fromkeys(KEYS, 2), missed=missed)
    assert (done.stage, done.revision, done.next_stage) == (Stage.FINAL, 1, None)
    third = open_desk(filled, R01, reading)
    assert third.code == done.next_code != first.code
    saved = {one.rating.stage: one.rating for one in filled.studies.ratings(reading, "R01")}
    assert saved[Stage.PROVISIONAL].answers == dict.fromkeys(KEYS, 5)
    assert saved[Stage.FINAL].answers == dict.fromkeys(KEYS, 2)
    assert saved[Stage.FINAL].missed == missed
    assert saved[Stage.PROVISIONAL].reference_sha256 == ""
    assert saved[Stage.FINAL].reference_sha256 == second.reference.sha256
    assert {one.shown_sha256 for one in saved.values()} == {first.generated.sha256}


def test_without_staged_reveal_the_reference_is_there_at_once(filled):
    study_id = started_study(filled, a_protocol(4, training=0, staged=False))
    desk = open_desk(filled, R01, study_id)
    assert (desk.stage, desk.provisional) == (Stage.FINAL, None)
    assert desk.reference is not None
    assert send(filled, study_id, desk).next_stage is None


def test_the_same_click_twice_is_one_event(filled, reading):
    desk = open_desk(filled, R01, reading)
    once = send(filled, reading, desk, event_id="click-0001")
    twice = send(filled, reading, desk, event_id="click-0001")
    assert (once.repeated, twice.repeated) == (False, True)
    assert replace(twice, repeated=False) == once
    assert len(filled.studies.ratings(reading, history=True)) == 1
    with pytest.raises(StoreError, match="This click was already saved with other answers"):
        send(filled, reading, desk, event_id="click-0001", answers=dict.fromkeys(KEYS, 1))
    move_study(filled, RESEARCHER, reading, StudyState.LOCKED)
    assert send(filled, reading, desk, event_id="click-0001").repeated  # confirmed again, though it is closed now


def test_an_older_tab_is_stale(filled, reading):
    older = open_desk(filled, R01, reading)
    newer = open_desk(filled, R01, reading)
    for write in (
        lambda: keep_draft(filled, R01, reading, older.code, complete(older)),
        lambda: send(filled, reading, older),
    ):
        with pytest.raises(StaleRatingError, match="This item was opened in another tab or window since"):
            write()
    keep_draft(filled, R01, reading, newer.code, complete(newer))
    send(filled, reading, newer)
    with pytest.raises(StaleRatingError, match="is at revision 1, the screen showed revision 0"):
        send(filled, reading, newer)
    with pytest.raises(StaleRatingError, match="is at revision 1, the screen showed revision 0"):
        keep_draft(filled, R01, reading, newer.code, complete(newer))
    final = open_desk(filled, R01, reading)
    with pytest.raises(StaleRatingError):  # a screen of the first stage cannot answer the second
        send(filled, reading, final, stage=Stage.PROVISIONAL)
    assert [one.revision for one in filled.studies.ratings(reading, history=True)] == [1]


def test_a_change_is_a_new_revision_with_a_reason(filled, reading):
    desk = open_desk(filled, R01, reading)
    code = desk.code
    send(filled, reading, desk)
    send(filled, reading, open_desk(filled, R01, reading))
    desk = open_desk(filled, R01, reading, code=code)
    assert (desk.source, desk.draft.revision, desk.needs_reason) == (DraftSource.SUBMITTED, 1, True)
    assert desk.draft.answers == GOOD
    with pytest.raises(StoreError, match="A submitted answer is changed without a reason"):
        send(filled, reading, desk, answers=dict.fromkeys(KEYS, 1))
    done = send(filled, reading, desk, answers=dict.fromkeys(KEYS, 1), reason="Looked again.")
    assert done.revision == 2
    history = filled.studies.rating_history(reading, code, Stage.FINAL)
    assert [(one.revision, one.rating.answers["acc"], one.rating.reason) for one in history] == [
        (1, 4, ""), (2, 1, "Looked again."),
    ]  # fmt: skip
    assert open_desk(filled, R01, reading, code=code).draft.answers == dict.fromkeys(KEYS, 1)
    assert filled.verify() == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"answers": {"acc": 4}}, "4 of 5 dimensions have no answer."),
        ({"answers": {**GOOD, "acc": None}}, "'acc' is not assessable without a reason."),
        ({"answers": {**GOOD, "acc": None}, "reasons": {"acc": " "}}, "'acc' is not assessable without a reason."),
        ({"answers": {**GOOD, "acc": 6}}, "The answer for 'acc' is 6."),
        ({"answers": {**GOOD, "acc": 0}}, "The answer for 'acc' is 0."),
        ({"answers": {**GOOD, "all": 4}}, "There is no dimension named 'all'."),
        ({"active_ms": -1}, "The item took -1 ms."),
        ({"marks": (Mark(99, 0, 3, MarkKind.FALSE, True),)}, "A marked sentence is not in the report."),
        ({"marks": (Mark(0, 0, 9999, MarkKind.FALSE, True),)}, "A marked sentence is not in the report."),
        ({"missed": (Missed(0, 0, 3, True),)}, "A sentence is missed from a reference report that was not shown."),
    ],
)
def test_answers_that_cannot_be_are_refused(filled, reading, changes, words):
    desk = open_desk(filled, R01, reading)
    with pytest.raises((StoreError, UnknownNameError), match=words):
        send(filled, reading, desk, **changes)
    assert filled.studies.ratings(reading) == []
    send(filled, reading, desk)


def test_not_assessable_keeps_its_reason_and_stray_reasons_go(filled, reading):
    desk = open_desk(filled, R01, reading)
    send(filled, reading, desk, answers={**GOOD, "com": None}, reasons={"com": "cut off ", "acc": "left over"})
    [saved] = filled.studies.ratings(reading)
    assert (saved.rating.answers["com"], saved.rating.reasons) == (None, {"com": "cut off"})


def test_give_aways_are_flagged_and_the_text_is_unchanged(filled, reading):
    read_items(filled, reading, "R01")
    items = {one.code: one for one in filled.studies.items(reading)}
    for one in filled.studies.ratings(reading):
        poor = items[one.rating.code].run_id == "r-model-poor"
        assert one.rating.leaks == (("names_itself",) if poor else ())
        assert one.rating.leaks_version == leaks_version()


def test_nobody_is_active_for_longer_than_the_item_was_open(filled, reading):
    desk = open_desk(filled, R01, reading)
    send(filled, reading, desk, active_ms=3_600_000)
    [saved] = filled.studies.ratings(reading)
    assert 0 <= saved.rating.active_ms < 300_000


def test_what_was_on_the_screen_is_hashed_even_if_the_report_changes_meanwhile(filled, reading):
    send(filled, reading, open_desk(filled, R01, reading))
    desk = open_desk(filled, R01, reading)
    case_id = filled.studies.item(reading, desk.code).case_id
    filled.record_report(case_id, split_report("Findings: another text.", LANGUAGE))
    send(filled, reading, desk)
    final = filled.studies.rating(reading, desk.code, Stage.FINAL)
    assert final.rating.reference_sha256 == desk.reference.sha256 != text_sha256("Findings: another text.")


def test_an_item_belongs_to_its_reader(filled, reading):
    desk = open_desk(filled, R01, reading)
    for other in (person("R02"), RESEARCHER, ADMIN, Person("R99", Role.RATER)):
        for use in (
            lambda who: open_desk(filled, who, reading, code=desk.code),
            lambda who: keep_draft(filled, who, reading, desk.code, complete(desk)),
            lambda who: submit(filled, who, reading, desk.code, complete(desk), event_id=click()),
            lambda who: case_behind(filled, who, reading, desk.code),
            lambda who: ask_unlock(filled, who, reading, desk.code, "why not"),
        ):
            with pytest.raises(PermissionDeniedError):
                use(other)
    with pytest.raises(PermissionDeniedError, match="You are not a reader of this study"):
        list_items(filled, RESEARCHER, reading)
    assert studies_of(filled, RESEARCHER) == ()
    with pytest.raises(StoreError, match="The study has no such item"):
        open_desk(filled, R01, reading, code="0" * 16)
    with pytest.raises(UnknownNameError, match="There is no study named 's-none'"):
        open_desk(filled, R01, "s-none")


def test_images_are_found_by_alias_for_readers_only(filled, reading):
    desk = open_desk(filled, R01, reading)
    case_id = filled.studies.item(reading, desk.code).case_id
    assert case_of_alias(filled, R01, reading, desk.alias) == case_behind(filled, R01, reading, desk.code) == case_id
    assert case_of_alias(filled, person("R02"), reading, desk.alias) == case_id  # same case, same alias: cached once
    for who, alias in ((RESEARCHER, desk.alias), (R01, case_id), (R01, "0" * 16)):
        with pytest.raises(PermissionDeniedError, match="These images belong to no item of yours"):
            case_of_alias(filled, who, reading, alias)


def test_the_order_is_the_same_at_every_return_and_the_list_says_how_far_one_is(filled, reading):
    before = [one.code for one in list_items(filled, R01, reading)]
    read_items(filled, reading, "R01", most=6)
    items = list_items(filled, R01, reading)
    assert [one.code for one in items] == before
    assert [one.number for one in items] == list(range(1, 13))
    assert [one.progress for one in items] == [ItemProgress.DONE] * 3 + [ItemProgress.OPEN] * 9
    desk = open_desk(filled, R01, reading)
    assert (desk.number, desk.done, desk.previous_code, desk.next_code) == (4, 3, before[2], before[4])
    [mine] = studies_of(filled, R01)
    assert (mine.study_id, mine.done, mine.total, mine.state) == (reading, 3, 12, StudyState.COLLECTING)


def test_a_repeat_looks_like_any_other_item(filled):
    study_id = started_study(filled, a_protocol(16, training=0, models=MODELS[:2]))
    items = filled.studies.items(study_id, "R01")
    repeat = next(item for item in items if item.repeat_of)
    first = next(item for item in items if item.code == repeat.repeat_of)
    one, two = (open_desk(filled, R01, study_id, code=item.code) for item in (first, repeat))
    same = {"code": "", "number": 0, "previous_code": "", "next_code": "", "draft": one.draft}
    assert replace(one, **same) == replace(two, **same)
    assert one.alias == two.alias
    assert two.source is DraftSource.EMPTY


def test_training_comes_first_and_tells_the_consensus_afterwards(filled, training):
    desk = open_desk(filled, R01, training)
    assert (desk.is_training, desk.number, desk.total, desk.consensus) == (True, 1, 1, None)
    main = [one for one in list_items(filled, R01, training) if not one.is_training]
    assert not any(one.may_open for one in main)
    with pytest.raises(PermissionDeniedError, match="This item cannot be opened yet"):
        open_desk(filled, R01, training, code=main[0].code)
    provisional = send(filled, training, desk)
    assert (provisional.consensus, provisional.passed) == (None, None)
    done = send(filled, training, open_desk(filled, R01, training), answers={**GOOD, "ove": 2, "acc": 5})
    assert done.consensus.values == dict.fromkeys(KEYS, 5)
    assert (done.consensus.within_one, done.passed, done.next_code) == (0.8, True, "")  # 4 of 5 within one point
    assert done.consensus.feedback == "Nothing is wrong here."
    empty = open_desk(filled, R01, training)
    assert (empty.reason, empty.done, empty.total) == (NoDeskReason.TRAINING_DONE, 0, 9)
    look = open_desk(filled, R01, training, code=desk.code)
    assert look.consensus == done.consensus
    assert not look.may_submit
    with pytest.raises(PermissionDeniedError, match="This item cannot be answered or changed now"):
        send(filled, training, look, reason="now I know better")


def test_who_misses_the_pass_mark_waits_for_the_researcher(filled, training):
    read_items(filled, training, "R01", Habit(shift=-3, spread=0))
    move_study(filled, RESEARCHER, training, StudyState.COLLECTING)
    empty = open_desk(filled, R01, training)
    assert (empty.reason, empty.within_one) == (NoDeskReason.TRAINING_NOT_PASSED, 0.0)
    assert not any(one.may_open for one in list_items(filled, R01, training) if not one.is_training)
    with pytest.raises(StoreError, match="A reader is admitted without a reason"):
        admit(filled, RESEARCHER, training, "R01", " ")
    with pytest.raises(StoreError, match="This reader does not need to be admitted"):
        admit(filled, RESEARCHER, training, "R02", "they are good")
    admit(filled, RESEARCHER, training, "R01", "We talked it over.")
    assert isinstance(open_desk(filled, R01, training), Desk)


def test_training_may_be_finished_while_the_others_read(filled, training):
    move_study(filled, RESEARCHER, training, StudyState.COLLECTING)
    desk = open_desk(filled, R01, training)
    assert desk.is_training
    send(filled, training, desk, answers=dict.fromkeys(KEYS, 5))
    done = send(filled, training, open_desk(filled, R01, training), answers=dict.fromkeys(KEYS, 5))
    assert done.passed
    assert done.next_code == next(one.code for one in list_items(filled, R01, training) if not one.is_training)


def test_a_draft_of_a_study_opens_for_nobody(filled):
    study_id = make_study(filled, RESEARCHER, a_protocol(4))
    with pytest.raises(PermissionDeniedError, match="or it has not been started"):
        open_desk(filled, R01, study_id)


@pytest.fixture
def locked(filled, reading):
    read_items(filled, reading, "R01")
    read_items(filled, reading, "R02", most=3)
    move_study(filled, RESEARCHER, reading, StudyState.LOCKED)
    return reading


def test_a_locked_study_shows_and_takes_nothing_new(filled, locked):
    empty = open_desk(filled, R01, locked)
    assert (empty.reason, empty.may_guess) == (NoDeskReason.CLOSED, True)
    code = list_items(filled, R01, locked)[0].code
    desk = open_desk(filled, R01, locked, code=code)
    assert (desk.may_submit, desk.unlock) == (False, UnlockState.NONE)
    with pytest.raises(PermissionDeniedError, match="This item cannot be answered or changed now"):
        send(filled, locked, desk, reason="too late")
    unfinished = list_items(filled, person("R02"), locked)[-1]
    with pytest.raises(PermissionDeniedError):
        open_desk(filled, person("R02"), locked, code=unfinished.code)


def test_an_item_is_unlocked_for_one_change(filled, locked):
    code = list_items(filled, R01, locked)[2].code
    with pytest.raises(StoreError, match="The request has no reason"):
        ask_unlock(filled, R01, locked, code, "")
    ask_unlock(filled, R01, locked, code, "I took left for right.")
    ask_unlock(filled, R01, locked, code, "I took left for right.")  # a second click
    assert open_desk(filled, R01, locked, code=code).unlock is UnlockState.ASKED
    [request] = unlock_requests(filled, RESEARCHER, locked)
    assert (request.code, request.reader, request.number, request.reason) == (code, "R01", 3, "I took left for right.")
    with pytest.raises(PermissionDeniedError, match="This needs the role"):
        decide_unlock(filled, R01, locked, code, grant=True)
    decide_unlock(filled, RESEARCHER, locked, code, grant=True)
    assert unlock_requests(filled, RESEARCHER, locked) == ()
    desk = open_desk(filled, R01, locked)  # it is the next item now
    assert (desk.code, desk.unlock, desk.may_submit) == (code, UnlockState.GRANTED, True)
    done = send(filled, locked, desk, reason="Left is left.")
    assert (done.revision, done.next_code) == (2, "")
    assert open_desk(filled, R01, locked, code=code).unlock is UnlockState.NONE
    with pytest.raises(PermissionDeniedError):
        send(filled, locked, open_desk(filled, R01, locked, code=code), reason="once more")
    assert filled.verify() == []  # the seal of the lock holds beside what was changed with leave


def test_a_refused_request_leaves_the_item_closed(filled, locked):
    code = list_items(filled, R01, locked)[0].code
    with pytest.raises(StoreError, match="Nobody waits for this item"):
        decide_unlock(filled, RESEARCHER, locked, code, grant=True)
    ask_unlock(filled, R01, locked, code, "Please.")
    decide_unlock(filled, RESEARCHER, locked, code, grant=False, reason="It was discussed.")
    assert open_desk(filled, R01, locked, code=code).unlock is UnlockState.NONE
    assert isinstance(open_desk(filled, R01, locked), EmptyDesk)


def test_items_of_a_study_that_collects_need_no_unlocking(filled, reading):
    code = list_items(filled, R01, reading)[0].code
    with pytest.raises(StoreError, match="Only a submitted item of a locked study needs to be unlocked"):
        ask_unlock(filled, R01, reading, code, "why not")


def test_models_are_guessed_after_the_last_item(filled, reading):
    with pytest.raises(PermissionDeniedError, match="guessed after the last item"):
        guess_sheet(filled, R01, reading)
    read_items(filled, reading, "R01")
    sheet = guess_sheet(filled, R01, reading)
    assert len(sheet.codes) == 12
    assert sheet == guess_sheet(filled, R01, reading)
    with pytest.raises(StoreError, match="There is no guess in the answer"):
        guess_model(filled, R01, reading, {sheet.codes[0]: " "}, event_id=click())
    others = list_items(filled, person("R02"), reading)[0].code
    with pytest.raises(PermissionDeniedError, match="not asked for"):
        guess_model(filled, R01, reading, {others: "x"}, event_id=click())
    assert open_desk(filled, R01, reading).may_guess
    guess_model(filled, R01, reading, {sheet.codes[0]: "GPT?", "": "all alike"}, event_id=click(), comment="hard")
    assert not open_desk(filled, R01, reading).may_guess  # asked once
    move_study(filled, RESEARCHER, reading, StudyState.LOCKED)
    assert not any(name in json.dumps(dataclasses.asdict(guess_sheet(filled, R01, reading))) for name in MODELS)
    move_study(filled, ADMIN, reading, StudyState.UNBLINDED)
    with pytest.raises(PermissionDeniedError):
        guess_sheet(filled, R01, reading)


def test_chinese_studies_show_chinese_references(filled):
    assert Language.CHINESE is not LANGUAGE
    filled.record_report("case-01", split_report("影像所见：肝脏正常。", Language.CHINESE))
    study_id = started_study(filled, a_protocol(4, training=0, staged=False))
    read_items(filled, study_id, "R01")
    shown = {one.rating.reference_sha256 for one in filled.studies.ratings(study_id)}
    assert text_sha256("影像所见：肝脏正常。") not in shown
    assert len(shown) == 4


def test_a_submit_that_cannot_be_stored_changes_nothing(filled, reading, monkeypatch):
    desk = open_desk(filled, R01, reading)
    monkeypatch.setattr(filled._journal, "append", _no_room)
    with pytest.raises(StoreError, match="no room"):
        send(filled, reading, desk, event_id="click-0001")
    monkeypatch.undo()
    assert filled.studies.ratings(reading) == []
    assert not send(filled, reading, desk, event_id="click-0001").repeated
    assert filled.verify() == []


def _no_room(event):
    raise StoreError("The disk has no room.")
