"""The built-in demo study: made once by our own code, then imported like any other."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from pet2rep_core.datasets.phantom import PHANTOM_VERSION, demo_case_ids, make_demo_case
from pet2rep_core.errors import ImageReadError
from pet2rep_core.imaging.prepared import PREPARED_VERSION, open_prepared, prepare_case
from pet2rep_core.records import CaseSource, Language, Person, PetUnit, Role, StudyState, SuvFactors
from pet2rep_core.settings import Settings
from pet2rep_core.store import Recorder, Store
from pet2rep_core.study.protocol import Protocol
from pet2rep_core.study.rubric import read_rubric
from pet2rep_core.vlm.baselines import SCRIPTED, TEMPLATE, TEMPLATE_NORMAL
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow.generate import generate_report
from pet2rep_core.workflow.import_dataset import (
    ImportOutcome,
    Preparation,
    prepared_row,
    record_preparation,
)
from pet2rep_core.workflow.study_make import make_study, move_study

DATASET = "demo"
DEMO_MODELS = (
    (TEMPLATE, Behaviour.MIXED),
    (TEMPLATE_NORMAL, Behaviour.MIXED),
    *((SCRIPTED, behaviour) for behaviour in Behaviour),
)
"""Built-in models, and behaviours of the scripted one, that report every demo case in both languages."""

DEMO_READERS = ("R01", "R02", "R03")
DEMO_READINGS = {Language.CHINESE: "演示阅片", Language.ENGLISH: "Demo reading"}
"""Titles of the demo's reader studies."""

_READ = {(TEMPLATE, None), *((SCRIPTED, one.value) for one in (Behaviour.MIXED, Behaviour.OMIT, Behaviour.INVENT))}


def demo_source_sha256(case_id: str) -> str:
    """Return the identity of a demo case of this version."""
    return hashlib.sha256(f"demo|{case_id}|{PHANTOM_VERSION}|{PREPARED_VERSION}".encode()).hexdigest()


def missing_demo_cases(store: Store, settings: Settings) -> tuple[str, ...]:
    """Return the demo cases that are not in the store in this version, or whose images are gone."""
    there = {row.case_id: row for row in store.cases(DATASET)}

    def whole(case_id: str) -> bool:
        row = there.get(case_id)
        if row is None or row.prepared_key is None or row.source_sha256 != demo_source_sha256(case_id):
            return False
        try:
            open_prepared(settings.prepared, row.prepared_key)
        except ImageReadError:
            return False
        return True

    return tuple(case_id for case_id in demo_case_ids() if not whole(case_id))


def prepare_demo_case(case_id: str, prepared: Path) -> Preparation:
    """Make one demo case and prepare it. Runs in any process."""
    case = make_demo_case(case_id)
    suv = SuvFactors(bw=1.0, time_rule="already-suv")
    key = prepare_case(prepared, pet=case.pet, pet_unit=PetUnit.SUVBW, suv=suv, ct=case.ct)
    source = CaseSource(case_id, layout="demo", reports=case.reports, metadata=case.metadata)
    row = prepared_row(source, DATASET, demo_source_sha256(case_id), prepared, key)
    return Preparation(row, case.reports, case_id)


def make_demo_study(case_ids: tuple[str, ...], settings: Settings, recorder: Recorder) -> Iterator[ImportOutcome]:
    """Make demo cases, several at a time, and record each as soon as it is ready."""
    from joblib import Parallel, delayed  # noqa: PLC0415 - not needed to open the app

    jobs = (delayed(prepare_demo_case)(case_id, settings.prepared) for case_id in case_ids)
    workers = min(settings.workers, len(case_ids)) or 1
    for done in Parallel(n_jobs=workers, return_as="generator_unordered", pre_dispatch="n_jobs", batch_size=1)(jobs):
        yield record_preparation(done, recorder)


def write_demo_reports(store: Store) -> int:
    """Let the built-in models report the demo cases of the store that lack reports; returns how many are new."""
    new = 0
    for case in store.cases(DATASET):
        lacking = len(DEMO_MODELS) * len(Language) - len(store.generations(case.case_id))
        references = {one.report.language for one in store.reports(case.case_id) if one.kind == "reference"}
        if lacking > 0 and references == set(Language):
            for language in Language:
                for model, behaviour in DEMO_MODELS:
                    generate_report(store, case.case_id, model, language, behaviour=behaviour)
            new += lacking
    return new


def fill_demo_study(store: Store, settings: Settings) -> bool:
    """Write the reports that are missing; start the readings, and say so, when that made the study whole."""
    became_whole = write_demo_reports(store) > 0 and not missing_demo_cases(store, settings)
    if became_whole:
        start_demo_readings(store)
    return became_whole


def start_demo_readings(store: Store) -> list[str]:
    """Start a reader study of the demo cases for each language, so that the reading desk has something to show.

    Returns the names of the studies. The readers are those of :data:`DEMO_READERS`; the reports are the template
    baseline's and those of the scripted model with different mistakes.
    """
    person = Person("demo", Role.ADMIN)
    made = []
    for language, title in DEMO_READINGS.items():
        runs = {run.run_id: run for run in store.runs() if run.language is language}
        read = [name for name, run in runs.items() if (run.model, run.parameters.get("behaviour")) in _READ]
        protocol = Protocol(
            title=title,
            language=language,
            case_ids=demo_case_ids(),
            run_ids=tuple(read),
            readers=DEMO_READERS,
            rubric_version=read_rubric().version,
        )
        made.append(make_study(store, person, protocol))
        move_study(store, person, made[-1], StudyState.COLLECTING)
    return made
