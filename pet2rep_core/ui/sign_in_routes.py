"""Addresses at which a person signs in, and chooses another password. They take posts of our own pages only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias
from urllib.parse import parse_qsl, urlencode, urlsplit

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from pet2rep_core.errors import InputDataError, PermissionDeniedError, Pet2RepError
from pet2rep_core.records import Language
from pet2rep_core.ui.access import COOKIE, AccountAccess
from pet2rep_core.ui.leave import PRIVATE, asked_language, from_our_page, refusal
from pet2rep_core.ui.sentences import error_in_language
from pet2rep_core.ui.server import Server, server
from pet2rep_core.ui.sign_in_page import Problem, password_html, sign_in_html
from pet2rep_core.ui.texts import text
from pet2rep_core.workflow.accounts import TooManyFailuresError, change_own_password
from pet2rep_core.workflow.sessions import LONGEST_S

_LARGEST_FORM = 2**13
_AT_ONCE = 2
"""Passwords that are hashed at the same time: each takes 32 MB and a core."""

_Show: TypeAlias = Callable[[AccountAccess, Request], Response]
_Take: TypeAlias = Callable[[Server, AccountAccess, Request, Mapping[str, str]], Response]
_HASHING: RunVar[CapacityLimiter] = RunVar("hashing")


async def _sign_in(request: Request) -> Response:
    return await _answered(request, _show_sign_in, _take_sign_in)


async def _password(request: Request) -> Response:
    return await _answered(request, _show_password, _take_password)


async def _answered(request: Request, show: _Show, take: _Take) -> Response:
    """Show a page, or take what its form sends."""
    try:
        one = server()
        access = one.access
        if not isinstance(access, AccountAccess):
            return RedirectResponse("/", 303, PRIVATE)
        if request.method != "POST":
            return await to_thread.run_sync(show, access, request)
        if not from_our_page(request):
            raise PermissionDeniedError("This was not sent by the app's own page.", hint="Sign in on the app's page.")
        form = await _read_form(request)
        return await to_thread.run_sync(take, one, access, request, form, limiter=_limiter())
    except Pet2RepError as error:
        return refusal(request, error)


def _show_sign_in(access: AccountAccess, request: Request) -> Response:
    account = access.account(request.cookies)
    after = _within(request.query_params.get("next", ""))
    if account is not None:
        return RedirectResponse("/password" if account.must_change else after or "/", 303, PRIVATE)
    language = _language(request)
    first = None if access.has_accounts() else Problem(text(language, "sign_in.no_accounts"))
    answer = _html(sign_in_html(language, after=after, problem=first))
    if COOKIE in request.cookies:
        answer.delete_cookie(COOKIE, path="/")
    return answer


def _take_sign_in(_one: Server, access: AccountAccess, request: Request, form: Mapping[str, str]) -> Response:
    language, after = _language(request), _within(form.get("next", ""))
    try:
        account = access.door.sign_in(form.get("name", ""), form.get("password", ""))
    except PermissionDeniedError as error:
        problem = Problem(*error_in_language(error, language))
        said = sign_in_html(language, name=form.get("name", "")[:64], after=after, problem=problem)
        if isinstance(error, TooManyFailuresError):
            return _html(said, 429, {"Retry-After": str(int(error.wait_s) + 1)})
        return _html(said, 401)
    access.end(request.cookies)
    place = "/password" if account.must_change else after or "/"
    answer = RedirectResponse(_in_language(place, language), 303, PRIVATE)
    _give_cookie(answer, request, access.begin(account))
    return answer


def _show_password(access: AccountAccess, request: Request) -> Response:
    account = access.account(request.cookies)
    if account is None:
        return RedirectResponse("/sign-in", 303, PRIVATE)
    return _html(password_html(_language(request), account.name, forced=account.must_change))


def _take_password(one: Server, access: AccountAccess, request: Request, form: Mapping[str, str]) -> Response:
    account = access.account(request.cookies)
    if account is None:
        return RedirectResponse("/sign-in", 303, PRIVATE)
    language = _language(request)
    try:
        if form.get("new", "") != form.get("again", ""):
            raise InputDataError("The new password was typed in two different ways.", hint="Type it again, twice.")
        changed = change_own_password(one.store, access.door, account, form.get("present", ""), form.get("new", ""))
    except Pet2RepError as error:
        problem = Problem(*error_in_language(error, language))
        status = 429 if isinstance(error, TooManyFailuresError) else 400
        return _html(password_html(language, account.name, forced=account.must_change, problem=problem), status)
    answer = RedirectResponse(_in_language("/", language), 303, PRIVATE)
    _give_cookie(answer, request, access.begin(changed))
    return answer


def _give_cookie(answer: Response, request: Request, cookie: str) -> None:
    """Give a browser its session. No script can read it, and no other site's form is sent with it."""
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, cookie, max_age=int(LONGEST_S), path="/", secure=secure, httponly=True, samesite="lax")


def _language(request: Request) -> Language:
    said = request.query_params.get("language", "")
    if said in set(Language):
        return Language(said)
    return asked_language(request)


def _within(address: str) -> str:
    """Return an address if it is one of this app's, else nothing: a link must not lead elsewhere after a sign-in."""
    parts = urlsplit(address) if address.isprintable() else None
    if parts is None or parts.scheme or parts.netloc or not address.startswith("/"):
        return ""
    return "" if address.startswith(("//", "/\\")) or "\\" in address else address


def _in_language(place: str, language: Language) -> str:
    parts = urlsplit(place)
    query = [(key, value) for key, value in parse_qsl(parts.query, keep_blank_values=True) if key != "language"]
    return f"{parts.path}?{urlencode([*query, ('language', language.value)])}"


async def _read_form(request: Request) -> dict[str, str]:
    """Return the fields of a posted form.

    Raises
    ------
    InputDataError
        If it is too large to be one of ours, or no form.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_FORM:
            raise InputDataError(f"More than {_LARGEST_FORM} bytes were sent.", hint="Use the form of the app.")
    try:
        return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=16))
    except ValueError as error:
        raise InputDataError("What was sent is no form.", hint="Use the form of the app.") from error


def _html(content: str, status: int = 200, headers: Mapping[str, str] | None = None) -> HTMLResponse:
    return HTMLResponse(content, status, {**PRIVATE, **(headers or {})})


def _limiter() -> CapacityLimiter:
    try:
        return _HASHING.get()
    except LookupError:
        limiter = CapacityLimiter(_AT_ONCE)
        _HASHING.set(limiter)
        return limiter


SIGN_IN_ROUTES = [
    Route("/sign-in", _sign_in, methods=["GET", "POST"]),
    Route("/password", _password, methods=["GET", "POST"]),
]
