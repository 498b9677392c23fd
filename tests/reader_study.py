"""A small reader study: text-only cases, three models of different quality, three readers with different habits.

``python -m tests.reader_study HOME`` fills a folder for looking at, and the app then runs with PET2REP_HOME: where it
has cases already, such as the demo study, a study of their generated reports; else small cases of its own.
"""

from __future__ import annotations

import hashlib
import sys
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

from pet2rep_core.records import (
    Generation,
    GenerationStatus,
    Language,
    Mark,
    MarkKind,
    Missed,
    Person,
    Role,
    Stage,
    StudyState,
)
from pet2rep_core.report.sections import split_report
from pet2rep_core.settings import Settings
from pet2rep_core.store import CaseRow, RunRow, Store, open_store
from pet2rep_core.store.rows import case_row, generation_row, report_row
from pet2rep_core.study.design import Design
from pet2rep_core.study.protocol import Protocol, TrainingItem
from pet2rep_core.study.rubric import read_rubric
from pet2rep_core.workflow import study_submit
from pet2rep_core.workflow.study_guess import guess_model, guess_sheet
from pet2rep_core.workflow.study_make import make_study, move_study
from pet2rep_core.workflow.study_read import Desk, DeskDraft, EmptyDesk, open_desk, submit

LANGUAGE = Language.ENGLISH
MODELS = ("model-good", "model-fair", "model-poor")
READERS = ("R01", "R02", "R03")
RESEARCHER = Person("S01", Role.RESEARCHER)
ADMIN = Person("A01", Role.ADMIN)
KEYS = read_rubric().keys
SENTENCES = (
    "The liver shows a focal lesion with increased FDG uptake, SUVmax {n}.4.",
    "The right lung has a nodule of {n} mm with increased uptake.",
    "The spleen is normal.",
    "The brain shows physiological uptake.",
    "Both kidneys excrete the tracer.",
    "No abnormal uptake in the skeleton.",
)
QUALITY = {"model-good": 5, "model-fair": 3, "model-poor": 2}


def person(reader: str) -> Person:
    return Person(reader, Role.RATER)


def click() -> str:
    return str(uuid.uuid4())


def case_name(number: int) -> str:
    return f"case-{number:02d}"


def run_name(model: str) -> str:
    return f"r-{model}"


def add_reports(store: Store, cases: int, models: Iterable[str] = MODELS) -> None:
    """Record cases with a reference report and one report of each model."""
    numbers = range(1, cases + 1)
    for model in models:
        store.record_run(RunRow(run_name(model), model, "fused", "0" * 64, LANGUAGE, {}))
    store.record_rows("cases", [case_row(CaseRow(case_name(n), "small", "test", None, "0" * 64)) for n in numbers])
    references = {n: split_report("Findings: " + " ".join(SENTENCES).format(n=n), LANGUAGE) for n in numbers}
    store.record_rows(
        "reports", [report_row(case_name(n), one, kind="reference", source="import") for n, one in references.items()]
    )
    store.record_rows("generations", [generation_row(a_report(model, n)) for n in numbers for model in models])


def a_report(model: str, number: int) -> Generation:
    """Return what a model wrote about a case."""
    return Generation(
        generation_id=f"g-{model}-{number}",
        run_id=run_name(model),
        case_id=case_name(number),
        model=model,
        language=LANGUAGE,
        status=GenerationStatus.DONE,
        text=_written(model, number),
    )


def _written(model: str, number: int) -> str:
    sentences = [one.format(n=number) for one in SENTENCES]
    if model == "model-fair":
        del sentences[1]
    if model == "model-poor":
        sentences = ["As an AI language model, I see the following.", sentences[0].replace("increased", "decreased")]
    return "Findings: " + " ".join(sentences)


def a_protocol(cases: int = 8, *, training: int = 1, models: Iterable[str] = MODELS, **changes) -> Protocol:
    """A plan for the first cases; the last ones are for training."""
    names = [case_name(number) for number in range(1, cases + 1)]
    consensus = dict.fromkeys(KEYS, 5)
    values = {
        "title": "Three readers, coronal PET/CT",
        "language": LANGUAGE,
        "case_ids": tuple(names[: cases - training]),
        "run_ids": tuple(map(run_name, models)),
        "readers": READERS,
        "rubric_version": read_rubric().version,
        "design": Design.CROSSED,
        "seed": 7,
        "training": tuple(
            TrainingItem(name, run_name("model-good"), consensus, "Nothing is wrong here.")
            for name in names[cases - training :]
        ),
        **changes,
    }
    return Protocol(**values)


def started_study(store: Store, protocol: Protocol | None = None) -> str:
    """Make a study and bring it to where readers read: calibration with training items, else collecting."""
    protocol = a_protocol() if protocol is None else protocol
    study_id = make_study(store, RESEARCHER, protocol)
    move_study(store, RESEARCHER, study_id, StudyState.CALIBRATION if protocol.training else StudyState.COLLECTING)
    return study_id


@dataclass(frozen=True, slots=True)
class Habit:
    """How a reader answers: ``shift`` points above the truth, a spread, and so many seconds an item."""

    shift: int = 0
    spread: int = 1
    seconds: float = 90.0
    straight: bool = False
    drift: float = 0.0


HABITS = {"R01": Habit(), "R02": Habit(shift=1, seconds=60), "R03": Habit(spread=0, seconds=4, straight=True)}


