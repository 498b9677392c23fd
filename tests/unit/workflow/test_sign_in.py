"""Signing in with a name and a password: lock-out by a clock of its own, and nothing that tells names apart."""

import threading

import pytest

from pet2rep_core.errors import InputDataError, PermissionDeniedError, StoreError, UnknownNameError
from pet2rep_core.records import Person, Role
from pet2rep_core.workflow import accounts as rooms
from pet2rep_core.workflow.accounts import (
    Door,
    TooManyFailuresError,
    add_account,
    change_own_password,
    list_accounts,
    reset_password,
    set_disabled,
    set_role,
    wait_after,
)
from pet2rep_core.workflow.passwords import Cost, hash_password
from tests.crash.samples import opened

WORDS = "purple lantern seven"
RATER = Person("R01", Role.RATER)


class Clock:
    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(rooms, "hash_password", lambda password: hash_password(password, Cost(log2_n=4)))


@pytest.fixture
def store(tmp_path):
    one = opened(tmp_path / "home")
    add_account(one, "R01", Role.RATER, WORDS)
    yield one
    one.close()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def door(store, clock):
    one = Door(store, clock=clock)
    yield one
    one.close()


def refused(door, name, password):
    with pytest.raises(PermissionDeniedError) as error:
        door.sign_in(name, password)
    return error.value


def test_name_and_password_sign_in(door, store):
    assert door.sign_in(" r01 ", WORDS).name == "R01"
    assert store.accounts.history("R01")[-1]["action"] == "sign_in"


@pytest.mark.parametrize("name", ["R01", "NOBODY", "", "x" * 5000, "r01\x00", "\ud800"])
def test_what_is_wrong_is_refused_in_the_same_words(door, name):
    assert str(refused(door, name, "wrong words")) == (
        "Name and password do not belong together, or the account is disabled. "
        "Check both; a new password comes from the administrator of this installation."
    )


def test_a_disabled_account_is_refused_in_the_same_words(door, store):
    set_disabled(store, "R01", True)
    assert refused(door, "R01", WORDS).message == refused(door, "NOBODY", WORDS).message


@pytest.mark.parametrize("name", ["R01", "NOBODY"])
def test_after_five_failures_a_name_waits_twice_as_long_each_time(door, clock, name):
    for _ in range(5):
        assert not isinstance(refused(door, name, "wrong"), TooManyFailuresError)
    for wait in (60, 120, 240, 480, 960, 1920, 3600, 3600):
        clock.now += wait - 1
        assert isinstance(refused(door, name, WORDS), TooManyFailuresError)  # the right words too
        clock.now += 1
        assert not isinstance(refused(door, name, "wrong"), TooManyFailuresError)


def test_the_right_password_after_the_wait_ends_the_counting(door, clock, store):
    for _ in range(5):
        refused(door, "R01", "wrong")
    clock.now += 60
    door.sign_in("R01", WORDS)
    assert store.accounts.get("R01").failures == 0
    for _ in range(4):
        refused(door, "R01", "wrong")
    assert door.sign_in("R01", WORDS)


def test_a_restart_is_no_way_round(door, clock, tmp_path, store):
    for _ in range(5):
        refused(door, "R01", "wrong")
    door.close()
    store.close()
    again = opened(tmp_path / "home")
    assert isinstance(refused(Door(again, clock=clock), "R01", WORDS), TooManyFailuresError)
    again.close()


