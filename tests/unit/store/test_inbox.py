"""What the command line hands over while the app runs arrives exactly once, or is set aside with its reason."""

import hashlib
import json
import threading

import pytest

from pet2rep_core.errors import StoreError, UnknownNameError
from pet2rep_core.store import InboxRecorder, Recorded, Store, hand_over, open_or_hand_over
from pet2rep_core.store.rows import case_row
from tests.crash.samples import SCORES, a_case, a_generation, a_report, a_run, fill, opened, settings_in


def hand_over_everything(home):
    recorder = InboxRecorder(settings_in(home))
    assert recorder.record_case(a_case()) is Recorded.HANDED_OVER
    recorder.record_report("case-1", a_report())
    recorder.record_run(a_run())
    recorder.record_generation(a_generation(), duration_s=2.0)
    assert recorder.record_scores("gen-1", SCORES, {"bleu_4": [1, 2]}) == [Recorded.HANDED_OVER] * 2
    recorder.close()


def contents(store):
    return (
        [(c.case_id, c.suv, c.metadata, c.key_slices) for c in store.cases()],
        [r.report for r in store.reports("case-1")],
        [(r.run_id, r.parameters) for r in store.runs()],
        [(g.generation, g.duration_s) for g in store.generations()],
        [(s.score, s.detail) for s in store.scores()],
    )


def test_what_was_handed_over_is_what_would_have_been_recorded(tmp_path):
    direct = opened(tmp_path / "direct")
    direct.record_case(a_case())
    direct.record_report("case-1", a_report())
    direct.record_run(a_run())
    direct.record_generation(a_generation(), duration_s=2.0)
    direct.record_scores("gen-1", SCORES, {"bleu_4": [1, 2]})
    store = opened(tmp_path / "inbox")
    hand_over_everything(tmp_path / "inbox")
    taken = store.ingest_inbox()
    assert [(t.kind, t.rows, t.reason) for t in taken] == [
        ("cases", 1, None), ("reports", 1, None), ("runs", 1, None), ("generations", 1, None), ("scores", 2, None),
    ]  # fmt: skip
    assert contents(store) == contents(direct)
    assert store.verify() == direct.verify() == []
    store.close()
    direct.close()


def test_a_file_is_taken_once_even_if_it_stays_in_the_inbox(empty, home):
    path = hand_over(settings_in(home), "runs", [])
    whole = hand_over(settings_in(home), "cases", [case_row(a_case())])
    raw = whole.read_bytes()
    assert len(empty.ingest_inbox()) == 2
    assert empty.ingest_inbox() == []
    assert not path.exists()
    # as after a crash between the commit and the move, with a newer import in between
    empty.record_case(a_case(source_sha256="f" * 64))
    whole.write_bytes(raw)
    assert [(t.name, t.reason) for t in empty.ingest_inbox()] == [(whole.name, None)]
    assert empty.case("case-1").source_sha256 == "f" * 64
    assert empty._database.rows("SELECT count(*) FROM ingested_file") == [(2,)]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda raw: raw[:-20], "damaged"),
        (lambda raw: raw.replace(b"demo", b"lost"), "damaged"),
        (lambda raw: b"", "no head line"),
        (lambda raw: b"\xff\xfe" + raw, "no head line"),
        (lambda raw: b"[]\n", "no head line"),
        (lambda raw: raw.replace(b'"format":1', b'"format":2'), "format 2, not 1"),
        (lambda raw: raw.replace(b'"rows":1', b'"rows":2'), "1 rows, its head says 2"),
        (lambda raw: raw.replace(b'"kind":"cases"', b'"kind":"casks"'), "no kind of rows named 'casks'"),
        (lambda raw: raw.replace(b'"kind":"cases"', b'"kind":"runs"'), "columns of its kind"),
    ],
)
def test_a_broken_file_is_set_aside_with_its_reason_and_the_others_go_in(empty, home, change, words):
    settings = settings_in(home)
    broken = hand_over(settings, "cases", [case_row(a_case("broken"))])
    broken.write_bytes(change(broken.read_bytes()))
    good = hand_over(settings, "cases", [case_row(a_case("good"))])
    first, second = empty.ingest_inbox()
    assert first.name == broken.name
    assert words in first.reason
    assert (second.name, second.reason) == (good.name, None)
    assert [case.case_id for case in empty.cases()] == ["good"]
    rejected = settings.inbox / "rejected"
    assert sorted(p.name for p in rejected.iterdir()) == [broken.name, f"{broken.name}.reason.txt"]
    assert (rejected / f"{broken.name}.reason.txt").read_text() == first.reason + "\n"
    assert empty.ingest_inbox() == []


