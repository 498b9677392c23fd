"""Settle where readers differ by two points or more, and answer requests to unlock an item.

The queue is anonymous: it names neither readers nor models. What is settled is an event of its own and never
overwrites a rating.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass

from pet2rep_core.errors import PermissionDeniedError, StoreError
from pet2rep_core.records import ItemKind, Person, Stage, StudyItem, StudyState
from pet2rep_core.store import Store, StoredStudyRating, StudyEvent
from pet2rep_core.store.study_rows import GRANT
from pet2rep_core.study.rubric import VALUES
from pet2rep_core.workflow.permissions import RESEARCH, require
from pet2rep_core.workflow.study_file import ADJUDICATE, ASK, REFUSE, StudyFile, event_of, read_study, rubric_of
from pet2rep_core.workflow.study_records import ShownText
from pet2rep_core.workflow.study_texts import generated_text, reference_text

DIFFERENCE = 2
SETTLING = (StudyState.COLLECTING, StudyState.LOCKED)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One dimension of one report on which its readers differ; ``report`` names it without saying whose it is.

    ``values`` and ``comments`` come in a random order of their own. ``settled`` is what was decided last, None
    before.
    """

    report: str
    dimension: str
    values: tuple[int, ...]
    comments: tuple[str, ...]
    settled: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class DisagreementTexts:
    """What an adjudicator reads; ``case_id`` is for the server's own viewer."""

    case_id: str
    generated: ShownText
    reference: ShownText | None


@dataclass(frozen=True, slots=True)
class Settled:
    """A value that was decided for a report and dimension, for the statistics."""

    case_id: str
    run_id: str
    generation_id: str
    dimension: str
    value: int
    values: tuple[int, ...]
    reason: str
    created_at: str
    event_id: str


@dataclass(frozen=True, slots=True)
class UnlockRequest:
    """A reader's wish to change a submitted item of a locked study."""

    code: str
    reader: str
    number: int
    reason: str
    asked_at: str


def differences(store: Store, person: Person, study_id: str) -> tuple[Disagreement, ...]:
    """Return where the readers of a report differ by two points or more, once all of them have finished it.

    Raises
    ------
    PermissionDeniedError
        If the person still reads in the study.
    """
    study = _adjudicated_study(store, person, study_id)
    settled = _settled(store, study_id)
    found = []
    for report, ratings in _by_report(store, study).items():
        for key in rubric_of(study).keys:
            values = [value for one in ratings for value in [one.rating.answers.get(key)] if value is not None]
            if len(values) < 2 or max(values) - min(values) < DIFFERENCE:
                continue
            comments = [text for one in ratings for text in [_comment(one, key)] if text]
            chance = random.Random(f"{report}|{key}")
            chance.shuffle(values)
            chance.shuffle(comments)
            last = settled.get((report, key))
            found.append(
                Disagreement(
                    report=report,
                    dimension=key,
                    values=tuple(values),
                    comments=tuple(comments),
                    settled=last.content["value"] if last else None,
                    reason=last.content["reason"] if last else "",
                )
            )
    return tuple(found)


def difference_texts(store: Store, person: Person, study_id: str, report: str) -> DisagreementTexts:
    """Return the texts of a report that is to be settled."""
    study = _adjudicated_study(store, person, study_id)
    item = store.studies.item(study_id, report)
    return DisagreementTexts(item.case_id, generated_text(store, item), reference_text(store, study, item))


def adjudicate(
    store: Store,
    person: Person,
    study_id: str,
    report: str,
    dimension: str,
    value: int,
    reason: str,
    *,
    event_id: str = "",
) -> None:
    """Settle one difference; a later decision counts, all are kept.

    Raises
    ------
    StoreError
        If there is no such difference, no reason, or the study is not collecting or locked.
    """
    if value not in VALUES or isinstance(value, bool):
        raise StoreError(f"{value!r} is not a score.", hint="Scores are 1 to 5.")
    if not reason.strip():
        raise StoreError("A difference is settled without a reason.", hint="Say in a few words what decided it.")
    with store.studies.alone():
        study = read_study(store, study_id)
        if study.state not in SETTLING:
            raise StoreError("This study is not collecting or locked.", hint="Settle differences before unblinding.")
        one = next(
            (
                each
                for each in differences(store, person, study_id)
                if (each.report, each.dimension) == (report, dimension)
            ),
            None,
        )
        if one is None:
            raise StoreError("There is no such difference to settle.", hint="Load the page again.")
        item = store.studies.item(study_id, report)
        content = {
            "dimension": dimension,
            "value": value,
            "values": sorted(one.values),
            "reason": reason.strip(),
            "case_id": item.case_id,
            "run_id": item.run_id,
            "generation_id": item.generation_id,
        }
        store.studies.record_event(event_of(person, study_id, ADJUDICATE, report, content, event_id))


