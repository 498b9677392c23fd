"""Drafts of studies in a file beside the database: a damaged database takes no answer with it."""

import contextlib
import json
import shutil
from dataclasses import replace

import pytest

from pet2rep_core.errors import StoreError
from pet2rep_core.records import Stage
from pet2rep_core.store import draft_file
from pet2rep_core.workflow.study_read import keep_draft, open_desk
from tests.crash.samples import opened
from tests.reader_study import a_protocol, add_reports, person, read_items, started_study

DATABASE, LOG, DRAFTS = "pet2rep.duckdb", "pet2rep.duckdb.wal", "pet2rep.drafts.jsonl"
CAME_BACK = "Drafts that were missing in the database and came back: 1."
R01 = person("R01")


@contextlib.contextmanager
def reopened(home):
    store = opened(home)
    yield store
    store.close()


@pytest.fixture
def study(home):
    """A study whose reader finished one item, and a backup of the database from then."""
    with reopened(home) as store:
        add_reports(store, 3)
        study_id = started_study(store, a_protocol(3, training=0, readers=("R01",), staged=False))
        read_items(store, study_id, "R01", most=1)
    shutil.copy(home / DATABASE, home / "backup")
    return study_id


def keep(store, study_id, code=None):
    """Keep a draft of the open item, as the desk does at every click."""
    desk = open_desk(store, R01, study_id, code=code)
    for place, answer in enumerate((2, 3, 4), start=1):
        draft = replace(desk.draft, answers={"acc": answer}, comment=f"见肝脏 {place}", active_ms=place)
        keep_draft(store, R01, study_id, desk.code, draft)
    return desk.code


def damage(home):
    """Write rubbish over the middle of the database file, as a failing disk would; it is then refused."""
    content = bytearray((home / DATABASE).read_bytes())
    content[4096:8192] = b"\xff" * 4096
    (home / DATABASE).write_bytes(content)
    (home / LOG).unlink(missing_ok=True)
    with pytest.raises(StoreError, match=r"cannot be opened|could not be read"):
        opened(home)


def lines(home):
    return [json.loads(line)["draft"] for line in (home / DRAFTS).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("restored", ["the backup", "nothing"])
def test_a_draft_comes_back_after_the_database_file_was_damaged(home, study, restored):
    with reopened(home) as store:
        code = keep(store, study)
        kept = store.studies.draft(study, code, Stage.FINAL)
    damage(home)
    (home / DATABASE).unlink()
    if restored == "the backup":
        shutil.copy(home / "backup", home / DATABASE)
    with reopened(home) as store:
        assert CAME_BACK in store.notices
        back = store.studies.draft(study, code, Stage.FINAL)
        assert (back.content, back.number, back.created_at) == (kept.content, 3, kept.created_at)
        assert back.content["comment"] == "见肝脏 3"
        assert store.studies.drafted(study, "R01") == {code}
        assert store.studies.problems(study) == []
        if restored == "the backup":  # the texts are there as well: the reader goes on where he was
            assert store.verify() == []
            assert open_desk(store, R01, study).draft.answers == {"acc": 4}
            assert keep(store, study, code) == code
            assert store.studies.draft(study, code, Stage.FINAL).number == 6
    with reopened(home) as store:  # once
        assert store.notices == ()


def test_what_was_submitted_since_is_no_draft_any_more(home, study):
    with reopened(home) as store:
        code = keep(store, study)
        read_items(store, study, "R01", most=1)
        assert store.studies.rating(study, code, Stage.FINAL) is not None
        assert {one["code"] for one in lines(home)} == {code}
    (home / DATABASE).unlink()
    shutil.copy(home / "backup", home / DATABASE)
    with reopened(home) as store:  # the rating comes back from the journal, and its draft is older than it
        assert store.studies.draft(study, code, Stage.FINAL) is None
        assert lines(home) == []


def test_the_file_keeps_the_newest_draft_of_each_item_and_does_not_grow_without_bound(home, study, monkeypatch):
    monkeypatch.setattr(draft_file, "COMPACT_BYTES", 3000)
    with reopened(home) as store:
        for _ in range(10):
            code = keep(store, study)
            assert (home / DRAFTS).stat().st_size < 3000 + 2 * 1000
        assert store.studies.draft(study, code, Stage.FINAL).number == 30
        assert lines(home)[-1]["number"] == 30
    with reopened(home):
        [one] = lines(home)
        assert (one["code"], one["number"]) == (code, 30)
        assert (home / DRAFTS).stat().st_mode & 0o077 == 0


def test_drafts_of_before_there_was_a_file_are_written_into_it(home, study):
    with reopened(home) as store:
        code = keep(store, study)
    (home / DRAFTS).unlink()
    with reopened(home) as store:
        assert store.notices == ()
        assert [(one["code"], one["number"]) for one in lines(home)] == [(code, 3)]


def test_damaged_lines_are_left_out_and_a_torn_end_is_nothing(home, study):
    with reopened(home) as store:
        code = keep(store, study)
    shutil.copy(home / "backup", home / DATABASE)
    good = (home / DRAFTS).read_bytes().splitlines(keepends=True)[-1]
    changed = good.replace(b'"acc":4', b'"acc":1')
    assert changed != good
    (home / DRAFTS).write_bytes(good + changed + b"\xff\xfe\n" + good[:40])
    with reopened(home) as store:
        assert "Lines of the file of drafts that were damaged and left out: 2." in store.notices
        assert CAME_BACK in store.notices
        assert store.studies.draft(study, code, Stage.FINAL).content["answers"] == {"acc": 4}


def test_a_draft_waits_for_the_item_that_the_database_does_not_have(home, study):
    """Database and journal lost: the draft stays in the file until a backup of both is put in place."""
    with reopened(home) as store:
        code = keep(store, study)
    journal = home / "pet2rep.journal.jsonl"
    journal.rename(home / "journal")
    (home / DATABASE).unlink()
    with reopened(home) as store:
        assert store.studies.study_ids() == []
        assert [one["code"] for one in lines(home)] == [code]
    shutil.copy(home / "backup", home / DATABASE)
    (home / "journal").rename(journal)
    with reopened(home) as store:
        assert CAME_BACK in store.notices
        assert store.studies.draft(study, code, Stage.FINAL).content["answers"] == {"acc": 4}


def test_a_draft_that_cannot_be_written_beside_the_database_is_not_confirmed(home, study, monkeypatch):
    with reopened(home) as store:
        code = keep(store, study)
        write = draft_file.os.write
        size = (home / DRAFTS).stat().st_size
        monkeypatch.setattr(draft_file.os, "write", lambda file, raw: write(file, raw[:10]))
        desk = open_desk(store, R01, study)
        with pytest.raises(StoreError, match=r"drafts pet2rep\.drafts\.jsonl cannot be written: No space") as caught:
            keep_draft(store, R01, study, code, replace(desk.draft, answers={"acc": 1}))
        assert "Free some space" in caught.value.hint
        monkeypatch.undo()
        assert (home / DRAFTS).stat().st_size == size  # no part of a line stays before the next one
        assert store.studies.draft(study, code, Stage.FINAL).content["answers"] == {"acc": 4}
        keep_draft(store, R01, study, code, replace(desk.draft, answers={"acc": 5}))
        assert [one["content"]["answers"]["acc"] for one in lines(home)] == [2, 3, 4, 5]
