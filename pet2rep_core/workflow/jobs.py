"""Long work that goes on when the page is left: a thread with progress and cancel."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from pet2rep_core.errors import Pet2RepError
from pet2rep_core.workflow.import_dataset import ImportOutcome


class ImportJob:
    """One import under way or ended; read from any thread.

    Parameters
    ----------
    total : int
        Outcomes that will come if nobody cancels.
    start : callable
        Gets a function that says whether to stop, and yields outcomes.
    """

    def __init__(self, name: str, total: int, start: Callable[[Callable[[], bool]], Iterator[ImportOutcome]]) -> None:
        self.name = name
        self.total = total
        self.outcomes: list[ImportOutcome] = []
        self.problem: Pet2RepError | None = None
        self._stop = threading.Event()
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._run, args=(start,), name="import", daemon=True)
        self._thread.start()

    def _run(self, start: Callable[[Callable[[], bool]], Iterator[ImportOutcome]]) -> None:
        try:
            for outcome in start(self._stop.is_set):
                self.outcomes.append(outcome)
        except Pet2RepError as error:
            self.problem = error

    def cancel(self) -> None:
        """Stop after the cases that are under way."""
        self._stop.set()

    @property
    def cancelled(self) -> bool:
        """Tell whether somebody cancelled it."""
        return self._stop.is_set()

    @property
    def running(self) -> bool:
        """Tell whether it is still at work."""
        return self._thread.is_alive()

    @property
    def seconds_left(self) -> float | None:
        """Estimate from the pace so far; None before the first case has ended."""
        done = len(self.outcomes)
        if not done or not self.running:
            return None
        return (time.monotonic() - self._began) / done * (self.total - done)

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until it has ended."""
        self._thread.join(timeout_s)
