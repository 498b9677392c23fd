"""Our addresses as a browser asks them: leave, volumes as gzip streams, pictures, and the viewer's own files."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.web.server.starlette.starlette_gzip_middleware import SelectiveGZipMiddleware

from pet2rep_core.errors import (
    ImageGeometryError,
    MissingTagError,
    PermissionDeniedError,
    Pet2RepError,
    StaleRatingError,
    StoreError,
    StoreLockedError,
    UnknownNameError,
)
from pet2rep_core.imaging.packed import unpack_volume
from pet2rep_core.ui import routes
from pet2rep_core.ui.leave import HEADER, NO_LEAVE, PRIVATE, checked, sent_json
from pet2rep_core.ui.routes import MOST_PACKED_AT_ONCE, ROUTES, PackedAnswer, program_version, viewer_version
from pet2rep_core.ui.server import server
from pet2rep_core.ui.tokens import LIFETIME_S
from pet2rep_core.workflow.open_case import open_case
from pet2rep_core.workflow.view_case import stream_volume
from tests.study_files import build_study, import_all

REFUSED = (403, {"error": NO_LEAVE})


@pytest.fixture
def client(home: Path, tmp_path: Path) -> TestClient:
    """Our routes behind Streamlit's compression; case a has PET and CT, b pictures, c only a report."""
    one = server()
    import_all(build_study(tmp_path / "study"), one.settings, one.store, backend="threading")
    return client_of(ROUTES)


def client_of(table: list[Route]) -> TestClient:
    # Not raising: a server answers 500, and a test that expects otherwise sees it.
    return TestClient(Starlette(routes=table, middleware=[Middleware(SelectiveGZipMiddleware)]))


def leave(case_id: str, reader: str = "R01", **when: float) -> dict[str, str]:
    return {HEADER: server().signer.sign(case_id, reader, **when)}


def said(answer: Any) -> tuple[int, Any]:
    return answer.status_code, answer.json()


@pytest.mark.parametrize("name", ["pet", "ct"])
def test_a_volume_arrives_as_the_stream_that_was_packed(client: TestClient, name: str) -> None:
    one = server()
    packed = b"".join(stream_volume(open_case(one.store, one.settings, "a"), name))
    with client.stream("GET", f"/api/case/a/volume/{name}", headers=leave("a")) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.status_code == 200
    assert raw == packed  # not compressed a second time
    assert gzip.decompress(raw)[4:5] == b"{"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"] == "private, no-store"
    # As fetch() does, the client undoes the compression by itself.
    assert client.get(f"/api/case/a/volume/{name}", headers=leave("a")).content == gzip.decompress(packed)
    header, values = unpack_volume(raw)
    assert header["name"] == name
    assert np.isfinite(values).all()


@pytest.mark.parametrize(
    "address",
    ["volume/pet", "volume/ct", "coronal/3.png", "model/0.png", "picture/0"],
)
def test_only_leave_for_this_case_opens_an_address(client: TestClient, address: str) -> None:
    case = "b" if address.startswith("picture") else "a"
    place = f"/api/case/{case}/{address}"
    assert client.get(place, headers=leave(case)).status_code == 200
    assert said(client.get(place)) == REFUSED
    assert said(client.get(place, headers={HEADER: ""})) == REFUSED
    assert said(client.get(place, headers={HEADER: "1.2.3"})) == REFUSED
    assert said(client.get(place, headers=leave("c"))) == REFUSED
    assert said(client.get(place, headers=leave(case, now=time.time() - LIFETIME_S - 1))) == REFUSED
    assert said(client.get(f"/api/case/nobody/{address}", headers=leave(case))) == REFUSED
    # Another reader's name in front of a signature that is good for R01.
    expires, _, mac = leave(case)[HEADER].split(".")
    name = leave(case, "R02")[HEADER].split(".")[1]
    assert said(client.get(place, headers={HEADER: f"{expires}.{name}.{mac}"})) == REFUSED


