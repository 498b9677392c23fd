"""What the paper does not ask of a generated report: sides, values, omissions, structure, copies, contradictions.

Each check is a record with the words behind it in both texts, and one or two scores with a signature. The registry
says of each score what it counts and whether more is better.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal

from pet2rep_core.errors import UnknownNameError
from pet2rep_core.records import Language, Score
from pet2rep_core.scoring.claims import (
    SIZE_LEAST_MM,
    SIZE_SHARE,
    SUV_LEAST,
    SUV_SHARE,
    PositiveCheck,
    Quantity,
    SideAgreement,
    SideCheck,
    ValueCheck,
    compare_sides,
    compare_values,
    find_hallucinations,
    find_omissions,
    values_f1,
)
from pet2rep_core.scoring.clinical import EMPTY_GENERATION, EMPTY_REFERENCE, ClinicalResult, score_clinical
from pet2rep_core.scoring.contradictions import (
    Contradiction,
    MetadataConflict,
    find_contradictions,
    find_metadata_conflicts,
    knows_patient,
)
from pet2rep_core.scoring.identity import IdentityFlag, find_identity
from pet2rep_core.scoring.read_text import EXTRACTOR, lexicon_mark, read_texts
from pet2rep_core.scoring.signature import signature
from pet2rep_core.scoring.structure import CopyCheck, StructureCheck, check_structure, find_copies

Better = Literal["higher", "lower"]


@dataclass(frozen=True, slots=True)
class CheckMetric:
    """One row of the registry: a score of a check.

    ``better`` says which way is good; ``extracted`` that the organ rules are behind it.
    """

    name: str
    label: str
    description: str
    version: int
    better: Better
    extracted: bool
    parts: tuple[tuple[str, str], ...] = ()

    def signature(self, language: Language, *, overruled: bool = False) -> str:
        """Return the signature that stands beside every number of this score."""
        return _signature(self.name, language, overruled)


def _tolerance(share: float, least: float) -> tuple[tuple[str, str], ...]:
    return (("tol", f"{share:g}+{least:g}"),)


CHECKS: Mapping[str, CheckMetric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            CheckMetric(
                "laterality_errors", "Laterality errors",
                "Organs that are positive in both reports, with another side than in the reference.", 1, "lower", True,
            ),
            CheckMetric(
                "suvmax_f1", "SUVmax F1",
                "Stated SUVmax values that are the reference's, organ by organ: 2 matched / (2 matched + missing + "
                "invented).", 1, "higher", True, _tolerance(SUV_SHARE, SUV_LEAST),
            ),
            CheckMetric(
                "size_f1", "Size F1", "Stated sizes that are the reference's, as SUVmax F1.", 1, "higher", True,
                _tolerance(SIZE_SHARE, SIZE_LEAST_MM),
            ),
            CheckMetric(
                "omissions", "Omissions", "Organs that are positive in the reference and normal or unstated here.", 1,
                "lower", True,
            ),
            CheckMetric(
                "hallucinations", "Hallucinated positives",
                "Organs that are positive here and nowhere in the reference.", 1, "lower", True,
            ),
            CheckMetric(
                "structure", "Structure", "Share of the template's headings that stand in its order.", 1, "higher",
                False, (("against", "template"),),
            ),
            CheckMetric(
                "slots_left", "Slots left over", "Places of the template that were not filled.", 1, "lower", False,
            ),
            CheckMetric(
                "template_copy", "Template copied",
                "Share of the report's letters in sentences of the template or the prompt, letter by letter.", 1,
                "lower", False, (("against", "template+prompt"),),
            ),
            CheckMetric(
                "fabricated_identity", "Fabricated identity",
                "Names, ages, dates, hospitals and numbers that nobody gave.", 1, "lower", False,
            ),
            CheckMetric(
                "metadata_conflicts", "Contradicts the patient",
                "Statements that the patient's sex or age rules out.", 1, "lower", False,
            ),
            CheckMetric(
                "contradictions", "Contradicts itself",
                "Organs that the findings call normal and the impression positive, or the reverse.", 1, "lower", True,
            ),
            CheckMetric(
                "reference_contradictions", "Reference contradicts itself",
                "The same in the reference: what it says of these organs cannot be relied on.", 1, "lower", True,
            ),
        )
    }
)  # fmt: skip
"""Registry of the checks' scores: adding one is one row, and its value in :attr:`ReportChecks.scores`."""

FROM_CELLS = ("omissions", "hallucinations")
"""Scores of the organ table: they have an overruled form as clinical efficacy has."""

_REASONS = {
    "laterality_errors": "no organ with a side in both reports",
    "suvmax_f1": "no SUVmax in either report",
    "size_f1": "no size in either report",
    "structure": "the template has no headings",
    "template_copy": "no sentence long enough",
    "metadata_conflicts": "sex and age of the patient are not known",
    "contradictions": "findings and impression share no organ",
    "reference_contradictions": "findings and impression of the reference share no organ",
}


