"""The tables that are exported: one row per rating and dimension, per score, per measured number; NULL, never NaN."""

from __future__ import annotations

import json

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
MEASUREMENTS_SCHEMA = pa.schema(
    {
        "case_id": _TEXT, "dataset": _TEXT, "model": _TEXT, "input_setting": _TEXT, "language": _TEXT,
        "run_id": _TEXT, "generation_id": _TEXT, "rating_event_id": _TEXT, "reader": _TEXT, "measurement_id": _TEXT,
        "label": _TEXT, "role": _TEXT, "kind": _TEXT, "quantity": _TEXT, "value": _REAL, "unit": _TEXT,
        "reason": _TEXT, "signature": _TEXT, "shape": _TEXT, "prepared_key": _TEXT, "revision": _INT,
        "created_at": _TEXT, "event_id": _TEXT,
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

# the rating beside it is the same reader's of the report that was on the screen
_MEASUREMENTS = """
    SELECT m.case_id, c.dataset, r.model, r.input_setting, r.language, g.run_id, m.generation_id,
           e.event_id AS rating_event_id, m.reader, m.measurement_id, m.label, m.role, m.kind, m.signature,
           CAST(m.shape AS VARCHAR) AS shape, CAST(m.result AS VARCHAR) AS result, m.prepared_key, m.revision,
           m.created_at, m.event_id
    FROM measurement_latest m
    LEFT JOIN (SELECT DISTINCT generation_id, run_id FROM generation) g ON g.generation_id = m.generation_id
    LEFT JOIN run r ON r.run_id = g.run_id
    LEFT JOIN case_latest c ON c.case_id = m.case_id
    LEFT JOIN rating_latest e ON e.generation_id = m.generation_id AND e.reader = m.reader AND e.action = 'rate'
    WHERE m.action = 'keep'
    ORDER BY m.case_id, m.reader, m.created_at, m.measurement_id"""


def ratings_table(database: Database) -> pa.Table:
    """Return the newest rating of every reader and generation, one row per dimension."""
    return _export(database.table(_RATINGS), RATINGS_SCHEMA)


def scores_table(database: Database) -> pa.Table:
    """Return the newest score of every generation, metric and signature."""
    return _export(database.table(_SCORES), SCORES_SCHEMA)


def measurements_table(database: Database) -> pa.Table:
    """Return the kept measurements of all readers, one row per number."""
    found = database.table(_MEASUREMENTS)
    numbers = [json.loads(text)["numbers"] for text in found["result"].to_pylist()]
    rows = pa.array([place for place, of_one in enumerate(numbers) for _ in of_one], pa.int64())
    table = found.take(rows)
    for name in ("quantity", "value", "unit", "reason"):
        column = pa.array(
            [number[name] for of_one in numbers for number in of_one], MEASUREMENTS_SCHEMA.field(name).type
        )
        table = table.append_column(name, column)
    return _export(table.select(MEASUREMENTS_SCHEMA.names), MEASUREMENTS_SCHEMA)


def _export(table: pa.Table, schema: pa.Schema) -> pa.Table:
    place = table.schema.get_field_index("created_at")
    moments = pc.strftime(table["created_at"], format="%Y-%m-%dT%H:%M:%SZ")
    return table.set_column(place, "created_at", moments).cast(schema)
