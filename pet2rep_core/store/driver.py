"""The only module that touches the DuckDB file.

Why so careful: DuckDB 2.0 loses data without an error in a few situations, each of which is closed here.

- A failed statement inside a transaction lets COMMIT succeed while nothing is stored:
  ``transaction.py`` remembers the failure and refuses to commit.
- Opening and closing the database file anywhere in this process drops DuckDB's own lock on it: an advisory
  lock on ``<file>.lock`` decides who owns it, and nothing here (nor anywhere else) reads the file itself.
- A forked child writes through the inherited connection unnoticed: every use checks the process id.
- One connection used by two threads at once fails: each operation borrows a cursor of its own.
- A full disk during a checkpoint invalidates the open database: it is opened again, and the caller is told.

A PostgreSQL driver has to offer what :class:`Database` offers: ``dialect``, ``rows``, ``table``,
``transaction``, ``checkpoint``, ``close``, ``write_lock``.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pet2rep_core.errors import StoreError
from pet2rep_core.store.lockfile import LockFile
from pet2rep_core.store.transaction import RowsRefusedError, Transaction

MIN_FREE_BYTES = 200 * 2**20
_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 2,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "enable_external_access": False,
}
_REFUSED_ROWS = (
    duckdb.ConstraintException,
    duckdb.ConversionException,
    duckdb.OutOfRangeException,
    duckdb.TypeMismatchException,
)
_NOT_DAMAGE = ("No space left", "File too large", "Permission denied", "Cannot allocate")
_NOT_STORED = "Nothing was stored; correct the rows and record them again."
_FULL_DISK_HINT = "Free some space on the disk and save again; nothing that was confirmed is lost."


def utc_now() -> str:
    """Return the time now in UTC, ISO 8601 with microseconds."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="microseconds")


