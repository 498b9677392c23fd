"""A reader study as it stands: its protocol, its state, and what happened to it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from pet2rep_core.errors import PermissionDeniedError, SettingsError, UnknownNameError
from pet2rep_core.records import ItemKind, Person, Stage, StudyItem, StudyState
from pet2rep_core.store import Store
from pet2rep_core.store.study_rows import ASSIGN, GRANT, STATE, StudyEvent
from pet2rep_core.study.protocol import Protocol, read_protocol
from pet2rep_core.study.rubric import Rubric, read_rubric

CREATE, DISCARD = "create", "discard"
ASK, REFUSE = "ask-unlock", "refuse-unlock"
ADJUDICATE, ADMIT, REMIND, GUESS = "adjudicate", "admit", "remind", "guess"
ACTIONS = (CREATE, ASSIGN, STATE, DISCARD, ASK, GRANT, REFUSE, ADJUDICATE, ADMIT, REMIND, GUESS)
OPEN_STATES = (StudyState.CALIBRATION, StudyState.COLLECTING)
"""States in which readers submit."""


@dataclass(frozen=True, slots=True)
class StudyFile:
    """A study in its present state."""

    study_id: str
    protocol: Protocol
    state: StudyState
    created_by: str
    created_at: str
    discarded: bool

    @property
    def stages(self) -> tuple[Stage, ...]:
        """Return the stages of every item, in order."""
        return (Stage.PROVISIONAL, Stage.FINAL) if self.protocol.staged else (Stage.FINAL,)


def read_study(store: Store, study_id: str) -> StudyFile:
    """Return a study.

    Raises
    ------
    UnknownNameError
        If there is none of this name.
    """
    first = store.studies.created(study_id)
    if first is None:
        raise UnknownNameError("study", study_id[:64], store.studies.study_ids())
    events = store.studies.events(study_id, STATE, DISCARD)
    states = [event.content["to"] for event in events if event.action == STATE]
    return StudyFile(
        study_id=study_id,
        protocol=read_protocol(first.content["protocol"]),
        state=StudyState(states[-1]) if states else StudyState.DRAFT,
        created_by=first.actor,
        created_at=first.created_at,
        discarded=len(states) < len(events),
    )


@cache
def _rubric() -> Rubric:
    return read_rubric()


def rubric_of(study: StudyFile) -> Rubric:
    """Return the rubric that a study was made with.

    Raises
    ------
    SettingsError
        If the installation has another version of it now.
    """
    rubric = _rubric()
    if rubric.version != study.protocol.rubric_version:
        raise SettingsError(
            f"The study was made with the rubric {study.protocol.rubric_version!r}, here is {rubric.version!r}.",
            hint="Restore the rubric file of the study, or make a new study with the new rubric.",
        )
    return rubric


def own_item(store: Store, person: Person, study: StudyFile, code: str) -> StudyItem:
    """Return an item of a person.

    Raises
    ------
    PermissionDeniedError
        If it belongs to another reader, whatever the role of the person.
    """
    item = store.studies.item(study.study_id, code)
    if item.reader != person.name:
        raise PermissionDeniedError("This item belongs to another reader.", hint="Open your own list of items.")
    return item


def is_finished(study: StudyFile, item: StudyItem, finished: dict[str, set[Stage]]) -> bool:
    """Tell whether all stages of an item were submitted."""
    return study.stages[-1] in finished.get(item.code, ())


def main_items(items: list[StudyItem]) -> list[StudyItem]:
    """Return the items that are not for training, repeats included."""
    return [item for item in items if item.kind is not ItemKind.TRAINING]


def training_items(items: list[StudyItem]) -> list[StudyItem]:
    """Return the items for training."""
    return [item for item in items if item.kind is ItemKind.TRAINING]


def event_of(
    person: Person, study_id: str, action: str, subject: str, content: dict[str, Any], event_id: str = ""
) -> StudyEvent:
    """Return an event of a person, to be recorded."""
    return StudyEvent(
        study_id=study_id,
        actor=person.name,
        role=person.role.value,
        action=action,
        subject=subject,
        content=content,
        event_id=event_id,
    )
