"""A lock between processes that does not touch the file it guards."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from pet2rep_core.errors import StoreError, StoreLockedError


class LockFile:
    """An advisory lock on a file of its own, held until :meth:`release` or the end of the process.

    Parameters
    ----------
    path : Path
        The lock file; it holds the process id of the owner and stays on the disk.
    guards : str
        Name of the guarded file, for messages.

    Raises
    ------
    StoreLockedError
        If it is held already.
    StoreError
        If the folder cannot be written.
    """

    def __init__(self, path: Path, *, guards: str) -> None:
        self.path = path
        self._guards = guards
        self._file: int | None = None
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise StoreError(
                f"The folder of the store cannot be written: {error.strerror}.",
                hint="Set PET2REP_HOME to a folder that you can write to.",
            ) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._file = file
            # always the same length, so that it needs no new room on a full disk
            os.pwrite(file, b"%-20d\n" % os.getpid(), 0)
        except BlockingIOError as error:
            os.close(file)
            raise self.refusal(by=self._owner()) from error
        except OSError as error:
            os.close(file)
            raise StoreError(
                f"The lock {path.name} cannot be taken: {error.strerror}.",
                hint="Free the disk if it is full, and keep the store on a local disk.",
            ) from error

    def refusal(self, *, by: str) -> StoreLockedError:
        """Return the error that says who has the guarded file."""
        return StoreLockedError(
            f"The database {self._guards} is in use by {by}.",
            hint="Wait, then try again. While the app runs, the command line hands its results over to it.",
        )

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            # not only close(): a forked child may hold the same lock through a copy of the descriptor
            fcntl.flock(self._file, fcntl.LOCK_UN)
            os.close(self._file)
            self._file = None

    def _owner(self) -> str:
        text = self.path.read_text(encoding="ascii", errors="replace").strip()
        return f"process {text}" if text.isdigit() else "another process"
