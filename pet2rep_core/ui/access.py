"""Who may ask: one class for each way to sign in. Pages, routes and the sign-in itself ask nobody else.

``person(name)`` is what everything comes down to: the person behind a pseudonym as they are *now*, None for who is
disabled, signed out or unknown. It is asked on every run of a page and by every checked route.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from pet2rep_core.errors import PermissionDeniedError, Pet2RepError
from pet2rep_core.records import Person, Role
from pet2rep_core.settings import Settings, SignIn
from pet2rep_core.store import Store
from pet2rep_core.store.accounts import Account
from pet2rep_core.workflow.accounts import Door
from pet2rep_core.workflow.people import People, read_people
from pet2rep_core.workflow.sessions import IDLE_S, LONGEST_S, SessionBook, read_secret

COOKIE = "pet2rep_session"


class Access(Protocol):
    """What the rest of the interface asks."""

    mode: SignIn

    def person(self, name: str) -> Person | None:
        """Return a person by pseudonym, None where they may not ask for anything now."""
        ...

    def asking(self, name: str, cookies: Mapping[str, str]) -> Person | None:
        """Return the person whom a request's token names, None where its cookies are not of that person."""
        ...

    def close(self) -> None:
        """Keep what must last."""
        ...


class SingleAccess:
    """One person on this machine: whoever reaches the app is that person."""

    mode = SignIn.SINGLE

    def person(self, name: str) -> Person | None:
        """Return the person as the owner of this machine."""
        return Person(name, Role.ADMIN)

    def asking(self, name: str, cookies: Mapping[str, str]) -> Person | None:  # noqa: ARG002 - there is no sign-in
        """Return the person as the owner of this machine."""
        return self.person(name)

    def close(self) -> None:
        """Nothing has to be kept."""


class AccountAccess:
    """Names and passwords of this installation."""

    mode = SignIn.ACCOUNTS

    def __init__(self, store: Store, settings: Settings, *, clock: Callable[[], float] = time.time) -> None:
        self.door = Door(store, clock=clock)
        self.book = SessionBook(settings.sessions, read_secret(settings.secret), clock=clock)
        self._store = store

    def has_accounts(self) -> bool:
        """Tell whether there is any account yet."""
        return bool(self._store.accounts.all())

    def begin(self, account: Account) -> str:
        """Begin a session of an account; returns the cookie."""
        return self.book.begin(account.name, account.stamp)

    def account(self, cookies: Mapping[str, str], *, seen: bool = True) -> Account | None:
        """Return the account that is signed in on a browser, also where it has to choose another password first."""
        cookie = cookies.get(COOKIE, "")
        session = self.book.find(cookie, seen=seen) if cookie else None
        if session is None:
            return None
        account = self._store.accounts.find(session.name)
        if account is None or account.disabled or account.stamp != session.stamp:
            self.book.end(cookie)
            return None
        return account

    def signed_in(self, cookies: Mapping[str, str], *, seen: bool = True) -> Person | None:
        """Return the person who is signed in on a browser; ``seen`` tells whether that counts as a click."""
        account = self.account(cookies, seen=seen)
        return None if account is None or account.must_change else Person(account.name, account.role)

    def end(self, cookies: Mapping[str, str]) -> None:
        """Sign a browser out."""
        self.book.end(cookies.get(COOKIE, ""))

    def person(self, name: str) -> Person | None:
        """Return a person who may sign in and is signed in somewhere."""
        account = self._store.accounts.find(name)
        if account is None or account.disabled or account.must_change:
            return None
        return Person(account.name, account.role) if self.book.is_anywhere(account.name, account.stamp) else None

    def asking(self, name: str, cookies: Mapping[str, str]) -> Person | None:
        """Return the person whom a token names if the same person is signed in on the browser that asks."""
        person = self.signed_in(cookies)
        return person if person is not None and person.name == name else None

    def close(self) -> None:
        """Keep who is signed in."""
        self.door.close()
        self.book.close()


@dataclass(frozen=True, slots=True)
class _Known:
    """One sign-in at the provider, as the pages have seen it."""

    claims: Mapping[str, Any]
    began: float
    seen: float


