"""A whole benchmark's worth of cases against a server with a fixed latency, beside the time that it takes by itself.

Run as ``python -m benchmarks.generate_remote [LATENCY_S]``. 565 cases, 32 requests at the same time, 2 s for an answer
where no latency is given; the ideal is ``ceil(565 / 32)`` times the latency, 36 s. Server and run are processes of
their own. The cases have coronal planes of 100 x 175 pixels; building requests, keeping each answer on the disk and
storing it are all in the time, and so are planning and looking at the server before the first request; the import of
the SDK is not.
"""

from __future__ import annotations

import math
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import PROJECT

CASES, ROOM, LATENCY_S = 565, 32, 2.0
GOAL = 1.05
DIFFERENT = 113
MODEL = "qwen2.5-vl-7b"


def fill(home: Path) -> None:
    """Record the cases in a store of their own."""
    import numpy as np

    from pet2rep_core.imaging.prepared import prepare_case
    from pet2rep_core.imaging.volume import Volume
    from pet2rep_core.records import CaseSource, PetUnit, SuvFactors
    from pet2rep_core.settings import Settings
    from pet2rep_core.store import open_store
    from pet2rep_core.store.rows import case_row
    from pet2rep_core.workflow.import_dataset import prepared_row

    settings = Settings(home=home, workers=1)
    home.mkdir(parents=True)
    affine = np.diag([4.0, 4.0, 4.0, 1.0])
    dice = np.random.default_rng(1)
    keys = []
    for _ in range(DIFFERENT):
        pet = Volume(dice.gamma(1.2, 1.0, (100, 40, 175)).astype(np.float32), affine)
        ct = Volume(dice.normal(0, 300, (100, 40, 175)).astype(np.int16), affine)
        keys.append(prepare_case(settings.prepared, pet=pet, pet_unit=PetUnit.SUVBW, suv=SuvFactors(bw=1.0), ct=ct))
    rows = []
    for n in range(CASES):
        key = keys[n % DIFFERENT]
        source = CaseSource(case_id=f"case-{n:03}", layout="bench", metadata={"number": str(n)})
        rows.append(case_row(prepared_row(source, "bench", f"{n:064x}", settings.prepared, key)))
    store = open_store(settings)
    store.record_rows("cases", rows)
    store.close()


def ask(home: Path, url: str) -> tuple[float, int, int]:
    """Run the model over every case; returns seconds, reports and answers that were copied."""
    import openai  # noqa: F401 - a second of imports that the app has behind it

    from pet2rep_core.imaging.display import read_display
    from pet2rep_core.records import Person, Role
    from pet2rep_core.settings import Settings
    from pet2rep_core.store import open_store
    from pet2rep_core.vlm.catalog import read_catalog
    from pet2rep_core.workflow.run_models import run_planned
    from pet2rep_core.workflow.run_outcome import Workplace
    from pet2rep_core.workflow.run_plan import RunChoices, pair_models, plan_run

    settings = Settings(home=home, workers=1)
    store = open_store(settings)
    place = Workplace(store, settings, read_display(), Person("bench", Role.RESEARCHER))
    choices = RunChoices(base_url=url, parallel=ROOM)
    began = time.perf_counter()
    pairs = pair_models(read_catalog(), [MODEL], ["fused"], base_url=url)
    plan = plan_run(store, pairs, [case.case_id for case in store.cases()], choices)
    outcomes = list(run_planned(place, plan, cancelled=lambda: False))
    seconds = time.perf_counter() - began
    store.close()
    return seconds, sum(one.is_done for one in outcomes), sum(one.already for one in outcomes)


def main() -> int:
    if sys.argv[1:2] == ["--ask"]:
        seconds, done, copied = ask(Path(sys.argv[2]), sys.argv[3])
        print(seconds, done, copied)
        return 0
    latency = float(sys.argv[1]) if len(sys.argv) > 1 else LATENCY_S
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        home = Path(folder) / "home"
        fill(home)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        command = [sys.executable, "-m", "benchmarks.slow_server", str(port), str(latency), str(ROOM)]
        server = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            server.stdout.readline()
            run = [
                sys.executable,
                "-m",
                "benchmarks.generate_remote",
                "--ask",
                str(home),
                f"http://127.0.0.1:{port}/v1",
            ]
            said = subprocess.run(run, cwd=PROJECT, capture_output=True, text=True, check=True).stdout
        finally:
            server.terminate()
            server.wait(10)
    seconds, done, copied = said.split()
    ideal = math.ceil(CASES / ROOM) * latency
    print(f"{done} of {CASES} reports with {ROOM} requests at once and {latency:g} s each; {copied} of them copied")
    print(
        f"ideal {ideal:.1f} s, taken {float(seconds):.1f} s: ratio {float(seconds) / ideal:.3f} (goal: at most {GOAL})"
    )
    return 0 if int(done) == CASES and int(copied) == 0 and float(seconds) <= GOAL * ideal else 1


if __name__ == "__main__":
    sys.exit(main())
