"""Cells of the organ table that a person overruled: every revision kept, journalled as ratings are."""

from __future__ import annotations

import uuid
from typing import Any

from pet2rep_core.errors import StoreError
from pet2rep_core.records import Language, UptakeState
from pet2rep_core.store.driver import Database, utc_now
from pet2rep_core.store.events import EventLog, Stream
from pet2rep_core.store.journal import FIRST_HASH, Journal
from pet2rep_core.store.rows import Row
from pet2rep_core.store.stored import Cell, CellOverrule, StoredOverrule
from pet2rep_core.store.transaction import Transaction

_CELL = ("case_id", "language", "side", "text_sha256", "organ")
OVERRULES = Stream(
    "cell_overrule",
    "overrule",
    (
        "event_id", *_CELL, "revision", "action", "states", "automatic", "extractor", "author", "reason",
        "generation_id", "created_at", "prev_hash", "row_hash",
    ),
    _CELL,
    frozenset({"states", "automatic"}),
)  # fmt: skip
OVERRULE, WITHDRAW = "overrule", "withdraw"
SIDES = ("reference", "hypothesis")
MAX_REASON = 2000
_OF_CELL = " AND ".join(f"{name} = ?" for name in _CELL)
_SAME = ("states", "author", "reason", "action")


class OverruleLog:
    """The overruled cells of one database."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self.log = EventLog(OVERRULES, database, journal)

    def record(self, overrule: CellOverrule) -> StoredOverrule:
        """Store an overrule; see :meth:`Store.record_overrule`."""
        _check(overrule)
        event, _ = self.log.save(_event(overrule, OVERRULE), _prepare)
        return _stored(event)

    def withdraw(self, cell: Cell, author: str, reason: str) -> StoredOverrule:
        """Withdraw the overrule of a cell; see :meth:`Store.withdraw_overrule`."""
        revisions = self.history(cell)
        if not revisions:
            raise StoreError("This cell is not overruled.", hint="Load the page again.")
        latest = revisions[-1].overrule
        gone = CellOverrule(cell, (), latest.automatic, author, reason, latest.extractor, latest.generation_id)
        _check(gone)
        event, _ = self.log.save(_event(gone, WITHDRAW), _prepare)
        return _stored(event)

    def holding(self, case_id: str | None) -> list[StoredOverrule]:
        """Return what holds now, ordered by cell."""
        same = " AND ".join(f"n.{name} = m.{name}" for name in _CELL)
        found = self.log.events(
            f"m WHERE action = 'overrule' AND (? IS NULL OR case_id = ?) AND NOT EXISTS "
            f"(SELECT 1 FROM cell_overrule n WHERE {same} AND n.revision > m.revision) ORDER BY {', '.join(_CELL)}",
            *(case_id, case_id),
        )
        return [_stored(event) for event in found]

    def history(self, cell: Cell) -> list[StoredOverrule]:
        """Return all revisions of a cell, the oldest first."""
        return [_stored(event) for event in self.log.events(f"WHERE {_OF_CELL} ORDER BY revision", *_place(cell))]


def _place(cell: Cell) -> tuple[str, ...]:
    return cell.case_id, cell.language.value, cell.side, cell.text_sha256, cell.organ


def _check(overrule: CellOverrule) -> None:
    if overrule.cell.side not in SIDES:
        raise StoreError(f"{overrule.cell.side!r} is no side.", hint=f"Use {' or '.join(SIDES)}.")
    if not overrule.author.strip():
        raise StoreError("The overrule has no author.", hint="Sign in first.")
    if not overrule.reason.strip():
        raise StoreError("The overrule has no reason.", hint="Say what the report states, and where.")
    if len(overrule.reason) > MAX_REASON:
        raise StoreError(f"The reason has {len(overrule.reason)} characters.", hint=f"Use at most {MAX_REASON}.")
    unknown = sorted(set(overrule.states) - set(UptakeState))
    if unknown:
        raise StoreError(f"{unknown[0]!r} is no uptake state.", hint=f"Use {', '.join(UptakeState)}.")
    if len(set(overrule.states)) != len(overrule.states) or (
        UptakeState.NORMAL in overrule.states and len(overrule.states) > 1
    ):
        raise StoreError(
            "These states cannot stand together.", hint="Give normal alone, or each positive state once, or none."
        )


def _event(overrule: CellOverrule, action: str) -> Row:
    content: dict[str, Any] = dict(zip(_CELL, _place(overrule.cell), strict=True))
    return content | {
        "event_id": str(uuid.uuid4()),
        "action": action,
        "states": list(overrule.states),
        "automatic": list(overrule.automatic),
        "extractor": overrule.extractor,
        "author": overrule.author,
        "reason": overrule.reason,
        "generation_id": overrule.generation_id,
        "created_at": utc_now(),
    }


def _prepare(tx: Transaction, event: Row) -> tuple[Row, bool]:
    """Refuse what belongs to nothing here, and chain the rest."""
    if not tx.rows("SELECT 1 FROM study_case WHERE case_id = ? LIMIT 1", event["case_id"]):
        raise StoreError(f"The case {event['case_id']!r} is not in the store.", hint="Import the case first.")
    generation = event["generation_id"]
    known = "SELECT 1 FROM generation WHERE generation_id = ? AND case_id = ? LIMIT 1"
    if generation is not None and not tx.rows(known, generation, event["case_id"]):
        raise StoreError(f"The case has no generation {generation!r}.", hint="Load the page again.")
    rows = tx.rows(f"{OVERRULES.select} WHERE {_OF_CELL} ORDER BY revision DESC LIMIT 1", *OVERRULES.place_of(event))
    before = OVERRULES.read(rows[0]) if rows else None
    if before is None:
        return OVERRULES.chained(event, 0, FIRST_HASH), False
    if event["action"] == before["action"] == WITHDRAW or all(before[name] == event[name] for name in _SAME):
        return before, True
    return OVERRULES.chained(event, before["revision"], before["row_hash"]), False


def _stored(event: Row) -> StoredOverrule:
    cell = Cell(event["case_id"], Language(event["language"]), event["side"], event["text_sha256"], event["organ"])
    return StoredOverrule(
        overrule=CellOverrule(
            cell=cell,
            states=tuple(event["states"]),
            automatic=tuple(event["automatic"]),
            author=event["author"],
            reason=event["reason"],
            extractor=event["extractor"],
            generation_id=event["generation_id"],
        ),
        revision=event["revision"],
        withdrawn=event["action"] == WITHDRAW,
        created_at=event["created_at"],
        event_id=event["event_id"],
    )
