"""``pet2rep score`` on bare files: two texts, or lines of JSON. Nothing is stored."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from pet2rep_core.cli.exit_status import ExitStatus, status_of
from pet2rep_core.cli.output import note, one_line, say, table, write_json
from pet2rep_core.datasets.report_files import decode_text
from pet2rep_core.errors import InputDataError, ReportParseError, SettingsError
from pet2rep_core.records import Language, Score
from pet2rep_core.scoring.clinical import ClinicalResult, score_clinical
from pet2rep_core.scoring.nlg import METRICS, score_nlg
from pet2rep_core.scoring.profiles import ReportPart
from pet2rep_core.scoring.verify import Check, verify_scores

STANDARD_INPUT = "-"
_ID = ("id", "subject_id")
_REFERENCE = ("reference", "ground_truth")
_HYPOTHESIS = ("hypothesis", "llm_output")


def score_pair(args: argparse.Namespace) -> ExitStatus:
    """Score one text file against another.

    Raises
    ------
    SettingsError
        If only one of the two is given, or both are standard input.
    ReportParseError
        If a file cannot be read.
    """
    if args.reference is None or args.hypothesis is None:
        missing = "--reference" if args.reference is None else "--hypothesis"
        raise SettingsError(f"{missing} is missing.", hint="Name both files, or use --jsonl.")
    if args.reference == args.hypothesis == STANDARD_INPUT:
        raise SettingsError("Both texts cannot come from standard input.", hint="Name a file for one of them.")
    texts = _decode(_read(args.hypothesis), args.hypothesis), _decode(_read(args.reference), args.reference)
    language, part = Language(args.language), ReportPart(args.part)
    scores = score_nlg(*texts, language, profile=args.profile, part=part)
    clinical = score_clinical(*texts, language)
    checks = verify_scores(*texts, language, profile=args.profile, part=part, scores=scores) if args.verify else ()
    if args.json:
        write_json(_result_json(scores, clinical, checks))
    else:
        _show(scores, clinical, checks)
    return status_of(1, sum(check.differs for check in checks))


def score_lines(args: argparse.Namespace) -> ExitStatus:
    """Score every line of a JSONL file, one line of JSON for each on standard output.

    A line that cannot be scored is named on standard error with its number, and the rest goes on.
    """
    good = failed = 0
    part = ReportPart(args.part)
    for number, line in _lines(args.jsonl):
        try:
            name, texts, language = _record(line, Language(args.language))
        except InputDataError as error:
            failed += 1
            note(one_line(f"Line {number}: {error}"))
            continue
        scores = score_nlg(*texts, language, profile=args.profile, part=part)
        clinical = score_clinical(*texts, language)
        checks = verify_scores(*texts, language, profile=args.profile, part=part, scores=scores) if args.verify else ()
        if any(check.differs for check in checks):
            failed += 1
            note(f"Line {number}: a score differs from the reference library's.")
        else:
            good += 1
        say(json.dumps({"id": name, **_result_json(scores, clinical, checks)}, allow_nan=False))
    return status_of(good, failed)


def check_json(check: Check) -> dict[str, Any]:
    """Return a check as JSON."""
    return {
        "metric": check.metric, "value": check.value, "witness": check.witness, "witness_value": check.witness_value,
        "difference": check.difference, "reason": check.reason,
    }  # fmt: skip


def check_rows(checks: Sequence[Check]) -> list[tuple[str, ...]]:
    """Return checks as the rows of a table, under their headings."""
    rows: list[tuple[str, ...]] = [("metric", "value", "recomputed", "difference", "by")]
    for check in checks:
        difference = check.reason if check.difference is None else f"{check.difference:g}"
        rows.append((check.metric, _exact(check.value), _exact(check.witness_value), difference, check.witness))
    return rows


def _exact(value: float | None) -> str:
    return "-" if value is None else repr(value)


def _result_json(scores: Sequence[Score], clinical: ClinicalResult, checks: Sequence[Check]) -> dict[str, Any]:
    result: dict[str, Any] = {"scores": {s.metric: _score_json(s) for s in scores}, "ce": _clinical_json(clinical)}
    if checks:
        result["verify"] = [check_json(check) for check in checks]
    return result


def _score_json(score: Score) -> dict[str, Any]:
    shown: dict[str, Any] = {"value": score.value, "signature": score.signature}
    return shown if score.value is not None else {**shown, "reason": score.reason}


def _clinical_json(result: ClinicalResult) -> dict[str, Any]:
    classes = {
        counts.state.value: {
            "tp": counts.tp, "fp": counts.fp, "fn": counts.fn, "precision": counts.precision,
            "recall": counts.recall, "f1": counts.f1, **({"reason": counts.reason} if counts.reason else {}),
        }
        for counts in result.classes
    }  # fmt: skip
    macro = {
        "precision": result.precision, "recall": result.recall, "f1_macro": result.f1_macro,
        "f1_table": result.f1_table, **({"reason": result.reason} if result.reason else {}),
    }  # fmt: skip
    signatures = {score.metric: score.signature for score in result.scores}
    return {"classes": classes, "macro": macro, "signature": signatures["ce_f1"]}


def _show(scores: Sequence[Score], clinical: ClinicalResult, checks: Sequence[Check]) -> None:
    rows = [("metric", "value", "signature")]
    rows += [(METRICS[s.metric].label, _value(s), s.signature) for s in scores]
    rows += [(s.metric, _value(s), s.signature) for s in clinical.scores]
    for line in table(rows):
        say(line)
    if checks:
        say()
        for line in table(check_rows(checks)):
            say(line)


def _value(score: Score) -> str:
    return f"none: {score.reason}" if score.value is None else f"{score.value:.4f}"


def _lines(name: str) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, with their numbers from 1."""
    if name == STANDARD_INPUT:
        yield from _numbered(sys.stdin.buffer)
        return
    try:
        with Path(name).open("rb") as file:
            yield from _numbered(file)
    except OSError as error:
        raise _unreadable(name, error) from error


