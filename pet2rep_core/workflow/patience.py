"""Trying again: after a wait that people see and can end, a few times, and only where it may help."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from pet2rep_core.errors import CancelledError, ProviderBusyError
from pet2rep_core.vlm.request import Adapter, Answer, Request

_POLL_S = 0.1
_LEAST_S = 0.05


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long.

    Parameters
    ----------
    tries : int
        Attempts in all.
    first_s, most_s : float
        The first wait, which doubles each time, and the longest. A server that says how long is believed.
    longest_s : float
        A server that asks for more than this is not waited for.
    """

    tries: int = 5
    first_s: float = 1.0
    most_s: float = 60.0
    longest_s: float = 300.0

    def wait_s(self, attempt: int, error: ProviderBusyError) -> float | None:
        """Return how long to wait after an attempt (1, 2, …) failed; None where it is not worth it."""
        if attempt >= self.tries:
            return None
        if error.retry_after_s is not None:
            return max(error.retry_after_s, _LEAST_S) if error.retry_after_s <= self.longest_s else None
        # spread, so that many requests that failed together do not come back together
        return min(self.first_s * 2.0 ** (attempt - 1), self.most_s) * random.uniform(0.75, 1.25)


def ask_patiently(
    adapter: Adapter,
    request: Request,
    *,
    patience: Patience,
    cancelled: Callable[[], bool],
    on_text: Callable[[str], None] | None = None,
    on_try: Callable[[int], None] | None = None,
    on_wait: Callable[[float, ProviderBusyError], None] | None = None,
) -> tuple[Answer, int]:
    """Return the answer and the number of attempts that it took.

    Parameters
    ----------
    on_try : callable, optional
        Called before each attempt with its number; text of an earlier one is void then.
    on_wait : callable, optional
        Called before each wait with its seconds and the reason.

    Raises
    ------
    ProviderBusyError
        If the last attempt failed too.
    GenerationError
        What else an adapter raises, at once.
    """
    attempt = 0
    while True:
        attempt += 1
        if on_try is not None:
            on_try(attempt)
        try:
            return adapter.ask(request, on_text=on_text, cancelled=cancelled), attempt
        except ProviderBusyError as error:
            seconds = patience.wait_s(attempt, error)
            if seconds is None:
                raise
            if on_wait is not None:
                on_wait(seconds, error)
            _sleep(seconds, cancelled)


def _sleep(seconds: float, cancelled: Callable[[], bool]) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if cancelled():
            raise CancelledError("The request was stopped.", hint="Start again to go on.")
        time.sleep(min(_POLL_S, left))
