"""Watch a study while it collects: progress, reminders, give-aways, and the guesses at the end."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from dataclasses import dataclass

from pet2rep_core.errors import StoreError
from pet2rep_core.records import Person, StudyItem
from pet2rep_core.store import Store
from pet2rep_core.store.study_rows import STATE
from pet2rep_core.workflow.permissions import RESEARCH, require
from pet2rep_core.workflow.study_calibration import calibration
from pet2rep_core.workflow.study_file import (
    ADMIT,
    GUESS,
    OPEN_STATES,
    REMIND,
    StudyFile,
    event_of,
    is_finished,
    main_items,
    read_study,
    training_items,
)


@dataclass(frozen=True, slots=True)
class ReaderProgress:
    """How far a reader is; times are ISO 8601 in UTC, empty where there is none."""

    reader: str
    training_done: int
    training_total: int
    within_one: float | None
    passed: bool | None
    admitted: bool
    done: int
    total: int
    last_at: str
    reminded_at: str
    median_active_ms: float | None


@dataclass(frozen=True, slots=True)
class LeakCount:
    """How many reports of a model that were rated give their author away, by kind.

    ``versions`` are those of the table of give-aways; empty where an earlier program did not keep it.
    """

    model: str
    reports: int
    kinds: dict[str, int]
    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GuessResult:
    """How often one reader named the right model in the first answer; ``comment`` and ``whole`` are free words."""

    reader: str
    asked: int
    answered: int
    right: int
    choices: int
    whole: str
    comment: str


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One thing that was done in a study."""

    created_at: str
    actor: str
    action: str
    subject: str
    detail: str


def progress(store: Store, person: Person, study_id: str) -> tuple[ReaderProgress, ...]:
    """Return how far each reader is."""
    require(person, RESEARCH)
    study = read_study(store, study_id)
    every = store.studies.items(study_id)
    return tuple(
        _progress(store, study, reader, [one for one in every if one.reader == reader])
        for reader in study.protocol.readers
    )


def _progress(store: Store, study: StudyFile, reader: str, items: list[StudyItem]) -> ReaderProgress:
    finished = store.studies.finished(study.study_id, reader)
    trained = calibration(store, study, reader, items)
    ratings = store.studies.ratings(study.study_id, reader)
    active = Counter[str]()
    for stored in ratings:
        active[stored.rating.code] += stored.rating.active_ms
    counted = [active[one.code] for one in main_items(items) if is_finished(study, one, finished)]
    reminded = store.studies.last_event(study.study_id, REMIND, reader)
    return ReaderProgress(
        reader=reader,
        training_done=trained.done,
        training_total=len(training_items(items)) or len(study.protocol.training),
        within_one=trained.within_one,
        passed=trained.passed,
        admitted=trained.admitted,
        done=len(counted),
        total=len(main_items(items)),
        last_at=ratings[-1].created_at if ratings else "",
        reminded_at=reminded.created_at if reminded else "",
        median_active_ms=statistics.median(counted) if counted else None,
    )


def remind(store: Store, person: Person, study_id: str, reader: str, *, event_id: str = "") -> None:
    """Leave a reader a reminder, which the list of studies shows; the program sends no mail.

    Raises
    ------
    StoreError
        If the study does not collect, or the person is no reader of it.
    """
    require(person, RESEARCH)
    study = read_study(store, study_id)
    _require_reader(study, reader)
    if study.state not in OPEN_STATES:
        raise StoreError("Nobody is reminded of a study that does not collect.", hint="Start the study first.")
    store.studies.record_event(event_of(person, study_id, REMIND, reader, {}, event_id))


def admit(store: Store, person: Person, study_id: str, reader: str, reason: str, *, event_id: str = "") -> None:
    """Let a reader who missed the pass mark go on all the same, with a reason.

    Raises
    ------
    StoreError
        If there is no reason, or the reader has not finished the training.
    """
    require(person, RESEARCH)
    study = read_study(store, study_id)
    _require_reader(study, reader)
    if not reason.strip():
        raise StoreError("A reader is admitted without a reason.", hint="Say why, for example after talking it over.")
    trained = calibration(store, study, reader, store.studies.items(study_id, reader))
    if trained.passed is not False:
        raise StoreError("This reader does not need to be admitted.", hint="Wait until the training is finished.")
    content = {"reason": reason.strip(), "within_one": trained.within_one}
    store.studies.record_event(event_of(person, study_id, ADMIT, reader, content, event_id))


def leak_counts(store: Store, person: Person, study_id: str) -> tuple[LeakCount, ...]:
    """Return, by model, how many of the rated reports give their author away."""
    require(person, RESEARCH)
    models = {run.run_id: run.model for run in store.runs()}
    items = {one.code: one for one in store.studies.items(study_id)}
    reports: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    versions: dict[str, set[str]] = defaultdict(set)
    for stored in store.studies.ratings(study_id):
        item = items[stored.rating.code]
        model = models.get(item.run_id, item.run_id)
        reports[model][item.generation_id] = stored.rating.leaks
        versions[model] |= {stored.rating.leaks_version} - {""}
    return tuple(
        LeakCount(
            model=model,
            reports=len(found),
            kinds=dict(sorted(Counter(kind for kinds in found.values() for kind in kinds).items())),
            versions=tuple(sorted(versions[model])),
        )
        for model, found in sorted(reports.items())
    )


def guess_results(store: Store, person: Person, study_id: str) -> tuple[GuessResult, ...]:
    """Return how well readers guessed the models; the first answer of each counts."""
    require(person, RESEARCH)
    models = {run.run_id: run.model for run in store.runs()}
    items = {one.code: one for one in store.studies.items(study_id)}
    choices = len({models.get(one.run_id, one.run_id) for one in items.values()})
    found: dict[str, GuessResult] = {}
    for event in store.studies.events(study_id, GUESS):
        if event.subject in found:
            continue
        guesses = event.content["guesses"]
        by_code = {code: name for code, name in guesses.items() if code}
        right = [_same_name(name, models.get(items[code].run_id, "")) for code, name in by_code.items()]
        found[event.subject] = GuessResult(
            reader=event.subject,
            asked=len(event.content["asked"]),
            answered=len(by_code),
            right=sum(right),
            choices=choices,
            whole=guesses.get("", ""),
            comment=event.content["comment"],
        )
    return tuple(found.values())


def history(store: Store, person: Person, study_id: str) -> tuple[HistoryLine, ...]:
    """Return what was done in a study, the oldest first; without the items of the assignments."""
    require(person, RESEARCH)
    read_study(store, study_id)
    lines = []
    for event in store.studies.events(study_id):
        said = event.content.get("reason", "")
        if event.action == STATE:
            said = f"{event.content['from']} → {event.content['to']}"
        elif "items" in event.content:
            said = str(len(event.content["items"]))
        lines.append(HistoryLine(event.created_at, event.actor, event.action, event.subject, said))
    return tuple(lines)


def _same_name(guess: str, model: str) -> bool:
    def plain(name: str) -> str:
        return "".join(letter for letter in name.casefold() if letter.isalnum())

    return bool(plain(model)) and plain(guess) == plain(model)


def _require_reader(study: StudyFile, reader: str) -> None:
    if reader not in study.protocol.readers:
        raise StoreError(f"{reader!r} is no reader of this study.", hint="Choose one of its readers.")
