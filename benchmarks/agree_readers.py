"""Agreement of readers with intervals, against a plain loop over the same resamples with other programs' functions.

Run as ``python -m benchmarks.agree_readers``; ``--readers``, ``--items`` and ``--patients`` change the study,
``--loop N`` how many resamples the plain loop makes (its time for all is N's, scaled up). Seconds are those of the
processor. The loop uses scikit-learn's kappa, the program krippendorff, and the formulas of ICC and AC2 as papers
print them, on ratings that are drawn again patient by patient; both sides must give the same numbers.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections.abc import Callable

import krippendorff
import numpy as np
from sklearn.metrics import cohen_kappa_score

from pet2rep_core.study.agreement import measure_agreement
from pet2rep_core.study.estimates import Plan, draw_weights
from pet2rep_core.study.ratings import RatingSheet
from pet2rep_core.study.rubric import VALUES

DIMENSIONS = 5
GOAL_S, RATIO_GOAL = 3.0, 50.0
SAME = ("weighted_kappa", "icc_2_1", "icc_2_k", "krippendorff_alpha", "gwet_ac2", "exact", "within_one")
Values = np.ndarray


def make_sheet(readers: int, items: int, patients: int, seed: int) -> RatingSheet:
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 0.9, (items, 1)) + rng.normal(0, 0.3, readers)
    values = np.clip(np.rint(3 + truth + rng.normal(0, 0.7, (items, readers))), 1, 5).astype(np.int8)
    values[rng.random(values.shape) < 0.02] = 0
    names = tuple(f"R{at:02d}" for at in range(readers))
    return RatingSheet(names, tuple(f"i{at}" for at in range(items)), values, np.arange(items) % patients)


def plain(values: Values) -> dict[str, float]:
    """Compute every statistic of a table of ratings, as one would without sums of patients."""
    kappas = []
    for a, b in itertools.combinations(range(values.shape[1]), 2):
        both = (values[:, a] > 0) & (values[:, b] > 0)
        kappas.append(cohen_kappa_score(values[both, a], values[both, b], weights="quadratic"))
    real = np.where(values == 0, np.nan, values.astype(float))
    alpha = krippendorff.alpha(real.T, level_of_measurement="ordinal", value_domain=list(VALUES))
    single, mean = icc(values[(values > 0).all(axis=1)].astype(float))
    ac2, exact, near = gwet(values)
    return {
        "weighted_kappa": float(np.mean(kappas)), "icc_2_1": single, "icc_2_k": mean, "krippendorff_alpha": alpha,
        "gwet_ac2": ac2, "exact": exact, "within_one": near,
    }  # fmt: skip


def icc(y: Values) -> tuple[float, float]:
    n, k = y.shape
    rows, columns = y.mean(axis=1), y.mean(axis=0)
    msr = k * ((rows - y.mean()) ** 2).sum() / (n - 1)
    msc = n * ((columns - y.mean()) ** 2).sum() / (k - 1)
    mse = ((y - rows[:, None] - columns + y.mean()) ** 2).sum() / ((n - 1) * (k - 1))
    return (msr - mse) / (msr + (k - 1) * mse + k * (msc - mse) / n), (msr - mse) / (msr + (msc - mse) / n)


def gwet(values: Values) -> tuple[float, float, float]:
    counts = np.stack([(values == value).sum(axis=1) for value in VALUES], axis=1).astype(float)
    given = counts.sum(axis=1)
    shared = given >= 2
    apart = np.abs(np.subtract.outer(VALUES, VALUES))
    seen = []
    for weights in (1 - (apart / 4) ** 2, np.eye(5), apart <= 1):
        pairs = (counts * (counts @ weights - 1)).sum(axis=1)[shared] / (given * (given - 1))[shared]
        seen.append(float(pairs.mean()))
    shares = (counts[given > 0] / given[given > 0, None]).mean(axis=0)
    chance = (1 - (apart / 4) ** 2).sum() * (shares * (1 - shares)).sum() / 20
    return (seen[0] - chance) / (1 - chance), seen[1], seen[2]


def loop(sheet: RatingSheet, plan: Plan) -> dict[str, tuple[float, float]]:
    """Return the percentile ends of every statistic over tables that are drawn again and built anew."""
    rows = [np.flatnonzero(sheet.patients == patient) for patient in range(sheet.patient_count)]
    found: dict[str, list[float]] = {name: [] for name in SAME}
    for weights in itertools.chain.from_iterable(draw_weights(sheet.patient_count, plan)):
        again = np.concatenate([rows[at] for at, times in enumerate(weights) for _ in range(int(times))])
        for name, value in plain(sheet.values[again]).items():
            found[name].append(value)
    return {name: tuple(np.quantile(drawn, (plan.tail, 1 - plan.tail))) for name, drawn in found.items()}


def seconds(work: Callable[[], object]) -> tuple[float, object]:
    began = time.process_time()
    made = work()
    return time.process_time() - began, made


def main() -> int:
    parser = argparse.ArgumentParser(description="Benchmark of the agreement of readers.")
    parser.add_argument("--readers", type=int, default=10)
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--patients", type=int, default=565)
    parser.add_argument("--loop", type=int, default=5)
    args = parser.parse_args()
    sheets = [make_sheet(args.readers, args.items, args.patients, seed) for seed in range(DIMENSIONS)]
    plan, short = Plan(), Plan(resamples=args.loop)
    measure_agreement(make_sheet(3, 30, 10, 0), plan)  # imports are nobody's intervals
    took, _ = seconds(lambda: [measure_agreement(sheet, plan) for sheet in sheets])
    theirs, ends = seconds(lambda: loop(sheets[0], short))
    ours = measure_agreement(sheets[0], short).statistics
    assert isinstance(ends, dict)
    same = all(np.allclose((ours[name].low, ours[name].high), ends[name], atol=1e-9) for name in SAME)
    whole = theirs * plan.resamples / args.loop * DIMENSIONS
    print(f"{args.readers} readers, {args.items} items of {args.patients} patients, {DIMENSIONS} dimensions, ", end="")
    print(f"{plan.resamples} resamples, seconds of the processor")
    print(f"  scikit-learn + krippendorff + formulas in a loop {whole:9.1f}   (from {args.loop} resamples)")
    print(f"  ours                                             {took:9.2f}   (goal: {GOAL_S:.0f})")
    print(f"  ratio {whole / took:.0f} (goal: {RATIO_GOAL:.0f}); the same intervals: {'yes' if same else 'NO'}")
    return 0 if same and took < GOAL_S and whole / took >= RATIO_GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
