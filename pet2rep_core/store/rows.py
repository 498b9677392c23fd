"""How a record becomes a row and a row a record.

A row is a dict of plain JSON values, the same for the database and for a file in the inbox; nested parts are
JSON text in it. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

import datetime
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from pet2rep_core.records import (
    Generation,
    GenerationStatus,
    KeySlices,
    Language,
    Report,
    Score,
    text_sha256,
)
from pet2rep_core.store.driver import utc_now
from pet2rep_core.store.journal import canonical_json, json_sha256
from pet2rep_core.store.stored import CaseRow, RunRow, StoredGeneration, StoredReport, StoredScore
from pet2rep_core.store.transaction import RowsRefusedError

Row = dict[str, Any]


def case_row(case: CaseRow) -> Row:
    """Return the row of a case."""
    key_slices = None if case.key_slices is None else key_slices_json(case.key_slices)
    return {
        "case_id": case.case_id,
        "dataset": case.dataset,
        "layout": case.layout,
        "prepared_key": case.prepared_key,
        "source_sha256": case.source_sha256,
        "metadata": canonical_json(case.metadata),
        "has_pet": case.has_pet,
        "has_ct": case.has_ct,
        "n_pictures": case.n_pictures,
        "suv": canonical_json(case.suv),
        "key_slices": key_slices,
        "created_at": case.created_at or utc_now(),
    }


def report_row(case_id: str, report: Report, *, kind: str, source: str, case_source_sha256: str | None = None) -> Row:
    """Return the row of a report."""
    return {
        "case_id": case_id,
        "kind": kind,
        "source": source,
        "language": str(report.language),
        "body": report.text,
        "findings": report.findings,
        "impression": report.impression,
        "sha256": _text_hash(report.text),
        "case_source_sha256": case_source_sha256,
        "created_at": utc_now(),
    }


def run_row(run: RunRow) -> Row:
    """Return the row of a run."""
    content = {
        "run_id": run.run_id,
        "model": run.model,
        "input_setting": run.input_setting,
        "prompt_sha256": run.prompt_sha256,
        "parameters": canonical_json(run.parameters),
        "seed": run.seed,
        "language": str(run.language),
    }
    return {**content, "content_sha256": json_sha256(content), "created_at": run.created_at or utc_now()}


def generation_row(
    generation: Generation,
    *,
    started_at: str | None = None,
    duration_s: float | None = None,
    detail: Mapping[str, Any] | None = None,
) -> Row:
    """Return the row of a generation; its times are not part of what makes it another one."""
    content = {
        "generation_id": generation.generation_id,
        "run_id": generation.run_id,
        "case_id": generation.case_id,
        "model": generation.model,
        "language": str(generation.language),
        "status": str(generation.status),
        "body": generation.text,
        "sha256": _text_hash(generation.text),
        "error": generation.error,
    }
    return {
        **content,
        "content_sha256": json_sha256(content),
        "detail": canonical_json(dict(detail or {})),
        "started_at": started_at,
        "duration_s": duration_s,
        "created_at": utc_now(),
    }


def score_rows(
    generation_id: str,
    scores: Sequence[Score],
    details: Mapping[str, Any] | None = None,
    inputs: Mapping[str, str] | None = None,
) -> list[Row]:
    """Return the rows of the scores of one generation.

    Parameters
    ----------
    scores : sequence of Score
        A score without a value keeps its reason.
    details : mapping, optional
        What is shown beside a number, by the name of its metric.
    inputs : mapping, optional
        By signature, a hash of what the number was made from beside the generated text, such as the reference.

    Raises
    ------
    RowsRefusedError
        If a value is not finite, a missing value has no reason, or a detail belongs to no score.
    """
    unknown = set(details or {}) - {score.metric for score in scores}
    if unknown:
        raise RowsRefusedError(
            f"There is a detail for {min(unknown)!r}, which is not among the scores.",
            hint="Give details by the name of their metric.",
        )
    return [
        _score_row(generation_id, score, (details or {}).get(score.metric), (inputs or {}).get(score.signature))
        for score in scores
    ]


def _score_row(generation_id: str, score: Score, detail: object, inputs: str | None) -> Row:
    if score.value is not None and not math.isfinite(score.value):
        raise RowsRefusedError(
            f"The score {score.metric} is {score.value}, which is no number.", hint="Give no value, and the reason."
        )
    if score.value is None and not score.reason:
        raise RowsRefusedError(f"The score {score.metric} has neither value nor reason.", hint="Say why it has none.")
    content = {
        "value": None if score.value is None else float(score.value),
        "reason": score.reason,
        "detail": None if detail is None else canonical_json(detail),
    }
    # rows of the time before there were inputs keep their hash
    hashed = content if inputs is None else {**content, "inputs_sha256": inputs}
    return {
        "generation_id": generation_id,
        "metric": score.metric,
        "signature": score.signature,
        **content,
        "inputs_sha256": inputs,
        "content_sha256": json_sha256(hashed),
        "created_at": utc_now(),
    }


def key_slices_json(key_slices: KeySlices) -> str:
    """Return key slices as JSON text."""
    return canonical_json({"indices": list(key_slices.indices), "rule": key_slices.rule, "reason": key_slices.reason})


def read_key_slices(text: str) -> KeySlices:
    """Return key slices from JSON text."""
    value = json.loads(text)
    return KeySlices(tuple(value["indices"]), value["rule"], value["reason"])


def read_case(row: Sequence[Any]) -> CaseRow:
    """Return a case from the columns in :data:`CASE_COLUMNS`."""
    values = dict(zip(CASE_COLUMNS, row, strict=True))
    key_slices = values["key_slices"]
    return CaseRow(
        **{
            **values,
            "metadata": json.loads(values["metadata"]),
            "suv": json.loads(values["suv"]),
            "key_slices": None if key_slices is None else read_key_slices(key_slices),
            "created_at": iso(values["created_at"]),
        }
    )


def read_run(row: Sequence[Any]) -> RunRow:
    """Return a run from the columns in :data:`RUN_COLUMNS`."""
    run_id, model, input_setting, prompt_sha256, language, parameters, seed, created_at = row
    return RunRow(
        run_id=run_id,
        model=model,
        input_setting=input_setting,
        prompt_sha256=prompt_sha256,
        language=Language(language),
        parameters=json.loads(parameters),
        seed=seed,
        created_at=iso(created_at),
    )


def read_generation(row: Sequence[Any]) -> StoredGeneration:
    """Return a generation from the columns in :data:`GENERATION_COLUMNS`."""
    values = dict(zip(GENERATION_COLUMNS, row, strict=True))
    generation = Generation(
        generation_id=values["generation_id"],
        run_id=values["run_id"],
        case_id=values["case_id"],
        model=values["model"],
        language=Language(values["language"]),
        status=GenerationStatus(values["status"]),
        text=values["body"],
        error=values["error"],
    )
    started_at = values["started_at"]
    return StoredGeneration(
        generation=generation,
        attempt=values["attempt"],
        started_at=None if started_at is None else iso(started_at),
        duration_s=values["duration_s"],
        detail=json.loads(values["detail"]),
        created_at=iso(values["created_at"]),
    )


def read_report(row: Sequence[Any]) -> StoredReport:
    """Return a report from the columns in :data:`REPORT_COLUMNS`."""
    case_id, kind, source, revision, language, text, findings, impression, created_at = row
    report = Report(Language(language), text, findings, impression)
    return StoredReport(case_id, kind, source, revision, report, iso(created_at))


def read_score(row: Sequence[Any]) -> StoredScore:
    """Return a score from the columns in :data:`SCORE_COLUMNS`."""
    generation_id, case_id, run_id, sha256, metric, value, signature, reason, detail, created_at = row
    return StoredScore(
        generation_id=generation_id,
        case_id=case_id,
        run_id=run_id,
        text_sha256=sha256,
        score=Score(metric, value, signature, reason),
        detail=None if detail is None else json.loads(detail),
        created_at=iso(created_at),
    )


def iso(moment: datetime.datetime) -> str:
    """Return a moment as ISO 8601 in UTC with microseconds."""
    return moment.astimezone(datetime.UTC).isoformat(timespec="microseconds")


def _text_hash(text: str) -> str:
    try:
        return text_sha256(text)
    except UnicodeEncodeError as error:
        raise RowsRefusedError(
            "The text has characters that are no Unicode text.", hint="Read the file again with the right encoding."
        ) from error


CASE_COLUMNS = tuple(CaseRow.__dataclass_fields__)
REPORT_COLUMNS = (
    "case_id", "kind", "source", "revision", "language", "body", "findings", "impression", "created_at",
)  # fmt: skip
SCORE_COLUMNS = (
    "s.generation_id", "g.case_id", "g.run_id", "s.text_sha256", "s.metric", "s.value", "s.signature", "s.reason",
    "s.detail", "s.created_at",
)  # fmt: skip
RUN_COLUMNS = ("run_id", "model", "input_setting", "prompt_sha256", "language", "parameters", "seed", "created_at")
GENERATION_COLUMNS = (
    "generation_id", "run_id", "case_id", "model", "language", "status", "body", "error",
    "attempt", "started_at", "duration_s", "detail", "created_at",
)  # fmt: skip
