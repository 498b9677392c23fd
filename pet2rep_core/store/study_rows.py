"""Reader studies as rows: the streams, what comes out of them, and ratings as JSON and back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

from pet2rep_core.records import ItemKind, Mark, MarkKind, Missed, Stage, StudyItem, StudyRating
from pet2rep_core.store.events import Stream
from pet2rep_core.store.rows import Row, iso

STUDY_EVENTS = Stream(
    "study_event",
    "study step",
    (
        "event_id", "study_id", "revision", "actor", "role", "action", "subject", "content", "created_at", "prev_hash",
        "row_hash",
    ),
    ("study_id",),
    frozenset({"content"}),
)  # fmt: skip
STUDY_RATINGS = Stream(
    "study_rating",
    "study rating",
    (
        "event_id", "study_id", "code", "stage", "revision", "reader", "answers", "reasons", "comments", "comment",
        "marks", "missed", "leaks", "rubric_version", "shown_sha256", "reference_sha256", "active_ms", "opening",
        "reason", "created_at", "prev_hash", "row_hash",
    ),
    ("study_id", "code", "stage"),
    frozenset({"answers", "reasons", "comments", "marks", "missed", "leaks"}),
)  # fmt: skip
ITEM_COLUMNS = tuple(one.name for one in fields(StudyItem))
_RATING = tuple(one.name for one in fields(StudyRating))
ASSIGN, STATE, GRANT = "assign", "state", "grant-unlock"
"""Actions that the store itself understands: items, the seal of a locked study, and what may change after it."""


@dataclass(frozen=True, slots=True)
class StudyEvent:
    """Who did what in a study. ``subject`` is a reader or the code of an item, or empty; ``content`` is JSON."""

    study_id: str
    actor: str
    role: str
    action: str
    subject: str
    content: dict[str, Any]
    event_id: str = ""
    revision: int = 0
    created_at: str = ""


_EVENT = tuple(one.name for one in fields(StudyEvent))


@dataclass(frozen=True, slots=True)
class StoredStudyRating:
    """One revision of a rating of a study."""

    event_id: str
    revision: int
    rating: StudyRating
    created_at: str


@dataclass(frozen=True, slots=True)
class SavedStudyRating:
    """A rating that is on the disk. ``repeated`` is true where the same click had been saved before."""

    stored: StoredStudyRating
    repeated: bool


@dataclass(frozen=True, slots=True)
class StudyDraft:
    """What was on a reader's screen, not submitted yet; ``rating_revision`` is the submitted one before it."""

    number: int
    rating_revision: int
    opening: str
    content: dict[str, Any]
    created_at: str


@dataclass(frozen=True, slots=True)
class Opening:
    """One time that an item was opened, and the texts that were sent to the screen; only the newest may write."""

    opening: str
    code: str
    stage: Stage
    number: int
    reader: str
    shown_sha256: str
    reference_sha256: str
    created_at: str


def rating_row(rating: StudyRating) -> Row:
    """Return a rating as a row, without what the store adds."""
    row = asdict(rating)
    for name in ("marks", "missed"):
        row[name] = list(row[name])
    row["leaks"] = {"kinds": list(row["leaks"]), "version": row.pop("leaks_version")}
    return row | {"stage": rating.stage.value, "marks": [one | {"kind": str(one["kind"])} for one in row["marks"]]}


def stored_rating(event: Row) -> StoredStudyRating:
    """Return the rating of an event."""
    values = {name: event[name] for name in _RATING if name != "leaks_version"}
    leaks = event["leaks"]
    if isinstance(leaks, list):  # an earlier program kept the kinds alone
        leaks = {"kinds": leaks, "version": ""}
    values |= {
        "stage": Stage(event["stage"]),
        "marks": tuple(Mark(**{**one, "kind": MarkKind(one["kind"])}) for one in event["marks"]),
        "missed": tuple(Missed(**one) for one in event["missed"]),
        "leaks": tuple(leaks["kinds"]),
        "leaks_version": leaks["version"],
    }
    return StoredStudyRating(event["event_id"], event["revision"], StudyRating(**values), event["created_at"])


def stored_event(event: Row) -> StudyEvent:
    """Return the study event of a row."""
    return StudyEvent(**{name: event[name] for name in _EVENT})


def read_item(row: Iterable[Any]) -> StudyItem:
    """Return an item from the columns :data:`ITEM_COLUMNS`."""
    values = dict(zip(ITEM_COLUMNS, row, strict=True))
    return StudyItem(**{**values, "kind": ItemKind(values["kind"])})


def read_opening(row: Iterable[Any]) -> Opening:
    """Return an opening from its columns."""
    opening, code, stage, number, reader, shown, reference, created_at = row
    return Opening(opening, code, Stage(stage), number, reader, shown, reference, iso(created_at))


def item_rows(event: Row) -> list[Row]:
    """Return the rows of the items of an event "assign".

    Its content has ``items`` (without the reader), ``runs`` (model, input setting and language by run) and
    ``datasets`` (by case), so that a study can be exported from its events alone.
    """
    content = event["content"]
    return [
        {
            **item,
            "study_id": event["study_id"],
            "reader": event["subject"],
            "dataset": content["datasets"][item["case_id"]],
            **content["runs"][item["run_id"]],
        }
        for item in content["items"]
    ]


def answer_rows(event: Row) -> list[tuple[str, str, int | None, str, str]]:
    """Return event, dimension, value, reason and comment for each answer of a rating."""
    return [
        (event["event_id"], key, value, event["reasons"].get(key, ""), event["comments"].get(key, ""))
        for key, value in sorted(event["answers"].items())
    ]
