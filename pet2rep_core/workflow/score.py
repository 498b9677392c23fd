"""Score a generated report against the reference of its case."""

from __future__ import annotations

from dataclasses import dataclass

from pet2rep_core.errors import InputDataError
from pet2rep_core.imaging.landmarks import CaseLandmarks, read_landmarks
from pet2rep_core.records import Generation, Language, Person, Report, Score
from pet2rep_core.report.slots import strip_slots
from pet2rep_core.scoring.checks import ReportChecks
from pet2rep_core.scoring.clinical import CellSide, ClinicalResult
from pet2rep_core.scoring.nlg import METRICS
from pet2rep_core.scoring.profiles import DEFAULT_PROFILE, PROFILES, ReportPart, find_profile
from pet2rep_core.scoring.verify import Check, verify_scores
from pet2rep_core.store import Store, StoredOverrule
from pet2rep_core.vlm.baselines import TEMPLATE
from pet2rep_core.workflow.check_values import ImageValues
from pet2rep_core.workflow.open_case import OpenCase
from pet2rep_core.workflow.permissions import OWNER, RESEARCH, require
from pet2rep_core.workflow.score_pairs import CaseFacts, Output, Way, reference_text, rows_of, score_pair
from pet2rep_core.workflow.score_run import case_facts, output_of, score_rows_of


@dataclass(frozen=True, slots=True)
class ScoredReport:
    """Scores of one generated report, and the records behind them.

    ``scores`` are all automatic ones, ``overruled_scores`` those of the organ table as people corrected it
    (``overruled``, None where nobody did). ``image_values`` is None where the PET was not looked at.
    """

    scores: tuple[Score, ...]
    clinical: ClinicalResult
    reference: Report
    checks: ReportChecks
    overruled: ClinicalResult | None = None
    overruled_scores: tuple[Score, ...] = ()
    overrules: tuple[StoredOverrule, ...] = ()
    image_values: ImageValues | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """A score beside that of the template on the same case; what has no number has the reason."""

    score: Score
    template: Score
    difference: float | None
    reason: str = ""


def score_generation(
    store: Store,
    generation_id: str,
    *,
    profile: str = DEFAULT_PROFILE,
    part: ReportPart = ReportPart.FULL,
    case: OpenCase | None = None,
    landmarks: CaseLandmarks | None = None,
    person: Person = OWNER,
) -> ScoredReport:
    """Score one generation and record the scores with their signatures.

    A generation that did not end well gets no number but the reason.

    Parameters
    ----------
    profile, part
        As for :func:`pet2rep_core.scoring.nlg.score_nlg`; the other scores are the same under all of them.
    case : OpenCase, optional
        The open case of the report: its SUVmax values are then looked for in the PET, where that is in SUV.
    landmarks : CaseLandmarks, optional
        Those of the case's images; read here, in a second or more, where they are left out.

    Raises
    ------
    InputDataError
        If its case has no reference report in its language.
    UnknownNameError
        If there is no such profile.
    """
    require(person, RESEARCH)
    facts, output = _facts(store, generation_id)
    way = Way(profile, part)
    images = None if case is None or facts.prepared_key is None else case.images
    if images is not None and landmarks is None:
        landmarks = read_landmarks(images)
    result = score_pair(facts, output, way, images=images, landmarks=landmarks)
    rows = rows_of(facts, output, way, result)
    store.record_rows("scores", score_rows_of(rows))
    return ScoredReport(
        scores=rows.scores,
        clinical=result.clinical,
        reference=facts.reference,
        checks=result.checks,
        overruled=result.overruled,
        overruled_scores=rows.overruled if result.overruled is not None else (),
        overrules=output.overrules,
        image_values=result.image_values,
    )


def differences_to_template(
    store: Store,
    generation_id: str,
    *,
    profile: str = DEFAULT_PROFILE,
    part: ReportPart = ReportPart.FULL,
    person: Person = OWNER,
) -> tuple[Difference, ...]:
    """Return every score of a report minus that of the template of its prompt on the same case; nothing is stored.

    Which way is good differs: see :data:`pet2rep_core.scoring.checks.CHECKS`; more is better for all other scores.

    Raises
    ------
    InputDataError
        If its case has no reference report in its language.
    """
    require(person, RESEARCH)
    facts, output = _facts(store, generation_id)
    template = Output("", TEMPLATE, strip_slots(facts.given.template))
    way = Way(profile, part)
    plain = Output(output.generation_id, output.model, output.text)
    mine, baseline = (rows_of(facts, one, way, score_pair(facts, one, way)).scores for one in (plain, template))
    return tuple(_difference(score, other) for score, other in zip(mine, baseline, strict=True))


def score_signatures(
    language: Language, *, profile: str = DEFAULT_PROFILE, part: ReportPart = ReportPart.FULL
) -> frozenset[str]:
    """Return the signatures of the language scores that :func:`score_generation` records."""
    chosen = find_profile(profile)
    return frozenset(METRICS[name].signature(language, chosen, part) for name in chosen.metrics)


def verify_generation(store: Store, generation_id: str, *, person: Person = OWNER) -> tuple[tuple[str, Check], ...]:
    """Return the signature of every stored language score with its check against the reference libraries.

    Scores of a version that this program does not make any more are passed over.

    Raises
    ------
    InputDataError
        If its case has no reference report in its language.
    """
    require(person, RESEARCH)
    facts, output = _facts(store, generation_id)
    stored = {one.score.signature: one.score for one in store.scores(generation_id)}
    checked: list[tuple[str, Check]] = []
    for profile in PROFILES:
        for part in ReportPart:
            known = score_signatures(facts.language, profile=profile, part=part)
            scores = [score for signature, score in stored.items() if signature in known]
            checks = verify_scores(
                output.text, reference_text(facts.reference, part), facts.language,
                profile=profile, part=part, scores=scores,
            )  # fmt: skip
            checked += [(score.signature, check) for score, check in zip(scores, checks, strict=True)]
    return tuple(checked)


def cell_text(store: Store, generation: Generation, side: CellSide) -> tuple[str, str]:
    """Return the text that a side of the organ table reads, and the hash that names it.

    Raises
    ------
    InputDataError
        If the case has no reference report in the language of the generated one.
    """
    facts, output = _facts(store, generation.generation_id)
    if side is CellSide.REFERENCE:
        return facts.reference.text, facts.reference.sha256
    return output.text, generation.sha256


def _facts(store: Store, generation_id: str) -> tuple[CaseFacts, Output]:
    generation = store.generation(generation_id).generation
    facts = case_facts(store, store.case(generation.case_id), generation.language)
    if facts is None:
        raise InputDataError(
            f"The case {generation.case_id!r} has no reference report in {generation.language.value!r}.",
            hint="Import a reference report in that language; nothing can be scored against none.",
        )
    stored = store.score_inputs(generation.case_id).get(generation_id, {})
    return facts, output_of(generation, facts, store.overrules(generation.case_id), stored)


def _difference(score: Score, template: Score) -> Difference:
    if score.value is not None and template.value is not None:
        return Difference(score, template, score.value - template.value)
    return Difference(score, template, None, score.reason or f"template: {template.reason}")
