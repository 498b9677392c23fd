"""Models behind an OpenAI-compatible server, through chat.completions of the ``openai`` package.

vLLM, SGLang, LMDeploy, ``transformers serve`` and the endpoints of Gemini, Moonshot, DashScope and OpenAI speak it.
Waiting and retrying are the caller's, who can show and stop them, so the SDK does neither.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from pet2rep_core.errors import GenerationError, ProviderRefusedError
from pet2rep_core.vlm.answer_status import split_thinking, status_of_answer
from pet2rep_core.vlm.endpoint import Endpoint
from pet2rep_core.vlm.provider_errors import Reply, error_of, lost, not_understood, shortened
from pet2rep_core.vlm.request import Answer, Finding, Options, Request, Usage
from pet2rep_core.vlm.secret_keys import SecretKey
from pet2rep_core.vlm.wire import Say, Wire

NO_KEY = "EMPTY"
"""What servers without a key are given; the SDK refuses to send nothing."""

_NAMED = ("temperature", "top_p", "seed")
_BESIDE = ("top_k", "repetition_penalty")
_UNKNOWN_FIELD = re.compile(r"Unexpected fields.*(?:top_k|repetition_penalty)")
_OF_ANSWER = ("id", "model", "usage", "system_fingerprint")


def chat_messages(request: Request) -> list[dict[str, Any]]:
    """Return the messages of a request: parts throughout, because some templates drop a system text that is none."""
    pictures = [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(one.png).decode()}}
        for one in request.pictures
    ]
    user = [*pictures, {"type": "text", "text": request.user}]
    system = [{"role": "system", "content": [{"type": "text", "text": request.system}]}] if request.system else []
    return [*system, {"role": "user", "content": user}]


def chat_options(options: Options, endpoint: Endpoint, *, nested: bool = False) -> dict[str, Any]:
    """Return the fields of the body that hold the options which the model takes, by their names there.

    Options that the protocol does not have go beside the others, as vLLM and SGLang want them, or with ``nested`` into
    ``generation_config``, the one field that ``transformers serve`` has for them.
    """
    given = {name: value for name, value in options.sent().items() if name in endpoint.accepts}
    fields: dict[str, Any] = {endpoint.length_option: options.max_new_tokens}
    fields |= {name: given[name] for name in _NAMED if name in given}
    beside = {name: given[name] for name in _BESIDE if name in given}
    if beside and nested:
        fields["generation_config"] = json.dumps(beside)
    else:
        fields |= beside
    return fields | dict(endpoint.extra)


class OpenAIRoute:
    """An adapter for one model of one server; see :class:`~pet2rep_core.vlm.request.Adapter`."""

    def __init__(self, endpoint: Endpoint, key: SecretKey | None) -> None:
        import openai  # noqa: PLC0415 - not to load with the app

        from pet2rep_core.vlm.http_client import open_http_client  # noqa: PLC0415 - not to load with the app

        self.parallel = endpoint.parallel
        self._endpoint = endpoint
        self._key = key or SecretKey("", NO_KEY)
        self._http = open_http_client(endpoint)
        self._client = openai.AsyncOpenAI(
            api_key=self._key.value, base_url=endpoint.base_url, max_retries=0, http_client=self._http
        )
        self._engine = {"openai": openai.__version__, "host": endpoint.host}
        self._wire = Wire(endpoint.host)
        self._nested = False

    def check(self, request: Request) -> list[Finding]:  # noqa: ARG002 - what is in it, preflight checks
        """Return whether the server is there, takes the key and lists the model; the request is not sent."""
        from pet2rep_core.vlm.http_client import look_for_model  # noqa: PLC0415 - not to load with the app

        headers = {"Authorization": f"Bearer {self._key.value}"}
        return self._wire.call(
            lambda _: look_for_model(self._http, self._endpoint, self._key, headers, "/models"),
            on_text=None,
            cancelled=lambda: False,
            limit_s=30,
            host=self._endpoint.host,
        )

    def ask(
        self, request: Request, *, on_text: Callable[[str], None] | None = None, cancelled: Callable[[], bool]
    ) -> Answer:
        """Return the answer of the server; streamed where somebody reads it as it comes."""
        messages = chat_messages(request)

        async def once(say: Say) -> Answer:
            fields = chat_options(request.options, self._endpoint, nested=self._nested)
            return await (self._whole(messages, fields) if on_text is None else self._streamed(messages, fields, say))

        async def call(say: Say) -> Answer:
            try:
                return await once(say)
            except ProviderRefusedError as error:
                if self._nested or not _UNKNOWN_FIELD.search(error.message):
                    raise
            # transformers serve refuses fields that it does not know; nothing was computed for that
            self._nested = True
            return await once(say)

        return self._wire.call(
            call,
            on_text=on_text,
            cancelled=cancelled,
            limit_s=self._endpoint.time_limit_s,
            host=self._endpoint.host,
        )

    def close(self) -> None:
        """Close the connections."""
        self._wire.close(self._client.close)

    async def _whole(self, messages: list[Any], fields: dict[str, Any]) -> Answer:
        try:
            # options go beside what the SDK names: it has no names for some of them
            reply = await self._client.chat.completions.with_raw_response.create(
                model=self._endpoint.model, messages=messages, extra_body=fields
            )
            found, request_id = _read(reply.content), reply.headers.get("x-request-id", "")
        except Exception as error:
            raise self._ours(error) from error
        if found is None:
            raise not_understood(self._endpoint, self._key.hide(shortened(reply.content)))
        return self._answer(found, fields, request_id)

    def _answer(self, found: dict[str, Any], sent: Mapping[str, Any], request_id: str) -> Answer:
        choice = _first(found.get("choices"))
        if choice is None:
            raise not_understood(self._endpoint, self._key.hide(shortened(json.dumps(found, ensure_ascii=False))))
        message = choice.get("message")
        message = message if isinstance(message, dict) else {}
        text = _text(message.get("content"))
        refusal = message.get("refusal")
        reason = str(choice.get("finish_reason") or "")
        if isinstance(refusal, str) and refusal and not text:
            text, reason = refusal, "refusal"
        return self._finished(text, reason, found, sent, request_id)

    def _finished(
        self, text: str, reason: str, found: Mapping[str, Any], sent: Mapping[str, Any], request_id: str
    ) -> Answer:
        spoken = split_thinking(text)
        engine = dict(self._engine)
        if isinstance(found.get("system_fingerprint"), str):
            engine["system_fingerprint"] = found["system_fingerprint"]
        if spoken.thinking:
            engine["thinking_characters"] = str(len(spoken.thinking))
        return Answer(
            status=status_of_answer(spoken.text, reason),
            text=spoken.text,
            finish_reason=reason,
            usage=_usage(found.get("usage")),
            sent=dict(sent),
            model=str(found.get("model") or ""),
            engine=engine,
            request_id=request_id or str(found.get("id") or ""),
        )

    async def _streamed(self, messages: list[Any], fields: dict[str, Any], say: Say) -> Answer:
        pieces: list[str] = []
        seen: dict[str, Any] = {}
        reason = request_id = ""
        try:
            async with self._client.chat.completions.with_streaming_response.create(
                model=self._endpoint.model,
                messages=messages,
                stream=True,
                stream_options={"include_usage": True},
                extra_body=fields,
            ) as reply:
                request_id = reply.headers.get("x-request-id", "")
                async for found in _events(reply.iter_lines()):
                    if found.get("error"):
                        raise self._of_event(found)
                    seen |= {name: found[name] for name in _OF_ANSWER if found.get(name)}
                    choice = _first(found.get("choices"))  # the last event has usage and no choice
                    if choice is None:
                        continue
                    delta = choice.get("delta")
                    piece = _text(delta.get("content")) if isinstance(delta, dict) else ""
                    if piece:
                        pieces.append(piece)
                        say(piece)
                    reason = str(choice.get("finish_reason") or reason)
        except GenerationError:
            raise
        except Exception as error:
            raise self._ours(error) from error
        if not reason:
            raise lost(self._endpoint)
        return self._finished("".join(pieces), reason, seen, fields, request_id)

    def _of_event(self, found: dict[str, Any]) -> GenerationError:
        """Return our error for one that came in the middle of a stream."""
        inner = found["error"]
        code = inner.get("code") if isinstance(inner, dict) else None
        status = code if isinstance(code, int) and 400 <= code < 600 else 500
        return error_of(Reply(status, {}, json.dumps(found).encode()), self._endpoint, self._key)

    def _ours(self, error: Exception) -> GenerationError:
        import openai  # noqa: PLC0415 - not to load with the app

        from pet2rep_core.vlm.http_client import error_of_transport, reply_of  # noqa: PLC0415 - not with the app

        if isinstance(error, openai.APIStatusError):
            return error_of(reply_of(error.response), self._endpoint, self._key)
        return error_of_transport(error, self._endpoint)


def _read(content: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


async def _events(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, Any]]:
    """Yield the JSON objects of a stream of server-sent events until it says that it is done."""
    async for line in lines:
        data = line.removeprefix("data:").strip() if line.startswith("data:") else ""
        if data == "[DONE]":
            return
        found = _read(data.encode()) if data else None
        if found is not None:
            yield found


def _first(choices: object) -> dict[str, Any] | None:
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else None


def _text(content: object) -> str:
    """Return a text that comes whole or in parts; anything else is no text."""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return content if isinstance(content, str) else ""


def _usage(found: object) -> Usage:
    if not isinstance(found, dict):
        return Usage()
    details = found.get("completion_tokens_details")
    thought = details.get("reasoning_tokens") if isinstance(details, dict) else None
    return Usage(_count(found.get("prompt_tokens")), _count(found.get("completion_tokens")), _count(thought))


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
