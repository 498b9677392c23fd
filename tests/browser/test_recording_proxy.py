"""What a browser was sent is read whole: compressed, in chunks, as frames, and to where a killed server broke off."""

from __future__ import annotations

import gzip
import zlib

import pytest

from tests.browser.recording_proxy import Received, read_line

_ASKED = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"
_UPGRADE = b"GET /stream HTTP/1.1\r\nUpgrade: websocket\r\n\r\n\x81\x80mask"


def _data(found: list[Received]) -> list[tuple[str, bytes]]:
    return [(one.path, one.data) for one in found if one.what != "headers"]


def test_bodies_are_unpacked_and_belong_to_their_paths() -> None:
    packed = gzip.compress(b"the first answer")
    answered = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s" % (len(packed), packed)
    answered += b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nthe se\r\n4;x=1\r\ncond\r\n0\r\n\r\n"
    assert _data(read_line(_ASKED, answered)) == [("/a", b"the first answer"), ("/b", b"the second")]
    cut = read_line(_ASKED, answered[: len(answered) - 8])
    assert _data(cut) == [("/a", b"the first answer"), ("/b", b"the second"[:9])]


def test_frames_are_unpacked_with_what_came_before() -> None:
    deflate = zlib.compressobj(wbits=-15)

    def frame(words: bytes) -> bytes:
        packed = (deflate.compress(words) + deflate.flush(zlib.Z_SYNC_FLUSH)).removesuffix(b"\x00\x00\xff\xff")
        size = bytes([len(packed)]) if len(packed) < 126 else b"\x7e" + len(packed).to_bytes(2)
        return b"\xc2" + size + packed

    head = b"HTTP/1.1 101 Switching\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    long = bytes(range(256)) * 2
    answered = head + frame(b"the same words") + b"\x89\x02hi" + frame(b"the same words") + frame(long)
    assert [data for _, data in _data(read_line(_UPGRADE, answered))] == [
        b"the same words", b"hi", b"the same words", long
    ]  # fmt: skip


def test_what_is_not_understood_does_not_pass_unread() -> None:
    with pytest.raises(ValueError, match="encoding b'br'"):
        read_line(_ASKED, b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nxx")
    with pytest.raises(ValueError, match="not understood"):
        read_line(b"", b"HTTP/1.1 200 OK\r\n\r\nunasked")
