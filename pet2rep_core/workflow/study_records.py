"""What a reader's desk asks for and gets; :mod:`pet2rep_core.workflow.study_read` makes and takes these.

Nothing here names a model, a run, a generation, a case, a dataset, a file or a score: all of it may be sent to the
reader's browser.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pet2rep_core.records import Language, Mark, Missed, Stage, StudyState
from pet2rep_core.report.sentences import SentenceSpan


@dataclass(frozen=True, slots=True)
class DeskDraft:
    """What a reader has answered so far on the screen, whether submitted or not.

    ``opening``, ``stage`` and ``revision`` go back as they came with the :class:`Desk`: they tell a stale screen.
    ``revision`` is the submitted revision of this stage that the screen showed, 0 where there was none.
    A dimension without an answer is absent from ``answers``; None is "not assessable" and needs ``reasons[dimension]``.
    ``active_ms`` is the active time of this stage so far; a screen goes on counting from what it was given.
    """

    opening: str
    stage: Stage
    revision: int = 0
    answers: dict[str, int | None] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    comment: str = ""
    marks: tuple[Mark, ...] = ()
    missed: tuple[Missed, ...] = ()
    active_ms: int = 0


class DraftSource(StrEnum):
    """Where the answers on a freshly opened screen come from."""

    EMPTY = "empty"
    DRAFT = "draft"
    SUBMITTED = "submitted"
    PROVISIONAL = "provisional"


@dataclass(frozen=True, slots=True)
class ShownText:
    """A text to be shown as it is, its hash, and its sentences as spans of characters (code points)."""

    text: str
    sha256: str
    sentences: tuple[SentenceSpan, ...]


@dataclass(frozen=True, slots=True)
class Consensus:
    """What experts agreed on for a training item, to compare one's own answers with.

    ``within_one`` is the share of the answers at most one point away from ``values``; ``feedback`` is a text of the
    researcher.
    """

    values: dict[str, int]
    feedback: str
    within_one: float


class UnlockState(StrEnum):
    """Whether a submitted item may be changed after the study was locked."""

    NONE = "none"
    ASKED = "asked"
    GRANTED = "granted"


@dataclass(frozen=True, slots=True)
class Desk:
    """One item as its reader sees it, or none left.

    ``number`` counts within training items or within all others, and so does ``total``; ``done`` is how many of
    those are finished. ``draft`` holds what the form shows, with the fresh ``opening``; ``source`` tells where it comes
    from. ``provisional`` is what was submitted before the reference was shown. ``consensus`` is given for a finished
    training item. ``may_submit`` is false where the item can only be looked at.
    """

    study_id: str
    title: str
    state: StudyState
    language: Language
    rubric_version: str
    is_training: bool
    staged: bool
    number: int
    total: int
    done: int
    code: str
    alias: str
    stage: Stage
    generated: ShownText
    reference: ShownText | None
    draft: DeskDraft
    source: DraftSource
    provisional: DeskDraft | None
    consensus: Consensus | None
    previous_code: str
    next_code: str
    may_submit: bool
    needs_reason: bool
    unlock: UnlockState


class NoDeskReason(StrEnum):
    """Why there is no item to open."""

    NOT_STARTED = "not_started"
    TRAINING_DONE = "training_done"
    TRAINING_NOT_PASSED = "training_not_passed"
    ALL_DONE = "all_done"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class EmptyDesk:
    """No item to open, and why; ``may_guess`` where the reader has not said yet which models wrote the reports.

    ``within_one`` is the share of the answers to training items within a point of the consensus, None without any.
    """

    study_id: str
    title: str
    state: StudyState
    language: Language
    reason: NoDeskReason
    done: int
    total: int
    may_guess: bool
    within_one: float | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """An answer that is on the disk, journal included.

    ``repeated`` is true where the same click had been saved before. ``next_stage`` is the next stage of the same item,
    None after its last; ``next_code`` the item to open next, empty where none is left. ``consensus`` is given for
    training items in their last stage; ``passed`` tells, once all training items are done, whether the pass mark was
    reached, None before and otherwise.
    """

    event_id: str
    code: str
    stage: Stage
    revision: int
    repeated: bool
    next_stage: Stage | None
    next_code: str
    consensus: Consensus | None = None
    passed: bool | None = None


class ItemProgress(StrEnum):
    """How far one item is."""

    OPEN = "open"
    DRAFT = "draft"
    PROVISIONAL = "provisional"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class ItemState:
    """One line of a reader's list of items; ``number`` counts within training items or within all others."""

    number: int
    code: str
    is_training: bool
    progress: ItemProgress
    may_open: bool


@dataclass(frozen=True, slots=True)
class ReaderStudy:
    """A study in which a reader has items, as the list of studies shows it; ``reminded_at`` is empty or a time."""

    study_id: str
    title: str
    state: StudyState
    language: Language
    done: int
    total: int
    reminded_at: str = ""


@dataclass(frozen=True, slots=True)
class GuessSheet:
    """A sample of finished items for which a reader is asked which model wrote them; names are written, not chosen."""

    codes: tuple[str, ...]
