"""The exported tables: types, NULL instead of NaN, times in UTC."""

from datetime import datetime

import pyarrow.compute as pc

from pet2rep_core.store.tables import RATINGS_SCHEMA, SCORES_SCHEMA
from tests.crash.samples import ANSWERS, SCORES, opened, rate


def test_an_empty_store_exports_empty_tables_of_the_same_types(empty):
    assert empty.ratings_table().schema == RATINGS_SCHEMA
    assert empty.scores_table().schema == SCORES_SCHEMA
    assert empty.ratings_table().num_rows == empty.scores_table().num_rows == 0


def test_ratings_come_one_row_per_dimension_in_their_newest_revision(store):
    rate(store, comment="first")
    rate(store, base=1, comment="second", event_id="click-0002")
    rate(store, reader="R02", duration_ms=None)
    table = store.ratings_table()
    assert table.schema == RATINGS_SCHEMA
    rows = [row for row in table.to_pylist() if row["reader"] == "R01"]
    assert {row["dimension"]: row["value"] for row in rows} == ANSWERS
    assert {row["dimension"]: row["not_assessable"] for row in rows} == {
        "acc": False, "com": False, "cla": False, "usa": True, "ove": False,
    }  # fmt: skip
    assert datetime.fromisoformat(rows[0]["created_at"]).utcoffset().total_seconds() == 0
    assert rows[0] | {"created_at": "", "shown_sha256": ""} == {
        "case_id": "case-1", "dataset": "demo", "model": "template-paper", "input_setting": "fused", "language": "zh",
        "run_id": "run-1", "generation_id": "gen-1", "reader": "R01", "dimension": "acc", "value": 4,
        "not_assessable": False, "comment": "second", "revision": 2, "rubric_version": "2026.1", "shown_sha256": "",
        "duration_ms": 1200, "created_at": "", "event_id": "click-0002",
    }  # fmt: skip
    assert [row["duration_ms"] for row in table.to_pylist() if row["reader"] == "R02"] == [None] * 5


def test_scores_without_a_number_are_null_with_their_reason(store):
    store.record_scores("gen-1", SCORES)
    table = store.scores_table()
    assert table.schema == SCORES_SCHEMA
    assert [(r["metric"], r["value"], r["reason"]) for r in table.to_pylist()] == [
        ("bleu_4", 0.25, ""),
        ("meteor", None, "empty generation"),
    ]
    assert table["value"].null_count == 1
    assert not pc.any(pc.is_nan(table["value"])).as_py()


def test_a_rating_whose_generation_was_lost_is_still_exported(home, store):
    rate(store)
    store.close()
    (home / "pet2rep.duckdb").unlink()
    again = opened(home)
    rows = again.ratings_table().to_pylist()
    assert [(row["case_id"], row["reader"]) for row in rows] == [(None, "R01")] * 5
    assert again.verify() == ["1 rows of rating_event belong to no generation."]
    again.close()
