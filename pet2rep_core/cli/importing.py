"""``pet2rep import``: a preview, then the import with progress, Ctrl-C and resume."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pet2rep_core.cli.cluster import connected
from pet2rep_core.cli.exit_status import ExitStatus
from pet2rep_core.cli.interrupting import stop_on_interrupt
from pet2rep_core.cli.outcomes import outcome_status, outcomes_json, say_outcomes
from pet2rep_core.cli.output import Progress, note, one_line, say, write_json
from pet2rep_core.datasets.layouts import scan_dataset
from pet2rep_core.records import CaseSource, DatasetScan, SeriesInfo, SeriesRole
from pet2rep_core.settings import Settings
from pet2rep_core.store import InboxRecorder, open_or_hand_over
from pet2rep_core.workflow.import_dataset import ImportOutcome, ImportStatus, dataset_name, import_cases


def run(args: argparse.Namespace, settings: Settings) -> ExitStatus:
    """Show what would be imported, ask, and import it."""
    scan = scan_dataset(args.path, layout=args.layout)
    dataset = args.dataset or dataset_name(scan.root)
    for line in _preview(scan, dataset):
        (note if args.json else say)(line)
    if args.dry_run or not scan.cases:
        if args.json:
            write_json({"dataset": dataset, "layout": scan.layout, **_preview_json(scan)})
        if scan.cases:
            return ExitStatus.DONE
        note("Nothing can be imported, for the reasons above.")
        return ExitStatus.NOTHING
    if not args.yes and not _confirmed():
        note("Nothing was imported.")
        return ExitStatus.NOTHING
    if args.workers:
        settings = replace(settings, workers=args.workers)
    outcomes, handed_over, stopped = _import(scan, dataset, settings, args.dask)
    if args.json:
        write_json(
            {
                "dataset": dataset, "layout": scan.layout, "handed_over": handed_over, "stopped": stopped,
                "outcomes": outcomes_json(outcomes),
            }
        )  # fmt: skip
    else:
        say_outcomes(outcomes)
    if stopped:
        done = sum(one.status is not ImportStatus.FAILED for one in outcomes)
        note(f"Stopped: {done} of {len(scan.cases)} cases are in. Import the same path again to go on from there.")
        return ExitStatus.STOPPED
    return outcome_status(outcomes)


def _import(
    scan: DatasetScan, dataset: str, settings: Settings, dask: str | None
) -> tuple[list[ImportOutcome], bool, bool]:
    outcomes: list[ImportOutcome] = []
    progress = Progress(len(scan.errors) + len(scan.cases))
    with connected(dask) as backend, contextlib.closing(open_or_hand_over(settings)) as recorder:
        handed_over = isinstance(recorder, InboxRecorder)
        if handed_over:
            note("The app has the store open: the results are handed over to it.")
        with stop_on_interrupt() as stop:
            for one in import_cases(scan, settings, recorder, dataset=dataset, backend=backend, cancelled=stop):
                outcomes.append(one)
                progress.step(f"{one.case_id}: {one.status.value}")
    progress.end()
    return outcomes, handed_over, stop.asked and len(outcomes) < len(scan.errors) + len(scan.cases)


def _confirmed() -> bool:
    """Ask where a person can answer; a script is not asked."""
    if not sys.stdin.isatty():
        return True
    sys.stderr.write("Import this? [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().casefold() in ("y", "yes")


def _preview(scan: DatasetScan, dataset: str) -> Iterator[str]:
    count = "1 case" if len(scan.cases) == 1 else f"{len(scan.cases)} cases"
    yield f"{count} of the layout {scan.layout!r} for the dataset {one_line(dataset)!r}:"
    yield from (f"  {one_line(case.case_id)}: {', '.join(_parts(case))}" for case in scan.cases)
    if scan.errors:
        yield "Not taken:"
        yield from (f"  {one_line(error.where)}: {one_line(error.reason)}" for error in scan.errors)


def _parts(case: CaseSource) -> Iterator[str]:
    for role in (SeriesRole.PET, SeriesRole.CT):
        series = case.used(role)
        if series is not None:
            yield f"{role.value.upper()} {_size(series)}".rstrip()
    if case.pictures:
        yield f"{len(case.pictures)} pictures"
    yield from (f"report in {report.language.value}" for report in case.reports)
    skipped = sum(series.skipped is not None for series in case.series)
    if skipped:
        yield f"{skipped} series skipped"


def _size(series: SeriesInfo) -> str:
    return "x".join(map(str, series.size or ()))


def _preview_json(scan: DatasetScan) -> dict[str, Any]:
    return {
        "dry_run": True,
        "cases": [
            {
                "case_id": case.case_id,
                "pet": case.used(SeriesRole.PET) is not None,
                "ct": case.used(SeriesRole.CT) is not None,
                "pictures": len(case.pictures),
                "reports": [report.language.value for report in case.reports],
                "problems": list(case.problems),
            }
            for case in scan.cases
        ],
        "errors": [{"where": error.where, "reason": error.reason} for error in scan.errors],
    }
