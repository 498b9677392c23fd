"""From a case to the request that a model gets: pictures and prompt of an input setting, options that the model takes.

The same case, setting, prompt and options always give the same bytes, so that a request can be recognised by its hash
and shown again as the model saw it.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pet2rep_core.errors import ImageGeometryError, ImageReadError, ReportParseError, SettingsError
from pet2rep_core.imaging.display import Display
from pet2rep_core.imaging.render import encode_png
from pet2rep_core.prompts.prompt import (
    MEASURED,
    STANDARD,
    InputSetting,
    Prompt,
    read_benchmark_prompt,
    read_prompt,
    render_prompt,
)
from pet2rep_core.records import Language, PetUnit
from pet2rep_core.store import CaseRow
from pet2rep_core.vlm.model_row import ModelRow
from pet2rep_core.vlm.preflight import FittedOptions, fit_options, without_placeholders
from pet2rep_core.vlm.request import Options, Picture, Request, Route
from pet2rep_core.workflow.measured_regions import SIGNATURE, measured_regions, measured_table, no_suv
from pet2rep_core.workflow.open_case import OpenCase, draw_model_pictures

OWN_PROMPT = "own"
"""The prompt that came with a case, where it has one in the language; else the standard prompt."""

LEAST_PX, MOST_PX = 64, 4096
_FIRST_LINE_BYTES = 2**22


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked of every model of a run.

    Parameters
    ----------
    language : Language
        Of prompt and report.
    prompt : str
        ``own``, the name of a prompt of the program, or a path of the benchmark's JSON lines, whose first record gives
        the prompt for every case.
    size_px : int or None
        Longer edge of the pictures; None for one pixel a voxel of the PET, as in the paper.
    options : Options
        As wished; a model gets those that it takes.
    """

    language: Language = Language.CHINESE
    prompt: str = OWN_PROMPT
    size_px: int | None = None
    options: Options = field(default_factory=Options)

    def __post_init__(self) -> None:
        """Refuse a size that shows nothing or that no model takes."""
        if self.size_px is not None and not LEAST_PX <= self.size_px <= MOST_PX:
            raise SettingsError(
                f"Pictures cannot be {self.size_px} pixels long.", hint=f"Give {LEAST_PX} to {MOST_PX} pixels."
            )


@dataclass(frozen=True, slots=True)
class BuiltRequest:
    """A request for one model, what it was made from, and what of the wishes it could not keep.

    ``wished`` is the request before the model's own limits and placeholders were heeded.
    """

    request: Request
    wished: Request
    fitted: FittedOptions
    prompt_sha256: str
    measured: str

    def detail(self) -> dict[str, Any]:
        """Return what is stored beside an answer: hashes of all that went out, and what was not sent."""
        return {
            "request_sha256": self.request.sha256,
            "text_sha256": self.prompt_sha256,
            "pictures": [
                {"name": one.name, "sha256": one.sha256, "size": [one.width, one.height]}
                for one in self.request.pictures
            ],
            "not_sent": list(self.fitted.left_out),
            "changed": [list(one) for one in self.fitted.changed],
            **({"measured": self.measured} if self.measured else {}),
        }


def study_prompt(metadata: Mapping[str, Any], language: Language) -> Prompt:
    """Return the prompt that came with a case, where it has one in that language; else the standard prompt."""
    if isinstance(metadata.get("prompt_user_text"), str):
        prompt = read_benchmark_prompt(metadata)
        if prompt.language is language:
            return prompt
    return read_prompt(STANDARD, language)


def choose_prompt(asking: Asking, metadata: Mapping[str, Any], setting: InputSetting | str) -> Prompt:
    """Return the prompt for a case; the table of ``fused-measured`` needs the words of a prompt file.

    Raises
    ------
    UnknownNameError
        If there is no such prompt.
    ReportParseError
        If a file of the benchmark has no prompt in its first line.
    """
    if asking.prompt == OWN_PROMPT:
        return (
            read_prompt(STANDARD, asking.language) if setting == MEASURED else study_prompt(metadata, asking.language)
        )
    if asking.prompt.lower().endswith((".jsonl", ".ndjson")):
        return read_benchmark_prompt(_first_record(Path(asking.prompt)))
    return read_prompt(asking.prompt, asking.language)


