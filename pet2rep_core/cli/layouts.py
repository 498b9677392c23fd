"""``pet2rep layouts``: which datasets can be imported."""

from __future__ import annotations

import argparse

from pet2rep_core.cli.exit_status import ExitStatus
from pet2rep_core.cli.output import say, table, write_json
from pet2rep_core.datasets.layouts import LAYOUTS
from pet2rep_core.settings import Settings


def run(args: argparse.Namespace, settings: Settings) -> ExitStatus:  # noqa: ARG001 - every command has both
    """List the layouts in the order in which they are tried."""
    if args.json:
        write_json({"layouts": [{"name": one.name, "description": one.description} for one in LAYOUTS.values()]})
    else:
        for line in table([(one.name, one.description) for one in LAYOUTS.values()]):
            say(line)
    return ExitStatus.DONE
