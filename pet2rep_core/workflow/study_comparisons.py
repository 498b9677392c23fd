"""Models of a study compared by what the readers gave the same patients."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pet2rep_core.scoring.statistics import RESAMPLES, Array, Interval, PairedTest, holm, mean_of, mean_table
from pet2rep_core.workflow.leaderboard_intervals import Table, differences
from pet2rep_core.workflow.study_frame import Arm, main_ratings, patient_means

LEVEL = 0.95
_VERSION = 1


@dataclass(frozen=True, slots=True)
class ArmComparison:
    """Two arms on one dimension: first less second, over the patients that both have.

    ``difference`` is that of the patients' means with its bootstrap interval, ``test`` the paired permutation test,
    ``p_holm`` its p-value corrected for all comparisons of the dimension. ``effect`` is the difference divided by the
    standard deviation of the patients' differences (Cohen's d_z); None where they do not differ from each other.
    ``better``, ``same`` and ``worse`` count patients.
    """

    first: Arm
    second: Arm
    difference: Interval
    test: PairedTest
    p_holm: float | None
    effect: float | None
    better: int
    same: int
    worse: int
    signature: str


def compare_arms(
    frame: pd.DataFrame, dimension: str, arms: Sequence[Arm], *, seed: int, resamples: int = RESAMPLES
) -> tuple[ArmComparison, ...]:
    """Return every two arms compared on one dimension.

    A patient's mean is that of all readers' final ratings of the arm's report. Every way of swapping is counted where
    there are no more of them than ``resamples``. Holm's correction is over all comparisons of the dimension.
    """
    patients = sorted({str(one) for one in main_ratings(frame)["patient"].unique()})
    means = {arm.key: patient_means(frame, dimension, patients, arm.key) for arm in arms}
    tables = {
        key: Table(mean_table(values), np.array([value is not None for value in values], np.bool_))
        for key, values in means.items()
    }
    pairs = list(itertools.combinations(arms, 2))
    found = differences(
        [(tables[first.key], tables[second.key]) for first, second in pairs],
        _mean,
        seed=seed,
        resamples=resamples,
        level=LEVEL,
    )
    corrected = holm([one["mean"][1].p_value for one in found])
    signed = (
        f"patient_means|boot:patient|family:dimension|interval:percentile|level:{LEVEL:g}|n:{resamples}|p:holm|"
        f"seed:{seed}|test:paired-permutation|v:{_VERSION}"
    )
    return tuple(
        _comparison(first, second, *one["mean"], p_holm, _apart(means[first.key], means[second.key]), signed)
        for (first, second), one, p_holm in zip(pairs, found, corrected, strict=True)
    )


def _comparison(
    first: Arm,
    second: Arm,
    difference: Interval,
    test: PairedTest,
    p_holm: float | None,
    apart: Array,
    signed: str,
) -> ArmComparison:
    spread = float(apart.std(ddof=1)) if len(apart) > 1 else 0.0
    return ArmComparison(
        first=first,
        second=second,
        difference=difference,
        test=test,
        p_holm=p_holm,
        effect=float(apart.mean()) / spread if spread > 1e-12 else None,
        better=int((apart > 0).sum()),
        same=int((apart == 0).sum()),
        worse=int((apart < 0).sum()),
        signature=signed,
    )


def _mean(totals: Array) -> dict[str, Array]:
    return {"mean": mean_of(totals)}


def _apart(first: Sequence[float | None], second: Sequence[float | None]) -> Array:
    return np.array([a - b for a, b in zip(first, second, strict=True) if a is not None and b is not None], np.float64)
