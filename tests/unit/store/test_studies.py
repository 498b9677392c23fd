"""Studies in the store: whole after damage, every edit found, the same after a restart."""

import contextlib
import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import duckdb
import pytest

from pet2rep_core.errors import StaleRatingError, StoreError
from pet2rep_core.records import Stage, StudyState
from pet2rep_core.store import StudyEvent
from pet2rep_core.store.journal import FIRST_HASH, canonical_json, json_sha256
from pet2rep_core.store.study_rows import STUDY_RATINGS, stored_rating
from pet2rep_core.study.leaks import leaks_version
from pet2rep_core.workflow.study_make import move_study
from pet2rep_core.workflow.study_read import keep_draft, open_desk
from tests.crash.samples import opened
from tests.reader_study import RESEARCHER, a_protocol, add_reports, click, person, read_items, slow_clock, started_study

FILES = ("pet2rep.duckdb", "pet2rep.duckdb.wal")
JOURNAL = "pet2rep.journal.jsonl"
CASES = 3


def make(home):
    """A locked study of two readers, one of whom stopped in the middle; returns its name."""
    store = opened(home)
    add_reports(store, CASES)
    study_id = started_study(store, a_protocol(CASES, training=0, readers=("R01", "R02")))
    read_items(store, study_id, "R01")
    read_items(store, study_id, "R02", most=3)
    desk = open_desk(store, person("R02"), study_id)
    keep_draft(store, person("R02"), study_id, desk.code, replace(desk.draft, answers={"acc": 2}))
    move_study(store, RESEARCHER, study_id, StudyState.LOCKED)
    assert store.verify() == []
    store.close()
    return study_id


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    home = tmp_path_factory.mktemp("template") / "home"
    return home, make(home)


@pytest.fixture
def study(template, home):
    shutil.copytree(template[0], home)
    return template[1]


@contextlib.contextmanager
def reopened(home):
    store = opened(home)
    yield store
    store.close()


def everything(store, study_id):
    """All that was confirmed, as plain values."""
    table = store.studies.ratings_table(study_id).to_pylist()
    marks = store.studies.marks_table(study_id).to_pylist()
    return store.studies.events(study_id), store.studies.items(study_id), table, marks


def test_a_restart_changes_nothing(home, study):
    with reopened(home) as store:
        before = everything(store, study)
        assert store.notices == ()
    with reopened(home) as store:
        assert everything(store, study) == before
        assert store.studies.problems() == []


@pytest.mark.parametrize("damage", ["deleted", "emptied", "overwritten"])
def test_a_lost_database_file_comes_back_from_the_journal(home, study, damage):
    with reopened(home) as store:
        before = everything(store, study)
    database = home / FILES[0]
    if damage == "overwritten":  # a damaged file is refused; the backup of it is restored, here: none
        content = bytearray(database.read_bytes())
        content[4096:8192] = b"\xff" * 4096
        database.write_bytes(content)
        with pytest.raises(StoreError, match=r"cannot be opened|could not be read") as caught:
            opened(home)
        assert "journal" in caught.value.hint
    database.unlink()
    (home / FILES[1]).unlink(missing_ok=True)
    if damage == "emptied":
        duckdb.connect(str(database)).close()
    with reopened(home) as store:
        assert [n for n in store.notices if n.endswith("came back from the journal.")] == [
            "5 study steps were missing in the database and came back from the journal.",
            "21 study ratings were missing in the database and came back from the journal.",
        ]
        assert everything(store, study) == before
        assert store.studies.problems() == []


def edit(home, *statements):
    """Change the database file as anyone with DuckDB could."""
    with contextlib.closing(duckdb.connect(str(home / FILES[0]))) as connection:
        for (name,) in connection.execute("SELECT trigger_name FROM duckdb_triggers()").fetchall():
            if name.startswith("study_"):
                table = name.removesuffix("_no_update").removesuffix("_no_delete")
                connection.execute(f"DROP TRIGGER {name} ON {table}")
        for statement in statements:
            connection.execute(statement)


