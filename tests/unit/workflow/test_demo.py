"""The demo study comes with the reports of the built-in models, and with readings to try the desk on, once."""

from dataclasses import replace

from pet2rep_core.records import GenerationStatus, Language, Person, Role, StudyState
from pet2rep_core.workflow import demo
from pet2rep_core.workflow.demo import DATASET, DEMO_MODELS, DEMO_READERS, fill_demo_study, write_demo_reports
from pet2rep_core.workflow.study_make import study_list


def test_every_demo_case_gets_each_models_report_in_both_languages_once(study, store):
    assert write_demo_reports(store) == 0  # cases of others get none
    for row in store.cases():
        store.record_case(replace(row, dataset=DATASET, source_sha256="0" * 64, case_id=f"demo-{row.case_id}"))
    [case, *_] = (row.case_id for row in store.cases(DATASET))
    for stored in store.reports(case.removeprefix("demo-")):
        store.record_report(case, stored.report)
    assert {one.report.language for one in store.reports(case)} == set(Language)
    assert write_demo_reports(store) == len(DEMO_MODELS) * len(Language)
    made = [stored.generation for stored in store.generations(case)]
    assert len(made) == len(DEMO_MODELS) * len(Language)
    assert {one.status for one in made} == {GenerationStatus.DONE}
    assert {one.case_id for one in (stored.generation for stored in store.generations())} == {case}
    assert write_demo_reports(store) == 0
    assert {stored.attempt for stored in store.generations(case)} == {1}


def test_readings_start_when_the_study_has_become_whole(study, settings, store, monkeypatch):
    case_ids = [f"demo-{row.case_id}" for row in store.cases()]
    for row in store.cases():
        store.record_case(replace(row, dataset=DATASET, source_sha256="0" * 64, case_id=f"demo-{row.case_id}"))
    for case_id in case_ids[:1]:
        for stored in store.reports(case_id.removeprefix("demo-")):
            store.record_report(case_id, stored.report)
    monkeypatch.setattr(demo, "demo_case_ids", lambda: tuple(case_ids[:1]))
    monkeypatch.setattr(demo, "missing_demo_cases", lambda *_: ("demo-09",))
    assert not fill_demo_study(store, settings)
    monkeypatch.setattr(demo, "missing_demo_cases", lambda *_: ())
    assert not fill_demo_study(store, settings)  # nothing was written now: it had become whole before
    person = Person("researcher", Role.RESEARCHER)
    assert study_list(store, person) == ()
    monkeypatch.setattr(demo, "write_demo_reports", lambda _: 1)
    assert fill_demo_study(store, settings)
    listed = study_list(store, person)
    assert {line.state for line in listed} == {StudyState.COLLECTING}
    assert len(listed) == len(Language)
    for line in listed:
        assert len(store.studies.items(line.study_id, DEMO_READERS[0])) >= 4
