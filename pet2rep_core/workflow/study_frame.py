"""The ratings of a study as a frame: one row per item, stage and dimension, checked, and blind until unblinded."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pet2rep_core.errors import DatasetLayoutError
from pet2rep_core.records import ItemKind, Stage
from pet2rep_core.study.habits import Change, PlacedRating
from pet2rep_core.study.ratings import Named, RatingSheet, sheet_of_columns
from pet2rep_core.study.repeats import TwoReadings
from pet2rep_core.study.rubric import VALUES, read_rubric

TEXTS = (
    "study", "item", "kind", "repeat_of", "reader", "patient", "dataset", "model", "input_setting", "language",
    "run_id", "generation_id", "stage", "dimension", "reason", "comment", "rubric_version", "shown_sha256",
    "created_at", "event_id",
)  # fmt: skip
NUMBERS = ("position", "value", "revision", "active_ms")
_MODEL_TEXTS = ("model", "input_setting", "run_id")


@dataclass(frozen=True, slots=True)
class Arm:
    """What is compared in a study: one run, named by model and input setting, or by a letter while it is blind."""

    key: str
    model: str
    input_setting: str

    @property
    def label(self) -> str:
        """Model and input setting in one line."""
        return f"{self.model} · {self.input_setting}" if self.input_setting else self.model


def frame_of(table: pa.Table) -> pd.DataFrame:
    """Return a table of ratings as a frame: texts without NULL, whole numbers that may be missing.

    Raises
    ------
    DatasetLayoutError
        If a column is missing, or a value is not on the scale.
    """
    absent = [name for name in (*TEXTS, *NUMBERS) if name not in table.schema.names]
    if absent:
        raise DatasetLayoutError(
            f"The ratings have no column {absent[0]!r}.", hint="Take a long table that this program exported."
        )
    table = filled(table)
    frame = table.to_pandas(strings_to_categorical=True)
    for name in NUMBERS:
        frame[name] = pd.array(table[name].to_numpy(zero_copy_only=False), dtype="Float64").astype("Int64")
    wrong = [value for value in frame["value"].dropna().unique() if value not in VALUES]
    if wrong:
        raise DatasetLayoutError(
            f"A rating has the value {int(wrong[0])}.", hint="Values are 1, 2, 3, 4 and 5; empty is not assessable."
        )
    return pd.DataFrame(frame)


def filled(table: pa.Table) -> pa.Table:
    """Return a table with an empty text in place of NULL, so that every format holds the same."""
    for place, kind in enumerate(table.schema.types):
        if pa.types.is_string(kind):
            table = table.set_column(place, table.schema.field(place), pc.fill_null(table.column(place), ""))
    return table


def run_letters(table: pa.Table) -> dict[str, str]:
    """Return a letter for each run of a table; their order follows a hash, so that it says nothing of the models."""
    study = next(iter(pc.unique(table["study"]).to_pylist()), "")
    runs = sorted((str(run) for run in pc.unique(table["run_id"]).to_pylist()), key=lambda run: _hash(study, run))
    return {run: _letters(place) for place, run in enumerate(runs)}


def blinded(table: pa.Table, letters: Mapping[str, str]) -> pa.Table:
    """Return ratings or marks with letters in place of models, and without what would tell the model.

    Parameters
    ----------
    letters : mapping of str to str
        Letter of each run, from :func:`run_letters` of the ratings.
    """
    study = next(iter(pc.unique(table["study"]).to_pylist()), "")
    outputs = {one: _hash(study, one)[:16] for one in pc.unique(table["generation_id"]).to_pylist()}
    runs = _renamed(table["run_id"], letters)
    said = {
        "model": runs, "input_setting": pa.array([""] * len(runs), pa.string()), "run_id": runs,
        "generation_id": _renamed(table["generation_id"], outputs),
    }  # fmt: skip
    for name, values in said.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, table.schema.field(place), values)
    return table


def _renamed(column: pa.ChunkedArray, names: Mapping[str, str]) -> pa.Array:
    found = column.combine_chunks().dictionary_encode()
    return pa.array([names[one] for one in found.dictionary.to_pylist()], pa.string()).take(found.indices)


def arms_of(frame: pd.DataFrame) -> tuple[Arm, ...]:
    """Return what the study compares, by model and input setting; a second run of the same gets a number."""
    rows = sorted(
        frame[[*_MODEL_TEXTS]].drop_duplicates().astype(str).itertuples(index=False, name=None),
        key=lambda row: (row[0], row[1], row[2]),
    )
    found: list[Arm] = []
    for model, setting, run in rows:
        twins = sum(1 for other in rows if other[:2] == (model, setting))
        earlier = sum(1 for other in found if other.model.split(" #")[0] == model and other.input_setting == setting)
        found.append(Arm(run, f"{model} #{earlier + 1}" if twins > 1 else model, setting))
    return tuple(found)


def dimensions_of(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the dimensions: those of the rubric in its order, then others as they come."""
    there = list(dict.fromkeys(str(one) for one in frame["dimension"].unique()))
    known = [key for key in read_rubric().keys if key in there]
    return (*known, *(one for one in there if one not in known))


