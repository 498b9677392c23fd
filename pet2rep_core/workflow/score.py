"""Score a generated report against the reference of its case."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

import pandas as pd
import pyarrow as pa

from pet2rep_core.errors import InputDataError
from pet2rep_core.records import GenerationStatus, Report, Score
from pet2rep_core.scoring.clinical import Agreement, ClinicalResult, score_clinical
from pet2rep_core.scoring.nlg import score_nlg
from pet2rep_core.store import Store


@dataclass(frozen=True, slots=True)
class ScoredReport:
    """Scores of one generated report, and the organ table behind the clinical ones."""

    scores: tuple[Score, ...]
    clinical: ClinicalResult
    reference: Report


def score_generation(store: Store, generation_id: str) -> ScoredReport:
    """Score one generation and record the scores with their signatures.

    A generation that did not end well gets no number but the reason.

    Raises
    ------
    InputDataError
        If its case has no reference report in its language.
    """
    generation = store.generation(generation_id).generation
    references = store.reports(generation.case_id)
    reference = next(
        (r.report for r in references if r.kind == "reference" and r.report.language is generation.language), None
    )
    if reference is None:
        raise InputDataError(
            f"The case {generation.case_id!r} has no reference report in {generation.language.value!r}.",
            hint="Import a reference report in that language; nothing can be scored against none.",
        )
    text = generation.text if generation.status in (GenerationStatus.DONE, GenerationStatus.CUT) else ""
    clinical = score_clinical(text, reference.text, generation.language)
    scores = (*score_nlg(text, reference.text, generation.language), *clinical.scores)
    rows = [
        {"organ": row.organ, "agreement": row.agreement.value, "reference": row.reference, "generated": row.hypothesis}
        for row in clinical.rows
        if row.agreement is not Agreement.BOTH_UNSTATED
    ]
    classes = [asdict(counts) for counts in clinical.classes]
    store.record_scores(generation_id, scores, {"ce_f1": {"organs": rows, "classes": classes}})
    return ScoredReport(scores, clinical, reference)


def score_everything(store: Store) -> Iterator[tuple[int, int]]:
    """Score every generation whose case has a reference in its language; yields (done, total) after each."""
    languages = {row.case_id: {r.report.language for r in store.reports(row.case_id)} for row in store.cases()}
    todo = [
        g.generation for g in store.generations() if g.generation.language in languages.get(g.generation.case_id, set())
    ]
    for done, generation in enumerate(todo, start=1):
        score_generation(store, generation.generation_id)
        yield done, len(todo)


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