def settled_values(store: Store, person: Person, study_id: str) -> tuple[Settled, ...]:
    """Return what was settled, the newest decision of each report and dimension."""
    require(person, RESEARCH)
    return tuple(
        Settled(
            case_id=event.content["case_id"],
            run_id=event.content["run_id"],
            generation_id=event.content["generation_id"],
            dimension=event.content["dimension"],
            value=event.content["value"],
            values=tuple(event.content["values"]),
            reason=event.content["reason"],
            created_at=event.created_at,
            event_id=event.event_id,
        )
        for event in _settled(store, study_id).values()
    )


def unlock_requests(store: Store, person: Person, study_id: str) -> tuple[UnlockRequest, ...]:
    """Return the requests that wait for a decision, the oldest first."""
    require(person, RESEARCH)
    open_: dict[str, StudyEvent] = {}
    for event in store.studies.events(study_id, ASK, GRANT, REFUSE):
        open_.pop(event.subject, None)
        if event.action == ASK:
            open_[event.subject] = event
    return tuple(
        UnlockRequest(
            code=code,
            reader=event.actor,
            number=store.studies.item(study_id, code).position,
            reason=event.content["reason"],
            asked_at=event.created_at,
        )
        for code, event in open_.items()
    )


def decide_unlock(
    store: Store, person: Person, study_id: str, code: str, *, grant: bool, reason: str = "", event_id: str = ""
) -> None:
    """Grant or refuse a request; a grant is good for one change of the item.

    Raises
    ------
    StoreError
        If nothing was asked for, or the study is not locked.
    """
    require(person, RESEARCH)
    with store.studies.alone():
        if read_study(store, study_id).state is not StudyState.LOCKED:
            raise StoreError("Only items of a locked study are unlocked.", hint="Load the page again.")
        if all(request.code != code for request in unlock_requests(store, person, study_id)):
            raise StoreError("Nobody waits for this item to be unlocked.", hint="Load the page again.")
        rating = store.studies.rating(study_id, code, Stage.FINAL)
        content = {"reason": reason.strip(), "revision": rating.revision if rating else 0}
        action = GRANT if grant else REFUSE
        store.studies.record_event(event_of(person, study_id, action, code, content, event_id))


def _adjudicated_study(store: Store, person: Person, study_id: str) -> StudyFile:
    require(person, RESEARCH)
    study = read_study(store, study_id)
    if study.state is StudyState.COLLECTING and person.name in study.protocol.readers:
        raise PermissionDeniedError(
            "You read in this study: the answers of others stay hidden from you until it is locked.",
            hint="Let someone else settle the differences.",
        )
    return study


def _by_report(store: Store, study: StudyFile) -> dict[str, list[StoredStudyRating]]:
    """Return the final ratings of each report that all its readers have finished, by the first code of the report."""
    final = {one.rating.code: one for one in store.studies.ratings(study.study_id) if one.rating.stage is Stage.FINAL}
    of_report: dict[tuple[str, str], list[StudyItem]] = defaultdict(list)
    for item in store.studies.items(study.study_id):
        if item.kind is ItemKind.MAIN:
            of_report[item.case_id, item.run_id].append(item)
    finished = {
        min(one.code for one in items): items for items in of_report.values() if all(i.code in final for i in items)
    }
    return {code: [final[item.code] for item in finished[code]] for code in sorted(finished)}


def _settled(store: Store, study_id: str) -> dict[tuple[str, str], StudyEvent]:
    return {(event.subject, event.content["dimension"]): event for event in store.studies.events(study_id, ADJUDICATE)}


def _comment(one: StoredStudyRating, key: str) -> str:
    return one.rating.comments.get(key, "") or one.rating.comment
