"""What a command says to the shell that called it."""

from __future__ import annotations

from enum import IntEnum


class ExitStatus(IntEnum):
    """Exit status of every command."""

    DONE = 0
    SOME_FAILED = 1
    NOTHING = 2
    STOPPED = 130
    PIPE_CLOSED = 141


def status_of(good: int, failed: int) -> ExitStatus:
    """Return the status of a command that did ``good`` things and could not do ``failed`` ones."""
    if not failed:
        return ExitStatus.DONE
    return ExitStatus.SOME_FAILED if good else ExitStatus.NOTHING
