"""A rated study without a store: readers with habits, models of different worth, repeats, two stages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from pet2rep_core.store.study_tables import RATINGS

DIMENSIONS = ("acc", "com", "cla", "usa", "ove")
ARMS = (("alpha-7B", "separate"), ("alpha-7B", "fused"), ("beta", "fused"))
LENIENT = {"R1": 0.5, "R2": -0.3, "R3": 0.0}


def rated_table(
    *,
    patients: int = 12,
    arms: Sequence[tuple[str, str]] = ARMS,
    readers: Sequence[str] = ("R1", "R2", "R3"),
    dimensions: Sequence[str] = DIMENSIONS,
    staged: bool = True,
    repeats: int = 3,
    not_assessable: float = 0.03,
    seed: int = 1,
    study: str = "s-1",
    comment: str = "",
) -> pa.Table:
    """Return the ratings of a crossed study. The second arm is better than the first by one, the third worse."""
    rng = np.random.default_rng(seed)
    worth = [0.0, 1.0, -0.7, *rng.normal(size=len(arms))][: len(arms)]
    truth = 3 + rng.normal(0, 0.8, (patients, 1)) + np.array(worth)
    rows: list[dict[str, Any]] = []
    for reader in readers:
        order = rng.permutation(patients * len(arms))
        listed = [(f"{reader}-{place:04d}", "main", int(at), "") for place, at in enumerate(order)]
        listed += [(f"{reader}-x{at:03d}", "repeat", listed[at][2], listed[at][0]) for at in range(repeats)]
        for position, (code, kind, at, original) in enumerate(listed, start=1):
            patient, arm = divmod(at, len(arms))
            model, setting = arms[arm]
            for stage in ("provisional", "final") if staged else ("final",):
                for dimension in dimensions:
                    heard = truth[patient, arm] + LENIENT.get(reader, 0.0) + rng.normal(0, 0.6)
                    empty = rng.random() < not_assessable
                    rows.append(
                        {
                            **dict.fromkeys(RATINGS.names),
                            "study": study, "item": code, "kind": kind, "repeat_of": original or None,
                            "position": position, "reader": reader, "patient": f"case-{patient:03d}",
                            "dataset": "demo", "model": model, "input_setting": setting, "language": "zh",
                            "run_id": f"run-{model}-{setting}",
                            "generation_id": f"g-{model}-{setting}-{patient:03d}", "stage": stage,
                            "dimension": dimension,
                            "value": None if empty else int(np.clip(round(heard), 1, 5)),
                            "reason": "图像不完整" if empty else None, "comment": comment or None,
                            "rubric_version": "2026.1", "shown_sha256": f"{at:064x}", "active_ms": 41_000 + position,
                            "revision": 1, "created_at": f"2026-03-01T08:{position % 60:02d}:00Z",
                            "event_id": f"e-{code}-{stage}",
                        }
                    )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=RATINGS)
