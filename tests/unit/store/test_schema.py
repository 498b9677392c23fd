"""Migrations: in order, once, whole, never edited; tables that only grow."""

import shutil

import pytest

from pet2rep_core.errors import SchemaVersionError, StoreError
from pet2rep_core.store import Recorder
from pet2rep_core.store.driver import Database
from pet2rep_core.store.journal import Journal
from pet2rep_core.store.kinds import insert_rows, kind_named
from pet2rep_core.store.ratings import RatingLog
from pet2rep_core.store.schema import MIGRATIONS, migrate, read_migrations, sql_statements
from tests.crash.samples import ANSWERS, MIN_FREE, a_rating, click, fill, keep, opened, rate

TABLES = (
    "account_event", "audit_event", "cell_overrule", "draft", "generation", "ingested_file", "key_slices",
    "measurement", "rating_answer", "rating_event", "reader_setting", "report", "run", "schema_version", "score",
    "study_answer", "study_case", "study_draft", "study_event", "study_item", "study_opening", "study_rating",
)  # fmt: skip
PAST = read_migrations()
NEXT = PAST[-1].version + 1
EXTRA = "CREATE TABLE extra (a INTEGER PRIMARY KEY);\nALTER TABLE draft ADD COLUMN device VARCHAR;\n"


@pytest.fixture
def migrations(tmp_path):
    return shutil.copytree(MIGRATIONS, tmp_path / "migrations")


@pytest.fixture
def rated(home):
    store = opened(home)
    fill(store)
    rate(store)
    store.close()
    return home


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("change", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}"])
def test_every_table_refuses_change_and_deletion(empty, table, change):
    columns = "SELECT column_name FROM information_schema.columns WHERE table_name = ? ORDER BY ordinal_position"
    [(column,), *_] = empty._database.rows(columns, table)

    def try_it():
        with empty._database.transaction() as tx:
            tx.execute(change.format(table, column))

    with pytest.raises(StoreError, match=f"{table} is append-only"):
        try_it()


def test_the_tables_are_those_that_are_protected(empty):
    rows = empty._database.rows("SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'")
    assert sorted(name for (name,) in rows) == sorted([*TABLES, "append_only_guard"])


def test_a_new_migration_keeps_rows_and_triggers(rated, migrations):
    (migrations / f"{NEXT:04}_extra.sql").write_text(EXTRA)
    store = opened(rated, migrations=migrations)
    assert store.rating("gen-1", "R01").revision == 1
    assert store._database.rows("SELECT version, name FROM schema_version ORDER BY 1") == [
        *((one.version, one.name) for one in PAST), (NEXT, "extra"),
    ]  # fmt: skip
    # the new table came without its triggers, the old ones kept theirs
    assert store.verify() == [
        "The table extra is no longer protected against UPDATE.",
        "The table extra is no longer protected against DELETE.",
    ]
    store.close()
    opened(rated, migrations=migrations).close()


def test_a_newer_database_is_refused_and_left_alone(rated, migrations):
    (migrations / f"{NEXT:04}_extra.sql").write_text(EXTRA)
    opened(rated, migrations=migrations).close()
    words = rf"version {NEXT} \(extra\), this program knows versions up to {NEXT - 1}"
    with pytest.raises(SchemaVersionError, match=words) as caught:
        opened(rated)
    assert "newer program" in caught.value.hint
    opened(rated, migrations=migrations).close()


def test_an_edited_migration_is_refused(rated, migrations):
    first = migrations / "0001_first.sql"
    first.write_text(first.read_text() + "-- harmless\n")
    with pytest.raises(SchemaVersionError, match=r"Migration 1 \(first\) is not the text"):
        opened(rated, migrations=migrations)


def test_a_migration_that_fails_leaves_nothing(rated, migrations):
    (migrations / f"{NEXT:04}_bad.sql").write_text(EXTRA + "INSERT INTO nowhere VALUES (1);\n")
    with pytest.raises(StoreError, match="nowhere"):
        opened(rated, migrations=migrations)
    store = opened(rated)
    assert store.verify() == []
    assert store._database.rows("SELECT count(*) FROM information_schema.tables WHERE table_name = 'extra'") == [(0,)]
    store.close()


class PastStore(Recorder):
    """Records into a database of an earlier version, which the Store of today cannot open as it is."""

    def __init__(self, database):
        self._database = database

    def record_rows(self, kind, rows):
        with self._database.transaction() as tx:
            return insert_rows(tx, kind_named(kind), rows)


@pytest.mark.parametrize("version", [one.version for one in PAST])
def test_a_database_of_every_past_version_is_brought_up_to_date(home, version):
    database = Database(home / "pet2rep.duckdb", min_free_bytes=MIN_FREE)
    journal = Journal(home / "pet2rep.journal.jsonl")
    assert migrate(database, PAST[:version]) == list(range(1, version + 1))
    fill(PastStore(database))
    RatingLog(database, journal).record(
        a_rating(comment="of the past"), event_id=click(), base_revision=0, session_id="tab"
    )
    database.close()
    journal.close()
    again = opened(home)
    assert again.notices == ()
    assert again.verify() == []
    assert again.rating("gen-1", "R01").rating.comment == "of the past"
    assert [(row["dimension"], row["value"]) for row in again.ratings_table().to_pylist()] == sorted(ANSWERS.items())
    assert keep(again).revision == 1
    assert again.verify() == []
    again.close()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((), r"numbered \[\]"),
        (("0001_a.sql", "0003_b.sql"), r"numbered \[1, 3\]"),
        (("0001_a.sql", "0001_b.sql"), r"numbered \[1, 1\]"),
        (("first.sql",), "'first.sql' has no number"),
    ],
)
def test_migrations_must_be_numbered_without_gaps(tmp_path, names, words):
    for name in names:
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(SchemaVersionError, match=words):
        read_migrations(tmp_path)


def test_line_ends_of_another_system_are_the_same_migration(tmp_path):
    (tmp_path / "0001_a.sql").write_bytes(b"SELECT 1;\nSELECT 2;\n")
    [unix] = read_migrations(tmp_path)
    (tmp_path / "0001_a.sql").write_bytes(b"SELECT 1;\r\nSELECT 2;\r\n")
    assert read_migrations(tmp_path) == (unix,)


def test_one_text_gives_the_statements_of_each_database():
    text = """
        CREATE TABLE a (b INTEGER {{pg: REFERENCES c}}); -- {{duck: not this; it is a comment }}
        {{duck: CREATE TRIGGER x; CREATE TRIGGER y; }}
        {{pg: CREATE FUNCTION f() AS $body$ BEGIN; END; $body$; }}
    """
    assert sql_statements(text, "duck") == ["CREATE TABLE a (b INTEGER )", "CREATE TRIGGER x", "CREATE TRIGGER y"]
    assert sql_statements(text, "pg") == [
        "CREATE TABLE a (b INTEGER  REFERENCES c)",
        "CREATE FUNCTION f() AS $body$ BEGIN; END; $body$",
    ]


def test_the_text_for_postgresql_protects_the_same_tables_and_has_nothing_of_duckdb():
    statements = [statement for one in PAST for statement in sql_statements(one.text, "pg")]
    protected = [s.split()[2].removesuffix("_append_only") for s in statements if s.startswith("CREATE TRIGGER")]
    assert sorted(protected) == sorted(TABLES)
    assert not any("error(" in s or "{{" in s for s in statements)
