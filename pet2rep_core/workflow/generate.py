"""Generate a report with one of the built-in models."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pet2rep_core.errors import ModelUnavailableError, UnknownNameError
from pet2rep_core.prompts.prompt import Prompt
from pet2rep_core.records import Generation, GenerationStatus, Language, Person
from pet2rep_core.store import RunRow, Store
from pet2rep_core.vlm.baselines import (
    BUILT_IN_MODELS,
    SCRIPTED,
    TEMPLATE,
    normal_baseline,
    template_baseline,
)
from pet2rep_core.vlm.scripted import Behaviour, write_scripted_report
from pet2rep_core.workflow.build_request import study_prompt
from pet2rep_core.workflow.permissions import OWNER, RESEARCH, require

TEXT_ONLY = "text-only"
BUILT_IN_VERSION = 1


def generate_report(
    store: Store,
    case_id: str,
    model: str,
    language: Language,
    *,
    behaviour: Behaviour = Behaviour.MIXED,
    seed: int = 0,
    person: Person = OWNER,
) -> Generation:
    """Generate a report for a case and record it; a finished one is returned, not written again.

    Raises
    ------
    PermissionDeniedError
        If the person is a rater.
    UnknownNameError
        If there is no such model or case.
    ModelUnavailableError
        If the scripted model has no reference report to start from.
    """
    require(person, RESEARCH)
    if model not in BUILT_IN_MODELS:
        raise UnknownNameError("model", model, BUILT_IN_MODELS)
    prompt = study_prompt(store.case(case_id).metadata, language)
    run = built_in_run(model, prompt, language, behaviour, seed)
    for stored in store.generations(case_id, run.run_id):
        if stored.generation.status is GenerationStatus.DONE:
            return stored.generation
    started, clock = datetime.now(UTC), time.perf_counter()
    detail: dict[str, Any] = {}
    if model == TEMPLATE:
        text = template_baseline(prompt)
    elif model == SCRIPTED:
        text = _scripted(store, case_id, language, behaviour, seed, detail)
    else:
        text = normal_baseline(language)
    generation = Generation(
        generation_id="g-" + hashlib.sha256(f"{run.run_id}|{case_id}".encode()).hexdigest()[:16],
        run_id=run.run_id,
        case_id=case_id,
        model=model,
        language=language,
        status=GenerationStatus.DONE if text.strip() else GenerationStatus.EMPTY,
        text=text,
    )
    store.record_run(run)
    store.record_generation(
        generation, started_at=started.isoformat(), duration_s=time.perf_counter() - clock, detail=detail
    )
    return generation


def built_in_run(model: str, prompt: Prompt, language: Language, behaviour: Behaviour, seed: int) -> RunRow:
    """Return the run of a built-in model; behaviour and seed are the scripted model's alone."""
    scripted = model == SCRIPTED
    parameters: dict[str, Any] = {"prompt": prompt.name, "version": BUILT_IN_VERSION}
    if scripted:
        parameters["behaviour"] = behaviour.value
    said = [model, prompt.sha256, language.value, parameters, seed if scripted else None]
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode("utf-8")).hexdigest()
    return RunRow(
        run_id=f"r-{digest[:16]}",
        model=model,
        input_setting=TEXT_ONLY,
        prompt_sha256=prompt.sha256,
        language=language,
        parameters=parameters,
        seed=seed if scripted else None,
    )


def _scripted(
    store: Store, case_id: str, language: Language, behaviour: Behaviour, seed: int, detail: dict[str, Any]
) -> str:
    reference = next(
        (r.report for r in store.reports(case_id) if r.kind == "reference" and r.report.language is language), None
    )
    if reference is None:
        raise ModelUnavailableError(
            f"The scripted model needs a reference report in {language.value!r}, and {case_id!r} has none.",
            hint="Choose the other language or a template baseline.",
        )
    report = write_scripted_report(case_id, reference.text, language, behaviour=behaviour, seed=seed)
    detail["mistakes"] = [asdict(mistake) for mistake in report.mistakes]
    return report.text
