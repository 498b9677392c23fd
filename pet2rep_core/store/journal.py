"""The second, independent copy of every rating and measurement: hash-chained JSON lines beside the database.

A line is on the disk (fsync) before the database commits, and is replayed into the database at the next start
if the database has lost it. Each line carries the hash of the line before it and its own hash. The file only
grows; the one exception is a line whose event was never confirmed, which is taken back.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pet2rep_core.errors import StoreError

FIRST_HASH = "0" * 64
_HINT = "Free some space on the disk and save again; nothing that was confirmed is lost."


def canonical_json(value: object) -> str:
    """Return JSON that is the same for the same value: sorted keys, no spaces, no NaN.

    Raises
    ------
    StoreError
        If the value cannot be written as JSON.
    """
    try:
        text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        text.encode("utf-8")
    except (TypeError, ValueError) as error:
        raise StoreError(
            f"A value cannot be stored: {error}.", hint="Give text, finite numbers, lists or None."
        ) from error
    return text


def json_sha256(value: object) -> str:
    """Return the SHA-256 of the canonical JSON of a value."""
    return hashlib.sha256(canonical_json(value).encode("utf-8")).hexdigest()


@dataclass(frozen=True, slots=True)
class JournalLine:
    """One line as read: the event, or None where the line is damaged."""

    number: int
    event: dict[str, Any] | None
    follows: bool
    hash: str
    end: int


def read_lines(path: Path) -> Iterator[JournalLine]:
    """Yield the lines of a journal; a damaged one has no event, ``follows`` tells whether the chain holds.

    Raises
    ------
    StoreError
        If the file cannot be read.
    """
    previous, end = FIRST_HASH, 0
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                end += len(raw)
                record = _parse(raw)
                if record is None:
                    yield JournalLine(number, None, False, previous, end)
                    continue
                follows = record["prev"] == previous
                previous = str(record["hash"])
                yield JournalLine(number, dict(record["event"]), follows, previous, end)
    except OSError as error:
        raise StoreError(
            f"The journal {path.name} cannot be read: {error.strerror}.", hint="Check the disk of the store."
        ) from error


def _parse(raw: bytes) -> dict[str, Any] | None:
    if not raw.endswith(b"\n"):
        return None
    try:
        record = json.loads(raw)
        body = {"event": record["event"], "prev": record["prev"]}
        good = isinstance(record["event"], dict) and json_sha256(body) == record["hash"]
    except (ValueError, KeyError, TypeError, StoreError):
        return None  # the caller counts it as damaged
    return record if good else None


class Journal:
    """The journal, open for appending. Not locked: the store's write lock orders its users.

    A damaged end (a line that was being written when the machine stopped, so never confirmed) is set aside in
    a file of its own.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notices: list[str] = []
        self.is_new = not path.exists()
        try:
            self._file = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
            if self.is_new:
                sync_folder(path.parent)
        except OSError as error:
            raise _refusal(path, error) from error
        self._last_hash = self._previous_hash = FIRST_HASH
        self._length = 0
        try:
            self._find_end()
        except BaseException:
            os.close(self._file)
            raise

    @property
    def length(self) -> int:
        """Bytes of the file as far as it is confirmed, for :meth:`take_back`."""
        return self._length

    def append(self, event: dict[str, Any]) -> None:
        """Write one event to the disk.

        Raises
        ------
        StoreError
            If it is not safely on the disk; the journal is then as before.
        """
        before = self._length
        body = {"event": event, "prev": self._last_hash}
        record = {**body, "hash": json_sha256(body)}
        raw = (canonical_json(record) + "\n").encode("utf-8")
        try:
            if os.fstat(self._file).st_size != before:  # a line that could not be taken back earlier
                os.ftruncate(self._file, before)
            if os.write(self._file, raw) != len(raw):
                raise OSError(28, os.strerror(28))
            os.fsync(self._file)
        except OSError as error:
            self._cut(before)
            raise _refusal(self.path, error) from error
        self._previous_hash, self._last_hash = self._last_hash, str(record["hash"])
        self._length = before + len(raw)

    def take_back(self, length: int) -> None:
        """Return to an earlier length: remove the newest line, whose rating was not stored and not confirmed."""
        if self._length > length:
            self._last_hash = self._previous_hash
            self._length = length
        self._cut(length)

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield the events of all undamaged lines."""
        for line in read_lines(self.path):
            if line.event is not None:
                yield line.event

    def problems(self) -> list[str]:
        """Say in words which lines are damaged or missing."""
        found = []
        for line in read_lines(self.path):
            if line.event is None:
                found.append(f"The journal is damaged in line {line.number}.")
            elif not line.follows:
                found.append(f"The journal's chain is broken before line {line.number}: lines were removed or changed.")
        return found

    def close(self) -> None:
        """Close the file; closing twice does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _find_end(self) -> None:
        good_end = end = 0
        for line in read_lines(self.path):
            end = line.end
            if line.event is not None:
                good_end, self._last_hash = line.end, line.hash
        if end > good_end:
            self._set_aside(good_end, end)
        self._length = good_end

    def _set_aside(self, start: int, end: int) -> None:
        aside = self.path.with_name(f"{self.path.name}.torn-{start}-{end}")
        try:
            aside.write_bytes(os.pread(self._file, end - start, start))
            os.ftruncate(self._file, start)
            os.fsync(self._file)
        except OSError as error:
            raise _refusal(self.path, error) from error
        self.notices.append(f"The journal ended in an unfinished line; it was set aside as {aside.name}.")

    def _cut(self, length: int) -> None:
        try:
            os.ftruncate(self._file, length)
            os.fsync(self._file)
        except OSError as error:
            raise _refusal(self.path, error) from error


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refusal(path: Path, error: OSError) -> StoreError:
    return StoreError(f"The journal {path.name} cannot be written: {error.strerror}.", hint=_HINT)