def main_ratings(frame: pd.DataFrame, stage: Stage = Stage.FINAL) -> pd.DataFrame:
    """Return the ratings that are analysed: main items in one stage; no training, no repeats."""
    rows: pd.DataFrame = frame[(frame["kind"] == ItemKind.MAIN.value) & (frame["stage"] == stage.value)]
    return rows


def sheet_of(frame: pd.DataFrame, dimension: str, stage: Stage = Stage.FINAL) -> RatingSheet:
    """Return the main ratings of one dimension; an item is one generated report, whoever rated it.

    Raises
    ------
    DatasetLayoutError
        If a reader has two main ratings of one report.
    """
    rows = main_ratings(frame, stage)
    rows = rows[rows["dimension"] == dimension]
    try:
        return sheet_of_columns(
            _named(rows["reader"]),
            _named(rows["generation_id"]),
            _named(rows["patient"]),
            rows["value"].to_numpy(dtype=np.float64, na_value=np.nan),
        )
    except ValueError as error:
        raise DatasetLayoutError(
            f"The ratings of the dimension {dimension!r} do not fit together: {error}",
            hint="Check that every reader has one main item for each report.",
        ) from error


def _named(column: pd.Series) -> Named:
    known = column.astype("category").cat
    return tuple(str(name) for name in known.categories), known.codes.to_numpy().astype(np.intp)


def repeats_of(frame: pd.DataFrame, dimension: str) -> list[TwoReadings]:
    """Return first and second readings of the hidden repeats that both have a value."""
    rows = frame[(frame["dimension"] == dimension) & (frame["stage"] == Stage.FINAL.value)]
    columns = ["reader", "item", "repeat_of", "patient", "value"]
    again = rows[rows["kind"] == ItemKind.REPEAT.value][columns].astype({"repeat_of": str})
    first = rows[["reader", "item", "value"]].astype({"item": str})
    both = again.merge(first, left_on=["reader", "repeat_of"], right_on=["reader", "item"], suffixes=("", "_first"))
    both = both[both["value"].notna() & both["value_first"].notna()]
    return [
        TwoReadings(str(reader), str(patient), int(before), int(after))
        for reader, patient, before, after in zip(
            both["reader"], both["patient"], both["value_first"], both["value"], strict=True
        )
    ]


def placed_of(frame: pd.DataFrame, dimension: str) -> list[PlacedRating]:
    """Return the main final values of one dimension with their places in the readers' lists."""
    rows = main_ratings(frame)
    rows = rows[(rows["dimension"] == dimension) & rows["value"].notna()]
    return [
        PlacedRating(str(reader), str(item), str(patient), float(position), int(value))
        for reader, item, patient, position, value in zip(
            rows["reader"], rows["generation_id"], rows["patient"], rows["position"], rows["value"], strict=True
        )
    ]


def changes_of(frame: pd.DataFrame, dimension: str) -> list[Change]:
    """Return provisional and final values of the main items that have both."""
    columns = ["item", "patient", "value"]
    both = [
        rows[(rows["dimension"] == dimension) & rows["value"].notna()][columns]
        for rows in (main_ratings(frame, Stage.PROVISIONAL), main_ratings(frame))
    ]
    joined = both[0].merge(both[1], on="item", suffixes=("", "_final"))
    return [
        Change(str(patient), int(before), int(after))
        for patient, before, after in zip(joined["patient"], joined["value"], joined["value_final"], strict=True)
    ]


def patient_means(frame: pd.DataFrame, dimension: str, patients: Sequence[str], run: str) -> list[float | None]:
    """Return the mean of all readers' final values of one run for each patient; None where there is none."""
    rows = main_ratings(frame)
    rows = rows[(rows["dimension"] == dimension) & (rows["run_id"] == run) & rows["value"].notna()]
    means = rows["value"].groupby(rows["patient"].astype(str)).mean()
    found = means.reindex(list(patients)).to_numpy(dtype=np.float64, na_value=np.nan)
    return [None if np.isnan(one) else float(one) for one in found]


def _letters(place: int) -> str:
    """Return A to Z, then AA, AB, …."""
    name = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = string.ascii_uppercase[rest] + name
    return name


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8")).hexdigest()