def test_only_pictures_take_the_token_from_the_address(client: TestClient) -> None:
    for case, address, status in [
        ("a", "volume/pet", 403), ("a", "coronal/3.png", 200), ("a", "model/0.png", 200), ("b", "picture/0", 200),
    ]:  # fmt: skip
        answer = client.get(f"/api/case/{case}/{address}", params={"token": leave(case)[HEADER]})
        assert answer.status_code == status, address
        assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    ("case", "address", "error"),
    [
        ("a", "volume/mri", "There is no volume of this case named 'mri'."),
        ("b", "volume/pet", "This case has no volumes."),
        ("c", "volume/pet", "This case has no volumes."),
        ("nobody", "volume/pet", "nobody"),
        ("a", "coronal/99999.png", "There is no coronal plane 99999"),
        ("b", "picture/7", "This case has no picture 7."),
    ],
)
def test_what_is_not_there_is_one_sentence_and_a_hint(client: TestClient, case: str, address: str, error: str) -> None:
    answer = client.get(f"/api/case/{case}/{address}", headers=leave(case))
    assert answer.status_code == 404
    assert error in answer.json()["error"]
    assert answer.json()["hint"]
    assert answer.headers["cache-control"] == "private, no-store"


@pytest.mark.parametrize(
    ("error", "of_get", "of_post"),
    [
        (UnknownNameError("case", "x", ["a"]), 404, 404),
        (ImageGeometryError("no such plane"), 404, 400),
        (MissingTagError("no weight"), 404, 400),
        (PermissionDeniedError("not yours"), 403, 403),
        (StaleRatingError("newer"), 409, 409),
        (StoreLockedError("locked"), 503, 503),
        (StoreError("full"), 404, 404),
    ],
)
def test_errors_have_a_status(home: Path, error: Pet2RepError, of_get: int, of_post: int) -> None:
    def answer(request: Request, case_id: str, reader: str) -> Response:
        raise error

    client = client_of([Route("/api/case/{case_id}/x", checked(answer), methods=["GET", "POST"])])
    for method, status in (("GET", of_get), ("POST", of_post)):
        expected = (status, {"error": error.message, "hint": error.hint})
        assert said(client.request(method, "/api/case/a/x", headers=leave("a"))) == expected


@pytest.mark.parametrize(
    ("body", "status", "expected"),
    [
        (b'{"a": [1]}', 200, {"case": "a", "reader": "R07", "sent": {"a": [1]}}),
        (b"", 400, {"error": "What was sent is not JSON.", "hint": "Send one JSON object."}),
        (b"\xff", 400, {"error": "What was sent is not JSON.", "hint": "Send one JSON object."}),
        (b"[" * 100_000, 400, {"error": "What was sent is not JSON.", "hint": "Send one JSON object."}),
        (b"[1]", 400, {"error": "A JSON list was sent, not an object.", "hint": "Send one JSON object."}),
        (b" " * (2**20 + 1), 413, {"error": "More than 1048576 bytes were sent."}),
    ],
)
def test_what_is_posted_reaches_the_answer(home: Path, body: bytes, status: int, expected: dict[str, Any]) -> None:
    def answer(request: Request, case_id: str, reader: str) -> Response:
        assert threading.current_thread() is not threading.main_thread()
        return JSONResponse({"case": case_id, "reader": reader, "sent": sent_json(request)}, headers=PRIVATE)

    client = client_of([Route("/api/case/{case_id}/x", checked(answer), methods=["POST"])])
    answered = client.post("/api/case/a/x", headers=leave("a", "R07"), content=body)
    assert said(answered) == (status, expected)
    assert said(client.post("/api/case/a/x", content=body)) == REFUSED


class Chunks:
    """A generator's worth of chunks that notes what was asked of it, and how many are made at one time."""

    busy = 0
    most = 0
    lock = threading.Lock()

    def __init__(self, count: int, *, pause_s: float = 0.0) -> None:
        self.made = 0
        self.closed = False
        self.chunks = self._make(count, pause_s)

    def _make(self, count: int, pause_s: float) -> Iterator[bytes]:
        try:
            for _ in range(count):
                with self.lock:
                    Chunks.busy += 1
                    Chunks.most = max(Chunks.most, Chunks.busy)
                time.sleep(pause_s)
                with self.lock:
                    Chunks.busy -= 1
                self.made += 1
                yield b"x" * 1000
        finally:
            self.closed = True


