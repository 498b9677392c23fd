"""A proxy before the app that keeps every byte one browser was sent, and reads it afterwards: bodies and frames."""

from __future__ import annotations

import contextlib
import socket
import threading
import zlib
from dataclasses import dataclass, field
from types import TracebackType

_HEAD_END = b"\r\n\r\n"
_NO_BODY = (204, 304)
_DEFLATE_TAIL = b"\x00\x00\xff\xff"


@dataclass(frozen=True, slots=True)
class Received:
    """One thing that the browser was sent: ``what`` says which (body, headers or frame), and of which path."""

    what: str
    path: str
    data: bytes


@dataclass(slots=True)
class _Line:
    """What went over one connection, in both directions."""

    asked: bytearray = field(default_factory=bytearray)
    answered: bytearray = field(default_factory=bytearray)


class RecordingProxy:
    """Forwards every connection to a port of this machine, where a server may come and go, and keeps what it says."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._lines: list[_Line] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> RecordingProxy:
        """Begin to listen."""
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Listen no more."""
        self._listener.close()

    def received(self) -> list[Received]:
        """Return all that the browser was sent until now, decompressed."""
        return [one for line in list(self._lines) for one in read_line(bytes(line.asked), bytes(line.answered))]

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._port))
                except OSError:  # the server is away, which the browser sees as a connection that ends
                    client.close()
                    continue
                line = _Line()
                self._lines.append(line)
                for source, sink, kept in ((client, server, line.asked), (server, client, line.answered)):
                    threading.Thread(target=_forward, args=(source, sink, kept), daemon=True).start()


def _forward(source: socket.socket, sink: socket.socket, kept: bytearray) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            kept += data
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


def read_line(asked: bytes, answered: bytes) -> list[Received]:
    """Return what a connection carried to the browser; what a killed server did not finish is read as far as it came.

    Raises
    ------
    ValueError
        If something was sent that this reader does not understand: it must not pass unread.
    """
    paths = _paths(asked)
    found: list[Received] = []
    at = 0
    for path, is_head in paths:
        end = answered.find(_HEAD_END, at)
        if end < 0:
            break
        head = answered[at:end]
        found.append(Received("headers", path, head))
        status, headers = int(head.split(b" ", 2)[1]), _headers(head)
        at = end + len(_HEAD_END)
        if status == 101:
            return found + _frames(path, headers, answered[at:])
        body, at = (b"", at) if is_head or status in _NO_BODY else _body(headers, answered, at)
        found.append(Received("body", path, _decoded(headers, body)))
    if len(answered) > at:
        raise ValueError(f"{len(answered) - at} bytes of an answer were not understood: {answered[at : at + 80]!r}")
    return found


def _paths(asked: bytes) -> list[tuple[str, bool]]:
    """Return the path of every request of a connection, and whether only its head was asked for."""
    found = []
    at = 0
    while (end := asked.find(_HEAD_END, at)) >= 0:
        head = asked[at:end]
        method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
        headers = _headers(head)
        found.append((path, method == "HEAD"))
        if b"upgrade" in headers:
            break
        at = end + len(_HEAD_END) + int(headers.get(b"content-length", b"0"))
    return found


def _headers(head: bytes) -> dict[bytes, bytes]:
    lines = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in lines}


def _body(headers: dict[bytes, bytes], answered: bytes, at: int) -> tuple[bytes, int]:
    if headers.get(b"transfer-encoding", b"").lower() == b"chunked":
        body = bytearray()
        while (end := answered.find(b"\r\n", at)) >= 0:
            size = int(answered[at:end].split(b";")[0], 16)
            body += answered[end + 2 : end + 2 + size]
            at = min(end + 2 + size + 2, len(answered))
            if size == 0:
                return bytes(body), at
        return bytes(body), len(answered)
    if b"content-length" in headers:
        end = min(at + int(headers[b"content-length"]), len(answered))
        return answered[at:end], end
    return answered[at:], len(answered)  # to the end of the connection


def _decoded(headers: dict[bytes, bytes], body: bytes) -> bytes:
    encoding = headers.get(b"content-encoding", b"identity")
    if encoding == b"identity" or not body:
        return body
    if encoding not in (b"gzip", b"deflate"):
        raise ValueError(f"A body came in the encoding {encoding!r}.")
    return zlib.decompressobj(47).decompress(body)  # gzip or zlib, whichever the first bytes say


def _frames(path: str, headers: dict[bytes, bytes], data: bytes) -> list[Received]:
    """Return the messages of a websocket, its parts put together."""
    inflate = (
        zlib.decompressobj(-15) if b"permessage-deflate" in headers.get(b"sec-websocket-extensions", b"") else None
    )
    anew = b"server_no_context_takeover" in headers.get(b"sec-websocket-extensions", b"")
    found: list[Received] = []
    message, packed = bytearray(), False
    at = 0
    while at + 2 <= len(data):
        first, second = data[at], data[at + 1]
        if second & 0x80:
            raise ValueError("A server masks no frame.")
        size, start = second & 0x7F, at + 2
        if size > 125:
            more = 2 if size == 126 else 8
            size, start = int.from_bytes(data[start : start + more]), start + more
        part, at = data[start : start + size], start + size
        if first & 0x0F >= 8:  # ping, pong, end
            found.append(Received("frame", path, part))
            continue
        packed = bool(first & 0x40) if first & 0x0F else packed
        message += part
        if first & 0x80 or at > len(data):
            whole = at <= len(data)
            said = inflate.decompress(bytes(message) + (_DEFLATE_TAIL if whole else b"")) if packed else bytes(message)
            found.append(Received("frame", path, said))
            message = bytearray()
            inflate = zlib.decompressobj(-15) if inflate is not None and anew else inflate
    return found
