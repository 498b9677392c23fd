"""What a server said instead of an answer, as one of our errors in one short sentence.

The rules look at status, headers and body only, so that they hold for every SDK and every server.
"""

from __future__ import annotations

import email.utils
import html
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pet2rep_core.errors import GenerationError, ModelUnavailableError, ProviderBusyError, ProviderRefusedError
from pet2rep_core.vlm.endpoint import Endpoint
from pet2rep_core.vlm.secret_keys import SecretKey

MAX_SAID = 200
_BUSY = (408, 409, 425, 429)
_LONG = re.compile(
    r"context[ _](?:length|window)|maximum context|too long|prompt is too|token limit|max_model_len|input length", re.I
)
_IMAGES = re.compile(r"at most \d+ image|too many images|image(?:s|\(s\)) may be provided|number of images", re.I)
_NO_MODEL = re.compile(
    r"model[^.]{0,80}(?:not found|does not exist|not exist|is not available|deprecated|retired)"
    r"|model_not_found|server is pinned|unknown model|invalid model", re.I
)  # fmt: skip
_QUOTA_CODES = frozenset(
    {"insufficient_quota", "billing_hard_limit_reached", "exceeded_current_quota_error", "arrearage", "billing_error"}
)
_NO_MONEY = re.compile(r"credit balance is too low|insufficient balance|account.{0,20}(?:suspended|in arrears)", re.I)
_DELAY = re.compile(r'"retryDelay"\s*:\s*"(\d+(?:\.\d+)?)s"')


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is no answer: status, headers in lower case, and the body as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def error_of(reply: Reply, endpoint: Endpoint, key: SecretKey) -> GenerationError:
    """Return our error for a reply; the server's own words are shortened, put on one line and rid of keys."""
    host, model = endpoint.host, endpoint.model
    said = key.hide(shortened(reply.body))
    codes = _codes(reply.body)
    if reply.status < 400:
        return ProviderRefusedError(
            f"{host} sends the request on to another address, which was not followed.",
            hint="Give the address where the server itself answers.",
            for_all=True,
        )
    if reply.status == 401:
        return ModelUnavailableError(f"{host} does not accept the key.", hint=_about_key(endpoint))
    if reply.status == 402 or codes & _QUOTA_CODES or _NO_MONEY.search(said):
        return ProviderRefusedError(
            f"The account at {host} has no credit or quota left: {said}",
            hint="Look at the account's billing, then run the same again.",
            for_all=True,
        )
    if reply.status == 403:
        return ProviderRefusedError(
            f"{host} does not let this key use {model!r}: {said}",
            hint="Ask for access to the model, or use another key.",
            for_all=True,
        )
    if reply.status in _BUSY or reply.status >= 500:
        return ProviderBusyError(
            f"{host} is busy or has trouble (HTTP {reply.status}): {said}",
            hint="Try again later.",
            retry_after_s=retry_after_s(reply),
        )
    if reply.status == 404 or (reply.status == 400 and _NO_MODEL.search(said)):
        return _not_there(reply, endpoint, said)
    return _refused(reply, endpoint, said)


def _not_there(reply: Reply, endpoint: Endpoint, said: str) -> GenerationError:
    if _as_object(reply.body) is None:
        return ModelUnavailableError(
            f"{endpoint.host} answers, but not at this address: {said}",
            hint="Check the base URL; that of most servers ends in /v1.",
        )
    return ModelUnavailableError(
        f"{endpoint.host} has no model {endpoint.model!r}: {said}",
        hint="It may be retired or run under another name; see what the server lists.",
    )


