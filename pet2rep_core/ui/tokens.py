"""Short-lived signed leave to fetch the pictures of one case."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time

LIFETIME_S = 3600


class Signer:
    """Signs and checks tokens with a secret that lives as long as the process."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def sign(self, case_id: str, *, now: float | None = None) -> str:
        """Return leave for one case, good for an hour."""
        expires = int((time.time() if now is None else now) + LIFETIME_S)
        return f"{expires}.{self._mac(case_id, expires)}"

    def allows(self, token: str, case_id: str, *, now: float | None = None) -> bool:
        """Tell whether a token was signed for this case and has not run out."""
        expires, _, mac = token.partition(".")
        if not token.isascii() or not expires.isdigit() or len(expires) > 12:
            return False
        if not hmac.compare_digest(mac, self._mac(case_id, int(expires))):
            return False
        return int(expires) > (time.time() if now is None else now)

    def seconds_left(self, token: str, *, now: float | None = None) -> float:
        """Return how long a token of ours is good for."""
        return int(token.partition(".")[0]) - (time.time() if now is None else now)

    def _mac(self, case_id: str, expires: int) -> str:
        return hmac.new(self._secret, f"{expires}|{case_id}".encode(), hashlib.sha256).hexdigest()
