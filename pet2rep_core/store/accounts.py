"""Accounts of this installation: every event kept, journalled as ratings are; an account is what they add up to."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pet2rep_core.errors import StoreError, UnknownNameError
from pet2rep_core.records import Role
from pet2rep_core.store.driver import Database, utc_now
from pet2rep_core.store.events import EventLog, Stream
from pet2rep_core.store.journal import FIRST_HASH, Journal
from pet2rep_core.store.rows import Row
from pet2rep_core.store.transaction import Transaction

ACCOUNTS = Stream(
    "account_event",
    "account",
    (
        "event_id", "name", "revision", "action", "role", "disabled", "must_change", "password", "actor",
        "created_at", "prev_hash", "row_hash",
    ),
    ("name",),
    frozenset(),
)  # fmt: skip
CREATE, PASSWORD, ROLE, DISABLE, ENABLE = "create", "password", "role", "disable", "enable"
SIGN_IN, FAIL = "sign_in", "fail"
_CHANGES = (CREATE, PASSWORD, ROLE, DISABLE, ENABLE)
"""Events after which every session of the account ends."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account as it is now.

    Parameters
    ----------
    name : str
        The reader's pseudonym.
    password : str
        Hash with its parameters, see :mod:`pet2rep_core.workflow.passwords`.
    must_change : bool
        Whether the password is good for nothing but choosing another.
    stamp : int
        Revision of the newest event that ends sessions: a session holds only under the stamp it began with.
    failures : int
        Failed sign-ins since the last one that succeeded, or since the password was set.
    created_at, signed_in_at, failed_at : str
        ISO 8601 in UTC; empty where it never happened.
    """

    name: str
    role: Role
    password: str
    must_change: bool
    disabled: bool
    stamp: int
    created_at: str
    signed_in_at: str = ""
    failures: int = 0
    failed_at: str = ""


class AccountLog:
    """The accounts of one database. Kept in memory too: every checked request asks for one."""

    def __init__(self, database: Database, journal: Journal) -> None:
        self.log = EventLog(ACCOUNTS, database, journal)
        self._lock = threading.RLock()
        self._accounts: dict[str, Account] | None = None

    def all(self) -> list[Account]:
        """Return every account, by name."""
        return sorted(self._read().values(), key=lambda account: account.name.casefold())

    def find(self, name: str) -> Account | None:
        """Return an account, whatever case its name is typed in, or None."""
        return self._read().get(name.casefold())

    def get(self, name: str) -> Account:
        """Return an account.

        Raises
        ------
        UnknownNameError
            If there is none of this name.
        """
        account = self.find(name)
        if account is None:
            raise UnknownNameError("account", name, (one.name for one in self.all()))
        return account

    def create(self, name: str, role: Role, password: str, *, must_change: bool, actor: str) -> Account:
        """Record a new account.

        Raises
        ------
        StoreError
            If there is one of this name already.
        """
        with self._lock:
            if self.find(name) is not None:
                raise StoreError(f"There is an account named {name!r} already.", hint="Choose another name.")
            first = Account(name, role, password, must_change, disabled=False, stamp=0, created_at="")
            return self._record(first, CREATE, actor, password=password)

    def set_password(self, name: str, password: str, *, must_change: bool, actor: str) -> Account:
        """Record another password, given as its hash."""
        with self._lock:
            account = replace(self.get(name), must_change=must_change)
            return self._record(account, PASSWORD, actor, password=password)

    def set_role(self, name: str, role: Role, *, actor: str) -> Account:
        """Record another role."""
        with self._lock:
            return self._record(replace(self.get(name), role=role), ROLE, actor)

    def set_disabled(self, name: str, disabled: bool, *, actor: str) -> Account:
        """Record that an account may not, or may again, sign in."""
        with self._lock:
            account = replace(self.get(name), disabled=disabled)
            return self._record(account, DISABLE if disabled else ENABLE, actor)

    def signed_in(self, name: str, *, at: str | None = None) -> Account:
        """Record a sign-in."""
        with self._lock:
            return self._record(self.get(name), SIGN_IN, name, at=at)

    def failed(self, name: str, *, at: str | None = None) -> Account:
        """Record a failed sign-in."""
        with self._lock:
            return self._record(self.get(name), FAIL, "", at=at)

    def history(self, name: str) -> list[Row]:
        """Return all events of an account without the hashes of its passwords, the oldest first."""
        found = self.log.events("WHERE name = ? ORDER BY revision", self.get(name).name)
        return [{key: value for key, value in event.items() if key != "password"} for event in found]

    def _record(
        self, account: Account, action: str, actor: str, *, password: str = "", at: str | None = None
    ) -> Account:
        event: Row = {
            "event_id": str(uuid.uuid4()),
            "name": account.name,
            "action": action,
            "role": account.role.value,
            "disabled": account.disabled,
            "must_change": account.must_change,
            "password": password,
            "actor": actor,
            "created_at": at or utc_now(),
        }
        saved, _ = self.log.save(event, _prepare)
        known = self._read()
        known[account.name.casefold()] = _after(known.get(account.name.casefold()), saved)
        return known[account.name.casefold()]

    def _read(self) -> dict[str, Account]:
        with self._lock:
            if self._accounts is None:
                self._accounts = _folded(self.log.events("ORDER BY name, revision"))
            return self._accounts


def _prepare(tx: Transaction, event: Row) -> tuple[Row, bool]:
    query = "SELECT revision, row_hash FROM account_event WHERE name = ? ORDER BY revision DESC LIMIT 1"
    rows = tx.rows(query, event["name"])
    revision, previous_hash = rows[0] if rows else (0, FIRST_HASH)
    return ACCOUNTS.chained(event, revision, previous_hash), False


def _folded(events: Iterable[Row]) -> dict[str, Account]:
    accounts: dict[str, Account] = {}
    for event in events:
        key = event["name"].casefold()
        accounts[key] = _after(accounts.get(key), event)
    return accounts


def _after(before: Account | None, event: Row) -> Account:
    """Return an account after one more event."""
    action, at = event["action"], event["created_at"]
    account = Account(
        name=event["name"],
        role=Role(event["role"]),
        password=event["password"] or ("" if before is None else before.password),
        must_change=event["must_change"],
        disabled=event["disabled"],
        stamp=event["revision"] if action in _CHANGES or before is None else before.stamp,
        created_at=at if before is None else before.created_at,
        signed_in_at="" if before is None else before.signed_in_at,
        failures=0 if before is None else before.failures,
        failed_at="" if before is None else before.failed_at,
    )
    if action == FAIL:
        return replace(account, failures=account.failures + 1, failed_at=at)
    if action == SIGN_IN:
        return replace(account, failures=0, signed_in_at=at)
    return replace(account, failures=0) if action in (PASSWORD, ENABLE) else account
