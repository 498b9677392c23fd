"""Reader studies: events and ratings, chained and journalled; drafts, in a file too; openings, which are not.

Reached as ``store.studies``. What may be done in which state, and by whom, is decided in ``workflow``; here it is
kept, in order, and never overwritten.
"""

from __future__ import annotations

import contextlib
import json
import re
import secrets
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from pet2rep_core.errors import StaleRatingError, StoreError
from pet2rep_core.records import Stage, StudyItem, StudyRating
from pet2rep_core.store import study_checks, study_tables
from pet2rep_core.store.draft_file import DraftFile, insert_draft
from pet2rep_core.store.driver import Database, utc_now
from pet2rep_core.store.events import EventLog
from pet2rep_core.store.journal import FIRST_HASH, Journal, canonical_json
from pet2rep_core.store.rows import Row, iso
from pet2rep_core.store.study_rows import (
    ASSIGN,
    ITEM_COLUMNS,
    STUDY_EVENTS,
    STUDY_RATINGS,
    Opening,
    SavedStudyRating,
    StoredStudyRating,
    StudyDraft,
    StudyEvent,
    answer_rows,
    item_rows,
    rating_row,
    read_item,
    read_opening,
    stored_event,
    stored_rating,
)
from pet2rep_core.store.transaction import Transaction

MAX_DRAFT_BYTES = 2**17
_EVENT_ID = re.compile(r"[0-9A-Za-z_\-]{8,64}")
_ITEM = (*ITEM_COLUMNS, "study_id", "dataset", "model", "input_setting", "language")
_SAME_EVENT = ("study_id", "actor", "action", "subject", "content")
_SAME_RATING = ("study_id", "code", "stage", "reader", "answers", "reasons", "comments", "comment", "marks", "missed")
_OPENING = "opening, code, stage, number, reader, shown_sha256, reference_sha256, created_at"


