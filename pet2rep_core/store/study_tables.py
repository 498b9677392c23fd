"""The tables of a reader study: one row per item, stage and dimension; one per marked or missed sentence."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pet2rep_core.store.driver import Database

_TEXT, _INT, _BOOL = pa.string(), pa.int64(), pa.bool_()
_ITEM = {
    "study": _TEXT, "item": _TEXT, "kind": _TEXT, "repeat_of": _TEXT, "position": _INT, "reader": _TEXT,
    "patient": _TEXT, "dataset": _TEXT, "model": _TEXT, "input_setting": _TEXT, "language": _TEXT, "run_id": _TEXT,
    "generation_id": _TEXT, "stage": _TEXT,
}  # fmt: skip
_EVENT = {"revision": _INT, "created_at": _TEXT, "event_id": _TEXT}
RATINGS = pa.schema(
    {
        **_ITEM, "dimension": _TEXT, "value": _INT, "reason": _TEXT, "comment": _TEXT, "item_comment": _TEXT,
        "change_reason": _TEXT, "rubric_version": _TEXT, "shown_sha256": _TEXT, "reference_sha256": _TEXT,
        "leaks": _TEXT, "leaks_version": _TEXT, "active_ms": _INT, **_EVENT,
    }
)  # fmt: skip
"""``value`` is null where not assessable, for which ``reason`` says why; ``repeat_of`` is null but for repeats.
``leaks`` are kinds of give-aways as JSON, found with the table of ``leaks_version``."""

MARKS = pa.schema(
    {
        **_ITEM, "text": _TEXT, "sentence": _INT, "start": _INT, "end": _INT, "mark": _TEXT, "significant": _BOOL,
        "text_sha256": _TEXT, **_EVENT,
    }
)  # fmt: skip
"""``text`` is generated or reference; ``mark`` is the kind of error, or missed."""

_FROM = """
    FROM study_rating r JOIN study_item i ON i.code = r.code AND i.study_id = r.study_id
    {join}
    WHERE r.study_id = $study AND NOT EXISTS (SELECT 1 FROM study_rating n WHERE n.study_id = r.study_id
      AND n.code = r.code AND n.stage = r.stage AND n.revision > r.revision)"""
_ITEM_COLUMNS = """
    r.study_id AS study, r.code AS item, i.kind, nullif(i.repeat_of, '') AS repeat_of, i.position, i.reader,
    i.case_id AS patient, i.dataset, i.model, i.input_setting, i.language, i.run_id, i.generation_id, r.stage"""


def ratings_table(database: Database, study_id: str) -> pa.Table:
    """Return the newest ratings of a study in :data:`RATINGS`, by reader, position, stage and dimension."""
    found = database.table(
        f"SELECT {_ITEM_COLUMNS}, a.dimension, a.value, a.reason, a.comment, r.comment AS item_comment, "
        "r.reason AS change_reason, r.rubric_version, r.shown_sha256, r.reference_sha256, "
        "CAST(CASE json_type(r.leaks) WHEN 'ARRAY' THEN r.leaks ELSE r.leaks->'kinds' END AS VARCHAR) AS leaks, "
        "coalesce(r.leaks->>'version', '') AS leaks_version, r.active_ms, r.revision, r.created_at, r.event_id"
        + _FROM.format(join="JOIN study_answer a ON a.event_id = r.event_id")
        + " ORDER BY i.reader, i.position, r.stage DESC, a.dimension",
        {"study": study_id},
    )
    return _with_times(found).cast(RATINGS)


def marks_table(database: Database, study_id: str) -> pa.Table:
    """Return the marks of the newest ratings of a study in :data:`MARKS`."""
    found = _with_times(
        database.table(
            f"SELECT {_ITEM_COLUMNS}, CAST(r.marks AS VARCHAR) AS marks, CAST(r.missed AS VARCHAR) AS missed, "
            "r.shown_sha256, r.reference_sha256, r.revision, r.created_at, r.event_id"
            + _FROM.format(join="")
            + " AND (CAST(r.marks AS VARCHAR) <> '[]' OR CAST(r.missed AS VARCHAR) <> '[]')"
            + " ORDER BY i.reader, i.position, r.stage DESC",
            {"study": study_id},
        )
    )
    rows: list[dict[str, Any]] = []
    for row in found.to_pylist():
        marks, missed = json.loads(row.pop("marks")), json.loads(row.pop("missed"))
        shown, reference = row.pop("shown_sha256"), row.pop("reference_sha256")
        rows += [
            {**row, **one, "text": "generated", "mark": one["kind"], "kind": row["kind"], "text_sha256": shown}
            for one in marks
        ]
        rows += [{**row, **one, "text": "reference", "mark": "missed", "text_sha256": reference} for one in missed]
    return pa.Table.from_pylist(rows, schema=MARKS)


def _with_times(table: pa.Table) -> pa.Table:
    place = table.schema.get_field_index("created_at")
    times = table["created_at"].combine_chunks().dictionary_encode()  # a rating has one time and many rows
    words = pc.strftime(times.dictionary, format="%Y-%m-%dT%H:%M:%SZ")
    return table.set_column(place, "created_at", words.take(times.indices))
