"""The tables that are exported: one row per rating and dimension, one row per score; NULL, never NaN."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from pet2rep_core.store.driver import Database

_TEXT, _INT, _REAL, _BOOL = pa.string(), pa.int64(), pa.float64(), pa.bool_()

RATINGS_SCHEMA = pa.schema(
    {
        "case_id": _TEXT, "dataset": _TEXT, "model": _TEXT, "input_setting": _TEXT, "language": _TEXT,
        "run_id": _TEXT, "generation_id": _TEXT, "reader": _TEXT, "dimension": _TEXT, "value": _INT,
        "not_assessable": _BOOL, "comment": _TEXT, "revision": _INT, "rubric_version": _TEXT,
        "shown_sha256": _TEXT, "duration_ms": _INT, "created_at": _TEXT, "event_id": _TEXT,
    }
)  # fmt: skip
SCORES_SCHEMA = pa.schema(
    {
        "case_id": _TEXT, "dataset": _TEXT, "model": _TEXT, "input_setting": _TEXT, "language": _TEXT,
        "run_id": _TEXT, "generation_id": _TEXT, "status": _TEXT, "metric": _TEXT, "value": _REAL,
        "reason": _TEXT, "signature": _TEXT, "text_sha256": _TEXT, "created_at": _TEXT,
    }
)  # fmt: skip

# left joins, and any attempt: a rating whose generation was lost or tried again is still a rating
_RATINGS = """
    SELECT g.case_id, c.dataset, r.model, r.input_setting, r.language, g.run_id, e.generation_id, e.reader,
           a.dimension, a.value, a.value IS NULL AS not_assessable, e.comment, e.revision, e.rubric_version,
           e.shown_sha256, e.duration_ms, e.created_at, e.event_id
    FROM rating_latest e
    JOIN rating_answer a ON a.event_id = e.event_id
    LEFT JOIN (SELECT DISTINCT generation_id, run_id, case_id FROM generation) g ON g.generation_id = e.generation_id
    LEFT JOIN run r ON r.run_id = g.run_id
    LEFT JOIN case_latest c ON c.case_id = g.case_id
    WHERE e.action = 'rate'
    ORDER BY g.case_id, g.run_id, e.generation_id, e.reader, a.dimension"""
_SCORES = """
    SELECT g.case_id, c.dataset, r.model, r.input_setting, r.language, g.run_id, s.generation_id, g.status,
           s.metric, s.value, s.reason, s.signature, s.text_sha256, s.created_at
    FROM score_latest s
    JOIN generation_latest g ON g.generation_id = s.generation_id AND g.sha256 = s.text_sha256
    LEFT JOIN run r ON r.run_id = g.run_id
    LEFT JOIN case_latest c ON c.case_id = g.case_id
    ORDER BY g.case_id, g.run_id, s.generation_id, s.metric, s.signature"""


def ratings_table(database: Database) -> pa.Table:
    """Return the newest rating of every reader and generation, one row per dimension."""
    return _export(database.table(_RATINGS), RATINGS_SCHEMA)


def scores_table(database: Database) -> pa.Table:
    """Return the newest score of every generation, metric and signature."""
    return _export(database.table(_SCORES), SCORES_SCHEMA)


def _export(table: pa.Table, schema: pa.Schema) -> pa.Table:
    place = table.schema.get_field_index("created_at")
    moments = pc.strftime(table["created_at"], format="%Y-%m-%dT%H:%M:%SZ")
    return table.set_column(place, "created_at", moments).cast(schema)
