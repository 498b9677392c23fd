"""Addresses of the server beside Streamlit's own: volumes and pictures of cases behind a check, and its health.

Streamlit's media store checks nobody, so no picture of a patient goes through it. The program of the viewer,
which shows nobody, is handed to anyone.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import AsyncIterator, Generator, Iterator
from functools import cache
from pathlib import Path

import streamlit
from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pet2rep_core import __version__
from pet2rep_core.errors import ImageGeometryError
from pet2rep_core.imaging.prepared import picture_type
from pet2rep_core.imaging.render import encode_png
from pet2rep_core.ui.card_routes import CARD_ROUTES
from pet2rep_core.ui.leave import PRIVATE, checked, no
from pet2rep_core.ui.reader_routes import READER_ROUTES, reader_routes
from pet2rep_core.ui.server import server
from pet2rep_core.ui.sign_in_routes import SIGN_IN_ROUTES
from pet2rep_core.ui.study_routes import STUDY_CASE, STUDY_ROUTES
from pet2rep_core.workflow.model_saw import seen_picture
from pet2rep_core.workflow.open_case import draw_coronal, draw_model_picture, open_case
from pet2rep_core.workflow.view_case import stream_volume

MOST_PACKED_AT_ONCE = 2
"""Volumes that one process plans, or chunks that it makes, at the same time; who has to wait holds no thread."""

_PACKING: RunVar[CapacityLimiter] = RunVar("packing")
_HERE = Path(__file__).parent
_PROGRAM_FILE = re.compile(r"[a-z_]+\.(js|css)")
_PROGRAM_TYPES = {".js": "text/javascript", ".css": "text/css"}
_LASTING = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def _coronal(request: Request, case_id: str, _reader: str) -> Response:
    one = server()
    case = open_case(one.store, one.settings, case_id)
    picture = draw_coronal(
        case,
        request.path_params["j"],
        pet_preset=request.query_params.get("pet", one.display.default_pet),
        ct_preset=request.query_params.get("ct", one.display.default_ct),
        display=one.display,
    )
    return Response(encode_png(picture), media_type="image/png", headers=PRIVATE)


def _model(request: Request, case_id: str, _reader: str) -> Response:
    one = server()
    case = open_case(one.store, one.settings, case_id)
    picture = draw_model_picture(case, "fused", request.path_params["n"], one.display)
    return Response(encode_png(picture), media_type="image/png", headers=PRIVATE)


def _seen(request: Request, case_id: str, _reader: str) -> Response:
    one = server()
    generation_id, n = request.path_params["generation_id"], request.path_params["n"]
    picture = seen_picture(one.store, one.settings, one.display, case_id, generation_id, n)
    return Response(picture.png, media_type="image/png", headers=PRIVATE)


def _picture(request: Request, case_id: str, _reader: str) -> Response:
    one = server()
    images = open_case(one.store, one.settings, case_id).images
    pictures = () if images is None else images.pictures
    n = request.path_params["n"]
    if n >= len(pictures):
        raise ImageGeometryError(f"This case has no picture {n}.", hint="Open the case again.")
    path = pictures[n]
    return Response(path.read_bytes(), media_type=picture_type(path), headers=PRIVATE)


class PackedAnswer(StreamingResponse):
    """Sends a gzip stream chunk by chunk, each made in a thread when the one before has gone out.

    Streamlit's compression leaves it alone because it says that it is packed. Who goes away stops the work.
    """

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        headers = {**PRIVATE, "Content-Encoding": "gzip"}
        super().__init__(self._made(), headers=headers, media_type="application/octet-stream")

    async def _made(self) -> AsyncIterator[bytes]:
        while (chunk := await to_thread.run_sync(next, self._chunks, None, limiter=_packing())) is not None:
            yield chunk

    async def stream_response(self, send: Send) -> None:
        """Send everything, and let go of the volume however that ends."""
        try:
            await super().stream_response(send)
        finally:
            if isinstance(self._chunks, Generator):
                self._chunks.close()


def _packing() -> CapacityLimiter:
    """Return what limits the packing of this event loop."""
    try:
        return _PACKING.get()
    except LookupError:
        limiter = CapacityLimiter(MOST_PACKED_AT_ONCE)
        _PACKING.set(limiter)
        return limiter


def _volume(request: Request, case_id: str, _reader: str) -> Response:
    one = server()
    case = open_case(one.store, one.settings, case_id)
    return PackedAnswer(stream_volume(case, request.path_params["name"]))


@cache
def _program(name: str) -> dict[str, bytes]:
    """Return a component's scripts and styles by name, as they were when they were first asked for."""
    files = sorted((_HERE / name).iterdir())
    return {path.name: path.read_bytes() for path in files if _PROGRAM_FILE.fullmatch(path.name)}


@cache
def program_version(name: str) -> str:
    """Return a short hash of a component's scripts and styles, ``viewer`` or ``desk``; it stands in their address."""
    digest = hashlib.sha256()
    for file, content in _program(name).items():
        digest.update(f"{file} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:12]


def viewer_version() -> str:
    """Return the version of the viewer."""
    return program_version("viewer")


def _program_route(program: str) -> Route:
    """Return the route that hands a component's scripts and styles to anyone."""

    async def answer(request: Request) -> Response:
        name = request.path_params["file"]
        content = _program(program).get(name)
        # Another version's address must not be answered with this one's file: it would be kept for a year.
        if content is None or request.path_params["version"] != program_version(program):
            return no(request, 404, "The viewer has no such file.", "Reload the page.")
        return Response(content, media_type=_PROGRAM_TYPES[Path(name).suffix], headers=_LASTING)

    return Route(f"/{program}/{{version}}/{{file}}", answer)


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "ok", "version": __version__})


def _image_routes(prefix: str) -> list[Route]:
    """Return the routes of a case's volumes and pictures below its address."""
    return [
        Route(f"{prefix}/volume/{{name}}", checked(_volume, at_most=_packing)),
        Route(f"{prefix}/coronal/{{j:int}}.png", checked(_coronal, in_query=True)),
        Route(f"{prefix}/model/{{n:int}}.png", checked(_model, in_query=True)),
        Route(f"{prefix}/picture/{{n:int}}", checked(_picture, in_query=True)),
    ]


ROUTES = [
    Route("/api/health", _health),
    _program_route("viewer"),
    _program_route("desk"),
    *_image_routes("/api/case/{case_id}"),
    Route("/api/case/{case_id}/seen/{generation_id}/{n:int}.png", checked(_seen, in_query=True)),
    *_image_routes(STUDY_CASE),
    *READER_ROUTES,
    *reader_routes(STUDY_CASE),
    *STUDY_ROUTES,
    *CARD_ROUTES,
    *SIGN_IN_ROUTES,
]


def content_policy() -> str:
    """Return the content policy: nothing from another host, no inline script but Streamlit's own."""
    index = Path(streamlit.__file__).parent / "static" / "index.html"
    digests = (hashlib.sha256(body.encode()).digest() for body in _INLINE_SCRIPT.findall(index.read_text("utf-8")))
    inline = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)
    return (
        f"default-src 'self'; script-src 'self' blob: {inline}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
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
