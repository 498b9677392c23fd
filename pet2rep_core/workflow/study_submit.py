"""Keep and submit what a reader answered: nothing stale, nothing impossible, nothing twice."""

from __future__ import annotations

import datetime
from dataclasses import replace

from pet2rep_core.errors import PermissionDeniedError, StaleRatingError, StoreError
from pet2rep_core.records import ItemKind, Person, Stage, StudyItem, StudyRating, StudyState
from pet2rep_core.store import Store, StoredStudyRating
from pet2rep_core.store.study_rows import Opening
from pet2rep_core.study.leaks import find_leaks, leaks_version
from pet2rep_core.workflow.study_calibration import calibration, compare, consensus_of
from pet2rep_core.workflow.study_drafts import check_complete, check_draft, draft_json
from pet2rep_core.workflow.study_file import own_item, rubric_of
from pet2rep_core.workflow.study_records import DeskDraft, ShownText, Submitted, UnlockState
from pet2rep_core.workflow.study_shelf import Shelf, open_shelf
from pet2rep_core.workflow.study_texts import generated_text, reference_text

MAX_REASON = 2000


def keep_draft(store: Store, person: Person, study_id: str, code: str, draft: DeskDraft) -> int:
    """Keep what is on the screen, however incomplete; it is on the disk when this returns. Returns the draft's number.

    Raises
    ------
    StaleRatingError
        If the item was opened in another tab since, or a newer revision was submitted.
    StoreError
        If an answer cannot be one, or it could not be stored.
    """
    with store.studies.alone():
        shelf = open_shelf(store, person, study_id)
        item, _ = _writable(shelf, person, code, draft)
        _check(shelf, item, draft)
        return store.studies.record_draft(
            study_id,
            code,
            draft.stage,
            opening=draft.opening,
            rating_revision=draft.revision,
            content=draft_json(draft),
        )


def submit(
    store: Store, person: Person, study_id: str, code: str, draft: DeskDraft, *, event_id: str, reason: str = ""
) -> Submitted:
    """Submit a complete answer; it is in the journal and in the database when this returns.

    Parameters
    ----------
    event_id : str
        Name of this click, made by the screen (a UUID): the same click twice is one event.
    reason : str
        Why an answer is changed that was final already; needed then.

    Raises
    ------
    StaleRatingError
        If the item was opened in another tab since, or a newer revision was submitted.
    StoreError
        If a dimension has no answer, "not assessable" has no reason, a change has no reason, or it could not be stored.
    PermissionDeniedError
        If the item is not this reader's, or the study does not collect.
    """
    if len(reason) > MAX_REASON:
        raise StoreError(f"The reason has {len(reason)} characters.", hint=f"Use at most {MAX_REASON}.")
    with store.studies.alone():
        shelf = open_shelf(store, person, study_id)
        if store.studies.rating_of_click(event_id) is not None:  # confirmed again, wherever the study is now
            item = own_item(store, person, shelf.study, code)
            openings = store.studies.openings(study_id, code)
        else:
            item, openings = _writable(shelf, person, code, draft)
            check_complete(draft, rubric_of(shelf.study))
            if draft.revision and not reason.strip():
                raise StoreError(
                    "A submitted answer is changed without a reason.", hint="Say in a few words why it is changed."
                )
        rating = _rating(shelf, item, openings, draft, reason)
        saved = store.studies.record_rating(rating, event_id=event_id, base_revision=draft.revision)
    done = Submitted(event_id, code, draft.stage, saved.stored.revision, saved.repeated, None, "")
    return _with_what_follows(_after(shelf, saved.stored), item, draft, done)


