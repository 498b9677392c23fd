"""Table 1 of the PET2Rep paper as it was printed. Its metric code is not public: never rank it together with ours."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pet2rep_core.errors import SettingsError
from pet2rep_core.settings import DATA_DIR
from pet2rep_core.workflow.leaderboard import OVERALL_OF

TABLE_1 = DATA_DIR / "table1.csv"
_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)[Bb](?![\w.])")


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One printed row. Scores run from 0 to 1, ``overall_pct`` is in per cent as printed.

    Parameters
    ----------
    size_b : float or None
        Billions of parameters, where the printed name says so.
    scores : dict of str to (mean, standard deviation)
        The six scores by our names of metrics.
    mean_of_six_pct : float
        Mean of the six printed means in per cent; ours, to show where the printed Overall departs from it.
    """

    group: str
    model: str
    size_b: float | None
    released: str
    input_setting: str
    scores: dict[str, tuple[float, float]]
    overall_pct: float
    mean_of_six_pct: float


@cache
def read_published(path: Path = TABLE_1) -> tuple[PublishedRow, ...]:
    """Return the printed rows in their order.

    Raises
    ------
    SettingsError
        If the file is missing or damaged.
    """
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
        return tuple(_row(raw) for raw in csv.DictReader(lines))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise SettingsError(f"The table {path.name} cannot be read.", hint="Install the program again.") from error


def size_in_name(model: str) -> float | None:
    """Return the billions of parameters that a name states, such as 7 for ``Qwen2.5-VL-7B``; None where it does not."""
    found = _SIZE.search(model)
    return float(found[1]) if found else None


def _row(raw: dict[str, str]) -> PublishedRow:
    return PublishedRow(
        group=raw["group"],
        model=raw["model"],
        size_b=size_in_name(raw["model"]),
        released=raw["released"],
        input_setting=raw["input"],
        scores={name: (float(raw[name]), float(raw[f"{name}_std"])) for name in OVERALL_OF},
        overall_pct=float(raw["overall_pct"]),
        mean_of_six_pct=float(raw["mean_of_six_pct"]),
    )
