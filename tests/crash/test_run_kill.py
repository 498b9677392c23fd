"""A run killed in the middle and started again: no answer is asked for twice, and none is lost."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from pet2rep_core.records import GenerationStatus
from pet2rep_core.settings import Settings
from pet2rep_core.store import open_store
from tests import vendor_servers as vendor
from tests.study_files import PROJECT, build_scans, import_all
from tests.vendor_servers import vendor_server

CASES = 5
pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path):
    root = build_scans(tmp_path / "study", [f"k{n}" for n in range(CASES)])
    settings = Settings(home=tmp_path / "home", workers=1)
    store = open_store(settings)
    import_all(root, settings, store)
    store.close()
    return settings.home


def start(home: Path, url: str, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.crash.run_until_killed", str(home), url, *more]
    return subprocess.Popen(
        command, cwd=PROJECT, env={**os.environ, "PET2REP_HOME": str(home)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def finish(process: subprocess.Popen[str]) -> list[list[str]]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return [line.split() for line in out.splitlines()]


def stored(home: Path) -> dict[str, str]:
    store = open_store(Settings(home=home, workers=1))
    found = store.generations()
    assert {one.generation.status for one in found} == {GenerationStatus.DONE}
    assert all(one.attempt == 1 for one in found)
    store.close()
    return {one.generation.case_id: one.generation.text for one in found}


def picture(call):
    return call.body["messages"][-1]["content"][0]["image_url"]["url"]


def test_killed_while_asking(home):
    answered: Counter[str] = Counter()
    hold, held = threading.Event(), threading.Event()

    def answer(call):
        if hold.is_set():
            held.set()
            return replace(vendor.good(call), delay_s=600)
        answered[picture(call)] += 1
        if len(answered) == 3:
            hold.set()
        return vendor.as_json(vendor.chat(f"answer {len(answered)}"))

    with vendor_server(answer) as server:
        process = start(home, server.base_url, "1")
        lines = [process.stdout.readline() for _ in range(3)]
        assert all(" done " in line for line in lines)
        assert held.wait(30)  # the fourth is under way, and nobody has an answer to it
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=30)
        hold.clear()
        again = finish(start(home, server.base_url, "2"))
    assert len(again) == CASES
    assert sum(line[2] == "True" for line in again) == 3
    assert set(answered.values()) == {1}
    assert len(answered) == CASES
    texts = stored(home)
    assert len(set(texts.values())) == len(texts) == CASES


def test_killed_between_answer_and_store(home):
    answered: Counter[str] = Counter()
    room = threading.Semaphore(0)
    plenty = threading.Event()

    def answer(call):
        if not plenty.is_set() and not room.acquire(blocking=False):
            return replace(vendor.good(call), delay_s=600)  # under way when the process dies: nobody has this answer
        answered[picture(call)] += 1
        return vendor.as_json(vendor.chat(f"answer {len(answered)}"))

    with vendor_server(answer) as server:
        for n in range(2):
            room.release()
            process = start(home, server.base_url, "1", "between")
            _, err = process.communicate(timeout=60)
            assert process.returncode == -signal.SIGKILL, err
            assert sum(answered.values()) == n + 1
        plenty.set()
        again = finish(start(home, server.base_url, "1"))
    assert set(answered.values()) == {1}
    assert len(answered) == CASES
    assert len(again) == CASES
    texts = stored(home)
    assert sorted(texts.values()) == sorted(f"answer {n}" for n in range(1, CASES + 1))
    assert not any(one.is_file() for one in (home / "answers").iterdir())
