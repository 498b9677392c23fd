"""``pet2rep inspect``: what the importer sees."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from pet2rep_core.cli.exit_status import ExitStatus
from pet2rep_core.cli.output import note, one_line, say, table, write_json
from pet2rep_core.errors import Pet2RepError
from pet2rep_core.settings import Settings
from pet2rep_core.workflow.inspect_dataset import inspect_dataset

_HEAD = ("role", "series", "files", "size", "spacing mm", "axes", "unit", "used")


def run(args: argparse.Namespace, settings: Settings) -> ExitStatus:  # noqa: ARG001 - every command has both
    """Write what lies below the path; nothing else is written."""
    try:
        seen = inspect_dataset(args.path, layout=args.layout)
    except Pet2RepError as error:
        seen = {"cases": [], "errors": [{"where": args.path.name or str(args.path), "reason": one_line(error)}]}
    if args.json:
        write_json(seen)
    else:
        for line in _lines(seen):
            say(line)
    if seen["cases"]:
        return ExitStatus.DONE
    note(_why_nothing(args.path.name or str(args.path), seen["errors"]))
    return ExitStatus.NOTHING


def _why_nothing(name: str, errors: list[dict[str, str]]) -> str:
    if len(errors) == 1:
        return one_line(errors[0]["reason"])
    reason = one_line(f"{errors[0]['where']}: {errors[0]['reason']}") if errors else "There is no case."
    return f"Nothing in {one_line(name)!r} can be imported ({len(errors)} reasons). The first: {reason}"


def _lines(seen: dict[str, Any]) -> Iterator[str]:
    for case in seen["cases"]:
        yield f"Case {one_line(case['case_id'])} ({case['layout']})"
        if case["series"]:
            yield from table([_HEAD, *map(_series_cells, case["series"])], indent="  ")
        yield from (f"  {line}" for line in _facts(case))
        yield ""
    if seen["cases"] and seen["errors"]:
        yield "Not taken:"
        yield from (f"  {one_line(error['where'])}: {one_line(error['reason'])}" for error in seen["errors"])


def _series_cells(series: dict[str, Any]) -> tuple[str, ...]:
    return (
        series["role"],
        one_line(series["description"]) or "-",
        str(series["files"]),
        "x".join(map(str, series["size"] or ())) or "-",
        "x".join(f"{one:.4g}" for one in series["spacing_mm"] or ()) or "-",
        series["orientation"] or "-",
        series["units"] or "-",
        "yes" if series["skipped"] is None else f"no: {one_line(series['skipped'])}",
    )


def _facts(case: dict[str, Any]) -> Iterator[str]:
    suv = case["suv"]
    if suv["bw"] is None:
        yield f"SUV: none. {suv['reason']}"
    else:
        others = [f"{name.upper()} {suv[name]:.6g}" for name in ("lbm", "bsa", "ibw") if suv[name] is not None]
        yield ", ".join([f"SUV factors: BW {suv['bw']:.6g}", *others]) + f" (time rule: {suv['time_rule']})"
    if case["suv_max"] is not None:
        yield f"SUVmax (BW) of the whole image: {case['suv_max']:.2f} g/mL"
    yield from (f"Warning: {one_line(warning)}" for warning in suv["warnings"])
    if case["pictures"]:
        yield f"Pictures: {case['pictures']}"
    yield from (f"Report: {report['language']}, {report['characters']} characters" for report in case["reports"])
    yield from (f"Note: {one_line(problem)}" for problem in case["problems"])
