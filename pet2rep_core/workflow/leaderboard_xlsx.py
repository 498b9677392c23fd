"""Leaderboards as a workbook: text stays text, numbers stay numbers."""

from __future__ import annotations

import datetime
import io
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from pet2rep_core.errors import MissingDependencyError
from pet2rep_core.workflow.leaderboard import OVERALL_OF, Leaderboard
from pet2rep_core.workflow.leaderboard_table import metrics_table, model_rows
from pet2rep_core.workflow.published import read_published

_FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
_MADE = datetime.datetime(2026, 1, 1)  # a file of the same numbers is the same file


def inert_text(text: str) -> str:
    """Return a text that no spreadsheet runs as a formula: an apostrophe stands before a start that could be one."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def inert_columns(table: pa.Table) -> pa.Table:
    """Return a table whose texts are inert; numbers are left alone."""
    for place, kind in enumerate(table.schema.types):
        if pa.types.is_string(kind):
            texts = [None if text is None else inert_text(text) for text in table.column(place).to_pylist()]
            table = table.set_column(place, table.schema.field(place), pa.array(texts, kind))
    return table


def encode_workbook(boards: Sequence[Leaderboard], about: Mapping[str, str]) -> bytes:
    """Return a workbook: models, metrics, the published Table 1 on a sheet of its own, and how it was made.

    Raises
    ------
    MissingDependencyError
        If XlsxWriter is not installed.
    """
    try:
        import xlsxwriter  # noqa: PLC0415 - only this export needs it
    except ImportError as error:
        raise MissingDependencyError("Writing XLSX", "pip install xlsxwriter") from error
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"title": "PET2Rep Review leaderboard", "created": _MADE})
        head = book.add_format({"bold": True, "bottom": 1})
        models = [row for board in boards for row in model_rows(board)]
        _sheet(book, head, "Models", list(dict.fromkeys(key for row in models for key in row)), models)
        metrics = metrics_table(boards)
        _sheet(book, head, "Metrics", metrics.schema.names, metrics.to_pylist())
        published = _published_rows()
        _sheet(book, head, "Table 1 (published)", list(published[0]), published)
        _sheet(book, head, "About", ["what", "value"], [{"what": k, "value": v} for k, v in about.items()])
    return buffer.getvalue()


def _sheet(book: Any, head: Any, name: str, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    sheet = book.add_worksheet(name)
    sheet.freeze_panes(1, 0)
    for place, column in enumerate(columns):
        sheet.write_string(0, place, column, head)
        sheet.set_column(place, place, max(9, min(28, len(column) + 2)))
        for line, row in enumerate(rows, start=1):
            _write(sheet, line, place, row.get(column))


def _write(sheet: Any, line: int, place: int, value: object) -> None:
    if isinstance(value, bool):
        sheet.write_boolean(line, place, value)
    elif isinstance(value, int | float):
        sheet.write_number(line, place, value)
    elif value is not None:
        sheet.write_string(line, place, inert_text(str(value)))


def _published_rows() -> list[dict[str, Any]]:
    return [
        {
            "group": row.group, "model": row.model, "released": row.released, "input": row.input_setting,
            **{f"{name}{end}": row.scores[name][at] for name in OVERALL_OF for at, end in enumerate(("", "_std"))},
            "overall_pct": row.overall_pct, "mean_of_six_pct": row.mean_of_six_pct,
        }
        for row in read_published()
    ]  # fmt: skip
