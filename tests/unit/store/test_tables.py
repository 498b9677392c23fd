"""The exported tables: types, NULL instead of NaN, times in UTC."""

from datetime import datetime

import pyarrow.compute as pc

from pet2rep_core.store.tables import MEASUREMENTS_SCHEMA, RATINGS_SCHEMA, SCORES_SCHEMA
from tests.crash.samples import ANSWERS, NUMBERS, SCORES, keep, opened, rate


def test_an_empty_store_exports_empty_tables_of_the_same_types(empty):
    assert empty.ratings_table().schema == RATINGS_SCHEMA
    assert empty.scores_table().schema == SCORES_SCHEMA
    assert empty.measurements_table().schema == MEASUREMENTS_SCHEMA
    assert empty.ratings_table().num_rows == empty.scores_table().num_rows == empty.measurements_table().num_rows == 0


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


def test_measurements_come_one_row_per_number_beside_the_rating(store):
    rate(store, event_id="click-0001")
    keep(store, label="first")
    keep(store)
    keep(store, measurement_id="note-0002", reader="R02")
    keep(store, measurement_id="note-0003", generation_id=None, role="liver")
    keep(store, measurement_id="note-0004")
    store.withdraw_measurement("note-0004", "case-1", "R01")
    table = store.measurements_table()
    assert table.schema == MEASUREMENTS_SCHEMA
    rows = table.to_pylist()
    assert [(row["measurement_id"], row["quantity"], row["value"], row["reason"]) for row in rows] == [
        (name, one["quantity"], one["value"], one["reason"])
        for name in ("note-0001", "note-0003", "note-0002")
        for one in NUMBERS
    ]
    assert rows[0] | {"created_at": "", "event_id": ""} == {
        "case_id": "case-1", "dataset": "demo", "model": "template-paper", "input_setting": "fused", "language": "zh",
        "run_id": "run-1", "generation_id": "gen-1", "rating_event_id": "click-0001", "reader": "R01",
        "measurement_id": "note-0001", "label": "右肺上叶", "role": "", "kind": "sphere", "quantity": "suv_max",
        "value": 12.625, "unit": "g/mL", "reason": "", "signature": "voi|unit:suvbw|v:1",
        "shape": '{"centre_mm":[1.5,-2.0,300.25],"diameter_mm":30.0}', "prepared_key": "p" * 64, "revision": 2,
        "created_at": "", "event_id": "",
    }  # fmt: skip
    assert datetime.fromisoformat(rows[0]["created_at"]).utcoffset().total_seconds() == 0
    by_note = {row["measurement_id"]: row for row in rows}
    assert (by_note["note-0002"]["generation_id"], by_note["note-0002"]["rating_event_id"]) == ("gen-1", None)
    assert [by_note["note-0003"][name] for name in ("generation_id", "model", "role")] == [None, None, "liver"]
    assert table["value"].null_count == 3


def test_a_rating_whose_generation_was_lost_is_still_exported(home, store):
    rate(store)
    store.close()
    (home / "pet2rep.duckdb").unlink()
    again = opened(home)
    rows = again.ratings_table().to_pylist()
    assert [(row["case_id"], row["reader"]) for row in rows] == [(None, "R01")] * 5
    assert again.verify() == ["1 rows of rating_event belong to no generation."]
    again.close()
