"""Passwords: hashed with scrypt, which needs memory as well as time, and never kept in any other form."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from functools import cache

from pet2rep_core.errors import InputDataError

SHORTEST, LONGEST = 10, 256
_SALT_BYTES, _KEY_BYTES = 16, 32
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that looks like another


@dataclass(frozen=True, slots=True)
class Cost:
    """What one scrypt takes: 2**log2_n blocks of 128 r bytes, p times over. Stored beside every hash."""

    log2_n: int = 15
    r: int = 8
    p: int = 1


STANDARD = Cost()


def check_new_password(password: str, name: str) -> None:
    """Refuse a password that is too easily guessed, or too long to be one.

    Raises
    ------
    InputDataError
        With the rule that it breaks.
    """
    plain = _normal(password)
    if len(plain) < SHORTEST:
        raise InputDataError(
            f"The password has fewer than {SHORTEST} characters.", hint="Take a few words that nobody else would."
        )
    if len(plain) > LONGEST:
        raise InputDataError(f"The password has more than {LONGEST} characters.", hint="Take a shorter one.")
    if plain.strip().casefold() == name.casefold() or len(set(plain)) < 4:
        raise InputDataError("The password is too easily guessed.", hint="Take a few words that nobody else would.")


def hash_password(password: str, cost: Cost = STANDARD) -> str:
    """Return what is kept of a password: ``scrypt$log2_n$r$p$salt$key``, salt and key in base64."""
    salt = secrets.token_bytes(_SALT_BYTES)
    parts = (base64.b64encode(part).decode("ascii") for part in (salt, _key(password, salt, cost)))
    return "$".join(("scrypt", str(cost.log2_n), str(cost.r), str(cost.p), *parts))


def is_password(password: str, kept: str) -> bool:
    """Tell whether a password is the one that was hashed; takes as long either way."""
    try:
        kind, log2_n, r, p, salt, key = kept.split("$")
        cost = Cost(int(log2_n), int(r), int(p))
        known, salted = base64.b64decode(key, validate=True), base64.b64decode(salt, validate=True)
    except (ValueError, binascii.Error):
        return False
    return kind == "scrypt" and hmac.compare_digest(_key(password, salted, cost), known)


def is_nobodys_password(password: str) -> bool:
    """Take as long as :func:`is_password` does for a person who is there, and say no."""
    is_password(password, _nobodys())
    return False


def one_time_password() -> str:
    """Return a new password to hand to a person: four groups of four letters and digits, 79 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))


@cache
def _nobodys() -> str:
    return hash_password(secrets.token_hex(16))


def _key(password: str, salt: bytes, cost: Cost) -> bytes:
    return hashlib.scrypt(
        _normal(password)[: LONGEST + 1].encode("utf-8", "surrogatepass"),
        salt=salt,
        n=2**cost.log2_n,
        r=cost.r,
        p=cost.p,
        maxmem=256 * 2**cost.log2_n * cost.r,
        dklen=_KEY_BYTES,
    )


def _normal(password: str) -> str:
    """Return the same text for the same password, whichever keyboard composed it."""
    return unicodedata.normalize("NFKC", password[: 4 * LONGEST])
