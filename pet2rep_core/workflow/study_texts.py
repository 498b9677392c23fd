"""The texts of an item as a reader sees them: unchanged, with their hash and their sentences."""

from __future__ import annotations

from pet2rep_core.records import StudyItem, text_sha256
from pet2rep_core.report.sentences import split_sentences
from pet2rep_core.store import Store
from pet2rep_core.workflow.study_file import StudyFile
from pet2rep_core.workflow.study_records import ShownText


def generated_text(store: Store, item: StudyItem) -> ShownText:
    """Return the generated report of an item."""
    return shown(store.studies.text_of(item))


def reference_text(store: Store, study: StudyFile, item: StudyItem) -> ShownText | None:
    """Return the reference report of an item in the study's language, or None where there is none."""
    for stored in store.reports(item.case_id):
        if stored.kind == "reference" and stored.report.language is study.protocol.language:
            return shown(stored.report.text)
    return None


def shown(text: str) -> ShownText:
    """Return a text with its hash and its sentences."""
    return ShownText(text, text_sha256(text), split_sentences(text))
