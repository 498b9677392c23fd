"""One settings object, read once from the environment."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pet2rep_core.errors import SettingsError

PROJECT_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = PROJECT_DIR / "data"
"""Plain files that ship with the program: lexicon, rubric, prompts, texts of the interface."""


class SignIn(StrEnum):
    """How the app finds out who asks.

    SINGLE: one person on this machine, who gives a pseudonym. ACCOUNTS: names and passwords of this installation.
    OIDC: the identity provider of the site.
    """

    SINGLE = "single"
    ACCOUNTS = "accounts"
    OIDC = "oidc"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where this installation keeps its work.

    Parameters
    ----------
    home : Path
        Folder of this installation's own files; made on first use. ``PET2REP_HOME``.
    workers : int
        Cases that are imported at the same time. ``PET2REP_WORKERS``.
    models : Path or None
        The user's own table of models, where one is named. ``PET2REP_MODELS``.
    device, dtype : str
        Where models run in-process and with which numbers; chosen for the machine where empty. ``PET2REP_DEVICE``
        (``cuda``, ``cuda:1``, ``mps``, ``cpu``), ``PET2REP_DTYPE`` (``bfloat16``, ``float16``, ``float32``).
    sign_in : SignIn
        How people sign in to the app. ``PET2REP_SIGN_IN``.
    """

    home: Path
    workers: int
    models: Path | None = None
    device: str = ""
    dtype: str = ""
    sign_in: SignIn = SignIn.SINGLE

    @property
    def database(self) -> Path:
        """The DuckDB file. Nobody but the store opens it."""
        return self.home / "pet2rep.duckdb"

    @property
    def inbox(self) -> Path:
        """Folder where the command line hands finished work to the running app."""
        return self.home / "inbox"

    @property
    def prepared(self) -> Path:
        """Folder of prepared cases."""
        return self.home / "prepared"

    @property
    def exports(self) -> Path:
        """Folder of exported tables."""
        return self.home / "exports"

    @property
    def people(self) -> Path:
        """The site's table of who is who, for people whom its identity provider signs in."""
        return self.home / "people.toml"

    @property
    def secret(self) -> Path:
        """The server's own secret, with which it signs sessions; nobody else may read it."""
        return self.home / "server.secret"

    @property
    def sessions(self) -> Path:
        """Who is signed in, so that a restart of the server signs nobody out."""
        return self.home / "sessions.json"


def read_settings() -> Settings:
    """Read the settings from the environment."""
    home = Path(os.environ.get("PET2REP_HOME") or PROJECT_DIR / "work").expanduser().resolve()
    raw_workers = os.environ.get("PET2REP_WORKERS") or str(min(4, os.cpu_count() or 1))
    if not raw_workers.isdigit() or int(raw_workers) < 1:
        raise SettingsError(f"PET2REP_WORKERS is {raw_workers!r}.", hint="Set it to a whole number from 1 up.")
    models = os.environ.get("PET2REP_MODELS")
    raw_sign_in = os.environ.get("PET2REP_SIGN_IN") or SignIn.SINGLE.value
    if raw_sign_in not in set(SignIn):
        raise SettingsError(f"PET2REP_SIGN_IN is {raw_sign_in!r}.", hint="Set it to 'single', 'accounts' or 'oidc'.")
    return Settings(
        home,
        int(raw_workers),
        models=Path(models).expanduser().resolve() if models else None,
        device=os.environ.get("PET2REP_DEVICE", ""),
        dtype=os.environ.get("PET2REP_DTYPE", ""),
        sign_in=SignIn(raw_sign_in),
    )
