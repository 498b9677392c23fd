"""Score a generated report against the reference of its case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from pet2rep_core.errors import InputDataError
from pet2rep_core.imaging.landmarks import CaseLandmarks, read_landmarks
from pet2rep_core.records import Generation, Language, Person, Report, Score
from pet2rep_core.report.slots import strip_slots
from pet2rep_core.scoring.checks import ReportChecks
from pet2rep_core.scoring.clinical import CellSide, ClinicalResult
from pet2rep_core.scoring.nlg import METRICS
from pet2rep_core.scoring.profiles import DEFAULT_PROFILE, PROFILES, ReportPart, find_profile
from pet2rep_core.scoring.verify import Check, verify_scores
from pet2rep_core.settings import Settings
from pet2rep_core.store import Store, StoredOverrule
from pet2rep_core.vlm.baselines import TEMPLATE
from pet2rep_core.workflow.check_values import ImageValues
from pet2rep_core.workflow.open_case import OpenCase
from pet2rep_core.workflow.permissions import OWNER, RESEARCH, require
from pet2rep_core.workflow.score_pairs import CaseFacts, Output, Way, reference_text, rows_of, score_pair
from pet2rep_core.workflow.score_run import case_facts, output_of, plan_scores, score_planned, score_rows_of


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


def template_differences(scores: pa.Table) -> pd.DataFrame:
    """Return stored scores beside the template's on the same case, one row per generation and signature.

    Parameters
    ----------
    scores : pa.Table
        The exported table of scores; reports of the model ``template`` in it are the baseline.

    Returns
    -------
    pd.DataFrame
        The columns of the table, ``template_value`` and ``difference``; a case without a scored template, or a score
        without a number, has neither.
    """
    frame: pd.DataFrame = scores.to_pandas()
    keys = ["case_id", "language", "metric", "signature"]
    of_template = frame[frame["model"] == TEMPLATE].drop_duplicates(keys)[[*keys, "value"]]
    joined = frame.merge(of_template.rename(columns={"value": "template_value"}), on=keys, how="left")
    return joined.assign(difference=joined["value"] - joined["template_value"])


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


def score_everything(
    store: Store,
    settings: Settings | None = None,
    /,
    *,
    profile: str = DEFAULT_PROFILE,
    part: ReportPart = ReportPart.FULL,
) -> Iterator[tuple[int, int]]:
    """Score every generation that lacks a score; yields (done, total) after each.

    Without settings the work stays in this process, and no image is looked at.

    :func:`pet2rep_core.workflow.jobs.start_scoring` does the same in the background.
    """
    plan = plan_scores(store, profile=profile, part=part, images=settings is not None)
    total = plan.total + len(plan.unscorable)
    for done, _ in enumerate(score_planned(store, settings, plan), start=1):
        yield done, total


def summarise_scores(scores: pa.Table) -> pd.DataFrame:
    """Return mean and sample standard deviation over cases, one row per model, language, metric and signature.

    Scores without a value are counted in ``unscored`` and stay out of the mean.
    """
    frame: pd.DataFrame = scores.to_pandas()
    if frame.empty:
        return frame
    keys = ["model", "language", "metric", "signature"]
    grouped = frame.groupby(keys, sort=True, dropna=False)["value"]
    summary = grouped.agg(mean="mean", sd="std", cases="count", size="size").reset_index()
    summary["unscored"] = summary.pop("size") - summary["cases"]
    columns = ["model", "language", "metric", "mean", "sd", "cases", "unscored", "signature"]
    return pd.DataFrame(summary[columns])


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
