"""The words behind the scores of one report, as marks in both texts and as a list of flags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pet2rep_core.report.lexicon import organ_name
from pet2rep_core.report.uptake import Evidence
from pet2rep_core.scoring.claims import SideAgreement, ValueCheck, ValueStatus
from pet2rep_core.scoring.clinical import Agreement
from pet2rep_core.scoring.read_text import Quote
from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.plain import Mark
from pet2rep_core.workflow.check_values import InImage
from pet2rep_core.workflow.score import ScoredReport

FLAG = "flag"


@dataclass(frozen=True, slots=True)
class Flag:
    """One thing that is wrong: its name and what it is in the page's language, and the words in both texts."""

    name: str
    what: str
    generated: str = ""
    reference: str = ""


def evidence_marks(page: Page, scored: ScoredReport) -> tuple[list[Mark], list[Mark]]:
    """Return the marks of the generated report and of the reference; flags come before the cells of the table."""
    generated = list(_flag_marks(page, scored))
    reference: list[Mark] = []
    for row in (scored.overruled or scored.clinical).rows:
        if row.agreement is Agreement.BOTH_UNSTATED:
            continue
        label = page.formats.labelled(
            organ_name(row.organ, page.language), page.text(f"agreement.{row.agreement.value}")
        )
        generated += _cell_marks(page, row.hypothesis_evidence, row.agreement, label)
        reference += _cell_marks(page, row.reference_evidence, row.agreement, label)
    return generated, reference


def list_flags(page: Page, scored: ScoredReport) -> list[Flag]:
    """Return everything that the checks found wrong with the generated report, and with the reference."""
    return list(_flags(page, scored))


def _cell_marks(page: Page, evidence: Iterable[Evidence], agreement: Agreement, label: str) -> Iterator[Mark]:
    for one in evidence:
        said = f"{label} ({page.text(f'state.{one.state.value}')}; {one.rule})"
        # The organ's own words and the statement may lie apart; both are the evidence.
        yield Mark(one.start, one.end, agreement.value, said)
        if one.organ_end <= one.start or one.organ_start >= one.end:
            yield Mark(one.organ_start, one.organ_end, agreement.value, said)


def _flag_marks(page: Page, scored: ScoredReport) -> Iterator[Mark]:
    checks = scored.checks

    def mark(quote: Quote | Evidence, name: str) -> Mark:
        return Mark(quote.start, quote.end, FLAG, page.text(f"check.{name}"))

    for flag in checks.identity:
        yield mark(flag.quote, "fabricated_identity")
    for conflict in checks.metadata_conflicts:
        yield mark(conflict.quote, "metadata_conflicts")
    for slot in checks.structure.slots:
        yield mark(slot.quote, "slots_left")
    for one in checks.contradictions:
        yield mark(one.positive, "contradictions")
        yield mark(one.normal, "contradictions")
    for name, values in (("suvmax", checks.suv_max), ("size", checks.sizes)):
        for value in values:
            if value.hypothesis is not None and value.status is not ValueStatus.MATCHED:
                yield mark(value.hypothesis.quote, name)


def _flags(page: Page, scored: ScoredReport) -> Iterator[Flag]:
    say, checks = page.text, scored.checks

    def organ(name: str) -> str:
        return organ_name(name, page.language)

    for omitted in checks.omissions:
        yield Flag(say("check.omissions"), organ(omitted.organ), _said(omitted.other_evidence), _said(omitted.evidence))
    for invented in checks.hallucinations:
        what = organ(invented.organ)
        yield Flag(say("check.hallucinations"), what, _said(invented.evidence), _said(invented.other_evidence))
    for side in checks.sides:
        if side.agreement is not SideAgreement.SAME:
            words = (_said(side.hypothesis_evidence), _said(side.reference_evidence))
            yield Flag(say("check.laterality_errors"), organ(side.organ), *words)
    for name, values in (("suvmax", checks.suv_max), ("size", checks.sizes)):
        for value in values:
            if value.status is not ValueStatus.MATCHED:
                yield _value_flag(page, name, organ(value.organ), value)
    if scored.image_values is not None:
        for looked in scored.image_values.values:
            if looked.found is InImage.NOT_FOUND:
                yield Flag(say("check.suvmax_in_image"), organ(looked.organ), looked.stated.quote.text)
    for flag in checks.identity:
        yield Flag(say("check.fabricated_identity"), flag.value, flag.quote.text)
    for conflict in checks.metadata_conflicts:
        yield Flag(say("check.metadata_conflicts"), conflict.known, conflict.quote.text)
    for slot in checks.structure.slots:
        yield Flag(say("check.slots_left"), slot.quote.text, slot.quote.text)
    for one in checks.contradictions:
        yield Flag(say("check.contradictions"), organ(one.organ), f"{one.positive.text} | {one.normal.text}")
    for one in checks.reference_contradictions:
        said = f"{one.positive.text} | {one.normal.text}"
        yield Flag(say("check.reference_contradictions"), organ(one.organ), reference=said)


def _value_flag(page: Page, name: str, organ: str, value: ValueCheck) -> Flag:
    stated, true = value.hypothesis, value.reference
    return Flag(
        page.text(f"check.{name}"),
        page.formats.labelled(organ, page.text(f"value_status.{value.status.value}")),
        "" if stated is None else stated.quote.text,
        "" if true is None else true.quote.text,
    )


def _said(evidence: Iterable[Evidence]) -> str:
    return " | ".join(one.text for one in evidence)
