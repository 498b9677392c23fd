"""The kinds of rows that both the app and the command line record, as one table of SQL.

Each kind is stored by one set-based statement from the view ``staged``: a row that says the same as the newest
stored one changes nothing, another content becomes the next revision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pet2rep_core.errors import UnknownNameError
from pet2rep_core.store.rows import Row
from pet2rep_core.store.stored import Recorded
from pet2rep_core.store.transaction import RowsRefusedError, Transaction

_TEXT, _INT, _REAL, _BOOL = pa.string(), pa.int64(), pa.float64(), pa.bool_()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A query for rows that must not be stored, and the sentence that says so."""

    query: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of rows. ``insert`` returns the columns of ``key`` and the revision of what it stored."""

    name: str
    columns: dict[str, pa.DataType]
    optional: frozenset[str]
    key: tuple[str, ...]
    insert: str
    refusals: tuple[Refusal, ...] = ()


def kind_named(name: str) -> Kind:
    """Return a kind by its name.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    if name not in KINDS:
        raise UnknownNameError("kind of rows", name, KINDS)
    return KINDS[name]


def insert_rows(tx: Transaction, kind: Kind, rows: Sequence[Row]) -> list[Recorded]:
    """Store rows inside a transaction and say for each what became of it.

    Of several rows with the same key the last one counts.

    Raises
    ------
    RowsRefusedError
        If a row has other columns or types than its kind, or refers to something that is not there.
    """
    keys = [_key(kind, row) for row in rows]
    newest = dict(zip(keys, rows, strict=True))
    tx.stage(_staged(kind, list(newest.values())))
    for refusal in kind.refusals:
        found = tx.rows(f"{refusal.query} LIMIT 1")
        if found:
            raise RowsRefusedError(refusal.message.format(*found[0]), hint=refusal.hint)
    stored = {tuple(row[:-1]): int(row[-1]) for row in tx.rows(kind.insert)}
    return [_outcome(stored.get(key)) for key in keys]


def _outcome(revision: int | None) -> Recorded:
    if revision is None:
        return Recorded.UNCHANGED
    return Recorded.NEW if revision == 1 else Recorded.REVISED


def _key(kind: Kind, row: Row) -> tuple[Any, ...]:
    if not isinstance(row, dict) or set(row) != set(kind.columns):
        raise RowsRefusedError(
            f"A row of {kind.name} does not have the columns of its kind.",
            hint="Hand it over again with this version of the program.",
        )
    empty = [name for name in kind.columns if row[name] is None and name not in kind.optional]
    if empty:
        raise RowsRefusedError(f"A row of {kind.name} has no {empty[0]}.", hint="Give it, and record it again.")
    return tuple(row[name] for name in kind.key)


def _staged(kind: Kind, rows: list[Row]) -> pa.Table:
    try:
        return pa.Table.from_pylist(rows, schema=pa.schema(list(kind.columns.items())))
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError, OverflowError) as error:
        raise RowsRefusedError(
            f"A row of {kind.name} has a value of the wrong type: {error}.",
            hint="Hand it over again with this version of the program.",
        ) from error


_CASE_KNOWN = Refusal(
    "SELECT s.case_id FROM staged s WHERE NOT EXISTS (SELECT 1 FROM study_case c WHERE c.case_id = s.case_id)",
    "The case {0!r} is not in the store.",
    "Import the case first.",
)

_CASES = Kind(
    name="cases",
    columns={
        "case_id": _TEXT, "dataset": _TEXT, "layout": _TEXT, "prepared_key": _TEXT, "source_sha256": _TEXT,
        "metadata": _TEXT, "has_pet": _BOOL, "has_ct": _BOOL, "n_pictures": _INT, "suv": _TEXT,
        "key_slices": _TEXT, "created_at": _TEXT,
    },
    optional=frozenset({"prepared_key", "key_slices"}),
    key=("case_id",),
    refusals=(
        Refusal(
            "SELECT s.case_id, c.dataset FROM staged s JOIN case_latest c ON c.case_id = s.case_id "
            "AND c.dataset <> s.dataset AND c.source_sha256 <> s.source_sha256",
            "The case {0!r} is already in the dataset {1!r} with other files.",
            "Import it under another case name, for example with a manifest.",
        ),
    ),
    insert="""
        INSERT INTO study_case (case_id, revision, dataset, layout, prepared_key, source_sha256, metadata, has_pet,
                                has_ct, n_pictures, suv, key_slices, created_at)
        SELECT s.case_id, coalesce(c.revision, 0) + 1, s.dataset, s.layout, s.prepared_key, s.source_sha256,
               CAST(s.metadata AS JSON), s.has_pet, s.has_ct, s.n_pictures, CAST(s.suv AS JSON),
               CAST(s.key_slices AS JSON), CAST(s.created_at AS TIMESTAMPTZ)
        FROM staged s LEFT JOIN case_latest c ON c.case_id = s.case_id
        WHERE c.case_id IS NULL OR c.source_sha256 <> s.source_sha256
              OR c.prepared_key IS DISTINCT FROM s.prepared_key
        RETURNING case_id, revision""",
)  # fmt: skip

