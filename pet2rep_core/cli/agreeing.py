"""``pet2rep agreement``: how far the readers of a table of ratings agree. Nothing is stored."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from pet2rep_core import __version__
from pet2rep_core.cli.exit_status import ExitStatus
from pet2rep_core.cli.output import one_line, say, table, write_json
from pet2rep_core.settings import Settings
from pet2rep_core.study.agreement import Agreement, measure_agreement
from pet2rep_core.study.estimates import FEW_PATIENTS, Estimate, Plan
from pet2rep_core.study.read_ratings import parse_ratings, read_ratings

STANDARD_INPUT = "-"
_CAUTION = f"There are fewer than {FEW_PATIENTS} patients: the intervals are rough, mostly too narrow."


def run(args: argparse.Namespace, settings: Settings) -> ExitStatus:  # noqa: ARG001 -- every command has both
    """Print, for each dimension, every statistic with its interval, or the reason why there is none."""
    if args.file == STANDARD_INPUT:
        sheets = parse_ratings(sys.stdin.buffer.read(), "standard input")
    else:
        sheets = read_ratings(Path(args.file))
    plan = Plan(seed=args.seed, resamples=args.resamples)
    found = {dimension: measure_agreement(sheet, plan) for dimension, sheet in sheets.items()}
    if args.json:
        write_json(
            {
                "program": "PET2Rep Review", "version": __version__, "seed": plan.seed, "resamples": plan.resamples,
                "level": plan.level, "interval": "percentile bootstrap over patients",
                "dimensions": {dimension: agreement_json(one) for dimension, one in found.items()},
            }
        )  # fmt: skip
    else:
        _show(found, plan)
    return ExitStatus.DONE


def agreement_json(one: Agreement) -> dict[str, Any]:
    """Return the agreement of one dimension as JSON."""
    return {
        "readers": list(one.readers), "items": one.items, "shared_items": one.shared,
        "complete_items": one.complete, "patients": one.patients, "ratings": one.given,
        "not_assessable": one.not_assessable,
        "statistics": {name: estimate_json(estimate) for name, estimate in one.statistics.items()},
        "pairs": [
            {
                "readers": list(pair.readers), "items": pair.items,
                "weighted_kappa": estimate_json(pair.weighted_kappa), "exact": pair.exact,
                "within_one": pair.within_one,
            }
            for pair in one.pairs
        ],
        **({"caution": _CAUTION} if one.patients < FEW_PATIENTS else {}),
    }  # fmt: skip


def estimate_json(one: Estimate) -> dict[str, Any]:
    """Return a number with its interval as JSON; what is not there is null, and ``reason`` says why."""
    said: dict[str, Any] = {
        "value": one.value, "low": one.low, "high": one.high, "items": one.items, "patients": one.patients,
        "undefined_resamples": one.undefined, "signature": one.signature,
    }  # fmt: skip
    return {**said, "reason": one.reason} if one.why else said


def _show(found: dict[str, Agreement], plan: Plan) -> None:
    for place, (dimension, one) in enumerate(found.items()):
        if place:
            say()
        say(one_line(
            f"{dimension}: {len(one.readers)} readers, {one.items} items ({one.shared} shared, {one.complete} by all), "
            f"{one.patients} patients, {one.given} ratings, {one.not_assessable} not assessable"
        ))  # fmt: skip
        rows = [("statistic", "value", "95% interval", "items", "signature or reason")]
        rows += [(name, *_cells(estimate)) for name, estimate in one.statistics.items()]
        for line in table(rows, indent="  "):
            say(line)
        if one.patients < FEW_PATIENTS:
            say(f"  {_CAUTION}")
        if len(one.pairs) > 1:
            pairs = [("readers", "kappa", "95% interval", "items", "reason")]
            pairs += [
                (one_line(" / ".join(pair.readers)), *_cells(pair.weighted_kappa)[:3], pair.weighted_kappa.reason)
                for pair in one.pairs
            ]
            for line in table(pairs, indent="  "):
                say(line)
    say()
    say(f"Percentile bootstrap over patients, {plan.resamples} resamples, seed {plan.seed}.")


def _cells(one: Estimate) -> tuple[str, str, str, str]:
    value = "-" if one.value is None else f"{one.value:.3f}"
    span = "-" if one.low is None or one.high is None else f"{one.low:.3f} to {one.high:.3f}"
    return value, span, str(one.items), one.reason or one.signature
