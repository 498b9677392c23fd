"""Everything that one generated report is scored for against its reference, without a store: safe in any process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pet2rep_core.errors import InputDataError
from pet2rep_core.imaging.landmarks import CaseLandmarks, read_landmarks
from pet2rep_core.imaging.prepared import PreparedCase, open_prepared
from pet2rep_core.records import Language, Report, Score, UptakeState
from pet2rep_core.scoring.checks import CHECKS, FROM_CELLS, Given, ReportChecks, check_report
from pet2rep_core.scoring.clinical import (
    Agreement,
    CellSide,
    ClinicalResult,
    clinical_signature,
    overrule_clinical,
    score_clinical,
)
from pet2rep_core.scoring.nlg import METRICS, score_nlg
from pet2rep_core.scoring.profiles import DEFAULT_PROFILE, ReportPart, find_profile
from pet2rep_core.scoring.read_text import read_texts
from pet2rep_core.store import StoredOverrule
from pet2rep_core.workflow.check_values import METRIC as IN_IMAGE
from pet2rep_core.workflow.check_values import ImageValues, check_image_values, image_signature

CLINICAL = ("ce_precision", "ce_recall", "ce_f1")
UNREADABLE = "the images of the case cannot be read"
NOT_OVERRULED = "no cell of this report is overruled any more"


@dataclass(frozen=True, slots=True)
class Way:
    """How language scores are made: a profile, on whole reports or on findings alone."""

    profile: str = DEFAULT_PROFILE
    part: ReportPart = ReportPart.FULL


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What every report of a case in one language is scored against.

    ``prepared_key`` names its images where their PET is in SUV, else None.
    """

    case_id: str
    language: Language
    reference: Report
    given: Given = field(default_factory=Given)
    prepared_key: str | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """One generated report: its text as it is scored (empty where the generation did not end well).

    ``overrules`` hold for its own cells or for the reference's; ``had_overrules`` tells that scores of an overruled
    form are stored from before.
    """

    generation_id: str
    model: str
    text: str
    overrules: tuple[StoredOverrule, ...] = ()
    had_overrules: bool = False


@dataclass(frozen=True, slots=True)
class PairScores:
    """All scores of one report. ``overruled`` are those of the organ table as a person corrected it.

    ``inputs`` is, by signature, a hash of what each number was made from beside the report's text.
    """

    generation_id: str
    scores: tuple[Score, ...]
    overruled: tuple[Score, ...]
    details: dict[str, Any]
    overruled_details: dict[str, Any]
    inputs: dict[str, str]


@dataclass(frozen=True, slots=True)
class PairResult:
    """The records behind the scores of one report."""

    language_scores: tuple[Score, ...]
    clinical: ClinicalResult
    overruled: ClinicalResult | None
    checks: ReportChecks
    overruled_checks: ReportChecks | None
    image_values: ImageValues | None


def wanted_inputs(facts: CaseFacts, output: Output, way: Way) -> dict[str, str]:
    """Return the signature of every score that a report should have, with the hash of what it is made from.

    A stored score is good for as long as its signature is here with the same hash.
    """
    language, profile = facts.language, find_profile(way.profile)
    scored = _hash(reference_text(facts.reference, way.part))
    reference = facts.reference.sha256
    given = _hash(reference, facts.given.template, facts.given.task, sorted(facts.given.metadata.items()))
    wanted = {METRICS[name].signature(language, profile, way.part): scored for name in profile.metrics}
    wanted |= {clinical_signature(name, language): reference for name in CLINICAL}
    wanted |= {metric.signature(language): given for metric in CHECKS.values()}
    if facts.prepared_key is not None:
        wanted[image_signature(language)] = _hash(reference, facts.prepared_key)
    if output.overrules or output.had_overrules:
        cells = _hash(reference, sorted(one.event_id for one in output.overrules))
        wanted |= dict.fromkeys(overruled_signatures(language), cells)
    return wanted


@lru_cache(maxsize=8)
def overruled_signatures(language: Language) -> tuple[str, ...]:
    """Return the signatures of the scores that have an overruled form."""
    clinical = (clinical_signature(name, language, overruled=True) for name in CLINICAL)
    return (*clinical, *(CHECKS[name].signature(language, overruled=True) for name in FROM_CELLS))


def score_pair(
    facts: CaseFacts,
    output: Output,
    way: Way,
    *,
    metrics: Collection[str] | None = None,
    images: PreparedCase | None = None,
    landmarks: CaseLandmarks | None = None,
) -> PairResult:
    """Return the records of one report.

    Parameters
    ----------
    metrics : collection of str, optional
        Only these of the language scores.
    images, landmarks : optional
        Those of the case, where SUVmax values should be looked for in the PET.
    """
    language, reference = facts.language, facts.reference.text
    language_scores: tuple[Score, ...] = ()
    if metrics is None or metrics:
        language_scores = score_nlg(
            output.text, reference_text(facts.reference, way.part), language,
            profile=way.profile, part=way.part, metrics=metrics,
        )  # fmt: skip
    for text in (output.text, reference):
        _ = read_texts().get(text, language).findings  # the checks need it whole; the organ table then takes it too
    clinical = score_clinical(output.text, reference, language)
    checks = check_report(output.text, reference, language, facts.given, clinical=clinical)
    overruled = None
    if output.overrules:
        overruled = overrule_clinical(clinical, overruled_states(output.overrules))
    return PairResult(
        language_scores=language_scores,
        clinical=clinical,
        overruled=overruled,
        checks=checks,
        overruled_checks=None
        if overruled is None
        else check_report(output.text, reference, language, facts.given, clinical=overruled),
        image_values=None
        if images is None
        else check_image_values(output.text, reference, language, images, landmarks),
    )