_REPORTS = Kind(
    name="reports",
    columns={
        "case_id": _TEXT, "kind": _TEXT, "source": _TEXT, "language": _TEXT, "body": _TEXT, "findings": _TEXT,
        "impression": _TEXT, "sha256": _TEXT, "case_source_sha256": _TEXT, "created_at": _TEXT,
    },
    optional=frozenset({"case_source_sha256"}),
    key=("case_id", "kind", "source", "language"),
    refusals=(
        _CASE_KNOWN,
        # handed over one by one, a refused case must not leave its report with the case of the same name
        Refusal(
            "SELECT s.case_id FROM staged s JOIN case_latest c ON c.case_id = s.case_id "
            "AND c.source_sha256 <> s.case_source_sha256",
            "The report of the case {0!r} belongs to other files than those of the case in the store.",
            "Import the case again together with its report.",
        ),
    ),
    insert="""
        INSERT INTO report (case_id, kind, source, language, revision, body, findings, impression, sha256, created_at)
        SELECT s.case_id, s.kind, s.source, s.language, coalesce(r.revision, 0) + 1, s.body, s.findings,
               s.impression, s.sha256, CAST(s.created_at AS TIMESTAMPTZ)
        FROM staged s LEFT JOIN report_latest r
             ON r.case_id = s.case_id AND r.kind = s.kind AND r.source = s.source AND r.language = s.language
        WHERE r.case_id IS NULL OR r.sha256 <> s.sha256 OR r.findings <> s.findings OR r.impression <> s.impression
        RETURNING case_id, kind, source, language, revision""",
)  # fmt: skip

_RUNS = Kind(
    name="runs",
    columns={
        "run_id": _TEXT, "model": _TEXT, "input_setting": _TEXT, "prompt_sha256": _TEXT, "parameters": _TEXT,
        "seed": _INT, "language": _TEXT, "content_sha256": _TEXT, "created_at": _TEXT,
    },
    optional=frozenset({"seed"}),
    key=("run_id",),
    refusals=(
        Refusal(
            "SELECT s.run_id FROM staged s JOIN run r ON r.run_id = s.run_id AND r.content_sha256 <> s.content_sha256",
            "The run {0!r} is already in the store with other parameters.",
            "Start a new run: a run's name stands for one model, prompt and setting.",
        ),
    ),
    insert="""
        INSERT INTO run (run_id, model, input_setting, prompt_sha256, parameters, seed, language, content_sha256,
                         created_at)
        SELECT s.run_id, s.model, s.input_setting, s.prompt_sha256, CAST(s.parameters AS JSON), s.seed, s.language,
               s.content_sha256, CAST(s.created_at AS TIMESTAMPTZ)
        FROM staged s WHERE NOT EXISTS (SELECT 1 FROM run r WHERE r.run_id = s.run_id)
        RETURNING run_id, 1""",
)  # fmt: skip

