"""``pet2rep score``: scores of generated reports."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from pet2rep_core.cli.exit_status import ExitStatus, status_of
from pet2rep_core.cli.output import Progress, note, one_line, say, write_json
from pet2rep_core.cli.stores import own_store
from pet2rep_core.errors import InputDataError
from pet2rep_core.settings import Settings
from pet2rep_core.workflow.score import score_generation


def run(args: argparse.Namespace, settings: Settings) -> ExitStatus:
    """Score every generation that has no scores yet, or all of them."""
    results: list[dict[str, Any]] = []
    with own_store(settings) as store:
        scored = {one.generation_id for one in store.scores()}
        waiting = [
            stored.generation
            for stored in store.generations()
            if args.all or stored.generation.generation_id not in scored
        ]
        progress = Progress(len(waiting))
        for one in waiting:
            result: dict[str, Any] = {
                "generation_id": one.generation_id, "case_id": one.case_id, "model": one.model,
                "language": one.language.value, "scores": [], "reason": "",
            }  # fmt: skip
            try:
                result["scores"] = [asdict(score) for score in score_generation(store, one.generation_id).scores]
            except InputDataError as error:
                result["reason"] = one_line(error)
            results.append(result)
            progress.step(f"{one.case_id} {one.model}: {'not scored' if result['reason'] else 'scored'}")
        progress.end()
    failed = [result for result in results if result["reason"]]
    if args.json:
        write_json({"generations": results})
    elif results:
        say(f"{len(results) - len(failed)} of {len(results)} reports were scored.")
    else:
        say("There is nothing to score.")
    for result in failed:
        note(f"{result['case_id']} {result['model']}: {result['reason']}")
    return status_of(len(results) - len(failed), len(failed))
