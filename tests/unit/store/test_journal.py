"""The journal brings back what the database loses, and notices what was changed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pet2rep_core.errors import StoreError
from pet2rep_core.store.journal import Journal, canonical_json, read_lines
from pet2rep_core.store.ratings import RATINGS
from tests.crash.samples import a_rating, fill, opened, rate

PROJECT = Path(__file__).parents[3]
JOURNAL, LOG, DATABASE = "pet2rep.journal.jsonl", "pet2rep.duckdb.wal", "pet2rep.duckdb"
RATE_AND_DIE = """
import os, sys
from pathlib import Path
from tests.crash.samples import opened, rate
store = opened(Path(sys.argv[1]))
for base in range({count}):
    rate(store, base=base, comment=f"revision {{base + 1}}")
os._exit(0)
"""


def rate_and_die(home, count):
    """Rate in a process that ends without closing, so that the database's log holds the ratings."""
    subprocess.run(
        [sys.executable, "-c", RATE_AND_DIE.format(count=count), str(home)], cwd=PROJECT, check=True, timeout=60
    )
    assert (home / LOG).stat().st_size > 0


def comments(home):
    store = opened(home)
    try:
        found = [revision.rating.comment for revision in store.rating_history("gen-1", "R01")]
        assert store.verify() == []
        return found, store.notices
    finally:
        store.close()


@pytest.fixture
def filled(home):
    store = opened(home)
    fill(store)
    store.close()
    return home


def test_a_deleted_log_costs_no_confirmed_rating(filled):
    rate_and_die(filled, 5)
    (filled / LOG).unlink()
    found, notices = comments(filled)
    assert found == [f"revision {n}" for n in range(1, 6)]
    assert notices == ("5 ratings were missing in the database and came back from the journal.",)
    assert comments(filled) == (found, ())


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_log_cut_short_costs_no_confirmed_rating(filled, share):
    rate_and_die(filled, 5)
    os.truncate(filled / LOG, int((filled / LOG).stat().st_size * share))
    assert comments(filled)[0] == [f"revision {n}" for n in range(1, 6)]


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_a_log_with_flipped_bits_costs_no_confirmed_rating(filled, share):
    rate_and_die(filled, 5)
    raw = bytearray((filled / LOG).read_bytes())
    raw[int(len(raw) * share)] ^= 0x10
    (filled / LOG).write_bytes(raw)
    found, notices = comments(filled)
    assert found == [f"revision {n}" for n in range(1, 6)]
    if any("set aside" in notice for notice in notices):
        assert list(filled.glob(f"{LOG}.damaged-*"))


def test_an_older_copy_of_the_database_costs_no_confirmed_rating(filled, tmp_path):
    older = shutil.copy(filled / DATABASE, tmp_path / "older")
    store = opened(filled)
    rate(store, comment="one")
    rate(store, base=1, comment="two")
    store.close()
    shutil.copy(older, filled / DATABASE)
    assert comments(filled)[0] == ["one", "two"]


def test_an_older_copy_beside_the_newer_log_costs_no_confirmed_rating(filled, tmp_path):
    older = shutil.copy(filled / DATABASE, tmp_path / "older")
    store = opened(filled)
    rate(store, comment="revision 0")
    store.close()
    subprocess.run(
        [sys.executable, "-c", RATE_AND_DIE.format(count=2).replace("base=base", "base=base + 1"), str(filled)],
        cwd=PROJECT,
        check=True,
        timeout=60,
    )
    shutil.copy(older, filled / DATABASE)
    found, notices = comments(filled)
    assert found == ["revision 0", "revision 1", "revision 2"]
    assert "was set aside as pet2rep.duckdb.wal.damaged-" in notices[0]


def test_a_lost_journal_is_written_again_from_the_database(filled):
    store = opened(filled)
    rate(store)
    store.close()
    (filled / JOURNAL).unlink()
    found, notices = comments(filled)
    assert found == ["肝脏漏报"]
    assert notices == ("1 ratings were missing in the journal and were copied from the database.",)


@pytest.mark.parametrize(
    "tail", [b'{"event": {"a"', b"\0" * 100, b"garbage\n", b'{"event":{},"prev":"0","hash":"0"}\n']
)
def test_an_unfinished_line_is_set_aside_and_writing_goes_on(filled, tail):
    store = opened(filled)
    rate(store, comment="one")
    store.close()
    with (filled / JOURNAL).open("ab") as file:
        file.write(tail)
    store = opened(filled)
    [notice] = store.notices
    assert "ended in an unfinished line" in notice
    rate(store, base=1, comment="two")
    store.close()
    assert comments(filled)[0] == ["one", "two"]
    [aside] = filled.glob(f"{JOURNAL}.torn-*")
    assert aside.read_bytes() == tail


