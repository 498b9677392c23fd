"""Short-lived signed leave to fetch what belongs to one case, for one reader."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import time

LIFETIME_S = 3600


class Signer:
    """Signs and checks tokens with a secret that lives as long as the process.

    A token reads ``expires.reader.mac``: seconds since 1970, the reader's name in URL-safe base64, and an
    HMAC-SHA256 over both and the case.
    """

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def sign(self, case_id: str, reader: str, *, now: float | None = None) -> str:
        """Return leave for one case and one reader, good for an hour."""
        expires = str(int((time.time() if now is None else now) + LIFETIME_S))
        name = base64.urlsafe_b64encode(_encoded(reader)).decode("ascii").rstrip("=")
        return f"{expires}.{name}.{self._mac(case_id, expires, name)}"

    def reader_of(self, token: str, case_id: str, *, now: float | None = None) -> str | None:
        """Return the reader whom a token gives leave for this case; None where it gives none or has run out."""
        parts = token.split(".")
        if len(parts) != 3 or not token.isascii():
            return None
        expires, name, mac = parts
        if not hmac.compare_digest(mac, self._mac(case_id, expires, name)):
            return None
        # Both parts are as they were signed from here on.
        if int(expires) <= (time.time() if now is None else now):
            return None
        return _decoded(name)

    def seconds_left(self, token: str, *, now: float | None = None) -> float:
        """Return how long a token of ours is good for."""
        return int(token.partition(".")[0]) - (time.time() if now is None else now)

    def _mac(self, case_id: str, expires: str, name: str) -> str:
        # The case stands last: it is the only part that may hold the mark between the parts.
        return hmac.new(self._secret, b"|".join(map(_encoded, (expires, name, case_id))), hashlib.sha256).hexdigest()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decoded(name: str) -> str | None:
    try:
        return base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode("utf-8", "surrogatepass")
    except (binascii.Error, UnicodeDecodeError):
        return None
