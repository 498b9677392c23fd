"""Calls over the network that a person can stop: they wait on an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError as FutureCancelledError
from concurrent.futures import Future
from typing import Any, TypeVar

from pet2rep_core.errors import CancelledError, ProviderBusyError

Result = TypeVar("Result")
Say = Callable[[str], None]
POLL_S = 0.1
"""How often it is asked whether a person stopped it."""
_LET_GO_S = 2.0


class Wire:
    """One event loop for all requests of an adapter; a call that is ended closes its connection at once."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name=f"wire {name}", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()
        self._loop.close()

    def call(
        self,
        start: Callable[[Say], Coroutine[Any, Any, Result]],
        *,
        on_text: Say | None,
        cancelled: Callable[[], bool],
        limit_s: float,
        host: str,
    ) -> Result:
        """Run one call and return its result.

        Parameters
        ----------
        start : callable
            Gets what takes pieces of text, and returns the coroutine of the call.
        on_text : callable, optional
            Gets the pieces, in the thread that called.
        cancelled : callable
            Asked ten times a second.
        limit_s : float
            How long the call may take in all.

        Raises
        ------
        CancelledError
            If ``cancelled`` said so.
        ProviderBusyError
            If the time was up.
        """
        pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        future = asyncio.run_coroutine_threadsafe(start(pieces.put), self._loop)
        future.add_done_callback(lambda _: pieces.put(None))
        deadline = time.monotonic() + limit_s
        while True:
            if cancelled():
                self._end(future)
                raise CancelledError("The request was stopped.", hint="Start again to go on.")
            if time.monotonic() > deadline:
                self._end(future)
                raise ProviderBusyError(
                    f"{host} did not finish its answer within {limit_s:g} s.",
                    hint="Give it more time, or ask for less text.",
                )
            try:
                piece = pieces.get(timeout=POLL_S)
            except queue.Empty:
                continue
            if piece is None:
                return future.result()
            if on_text is not None:
                on_text(piece)

    def _end(self, future: Future[Any]) -> None:
        future.cancel()
        try:
            future.exception(_LET_GO_S)
        except (FutureCancelledError, TimeoutError):
            return

    def close(self, finish: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Close connections and end the thread; closing twice does nothing."""
        if not self._thread.is_alive():
            return
        ending = asyncio.run_coroutine_threadsafe(finish(), self._loop)
        try:
            ending.exception(_LET_GO_S)
        except (FutureCancelledError, TimeoutError):
            ending.cancel()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_LET_GO_S)
