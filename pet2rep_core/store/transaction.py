"""One transaction of the database, which cannot pass over a failure."""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa

from pet2rep_core.errors import StoreError


class RowsRefusedError(StoreError):
    """The rows themselves cannot be stored; trying again does not help."""


class Transaction:
    """Statements that are stored together or not at all. Made by :meth:`Database.transaction`."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection) -> None:
        self._cursor = cursor
        self.failure: BaseException | None = None

    def execute(self, sql: str, *values: object) -> None:
        """Run one statement."""
        self._run(sql, values)

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        return self._run(sql, values).fetchall()

    def stage(self, table: pa.Table) -> None:
        """Make the rows of a table readable as ``staged`` until the transaction ends."""
        self._cursor.register("staged", table)

    def _run(self, sql: str, values: tuple[object, ...]) -> duckdb.DuckDBPyConnection:
        try:
            return self._cursor.execute(sql, list(values))
        except BaseException as error:
            self.failure = error
            raise
