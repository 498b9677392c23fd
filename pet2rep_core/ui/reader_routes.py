"""Addresses that a reader's viewer asks: measure in a case, keep notes, remember settings. JSON both ways."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pet2rep_core.errors import PermissionDeniedError
from pet2rep_core.records import Language, StudyItem
from pet2rep_core.store import StoredMeasurement
from pet2rep_core.ui.leave import PRIVATE, Answer, asked_language, checked, from_our_page, no, sent_json
from pet2rep_core.ui.sentences import in_language
from pet2rep_core.ui.server import server
from pet2rep_core.workflow.measure import (
    kept_measurements,
    measure_case,
    save_viewer_settings,
    viewer_settings,
    withdraw_measurement,
)
from pet2rep_core.workflow.measure_json import read_request

LARGEST_BODY = 2**16
_JSON = "application/json"

Give = Callable[[Request, str, str], Any]


def answered(give: Give) -> Answer:
    """Answer with what a function gives, as JSON, with its reasons in the language that the page asked for."""

    def answer(request: Request, case_id: str, reader: str) -> Response:
        given = give(request, case_id, reader)
        return JSONResponse(_with_reasons_in(asked_language(request), given), headers=PRIVATE)

    return answer


def _with_reasons_in(language: Language, given: Any) -> Any:
    """Return what is given with every ``reason`` said in a language; the store keeps them in English."""
    if isinstance(given, dict):
        return {
            name: in_language(part, language)
            if name == "reason" and isinstance(part, str)
            else _with_reasons_in(language, part)
            for name, part in given.items()
        }
    return [_with_reasons_in(language, part) for part in given] if isinstance(given, list) else given


def posted(give: Give) -> Answer:
    """Answer only what our own page sent, as JSON of a sensible size."""
    answer = answered(give)

    def guarded(request: Request, case_id: str, reader: str) -> Response:
        refused = _refused(request)
        return answer(request, case_id, reader) if refused is None else refused

    return guarded


def _refused(request: Request) -> Response | None:
    if not from_our_page(request):
        return no(request, 403, "This was not sent by the app's own page.", "Use the viewer of the app.")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _JSON:
        return no(request, 415, "What was sent does not say that it is JSON.", f"Send it as {_JSON}.")
    if len(request.state.body) > LARGEST_BODY:
        return no(request, 413, f"More than {LARGEST_BODY} bytes were sent.", "Draw the outline with fewer points.")
    return None


def _measure(request: Request, case_id: str, reader: str) -> dict[str, Any]:
    one = server()
    asked = read_request(sent_json(request))
    item = None if not _in_study(request) else _item(request, reader, asked.generation_id or "")
    if item is not None:
        own = asked.measurement_id.startswith(f"{item.code}_")
        measurement_id = asked.measurement_id if own else f"{item.code}_{uuid.uuid4().hex}"
        asked = replace(asked, measurement_id=measurement_id, generation_id=item.generation_id)
    done = measure_case(one.store, one.settings, case_id, reader, asked)
    kept = None if done.note is None else _note(done.note, item)
    return {"shape": {"kind": done.kind, **done.shape}, "role": done.role, **done.content, "kept": kept}


def _measurements(request: Request, case_id: str, reader: str) -> dict[str, Any]:
    notes = kept_measurements(server().store, case_id, reader)
    item = None if not _in_study(request) else _item(request, reader, request.query_params.get("item", ""))
    if item is not None:  # those of another item would tell that the patient was seen before
        notes = [note for note in notes if note.measurement.measurement_id.startswith(f"{item.code}_")]
    return {
        "measurements": [
            {
                "shape": {"kind": note.measurement.kind, **note.measurement.shape},
                "role": note.measurement.role,
                **note.measurement.result,
                "kept": _note(note, item),
            }
            for note in notes
        ]
    }


def _withdraw(request: Request, case_id: str, reader: str) -> dict[str, Any]:
    note = withdraw_measurement(server().store, case_id, reader, request.path_params["measurement_id"])
    return {"withdrawn": note.measurement.measurement_id, "revision": note.revision}


def _settings(_request: Request, _case_id: str, reader: str) -> dict[str, Any]:
    return viewer_settings(server().store, reader)


def _save_settings(request: Request, _case_id: str, reader: str) -> dict[str, Any]:
    return save_viewer_settings(server().store, reader, sent_json(request))


def _in_study(request: Request) -> bool:
    return "study_id" in request.path_params


def _item(request: Request, reader: str, code: str) -> StudyItem:
    """Return the reader's own item for which something is measured; its alias is the one that the path names."""
    item = server().store.studies.item(request.path_params["study_id"], code)
    if item.reader != reader or item.alias != request.path_params["alias"]:
        raise PermissionDeniedError("This item is another reader's, or of another case.", hint="Reload the page.")
    return item


def _note(note: StoredMeasurement, item: StudyItem | None = None) -> dict[str, Any]:
    """Return where something was kept; in a study the item's code stands for the generated report."""
    measurement = note.measurement
    return {
        "id": measurement.measurement_id,
        "revision": note.revision,
        "label": measurement.label,
        "generation_id": measurement.generation_id if item is None else item.code,
        "created_at": note.created_at,
    }


def reader_routes(prefix: str) -> list[Route]:
    """Return the routes below the address of a case, such as ``/api/case/{case_id}``."""
    return [
        Route(f"{prefix}/measure", checked(posted(_measure)), methods=["POST"]),
        Route(f"{prefix}/measurements", checked(answered(_measurements)), methods=["GET"]),
        Route(f"{prefix}/measurements/{{measurement_id}}/withdraw", checked(posted(_withdraw)), methods=["POST"]),
        Route(f"{prefix}/settings", checked(answered(_settings)), methods=["GET"]),
        Route(f"{prefix}/settings", checked(posted(_save_settings)), methods=["POST"]),
    ]


READER_ROUTES = reader_routes("/api/case/{case_id}")
"""Every one of them needs leave for the case; each gives a reader's own notes only."""
