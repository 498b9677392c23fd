"""Where organs lie between the landmarks of a body, and which organ a mask shows: ``data/bands.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from pet2rep_core.errors import SettingsError
from pet2rep_core.records import Language
from pet2rep_core.settings import DATA_DIR

BANDS_FILE = DATA_DIR / "bands.toml"
LANDMARKS = ("vertex", "skull_base", "chin", "lung_apex", "carina", "lung_base", "bladder", "pelvic_floor")
_VERTEBRA = re.compile(r"(?<![A-Za-z0-9])([CTLS])(\d{1,2})(?![0-9])|([颈胸腰骶])椎?(\d{1,2})|第(\d{1,2})([颈胸腰骶])椎")
_LETTERS = {"颈": "C", "胸": "T", "腰": "L", "骶": "S"}
_HALF_VERTEBRA = 0.09
"""Half of a lumbar vertebra with its disc, in lung heights: our estimate."""
_COUNTS = {"C": 7, "T": 12, "L": 5, "S": 1}


@dataclass(frozen=True, slots=True)
class Height:
    """A height in the body: ``above`` lung heights over a landmark (below where negative).

    With ``toward`` it lies that ``share`` of the way to another height.
    """

    landmark: str
    above: float
    toward: Height | None = None
    share: float = 0.0

    def raised(self, by: float) -> Height:
        """Return the height ``by`` lung heights further up."""
        toward = None if self.toward is None else self.toward.raised(by)
        return replace(self, above=self.above + by, toward=toward)


@dataclass(frozen=True, slots=True)
class Band:
    """A part of the body in which an organ is looked for; see the head of ``data/bands.toml``.

    ``across`` counts half widths of the lungs from the midline to the patient's left, or from the midline outwards
    where ``paired``; ``depth`` is 0 at the front of the body and 1 at its back; ``point`` is where to go.
    """

    top: Height
    bottom: Height
    across: tuple[float, float]
    depth: tuple[float, float]
    point: tuple[float, float]
    paired: bool
    masks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A narrower band for words such as "右肺上叶"; ``words`` are lower case."""

    id: str
    words: tuple[str, ...]
    band: Band


@dataclass(frozen=True, slots=True)
class Proportions:
    """An average body in lung heights; see ``[body]`` of ``data/bands.toml``."""

    lung_height_mm: float
    vertex_above_apex: float
    chin_share: float
    skull_base_share: float
    carina_below_apex: float
    bladder_below_base: float
    pelvic_floor_below_bladder: float
    half_width: float


@dataclass(frozen=True, slots=True)
class Bands:
    """All bands by organ, their parts, the vertebrae from C1 to S1, and what a reader is told, by language."""

    organs: Mapping[str, Band]
    parts: Mapping[str, tuple[Part, ...]]
    vertebrae: Mapping[str, Height]
    body: Proportions
    wording: Mapping[str, Mapping[str, str]]

    def find(self, organ: str, words: str) -> tuple[Band, str]:
        """Return the band of an organ as its words narrow it down, and the id of the part or "".

        Parameters
        ----------
        organ : str
            Id of the organ lexicon.
        words : str
            Words of a report that name it, such as "腰3椎体" or "right upper lobe".
        """
        band = self.organs[organ]
        if organ == "bone" and (names := vertebrae_named(words)):
            return self._vertebrae(names), "-".join(dict.fromkeys((names[0], names[-1])))
        lower = words.lower()
        fitting = [(len(word), part) for part in self.parts[organ] for word in part.words if word in lower]
        if not fitting:
            return band, ""
        _, part = max(fitting, key=lambda one: one[0])
        return part.band, part.id

    def _vertebrae(self, names: list[str]) -> Band:
        order = list(self.vertebrae)
        first, last = sorted((order.index(names[0]), order.index(names[-1])))
        top, bottom = self.vertebrae[order[first]], self.vertebrae[order[last]]
        return Band(
            top=top.raised(_HALF_VERTEBRA),
            bottom=bottom.raised(-_HALF_VERTEBRA),
            across=(-0.3, 0.3),
            depth=(0.4, 1.0),
            point=(0.0, 0.68),
            paired=False,
            masks=tuple(f"vertebrae_{name}" for name in order[first : last + 1]),
        )

    def organ_of_mask(self, name: str) -> str | None:
        """Return the organ that a mask shows by its name, or None.

        Examples
        --------
        >>> read_bands().organ_of_mask("lung_upper_lobe_left")
        'lung'
        """
        return next((organ for organ, band in self.organs.items() if matches_mask(band, name)), None)