class ProviderAccess:
    """The identity provider of the site. Streamlit talks to it; what it says is checked here on every run."""

    mode = SignIn.OIDC

    def __init__(self, settings: Settings, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._path = settings.people
        self._secret = read_secret(settings.secret)
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, _Known] = {}
        self._ended: dict[str, float] = {}
        self._people: tuple[tuple[int, int], People] | None = None
        self.people()  # a table that cannot be used is said at the start, not to the first reader

    def people(self) -> People:
        """Return the site's table, read again where the file has changed."""
        try:
            status = self._path.stat()
            mark = status.st_mtime_ns, status.st_size
        except OSError:
            mark = -1, -1
        with self._lock:
            if self._people is None or self._people[0] != mark:
                self._people = mark, read_people(self._path)
            return self._people[1]

    def signed_in(self, claims: Mapping[str, Any], *, seen: bool = True) -> Person:
        """Return the person whom the provider described at sign-in; ``seen`` tells whether that counts as a click.

        Raises
        ------
        PermissionDeniedError
            If the sign-in has ended, or the table does not have this person.
        """
        key, now = _identity(claims), self._clock()
        people = self.people()
        with self._lock:
            known = self._known.get(key) or _Known(dict(claims), _began(claims, now), now)
            if key in self._ended or not self._holds(known, people, now):
                self._end(key, claims, people, now)
                raise PermissionDeniedError("Your sign-in has ended.", hint="Sign in again.")
        person = people.person(claims, self._secret)
        with self._lock:
            is_new = key not in self._known
            self._known[key] = replace(known, seen=now if seen else known.seen)
        if is_new:
            self._store.record_event(person.name, "sign_in", "account", person.name, {"role": person.role.value})
        return person

    def end(self, claims: Mapping[str, Any]) -> None:
        """End a sign-in, in every tab of the browser."""
        people = self.people()
        with self._lock:
            self._end(_identity(claims), claims, people, self._clock())

    def person(self, name: str) -> Person | None:
        """Return a person who is in the table now and signed in somewhere."""
        try:
            people, now = self.people(), self._clock()
        except Pet2RepError:
            return None  # a table that cannot be read lets nobody in
        with self._lock:
            known = [one for one in self._known.values() if self._holds(one, people, now)]
        for one in known:
            try:
                person = people.person(one.claims, self._secret)
            except PermissionDeniedError:
                continue
            if person.name == name:
                return person
        return None

    def asking(self, name: str, cookies: Mapping[str, str]) -> Person | None:  # noqa: ARG002 - Streamlit's are its own
        """Return the person whom a token names."""
        return self.person(name)

    def close(self) -> None:
        """Nothing has to be kept: Streamlit's cookie brings the sign-in back."""

    def _end(self, key: str, claims: Mapping[str, Any], people: People, now: float) -> None:
        """Remember an end for as long as the provider's word would still hold."""
        self._known.pop(key, None)
        self._ended = {other: until for other, until in self._ended.items() if until > now}
        self._ended[key] = people.ends(claims)

    @staticmethod
    def _holds(known: _Known, people: People, now: float) -> bool:
        return now < min(people.ends(known.claims), known.began + LONGEST_S, known.seen + IDLE_S)


def open_access(settings: Settings, store: Store) -> Access:
    """Return how this installation's people sign in.

    Raises
    ------
    SettingsError
        If what the way needs (a secret, a table of people) cannot be used.
    """
    if settings.sign_in is SignIn.ACCOUNTS:
        return AccountAccess(store, settings)
    return ProviderAccess(settings, store) if settings.sign_in is SignIn.OIDC else SingleAccess()


def _identity(claims: Mapping[str, Any]) -> str:
    said = "|".join(str(claims.get(name, "")) for name in ("iss", "sub", "iat", "exp", "nonce"))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def _began(claims: Mapping[str, Any], now: float) -> float:
    """Return when the provider signed a person in; now where it does not say."""
    said = claims.get("iat")
    return min(now, float(said)) if isinstance(said, int | float) and not isinstance(said, bool) else now