def build_request(
    case: OpenCase, row: ModelRow, route: Route, setting: InputSetting, asking: Asking, display: Display
) -> BuiltRequest:
    """Return the request of a case for a model.

    Raises
    ------
    ImageGeometryError
        If the case lacks what the input setting needs: CT and PET, a PET in SUV for the table of ``fused-measured``.
    ImageReadError
        If a picture of the case cannot be read.
    SettingsError
        If the prompt has no words for the input setting.
    """
    prompt = choose_prompt(asking, case.row.metadata, setting)
    pictures = tuple(request_pictures(case, setting, asking.size_px, display))
    table: str | None = None
    if setting == MEASURED:
        if case.images is None:
            raise no_suv()
        indices = () if case.key_slices is None else case.key_slices.indices
        table = measured_table(measured_regions(case.images, indices), prompt)
    rendered = render_prompt(prompt, input_setting=setting, n_images=len(pictures), measured=table)
    wished = Request(rendered.system, rendered.user, pictures, asking.options)
    fitted = fit_options(row, route, asking.options)
    request = replace(
        wished,
        system=without_placeholders(row.family, wished.system),
        user=without_placeholders(row.family, wished.user),
        options=fitted.options,
    )
    return BuiltRequest(request, wished, fitted, rendered.sha256, SIGNATURE if table is not None else "")


def why_not(case: CaseRow, setting: str) -> ImageGeometryError | None:
    """Return why a case cannot be asked about in an input setting, from what the store knows of it; None if it can."""
    if setting == "fused" and case.n_pictures and not (case.has_ct or case.has_pet):
        return None
    if not (case.has_ct and case.has_pet):
        return _lacks("CT" if case.has_pet else "PET" if case.has_ct else "volumes", setting)
    if setting == MEASURED and case.suv.get("unit") != PetUnit.SUVBW:
        return no_suv()
    return None


def _lacks(what: str, setting: str) -> ImageGeometryError:
    return ImageGeometryError(
        f"The case has no {what}, which the input {setting!r} needs.", hint="Leave it out, or choose another input."
    )


def request_pictures(case: OpenCase, setting: InputSetting, size_px: int | None, display: Display) -> list[Picture]:
    """Return the pictures of a case that a model gets in an input setting.

    Raises
    ------
    ImageGeometryError
        If the case lacks what the input setting needs.
    ImageReadError
        If a picture of the case cannot be read.
    """
    images = case.images
    if images is not None and images.grid is None and images.pictures:
        if setting != "fused":
            raise _lacks("volumes", setting)
        drawn = [(f"fused {n}", _read_picture(path)) for n, path in enumerate(images.pictures, start=1)]
    else:
        drawn = draw_model_pictures(case, setting, display)
    return [_as_picture(name, _scaled(pixels, size_px)) for name, pixels in drawn]


def _as_picture(name: str, pixels: np.ndarray[Any, Any]) -> Picture:
    height, width = pixels.shape[:2]
    return Picture(encode_png(pixels), name, width, height)


def _scaled(pixels: np.ndarray[Any, Any], size_px: int | None) -> np.ndarray[Any, Any]:
    height, width = pixels.shape[:2]
    longer = max(height, width)
    if size_px is None or size_px == longer:
        return pixels
    size = (max(1, round(width * size_px / longer)), max(1, round(height * size_px / longer)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def _read_picture(path: Path) -> np.ndarray[Any, Any]:
    try:
        with Image.open(io.BytesIO(path.read_bytes())) as picture:
            return np.asarray(picture.convert("RGB"))
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise ImageReadError("A picture of this case cannot be read.", hint="Import the case again.") from error


def _first_record(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            found = json.loads(file.readline(_FIRST_LINE_BYTES).decode("utf-8-sig"))
    except OSError as error:
        raise ReportParseError(
            f"The prompt file {path.name} cannot be read: {error.strerror}.", hint="Check its path."
        ) from error
    except (ValueError, RecursionError) as error:
        raise ReportParseError(
            f"The first line of {path.name} is no JSON.", hint="Give the benchmark's file of prompts."
        ) from error
    if not isinstance(found, dict):
        raise ReportParseError(f"The first line of {path.name} is no record.", hint="Give the benchmark's prompt file.")
    return found
