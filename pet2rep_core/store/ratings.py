"""Ratings: events that only grow, written to the journal and to the database before anyone reads "saved"."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from pet2rep_core.errors import StaleRatingError, StoreError
from pet2rep_core.records import Rating
from pet2rep_core.store.driver import Database, utc_now
from pet2rep_core.store.journal import FIRST_HASH, Journal, canonical_json, json_sha256
from pet2rep_core.store.rows import Row, iso
from pet2rep_core.store.stored import SavedRating, StoredRating
from pet2rep_core.store.transaction import Transaction

EVENT_COLUMNS = (
    "event_id", "generation_id", "reader", "revision", "action", "answers", "comment", "rubric_version",
    "shown_sha256", "duration_ms", "session_id", "created_at", "prev_hash", "row_hash",
)  # fmt: skip
RATE, WITHDRAW = "rate", "withdraw"
_SELECT = f"SELECT {', '.join(EVENT_COLUMNS)} FROM rating_event"
_INSERT = f"INSERT INTO rating_event ({', '.join(EVENT_COLUMNS)}) VALUES ({', '.join('?' * len(EVENT_COLUMNS))})"
_INSERT_ANSWER = "INSERT INTO rating_answer (event_id, dimension, value) VALUES (?, ?, ?)"
_SAME_CLICK = ("generation_id", "reader", "action", "answers", "comment", "shown_sha256")
_EVENT_ID = re.compile(r"[0-9A-Za-z_\-]{8,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class RatingLog:
    """The ratings of one database and its journal."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self._database = database
        self._journal = journal

    def record(self, rating: Rating, *, event_id: str, base_revision: int, session_id: str) -> SavedRating:
        """Save a rating as the revision after ``base_revision``; see :meth:`Store.record_rating`."""
        _check_rating(rating)
        return self._save(_event(rating, RATE, event_id=event_id, session_id=session_id), base_revision)

    def withdraw(
        self, generation_id: str, reader: str, *, event_id: str, base_revision: int, session_id: str, reason: str
    ) -> SavedRating:
        """Withdraw a rating by an event of its own; see :meth:`Store.withdraw_rating`."""
        latest = self.latest(generation_id, reader)
        if latest is None:
            raise StoreError("There is no rating to withdraw.", hint="Load the page again.")
        empty = Rating(
            generation_id=generation_id,
            reader=reader,
            answers={},
            rubric_version=latest.rating.rubric_version,
            shown_sha256=latest.rating.shown_sha256,
            comment=reason,
        )
        return self._save(_event(empty, WITHDRAW, event_id=event_id, session_id=session_id), base_revision)

    def latest(self, generation_id: str, reader: str) -> StoredRating | None:
        """Return the newest revision, a withdrawal included, or None."""
        history = self.history(generation_id, reader)
        return history[-1] if history else None

    def history(self, generation_id: str, reader: str) -> list[StoredRating]:
        """Return all revisions, the oldest first."""
        rows = self._database.rows(
            f"{_SELECT} WHERE generation_id = ? AND reader = ? ORDER BY revision", generation_id, reader
        )
        return [_stored(stored_event(row)) for row in rows]

    def reconcile(self) -> list[str]:
        """Bring database and journal together after a start and say what had to be done.

        What the journal has and the database lacks is put back into the database; what the database has and
        the journal lacks (its file was lost) is written into the journal.
        """
        here = {str(row[0]): str(row[1]) for row in self._database.rows("SELECT event_id, row_hash FROM rating_event")}
        taken = {tuple(row) for row in self._database.rows("SELECT generation_id, reader, revision FROM rating_event")}
        # two lines for one revision: only the later one can have been confirmed, see _settle
        lost: dict[tuple[Any, ...], Row] = {}
        journalled = set()
        for event in self._journal.events():
            journalled.add(event["event_id"])
            place = (event["generation_id"], event["reader"], event["revision"])
            if event["event_id"] not in here and place not in taken:
                lost[place] = event
        notices = []
        if lost:
            with self._database.transaction() as tx:
                for event in lost.values():
                    _insert(tx, event)
            notices.append(f"{len(lost)} ratings were missing in the database and came back from the journal.")
        missing = set(here) - journalled
        if missing:
            rows = self._database.rows(f"{_SELECT} ORDER BY created_at, revision")
            for event in map(stored_event, rows):
                if event["event_id"] in missing:
                    self._journal.append(event)
            notices.append(f"{len(missing)} ratings were missing in the journal and were copied from the database.")
        return notices

    def _save(self, event: Row, base_revision: int) -> SavedRating:
        if not _EVENT_ID.fullmatch(event["event_id"]):
            raise StoreError(f"The event name {event['event_id'][:64]!r} cannot be used.", hint="Give a new UUID.")
        length = None
        with self._database.write_lock:  # journal order is commit order
            try:
                with self._database.transaction() as tx:
                    repeated = _repeated(tx, event)
                    if repeated is not None:
                        return repeated
                    event = _chained(tx, event, base_revision)
                    _insert(tx, event)
                    length = self._journal.length
                    self._journal.append(event)
            except BaseException as error:
                if length is None or not self._settle(event, length, error):
                    raise
            return self._read_back(event)

    def _settle(self, event: Row, length: int, error: BaseException) -> bool:
        """After a failed commit: tell whether it was stored all the same; if not, take the journal line back.

        Where the database cannot even be read now, the line stays: at the next start it either comes back as
        a revision, or a later line for the same revision wins.
        """
        try:
            if self._database.rows("SELECT 1 FROM rating_event WHERE row_hash = ?", event["row_hash"]):
                return isinstance(error, StoreError)
            self._journal.take_back(length)
        except StoreError as second:
            error.add_note(f"Afterwards: {second}")
        return False

    def _read_back(self, event: Row) -> SavedRating:
        found = self._database.rows("SELECT row_hash FROM rating_event WHERE event_id = ?", event["event_id"])
        if found != [(event["row_hash"],)]:
            raise StoreError(
                "The rating was written but cannot be read back.",
                hint="Close the app and start it again: the journal has the rating.",
            )
        return SavedRating(event["event_id"], event["revision"], repeated=False)