def test_of_two_lines_for_one_revision_the_later_one_comes_back(filled):
    # the earlier one was never confirmed: its commit failed and its line could not be taken back
    store = opened(filled)
    rate(store, comment="confirmed", event_id="click-0002")
    [line] = list(store._journal.events())
    store.close()
    (filled / JOURNAL).unlink()
    journal = Journal(filled / JOURNAL)
    never = {**line, "event_id": "click-0001", "comment": "never confirmed"}
    journal.append({**never, "row_hash": RATINGS.hash(never)})
    journal.append(line)
    journal.close()
    assert comments(filled) == (["confirmed"], ())
    (filled / DATABASE).unlink()
    store = opened(filled)
    assert [r.rating.comment for r in store.rating_history("gen-1", "R01")] == ["confirmed"]
    store.close()


def test_a_save_that_is_interrupted_leaves_neither_line_nor_row(store, monkeypatch):
    rate(store, comment="one")
    before = (store._journal.path.read_bytes(), store.rating("gen-1", "R01"))
    append = Journal.append

    def append_then_fail(journal, event):
        append(journal, event)
        raise KeyboardInterrupt

    monkeypatch.setattr(Journal, "append", append_then_fail)
    with pytest.raises(KeyboardInterrupt):
        rate(store, base=1, comment="two")
    monkeypatch.undo()
    assert (store._journal.path.read_bytes(), store.rating("gen-1", "R01")) == before
    rate(store, base=1, comment="three")
    assert [r.rating.comment for r in store.rating_history("gen-1", "R01")] == ["one", "three"]
    assert store.verify() == []


def test_a_failed_commit_takes_its_line_back(store, monkeypatch):
    rate(store, comment="one")
    before = store._journal.path.read_bytes()

    class FailingCursor:
        def __init__(self, cursor):
            self._cursor = cursor

        def __getattr__(self, name):
            return getattr(self._cursor, name)

        def commit(self):
            import duckdb

            self._cursor.rollback()
            raise duckdb.TransactionException("Failed to commit: No space left on device")

    database = store._database
    monkeypatch.setattr(database, "_idle", [FailingCursor(cursor) for cursor in database._idle])
    with pytest.raises(StoreError, match="No space left on device"):
        rate(store, base=1, comment="two")
    database._idle[:] = [cursor._cursor for cursor in database._idle]
    assert store._journal.path.read_bytes() == before
    assert rate(store, base=1, comment="three").revision == 2
    assert store.verify() == []


def test_a_changed_line_is_found(store):
    for base in range(3):
        rate(store, base=base, comment="x")
    path = store._journal.path
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b'"comment":"x"', b'"comment":"y"') + lines[2])
    assert store.verify() == [
        "The journal is damaged in line 2.",
        "The journal's chain is broken before line 3: lines were removed or changed.",
        f"Rating event {json.loads(lines[1])['event']['event_id']} is not in the journal.",
    ]
    path.write_bytes(lines[0] + lines[2])
    assert "The journal's chain is broken before line 2" in store.verify()[0]
    path.write_bytes(b"".join(lines))
    assert store.verify() == []


def test_a_line_damaged_in_the_middle_stops_nobody_and_is_reported(filled):
    store = opened(filled)
    for base in range(3):
        rate(store, base=base, comment=f"revision {base + 1}")
    store.close()
    path = filled / JOURNAL
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b"revision 2", b"revision 9"))
    store = opened(filled)
    assert len(store.rating_history("gen-1", "R01")) == 3
    assert store.notices == ("1 ratings were missing in the journal and were copied from the database.",)
    assert store.verify() == [
        "The journal is damaged in line 2.",
        "The journal's chain is broken before line 3: lines were removed or changed.",
    ]
    store.close()


def test_the_journal_holds_the_whole_rating(store):
    rate(store, event_id="click-0001")
    [line] = list(read_lines(store._journal.path))
    assert line.event["answers"] == a_rating().answers
    assert (line.event["comment"], line.event["reader"], line.event["revision"]) == ("肝脏漏报", "R01", 1)
    assert oct(store._journal.path.stat().st_mode)[-3:] == "600"


@pytest.mark.parametrize("value", [float("nan"), {"a": float("inf")}, {1, 2}, "\ud800"])
def test_a_value_that_is_no_json_is_refused(value):
    with pytest.raises(StoreError, match="cannot be stored"):
        canonical_json(value)
