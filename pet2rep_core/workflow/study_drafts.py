"""What a reader's screen sends and gets as JSON, and whether it can be an answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pet2rep_core.errors import StoreError
from pet2rep_core.records import Mark, MarkKind, Missed, Stage
from pet2rep_core.study.rubric import VALUES, Rubric
from pet2rep_core.workflow.study_records import DeskDraft, ShownText

MAX_TEXT = 4000
MAX_MARKS = 400
MAX_ACTIVE_MS = 24 * 3600 * 1000
_HINT = "Load the page again, then answer anew."
_OPENING = re.compile(r"[0-9a-f]{24}")


def draft_json(draft: DeskDraft) -> dict[str, Any]:
    """Return a draft as JSON holds it: the names of :class:`DeskDraft`, marks and missed sentences as objects."""
    return {
        "opening": draft.opening,
        "stage": draft.stage.value,
        "revision": draft.revision,
        "answers": dict(draft.answers),
        "reasons": dict(draft.reasons),
        "comments": dict(draft.comments),
        "comment": draft.comment,
        "marks": [
            {"sentence": m.sentence, "start": m.start, "end": m.end, "kind": m.kind.value, "significant": m.significant}
            for m in draft.marks
        ],
        "missed": [
            {"sentence": m.sentence, "start": m.start, "end": m.end, "significant": m.significant} for m in draft.missed
        ],
        "active_ms": draft.active_ms,
    }


def read_draft(value: Mapping[str, Any]) -> DeskDraft:
    """Return the draft that a screen sent.

    Raises
    ------
    StoreError
        If a part is missing, too long or not of its kind.
    """
    try:
        draft = DeskDraft(
            opening=_text(value["opening"]),
            stage=Stage(value["stage"]),
            revision=_whole(value["revision"]),
            answers={_text(key): None if one is None else _whole(one) for key, one in value["answers"].items()},
            reasons=_texts(value.get("reasons", {})),
            comments=_texts(value.get("comments", {})),
            comment=_text(value.get("comment", "")),
            marks=tuple(
                Mark(*_place(one), kind=MarkKind(one["kind"]), significant=_yes_or_no(one["significant"]))
                for one in _listed(value.get("marks", ()))
            ),
            missed=tuple(
                Missed(*_place(one), significant=_yes_or_no(one["significant"]))
                for one in _listed(value.get("missed", ()))
            ),
            active_ms=_whole(value.get("active_ms", 0)),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError("The answers of this screen cannot be read.", hint=_HINT) from error
    if not _OPENING.fullmatch(draft.opening):
        raise StoreError("The screen does not say when it was opened.", hint=_HINT)
    return draft


def check_draft(draft: DeskDraft, rubric: Rubric, generated: ShownText, reference: ShownText | None) -> None:
    """Refuse what could not be part of an answer, complete or not.

    Raises
    ------
    StoreError
        With the part that cannot be.
    """
    for key in sorted({*draft.answers, *draft.reasons, *draft.comments}):
        rubric.dimension(key)
    for key, value in draft.answers.items():
        if value is not None and value not in VALUES:
            raise StoreError(
                f"The answer for {key!r} is {value!r}.", hint="Give a whole number from 1 to 5, or not assessable."
            )
    if not 0 <= draft.active_ms <= MAX_ACTIVE_MS:
        raise StoreError(f"The item took {draft.active_ms} ms.", hint="Check the clock of the computer.")
    _check_places(draft.marks, generated)
    if draft.missed and reference is None:
        raise StoreError("A sentence is missed from a reference report that was not shown.", hint=_HINT)
    if reference is not None:
        _check_places(draft.missed, reference)


def check_complete(draft: DeskDraft, rubric: Rubric) -> None:
    """Refuse an answer that is not complete.

    Raises
    ------
    StoreError
        With what is missing.
    """
    missing = [key for key in rubric.keys if key not in draft.answers]
    if missing:
        raise StoreError(f"{len(missing)} of {len(rubric.keys)} dimensions have no answer.", hint="Answer them first.")
    without = [key for key in rubric.keys if draft.answers[key] is None and not draft.reasons.get(key, "").strip()]
    if without:
        raise StoreError(
            f"{without[0]!r} is not assessable without a reason.", hint="Say in a few words why it cannot be assessed."
        )


def _check_places(marks: Sequence[Mark | Missed], shown: ShownText) -> None:
    for mark in marks:
        if not 0 <= mark.sentence < len(shown.sentences) or not 0 <= mark.start < mark.end <= len(shown.text):
            raise StoreError("A marked sentence is not in the report.", hint=_HINT)


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        raise ValueError
    return value


def _texts(value: Mapping[str, object]) -> dict[str, str]:
    return {_text(key): _text(one) for key, one in value.items()}


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _yes_or_no(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _place(value: Mapping[str, object]) -> tuple[int, int, int]:
    return _whole(value["sentence"]), _whole(value["start"]), _whole(value["end"])


def _listed(value: object) -> Sequence[Mapping[str, Any]]:
    if not isinstance(value, list | tuple) or len(value) > MAX_MARKS:
        raise ValueError
    return value
