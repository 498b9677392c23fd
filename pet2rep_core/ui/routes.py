"""Addresses of the server beside Streamlit's own: pictures of cases behind a check, and its health.

Streamlit's media store checks nobody, so no picture of a patient goes through it.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import streamlit
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pet2rep_core import __version__
from pet2rep_core.errors import ImageGeometryError, Pet2RepError
from pet2rep_core.imaging.prepared import picture_type
from pet2rep_core.imaging.render import encode_png
from pet2rep_core.ui.server import server
from pet2rep_core.workflow.open_case import draw_coronal, draw_model_picture, open_case

_PRIVATE = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)

Draw = Callable[[Request, str], Response]


def _checked(draw: Draw) -> Callable[[Request], Awaitable[Response]]:
    """Answer only who holds a token of this case; our errors become one sentence."""

    async def answer(request: Request) -> Response:
        case_id = request.path_params["case_id"]
        if not server().signer.allows(request.query_params.get("token", ""), case_id):
            return JSONResponse({"error": "No leave for this case. Open it again."}, 403, _PRIVATE)
        try:
            return await run_in_threadpool(draw, request, case_id)
        except Pet2RepError as error:
            return JSONResponse({"error": str(error)}, 404, _PRIVATE)

    return answer


def _coronal(request: Request, case_id: str) -> Response:
    one = server()
    case = open_case(one.store, one.settings, case_id)
    picture = draw_coronal(
        case,
        request.path_params["j"],
        pet_preset=request.query_params.get("pet", one.display.default_pet),
        ct_preset=request.query_params.get("ct", one.display.default_ct),
        display=one.display,
    )
    return Response(encode_png(picture), media_type="image/png", headers=_PRIVATE)


def _model(request: Request, case_id: str) -> Response:
    one = server()
    case = open_case(one.store, one.settings, case_id)
    picture = draw_model_picture(case, "fused", request.path_params["n"], one.display)
    return Response(encode_png(picture), media_type="image/png", headers=_PRIVATE)


def _picture(request: Request, case_id: str) -> Response:
    one = server()
    images = open_case(one.store, one.settings, case_id).images
    pictures = () if images is None else images.pictures
    n = request.path_params["n"]
    if n >= len(pictures):
        raise ImageGeometryError(f"This case has no picture {n}.", hint="Open the case again.")
    path = pictures[n]
    return Response(path.read_bytes(), media_type=picture_type(path), headers=_PRIVATE)


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "ok", "version": __version__})


ROUTES = [
    Route("/api/health", _health),
    Route("/api/case/{case_id}/coronal/{j:int}.png", _checked(_coronal)),
    Route("/api/case/{case_id}/model/{n:int}.png", _checked(_model)),
    Route("/api/case/{case_id}/picture/{n:int}", _checked(_picture)),
]


def content_policy() -> str:
    """Return the content policy: nothing from another host, no inline script but Streamlit's own."""
    index = Path(streamlit.__file__).parent / "static" / "index.html"
    digests = (hashlib.sha256(body.encode()).digest() for body in _INLINE_SCRIPT.findall(index.read_text("utf-8")))
    inline = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'self'; script-src 'self' blob: {inline}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'self'; frame-ancestors 'self'"
    )


class SecurityHeaders:
    """Puts the content policy and its companions on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": content_policy(),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and add the headers to its answer."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self._app(scope, receive, send if scope["type"] != "http" else send_with_headers)