_GENERATIONS = Kind(
    name="generations",
    columns={
        "generation_id": _TEXT, "run_id": _TEXT, "case_id": _TEXT, "model": _TEXT, "language": _TEXT,
        "status": _TEXT, "body": _TEXT, "sha256": _TEXT, "error": _TEXT, "content_sha256": _TEXT, "detail": _TEXT,
        "started_at": _TEXT, "duration_s": _REAL, "created_at": _TEXT,
    },
    optional=frozenset({"started_at", "duration_s"}),
    key=("run_id", "case_id"),
    refusals=(
        _CASE_KNOWN,
        Refusal(
            "SELECT s.run_id FROM staged s WHERE NOT EXISTS (SELECT 1 FROM run r WHERE r.run_id = s.run_id "
            "AND r.model = s.model AND r.language = s.language)",
            "The run {0!r} is not in the store with this model and language.",
            "Record the run first, with the model and language of its generations.",
        ),
        Refusal(
            "SELECT s.generation_id FROM staged s JOIN generation g ON g.generation_id = s.generation_id "
            "AND (g.run_id <> s.run_id OR g.case_id <> s.case_id)",
            "The generation {0!r} is already in the store for another run or case.",
            "Give every generation a name of its own.",
        ),
        Refusal(
            "SELECT s.run_id, s.case_id FROM staged s JOIN generation_latest g ON g.run_id = s.run_id "
            "AND g.case_id = s.case_id AND g.status = 'done' AND g.content_sha256 <> s.content_sha256",
            "The run {0!r} already has a finished report for the case {1!r}.",
            "Start a new run to generate it again: a finished report is never replaced.",
        ),
    ),
    insert="""
        INSERT INTO generation (generation_id, run_id, case_id, attempt, status, body, sha256, error, detail,
                                content_sha256, started_at, duration_s, created_at)
        SELECT s.generation_id, s.run_id, s.case_id, coalesce(g.attempt, 0) + 1, s.status, s.body, s.sha256, s.error,
               CAST(s.detail AS JSON), s.content_sha256, CAST(s.started_at AS TIMESTAMPTZ), s.duration_s,
               CAST(s.created_at AS TIMESTAMPTZ)
        FROM staged s LEFT JOIN generation_latest g ON g.run_id = s.run_id AND g.case_id = s.case_id
        WHERE g.run_id IS NULL OR g.content_sha256 <> s.content_sha256
        RETURNING run_id, case_id, attempt""",
)  # fmt: skip

_SCORES = Kind(
    name="scores",
    columns={
        "generation_id": _TEXT, "metric": _TEXT, "signature": _TEXT, "value": _REAL, "reason": _TEXT,
        "detail": _TEXT, "inputs_sha256": _TEXT, "content_sha256": _TEXT, "created_at": _TEXT,
    },
    optional=frozenset({"value", "detail", "inputs_sha256"}),
    key=("generation_id", "metric", "signature"),
    refusals=(
        Refusal(
            "SELECT s.generation_id FROM staged s WHERE NOT EXISTS "
            "(SELECT 1 FROM generation_latest g WHERE g.generation_id = s.generation_id)",
            "The generation {0!r} is not in the store.",
            "Record the generation first.",
        ),
    ),
    insert="""
        WITH batch AS (SELECT DISTINCT generation_id FROM staged),
             present AS (SELECT generation_id, sha256 FROM (
               SELECT g.generation_id, g.sha256,
                      row_number() OVER (PARTITION BY g.run_id, g.case_id ORDER BY g.attempt DESC) AS place
               FROM generation g JOIN batch b ON b.generation_id = g.generation_id) t WHERE place = 1),
             old AS (SELECT * FROM (
               SELECT o.*, row_number() OVER (PARTITION BY o.generation_id, o.text_sha256, o.metric, o.signature
                                              ORDER BY o.revision DESC) AS place
               FROM score o JOIN batch b ON b.generation_id = o.generation_id) t WHERE place = 1)
        INSERT INTO score (generation_id, text_sha256, metric, signature, revision, value, reason, detail,
                           inputs_sha256, content_sha256, created_at)
        SELECT s.generation_id, g.sha256, s.metric, s.signature, coalesce(o.revision, 0) + 1, s.value, s.reason,
               CAST(s.detail AS JSON), s.inputs_sha256, s.content_sha256, CAST(s.created_at AS TIMESTAMPTZ)
        FROM staged s JOIN present g ON g.generation_id = s.generation_id
             LEFT JOIN old o ON o.generation_id = s.generation_id AND o.text_sha256 = g.sha256
                       AND o.metric = s.metric AND o.signature = s.signature
        WHERE o.generation_id IS NULL OR o.content_sha256 <> s.content_sha256
        RETURNING generation_id, metric, signature, revision""",
)  # fmt: skip

KINDS = {kind.name: kind for kind in (_CASES, _REPORTS, _RUNS, _GENERATIONS, _SCORES)}
