"""A server that answers every request after a fixed time, with room for so many at once; the others wait their turn.

Run as ``python -m benchmarks.slow_server PORT LATENCY_S ROOM``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys

_HEAD = "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"


def answer(number: int) -> bytes:
    message = {"role": "assistant", "content": f"影像所见：第{number}份。"}
    return json.dumps(
        {
            "id": f"c-{number}", "object": "chat.completion", "created": 1, "model": "slow",
            "choices": [{"index": 0, "finish_reason": "stop", "message": message}],
            "usage": {"prompt_tokens": 2000, "completion_tokens": 20, "total_tokens": 2020},
        }
    ).encode()  # fmt: skip


async def serve(port: int, latency_s: float, room: int) -> None:
    places = asyncio.Semaphore(room)
    count = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lines = [line.split(":", 1) for line in head.split("\r\n")[1:] if ":" in line]
                headers = {name.lower(): value.strip() for name, value in lines}
                await reader.readexactly(int(headers.get("content-length", "0")))
                if head.startswith("GET"):
                    body = b'{"data": []}'
                else:
                    async with places:
                        await asyncio.sleep(latency_s)
                    count += 1
                    body = answer(count)
                writer.write(_HEAD.format(status="200 OK", length=len(body)).encode() + body)
                await writer.drain()
                if headers.get("connection", "").lower() == "close":
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", port, limit=2**26, backlog=512)
    print("ready", flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])))
