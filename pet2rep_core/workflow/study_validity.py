"""Automatic metrics against the readers of a study, and one reader against the others beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from pet2rep_core.scoring.profiles import DEFAULT_PROFILE
from pet2rep_core.study.estimates import Array, Plan
from pet2rep_core.study.validity import HumanCeiling, Validity, measure_ceiling, measure_validity, reader_means
from pet2rep_core.workflow.study_frame import sheet_of


@dataclass(frozen=True, slots=True)
class DimensionValidity:
    """How every metric orders the reports as the readers do on one dimension; ``signatures`` are the metrics'."""

    dimension: str
    metrics: tuple[Validity, ...]
    ceiling: HumanCeiling
    signatures: Mapping[str, str]


def metrics_against_readers(
    frame: pd.DataFrame, scores: pa.Table, dimension: str, plan: Plan | None = None
) -> DimensionValidity:
    """Return all metrics of a study's reports against the mean of the readers on one dimension.

    Parameters
    ----------
    frame : DataFrame
        Ratings of the study with their own generation ids, not blinded ones.
    scores : pa.Table
        Scores of the store. Where a metric was scored in several ways, the one that most of the reports have is
        taken, that of the default profile first.
    """
    plan = plan or Plan()
    sheet = sheet_of(frame, dimension)
    place = {item: at for at, item in enumerate(sheet.items)}
    columns = scores.select(["generation_id", "metric", "value", "signature"]).to_pydict()
    found: dict[str, dict[str, Array]] = {}
    for item, metric, value, signed in zip(
        columns["generation_id"], columns["metric"], columns["value"], columns["signature"], strict=True
    ):
        if item in place and value is not None:
            ways = found.setdefault(metric, {})
            ways.setdefault(signed, np.full(len(place), np.nan))[place[item]] = value
    chosen = {metric: max(ways, key=lambda one, w=ways: _rank(one, w[one])) for metric, ways in sorted(found.items())}  # type: ignore[misc]
    metrics = {metric: found[metric][signed] for metric, signed in chosen.items()}
    return DimensionValidity(
        dimension,
        measure_validity(metrics, reader_means(sheet), sheet.patients, plan),
        measure_ceiling(sheet, plan),
        chosen,
    )


def _rank(signed: str, values: Array) -> tuple[int, bool, str]:
    return int(np.isfinite(values).sum()), f"profile:{DEFAULT_PROFILE}" in signed, signed
