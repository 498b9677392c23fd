"""Who may fetch a picture, what every answer carries, and what opening the app must not load."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pet2rep_core.ui.routes import SecurityHeaders, content_policy
from pet2rep_core.ui.tokens import LIFETIME_S, Signer
from tests.browser.server import PROJECT

NOW = 1_700_000_000.0
SIGNER = Signer()
GOOD = SIGNER.sign("a", now=NOW)
EXPIRES, MAC = GOOD.split(".")


@pytest.mark.parametrize(
    ("token", "case_id", "after_s", "allowed"),
    [
        (GOOD, "a", 0, True),
        (GOOD, "a", LIFETIME_S - 1, True),
        (GOOD, "a", LIFETIME_S, False),
        (GOOD, "a", LIFETIME_S + 1, False),
        (GOOD, "b", 0, False),
        (GOOD, "", 0, False),
        ("", "a", 0, False),
        (".", "a", 0, False),
        ("garbage", "a", 0, False),
        (EXPIRES, "a", 0, False),
        (f"{EXPIRES}.", "a", 0, False),
        (f".{MAC}", "a", 0, False),
        (f"{int(EXPIRES) + 1}.{MAC}", "a", 0, False),
        (f"+{EXPIRES}.{MAC}", "a", 0, False),
        (f"٣{EXPIRES}.{MAC}", "a", 0, False),
        (f"{'9' * 400}.{MAC}", "a", 0, False),
        (f"{EXPIRES}.{MAC[:-1]}", "a", 0, False),
        (f"{EXPIRES}.{MAC.upper()}", "a", 0, MAC.upper() == MAC),
        (f"{EXPIRES}.{MAC}é", "a", 0, False),
        (f"{EXPIRES}.{MAC}\ud800", "a", 0, False),
        (Signer().sign("a", now=NOW), "a", 0, False),
    ],
)
def test_a_token_opens_one_case_for_an_hour(token: str, case_id: str, after_s: float, *, allowed: bool) -> None:
    assert SIGNER.allows(token, case_id, now=NOW + after_s) is allowed


@given(st.text(), st.text())
def test_no_two_cases_share_a_token(one: str, other: str) -> None:
    try:
        one.encode(), other.encode()
    except UnicodeEncodeError:
        return
    assert SIGNER.allows(SIGNER.sign(one, now=NOW), other, now=NOW) is (one == other)


@given(st.text())
def test_nothing_but_a_signed_token_is_let_in(token: str) -> None:
    assert token == GOOD or not SIGNER.allows(token, "a", now=NOW)


def test_seconds_left() -> None:
    assert SIGNER.seconds_left(GOOD, now=NOW + 10) == LIFETIME_S - 10


def _headers(kind: str) -> dict[str, str]:
    async def inner(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": f"{kind}.response.start" if kind == "http" else "websocket.accept", "headers": []})

    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def answer() -> None:
        await SecurityHeaders(inner)({"type": kind, "headers": []}, None, send)  # type: ignore[arg-type]

    # A thread of its own: the browser tests keep an event loop in this one.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, answer()).result()
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def test_every_http_answer_carries_the_security_headers() -> None:
    headers = _headers("http")
    assert headers["content-security-policy"] == content_policy()
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert _headers("websocket") == {}


def test_the_content_policy_lets_nothing_in_from_elsewhere() -> None:
    rules = dict(rule.strip().split(" ", 1) for rule in content_policy().split(";"))
    assert rules["default-src"] == "'self'"
    assert rules["object-src"] == "'none'"
    for name, sources in rules.items():
        assert "http" not in sources, name
        assert "*" not in sources, name
        assert "unsafe-eval" not in sources, name
    assert "'unsafe-inline'" not in rules["script-src"]


def test_opening_the_app_loads_no_heavy_library() -> None:
    """app.py and everything that the pages import, in a new process."""
    code = (
        "import importlib, pkgutil, sys, pet2rep_core.ui as ui, pet2rep_core.workflow as workflow\n"
        "for room in (ui, workflow):\n"
        "    for module in pkgutil.walk_packages(room.__path__, room.__name__ + '.'):\n"
        "        importlib.import_module(module.name)\n"
        "import app\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'torch', 'transformers', 'anthropic', 'openai',"
        " 'dask', 'distributed'}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout.strip().splitlines()[-1:]) == (0, ["[]"]), done.stderr
