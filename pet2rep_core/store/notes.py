"""A reader's own notes: measurements, which are journalled as ratings are, and viewer settings, which are not.

A measurement that was confirmed took a person's time and may end in a paper: losing one is losing a rating. A
lost setting costs one click.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from typing import Any

from pet2rep_core.errors import PermissionDeniedError, StoreError
from pet2rep_core.store.driver import Database, utc_now
from pet2rep_core.store.events import EventLog, Stream
from pet2rep_core.store.journal import FIRST_HASH, Journal, canonical_json
from pet2rep_core.store.rows import Row
from pet2rep_core.store.stored import Measurement, StoredMeasurement
from pet2rep_core.store.transaction import Transaction

MEASUREMENTS = Stream(
    "measurement",
    "measurement",
    (
        "event_id", "measurement_id", "revision", "action", "case_id", "reader", "generation_id", "label", "role",
        "kind", "shape", "result", "signature", "prepared_key", "created_at", "prev_hash", "row_hash",
    ),
    ("measurement_id",),
    frozenset({"shape", "result"}),
)  # fmt: skip
KEEP, WITHDRAW = "keep", "withdraw"
MAX_LABEL = 200
MAX_RESULT_BYTES = 2**16
MAX_SETTINGS_BYTES = 2**12
_NOTE = tuple(Measurement.__dataclass_fields__)
_MEASUREMENT_ID = re.compile(r"[0-9A-Za-z_\-]{8,64}")


class NoteLog:
    """The measurements and settings of the readers of one database."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self.log = EventLog(MEASUREMENTS, database, journal)
        self._database = database

    def keep(self, note: Measurement) -> StoredMeasurement:
        """Store a measurement; see :meth:`Store.record_measurement`."""
        _check(note)
        event, _ = self.log.save(_event(note, KEEP), _prepare)
        return _stored(event)

    def withdraw(self, measurement_id: str, case_id: str, reader: str) -> StoredMeasurement:
        """Withdraw a measurement by an event of its own; see :meth:`Store.withdraw_measurement`."""
        latest = self.latest(measurement_id)
        if latest is None:
            raise StoreError("There is no such measurement to withdraw.", hint="Load the page again.")
        note = latest.measurement
        empty: dict[str, Any] = {name: getattr(note, name) for name in _NOTE}
        empty |= {"case_id": case_id, "reader": reader, "shape": {}, "result": {"numbers": []}}
        event, _ = self.log.save(_event(Measurement(**empty), WITHDRAW), _prepare)
        return _stored(event)

    def latest(self, measurement_id: str) -> StoredMeasurement | None:
        """Return the newest revision of a measurement, a withdrawal included, or None."""
        found = self.log.events("WHERE measurement_id = ? ORDER BY revision DESC LIMIT 1", measurement_id)
        return _stored(found[0]) if found else None

    def of_reader(self, case_id: str, reader: str) -> list[StoredMeasurement]:
        """Return what a reader has kept in a case and not withdrawn, what was kept last first, however often since."""
        found = self.log.events(
            "m WHERE case_id = ? AND reader = ? AND action = 'keep' AND NOT EXISTS (SELECT 1 FROM measurement n "
            "WHERE n.measurement_id = m.measurement_id AND n.revision > m.revision) "
            "ORDER BY (SELECT min(f.created_at) FROM measurement f WHERE f.measurement_id = m.measurement_id) DESC, "
            "measurement_id",
            *(case_id, reader),
        )
        return [_stored(event) for event in found]

    def record_settings(self, reader: str, settings: Mapping[str, Any]) -> int:
        """Store settings as the next revision and return it; see :meth:`Store.record_reader_settings`."""
        text = canonical_json(dict(settings))
        if len(text.encode("utf-8")) > MAX_SETTINGS_BYTES:
            raise StoreError(
                f"The settings take {len(text.encode('utf-8'))} bytes.", hint=f"Keep them to {MAX_SETTINGS_BYTES}."
            )
        with self._database.transaction() as tx:
            stored = tx.rows(
                "SELECT revision, settings FROM reader_setting WHERE reader = ? ORDER BY revision DESC LIMIT 1", reader
            )
            revision, before = (int(stored[0][0]), json.loads(stored[0][1])) if stored else (0, None)
            if before == json.loads(text):
                return revision
            tx.execute(
                "INSERT INTO reader_setting (reader, revision, settings, created_at) VALUES (?, ?, ?, ?)",
                *(reader, revision + 1, text, utc_now()),
            )
        return revision + 1

    def settings(self, reader: str) -> dict[str, Any]:
        """Return the newest settings of a reader; empty where there are none."""
        rows = self._database.rows(
            "SELECT settings FROM reader_setting WHERE reader = ? ORDER BY revision DESC LIMIT 1", reader
        )
        return dict(json.loads(rows[0][0])) if rows else {}


