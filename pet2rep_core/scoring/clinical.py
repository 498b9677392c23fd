"""Clinical efficacy (CE): whether a generated report states the uptake of each organ as the reference does.

Our definition in the form of the benchmark's organ uptake assessment, whose own definition is not public.
A cell is one organ with one of the positive states increased, decreased, absent; normal and unstated are
negative. The findings are compared, the impression is left out; a report without headings is all findings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache

from pet2rep_core.errors import UnknownNameError
from pet2rep_core.records import POSITIVE_STATES, Language, Score, UptakeState
from pet2rep_core.report.lexicon import read_lexicon
from pet2rep_core.report.uptake import Evidence, OrganUptake
from pet2rep_core.scoring.read_text import EXTRACTOR, lexicon_mark, read_texts
from pet2rep_core.scoring.signature import signature

VERSION = 1
NO_POSITIVE = "no positive state in either report"
EMPTY_GENERATION = "empty generation"
EMPTY_REFERENCE = "empty reference"


class Agreement(StrEnum):
    """How the generated report stands to the reference for one organ."""

    MATCH = "match"
    MISSED = "missed"
    INVENTED = "invented"
    DIFFERS = "differs"
    BOTH_UNSTATED = "both unstated"


class CellSide(StrEnum):
    """Which report a cell of the organ table reads."""

    REFERENCE = "reference"
    HYPOTHESIS = "hypothesis"


@dataclass(frozen=True, slots=True)
class OrganRow:
    """One line of the organ table, with the words behind it on both sides.

    ``automatic`` is the same line as it was read, where a person overruled a cell of it; the evidence is the reader's
    either way.
    """

    organ: str
    reference: tuple[UptakeState, ...]
    hypothesis: tuple[UptakeState, ...]
    agreement: Agreement
    reference_evidence: tuple[Evidence, ...] = ()
    hypothesis_evidence: tuple[Evidence, ...] = ()
    automatic: OrganRow | None = None


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """Cells of one positive state, and what follows from them; None with a reason where undefined."""

    state: UptakeState
    tp: int
    fp: int
    fn: int

    @property
    def defined(self) -> bool:
        """Tell whether either report has a cell of this state."""
        return self.tp + self.fp + self.fn > 0

    @property
    def reason(self) -> str:
        """Return why this class has no numbers; empty where it has."""
        return "" if self.defined else f"no {self.state.value} uptake in either report"

    @property
    def precision(self) -> float | None:
        """Return TP / (TP + FP); 0 where nothing was predicted but something was there."""
        return _ratio(self.tp, self.tp + self.fp) if self.defined else None

    @property
    def recall(self) -> float | None:
        """Return TP / (TP + FN); 0 where nothing was there but something was predicted."""
        return _ratio(self.tp, self.tp + self.fn) if self.defined else None

    @property
    def f1(self) -> float | None:
        """Return 2 TP / (2 TP + FP + FN)."""
        return _ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn) if self.defined else None


@dataclass(frozen=True, slots=True)
class ClinicalResult:
    """CE of one case.

    ``precision`` and ``recall`` are means over the classes that are defined; ``f1_macro`` is the mean of the
    class F1, ``f1_table`` the harmonic mean of ``precision`` and ``recall`` (the form of the paper's table).
    All four are None, with ``reason``, where no class is defined.
    """

    language: Language
    rows: tuple[OrganRow, ...]
    classes: tuple[ClassCounts, ...]
    precision: float | None
    recall: float | None
    f1_macro: float | None
    f1_table: float | None
    reason: str
    unscored: int = 0
    overruled: bool = False

    @property
    def cells(self) -> dict[str, tuple[tuple[UptakeState, ...], tuple[UptakeState, ...]]]:
        """States of the reference and of the hypothesis, by organ."""
        return {row.organ: (row.reference, row.hypothesis) for row in self.rows}

    @property
    def scores(self) -> tuple[Score, ...]:
        """Return the scores for the store: ``ce_precision``, ``ce_recall``, ``ce_f1`` (the table's form)."""
        values = {"ce_precision": self.precision, "ce_recall": self.recall, "ce_f1": self.f1_table}
        return tuple(
            Score(
                name,
                value,
                clinical_signature(name, self.language, overruled=self.overruled),
                self.reason,
            )
            for name, value in values.items()
        )


def score_clinical(hypothesis: str, reference: str, language: Language) -> ClinicalResult:
    """Return the organ table and CE of one generated report; evidence counts from the start of each text."""
    said = read_texts().get(hypothesis, language).cells
    true = read_texts().get(reference, language).cells
    rows = tuple(_row(organ.id, true.get(organ.id), said.get(organ.id)) for organ in read_lexicon().organs)
    classes = tuple(_count(state, rows) for state in POSITIVE_STATES)
    reason = EMPTY_GENERATION if not hypothesis.strip() else EMPTY_REFERENCE if not reference.strip() else ""
    if reason:
        return ClinicalResult(language, rows, classes, None, None, None, None, reason, unscored=1)
    return _result(language, rows, classes)


def overrule_clinical(
    result: ClinicalResult, states: Mapping[tuple[CellSide, str], tuple[UptakeState, ...]]
) -> ClinicalResult:
    """Return CE of one case with some cells as a person states them; the automatic lines stay in the rows.

    Parameters
    ----------
    states : mapping of (side, organ) to states
        What the report states of the organ; empty for nothing.

    Raises
    ------
    UnknownNameError
        If the lexicon has no such organ.
    """
    known = {row.organ for row in result.rows}
    for _, organ in states:
        if organ not in known:
            raise UnknownNameError("organ", organ, known)
    rows = tuple(_overruled(row, states) for row in result.rows)
    classes = tuple(_count(state, rows) for state in POSITIVE_STATES)
    if result.unscored:
        return replace(result, rows=rows, classes=classes, overruled=True)
    return replace(_result(result.language, rows, classes), overruled=True)


def _row(organ: str, true: OrganUptake | None, said: OrganUptake | None) -> OrganRow:
    reference, hypothesis = (true.states if true else ()), (said.states if said else ())
    return OrganRow(
        organ,
        reference,
        hypothesis,
        _agreement(reference, hypothesis),
        true.evidence if true else (),
        said.evidence if said else (),
    )


def _agreement(reference: tuple[UptakeState, ...], hypothesis: tuple[UptakeState, ...]) -> Agreement:
    if not reference and not hypothesis:
        return Agreement.BOTH_UNSTATED
    there, said = set(reference) & set(POSITIVE_STATES), set(hypothesis) & set(POSITIVE_STATES)
    if there == said:
        return Agreement.MATCH
    if not said:
        return Agreement.MISSED
    return Agreement.DIFFERS if there else Agreement.INVENTED


def _count(state: UptakeState, rows: Iterable[OrganRow]) -> ClassCounts:
    cells = [(state in row.reference, state in row.hypothesis) for row in rows]
    return ClassCounts(state, cells.count((True, True)), cells.count((False, True)), cells.count((True, False)))


def _result(language: Language, rows: tuple[OrganRow, ...], classes: tuple[ClassCounts, ...]) -> ClinicalResult:
    defined = [counts for counts in classes if counts.defined]
    if not defined:
        return ClinicalResult(language, rows, classes, None, None, None, None, NO_POSITIVE)
    precision = sum(counts.precision or 0.0 for counts in defined) / len(defined)
    recall = sum(counts.recall or 0.0 for counts in defined) / len(defined)
    f1_macro = sum(counts.f1 or 0.0 for counts in defined) / len(defined)
    f1_table = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return ClinicalResult(language, rows, classes, precision, recall, f1_macro, f1_table, "")


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _overruled(row: OrganRow, states: Mapping[tuple[CellSide, str], tuple[UptakeState, ...]]) -> OrganRow:
    reference = states.get((CellSide.REFERENCE, row.organ))
    hypothesis = states.get((CellSide.HYPOTHESIS, row.organ))
    if reference is None and hypothesis is None:
        return row
    true = row.reference if reference is None else reference
    said = row.hypothesis if hypothesis is None else hypothesis
    return replace(row, reference=true, hypothesis=said, agreement=_agreement(true, said), automatic=row)


@lru_cache(maxsize=64)
def clinical_signature(metric: str, language: Language, *, agg: str = "case", overruled: bool = False) -> str:
    """Return the signature of a CE score; ``cells:overruled`` where a person overruled a cell."""
    more = {"cells": "overruled"} if overruled else {}
    return signature(
        metric,
        version=VERSION,
        agg=agg,
        avg="macro",
        extractor=EXTRACTOR,
        lang=language.value,
        lexicon=lexicon_mark(),
        neg="normal+unstated",
        part="findings",
        **more,
    )
