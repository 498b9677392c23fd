"""Who may ask for a case over HTTP, and how an answer of ours looks when it is no.

Leave is a token of :class:`pet2rep_core.ui.tokens.Signer` in the header ``X-Case-Token``, which no access
log shows. Addresses of pictures cannot send a header; they alone may carry it as ``?token=``.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pet2rep_core.errors import (
    InputDataError,
    PermissionDeniedError,
    Pet2RepError,
    StaleRatingError,
    StoreLockedError,
)
from pet2rep_core.records import Language, Person
from pet2rep_core.ui.sentences import error_in_language, in_language
from pet2rep_core.ui.server import server

HEADER = "X-Case-Token"
PRIVATE = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
"""Headers of every answer that has to do with a patient."""

NO_LEAVE = "No leave for this case. Open it again."
NOT_SIGNED_IN = "You are not signed in any more."
_LARGEST_BODY = 2**20
_TOO_LARGE = f"More than {_LARGEST_BODY} bytes were sent."

Answer = Callable[[Request, str, str], Response]
"""Answers a request for a case to a reader; called in a thread. ``sent_json`` gives what was posted."""


def checked(
    answer: Answer, *, in_query: bool = False, at_most: Callable[[], CapacityLimiter] | None = None
) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that answers only who has leave for the case that its path names.

    Parameters
    ----------
    answer : (request, case_id, reader) -> Response
        Runs in the thread pool, so that it may read files and compute.
    in_query : bool
        Whether the token may also stand in the address, for pictures.
    at_most : function that gives a limiter, optional
        How many answers may be made at once; who has to wait holds no thread.

    Notes
    -----
    403 without leave, and for who is not signed in any more; our own errors become ``{"error": sentence,
    "hint": what to do}`` with the status of :func:`status_of`; other errors pass.
    """

    async def endpoint(request: Request) -> Response:
        case_id = request.path_params["case_id"]
        token = request.headers.get(HEADER) or (request.query_params.get("token", "") if in_query else "")
        try:
            reader = server().signer.reader_of(token, case_id)
            if reader is None:
                return no(request, 403, NO_LEAVE)
            if person_asking(request, reader) is None:
                return no(request, 403, NOT_SIGNED_IN, "Sign in again.")
            if not await _take_body(request):
                return no(request, 413, _TOO_LARGE)
            limiter = None if at_most is None else at_most()
            return await to_thread.run_sync(answer, request, case_id, reader, limiter=limiter)
        except Pet2RepError as error:
            return refusal(request, error)

    return endpoint


def person_asking(request: Request, reader: str) -> Person | None:
    """Return the person whom a token names as they are now; None who is signed out, disabled, or another one."""
    return server().access.asking(reader, request.cookies)


def from_our_page(request: Request) -> bool:
    """Tell whether the browser says that a page of this very server asked.

    Browsers leave Sec-Fetch-Site out on plain http; then Origin decides, which they send with every POST.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host", "")


def refusal(request: Request, error: Pet2RepError) -> Response:
    """Return one of our errors as an answer, in the language that the page asked for."""
    message, hint = error_in_language(error, asked_language(request))
    return JSONResponse({"error": message, "hint": hint}, status_of(request.method, error), PRIVATE)


def no(request: Request, status: int, error: str, hint: str = "") -> Response:
    """Return an answer that says no in the language that the page asked for; without a hint where there is none."""
    language = asked_language(request)
    said = {"error": in_language(error, language)} | ({"hint": in_language(hint, language)} if hint else {})
    return JSONResponse(said, status, PRIVATE)


def asked_language(request: Request) -> Language:
    """Return the language that the page asked for."""
    chinese = request.headers.get("accept-language", "").lower().startswith("zh")
    return Language.CHINESE if chinese else Language.ENGLISH


def status_of(method: str, error: Pet2RepError) -> int:
    """Return the HTTP status of one of our errors.

    403 for what the reader may not do, 409 where something newer is stored, 503 while the store belongs to
    another process, 400 for what was posted and cannot be used, 404 for the rest: it is not there to be shown.
    """
    if isinstance(error, PermissionDeniedError):
        return 403
    if isinstance(error, StaleRatingError):
        return 409
    if isinstance(error, StoreLockedError):
        return 503
    return 400 if method not in ("GET", "HEAD") and isinstance(error, InputDataError) else 404


def sent_json(request: Request) -> dict[str, Any]:
    """Return the JSON object that was sent with a request; for use within an answer.

    Raises
    ------
    InputDataError
        If it is no JSON object.
    """
    try:
        sent = json.loads(request.state.body)
    except (ValueError, RecursionError) as error:
        raise InputDataError("What was sent is not JSON.", hint="Send one JSON object.") from error
    if not isinstance(sent, dict):
        raise InputDataError(f"A JSON {type(sent).__name__} was sent, not an object.", hint="Send one JSON object.")
    return sent


async def _take_body(request: Request) -> bool:
    """Keep what was sent for :func:`sent_json`; tells whether it is of a reasonable size."""
    body = bytearray()
    if request.method not in ("GET", "HEAD"):
        async for part in request.stream():
            body += part
            if len(body) > _LARGEST_BODY:
                return False
    request.state.body = bytes(body)
    return True
