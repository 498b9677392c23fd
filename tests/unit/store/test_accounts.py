"""Accounts are what their events add up to, in memory, in the database and from the journal alike."""

import pytest

from pet2rep_core.errors import StoreError, UnknownNameError
from pet2rep_core.records import Role
from pet2rep_core.store.accounts import AccountLog
from tests.crash.samples import opened

HASH = "scrypt$4$8$1$YQ==$YQ=="


def made(store, name="R01", role=Role.RATER):
    return store.accounts.create(name, role, HASH, must_change=False, actor="owner")


def test_an_account_is_found_in_any_case_and_made_once(empty):
    account = made(empty)
    assert empty.accounts.find("r01") == account
    assert empty.accounts.find("R02") is None
    with pytest.raises(StoreError, match=r"There is an account named 'r01' already\. Choose another name\."):
        made(empty, "r01")
    with pytest.raises(UnknownNameError, match=r"There is no account named 'R0'\. Did you mean 'R01'\?"):
        empty.accounts.get("R0")


def test_only_what_ends_sessions_moves_the_stamp(empty):
    accounts = empty.accounts
    stamps = [made(empty).stamp]
    stamps.append(accounts.signed_in("R01").stamp)
    stamps.append(accounts.failed("R01").stamp)
    assert stamps == [1, 1, 1]
    assert accounts.set_password("R01", HASH + "2", must_change=True, actor="BOSS").stamp == 4
    assert accounts.set_role("R01", Role.ADMIN, actor="BOSS").stamp == 5
    assert accounts.set_disabled("R01", True, actor="BOSS").stamp == 6
    assert accounts.set_disabled("R01", False, actor="BOSS").stamp == 7


def test_failures_count_until_a_sign_in_or_another_password(empty):
    made(empty)
    accounts = empty.accounts
    assert [accounts.failed("R01").failures for _ in range(3)] == [1, 2, 3]
    assert accounts.signed_in("R01").failures == 0
    accounts.failed("R01")
    assert accounts.set_role("R01", Role.ADMIN, actor="BOSS").failures == 1
    assert accounts.set_password("R01", HASH, must_change=False, actor="BOSS").failures == 0


def test_everything_comes_back_after_a_restart_and_from_the_journal_alone(home):
    store = opened(home)
    made(store)
    made(store, "BOSS", Role.ADMIN)
    store.accounts.failed("R01")
    store.accounts.set_role("R01", Role.RESEARCHER, actor="BOSS")
    store.accounts.set_disabled("R01", True, actor="BOSS")
    before = store.accounts.all()
    store.close()
    store = opened(home)
    assert store.accounts.all() == before
    assert store.verify() == []
    store.close()
    for path in home.glob("pet2rep.duckdb*"):
        path.unlink()
    store = opened(home)
    assert store.accounts.all() == before
    assert "5 accounts were missing in the database and came back from the journal." in store.notices
    assert store.verify() == []
    store.close()


def test_the_history_says_who_did_what_and_shows_no_hash(empty):
    made(empty)
    empty.accounts.set_disabled("R01", True, actor="BOSS")
    history = empty.accounts.history("R01")
    assert [(event["action"], event["actor"], event["disabled"]) for event in history] == [
        ("create", "owner", False),
        ("disable", "BOSS", True),
    ]
    assert HASH not in str(history)


def test_the_newest_state_is_a_view_without_hashes(empty):
    made(empty)
    empty.accounts.set_role("R01", Role.ADMIN, actor="BOSS")
    assert empty._database.rows("SELECT name, role, disabled, revision FROM account_latest") == [
        ("R01", "admin", False, 2)
    ]
    assert HASH not in str(empty._database.rows("SELECT * FROM account_latest"))


def test_an_edited_event_is_found(home):
    store = opened(home)
    made(store)
    store._database._root.execute("DROP TRIGGER account_event_no_update ON account_event")
    store._database._root.execute("UPDATE account_event SET role = 'admin'")
    problems = store.verify()
    assert any("was changed after it was saved" in one for one in problems)
    assert "The table account_event is no longer protected against UPDATE." in problems
    store.close()


def test_a_log_read_anew_agrees_with_the_one_that_wrote(empty):
    made(empty)
    for _ in range(2):
        empty.accounts.failed("R01")
    empty.accounts.signed_in("R01")
    assert AccountLog(empty._database, empty._journal).all() == empty.accounts.all()
