"""``pet2rep import-outputs``: reports that a model wrote elsewhere."""

from __future__ import annotations

import argparse
import json
from collections import Counter

from pet2rep_core.cli.exit_status import ExitStatus, status_of
from pet2rep_core.cli.generating import person_of_terminal
from pet2rep_core.cli.output import note, one_line, say
from pet2rep_core.cli.stores import own_store
from pet2rep_core.records import GenerationStatus, Language
from pet2rep_core.settings import Settings
from pet2rep_core.vlm.catalog import read_catalog
from pet2rep_core.workflow.import_outputs import import_outputs


def run(args: argparse.Namespace, settings: Settings) -> ExitStatus:
    """Store the outputs as a run of the model; what could not be taken is listed with its reason."""
    row = read_catalog().row(args.model)
    with own_store(settings) as store:
        outcomes = list(
            import_outputs(
                store, person_of_terminal(), args.path.expanduser(), row, args.input, Language(args.language)
            )
        )
    for one in outcomes:
        if args.json:
            line = {
                "where": one.where, "case_id": one.case_id, "status": one.status and one.status.value,
                "reason": one.reason, "warning": one.warning, "generation_id": one.generation_id,
            }  # fmt: skip
            say(json.dumps(line))
        elif one.status is not GenerationStatus.DONE:
            note(one_line(f"{one.where}: {one.reason}"))
        if one.warning:
            note(one_line(f"warning: {one.where}: {one.warning}"))
    counts = Counter("left out" if one.status is None else one.status.value for one in outcomes)
    if not args.json:
        say(", ".join(f"{count} {name}" for name, count in sorted(counts.items())) + ".")
    done = counts[GenerationStatus.DONE.value]
    return status_of(done, len(outcomes) - done)
