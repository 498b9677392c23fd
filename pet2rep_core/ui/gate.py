"""The gate: where accounts decide, a browser that nobody signed in on gets the way to sign in and nothing else.

What is not named here is shut. Routes of ours check who asks themselves, and every page asks again on every run:
the gate is what keeps Streamlit's own addresses, such as its media store, which checks nobody, behind the sign-in.
"""

from __future__ import annotations

from urllib.parse import quote

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from pet2rep_core.errors import Pet2RepError
from pet2rep_core.ui.access import AccountAccess
from pet2rep_core.ui.leave import NOT_SIGNED_IN, PRIVATE, no
from pet2rep_core.ui.server import server

_OPEN = ("/sign-in", "/password", "/api/", "/viewer/", "/static/", "/_stcore/", "/favicon.png", "/manifest.json")
"""Beginnings of addresses that show nobody's data, or check who asks themselves (as the pages behind /_stcore/ do)."""

_SIGN_IN, _PASSWORD = "/sign-in", "/password"


class SignInGate:
    """Stands before everything else; does nothing where there are no accounts."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with the way to sign in."""
        answer = None
        if scope["type"] == "http" and not scope["path"].startswith(_OPEN):
            answer = await to_thread.run_sync(_shut_for, Request(scope))
        await (self._app if answer is None else answer)(scope, receive, send)


def _shut_for(request: Request) -> Response | None:
    """Return the answer for who is not signed in, None for who may go on."""
    try:
        access = server().access
    except Pet2RepError:
        return None  # the page says what is wrong; there is nothing else to see
    if not isinstance(access, AccountAccess):
        return None
    account = access.account(request.cookies, seen=False)
    if account is not None and not account.must_change:
        return None
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        if account is not None:
            return RedirectResponse(_PASSWORD, 303, PRIVATE)
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        place = _SIGN_IN if asked == "/" else f"{_SIGN_IN}?next={quote(asked, safe='')}"
        return RedirectResponse(place, 303, PRIVATE)
    return no(request, 403, NOT_SIGNED_IN, "Sign in again.")