def problems_after(home, *statements):
    edit(home, *statements)
    with reopened(home) as store:
        found = [*store.notices, *store.studies.problems()]
        whole = store.verify()
    assert [line for line in found if line not in (*store.notices, *whole)] == []
    return "\n".join(found)


NEWEST = "(SELECT max(event_id) FROM study_rating)"


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (f"UPDATE study_rating SET answers = '{{\"acc\":5}}' WHERE event_id = {NEWEST}", "was changed after it"),
        (f"UPDATE study_rating SET comment = 'praise' WHERE event_id = {NEWEST}", "was changed after it was saved"),
        (f"UPDATE study_rating SET active_ms = active_ms + 1 WHERE event_id = {NEWEST}", "was changed after it"),
        (f"UPDATE study_rating SET created_at = now() WHERE event_id = {NEWEST}", "was changed after it was saved"),
        (f"UPDATE study_answer SET value = value % 5 + 1 WHERE event_id = {NEWEST}", "differ from what was saved"),
        (f"UPDATE study_answer SET comment = 'x' WHERE event_id = {NEWEST}", "differ from what was saved"),
        (f"DELETE FROM study_answer WHERE event_id = {NEWEST}", "differ from what was saved"),
        (f"DELETE FROM study_rating WHERE event_id = {NEWEST}", "1 study ratings were missing in the database"),
        ("UPDATE study_item SET run_id = 'r-model-good'", "The items of the study s-.* differ from what was assigned"),
        ("DELETE FROM study_item WHERE position = 2", "The items of the study s-.* differ from what was assigned"),
        (
            "UPDATE study_event SET actor = 'R07' WHERE revision = 2",
            "Study step event .* was changed after it was saved",
        ),
        (
            "UPDATE study_event SET role = 'admin' WHERE revision = 1",
            "Study step event .* was changed after it was saved",
        ),
        ("DELETE FROM study_event WHERE revision = 4", "1 study steps were missing in the database"),
    ],
)
def test_an_edit_of_the_database_is_found(home, study, statement, words):
    assert re.search(words, problems_after(home, statement))


def rewrite(home, change):
    """Change the journal by hand and make its chain whole again, as a careful forger would."""
    path = home / JOURNAL
    events = [json.loads(line)["event"] for line in path.read_text(encoding="utf-8").splitlines()]
    lines, previous = [], FIRST_HASH
    for event in change(events):
        body = {"event": event, "prev": previous}
        previous = json_sha256(body)
        lines.append(canonical_json({**body, "hash": previous}) + "\n")
    path.write_text("".join(lines), encoding="utf-8")


def is_rating(event):
    return event.get("table") == "study_rating"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda events: [e | {"answers": {"acc": 1}} if is_rating(e) else e for e in events],
            "was changed in the journal",
        ),
        (
            lambda events: [e | {"row_hash": "0" * 64} if is_rating(e) else e for e in events],
            "differs between the database and the journal",
        ),
        (lambda events: events[:-2] + events[-1:], "1 study ratings were missing in the journal"),
        (lambda events: [e for e in events if not is_rating(e)], "21 study ratings were missing in the journal"),
    ],
)
def test_an_edit_of_the_journal_is_found(home, study, change, words):
    rewrite(home, change)
    with reopened(home) as store:
        found = "\n".join([*store.notices, *store.studies.problems()])
    assert words in found


def test_a_journal_line_changed_without_its_chain_is_found(home, study):
    path = home / JOURNAL
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    lines[5] = lines[5].replace('"acc":', '"ACC":')
    path.write_text("".join(lines), encoding="utf-8")
    with reopened(home) as store:
        assert "The journal is damaged in line 6." in store.studies.problems()


def test_a_forger_of_both_is_found_by_the_seal(home, study):
    """The last rating removed from the journal and the database alike, with every chain made whole."""
    with reopened(home) as store:
        last = max(store.studies.ratings(study), key=lambda one: one.created_at)
    rewrite(home, lambda events: [e for e in events if e["event_id"] != last.event_id])
    edit(
        home,
        f"DELETE FROM study_rating WHERE event_id = '{last.event_id}'",
        f"DELETE FROM study_answer WHERE event_id = '{last.event_id}'",
    )
    with reopened(home) as store:
        assert f"The ratings of the study {study} are not those that it was locked with." in store.studies.problems()