async def _answer(chunks: Chunks, *, leaves_after: int | None, fails: bool = False, version: str = "2.3") -> int:
    """Send an answer to a client that goes away after some chunks; returns how many it got."""
    got = 0
    gone = anyio.Event()

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal got
        got += bool(message.get("body"))
        if got == leaves_after:
            gone.set()
            if fails:
                raise OSError("gone")
            await anyio.sleep(0.01)

    await PackedAnswer(chunks.chunks)({"type": "http", "asgi": {"spec_version": version}}, receive, send)
    return got


def _run(function: Any, *arguments: Any, **more: Any) -> Any:
    """Run in a thread of its own: the browser tests keep an event loop in this one."""
    kept: list[Any] = []

    def work() -> None:
        async def main() -> None:
            kept.append(await function(*arguments, **more))

        try:
            anyio.run(main)
        except BaseException as error:  # handed on to the test
            kept.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return kept[-1]


def test_the_whole_stream_is_sent_and_closed() -> None:
    chunks = Chunks(20)
    assert _run(_answer, chunks, leaves_after=None) == 20
    assert chunks.closed


@pytest.mark.parametrize(("version", "fails"), [("2.3", False), ("2.4", True)])
def test_who_goes_away_stops_the_work(version: str, *, fails: bool) -> None:
    """Servers tell of it by a message (uvicorn, 2.3) or by an error when something is sent (2.4)."""
    chunks = Chunks(1000)
    _run(_answer, chunks, leaves_after=3, version=version, fails=fails)
    assert chunks.made <= 5
    assert chunks.closed


def test_only_so_many_chunks_are_made_at_once() -> None:
    Chunks.most = 0
    many = [Chunks(4, pause_s=0.005) for _ in range(12)]

    async def all_at_once() -> None:
        async with anyio.create_task_group() as group:
            for chunks in many:
                group.start_soon(lambda one=chunks: _answer(one, leaves_after=None))

    _run(all_at_once)
    assert [chunks.made for chunks in many] == [4] * 12
    assert Chunks.most == MOST_PACKED_AT_ONCE


@pytest.mark.parametrize("program", ["viewer", "desk"])
def test_the_components_files_are_handed_to_anyone_and_kept(program: str) -> None:
    client = client_of(ROUTES)
    folder = Path(routes.__file__).parent / program
    names = sorted(path.name for path in folder.iterdir() if path.suffix in (".js", ".css"))
    assert f"{program}.js" in names
    for name in names:
        answer = client.get(f"/{program}/{program_version(program)}/{name}")
        assert answer.status_code == 200
        assert answer.content == (folder / name).read_bytes()
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        kind = "text/javascript" if name.endswith(".js") else "text/css"
        assert answer.headers["content-type"] == f"{kind}; charset=utf-8"


@pytest.mark.parametrize(
    "file",
    [
        "__init__.py", "viewer.html", "nothing.js", "Viewer.js", "../tokens.py", "%2e%2e/tokens.py",
        "..%2ftokens.py", "%2e%2e%2f__init__.py", "..%5c__init__.py", ".", "", "viewer.js%00.css", "/etc/passwd",
        "%2fetc%2fpasswd", "__pycache__", "viewer.js/",
    ],
)  # fmt: skip
def test_nothing_else_is_behind_the_viewers_address(file: str) -> None:
    answer = client_of(ROUTES).get(f"/viewer/{viewer_version()}/{file}", follow_redirects=False)
    assert answer.status_code in (404, 307)
    assert b"def " not in answer.content


def test_another_versions_address_is_not_answered_with_this_ones_file() -> None:
    answer = client_of(ROUTES).get("/viewer/000000000000/viewer.js")
    assert said(answer) == (404, {"error": "The viewer has no such file.", "hint": "Reload the page."})
    assert answer.headers["cache-control"] == "private, no-store"
    assert len(viewer_version()) == 12