def answers_of(store: Store, desk: Desk, reader: str, habit: Habit) -> dict[str, int | None]:
    """Return what a reader of this habit answers; the same at every reading of the same code."""
    item = store.studies.item(desk.study_id, desk.code)
    model = item.run_id.removeprefix("r-")
    truth = 5 if desk.is_training else QUALITY.get(model, 3)
    found: dict[str, int | None] = {}
    for place, key in enumerate(KEYS):
        said = f"{item.generation_id}|{reader}|{'' if habit.straight else key}"
        noise = hashlib.sha256(said.encode()).digest()[0] % (2 * habit.spread + 1) - habit.spread
        value = truth + habit.shift + noise + round(habit.drift * desk.number / desk.total)
        found[key] = 3 if habit.straight and not desk.is_training else min(5, max(1, value))
        if place == 3 and model == "model-poor" and reader == "R01":
            found[key] = None
    return found


def filled_draft(store: Store, desk: Desk, reader: str, habit: Habit) -> DeskDraft:
    """Return a complete answer for what is on the desk."""
    answers = answers_of(store, desk, reader, habit)
    missing = [one for one in desk.reference.sentences if one.number == 1] if desk.reference is not None else []
    first = desk.generated.sentences[0]
    return replace(
        desk.draft,
        answers=answers,
        reasons={key: "Too little text." for key, value in answers.items() if value is None},
        comments={"acc": "See the liver."} if answers["acc"] == 1 else {},
        marks=(Mark(0, first.start, first.end, MarkKind.UPTAKE, significant=True),) if answers["acc"] == 1 else (),
        missed=tuple(Missed(one.number, one.start, one.end, significant=True) for one in missing)
        if desk.stage is Stage.FINAL and answers["com"] is not None and answers["com"] <= 3
        else (),
        active_ms=round(habit.seconds * 1000),
    )


@contextmanager
def slow_clock() -> Iterator[None]:
    """Let every item have been open for long: the clock of a test is too fast.

    Threads that read at once need it around all of them: each would else put back what another one had put in.
    """
    if isinstance(study_submit._elapsed_ms, mock.Mock):
        yield
        return
    with mock.patch.object(study_submit, "_elapsed_ms", return_value=10**9):
        yield


def read_items(
    store: Store,
    study_id: str,
    reader: str,
    habit: Habit | None = None,
    *,
    most: int = 10_000,
    change: Callable[[Desk, DeskDraft], DeskDraft] | None = None,
) -> EmptyDesk | Desk:
    """Let a reader answer one screen after the other, and return the desk that is left."""
    habit = HABITS.get(reader, Habit()) if habit is None else habit
    for _ in range(most):
        desk = open_desk(store, person(reader), study_id)
        if isinstance(desk, EmptyDesk):
            return desk
        draft = filled_draft(store, desk, reader, habit)
        draft = change(desk, draft) if change is not None else draft
        with slow_clock():
            submit(store, person(reader), study_id, desk.code, draft, event_id=click())
    return open_desk(store, person(reader), study_id)


def whole_study(store: Store, *, cases: int = 9, until: StudyState = StudyState.COLLECTING, **changes) -> str:
    """Record reports, make a study and let all readers finish it; then lock and unblind it where asked for."""
    add_reports(store, cases)
    study_id = started_study(store, a_protocol(cases, **changes))
    for reader in READERS:
        read_items(store, study_id, reader)
    move_study(store, RESEARCHER, study_id, StudyState.COLLECTING)
    for reader in READERS:
        read_items(store, study_id, reader)
    if until in (StudyState.LOCKED, StudyState.UNBLINDED):
        move_study(store, RESEARCHER, study_id, StudyState.LOCKED)
        for reader in READERS:
            codes = guess_sheet(store, person(reader), study_id).codes
            guess_model(store, person(reader), study_id, dict.fromkeys(codes, MODELS[0]), event_id=click())
    if until is StudyState.UNBLINDED:
        move_study(store, ADMIN, study_id, StudyState.UNBLINDED)
    return study_id


def protocol_of_store(store: Store, language: Language = Language.CHINESE, **changes) -> Protocol:
    """Return a plan for all finished reports of a store in a language; its last case is for training."""
    runs = [run.run_id for run in store.runs() if run.language is language]
    cases = sorted({case_id for case_id, run_id in store.studies.finished_reports() if run_id in runs})
    training = TrainingItem(cases[-1], runs[0], dict.fromkeys(KEYS, 3), "Compare the liver.")
    values = {
        "title": "Demo reading",
        "language": language,
        "case_ids": tuple(cases[:-1]),
        "run_ids": tuple(runs),
        "readers": READERS,
        "rubric_version": read_rubric().version,
        "training": (training,),
        "pass_mark": 0.0,
        "repeat_gap": 5,
        "seed": 7,
    }
    return Protocol(**{**values, **changes})


def read_store(store: Store, language: Language = Language.CHINESE) -> str:
    """Make a study of what a store has and let the three readers finish it; it goes on collecting."""
    study_id = started_study(store, protocol_of_store(store, language))
    for state in (None, StudyState.COLLECTING):
        if state is not None:
            move_study(store, RESEARCHER, study_id, state)
        for reader in READERS:
            read_items(store, study_id, reader)
    return study_id


def main(home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    with closing(open_store(Settings(home=home, workers=1))) as store:
        if store.studies.finished_reports():
            print(read_store(store))
            return
        print(whole_study(store, cases=13))
        started_study(store, a_protocol(9, title="Second reading"))
        make_study(store, RESEARCHER, a_protocol(9, title="Planned for spring"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
