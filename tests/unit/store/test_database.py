"""The silent losses of DuckDB 2.0, each shown to be closed."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from pet2rep_core.errors import StoreError, StoreLockedError
from pet2rep_core.store import RowsRefusedError
from pet2rep_core.store.driver import Database
from tests.crash.samples import MIN_FREE, click, fill, opened, rate

PROJECT = Path(__file__).parents[3]
OPEN = """
import sys, time
from pathlib import Path
from pet2rep_core.errors import StoreLockedError
from tests.crash.samples import opened
started = time.perf_counter()
try:
    opened(Path(sys.argv[1]))
except StoreLockedError as error:
    print(f"{time.perf_counter() - started:.3f}|{error.message}|{error.hint}")
"""

HOLD = """
import duckdb, sys, time
connection = duckdb.connect(sys.argv[1])
print(1, flush=True)
time.sleep(60)
"""


@pytest.fixture
def database(home):
    found = Database(home / "x.duckdb", min_free_bytes=MIN_FREE)
    with found.transaction() as tx:
        tx.execute("CREATE TABLE t (a INTEGER PRIMARY KEY)")
    yield found
    found.close()


def count(database):
    return database.rows("SELECT count(*) FROM t")[0][0]


def in_another_process(home):
    return subprocess.run(
        [sys.executable, "-c", OPEN, str(home)], capture_output=True, text=True, timeout=60, check=True
    )


def test_a_second_process_is_refused_at_once_and_told_by_whom(empty, home):
    seconds, message, hint = in_another_process(home).stdout.strip().split("|")
    assert float(seconds) < 1
    assert message == f"The database pet2rep.duckdb is in use by process {os.getpid()}."
    assert "hands its results over" in hint


def test_a_second_store_in_this_process_is_refused(empty, home):
    with pytest.raises(StoreLockedError, match=f"in use by process {os.getpid()}"):
        opened(home)


def test_reading_the_database_file_in_this_process_lets_nobody_in(empty, home):
    # closing any descriptor of the file drops DuckDB's own lock on it
    with (home / "pet2rep.duckdb").open("rb") as file:
        file.read(1)
    assert "in use by process" in in_another_process(home).stdout


def test_another_program_on_the_file_is_named_as_such(home):
    home.mkdir()
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(home / "pet2rep.duckdb")], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"1\n"
        with pytest.raises(StoreLockedError, match=r"pet2rep\.duckdb is in use by another program"):
            opened(home)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    opened(home).close()


def test_the_lock_ends_with_the_store(home):
    opened(home).close()
    store = opened(home)
    store.close()
    store.close()
    assert in_another_process(home).stdout == ""
    with pytest.raises(StoreError, match="store is closed"):
        store.cases()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_cannot_write_and_does_not_close_the_parents_store(store):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            rate(store)
        except StoreError as error:
            os.write(writer, str(error.message).encode())
        store._database.close()
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        assert "before this process was forked" in answer.read()
    assert store.rating("gen-1", "R01") is None
    assert rate(store).revision == 1
    with pytest.raises(StoreLockedError):
        opened(store._database.path.parent)


@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES ('x')", "INSERT INTO nowhere VALUES (1)", "INSERT INT"],
    ids=["constraint", "conversion", "binder", "parser"],
)
def test_an_error_that_is_passed_over_cannot_lose_rows(database, statement):
    # bare DuckDB 2.0: COMMIT succeeds, and row 1 is not there
    def transact():
        with database.transaction() as tx:
            tx.execute("INSERT INTO t VALUES (1)")
            with contextlib.suppress(duckdb.Error):
                tx.execute(statement)

    with pytest.raises(StoreError, match="was passed over; nothing was stored"):
        transact()
    assert count(database) == 0
    with database.transaction() as tx:
        tx.execute("INSERT INTO t VALUES (1)")
    assert count(database) == 1


def test_an_exception_in_the_block_stores_nothing(database):
    def transact():
        with database.transaction() as tx:
            tx.execute("INSERT INTO t VALUES (1)")
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        transact()
    assert count(database) == 0


def test_a_key_that_is_taken_is_a_refusal_of_the_row(database):
    def insert():
        with database.transaction() as tx:
            tx.execute("INSERT INTO t VALUES (7)")

    insert()
    with pytest.raises(RowsRefusedError, match="Duplicate key"):
        insert()


def test_a_transaction_inside_another_is_refused(database):
    def nested():
        with database.transaction() as tx:
            tx.execute("INSERT INTO t VALUES (1)")
            with database.transaction():
                pass

    with pytest.raises(StoreError, match="inside another one"):
        nested()
    assert count(database) == 0


def test_too_little_room_is_said_before_writing(home):
    store = opened(home)
    fill(store)
    store._database.min_free_bytes = 2**60
    with pytest.raises(StoreError, match="MB left, less than") as caught:
        rate(store)
    assert "Free some space" in caught.value.hint
    store._database.min_free_bytes = MIN_FREE
    assert rate(store).revision == 1
    store.close()


def test_after_a_fatal_error_the_file_is_opened_again(database):
    def fail():
        with database.transaction() as tx:
            tx.execute("INSERT INTO t VALUES (1)")
            raise duckdb.FatalException("database has been invalidated")

    before = database._root
    with pytest.raises(StoreError, match="invalidated"):
        fail()
    assert database._root is not before
    assert count(database) == 0
    with database.transaction() as tx:
        tx.execute("INSERT INTO t VALUES (2)")
    assert count(database) == 1


def test_where_opening_again_fails_too_a_later_use_tries_once_more(database, monkeypatch):
    connect = database._connect
    monkeypatch.setattr(database, "_connect", lambda: (_ for _ in ()).throw(StoreError("still full")))
    with pytest.raises(StoreError, match="still full"):
        database.reopen()
    with pytest.raises(StoreError, match="still full"):
        count(database)
    monkeypatch.setattr(database, "_connect", connect)
    assert count(database) == 0


def test_a_damaged_file_is_refused_with_what_to_do(home):
    home.mkdir()
    (home / "pet2rep.duckdb").write_bytes(b"this is no database" * 1000)
    with pytest.raises(StoreError, match=r"pet2rep\.duckdb cannot be opened") as caught:
        opened(home)
    assert "restore the last backup" in caught.value.hint
    assert str(home) not in caught.value.message


def test_a_home_that_is_a_file_is_refused(home):
    home.write_text("")
    with pytest.raises(StoreError, match="folder of the store cannot be written"):
        opened(home)


def test_times_are_in_utc_whatever_the_zone_of_the_machine(home, monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        store = opened(home)
        fill(store)
        rate(store, event_id=click())
        [(text,)] = store._database.rows("SELECT CAST(created_at AS VARCHAR) FROM rating_event")
        assert text.endswith("+00")
        assert store.rating("gen-1", "R01").created_at.endswith("+00:00")
        assert store.verify() == []
        store.close()
    finally:
        monkeypatch.undo()
        time.tzset()


def test_nothing_but_the_driver_opens_a_database():
    package = PROJECT / "pet2rep_core"
    users = [p.name for p in package.rglob("*.py") if "import duckdb" in p.read_text(encoding="utf-8")]
    assert sorted(users) == ["driver.py", "transaction.py"]
