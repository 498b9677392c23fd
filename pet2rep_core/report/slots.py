"""Slots of a report template: ``[ ]`` holds what CT shows, ``【 】`` what PET shows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pet2rep_core.errors import ReportParseError


class SlotKind(StrEnum):
    """Which images a slot speaks about."""

    CT = "ct"
    PET = "pet"


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot: [start, end) of the template with its brackets, ``text`` without them."""

    kind: SlotKind
    start: int
    end: int
    text: str


_SLOT = re.compile(r"\[([^\[\]【】]*)\]|【([^\[\]【】]*)】")
_BRACKETS = str.maketrans("", "", "[]【】")


def find_slots(template: str) -> tuple[Slot, ...]:
    """Return the slots of a template in the order in which they stand; a lone bracket is no slot."""
    return tuple(
        Slot(SlotKind.CT if m[1] is not None else SlotKind.PET, m.start(), m.end(), m[1] if m[1] is not None else m[2])
        for m in _SLOT.finditer(template)
    )


def strip_slots(text: str) -> str:
    """Return the text without slot brackets; what stands in them is kept, lone brackets go too."""
    return text.translate(_BRACKETS)


def fill_slots(template: str, fills: Sequence[str] | Mapping[int, str]) -> str:
    """Return the template with its slots filled anew, brackets kept.

    Parameters
    ----------
    template : str
        Text with slots.
    fills : sequence of str, or mapping of int to str
        One fill for each slot, or fills by slot number from 0; other slots stay as they are.

    Raises
    ------
    ReportParseError
        If the number of fills is not the number of slots, or a fill is for a slot that is not there.
    """
    slots = find_slots(template)
    chosen = dict(fills) if isinstance(fills, Mapping) else dict(enumerate(fills))
    if not isinstance(fills, Mapping) and len(chosen) != len(slots):
        raise ReportParseError(
            f"The template has {len(slots)} slots, and {len(chosen)} fills were given.", hint="Give one fill for each."
        )
    unknown = sorted(set(chosen) - set(range(len(slots))))
    if unknown:
        raise ReportParseError(
            f"The template has no slot {unknown[0]}.", hint=f"Its slots are numbered from 0 to {len(slots) - 1}."
        )
    parts: list[str] = []
    at = 0
    for number, slot in enumerate(slots):
        left, right = template[slot.start], template[slot.end - 1]
        parts += [template[at : slot.start], left, chosen.get(number, slot.text), right]
        at = slot.end
    return "".join([*parts, template[at:]])
