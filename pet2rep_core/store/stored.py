"""What goes into the store and comes out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pet2rep_core.records import Generation, KeySlices, Language, Rating, Report, Score


class Recorded(StrEnum):
    """What recording did."""

    NEW = "new"
    REVISED = "revised"
    UNCHANGED = "unchanged"
    HANDED_OVER = "handed over"


@dataclass(frozen=True, slots=True)
class CaseRow:
    """One imported case.

    ``prepared_key`` names the prepared images (None where there are only reports), ``source_sha256`` is the
    hash of the files it was made from, ``suv`` is JSON of the SUV factors. ``created_at`` is filled in when
    the case is recorded.
    """

    case_id: str
    dataset: str
    layout: str
    prepared_key: str | None
    source_sha256: str
    metadata: dict[str, Any] = field(default_factory=dict)
    has_pet: bool = False
    has_ct: bool = False
    n_pictures: int = 0
    suv: dict[str, Any] = field(default_factory=dict)
    key_slices: KeySlices | None = None
    created_at: str | None = None


@dataclass(frozen=True, slots=True)
class RunRow:
    """One model with one prompt and one setting. Its id stands for exactly these parameters."""

    run_id: str
    model: str
    input_setting: str
    prompt_sha256: str
    language: Language
    parameters: dict[str, Any] = field(default_factory=dict)
    seed: int | None = None
    created_at: str | None = None


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A report of a case in its newest revision."""

    case_id: str
    kind: str
    source: str
    revision: int
    report: Report
    created_at: str


@dataclass(frozen=True, slots=True)
class StoredGeneration:
    """A generation in its newest attempt, with its times. ``detail`` is what the caller wanted to keep."""

    generation: Generation
    attempt: int
    started_at: str | None
    duration_s: float | None
    detail: dict[str, Any]
    created_at: str


@dataclass(frozen=True, slots=True)
class StoredScore:
    """The newest score of a generation's present text under one signature."""

    generation_id: str
    case_id: str
    run_id: str
    text_sha256: str
    score: Score
    detail: Any
    created_at: str


@dataclass(frozen=True, slots=True)
class SavedRating:
    """A rating that is on the disk. ``repeated`` is true where the same click had been saved before."""

    event_id: str
    revision: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class StoredRating:
    """One revision of a rating; ``withdrawn`` ones keep the reason in the comment."""

    event_id: str
    revision: int
    rating: Rating
    withdrawn: bool
    session_id: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Draft:
    """Answers that have not been saved as a rating yet."""

    answers: dict[str, int | None]
    comment: str
    created_at: str


@dataclass(frozen=True, slots=True)
class Measurement:
    """Something that a reader measured in a case and keeps as a note.

    ``measurement_id`` is made by the screen (a UUID). ``kind`` is sphere, freehand or line, ``role`` is liver or
    empty. ``result`` is JSON with a list ``numbers`` of ``quantity``, ``value``, ``unit`` and ``reason``, which
    the export reads. ``generation_id`` is the report that was on the screen, or None; ``prepared_key`` names the
    images that were measured.
    """

    measurement_id: str
    case_id: str
    reader: str
    kind: str
    shape: dict[str, Any]
    result: dict[str, Any]
    signature: str
    prepared_key: str
    generation_id: str | None = None
    label: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class StoredMeasurement:
    """One revision of a measurement; a withdrawal keeps neither shape nor result."""

    measurement: Measurement
    revision: int
    withdrawn: bool
    created_at: str


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the organ table: what one text of a case says of one organ.

    ``side`` is reference or hypothesis; ``text_sha256`` names the text. A cell of the reference is the same for
    every generated report of the case.
    """

    case_id: str
    language: Language
    side: str
    text_sha256: str
    organ: str


@dataclass(frozen=True, slots=True)
class CellOverrule:
    """What a person says that a cell states, with the reason; withdrawn, the automatic value counts again.

    ``states`` are values of :class:`~pet2rep_core.records.UptakeState`, none for unstated; ``automatic`` what the
    rules read then, and ``extractor`` which rules. ``generation_id`` is the report that was on the screen, or None.
    """

    cell: Cell
    states: tuple[str, ...]
    automatic: tuple[str, ...]
    author: str
    reason: str
    extractor: str
    generation_id: str | None = None


@dataclass(frozen=True, slots=True)
class StoredOverrule:
    """One revision of an overrule."""

    overrule: CellOverrule
    revision: int
    withdrawn: bool
    created_at: str
    event_id: str


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One entry of the audit log: who did what to what."""

    actor: str
    action: str
    object_type: str
    object_id: str
    detail: dict[str, Any]
    created_at: str


@dataclass(frozen=True, slots=True)
class IngestedFile:
    """One file of the inbox: taken (``reason`` is None) or set aside with its one-sentence reason."""

    name: str
    kind: str
    rows: int
    reason: str | None = None