def test_many_attempts_at_once_are_no_way_round(door, store):
    said = []

    def attempt():
        try:
            door.sign_in("R01", "wrong")
        except PermissionDeniedError as error:
            said.append(isinstance(error, TooManyFailuresError))

    threads = [threading.Thread(target=attempt) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (said.count(False), said.count(True)) == (5, 15)
    door.close()
    assert store.accounts.get("R01").failures == 5


def test_a_name_that_nobody_has_is_never_stored(door, store):
    """It may be a password, typed into the wrong field."""
    refused(door, "correct horse battery", "x")
    assert store._database.rows("SELECT DISTINCT name FROM account_event") == [("R01",)]


def test_nothing_is_recorded_before_the_answer(door, store, monkeypatch):
    """An answer that waits for the disk would tell that there is such a name."""
    may_write = threading.Event()
    real = store.accounts.failed
    monkeypatch.setattr(store.accounts, "failed", lambda *a, **k: may_write.wait(60) and real(*a, **k))
    for _ in range(5):
        refused(door, "R01", "wrong")
    assert isinstance(refused(door, "R01", WORDS), TooManyFailuresError)
    assert store.accounts.get("R01").failures == 0
    may_write.set()
    door.close()
    assert store.accounts.get("R01").failures == 5


def test_a_new_password_ends_the_wait(door, store):
    for _ in range(5):
        refused(door, "R01", "wrong")
    reset_password(store, "R01", "seven green boats")
    assert door.sign_in("R01", "seven green boats")


def test_waiting_is_told_in_minutes():
    assert [wait_after(n) for n in (0, 4, 5, 6, 11, 500)] == [0, 0, 60, 120, 3600, 3600]
    assert "in 2 min." in TooManyFailuresError(100).message
    assert "in 1 min." in TooManyFailuresError(3).message


def test_only_an_administrator_manages_accounts(store):
    for act in (
        lambda: list_accounts(store, person=RATER),
        lambda: add_account(store, "R02", Role.ADMIN, WORDS, person=RATER),
        lambda: reset_password(store, "R01", WORDS, person=RATER),
        lambda: set_role(store, "R01", Role.ADMIN, person=RATER),
        lambda: set_disabled(store, "R01", False, person=Person("R02", Role.RESEARCHER)),
    ):
        with pytest.raises(PermissionDeniedError, match="This needs the role 'admin'"):
            act()
    assert [account.name for account in store.accounts.all()] == ["R01"]


def test_the_last_administrator_stays(store):
    add_account(store, "BOSS", Role.ADMIN, WORDS)
    for act in (lambda: set_disabled(store, "BOSS", True), lambda: set_role(store, "BOSS", Role.RATER)):
        with pytest.raises(StoreError, match=r"'BOSS' is the only administrator\. Make another administrator first\."):
            act()
    add_account(store, "BOSS2", Role.ADMIN, WORDS)
    assert set_disabled(store, "BOSS", True).disabled
    with pytest.raises(StoreError, match="'BOSS2' is the only administrator"):
        set_disabled(store, "BOSS2", True)


def test_a_one_time_password_has_to_be_changed(store, door):
    account, password = add_account(store, "R05", Role.RATER)
    assert account.must_change
    assert door.sign_in("R05", password).must_change
    changed = change_own_password(store, door, account, password, "seven green boats")
    assert not changed.must_change
    assert changed.stamp > account.stamp
    refused(door, "R05", password)
    assert door.sign_in("R05", "seven green boats")


def test_another_password_needs_the_present_one_and_must_be_another(store, door):
    account = store.accounts.get("R01")
    with pytest.raises(PermissionDeniedError, match="The present password is not right"):
        change_own_password(store, door, account, "wrong", "seven green boats")
    with pytest.raises(StoreError, match="The new password is the present one"):
        change_own_password(store, door, account, WORDS, WORDS)
    with pytest.raises(InputDataError, match="fewer than 10"):
        change_own_password(store, door, account, WORDS, "short")
    assert store.accounts.get("R01").stamp == 1
    for _ in range(4):
        with pytest.raises(PermissionDeniedError):
            change_own_password(store, door, account, "wrong", "seven green boats")
    with pytest.raises(TooManyFailuresError):
        change_own_password(store, door, account, WORDS, "seven green boats")


@pytest.mark.parametrize("name", ["a b", "", "-x", "x" * 33, "读者"])
def test_a_name_is_a_pseudonym(store, name):
    with pytest.raises(StoreError, match="cannot be a reader's name"):
        add_account(store, name, Role.RATER, WORDS)


def test_a_change_of_nothing_ends_no_session(store):
    before = store.accounts.get("R01").stamp
    assert set_role(store, "R01", Role.RATER).stamp == before
    assert set_disabled(store, "R01", False).stamp == before
    with pytest.raises(UnknownNameError):
        set_role(store, "R99", Role.RATER)
