"""The long table of a study's export, read again: the same ratings, whatever the format."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet

from pet2rep_core.datasets.report_files import decode_text
from pet2rep_core.errors import DatasetLayoutError, ReportParseError, UnknownNameError
from pet2rep_core.store.study_tables import RATINGS
from pet2rep_core.workflow.study_cells import restored_cell, restored_texts
from pet2rep_core.workflow.study_frame import filled, frame_of
from pet2rep_core.workflow.study_shapes import typed_columns

READ_AGAIN = ("csv", "jsonl", "parquet")


def read_long(path: Path) -> pa.Table:
    """Return the ratings of a long table that was exported as CSV, JSON lines or Parquet.

    CSV is also taken as Excel saves it again: with or without a byte order mark, in UTF-8 or GB18030.

    Raises
    ------
    UnknownNameError
        If the file's ending is none of these.
    ReportParseError
        If the file cannot be read.
    DatasetLayoutError
        If it is no such table.
    """
    kind = path.suffix.removeprefix(".").casefold()
    if kind not in READ_AGAIN:
        raise UnknownNameError("format", kind or path.name, READ_AGAIN)
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise ReportParseError(
            f"{path.name} cannot be read: {reason}.", hint="Check that the file may be read."
        ) from error
    read = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}[kind]
    try:
        table = filled(read(data))
    except (ValueError, TypeError, KeyError, csv.Error, pa.ArrowException) as error:
        if isinstance(error, DatasetLayoutError | ReportParseError):
            raise
        raise DatasetLayoutError(
            f"{path.name} is no long table of ratings.", hint="Take a file that this program exported."
        ) from error
    frame_of(table)  # refuses missing columns and values that are none
    return table


def _csv(data: bytes) -> pa.Table:
    reader = csv.reader(io.StringIO(decode_text(data), newline=""), strict=True)
    rows = [row for row in reader if row]
    names = [restored_cell(name) for name in rows[0]] if rows else []
    lengths = {len(row) for row in rows}
    if len(lengths) != 1:
        raise ValueError("its lines have different numbers of cells")
    columns: Sequence[Sequence[str]] = list(zip(*rows[1:], strict=True)) or [[] for _ in names]
    schema = typed_columns(names, RATINGS)
    arrays = [
        pa.array([int(float(cell)) if cell.strip() else None for cell in cells], field.type)
        if pa.types.is_integer(field.type)
        else pa.array(cells, field.type)
        for cells, field in zip(columns, schema, strict=True)
    ]
    return restored_texts(pa.table(arrays, schema=schema))


def _jsonl(data: bytes) -> pa.Table:
    rows: list[dict[str, Any]] = [json.loads(line) for line in data.decode("utf-8-sig").split("\n") if line.strip()]
    return pa.Table.from_pylist(rows, schema=typed_columns(list(rows[0]) if rows else [], RATINGS))


def _parquet(data: bytes) -> pa.Table:
    table = pyarrow.parquet.read_table(io.BytesIO(data))
    return table.cast(typed_columns(table.schema.names, RATINGS))
