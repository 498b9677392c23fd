"""Models side by side: means, clinical efficacy, Overall, intervals, and what each is worth beside the template.

- Language metrics are means over the cases that have a value; clinical efficacy is made from cells counted over all
  cases, those with an empty report included with all that they missed.
- Overall is the mean of six: BLEU-4, METEOR, ROUGE-L, CE precision, CE recall and CE F1, as in Table 1 of PET2Rep.
  Where one of them is missing there is no Overall, and ``missing`` names it.
- The template is compared on the cases that both have, by a paired permutation test with Holm's correction over
  all models of the table.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pet2rep_core.records import GenerationStatus, Language
from pet2rep_core.scoring.clinical import Agreement, clinical_signature
from pet2rep_core.scoring.nlg import METRICS
from pet2rep_core.scoring.profiles import DEFAULT_PROFILE, NLG_METRICS, ReportPart, find_profile
from pet2rep_core.scoring.signature import signature
from pet2rep_core.scoring.statistics import (
    RESAMPLES,
    Array,
    Interval,
    PairedTest,
    holm,
    mean_of,
    pooled_f1_macro,
    pooled_precision,
    pooled_recall,
    table_f1,
)
from pet2rep_core.vlm.baselines import TEMPLATE
from pet2rep_core.workflow.leaderboard_intervals import Table, differences, intervals
from pet2rep_core.workflow.score_book import CELLS, Entry, EntryScores, ScoreBook

OVERALL = "overall"
OVERALL_OF = ("bleu4", "meteor", "rougeL", "ce_precision", "ce_recall", "ce_f1")
"""The six whose mean is Overall."""
CLINICAL = ("ce_precision", "ce_recall", "ce_f1", "ce_f1_macro")
BOARD_METRICS = (*NLG_METRICS, *CLINICAL, OVERALL)
"""Every number of a row, in the order of tables."""
SEPARATE, FUSED = "separate", "fused"
SEED = 20_260_101
LEVEL = 0.95
_Compare: TypeAlias = Callable[[Sequence[tuple[Table, Table]]], list[dict[str, tuple[Interval, PairedTest]]]]
_CELLS_AT = 2 * len(NLG_METRICS)
_MADE = (GenerationStatus.DONE, GenerationStatus.CUT)


@dataclass(frozen=True, slots=True)
class Selection:
    """What a leaderboard is about.

    ``datasets`` None means all. With ``same_cases`` only the cases count that every model has.
    """

    language: Language
    profile: str = DEFAULT_PROFILE
    part: ReportPart = ReportPart.FULL
    datasets: tuple[str, ...] | None = None
    same_cases: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """One metric of one entry.

    ``scored`` counts the cases behind the value. ``missing`` names what Overall lacks. ``against`` is the test
    against the template and ``gain`` the difference with its interval; both None for the template itself and
    where there is no template.
    """

    interval: Interval
    sd: float | None
    scored: int
    missing: tuple[str, ...] = ()
    gain: Interval | None = None
    against: PairedTest | None = None
    p_holm: float | None = None


@dataclass(frozen=True, slots=True)
class BoardRow:
    """One entry: how many cases it has of how many, how its generations ended, and its numbers."""

    entry: Entry
    cases: int
    scored: int
    statuses: Mapping[GenerationStatus, int]
    cells: Mapping[str, Cell]

    @property
    def unscored(self) -> int:
        """Return how many finished generations have not been scored in this way."""
        return max(0, sum(self.statuses.get(status, 0) for status in _MADE) - self.scored)


@dataclass(frozen=True, slots=True)
class SettingPair:
    """Fused minus separate for one model, by metric, on the cases that both have."""

    separate: Entry
    fused: Entry
    gains: Mapping[str, tuple[Interval, PairedTest, float | None]]


@dataclass(frozen=True, slots=True)
class OrganCell:
    """Agreement of one entry on one organ, over the cases in which either report states a positive uptake."""

    match: int = 0
    missed: int = 0
    invented: int = 0
    differs: int = 0

    @property
    def cases(self) -> int:
        """Number of cases in which either report says something positive."""
        return self.match + self.missed + self.invented + self.differs


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Rows from the highest Overall down, then without; and how everything was made."""

    selection: Selection
    cases: int
    common: int
    rows: tuple[BoardRow, ...]
    template: Entry | None
    pairs: tuple[SettingPair, ...]
    organs: Mapping[str, Mapping[Entry, OrganCell]]
    signatures: Mapping[str, str]
    score_rows: int
    score_sha256: str
    passed_over: int
    seed: int = SEED
    resamples: int = RESAMPLES
    level: float = LEVEL
    metrics: tuple[str, ...] = field(default=BOARD_METRICS)