def stored_event(row: tuple[Any, ...]) -> Row:
    """Return an event as it was hashed from the columns in :data:`EVENT_COLUMNS`."""
    event = dict(zip(EVENT_COLUMNS, row, strict=True))
    return {**event, "answers": json.loads(event["answers"]), "created_at": iso(event["created_at"])}


def event_hash(event: Row) -> str:
    """Return the hash over everything in an event but the hash itself."""
    return json_sha256({name: event[name] for name in EVENT_COLUMNS if name != "row_hash"})


def chain_problems(events: Iterable[Row]) -> list[str]:
    """Say in words where revisions, hashes or the chain do not hold, for events ordered by rating and revision."""
    problems = []
    previous: Row | None = None
    for event in events:
        name = f"Rating event {event['event_id']}"
        follows = previous is not None and _place(previous) == _place(event)
        before = previous if follows else None
        if event_hash(event) != event["row_hash"]:
            problems.append(f"{name} was changed after it was saved.")
        if event["revision"] != (before["revision"] if before else 0) + 1:
            problems.append(f"{name} is revision {event['revision']}, but the one before it is missing.")
        elif event["prev_hash"] != (before["row_hash"] if before else FIRST_HASH):
            problems.append(f"{name} does not follow the revision before it.")
        previous = event
    return problems


def _place(event: Row) -> tuple[str, str]:
    return event["generation_id"], event["reader"]


def _event(rating: Rating, action: str, *, event_id: str, session_id: str) -> Row:
    return {
        "event_id": event_id,
        "generation_id": rating.generation_id,
        "reader": rating.reader,
        "action": action,
        "answers": dict(rating.answers),
        "comment": rating.comment,
        "rubric_version": rating.rubric_version,
        "shown_sha256": rating.shown_sha256,
        "duration_ms": rating.duration_ms,
        "session_id": session_id,
        "created_at": utc_now(),
    }


def _check_rating(rating: Rating) -> None:
    if not rating.answers:
        raise StoreError("The rating answers no dimension.", hint="Answer at least one dimension of the rubric.")
    for dimension, value in rating.answers.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 5):
            raise StoreError(
                f"The answer for {dimension!r} is {value!r}.",
                hint="Give a whole number from 1 to 5, or None for not assessable.",
            )
    if not rating.reader.strip():
        raise StoreError("The rating has no reader.", hint="Sign in first.")
    if not _SHA256.fullmatch(rating.shown_sha256):
        raise StoreError("The rating does not say which text was shown.", hint="Load the page again.")
    if rating.duration_ms is not None and rating.duration_ms < 0:
        raise StoreError(f"The rating took {rating.duration_ms} ms.", hint="Check the clock of the computer.")


def _repeated(tx: Transaction, event: Row) -> SavedRating | None:
    rows = tx.rows(f"{_SELECT} WHERE event_id = ?", event["event_id"])
    if not rows:
        return None
    stored = stored_event(rows[0])
    if any(stored[name] != event[name] for name in _SAME_CLICK):
        raise StoreError(
            "This click was already saved with other answers.", hint="Load the page again, then save the new answers."
        )
    return SavedRating(event["event_id"], stored["revision"], repeated=True)


def _chained(tx: Transaction, event: Row, base_revision: int) -> Row:
    if not tx.rows("SELECT 1 FROM generation WHERE generation_id = ? LIMIT 1", event["generation_id"]):
        raise StoreError(
            f"The generation {event['generation_id']!r} is not in the store.", hint="Record the generation first."
        )
    latest = tx.rows(
        "SELECT revision, row_hash, action FROM rating_latest WHERE generation_id = ? AND reader = ?",
        event["generation_id"],
        event["reader"],
    )
    revision, previous_hash, action = latest[0] if latest else (0, FIRST_HASH, WITHDRAW)
    # a screen that shows no rating is up to date where the newest revision is a withdrawal
    if base_revision != revision and not (base_revision == 0 and action == WITHDRAW):
        raise StaleRatingError(
            f"This rating is at revision {revision}, the screen showed revision {base_revision}.",
            hint="Load the page again to see the newer answers, then save yours.",
        )
    chained = {**event, "revision": revision + 1, "prev_hash": previous_hash}
    return {**chained, "row_hash": event_hash(chained)}


def _insert(tx: Transaction, event: Row) -> None:
    values = {**event, "answers": canonical_json(event["answers"])}
    tx.execute(_INSERT, *(values[name] for name in EVENT_COLUMNS))
    for dimension, value in event["answers"].items():
        tx.execute(_INSERT_ANSWER, event["event_id"], dimension, value)


def _stored(event: Row) -> StoredRating:
    rating = Rating(
        generation_id=event["generation_id"],
        reader=event["reader"],
        answers=event["answers"],
        rubric_version=event["rubric_version"],
        shown_sha256=event["shown_sha256"],
        comment=event["comment"],
        duration_ms=event["duration_ms"],
    )
    return StoredRating(
        event_id=event["event_id"],
        revision=event["revision"],
        rating=rating,
        withdrawn=event["action"] == WITHDRAW,
        session_id=event["session_id"],
        created_at=event["created_at"],
    )
