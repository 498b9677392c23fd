"""Prompts: read from files of the program or from the benchmark's own record, and rendered for a request."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, get_args

from pet2rep_core.errors import ReportParseError, SettingsError, UnknownNameError
from pet2rep_core.records import Language, text_sha256
from pet2rep_core.report.sections import detect_language
from pet2rep_core.report.slots import fill_slots, find_slots
from pet2rep_core.settings import DATA_DIR

InputSetting = Literal["separate", "fused", "fused-measured"]
"""How a case goes to a model: CT and PET apart, fused, or fused with a table of what was measured in 3D."""

INPUT_SETTINGS: tuple[InputSetting, ...] = get_args(InputSetting)
MEASURED: InputSetting = "fused-measured"
PAPER_SETTINGS: tuple[InputSetting, ...] = ("separate", "fused")
"""Those of the paper."""
PROMPT_DIR = DATA_DIR / "prompts"
STANDARD = "standard"
"""Name of the prompt that ships with the program."""

MEASURED_WORDS = (
    "rule", "head", "row", "none", "place", "or", "left", "right", "middle", "level", "no_level", "unknown",
)  # fmt: skip
"""What a prompt file says under ``[measured]``."""

_IMAGE_TOKENS = re.compile(r"<image>(?:\s*<image>)*")


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt with its report template.

    ``task`` holds the placeholder ``{images}``; ``images`` says per input setting what stands there, with
    ``{n}`` for the number of pictures and ``{tokens}`` for one ``<image>`` each. ``template`` carries example
    statements in its slots, ``normal_template`` normal ones (None where the source has none). ``measured`` words the
    table of the input setting ``fused-measured``; it is empty where the source has no words for one.
    """

    name: str
    language: Language
    system: str
    task: str
    template: str
    images: Mapping[str, str]
    normal_template: str | None = None
    label: str = ""
    measured: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def sha256(self) -> str:
        """Hash of all that can reach a model in the settings of the paper."""
        return self.sha256_for("fused")

    def sha256_for(self, input_setting: str) -> str:
        """Return the hash of all that can reach a model in an input setting, beside what is measured in a case."""
        parts: list[object] = [self.system, self.task, self.template, sorted(self.images.items())]
        if input_setting == MEASURED:
            parts.append(sorted(self.measured.items()))
        return text_sha256(json.dumps(parts, ensure_ascii=False))


@dataclass(frozen=True, slots=True)
class RenderedPrompt:
    """The exact texts of one request."""

    system: str
    user: str

    @property
    def sha256(self) -> str:
        """Hash of both texts, stored with the run."""
        return text_sha256(json.dumps([self.system, self.user], ensure_ascii=False))


def list_prompts(folder: Path = PROMPT_DIR) -> tuple[tuple[str, Language], ...]:
    """Return name and language of every prompt file, sorted."""
    pairs = (path.stem.rpartition("_") for path in folder.glob("*.toml"))
    return tuple(sorted((name, Language(code)) for name, _, code in pairs if code in set(Language)))


@cache
def read_prompt(name: str, language: Language, folder: Path = PROMPT_DIR) -> Prompt:
    """Return a prompt of the program.

    Raises
    ------
    UnknownNameError
        If there is no prompt of that name in that language.
    SettingsError
        If its file lacks a part or its fills do not fit its slots.
    """
    if (name, language) not in list_prompts(folder):
        raise UnknownNameError(
            f"{language.value} prompt", name, {n for n, code in list_prompts(folder) if code is language}
        )
    path = folder / f"{name}_{language.value}.toml"
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        parts = raw["part"]
        return Prompt(
            name=name,
            language=language,
            system=raw["system"].strip(),
            task=raw["task"].strip(),
            template="\n".join(fill_slots(part["text"], part.get("example", [])) for part in parts),
            images={setting: raw["images"][setting] for setting in PAPER_SETTINGS},
            normal_template="\n".join(fill_slots(part["text"], part.get("normal", [])) for part in parts),
            label=raw.get("label", name),
            measured={key: raw["measured"][key].strip("\n") for key in MEASURED_WORDS} if "measured" in raw else {},
        )
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError, ReportParseError) as error:
        raise SettingsError(
            f"The prompt file {path.name} cannot be read: {error}",
            hint="Restore the file that came with the program, then edit again.",
        ) from error


def read_benchmark_prompt(record: Mapping[str, object]) -> Prompt:
    """Return the prompt of one record of the benchmark's JSON lines.

    The template starts at the first line with a filled slot; the ``<image>`` tokens before it become the
    placeholder of the images, so that the record's own number of images renders its own text again.

    Raises
    ------
    ReportParseError
        If ``prompt_user_text`` is missing or holds no template.
    """
    user, system = record.get("prompt_user_text"), record.get("prompt_system", "")
    if not isinstance(user, str) or not isinstance(system, str):
        raise ReportParseError(
            "The record has no text under 'prompt_user_text'.", hint="Give a line of the benchmark's prompt file."
        )
    lines = user.splitlines(keepends=True)
    first = next((i for i, line in enumerate(lines) if any(slot.text.strip() for slot in find_slots(line))), None)
    if first is None:
        raise ReportParseError(
            "The prompt holds no template: no line has text in [] or 【】.",
            hint="Give a line of the benchmark's prompt file.",
        )
    task, template = "".join(lines[:first]), "".join(lines[first:])
    return Prompt(
        name="benchmark",
        language=detect_language(user),
        system=system,
        task=_IMAGE_TOKENS.sub("{images}", task, count=1).strip("\n"),
        template=template,
        images=dict.fromkeys(PAPER_SETTINGS, "{tokens}"),
        label="Prompt of the benchmark's record",
    )


def render_prompt(
    prompt: Prompt, *, input_setting: InputSetting, n_images: int, measured: str | None = None
) -> RenderedPrompt:
    """Return the texts that go to a model beside ``n_images`` pictures.

    Parameters
    ----------
    measured : str, optional
        The table of the input setting ``fused-measured``, which needs one; it stands before the last line of the task.

    Raises
    ------
    UnknownNameError
        If there is no such input setting.
    SettingsError
        If there is no image, or the prompt or the caller has nothing for a table.
    """
    if input_setting not in INPUT_SETTINGS:
        raise UnknownNameError("input setting", input_setting, INPUT_SETTINGS)
    if n_images < 1:
        raise SettingsError(f"A prompt needs at least one image, not {n_images}.", hint="Choose slices of the case.")
    tokens = " ".join(["<image>"] * n_images)
    pictures = "fused" if input_setting == MEASURED else input_setting
    images = prompt.images[pictures].replace("{n}", str(n_images)).replace("{tokens}", tokens)
    lines = prompt.task.split("\n")
    if input_setting == MEASURED:
        if not prompt.measured or measured is None:
            raise SettingsError(
                f"The prompt {prompt.name!r} has no words for measurements.",
                hint="Take the standard prompt, or add [measured] to its file.",
            )
        lines[-1:] = [measured, lines[-1]]
    user = "\n".join(lines).replace("{images}", images)
    return RenderedPrompt(prompt.system, user + "\n" + prompt.template)