def test_rows_that_belong_nowhere_are_set_aside(empty, home):
    InboxRecorder(settings_in(home)).record_scores("gen-9", SCORES)
    [taken] = empty.ingest_inbox()
    assert taken.reason.startswith("The generation 'gen-9' is not in the store.")
    assert empty.scores() == []


def test_a_refused_case_does_not_leave_its_report_with_another_one(store, home):
    recorder = InboxRecorder(settings_in(home))
    recorder.record_case(a_case(dataset="other", source_sha256="c" * 64))
    recorder.record_report("case-1", a_report("Of another patient."), case_source_sha256="c" * 64)
    taken = store.ingest_inbox()
    assert ["already in the dataset" in taken[0].reason, "belongs to other files" in taken[1].reason] == [True, True]
    assert store.reports("case-1") == []


def test_a_full_disk_leaves_the_file_waiting(empty, home):
    path = hand_over(settings_in(home), "cases", [case_row(a_case())])
    empty._database.min_free_bytes = 2**60
    with pytest.raises(StoreError, match="MB left"):
        empty.ingest_inbox()
    assert path.exists()
    empty._database.min_free_bytes = 0
    assert len(empty.ingest_inbox()) == 1
    assert len(empty.cases()) == 1


def test_two_threads_do_not_take_a_file_twice(empty, home):
    for number in range(10):
        hand_over(settings_in(home), "cases", [case_row(a_case(f"c{number}"))])
    taken = []
    threads = [threading.Thread(target=lambda: taken.extend(empty.ingest_inbox())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 10
    assert len({t.name for t in taken}) == 10


def test_an_unfinished_file_is_not_seen(empty, home):
    settings_in(home).inbox.mkdir()
    (settings_in(home).inbox / ".1.cases.jsonl.part").write_text("{")
    assert empty.ingest_inbox() == []


def test_a_row_that_is_no_json_is_set_aside(empty, home):
    path = hand_over(settings_in(home), "cases", [])
    body = b"{\n"
    head = {"format": 1, "kind": "cases", "rows": 1, "sha256": hashlib.sha256(body).hexdigest()}
    path.write_bytes(json.dumps(head).encode() + b"\n" + body)
    [taken] = empty.ingest_inbox()
    assert taken.reason.startswith("The file has a row that is no JSON.")


def test_an_unknown_kind_or_a_value_that_is_no_json_is_not_handed_over(home):
    with pytest.raises(UnknownNameError):
        hand_over(settings_in(home), "ratings", [])
    with pytest.raises(StoreError, match="cannot be stored"):
        hand_over(settings_in(home), "cases", [{"a": float("nan")}])
    assert not settings_in(home).inbox.exists()


def test_an_inbox_that_cannot_be_written_is_said(home):
    home.mkdir()
    settings_in(home).inbox.write_text("a file in its place")
    with pytest.raises(StoreError, match="cannot be handed over"):
        hand_over(settings_in(home), "cases", [])


def test_the_command_line_writes_directly_when_the_store_is_free_and_hands_over_when_not(home, monkeypatch):
    monkeypatch.setattr("pet2rep_core.store.opening.MIN_FREE_BYTES", 0)
    hand_over(settings_in(home), "runs", [])
    recorder = open_or_hand_over(settings_in(home))
    assert isinstance(recorder, Store)
    assert not list(settings_in(home).inbox.glob("*.jsonl"))  # what was waiting went in first
    busy = open_or_hand_over(settings_in(home))
    assert isinstance(busy, InboxRecorder)
    fill(busy)
    busy.close()
    assert recorder.cases() == []
    assert {t.reason for t in recorder.ingest_inbox()} == {None}
    assert len(recorder.generations()) == 1
    recorder.close()


def test_the_head_line_says_what_follows(home):
    path = hand_over(settings_in(home), "cases", [case_row(a_case())])
    head, row = path.read_text(encoding="utf-8").splitlines()
    assert json.loads(head).keys() == {"format", "kind", "rows", "sha256"}
    assert json.loads(row)["case_id"] == "case-1"
    assert path.name.endswith(".cases.jsonl")
