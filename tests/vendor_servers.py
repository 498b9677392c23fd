"""A real HTTP server that speaks both vendors' protocols, well or badly, and counts what it is asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"


@dataclass(frozen=True)
class Call:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """The user's text."""
        return "".join(part["text"] for part in self.body["messages"][-1]["content"] if part["type"] == "text")


@dataclass(frozen=True)
class Reply:
    """What to answer: ``parts`` are sent one by one with a pause before each; ``cut`` breaks off without an end."""

    status: int = 200
    parts: Sequence[bytes] = ()
    headers: dict[str, str] = field(default_factory=dict)
    media: str = "application/json"
    delay_s: float = 0.0
    pause_s: float = 0.0
    length: int | None = None
    cut: bool = False


def as_json(value: object, **more: Any) -> Reply:
    return Reply(parts=(json.dumps(value, ensure_ascii=False).encode(),), **more)


def refusal(status: int, error: object, **headers: str) -> Reply:
    return as_json({"error": error}, status=status, headers={k.replace("_", "-"): v for k, v in headers.items()})


def chat(text: str | None, *, finish: str = "stop", model: str = "m-2026", **message: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": text, **message}
    return {
        "id": "c-1", "object": "chat.completion", "created": 1, "model": model,
        "choices": [{"index": 0, "finish_reason": finish, "message": said}],
        "usage": {"prompt_tokens": 2100, "completion_tokens": 300, "total_tokens": 2400},
    }  # fmt: skip


def events(*found: object, done: bool = True) -> list[bytes]:
    lines = [f"data: {json.dumps(one, ensure_ascii=False)}\n\n".encode() for one in found]
    return [*lines, b"data: [DONE]\n\n"] if done else lines


def chat_events(pieces: Sequence[str], finish: str | None = "stop", *, usage: bool = True) -> list[object]:
    def chunk(delta: dict[str, str], reason: str | None = None) -> dict[str, Any]:
        choices = [{"index": 0, "delta": delta, "finish_reason": reason}]
        return {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m-2026", "choices": choices}

    found: list[object] = [chunk({"role": "assistant", "content": ""}), *(chunk({"content": one}) for one in pieces)]
    if finish:
        found.append(chunk({}, finish))
    if usage:
        found.append({**chunk({}), "choices": [], "usage": chat("")["usage"]})
    return found


def stream(found: Sequence[object], *, done: bool = True, **more: Any) -> Reply:
    return Reply(parts=events(*found, done=done), media="text/event-stream", **more)


def claude_events(pieces: Sequence[str], stop: str | None = "end_turn") -> list[bytes]:
    message = {
        "id": "m-1", "type": "message", "role": "assistant", "model": "claude-opus-5-5", "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 2000, "output_tokens": 1},
    }  # fmt: skip
    found: list[dict[str, Any]] = [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": one}} for one in pieces),
        {"type": "content_block_stop", "index": 0},
    ]
    if stop:
        found += [
            {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None},
             "usage": {"output_tokens": 250}},
            {"type": "message_stop"},
        ]  # fmt: skip
    return [claude_event(one) for one in found]


def claude_event(found: dict[str, Any]) -> bytes:
    return f"event: {found['type']}\ndata: {json.dumps(found, ensure_ascii=False)}\n\n".encode()


def claude(pieces: Sequence[str], stop: str | None = "end_turn", **more: Any) -> Reply:
    return Reply(parts=claude_events(pieces, stop), media="text/event-stream", headers={"request-id": "rq-7"}, **more)


class VendorServer:
    """The server; ``answer`` decides what a call gets, ``calls`` has them all but those that list models."""

    def __init__(self, answer: Callable[[Call], Reply] | None = None) -> None:
        self.answer = answer or good
        self.models: Reply = as_json({"data": []})
        self.calls: list[Call] = []
        self.looks: list[Call] = []
        self.gone = threading.Event()
        """Set where a client went away before its answer was out."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def base_url(self) -> str:
        """As a client of OpenAI's protocol wants it."""
        return f"{self.root}/v1"

    @property
    def host(self) -> str:
        return self.root.removeprefix("http://")

    def close(self) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                owner.looks.append(self._call({}))
                self._send(owner.models)

            def do_POST(self) -> None:
                call = self._call(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                owner.calls.append(call)
                self._send(owner.answer(call))

            def _call(self, body: dict[str, Any]) -> Call:
                headers = {name.lower(): value for name, value in self.headers.items()}
                return Call(self.command, self.path, headers, body)

            def _send(self, reply: Reply) -> None:
                try:
                    self._write(reply)
                except (BrokenPipeError, ConnectionResetError):
                    owner.gone.set()
                    self.close_connection = True

            def _write(self, reply: Reply) -> None:
                if self._wait(reply.delay_s):
                    return
                self.send_response(reply.status)
                self.send_header("content-type", reply.media)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                whole = sum(map(len, reply.parts)) if reply.length is None else reply.length
                if reply.pause_s or (reply.cut and reply.length is None):
                    self.close_connection = True
                    self.send_header("connection", "close")
                else:
                    self.send_header("content-length", str(whole))
                self.end_headers()
                for part in reply.parts:
                    if self._wait(reply.pause_s):
                        return
                    self.wfile.write(part)
                    self.wfile.flush()
                if reply.cut:
                    self.close_connection = True

            def _wait(self, seconds: float) -> bool:
                """Wait, and tell whether the server ends or the client has gone meanwhile."""
                until = time.monotonic() + seconds
                self.connection.setblocking(False)
                try:
                    while time.monotonic() < until:
                        if owner._stopping.wait(min(0.02, max(0.0, until - time.monotonic()))):
                            return True
                        try:
                            if self.connection.recv(1, 2) == b"":  # MSG_PEEK
                                owner.gone.set()
                                self.close_connection = True
                                return True
                        except BlockingIOError:
                            continue
                finally:
                    self.connection.setblocking(True)
                return False

        return Handler


def good(call: Call) -> Reply:
    """Answer well, in the protocol that was spoken; the text ends in the hash of the question."""
    if call.path.startswith(MESSAGES):
        return claude(["影像所见：", "肝脏未见异常。"])
    if call.body.get("stream"):
        return stream(chat_events(["影像所见：", "肝脏未见异常。"]), headers={"x-request-id": "rq-9"})
    return as_json(chat("影像所见：肝脏未见异常。"), headers={"x-request-id": "rq-9"})


@contextmanager
def vendor_server(answer: Callable[[Call], Reply] | None = None) -> Iterator[VendorServer]:
    server = VendorServer(answer)
    try:
        yield server
    finally:
        server.close()
