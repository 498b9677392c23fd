"""The second copy of what readers of studies have not submitted yet: JSON lines beside the database.

A draft is on the disk here before the database commits it, so that a damaged database file takes no answer with it.
Unlike the journal this file is no record: it is written anew, with the newest draft of each item alone, at every
start and whenever it has grown much.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from pet2rep_core.errors import StoreError
from pet2rep_core.store.driver import Database
from pet2rep_core.store.journal import canonical_json, json_sha256, sync_folder
from pet2rep_core.store.rows import Row, iso
from pet2rep_core.store.transaction import Transaction

COLUMNS = ("study_id", "code", "stage", "number", "rating_revision", "opening", "content", "created_at")
COMPACT_BYTES = 16 * 2**20
"""The file is written anew where it has grown by more than this."""
_LIVE = """
    FROM study_draft d
    WHERE NOT EXISTS (SELECT 1 FROM study_draft n WHERE n.code = d.code AND n.stage = d.stage AND n.number > d.number)
      AND NOT EXISTS (SELECT 1 FROM study_rating r WHERE r.code = d.code AND r.stage = d.stage
        AND r.revision > d.rating_revision)
    ORDER BY created_at, code, stage"""
Place: TypeAlias = tuple[str, str]
"""Code of the item, and stage."""


class DraftFile:
    """The file of drafts of one database. Not locked: the store's write lock orders its users.

    ``notices`` says what was put back into the database at the start.
    """

    def __init__(self, path: Path, database: Database) -> None:
        self.path = path
        self.notices: list[str] = []
        self._database = database
        self._homeless: dict[Place, Row] = {}
        self._file = -1
        self._length = self._compacted = 0
        self._restore()
        self._compact()

    def append(self, draft: Row) -> None:
        """Write one draft to the disk.

        Raises
        ------
        StoreError
            If it is not safely on the disk.
        """
        if self._length > self._compacted + COMPACT_BYTES:
            self._compact()
        raw = _line(draft)
        try:
            if os.fstat(self._file).st_size != self._length:  # a part of a line that could not be taken back earlier
                os.ftruncate(self._file, self._length)
            try:
                _write(self._file, raw)
            except OSError:
                os.ftruncate(self._file, self._length)
                raise
        except OSError as error:
            raise self._refusal(error) from error
        self._length += len(raw)

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _restore(self) -> None:
        """Put back into the database what it has lost."""
        newest, damaged = self._read()
        if damaged:
            self.notices.append(f"Lines of the file of drafts that were damaged and left out: {damaged}.")
        if not newest:
            return
        known = {str(code) for (code,) in self._database.rows("SELECT code FROM study_item")}
        stored = {
            (str(code), str(stage)): int(number)
            for code, stage, number in self._database.rows(
                "SELECT code, stage, max(number) FROM study_draft GROUP BY code, stage"
            )
        }
        # a draft of an item that the database does not have waits here until a backup with the item is put in place
        self._homeless = {place: one for place, one in newest.items() if one["code"] not in known}
        lost = [one for place, one in newest.items() if one["code"] in known and one["number"] > stored.get(place, 0)]
        if not lost:
            return
        with self._database.transaction() as tx:
            for one in lost:
                insert_draft(tx, one)
        self.notices.append(f"Drafts that were missing in the database and came back: {len(lost)}.")

    def _read(self) -> tuple[dict[Place, Row], int]:
        """Return the newest draft of each item and stage, and how many lines are damaged."""
        newest: dict[Place, Row] = {}
        damaged = 0
        if not self.path.exists():
            return newest, damaged
        try:
            lines = self.path.read_bytes().splitlines(keepends=True)
        except OSError as error:
            raise self._refusal(error) from error
        for number, raw in enumerate(lines, start=1):
            draft = _parse(raw)
            if draft is not None:
                newest[draft["code"], draft["stage"]] = draft
            elif number < len(lines) or raw.endswith(b"\n"):  # else the last one was not confirmed
                damaged += 1
        return newest, damaged

    def _compact(self) -> None:
        """Write the file anew with what is not submitted yet."""
        fresh = self.path.with_name(f"{self.path.name}.new")
        try:
            raw = b"".join(map(_line, self._live()))
            file = os.open(fresh, os.O_CREAT | os.O_TRUNC | os.O_RDWR | os.O_APPEND, 0o600)
            try:
                _write(file, raw)
                fresh.replace(self.path)
                sync_folder(self.path.parent)
            except BaseException:
                os.close(file)
                raise
        except OSError as error:
            raise self._refusal(error) from error
        self.close()
        self._file, self._length, self._compacted = file, len(raw), len(raw)

    def _live(self) -> Iterator[Row]:
        yield from self._homeless.values()
        names = ", ".join("CAST(content AS VARCHAR)" if name == "content" else name for name in COLUMNS)
        for row in self._database.rows(f"SELECT {names} {_LIVE}"):
            draft = dict(zip(COLUMNS, row, strict=True))
            yield draft | {"content": json.loads(draft["content"]), "created_at": iso(draft["created_at"])}

    def _refusal(self, error: OSError) -> StoreError:
        return StoreError(
            f"The file of drafts {self.path.name} cannot be written: {error.strerror}.",
            hint="Free some space on the disk and save again; nothing that was confirmed is lost.",
        )


def insert_draft(tx: Transaction, draft: Row) -> None:
    """Store a draft in the database alone."""
    values = draft | {"content": canonical_json(draft["content"])}
    tx.execute(
        f"INSERT INTO study_draft ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})",
        *(values[name] for name in COLUMNS),
    )


def _line(draft: Row) -> bytes:
    return (canonical_json({"draft": draft, "hash": json_sha256(draft)}) + "\n").encode("utf-8")


def _parse(raw: bytes) -> Row | None:
    if not raw.endswith(b"\n"):
        return None
    try:
        record = json.loads(raw)
        draft: dict[str, Any] = record["draft"]
        good = record["hash"] == json_sha256(draft) and set(draft) == set(COLUMNS)
    except (ValueError, KeyError, TypeError, StoreError):
        return None  # the caller counts it as damaged
    return draft if good else None


def _write(file: int, raw: bytes) -> None:
    """Write to the disk, all or an error."""
    if os.write(file, raw) != len(raw):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(file)
