"""Export tables as CSV and Parquet."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from pet2rep_core.errors import StoreError, UnknownNameError
from pet2rep_core.records import Person
from pet2rep_core.store import Store
from pet2rep_core.workflow.permissions import OWNER, RESEARCH, require

TABLES = ("ratings", "scores", "measurements")
FORMATS = ("csv", "parquet")


def table(store: Store, name: str, *, person: Person = OWNER) -> pa.Table:
    """Return a table of the store.

    ``ratings`` has a row per rating and dimension, ``scores`` one per score, ``measurements`` one per number that
    a reader measured and kept. All readers are in it: it is the researcher's.
    """
    require(person, RESEARCH)
    made = {"ratings": store.ratings_table, "scores": store.scores_table, "measurements": store.measurements_table}
    if name not in made:
        raise UnknownNameError("table", name, TABLES)
    return made[name]()


def encode_table(content: pa.Table, file_format: str) -> bytes:
    """Return a table as UTF-8 CSV with a header, or as Parquet. Missing values stay empty."""
    buffer = io.BytesIO()
    if file_format == "csv":
        pa.csv.write_csv(content, buffer)
    elif file_format == "parquet":
        pa.parquet.write_table(content, buffer, compression="zstd")
    else:
        raise UnknownNameError("format", file_format, FORMATS)
    return buffer.getvalue()


def export_tables(store: Store, folder: Path, file_format: str) -> list[Path]:
    """Write every table into a folder and return the files.

    Raises
    ------
    StoreError
        If the folder cannot be written.
    """
    written = []
    for name in TABLES:
        data = encode_table(table(store, name), file_format)
        written.append(write_file(folder / f"{name}.{file_format}", data))
    return written


def write_file(path: Path, data: bytes) -> Path:
    """Write a file whole or not at all, making its folder, and return its path.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.part")
        unfinished.write_bytes(data)
        unfinished.replace(path)
    except OSError as error:
        raise StoreError(f"{path.name} cannot be written: {error.strerror}.", hint="Choose another folder.") from error
    return path
