"""A proxy before the app that cuts or holds the answers of the volume route after some bytes."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from types import TracebackType

_VOLUME = b"/volume/ct"


class CuttingProxy:
    """Forwards every connection to a port of this machine; bad only to the CT, until told otherwise."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._left = 0
        self._after = 0
        self._holds = False
        self._go = threading.Event()
        self._lock = threading.Lock()
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> CuttingProxy:
        """Begin to listen."""
        threading.Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Listen no more."""
        self._go.set()
        self._listener.close()

    def cut(self, *, times: int, after: int = 0) -> None:
        """Reset the connection so many times, each after so many bytes of a volume."""
        self._left, self._after = times, after

    def hold(self, *, after: int) -> None:
        """Send no more than so many bytes of a volume until :meth:`release`."""
        self._holds, self._after = True, after

    def release(self) -> None:
        """Let everything through."""
        self._go.set()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                pair = _Pair(client, server)
                threading.Thread(target=self._forward_requests, args=(pair,), daemon=True).start()
                threading.Thread(target=self._forward_answers, args=(pair,), daemon=True).start()

    def _forward_requests(self, pair: _Pair) -> None:
        with contextlib.suppress(OSError):
            while data := pair.client.recv(65536):
                pair.volume = _VOLUME in data
                pair.sent = 0
                pair.server.sendall(data)
        pair.close()

    def _forward_answers(self, pair: _Pair) -> None:
        with contextlib.suppress(OSError):
            while data := pair.server.recv(65536):
                pair.sent += len(data)
                if pair.volume and pair.sent > self._after and not self._let_through():
                    pair.reset()
                    return
                pair.client.sendall(data)
        pair.close()

    def _let_through(self) -> bool:
        if self._holds:
            self._go.wait(60)
            return True
        with self._lock:
            if self._left <= 0:
                return True
            self._left -= 1
            self.cuts += 1
            return False


class _Pair:
    """The two ends of one connection."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.volume = False
        self.sent = 0

    def reset(self) -> None:
        """Close so that the browser sees a broken connection, not an end."""
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self) -> None:
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
