"""Calibration: how a reader's answers to the training items compare with the consensus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pet2rep_core.records import StudyItem
from pet2rep_core.store import Store
from pet2rep_core.study.protocol import TrainingItem
from pet2rep_core.workflow.study_file import ADMIT, StudyFile, training_items
from pet2rep_core.workflow.study_records import Consensus


@dataclass(frozen=True, slots=True)
class Calibration:
    """Where a reader stands: ``within_one`` is None before the first training item was finished.

    ``passed`` is None until all are. ``admitted`` tells that a researcher let the reader go on all the same.
    """

    done: int
    total: int
    within_one: float | None
    passed: bool | None
    admitted: bool

    @property
    def may_go_on(self) -> bool:
        """Tell whether the reader may open the items that count."""
        return self.done == self.total and (self.admitted or self.passed is not False)


def consensus_of(study: StudyFile, item: StudyItem) -> TrainingItem:
    """Return what experts agreed on for a training item."""
    return next(one for one in study.protocol.training if (one.case_id, one.run_id) == (item.case_id, item.run_id))


def compare(consensus: TrainingItem, answers: Mapping[str, int | None]) -> Consensus:
    """Compare answers with the consensus; "not assessable" is not within a point of anything."""
    close = [_is_close(answers.get(key), value) for key, value in consensus.consensus.items()]
    return Consensus(dict(consensus.consensus), consensus.feedback, sum(close) / len(close))


def calibration(store: Store, study: StudyFile, reader: str, items: list[StudyItem]) -> Calibration:
    """Return where a reader stands; the first answers count, whatever was changed afterwards."""
    training = training_items(items)
    if not training:
        return Calibration(0, 0, None, None, admitted=False)
    first = store.studies.first_answers(study.study_id, [item.code for item in training])
    done = [item for item in training if item.code in first]
    close = [
        _is_close(first[item.code].get(key), value)
        for item in done
        for key, value in consensus_of(study, item).consensus.items()
    ]
    share = sum(close) / len(close) if close else None
    passed = share >= study.protocol.pass_mark if share is not None and len(done) == len(training) else None
    admitted = passed is False and store.studies.last_event(study.study_id, ADMIT, reader) is not None
    return Calibration(len(done), len(training), share, passed, admitted)


def _is_close(answer: int | None, value: int) -> bool:
    return answer is not None and abs(answer - value) <= 1