@dataclass(frozen=True, slots=True)
class Given:
    """What the author of a report was given, and what is known of the case.

    Parameters
    ----------
    template : str
        Template of the prompt, with its slots; empty where there was none.
    task : str
        The rest of the prompt.
    metadata : mapping
        Facts of the case; ``sex`` and ``age`` are understood.
    """

    template: str = ""
    task: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReportChecks:
    """All checks of one generated report; evidence counts characters of the text it is from.

    ``reason`` says why nothing was checked (an empty text); ``knows_patient`` whether there was anything to
    contradict.
    """

    language: Language
    sides: tuple[SideCheck, ...]
    suv_max: tuple[ValueCheck, ...]
    sizes: tuple[ValueCheck, ...]
    omissions: tuple[PositiveCheck, ...]
    hallucinations: tuple[PositiveCheck, ...]
    structure: StructureCheck
    copies: CopyCheck
    identity: tuple[IdentityFlag, ...]
    metadata_conflicts: tuple[MetadataConflict, ...]
    contradictions: tuple[Contradiction, ...]
    reference_contradictions: tuple[Contradiction, ...]
    knows_patient: bool
    shared_organs: int
    reference_shared_organs: int
    reason: str = ""
    overruled: bool = False

    @property
    def scores(self) -> tuple[Score, ...]:
        """Return the score of every row of :data:`CHECKS`, or the reason why it has none."""
        errors = [one for one in self.sides if one.agreement is not SideAgreement.SAME]
        values: dict[str, float | None] = {
            "laterality_errors": len(errors) if self.sides else None,
            "suvmax_f1": values_f1(self.suv_max),
            "size_f1": values_f1(self.sizes),
            "omissions": len(self.omissions),
            "hallucinations": len(self.hallucinations),
            "structure": self.structure.share,
            "slots_left": len(self.structure.slots),
            "template_copy": self.copies.share,
            "fabricated_identity": len(self.identity),
            "metadata_conflicts": len(self.metadata_conflicts) if self.knows_patient else None,
            "contradictions": len(self.contradictions) if self.shared_organs else None,
            "reference_contradictions": len(self.reference_contradictions) if self.reference_shared_organs else None,
        }
        return tuple(self._score(name, value) for name, value in values.items())

    @property
    def overruled_scores(self) -> tuple[Score, ...]:
        """Return the scores of the organ table alone, in their overruled form."""
        return tuple(score for score in self.scores if score.metric in FROM_CELLS)

    @property
    def details(self) -> dict[str, Any]:
        """Return what stands behind each score that found something, as JSON, by the name of the score."""
        found: dict[str, Any] = {
            "laterality_errors": [one for one in self.sides if one.agreement is not SideAgreement.SAME],
            "suvmax_f1": self.suv_max,
            "size_f1": self.sizes,
            "omissions": self.omissions,
            "hallucinations": self.hallucinations,
            "slots_left": self.structure.slots,
            "fabricated_identity": self.identity,
            "metadata_conflicts": self.metadata_conflicts,
            "contradictions": self.contradictions,
            "reference_contradictions": self.reference_contradictions,
        }
        return {name: [asdict(one) for one in records] for name, records in found.items() if records}

    def _score(self, name: str, value: float | None) -> Score:
        line = CHECKS[name].signature(self.language, overruled=self.overruled and name in FROM_CELLS)
        if self.reason:
            return Score(name, None, line, self.reason)
        return Score(name, None, line, _REASONS[name]) if value is None else Score(name, float(value), line)


def find_check(name: str) -> CheckMetric:
    """Return a row of the registry.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    if name not in CHECKS:
        raise UnknownNameError("check", name, CHECKS)
    return CHECKS[name]


def check_report(
    hypothesis: str,
    reference: str,
    language: Language,
    given: Given | None = None,
    *,
    clinical: ClinicalResult | None = None,
) -> ReportChecks:
    """Return all checks of one generated report.

    Parameters
    ----------
    given : Given, optional
        Prompt and metadata; without a template there is no structure to keep and nothing to copy.
    clinical : ClinicalResult, optional
        The organ table, if it is at hand or was overruled; omissions and hallucinations follow it.
    """
    known = given or Given()
    said, true = read_texts().get(hypothesis, language), read_texts().get(reference, language)
    sides = compare_sides(said, true)  # reads the findings whole; the organ table then takes what it needs of that
    table = clinical if clinical is not None else score_clinical(hypothesis, reference, language)
    return ReportChecks(
        language=language,
        sides=sides,
        suv_max=compare_values(said, true, Quantity.SUV_MAX),
        sizes=compare_values(said, true, Quantity.SIZE),
        omissions=find_omissions(said, true, table.cells),
        hallucinations=find_hallucinations(said, true, table.cells),
        structure=check_structure(said, known.template),
        copies=find_copies(said, known.template, known.task),
        identity=find_identity(hypothesis, (reference, known.task, known.template), known.metadata),
        metadata_conflicts=find_metadata_conflicts(said, known.metadata),
        contradictions=find_contradictions(said),
        reference_contradictions=find_contradictions(true),
        knows_patient=knows_patient(known.metadata),
        shared_organs=len(said.findings.keys() & said.impression.keys()),
        reference_shared_organs=len(true.findings.keys() & true.impression.keys()),
        reason=EMPTY_GENERATION if not hypothesis.strip() else EMPTY_REFERENCE if not reference.strip() else "",
        overruled=table.overruled,
    )


@lru_cache(maxsize=256)
def _signature(name: str, language: Language, overruled: bool) -> str:
    metric = find_check(name)
    parts = dict(metric.parts)
    if metric.extracted:
        parts |= {"extractor": EXTRACTOR, "lexicon": lexicon_mark()}
    if overruled:
        parts["cells"] = "overruled"
    return signature(name, version=metric.version, agg="case", lang=language.value, **parts)
