"""The demo study's reports: every statement against the voxels, and the two languages against each other."""

from __future__ import annotations

import re

import numpy as np
import pytest
from scipy import ndimage

from pet2rep_core.datasets.phantom import DemoCase, demo_case_ids
from pet2rep_core.datasets.phantom.case import MARGIN_MM
from pet2rep_core.datasets.phantom.reports import report_sections, write_reports
from pet2rep_core.datasets.phantom.spec import read_case_spec
from pet2rep_core.errors import DatasetLayoutError
from pet2rep_core.records import POSITIVE_STATES, Language, Report, UptakeState
from tests.phantom_cases import case_of

NUMBER = re.compile(r"\d+\.\d(?= ?cm)|(?<=SUVmax )\d+\.\d|(?<=SUVmax为)\d+\.\d")
WORDS = {
    UptakeState.INCREASED: (
        r"(?:摄取|摄取均?明显|摄取弥漫性)增高",
        r"(?:show\w*|with|of) (?:markedly )?increased|diffusely increased",
    ),
    UptakeState.DECREASED: (r"摄取减低", r"decreased FDG uptake"),
    UptakeState.ABSENT: (r"摄取缺失", r"absent FDG uptake"),
    UptakeState.NORMAL: (
        r"生理性|摄取未见(?:明显)?(?:异常|增高)|未见异常FDG摄取|分布未见异常",
        r"[Pp]hysiological|normal FDG uptake|uptake (?:of [\w ,]+ )?is (?:normal|not)|and normal|abnormal FDG uptake|"
        r"is unremarkable|uptake is normal|normal$",
    ),
}  # fmt: skip
pytestmark = pytest.mark.slow


def report(case: DemoCase, language: Language) -> Report:
    return next(r for r in case.reports if r.language is language)


def lines_by_section(case: DemoCase, language: Language) -> list[tuple[dict[str, object], str]]:
    """Sections of the report with their lines; the first line is the acquisition."""
    lines = report(case, language).findings.split("\n")
    rows = report_sections(read_case_spec(case.case_id))
    assert len(lines) == len(rows) + 1
    return list(zip(rows, lines[1:], strict=True))


@pytest.mark.parametrize("case_id", demo_case_ids())
def test_every_suvmax_is_found_again_in_the_voxels(case_id: str) -> None:
    """Witness: scipy.ndimage over a label image of spheres, from the volume's own affine."""
    case = case_of(case_id)
    hot = [t for t in case.truth if t.state is UptakeState.INCREASED]
    findings = {language: report(case, language).findings for language in Language}
    spec = {row.name: row for row in read_case_spec(case_id).lesions}
    found: dict[str, float] = {}
    for lesion in hot:
        low, high = (
            np.rint((np.array(lesion.centre_mm) + s * 45 - case.pet.affine_lps[:3, 3]) / case.pet.spacing_mm).astype(
                int
            )
            for s in (-1, 1)
        )
        box = tuple(slice(max(a, 0), b) for a, b in zip(low, high, strict=True))
        i, j, k = np.mgrid[box]
        world = np.stack([i, j, k], -1) * case.pet.spacing_mm + case.pet.affine_lps[:3, 3]
        sphere = ((world - lesion.centre_mm) ** 2).sum(-1) <= (max(lesion.size_mm) / 2 + MARGIN_MM) ** 2
        found[lesion.name] = float(ndimage.maximum(case.pet.values[box], sphere.astype(int), 1))
        assert lesion.suv_max == pytest.approx(found[lesion.name], abs=6e-4)
        # The largest voxel belongs to the lesion, not to a neighbour: it lies within its painted surface.
        at = np.array(ndimage.maximum_position(case.pet.values[box], sphere.astype(int), 1))
        place = (at + [s.start for s in box]) * case.pet.spacing_mm + case.pet.affine_lps[:3, 3]
        reach = (place - lesion.centre_mm) / (np.array(lesion.size_mm) / 2 + 1.5)
        assert (reach**2).sum() <= 1.15, lesion.name
    groups: dict[str, float] = {}
    for name, value in found.items():
        groups[name] = max(groups.get(name, 0), value)
        if spec[name].group:
            groups[spec[name].group] = max(groups.get(spec[name].group, 0), value)
    allowed = {f"{v:.1f}" for v in groups.values()}
    for text in findings.values():
        told = re.findall(r"SUVmax为?\s?(\d+\.\d)", text)
        assert set(told) <= allowed
        assert len(told) >= bool(hot)


