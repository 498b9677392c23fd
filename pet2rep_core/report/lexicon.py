"""The organs that reports speak about, read once from ``data/organs.toml``."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path

from pet2rep_core.errors import SettingsError, UnknownNameError
from pet2rep_core.records import Language
from pet2rep_core.settings import DATA_DIR

LEXICON_FILE = DATA_DIR / "organs.toml"


class Zone(StrEnum):
    """Part of the body that decides which node group a bare "lymph node" belongs to."""

    HEAD = "head"
    CHEST = "chest"
    ABDOMEN = "abdomen"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Organ:
    """One row of the organ table.

    ``words`` name the organ wherever they stand; ``near_node_words`` (node groups only) name it only where
    a word for lymph node stands beside them. ``sided`` tells whether "left" and "right" of it are sides of the body
    (lobes of the liver are not).
    """

    id: str
    zone: Zone
    nodes: bool
    sided: bool
    names: dict[Language, str]
    words: dict[Language, tuple[str, ...]]
    near_node_words: dict[Language, tuple[str, ...]]


@dataclass(frozen=True)
class Lexicon:
    """All organs, head to toe; words that only look like organs; structures that have no row."""

    organs: tuple[Organ, ...]
    not_organs: dict[Language, tuple[str, ...]]
    other_structures: dict[Language, tuple[str, ...]]

    @cached_property
    def by_id(self) -> dict[str, Organ]:
        """Organs by their id, in lexicon order."""
        return {organ.id: organ for organ in self.organs}

    @cached_property
    def rank(self) -> dict[str, int]:
        """Place of each organ from head to toe, 0 first."""
        return {organ.id: place for place, organ in enumerate(self.organs)}

    @cached_property
    def nodes_of_zone(self) -> dict[Zone, str]:
        """Node group of each zone that has one."""
        return {organ.zone: organ.id for organ in self.organs if organ.nodes}


def organ_name(organ_id: str, language: Language) -> str:
    """Return the name of an organ for a table.

    Raises
    ------
    UnknownNameError
        If the lexicon has no such organ.
    """
    organs = read_lexicon().by_id
    if organ_id not in organs:
        raise UnknownNameError("organ", organ_id, organs)
    return organs[organ_id].names[language]


@cache
def read_lexicon(path: Path = LEXICON_FILE) -> Lexicon:
    """Return the lexicon of a file; the same object for the same path.

    Raises
    ------
    SettingsError
        If the file is missing, is no TOML, or an organ lacks a part or stands twice.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        organs = tuple(_organ(row) for row in raw["organ"])
        not_organs = {
            Language.CHINESE: _chinese_words(raw.get("not_organs_zh", "")),
            Language.ENGLISH: _english_words(raw.get("not_organs_en", "")),
        }
        others = {
            Language.CHINESE: _chinese_words(raw.get("other_structures_zh", "")),
            Language.ENGLISH: _english_words(raw.get("other_structures_en", "")),
        }
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise SettingsError(
            f"The organ lexicon {path.name} cannot be read: {error}.",
            hint="Restore the file that came with the program, then edit again.",
        ) from error
    ids = [organ.id for organ in organs]
    twice = sorted({name for name in ids if ids.count(name) > 1})
    if twice:
        raise SettingsError(f"The organ lexicon {path.name} lists {twice[0]!r} twice.", hint="Merge the two rows.")
    return Lexicon(organs, not_organs, others)


def _organ(row: dict[str, str | bool]) -> Organ:
    return Organ(
        id=str(row["id"]),
        zone=Zone(str(row["zone"])),
        nodes=bool(row.get("nodes", False)),
        sided=bool(row.get("sided", True)),
        names={Language.CHINESE: str(row["zh"]), Language.ENGLISH: str(row["en"])},
        words={
            Language.CHINESE: _chinese_words(str(row["words_zh"])),
            Language.ENGLISH: _english_words(str(row["words_en"])),
        },
        near_node_words={
            Language.CHINESE: _chinese_words(str(row.get("near_node_zh", ""))),
            Language.ENGLISH: _english_words(str(row.get("near_node_en", ""))),
        },
    )


def _chinese_words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _english_words(text: str) -> tuple[str, ...]:
    words = (re.sub(r"\s+", " ", word).strip().lower() for word in text.split(","))
    return tuple(word for word in words if word)
