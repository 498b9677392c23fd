"""What a reader's desk asks for: the next item, drafts, submitting, the list of items.

Every function checks the person: only the reader of an item sees it, whatever the role. Nothing that is returned
names a model, run, generation, case, dataset, file or score, except :func:`case_of_alias` and :func:`case_behind`,
which are for the server's own routes. The guess at the end is in :mod:`~pet2rep_core.workflow.study_guess`.
"""

from __future__ import annotations

from dataclasses import replace

from pet2rep_core.errors import PermissionDeniedError, StoreError
from pet2rep_core.records import ItemKind, Person, Stage, StudyItem, StudyRating, StudyState
from pet2rep_core.store import Store
from pet2rep_core.workflow.study_calibration import calibration, compare, consensus_of
from pet2rep_core.workflow.study_drafts import draft_json, read_draft
from pet2rep_core.workflow.study_file import (
    ASK,
    GUESS,
    OPEN_STATES,
    REMIND,
    event_of,
    is_finished,
    main_items,
    own_item,
    read_study,
    training_items,
)
from pet2rep_core.workflow.study_guess import guess_model, guess_sheet, may_guess
from pet2rep_core.workflow.study_records import (
    Consensus,
    Desk,
    DeskDraft,
    DraftSource,
    EmptyDesk,
    GuessSheet,
    ItemProgress,
    ItemState,
    NoDeskReason,
    ReaderStudy,
    ShownText,
    Submitted,
    UnlockState,
)
from pet2rep_core.workflow.study_shelf import Shelf, open_shelf
from pet2rep_core.workflow.study_submit import MAX_REASON, keep_draft, submit
from pet2rep_core.workflow.study_texts import generated_text, reference_text

__all__ = [
    "Consensus", "Desk", "DeskDraft", "DraftSource", "EmptyDesk", "GuessSheet", "ItemProgress", "ItemState",
    "NoDeskReason", "ReaderStudy", "ShownText", "Submitted", "UnlockState", "ask_unlock", "case_behind",
    "case_of_alias", "draft_json", "guess_model", "guess_sheet", "keep_draft", "list_items", "open_desk", "read_draft",
    "studies_of", "submit",
]  # fmt: skip


def studies_of(store: Store, person: Person) -> tuple[ReaderStudy, ...]:
    """Return the studies in which a person has items, the newest first."""
    found = []
    for study_id in store.studies.studies_of(person.name):
        study = read_study(store, study_id)
        items = store.studies.items(study_id, person.name)
        finished = store.studies.finished(study_id, person.name)
        reminded = store.studies.last_event(study_id, REMIND, person.name)
        found.append(
            ReaderStudy(
                study_id=study_id,
                title=study.protocol.title,
                state=study.state,
                language=study.protocol.language,
                done=sum(is_finished(study, item, finished) for item in items),
                total=len(items),
                reminded_at=reminded.created_at if reminded else "",
            )
        )
    return tuple(found)


def open_desk(store: Store, person: Person, study_id: str, *, code: str | None = None) -> Desk | EmptyDesk:
    """Open an item: the named one, or the next that is not finished, training first, in the stage where it is.

    Registers an opening: a screen that opened the same item earlier is stale from now on.

    Raises
    ------
    PermissionDeniedError
        If the person is no reader of the study, the item belongs to another reader, or it may not be opened yet.
    UnknownNameError
        If there is no such study.
    """
    shelf = open_shelf(store, person, study_id)
    item = own_item(store, person, shelf.study, code) if code is not None else shelf.next
    if item is None:
        return _empty(shelf)
    if not shelf.may_open(item):
        raise PermissionDeniedError("This item cannot be opened yet.", hint="Finish the training items first.")
    stage = shelf.stage(item)
    generated = generated_text(store, item)
    reference = reference_text(store, shelf.study, item) if stage is Stage.FINAL else None
    opening = store.studies.record_opening(
        study_id,
        item,
        stage,
        shown_sha256=generated.sha256,
        reference_sha256=reference.sha256 if reference else "",
    )
    draft, source = _on_screen(store, shelf, item, stage, opening)
    done = shelf.is_done(item)
    group, number = _place(shelf, item)
    return Desk(
        study_id=study_id,
        title=shelf.study.protocol.title,
        state=shelf.study.state,
        language=shelf.study.protocol.language,
        rubric_version=shelf.study.protocol.rubric_version,
        is_training=item.kind is ItemKind.TRAINING,
        staged=shelf.study.protocol.staged,
        number=number,
        total=len(group),
        done=sum(map(shelf.is_done, group)),
        code=item.code,
        alias=item.alias,
        stage=stage,
        generated=generated,
        reference=reference,
        draft=draft,
        source=source,
        provisional=_provisional(store, shelf, item),
        consensus=compare(consensus_of(shelf.study, item), draft.answers)
        if done and item.kind is ItemKind.TRAINING
        else None,
        previous_code=_neighbour(shelf, item, -1),
        next_code=_neighbour(shelf, item, 1),
        may_submit=shelf.may_submit(item),
        needs_reason=done,
        unlock=shelf.unlock(item),
    )


def list_items(store: Store, person: Person, study_id: str) -> tuple[ItemState, ...]:
    """Return the items of a reader in order, training first; no names."""
    shelf = open_shelf(store, person, study_id)
    drafted = store.studies.drafted(study_id, person.name)

    def progress(item: StudyItem) -> ItemProgress:
        if shelf.is_done(item):
            return ItemProgress.DONE
        if shelf.stage(item) is not shelf.study.stages[0]:
            return ItemProgress.PROVISIONAL
        return ItemProgress.DRAFT if item.code in drafted else ItemProgress.OPEN

    return tuple(
        ItemState(
            number=number,
            code=item.code,
            is_training=item.kind is ItemKind.TRAINING,
            progress=progress(item),
            may_open=shelf.may_open(item),
        )
        for group in (training_items(shelf.items), main_items(shelf.items))
        for number, item in enumerate(group, start=1)
    )


