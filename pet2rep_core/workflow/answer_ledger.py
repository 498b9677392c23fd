"""Answers that are paid for and not yet in the store: one file for each run under way, on the disk before the store.

A process that dies between an answer and the store leaves its file behind; the next run takes it in first, so that no
answer is asked and paid for twice.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pet2rep_core.errors import StoreError
from pet2rep_core.records import GenerationStatus
from pet2rep_core.settings import Settings
from pet2rep_core.store import RowsRefusedError, Store

_SUFFIX = ".answers.jsonl"
_REFUSED = "refused"


def ledger_folder(settings: Settings) -> Path:
    """Return the folder of the files."""
    return settings.home / "answers"


class AnswerLedger:
    """The file of one run, locked as long as the run lives."""

    def __init__(self, settings: Settings) -> None:
        folder = ledger_folder(settings)
        self._path = folder / f"{uuid.uuid4().hex}{_SUFFIX}"
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            unlocked = self._path.with_suffix(".new")
            self._file = os.open(unlocked, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            unlocked.rename(self._path)  # it gets its name with its lock, so that nobody takes it for a dead one
        except OSError as error:
            raise _refusal(error) from error

    def keep(self, run: dict[str, Any], generation: dict[str, Any]) -> None:
        """Put an answer on the disk; when this returns, it outlives the process.

        Raises
        ------
        StoreError
            If the disk did not take it.
        """
        body = json.dumps({"run": run, "generation": generation}, ensure_ascii=False)
        line = json.dumps({"sha256": hashlib.sha256(body.encode()).hexdigest(), "answer": body}) + "\n"
        raw = line.encode()
        with self._lock:
            before = os.fstat(self._file).st_size
            try:
                if os.write(self._file, raw) != len(raw):
                    raise OSError(28, os.strerror(28))
                os.fsync(self._file)
            except OSError as error:
                os.ftruncate(self._file, before)
                raise _refusal(error) from error

    def close(self, *, all_stored: bool) -> None:
        """Close the file, and delete it where everything in it is in the store."""
        if self._file < 0:
            return
        if all_stored:
            self._path.unlink(missing_ok=True)
        os.close(self._file)
        self._file = -1


def take_in_answers(store: Store, settings: Settings) -> int:
    """Record the answers that earlier runs could not, and return how many; files of living runs are left alone.

    What the store refuses is kept in the folder ``refused`` beside them.
    """
    taken = 0
    for path in sorted(ledger_folder(settings).glob(f"*{_SUFFIX}")):
        with _owned(path) as owned:
            if not owned:
                continue
            refused = False
            for run, generation in _lines(path):
                try:
                    taken += _record(store, run, generation)
                except RowsRefusedError:
                    refused = True
            if refused:
                aside = path.parent / _REFUSED
                aside.mkdir(exist_ok=True)
                path.rename(aside / path.name)
            else:
                path.unlink()
    return taken


def _record(store: Store, run: dict[str, Any], generation: dict[str, Any]) -> bool:
    stored = store.generations(generation["case_id"], generation["run_id"])
    if any(one.generation.status is GenerationStatus.DONE for one in stored):
        return False
    if any(one.started_at == generation["started_at"] for one in stored):
        return False  # it had come as far as the store
    store.record_rows("runs", [run])
    store.record_rows("generations", [generation])
    return True


@contextlib.contextmanager
def _owned(path: Path) -> Iterator[bool]:
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        yield False
        return
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield path.exists()
    finally:
        os.close(file)


def _lines(path: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield the answers of a file; a line that was being written when the process died was never one."""
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        try:
            record = json.loads(line)
            if hashlib.sha256(record["answer"].encode()).hexdigest() != record["sha256"]:
                continue
            found = json.loads(record["answer"])
            yield found["run"], found["generation"]
        except (ValueError, LookupError, TypeError, AttributeError):
            continue


def _refusal(error: OSError) -> StoreError:
    return StoreError(
        f"An answer could not be kept on the disk: {error.strerror}.",
        hint="Free some space; the run goes on where it stopped.",
    )
