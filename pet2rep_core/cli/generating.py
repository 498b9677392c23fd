"""``pet2rep generate``: reports of the built-in models for many cases."""

from __future__ import annotations

import argparse

from pet2rep_core.cli.exit_status import ExitStatus, status_of
from pet2rep_core.cli.output import Progress, note, one_line, say, write_json
from pet2rep_core.cli.stores import own_store, require_case_ids
from pet2rep_core.errors import GenerationError, InputDataError, UnknownNameError
from pet2rep_core.records import GenerationStatus, Language
from pet2rep_core.settings import Settings
from pet2rep_core.vlm.baselines import BUILT_IN_MODELS
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow.generate import generate_report


def run(args: argparse.Namespace, settings: Settings) -> ExitStatus:
    """Generate a report with every named model for every named case; finished ones stay as they are."""
    models = tuple(dict.fromkeys(args.model))
    for name in models:
        if name not in BUILT_IN_MODELS:
            raise UnknownNameError("model", name, BUILT_IN_MODELS)
    known = [one.value for one in Behaviour]
    if args.behaviour not in known:
        raise UnknownNameError("behaviour of the scripted model", args.behaviour, known)
    language = Language(args.language)
    results: list[dict[str, str | None]] = []
    with own_store(settings) as store:
        case_ids = require_case_ids(store, args.cases)
        progress = Progress(len(models) * len(case_ids))
        for model in models:
            for case_id in case_ids:
                result: dict[str, str | None] = {
                    "case_id": case_id, "model": model, "generation_id": None, "run_id": None,
                    "status": GenerationStatus.FAILED.value, "reason": "",
                }  # fmt: skip
                try:
                    made = generate_report(
                        store, case_id, model, language, behaviour=Behaviour(args.behaviour), seed=args.seed
                    )
                    result["generation_id"], result["run_id"] = made.generation_id, made.run_id
                    result["status"], result["reason"] = made.status.value, made.error
                except (GenerationError, InputDataError) as error:
                    result["reason"] = one_line(error)
                results.append(result)
                progress.step(f"{case_id} {model}: {result['status']}")
        progress.end()
    failed = [one for one in results if one["status"] != GenerationStatus.DONE.value]
    if args.json:
        write_json({"language": language.value, "generations": results})
    else:
        say(f"{len(results) - len(failed)} of {len(results)} reports are there.")
    for one in failed:
        note(f"{one['case_id']} {one['model']}: {one['reason'] or one['status']}")
    return status_of(len(results) - len(failed), len(failed))