def _refused(reply: Reply, endpoint: Endpoint, said: str) -> GenerationError:
    host = endpoint.host
    if _IMAGES.search(said):
        return ProviderRefusedError(
            f"{host} takes fewer pictures than were sent: {said}",
            hint="""Start vLLM with --limit-mm-per-prompt '{"image":6}', or choose the input "fused".""",
            for_all=True,
        )
    if reply.status == 413:
        return ProviderRefusedError(
            f"The request is too large for {host}: {said}", hint="Send smaller pictures (--size)."
        )
    if _LONG.search(said):
        return ProviderRefusedError(
            f"The request is longer than the model's window: {said}",
            hint="Ask for fewer new tokens or send smaller pictures; vLLM's window is --max-model-len.",
        )
    if reply.status == 422:
        return ProviderRefusedError(
            f"{host} does not know a field that was sent: {said}",
            hint="Take it out of the options that the model's row accepts.",
            for_all=True,
        )
    return ProviderRefusedError(
        f"{host} refused the request (HTTP {reply.status}): {said}",
        hint="Change what it names, for example an option of the model's row.",
    )


def _about_key(endpoint: Endpoint) -> str:
    if endpoint.key_env:
        return f"Check the key in {endpoint.key_env}."
    return "Set the key that the server was started with in PET2REP_SERVER_KEY."


def lost(endpoint: Endpoint) -> ProviderBusyError:
    """Return the error of a connection that ended before the answer did."""
    return ProviderBusyError(
        f"The connection to {endpoint.host} ended in the middle of the answer.", hint="Try again; nothing was kept."
    )


def unreachable(endpoint: Endpoint) -> ProviderBusyError:
    """Return the error of a server that could not be reached."""
    return ProviderBusyError(
        f"No server answers at {endpoint.host}.", hint="Start it, or give another address with --base-url."
    )


def too_large(endpoint: Endpoint, limit: int) -> ProviderRefusedError:
    """Return the error of an answer that does not end."""
    return ProviderRefusedError(
        f"{endpoint.host} sent more than {limit / 2**20:.0f} MiB for one report; the rest was not read.",
        hint="Check that this is the server that you meant.",
    )


def not_understood(endpoint: Endpoint, said: str) -> ProviderRefusedError:
    """Return the error of a reply that calls itself an answer and is none."""
    return ProviderRefusedError(
        f"{endpoint.host} answered with something that is no answer of a model: {said}",
        hint="Check the base URL; that of most servers ends in /v1.",
    )


def shortened(body: bytes | str) -> str:
    """Return the words of a body on one line of at most 200 characters: of JSON its message, of HTML its title."""
    text = body if isinstance(body, str) else body[:65536].decode("utf-8", errors="replace")
    found = _as_object(text)
    if found is not None:
        text = next(_messages(found), text)
    elif re.search(r"<(?:html|!doctype|body|head)\b", text, re.I):
        title = re.search(r"<(?:title|h1)[^>]*>(.*?)</", text, re.I | re.S)
        text = "an HTML page" + (f", {html.unescape(title[1])!r}" if title else "")
    words = " ".join(text.split())
    words = "".join(letter if letter.isprintable() else "?" for letter in words)
    return words if len(words) <= MAX_SAID else words[: MAX_SAID - 1] + "…"


def retry_after_s(reply: Reply) -> float | None:
    """Return the seconds that a server asks to wait, by header or in its body; None where it does not say."""
    headers = reply.headers
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) / unit)
        except (KeyError, ValueError):
            continue
    try:
        when = email.utils.parsedate_to_datetime(headers["retry-after"])
        return max(0.0, when.timestamp() - time.time())
    except (KeyError, ValueError, TypeError):
        pass
    delay = _DELAY.search(reply.body[:65536].decode("utf-8", errors="replace"))
    return float(delay[1]) if delay else None


def _as_object(body: bytes | str) -> Any:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict | list) and found else None


def _messages(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield the texts under message, detail or error, the outermost first."""
    if isinstance(value, list):
        value = next((one for one in value if isinstance(one, dict)), None)
    if not isinstance(value, dict) or depth > 4:
        return
    for name in ("message", "detail", "msg", "error"):
        inner = value.get(name)
        if isinstance(inner, str) and inner.strip():
            yield inner
        elif isinstance(inner, dict | list):
            yield from _messages(inner, depth + 1)


def _codes(body: bytes) -> set[str]:
    found = _as_object(body)
    inner = found.get("error", found) if isinstance(found, dict) else None
    places = [one for one in (found, inner) if isinstance(one, dict)]
    return {str(place[name]).lower() for place in places for name in ("code", "type", "error_code") if name in place}
