"""verify() names every kind of tampering that an ordinary DuckDB client can do."""

import duckdb
import pytest

from tests.crash.samples import SCORES, a_report, fill, keep, opened, rate

NAMES = {0: "click-0000", 1: "click-0001", 2: "click-0002"}


@pytest.fixture
def rated(home):
    store = opened(home)
    fill(store)
    store.record_report("case-1", a_report())
    store.record_scores("gen-1", SCORES)
    for base, name in NAMES.items():
        rate(store, base=base, event_id=name, comment=f"revision {base + 1}")
    for label in ("one", "two"):
        keep(store, label=label)
    assert store.verify() == []
    store.close()
    return home


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (
            ["UPDATE rating_event SET comment = 'praise' WHERE event_id = 'click-0001'"],
            ["Rating event click-0001 was changed after it was saved."],
        ),
        (
            ["UPDATE rating_answer SET value = 5 WHERE event_id = 'click-0001' AND dimension = 'acc'"],
            ["The answers of rating event click-0001 differ from what was saved."],
        ),
        (
            ["UPDATE rating_event SET created_at = created_at + INTERVAL 1 DAY WHERE event_id = 'click-0002'"],
            ["Rating event click-0002 was changed after it was saved."],
        ),
        (
            ["UPDATE rating_event SET prev_hash = repeat('0', 64), row_hash = repeat('1', 64) "
             "WHERE event_id = 'click-0001'"],
            [
                "Rating event click-0001 was changed after it was saved.",
                "Rating event click-0001 does not follow the revision before it.",
                "Rating event click-0002 does not follow the revision before it.",
                "Rating event click-0001 differs between the database and the journal.",
            ],
        ),
        (
            ["DELETE FROM rating_answer WHERE event_id = 'click-0000'"],
            ["The answers of rating event click-0000 differ from what was saved."],
        ),
        (["DELETE FROM study_case"], ["1 rows of report belong to no study_case.",
                                      "1 rows of generation belong to no study_case.",
                                      "2 rows of measurement belong to no study_case."]),
        (["DELETE FROM run"], ["1 rows of generation belong to no run."]),
        (
            ["DELETE FROM generation"],
            [
                "2 rows of score belong to no generation.",
                "3 rows of rating_event belong to no generation.",
                "2 rows of measurement belong to no generation.",
            ],
        ),
        (
            ["UPDATE generation SET body = 'better'"],
            ["The text of the generation gen-1 was changed after it was stored."],
        ),
        (["UPDATE report SET body = 'better'"], ["The text of the report case-1 was changed after it was stored."]),
    ],
)  # fmt: skip
def test_a_change_behind_the_stores_back_is_named(rated, statements, expected):
    connection = duckdb.connect(str(rated / "pet2rep.duckdb"))
    triggers = connection.execute("SELECT trigger_name, table_name, sql FROM duckdb_triggers()").fetchall()
    for name, table, _ in triggers:
        connection.execute(f"DROP TRIGGER {name} ON {table}")
    for statement in statements:
        connection.execute(statement)
    for _, _, sql in triggers:
        connection.execute(sql)
    connection.close()
    store = opened(rated)
    assert store.verify() == expected
    store.close()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE measurement SET result = '{\"numbers\": []}' WHERE revision = 1", ["was changed after it was saved"]),
        ("UPDATE measurement SET reader = 'R02' WHERE revision = 2", ["was changed after it was saved"]),
        (
            "UPDATE measurement SET row_hash = repeat('1', 64) WHERE revision = 2",
            ["was changed after it was saved", "differs between the database and the journal"],
        ),
        ("UPDATE measurement SET prev_hash = repeat('0', 64) WHERE revision = 2", ["was changed", "does not follow"]),
    ],
)
def test_a_changed_measurement_is_named(rated, statement, words):
    store = opened(rated)
    with store._database.transaction() as tx:
        tx.execute("DROP TRIGGER measurement_no_update ON measurement")
    with store._database.transaction() as tx:
        tx.execute(statement)
    trigger, *problems = store.verify()
    assert "measurement is no longer protected against UPDATE" in trigger
    assert len(problems) == len(words)
    for problem, expected in zip(problems, words, strict=True):
        assert problem.startswith("Measurement event ")
        assert expected in problem
    store.close()


def test_a_deleted_rating_comes_back_from_the_journal(rated):
    connection = duckdb.connect(str(rated / "pet2rep.duckdb"))
    connection.execute("DROP TRIGGER rating_event_no_delete ON rating_event")
    connection.execute("DELETE FROM rating_event WHERE event_id = 'click-0001'")
    connection.execute("DROP TRIGGER rating_answer_no_delete ON rating_answer")
    connection.execute("DELETE FROM rating_answer WHERE event_id = 'click-0001'")
    connection.close()
    store = opened(rated)
    assert [r.rating.comment for r in store.rating_history("gen-1", "R01")] == [f"revision {n}" for n in (1, 2, 3)]
    assert store.verify() == [
        "The table rating_answer is no longer protected against DELETE.",
        "The table rating_event is no longer protected against DELETE.",
    ]
    store.close()


def test_a_rating_deleted_while_the_app_runs_is_missed(rated):
    store = opened(rated)
    with store._database.transaction() as tx:
        tx.execute("DROP TRIGGER rating_event_no_delete ON rating_event")
    with store._database.transaction() as tx:
        tx.execute("DELETE FROM rating_event WHERE event_id = 'click-0001'")
    assert store.verify() == [
        "The table rating_event is no longer protected against DELETE.",
        "5 rows of rating_answer belong to no rating_event.",
        "Rating event click-0002 is revision 3, but the one before it is missing.",
        "Rating event click-0001 is in the journal but not in the database.",
    ]
    store.close()