def board_signatures(language: Language, profile: str, part: ReportPart) -> dict[str, str]:
    """Return the signature of every metric of a leaderboard."""
    chosen = find_profile(profile)
    made = {name: METRICS[name].signature(language, chosen, part) for name in chosen.metrics}
    made |= {name: clinical_signature(name, language, agg="pooled") for name in CLINICAL}
    made[OVERALL] = signature(OVERALL, version=1, agg="mean", of="+".join(OVERALL_OF))
    return made


def make_leaderboard(
    book: ScoreBook, selection: Selection, *, seed: int = SEED, resamples: int = RESAMPLES
) -> Leaderboard:
    """Return the leaderboard of one language, profile and part.

    Raises
    ------
    UnknownNameError
        If there is no such profile.
    """
    names = book.cases[selection.language]
    wanted = np.array(
        [selection.datasets is None or book.datasets.get(case) in selection.datasets for case in names], np.bool_
    )
    entries = [one for one in book.entries if one.entry.language is selection.language]
    has = [np.array([status is not None for status in one.statuses], np.bool_) & wanted for one in entries]
    entries, has = [e for e, h in zip(entries, has, strict=True) if h.any()], [h for h in has if h.any()]
    union = np.any(has, axis=0) if has else wanted & False
    common = np.all(has, axis=0) if has else union
    masks = [mask & common for mask in has] if selection.same_cases else has
    tables = [Table(_numbers(one, selection), mask) for one, mask in zip(entries, masks, strict=True)]
    profile = find_profile(selection.profile)
    metrics = tuple(m for m in BOARD_METRICS if m in profile.metrics or m in CLINICAL or m == OVERALL)
    statistics = partial(_statistics, metrics)
    spans = intervals(tables, statistics, seed=seed, resamples=resamples, level=LEVEL)
    compare: _Compare = partial(differences, statistics=statistics, seed=seed, resamples=resamples, level=LEVEL)
    template = _template(entries, masks)
    others = [place for place in range(len(entries)) if template is not None and place != template]
    made = compare([_paired(tables[place], tables[template]) for place in others]) if template is not None else []
    gains = dict(zip(others, made, strict=True))
    corrected = {
        name: dict(zip(others, holm([gains[place][name][1].p_value for place in others]), strict=True))
        for name in metrics
    }
    rows = []
    for place, one in enumerate(entries):
        cells = {}
        for name in metrics:
            gain = gains[place][name] if place in gains else None
            cells[name] = Cell(
                spans[place][name],
                _spread(tables[place], name),
                _scored(tables[place], name),
                _missing(spans[place]) if name == OVERALL else (),
                gain[0] if gain else None,
                gain[1] if gain else None,
                corrected[name].get(place),
            )
        mask = masks[place]
        statuses = Counter(status for status, there in zip(one.statuses, mask, strict=True) if there and status)
        rows.append(BoardRow(one.entry, int(mask.sum()), cells[OVERALL_OF[0]].scored, dict(statuses), cells))
    rows.sort(key=_rank)
    return Leaderboard(
        selection, int((common if selection.same_cases else union).sum()), int(common.sum()), tuple(rows),
        None if template is None else entries[template].entry, _setting_pairs(entries, tables, compare, metrics),
        _organs(entries, masks), board_signatures(selection.language, selection.profile, selection.part),
        book.rows, book.sha256, book.passed_over, seed, resamples, LEVEL, metrics,
    )  # fmt: skip


def _numbers(one: EntryScores, selection: Selection) -> Array:
    """Return (cases, columns): value and 1 for each language metric, then the cells of clinical efficacy."""
    values = one.values.get((selection.profile, selection.part), {})
    columns = []
    for name in NLG_METRICS:
        column = values.get(name, np.full(len(one.statuses), np.nan))
        columns += [np.nan_to_num(column, nan=0.0), np.isfinite(column).astype(np.float64)]
    return np.hstack([np.stack(columns, axis=1), np.nan_to_num(one.cells, nan=0.0), _counted(one.cells)])


def _counted(cells: Array) -> Array:
    return np.isfinite(cells[:, :1]).astype(np.float64)


