"""SUVmax values of reports in the PET of the demo study, whose lesions have the values that its files give them."""

from dataclasses import replace

import pytest

from pet2rep_core.records import Language, PetUnit
from pet2rep_core.workflow.check_values import InImage, check_image_values
from tests.phantom_cases import case_of
from tests.unit.workflow.test_places import images_of

ZH = Language.CHINESE
CASE = "demo-01"


def found(text, reference="", case_id=CASE, language=ZH, **changes):
    images, landmarks = images_of(case_id)
    return check_image_values(text, reference, language, replace(images, **changes), landmarks)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("case_id", ["demo-01", "demo-03"])
def test_the_reports_own_values_are_in_their_pet(case_id, language):
    (report,) = (r for r in case_of(case_id).reports if r.language is language)
    result = found(report.text, report.text, case_id, language)
    assert len(result.values) >= 1
    assert {one.found for one in result.values} == {InImage.SUPPORTED}
    assert result.score.value == 1.0
    for one in result.values:
        assert one.nearest == pytest.approx(one.stated.values[0], rel=0.03)
        assert report.text[one.stated.quote.start : one.stated.quote.end] == one.stated.quote.text


def test_a_value_that_no_peak_has_is_not_found():
    result = found("右肺结节FDG代谢增高，SUVmax 38.7。")
    [one] = result.values
    assert (one.organ, one.found, one.nearest) == ("lung", InImage.NOT_FOUND, None)
    assert result.score.value == 0.0
    assert result.score.signature.startswith("suvmax_in_image|agg:case|")


@pytest.mark.parametrize(
    ("text", "changes", "reference", "reason"),
    [
        ("肝脏FDG代谢增高，SUVmax 1.2。", {}, "", "values below 1.5 are not looked for"),
        ("右肺结节FDG代谢增高，SUVmax 38.7。", {"pet_unit": PetUnit.ACTIVITY_BQML}, "", "the PET is not in SUV"),
        # the reference's own values are not there: its numbers are of another scale
        (
            "右肺结节FDG代谢增高，SUVmax 38.7。", {}, "右肺结节FDG代谢增高，SUVmax 41.0。",
            "most values of the reference are not in this PET",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_told_has_its_reason(text, changes, reference, reason):
    result = found(text, reference, **changes)
    assert [(one.found, one.reason) for one in result.values] == [(InImage.CANNOT_TELL, reason)]
    assert (result.score.value, result.score.reason) == (None, "no SUVmax that can be looked for")


def test_a_report_without_values_has_a_reason():
    result = found("肝脏FDG代谢增高。")
    assert (result.values, result.score.reason) == ((), "no SUVmax in the generated report")
