"""``pet2rep account``: the first administrator, and everything else that the Accounts page does."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from pet2rep_core.cli.main import main
from pet2rep_core.records import Role
from pet2rep_core.settings import Settings
from pet2rep_core.store import open_store
from pet2rep_core.workflow.passwords import is_password
from tests.browser.server import PROJECT

WORDS = "purple lantern seven"


@pytest.fixture
def type_in(monkeypatch):
    """Return a function that puts lines on standard input."""
    return lambda text: monkeypatch.setattr(sys, "stdin", io.StringIO(text))


def account(*arguments):
    return main(["account", *arguments])


def stored(home: Path, name: str):
    store = open_store(Settings(home=home, workers=1))
    try:
        return store.accounts.get(name)
    finally:
        store.close()


def test_the_first_administrator_is_made_from_standard_input(home, type_in, capsys):
    type_in(WORDS + "\n")
    assert account("add", "BOSS", "--role", "admin") == 0
    made = stored(home, "BOSS")
    assert (made.role, made.must_change, is_password(WORDS, made.password)) == (Role.ADMIN, False, True)
    said = capsys.readouterr()
    assert said.out == "BOSS\tadmin\tmay sign in\n"
    assert WORDS not in said.out + said.err
    assert home.stat().st_mode & 0o777 == 0o700


def test_at_a_terminal_the_password_is_asked_twice_and_never_shown(home):
    main_end, other_end = pty.openpty()
    command = [sys.executable, "-m", "pet2rep_core.cli.main", "account", "add", "BOSS", "--role", "admin"]
    env = {**os.environ, "PET2REP_HOME": str(home)}
    process = subprocess.Popen(
        command, stdin=other_end, stdout=other_end, stderr=other_end, cwd=PROJECT, env=env, start_new_session=True
    )
    os.close(other_end)
    said = b""
    for _ in range(2):
        while not said.endswith(b": "):
            said += os.read(main_end, 1024)
        os.write(main_end, WORDS.encode() + b"\n")
        said += b"|"
    assert process.wait(60) == 0
    assert b"Password for BOSS: " in said
    assert b"Once more: " in said
    assert WORDS.encode() not in said
    os.close(main_end)
    assert is_password(WORDS, stored(home, "BOSS").password)


@pytest.mark.usefixtures("home")
def test_a_one_time_password_is_printed_once(capsys):
    assert account("add", "R01", "--one-time", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["accounts"][0] | {"created_at": ""} == {
        "name": "R01", "role": "rater", "disabled": False, "must_change": True, "created_at": "", "signed_in_at": None,
    }  # fmt: skip
    assert len(said["password"]) == 19
    assert account("list", "--json") == 0
    assert "password" not in json.loads(capsys.readouterr().out)


def test_accounts_are_changed_and_listed(home, type_in, capsys):
    for name in ("BOSS", "BOSS2"):
        type_in(WORDS + "\n")
        assert account("add", name, "--role", "admin") == 0
    type_in("seven green boats\r\n")
    assert account("password", "boss2") == 0
    assert account("role", "BOSS2", "--role", "researcher") == 0
    assert account("disable", "BOSS2") == 0
    capsys.readouterr()
    assert account("list") == 0
    assert capsys.readouterr().out == "BOSS\tadmin\tmay sign in\nBOSS2\tresearcher\tdisabled\n"
    assert is_password("seven green boats", stored(home, "BOSS2").password)
    assert account("enable", "BOSS2") == 0
    assert not stored(home, "BOSS2").disabled


@pytest.mark.parametrize(
    ("arguments", "typed", "words"),
    [
        (("add",), "", "'account add' needs a name."),
        (("list", "R01"), "", "'account list' takes no name."),
        (("role", "R01"), "", "'account role' needs --role."),
        (("add", "Dr Li"), WORDS, "'Dr Li' cannot be a reader's name."),
        (("add", "R01"), "short", "The password has fewer than 10 characters."),
        (("add", "R01"), "", "The password has fewer than 10 characters."),
        (("add", "BOSS"), WORDS, "There is an account named 'BOSS' already."),
        (("disable", "R99"), "", "There is no account named 'R99'."),
        (("disable", "BOSS"), "", "'BOSS' is the only administrator."),
    ],
)
@pytest.mark.usefixtures("home")
def test_what_cannot_be_done_is_said_in_one_sentence(type_in, capsys, arguments, typed, words):
    type_in(WORDS + "\n")
    assert account("add", "BOSS", "--role", "admin") == 0
    capsys.readouterr()
    type_in(typed + "\n")
    assert account(*arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(words)
    assert said.err.count("\n") == 1


def test_while_the_app_has_the_store_the_command_says_what_to_do(home, type_in, capsys):
    store = open_store(Settings(home=home, workers=1))
    try:
        type_in(WORDS + "\n")
        assert account("add", "BOSS", "--role", "admin") == 2
        assert capsys.readouterr().err == (
            "The app (or another command) has the store open. "
            "Do this on the app's page, or stop the app and try again.\n"
        )
        assert store.accounts.all() == []
    finally:
        store.close()


def test_without_a_home_nothing_is_made(home, capsys):
    assert account("list") == 2
    assert capsys.readouterr().err.startswith("There is no folder 'home' yet.")
    assert not home.exists()
