"""Sources of a study for the tests, made of ratings that no store has seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from pet2rep_core.store.study_tables import MARKS
from pet2rep_core.workflow.study_frame import blinded, filled, run_letters
from pet2rep_core.workflow.study_source import SCORES, SETTLED, StudySource
from tests.rated_study import rated_table

PROTOCOL = {"design": "crossed", "seed": 17, "repeat_gap": 20, "staged": True, "case_ids": ["case-000"]}


def score_table(ratings: pa.Table, seed: int = 3) -> pa.Table:
    """Return scores of the reports of some ratings: one metric follows the readers, one does not, one has gaps."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    values: dict[str, list[int]] = {}
    for one, value in zip(ratings["generation_id"].to_pylist(), ratings["value"].to_pylist(), strict=True):
        values.setdefault(one, []).extend([] if value is None else [value])
    for place, (report, given) in enumerate(values.items()):
        mean = float(np.mean(given)) if given else 3.0
        rows.append({"metric": "ce_f1", "value": mean / 5 + rng.normal(0, 0.05), "signature": "ce_f1|v:1"})
        rows.append({"metric": "bleu4", "value": float(rng.random()), "signature": "bleu4|profile:reference|v:1"})
        rows.append(
            {"metric": "meteor", "value": float(rng.random()) if place % 3 else None, "signature": "meteor|v:1"}
        )
        for row in rows[-3:]:
            row["generation_id"] = report
    return pa.Table.from_pylist(rows, schema=SCORES)


def source_of(ratings: pa.Table | None = None, *, blind: bool = False, title: str = "研究一") -> StudySource:
    """Return a source of ratings, with scores, without marks and adjudicated values."""
    ratings = filled(rated_table() if ratings is None else ratings)
    scores = score_table(ratings)
    if blind:
        letters = run_letters(ratings)
        hidden = blinded(ratings, letters)
        names = dict(zip(ratings["generation_id"].to_pylist(), hidden["generation_id"].to_pylist(), strict=True))
        renamed = pa.array([names[one] for one in scores["generation_id"].to_pylist()], pa.string())
        ratings, scores = hidden, scores.set_column(0, SCORES.field(0), renamed)
    return StudySource(
        "s-1", title, "collecting" if blind else "unblinded", blind, PROTOCOL, ratings, filled(MARKS.empty_table()),
        SETTLED.empty_table(), scores,
    )  # fmt: skip
