"""The demo study comes with the reports of the built-in models, once."""

from dataclasses import replace

from pet2rep_core.records import GenerationStatus, Language
from pet2rep_core.workflow.demo import DATASET, DEMO_MODELS, write_demo_reports


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
