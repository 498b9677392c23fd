"""Who may ask for a case over HTTP, and how an answer of ours looks when it is no.

Leave is a token of :class:`pet2rep_core.ui.tokens.Signer` in the header ``X-Case-Token``, which no access
log shows. Addresses of pictures cannot send a header; they alone may carry it as ``?token=``.

A reader of a study has leave for the study instead (``X-Study-Token``), and asks for cases by the alias that they
have in it: nothing that reaches this reader's browser names them. By their own names cases are for researchers
(:func:`check_leave`, asked where a token is signed and again with every request).
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pet2rep_core.errors import (
    ImageGeometryError,
    InputDataError,
    PermissionDeniedError,
    Pet2RepError,
    StaleRatingError,
    StoreLockedError,
)
from pet2rep_core.records import Language, Person, Role
from pet2rep_core.ui.sentences import error_in_language, in_language
from pet2rep_core.ui.server import server
from pet2rep_core.workflow.permissions import RESEARCH, require
from pet2rep_core.workflow.study_read import case_of_alias

HEADER, STUDY_HEADER = "X-Case-Token", "X-Study-Token"
PRIVATE = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
"""Headers of every answer that has to do with a patient."""

NO_LEAVE = "No leave for this case. Open it again."
NOT_SIGNED_IN = "You are not signed in any more."
_STUDY_MARK = "study:"
_LARGEST_BODY = 2**20
_TOO_LARGE = f"More than {_LARGEST_BODY} bytes were sent."

_TOLD = (ImageGeometryError, PermissionDeniedError, StaleRatingError, StoreLockedError)

Answer = Callable[[Request, str, str], Response]
"""Answers a request for a case to a reader; called in a thread. ``sent_json`` gives what was posted."""


def study_scope(study_id: str) -> str:
    """Return what a token for a study is signed over; no case has a name with a colon."""
    return f"{_STUDY_MARK}{study_id}"


def check_leave(person: Person, scope: str) -> None:
    """Refuse a rater every case by its own name; what a study shows of a case, the study decides.

    Parameters
    ----------
    scope
        What a token is signed over: a case, or :func:`study_scope`.

    Raises
    ------
    PermissionDeniedError
        With the role that is needed.
    """
    if not scope.startswith(_STUDY_MARK):
        require(person, RESEARCH)


def rater(reader: str) -> Person:
    """Return the person who reads a study under this name.

    Studies ask only whose item it is, whatever the role; so the least one is given.
    """
    return Person(reader, Role.RATER)


def checked(
    answer: Answer, *, in_query: bool = False, at_most: Callable[[], CapacityLimiter] | None = None
) -> Callable[[Request], Awaitable[Response]]:
    """Return an endpoint that answers only who has leave for the case, or the study, that its path names.

    Parameters
    ----------
    answer : (request, case_id, reader) -> Response
        Runs in the thread pool, so that it may read files and compute. A path with a study and an alias gives it the
        case behind the alias; one with a study alone gives it the study.
    in_query : bool
        Whether the token may also stand in the address, for pictures.
    at_most : function that gives a limiter, optional
        How many answers may be made at once; who has to wait holds no thread.

    Notes
    -----
    403 without leave, for who is not signed in any more, and for a rater who asks for a case by its own name; our own
    errors become ``{"error": sentence,
    "hint": what to do}`` with the status of :func:`status_of`; other errors pass.
    """

    async def endpoint(request: Request) -> Response:
        study_id = request.path_params.get("study_id")
        name = request.path_params["case_id"] if study_id is None else study_id
        scope = name if study_id is None else study_scope(study_id)
        sent = request.headers.get(HEADER if study_id is None else STUDY_HEADER) or request.headers.get(HEADER)
        token = sent or (request.query_params.get("token", "") if in_query else "")
        try:
            # A case whose "name" is a study's scope would be opened by a token for the study.
            named = study_id is not None or ":" not in name
            reader = server().signer.reader_of(token, scope) if named else None
            if reader is None:
                return no(request, 403, NO_LEAVE)
            person = person_asking(request, reader)
            if person is None:
                return no(request, 403, NOT_SIGNED_IN, "Sign in again.")
            check_leave(person, scope)
            if not await _take_body(request):
                return no(request, 413, _TOO_LARGE)
            limiter = None if at_most is None else at_most()
            answered = _behind_alias(answer) if "alias" in request.path_params else answer
            return await to_thread.run_sync(answered, request, name, reader, limiter=limiter)
        except Pet2RepError as error:
            return refusal(request, error)

    return endpoint


@contextmanager
def unnamed(case_id: str) -> Iterator[None]:
    """Let no error name a case, or another one that is spelled like it, where a study's reader would see it."""
    try:
        yield
    except Pet2RepError as error:
        told = isinstance(error, _TOLD) or type(error) is InputDataError
        if told and not re.search(rf"(?<!\w){re.escape(case_id)}(?!\w)", f"{error.message} {error.hint}"):
            raise
        raise ImageGeometryError(
            "This cannot be shown for this item.", hint="Tell the researcher who runs the study."
        ) from None


def _behind_alias(answer: Answer) -> Answer:
    """Answer for the case behind an alias."""

    def answered(request: Request, study_id: str, reader: str) -> Response:
        case_id = case_of_alias(server().store, rater(reader), study_id, request.path_params["alias"])
        with unnamed(case_id):
            return answer(request, case_id, reader)

    return answered


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
