"""All items of one reader of a study, with what may be done with each now."""

from __future__ import annotations

from dataclasses import dataclass

from pet2rep_core.errors import PermissionDeniedError
from pet2rep_core.records import ItemKind, Person, Stage, StudyItem, StudyState
from pet2rep_core.store import Store
from pet2rep_core.store.study_rows import GRANT
from pet2rep_core.workflow.study_calibration import calibration
from pet2rep_core.workflow.study_file import ASK, OPEN_STATES, REFUSE, StudyFile, read_study
from pet2rep_core.workflow.study_records import UnlockState


def open_shelf(store: Store, person: Person, study_id: str) -> Shelf:
    """Return the items of a person.

    Raises
    ------
    PermissionDeniedError
        If the person has none in the study.
    """
    study = read_study(store, study_id)
    items = store.studies.items(study_id, person.name)
    if not items:
        raise PermissionDeniedError(
            "You are not a reader of this study, or it has not been started.", hint="Ask who runs the study."
        )
    revisions = store.studies.revisions(study_id, person.name)
    return Shelf(
        store=store,
        study=study,
        reader=person.name,
        items=items,
        revisions=revisions,
        unlocks=_unlocks(store, study_id, revisions) if study.state is StudyState.LOCKED else {},
        may_main=study.state is StudyState.COLLECTING and calibration(store, study, person.name, items).may_go_on,
    )


def _unlocks(store: Store, study_id: str, revisions: dict[tuple[str, Stage], int]) -> dict[str, UnlockState]:
    """Return, by code, what was asked and granted; a leave is good for one change."""
    found = {}
    for event in store.studies.events(study_id, ASK, GRANT, REFUSE):
        if event.action == ASK:
            found[event.subject] = UnlockState.ASKED
        else:
            used = revisions.get((event.subject, Stage.FINAL), 0) > event.content["revision"]
            granted = event.action == GRANT and not used
            found[event.subject] = UnlockState.GRANTED if granted else UnlockState.NONE
    return found


@dataclass(frozen=True, slots=True)
class Shelf:
    """A study and all items of one reader, with what was submitted."""

    store: Store
    study: StudyFile
    reader: str
    items: list[StudyItem]
    revisions: dict[tuple[str, Stage], int]
    unlocks: dict[str, UnlockState]
    may_main: bool

    @property
    def finished(self) -> dict[str, set[Stage]]:
        """By code, the stages that were submitted."""
        found: dict[str, set[Stage]] = {}
        for code, stage in self.revisions:
            found.setdefault(code, set()).add(stage)
        return found

    @property
    def next(self) -> StudyItem | None:
        """The first item that may be answered and is not finished; after the lock, one that was unlocked."""
        if self.study.state is StudyState.LOCKED:
            return next((one for one in self.items if self.unlock(one) is UnlockState.GRANTED), None)
        return next((one for one in self.items if self.may_submit(one) and not self.is_done(one)), None)

    def is_done(self, item: StudyItem) -> bool:
        """Tell whether all stages of an item were submitted."""
        return (item.code, self.study.stages[-1]) in self.revisions

    def stage(self, item: StudyItem) -> Stage:
        """Return the stage in which an item is, the last one for a finished item."""
        stages = self.study.stages
        return next((stage for stage in stages if (item.code, stage) not in self.revisions), stages[-1])

    def may_submit(self, item: StudyItem) -> bool:
        """Tell whether an item may be answered or changed now."""
        if self.study.state in OPEN_STATES:
            if item.kind is ItemKind.TRAINING:  # the consensus was shown: it cannot be answered again
                return not self.is_done(item)
            return self.study.state is StudyState.COLLECTING and self.may_main
        return self.unlock(item) is UnlockState.GRANTED

    def may_open(self, item: StudyItem) -> bool:
        """Tell whether an item may be looked at: one that may be answered, or a finished one."""
        return self.study.state is not StudyState.DRAFT and (self.is_done(item) or self.may_submit(item))

    def unlock(self, item: StudyItem) -> UnlockState:
        """Tell whether an item of a locked study may be changed."""
        return self.unlocks.get(item.code, UnlockState.NONE)