def _writable(shelf: Shelf, person: Person, code: str, draft: DeskDraft) -> tuple[StudyItem, list[Opening]]:
    """Return the item that a screen writes to and its openings, unless it is stale or nothing may be written."""
    item = own_item(shelf.store, person, shelf.study, code)
    openings = shelf.store.studies.openings(shelf.study.study_id, code)
    if not openings or openings[-1].opening != draft.opening:
        raise StaleRatingError(
            "This item was opened in another tab or window since; nothing was overwritten.",
            hint="Go on there, or load this page again to see what was saved.",
        )
    if not shelf.may_submit(item):
        raise PermissionDeniedError(
            "This item cannot be answered or changed now.", hint="Load the page again to see where the study is."
        )
    revision = shelf.revisions.get((code, draft.stage), 0)
    stages = {draft.stage, shelf.stage(item), openings[-1].stage}
    if len(stages) > 1 or draft.revision != revision:
        raise StaleRatingError(
            f"This rating is at revision {revision}, the screen showed revision {draft.revision}.",
            hint="Load the page again to see the newer answers, then save yours.",
        )
    return item, openings


def _check(shelf: Shelf, item: StudyItem, draft: DeskDraft) -> ShownText:
    """Refuse answers that cannot be, and return the generated report."""
    generated = generated_text(shelf.store, item)
    reference = reference_text(shelf.store, shelf.study, item) if draft.stage is Stage.FINAL else None
    check_draft(draft, rubric_of(shelf.study), generated, reference)
    return generated


def _rating(shelf: Shelf, item: StudyItem, openings: list[Opening], draft: DeskDraft, reason: str) -> StudyRating:
    generated = _check(shelf, item, draft)
    of_stage = [one for one in openings if one.stage is draft.stage]
    mine = next((one for one in of_stage if one.opening == draft.opening), None)
    if mine is None:
        raise StaleRatingError("This screen was never opened.", hint="Load the page again.")
    leaks = find_leaks(generated.text, shelf.study.protocol.language)
    return StudyRating(
        study_id=shelf.study.study_id,
        code=item.code,
        stage=draft.stage,
        reader=item.reader,
        answers={key: draft.answers[key] for key in rubric_of(shelf.study).keys if key in draft.answers},
        rubric_version=shelf.study.protocol.rubric_version,
        shown_sha256=mine.shown_sha256,
        reference_sha256=mine.reference_sha256,
        reasons={key: text.strip() for key, text in draft.reasons.items() if draft.answers.get(key, 0) is None},
        comments={key: text.strip() for key, text in draft.comments.items() if text.strip()},
        comment=draft.comment.strip(),
        marks=draft.marks,
        missed=draft.missed,
        leaks=tuple(dict.fromkeys(leak.kind for leak in leaks)),
        leaks_version=leaks_version(),
        active_ms=min(draft.active_ms, _elapsed_ms(of_stage[0].created_at)),
        opening=draft.opening,
        reason=reason.strip(),
    )


def _after(shelf: Shelf, stored: StoredStudyRating) -> Shelf:
    """Return the shelf as it is once a rating was saved."""
    place = (stored.rating.code, stored.rating.stage)
    revisions = {**shelf.revisions, place: max(stored.revision, shelf.revisions.get(place, 0))}
    used = {stored.rating.code: UnlockState.NONE}  # a leave is good for one change
    after = replace(shelf, revisions=revisions, unlocks=shelf.unlocks | used)
    if shelf.study.state is StudyState.COLLECTING and not shelf.may_main:  # perhaps the last training item
        after = replace(after, may_main=calibration(shelf.store, shelf.study, shelf.reader, shelf.items).may_go_on)
    return after


def _elapsed_ms(since: str) -> int:
    """Return the milliseconds since a moment: nobody was active for longer than the item has been open."""
    gone = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(since)
    return max(0, round(gone.total_seconds() * 1000))


def _with_what_follows(shelf: Shelf, item: StudyItem, draft: DeskDraft, done: Submitted) -> Submitted:
    """Say what comes after an answer: the next stage or item, and for a training item the consensus."""
    place = shelf.study.stages.index(draft.stage)
    if place + 1 < len(shelf.study.stages):
        return replace(done, next_stage=shelf.study.stages[place + 1], next_code=item.code)
    following = shelf.next
    done = replace(done, next_code=following.code if following is not None else "")
    if item.kind is not ItemKind.TRAINING:
        return done
    return replace(
        done,
        consensus=compare(consensus_of(shelf.study, item), draft.answers),
        passed=calibration(shelf.store, shelf.study, shelf.reader, shelf.items).passed,
    )
