"""The rubric: dimensions, questions and printed anchors, read from ``data/rubric.toml``."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pet2rep_core.errors import SettingsError, UnknownNameError
from pet2rep_core.records import Language
from pet2rep_core.settings import DATA_DIR

VALUES = (1, 2, 3, 4, 5)
_FILE = DATA_DIR / "rubric.toml"
_HINT = "Correct the rubric file, or restore the one that ships with the program."
_KEY = re.compile(r"[a-z][a-z0-9_]{0,15}")


@dataclass(frozen=True, slots=True)
class Dimension:
    """One question of the rubric, with what each number means, in both languages."""

    key: str
    name: dict[Language, str]
    question: dict[Language, str]
    anchors: dict[int, dict[Language, str]]

    def __post_init__(self) -> None:
        """Refuse a dimension that a reader could not answer in one of the languages."""
        if not _KEY.fullmatch(self.key):
            raise SettingsError(f"The rubric has a dimension with the key {self.key!r}.", hint=_HINT)
        if tuple(sorted(self.anchors)) != VALUES:
            raise SettingsError(
                f"The dimension {self.key!r} has anchors for {sorted(self.anchors)}, not for 1 to 5.", hint=_HINT
            )
        texts = {"name": self.name, "question": self.question} | {
            f"anchor {value}": anchor for value, anchor in self.anchors.items()
        }
        for part, text in texts.items():
            for language in Language:
                if not text.get(language, "").strip():
                    raise SettingsError(
                        f"The dimension {self.key!r} has no {part} in the language {language.value!r}.", hint=_HINT
                    )


@dataclass(frozen=True, slots=True)
class Rubric:
    """The dimensions in the order in which a reader answers them."""

    version: str
    dimensions: tuple[Dimension, ...]

    def __post_init__(self) -> None:
        """Refuse a rubric without a version or dimensions, or with one key twice."""
        if not self.version.strip():
            raise SettingsError("The rubric has no version.", hint=_HINT)
        keys = self.keys
        if not keys or len(set(keys)) != len(keys):
            raise SettingsError(f"The rubric has the dimensions {list(keys)}.", hint=_HINT)

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the dimensions in order."""
        return tuple(dimension.key for dimension in self.dimensions)

    def dimension(self, key: str) -> Dimension:
        """Return a dimension by its key.

        Raises
        ------
        UnknownNameError
            If there is none.
        """
        for dimension in self.dimensions:
            if dimension.key == key:
                return dimension
        raise UnknownNameError("dimension", key, self.keys)


def read_rubric(path: Path = _FILE) -> Rubric:
    """Return the rubric of a file.

    Raises
    ------
    SettingsError
        If the file cannot be read, or a name, question or anchor is missing in a language.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        dimensions = tuple(_dimension(entry) for entry in content["dimensions"])
        return Rubric(str(content["version"]), dimensions)
    except OSError as error:
        raise SettingsError(f"The rubric {path.name} cannot be read: {error.strerror}.", hint=_HINT) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"The rubric {path.name} cannot be read: {error}.", hint=_HINT) from error
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SettingsError(
            f"The rubric {path.name} lacks a part or has one that is not understood: {error}.", hint=_HINT
        ) from error


def _dimension(entry: dict[str, Any]) -> Dimension:
    return Dimension(
        key=str(entry["key"]),
        name=_texts(entry["name"]),
        question=_texts(entry["question"]),
        anchors={int(value): _texts(anchor) for value, anchor in entry["anchors"].items()},
    )


def _texts(entry: dict[str, str]) -> dict[Language, str]:
    return {Language(language): str(text) for language, text in entry.items()}
