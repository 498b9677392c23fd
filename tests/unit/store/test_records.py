"""What is recorded comes back, and recording it again changes nothing."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pet2rep_core.errors import StoreError, UnknownNameError
from pet2rep_core.records import GenerationStatus, KeySlices, Language, Score
from pet2rep_core.store import Recorded, RowsRefusedError
from pet2rep_core.store.rows import case_row, generation_row, key_slices_json, read_key_slices, score_rows
from tests.crash.samples import SCORES, a_case, a_generation, a_report, a_run


def without_time(case):
    return {name: getattr(case, name) for name in case.__dataclass_fields__ if name != "created_at"}


def test_a_case_comes_back_as_it_was_recorded(empty):
    assert empty.record_case(a_case()) is Recorded.NEW
    case = empty.case("case-1")
    assert without_time(case) == without_time(a_case())
    assert abs((datetime.now(UTC) - datetime.fromisoformat(case.created_at)).total_seconds()) < 60
    assert case.created_at.endswith("+00:00")


def test_importing_twice_changes_nothing_and_another_source_is_a_revision(empty):
    assert empty.record_case(a_case()) is Recorded.NEW
    assert empty.record_case(a_case(metadata={"other": "words"})) is Recorded.UNCHANGED
    assert empty.case("case-1").metadata == a_case().metadata
    assert empty.record_case(a_case(source_sha256="c" * 64, has_ct=False)) is Recorded.REVISED
    assert empty.record_case(a_case(source_sha256="c" * 64, prepared_key="q")) is Recorded.REVISED
    assert [(c.has_ct, c.prepared_key) for c in empty.cases()] == [(True, "q")]
    assert empty._database.rows("SELECT count(*), max(revision) FROM study_case") == [(3, 3)]


def test_a_case_is_the_same_under_another_name_of_its_dataset(empty):
    empty.record_case(a_case())
    assert empty.record_case(a_case(dataset="renamed")) is Recorded.UNCHANGED
    assert empty.case("case-1").dataset == "demo"


def test_two_datasets_cannot_share_the_name_of_a_case(empty):
    empty.record_case(a_case())
    clash = r"'case-1' is already in the dataset 'demo' with other files\. Import it under another case name"
    with pytest.raises(RowsRefusedError, match=clash):
        empty.record_case(a_case(dataset="other", source_sha256="c" * 64))
    rows = [case_row(a_case("case-2", dataset="other")), case_row(a_case(dataset="other", source_sha256="c" * 64))]
    with pytest.raises(RowsRefusedError, match="case-1"):
        empty.record_rows("cases", rows)
    assert [case.case_id for case in empty.cases()] == ["case-1"]
    assert empty.record_case(a_case(source_sha256="c" * 64)) is Recorded.REVISED


def test_a_report_stays_with_the_files_it_came_with(store):
    assert store.record_report("case-1", a_report(), case_source_sha256="a" * 64) is Recorded.NEW
    with pytest.raises(RowsRefusedError, match="report of the case 'case-1' belongs to other files"):
        store.record_report("case-1", a_report("Other."), case_source_sha256="c" * 64)
    assert store.record_report("case-1", a_report("By hand."), source="person") is Recorded.NEW


def test_cases_are_listed_by_dataset(empty):
    bare = a_case("b", dataset="other", prepared_key=None, key_slices=None, suv={}, metadata={}, n_pictures=3)
    empty.record_rows("cases", [case_row(a_case("c")), case_row(bare), case_row(a_case("a"))])
    assert [case.case_id for case in empty.cases()] == ["a", "b", "c"]
    assert [without_time(case) for case in empty.cases("other")] == [without_time(bare)]
    with pytest.raises(UnknownNameError, match="no case named 'cc'"):
        empty.case("cc")


def test_of_one_batch_the_last_row_of_a_case_counts(empty):
    rows = [case_row(a_case(n_pictures=1)), case_row(a_case(n_pictures=2))]
    assert empty.record_rows("cases", rows) == [Recorded.NEW, Recorded.NEW]
    assert empty.case("case-1").n_pictures == 2


def test_chosen_key_slices_win_over_the_import_and_need_a_reason(store):
    assert store.key_slices("case-1") == KeySlices((90, 100, 110), "body thirds")
    first, second = KeySlices((1, 2, 3), "by hand", "lesion"), KeySlices((4, 5, 6), "by hand", "病灶")
    assert store.record_key_slices("case-1", first, "R01") == 1
    assert store.record_key_slices("case-1", second, "R01") == 2
    assert store.key_slices("case-1") == second
    with pytest.raises(StoreError, match="no reason"):
        store.record_key_slices("case-1", KeySlices((1,), "by hand", " "), "R01")
    with pytest.raises(StoreError, match="'nobody' is not in the store"):
        store.record_key_slices("nobody", first, "R01")


def test_reports_keep_every_revision_and_show_the_newest(store):
    assert store.record_report("case-1", a_report()) is Recorded.NEW
    assert store.record_report("case-1", a_report()) is Recorded.UNCHANGED
    assert store.record_report("case-1", a_report("第二版")) is Recorded.REVISED
    assert store.record_report("case-1", a_report()) is Recorded.REVISED
    assert store.record_report("case-1", a_report("Liver.", Language.ENGLISH), source="translation") is Recorded.NEW
    found = {(r.report.language.value, r.source): (r.report, r.revision) for r in store.reports("case-1")}
    assert found == {
        ("zh", "import"): (a_report(), 3),
        ("en", "translation"): (a_report("Liver.", Language.ENGLISH), 1),
    }
    with pytest.raises(RowsRefusedError, match="'case-9' is not in the store"):
        store.record_report("case-9", a_report())


def test_a_run_stands_for_its_parameters(empty):
    assert empty.record_run(a_run()) is Recorded.NEW
    assert empty.record_run(a_run()) is Recorded.UNCHANGED
    with pytest.raises(RowsRefusedError, match="'run-1' is already in the store with other parameters"):
        empty.record_run(a_run(seed=8))
    assert empty.record_run(a_run("run-2", seed=None)) is Recorded.NEW
    assert [(run.run_id, run.seed, run.parameters) for run in empty.runs()] == [
        ("run-1", 7, {"temperature": 0.0}),
        ("run-2", None, {"temperature": 0.0}),
    ]


def test_a_finished_generation_is_never_replaced_and_a_failed_one_may_be_tried_again(store):
    failed = a_generation(3, status=GenerationStatus.FAILED, text="", error="out of memory", run_id="run-2")
    store.record_run(a_run("run-2"))
    started = "2026-01-02T03:04:05.000006+00:00"
    assert store.record_generation(failed, started_at=started, duration_s=1.5, detail={"tokens": 3}) is Recorded.NEW
    assert store.record_generation(failed) is Recorded.UNCHANGED
    done = a_generation(3, run_id="run-2")
    [kept] = store.generations(run_id="run-2")
    assert (kept.generation, kept.started_at, kept.duration_s, kept.detail) == (failed, started, 1.5, {"tokens": 3})
    assert store.record_generation(done) is Recorded.REVISED
    assert [(g.generation, g.attempt) for g in store.generations(run_id="run-2")] == [(done, 2)]
    with pytest.raises(RowsRefusedError, match="already has a finished report"):
        store.record_generation(a_generation(3, run_id="run-2", text="other"))
    assert [g.generation.run_id for g in store.generations("case-1")] == ["run-1", "run-2"]
    assert store.generation("gen-3").generation == done
    with pytest.raises(StoreError, match="'gen-9' is not in the store"):
        store.generation("gen-9")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"case_id": "nobody"}, "case 'nobody' is not in the store"),
        ({"run_id": "none"}, "run 'none' is not in the store"),
        ({"model": "another"}, "with this model and language"),
        ({"language": Language.ENGLISH}, "with this model and language"),
        ({"case_id": "case-2", "generation_id": "gen-1"}, "for another run or case"),
    ],
)
def test_a_generation_that_belongs_nowhere_is_refused_whole(store, changes, words):
    row = generation_row(a_generation(1, **changes))
    with pytest.raises(RowsRefusedError, match=words):
        store.record_rows("generations", [generation_row(a_generation(1)), row])
    assert len(store.generations()) == 2


def test_scores_are_kept_by_signature_with_their_reason(store):
    assert store.record_scores("gen-1", SCORES, {"bleu_4": {"肝": 1}}) == [Recorded.NEW] * 2
    assert store.record_scores("gen-1", SCORES, {"bleu_4": {"肝": 1}}) == [Recorded.UNCHANGED] * 2
    changed = Score("bleu_4", 0.5, SCORES[0].signature)
    other = Score("bleu_4", 0.75, "bleu4|tok:char|v:1")
    assert store.record_scores("gen-1", [changed, other]) == [Recorded.REVISED, Recorded.NEW]
    found = store.scores("gen-1")
    assert [s.score for s in found] == [other, changed, SCORES[1]]
    assert store.scores(run_id="run-1") == found
    assert store.scores("gen-2") == []
    with pytest.raises(RowsRefusedError, match="'gen-9' is not in the store"):
        store.record_scores("gen-9", SCORES)


def test_scores_of_an_earlier_attempt_do_not_count_for_the_new_text(store):
    store.record_run(a_run("run-2"))
    store.record_generation(a_generation(3, run_id="run-2", status=GenerationStatus.CUT, text="半"))
    store.record_scores("gen-3", SCORES)
    assert len(store.scores("gen-3")) == 2
    store.record_generation(a_generation(3, run_id="run-2"))
    assert store.scores("gen-3") == []


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (Score("bleu", math.nan, "s"), "bleu is nan"),
        (Score("bleu", math.inf, "s"), "bleu is inf"),
        (Score("bleu", None, "s"), "neither value nor reason"),
    ],
)
def test_a_score_that_is_no_number_needs_a_reason(score, words):
    with pytest.raises(RowsRefusedError, match=words):
        score_rows("gen-1", [score])


def test_a_detail_without_its_score_is_refused():
    with pytest.raises(RowsRefusedError, match="'rouge', which is not among"):
        score_rows("gen-1", SCORES, {"rouge": 1})


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"case_id": "x"}, "does not have the columns"),
        (case_row(a_case()) | {"dataset": None}, "has no dataset"),
        (case_row(a_case()) | {"n_pictures": "many"}, "wrong type"),
        (case_row(a_case()) | {"n_pictures": -1}, "do not fit"),
        (case_row(a_case()) | {"metadata": "{"}, "do not fit"),
        (case_row(a_case()) | {"created_at": "yesterday"}, "do not fit"),
    ],
)
def test_a_row_of_the_wrong_form_is_refused_and_nothing_is_stored(empty, row, words):
    with pytest.raises(RowsRefusedError, match=words):
        empty.record_rows("cases", [case_row(a_case("good")), row])
    assert empty.cases() == []


def test_a_text_that_is_no_unicode_is_refused(store):
    with pytest.raises(RowsRefusedError, match="no Unicode text"):
        store.record_report("case-1", a_report("\ud800"))


def test_an_unknown_kind_offers_the_nearest(empty):
    with pytest.raises(UnknownNameError, match="Did you mean 'cases'"):
        empty.record_rows("case", [])
    assert empty.record_rows("cases", []) == []


@given(
    st.lists(st.integers(0, 10**6), max_size=5),
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.text(st.characters(codec="utf-8"), max_size=20),
)
def test_key_slices_go_to_json_and_back(indices, rule, reason):
    key_slices = KeySlices(tuple(indices), rule, reason)
    assert read_key_slices(key_slices_json(key_slices)) == key_slices


def test_audit_events_are_kept_in_order(empty):
    empty.record_event("R01", "sign in", "session", "s1")
    empty.record_event("R01", "export", "table", "ratings", {"rows": 3})
    rows = empty._database.rows("SELECT action, CAST(detail AS VARCHAR) FROM audit_event ORDER BY created_at")
    assert rows == [("sign in", "{}"), ("export", '{"rows":3}')]
