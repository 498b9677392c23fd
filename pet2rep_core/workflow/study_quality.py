"""How the readers of a study work: straight-lining, too fast, lenient or severe, drifting, changed afterwards."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from pet2rep_core.records import ItemKind, Person, Stage, StudyItem
from pet2rep_core.store import Store, StoredStudyRating
from pet2rep_core.workflow.permissions import RESEARCH, require
from pet2rep_core.workflow.study_file import read_study

FAST_MS = 10_000
"""An item read and rated in less active time than this was too fast."""
FEW = 5
"""Below so many finished items nothing is flagged."""
STRAIGHT_SHARE, FAST_SHARE, DRIFT_POINTS, LENIENCY_POINTS = 0.8, 0.2, 0.5, 0.75


@dataclass(frozen=True, slots=True)
class ReaderQuality:
    """How a reader works, over finished items that count.

    ``straight`` is the share of items with all dimensions alike, ``fast`` the share under :data:`FAST_MS` of active
    time. ``leniency`` is the mean distance in points from the mean of the other readers of the same reports,
    ``drift`` how much it moved from the first third of the items to the last; without other readers the plain
    scores are compared. ``repeat_difference`` is the mean distance between first and second reading. ``edits``
    counts changes after submission. None where there is nothing to compare; ``flags`` names what stands out.
    """

    reader: str
    items: int
    straight: float | None
    fast: float | None
    leniency: float | None
    drift: float | None
    repeat_difference: float | None
    edits: int
    shift: float | None
    flags: tuple[str, ...]


def quality(store: Store, person: Person, study_id: str) -> tuple[ReaderQuality, ...]:
    """Return how each reader works."""
    require(person, RESEARCH)
    study = read_study(store, study_id)
    items = {one.code: one for one in store.studies.items(study_id)}
    ratings = [one for one in store.studies.ratings(study_id) if items[one.rating.code].kind is not ItemKind.TRAINING]
    final = [one for one in ratings if one.rating.stage is Stage.FINAL]
    by_report: dict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)
    for one in final:
        item = items[one.rating.code]
        if item.kind is ItemKind.MAIN:
            for key, value in one.rating.answers.items():
                if value is not None:
                    by_report[item.case_id, item.run_id, key][item.reader] = value
    return tuple(_quality(reader, ratings, final, items, by_report) for reader in study.protocol.readers)


def _quality(
    reader: str,
    ratings: Sequence[StoredStudyRating],
    final: Sequence[StoredStudyRating],
    items: dict[str, StudyItem],
    by_report: dict[tuple[str, str, str], dict[str, int]],
) -> ReaderQuality:
    mine = sorted(
        (one for one in final if one.rating.reader == reader), key=lambda one: items[one.rating.code].position
    )
    active = Counter[str]()
    for one in ratings:
        if one.rating.reader == reader:
            active[one.rating.code] += one.rating.active_ms
    straight = [len(set(one.rating.answers.values())) == 1 for one in mine]
    fast = [active[one.rating.code] < FAST_MS for one in mine]
    offsets = [_offset(reader, one, items[one.rating.code], by_report) for one in mine]
    compared = [offset for offset in offsets if offset is not None]
    series = compared if len(compared) >= FEW else [m for m in map(_mean_answer, mine) if m is not None]
    found = ReaderQuality(
        reader=reader,
        items=len(mine),
        straight=_share(straight),
        fast=_share(fast),
        leniency=statistics.fmean(compared) if compared else None,
        drift=_drift(series),
        repeat_difference=_repeat_difference(mine, items),
        edits=sum(one.revision - 1 for one in mine),
        shift=_shift(reader, ratings),
        flags=(),
    )
    return replace(found, flags=_flags(found))


def _flags(found: ReaderQuality) -> tuple[str, ...]:
    if found.items < FEW:
        return ()
    stands_out = {
        "straight_lining": (found.straight or 0) > STRAIGHT_SHARE,
        "too_fast": (found.fast or 0) > FAST_SHARE,
        "drift": abs(found.drift or 0) >= DRIFT_POINTS,
        "leniency": abs(found.leniency or 0) >= LENIENCY_POINTS,
    }
    return tuple(name for name, does in stands_out.items() if does)


def _share(found: Sequence[bool]) -> float | None:
    return sum(found) / len(found) if found else None


def _mean_answer(one: StoredStudyRating) -> float | None:
    values = [value for value in one.rating.answers.values() if value is not None]
    return statistics.fmean(values) if values else None


def _offset(
    reader: str, one: StoredStudyRating, item: StudyItem, by_report: dict[tuple[str, str, str], dict[str, int]]
) -> float | None:
    """Return how far the answers of one item lie above those of the other readers of the report."""
    found = []
    for key, value in one.rating.answers.items():
        of_report = by_report.get((item.case_id, item.run_id, key), {})
        others = [other for name, other in of_report.items() if name != reader]
        if value is not None and others:
            found.append(value - statistics.fmean(others))
    return statistics.fmean(found) if found else None


def _drift(series: Sequence[float]) -> float | None:
    third = len(series) // 3
    if third < 2:
        return None
    return statistics.fmean(series[-third:]) - statistics.fmean(series[:third])


def _repeat_difference(mine: Sequence[StoredStudyRating], items: dict[str, StudyItem]) -> float | None:
    answers = {one.rating.code: one.rating.answers for one in mine}
    found = []
    for code, second in answers.items():
        first = answers.get(items[code].repeat_of, {})
        found += [abs(a - b) for key, a in second.items() for b in [first.get(key)] if a is not None and b is not None]
    return statistics.fmean(found) if found else None


def _shift(reader: str, ratings: Sequence[StoredStudyRating]) -> float | None:
    """Return how far answers moved, on average, when the reference was shown; None without staged reveal."""
    before = {
        one.rating.code: one.rating.answers
        for one in ratings
        if one.rating.stage is Stage.PROVISIONAL and one.rating.reader == reader
    }
    moved = [
        after - first
        for one in ratings
        if one.rating.stage is Stage.FINAL and one.rating.code in before
        for key, after in one.rating.answers.items()
        for first in [before[one.rating.code].get(key)]
        if after is not None and first is not None
    ]
    return statistics.fmean(moved) if moved else None
