"""Checks of the whole store, in words."""

from __future__ import annotations

from pet2rep_core.records import text_sha256
from pet2rep_core.store.driver import Database
from pet2rep_core.store.journal import Journal
from pet2rep_core.store.ratings import EVENT_COLUMNS, chain_problems, stored_event

_REFERENCES = (
    ("report", "case_id", "study_case"),
    ("key_slices", "case_id", "study_case"),
    ("generation", "case_id", "study_case"),
    ("generation", "run_id", "run"),
    ("score", "generation_id", "generation"),
    ("rating_event", "generation_id", "generation"),
    ("rating_answer", "event_id", "rating_event"),
)
_NO_TRIGGER_NEEDED = ("append_only_guard",)


def problems(database: Database, journal: Journal) -> list[str]:
    """Return what is wrong, one sentence each; empty where all is well."""
    with database.write_lock:
        return [
            *_missing_triggers(database),
            *_orphans(database),
            *_changed_texts(database),
            *_rating_problems(database),
            *journal.problems(),
            *_disagreements(database, journal),
        ]


def _missing_triggers(database: Database) -> list[str]:
    tables = {
        str(name)
        for (name,) in database.rows(
            "SELECT table_name FROM information_schema.tables "
            "WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
        )
    }
    guarded = {
        (str(table), str(event))
        for table, event in database.rows("SELECT table_name, event_manipulation FROM duckdb_triggers()")
    }
    return [
        f"The table {table} is no longer protected against {event}."
        for table in sorted(tables.difference(_NO_TRIGGER_NEEDED))
        for event in ("UPDATE", "DELETE")
        if (table, event) not in guarded
    ]


def _orphans(database: Database) -> list[str]:
    found = []
    for table, column, parent in _REFERENCES:
        [(count,)] = database.rows(
            f"SELECT count(*) FROM {table} t WHERE NOT EXISTS (SELECT 1 FROM {parent} p WHERE p.{column} = t.{column})"
        )
        if count:
            found.append(f"{count} rows of {table} belong to no {parent}.")
    return found


def _changed_texts(database: Database) -> list[str]:
    found = []
    for table, name in (("report", "case_id"), ("generation", "generation_id")):
        for row_name, body, sha256 in database.rows(f"SELECT {name}, body, sha256 FROM {table}"):
            if text_sha256(body) != sha256:
                found.append(f"The text of the {table} {row_name} was changed after it was stored.")
    return found


def _rating_problems(database: Database) -> list[str]:
    columns = ", ".join(EVENT_COLUMNS)
    rows = database.rows(f"SELECT {columns} FROM rating_event ORDER BY generation_id, reader, revision")
    events = [stored_event(row) for row in rows]
    answers: dict[str, dict[str, int | None]] = {}
    for event_id, dimension, value in database.rows("SELECT event_id, dimension, value FROM rating_answer"):
        answers.setdefault(event_id, {})[dimension] = value
    differing = [
        f"The answers of rating event {event['event_id']} differ from what was saved."
        for event in events
        if answers.get(event["event_id"], {}) != event["answers"]
    ]
    return [*chain_problems(events), *differing]


def _disagreements(database: Database, journal: Journal) -> list[str]:
    stored = {str(row[0]): str(row[1]) for row in database.rows("SELECT event_id, row_hash FROM rating_event")}
    taken = {tuple(row) for row in database.rows("SELECT generation_id, reader, revision FROM rating_event")}
    found, journalled = [], set()
    for event in journal.events():
        event_id = event["event_id"]
        journalled.add(event_id)
        if event_id in stored:
            if stored[event_id] != event["row_hash"]:
                found.append(f"Rating event {event_id} differs between the database and the journal.")
        elif (event["generation_id"], event["reader"], event["revision"]) not in taken:
            found.append(f"Rating event {event_id} is in the journal but not in the database.")
    found += [f"Rating event {event_id} is not in the journal." for event_id in sorted(set(stored) - journalled)]
    return found