@pytest.mark.parametrize("case_id", demo_case_ids())
def test_sizes_are_the_painted_diameters(case_id: str) -> None:
    case = case_of(case_id)
    allowed = {f"{d / 10:.1f}" for t in case.truth if t.size_mm for d in t.size_mm}
    for language in Language:
        assert set(re.findall(r"(\d+\.\d) cm", report(case, language).text)) <= allowed


@pytest.mark.parametrize("case_id", demo_case_ids())
def test_both_languages_say_the_same_numbers_and_sides_line_by_line(case_id: str) -> None:
    case = case_of(case_id)
    pairs = zip(lines_by_section(case, Language.CHINESE), lines_by_section(case, Language.ENGLISH), strict=True)
    for (row, zh), (_, en) in pairs:
        assert sorted(NUMBER.findall(zh)) == sorted(NUMBER.findall(en)), row["name"]
        assert ("左" in zh) == bool(re.search(r"\bleft\b", en, re.IGNORECASE)), row["name"]
        assert ("右" in zh) == bool(re.search(r"\bright\b", en, re.IGNORECASE)), row["name"]
    zh, en = (report(case, language).impression for language in Language)
    assert len(zh.split("\n")) == len(en.split("\n"))


@pytest.mark.parametrize("case_id", demo_case_ids())
def test_states_in_the_words_are_those_of_the_truth(case_id: str) -> None:
    case = case_of(case_id)
    for n, language in enumerate(Language):
        for row, line in lines_by_section(case, language):
            organs = row["organs"]
            assert isinstance(organs, list)
            true = {t.state for t in case.truth if t.organ in organs} & set(POSITIVE_STATES)
            said = {state for state in POSITIVE_STATES if re.search(WORDS[state][n], line)}
            assert said == true, (case_id, row["name"], line)
            if not true:
                assert re.search(WORDS[UptakeState.NORMAL][n], line), (case_id, line)


@pytest.mark.parametrize("case_id", demo_case_ids())
def test_a_lesion_on_a_side_is_reported_on_that_side(case_id: str) -> None:
    case = case_of(case_id)
    lines = lines_by_section(case, Language.ENGLISH)
    for lesion in case.truth:
        if lesion.side:
            text = next(line for row, line in lines if lesion.organ in row["organs"])  # type: ignore[operator]
            assert re.search(rf"\b{lesion.side}\b", text, re.IGNORECASE)
            assert (lesion.centre_mm[0] > 0) == (lesion.side == "left")


def test_all_four_states_and_one_unremarkable_case_occur() -> None:
    truth = {case_id: case_of(case_id).truth for case_id in demo_case_ids()}
    assert {t.state for rows in truth.values() for t in rows} == set(UptakeState)
    assert [case_id for case_id, rows in truth.items() if not any(t.name for t in rows)] == ["demo-04"]
    assert {t.seen for rows in truth.values() for t in rows if t.name} == {"both", "pet", "ct"}


@pytest.mark.parametrize("case_id", demo_case_ids())
def test_reports_are_whole(case_id: str) -> None:
    case = case_of(case_id)
    zh, en = (report(case, language) for language in (Language.CHINESE, Language.ENGLISH))
    assert zh.text == f"影像所见：{zh.findings}\n影像诊断：{zh.impression}"
    assert en.text == f"Findings:\n{en.findings}\nImpression:\n{en.impression}"
    for text in (zh.text, en.text):
        assert not re.search(r"[{}\[\]【】]|None|\bnan\b", text)
    assert len(zh.findings.split("\n")) >= 25
    stated = [t.organ for t in case.truth]
    assert len(set(stated)) >= 25
    assert ("prostate" in stated) != ("uterus_ovary" in stated)
    assert ("前列腺" in zh.text) == (case.metadata["sex"] == "M")
    assert ("breast" in en.findings) == (case.metadata["sex"] == "F")


def test_wording_varies_between_cases() -> None:
    thyroid = {{r["name"]: line for r, line in lines_by_section(case_of(c), Language.CHINESE)}["thyroid"]
               for c in demo_case_ids()}  # fmt: skip
    assert len(thyroid) == 3


def test_a_slot_that_nothing_fills_is_refused() -> None:
    spec = read_case_spec("demo-01")
    with pytest.raises(DatasetLayoutError, match=r"A report text of demo-01 has a slot that nothing fills: 'mass'"):
        write_reports(spec, [])
