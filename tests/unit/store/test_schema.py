"""Migrations: in order, once, whole, never edited; tables that only grow."""

import shutil

import pytest

from pet2rep_core.errors import SchemaVersionError, StoreError
from pet2rep_core.store.schema import MIGRATIONS, read_migrations, sql_statements
from tests.crash.samples import fill, opened, rate

TABLES = (
    "audit_event", "draft", "generation", "ingested_file", "key_slices", "rating_answer", "rating_event", "report",
    "run", "schema_version", "score", "study_case",
)  # fmt: skip
SECOND = "CREATE TABLE extra (a INTEGER PRIMARY KEY);\nALTER TABLE draft ADD COLUMN device VARCHAR;\n"


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
    (migrations / "0002_extra.sql").write_text(SECOND)
    store = opened(rated, migrations=migrations)
    assert store.rating("gen-1", "R01").revision == 1
    assert store._database.rows("SELECT version, name FROM schema_version ORDER BY 1") == [(1, "first"), (2, "extra")]
    # the new table came without its triggers, the old ones kept theirs
    assert store.verify() == [
        "The table extra is no longer protected against UPDATE.",
        "The table extra is no longer protected against DELETE.",
    ]
    store.close()
    opened(rated, migrations=migrations).close()


def test_a_newer_database_is_refused_and_left_alone(rated, migrations):
    (migrations / "0002_extra.sql").write_text(SECOND)
    opened(rated, migrations=migrations).close()
    with pytest.raises(SchemaVersionError, match=r"version 2 \(extra\), this program knows versions up to 1") as caught:
        opened(rated)
    assert "newer program" in caught.value.hint
    opened(rated, migrations=migrations).close()


def test_an_edited_migration_is_refused(rated, migrations):
    first = migrations / "0001_first.sql"
    first.write_text(first.read_text() + "-- harmless\n")
    with pytest.raises(SchemaVersionError, match=r"Migration 1 \(first\) is not the text"):
        opened(rated, migrations=migrations)


def test_a_migration_that_fails_leaves_nothing(rated, migrations):
    (migrations / "0002_bad.sql").write_text(SECOND + "INSERT INTO nowhere VALUES (1);\n")
    with pytest.raises(StoreError, match="nowhere"):
        opened(rated, migrations=migrations)
    store = opened(rated)
    assert store.verify() == []
    assert store._database.rows("SELECT count(*) FROM information_schema.tables WHERE table_name = 'extra'") == [(0,)]
    store.close()


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
    [first] = read_migrations()
    statements = sql_statements(first.text, "pg")
    protected = [s.split()[2].removesuffix("_append_only") for s in statements if s.startswith("CREATE TRIGGER")]
    assert sorted(protected) == sorted(TABLES)
    assert not any("error(" in s or "{{" in s for s in statements)
