"""Rows of generations from many threads, stored together where several come at once."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from pet2rep_core.errors import Pet2RepError
from pet2rep_core.store import RowsRefusedError, Store


@dataclass(slots=True, eq=False)
class _Ticket:
    row: dict[str, Any]
    done: bool = False
    error: Pet2RepError | None = None


class RowWriter:
    """Whoever comes while another writes waits, and the next writes for all that wait: one transaction, not many."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[_Ticket] = []
        self._queue = threading.Lock()
        self._turn = threading.Lock()

    def write(self, row: dict[str, Any]) -> None:
        """Store a row; it is in the store when this returns.

        Raises
        ------
        StoreError
            If it could not be stored.
        """
        ticket = _Ticket(row)
        with self._queue:
            self._waiting.append(ticket)
        with self._turn:
            if not ticket.done:
                with self._queue:
                    batch, self._waiting = self._waiting, []
                self._store_all(batch)
        if ticket.error is not None:
            raise ticket.error

    def _store_all(self, batch: list[_Ticket]) -> None:
        try:
            self._store.record_rows("generations", [one.row for one in batch])
        except RowsRefusedError:
            # one of them is refused; the others must not fall with it
            for one in batch:
                try:
                    self._store.record_rows("generations", [one.row])
                except Pet2RepError as error:
                    one.error = error
        except Pet2RepError as error:
            for one in batch:
                one.error = error
        finally:
            for one in batch:
                one.done = True
