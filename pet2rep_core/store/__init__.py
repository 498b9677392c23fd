"""What happened, never overwritten: cases, reports, runs, generations, scores, ratings, notes in DuckDB."""

from pet2rep_core.store.inbox import InboxRecorder, hand_over
from pet2rep_core.store.opening import open_or_hand_over, open_store
from pet2rep_core.store.recorder import Recorder
from pet2rep_core.store.store import Store
from pet2rep_core.store.stored import (
    CaseRow,
    Cell,
    CellOverrule,
    Draft,
    IngestedFile,
    Measurement,
    Recorded,
    RunRow,
    SavedRating,
    StoredEvent,
    StoredGeneration,
    StoredMeasurement,
    StoredOverrule,
    StoredRating,
    StoredReport,
    StoredScore,
)
from pet2rep_core.store.studies import StudyLog
from pet2rep_core.store.study_rows import SavedStudyRating, StoredStudyRating, StudyDraft, StudyEvent
from pet2rep_core.store.transaction import RowsRefusedError

__all__ = [
    "CaseRow",
    "Cell",
    "CellOverrule",
    "Draft",
    "InboxRecorder",
    "IngestedFile",
    "Measurement",
    "Recorded",
    "Recorder",
    "RowsRefusedError",
    "RunRow",
    "SavedRating",
    "SavedStudyRating",
    "Store",
    "StoredEvent",
    "StoredGeneration",
    "StoredMeasurement",
    "StoredOverrule",
    "StoredRating",
    "StoredReport",
    "StoredScore",
    "StoredStudyRating",
    "StudyDraft",
    "StudyEvent",
    "StudyLog",
    "hand_over",
    "open_or_hand_over",
    "open_store",
]
