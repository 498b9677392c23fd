"""The inbox: how the command line hands results to the app that has the store open.

One JSON-lines file per hand-over: a head line with kind, number and hash of the rows, then the rows. A file
appears under its final name only when it is whole and on the disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

from pet2rep_core.errors import StoreError
from pet2rep_core.settings import Settings
from pet2rep_core.store.journal import canonical_json, sync_folder
from pet2rep_core.store.kinds import kind_named
from pet2rep_core.store.recorder import Recorder
from pet2rep_core.store.rows import Row
from pet2rep_core.store.stored import Recorded
from pet2rep_core.store.transaction import RowsRefusedError

FORMAT = 1
_AGAIN = "Hand the results over again."


class InboxRecorder(Recorder):
    """Records by handing each call over as one file."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def record_rows(self, kind: str, rows: Sequence[Row]) -> list[Recorded]:
        """Hand the rows over to the running app."""
        hand_over(self._settings, kind, rows)
        return [Recorded.HANDED_OVER] * len(rows)

    def close(self) -> None:
        """Finish; every call was already on the disk."""


def hand_over(settings: Settings, kind: str, rows: Sequence[Row]) -> Path:
    """Write rows into the inbox and return the file, which is then on the disk.

    Raises
    ------
    UnknownNameError
        If there is no such kind.
    StoreError
        If it cannot be written.
    """
    kind_named(kind)
    body = "".join(canonical_json(row) + "\n" for row in rows).encode("utf-8")
    head = {"format": FORMAT, "kind": kind, "rows": len(rows), "sha256": hashlib.sha256(body).hexdigest()}
    # files are taken in the order of their names
    name = f"{time.time_ns():020d}-{uuid.uuid4().hex[:8]}.{kind}.jsonl"
    path = settings.inbox / name
    unfinished = settings.inbox / f".{name}.part"
    try:
        settings.inbox.mkdir(parents=True, exist_ok=True)
        with unfinished.open("xb") as file:
            file.write(canonical_json(head).encode("utf-8") + b"\n" + body)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        sync_folder(settings.inbox)
    except OSError as error:
        with contextlib.suppress(OSError):  # the folder itself may be what fails
            unfinished.unlink(missing_ok=True)
        raise StoreError(
            f"The results cannot be handed over: {error.strerror}.", hint="Free some space on the disk, then try again."
        ) from error
    return path


def waiting_files(inbox: Path) -> list[Path]:
    """Return the files that have not been taken yet, the oldest first."""
    return sorted(inbox.glob("*.jsonl"))


def read_handed_over(path: Path) -> tuple[str, list[Row]]:
    """Return kind and rows of a file of the inbox.

    Raises
    ------
    RowsRefusedError
        If the file is broken or of another version.
    StoreError
        If the disk fails.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise StoreError(f"The file {path.name} cannot be read: {error.strerror}.", hint="Check the disk.") from error
    try:
        head_line, _, body = raw.partition(b"\n")
        head = json.loads(head_line)
        kind, version, sha256 = str(head["kind"]), head["format"], head["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise RowsRefusedError("The file has no head line.", hint=_AGAIN) from error
    if version != FORMAT:
        raise RowsRefusedError(f"The file has format {version}, not {FORMAT}.", hint=_AGAIN)
    if hashlib.sha256(body).hexdigest() != sha256:
        raise RowsRefusedError("The file is damaged: its rows are not those that were handed over.", hint=_AGAIN)
    try:
        rows = [json.loads(line) for line in body.split(b"\n") if line]
    except ValueError as error:
        raise RowsRefusedError("The file has a row that is no JSON.", hint=_AGAIN) from error
    if len(rows) != head["rows"]:
        raise RowsRefusedError(f"The file has {len(rows)} rows, its head says {head['rows']}.", hint=_AGAIN)
    return kind, rows


def move_aside(path: Path, folder: str, reason: str | None = None) -> None:
    """Move a file of the inbox into a folder beside it, with its reason in a text file."""
    target = path.parent / folder / path.name
    try:
        target.parent.mkdir(exist_ok=True)
        if reason is not None:
            target.with_name(f"{path.name}.reason.txt").write_text(reason + "\n", encoding="utf-8")
        path.rename(target)
    except OSError as error:
        raise StoreError(
            f"The file {path.name} cannot be moved to {folder}: {error.strerror}.", hint="Check the disk of the inbox."
        ) from error
