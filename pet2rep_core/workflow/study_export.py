"""A study as files: ratings long and wide, results, methods, and a manifest of how they were made.

The long table can be read again (:mod:`pet2rep_core.workflow.study_import`) and gives the same ratings.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa

from pet2rep_core import __version__
from pet2rep_core.errors import StoreError, UnknownNameError
from pet2rep_core.records import Language
from pet2rep_core.study.estimates import Plan
from pet2rep_core.workflow.export import encode_table, write_file
from pet2rep_core.workflow.leaderboard_latex import escape_latex
from pet2rep_core.workflow.study_cells import inert_cell, inert_texts
from pet2rep_core.workflow.study_latex import latex_tables
from pet2rep_core.workflow.study_methods import methods_document, methods_text, rubric_facts
from pet2rep_core.workflow.study_results import StudyResults, make_results
from pet2rep_core.workflow.study_shapes import agreement_input, reader_columns, wide_table
from pet2rep_core.workflow.study_source import StudySource
from pet2rep_core.workflow.study_tables import result_tables, validity_table
from pet2rep_core.workflow.study_validity import DimensionValidity, metrics_against_readers

STUDY_FORMATS = ("csv", "parquet", "xlsx", "jsonl", "latex")
LONG = "ratings_long"
METHODS = "METHODS.md"
_LIBRARIES = ("numpy", "pandas", "pyarrow", "duckdb")


@dataclass(frozen=True, slots=True, eq=False)
class StudyTables:
    """All tables of a study by name, with the results that some of them show."""

    source: StudySource
    results: StudyResults
    validity: Mapping[str, DimensionValidity]
    tables: Mapping[str, pa.Table]


def study_tables(source: StudySource, *, plan: Plan | None = None, results: StudyResults | None = None) -> StudyTables:
    """Return the tables of a study; ``results`` saves making them again.

    Raises
    ------
    StoreError
        If nothing was rated yet.
    """
    if not source.ratings.num_rows:
        raise StoreError("The study has no rating yet.", hint="Export it when readers have submitted some.")
    frame = source.frame
    results = results or make_results(frame, blind=source.blind, plan=plan)
    validity = {
        one: metrics_against_readers(frame[frame["dimension"] == one], source.scores, one, results.plan)
        for one in results.dimensions
    }
    tables = {
        LONG: source.ratings,
        "ratings_wide": wide_table(source.ratings),
        "ratings_by_reader": reader_columns(source.ratings),
        "agreement_input": agreement_input(source.ratings),
        "marks": source.marks,
        "adjudicated": source.settled,
        **result_tables(results),
        "metrics": validity_table(source.study_id, validity),
    }
    return StudyTables(source, results, validity, tables)


def study_files(
    made: StudyTables, file_format: str, *, mark: bool = False, made_at: datetime | None = None
) -> dict[str, bytes]:
    """Return a study in one format by file name: tables, methods, and the manifest last.

    Parameters
    ----------
    mark : bool
        Whether CSV files start with a byte order mark, by which Excel knows UTF-8.

    Raises
    ------
    UnknownNameError
        If there is no such format.
    """
    if file_format == "latex":
        files = {"tables.tex": latex_tables(made.results, made.validity).encode(), "methods.tex": _latex_methods(made)}
    elif file_format == "xlsx":
        from pet2rep_core.workflow.study_xlsx import encode_tables  # noqa: PLC0415 - it needs XlsxWriter

        about = {name: value if isinstance(value, str) else _json(value) for name, value in _making(made).items()}
        files = {"study.xlsx": encode_tables(made.tables, about, title="PET2Rep Review reader study")}
    elif file_format in ("csv", "parquet", "jsonl"):
        files = {f"{name}.{file_format}": encode(table, file_format, mark=mark) for name, table in made.tables.items()}
    else:
        raise UnknownNameError("format", file_format, STUDY_FORMATS)
    files[METHODS] = methods_document(made.results, made.source.protocol).encode("utf-8")
    manifest = {
        "made_at": (made_at or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds"),
        "format": file_format,
        "byte_order_mark": mark and file_format == "csv",
        **_making(made),
        "rows": {name: table.num_rows for name, table in made.tables.items()},
        "files": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()
        },
    }
    return {**files, manifest_name(file_format): (_json(manifest, indent=1) + "\n").encode("utf-8")}


def manifest_name(file_format: str) -> str:
    """Return the name of the manifest of one format; a folder may hold several formats."""
    return f"manifest_{file_format}.json"


def encode(table: pa.Table, file_format: str, *, mark: bool = False) -> bytes:
    """Return one table as CSV (inert texts), Parquet or JSON lines (texts as they are)."""
    if file_format == "csv":
        named = inert_texts(table).rename_columns([inert_cell(name) for name in table.schema.names])
        return (codecs.BOM_UTF8 if mark else b"") + encode_table(named, "csv")
    if file_format == "jsonl":
        return "".join(_json(row) + "\n" for row in table.to_pylist()).encode("utf-8")
    return encode_table(table, "parquet")


def export_study(
    source: StudySource, folder: Path, file_format: str, *, mark: bool = False, plan: Plan | None = None
) -> list[Path]:
    """Write a study into a folder and return the files, the manifest last.

    Raises
    ------
    UnknownNameError
        If there is no such format.
    StoreError
        If nothing was rated yet, or the folder cannot be written.
    """
    if file_format not in STUDY_FORMATS:
        raise UnknownNameError("format", file_format, STUDY_FORMATS)
    files = study_files(study_tables(source, plan=plan), file_format, mark=mark)
    return [write_file(folder / name, data) for name, data in files.items()]


def _making(made: StudyTables) -> dict[str, Any]:
    """Return how the tables were made: all that their numbers depend on."""
    source, results = made.source, made.results
    rubric = rubric_facts()
    same = results.rubric_versions == (rubric["version"],)
    return {
        "program": "PET2Rep Review",
        "version": __version__,
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "study": source.study_id,
        "title": source.title,
        "state": source.state,
        "blind": source.blind,
        "protocol": dict(source.protocol),
        "rubric_versions": list(results.rubric_versions),
        "rubric": rubric if same else None,
        "rubric_note": "" if same else f"The anchors are not listed: this installation has {rubric['version']!r}.",
        "leaks_versions": list(results.leaks_versions),
        "counts": asdict(results.counts),
        "seed": results.plan.seed,
        "resamples": results.plan.resamples,
        "level": results.plan.level,
        "interval": "percentile bootstrap over patients",
        "comparisons": "two-sided paired permutation on patient means, Holm over the comparisons of a dimension",
        "neutralised": "CSV and XLSX: an apostrophe stands before texts that a spreadsheet would run as a formula",
    }


def _latex_methods(made: StudyTables) -> bytes:
    texts = [
        methods_text(made.results, made.source.protocol, language) for language in (Language.ENGLISH, Language.CHINESE)
    ]
    head = "% The Chinese paragraph needs XeLaTeX or LuaLaTeX with the package ctex.\n"
    return (head + "\n\n".join(escape_latex(text) for text in texts) + "\n").encode("utf-8")


def _json(value: object, *, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
