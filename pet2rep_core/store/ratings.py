"""Ratings: events that only grow, written to the journal and to the database before anyone reads "saved"."""

from __future__ import annotations

import re

from pet2rep_core.errors import StaleRatingError, StoreError
from pet2rep_core.records import Rating
from pet2rep_core.store.driver import Database, utc_now
from pet2rep_core.store.events import EventLog, Stream
from pet2rep_core.store.journal import FIRST_HASH, Journal
from pet2rep_core.store.rows import Row
from pet2rep_core.store.stored import SavedRating, StoredRating
from pet2rep_core.store.transaction import Transaction

EVENT_COLUMNS = (
    "event_id", "generation_id", "reader", "revision", "action", "answers", "comment", "rubric_version",
    "shown_sha256", "duration_ms", "session_id", "created_at", "prev_hash", "row_hash",
)  # fmt: skip
RATE, WITHDRAW = "rate", "withdraw"
_INSERT_ANSWER = "INSERT INTO rating_answer (event_id, dimension, value) VALUES (?, ?, ?)"
_SAME_CLICK = ("generation_id", "reader", "action", "answers", "comment", "shown_sha256")
RATINGS = Stream("rating_event", "rating", EVENT_COLUMNS, ("generation_id", "reader"), frozenset({"answers"}))
_EVENT_ID = re.compile(r"[0-9A-Za-z_\-]{8,64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class RatingLog:
    """The ratings of one database and its journal."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self.log = EventLog(RATINGS, database, journal, _insert_answers)

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
        events = self.log.events("WHERE generation_id = ? AND reader = ? ORDER BY revision", generation_id, reader)
        return [_stored(event) for event in events]

    def _save(self, event: Row, base_revision: int) -> SavedRating:
        if not _EVENT_ID.fullmatch(event["event_id"]):
            raise StoreError(f"The event name {event['event_id'][:64]!r} cannot be used.", hint="Give a new UUID.")

        def prepare(tx: Transaction, event: Row) -> tuple[Row, bool]:
            repeated = _repeated(tx, event)
            return (_chained(tx, event, base_revision), False) if repeated is None else (repeated, True)

        saved, repeated = self.log.save(event, prepare)
        return SavedRating(saved["event_id"], saved["revision"], repeated=repeated)


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


def _repeated(tx: Transaction, event: Row) -> Row | None:
    rows = tx.rows(f"{RATINGS.select} WHERE event_id = ?", event["event_id"])
    if not rows:
        return None
    stored = RATINGS.read(rows[0])
    if any(stored[name] != event[name] for name in _SAME_CLICK):
        raise StoreError(
            "This click was already saved with other answers.", hint="Load the page again, then save the new answers."
        )
    return stored


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
    return RATINGS.chained(event, revision, previous_hash)


def _insert_answers(tx: Transaction, event: Row) -> None:
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