def matches_mask(band: Band, name: str) -> bool:
    """Tell whether a mask of this name shows what the band is for."""
    return any(fnmatchcase(name, pattern) for pattern in band.masks)


def mask_side(name: str) -> str | None:
    """Return the side that a mask's name states: left, right or None."""
    words = name.split("_")
    return next((side for side in ("left", "right") if side in words), None)


def vertebrae_named(words: str) -> list[str]:
    """Return the vertebrae that words name, in their order: "腰3至腰5椎体" gives L3 and L5."""
    found = []
    for match in _VERTEBRA.finditer(words.upper()):
        letter = match[1] or _LETTERS[match[3] or match[6]]
        number = int(match[2] or match[4] or match[5])
        if 1 <= number <= _COUNTS[letter]:
            found.append(f"{letter}{number}")
    return found


@cache
def read_bands(path: Path = BANDS_FILE) -> Bands:
    """Return the bands of a file; the same object for the same path.

    Raises
    ------
    SettingsError
        If the file is missing, is no TOML, or a band lacks a part or names an unknown landmark.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        organs = {str(row["organ"]): _band(row, {}) for row in raw["band"]}
        parts = {str(row["organ"]): tuple(_part(one, row) for one in row.get("parts", ())) for row in raw["band"]}
        vertebrae = _spine({str(row["name"]): _height(row["at"]) for row in raw["vertebra"]})
        body = Proportions(**{key: float(value) for key, value in raw["body"].items()})
        wording = {language.value: _texts(raw["wording"][language]) for language in Language}
    except (OSError, tomllib.TOMLDecodeError, KeyError, IndexError, TypeError, ValueError) as error:
        raise SettingsError(
            f"The table of organ bands {path.name} cannot be read: {error}.",
            hint="Restore the file that came with the program, then edit again.",
        ) from error
    return Bands(organs, parts, vertebrae, body, wording)


def _texts(raw: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(text) for key, text in raw.items()}


def _height(value: Any) -> Height:
    landmark, above = value
    if landmark not in LANDMARKS:
        raise ValueError(f"there is no landmark {landmark!r}")
    return Height(str(landmark), float(above))


def _band(row: Mapping[str, Any], organ: Mapping[str, Any]) -> Band:
    """Return a band; what a part does not give is its organ's, but a point only while it may lie in the band."""
    both = {**organ, **row}
    across, depth = _pair(both["across"]), _pair(both["depth"])
    moved = "across" in row or "depth" in row
    point = row.get("point", organ.get("point") if not moved else None)
    return Band(
        top=_height(both["top"]),
        bottom=_height(both["bottom"]),
        across=across,
        depth=depth,
        point=_pair(point) if point is not None else (sum(across) / 2, sum(depth) / 2),
        paired=bool(both.get("paired", False)),
        masks=tuple(_words(str(row.get("masks", "")), ",")),
    )


def _part(row: Mapping[str, Any], organ: Mapping[str, Any]) -> Part:
    words = (*_words(str(row["zh"]), None), *_words(str(row["en"]), ","))
    return Part(str(row["id"]), words, _band(row, organ))


def _words(text: str, separator: str | None) -> tuple[str, ...]:
    return tuple(word.strip().lower() if separator is None else word.strip() for word in text.split(separator) if word)


def _pair(value: Any) -> tuple[float, float]:
    first, second = value
    return float(first), float(second)


def _spine(known: dict[str, Height]) -> dict[str, Height]:
    """Return every vertebra from C1 to S1; those between two known ones are spaced evenly."""
    names = [f"{letter}{number}" for letter, count in _COUNTS.items() for number in range(1, count + 1)]
    spine = dict.fromkeys(names, known[names[-1]])
    for upper, lower in pairwise(name for name in names if name in known):
        first, last = names.index(upper), names.index(lower)
        for place in range(first, last):
            spine[names[place]] = replace(known[upper], toward=known[lower], share=(place - first) / (last - first))
    return spine
