"""Tables of events that only grow and are journalled: ratings and measurements.

An event is on the disk in the journal and in the database before anyone reads "saved". Revisions of one thing
are chained by hashes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pet2rep_core.errors import SchemaVersionError, StoreError
from pet2rep_core.store.driver import Database
from pet2rep_core.store.journal import FIRST_HASH, Journal, canonical_json, json_sha256
from pet2rep_core.store.rows import Row, iso
from pet2rep_core.store.transaction import Transaction

_TABLE = "table"
_FIRST_TABLE = "rating_event"
"""Lines of the journal that name no table are of this one."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One table of events.

    ``name`` is what one event is called in sentences; revisions count within ``place``; ``nested`` columns hold
    JSON. Every table has ``event_id``, ``revision``, ``created_at``, ``prev_hash`` and ``row_hash``.
    """

    table: str
    name: str
    columns: tuple[str, ...]
    place: tuple[str, ...]
    nested: frozenset[str]

    @property
    def select(self) -> str:
        """The query for all events, without a condition."""
        return f"SELECT {', '.join(self.columns)} FROM {self.table}"

    def read(self, row: Sequence[Any]) -> Row:
        """Return an event as it was hashed from the columns of :attr:`select`."""
        event = dict(zip(self.columns, row, strict=True))
        parsed = {name: _parsed(event[name]) for name in self.nested}
        return {**event, **parsed, "created_at": iso(event["created_at"])}

    def hash(self, event: Row) -> str:
        """Return the hash over everything in an event but the hash itself."""
        return json_sha256({name: event[name] for name in self.columns if name != "row_hash"})

    def chained(self, event: Row, revision: int, previous_hash: str) -> Row:
        """Return an event as the revision after one that is stored; 0 and :data:`FIRST_HASH` before the first."""
        chained = {**event, "revision": revision + 1, "prev_hash": previous_hash}
        return {**chained, "row_hash": self.hash(chained)}

    def place_of(self, event: Row) -> tuple[Any, ...]:
        """Return what the event is a revision of."""
        return tuple(event[name] for name in self.place)

    def stored(self, database: Database) -> tuple[dict[str, str], set[tuple[Any, ...]]]:
        """Return the hash of every stored event by its id, and which revisions are taken."""
        columns = ", ".join((*self.place, "revision"))
        hashes = database.rows(f"SELECT event_id, row_hash FROM {self.table}")
        taken = database.rows(f"SELECT {columns} FROM {self.table}")
        return {str(event_id): str(row_hash) for event_id, row_hash in hashes}, {tuple(row) for row in taken}


def _parsed(text: str) -> Any:
    # most nested columns of most events are empty, and a study has tens of thousands of them
    return [] if text == "[]" else {} if text == "{}" else json.loads(text)


def journalled(journal: Journal) -> Iterator[tuple[str, Row]]:
    """Yield the table and the event of every undamaged line of a journal."""
    for line in journal.events():
        yield str(line.get(_TABLE, _FIRST_TABLE)), {name: value for name, value in line.items() if name != _TABLE}


class EventLog:
    """One stream in a database and its journal. ``insert_parts`` stores what an event has in other tables."""

    def __init__(
        self,
        stream: Stream,
        database: Database,
        journal: Journal,
        insert_parts: Callable[[Transaction, Row], None] | None = None,
    ) -> None:
        self.stream = stream
        self._database = database
        self._journal = journal
        self._insert_parts = insert_parts

    def events(self, where: str, *values: object) -> list[Row]:
        """Return events that meet a condition."""
        return [self.stream.read(row) for row in self._database.rows(f"{self.stream.select} {where}", *values)]

    def save(self, event: Row, prepare: Callable[[Transaction, Row], tuple[Row, bool]]) -> tuple[Row, bool]:
        """Store an event in journal and database; returns it and whether it had been stored before.

        Parameters
        ----------
        prepare : (transaction, event) -> (event, repeated)
            Checks the event against what is stored and chains it; where ``repeated``, what it returns is stored
            already and nothing is written.
        """
        length = None
        with self._database.write_lock:  # journal order is commit order
            try:
                with self._database.transaction() as tx:
                    event, repeated = prepare(tx, event)
                    if repeated:
                        return event, True
                    self.insert(tx, event)
                    length = self._journal.length
                    self._journal.append(self._line(event))
            except BaseException as error:
                if length is None or not self._settle(event, length, error):
                    raise
            self._read_back(event)
            return event, False

    def insert(self, tx: Transaction, event: Row) -> None:
        """Store an event in the database alone."""
        names = self.stream.columns
        values = {**event, **{name: canonical_json(event[name]) for name in self.stream.nested}}
        tx.execute(
            f"INSERT INTO {self.stream.table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})",
            *(values[name] for name in names),
        )
        if self._insert_parts is not None:
            self._insert_parts(tx, event)

    def copy_to_journal(self, event_ids: set[str]) -> None:
        """Write stored events into the journal, the oldest first."""
        for event in self.events("ORDER BY created_at, revision"):
            if event["event_id"] in event_ids:
                self._journal.append(self._line(event))

    def _line(self, event: Row) -> Row:
        return event if self.stream.table == _FIRST_TABLE else {**event, _TABLE: self.stream.table}

    def _settle(self, event: Row, length: int, error: BaseException) -> bool:
        """After a failed commit: tell whether it was stored all the same; if not, take the journal line back.

        Where the database cannot even be read now, the line stays: at the next start it either comes back as
        a revision, or a later line for the same revision wins.
        """
        try:
            if self._database.rows(f"SELECT 1 FROM {self.stream.table} WHERE row_hash = ?", event["row_hash"]):
                return isinstance(error, StoreError)
            self._journal.take_back(length)
        except StoreError as second:
            error.add_note(f"Afterwards: {second}")
        return False

    def _read_back(self, event: Row) -> None:
        query = f"SELECT row_hash FROM {self.stream.table} WHERE event_id = ?"
        if self._database.rows(query, event["event_id"]) != [(event["row_hash"],)]:
            raise StoreError(
                f"The {self.stream.name} was written but cannot be read back.",
                hint=f"Close the app and start it again: the journal has the {self.stream.name}.",
            )


@dataclass(slots=True)
class _Compared:
    """What the journal has of one stream, beside what the database has."""

    log: EventLog
    here: dict[str, str]
    taken: set[tuple[Any, ...]]
    journalled: set[str] = field(default_factory=set)
    # two lines for one revision: only the later one can have been confirmed, see EventLog._settle
    lost: dict[tuple[Any, ...], Row] = field(default_factory=dict)

    def see(self, event: Row) -> None:
        """Take one line of the journal into account."""
        self.journalled.add(event["event_id"])
        place = (*self.log.stream.place_of(event), event["revision"])
        if event["event_id"] not in self.here and place not in self.taken:
            self.lost[place] = event


def reconcile(database: Database, journal: Journal, logs: Iterable[EventLog]) -> list[str]:
    """Bring database and journal together after a start and say what had to be done.

    What the journal has and the database lacks is put back into the database; what the database has and the
    journal lacks (its file was lost) is written into the journal.

    Raises
    ------
    SchemaVersionError
        If the journal has events of a table that this program does not know.
    """
    compared = {log.stream.table: _Compared(log, *log.stream.stored(database)) for log in logs}
    for table, event in journalled(journal):
        if table not in compared:
            raise SchemaVersionError(
                f"The journal has events of {table!r}, which this program does not know.",
                hint="Start the newer program that wrote it.",
            )
        compared[table].see(event)
    notices = []
    for one in compared.values():
        name = one.log.stream.name
        if one.lost:
            with database.transaction() as tx:
                for event in one.lost.values():
                    one.log.insert(tx, event)
            notices.append(f"{len(one.lost)} {name}s were missing in the database and came back from the journal.")
        missing = set(one.here) - one.journalled
        if missing:
            one.log.copy_to_journal(missing)
            notices.append(f"{len(missing)} {name}s were missing in the journal and were copied from the database.")
    return notices


def chain_problems(stream: Stream, events: Iterable[Row]) -> list[str]:
    """Say in words where revisions, hashes or the chain do not hold, for events ordered by place and revision."""
    problems = []
    previous: Row | None = None
    for event in events:
        name = f"{stream.name.capitalize()} event {event['event_id']}"
        follows = previous is not None and stream.place_of(previous) == stream.place_of(event)
        before = previous if follows else None
        if stream.hash(event) != event["row_hash"]:
            problems.append(f"{name} was changed after it was saved.")
        if event["revision"] != (before["revision"] if before else 0) + 1:
            problems.append(f"{name} is revision {event['revision']}, but the one before it is missing.")
        elif event["prev_hash"] != (before["row_hash"] if before else FIRST_HASH):
            problems.append(f"{name} does not follow the revision before it.")
        previous = event
    return problems


def disagreements(database: Database, journal: Journal, streams: Sequence[Stream]) -> list[str]:
    """Say in words where the database and the journal do not have the same events."""
    lines: dict[str, list[Row]] = {stream.table: [] for stream in streams}
    for table, event in journalled(journal):
        lines.setdefault(table, []).append(event)
    return [problem for stream in streams for problem in _disagreements_of(stream, database, lines[stream.table])]


def _disagreements_of(stream: Stream, database: Database, lines: list[Row]) -> list[str]:
    stored, taken = stream.stored(database)
    name = f"{stream.name.capitalize()} event"
    found, seen = [], set()
    for event in lines:
        event_id = event["event_id"]
        seen.add(event_id)
        if stream.hash(event) != event["row_hash"]:
            found.append(f"{name} {event_id} was changed in the journal.")
        if event_id in stored:
            if stored[event_id] != event["row_hash"]:
                found.append(f"{name} {event_id} differs between the database and the journal.")
        elif (*stream.place_of(event), event["revision"]) not in taken:
            found.append(f"{name} {event_id} is in the journal but not in the database.")
    return found + [f"{name} {event_id} is not in the journal." for event_id in sorted(set(stored) - seen)]
