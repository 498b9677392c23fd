"""Who is signed in: sessions that end after twelve hours, after an hour without a click, and when told to.

The browser holds a random name with the server's signature in a cookie; everything else stays here. A session
begins under the *stamp* of its account, which changes with password, role and leave to sign in.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pet2rep_core.errors import SettingsError, StoreError

LONGEST_S = 12 * 3600.0
IDLE_S = 3600.0
_WRITE_AGAIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in on one browser; times in seconds since 1970."""

    name: str
    stamp: int
    began: float
    seen: float

    def holds(self, now: float) -> bool:
        """Tell whether it has not run out."""
        return now < self.began + LONGEST_S and now < self.seen + IDLE_S


class SessionBook:
    """The sessions of one server, on the disk too, so that a restart signs nobody out.

    Parameters
    ----------
    path : Path
        File of the sessions; only the hash of a session's name is in it.
    secret : bytes
        What the cookies are signed with.
    clock : callable
        Seconds since 1970.
    """

    def __init__(self, path: Path, secret: bytes, *, clock: Callable[[], float] = time.time) -> None:
        self._path = path
        self._secret = secret
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions = _read(path)
        self._written = clock()

    def begin(self, name: str, stamp: int) -> str:
        """Begin a session and return what the browser keeps of it."""
        said, now = secrets.token_urlsafe(24), self._clock()
        with self._lock:
            self._sessions[_hidden(said)] = Session(name, stamp, now, now)
            self._forget_old(now)
            self._write(now)
        return f"{said}.{self._mac(said)}"

    def find(self, cookie: str, *, seen: bool = True) -> Session | None:
        """Return the session of a cookie, None where there is none; ``seen`` tells whether a person asks."""
        key = self._key(cookie)
        if key is None:
            return None
        now = self._clock()
        with self._lock:
            session = self._sessions.get(key)
            if session is None:
                return None
            if not session.holds(now):
                del self._sessions[key]
                self._write(now)
                return None
            if not seen:
                return session
            session = self._sessions[key] = replace(session, seen=now)
            if now - self._written > _WRITE_AGAIN_S:
                # a full disk must not shut a reader out: only a restart would then count from an earlier click
                with contextlib.suppress(StoreError):
                    self._write(now)
            return session

    def end(self, cookie: str) -> None:
        """End the session of a cookie."""
        key = self._key(cookie)
        with self._lock:
            if key is not None and self._sessions.pop(key, None) is not None:
                self._write(self._clock())

    def is_anywhere(self, name: str, stamp: int) -> bool:
        """Tell whether a person is signed in on any browser."""
        now = self._clock()
        with self._lock:
            return any(one.name == name and one.stamp == stamp and one.holds(now) for one in self._sessions.values())

    def close(self) -> None:
        """Write when each was last seen."""
        with self._lock:
            self._write(self._clock())

    def _key(self, cookie: str) -> str | None:
        said, _, mac = cookie.partition(".")
        if not cookie.isascii() or not hmac.compare_digest(mac, self._mac(said)):
            return None
        return _hidden(said)

    def _mac(self, said: str) -> str:
        return hmac.new(self._secret, b"session|" + said.encode("ascii", "replace"), hashlib.sha256).hexdigest()

    def _forget_old(self, now: float) -> None:
        self._sessions = {key: one for key, one in self._sessions.items() if one.holds(now)}

    def _write(self, now: float) -> None:
        content = json.dumps({key: asdict(one) for key, one in self._sessions.items()})
        _write_private(self._path, content.encode("ascii"))
        self._written = now


def read_secret(path: Path) -> bytes:
    """Return the server's secret, made on first use; nobody but the owner of the file may read it.

    Raises
    ------
    SettingsError
        If others can read it, or it is not there as a whole.
    """
    try:
        if not path.exists():
            _write_private(path, secrets.token_hex(32).encode("ascii"))
        if path.stat().st_mode & 0o077:
            raise SettingsError(
                f"The file {path.name!r} can be read by others.", hint="Run chmod 600 on it; it signs every session."
            )
        secret = path.read_bytes().strip()
    except OSError as error:
        raise SettingsError(
            f"The file {path.name!r} cannot be read: {error.strerror}.", hint="Set PET2REP_HOME to a folder of yours."
        ) from error
    if len(secret) < 64:
        raise SettingsError(
            f"The file {path.name!r} is damaged.", hint="Delete it and start again; everyone then signs in anew."
        )
    return secret


def _read(path: Path) -> dict[str, Session]:
    """Return the sessions of a file; a damaged one signs everyone out, which is safe."""
    try:
        raw = json.loads(path.read_bytes())
        return {str(key): Session(**one) for key, one in raw.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write_private(path: Path, content: bytes) -> None:
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        file = os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            os.write(file, content)
            os.fsync(file)
        finally:
            os.close(file)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise StoreError(
            f"The file {path.name} cannot be written: {error.strerror}.", hint="Free some space on the disk."
        ) from error


def _hidden(said: str) -> str:
    return hashlib.sha256(said.encode("ascii", "replace")).hexdigest()