def overruled_states(overrules: Collection[StoredOverrule]) -> dict[tuple[CellSide, str], tuple[UptakeState, ...]]:
    """Return what overrules say, by cell."""
    return {
        (CellSide(one.overrule.cell.side), one.overrule.cell.organ): tuple(map(UptakeState, one.overrule.states))
        for one in overrules
    }


def rows_of(facts: CaseFacts, output: Output, way: Way, result: PairResult) -> PairScores:
    """Return the scores of a report as they are stored."""
    image = () if result.image_values is None else (result.image_values.score,)
    scores = (*result.language_scores, *result.clinical.scores, *result.checks.scores, *image)
    details = {"ce_f1": clinical_detail(result.clinical), **result.checks.details}
    if result.image_values is not None and result.image_values.values:
        details[IN_IMAGE] = [asdict(one) for one in result.image_values.values]
    overruled: tuple[Score, ...] = ()
    overruled_details: dict[str, Any] = {}
    if result.overruled is not None and result.overruled_checks is not None:
        overruled = (*result.overruled.scores, *result.overruled_checks.overruled_scores)
        found = result.overruled_checks.details
        overruled_details = {"ce_f1": clinical_detail(result.overruled)}
        overruled_details |= {name: found[name] for name in FROM_CELLS if name in found}
    elif output.had_overrules:
        names = (*CLINICAL, *FROM_CELLS)
        lines = overruled_signatures(facts.language)
        overruled = tuple(Score(name, None, line, NOT_OVERRULED) for name, line in zip(names, lines, strict=True))
    return PairScores(
        output.generation_id, scores, overruled, details, overruled_details, wanted_inputs(facts, output, way)
    )


def clinical_detail(result: ClinicalResult) -> dict[str, Any]:
    """Return the organ table and the counts of cells as JSON."""
    rows = [
        {"organ": row.organ, "agreement": row.agreement.value, "reference": row.reference, "generated": row.hypothesis}
        | ({} if row.automatic is None else {"overruled": True})
        for row in result.rows
        if row.agreement is not Agreement.BOTH_UNSTATED or row.automatic is not None
    ]
    return {"organs": rows, "classes": [asdict(counts) for counts in result.classes]}


def score_outputs(
    facts: CaseFacts,
    outputs: Collection[Output],
    needed: Mapping[str, Collection[str]],
    way: Way,
    prepared: Path | None = None,
) -> list[PairScores]:
    """Score some reports of one case, and of each only what is needed.

    Parameters
    ----------
    needed : mapping of str to collection of str
        By generation, the signatures that it lacks.
    prepared : Path, optional
        Folder of the prepared cases, for the look into the PET.
    """
    names = {
        METRICS[name].signature(facts.language, find_profile(way.profile), way.part): name
        for name in find_profile(way.profile).metrics
    }
    in_image = image_signature(facts.language)
    made = []
    for output in outputs:
        wanted = needed[output.generation_id]
        images, landmarks, problem = None, None, ""
        if in_image in wanted and prepared is not None and facts.prepared_key is not None:
            try:
                images, landmarks = _images(prepared, facts.prepared_key)
            except InputDataError:
                problem = UNREADABLE
        metrics = [names[line] for line in names if line in wanted]
        result = score_pair(facts, output, way, metrics=metrics, images=images, landmarks=landmarks)
        if problem:
            result = replace(result, image_values=ImageValues(facts.language, (), problem))
        made.append(_only(rows_of(facts, output, way, result), wanted))
    return made


def reference_text(reference: Report, part: ReportPart) -> str:
    """Return what of a reference is compared."""
    # the parts of a report may have come in columns of their own, without the headings that part a text
    return reference.findings if part is ReportPart.FINDINGS else reference.text


def _only(made: PairScores, wanted: Collection[str]) -> PairScores:
    scores = tuple(score for score in made.scores if score.signature in wanted)
    overruled = tuple(score for score in made.overruled if score.signature in wanted)
    names, overruled_names = {score.metric for score in scores}, {score.metric for score in overruled}
    return PairScores(
        made.generation_id,
        scores,
        overruled,
        {name: detail for name, detail in made.details.items() if name in names},
        {name: detail for name, detail in made.overruled_details.items() if name in overruled_names},
        {line: digest for line, digest in made.inputs.items() if line in wanted},
    )


@lru_cache(maxsize=2)
def _images(prepared: Path, key: str) -> tuple[PreparedCase, CaseLandmarks | None]:
    images = open_prepared(prepared, key)
    return images, read_landmarks(images)


def _hash(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode("ascii")).hexdigest()
