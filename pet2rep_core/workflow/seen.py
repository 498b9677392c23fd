"""What a model saw: the request of a stored report, built again and compared with what was recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pet2rep_core.errors import InputDataError
from pet2rep_core.imaging.display import Display
from pet2rep_core.prompts.prompt import INPUT_SETTINGS
from pet2rep_core.settings import Settings
from pet2rep_core.store import RunRow, Store, StoredGeneration
from pet2rep_core.vlm.catalog import Catalog
from pet2rep_core.vlm.request import Options, Request, Route
from pet2rep_core.workflow.build_request import OWN_PROMPT, Asking, build_request
from pet2rep_core.workflow.open_case import open_case

_BENCHMARK = "benchmark"


@dataclass(frozen=True, slots=True)
class Seen:
    """The request, and whether its hash is the one that was recorded: only then is it exactly what the model saw."""

    request: Request
    is_exact: bool


def what_the_model_saw(
    store: Store, settings: Settings, display: Display, catalog: Catalog, generation_id: str
) -> Seen:
    """Return the pictures and the prompt of a stored report.

    Raises
    ------
    InputDataError
        If the report was made without pictures, or elsewhere, or its case lacks them now.
    """
    stored = store.generation(generation_id)
    run = next(one for one in store.runs() if one.run_id == stored.generation.run_id)
    recorded = stored.detail.get("request_sha256")
    setting = next((one for one in INPUT_SETTINGS if one == run.input_setting), None)
    if setting is None or recorded is None:
        raise InputDataError(
            "What this model saw was not recorded.", hint="Built-in models see no picture; imported reports bring none."
        )
    case = open_case(store, settings, stored.generation.case_id)
    row = catalog.row(run.model)
    built = build_request(case, row, _route(stored), setting, asking_of(run), display)
    return Seen(built.request, built.request.sha256 == recorded)


def asking_of(run: RunRow) -> Asking:
    """Return what a stored run asked; options that were not sent stay unset."""
    parameters = run.parameters
    unset: dict[str, Any] = dict.fromkeys(("temperature", "top_p", "top_k", "repetition_penalty", "seed"))
    prompt = str(parameters["prompt"])
    return Asking(
        language=run.language,
        prompt=OWN_PROMPT if prompt == _BENCHMARK else prompt,
        size_px=parameters["size_px"],
        options=Options(**{**unset, **parameters["options"]}),
    )


def _route(stored: StoredGeneration) -> Route:
    return Route(str(stored.detail["route"]))
