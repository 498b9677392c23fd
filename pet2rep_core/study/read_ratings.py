"""Ratings from a table of one's own: ``reader,item,patient,dimension,value``, an empty value is not assessable."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pet2rep_core.datasets.report_files import Row, decode_text, parse_table
from pet2rep_core.errors import DatasetLayoutError, ReportParseError
from pet2rep_core.study.ratings import OneRating, RatingSheet, make_sheet
from pet2rep_core.study.rubric import VALUES

COLUMNS = ("reader", "item", "patient", "dimension", "value")


def read_ratings(path: Path) -> dict[str, RatingSheet]:
    """Return the ratings of a CSV file, by dimension in the order of their first lines.

    Raises
    ------
    ReportParseError
        If the file cannot be read, or not as text.
    DatasetLayoutError
        If it is no such table; the message names the line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise ReportParseError(
            f"{path.name} cannot be read: {reason}.", hint="Check that the file may be read."
        ) from error
    return parse_ratings(data, path.name)


def parse_ratings(data: bytes, name: str) -> dict[str, RatingSheet]:
    """Return the ratings of the bytes of a CSV file, by dimension; ``name`` stands in the messages of errors.

    UTF-8 with and without a byte order mark, UTF-16 with one, and GB18030 are read; columns may stand in any order,
    and others beside them are left alone.

    Raises
    ------
    ReportParseError
        If the bytes are not text.
    DatasetLayoutError
        If they are no such table; the message names the line.
    """
    try:
        text = decode_text(data)
    except ReportParseError as error:
        raise ReportParseError(f"{name}: {error.message}", hint=error.hint) from error
    table = parse_table(text, name)
    columns = {column.casefold(): column for column in table.columns}
    absent = [column for column in COLUMNS if column not in columns]
    if absent:
        raise DatasetLayoutError(
            f"{name} has no column {absent[0]!r}.", hint=f"The columns are {', '.join(COLUMNS)}; give them these names."
        )
    if not table.rows:
        raise DatasetLayoutError(f"{name} has no rating.", hint="Give one line for each reader, item and dimension.")
    of_dimension: dict[str, list[OneRating]] = {}
    seen: dict[tuple[str, str, str], int] = {}
    owner: dict[str, tuple[str, int]] = {}
    for row in table.rows:
        dimension, rating = _rating(row, columns, name)
        earlier = seen.setdefault((dimension, rating.reader, rating.item), row.line)
        if earlier != row.line:
            raise DatasetLayoutError(
                f"Line {row.line} of {name} has the reader, item and dimension of line {earlier} again.",
                hint="Keep one line for each; leave hidden repeats and older revisions out.",
            )
        patient, first = owner.setdefault(rating.item, (rating.patient, row.line))
        if patient != rating.patient:
            raise DatasetLayoutError(
                f"Line {row.line} of {name} gives an item to another patient than line {first}.",
                hint="An item is one output of one patient; give outputs of other patients other names.",
            )
        of_dimension.setdefault(dimension, []).append(rating)
    return {dimension: make_sheet(ratings) for dimension, ratings in of_dimension.items()}


def _rating(row: Row, columns: Mapping[str, str], name: str) -> tuple[str, OneRating]:
    if row.fault:
        raise DatasetLayoutError(
            f"Line {row.line} of {name} has more cells than the heading.", hint="Put cells with a comma into quotes."
        )
    cells = {column: row.cells[columns[column]] for column in COLUMNS}
    empty = next((column for column in COLUMNS[:-1] if not cells[column]), None)
    if empty is not None:
        raise DatasetLayoutError(f"Line {row.line} of {name} has no {empty}.", hint="Only the value may be empty.")
    said = cells["value"]
    value = _value(said) if said else None
    if said and value is None:
        raise DatasetLayoutError(
            f"Line {row.line} of {name} has the value {said[:40]!r}.",
            hint="Values are 1, 2, 3, 4 and 5; leave the cell empty for not assessable.",
        )
    return cells["dimension"], OneRating(cells["reader"], cells["item"], cells["patient"], value)


def _value(said: str) -> int | None:
    """Return a value of the scale, also as ``4.0``, which tables with empty cells are often written with; else None."""
    try:
        number = float(said)
    except ValueError:
        return None
    return int(number) if number in VALUES else None
