"""What a run will ask: models, input settings and cases, without what is there already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pet2rep_core.errors import SettingsError, UnknownNameError
from pet2rep_core.prompts.prompt import INPUT_SETTINGS, InputSetting
from pet2rep_core.records import GenerationStatus
from pet2rep_core.store import CaseRow, RunRow, Store
from pet2rep_core.vlm.adapters import choose_route
from pet2rep_core.vlm.baselines import BUILT_IN_MODELS
from pet2rep_core.vlm.catalog import Catalog
from pet2rep_core.vlm.endpoint import host_of
from pet2rep_core.vlm.model_row import ModelRow, on_this_machine
from pet2rep_core.vlm.preflight import fit_options
from pet2rep_core.vlm.request import Route
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow.build_request import Asking, choose_prompt, study_prompt, why_not
from pet2rep_core.workflow.generate import TEXT_ONLY, built_in_run
from pet2rep_core.workflow.patience import Patience

RUN_VERSION = 1
"""Raised where the same words and pictures would reach a model in another way."""

ANSWERED = (GenerationStatus.DONE, GenerationStatus.CUT, GenerationStatus.EMPTY, GenerationStatus.REFUSED)
"""Ends that are an answer: the same request would be paid for again and say the same."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """One model with one input setting; built-in models read no picture and have the setting ``text-only``."""

    row: ModelRow
    route: Route
    setting: str

    @property
    def key(self) -> tuple[str, Route, str]:
        """What tells it from other pairings of a run."""
        return self.row.id, self.route, self.setting

    @property
    def is_built_in(self) -> bool:
        """Tell whether the program writes the report itself."""
        return self.route is Route.BUILT_IN

    @property
    def name(self) -> str:
        """Model and input setting, for a line of text."""
        return self.row.id if self.is_built_in else f"{self.row.id} ({self.setting})"


@dataclass(frozen=True, slots=True)
class RunChoices:
    """How a run works.

    Parameters
    ----------
    base_url : str
        Another address for every model that is asked through a server.
    parallel : int or None
        Requests at the same time for each model; None for what its route suits.
    time_limit_s : float
        For one attempt at one answer.
    max_cost : float or None
        What the run may cost, in the currency of the models' prices.
    again : bool
        Ask again where an answer was cut, empty or refused; a finished report is never replaced.
    behaviour, seed : Behaviour, int
        Of the scripted model.
    """

    asking: Asking = field(default_factory=Asking)
    base_url: str = ""
    parallel: int | None = None
    time_limit_s: float = 600.0
    max_cost: float | None = None
    again: bool = False
    patience: Patience = field(default_factory=Patience)
    behaviour: Behaviour = Behaviour.MIXED
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse numbers with which nothing could run."""
        if self.parallel is not None and not 1 <= self.parallel <= 512:
            raise SettingsError(f"{self.parallel} requests at the same time cannot be.", hint="Give 1 to 512.")
        if not 0 < self.time_limit_s <= 86400:
            raise SettingsError(f"A time limit of {self.time_limit_s:g} s cannot be.", hint="Give up to 86400 s.")
        if self.max_cost is not None and not 0 <= self.max_cost < float("inf"):
            raise SettingsError(f"A cost of at most {self.max_cost:g} cannot be.", hint="Give a number from 0 up.")


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """One report that will be asked for."""

    pairing: Pairing
    case: CaseRow
    run: RunRow

    @property
    def generation_id(self) -> str:
        """Name of the generation: the same for the same run and case."""
        return "g-" + hashlib.sha256(f"{self.run.run_id}|{self.case.case_id}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """One case that cannot be asked about in an input setting, and why."""

    case_id: str
    pairing: Pairing
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What will be asked (``items``), what is there already (``there``: generation ids), and what cannot be asked."""

    choices: RunChoices
    pairings: tuple[Pairing, ...]
    items: tuple[PlannedItem, ...]
    there: tuple[tuple[PlannedItem, GenerationStatus], ...]
    left_out: tuple[LeftOut, ...]

    def of(self, pairing: Pairing) -> tuple[PlannedItem, ...]:
        """Return the items of a pairing."""
        return tuple(item for item in self.items if item.pairing.key == pairing.key)

    def host_of(self, pairing: Pairing) -> str:
        """Return the machine to which a pairing sends pictures and prompt; empty where they stay on this one."""
        if pairing.route not in (Route.OPENAI, Route.ANTHROPIC):
            return ""
        address = self.choices.base_url or pairing.row.base_url
        return "" if on_this_machine(address) else host_of(address)


def pair_models(
    catalog: Catalog, models: Iterable[str], settings: Sequence[str], *, base_url: str = "", route: Route | None = None
) -> list[Pairing]:
    """Return every model with every input setting, in the order given.

    Raises
    ------
    UnknownNameError
        If there is no such model or input setting.
    ModelUnavailableError
        If a model only runs in its own code.
    """
    for setting in settings:
        if setting not in INPUT_SETTINGS:
            raise UnknownNameError("input setting", setting, INPUT_SETTINGS)
    pairs: list[Pairing] = []
    for model in dict.fromkeys(models):
        row = catalog.row(model)
        if model in BUILT_IN_MODELS:
            pairs.append(Pairing(row, Route.BUILT_IN, TEXT_ONLY))
            continue
        by = choose_route(row, base_url=base_url, route=route)
        pairs += [Pairing(row, by, setting) for setting in dict.fromkeys(settings)]
    return pairs


def plan_run(store: Store, pairings: Sequence[Pairing], case_ids: Iterable[str], choices: RunChoices) -> RunPlan:
    """Return what is missing; nothing is read but the store, and nothing is asked.

    Raises
    ------
    UnknownNameError
        If a case is not in the store.
    """
    known = {case.case_id: case for case in store.cases()}
    chosen = store.chosen_key_slices()
    cases = [known.get(case_id) or store.case(case_id) for case_id in dict.fromkeys(case_ids)]
    cases = [replace(case, key_slices=chosen.get(case.case_id, case.key_slices)) for case in cases]
    stored = {(one.generation.run_id, one.generation.case_id): one.generation.status for one in store.generations()}
    items: list[PlannedItem] = []
    there: list[tuple[PlannedItem, GenerationStatus]] = []
    left_out: list[LeftOut] = []
    for pairing in pairings:
        for case in cases:
            problem = None if pairing.is_built_in else why_not(case, pairing.setting)
            if problem is not None:
                left_out.append(LeftOut(case.case_id, pairing, problem.message, problem.hint))
                continue
            item = PlannedItem(pairing, case, run_of(pairing, case.metadata, choices))
            status = stored.get((item.run.run_id, case.case_id))
            final = (GenerationStatus.DONE,) if choices.again else ANSWERED
            if status is not None and status in final:
                there.append((item, status))
            else:
                items.append(item)
    return RunPlan(choices, tuple(pairings), tuple(items), tuple(there), tuple(left_out))


def run_of(pairing: Pairing, metadata: Mapping[str, Any], choices: RunChoices) -> RunRow:
    """Return the run that a case belongs to: model, route, input setting, prompt, pictures' size and options.

    Where the server stands is not part of it: a run goes on when the server moves.
    """
    asking = choices.asking
    if pairing.is_built_in:
        prompt = study_prompt(metadata, asking.language)
        return built_in_run(pairing.row.id, prompt, asking.language, choices.behaviour, choices.seed)
    prompt = choose_prompt(asking, metadata, pairing.setting)
    fitted = fit_options(pairing.row, pairing.route, asking.options)
    sha256 = prompt.sha256_for(pairing.setting)
    parameters: dict[str, Any] = {
        "prompt": prompt.name,
        "route": pairing.route.value,
        "options": fitted.options.sent(),
        "size_px": asking.size_px,
        "version": RUN_VERSION,
    }
    said = [pairing.row.id, pairing.setting, sha256, asking.language.value, parameters]
    digest = hashlib.sha256(json.dumps(said, sort_keys=True).encode("utf-8")).hexdigest()
    return RunRow(
        run_id=f"r-{digest[:16]}",
        model=pairing.row.id,
        input_setting=pairing.setting,
        prompt_sha256=sha256,
        language=asking.language,
        parameters=parameters,
        seed=fitted.options.seed,
    )


def input_setting(pairing: Pairing) -> InputSetting:
    """Return the input setting of a pairing that reads pictures."""
    for setting in INPUT_SETTINGS:
        if setting == pairing.setting:
            return setting
    raise UnknownNameError("input setting", pairing.setting, INPUT_SETTINGS)
