"""Sessions end when they should, by a clock of their own, and outlive a restart."""

import json

import pytest

from pet2rep_core.errors import SettingsError
from pet2rep_core.workflow.sessions import IDLE_S, LONGEST_S, SessionBook, read_secret

SECRET = b"s" * 64


class Clock:
    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "sessions.json"


@pytest.fixture
def book(path, clock):
    return SessionBook(path, SECRET, clock=clock)


def test_the_limits_are_twelve_hours_and_sixty_minutes():
    assert (LONGEST_S, IDLE_S) == (12 * 3600, 60 * 60)


def test_a_session_ends_after_an_hour_without_a_click(book, clock):
    cookie = book.begin("R01", 1)
    for _ in range(3):
        clock.now += IDLE_S - 1
        assert book.find(cookie).name == "R01"
    clock.now += IDLE_S
    assert book.find(cookie) is None
    clock.now -= IDLE_S
    assert book.find(cookie) is None  # for good


def test_a_session_ends_after_twelve_hours_however_busy(book, clock):
    cookie = book.begin("R01", 1)
    began = clock.now
    while clock.now + 1800 < began + LONGEST_S:
        clock.now += 1800
        assert book.find(cookie) is not None
    clock.now = began + LONGEST_S
    assert book.find(cookie) is None


def test_looking_without_a_click_keeps_nobody_signed_in(book, clock):
    cookie = book.begin("R01", 1)
    clock.now += IDLE_S - 1
    assert book.find(cookie, seen=False) is not None
    clock.now += 1
    assert book.find(cookie) is None


def test_ending_one_session_leaves_the_others(book):
    first, second = book.begin("R01", 1), book.begin("R01", 1)
    book.end(first)
    assert book.find(first) is None
    assert book.find(second) is not None
    assert book.is_anywhere("R01", 1)
    assert not book.is_anywhere("R01", 2)
    book.end(second)
    assert not book.is_anywhere("R01", 1)


@pytest.mark.parametrize("cookie", ["", ".", "x", "a.b", "ü.ü", "a" * 10_000, "a.b.c"])
def test_what_was_not_signed_here_is_nobody(book, cookie):
    book.begin("R01", 1)
    assert book.find(cookie) is None
    book.end(cookie)
    assert book.is_anywhere("R01", 1)


def test_a_cookie_with_one_letter_changed_is_nobody(book):
    cookie = book.begin("R01", 1)
    for place in range(len(cookie)):
        changed = cookie[:place] + ("A" if cookie[place] != "A" else "B") + cookie[place + 1 :]
        assert book.find(changed) is None


def test_a_cookie_of_another_secret_is_nobody(book, path, clock):
    cookie = book.begin("R01", 1)
    assert SessionBook(path, b"t" * 64, clock=clock).find(cookie) is None


def test_a_restart_signs_nobody_out_and_nobody_in(book, path, clock):
    kept, ended = book.begin("R01", 3), book.begin("R02", 1)
    book.end(ended)
    clock.now += 3000
    book.find(kept)
    clock.now += 3000
    again = SessionBook(path, SECRET, clock=clock)
    assert (again.find(kept).name, again.find(kept).stamp) == ("R01", 3)
    assert again.find(ended) is None


def test_the_file_is_private_and_names_no_cookie(book, path):
    cookie = book.begin("R01", 1)
    assert path.stat().st_mode & 0o777 == 0o600
    assert cookie.split(".")[0] not in path.read_text()
    assert len(json.loads(path.read_text())) == 1


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', '{"a": {"name": "R01"}}'])
def test_a_damaged_file_signs_everyone_out(path, clock, content):
    path.write_text(content)
    book = SessionBook(path, SECRET, clock=clock)
    assert not book.is_anywhere("R01", 1)
    assert book.find(book.begin("R01", 1)) is not None


def test_old_sessions_do_not_pile_up(book, path, clock):
    for _ in range(5):
        book.begin("R01", 1)
    clock.now += LONGEST_S
    book.begin("R02", 1)
    assert len(json.loads(path.read_text())) == 1


def test_the_secret_is_made_once_and_private(tmp_path):
    path = tmp_path / "server.secret"
    secret = read_secret(path)
    assert read_secret(path) == secret
    assert len(secret) == 64
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_secret_that_others_can_read_is_refused(tmp_path):
    path = tmp_path / "server.secret"
    read_secret(path)
    path.chmod(0o640)
    with pytest.raises(SettingsError, match=r"'server\.secret' can be read by others\. Run chmod 600 on it"):
        read_secret(path)


def test_a_damaged_secret_is_refused(tmp_path):
    path = tmp_path / "server.secret"
    path.write_bytes(b"short")
    path.chmod(0o600)
    with pytest.raises(SettingsError, match=r"'server\.secret' is damaged\. Delete it and start again"):
        read_secret(path)
