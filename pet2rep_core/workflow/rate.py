"""Rate generated reports: what is to be rated, drafts, saving."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pet2rep_core.errors import StoreError
from pet2rep_core.records import Generation, GenerationStatus, Language, Rating
from pet2rep_core.store import SavedRating, Store
from pet2rep_core.study.rubric import VALUES, Rubric

_READER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]{0,31}")


@dataclass(frozen=True, slots=True)
class Form:
    """What the rating form shows when it opens: saved answers, or a draft after them.

    ``revision`` is the saved one that the form shows, 0 where there is none.
    """

    answers: dict[str, int | None]
    comment: str
    revision: int
    is_draft: bool


def check_reader(name: str) -> str:
    """Return a reader's pseudonym.

    Raises
    ------
    StoreError
        If it could be more than a pseudonym.
    """
    if not _READER.fullmatch(name):
        raise StoreError(
            f"{name!r} cannot be a reader's name.", hint="Use a pseudonym of up to 32 letters and digits, such as R01."
        )
    return name


def to_rate(store: Store, language: Language) -> list[Generation]:
    """Return the finished generations of a language, in the order of their cases."""
    return [
        stored.generation
        for stored in store.generations()
        if stored.generation.status is GenerationStatus.DONE and stored.generation.language is language
    ]


def next_unrated(store: Store, reader: str, language: Language, *, after: str = "") -> Generation | None:
    """Return the first generation that a reader has not rated, those after a case first; None where all are."""
    waiting = [g for g in to_rate(store, language) if store.rating(g.generation_id, reader) is None]
    return next((g for g in waiting if g.case_id > after), waiting[0] if waiting else None)


def open_form(store: Store, reader: str, generation_id: str) -> Form:
    """Return what a reader left on a generation: the draft if there is one, else the saved rating."""
    saved, draft = store.rating(generation_id, reader), store.draft(reader, generation_id)
    revision = 0 if saved is None else saved.revision
    if draft is not None:
        return Form(draft.answers, draft.comment, revision, is_draft=True)
    if saved is not None:
        return Form(dict(saved.rating.answers), saved.rating.comment, revision, is_draft=False)
    return Form({}, "", 0, is_draft=False)


def unanswered(rubric: Rubric, answers: dict[str, int | None]) -> list[str]:
    """Return the keys of the dimensions without an answer, in the rubric's order; None is an answer."""
    return [key for key in rubric.keys if key not in answers]


def save_rating(
    store: Store,
    rubric: Rubric,
    generation: Generation,
    reader: str,
    form: Form,
    *,
    event_id: str,
    session_id: str,
    duration_ms: int | None = None,
) -> SavedRating:
    """Save a complete rating; it is on the disk when this returns.

    Raises
    ------
    StoreError
        If an answer is missing or is not 1 to 5.
    StaleRatingError
        If a newer revision was saved meanwhile.
    """
    missing = unanswered(rubric, form.answers)
    if missing:
        raise StoreError(f"{len(missing)} of {len(rubric.keys)} dimensions have no answer.", hint="Answer them first.")
    wrong = [value for value in form.answers.values() if value is not None and value not in VALUES]
    if wrong:
        raise StoreError(f"{wrong[0]!r} is not a score.", hint="Scores are 1 to 5.")
    rating = Rating(
        generation_id=generation.generation_id,
        reader=check_reader(reader),
        answers={key: form.answers[key] for key in rubric.keys},
        rubric_version=rubric.version,
        shown_sha256=generation.sha256,
        comment=form.comment,
        duration_ms=duration_ms,
    )
    return store.record_rating(rating, event_id=event_id, base_revision=form.revision, session_id=session_id)