class StudyLog:
    """The reader studies of one database and its journal."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database = database
        self._journal = journal
        self._drafts: DraftFile | None = None
        self.events_log = EventLog(STUDY_EVENTS, database, journal, _insert_items)
        self.ratings_log = EventLog(STUDY_RATINGS, database, journal, _insert_answers)
        # what never changes once it is there, so that a click asks the database only for what may have changed
        self._created: dict[str, StudyEvent] = {}
        self._items: dict[tuple[str, str], list[StudyItem]] = {}
        self._by_code: dict[str, tuple[str, StudyItem]] = {}

    def open_drafts(self, path: Path) -> list[str]:
        """Keep drafts in a file too from now on, and say what came back from it; once items are where they belong.

        Raises
        ------
        StoreError
            If the file cannot be read or written.
        """
        self._drafts = DraftFile(path, self._database)
        return self._drafts.notices

    def close(self) -> None:
        """Close the file of drafts; closing twice does nothing."""
        if self._drafts is not None:
            self._drafts.close()

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Let nobody else write while something is checked and then written."""
        with self._database.write_lock:
            yield

    # --- events

    def record_event(self, event: StudyEvent) -> StudyEvent:
        """Append an event to a study; the same ``event_id`` with the same content twice is one event.

        Without an ``event_id`` it gets one. A ``revision`` other than 0 is the one that the caller saw last.

        Raises
        ------
        StaleRatingError
            If the study has newer events than the caller saw.
        StoreError
            If it could not be stored, or its name was used for something else.
        """
        row = {
            "event_id": event.event_id or str(uuid.uuid4()),
            "study_id": event.study_id,
            "actor": event.actor,
            "role": event.role,
            "action": event.action,
            "subject": event.subject,
            "content": json.loads(canonical_json(event.content)),
        }
        _check_event_id(row["event_id"])
        with self.alone():
            row["created_at"] = utc_now()  # inside: the order of times is the order of events
            saved, _ = self.events_log.save(row, lambda tx, new: _prepare_event(tx, new, event.revision))
        return stored_event(saved)

    def study_ids(self) -> list[str]:
        """Return the studies, the newest first."""
        rows = self._database.rows(
            "SELECT study_id FROM study_event WHERE revision = 1 ORDER BY created_at DESC, study_id"
        )
        return [str(study_id) for (study_id,) in rows]

    def events(self, study_id: str, *actions: str) -> list[StudyEvent]:
        """Return the events of a study in order; only some kinds where named."""
        wanted = f" AND action IN ({', '.join('?' * len(actions))})" if actions else ""
        found = self.events_log.events(f"WHERE study_id = ?{wanted} ORDER BY revision", study_id, *actions)
        return [stored_event(event) for event in found]

    def created(self, study_id: str) -> StudyEvent | None:
        """Return the first event of a study, or None where there is no such study."""
        if study_id not in self._created:
            found = self.events_log.events("WHERE study_id = ? AND revision = 1", study_id)
            if not found:
                return None
            self._created[study_id] = stored_event(found[0])
        return self._created[study_id]

    def last_event(self, study_id: str, action: str, subject: str | None = None) -> StudyEvent | None:
        """Return the newest event of a kind, of one subject where given, or None."""
        found = self.events_log.events(
            "WHERE study_id = ? AND action = ? AND (? IS NULL OR subject = ?) ORDER BY revision DESC LIMIT 1",
            *(study_id, action, subject, subject),
        )
        return stored_event(found[0]) if found else None

    # --- items

    def items(self, study_id: str, reader: str | None = None) -> list[StudyItem]:
        """Return the items of a study by reader and position, of one reader where given."""
        key = (study_id, reader or "")
        if key in self._items:
            return list(self._items[key])
        rows = self._database.rows(
            f"SELECT {', '.join(ITEM_COLUMNS)} FROM study_item WHERE study_id = ? AND (? IS NULL OR reader = ?) "
            "ORDER BY reader, position",
            *(study_id, reader, reader),
        )
        found = [read_item(row) for row in rows]
        if reader is not None and found:  # a reader's items come in one event; those of all readers in several
            self._items[key] = found
        return list(found)

    def item(self, study_id: str, code: str) -> StudyItem:
        """Return one item.

        Raises
        ------
        StoreError
            If the study has none of this code.
        """
        if code not in self._by_code:
            rows = self._database.rows(
                f"SELECT {', '.join(ITEM_COLUMNS)}, study_id FROM study_item WHERE code = ?", code
            )
            if rows:
                self._by_code[code] = rows[0][-1], read_item(rows[0][:-1])
        study, item = self._by_code.get(code, ("", None))
        if item is None or study != study_id:
            raise StoreError("The study has no such item.", hint="Load the page again.")
        return item

    def item_of_alias(self, study_id: str, reader: str, alias: str) -> StudyItem | None:
        """Return the first item of a reader with the alias of a case, or None."""
        return next((item for item in self.items(study_id, reader) if item.alias == alias), None)

    def studies_of(self, reader: str) -> list[str]:
        """Return the studies in which a reader has items, the newest first."""
        mine = {str(name) for (name,) in self._database.rows(
            "SELECT DISTINCT study_id FROM study_item WHERE reader = ?", reader
        )}  # fmt: skip
        return [study_id for study_id in self.study_ids() if study_id in mine]

    def finished_reports(self) -> dict[tuple[str, str], str]:
        """Return the generation of every finished report with a word in it, by case and run."""
        rows = self._database.rows(
            "SELECT case_id, run_id, max(generation_id) FROM generation WHERE status = 'done' AND trim(body) <> '' "
            "GROUP BY case_id, run_id ORDER BY case_id, run_id"
        )
        return {(str(case_id), str(run_id)): str(generation_id) for case_id, run_id, generation_id in rows}

    def counts(self, study_id: str) -> tuple[int, int]:
        """Return how many items of a study are finished, and how many there are."""
        [(items,)] = self._database.rows("SELECT count(*) FROM study_item WHERE study_id = ?", study_id)
        [(done,)] = self._database.rows(
            "SELECT count(*) FROM study_rating WHERE study_id = ? AND stage = 'final' AND revision = 1", study_id
        )
        return int(done), int(items)

    def text_of(self, item: StudyItem) -> str:
        """Return the generated report of an item; a finished one is never replaced.

        Raises
        ------
        StoreError
            If it is not in the store any more.
        """
        rows = self._database.rows(
            "SELECT body FROM generation WHERE generation_id = ? AND status = 'done' LIMIT 1", item.generation_id
        )
        if not rows:
            raise StoreError("The report of this item is not in the store.", hint="Generate it again, then go on.")
        return str(rows[0][0])

    # --- ratings

    def record_rating(self, rating: StudyRating, *, event_id: str, base_revision: int) -> SavedStudyRating:
        """Save a rating as the revision after ``base_revision``; it is in database and journal when this returns.

        Raises
        ------
        StaleRatingError
            If a newer revision was saved meanwhile.
        StoreError
            If the item is not this reader's, an answer cannot be one, or it could not be saved.
        """
        _check_event_id(event_id)
        row = json.loads(canonical_json(rating_row(rating))) | {"event_id": event_id}
        with self.alone():
            row["created_at"] = utc_now()
            saved, repeated = self.ratings_log.save(row, lambda tx, new: _prepare_rating(tx, new, base_revision))
        return SavedStudyRating(stored_rating(saved), repeated)

    def rating_of_click(self, event_id: str) -> StoredStudyRating | None:
        """Return the rating that a click saved, or None."""
        found = self.ratings_log.events("WHERE event_id = ?", event_id)
        return stored_rating(found[0]) if found else None

    def rating(self, study_id: str, code: str, stage: Stage) -> StoredStudyRating | None:
        """Return the newest revision of a rating, or None."""
        history = self.rating_history(study_id, code, stage)
        return history[-1] if history else None

    def rating_history(self, study_id: str, code: str, stage: Stage) -> list[StoredStudyRating]:
        """Return all revisions of a rating, the oldest first."""
        found = self.ratings_log.events(
            "WHERE study_id = ? AND code = ? AND stage = ? ORDER BY revision", study_id, code, stage.value
        )
        return [stored_rating(event) for event in found]

    def ratings(self, study_id: str, reader: str | None = None, *, history: bool = False) -> list[StoredStudyRating]:
        """Return the newest revision of each rating, or all revisions, in the order in which they were saved."""
        newest = (
            "" if history else "AND NOT EXISTS (SELECT 1 FROM study_rating n WHERE n.study_id = r.study_id "
            "AND n.code = r.code AND n.stage = r.stage AND n.revision > r.revision) "
        )  # fmt: skip
        found = self.ratings_log.events(
            f"r WHERE study_id = ? AND (? IS NULL OR reader = ?) {newest}ORDER BY created_at, code, stage, revision",
            *(study_id, reader, reader),
        )
        return [stored_rating(event) for event in found]

    def revisions(self, study_id: str, reader: str) -> dict[tuple[str, Stage], int]:
        """Return the newest revision of each rating of a reader, by code and stage."""
        rows = self._database.rows(
            "SELECT code, stage, max(revision) FROM study_rating WHERE study_id = ? AND reader = ? GROUP BY ALL",
            *(study_id, reader),
        )
        return {(str(code), Stage(stage)): int(revision) for code, stage, revision in rows}

    def first_answers(self, study_id: str, codes: Sequence[str]) -> dict[str, dict[str, int | None]]:
        """Return, by code, what was answered first in the last stage of these items."""
        rows = self._database.rows(
            "SELECT code, CAST(answers AS VARCHAR) FROM study_rating WHERE study_id = ? AND stage = 'final' "
            f"AND revision = 1 AND code IN ({', '.join('?' * len(codes))})",
            *(study_id, *codes),
        )
        return {str(code): json.loads(answers) for code, answers in rows}

    def finished(self, study_id: str, reader: str) -> dict[str, set[Stage]]:
        """Return, by code, the stages that a reader has submitted."""
        found: dict[str, set[Stage]] = {}
        for code, stage in self.revisions(study_id, reader):
            found.setdefault(code, set()).add(stage)
        return found

    # --- drafts and openings

    def record_draft(
        self, study_id: str, code: str, stage: Stage, *, opening: str, rating_revision: int, content: Mapping[str, Any]
    ) -> int:
        """Keep what is on a screen and return the draft's number; database and file have it when this returns.

        Raises
        ------
        StaleRatingError
            If the item was opened elsewhere since.
        """
        text = canonical_json(dict(content))
        size = len(text.encode("utf-8"))
        if size > MAX_DRAFT_BYTES:
            raise StoreError(f"The answers take {size} bytes.", hint=f"Keep them to {MAX_DRAFT_BYTES}.")
        with self._database.transaction() as tx:
            _require_newest_opening(tx, code, opening)
            [(number,)] = tx.rows(
                "SELECT coalesce(max(number), 0) + 1 FROM study_draft WHERE code = ? AND stage = ?", code, stage.value
            )
            draft = {
                "study_id": study_id,
                "code": code,
                "stage": stage.value,
                "number": int(number),
                "rating_revision": rating_revision,
                "opening": opening,
                "content": json.loads(text),
                "created_at": utc_now(),
            }
            insert_draft(tx, draft)
            if self._drafts is not None:
                self._drafts.append(draft)
        return int(number)

    def draft(self, study_id: str, code: str, stage: Stage) -> StudyDraft | None:
        """Return the newest draft of a stage, or None where there is none or it was submitted since."""
        rows = self._database.rows(
            "SELECT number, rating_revision, opening, CAST(content AS VARCHAR), created_at FROM study_draft d "
            "WHERE study_id = ? AND code = ? AND stage = ? AND NOT EXISTS (SELECT 1 FROM study_rating r "
            "WHERE r.code = d.code AND r.stage = d.stage AND r.revision > d.rating_revision) "
            "ORDER BY number DESC LIMIT 1",
            *(study_id, code, stage.value),
        )
        if not rows:
            return None
        number, revision, opening, content, created_at = rows[0]
        return StudyDraft(number, revision, opening, json.loads(content), iso(created_at))

    def drafted(self, study_id: str, reader: str) -> set[str]:
        """Return the codes of a reader's items that have a draft."""
        rows = self._database.rows(
            "SELECT DISTINCT d.code FROM study_draft d JOIN study_item i ON i.code = d.code "
            "WHERE i.study_id = ? AND i.reader = ?",
            *(study_id, reader),
        )
        return {str(code) for (code,) in rows}

    def record_opening(
        self, study_id: str, item: StudyItem, stage: Stage, *, shown_sha256: str, reference_sha256: str
    ) -> str:
        """Register that an item was opened with these texts and return the opening's name; earlier ones are stale."""
        opening = secrets.token_hex(12)
        with self._database.transaction() as tx:
            [(number,)] = tx.rows("SELECT coalesce(max(number), 0) + 1 FROM study_opening WHERE code = ?", item.code)
            tx.execute(
                "INSERT INTO study_opening (opening, study_id, code, number, stage, reader, shown_sha256, "
                "reference_sha256, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                *(opening, study_id, item.code, number, stage.value, item.reader),
                *(shown_sha256, reference_sha256, utc_now()),
            )
        return opening

    def openings(self, study_id: str, code: str | None = None) -> list[Opening]:
        """Return the openings of a study, or of one item, in order."""
        rows = self._database.rows(
            f"SELECT {_OPENING} FROM study_opening WHERE study_id = ? AND (? IS NULL OR code = ?) "
            "ORDER BY created_at, code, number",
            *(study_id, code, code),
        )
        return [read_opening(row) for row in rows]

    # --- tables and checks

    def version(self, study_id: str) -> str:
        """Return a mark that changes whenever a study gets an event or a rating."""
        [(events,)] = self._database.rows("SELECT count(*) FROM study_event WHERE study_id = ?", study_id)
        [(ratings,)] = self._database.rows("SELECT count(*) FROM study_rating WHERE study_id = ?", study_id)
        return f"{events}-{ratings}"

    def ratings_table(self, study_id: str) -> pa.Table:
        """Return the newest ratings, one row per item, stage and dimension, as :data:`study_tables.RATINGS`."""
        return study_tables.ratings_table(self._database, study_id)

    def marks_table(self, study_id: str) -> pa.Table:
        """Return the marked and missed sentences of the newest ratings, as :data:`study_tables.MARKS`."""
        return study_tables.marks_table(self._database, study_id)

    def seal(self, study_id: str) -> dict[str, Any]:
        """Return the count and the hash of all ratings of a study, which a locked study keeps in its event."""
        return study_checks.seal(self._database, study_id)

    def problems(self, study_id: str | None = None) -> list[str]:
        """Return what is wrong with the studies, or with one, one sentence each; empty where all is well."""
        with self.alone():
            return study_checks.problems(self._database, self._journal, study_id)


