"""Checks of the reader studies, in words: chains, items and answers beside their events, seals of locked studies."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from pet2rep_core.store.driver import Database
from pet2rep_core.store.events import chain_problems, disagreements
from pet2rep_core.store.journal import Journal, json_sha256
from pet2rep_core.store.rows import Row
from pet2rep_core.store.study_rows import (
    ASSIGN,
    GRANT,
    STATE,
    STUDY_EVENTS,
    STUDY_RATINGS,
    answer_rows,
    item_rows,
)

STREAMS = (STUDY_EVENTS, STUDY_RATINGS)
_ITEM = (
    "study_id", "code", "reader", "position", "kind", "repeat_of", "case_id", "run_id", "generation_id", "alias",
    "dataset", "model", "input_setting", "language",
)  # fmt: skip


def problems(database: Database, journal: Journal, study_id: str | None = None) -> list[str]:
    """Return what is wrong with all studies, or with one; empty where all is well."""
    found = chain_problems_of_studies(database, study_id)
    if study_id is None:
        found += [*journal.problems(), *disagreements(database, journal, STREAMS)]
    return found


def seal(database: Database, study_id: str, upto: dict[str, int] | None = None) -> dict[str, Any]:
    """Return the count and the hash of the ratings of a study.

    ``upto`` gives, by the code of an item, the newest revision that counts.
    """
    rows = database.rows(
        "SELECT code, revision, row_hash FROM study_rating WHERE study_id = ? ORDER BY code, stage, revision", study_id
    )
    hashes = [str(row_hash) for code, revision, row_hash in rows if revision <= (upto or {}).get(code, revision)]
    return {"ratings": len(hashes), "sha256": json_sha256(hashes)}


def chain_problems_of_studies(database: Database, study_id: str | None = None) -> list[str]:
    """Say where events or ratings were changed, are missing or differ from what was made of them."""
    found = []
    events: dict[str, list[Row]] = {}
    for stream in STREAMS:
        rows = database.rows(
            f"{stream.select} WHERE ? IS NULL OR study_id = ? ORDER BY {', '.join(stream.place)}, revision",
            *(study_id, study_id),
        )
        events[stream.table] = [stream.read(row) for row in rows]
        found += chain_problems(stream, events[stream.table])
    study_events, ratings = events[STUDY_EVENTS.table], events[STUDY_RATINGS.table]
    found += _differing_items(database, study_events, study_id)
    found += _differing_answers(database, ratings)
    return found + _broken_seals(database, study_events)


def _differing_items(database: Database, events: list[Row], study_id: str | None) -> list[str]:
    said = {
        tuple(row[name] for name in _ITEM) for event in events if event["action"] == ASSIGN for row in item_rows(event)
    }
    stored = set(
        database.rows(f"SELECT {', '.join(_ITEM)} FROM study_item WHERE ? IS NULL OR study_id = ?", study_id, study_id)
    )
    studies = sorted({row[0] for row in said ^ stored})
    return [f"The items of the study {name} differ from what was assigned." for name in studies]


def _differing_answers(database: Database, ratings: list[Row]) -> list[str]:
    stored = defaultdict(list)
    for row in database.rows(
        "SELECT event_id, dimension, value, reason, comment FROM study_answer ORDER BY event_id, dimension"
    ):
        stored[row[0]].append(row)
    return [
        f"The answers of study rating event {rating['event_id']} differ from what was saved."
        for rating in ratings
        if stored[rating["event_id"]] != answer_rows(rating)
    ]


def _broken_seals(database: Database, events: list[Row]) -> list[str]:
    """Say which locked studies no longer have the ratings that they were locked with."""
    found = []
    sealed: dict[str, dict[str, Any]] = {}
    upto: dict[str, dict[str, int]] = defaultdict(dict)
    for event in events:
        content, study = event["content"], event["study_id"]
        if event["action"] == STATE and "seal" in content:
            sealed[study] = content["seal"]
        elif event["action"] == GRANT and study in sealed:
            # what is changed with leave after the lock counts up to the revision that was granted first
            upto[study].setdefault(event["subject"], int(content["revision"]))
    for study, expected in sorted(sealed.items()):
        if seal(database, study, upto[study]) != expected:
            found.append(f"The ratings of the study {study} are not those that it was locked with.")
    return found
