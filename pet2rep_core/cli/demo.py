"""``pet2rep demo``: the built-in demo study."""

from __future__ import annotations

import argparse
import contextlib

from pet2rep_core.cli.exit_status import ExitStatus
from pet2rep_core.cli.outcomes import outcome_status, outcomes_json, say_outcomes
from pet2rep_core.cli.output import Progress, note, say, write_json
from pet2rep_core.datasets.phantom import demo_case_ids
from pet2rep_core.errors import UnknownNameError
from pet2rep_core.settings import Settings
from pet2rep_core.store import Store, open_or_hand_over
from pet2rep_core.workflow.demo import fill_demo_study, make_demo_study, missing_demo_cases
from pet2rep_core.workflow.import_dataset import ImportOutcome


def run(args: argparse.Namespace, settings: Settings) -> ExitStatus:
    """Make the demo cases that are missing; while the app has the store, the named ones or all."""
    wanted = args.cases or demo_case_ids()
    for name in wanted:
        if name not in demo_case_ids():
            raise UnknownNameError("demo case", name, demo_case_ids())
    outcomes: list[ImportOutcome] = []
    with contextlib.closing(open_or_hand_over(settings)) as recorder:
        if isinstance(recorder, Store):
            missing = missing_demo_cases(recorder, settings)
            wanted = tuple(name for name in wanted if name in missing)
        else:
            note("The app has the store open: the cases are handed over to it.")
        progress = Progress(len(wanted))
        for one in make_demo_study(wanted, settings, recorder):
            outcomes.append(one)
            progress.step(f"{one.case_id}: {one.status.value}")
        progress.end()
        if isinstance(recorder, Store):
            fill_demo_study(recorder, settings)
        handed_over = not isinstance(recorder, Store)
    if args.json:
        write_json({"dataset": "demo", "handed_over": handed_over, "outcomes": outcomes_json(outcomes)})
    elif outcomes:
        say_outcomes(outcomes)
    else:
        say("The demo study is complete.")
    return outcome_status(outcomes)
