"""Ctrl-C that ends a long job in order: what is under way is finished and recorded."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

_MESSAGE = "\nStopping after the cases under way; Ctrl-C once more stops at once.\n"


class Stop:
    """Whether a person asked to stop."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        """Tell whether to stop."""
        return self.asked


@contextlib.contextmanager
def stop_on_interrupt(message: str = _MESSAGE) -> Iterator[Stop]:
    """Turn the first Ctrl-C into a wish to stop, and say ``message``; the second one interrupts as ever."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def handle(*_: object) -> None:
        if stop.asked:
            raise KeyboardInterrupt
        stop.asked = True
        # not through sys.stderr, which may be in the middle of a write
        with contextlib.suppress(OSError):
            os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, message.encode("ascii"))

    before = signal.signal(signal.SIGINT, handle)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
