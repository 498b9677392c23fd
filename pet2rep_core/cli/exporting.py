"""``pet2rep export``: ratings, scores and measurements as tables, and the leaderboard with its manifest."""

from __future__ import annotations

import argparse

from pet2rep_core.cli.exit_status import ExitStatus
from pet2rep_core.cli.output import one_line, say, write_json
from pet2rep_core.cli.stores import own_store
from pet2rep_core.errors import UnknownNameError
from pet2rep_core.settings import Settings
from pet2rep_core.workflow.export import FORMATS, export_tables
from pet2rep_core.workflow.leaderboard_export import export_leaderboard


def run(args: argparse.Namespace, settings: Settings) -> ExitStatus:
    """Write every table and, where anything is scored, the leaderboard into the folder; say which files they are.

    The format is that of the tables; the leaderboard comes in all of its own.
    """
    if args.format not in FORMATS:
        raise UnknownNameError("format", args.format, FORMATS)
    with own_store(settings) as store:
        paths = [*export_tables(store, args.folder, args.format), *export_leaderboard(store, args.folder)]
    written = [str(path) for path in paths]
    if args.json:
        write_json({"files": written})
    else:
        for path in written:
            say(one_line(path))
    return ExitStatus.DONE
