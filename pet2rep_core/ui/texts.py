"""Texts of the interface, from ``data/texts/<language>.toml``."""

from __future__ import annotations

import tomllib
from functools import cache

from pet2rep_core.errors import UnknownNameError
from pet2rep_core.records import Language
from pet2rep_core.settings import DATA_DIR


@cache
def read_texts(language: Language) -> dict[str, str]:
    """Return all texts of a language, keys as ``section.name``."""
    raw = tomllib.loads((DATA_DIR / "texts" / f"{language.value}.toml").read_text(encoding="utf-8"))
    return {f"{section}.{name}": text for section, texts in raw.items() for name, text in texts.items()}


def text(language: Language, key: str, **values: object) -> str:
    """Return one text with its placeholders filled.

    Raises
    ------
    UnknownNameError
        If there is no such text.
    """
    texts = read_texts(language)
    if key not in texts:
        raise UnknownNameError("text", key, texts)
    return texts[key].format(**values) if values else texts[key]
