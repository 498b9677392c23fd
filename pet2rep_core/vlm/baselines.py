"""Reports that no model wrote: the template with its slots stripped, and the standard template filled as normal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pet2rep_core.errors import SettingsError
from pet2rep_core.prompts.prompt import STANDARD, Prompt, read_prompt
from pet2rep_core.records import Language
from pet2rep_core.report.slots import strip_slots


@dataclass(frozen=True, slots=True)
class BuiltInModel:
    """A model that needs no weights and no key."""

    name: str
    label: str
    description: str


TEMPLATE = "template"
TEMPLATE_NORMAL = "template-normal"
SCRIPTED = "scripted"

BUILT_IN_MODELS: Mapping[str, BuiltInModel] = MappingProxyType(
    {
        model.name: model
        for model in (
            BuiltInModel(
                TEMPLATE,
                "Template baseline",
                "The template of the prompt with its slots stripped: the same example report for every case.",
            ),
            BuiltInModel(
                TEMPLATE_NORMAL,
                "Normal template",
                "The standard template with every slot filled as normal: the same normal report for every case.",
            ),
            BuiltInModel(
                SCRIPTED,
                "Scripted model",
                "For demonstrations: the case's own reference report with known mistakes. It reads no image.",
            ),
        )
    }
)
"""Models that are always there, by name."""


def template_baseline(prompt: Prompt) -> str:
    """Return the prompt's template with its slot brackets removed and its example statements kept."""
    return strip_slots(prompt.template)


def normal_baseline(language: Language) -> str:
    """Return the standard template of a language with every slot filled as normal.

    Raises
    ------
    SettingsError
        If the standard prompt has no normal fills.
    """
    template = read_prompt(STANDARD, language).normal_template
    if template is None:
        raise SettingsError(
            "The standard prompt has no normal fills.", hint="Restore the file that came with the program."
        )
    return strip_slots(template)
