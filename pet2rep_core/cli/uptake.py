"""``pet2rep uptake``: what reports say about the uptake of each organ, line by line. Nothing is stored."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from pet2rep_core.cli.exit_status import ExitStatus, status_of
from pet2rep_core.cli.output import one_line, say
from pet2rep_core.errors import InputDataError, ReportParseError
from pet2rep_core.records import Language
from pet2rep_core.report.sections import SectionKind, detect_language, find_sections
from pet2rep_core.report.uptake import OrganUptake, extract_findings_uptake, extract_uptake
from pet2rep_core.settings import Settings

STANDARD_INPUT = "-"


def run(args: argparse.Namespace, settings: Settings) -> ExitStatus:  # noqa: ARG001 -- every command has both
    """Print one line of JSON for each line of a JSONL file; a line that cannot be read gives its error."""
    good = failed = 0
    for line in _lines(args.jsonl):
        name: object = None
        try:
            record = _record(line)
            name = record.get("id")
            result: dict[str, Any] = {"id": name, "uptake": _uptake(record, args.part)}
            good += 1
        except InputDataError as error:
            result = {"id": name, "error": one_line(error)}
            failed += 1
        say(json.dumps(result, allow_nan=False))
    return status_of(good, failed)


def _uptake(record: dict[str, Any], part: str) -> list[dict[str, Any]]:
    name = record.get("id")
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise ReportParseError("Its 'id' is neither a text nor a whole number.", hint="Give every line a name.")
    text = record.get("text")
    if not isinstance(text, str):
        raise ReportParseError("It has no 'text'.", hint='Write {"id": …, "text": …, "language": "zh" or "en"}.')
    said = record.get("language")
    if said is not None and said not in list(Language):
        raise ReportParseError(f"Its language is {str(said)[:40]!r}.", hint="Write zh or en, or leave it out.")
    language = detect_language(text) if said is None else Language(said)
    findings = part == "findings" and any(one.kind is SectionKind.FINDINGS for one in find_sections(text))
    found = extract_findings_uptake(text, language) if findings else extract_uptake(text, language)
    return [_json(item) for item in found]


def _json(item: OrganUptake) -> dict[str, Any]:
    return {
        "organ": item.organ,
        "states": [state.value for state in item.states],
        "laterality": None if item.laterality is None else item.laterality.value,
        "suvmax": list(item.suv_max),
        "evidence": [{"start": e.start, "end": e.end, "text": e.text, "rule": e.rule} for e in item.evidence],
    }


def _lines(name: str) -> Iterator[bytes]:
    """Yield the lines that are not blank."""
    if name == STANDARD_INPUT:
        yield from _filled(sys.stdin.buffer)
        return
    try:
        with Path(name).open("rb") as file:
            yield from _filled(file)
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise ReportParseError(
            f"{Path(name).name} cannot be read: {reason}.", hint="Check the name of the file."
        ) from error


def _filled(file: BinaryIO) -> Iterator[bytes]:
    return (line for line in file if line.strip())


def _record(line: bytes) -> dict[str, Any]:
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ReportParseError("It is not in UTF-8.", hint="Save the file as UTF-8.") from error
    except (json.JSONDecodeError, RecursionError) as error:
        raise ReportParseError(f"It is no JSON: {error}.", hint="Write one JSON object a line.") from error
    if not isinstance(record, dict):
        raise ReportParseError("It is no JSON object.", hint='Write {"id": …, "text": …, "language": …}.')
    return record