def _check_event_id(event_id: str) -> None:
    if not _EVENT_ID.fullmatch(event_id):
        raise StoreError(f"The event name {event_id[:64]!r} cannot be used.", hint="Give a new UUID.")


def _prepare_event(tx: Transaction, event: Row, seen: int) -> tuple[Row, bool]:
    rows = tx.rows(f"{STUDY_EVENTS.select} WHERE event_id = ?", event["event_id"])
    if rows:
        stored = STUDY_EVENTS.read(rows[0])
        if any(stored[name] != event[name] for name in _SAME_EVENT):
            raise StoreError("This click was already saved for something else.", hint="Load the page again.")
        return stored, True
    latest = tx.rows(
        "SELECT revision, row_hash FROM study_event WHERE study_id = ? ORDER BY revision DESC LIMIT 1",
        event["study_id"],
    )
    revision, previous_hash = latest[0] if latest else (0, FIRST_HASH)
    if seen not in (0, revision):
        raise StaleRatingError(
            "The study was changed since this page was opened.", hint="Load the page again, then decide anew."
        )
    return STUDY_EVENTS.chained(event, revision, previous_hash), False


def _prepare_rating(tx: Transaction, event: Row, base_revision: int) -> tuple[Row, bool]:
    rows = tx.rows(f"{STUDY_RATINGS.select} WHERE event_id = ?", event["event_id"])
    if rows:
        stored = STUDY_RATINGS.read(rows[0])
        if any(stored[name] != event[name] for name in _SAME_RATING):
            raise StoreError(
                "This click was already saved with other answers.",
                hint="Load the page again, then save the new answers.",
            )
        return stored, True
    mine = "SELECT 1 FROM study_item WHERE code = ? AND study_id = ? AND reader = ?"
    if not tx.rows(mine, event["code"], event["study_id"], event["reader"]):
        raise StoreError("The study has no such item for this reader.", hint="Load the page again.")
    latest = tx.rows(
        "SELECT revision, row_hash FROM study_rating WHERE study_id = ? AND code = ? AND stage = ? "
        "ORDER BY revision DESC LIMIT 1",
        *STUDY_RATINGS.place_of(event),
    )
    revision, previous_hash = latest[0] if latest else (0, FIRST_HASH)
    if base_revision != revision:
        raise StaleRatingError(
            f"This rating is at revision {revision}, the screen showed revision {base_revision}.",
            hint="Load the page again to see the newer answers, then save yours.",
        )
    return STUDY_RATINGS.chained(event, revision, previous_hash), False


