"""What a model saw for one generated report: the pictures and the prompt made again, and compared with what went out.

A run keeps hashes, not pictures. What is made again now is the same only where the case, its key slices, the prompt and
the program still are; where they are not, that is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pet2rep_core.errors import ImageGeometryError, Pet2RepError, UnknownNameError
from pet2rep_core.imaging.display import Display
from pet2rep_core.prompts.prompt import INPUT_SETTINGS, MEASURED
from pet2rep_core.settings import Settings
from pet2rep_core.store import RunRow, Store, StoredGeneration
from pet2rep_core.vlm.catalog import Catalog
from pet2rep_core.vlm.request import Options, Picture, Request, Route
from pet2rep_core.workflow.build_request import OWN_PROMPT, Asking, BuiltRequest, build_request, request_pictures
from pet2rep_core.workflow.open_case import open_case
from pet2rep_core.workflow.run_log import NOT_SENT, STARTED


@dataclass(frozen=True, slots=True)
class SeenPicture:
    """One picture of a request: its name, the hash of what went out, and whether it is the same now."""

    name: str
    sha256: str
    size: tuple[int, int]
    same: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What a report was asked with.

    Parameters
    ----------
    request : Request or None
        Made again now; None where it cannot be, and ``problem`` says why.
    pictures : tuple of SeenPicture
        As they went out.
    same_text, same_request : bool
        Whether the prompt, and all of the request, have the hashes that the run kept.
    """

    stored: StoredGeneration
    run: RunRow
    request: Request | None
    pictures: tuple[SeenPicture, ...]
    same_text: bool
    same_request: bool
    problem: Pet2RepError | None = None

    @property
    def detail(self) -> Mapping[str, Any]:
        """What the run kept beside the text."""
        return self.stored.detail

    @property
    def is_same(self) -> bool:
        """Tell whether everything that is shown is what went out."""
        return self.same_request and all(one.same for one in self.pictures)


def what_model_saw(store: Store, settings: Settings, display: Display, catalog: Catalog, generation_id: str) -> Seen:
    """Return what a report was asked with, made again and compared.

    Raises
    ------
    UnknownNameError
        If there is no such report.
    """
    stored = store.generation(generation_id)
    run = _run_of(store, stored)
    kept = [one for one in stored.detail.get("pictures", ()) if isinstance(one, Mapping)]
    built, problem = _made_again(store, settings, display, catalog, stored, run) if kept else (None, None)
    now = () if built is None else built.request.pictures
    pictures = tuple(
        SeenPicture(
            name=str(one.get("name", "")),
            sha256=str(one.get("sha256", "")),
            size=_size(one.get("size")),
            same=n < len(now) and now[n].sha256 == one.get("sha256"),
        )
        for n, one in enumerate(kept)
    )
    detail = stored.detail
    return Seen(
        stored=stored,
        run=run,
        request=None if built is None else built.request,
        pictures=pictures,
        same_text=built is not None and built.prompt_sha256 == detail.get("text_sha256"),
        same_request=built is not None and built.request.sha256 == detail.get("request_sha256"),
        problem=problem,
    )


def seen_picture(
    store: Store, settings: Settings, display: Display, case_id: str, generation_id: str, n: int
) -> Picture:
    """Return the n-th picture of a report's request, made again.

    Raises
    ------
    ImageGeometryError
        If the report is of another case, or its request has no such picture.
    """
    stored = store.generation(generation_id)
    if stored.generation.case_id != case_id:
        raise ImageGeometryError("This report is of another case.", hint="Open the case again.")
    run = _run_of(store, stored)
    setting = next((one for one in INPUT_SETTINGS if one == run.input_setting), None)
    if setting is None:
        raise ImageGeometryError("This report was written without pictures.", hint="Open the case again.")
    case = open_case(store, settings, case_id)
    pictures = request_pictures(case, "fused" if setting == MEASURED else setting, _size_px(run), display)
    if not 0 <= n < len(pictures):
        raise ImageGeometryError(f"This case has no picture {n} for a model.", hint="Open the case again.")
    return pictures[n]


def _made_again(
    store: Store, settings: Settings, display: Display, catalog: Catalog, stored: StoredGeneration, run: RunRow
) -> tuple[BuiltRequest | None, Pet2RepError | None]:
    """Return the request as it is made now: with the prompt that gives the kept hash, if any does."""
    setting = next((one for one in INPUT_SETTINGS if one == run.input_setting), None)
    if setting is None:
        return None, UnknownNameError("input setting", run.input_setting, INPUT_SETTINGS)
    problem: Pet2RepError | None = None
    found: BuiltRequest | None = None
    for prompt in _prompts(store, run):
        try:
            case = open_case(store, settings, stored.generation.case_id)
            asking = Asking(run.language, prompt, _size_px(run), _options(run))
            built = build_request(
                case, catalog.row(run.model), Route(run.parameters["route"]), setting, asking, display
            )
        except (Pet2RepError, ValueError, KeyError) as error:
            problem = problem or (error if isinstance(error, Pet2RepError) else None)
            continue
        if built.prompt_sha256 == stored.detail.get("text_sha256"):
            return built, None
        found = found or built
    return found, None if found else problem


def _prompts(store: Store, run: RunRow) -> list[str]:
    started = [str(one.detail.get("prompt", OWN_PROMPT)) for one in store.events((STARTED,), object_id=run.run_id)]
    return list(dict.fromkeys([OWN_PROMPT, str(run.parameters.get("prompt", OWN_PROMPT)), *started]))


def _run_of(store: Store, stored: StoredGeneration) -> RunRow:
    run = next((one for one in store.runs() if one.run_id == stored.generation.run_id), None)
    if run is None:
        raise UnknownNameError("run", stored.generation.run_id, ())
    return run


def _options(run: RunRow) -> Options:
    sent: dict[str, Any] = run.parameters.get("options", {})
    return replace(NOT_SENT, **sent)


def _size_px(run: RunRow) -> int | None:
    size = run.parameters.get("size_px")
    return size if isinstance(size, int) else None


def _size(found: object) -> tuple[int, int]:
    if isinstance(found, list | tuple) and len(found) == 2 and all(isinstance(one, int) for one in found):
        return found[0], found[1]
    return 0, 0
