"""``pet2rep account``: who may sign in to the app."""

from __future__ import annotations

import argparse
import getpass
import sys

from pet2rep_core.cli.exit_status import ExitStatus
from pet2rep_core.cli.output import say, write_json
from pet2rep_core.cli.stores import own_store
from pet2rep_core.errors import InputDataError, SettingsError
from pet2rep_core.records import Role
from pet2rep_core.settings import Settings
from pet2rep_core.store import Store
from pet2rep_core.store.accounts import Account
from pet2rep_core.workflow.accounts import add_account, list_accounts, reset_password, set_disabled, set_role
from pet2rep_core.workflow.passwords import check_new_password


def run(args: argparse.Namespace, settings: Settings) -> ExitStatus:
    """Do one thing to the accounts and say how they stand."""
    if (args.name is None) != (args.action == "list"):
        raise InputDataError(
            f"'account {args.action}' {'needs a name' if args.name is None else 'takes no name'}.",
            hint="See: pet2rep account --help",
        )
    if args.action == "role" and args.role is None:
        raise InputDataError("'account role' needs --role.", hint="Give --role rater, researcher or admin.")
    if not settings.home.is_dir() and args.action != "add":
        raise SettingsError(f"There is no folder {settings.home.name!r} yet.", hint="Begin with: pet2rep account add")
    with own_store(settings) as store:
        settings.home.chmod(0o700)  # hashes of passwords are in it
        accounts, one_time = _do(args, store)
    if args.json:
        write_json({"accounts": [_facts(one) for one in accounts], **({"password": one_time} if one_time else {})})
        return ExitStatus.DONE
    for one in accounts:
        say(f"{one.name}\t{one.role.value}\t{'disabled' if one.disabled else 'may sign in'}")
    if one_time:
        say(f"One-time password: {one_time}")
    return ExitStatus.DONE


def _do(args: argparse.Namespace, store: Store) -> tuple[list[Account], str]:
    """Return the accounts to show, and a one-time password that was made."""
    if args.action == "list":
        return list_accounts(store), ""
    if args.action == "add":
        password = None if args.one_time else _ask_password(args.name)
        account, given = add_account(store, args.name, Role(args.role or Role.RATER), password)
        return [account], given if password is None else ""
    if args.action == "password":
        name = store.accounts.get(args.name).name
        password = None if args.one_time else _ask_password(name)
        account, given = reset_password(store, name, password)
        return [account], given if password is None else ""
    if args.action == "role":
        return [set_role(store, args.name, Role(args.role))], ""
    return [set_disabled(store, args.name, args.action == "disable")], ""


def _ask_password(name: str) -> str:
    """Return a new password, typed twice at a terminal or read as one line from standard input."""
    if not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip("\r\n")
        check_new_password(password, name)
        return password
    password = getpass.getpass(f"Password for {name}: ")
    check_new_password(password, name)
    if getpass.getpass("Once more: ") != password:
        raise InputDataError("The password was typed in two different ways.", hint="Run the command again.")
    return password


def _facts(account: Account) -> dict[str, object]:
    return {
        "name": account.name,
        "role": account.role.value,
        "disabled": account.disabled,
        "must_change": account.must_change,
        "created_at": account.created_at,
        "signed_in_at": account.signed_in_at or None,
    }
