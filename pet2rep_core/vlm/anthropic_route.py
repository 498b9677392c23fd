"""Claude, through the Messages API of the ``anthropic`` package. It takes no sampling options, so none are sent.

Waiting and retrying are the caller's: the SDK would sleep as long as any Retry-After says, where nobody can stop it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from pet2rep_core.errors import GenerationError, ModelUnavailableError
from pet2rep_core.vlm.answer_status import status_of_answer
from pet2rep_core.vlm.endpoint import Endpoint
from pet2rep_core.vlm.provider_errors import Reply, error_of, lost
from pet2rep_core.vlm.request import Answer, Finding, Request, Severity, Usage
from pet2rep_core.vlm.secret_keys import SecretKey
from pet2rep_core.vlm.wire import Say, Wire

MAX_EDGE_PX, MAX_EDGE_OF_MANY_PX, MANY_PICTURES = 8000, 2000, 20
MIN_EDGE_PX = 200
"""What the vendor says of the edges of a picture: above the first two it is refused, below the last it may suffer."""

_VERSION = "2023-06-01"


def claude_body(request: Request, endpoint: Endpoint) -> dict[str, Any]:
    """Return the body of a request: pictures before the text, the system text beside the messages."""
    pictures = [
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": base64.b64encode(one.png).decode()},
        }
        for one in request.pictures
    ]
    content = [*pictures, {"type": "text", "text": request.user}]
    body: dict[str, Any] = {
        "model": endpoint.model,
        "max_tokens": request.options.max_new_tokens,
        "messages": [{"role": "user", "content": content}],
    }
    return body | ({"system": request.system} if request.system else {})


class AnthropicRoute:
    """An adapter for one Claude model; see :class:`~pet2rep_core.vlm.request.Adapter`."""

    def __init__(self, endpoint: Endpoint, key: SecretKey | None) -> None:
        import anthropic  # noqa: PLC0415 - not to load with the app

        from pet2rep_core.vlm.http_client import open_http_client  # noqa: PLC0415 - not to load with the app

        if key is None:
            raise ModelUnavailableError(
                f"There is no key for {endpoint.host}.", hint=f"Set {endpoint.key_env} in the environment."
            )
        self.parallel = endpoint.parallel
        self._endpoint = endpoint
        self._key = key
        self._http = open_http_client(endpoint)
        self._client = anthropic.AsyncAnthropic(
            api_key=key.value, base_url=endpoint.base_url, max_retries=0, http_client=self._http
        )
        self._engine = {"anthropic": anthropic.__version__, "host": endpoint.host}
        self._wire = Wire(endpoint.host)

    def check(self, request: Request) -> list[Finding]:
        """Return whether key and pictures pass; the request is not sent."""
        from pet2rep_core.vlm.http_client import look_for_model  # noqa: PLC0415 - not to load with the app

        headers = {"x-api-key": self._key.value, "anthropic-version": _VERSION}
        found = self._wire.call(
            lambda _: look_for_model(self._http, self._endpoint, self._key, headers, "/v1/models?limit=1000"),
            on_text=None, cancelled=lambda: False, limit_s=30, host=self._endpoint.host,
        )  # fmt: skip
        return found + _about_edges(request)

    def ask(
        self, request: Request, *, on_text: Callable[[str], None] | None = None, cancelled: Callable[[], bool]
    ) -> Answer:
        """Return the answer, always streamed: the vendor refuses long ones that are not."""
        body = claude_body(request, self._endpoint)
        return self._wire.call(
            lambda say: self._streamed(body, say),
            on_text=on_text,
            cancelled=cancelled,
            limit_s=self._endpoint.time_limit_s,
            host=self._endpoint.host,
        )

    def close(self) -> None:
        """Close the connections."""
        self._wire.close(self._client.close)

    async def _streamed(self, body: dict[str, Any], say: Say) -> Answer:
        pieces: list[str] = []
        model = reason = request_id = ""
        read: int | None = None
        written: int | None = None
        thought: int | None = None
        try:
            stream = await self._client.messages.create(**body, stream=True, extra_body=dict(self._endpoint.extra))
            request_id = stream.response.headers.get("request-id", "")
            async for event in stream:
                found = event.to_dict()
                kind = found.get("type")
                if kind == "message_start":
                    message = _object(found.get("message"))
                    model = str(message.get("model") or "")
                    read = _input_tokens(_object(message.get("usage")))
                elif kind == "content_block_delta":
                    piece = _object(found.get("delta")).get("text")
                    if isinstance(piece, str) and piece:
                        pieces.append(piece)
                        say(piece)
                elif kind == "message_delta":
                    reason = str(_object(found.get("delta")).get("stop_reason") or reason)
                    usage = _object(found.get("usage"))
                    written = _count(usage.get("output_tokens"), written)
                    thought = _count(_object(usage.get("output_tokens_details")).get("thinking_tokens"), thought)
        except Exception as error:
            raise self._ours(error) from error
        if not reason:
            raise lost(self._endpoint)
        text = "".join(pieces)
        return Answer(
            status=status_of_answer(text, reason),
            text=text,
            finish_reason=reason,
            usage=Usage(read, written, thought),
            sent={"max_tokens": body["max_tokens"], **self._endpoint.extra},
            model=model,
            engine=dict(self._engine),
            request_id=request_id,
        )

    def _ours(self, error: Exception) -> GenerationError:
        import anthropic  # noqa: PLC0415 - not to load with the app

        from pet2rep_core.vlm.http_client import error_of_transport, reply_of  # noqa: PLC0415 - not with the app

        if isinstance(error, anthropic.APIStatusError):
            reply = reply_of(error.response)
            if reply.status < 300:  # an error event in the middle of a stream that had begun well
                reply = Reply(_status_of_event(error.body), reply.headers, json.dumps(error.body).encode())
            return error_of(reply, self._endpoint, self._key)
        return error_of_transport(error, self._endpoint)


def _about_edges(request: Request) -> list[Finding]:
    limit = MAX_EDGE_OF_MANY_PX if len(request.pictures) > MANY_PICTURES else MAX_EDGE_PX
    edges = [edge for one in request.pictures for edge in (one.width, one.height)]
    if edges and max(edges) > limit:
        return [
            Finding(
                Severity.ERROR,
                f"A picture has an edge of {max(edges)} pixels, and Claude takes {limit}.",
                "Send smaller pictures (--size).",
            )
        ]
    if edges and min(edges) < MIN_EDGE_PX:
        return [
            Finding(
                Severity.WARNING,
                f"A picture has an edge of {min(edges)} pixels; below {MIN_EDGE_PX} Claude sees less.",
                "Send larger pictures (--size).",
            )
        ]
    return []


def _status_of_event(body: object) -> int:
    kind = _object(_object(body).get("error")).get("type")
    return {"overloaded_error": 529, "rate_limit_error": 429, "invalid_request_error": 400}.get(str(kind), 500)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _input_tokens(usage: dict[str, Any]) -> int | None:
    """Return all tokens that were read; those from a cache are counted apart by the vendor."""
    counts = [_count(usage.get(name), None) for name in
              ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")]  # fmt: skip
    return None if counts[0] is None else sum(count or 0 for count in counts)


def _count(value: object, otherwise: int | None) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else otherwise