def _numbered(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(file, start=1):
        if line.strip():
            yield number, line


def _record(line: bytes, language: Language) -> tuple[str | int, tuple[str, str], Language]:
    """Return the name, (hypothesis, reference) and language of a line."""
    try:
        record = json.loads(_decode(line, ""))
    except (json.JSONDecodeError, RecursionError) as error:
        raise ReportParseError(f"It is no JSON: {error}.", hint="Write one JSON object a line.") from error
    if not isinstance(record, dict):
        raise ReportParseError("It is no JSON object.", hint='Write {"id": …, "reference": …, "hypothesis": …}.')
    key, name = _field(record, _ID)
    if isinstance(name, bool) or not isinstance(name, str | int):
        raise ReportParseError(f"Its {key!r} is neither a text nor a whole number.", hint="Give every line a name.")
    texts = (_text(record, _HYPOTHESIS), _text(record, _REFERENCE))
    if "language" not in record:
        return name, texts, language
    if record["language"] not in list(Language):
        raise ReportParseError(f"Its language is {str(record['language'])[:40]!r}.", hint="Write zh or en.")
    return name, texts, Language(record["language"])


def _field(record: Mapping[str, Any], keys: Sequence[str]) -> tuple[str, Any]:
    for key in keys:
        if key in record:
            return key, record[key]
    raise ReportParseError(f"It has no {keys[0]!r}.", hint='Write {"id": …, "reference": …, "hypothesis": …}.')


def _text(record: Mapping[str, Any], keys: Sequence[str]) -> str:
    """Return a text; the benchmark's own output is a list of one."""
    key, value = _field(record, keys)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, str):
        raise ReportParseError(f"Its {key!r} is not a text.", hint="Give a text, or a list of one text.")
    return value


def _read(name: str) -> bytes:
    if name == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise _unreadable(name, error) from error


def _unreadable(name: str, error: OSError) -> ReportParseError:
    reason = error.strerror or "it cannot be opened"
    return ReportParseError(f"{Path(name).name} cannot be read: {reason}.", hint="Check the name of the file.")


def _decode(data: bytes, name: str) -> str:
    """Return any valid UTF-8 as it is, control characters included: a model may write them, and is scored for it."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            return decode_text(data)
        except ReportParseError as error:
            where = f"{Path(name).name}: " if name else ""
            raise ReportParseError(f"{where}{error.message}", hint=error.hint) from error
