"""A leaderboard as flat tables: one row a model and metric for programs, one row a model for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from pet2rep_core.records import GenerationStatus
from pet2rep_core.workflow.leaderboard import OVERALL_OF, BoardRow, Cell, Leaderboard

_TEXT, _INT, _REAL, _BOOL = pa.string(), pa.int64(), pa.float64(), pa.bool_()
STATUSES = tuple(status.value for status in GenerationStatus)

METRICS_SCHEMA = pa.schema(
    {
        "language": _TEXT, "profile": _TEXT, "part": _TEXT, "group": _TEXT, "model": _TEXT, "variant": _TEXT,
        "input_setting": _TEXT, "parameters": _TEXT, "runs": _TEXT, "cases": _INT, "of_cases": _INT,
        **dict.fromkeys(STATUSES, _INT), "not_scored": _INT,
        "metric": _TEXT, "value": _REAL, "low": _REAL, "high": _REAL, "sd": _REAL, "scored": _INT, "reason": _TEXT,
        "difference": _REAL, "difference_low": _REAL, "difference_high": _REAL, "p_value": _REAL, "p_holm": _REAL,
        "p_exact": _BOOL, "signature": _TEXT,
    }
)  # fmt: skip
"""One row a model and metric. ``difference`` is to the template on the cases that both have."""


def metrics_table(boards: Iterable[Leaderboard]) -> pa.Table:
    """Return leaderboards with one row a model and metric; what is not there is NULL, with the reason."""
    rows = [
        {**_facts(board, row), **_numbers(row.cells[metric]), "metric": metric, "signature": board.signatures[metric]}
        for board in boards
        for row in board.rows
        for metric in board.metrics
    ]
    return pa.Table.from_pylist(rows, schema=METRICS_SCHEMA)


def model_rows(board: Leaderboard) -> list[dict[str, Any]]:
    """Return a leaderboard with one row a model, as a person reads it."""
    return [
        {
            **{name: _facts(board, row)[name] for name in ("group", "model", "variant", "input_setting", "language")},
            **{name: _facts(board, row)[name] for name in ("profile", "part", "cases", "of_cases")},
            **{metric: row.cells[metric].interval.value for metric in board.metrics},
            "overall_low": row.cells["overall"].interval.low,
            "overall_high": row.cells["overall"].interval.high,
            "overall_difference": None if (gain := row.cells["overall"].gain) is None else gain.value,
            "overall_p_holm": row.cells["overall"].p_holm,
            **{status: _facts(board, row)[status] for status in (*STATUSES, "not_scored")},
        }
        for row in board.rows
    ]


def reason_of(cell: Cell) -> str:
    """Return why there is no value; empty where there is one."""
    if cell.interval.value is not None:
        return ""
    if cell.missing:
        return f"missing of the six: {', '.join(name for name in OVERALL_OF if name in cell.missing)}"
    return cell.interval.reason if cell.scored else "no case is scored"


def _facts(board: Leaderboard, row: BoardRow) -> dict[str, Any]:
    counts = {status.value: row.statuses.get(status, 0) for status in GenerationStatus}
    return {
        "language": board.selection.language.value,
        "profile": board.selection.profile,
        "part": board.selection.part.value,
        "group": row.entry.group,
        "model": row.entry.model,
        "variant": row.entry.variant,
        "input_setting": row.entry.input_setting,
        "parameters": row.entry.parameters,
        "runs": " ".join(row.entry.run_ids),
        "cases": row.cases,
        "of_cases": board.cases,
        **counts,
        "not_scored": row.unscored,
    }


def _numbers(cell: Cell) -> dict[str, Any]:
    gain, test = cell.gain, cell.against
    return {
        "value": cell.interval.value,
        "low": cell.interval.low,
        "high": cell.interval.high,
        "sd": cell.sd,
        "scored": cell.scored,
        "reason": reason_of(cell),
        "difference": None if gain is None else gain.value,
        "difference_low": None if gain is None else gain.low,
        "difference_high": None if gain is None else gain.high,
        "p_value": None if test is None else test.p_value,
        "p_holm": cell.p_holm,
        "p_exact": None if test is None or test.p_value is None else test.exact,
    }
