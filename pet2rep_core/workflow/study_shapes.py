"""The ratings of a study in other shapes: one row an item, one row a report with its readers beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from pet2rep_core.study.read_ratings import COLUMNS
from pet2rep_core.workflow.study_frame import NUMBERS, dimensions_of, frame_of, main_ratings

_OF_DIMENSION = ("dimension", "value", "reason", "comment")
_TEXT, _INT = pa.string(), pa.int64()


def wide_table(ratings: pa.Table) -> pa.Table:
    """Return one row for each item and stage, with value, reason and comment of every dimension as columns."""
    dimensions = dimensions_of(frame_of(ratings))
    heads = [name for name in ratings.schema.names if name not in _OF_DIMENSION]
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for row in ratings.to_pylist():
        one = rows.setdefault((row["item"], row["stage"]), {name: row[name] for name in heads})
        one[row["dimension"]] = row["value"]
        for part in ("reason", "comment"):
            one[f"{row['dimension']}_{part}"] = row[part]
    schema = pa.schema(
        [
            *(ratings.schema.field(name) for name in heads),
            *(pa.field(name, _INT) for name in dimensions),
            *(pa.field(f"{name}_{part}", _TEXT) for name in dimensions for part in ("reason", "comment")),
        ]
    )
    return pa.Table.from_pylist(list(rows.values()), schema=schema)


def reader_columns(ratings: pa.Table) -> pa.Table:
    """Return one row for each report and dimension, with the main final value of every reader as a column."""
    main = main_ratings(frame_of(ratings))
    readers = sorted({str(one) for one in main["reader"].unique()})
    heads = ["study", "patient", "model", "input_setting", "run_id", "generation_id", "dimension"]
    columns = {reader: f"reader_{reader}" for reader in readers}
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for values in main[[*heads, "reader", "value"]].itertuples(index=False, name=None):
        head, (reader, value) = values[: len(heads)], values[len(heads) :]
        row = rows.setdefault((head[-2], head[-1]), dict(zip(heads, head, strict=True)))
        row[columns[reader]] = None if pd.isna(value) else int(value)
    schema = pa.schema({**dict.fromkeys(heads, _TEXT), **dict.fromkeys(columns.values(), _INT)})
    return pa.Table.from_pylist(list(rows.values()), schema=schema)


def agreement_input(ratings: pa.Table) -> pa.Table:
    """Return the main final ratings as ``pet2rep agreement`` reads them; an item is one report."""
    main = main_ratings(frame_of(ratings))
    return pa.table(
        {
            **{
                name: pa.array([str(one) for one in main[column]], _TEXT)
                for name, column in zip(COLUMNS, ("reader", "generation_id", "patient", "dimension"), strict=False)
            },
            "value": pa.array([None if pd.isna(one) else int(one) for one in main["value"]], _INT),
        }
    )


def typed_columns(names: Sequence[str], known: pa.Schema) -> pa.Schema:
    """Return the types of the columns of a long table: those that we know, whole numbers, else text."""
    return pa.schema(
        [
            known.field(name) if name in known.names else pa.field(name, _INT if name in NUMBERS else _TEXT)
            for name in names
        ]
    )
