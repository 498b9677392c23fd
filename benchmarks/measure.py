"""Run two ways of doing the same work in turns, each time in a fresh process, and compare their medians.

A module of this folder gives ``SIDES``, a table of functions; each returns a function without arguments, the
work itself, after it has imported what the work needs. Starting Python and importing do not count.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
ROUNDS = 5
Side = Callable[[Sequence[str]], Callable[[], object]]


@dataclass(frozen=True, slots=True)
class Cost:
    """What one side took.

    Seconds of the work by the clock and of all processors; MiB that it added at its peak, and at its end of
    its own and of mapped memory.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: float
    own_mib: float
    mapped_mib: float


def _memory_mib() -> tuple[float, float, float]:
    """Return the peak of this process's memory, its own memory and the mapped files in memory, in MiB.

    Not ``getrusage``, whose peak a process takes over from the one that started it. Zero but on Linux.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0, 0.0, 0.0
    rows = dict(line.split(":", 1) for line in status.read_text().splitlines())
    peak, own, mapped = (int(rows[name].split()[0]) / 1024 for name in ("VmHWM", "RssAnon", "RssFile"))
    return peak, own, mapped


def run_here(side: Side, arguments: Sequence[str]) -> Cost:
    """Do the work of one side in this process."""
    work = side(arguments)
    _, own, mapped = _memory_mib()
    began, cpu = time.perf_counter(), time.process_time()
    kept = work()
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    peak, own_after, mapped_after = _memory_mib()
    del kept
    return Cost(seconds, cpu_seconds, max(peak - own - mapped, 0.0), own_after - own, mapped_after - mapped)


def run_apart(module: str, side: str, arguments: Sequence[str]) -> Cost:
    """Do the work of one side in a fresh process."""
    command = [sys.executable, "-m", module, "--side", side, *arguments]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def median(costs: Sequence[Cost]) -> Cost:
    """Return the median of each number."""
    rows = [asdict(cost) for cost in costs]
    return Cost(**{name: statistics.median(row[name] for row in rows) for name in rows[0]})


def in_turns(module: str, sides: Mapping[str, Sequence[str]]) -> dict[str, Cost]:
    """Run every side once a round, so that a busy machine troubles all alike, and return their medians."""
    costs: dict[str, list[Cost]] = {side: [] for side in sides}
    for _ in range(ROUNDS):
        for side, arguments in sides.items():
            costs[side].append(run_apart(module, side, arguments))
    return {side: median(rows) for side, rows in costs.items()}


def print_table(rows: Mapping[str, Cost]) -> None:
    """Print one line for each side."""
    width = max(map(len, rows))
    print(f"{'':{width}}  seconds  CPU s  peak MiB  own MiB  mapped MiB")
    for name, cost in rows.items():
        times = f"{cost.seconds:7.3f}  {cost.cpu_seconds:5.2f}"
        print(f"{name:{width}}  {times}  {cost.peak_mib:8.0f}  {cost.own_mib:7.0f}  {cost.mapped_mib:10.0f}")


def answer_side(sides: Mapping[str, Side]) -> bool:
    """Do one side where the command line asks for it; tells whether it did."""
    if sys.argv[1:2] != ["--side"]:
        return False
    print(json.dumps(asdict(run_here(sides[sys.argv[2]], sys.argv[3:]))))
    return True
