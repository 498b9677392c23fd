"""Who may fetch a picture, what every answer carries, and what opening the app must not load."""

from __future__ import annotations

import asyncio
import itertools
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
GOOD = SIGNER.sign("a", "R01", now=NOW)
EXPIRES, NAME, MAC = GOOD.split(".")
OTHER_NAME = SIGNER.sign("a", "R02", now=NOW).split(".")[1]


@pytest.mark.parametrize(
    ("token", "case_id", "after_s", "reader"),
    [
        (GOOD, "a", 0, "R01"),
        (SIGNER.sign("a", "R02", now=NOW), "a", 0, "R02"),
        (SIGNER.sign("a", "", now=NOW), "a", 0, ""),
        (SIGNER.sign("病例|1", "读者.1", now=NOW), "病例|1", 0, "读者.1"),
        (GOOD, "a", LIFETIME_S - 1, "R01"),
        (GOOD, "a", LIFETIME_S, None),
        (GOOD, "a", LIFETIME_S + 1, None),
        (GOOD, "b", 0, None),
        (GOOD, "", 0, None),
        ("", "a", 0, None),
        (".", "a", 0, None),
        ("..", "a", 0, None),
        ("garbage", "a", 0, None),
        (EXPIRES, "a", 0, None),
        (f"{EXPIRES}.{MAC}", "a", 0, None),
        (f"{EXPIRES}.{NAME}", "a", 0, None),
        (f"{EXPIRES}.{NAME}.", "a", 0, None),
        (f".{NAME}.{MAC}", "a", 0, None),
        (f"{EXPIRES}..{MAC}", "a", 0, None),
        (f"{EXPIRES}.{OTHER_NAME}.{MAC}", "a", 0, None),
        (f"{EXPIRES}.{NAME}=.{MAC}", "a", 0, None),
        (f"{EXPIRES}.{NAME}.{MAC}.{MAC}", "a", 0, None),
        (f"{int(EXPIRES) + 1}.{NAME}.{MAC}", "a", 0, None),
        (f"+{EXPIRES}.{NAME}.{MAC}", "a", 0, None),
        (f"٣{EXPIRES}.{NAME}.{MAC}", "a", 0, None),
        (f"{'9' * 400}.{NAME}.{MAC}", "a", 0, None),
        (f"{EXPIRES}.{NAME}.{MAC[:-1]}", "a", 0, None),
        (f"{EXPIRES}.{NAME}.{MAC.upper()}", "a", 0, "R01" if MAC.upper() == MAC else None),
        (f"{EXPIRES}.{NAME}.{MAC}é", "a", 0, None),
        (f"{EXPIRES}.{NAME}.{MAC}\ud800", "a", 0, None),
        (Signer().sign("a", "R01", now=NOW), "a", 0, None),
    ],
    ids=itertools.count(),  # a token is another in every process
)
def test_a_token_opens_one_case_to_one_reader_for_an_hour(
    token: str, case_id: str, after_s: float, reader: str | None
) -> None:
    assert SIGNER.reader_of(token, case_id, now=NOW + after_s) == reader


@given(st.text(), st.text(), st.text())
def test_no_two_cases_share_a_token(one: str, other: str, reader: str) -> None:
    token = SIGNER.sign(one, reader, now=NOW)
    assert SIGNER.reader_of(token, other, now=NOW) == (reader if one == other else None)


@given(st.tuples(st.text("a|.1"), st.text("a|.1")), st.tuples(st.text("a|.1"), st.text("a|.1")))
def test_case_and_reader_are_not_mixed_up(one: tuple[str, str], other: tuple[str, str]) -> None:
    """Whatever marks stand between the parts of a token: no two pairs give the same one."""
    assert (SIGNER.sign(*one, now=NOW) == SIGNER.sign(*other, now=NOW)) is (one == other)


@given(st.text())
def test_nothing_but_a_signed_token_is_let_in(token: str) -> None:
    assert token == GOOD or SIGNER.reader_of(token, "a", now=NOW) is None


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
