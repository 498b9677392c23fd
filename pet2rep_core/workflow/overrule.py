"""Overrule a cell of the organ table: what a person reads in a report where the rules read something else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pet2rep_core.errors import UnknownNameError
from pet2rep_core.records import Person, UptakeState
from pet2rep_core.report.lexicon import read_lexicon
from pet2rep_core.report.uptake import Evidence
from pet2rep_core.scoring.clinical import CellSide
from pet2rep_core.scoring.read_text import EXTRACTOR, lexicon_mark, read_texts
from pet2rep_core.store import Cell, CellOverrule, Store, StoredOverrule
from pet2rep_core.workflow.permissions import OWNER, RESEARCH, require
from pet2rep_core.workflow.rate import check_reader
from pet2rep_core.workflow.score import cell_text

_ORDER = tuple(UptakeState)


@dataclass(frozen=True, slots=True)
class CellView:
    """One cell with both values: what the rules read, what a person says (None: nobody did), and its history."""

    cell: Cell
    automatic: tuple[UptakeState, ...]
    evidence: tuple[Evidence, ...]
    overruled: tuple[UptakeState, ...] | None
    history: tuple[StoredOverrule, ...]


def open_cell(store: Store, generation_id: str, side: CellSide, organ: str, *, person: Person = OWNER) -> CellView:
    """Return a cell of the organ table of one generated report.

    Raises
    ------
    UnknownNameError
        If the lexicon has no such organ.
    InputDataError
        If the case has no reference report in the language of the generated one.
    """
    require(person, RESEARCH)
    cell, text = _cell(store, generation_id, side, organ)
    item = read_texts().get(text, cell.language).findings.get(organ)
    history = tuple(store.overrule_history(cell))
    holds = history and not history[-1].withdrawn
    return CellView(
        cell=cell,
        automatic=() if item is None else item.states,
        evidence=() if item is None else item.evidence,
        overruled=tuple(map(UptakeState, history[-1].overrule.states)) if holds else None,
        history=history,
    )


def overrule_cell(
    store: Store,
    generation_id: str,
    side: CellSide,
    organ: str,
    states: Sequence[UptakeState],
    *,
    author: str,
    reason: str,
    person: Person = OWNER,
) -> StoredOverrule:
    """Record what a person reads in a cell; score the report again to have the overruled scores.

    A cell is what one text of a case says of an organ: a cell of the reference is overruled for every report of the
    case, and a report revised later is read anew. The automatic value and every earlier revision are kept.

    Parameters
    ----------
    states : sequence of UptakeState
        All positive states, or normal alone; empty for unstated.

    Raises
    ------
    UnknownNameError
        If the lexicon has no such organ.
    StoreError
        If the author is no pseudonym, the reason is missing, or the states cannot stand together.
    """
    view = open_cell(store, generation_id, side, organ, person=person)
    return store.record_overrule(
        CellOverrule(
            cell=view.cell,
            states=tuple(state.value for state in sorted(states, key=_ORDER.index)),
            automatic=tuple(state.value for state in view.automatic),
            author=check_reader(author),
            reason=reason.strip(),
            extractor=f"{EXTRACTOR}-{lexicon_mark()}",
            generation_id=generation_id,
        )
    )


def withdraw_overrule(
    store: Store,
    generation_id: str,
    side: CellSide,
    organ: str,
    *,
    author: str,
    reason: str,
    person: Person = OWNER,
) -> StoredOverrule:
    """Let the automatic value of a cell count again; the history stays.

    Raises
    ------
    StoreError
        If the cell is not overruled, or there is no reason.
    """
    require(person, RESEARCH)
    cell, _ = _cell(store, generation_id, side, organ)
    return store.withdraw_overrule(cell, check_reader(author), reason.strip())


def _cell(store: Store, generation_id: str, side: CellSide, organ: str) -> tuple[Cell, str]:
    organs = read_lexicon().by_id
    if organ not in organs:
        raise UnknownNameError("organ", organ, organs)
    generation = store.generation(generation_id).generation
    text, sha256 = cell_text(store, generation, side)
    return Cell(generation.case_id, generation.language, side.value, sha256, organ), text
