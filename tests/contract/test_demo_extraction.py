"""The extractor against the demo study: the reports say of every organ what is true of its image."""

from collections.abc import Iterable

import pytest

from pet2rep_core.datasets.phantom import demo_case_ids
from pet2rep_core.datasets.phantom.reports import Measured, normal_organs, write_reports
from pet2rep_core.datasets.phantom.spec import CaseSpec, read_case_spec
from pet2rep_core.records import POSITIVE_STATES, Language, UptakeState
from pet2rep_core.report.uptake import extract_findings_uptake
from tests.phantom_cases import case_of

States = dict[str, set[UptakeState]]
ANY_SUV = 4.2  # the extractor does not read numbers, so the voxels need not be made to write the reports


def by_organ(rows: Iterable[tuple[str, UptakeState]]) -> States:
    """An organ with a lesion has the lesion's states; normal is said of the others alone."""
    said: States = {}
    for organ, state in rows:
        said.setdefault(organ, set()).add(state)
    return {organ: states & set(POSITIVE_STATES) or states for organ, states in said.items()}


def truth_of(spec: CaseSpec) -> States:
    """Witness: the lesions that the case file paints, and the organs that its sections name."""
    lesions = [(row.organ, row.state) for row in spec.lesions]
    return by_organ([*lesions, *((organ, UptakeState.NORMAL) for organ in normal_organs(spec))])


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("case_id", demo_case_ids())
def test_every_organ_of_a_demo_report_is_read_as_it_is(case_id: str, language: Language) -> None:
    spec = read_case_spec(case_id)
    measured = [Measured(row.name, row.group, ANY_SUV, row.diameter_mm) for row in spec.lesions]
    report = next(one for one in write_reports(spec, measured) if one.language is language)
    read = {item.organ: set(item.states) for item in extract_findings_uptake(report.text, language)}
    assert len(read) >= 25
    assert read == truth_of(spec)


@pytest.mark.slow
def test_the_truth_taken_here_is_that_of_the_case_with_its_voxels() -> None:
    case = case_of("demo-02")
    assert by_organ((row.organ, row.state) for row in case.truth) == truth_of(read_case_spec("demo-02"))
    for report in case.reports:
        read = {item.organ: set(item.states) for item in extract_findings_uptake(report.text, report.language)}
        assert read == by_organ((row.organ, row.state) for row in case.truth)
