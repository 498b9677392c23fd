"""Readers of a study at once: each keeps a draft every 10 s while others open volumes; more of them until it breaks.

Run as ``python -m benchmarks.rate_readers [--seconds N]``. The server is uvicorn with the app's own routes behind
Streamlit's compression, in a process of its own, on the same processors as the readers, which are threads of this one.
The study has 60 items a reader on cases of clinical size (see serve_volumes). A reader works as at the desk: opens an
item, keeps what is on the screen every 10 s, submits the item after three minutes and fetches both volumes of the next
one; readers begin spread over those three minutes. What takes time at the desk beside that (Streamlit's run of the
page for the next item) is not part of it. Time is not scaled; a step only lasts shorter than a day.

A save is counted from the request to the confirmation. The first row is one reader alone, who saves every second so
that there is something to count; the ratio compares two things of one run. After the last step the server is stopped,
the store is opened, and every confirmed draft and answer is looked up in it.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.measure import PROJECT
from benchmarks.serve_volumes import CASE, write_phantom
from tests.browser.studies import MadeStudy, study_in

GOAL_MS = 300.0
GOAL_READERS = 40
STEPS = (1, GOAL_READERS, 80, 160, 320)
EVERY_S, ALONE_EVERY_S, ITEM_S = 10.0, 1.0, 180.0
CASES = 30
_START_S = 120.0
_MARKS = [{"sentence": 0, "start": 0, "end": 1, "kind": "false", "significant": True}]


@dataclass
class Taken:
    """What the readers of one step saw: milliseconds of each confirmed save, and what was not confirmed."""

    saves_ms: list[float] = field(default_factory=list)
    opens_ms: list[float] = field(default_factory=list)
    volumes: int = 0
    refused: list[str] = field(default_factory=list)

    def p95(self) -> float:
        """Return the 95th percentile of the saves."""
        return (
            self.saves_ms[0]
            if len(self.saves_ms) == 1
            else statistics.quantiles(self.saves_ms, n=20, method="inclusive")[-1]
        )


class Reader(threading.Thread):
    """One reader at the desk, over one connection that stays open."""

    def __init__(
        self, port: int, study: MadeStudy, name: str, token: str, seconds: float, every_s: float, taken: Taken
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._api, self._token = f"/api/study/{study.study_id}", token
        self._aliases = {item.code: item.alias for item in study.items[name]}  # the page tells the viewer
        self._until, self._every = time.monotonic() + seconds, every_s
        self._taken = taken
        self._chance = random.Random(name)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.kept: dict[str, Any] = {}
        self.code = ""
        self.submitted: list[str] = []

    def run(self) -> None:
        """Rate until the time is over."""
        try:
            self._rate()
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._taken.refused.append(f"{type(error).__name__}: {error}")
        finally:
            self._connection.close()

    def _rate(self) -> None:
        time.sleep(self._chance.uniform(0, self._every))
        item = self._open("")
        ends = time.monotonic() + self._chance.uniform(0, ITEM_S)  # somewhere within an item
        count = 0
        while time.monotonic() + self._every < self._until:
            count += 1
            began = time.monotonic()
            draft = self._draft(item, count)
            self._timed(f"items/{item['code']}/draft", draft)
            self.code, self.kept = item["code"], draft
            if time.monotonic() > ends:
                self._submit(item, draft)
                item = self._open("")
                self._fetch(self._aliases[item["code"]])
                ends = time.monotonic() + ITEM_S
            time.sleep(max(0.0, self._every - (time.monotonic() - began)))

    def _draft(self, item: dict[str, Any], count: int) -> dict[str, Any]:
        keys = ("acc", "com", "cla", "usa", "ove")
        answers = {key: self._chance.randint(1, 5) for key in keys[: min(count, 5)]}
        return item["draft"] | {
            "answers": answers, "comment": f"step {count}", "marks": _MARKS, "active_ms": count * 100,
        }  # fmt: skip

    def _submit(self, item: dict[str, Any], draft: dict[str, Any]) -> None:
        answers = dict.fromkeys(("acc", "com", "cla", "usa", "ove"), 3) | draft["answers"]
        event_id = str(uuid.uuid4())
        self._timed(f"items/{item['code']}/submit", draft | {"answers": answers, "event_id": event_id})
        self.submitted.append(event_id)
        self.code = ""

    def _timed(self, path: str, sent: dict[str, Any]) -> None:
        self._connection.close()  # the server has let go of a line on which nothing came for 5 s; browsers open another
        began = time.perf_counter()
        self._ask("POST", path, sent)
        self._taken.saves_ms.append((time.perf_counter() - began) * 1000)

    def _open(self, code: str) -> dict[str, Any]:
        began = time.perf_counter()
        item: dict[str, Any] = self._ask("GET", f"desk?code={code}")["item"]
        self._taken.opens_ms.append((time.perf_counter() - began) * 1000)
        return item

    def _fetch(self, alias: str) -> None:
        packed = self._headers() | {"Accept-Encoding": "gzip"}
        for name in ("pet", "ct"):
            self._connection.request("GET", f"{self._api}/case/{alias}/volume/{name}", headers=packed)
            answer = self._connection.getresponse()
            while answer.read(2**18):
                pass
            if answer.status != 200:
                raise ValueError(f"the volume {name} was answered with {answer.status}")
        self._taken.volumes += 1

    def _ask(self, method: str, path: str, sent: dict[str, Any] | None = None) -> Any:
        body = None if sent is None else json.dumps(sent)
        self._connection.request(method, f"{self._api}/{path}", body, self._headers())
        answer = self._connection.getresponse()
        said = json.loads(answer.read())
        if answer.status != 200:
            raise ValueError(f"{path.rpartition('/')[2]} was answered with {answer.status}: {said}")
        return said

    def _headers(self) -> dict[str, str]:
        return {
            "X-Study-Token": self._token, "Content-Type": "application/json", "Sec-Fetch-Site": "same-origin",
        }  # fmt: skip


def make_study(home: Path, readers: Sequence[str]) -> MadeStudy:
    """Make the study of the readers."""
    from pet2rep_core.records import Language, Report
    from pet2rep_core.settings import Settings
    from pet2rep_core.store import open_store
    from pet2rep_core.workflow.import_dataset import Preparation, record_preparation
    from tests.layout_files import FINDINGS_EN, IMPRESSION_EN, REPORT_EN

    write_phantom(home)
    store = open_store(Settings(home=home, workers=1))
    try:
        names = [f"case-{n:02d}" for n in range(CASES)]
        report = Report(Language.ENGLISH, REPORT_EN, FINDINGS_EN, IMPRESSION_EN)
        for n, name in enumerate(names):
            row = replace(store.case(CASE), case_id=name, source_sha256=f"{n:064x}")
            record_preparation(Preparation(row, (report,), name), store)
        return study_in(store, readers, staged=False, cases=tuple(names))
    finally:
        store.close()


def serve(port: int, study: str, readers: Sequence[str]) -> None:
    """Serve the app's routes; what is printed first is leave for each reader."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from streamlit.web.server.starlette.starlette_gzip_middleware import SelectiveGZipMiddleware

    from pet2rep_core.ui.leave import study_scope
    from pet2rep_core.ui.routes import ROUTES, SecurityHeaders
    from pet2rep_core.ui.server import server

    one = server()
    print(json.dumps([one.signer.sign(study_scope(study), reader) for reader in readers]), flush=True)
    app = Starlette(routes=ROUTES, middleware=[Middleware(SecurityHeaders), Middleware(SelectiveGZipMiddleware)])
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")
    one.close()