def _check(note: Measurement) -> None:
    if not _MEASUREMENT_ID.fullmatch(note.measurement_id):
        raise StoreError(
            f"The measurement's name {note.measurement_id[:64]!r} cannot be used.", hint="Give it a new UUID."
        )
    if not note.reader.strip():
        raise StoreError("The measurement has no reader.", hint="Sign in first.")
    if len(note.label) > MAX_LABEL:
        raise StoreError(
            f"The label has {len(note.label)} characters.", hint=f"Use at most {MAX_LABEL}; a comment holds more."
        )
    size = len(canonical_json([note.shape, note.result]).encode("utf-8"))
    if size > MAX_RESULT_BYTES:
        raise StoreError(f"The measurement takes {size} bytes.", hint=f"Keep it to {MAX_RESULT_BYTES}.")
    numbers = note.result.get("numbers")
    if not isinstance(numbers, list) or not all(_is_number(one) for one in numbers):
        raise StoreError(
            "The measurement does not list its numbers.", hint="Report this as a bug: the export would miss them."
        )


def _is_number(one: object) -> bool:
    """Tell whether it is a quantity with a value or the reason why there is none."""
    if not isinstance(one, dict) or set(one) != {"quantity", "value", "unit", "reason"}:
        return False
    value = one["value"]
    has_value = isinstance(value, int | float) and not isinstance(value, bool)
    return has_value or (value is None and bool(one["reason"]))


def _event(note: Measurement, action: str) -> Row:
    content = {name: getattr(note, name) for name in _NOTE}
    return {**content, "event_id": str(uuid.uuid4()), "action": action, "created_at": utc_now()}


def _prepare(tx: Transaction, event: Row) -> tuple[Row, bool]:
    """Refuse what belongs to another reader or to nothing here, and chain the rest."""
    latest = f"{MEASUREMENTS.select} WHERE measurement_id = ? ORDER BY revision DESC LIMIT 1"
    rows = tx.rows(latest, event["measurement_id"])
    before = MEASUREMENTS.read(rows[0]) if rows else None
    if before is not None and (before["case_id"], before["reader"]) != (event["case_id"], event["reader"]):
        raise PermissionDeniedError(
            "This measurement belongs to another reader or another case.", hint="Measure again, as a note of your own."
        )
    if not tx.rows("SELECT 1 FROM study_case WHERE case_id = ? LIMIT 1", event["case_id"]):
        raise StoreError(f"The case {event['case_id']!r} is not in the store.", hint="Import the case first.")
    generation = event["generation_id"]
    known = "SELECT 1 FROM generation WHERE generation_id = ? AND case_id = ? LIMIT 1"
    if generation is not None and not tx.rows(known, generation, event["case_id"]):
        raise StoreError(f"The case has no generation {generation!r}.", hint="Load the page again.")
    if before is None:
        return MEASUREMENTS.chained(event, 0, FIRST_HASH), False
    if all(before[name] == event[name] for name in (*_NOTE, "action")):
        return before, True
    return MEASUREMENTS.chained(event, before["revision"], before["row_hash"]), False


def _stored(event: Row) -> StoredMeasurement:
    return StoredMeasurement(
        measurement=Measurement(**{name: event[name] for name in _NOTE}),
        revision=event["revision"],
        withdrawn=event["action"] == WITHDRAW,
        created_at=event["created_at"],
    )
