"""What the reading desk in the browser is sent, made of the records of :mod:`pet2rep_core.workflow.study_records`.

Nothing here names a model, a run, a generation, a case, a dataset, a file or a score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from pet2rep_core.records import Language
from pet2rep_core.ui.plain import Clickable, visible
from pet2rep_core.workflow.study_read import draft_json
from pet2rep_core.workflow.study_records import (
    Consensus,
    Desk,
    DeskDraft,
    EmptyDesk,
    GuessSheet,
    ItemState,
    ShownText,
    Submitted,
)

Places = Sequence[Clickable]


def desk_json(desk: Desk, *, generated_places: Places = (), reference_places: Places = ()) -> dict[str, Any]:
    """Return an open item as JSON.

    Parameters
    ----------
    generated_places, reference_places
        Words of the reports that lead to places of the images, in order and not overlapping.
    """
    reference = desk.reference
    shown = None if reference is None else report_json(reference, desk.language, reference_places)
    return {
        "study": _study_json(desk) | {"staged": desk.staged},
        "item": {
            "code": desk.code,
            "number": desk.number,
            "total": desk.total,
            "done": desk.done,
            "training": desk.is_training,
            "stage": desk.stage.value,
            "generated": report_json(desk.generated, desk.language, generated_places),
            "reference": shown,
            "draft": draft_json(desk.draft),
            "source": desk.source.value,
            "provisional": None if desk.provisional is None else dict(desk.provisional.answers),
            "feedback": None if desk.consensus is None else consensus_json(desk.consensus, desk.draft),
            "previous": desk.previous_code,
            "next": desk.next_code,
            "may_submit": desk.may_submit,
            "needs_reason": desk.needs_reason,
            "unlock": desk.unlock.value,
        },
    }


def empty_json(empty: EmptyDesk, sheet: GuessSheet | None) -> dict[str, Any]:
    """Return why there is no item to open; with the codes to guess about where the reader may still guess."""
    guess = None if sheet is None else {"codes": list(sheet.codes)}
    return {
        "study": _study_json(empty),
        "empty": {"reason": empty.reason.value, "done": empty.done, "total": empty.total, "guess": guess},
    }


def submitted_json(submitted: Submitted, draft: DeskDraft) -> dict[str, Any]:
    """Return what became of a submission; for a training item in its last stage with the consensus."""
    consensus = submitted.consensus
    return {
        "revision": submitted.revision,
        "next_stage": None if submitted.next_stage is None else submitted.next_stage.value,
        "next_code": submitted.next_code,
        "feedback": None if consensus is None else consensus_json(consensus, draft) | {"passed": submitted.passed},
    }


def consensus_json(consensus: Consensus, draft: DeskDraft) -> dict[str, Any]:
    """Return the consensus on a training item beside the reader's own answers, by dimension."""
    return {
        "rows": [
            {"dimension": key, "yours": draft.answers.get(key), "consensus": value}
            for key, value in consensus.values.items()
        ],
        "note": consensus.feedback,
        "within_one": consensus.within_one,
    }


def items_json(items: Sequence[ItemState]) -> dict[str, Any]:
    """Return numbers and states of a reader's items."""
    return {
        "items": [
            {
                "number": item.number,
                "code": item.code,
                "training": item.is_training,
                "state": item.progress.value,
                "may_open": item.may_open,
            }
            for item in items
        ]
    }


def report_json(shown: ShownText, language: Language, places: Places = ()) -> dict[str, Any]:
    """Return a report cut into sentences, and these into words that lead somewhere and words that do not.

    Each segment is ``{"sentence": number or null, "start", "end", "parts": [{"text", ...}]}``; together the parts are
    the whole text. Places count characters of the text as stored (code points), which scripts do not count alike.
    """
    return {"language": language.value, "segments": list(_segments(shown, places))}


def _segments(shown: ShownText, places: Places) -> Iterator[dict[str, Any]]:
    before = 0
    for one in shown.sentences:
        if one.start > before:
            yield _segment(shown.text, None, before, one.start, places)
        yield _segment(shown.text, one.number, one.start, one.end, places)
        before = one.end
    if before < len(shown.text):
        yield _segment(shown.text, None, before, len(shown.text), places)


def _segment(text: str, number: int | None, start: int, end: int, places: Places) -> dict[str, Any]:
    return {"sentence": number, "start": start, "end": end, "parts": list(_parts(text, start, end, places))}


def _parts(text: str, start: int, end: int, places: Places) -> Iterator[dict[str, Any]]:
    inside = [place for place in places if place.start < end and place.end > start]
    ends = [min(max(cut, start), end) for place in inside for cut in (place.start, place.end)]
    for first, last in pairwise(sorted({start, end, *ends})):
        part: dict[str, Any] = {"text": visible(text[first:last])}
        place = next((one for one in inside if one.start <= first and last <= one.end), None)
        if place is not None:
            part["point"] = ",".join(f"{at:.2f}" for at in place.point)
            part["plane"] = place.plane
            part["label"] = visible(place.label)
        yield part


def _study_json(desk: Desk | EmptyDesk) -> dict[str, Any]:
    return {"state": desk.state.value}


def guesses_of(sent: Mapping[str, Any]) -> dict[str, str]:
    """Return the guesses that a screen sent, by item; the code "" is the study as a whole."""
    guesses = sent.get("guesses")
    if not isinstance(guesses, dict):
        return {}
    return {str(code): str(said) for code, said in guesses.items()}