def test_tables_that_lost_their_guards_are_named(home, study):
    edit(home)
    with reopened(home) as store:
        assert "The table study_rating is no longer protected against UPDATE." in store.verify()


def test_events_of_two_researchers_follow_each_other(home, study):
    with reopened(home) as store:
        seen = store.studies.events(study)[-1].revision
        event = StudyEvent(study, "S01", "researcher", "remind", "R01", {}, revision=seen)
        one = store.studies.record_event(event)
        assert one.revision == seen + 1
        with pytest.raises(StaleRatingError, match="The study was changed since this page was opened"):
            store.studies.record_event(event)
        again = StudyEvent(study, "S01", "researcher", "remind", "R01", {}, event_id=one.event_id)
        assert store.studies.record_event(again) == one
        with pytest.raises(StoreError, match="already saved for something else"):
            store.studies.record_event(replace(again, subject="R02"))
        with pytest.raises(StoreError, match="The event name 'x' cannot be used"):
            store.studies.record_event(replace(again, event_id="x"))
        assert store.verify() == []


def test_the_store_itself_refuses_what_belongs_to_others_and_what_is_old(home, study):
    with reopened(home) as store:
        first = store.studies.rating(study, store.studies.items(study, "R01")[0].code, Stage.FINAL)
        with pytest.raises(StaleRatingError, match="is at revision 1, the screen showed revision 0"):
            store.studies.record_rating(first.rating, event_id=click(), base_revision=0)
        with pytest.raises(StoreError, match="no such item for this reader"):
            store.studies.record_rating(replace(first.rating, reader="R02"), event_id=click(), base_revision=1)
        with pytest.raises(StoreError, match=r"The answers take \d+ bytes"):
            store.studies.record_draft(
                study, first.rating.code, Stage.FINAL, opening="", rating_revision=1, content={"comment": "x" * 2**17}
            )
        assert store.studies.rating_history(study, first.rating.code, Stage.FINAL) == [first]


@pytest.mark.slow
def test_forty_readers_at_once_lose_nothing(home):
    """Forty threads submit to one study: each answer is there once, chained, and nobody sees an error."""
    readers = tuple(f"R{number:02d}" for number in range(40))
    with reopened(home) as store:
        add_reports(store, 2)
        study_id = started_study(store, a_protocol(2, training=0, readers=readers, repeat_share=0.0, staged=False))
        with slow_clock(), ThreadPoolExecutor(40) as pool:
            left = list(pool.map(lambda reader: read_items(store, study_id, reader, most=4).done, readers))
        assert left == [4] * 40
        assert len(store.studies.ratings(study_id, history=True)) == 160
        assert store.verify() == []


def test_give_aways_of_an_earlier_program_are_kept_without_a_version(study, home):
    """Before, the kinds stood alone in the row: its hash stays good, and what is read says that nobody knows more."""
    with reopened(home) as store:
        [last] = store.studies.ratings_log.events("WHERE study_id = ? ORDER BY created_at DESC LIMIT 1", study)
        old = {**last, "event_id": click(), "leaks": ["names_itself"]}
        old = STUDY_RATINGS.chained(old, last["revision"], last["row_hash"])
        store.studies.ratings_log.save(old, lambda _tx, row: (row, False))
        assert stored_rating(old).rating.leaks == ("names_itself",)
        read = store.studies.rating(study, last["code"], Stage(last["stage"])).rating
        assert (read.leaks, read.leaks_version) == (("names_itself",), "")
        table = store.studies.ratings_table(study).to_pylist()
        mine = {(row["leaks"], row["leaks_version"]) for row in table if row["item"] == last["code"]}
        assert mine == {('["names_itself"]', "")}
        assert {row["leaks_version"] for row in table if row["item"] != last["code"]} == {leaks_version()}
        assert not any("chain" in one or "hash" in one for one in store.studies.problems(study))
