"""A reader's notes: kept in two places, every revision, nobody else's."""

import threading

import pytest

from pet2rep_core.errors import PermissionDeniedError, SchemaVersionError, StoreError
from pet2rep_core.store.journal import Journal, read_lines
from tests.crash.samples import a_measurement, fill, keep, opened, rate
from tests.unit.store.test_journal import DATABASE, JOURNAL


def labels(store, case_id="case-1", reader="R01"):
    return [note.measurement.label for note in store.measurements(case_id, reader)]


def test_a_measurement_comes_back_as_it_was_kept(store):
    kept = keep(store)
    assert (kept.revision, kept.withdrawn, kept.measurement) == (1, False, a_measurement())
    assert store.measurements("case-1", "R01") == [kept]
    assert store.measurements("case-2", "R01") == []
    assert store.measurements("case-1", "R02") == []


def test_the_same_note_twice_is_kept_once_and_another_content_is_its_next_revision(store):
    first = keep(store)
    assert keep(store) == first
    assert keep(store, label="moved", shape={"centre_mm": [0, 0, 0], "diameter_mm": 20.0}).revision == 2
    assert labels(store) == ["moved"]
    assert store._database.rows("SELECT count(*) FROM measurement") == [(2,)]
    assert store.verify() == []


def test_notes_come_in_the_order_in_which_they_were_first_kept(store):
    for number in range(1, 4):
        keep(store, measurement_id=f"note-000{number}", label=str(number))
    keep(store, measurement_id="note-0001", label="1, again")
    assert labels(store) == ["3", "2", "1, again"]


def test_a_withdrawn_note_stays_in_the_history_and_can_be_kept_again(store):
    keep(store)
    gone = store.withdraw_measurement("note-0001", "case-1", "R01")
    assert (gone.revision, gone.withdrawn) == (2, True)
    assert store.withdraw_measurement("note-0001", "case-1", "R01") == gone
    assert labels(store) == []
    assert keep(store).revision == 3
    assert labels(store) == ["右肺上叶"]
    assert store.verify() == []


def test_nobody_touches_the_note_of_another(store):
    keep(store)
    for changes in ({"reader": "R02"}, {"case_id": "case-2", "generation_id": None}):
        with pytest.raises(PermissionDeniedError, match="belongs to another reader or another case"):
            keep(store, **changes)
    for case_id, reader in (("case-1", "R02"), ("case-2", "R01")):
        with pytest.raises(PermissionDeniedError, match="belongs to another reader or another case"):
            store.withdraw_measurement("note-0001", case_id, reader)
    assert [note.revision for note in store.measurements("case-1", "R01")] == [1]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"measurement_id": "1"}, "name '1' cannot be used"),
        ({"measurement_id": "a b c d e f"}, "cannot be used"),
        ({"reader": " "}, "no reader"),
        ({"label": "x" * 201}, "label has 201 characters"),
        ({"label": "\ud800"}, "cannot be stored"),
        ({"case_id": "case-9"}, "'case-9' is not in the store"),
        ({"generation_id": "gen-9"}, "no generation 'gen-9'"),
        ({"generation_id": "gen-2"}, "no generation 'gen-2'"),
        ({"shape": {"points_mm": [[0.5] * 3] * 20000}}, "takes .* bytes"),
        ({"shape": {"centre_mm": [float("nan")]}}, "cannot be stored"),
        ({"result": {}}, "does not list its numbers"),
        ({"result": {"numbers": [{"quantity": "a", "value": 1.0}]}}, "does not list its numbers"),
        (
            {"result": {"numbers": [{"quantity": "a", "value": None, "unit": "", "reason": ""}]}},
            "does not list its numbers",
        ),
    ],
)
def test_a_note_that_makes_no_sense_is_refused(store, changes, words):
    with pytest.raises(StoreError, match=words) as caught:
        keep(store, **changes)
    assert caught.value.hint
    assert store.measurements_table().num_rows == 0
    assert store.verify() == []


def test_what_is_not_there_cannot_be_withdrawn(store):
    with pytest.raises(StoreError, match="no such measurement"):
        store.withdraw_measurement("note-0001", "case-1", "R01")