@contextmanager
def running(home: Path, study: str, readers: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Start the server; gives its port and leave for each reader."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "benchmarks.rate_readers", "--serve", str(port), study, str(len(readers))]
    env = os.environ | {"PET2REP_HOME": str(home), "PET2REP_DEMO": "0"}
    process = subprocess.Popen(command, cwd=PROJECT, env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        tokens = json.loads(process.stdout.readline())
        deadline = time.monotonic() + _START_S
        while not _listens(port):
            if time.monotonic() > deadline or process.poll() is not None:
                raise SystemExit("The server did not start.")
            time.sleep(0.1)
        yield port, tokens
    finally:
        process.terminate()
        process.wait(60)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def names(count: int) -> list[str]:
    """Return the readers of the largest step."""
    return [f"R{n:03d}" for n in range(1, count + 1)]


def step(port: int, study: MadeStudy, leave: dict[str, str], count: int, seconds: float) -> tuple[Taken, list[Reader]]:
    """Let so many readers rate for so long."""
    taken = Taken()
    everybody = list(leave.items())[:count]
    every_s = EVERY_S if count > 1 else ALONE_EVERY_S
    readers = [Reader(port, study, name, token, seconds, every_s, taken) for name, token in everybody]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    return taken, readers


def lost(home: Path, study: str, steps: Sequence[Sequence[Reader]]) -> list[str]:
    """Return what was confirmed and is not in the store."""
    from pet2rep_core.records import Stage
    from pet2rep_core.settings import Settings
    from pet2rep_core.store import open_store

    store = open_store(Settings(home=home, workers=1))
    try:
        missing = list(store.studies.problems())
        for readers in steps:
            for reader in readers:
                missing += [click for click in reader.submitted if store.studies.rating_of_click(click) is None]
        last = {reader.name: reader for readers in steps for reader in readers if reader.code}
        for reader in last.values():
            draft = store.studies.draft(study, reader.code, Stage.FINAL)
            if draft is None or draft.content["comment"] != reader.kept["comment"]:
                missing.append(f"the draft of {reader.name}")
        return missing
    finally:
        store.close()


def main() -> int:
    if sys.argv[1:2] == ["--serve"]:
        serve(int(sys.argv[2]), sys.argv[3], names(int(sys.argv[4])))
        return 0
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each step lasts")
    options = parser.parse_args()
    print(f"{os.cpu_count()} processors")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        readers = names(max(STEPS))
        study = make_study(home, readers)
        return _report(home, study, readers, options.seconds)


def _report(home: Path, study: MadeStudy, readers: Sequence[str], seconds: float) -> int:
    steps: dict[int, Taken] = {}
    done: list[list[Reader]] = []
    with running(home, study.study_id, readers) as (port, tokens):
        leave = dict(zip(readers, tokens, strict=True))
        print("readers  saves  median ms  p95 ms  largest ms  open median ms  cases fetched  not confirmed")
        for count in STEPS:
            taken, worked = step(port, study, leave, count, seconds)
            steps[count] = taken
            done.append(worked)
            if not taken.saves_ms:
                raise SystemExit(f"Nothing was saved: {taken.refused[:3]}")
            print(
                f"{count:7d}  {len(taken.saves_ms):5d}  {statistics.median(taken.saves_ms):9.1f}  {taken.p95():6.1f}  "
                f"{max(taken.saves_ms):10.1f}  {statistics.median(taken.opens_ms):14.1f}  {taken.volumes:13d}  "
                f"{len(taken.refused):13d}",
                flush=True,
            )
            for reason in sorted(set(taken.refused))[:3]:
                print(f"  {reason}")
            if count >= GOAL_READERS and (taken.refused or taken.p95() > GOAL_MS):
                print(f"it breaks at {count} readers: p95 {taken.p95():.0f} ms, {len(taken.refused)} not confirmed")
                break
    missing = lost(home, study.study_id, done)
    print(f"confirmed and not in the store: {len(missing)}")
    goal = steps[GOAL_READERS]
    ratio = goal.p95() / steps[1].p95()
    print(f"p95 of {GOAL_READERS} readers {goal.p95():.0f} ms (goal: under {GOAL_MS:.0f} ms)")
    print(f"ratio p95 of {GOAL_READERS} readers to one alone {ratio:.1f}")
    return 0 if goal.p95() < GOAL_MS and not missing and not goal.refused else 1


if __name__ == "__main__":
    sys.exit(main())
