"""The results of a study as flat tables: one row a number, what is missing is NULL and has a reason beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from pet2rep_core.study.estimates import Estimate
from pet2rep_core.study.rubric import VALUES
from pet2rep_core.study.summaries import SIGNATURE
from pet2rep_core.workflow.study_results import ALL_READERS, StudyResults
from pet2rep_core.workflow.study_validity import DimensionValidity

_TEXT, _INT, _REAL, _BOOL = pa.string(), pa.int64(), pa.float64(), pa.bool_()
_ESTIMATE = {
    "value": _REAL, "low": _REAL, "high": _REAL, "items": _INT, "patients": _INT, "undefined_resamples": _INT,
    "reason": _TEXT, "signature": _TEXT,
}  # fmt: skip
_HEAD = {"study": _TEXT, "dimension": _TEXT}

SUMMARY = pa.schema(
    {
        **_HEAD, "model": _TEXT, "input_setting": _TEXT, "n": _INT, "patients": _INT, "mean": _REAL, "sd": _REAL,
        "q1": _REAL, "median": _REAL, "q3": _REAL, "share_4_or_5": _REAL,
        **{f"rated_{value}": _INT for value in VALUES}, "not_assessable": _INT, "signature": _TEXT,
    }
)  # fmt: skip
AGREEMENT = pa.schema({**_HEAD, "readers": _TEXT, "statistic": _TEXT, **_ESTIMATE})
"""``readers`` is all, or two readers with a slash between them."""
COMPARISONS = pa.schema(
    {
        **_HEAD, "first": _TEXT, "first_setting": _TEXT, "second": _TEXT, "second_setting": _TEXT, "patients": _INT,
        "difference": _REAL, "low": _REAL, "high": _REAL, "p_value": _REAL, "p_exact": _BOOL, "p_holm": _REAL,
        "effect_dz": _REAL, "better": _INT, "same": _INT, "worse": _INT, "reason": _TEXT, "signature": _TEXT,
    }
)  # fmt: skip
READERS = pa.schema({**_HEAD, "reader": _TEXT, "statistic": _TEXT, **_ESTIMATE})
"""Repeats, leniency, drift and the shift by the reference; ``reader`` is all or one of them."""
VALIDITY = pa.schema({**_HEAD, "metric": _TEXT, "statistic": _TEXT, **_ESTIMATE, "metric_signature": _TEXT})
"""Metrics against the readers; the metric ``human`` is one reader against the mean of the others."""
ALL = "all"
HUMAN = "human"


def summary_table(results: StudyResults) -> pa.Table:
    """Return one row for each dimension, model and input setting."""
    rows = []
    for dimension in results.dimensions:
        for arm in results.arms:
            one = results.summaries[dimension, arm.key]
            rows.append(
                {
                    "study": results.study, "dimension": dimension, "model": arm.model,
                    "input_setting": arm.input_setting, "n": one.n, "patients": one.patients, "mean": one.mean,
                    "sd": one.sd, "q1": one.q1, "median": one.median, "q3": one.q3, "share_4_or_5": one.good_share,
                    **{f"rated_{value}": count for value, count in zip(VALUES, one.counts, strict=True)},
                    "not_assessable": one.not_assessable, "signature": SIGNATURE,
                }
            )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=SUMMARY)


def agreement_table(results: StudyResults) -> pa.Table:
    """Return one row for each dimension and statistic, and one for the kappa of every two readers."""
    rows = []
    for dimension, one in results.agreement.items():
        head = {"study": results.study, "dimension": dimension}
        rows += [
            {**head, "readers": ALL, "statistic": name, **estimate_row(estimate)}
            for name, estimate in one.statistics.items()
        ]
        rows += [
            {
                **head,
                "readers": " / ".join(pair.readers),
                "statistic": "weighted_kappa",
                **estimate_row(pair.weighted_kappa),
            }
            for pair in one.pairs
        ]
    return pa.Table.from_pylist(rows, schema=AGREEMENT)


def comparisons_table(results: StudyResults) -> pa.Table:
    """Return one row for each dimension and two models."""
    rows = []
    for dimension, found in results.comparisons.items():
        for one in found:
            rows.append(
                {
                    "study": results.study, "dimension": dimension, "first": one.first.model,
                    "first_setting": one.first.input_setting, "second": one.second.model,
                    "second_setting": one.second.input_setting, "patients": one.difference.cases,
                    "difference": one.difference.value, "low": one.difference.low, "high": one.difference.high,
                    "p_value": one.test.p_value, "p_exact": one.test.exact if one.test.p_value is not None else None,
                    "p_holm": one.p_holm, "effect_dz": one.effect, "better": one.better, "same": one.same,
                    "worse": one.worse, "reason": one.difference.reason or one.test.reason,
                    "signature": one.signature,
                }
            )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=COMPARISONS)


def readers_table(results: StudyResults) -> pa.Table:
    """Return repeats, leniency and drift of each reader, and the shift by the reference."""
    rows = []
    for dimension in results.dimensions:
        head = {"study": results.study, "dimension": dimension}
        for reader, found in results.repeats[dimension].items():
            rows += _rows({**head, "reader": ALL if reader == ALL_READERS else reader}, "repeat_", found)
        for one in results.habits[dimension]:
            rows += _rows({**head, "reader": one.reader}, "", {"leniency": one.leniency, "drift": one.drift})
        rows += _rows({**head, "reader": ALL}, "shift_", results.shift.get(dimension, {}))
    return pa.Table.from_pylist(rows, schema=READERS)


def validity_table(study: str, found: Mapping[str, DimensionValidity]) -> pa.Table:
    """Return one row for each dimension, metric and measure, and the readers themselves beside them."""
    rows = []
    for dimension, one in found.items():
        head = {"study": study, "dimension": dimension}
        for metric in one.metrics:
            said = {**head, "metric": metric.name, "metric_signature": one.signatures[metric.name]}
            rows += _rows(said, "", metric.measures)
        rows += _rows({**head, "metric": HUMAN}, "", one.ceiling.mean)
    return pa.Table.from_pylist(rows, schema=VALIDITY)


def result_tables(results: StudyResults) -> dict[str, pa.Table]:
    """Return the results as tables by name."""
    return {
        "summary": summary_table(results),
        "agreement": agreement_table(results),
        "comparisons": comparisons_table(results),
        "readers": readers_table(results),
    }


def estimate_row(one: Estimate) -> dict[str, Any]:
    """Return a number with its interval as the cells of a row."""
    return {
        "value": one.value, "low": one.low, "high": one.high, "items": one.items, "patients": one.patients,
        "undefined_resamples": one.undefined, "reason": one.reason, "signature": one.signature,
    }  # fmt: skip


def _rows(head: Mapping[str, Any], prefix: str, found: Mapping[str, Estimate]) -> list[dict[str, Any]]:
    return [{**head, "statistic": prefix + name, **estimate_row(one)} for name, one in found.items()]
