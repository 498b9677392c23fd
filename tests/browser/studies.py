"""Reader studies for the browser tests and the benchmark, on the quick cases."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pet2rep_core.records import Language, Person, Report, Role, StudyItem, StudyState
from pet2rep_core.settings import Settings
from pet2rep_core.store import Store, open_store
from pet2rep_core.study.protocol import Protocol, TrainingItem
from pet2rep_core.study.rubric import read_rubric
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow.generate import generate_report
from pet2rep_core.workflow.import_dataset import ImportStatus, Preparation, record_preparation
from pet2rep_core.workflow.study_make import make_study, move_study
from pet2rep_core.workflow.study_read import open_desk, submit
from pet2rep_core.workflow.study_records import Desk
from tests.browser.cases import HOSTILE, PHANTOM, UNEVEN

RESEARCHER = Person("researcher", Role.RESEARCHER)
CONSENSUS = {"acc": 2, "com": 3, "cla": 4, "usa": 3, "ove": 3}
FEEDBACK = "The second sentence is the one that matters."
WORDS, WORDS_SENTENCE = "browser-w", "A nodule is seen in image 12."
BEHAVIOURS = (Behaviour.MIXED, Behaviour.COPY)


@dataclass(frozen=True, slots=True)
class MadeStudy:
    """A study, each reader's items in order, and what must never reach a reader's browser."""

    study_id: str
    items: dict[str, list[StudyItem]]
    hidden: tuple[str, ...]

    def codes(self, reader: str) -> list[str]:
        """Return the codes of a reader's items in order."""
        return [item.code for item in self.items[reader]]

    def code_of(self, reader: str, case_id: str) -> str:
        """Return a reader's first item of a case."""
        return next(item.code for item in self.items[reader] if item.case_id == case_id)


def add_study(
    home: Path,
    readers: Sequence[str],
    *,
    staged: bool = True,
    training: bool = False,
    cases: Sequence[str] = (PHANTOM, UNEVEN),
) -> MadeStudy:
    """Add a study that is collecting to a home with the quick cases: two runs a case, training on the hostile one."""
    store = open_store(Settings(home=home, workers=1))
    try:
        return study_in(store, readers, staged=staged, training=training, cases=tuple(cases))
    finally:
        store.close()


def finish_and_lock(home: Path, study: MadeStudy, reader: str) -> None:
    """Rate every item of a study's only reader, then lock the study."""
    store = open_store(Settings(home=home, workers=1))
    try:
        person = Person(reader, Role.RATER)
        for item in study.items[reader]:
            desk = open_desk(store, person, study.study_id, code=item.code)
            assert isinstance(desk, Desk)
            draft = replace(desk.draft, answers=dict.fromkeys(CONSENSUS, 3))
            submit(store, person, study.study_id, item.code, draft, event_id=str(uuid.uuid4()))
        move_study(store, RESEARCHER, study.study_id, StudyState.LOCKED)
    finally:
        store.close()


def add_case_with_words(home: Path) -> None:
    """Add the phantom once more, under a name of its own, with a report whose words lead to a slice."""
    store = open_store(Settings(home=home, workers=1))
    try:
        row = replace(store.case(PHANTOM), case_id=WORDS, source_sha256="1" * 64)
        text = f"Findings: {WORDS_SENTENCE} The brain is normal."
        report = Report(Language.ENGLISH, text, text.removeprefix("Findings: "))
        assert record_preparation(Preparation(row, (report,), WORDS), store).status is ImportStatus.NEW
    finally:
        store.close()


def study_in(
    store: Store, readers: Sequence[str], *, staged: bool = True, training: bool = False, cases: tuple[str, ...]
) -> MadeStudy:
    """Add a study to an open store; see :func:`add_study`."""
    shown = (*cases, HOSTILE) if training else cases
    generated = [
        generate_report(store, case_id, "scripted", Language.ENGLISH, behaviour=behaviour)
        for behaviour in BEHAVIOURS
        for case_id in shown
    ]
    runs = tuple(dict.fromkeys(one.run_id for one in generated))
    protocol = Protocol(
        title="Reports of PET/CT",
        language=Language.ENGLISH,
        case_ids=cases,
        run_ids=runs,
        readers=tuple(readers),
        rubric_version=read_rubric().version,
        repeat_share=0.0,
        staged=staged,
        training=(TrainingItem(HOSTILE, runs[0], CONSENSUS, FEEDBACK),) if training else (),
        pass_mark=0.0,
    )
    study_id = make_study(store, RESEARCHER, protocol)
    for state in (StudyState.CALIBRATION, StudyState.COLLECTING)[0 if training else 1 :]:
        move_study(store, RESEARCHER, study_id, state)
    names = {name for one in generated for name in (one.generation_id, one.run_id, one.case_id, one.model)}
    keys = {key[:16] for case_id in shown if (key := store.case(case_id).prepared_key)}
    items = {reader: store.studies.items(study_id, reader) for reader in readers}
    return MadeStudy(study_id, items, tuple(sorted(names | keys)))
