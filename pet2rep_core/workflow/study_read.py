"""What a reader's desk asks for: the next item, drafts, submitting, the list of items, the guess at the end.

Every function checks the person: only the reader of an item sees it, whatever the role. Nothing that is returned
names a model, run, generation, case, dataset, file or score, except :func:`case_of_alias` and :func:`case_behind`,
which are for the server's own routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pet2rep_core.records import Person
from pet2rep_core.store import Store
from pet2rep_core.workflow.study_records import (
    Consensus,
    Desk,
    DeskDraft,
    DraftSource,
    EmptyDesk,
    GuessSheet,
    ItemProgress,
    ItemState,
    NoDeskReason,
    ReaderStudy,
    ShownText,
    Submitted,
    UnlockState,
)

__all__ = [
    "Consensus", "Desk", "DeskDraft", "DraftSource", "EmptyDesk", "GuessSheet", "ItemProgress", "ItemState",
    "NoDeskReason", "ReaderStudy", "ShownText", "Submitted", "UnlockState", "ask_unlock", "case_behind",
    "case_of_alias", "draft_json", "guess_model", "guess_sheet", "keep_draft", "list_items", "open_desk", "read_draft",
    "studies_of", "submit",
]  # fmt: skip


def studies_of(store: Store, person: Person) -> tuple[ReaderStudy, ...]:
    """Return the studies in which a person has items and that were started, the newest first."""
    raise NotImplementedError


def open_desk(store: Store, person: Person, study_id: str, *, code: str | None = None) -> Desk | EmptyDesk:
    """Open an item: the named one, or the next that is not finished, training first, in the stage where it is.

    Registers an opening: a screen that opened the same item earlier is stale from now on.

    Raises
    ------
    PermissionDeniedError
        If the person is no reader of the study, the item belongs to another reader, or it may not be opened yet.
    UnknownNameError
        If there is no such study.
    """
    raise NotImplementedError


def keep_draft(store: Store, person: Person, study_id: str, code: str, draft: DeskDraft) -> int:
    """Keep what is on the screen, however incomplete; it is on the disk when this returns. Returns the draft's number.

    Raises
    ------
    StaleRatingError
        If the item was opened in another tab since, or a newer revision was submitted.
    StoreError
        If an answer cannot be one, or it could not be stored.
    """
    raise NotImplementedError


def submit(
    store: Store, person: Person, study_id: str, code: str, draft: DeskDraft, *, event_id: str, reason: str = ""
) -> Submitted:
    """Submit a complete answer; it is in the journal and in the database when this returns.

    Parameters
    ----------
    event_id : str
        Name of this click, made by the screen (a UUID): the same click twice is one event.
    reason : str
        Why an answer is changed that was final already; needed then.

    Raises
    ------
    StaleRatingError
        If the item was opened in another tab since, or a newer revision was submitted.
    StoreError
        If a dimension has no answer, "not assessable" has no reason, a change has no reason, or it could not be stored.
    PermissionDeniedError
        If the item is not this reader's, or the study does not collect.
    """
    raise NotImplementedError


def list_items(store: Store, person: Person, study_id: str) -> tuple[ItemState, ...]:
    """Return the items of a reader in order, training first; no names."""
    raise NotImplementedError


def case_of_alias(store: Store, person: Person, study_id: str, alias: str) -> str:
    """Return the case behind an alias, for the routes of the viewer; only for a reader of the study.

    Raises
    ------
    PermissionDeniedError
        If the person has no item with this alias that may be opened.
    """
    raise NotImplementedError


def case_behind(store: Store, person: Person, study_id: str, code: str) -> str:
    """Return the case of an item, for the routes of the viewer; only for the reader of the item."""
    raise NotImplementedError


def ask_unlock(store: Store, person: Person, study_id: str, code: str, reason: str) -> None:
    """Ask that a submitted item of a locked study may be changed; a researcher decides."""
    raise NotImplementedError


def guess_sheet(store: Store, person: Person, study_id: str) -> GuessSheet:
    """Return the items about which a reader who has finished is asked which model wrote them.

    Raises
    ------
    PermissionDeniedError
        If the reader has items left.
    """
    raise NotImplementedError


def guess_model(
    store: Store, person: Person, study_id: str, guesses: Mapping[str, str], *, event_id: str, comment: str = ""
) -> None:
    """Keep which model a reader thinks wrote which item, by code; the code "" is the study as a whole.

    The first answer of a reader counts; later ones are kept too.
    """
    raise NotImplementedError


def draft_json(draft: DeskDraft) -> dict[str, Any]:
    """Return a draft as JSON holds it: the names of :class:`DeskDraft`, marks and missed sentences as objects."""
    raise NotImplementedError


def read_draft(value: Mapping[str, Any]) -> DeskDraft:
    """Return the draft that a screen sent.

    Raises
    ------
    StoreError
        If a part is missing, too long or not of its kind.
    """
    raise NotImplementedError
