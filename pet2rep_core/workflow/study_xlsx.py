"""Tables of a study as one workbook: text stays text, numbers stay numbers."""

from __future__ import annotations

import datetime
import io
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from pet2rep_core.errors import MissingDependencyError, StoreError
from pet2rep_core.workflow.study_cells import inert_cell

_MADE = datetime.datetime(2026, 1, 1)  # a file of the same numbers is the same file
_LONGEST_CELL = 32_767
_MOST_ROWS = 1_048_575


def encode_tables(tables: Mapping[str, pa.Table], about: Mapping[str, str], *, title: str) -> bytes:
    """Return a workbook with one sheet a table, and a first one that says how they were made.

    Raises
    ------
    MissingDependencyError
        If XlsxWriter is not installed.
    StoreError
        If a table or a text is larger than a sheet can hold.
    """
    try:
        import xlsxwriter  # noqa: PLC0415 - only this export needs it
    except ImportError as error:
        raise MissingDependencyError("Writing XLSX", "pip install xlsxwriter") from error
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"title": title, "created": _MADE})
        head = book.add_format({"bold": True, "bottom": 1})
        rows = pa.table({"what": list(about), "value": list(about.values())})
        for name, table in {"about": rows, **tables}.items():
            _sheet(book, head, name, table)
    return buffer.getvalue()


def _sheet(book: Any, head: Any, name: str, table: pa.Table) -> None:
    if table.num_rows > _MOST_ROWS:
        raise StoreError(
            f"The table {name!r} has {table.num_rows} rows, more than a sheet holds.", hint="Export CSV or Parquet."
        )
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(table.schema.names):
        sheet.write_string(0, place, inert_cell(column), head)
        sheet.set_column(place, place, max(9, min(28, len(column) + 2)))
        for line, value in enumerate(table.column(place).to_pylist(), start=1):
            _write(sheet, line, place, value, name)


def _write(sheet: Any, line: int, place: int, value: object, name: str) -> None:
    if isinstance(value, bool):
        sheet.write_boolean(line, place, value)
    elif isinstance(value, int | float):
        sheet.write_number(line, place, value)
    elif value is not None and value != "":
        text = inert_cell(str(value))
        if len(text) > _LONGEST_CELL:
            raise StoreError(
                f"A text in the table {name!r} has {len(text)} characters, more than a cell holds.",
                hint="Export CSV or Parquet.",
            )
        sheet.write_string(line, place, text)
