"""A cap on what a run may cost: requests under way count at their estimate, so that it holds whatever they cost."""

from __future__ import annotations

import threading
from collections.abc import Callable

_POLL_S = 0.1


class CostCap:
    """Money spent and money held for requests under way; read from any thread.

    Parameters
    ----------
    limit : float or None
        In the currency of the prices; None for no limit.
    """

    def __init__(self, limit: float | None) -> None:
        self.limit = limit
        self._spent = 0.0
        self._held = 0.0
        self._change = threading.Condition()

    @property
    def spent(self) -> float:
        """What the answers cost so far, by their usage, or by the estimate where there is no usage."""
        with self._change:
            return self._spent

    def hold(self, estimate: float, cancelled: Callable[[], bool]) -> bool:
        """Hold the estimate of a request, and tell whether it may go out.

        Where it fits only if others cost less than their estimates, it waits for them.
        """
        with self._change:
            while self.limit is not None and self._spent + self._held + estimate > self.limit:
                if cancelled() or self._held == 0.0 or self._spent + estimate > self.limit:
                    return False
                self._change.wait(_POLL_S)
            self._held += estimate
            return True

    def settle(self, estimate: float, cost: float) -> None:
        """Replace what was held for a request by what it cost."""
        with self._change:
            self._held -= estimate
            if abs(self._held) < 1e-12:
                self._held = 0.0
            self._spent += cost
            self._change.notify_all()
