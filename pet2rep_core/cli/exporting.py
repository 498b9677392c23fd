"""``pet2rep export``: one study with its results, or the plain tables and the leaderboard; each with a manifest."""

from __future__ import annotations

import argparse
from pathlib import Path

from pet2rep_core.cli.exit_status import ExitStatus
from pet2rep_core.cli.output import note, one_line, say, write_json
from pet2rep_core.cli.stores import own_store
from pet2rep_core.errors import SettingsError, UnknownNameError
from pet2rep_core.records import Person, Role
from pet2rep_core.settings import Settings
from pet2rep_core.store import Store
from pet2rep_core.study.estimates import Plan
from pet2rep_core.workflow.export import FORMATS, export_tables
from pet2rep_core.workflow.leaderboard_export import export_leaderboard
from pet2rep_core.workflow.study_export import STUDY_FORMATS, export_study
from pet2rep_core.workflow.study_source import find_study, read_source

_OPERATOR = Person("command line", Role.RESEARCHER)  # whoever may read the files of this installation


def run(args: argparse.Namespace, settings: Settings) -> ExitStatus:
    """Write the files and say which they are.

    Raises
    ------
    SettingsError
        If no folder is named.
    UnknownNameError
        If there is no such study or format.
    """
    if args.out is None:
        raise SettingsError(
            "--out is missing.",
            hint="Write pet2rep export --out DIR for the plain tables, pet2rep export STUDY --out DIR for a study.",
        )
    known = FORMATS if args.study is None else STUDY_FORMATS
    if args.format not in known:
        raise UnknownNameError("format", args.format, known)
    with own_store(settings) as store:
        if args.study is None:
            paths = [*export_tables(store, args.out, args.format), *export_leaderboard(store, args.out)]
        else:
            paths = _study(store, args)
    written = [str(path) for path in paths]
    if args.json:
        write_json({"files": written})
    else:
        for path in written:
            say(one_line(path))
    return ExitStatus.DONE


def _study(store: Store, args: argparse.Namespace) -> list[Path]:
    source = read_source(store, _OPERATOR, find_study(store, args.study))
    if source.blind:
        note(f"The study is {source.state}, not unblinded: models are letters.")
    return export_study(source, args.out, args.format, mark=args.excel, plan=Plan(seed=args.seed))
