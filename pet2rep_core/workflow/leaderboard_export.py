"""Leaderboards as files, each time with a manifest that says how they were made and what they hash to."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pet2rep_core import __version__
from pet2rep_core.errors import UnknownNameError
from pet2rep_core.scoring.statistics import RESAMPLES, IntervalMethod
from pet2rep_core.store import Store
from pet2rep_core.workflow.export import encode_table, write_file
from pet2rep_core.workflow.leaderboard import OVERALL_OF, SEED, Leaderboard, Selection, make_leaderboard
from pet2rep_core.workflow.leaderboard_latex import latex_table
from pet2rep_core.workflow.leaderboard_table import metrics_table
from pet2rep_core.workflow.leaderboard_xlsx import encode_workbook, inert_columns
from pet2rep_core.workflow.score_book import ScoreBook, read_score_book

BOARD_FORMATS = ("csv", "parquet", "xlsx", "tex", "json")
MANIFEST = "leaderboard.manifest.json"
_EARLIEST = (1980, 1, 1, 0, 0, 0)


def all_leaderboards(book: ScoreBook, *, seed: int = SEED, resamples: int = RESAMPLES) -> tuple[Leaderboard, ...]:
    """Return a leaderboard of every language, profile and part in which anything is scored."""
    return tuple(
        make_leaderboard(book, Selection(language, profile, part), seed=seed, resamples=resamples)
        for language in book.languages
        for profile, part in book.ways(language)
    )


def encode_leaderboards(boards: Sequence[Leaderboard], file_format: str) -> bytes:
    """Return leaderboards as one file; the same numbers give the same bytes.

    CSV, Parquet and JSON have one row a model and metric, XLSX also one a model, LaTeX one table a leaderboard.

    Raises
    ------
    UnknownNameError
        If there is no such format.
    """
    if file_format == "csv":
        return encode_table(inert_columns(metrics_table(boards)), "csv")
    if file_format == "parquet":
        return encode_table(metrics_table(boards), "parquet")
    if file_format == "xlsx":
        about = {name: value if isinstance(value, str) else _json(value) for name, value in _making(boards).items()}
        return encode_workbook(boards, about)
    if file_format == "tex":
        return "\n".join(latex_table(board) for board in boards).encode("utf-8")
    if file_format == "json":
        said = {**_making(boards), "rows": metrics_table(boards).to_pylist()}
        return (_json(said, indent=1) + "\n").encode("utf-8")
    raise UnknownNameError("format", file_format, BOARD_FORMATS)


def leaderboard_files(boards: Sequence[Leaderboard], *, made_at: datetime | None = None) -> dict[str, bytes]:
    """Return leaderboards in every format and their manifest, by file name."""
    files = {f"leaderboard.{name}": encode_leaderboards(boards, name) for name in BOARD_FORMATS}
    manifest = {
        "made_at": (made_at or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds"),
        **_making(boards),
        "rows": sum(len(board.rows) * len(board.metrics) for board in boards),
        "files": {name: {"bytes": len(data), "sha256": _hash(data)} for name, data in files.items()},
    }
    return {**files, MANIFEST: (_json(manifest, indent=1) + "\n").encode("utf-8")}


def zip_files(files: Mapping[str, bytes]) -> bytes:
    """Return files as one ZIP archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, _EARLIEST), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def export_leaderboard(store: Store, folder: Path) -> list[Path]:
    """Write every leaderboard in every format into a folder, with the manifest last, and return the files.

    Nothing is written where nothing is scored.

    Raises
    ------
    StoreError
        If the folder cannot be written.
    """
    boards = all_leaderboards(read_score_book(store))
    return [write_file(folder / name, data) for name, data in leaderboard_files(boards).items()] if boards else []


def _making(boards: Sequence[Leaderboard]) -> dict[str, Any]:
    """Return how leaderboards were made: all that their numbers depend on."""
    return {
        "program": "PET2Rep Review",
        "version": __version__,
        "seed": _one(board.seed for board in boards),
        "resamples": _one(board.resamples for board in boards),
        "interval": f"{IntervalMethod.PERCENTILE.value} bootstrap over cases",
        "level": _one(board.level for board in boards),
        "test": "two-sided paired permutation against the template baseline, Holm over the models of a table",
        "overall": f"mean of {', '.join(OVERALL_OF)}",
        "score_rows": _one(board.score_rows for board in boards),
        "score_rows_sha256": _one(board.score_sha256 for board in boards),
        "passed_over": _one(board.passed_over for board in boards),
        "leaderboards": [
            {
                "language": board.selection.language.value,
                "profile": board.selection.profile,
                "part": board.selection.part.value,
                "datasets": None if board.selection.datasets is None else list(board.selection.datasets),
                "same_cases": board.selection.same_cases,
                "models": len(board.rows),
                "cases": board.cases,
                "cases_of_every_model": board.common,
                "template": None if board.template is None else board.template.label,
                "signatures": {name: board.signatures[name] for name in board.metrics},
            }
            for board in boards
        ],
    }


def _one(values: Iterable[Any]) -> Any:
    """Return the value that all have, or all values where they differ."""
    found = sorted(set(values))
    return found[0] if len(found) == 1 else found


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _json(value: object, *, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
