"""The HTTP client of both SDKs: it follows no redirect, reads no endless answer, and reaches this machine directly.

Imported by the routes when a model is opened, so that nothing of it loads with the app.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Mapping

import httpx2

from pet2rep_core.errors import GenerationError, ProviderBusyError
from pet2rep_core.vlm.endpoint import Endpoint
from pet2rep_core.vlm.provider_errors import Reply, error_of, lost, not_understood, shortened, too_large, unreachable
from pet2rep_core.vlm.request import Finding, Severity
from pet2rep_core.vlm.secret_keys import SecretKey

MAX_REPLY_BYTES = 32 * 2**20
_CONNECT_S = 10.0
_LOOK_S = 5.0
_KEEP_S = 2.0
_SHOWN_MODELS = 5


class ReplyTooLargeError(Exception):
    """More came than any report needs."""


class _Limited(httpx2.AsyncByteStream):
    """A body that may not be larger than the limit."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self._stream:
            size += len(part)
            if size > MAX_REPLY_BYTES:
                raise ReplyTooLargeError
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _limit(reply: httpx2.Response) -> None:
    # a packed body of a few bytes can hold any number; it was asked not to be packed
    if reply.headers.get("content-encoding", "identity").lower() != "identity":
        raise ReplyTooLargeError
    if isinstance(reply.stream, httpx2.AsyncByteStream):
        reply.stream = _Limited(reply.stream)


def open_http_client(endpoint: Endpoint) -> httpx2.AsyncClient:
    """Return the client for an endpoint.

    Redirects are not followed: what a person allowed to go to one host must not end at another. A server on this
    machine is reached past any proxy of the environment, so that nothing leaves the machine.
    """
    connections = endpoint.parallel + 2
    return httpx2.AsyncClient(
        # servers close idle connections after 5 s; one that is used at that moment looks like a lost answer
        limits=httpx2.Limits(
            max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=_KEEP_S
        ),
        timeout=httpx2.Timeout(endpoint.time_limit_s, connect=_CONNECT_S),
        follow_redirects=False,
        trust_env=not endpoint.is_local,
        headers={"Accept-Encoding": "identity"},
        event_hooks={"response": [_limit]},
    )


def error_of_transport(error: BaseException, endpoint: Endpoint) -> GenerationError:
    """Return our error for one of the connection, whatever the SDK wrapped it in."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__ or cause.__context__
    if any(isinstance(one, ReplyTooLargeError) for one in chain):
        return too_large(endpoint, MAX_REPLY_BYTES)
    if any(isinstance(one, httpx2.ConnectError | httpx2.ConnectTimeout) for one in chain):
        return unreachable(endpoint)
    if any(isinstance(one, httpx2.TimeoutException) for one in chain):
        return ProviderBusyError(
            f"{endpoint.host} sent nothing for {endpoint.time_limit_s:g} s.", hint="Try again later."
        )
    if any(isinstance(one, httpx2.TransportError) for one in chain):
        return lost(endpoint)
    return not_understood(endpoint, shortened(str(error)) or type(error).__name__)


def reply_of(response: httpx2.Response) -> Reply:
    """Return status, headers and as much of the body as was read."""
    body = b""
    with contextlib.suppress(httpx2.ResponseNotRead):
        body = response.content
    return Reply(response.status_code, {name.lower(): value for name, value in response.headers.items()}, body)


async def look_for_model(
    http: httpx2.AsyncClient, endpoint: Endpoint, key: SecretKey, headers: Mapping[str, str], path: str
) -> list[Finding]:
    """Ask a server which models it has; no text and no picture goes out.

    A server that does not list its models says nothing against this one.
    """
    try:
        reply = await http.get(
            endpoint.base_url.rstrip("/") + path, headers={**headers, "Connection": "close"}, timeout=_LOOK_S
        )
    except httpx2.TransportError as error:
        problem = error_of_transport(error, endpoint)
        return [Finding(Severity.ERROR, problem.message, problem.hint)]
    if reply.status_code in (401, 403):
        problem = error_of(reply_of(reply), endpoint, key)
        return [Finding(Severity.ERROR, problem.message, problem.hint)]
    names = _listed(reply.content)
    if not names or endpoint.model in names:
        return []
    shown = ", ".join(names[:_SHOWN_MODELS]) + (", …" if len(names) > _SHOWN_MODELS else "")
    return [
        Finding(
            Severity.WARNING,
            f"{endpoint.host} does not list the model {endpoint.model!r}; it lists {shortened(shown)}.",
            "Start the server with that name (vLLM: --served-model-name), or name the one that it has.",
        )
    ]


def _listed(body: bytes) -> list[str]:
    try:
        rows = json.loads(body)["data"]
        # Gemini lists its models with the folder in front
        return [str(row["id"]).removeprefix("models/") for row in rows]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []
