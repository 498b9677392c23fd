"""Addresses that a reader's viewer asks: measure in a case, keep notes, remember settings. JSON both ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pet2rep_core.records import Language
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


def _answered(give: Give) -> Answer:
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


def _posted(give: Give) -> Answer:
    """Answer only what our own page sent, as JSON of a sensible size."""
    answer = _answered(give)

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
    done = measure_case(one.store, one.settings, case_id, reader, read_request(sent_json(request)))
    kept = None if done.note is None else _note(done.note)
    return {"shape": {"kind": done.kind, **done.shape}, "role": done.role, **done.content, "kept": kept}


def _measurements(_request: Request, case_id: str, reader: str) -> dict[str, Any]:
    notes = kept_measurements(server().store, case_id, reader)
    return {
        "measurements": [
            {
                "shape": {"kind": note.measurement.kind, **note.measurement.shape},
                "role": note.measurement.role,
                **note.measurement.result,
                "kept": _note(note),
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


def _note(note: StoredMeasurement) -> dict[str, Any]:
    measurement = note.measurement
    return {
        "id": measurement.measurement_id,
        "revision": note.revision,
        "label": measurement.label,
        "generation_id": measurement.generation_id,
        "created_at": note.created_at,
    }


READER_ROUTES = [
    Route("/api/case/{case_id}/measure", checked(_posted(_measure)), methods=["POST"]),
    Route("/api/case/{case_id}/measurements", checked(_answered(_measurements)), methods=["GET"]),
    Route("/api/case/{case_id}/measurements/{measurement_id}/withdraw", checked(_posted(_withdraw)), methods=["POST"]),
    Route("/api/case/{case_id}/settings", checked(_answered(_settings)), methods=["GET"]),
    Route("/api/case/{case_id}/settings", checked(_posted(_save_settings)), methods=["POST"]),
]
"""Every one of them needs leave for the case; each gives a reader's own notes only."""
