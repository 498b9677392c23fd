"""Everything that a study says: summaries, agreement, comparisons of models, repeats and habits of readers.

It works on a frame of ratings (see :mod:`pet2rep_core.workflow.study_frame`), whose models are letters while the
study is blind. What rests on resampling is made when it is looked at: a page shows one part at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from pet2rep_core.records import ItemKind, Stage
from pet2rep_core.study.agreement import Agreement, measure_agreement
from pet2rep_core.study.estimates import Estimate, Plan
from pet2rep_core.study.habits import Habit, measure_habits, measure_shift
from pet2rep_core.study.repeats import measure_repeats
from pet2rep_core.study.summaries import Summary, summarise_values
from pet2rep_core.workflow.by_need import ByNeed
from pet2rep_core.workflow.study_comparisons import ArmComparison, compare_arms
from pet2rep_core.workflow.study_frame import (
    Arm,
    arms_of,
    changes_of,
    dimensions_of,
    main_ratings,
    placed_of,
    repeats_of,
    sheet_of,
)

ALL_READERS = ""
"""Stands for all readers together where results are by reader."""
_PART = (
    "item", "kind", "repeat_of", "position", "reader", "patient", "run_id", "generation_id", "stage", "dimension",
    "value",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StudyCounts:
    """How much there is: of main items in their final stage, but for ``repeats``.

    ``giveaways`` counts the reports whose text gave something of its author away.
    """

    readers: int
    patients: int
    reports: int
    ratings: int
    not_assessable: int
    repeats: int
    giveaways: int
    staged: bool
    seconds_per_item: float | None


@dataclass(frozen=True, slots=True)
class StudyResults:
    """The results of a study, by dimension.

    ``summaries`` are by dimension and key of the arm, ``repeats`` by dimension and reader (empty for all together),
    ``shift`` (final less provisional) by dimension, empty where the study was not staged. ``leaks_versions`` are those
    of the table that give-aways were looked up in.
    """

    study: str
    blind: bool
    plan: Plan
    rubric_versions: tuple[str, ...]
    leaks_versions: tuple[str, ...]
    counts: StudyCounts
    readers: tuple[str, ...]
    arms: tuple[Arm, ...]
    dimensions: tuple[str, ...]
    summaries: Mapping[tuple[str, str], Summary]
    agreement: Mapping[str, Agreement]
    comparisons: Mapping[str, tuple[ArmComparison, ...]]
    repeats: Mapping[str, Mapping[str, Mapping[str, Estimate]]]
    habits: Mapping[str, tuple[Habit, ...]]
    shift: Mapping[str, Mapping[str, Estimate]]

    def arm(self, key: str) -> Arm:
        """Return an arm by its key."""
        return next(one for one in self.arms if one.key == key)


def make_results(frame: pd.DataFrame, *, blind: bool, plan: Plan | None = None) -> StudyResults:
    """Return the results of the ratings of one study.

    Parameters
    ----------
    frame : DataFrame
        Ratings of one study; already with letters in place of models where it is ``blind``.
    """
    plan = plan or Plan()
    dimensions, arms = dimensions_of(frame), arms_of(frame)
    main = main_ratings(frame)
    parts = ByNeed(dimensions, lambda one: frame.loc[frame["dimension"] == one, list(_PART)])
    readers = tuple(sorted({str(one) for one in main["reader"].unique()}))
    staged = bool((frame["stage"] == Stage.PROVISIONAL.value).any())
    return StudyResults(
        study=next((str(one) for one in frame["study"]), ""),
        blind=blind,
        plan=plan,
        rubric_versions=tuple(sorted({str(one) for one in main["rubric_version"].unique()})),
        leaks_versions=_leaks_versions(main),
        counts=_counts(frame, main, staged=staged),
        readers=readers,
        arms=arms,
        dimensions=dimensions,
        summaries=_summaries(main, dimensions, arms),
        agreement=ByNeed(dimensions, lambda one: agreement_of(parts[one], one, plan)),
        comparisons=ByNeed(dimensions, lambda one: compare_arms(parts[one], one, arms, seed=plan.seed)),
        repeats=ByNeed(dimensions, lambda one: _repeats(parts[one], one, plan)),
        habits=ByNeed(dimensions, lambda one: measure_habits(placed_of(parts[one], one), plan)),
        shift=ByNeed(dimensions if staged else (), lambda one: measure_shift(changes_of(parts[one], one), plan)),
    )


def agreement_of(frame: pd.DataFrame, dimension: str, plan: Plan, *, run: str | None = None) -> Agreement:
    """Return the agreement of the readers on a dimension, of all reports or those of one run."""
    chosen = frame if run is None else frame[frame["run_id"] == run]
    return measure_agreement(sheet_of(chosen, dimension), plan)


def _counts(frame: pd.DataFrame, main: pd.DataFrame, *, staged: bool) -> StudyCounts:
    items = main.drop_duplicates("item")
    times = frame[frame["kind"] == ItemKind.MAIN.value].drop_duplicates(["item", "stage"])
    spent = times.groupby("item", observed=True)["active_ms"].sum(min_count=1).dropna()
    return StudyCounts(
        readers=int(main["reader"].nunique()),
        patients=int(main["patient"].nunique()),
        reports=int(main["generation_id"].nunique()),
        ratings=len(items),
        not_assessable=int(main["value"].isna().sum()),
        repeats=int(frame[frame["kind"] == ItemKind.REPEAT.value]["item"].nunique()),
        giveaways=_giveaways(main),
        staged=staged,
        seconds_per_item=float(spent.median()) / 1000 if len(spent) else None,
    )


def _leaks_versions(main: pd.DataFrame) -> tuple[str, ...]:
    if "leaks_version" not in main:  # a table that an earlier program exported
        return ()
    return tuple(sorted({str(one) for one in main["leaks_version"].unique()} - {""}))


def _giveaways(main: pd.DataFrame) -> int:
    if "leaks" not in main:
        return 0
    return int(main.loc[~main["leaks"].isin(["", "[]"]), "generation_id"].nunique())


def _summaries(
    main: pd.DataFrame, dimensions: tuple[str, ...], arms: tuple[Arm, ...]
) -> dict[tuple[str, str], Summary]:
    found = {}
    columns = main[["dimension", "run_id", "value", "patient"]]
    for dimension in dimensions:
        part = columns[columns["dimension"] == dimension]
        for arm in arms:
            rows = part[part["run_id"] == arm.key]
            values = [None if pd.isna(value) else int(value) for value in rows["value"]]
            found[dimension, arm.key] = summarise_values(values, [str(one) for one in rows["patient"]])
    return found


def _repeats(frame: pd.DataFrame, dimension: str, plan: Plan) -> dict[str, Mapping[str, Estimate]]:
    readings = repeats_of(frame, dimension)
    readers = sorted({one.reader for one in readings})
    return {
        ALL_READERS: measure_repeats(readings, plan),
        **{reader: measure_repeats([one for one in readings if one.reader == reader], plan) for reader in readers},
    }
