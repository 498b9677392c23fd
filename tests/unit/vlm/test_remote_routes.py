"""Both SDKs against a real HTTP server: what goes out, what comes back, how each failure is said."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator

import pytest

from pet2rep_core.errors import (
    CancelledError,
    GenerationError,
    ModelUnavailableError,
    ProviderBusyError,
    ProviderRefusedError,
)
from pet2rep_core.records import GenerationStatus
from pet2rep_core.vlm.answer_status import reason_of_answer
from pet2rep_core.vlm.anthropic_route import AnthropicRoute
from pet2rep_core.vlm.endpoint import Endpoint
from pet2rep_core.vlm.openai_route import OpenAIRoute
from pet2rep_core.vlm.request import Options, Picture, Request, Severity
from pet2rep_core.vlm.secret_keys import SecretKey
from tests import vendor_servers as vendor
from tests.vendor_servers import VendorServer, vendor_server

KEY = SecretKey("SOME_KEY", "sk-test-7f3a9c1d5e2b8046")
PNG = b"\x89PNG\r\n\x1a\n not drawn"
REQUEST = Request("你是医师。", "写报告。", tuple(Picture(PNG, f"fused {n}", 200, 219) for n in (1, 2, 3)), Options())
TEXT = "影像所见：肝脏未见异常。"
OPENAI, ANTHROPIC = "openai", "anthropic"


@pytest.fixture
def server() -> Iterator[VendorServer]:
    with vendor_server() as one:
        yield one


def route(server: VendorServer, kind: str, **more):
    endpoint = {"model": "m", "base_url": server.base_url if kind == OPENAI else server.root, "key_env": "SOME_KEY"}
    return (OpenAIRoute if kind == OPENAI else AnthropicRoute)(Endpoint(**{**endpoint, **more}), KEY)


def ask(server, kind=OPENAI, request=REQUEST, *, on_text=None, cancelled=lambda: False, **more):
    adapter = route(server, kind, **more)
    try:
        return adapter.ask(request, on_text=on_text, cancelled=cancelled)
    finally:
        adapter.close()


# --- what goes out


def test_an_openai_request_has_the_pictures_then_the_text_and_every_option(server):
    answer = ask(server)
    [call] = server.calls
    system, user = call.body["messages"]
    assert system == {"role": "system", "content": [{"type": "text", "text": "你是医师。"}]}
    assert [part["type"] for part in user["content"]] == ["image_url"] * 3 + ["text"]
    assert user["content"][0]["image_url"]["url"].startswith("data:image/png;base64,iVBORw0KGgo")
    assert call.text == "写报告。"
    # the options of the benchmark's one public script, all of them said
    sent = {"max_tokens": 1024, "temperature": 0.7, "top_p": 1.0, "seed": 0, "top_k": 50, "repetition_penalty": 1.0}
    assert {name: value for name, value in call.body.items() if name not in ("model", "messages")} == sent
    assert dict(answer.sent) == sent
    assert call.headers["authorization"] == f"Bearer {KEY.value}"
    assert (answer.text, answer.status, answer.finish_reason) == (TEXT, GenerationStatus.DONE, "stop")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (2100, 300)
    assert (answer.model, answer.request_id) == ("m-2026", "rq-9")
    assert set(answer.engine) == {"openai", "host"}


@pytest.mark.parametrize(
    ("more", "sent"),
    [
        ({"accepts": frozenset({"temperature", "top_p", "seed"})},
         {"max_tokens": 1024, "temperature": 0.7, "top_p": 1.0, "seed": 0}),
        ({"accepts": frozenset(), "length_option": "max_completion_tokens"}, {"max_completion_tokens": 1024}),
        ({"accepts": frozenset(), "extra": {"reasoning_effort": "low"}},
         {"max_tokens": 1024, "reasoning_effort": "low"}),
    ],
    ids=["three", "none", "extra"],
)  # fmt: skip
def test_an_option_that_a_model_does_not_take_is_left_out(server, more, sent):
    answer = ask(server, **more)
    [call] = server.calls
    assert {name: value for name, value in call.body.items() if name not in ("model", "messages")} == sent
    assert dict(answer.sent) == sent


def test_a_server_that_knows_no_top_k_gets_it_in_its_own_field(server):
    def strict(call):
        unknown = {"top_k", "repetition_penalty"} & set(call.body)
        detail = f"Unexpected fields in the request: {sorted(unknown)}"
        return vendor.as_json({"detail": detail}, status=422) if unknown else vendor.good(call)

    server.answer = strict
    adapter = route(server, OPENAI)
    first, second = (adapter.ask(REQUEST, cancelled=lambda: False) for _ in range(2))
    adapter.close()
    assert json.loads(first.sent["generation_config"]) == {"top_k": 50, "repetition_penalty": 1.0}
    assert first.sent == second.sent
    assert len(server.calls) == 3  # it is learned once


def test_claude_gets_no_sampling_option(server):
    answer = ask(server, ANTHROPIC)
    [call] = server.calls
    assert set(call.body) == {"model", "max_tokens", "messages", "system", "stream"}
    assert (call.body["system"], call.body["max_tokens"]) == ("你是医师。", 1024)
    content = call.body["messages"][0]["content"]
    assert [part["type"] for part in content] == ["image"] * 3 + ["text"]
    assert content[0]["source"]["media_type"] == "image/png"
    assert dict(answer.sent) == {"max_tokens": 1024}
    assert (answer.text, answer.status, answer.finish_reason) == (TEXT, GenerationStatus.DONE, "end_turn")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (2000, 250)
    assert (answer.model, answer.request_id) == ("claude-opus-5-5", "rq-7")


@pytest.mark.parametrize("kind", [OPENAI, ANTHROPIC])
def test_a_stream_gives_its_pieces_and_the_same_answer(server, kind):
    pieces: list[str] = []
    whole, streamed = ask(server, kind), ask(server, kind, on_text=pieces.append)
    assert pieces == ["影像所见：", "肝脏未见异常。"]
    assert (streamed.text, streamed.status, streamed.usage) == (whole.text, whole.status, whole.usage)
    assert streamed.request_id == whole.request_id


# --- how an answer ends


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (vendor.chat("写到一半", finish="length"), GenerationStatus.CUT, "length limit ended the text"),
        (vendor.chat("不便回答", finish="content_filter"), GenerationStatus.REFUSED, "declined"),
        (vendor.chat(None, refusal="I cannot help."), GenerationStatus.REFUSED, "declined"),
        (vendor.chat(None), GenerationStatus.EMPTY, "without a text"),
        (vendor.chat("  \n"), GenerationStatus.EMPTY, "without a text"),
        (vendor.chat("<think>想</think>\n影像所见"), GenerationStatus.DONE, ""),
        (vendor.chat("<think>想", finish="length"), GenerationStatus.EMPTY, "before it had any text"),
        ({**vendor.chat(None, finish="length", reasoning_content="想"),
          "usage": {"completion_tokens": 1024, "completion_tokens_details": {"reasoning_tokens": 1024}}},
         GenerationStatus.EMPTY, "used 1024 tokens for thinking"),
    ],
    ids=["cut", "filter", "refusal", "none", "blank", "think", "think cut", "budget"],
)  # fmt: skip
def test_how_an_openai_answer_ends(server, body, status, reason):
    server.answer = lambda _: vendor.as_json(body)
    answer = ask(server)
    assert answer.status is status
    assert reason in reason_of_answer(answer)
    assert "想" not in answer.text


@pytest.mark.parametrize(
    ("stop", "status"),
    [("max_tokens", GenerationStatus.CUT), ("refusal", GenerationStatus.REFUSED),
     ("model_context_window_exceeded", GenerationStatus.CUT)],
)  # fmt: skip
def test_how_an_answer_of_claude_ends(server, stop, status):
    server.answer = lambda _: vendor.claude(["半"], stop)
    assert ask(server, ANTHROPIC).status is status
    server.answer = lambda _: vendor.claude([], "end_turn")
    assert ask(server, ANTHROPIC).status is GenerationStatus.EMPTY


# --- failures in one sentence

LONG = "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens."
HTML = vendor.Reply(502, [b"<html><head><title>502 Bad Gateway</title></head>" + b"x" * 50000], media="text/html")
FAILURES = {
    "key": (vendor.refusal(401, {"message": f"Incorrect API key provided: {KEY.value}"}), ModelUnavailableError,
            "does not accept the key", "SOME_KEY"),
    "no model": (vendor.refusal(404, {"message": "The model `m` does not exist", "code": "model_not_found"}),
                 ModelUnavailableError, "has no model 'm'", "retired"),
    "no path": (vendor.Reply(404, [b"404 page not found"], media="text/plain"), ModelUnavailableError,
                "answers, but not at this address", "ends in /v1"),
    "pinned": (vendor.refusal(400, {"message": "Server is pinned to x"}), ModelUnavailableError,
               "has no model", "name"),
    "long": (vendor.refusal(400, {"message": LONG}), ProviderRefusedError, "longer than the model's window: This",
             "--max-model-len"),
    "images": (vendor.refusal(400, {"message": "At most 1 image(s) may be provided in one request."}),
               ProviderRefusedError, "takes fewer pictures", """--limit-mm-per-prompt '{"image":6}'"""),
    "large": (vendor.refusal(413, {"message": "Request exceeds the maximum size"}), ProviderRefusedError,
              "too large", "--size"),
    "field": (vendor.as_json({"detail": "Unexpected fields in the request: {'seed'}"}, status=422),
              ProviderRefusedError, "does not know a field that was sent: Unexpected fields", "row accepts"),
    "option": (vendor.refusal(400, {"message": "Unsupported value: 'temperature'"}), ProviderRefusedError,
               "refused the request (HTTP 400): Unsupported value", "option"),
    "forbidden": (vendor.refusal(403, {"message": "no access"}), ProviderRefusedError,
                  "does not let this key", "access"),
    "money": (vendor.refusal(429, {"message": "You exceeded your current quota", "code": "insufficient_quota"}),
              ProviderRefusedError, "no credit or quota left", "billing"),
    "credit": (vendor.refusal(400, {"message": "Your credit balance is too low"}), ProviderRefusedError,
               "no credit or quota left", "billing"),
    "rate": (vendor.refusal(429, {"message": "slow down"}, retry_after="7"), ProviderBusyError, "HTTP 429", "later"),
    "html": (HTML, ProviderBusyError, "an HTML page, '502 Bad Gateway'", "later"),
    "trouble": (vendor.refusal(503, {"message": "overloaded"}), ProviderBusyError, "HTTP 503", "later"),
    "moved": (vendor.Reply(307, headers={"location": "https://elsewhere.example/v1/chat/completions"}),
              ProviderRefusedError, "another address, which was not followed", "itself"),
}  # fmt: skip


@pytest.mark.parametrize("name", list(FAILURES))
@pytest.mark.parametrize("kind", [OPENAI, ANTHROPIC])
def test_each_failure_is_one_short_sentence_and_asked_once(server, kind, name):
    reply, error, said, hint = FAILURES[name]
    server.answer = lambda _: reply
    with pytest.raises(error) as caught:
        ask(server, kind)
    assert said in caught.value.message
    assert hint in caught.value.hint
    assert len(caught.value.message) < 400
    assert "\n" not in str(caught.value)
    assert KEY.value not in str(caught.value)
    assert len(server.calls) == 1  # the SDKs would try again by themselves


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [({"retry-after": "7"}, {}, 7.0), ({"retry-after-ms": "250"}, {}, 0.25), ({}, {}, None),
     ({}, [{"error": {"details": [{"retryDelay": "34s"}]}}], 34.0)],
    ids=["seconds", "ms", "none", "gemini"],
)  # fmt: skip
def test_the_wait_that_a_server_asks_for(server, headers, body, seconds):
    server.answer = lambda _: vendor.as_json(body, status=429, headers=headers)
    with pytest.raises(ProviderBusyError) as caught:
        ask(server)
    assert caught.value.retry_after_s == seconds


def test_a_date_to_wait_for(server):
    server.answer = lambda _: vendor.refusal(429, {}, retry_after="Sun, 29 Nov 2099 00:00:00 GMT")
    with pytest.raises(ProviderBusyError) as caught:
        ask(server)
    assert caught.value.retry_after_s is not None
    assert caught.value.retry_after_s > 1e9


@pytest.mark.parametrize("kind", [OPENAI, ANTHROPIC])
def test_an_error_in_the_middle_of_a_stream(server, kind):
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    begun = vendor.claude_events(["半"], None)[:-1] if kind == ANTHROPIC else vendor.events(
        *vendor.chat_events(["半"], None, usage=False), done=False)  # fmt: skip
    last = vendor.claude_event(error) if kind == ANTHROPIC else vendor.events(error, done=False)[0]
    server.answer = lambda _: vendor.Reply(parts=[*begun, last], media="text/event-stream")
    with pytest.raises(ProviderBusyError, match="Overloaded"):
        ask(server, kind, on_text=lambda _: None)


@pytest.mark.parametrize("kind", [OPENAI, ANTHROPIC])
@pytest.mark.parametrize("clean", [True, False], ids=["closed", "length"])
def test_half_an_answer_is_a_lost_connection(server, kind, clean):
    begun = vendor.claude_events(["半"], None)[:-1] if kind == ANTHROPIC else vendor.events(
        *vendor.chat_events(["半"], None, usage=False), done=False)  # fmt: skip
    server.answer = lambda _: vendor.Reply(
        parts=begun, media="text/event-stream", cut=True, length=None if clean else 99999
    )
    with pytest.raises(ProviderBusyError, match="ended in the middle of the answer"):
        ask(server, kind, on_text=lambda _: None)


def test_half_a_json_answer_is_a_lost_connection(server):
    server.answer = lambda _: vendor.Reply(parts=[b'{"choices": [{"mess'], cut=True, length=5000)
    with pytest.raises(ProviderBusyError, match="ended in the middle of the answer"):
        ask(server)


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"<html><title>Welcome</title></html>", b'{"choices": []}', b'{"choices": "x"}',
     b'{"choices": [7]}', b"[" * 100000, b"\xff\xfe\x00"],
    ids=["nothing", "null", "list", "html", "no choice", "text", "number", "deep", "binary"],
)  # fmt: skip
def test_what_calls_itself_an_answer_and_is_none(server, body):
    server.answer = lambda _: vendor.Reply(parts=[body])
    with pytest.raises(ProviderRefusedError, match="something that is no answer of a model"):
        ask(server)


def test_a_stream_of_rubbish_is_a_lost_connection(server):
    rubbish = [b": hello\n\n", b"data: {not json\n\n", b"data: 7\n\n", b'data: {"choices": [{"delta": 7}]}\n\n']
    server.answer = lambda _: vendor.Reply(parts=rubbish, media="text/event-stream")
    with pytest.raises(ProviderBusyError, match="ended in the middle"):
        ask(server, on_text=lambda _: None)


@pytest.mark.parametrize("kind", [OPENAI, ANTHROPIC])
def test_an_endless_answer_is_not_read_to_its_end(server, kind, monkeypatch):
    monkeypatch.setattr("pet2rep_core.vlm.http_client.MAX_REPLY_BYTES", 2**20)
    server.answer = lambda _: vendor.Reply(parts=[b"data: " + b"x" * 2**16] * 64, media="text/event-stream")
    with pytest.raises(ProviderRefusedError, match="more than 1 MiB for one report"):
        ask(server, kind, on_text=lambda _: None)


def test_a_packed_answer_is_not_unpacked(server):
    server.answer = lambda _: vendor.Reply(parts=[b"\x1f\x8b"], headers={"content-encoding": "gzip"})
    with pytest.raises(ProviderRefusedError, match="more than 32 MiB"):
        ask(server)


@pytest.mark.parametrize("kind", [OPENAI, ANTHROPIC])
def test_nobody_there(kind):
    with vendor_server() as server:
        gone = server
    with pytest.raises(ProviderBusyError, match="No server answers at 127"):
        ask(gone, kind)


# --- time and stopping


@pytest.mark.parametrize("kind", [OPENAI, ANTHROPIC])
def test_a_limit_holds_even_where_every_byte_is_in_time(server, kind):
    parts = (
        vendor.claude_events(["字"] * 400) if kind == ANTHROPIC else vendor.events(*vendor.chat_events(["字"] * 400))
    )
    server.answer = lambda _: vendor.Reply(parts=parts, media="text/event-stream", pause_s=0.05)
    with pytest.raises(ProviderBusyError, match=r"did not finish its answer within 0\.5 s"):
        ask(server, kind, on_text=lambda _: None, time_limit_s=0.5)
    assert server.gone.wait(10)  # the connection was closed, so that the server can stop too


@pytest.mark.parametrize("kind", [OPENAI, ANTHROPIC])
@pytest.mark.parametrize("late", ["head", "body"])
def test_stopping_ends_the_call_and_the_connection(server, kind, late):
    parts = (
        vendor.claude_events(["字"] * 4000) if kind == ANTHROPIC else vendor.events(*vendor.chat_events(["字"] * 99))
    )
    pauses = {"delay_s": 60.0} if late == "head" else {"pause_s": 0.1}
    server.answer = lambda _: vendor.Reply(parts=parts, media="text/event-stream", **pauses)
    stop, ended = threading.Event(), []
    adapter = route(server, kind)

    def work():
        with pytest.raises(CancelledError):
            adapter.ask(REQUEST, on_text=lambda _: None, cancelled=stop.is_set)
        ended.append(time.monotonic())

    thread = threading.Thread(target=work)
    thread.start()
    while not server.calls:
        time.sleep(0.01)
    stop.set()
    thread.join(30)
    assert ended
    assert server.gone.wait(10)
    adapter.close()


# --- looking before asking


@pytest.mark.parametrize("kind", [OPENAI, ANTHROPIC])
def test_a_look_sends_neither_text_nor_picture(server, kind):
    server.models = vendor.as_json({"data": [{"id": "other"}]})
    adapter = route(server, kind)
    [finding] = [one for one in adapter.check(REQUEST) if "list" in one.message]
    adapter.close()
    assert finding.severity is Severity.WARNING
    assert "does not list the model 'm'; it lists other." in finding.message
    assert server.calls == []
    assert [call.body for call in server.looks] == [{}]


def test_what_a_look_finds(server):
    def found(**more):
        adapter = route(server, OPENAI, **more)
        try:
            return [(one.severity, one.message) for one in adapter.check(REQUEST)]
        finally:
            adapter.close()

    server.models = vendor.as_json({"data": [{"id": "models/m"}]})  # as Gemini lists them
    assert found() == []
    server.models = vendor.Reply(500, [b"no cache"])  # as transformers serve says without a network
    assert found() == []
    server.models = vendor.refusal(401, {"message": "no"})
    assert found() == [(Severity.ERROR, f"{server.host} does not accept the key.")]


def test_edges_that_claude_does_not_take(server):
    adapter = route(server, ANTHROPIC)
    wide = Request("", "u", (Picture(PNG, "x", 9000, 300),), Options())
    small = Request("", "u", (Picture(PNG, "x", 180, 300),), Options())
    assert [(one.severity, one.message[:35]) for one in adapter.check(wide)] == [
        (Severity.ERROR, "A picture has an edge of 9000 pixel")
    ]
    assert [one.severity for one in adapter.check(small)] == [Severity.WARNING]
    adapter.close()


# --- keys


def test_no_key_in_any_log_or_repr(server, caplog):
    caplog.set_level(logging.DEBUG)
    server.answer = lambda _: vendor.refusal(400, {"message": f"Authorization: Bearer {KEY.value} sk-another000000001"})
    with pytest.raises(GenerationError) as caught:
        ask(server)
    ask_error = f"{caught.value!r} {caught.value} {KEY!r} {KEY}"
    assert KEY.value not in ask_error + caplog.text
    assert "sk-another000000001" not in str(caught.value)


def test_a_server_without_a_key(server):
    adapter = OpenAIRoute(Endpoint("m", server.base_url), None)
    assert adapter.ask(REQUEST, cancelled=lambda: False).text == TEXT
    adapter.close()
    assert server.calls[0].headers["authorization"] == "Bearer EMPTY"


def test_a_proxy_of_the_environment_does_not_see_what_stays_here(server, monkeypatch):
    with vendor_server() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.root)
        assert ask(server).text == TEXT
        assert proxy.calls == []


@pytest.mark.slow
def test_many_at_the_same_time_over_one_adapter():
    with vendor_server(lambda call: vendor.as_json(vendor.chat(f"to {call.text}"), delay_s=0.2)) as server:
        adapter = route(server, OPENAI, parallel=16)
        texts: dict[int, str] = {}

        def work(n: int) -> None:
            request = Request("", f"q{n}", REQUEST.pictures, Options())
            texts[n] = adapter.ask(request, cancelled=lambda: False).text

        threads = [threading.Thread(target=work, args=(n,)) for n in range(16)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        adapter.close()
    assert texts == {n: f"to q{n}" for n in range(16)}
