"""Labels of the development set: what a row says, and how an extraction compares with it."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pet2rep_core.records import POSITIVE_STATES, Language, UptakeState

HERE = Path(__file__).parent
STATES = {state.value[0]: state for state in UptakeState}
SIDES = {"": None, "L": "left", "R": "right", "B": "bilateral"}


@dataclass(frozen=True, slots=True)
class OrganLabel:
    """What a row says of one organ; ``any_*``: either answer is right there."""

    organ: str
    states: frozenset[UptakeState]
    side: str | None
    suv_max: tuple[float, ...]
    optional: bool
    any_side: bool
    any_suv: bool


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A sentence or a whole report with its labels."""

    language: Language
    text: str
    organs: dict[str, OrganLabel]
    where: str


def read_sentences(name: str) -> list[LabelledText]:
    """Return the labelled sentences of one file of this folder."""
    raw = tomllib.loads((HERE / name).read_text(encoding="utf-8"))
    return [
        LabelledText(language, text, read_label(label), name)
        for language in Language
        for text, label in raw[language.value]["sentences"]
    ]


def read_reports(name: str) -> list[LabelledText]:
    """Return the labelled whole reports of one file of this folder."""
    raw = tomllib.loads((HERE / name).read_text(encoding="utf-8"))
    return [
        LabelledText(Language(row["language"]), row["text"], read_label(row["label"]), name) for row in raw["report"]
    ]


def read_label(label: str) -> dict[str, OrganLabel]:
    """Return the organs of one label; the grammar stands at the head of ``sentences_1.toml``."""
    return {one.organ: one for one in map(_organ, label.split())}


def _organ(word: str) -> OrganLabel:
    organ, _, rest = word.removeprefix("?").partition("=")
    states, side, suv, *_ = [*rest.split("/"), "", ""]
    return OrganLabel(
        organ,
        frozenset(STATES[letter] for letter in states),
        SIDES[side.removeprefix("~")],
        tuple(float(number) for number in suv.removeprefix("~").split(",") if number),
        word.startswith("?"),
        side.startswith("~"),
        suv.startswith("~"),
    )


def differences(
    row: LabelledText, found: dict[str, tuple[set[UptakeState], str | None, tuple[float, ...]]]
) -> Iterator[str]:
    """Yield one line for every organ that was read otherwise than its label says."""
    for organ in sorted({*row.organs, *found}):
        label = row.organs.get(organ)
        if label is None:
            yield f"{organ}: found {found[organ]}, nothing expected"
        elif label.optional:
            continue
        elif organ not in found:
            yield f"{organ}: missing"
        else:
            states, side, suv = found[organ]
            if states != label.states:
                yield f"{organ}: states {_listed(states)}, not {_listed(label.states)}"
            positive = label.states & set(POSITIVE_STATES)
            if not label.any_side and positive and side != label.side:
                yield f"{organ}: side {side}, not {label.side}"
            if not label.any_suv and sorted(suv) != sorted(label.suv_max):
                yield f"{organ}: SUVmax {suv}, not {label.suv_max}"


def _listed(states: set[UptakeState] | frozenset[UptakeState]) -> list[str]:
    return sorted(state.value for state in states)
