"""Which model was this? A check of the blinding that readers answer once they have finished."""

from __future__ import annotations

import random
from collections.abc import Mapping

from pet2rep_core.errors import PermissionDeniedError, StoreError
from pet2rep_core.records import ItemKind, Person, Stage, StudyItem, StudyState
from pet2rep_core.store import Store
from pet2rep_core.workflow.study_file import GUESS, StudyFile, event_of, is_finished, main_items
from pet2rep_core.workflow.study_records import GuessSheet
from pet2rep_core.workflow.study_shelf import open_shelf

SAMPLE = 12
MAX_GUESS = 200


def may_guess(study: StudyFile, items: list[StudyItem], finished: dict[str, set[Stage]]) -> bool:
    """Tell whether a reader is asked: all items are finished or the study was locked, and no name was told yet."""
    if study.state is StudyState.LOCKED:
        return True
    return study.state is StudyState.COLLECTING and all(is_finished(study, one, finished) for one in main_items(items))


def guess_sheet(store: Store, person: Person, study_id: str) -> GuessSheet:
    """Return the items about which a reader who has finished is asked which model wrote them.

    No names are offered to choose from: until it is unblinded a study may come to the reader again.

    Raises
    ------
    PermissionDeniedError
        If the reader has items left, or the names were told already.
    """
    shelf = open_shelf(store, person, study_id)
    if not may_guess(shelf.study, shelf.items, shelf.finished):
        raise PermissionDeniedError(
            "The models are guessed after the last item and before their names are told.",
            hint="Finish your items first.",
        )
    done = [item for item in shelf.items if item.kind is ItemKind.MAIN and shelf.is_done(item)]
    chance = random.Random(f"{shelf.study.protocol.seed}|guess|{person.name}")
    chance.shuffle(done)
    by_run: dict[str, list[StudyItem]] = {}
    for item in done:
        by_run.setdefault(item.run_id, []).append(item)
    sample: list[StudyItem] = []
    while len(sample) < SAMPLE and any(by_run.values()):  # the runs take turns
        for waiting in by_run.values():
            if waiting and len(sample) < SAMPLE:
                sample.append(waiting.pop())
    chance.shuffle(sample)
    return GuessSheet(tuple(item.code for item in sample))


def guess_model(
    store: Store, person: Person, study_id: str, guesses: Mapping[str, str], *, event_id: str, comment: str = ""
) -> None:
    """Keep which model a reader thinks wrote which item, by code; the code "" is the study as a whole.

    The first answer of a reader counts; later ones are kept too.

    Raises
    ------
    PermissionDeniedError
        If the reader is not asked, or an item is another reader's.
    StoreError
        If an answer is too long or there is none.
    """
    sheet = guess_sheet(store, person, study_id)
    said = {code: name.strip() for code, name in guesses.items() if name.strip()}
    if not said and not comment.strip():
        raise StoreError("There is no guess in the answer.", hint="Name a model for at least one report.")
    if any(len(name) > MAX_GUESS for name in (*said.values(), comment)):
        raise StoreError("A guess is too long.", hint=f"Use at most {MAX_GUESS} characters.")
    if set(said) - {*sheet.codes, ""}:
        raise PermissionDeniedError("A guess is about an item that was not asked for.", hint="Load the page again.")
    content = {"guesses": said, "comment": comment.strip(), "asked": list(sheet.codes)}
    store.studies.record_event(event_of(person, study_id, GUESS, person.name, content, event_id))
