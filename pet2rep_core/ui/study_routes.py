"""Addresses that the reading desk asks: the open item, drafts, submitting, the list of items, the guess at the end.

JSON both ways. Every answer is for the reader whom the token names, about this reader's own items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from pet2rep_core.errors import InputDataError, Pet2RepError
from pet2rep_core.records import Person
from pet2rep_core.ui.desk_json import desk_json, empty_json, guesses_of, items_json, submitted_json
from pet2rep_core.ui.leave import checked, rater, sent_json
from pet2rep_core.ui.places import places_in
from pet2rep_core.ui.reader_routes import Give, answered, posted
from pet2rep_core.ui.server import server
from pet2rep_core.workflow.open_case import open_case
from pet2rep_core.workflow.places import Place
from pet2rep_core.workflow.study_file import read_study
from pet2rep_core.workflow.study_read import (
    ask_unlock,
    case_behind,
    guess_model,
    guess_sheet,
    keep_draft,
    list_items,
    open_desk,
    read_draft,
    submit,
)
from pet2rep_core.workflow.study_records import Desk, EmptyDesk, ShownText
from pet2rep_core.workflow.study_texts import generated_text, reference_text

STUDY = "/api/study/{study_id}"
STUDY_CASE = STUDY + "/case/{alias}"
"""Where the viewer's routes are for a case of a study, under its alias."""

_LONGEST_TEXT = 2000

Work = Callable[[Request, Person, str], dict[str, Any]]


def _for_reader(work: Work) -> Give:
    """Give an answer the person and the study instead of a case."""

    def give(request: Request, study_id: str, reader: str) -> dict[str, Any]:
        return work(request, rater(reader), study_id)

    return give


def _desk(request: Request, person: Person, study_id: str) -> dict[str, Any]:
    one = server()
    desk = open_desk(one.store, person, study_id, code=request.query_params.get("code") or None)
    if isinstance(desk, EmptyDesk):
        return empty_json(desk, guess_sheet(one.store, person, study_id) if desk.may_guess else None)
    answer = desk_json(
        desk,
        generated_places=_places(person, desk, desk.generated),
        reference_places=() if desk.reference is None else _places(person, desk, desk.reference),
    )
    one.facts.soon(lambda: _look_ahead(study_id, (desk.code, desk.next_code)))
    return answer


def _places(person: Person, desk: Desk, shown: ShownText) -> tuple[Place, ...]:
    """Return the words of a report that lead into the images; none where these cannot be opened, the report counts."""
    one = server()
    case_id = case_behind(one.store, person, desk.study_id, desk.code)
    try:
        return places_in(one, open_case(one.store, one.settings, case_id), shown.text, desk.language)
    except Pet2RepError:
        return ()  # the viewer beside the report says what is wrong with the images


def _look_ahead(study_id: str, codes: Iterable[str]) -> None:
    """Find where the words of items lead before they are opened: it takes half a second for a whole report."""
    one = server()
    try:
        study = read_study(one.store, study_id)
        for item in (one.store.studies.item(study_id, code) for code in codes if code):
            case = open_case(one.store, one.settings, item.case_id)
            for shown in (generated_text(one.store, item), reference_text(one.store, study, item)):
                if shown is not None:
                    places_in(one, case, shown.text, study.protocol.language)
    except Pet2RepError:
        return  # what is wrong is said when the item is opened


def _draft(request: Request, person: Person, study_id: str) -> dict[str, Any]:
    sent = sent_json(request)
    number = keep_draft(server().store, person, study_id, request.path_params["code"], read_draft(sent))
    return {"number": number, "kept_at": _now()}


def _submit(request: Request, person: Person, study_id: str) -> dict[str, Any]:
    sent = sent_json(request)
    draft = read_draft(_without(sent, "event_id", "reason"))
    done = submit(
        server().store,
        person,
        study_id,
        request.path_params["code"],
        draft,
        event_id=_text(sent, "event_id"),
        reason=_text(sent, "reason"),
    )
    return submitted_json(done, draft) | {"saved_at": _now()}


def _items(_request: Request, person: Person, study_id: str) -> dict[str, Any]:
    return items_json(list_items(server().store, person, study_id))


def _guess(request: Request, person: Person, study_id: str) -> dict[str, Any]:
    sent = sent_json(request)
    store = server().store
    guess_model(
        store, person, study_id, guesses_of(sent), event_id=_text(sent, "event_id"), comment=_text(sent, "comment")
    )
    return {"kept_at": _now()}


def _unlock(request: Request, person: Person, study_id: str) -> dict[str, Any]:
    reason = _text(sent_json(request), "reason")
    ask_unlock(server().store, person, study_id, request.path_params["code"], reason)
    return {"asked_at": _now()}


def _text(sent: dict[str, Any], name: str) -> str:
    value = sent.get(name, "")
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
        raise InputDataError(f"{name!r} is not a text of a sensible length.", hint="Reload the page.")
    return value.strip()


def _without(sent: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in sent.items() if name not in names}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _route(path: str, work: Work, method: str) -> Route:
    wrap = posted if method == "POST" else answered
    return Route(STUDY + path, checked(wrap(_for_reader(work))), methods=[method])


STUDY_ROUTES = [
    _route("/desk", _desk, "GET"),
    _route("/items", _items, "GET"),
    _route("/items/{code}/draft", _draft, "POST"),
    _route("/items/{code}/submit", _submit, "POST"),
    _route("/items/{code}/unlock", _unlock, "POST"),
    _route("/guess", _guess, "POST"),
]
"""Every one of them needs leave for the study."""