def test_a_lost_database_brings_ratings_and_notes_back_from_the_journal(home):
    store = opened(home)
    fill(store)
    rate(store)
    keep(store)
    keep(store, label="second")
    store.withdraw_measurement("note-0001", "case-1", "R01")
    kept = keep(store, measurement_id="note-0002")
    store.close()
    (home / DATABASE).unlink()
    again = opened(home)
    assert again.notices == (
        "1 ratings were missing in the database and came back from the journal.",
        "4 measurements were missing in the database and came back from the journal.",
    )
    assert again.measurements("case-1", "R01") == [kept]
    fill(again)
    assert again.verify() == []
    again.close()


def test_a_lost_journal_is_written_again_with_the_notes(home):
    store = opened(home)
    fill(store)
    keep(store)
    rate(store)
    store.close()
    (home / JOURNAL).unlink()
    again = opened(home)
    assert len(again.notices) == 2
    assert "1 measurements were missing in the journal" in again.notices[1]
    assert again.verify() == []
    again.close()
    assert len(list(read_lines(home / JOURNAL))) == 2


def test_a_note_that_is_interrupted_leaves_neither_line_nor_row(store, monkeypatch):
    keep(store)
    before = store._journal.path.read_bytes()
    append = Journal.append

    def append_then_fail(journal, event):
        append(journal, event)
        raise KeyboardInterrupt

    monkeypatch.setattr(Journal, "append", append_then_fail)
    with pytest.raises(KeyboardInterrupt):
        keep(store, label="two")
    monkeypatch.undo()
    assert store._journal.path.read_bytes() == before
    assert keep(store, label="three").revision == 2
    assert store.verify() == []


def test_a_note_missing_in_the_journal_is_named(store):
    rate(store)
    keep(store)
    path = store._journal.path
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0])
    [problem] = store.verify()
    assert problem.startswith("Measurement event ")
    assert problem.endswith(" is not in the journal.")
    path.write_bytes(b"".join(lines))
    with store._database.transaction() as tx:
        tx.execute("DROP TRIGGER measurement_no_delete ON measurement")
    with store._database.transaction() as tx:
        tx.execute("DELETE FROM measurement")
    assert "is in the journal but not in the database." in store.verify()[-1]


def test_a_journal_of_a_newer_program_is_refused(home):
    opened(home).close()
    journal = Journal(home / JOURNAL)
    journal.append({"table": "signature", "event_id": "x"})
    journal.close()
    with pytest.raises(SchemaVersionError, match="events of 'signature'") as caught:
        opened(home)
    assert "newer program" in caught.value.hint


def test_eight_readers_at_once_lose_no_note(store):
    failures = []

    def reader(name):
        try:
            for number in range(10):
                keep(store, measurement_id=f"{name}-note-{number}", reader=name)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=reader, args=(f"R{n:02}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert [len(store.measurements("case-1", f"R{n:02}")) for n in range(8)] == [10] * 8
    assert store.verify() == []


def test_settings_are_remembered_per_reader(home, store):
    assert store.reader_settings("R01") == {}
    assert store.record_reader_settings("R01", {"pet": "suv-0-5", "opacity": 0.5}) == 1
    assert store.record_reader_settings("R01", {"opacity": 0.5, "pet": "suv-0-5"}) == 1  # nothing new
    assert store.record_reader_settings("R01", {"opacity": 0.6}) == 2
    assert store.record_reader_settings("R02", {"pet": "brain"}) == 1
    store.close()
    again = opened(home)
    assert (again.reader_settings("R01"), again.reader_settings("R02")) == ({"opacity": 0.6}, {"pet": "brain"})
    assert again.verify() == []
    again.close()


def test_settings_have_a_limit(store):
    store.record_reader_settings("R01", {"a": "x" * (4096 - 8)})
    with pytest.raises(StoreError, match="settings take 4097 bytes"):
        store.record_reader_settings("R01", {"a": "x" * (4096 - 7)})
    with pytest.raises(StoreError, match="cannot be stored"):
        store.record_reader_settings("R01", {"a": float("nan")})
