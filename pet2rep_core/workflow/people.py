"""Who is who at a site: from what its identity provider says of a person to a pseudonym and a role.

The table is a small TOML file of the site, read again whenever it changes::

    claim = "email"           # what names a person: email, sub, preferred_username, …
    groups = "groups"         # the claim that lists a person's groups, where the provider gives one
    provider = "hospital"     # which [auth.…] of Streamlit's secrets.toml; the only one where left out
    minutes = 480             # how long a sign-in lasts; where left out, as long as the provider's token

    [[person]]
    is = "first.reader@hospital.example"
    name = "R01"
    role = "rater"

    [[group]]                 # for people who are not named above
    is = "pet-readers"
    prefix = "PET"            # their pseudonyms: PET-3f9a2c1b
    role = "rater"
"""

from __future__ import annotations

import hashlib
import hmac
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pet2rep_core.errors import PermissionDeniedError, Pet2RepError, SettingsError
from pet2rep_core.records import Person, Role
from pet2rep_core.workflow.rate import check_reader

_KEYS = {"claim", "groups", "provider", "minutes", "person", "group"}
_ROW_KEYS = {"person": {"is", "name", "role"}, "group": {"is", "prefix", "role"}}
_RANK = tuple(Role)
_LONGEST_MIN = 24 * 60


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: whom it means, the pseudonym (or how pseudonyms of a group begin), the role."""

    said: str
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class People:
    """The table of a site."""

    claim: str = "email"
    groups: str = "groups"
    provider: str | None = None
    minutes: int | None = None
    persons: tuple[Row, ...] = ()
    of_groups: tuple[Row, ...] = field(default=())

    def person(self, claims: Mapping[str, Any], secret: bytes) -> Person:
        """Return the person whom an identity provider describes.

        A person's own line counts before those of groups; of several groups that with the most rights counts.

        Parameters
        ----------
        secret : bytes
            Makes the pseudonyms of groups: without it nobody can find a person's pseudonym from their address.

        Raises
        ------
        PermissionDeniedError
            If nobody entered this person, or the provider does not vouch for the address.
        """
        said = claims.get(self.claim)
        if not isinstance(said, str) or not said.strip():
            raise PermissionDeniedError(
                f"The identity provider does not say {self.claim!r} of you.",
                hint="Ask the administrator of this installation to choose another claim in people.toml.",
            )
        if self.claim == "email" and claims.get("email_verified") is False:
            raise PermissionDeniedError(
                "The identity provider has not verified your e-mail address.", hint="Verify it there, then sign in."
            )
        for row in self.persons:
            if row.said.casefold() == said.strip().casefold():
                return Person(row.name, row.role)
        listed = claims.get(self.groups)
        mine = {listed} if isinstance(listed, str) else {one for one in listed or () if isinstance(one, str)}
        rows = sorted((row for row in self.of_groups if row.said in mine), key=lambda row: -_RANK.index(row.role))
        if not rows:
            raise PermissionDeniedError(
                "You are signed in, but nobody has given you access to this installation.",
                hint="Ask its administrator to enter you in people.toml.",
            )
        identity = f"{claims.get('iss', '')}|{claims.get('sub', said)}".encode()
        digest = hmac.new(secret, b"pseudonym|" + identity, hashlib.sha256).hexdigest()
        return Person(f"{rows[0].name}-{digest[:8]}", rows[0].role)

    def ends(self, claims: Mapping[str, Any]) -> float:
        """Return when a sign-in ends, in seconds since 1970: 0 where the provider does not say.

        Streamlit keeps its cookie for 30 days and never looks.
        """
        name = "exp" if self.minutes is None else "iat"
        said = claims.get(name)
        if isinstance(said, bool) or not isinstance(said, int | float):
            return 0.0
        return float(said) + 60.0 * (self.minutes or 0)


def read_people(path: Path) -> People:
    """Return the table of a site.

    Raises
    ------
    SettingsError
        If it is not there or cannot be used, with the line's own words.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise SettingsError(
            f"There is no {path.name} in the folder of this installation.",
            hint="Enter there who may sign in; the README shows how.",
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(
            f"{path.name} cannot be read: {error}.", hint="Correct the file; it is TOML in UTF-8."
        ) from error
    _refuse_unknown(set(raw) - _KEYS)
    minutes = raw.get("minutes")
    if minutes is not None and (
        isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= _LONGEST_MIN
    ):
        raise SettingsError(
            f"'minutes' in {path.name} is {minutes!r}.", hint=f"Give a whole number from 1 to {_LONGEST_MIN}."
        )
    for name in ("claim", "groups", "provider"):
        if not isinstance(raw.get(name, ""), str):
            raise SettingsError(f"The setting {name!r} in {path.name} is {raw[name]!r}.", hint="Give one name as text.")
    people = People(
        claim=raw.get("claim", "email"),
        groups=raw.get("groups", "groups"),
        provider=raw.get("provider"),
        minutes=minutes,
        persons=_rows(raw, "person", "name"),
        of_groups=_rows(raw, "group", "prefix"),
    )
    names = [row.name.casefold() for row in people.persons]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise SettingsError(
            f"Two people share the pseudonym {doubled[0]!r} in {path.name}.", hint="Give each person one of their own."
        )
    return people


def _rows(raw: Mapping[str, Any], kind: str, name: str) -> tuple[Row, ...]:
    listed = raw.get(kind, [])
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise SettingsError(f"{kind!r} is no list of tables.", hint=f"Begin each with a line [[{kind}]].")
    return tuple(_row(one, kind, name) for one in listed)


def _row(one: Mapping[str, Any], kind: str, name: str) -> Row:
    _refuse_unknown(set(one) - _ROW_KEYS[kind])
    missing = sorted(key for key in _ROW_KEYS[kind] if not isinstance(one.get(key), str) or not one[key].strip())
    if missing:
        raise SettingsError(f"A [[{kind}]] has no {missing[0]!r}.", hint="Give it as text between quotation marks.")
    if one["role"] not in set(Role):
        raise SettingsError(f"{one['role']!r} is no role.", hint=f"Use {', '.join(Role)}.")
    try:
        check_reader(one[name])
    except Pet2RepError as error:
        raise SettingsError(error.message, hint=error.hint) from error
    if kind == "group" and len(one[name]) > 20:
        raise SettingsError(f"The prefix {one[name]!r} is too long.", hint="Use at most 20 letters and digits.")
    return Row(one["is"].strip(), one[name], Role(one["role"]))


def _refuse_unknown(keys: set[str]) -> None:
    if keys:
        raise SettingsError(f"people.toml has {min(keys)!r}, which is no setting of it.", hint="Correct or remove it.")
