"""What a report says about the FDG uptake of each organ, and the words that say so."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pet2rep_core.records import POSITIVE_STATES, Language, UptakeState
from pet2rep_core.report import uptake_en, uptake_zh
from pet2rep_core.report.claims import Claims, SizeClaim, SuvClaim, find_claims
from pet2rep_core.report.lexicon import read_lexicon
from pet2rep_core.report.mentions import Side
from pet2rep_core.report.normalise import PlainText, normalise
from pet2rep_core.report.sections import SectionKind, find_sections
from pet2rep_core.report.uptake_words import Link

_ORDER = {state: place for place, state in enumerate((*POSITIVE_STATES, UptakeState.NORMAL))}


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words of a report behind one state of one organ.

    ``start`` and ``end`` bound the statement, ``organ_start`` and ``organ_end`` the words that name the
    organ; all are characters of the text that was given, and ``text`` is its ``[start:end]``.
    """

    start: int
    end: int
    text: str
    rule: str
    organ_start: int
    organ_end: int
    state: UptakeState


@dataclass(frozen=True, slots=True)
class OrganUptake:
    """The states of one organ: all positive ones, or normal alone; with the claims about it of this study.

    ``laterality`` is the side of the positive lesions, None where none is named or the organ has no sides.
    ``suv_claims`` and ``size_claims`` belong to the organ or its lesions, also where uptake is normal.
    """

    organ: str
    states: tuple[UptakeState, ...]
    evidence: tuple[Evidence, ...]
    laterality: Side | None = None
    suv_claims: tuple[SuvClaim, ...] = ()
    size_claims: tuple[SizeClaim, ...] = ()

    @property
    def suv_max(self) -> tuple[float, ...]:
        """SUVmax values (g/mL) as stated, in the order of the text, none twice."""
        return tuple(claim.value for claim in self.suv_claims)

    @property
    def sizes_mm(self) -> tuple[tuple[float, ...], ...]:
        """Sizes as stated, each one to three lengths in mm."""
        return tuple(claim.mm for claim in self.size_claims)


def extract_uptake(text: str, language: Language, *, with_claims: bool = True) -> tuple[OrganUptake, ...]:
    """Return every organ whose uptake the text states, head to toe.

    Normal is kept only where no positive state is stated for the organ. Sections are not told apart: give
    the findings alone where only they count. Without claims (side, SUVmax, size) it takes half the time.
    """
    plain = normalise(text, language)
    reader = uptake_zh if language is Language.CHINESE else uptake_en
    reading = reader.read_uptake(plain.text)
    claims = find_claims(text, plain, reading, language) if with_claims else {}
    by_organ: dict[str, list[Evidence]] = {}
    for link in reading.links:
        if link.mention.organ in read_lexicon().rank and link.statement.state is not None:
            by_organ.setdefault(link.mention.organ, []).append(_evidence(text, plain, link, link.statement.state))
    order = (organ for organ in read_lexicon().rank if organ in by_organ)
    return tuple(_uptake(organ, by_organ[organ], claims.get(organ)) for organ in order)


def extract_findings_uptake(text: str, language: Language, *, with_claims: bool = True) -> tuple[OrganUptake, ...]:
    """Return the organs of the findings alone; evidence counts from the start of the whole report.

    A report that has an impression and nothing else states no findings.
    """
    # Line ends in place of the other sections keep every character where it stands in the whole report.
    kept = ["\n"] * len(text)
    for section in find_sections(text):
        if section.kind is SectionKind.FINDINGS:
            kept[section.start : section.end] = text[section.start : section.end]
    found = extract_uptake("".join(kept), language, with_claims=with_claims)
    return tuple(
        replace(item, evidence=tuple(replace(e, text=text[e.start : e.end]) for e in item.evidence)) for item in found
    )


def _evidence(text: str, plain: PlainText, link: Link, state: UptakeState) -> Evidence:
    start, end = plain.span(link.statement.start, link.statement.end)
    organ_start, organ_end = plain.span(link.mention.start, link.mention.end)
    return Evidence(start, end, text[start:end], link.statement.rule, organ_start, organ_end, state)


def _uptake(organ: str, evidence: list[Evidence], claims: Claims | None) -> OrganUptake:
    said = {item.state for item in evidence}
    states = said - {UptakeState.NORMAL} or said
    nearest: dict[tuple[int, int], Evidence] = {}
    for item in sorted((e for e in evidence if e.state in states), key=lambda e: abs(e.start - e.organ_start)):
        nearest.setdefault((item.start, item.end), item)
    kept = sorted(nearest.values(), key=lambda e: (e.start, e.end))
    ordered = tuple(sorted(states, key=_ORDER.__getitem__))
    if claims is None:
        return OrganUptake(organ, ordered, tuple(kept))
    return OrganUptake(
        organ,
        ordered,
        tuple(kept),
        laterality=claims.side,
        suv_claims=tuple(claims.suv_max),
        size_claims=tuple(claims.sizes),
    )
