"""How a run stands, for whoever watches it: done, under way, waiting, spent, and an honest guess of the time left."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pet2rep_core.errors import ProviderBusyError


@dataclass(frozen=True, slots=True)
class Waiting:
    """One request that waits before it is tried again."""

    case_id: str
    model: str
    seconds_left: float
    reason: str
    hint: str


class RunProgress:
    """Written by the threads of a run, read by a page or a terminal.

    Only what is really asked counts for the pace: what was there already, or was copied, took no time.

    Parameters
    ----------
    on_wait : callable, optional
        Gets case, model, seconds and reason of every wait as it begins, in the thread that waits.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        on_wait: Callable[[str, str, float, ProviderBusyError], None] | None = None,
    ) -> None:
        self._on_wait = on_wait
        self._clock = clock
        self._lock = threading.Lock()
        self._to_ask = 0
        self._asked = 0
        self._under_way = 0
        self._began: float | None = None
        self._waits: dict[tuple[str, str], tuple[float, ProviderBusyError]] = {}
        self.spent = 0.0
        self.phase = ""
        """What happens now: ``checking``, ``loading`` or ``asking`` a model; empty before and after."""
        self.model = ""

    def enter(self, phase: str, model: str = "") -> None:
        """Say what happens now."""
        self.phase, self.model = phase, model

    def expect(self, count: int) -> None:
        """Say how many requests will be asked in all."""
        with self._lock:
            self._to_ask = count

    def less(self, count: int = 1) -> None:
        """Say that so many need not, or cannot, be asked."""
        with self._lock:
            self._to_ask = max(self._to_ask - count, self._asked)

    def start_one(self) -> None:
        """A request goes out."""
        with self._lock:
            self._under_way += 1
            self._began = self._clock() if self._began is None else self._began

    def end_one(self, *, answered: bool) -> None:
        """A request came back; one that was stopped is no step."""
        with self._lock:
            self._under_way -= 1
            self._asked += answered

    def wait(self, case_id: str, model: str, seconds: float, error: ProviderBusyError) -> None:
        """A request waits."""
        with self._lock:
            self._waits[case_id, model] = (self._clock() + seconds, error)
        if self._on_wait is not None:
            self._on_wait(case_id, model, seconds, error)

    def wait_over(self, case_id: str, model: str) -> None:
        """It waits no more."""
        with self._lock:
            self._waits.pop((case_id, model), None)

    @property
    def under_way(self) -> int:
        """Requests that are out now."""
        return self._under_way

    @property
    def asked(self) -> int:
        """Requests that came back."""
        return self._asked

    @property
    def waiting(self) -> tuple[Waiting, ...]:
        """The requests that wait now, the one that waits longest last."""
        with self._lock:
            now = self._clock()
            found = [
                Waiting(case_id, model, max(until - now, 0.0), error.message, error.hint)
                for (case_id, model), (until, error) in self._waits.items()
            ]
        return tuple(sorted(found, key=lambda one: (one.seconds_left, one.case_id)))

    @property
    def seconds_left(self) -> float | None:
        """What is left at the pace so far; None before the first answer."""
        with self._lock:
            if self._began is None or not self._asked:
                return None
            pace = (self._clock() - self._began) / self._asked
            left = pace * max(self._to_ask - self._asked, 0)
            longest = max((until - self._clock() for until, _ in self._waits.values()), default=0.0)
        return max(left, longest)
