"""Checks of the whole store, in words."""

from __future__ import annotations

from pet2rep_core.records import text_sha256
from pet2rep_core.store import study_checks
from pet2rep_core.store.accounts import ACCOUNTS
from pet2rep_core.store.driver import Database
from pet2rep_core.store.events import chain_problems, disagreements
from pet2rep_core.store.journal import Journal
from pet2rep_core.store.notes import MEASUREMENTS
from pet2rep_core.store.overrules import OVERRULES
from pet2rep_core.store.ratings import RATINGS
from pet2rep_core.store.rows import Row

_REFERENCES = (
    ("report", "case_id", "study_case"),
    ("key_slices", "case_id", "study_case"),
    ("generation", "case_id", "study_case"),
    ("generation", "run_id", "run"),
    ("score", "generation_id", "generation"),
    ("rating_event", "generation_id", "generation"),
    ("rating_answer", "event_id", "rating_event"),
    ("measurement", "case_id", "study_case"),
    ("measurement", "generation_id", "generation"),
    ("cell_overrule", "case_id", "study_case"),
    ("cell_overrule", "generation_id", "generation"),
    ("study_item", "study_id", "study_event"),
    ("study_item", "generation_id", "generation"),
    ("study_rating", "code", "study_item"),
    ("study_answer", "event_id", "study_rating"),
    ("study_draft", "code", "study_item"),
    ("study_opening", "code", "study_item"),
)
_STREAMS = (RATINGS, MEASUREMENTS, OVERRULES, ACCOUNTS)
_NO_TRIGGER_NEEDED = ("append_only_guard",)


def problems(database: Database, journal: Journal) -> list[str]:
    """Return what is wrong, one sentence each; empty where all is well."""
    with database.write_lock:
        return [
            *_missing_triggers(database),
            *_orphans(database),
            *_changed_texts(database),
            *_chains(database),
            *study_checks.chain_problems_of_studies(database),
            *journal.problems(),
            *disagreements(database, journal, (*_STREAMS, *study_checks.STREAMS)),
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
            f"SELECT count(*) FROM {table} t WHERE t.{column} IS NOT NULL "
            f"AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE p.{column} = t.{column})"
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


def _chains(database: Database) -> list[str]:
    found = []
    for stream in _STREAMS:
        rows = database.rows(f"{stream.select} ORDER BY {', '.join(stream.place)}, revision")
        events = [stream.read(row) for row in rows]
        found += chain_problems(stream, events)
        if stream is RATINGS:
            found += _differing_answers(database, events)
    return found


def _differing_answers(database: Database, events: list[Row]) -> list[str]:
    answers: dict[str, dict[str, int | None]] = {}
    for event_id, dimension, value in database.rows("SELECT event_id, dimension, value FROM rating_answer"):
        answers.setdefault(event_id, {})[dimension] = value
    return [
        f"The answers of rating event {event['event_id']} differ from what was saved."
        for event in events
        if answers.get(event["event_id"], {}) != event["answers"]
    ]
