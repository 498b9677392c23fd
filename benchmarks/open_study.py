"""The pages of a large reader study, the first time in a server and again, against the statistics alone.

Run as ``python -m benchmarks.open_study``; ``--readers``, ``--reports`` and ``--home`` change the study or keep its
store. The study has two models, half as many patients as reports, staged reveal and 10 % repeats: with 10 readers
and 1,000 reports that is 110,000 answers. The pages are run as Streamlit runs them, in a process of their own that
has opened the start page before, without a browser. Seconds are those of the clock and, beside them, those of all
processors, which the goal is held against: where others work on the machine, the clock counts them too. The ratio is
that of the whole page to what :mod:`benchmarks.agree_readers` counts, both in the same process.
"""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.measure import PROJECT
from tests.reader_study import KEYS, RESEARCHER, add_reports, case_name, run_name

GOAL_S = 3.0
MODELS = ("model-good", "model-poor")
_RATINGS_TIMES = "2026-03-02T08:00:00.000000+00:00"


def readers_named(count: int) -> tuple[str, ...]:
    return tuple(f"R{at:02d}" for at in range(1, count + 1))


def timed(name: str, work: Callable[[], object]) -> tuple[float, float]:
    """Do something, say how long it took, and return its seconds by the clock and of processors."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    print(f"  {name:44s} {clock:7.2f} {processor:7.2f}", flush=True)
    return clock, processor


def make_store(home: Path, readers: int, reports: int) -> None:
    """Plan, start and fill a study; what is planned and started is timed, the answers come in one piece."""
    from pet2rep_core.records import Language, StudyState
    from pet2rep_core.settings import Settings
    from pet2rep_core.store import open_store
    from pet2rep_core.study.protocol import Protocol
    from pet2rep_core.study.rubric import read_rubric
    from pet2rep_core.workflow.study_make import make_study, move_study, preview_study

    cases = reports // len(MODELS)
    with closing(open_store(Settings(home=home, workers=1))) as store:
        add_reports(store, cases, MODELS)
        protocol = Protocol(
            title="Ten readers",
            language=Language.ENGLISH,
            case_ids=tuple(case_name(number) for number in range(1, cases + 1)),
            run_ids=tuple(map(run_name, MODELS)),
            readers=readers_named(readers),
            rubric_version=read_rubric().version,
            seed=7,
        )
        timed("plan a study (preview)", lambda: preview_study(store, RESEARCHER, protocol))
        study_id = make_study(store, RESEARCHER, protocol)
        timed("start it", lambda: move_study(store, RESEARCHER, study_id, StudyState.COLLECTING))
        add_answers(store, study_id)


def add_answers(store: Any, study_id: str) -> None:
    """Record both stages of every item, with the hashes that the store itself would write."""
    from pet2rep_core.store.journal import FIRST_HASH, canonical_json
    from pet2rep_core.store.study_rows import STUDY_RATINGS

    rng = np.random.default_rng(3)
    items = store.studies.items(study_id)
    truth = {(item.case_id, item.run_id): rng.normal(3.2 if "good" in item.run_id else 2.6, 0.9) for item in items}
    lenient = {reader: rng.normal(0, 0.3) for reader in sorted({item.reader for item in items})}
    ratings, answers = [], []
    for item in items:
        for stage in ("provisional", "final"):
            heard = truth[item.case_id, item.run_id] + lenient[item.reader] + rng.normal(0, 0.7, len(KEYS))
            given = {key: int(value) for key, value in zip(KEYS, np.clip(np.rint(heard), 1, 5), strict=True)}
            event = {
                "event_id": f"{item.code}-{stage}", "study_id": study_id, "code": item.code, "stage": stage,
                "reader": item.reader, "answers": given, "reasons": {}, "comments": {}, "comment": "", "marks": [],
                "missed": [], "leaks": {"kinds": [], "version": "2026.1"}, "rubric_version": "2026.1",
                "shown_sha256": "1" * 64,
                "reference_sha256": "" if stage == "provisional" else "2" * 64,
                "active_ms": int(rng.integers(20_000, 90_000)), "opening": "o" * 32, "reason": "",
                "created_at": _RATINGS_TIMES,
            }  # fmt: skip
            row = STUDY_RATINGS.chained(event, 0, FIRST_HASH)
            ratings.append(row | {name: canonical_json(row[name]) for name in STUDY_RATINGS.nested})
            answers += [
                {"event_id": event["event_id"], "dimension": key, "value": value} for key, value in given.items()
            ]
    names = ", ".join(STUDY_RATINGS.columns)
    with store.studies._database.transaction() as tx:
        tx.stage(pa.Table.from_pylist(ratings))
        tx.execute(f"INSERT INTO study_rating ({names}) SELECT {names} FROM staged")
    with store.studies._database.transaction() as tx:
        tx.stage(pa.Table.from_pylist(answers))
        tx.execute("INSERT INTO study_answer SELECT event_id, dimension, value, '', '' FROM staged")


def open_pages() -> int:
    """Open the pages of the study, in the process of their server."""
    # It warns of every run outside a server, under its own level and without going through its parent's.
    logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context").disabled = True
    from streamlit.testing.v1 import AppTest

    from pet2rep_core.records import Language
    from pet2rep_core.study.agreement import measure_agreement
    from pet2rep_core.study.estimates import Plan, _kept_weights
    from pet2rep_core.ui.server import server
    from pet2rep_core.ui.study_results import PARTS
    from pet2rep_core.ui.texts import text
    from pet2rep_core.workflow.study_frame import sheet_of
    from pet2rep_core.workflow.study_source import read_source

    app = AppTest.from_file(str(PROJECT / "home.py"), default_timeout=600)
    for key, value in {"language": "en", "view": "research", "reader": RESEARCHER.name}.items():
        app.query_params[key] = value
    app.run()
    app.switch_page("pages/3_Results.py").run()
    took: dict[str, tuple[float, float]] = {}

    def show(part: str) -> None:
        app.session_state["results_tab"] = text(Language.ENGLISH, "leaderboard.tab_study")
        app.session_state["results_part"] = part
        app.run()
        assert not app.exception, app.exception[0]
        assert not app.error, app.error[0].value

    for part in ("agreement", *(one for one in PARTS if one != "agreement")):
        took[part] = timed(f"results, {part}" + (", the first opening" if not took else ""), partial(show, part))
    again = timed("results, agreement, again", lambda: show("agreement"))
    app.switch_page("pages/6_Studies.py").run()

    def watch(name: str) -> None:
        app.session_state["study-tabs"] = text(Language.ENGLISH, f"studies.tab_{name}")
        app.run()
        assert not app.exception, app.exception[0]
        assert not app.error, app.error[0].value

    for name in ("progress", "quality", "differences", "blinding"):
        timed(f"studies, {name}", partial(watch, name))
    timed("studies, quality, again", partial(watch, "quality"))
    store = server().store
    source = read_source(store, RESEARCHER, store.studies.study_ids()[0])
    frame = source.frame
    sheets = [sheet_of(frame, key) for key in KEYS]
    _kept_weights.cache_clear()
    alone = timed("the statistics of agreement alone", lambda: [measure_agreement(one, Plan()) for one in sheets])
    server().close()
    clock, processor = took["agreement"]
    print(
        f"  first opening {clock:.2f} s by the clock, {processor:.2f} s of processors (goal: under {GOAL_S:.0f}), ",
        end="",
    )
    print(f"again {again[0]:.2f} and {again[1]:.2f} s")
    print(f"  ratio of the page to the statistics alone {processor / alone[1]:.1f}")
    return 0 if processor < GOAL_S else 1


def main() -> int:
    parser = argparse.ArgumentParser(description="Benchmark of the pages of a large reader study.")
    parser.add_argument("--readers", type=int, default=10)
    parser.add_argument("--reports", type=int, default=1000)
    parser.add_argument("--home", type=Path, help="keep the store here, or take the one that is there")
    parser.add_argument("--open", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.open:
        return open_pages()
    with tempfile.TemporaryDirectory() as folder:
        home = args.home or Path(folder) / "home"
        print(f"{args.readers} readers, {args.reports} reports       seconds: by the clock, of processors")
        if not home.exists():
            home.mkdir(parents=True)
            make_store(home, args.readers, args.reports)
        environment = {**os.environ, "PET2REP_HOME": str(home), "PET2REP_DEMO": "0", "PET2REP_WORKERS": "1"}
        return subprocess.run(
            [sys.executable, "-m", "benchmarks.open_study", "--open"], cwd=PROJECT, env=environment, check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
