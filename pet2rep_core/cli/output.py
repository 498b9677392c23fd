"""Where words go: results to standard output, progress and messages to standard error."""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from typing import TextIO

_BAR = 20


def say(text: str = "") -> None:
    """Write one line of a result to standard output."""
    sys.stdout.write(text + "\n")


def note(text: str) -> None:
    """Write one line for a person to standard error."""
    sys.stderr.write(text + "\n")


def write_json(value: object) -> None:
    """Write a value as JSON to standard output; a number that is not finite becomes null."""
    utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
    say(json.dumps(_finite(value), ensure_ascii=not utf8, allow_nan=False, indent=1))


def _finite(value: object) -> object:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def one_line(text: object) -> str:
    """Return a text on one line that cannot steer a terminal."""
    words = " ".join(str(text).split())
    return "".join(letter if letter.isprintable() else "?" for letter in words)


def table(rows: Sequence[Sequence[str]], *, indent: str = "") -> list[str]:
    """Return rows of cells as lines with aligned columns; the last column runs free."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        (indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))).rstrip()
        for row in rows
    ]


class Progress:
    """Progress of a job with a known number of steps: a bar on a terminal, else a line for each step."""

    def __init__(
        self,
        total: int,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
        time_left: Callable[[], float | None] | None = None,
    ) -> None:
        self._total = total
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._seconds_left = time_left or self._at_this_pace
        self._started = clock()
        self._done = 0
        self._on_terminal = self._stream.isatty()

    def step(self, text: str) -> None:
        """Say that one more step is done."""
        self._done += 1
        self._total = max(self._total, self._done)
        count = f"{self._done}/{self._total}"
        left = self._time_left()
        if self._on_terminal:
            full = _BAR * self._done // self._total
            line = f"[{'#' * full}{'.' * (_BAR - full)}] {count}{left} {one_line(text)}"
            columns = shutil.get_terminal_size().columns - 1
            self._stream.write(f"\r\x1b[K{line[:columns]}")
        else:
            self._stream.write(f"[{count}]{left} {one_line(text)}\n")
        self._stream.flush()

    def end(self) -> None:
        """Leave the line of the bar."""
        if self._on_terminal and self._done:
            self._stream.write("\n")

    def _time_left(self) -> str:
        seconds = self._seconds_left()
        if self._total == self._done or seconds is None or seconds < 1:
            return ""
        return f" about {seconds / 60:.0f} min left" if seconds >= 90 else f" about {seconds:.0f} s left"

    def _at_this_pace(self) -> float:
        return (self._clock() - self._started) / self._done * (self._total - self._done)