def _paired(first: Table, second: Table) -> tuple[Table, Table]:
    """Return both tables with nothing left that only one of them has: every metric on the same cases."""
    a, b = first.numbers.copy(), second.numbers.copy()
    for at in range(0, _CELLS_AT, 2):
        lacking = (a[:, at + 1] == 0) | (b[:, at + 1] == 0)
        a[lacking, at : at + 2] = b[lacking, at : at + 2] = 0
    lacking = (a[:, -1] == 0) | (b[:, -1] == 0)
    a[lacking, _CELLS_AT:] = b[lacking, _CELLS_AT:] = 0
    return Table(a, first.mask), Table(b, second.mask)


def _statistics(metrics: Sequence[str], totals: Array) -> dict[str, Array]:
    """Return every metric of a leaderboard from the totals of :func:`_numbers`."""
    made = {
        name: mean_of(totals[..., 2 * place : 2 * place + 2])
        for place, name in enumerate(NLG_METRICS)
        if name in metrics or name in OVERALL_OF
    }
    cells = totals[..., _CELLS_AT : _CELLS_AT + CELLS]
    precision, recall = pooled_precision(cells), pooled_recall(cells)
    made |= {"ce_precision": precision, "ce_recall": recall, "ce_f1_macro": pooled_f1_macro(cells)}
    made["ce_f1"] = table_f1(precision, recall)
    made[OVERALL] = np.mean([made[name] for name in OVERALL_OF], axis=0)
    return {name: made[name] for name in metrics}


def _spread(table: Table, name: str) -> float | None:
    """Return the standard deviation over cases of a language metric; pooled numbers have none."""
    if name not in NLG_METRICS:
        return None
    at = 2 * NLG_METRICS.index(name)
    values = table.numbers[table.mask & (table.numbers[:, at + 1] == 1), at]
    return float(values.std(ddof=1)) if len(values) > 1 else None


def _scored(table: Table, name: str) -> int:
    if name == OVERALL:
        return min(_scored(table, one) for one in OVERALL_OF)
    at = -1 if name in CLINICAL else 2 * NLG_METRICS.index(name) + 1
    return int(table.numbers[table.mask, at].sum())


def _missing(spans: Mapping[str, Interval]) -> tuple[str, ...]:
    return tuple(name for name in OVERALL_OF if name not in spans or spans[name].value is None)


def _template(entries: Sequence[EntryScores], masks: Sequence[npt.NDArray[np.bool_]]) -> int | None:
    """Return the place of the template baseline; where there are several, the one with the most cases."""
    found = [place for place, one in enumerate(entries) if one.entry.model == TEMPLATE]
    return max(found, key=lambda place: int(masks[place].sum()), default=None)


def _rank(row: BoardRow) -> tuple[bool, float, str]:
    value = row.cells[OVERALL].interval.value
    return value is None, -(value or 0.0), row.entry.label


def _setting_pairs(
    entries: Sequence[EntryScores], tables: Sequence[Table], compare: _Compare, metrics: Sequence[str]
) -> tuple[SettingPair, ...]:
    found = _twins(entries)
    made = compare([_paired(tables[fused], tables[separate]) for separate, fused in found])
    corrected = {name: holm([one[name][1].p_value for one in made]) for name in metrics}
    return tuple(
        SettingPair(
            entries[separate].entry,
            entries[fused].entry,
            {name: (*one[name], corrected[name][at]) for name in metrics},
        )
        for at, ((separate, fused), one) in enumerate(zip(found, made, strict=True))
    )


def _twins(entries: Sequence[EntryScores]) -> list[tuple[int, int]]:
    """Return the places of separate and fused entries of one model: with the same parameters, or the only ones."""
    settings: dict[str, dict[str, list[int]]] = {}
    for place, one in enumerate(entries):
        settings.setdefault(one.entry.model, {}).setdefault(one.entry.input_setting, []).append(place)
    found = []
    for by_setting in settings.values():
        separate, fused = by_setting.get(SEPARATE, []), by_setting.get(FUSED, [])
        alone = len(separate) == len(fused) == 1
        found += [
            (first, second)
            for first in separate
            for second in fused
            if alone or entries[first].entry.parameters == entries[second].entry.parameters
        ]
    return found


def _organs(
    entries: Sequence[EntryScores], masks: Sequence[npt.NDArray[np.bool_]]
) -> dict[str, dict[Entry, OrganCell]]:
    found: dict[str, dict[Entry, OrganCell]] = {}
    for one, mask in zip(entries, masks, strict=True):
        for organ, rows in one.organs.items():
            counts = Counter(agreement for place, agreement in rows if mask[place])
            found.setdefault(organ, {})[one.entry] = OrganCell(
                counts[Agreement.MATCH], counts[Agreement.MISSED], counts[Agreement.INVENTED], counts[Agreement.DIFFERS]
            )
    return found
