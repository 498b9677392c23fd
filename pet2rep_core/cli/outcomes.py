"""What became of the cases of an import, in words and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pet2rep_core.cli.exit_status import ExitStatus, status_of
from pet2rep_core.cli.output import note, one_line, say
from pet2rep_core.workflow.import_dataset import ImportOutcome, ImportStatus


def outcomes_json(outcomes: Sequence[ImportOutcome]) -> list[dict[str, Any]]:
    """Return outcomes as JSON-ready data."""
    return [
        {"case_id": one.case_id, "status": one.status.value, "reason": one.reason, "warnings": list(one.warnings)}
        for one in outcomes
    ]


def say_outcomes(outcomes: Sequence[ImportOutcome]) -> None:
    """Write how many cases ended how, then every warning and every failure."""
    counts = Counter(one.status for one in outcomes)
    parts = [f"{counts[status]} {status.value}" for status in ImportStatus if counts[status]]
    say(f"{', '.join(parts) or 'nothing'}.")
    for one in outcomes:
        for warning in one.warnings:
            say(f"  warning: {one_line(one.case_id)}: {one_line(warning)}")
    for one in outcomes:
        if one.status is ImportStatus.FAILED:
            say(f"  failed: {one_line(one.case_id)}: {one_line(one.reason)}")


def outcome_status(outcomes: Sequence[ImportOutcome]) -> ExitStatus:
    """Return the exit status of an import; where nothing went in, say it in a sentence."""
    failed = [one for one in outcomes if one.status is ImportStatus.FAILED]
    status = status_of(len(outcomes) - len(failed), len(failed))
    if status is ExitStatus.NOTHING:
        note(f"Nothing was imported. {one_line(failed[0].case_id)}: {one_line(failed[0].reason)}")
    return status
