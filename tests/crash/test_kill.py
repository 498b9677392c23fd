"""The store killed in mid-write, again and again: nothing that was confirmed is lost, nothing is half there."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from pet2rep_core.store.ratings import EVENT_COLUMNS
from tests.crash.samples import ANSWERS, fill, opened
from tests.crash.writer import READERS

KILLS = int(os.environ.get("PET2REP_KILLS", "40")) // 2
"""Half of all kills are here, half in ``test_study_kill.py``; ``make kills`` asks for 300."""

PROJECT = Path(__file__).parents[2]


def run_and_kill(home, name, delay_s, *, module="tests.crash.writer", after=(0, ())):
    """Return the lines that the writer had put out when it was killed.

    ``after`` is how many lines that begin with which words must have come before the delay begins.
    """
    command = [sys.executable, "-m", module, str(home), name]
    writer = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = writer.stdout.readline()
    assert first == "ready\n", writer.stderr.read()
    lines = []
    reading = threading.Thread(target=lambda: lines.extend(writer.stdout))
    reading.start()
    least, words = after
    deadline = time.monotonic() + 60
    while sum(line.startswith(words) for line in lines) < least and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(delay_s)
    assert writer.poll() is None, writer.stderr.read()
    writer.send_signal(signal.SIGKILL)
    reading.join()
    writer.wait()
    complaint = writer.stderr.read()
    writer.stdout.close()
    writer.stderr.close()
    assert complaint == ""
    return [line.split() for line in lines if line.endswith("\n")]


def test_kills_lose_nothing_that_was_confirmed(tmp_path):
    chance = random.Random(20261123)
    home = tmp_path / "home"
    store = opened(home)
    fill(store)
    store.close()
    confirmed, handed, in_checkpoint = {}, set(), 0
    for kill in range(KILLS):
        after = (chance.randrange(6, 16), ("rated", "handed"))
        lines = run_and_kill(home, f"k{kill}", chance.uniform(0, 0.2), after=after)
        confirmed |= {words[1]: (words[2], int(words[3])) for words in lines if words[0] == "rated"}
        handed |= {words[1] for words in lines if words[0] == "handed"}
        marks = [words[0] for words in lines if words[0].startswith("checkpoint")]
        in_checkpoint += marks[-1:] == ["checkpoint-begins"]

        store = opened(home)
        rows = store._database.rows(f"SELECT {', '.join(EVENT_COLUMNS)} FROM rating_event")
        events = {row[0]: dict(zip(EVENT_COLUMNS, row, strict=True)) for row in rows}
        assert {name: (events[name]["reader"], events[name]["revision"]) for name in confirmed} == confirmed
        # at most the click that was under way per reader and kill is there without having been confirmed
        assert len(events) - len(confirmed) <= READERS * (kill + 1)
        for name, event in events.items():
            assert event["comment"] == name * (event["revision"] - 1) or set(event["comment"].split(name)) == {""}
        assert store._database.rows("SELECT count(*) FROM rating_answer") == [(len(events) * len(ANSWERS),)]
        assert all(file.reason is None for file in store.ingest_inbox())
        counts = dict(store._database.rows("SELECT case_id, count(*) FROM study_case GROUP BY case_id"))
        assert handed <= set(counts)
        assert set(counts.values()) == {1}
        assert store.verify() == []
        if kill % 2:  # every other time the next writer recovers from a store that was not closed
            store.close()
        else:
            store._database._close_connections()
            store._database._lock.release()
    # of so many lines at least these are of either kind, however the threads took turns
    assert len(confirmed) >= KILLS
    assert len(handed) >= KILLS // 2
    assert in_checkpoint >= KILLS // 10
