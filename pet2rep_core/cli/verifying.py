"""``pet2rep verify``: whether everything is as it was recorded."""

from __future__ import annotations

import argparse

from pet2rep_core.cli.exit_status import ExitStatus
from pet2rep_core.cli.output import Progress, note, one_line, say, write_json
from pet2rep_core.cli.stores import own_store
from pet2rep_core.errors import ImageReadError
from pet2rep_core.imaging.prepared import verify_prepared
from pet2rep_core.settings import Settings


def run(args: argparse.Namespace, settings: Settings) -> ExitStatus:
    """Write one line for each problem of the database and the prepared images."""
    with own_store(settings) as store:
        for repaired in store.notices:
            note(one_line(repaired))
        problems = store.verify()
        rows = store.cases()
    progress = Progress(len(rows))
    for row in rows:
        found: list[str] = []
        if row.prepared_key is not None:
            try:
                found = verify_prepared(settings.prepared, row.prepared_key)
            except ImageReadError as error:
                found = [str(error)]
        problems += [f"{row.case_id}: {problem}" for problem in found]
        progress.step(f"{row.case_id}: {'damaged' if found else 'whole'}")
    progress.end()
    if args.json:
        write_json({"cases": len(rows), "problems": problems})
    else:
        for problem in problems:
            say(one_line(problem))
        if not problems:
            say(f"All is well: the database and {len(rows)} cases.")
    return ExitStatus.SOME_FAILED if problems else ExitStatus.DONE