def _require_newest_opening(tx: Transaction, code: str, opening: str) -> None:
    rows = tx.rows("SELECT opening FROM study_opening WHERE code = ? ORDER BY number DESC LIMIT 1", code)
    if not rows or rows[0][0] != opening:
        raise StaleRatingError(
            "This item was opened in another tab or window since; nothing was overwritten.",
            hint="Go on there, or load this page again to see what was saved.",
        )


# Parts that are there already are left alone: an event comes back from the journal where its own row was lost.


def _insert_items(tx: Transaction, event: Row) -> None:
    rows = item_rows(event) if event["action"] == ASSIGN else []
    if rows:
        names = ", ".join(_ITEM)
        tx.stage(pa.table({name: [row[name] for row in rows] for name in _ITEM}))
        tx.execute(
            f"INSERT INTO study_item ({names}) SELECT {names} FROM staged s "
            "WHERE NOT EXISTS (SELECT 1 FROM study_item i WHERE i.code = s.code)"
        )


def _insert_answers(tx: Transaction, event: Row) -> None:
    rows = answer_rows(event)
    if tx.rows("SELECT 1 FROM study_answer WHERE event_id = ? LIMIT 1", event["event_id"]):
        return
    values = ", ".join(["(?, ?, ?, ?, ?)"] * len(rows))
    tx.execute(
        f"INSERT INTO study_answer (event_id, dimension, value, reason, comment) VALUES {values}",
        *(value for row in rows for value in row),
    )
