"""Find what in a generated report gives its author away; the text itself is never changed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pet2rep_core.errors import SettingsError
from pet2rep_core.records import Language
from pet2rep_core.settings import DATA_DIR

_FILE = DATA_DIR / "leaks.toml"
OTHER_LANGUAGE = "other_language"
_LATIN_RUN = re.compile(r"(?:[A-Za-z][A-Za-z'’\-]*[ ,]+){7,}[A-Za-z][A-Za-z'’\-]*")
_HAN_RUN = re.compile(r"[\u3400-\u9fff][\u3400-\u9fff，。；、：]{5,}")
_SHORT_NAME = 3


@dataclass(frozen=True, slots=True)
class Leak:
    """Words at [start, end) of a text, and what they tell of its author."""

    kind: str
    start: int
    end: int
    quote: str


@cache
def _table(path: Path) -> tuple[str, tuple[tuple[str, re.Pattern[str]], ...]]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        rows = tuple(
            (str(row["kind"]), re.compile(pattern, re.IGNORECASE))
            for row in content["leak"]
            for pattern in row["patterns"]
        )
        return str(content["version"]), rows
    except (OSError, ValueError, KeyError, TypeError, re.error) as error:
        raise SettingsError(
            f"The table of give-aways {path.name} cannot be read: {error}.",
            hint="Correct it, or restore the one that ships with the program.",
        ) from error


def leaks_version() -> str:
    """Return the version of the table of give-aways."""
    return _table(_FILE)[0]


def leak_kinds() -> tuple[str, ...]:
    """Return the kinds of give-aways in the order of the table."""
    return (*dict.fromkeys(kind for kind, _ in _table(_FILE)[1]), OTHER_LANGUAGE)


def find_leaks(text: str, language: Language, names: Iterable[str] = ()) -> tuple[Leak, ...]:
    """Return what gives the author of a text away, by place.

    Parameters
    ----------
    language : Language
        Language that the report was asked for; a sentence of the other one tells something too.
    names : iterable of str
        Names of models and runs that must not stand in a text, beside those of the table.
    """
    found = [
        Leak(kind, match.start(), match.end(), match[0])
        for kind, pattern in _table(_FILE)[1]
        for match in pattern.finditer(text)
    ]
    other = _LATIN_RUN if language is Language.CHINESE else _HAN_RUN
    found += [Leak(OTHER_LANGUAGE, match.start(), match.end(), match[0]) for match in other.finditer(text)]
    for name in names:
        if len(name) >= _SHORT_NAME:
            found += [
                Leak("names_model", match.start(), match.end(), match[0])
                for match in re.finditer(re.escape(name), text, re.IGNORECASE)
            ]
    return tuple(_outermost(sorted(set(found), key=lambda leak: (leak.start, -leak.end, leak.kind))))


def _outermost(leaks: Iterable[Leak]) -> Iterable[Leak]:
    """Leave out what lies within an earlier one of the same kind."""
    ends: dict[str, int] = {}
    for leak in leaks:
        if leak.end > ends.get(leak.kind, 0):
            ends[leak.kind] = leak.end
            yield leak
