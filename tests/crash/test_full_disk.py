"""The disk full: our error with what to do, nothing confirmed lost, and saving goes on when there is room again."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pet2rep_core.errors import StoreError
from tests.crash.samples import fill, opened, rate
from tests.reader_study import a_protocol, add_reports, started_study

PROJECT = Path(__file__).parents[2]
JOURNAL, LOG, DRAFTS = "pet2rep.journal.jsonl", "pet2rep.duckdb.wal", "pet2rep.drafts.jsonl"


def event_ids(store):
    return [revision.event_id for revision in store.rating_history("gen-1", "R01")]


def on_a_full_disk(home, name, room, what):
    """Return what a process confirmed whose file could not grow, and check what it said."""
    command = [sys.executable, "-m", "tests.crash.full_disk", str(home), name, str(room), what]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    confirmed, errors, errors_later, problems = json.loads(done.stdout)
    assert errors
    assert all("Free some space" in hint or "Free the disk" in hint for _, hint in errors)
    assert errors_later == problems == []
    assert len(confirmed) >= 6
    return confirmed


ROOMS = [(JOURNAL, 10), (JOURNAL, 2000), (LOG, 10), (LOG, 3000), (LOG, 9000)]


@pytest.mark.parametrize(("name", "room"), ROOMS)
def test_files_that_cannot_grow_cost_nothing_that_was_confirmed(tmp_path, name, room):
    store = opened(tmp_path)
    fill(store)
    store.close()
    confirmed = on_a_full_disk(tmp_path, name, room, "ratings")
    store = opened(tmp_path)
    assert event_ids(store) == confirmed
    assert store.verify() == []
    store.close()


@pytest.mark.parametrize(("name", "room"), [*ROOMS, (DRAFTS, 10)])
def test_a_study_on_a_full_disk_loses_nothing_that_was_confirmed(tmp_path, name, room):
    store = opened(tmp_path)
    add_reports(store, 5)
    study_id = started_study(store, a_protocol(5, training=0, readers=("R01",)))
    store.close()
    confirmed = on_a_full_disk(tmp_path, name, room, "studies")
    store = opened(tmp_path)
    assert [one.event_id for one in store.studies.ratings(study_id, history=True)] == confirmed
    assert store.verify() == []
    store.close()


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("mounting a small tmpfs is not permitted here; the tests above limit the size of files instead")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill_up(folder, room):
    """Leave only so many bytes on the disk."""
    ballast = folder / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(folder).free - room)
    return ballast


def try_to(action, refusals):
    """Return what the action gives; a refusal must be ours and is noted."""
    try:
        return action()
    except StoreError as error:
        refusals.append(error.hint)
        return None


@pytest.mark.parametrize("room", [0, 4096, 20_480, 61_440])
@pytest.mark.parametrize("checkpoint_at", ["16MB", "1KB"], ids=["log", "checkpoint-in-commit"])
def test_a_small_disk_runs_full_and_is_freed(small_disk, room, checkpoint_at):
    store = opened(small_disk, min_free_bytes=0)
    fill(store)
    with store._database.transaction() as tx:
        tx.execute(f"SET GLOBAL checkpoint_threshold = '{checkpoint_at}'")
    confirmed = [rate(store).event_id]

    def save(refusals):
        for _ in range(20):
            saved = try_to(lambda: rate(store, base=len(confirmed), comment="x" * 500), refusals)
            confirmed.extend([saved.event_id] if saved else [])

    ballast = fill_up(small_disk, room)
    on_full_disk, afterwards = [], []
    save(on_full_disk)
    try_to(store._database.checkpoint, on_full_disk)
    save(on_full_disk)
    ballast.unlink()
    save(afterwards)
    assert on_full_disk
    assert all("Free some space" in hint or "Free the disk" in hint for hint in on_full_disk)
    assert afterwards == []
    assert event_ids(store) == confirmed
    assert store.verify() == []
    store.close()
    again = opened(small_disk, min_free_bytes=0)
    assert event_ids(again) == confirmed
    again.close()