def case_of_alias(store: Store, person: Person, study_id: str, alias: str) -> str:
    """Return the case behind an alias, for the routes of the viewer; only for a reader of the study.

    Raises
    ------
    PermissionDeniedError
        If the person has no item with this alias.
    """
    item = store.studies.item_of_alias(study_id, person.name, alias)
    if item is None:
        raise PermissionDeniedError("These images belong to no item of yours.", hint="Open your own list of items.")
    return item.case_id


def case_behind(store: Store, person: Person, study_id: str, code: str) -> str:
    """Return the case of an item, for the routes of the viewer; only for the reader of the item."""
    return own_item(store, person, read_study(store, study_id), code).case_id


def ask_unlock(store: Store, person: Person, study_id: str, code: str, reason: str, *, event_id: str = "") -> None:
    """Ask that a submitted item of a locked study may be changed; a researcher decides.

    Raises
    ------
    StoreError
        If there is no reason, or the study is not locked.
    """
    if not reason.strip() or len(reason) > MAX_REASON:
        raise StoreError("The request has no reason, or a very long one.", hint="Say in a few words what is wrong.")
    with store.studies.alone():
        shelf = open_shelf(store, person, study_id)
        item = own_item(store, person, shelf.study, code)
        counts = item.kind is not ItemKind.TRAINING and shelf.is_done(item)
        if shelf.study.state is not StudyState.LOCKED or not counts:
            raise StoreError(
                "Only a submitted item of a locked study needs to be unlocked.", hint="Open the item and change it."
            )
        if shelf.unlock(item) is UnlockState.NONE:
            store.studies.record_event(event_of(person, study_id, ASK, code, {"reason": reason}, event_id))


def _empty(shelf: Shelf) -> EmptyDesk:
    main = main_items(shelf.items)
    done = sum(map(shelf.is_done, main))
    training = calibration(shelf.store, shelf.study, shelf.reader, shelf.items)
    if shelf.study.state is StudyState.DRAFT:
        reason = NoDeskReason.NOT_STARTED
    elif shelf.study.state not in OPEN_STATES:
        reason = NoDeskReason.CLOSED
    elif not training.may_go_on:
        reason = NoDeskReason.TRAINING_NOT_PASSED
    elif shelf.study.state is StudyState.CALIBRATION:
        reason = NoDeskReason.TRAINING_DONE
    else:
        reason = NoDeskReason.ALL_DONE
    return EmptyDesk(
        study_id=shelf.study.study_id,
        title=shelf.study.protocol.title,
        state=shelf.study.state,
        language=shelf.study.protocol.language,
        reason=reason,
        done=done,
        total=len(main),
        may_guess=may_guess(shelf.study, shelf.items, shelf.finished)
        and shelf.store.studies.last_event(shelf.study.study_id, GUESS, shelf.reader) is None,
        within_one=training.within_one,
    )


def _on_screen(
    store: Store, shelf: Shelf, item: StudyItem, stage: Stage, opening: str
) -> tuple[DeskDraft, DraftSource]:
    """Return what the form shows: a draft, else what was submitted, else the answers of the stage before."""
    saved = store.studies.rating(shelf.study.study_id, item.code, stage)
    revision = saved.revision if saved else 0

    def fresh(draft: DeskDraft) -> DeskDraft:
        return replace(draft, opening=opening, stage=stage, revision=revision)

    kept = store.studies.draft(shelf.study.study_id, item.code, stage)
    if kept is not None and shelf.may_submit(item):
        return fresh(read_draft(kept.content)), DraftSource.DRAFT
    if saved is not None:
        return fresh(_draft_of(saved.rating)), DraftSource.SUBMITTED
    before = _provisional(store, shelf, item) if stage is Stage.FINAL else None
    if before is not None:
        return replace(fresh(before), active_ms=0), DraftSource.PROVISIONAL
    return DeskDraft(opening, stage, revision), DraftSource.EMPTY


def _provisional(store: Store, shelf: Shelf, item: StudyItem) -> DeskDraft | None:
    found = store.studies.rating(shelf.study.study_id, item.code, Stage.PROVISIONAL)
    return _draft_of(found.rating) if found else None


def _draft_of(rating: StudyRating) -> DeskDraft:
    return DeskDraft(
        opening=rating.opening,
        stage=rating.stage,
        answers=dict(rating.answers),
        reasons=dict(rating.reasons),
        comments=dict(rating.comments),
        comment=rating.comment,
        marks=rating.marks,
        missed=rating.missed,
        active_ms=rating.active_ms,
    )


def _place(shelf: Shelf, item: StudyItem) -> tuple[list[StudyItem], int]:
    """Return the items that an item is counted among, and its number."""
    group = training_items(shelf.items) if item.kind is ItemKind.TRAINING else main_items(shelf.items)
    return group, group.index(item) + 1


def _neighbour(shelf: Shelf, item: StudyItem, step: int) -> str:
    """Return the nearest item before or after that may be opened; empty where there is none."""
    place = shelf.items.index(item) + step
    while 0 <= place < len(shelf.items):
        if shelf.may_open(shelf.items[place]):
            return shelf.items[place].code
        place += step
    return ""
