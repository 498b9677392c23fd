"""Accounts: sign in with a name and a password, and manage who may.

A name that nobody has is treated as one that somebody has in every respect that can be seen from outside: the same
sentence, the same time, the same lock-out.
"""

from __future__ import annotations

import datetime
import hashlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pet2rep_core.errors import PermissionDeniedError, StoreError
from pet2rep_core.records import Person, Role
from pet2rep_core.store import Store
from pet2rep_core.store.accounts import Account
from pet2rep_core.workflow.passwords import (
    check_new_password,
    hash_password,
    is_nobodys_password,
    is_password,
    one_time_password,
)
from pet2rep_core.workflow.permissions import ADMINISTER, OWNER, require
from pet2rep_core.workflow.rate import check_reader

FREE_FAILURES = 5
"""Failed sign-ins in a row after which a name has to wait."""

FIRST_WAIT_S = 60.0
LONGEST_WAIT_S = 3600.0
_REMEMBERED = 4096
_DOORS = 64
_LOG = logging.getLogger(__name__)


class TooManyFailuresError(PermissionDeniedError):
    """A name has to wait before it may try again; ``wait_s`` says how long."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(
            f"Too many failed sign-ins. The next attempt is possible in {max(1, round(wait_s / 60))} min.",
            hint="Wait, or ask the administrator of this installation for a new password.",
        )
        self.wait_s = wait_s


def wait_after(failures: int) -> float:
    """Return how long a name waits after so many failures in a row, in seconds: doubled with each further one."""
    if failures < FREE_FAILURES:
        return 0.0
    return float(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(failures - FREE_FAILURES, 16)))


@dataclass(frozen=True, slots=True)
class _Failures:
    """Failed sign-ins of a name in a row, and under which stamp of its account; 0 for a name that nobody has."""

    count: int
    last: float
    stamp: int


class Door:
    """Signs people in; one for a server.

    Failures are counted here, for every name alike, and those of accounts are recorded after the answer has gone out:
    the time of an answer must not tell whether there was anything to record.
    """

    def __init__(self, store: Store, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._failures: OrderedDict[bytes, _Failures] = OrderedDict()
        self._failures_lock = threading.Lock()
        self._doors = [threading.Lock() for _ in range(_DOORS)]
        self._writer = ThreadPoolExecutor(1, "sign-in")

    def close(self) -> None:
        """Record what is still to be recorded."""
        self._writer.shutdown()

    def sign_in(self, name: str, password: str) -> Account:
        """Return the account of a person who knows its password, and record the sign-in.

        Raises
        ------
        TooManyFailuresError
            If the name failed too often; the password is not even looked at then.
        PermissionDeniedError
            If name and password do not belong together, or the account is disabled.
        """
        name = name.strip()
        key = _key(name)
        with self._doors[key[0] % _DOORS]:  # one attempt at a time for a name: many at once are no way round
            account, now = self._store.accounts.find(name), self._clock()
            self._refuse_while_waiting(account, key, now)
            right = is_nobodys_password(password) if account is None else is_password(password, account.password)
            if account is None or not right or account.disabled:
                self._remember_failure(account, key, now)
                raise PermissionDeniedError(
                    "Name and password do not belong together, or the account is disabled.",
                    hint="Check both; a new password comes from the administrator of this installation.",
                )
            with self._failures_lock:
                self._failures.pop(key, None)
            # behind the failures that still wait to be recorded
            return self._writer.submit(self._store.accounts.signed_in, account.name, at=_iso(now)).result()

    def check(self, account: Account, password: str) -> None:
        """Refuse a signed-in person who gives a wrong present password; counted as a failed sign-in is.

        Raises
        ------
        PermissionDeniedError
            If it is wrong, or the name has to wait.
        """
        key = _key(account.name)
        with self._doors[key[0] % _DOORS]:
            present, now = self._store.accounts.get(account.name), self._clock()
            self._refuse_while_waiting(present, key, now)
            if not is_password(password, present.password):
                self._remember_failure(present, key, now)
                raise PermissionDeniedError("The present password is not right.", hint="Type it again.")

    def _counted(self, account: Account | None, key: bytes) -> _Failures:
        """Return the failures of a name; those of an account before the server was started are in the store."""
        stamp = 0 if account is None else account.stamp
        with self._failures_lock:
            counted = self._failures.get(key)
        if counted is not None and counted.stamp == stamp:
            return counted
        if account is None or not account.failed_at:
            return _Failures(0, 0.0, stamp)
        return _Failures(account.failures, datetime.datetime.fromisoformat(account.failed_at).timestamp(), stamp)

    def _refuse_while_waiting(self, account: Account | None, key: bytes, now: float) -> None:
        counted = self._counted(account, key)
        left = wait_after(counted.count) - (now - counted.last)
        if left > 0:
            raise TooManyFailuresError(left)

    def _remember_failure(self, account: Account | None, key: bytes, now: float) -> None:
        counted = self._counted(account, key)
        with self._failures_lock:
            self._failures[key] = _Failures(counted.count + 1, now, counted.stamp)
            self._failures.move_to_end(key)
            if len(self._failures) > _REMEMBERED:
                self._failures.popitem(last=False)
        # a name that nobody has is never stored: it may be somebody's password, typed into the wrong field
        if account is not None:
            self._writer.submit(self._record_failure, account.name, _iso(now))

    def _record_failure(self, name: str, at: str) -> None:
        try:
            self._store.accounts.failed(name, at=at)
        except StoreError as error:
            _LOG.warning("A failed sign-in could not be recorded: %s", error)


def add_account(
    store: Store, name: str, role: Role, password: str | None = None, *, person: Person = OWNER
) -> tuple[Account, str]:
    """Make an account; returns it and its password.

    Without a password it gets one that is good for one sign-in, at which the person chooses another.

    Raises
    ------
    PermissionDeniedError
        If the person is no administrator.
    StoreError
        If the name is no pseudonym, or taken.
    InputDataError
        If the password is too easily guessed.
    """
    require(person, ADMINISTER)
    check_reader(name)
    if password is not None:
        check_new_password(password, name)
    given = password or one_time_password()
    account = store.accounts.create(name, role, hash_password(given), must_change=password is None, actor=person.name)
    return account, given


def reset_password(
    store: Store, name: str, password: str | None = None, *, person: Person = OWNER
) -> tuple[Account, str]:
    """Give an account another password; as :func:`add_account` does. Its sessions end."""
    require(person, ADMINISTER)
    account = store.accounts.get(name)
    if password is not None:
        check_new_password(password, account.name)
    given = password or one_time_password()
    changed = store.accounts.set_password(
        account.name, hash_password(given), must_change=password is None, actor=person.name
    )
    return changed, given


def change_own_password(store: Store, door: Door, account: Account, present: str, new: str) -> Account:
    """Let a person choose another password; all other sessions of theirs end.

    Raises
    ------
    PermissionDeniedError
        If the present password is wrong.
    InputDataError
        If the new one is too easily guessed.
    """
    check_new_password(new, account.name)
    door.check(account, present)
    if is_password(new, store.accounts.get(account.name).password):
        raise StoreError("The new password is the present one.", hint="Choose another.")
    return store.accounts.set_password(account.name, hash_password(new), must_change=False, actor=account.name)


def set_role(store: Store, name: str, role: Role, *, person: Person = OWNER) -> Account:
    """Give an account another role; its sessions end. The last administrator keeps theirs."""
    require(person, ADMINISTER)
    account = store.accounts.get(name)
    if role is not Role.ADMIN:
        _refuse_last_administrator(store, account)
    return account if account.role is role else store.accounts.set_role(account.name, role, actor=person.name)


def set_disabled(store: Store, name: str, disabled: bool, *, person: Person = OWNER) -> Account:
    """Shut an account out at once, or let it in again. The last administrator stays."""
    require(person, ADMINISTER)
    account = store.accounts.get(name)
    if disabled:
        _refuse_last_administrator(store, account)
    if account.disabled is disabled:
        return account
    return store.accounts.set_disabled(account.name, disabled, actor=person.name)


def list_accounts(store: Store, *, person: Person = OWNER) -> list[Account]:
    """Return every account, by name."""
    require(person, ADMINISTER)
    return store.accounts.all()


def _refuse_last_administrator(store: Store, account: Account) -> None:
    others = (one for one in store.accounts.all() if one.role is Role.ADMIN and not one.disabled)
    if account.role is Role.ADMIN and not account.disabled and [one.name for one in others] == [account.name]:
        raise StoreError(f"{account.name!r} is the only administrator.", hint="Make another administrator first.")


def _iso(now: float) -> str:
    return datetime.datetime.fromtimestamp(now, datetime.UTC).isoformat(timespec="microseconds")


def _key(name: str) -> bytes:
    return hashlib.sha256(name.casefold().encode("utf-8", "surrogatepass")).digest()