class Database:
    """One DuckDB file, owned by this process alone; safe to use from many threads.

    Parameters
    ----------
    path : Path
        The database file; it and its folder are made on first use.
    min_free_bytes : int
        Writing is refused while the disk has less room than this.

    Raises
    ------
    StoreLockedError
        If another process (or this one) has it open.
    StoreError
        If the file cannot be opened or is damaged.
    """

    dialect = "duck"

    def __init__(self, path: Path, *, min_free_bytes: int = MIN_FREE_BYTES) -> None:
        self.path = path
        self.min_free_bytes = min_free_bytes
        self.write_lock = threading.RLock()
        self.notices: list[str] = []
        self._pid = os.getpid()
        self._gate = threading.Condition()
        self._idle: list[duckdb.DuckDBPyConnection] = []
        self._borrowed = 0
        self._writing = False
        self._closed = False
        self._root: duckdb.DuckDBPyConnection | None = None
        self._lock = LockFile(path.with_name(f"{path.name}.lock"), guards=path.name)
        try:
            self._root = self._connect_or_set_log_aside()
        except BaseException:
            self._lock.release()
            raise

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self._reading() as cursor:
            return cursor.execute(sql, list(values)).fetchall()

    def table(self, sql: str, values: Mapping[str, object] | None = None) -> pa.Table:
        """Return the rows of a query as an Arrow table; ``values`` by the names behind ``$`` in it."""
        with self._reading() as cursor:
            return cursor.sql(sql, params=dict(values)).to_arrow_table() if values else cursor.sql(sql).to_arrow_table()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Store everything that the block does, or nothing of it; one transaction at a time.

        Raises
        ------
        RowsRefusedError
            If a row breaks a constraint of the schema.
        StoreError
            If it could not be stored: a full disk, a swallowed error, a nested transaction.
        """
        self._check_process()
        with self.write_lock:
            if self._writing:
                raise StoreError("A transaction was opened inside another one.", hint="Report this as a bug.")
            self._check_free_space()
            self._writing = True
            try:
                yield from self._transact()
            except duckdb.FatalException as error:
                self.reopen()
                raise StoreError(
                    f"The database could not be written: {self._words(error)}", hint=_FULL_DISK_HINT
                ) from error
            except _REFUSED_ROWS as error:
                raise RowsRefusedError(
                    f"The rows do not fit the store: {self._words(error)}", hint=_NOT_STORED
                ) from error
            except duckdb.TransactionException as error:
                kind = RowsRefusedError if "UNIQUE" in str(error) else StoreError
                raise kind(f"The change could not be stored: {self._words(error)}", hint=_FULL_DISK_HINT) from error
            except duckdb.Error as error:
                raise StoreError(f"The change could not be stored: {self._words(error)}", hint=_NOT_STORED) from error
            finally:
                self._writing = False

    def checkpoint(self) -> None:
        """Write the log into the database file."""
        # never FORCE CHECKPOINT: it makes every writer wait behind one forgotten transaction
        try:
            with self.write_lock, self._borrow() as cursor:
                cursor.execute("CHECKPOINT")
        except duckdb.FatalException as error:
            self.reopen()
            raise StoreError(
                f"The log could not be written back: {self._words(error)}", hint=_FULL_DISK_HINT
            ) from error
        except duckdb.Error as error:
            raise StoreError(
                f"The log could not be written back: {self._words(error)}", hint=_FULL_DISK_HINT
            ) from error

    def reopen(self) -> None:
        """Open the file again after DuckDB has given it up; waits until nobody uses the old connections."""
        with self.write_lock, self._gate:
            self._gate.wait_for(lambda: self._borrowed == 0)
            self._close_connections()
            self._root = self._connect()

    def close(self) -> None:
        """Write the log into the file, close it and let others open it. Closing twice does nothing.

        In a forked child this does nothing: the file belongs to the parent.
        """
        if os.getpid() != self._pid or self._closed:
            return
        try:
            # a plain close() hides a failed checkpoint; the log then still has everything
            self.checkpoint()
        finally:
            with self.write_lock, self._gate:
                self._gate.wait_for(lambda: self._borrowed == 0)
                self._closed = True
                self._close_connections()
                self._lock.release()

    def _transact(self) -> Iterator[Transaction]:
        with self._borrow() as cursor:
            cursor.begin()
            tx = Transaction(cursor)
            try:
                yield tx
                if tx.failure is not None:
                    raise StoreError(
                        "A statement failed inside a transaction and the failure was passed over; nothing was stored.",
                        hint="Report this as a bug.",
                    ) from tx.failure
                cursor.commit()
            except BaseException:
                # after a failed commit DuckDB has rolled back already and says so with an error
                with contextlib.suppress(duckdb.Error):
                    cursor.rollback()
                raise
            finally:
                # outside the transaction: inside a failed one even this would fail
                with contextlib.suppress(duckdb.Error):
                    cursor.unregister("staged")

    @contextlib.contextmanager
    def _reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        try:
            with self._borrow() as cursor:
                yield cursor
        except duckdb.FatalException as error:
            self.reopen()
            raise StoreError(f"The database had to be opened again: {self._words(error)}", hint="Try again.") from error
        except duckdb.Error as error:
            raise StoreError(f"The database could not be read: {self._words(error)}", hint="Try again.") from error

    @contextlib.contextmanager
    def _borrow(self) -> Iterator[duckdb.DuckDBPyConnection]:
        self._check_process()
        with self._gate:
            if self._closed:
                raise StoreError("The store is closed.", hint="Open it again.")
            if self._root is None:  # an earlier attempt to open it again failed, for example on a full disk
                self._root = self._connect()
            cursor = self._idle.pop() if self._idle else _cursor(self._root)
            self._borrowed += 1
        try:
            yield cursor
        finally:
            with self._gate:
                self._borrowed -= 1
                self._idle.append(cursor)
                self._gate.notify_all()

    def _check_process(self) -> None:
        if os.getpid() != self._pid:
            raise StoreError(
                "The store was opened before this process was forked and cannot be used in it.",
                hint="Open the store in one process, and hand results over through the inbox.",
            )

    def _check_free_space(self) -> None:
        try:
            free = shutil.disk_usage(self.path.parent).free
        except OSError as error:
            raise StoreError(
                f"The folder of the store cannot be read: {error.strerror}.",
                hint="Bring the disk back, then try again.",
            ) from error
        if free < self.min_free_bytes:
            raise StoreError(
                f"The disk of the store has {free // 2**20} MB left, less than {self.min_free_bytes // 2**20} MB.",
                hint=_FULL_DISK_HINT,
            )

    def _words(self, error: Exception) -> str:
        """Return the first line of a foreign error, with files named without their folder."""
        lines = str(error).strip().splitlines() or [type(error).__name__]
        return lines[0].replace(f"{self.path.parent}{os.sep}", "")

    def _close_connections(self) -> None:
        for cursor in self._idle:
            cursor.close()
        self._idle.clear()
        if self._root is not None:
            self._root.close()
            self._root = None

    def _connect(self) -> duckdb.DuckDBPyConnection:
        try:
            return duckdb.connect(str(self.path), config=_CONFIG)
        except duckdb.Error as error:
            if "Could not set lock" in str(error):
                raise self._lock.refusal(by="another program") from error
            raise StoreError(
                f"The database {self.path.name} cannot be opened: {self._words(error)}",
                hint="Free the disk if it is full; if the file is damaged, restore the last backup of it: the journal "
                "beside it brings every confirmed rating back.",
            ) from error

    def _connect_or_set_log_aside(self) -> duckdb.DuckDBPyConnection:
        try:
            return self._connect()
        except StoreError as error:
            log = self.path.with_name(f"{self.path.name}.wal")
            words = str(error.__cause__)
            if not log.exists() or "WAL" not in words or any(cause in words for cause in _NOT_DAMAGE):
                raise
            stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S%fZ")
            aside = log.with_name(f"{log.name}.damaged-{stamp}")
            log.rename(aside)
            try:
                root = self._connect()
            except StoreError:
                aside.rename(log)
                raise
            self.notices.append(
                f"The database log could not be read and was set aside as {aside.name}; imports, generations and "
                "scores since the last checkpoint may be missing and can be made again."
            )
            return root


def _cursor(root: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    cursor = root.cursor()
    cursor.execute("SET TimeZone = 'UTC'")
    return cursor
