"""Keys of providers: from the environment or Streamlit's secrets, and into no log, error or database."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from pet2rep_core.errors import SettingsError
from pet2rep_core.settings import PROJECT_DIR

SECRET_FILES = (PROJECT_DIR / ".streamlit" / "secrets.toml", Path("~/.streamlit/secrets.toml"))
_HIDDEN = "***"
_LIKE_A_KEY = re.compile(r"\b(?:sk|key|AIza)[-_A-Za-z0-9*]{12,}")


@dataclass(frozen=True, slots=True)
class SecretKey:
    """A key, and the name of the variable that held it. Neither ``repr`` nor ``str`` shows it."""

    name: str
    value: str = field(repr=False, default="")

    def __str__(self) -> str:
        """Return the name of the key, never the key."""
        return f"key {self.name}" if self.name else "no key"

    def hide(self, text: str) -> str:
        """Return a text without this key, and without what looks like one."""
        if len(self.value) >= 4:
            text = text.replace(self.value, _HIDDEN)
        return _LIKE_A_KEY.sub(_HIDDEN, text)


def read_key(name: str, files: tuple[Path, ...] = SECRET_FILES) -> SecretKey | None:
    """Return the key of a variable: from the environment, else from the first secrets file that has it.

    Parameters
    ----------
    name : str
        The variable that a row of the catalog names, such as ``OPENAI_API_KEY``.

    Returns
    -------
    SecretKey or None
        None where it is nowhere, or blank.

    Raises
    ------
    SettingsError
        If a secrets file cannot be read, or the key has characters that no header can carry.
    """
    value = os.environ.get(name, "").strip() or next(filter(None, (_from_file(path, name) for path in files)), "")
    if not value:
        return None
    if not value.isascii() or not value.isprintable():
        raise SettingsError(f"The key {name} has characters that no key has.", hint="Copy it again from the provider.")
    return SecretKey(name, value)


def _from_file(path: Path, name: str) -> str:
    path = path.expanduser()
    if not path.is_file():
        return ""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8")).get(name, "")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        # what a parser says may quote the line, and with it the key
        raise SettingsError(
            f"The file {path.name} with the keys cannot be read.", hint='Each line is NAME = "key".'
        ) from (None if isinstance(error, tomllib.TOMLDecodeError) else error)
    return found.strip() if isinstance(found, str) else ""
