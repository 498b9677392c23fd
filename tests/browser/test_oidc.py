"""The site's identity provider, a real one in a process of its own, through Streamlit's sign-in."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from pet2rep_core.records import Language
from pet2rep_core.ui.texts import text
from tests.browser.conftest import PATIENCE_MS, Watched, watch
from tests.browser.provider import CLIENT, CLIENT_SECRET, SHORT_S
from tests.browser.server import PROJECT, RunningApp, free_port, start_app

_PEOPLE = """
[[person]]
is = "reader@hospital.example"
name = "R01"
role = "rater"

[[person]]
is = "short@hospital.example"
name = "R02"
role = "rater"

[[person]]
is = "lab@hospital.example"
name = "LAB"
role = "researcher"
"""


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.browser.provider", str(port)], cwd=PROJECT)
    place = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{place}/keys", timeout=2).close()
            break
        except OSError:
            assert process.poll() is None
            time.sleep(0.1)
    yield place
    process.terminate()
    process.wait(10)


@pytest.fixture(scope="module")
def federated(tmp_path_factory: pytest.TempPathFactory, issuer: str, _browser: Any) -> Iterator[RunningApp]:
    home = tmp_path_factory.mktemp("oidc") / "home"
    home.mkdir()
    (home / "people.toml").write_text(_PEOPLE, encoding="utf-8")
    port = free_port()
    secrets = home / "secrets.toml"
    secrets.write_text(
        f'[auth]\nredirect_uri = "http://127.0.0.1:{port}/oauth2callback"\ncookie_secret = "{"k" * 40}"\n'
        f'client_id = "{CLIENT}"\nclient_secret = "{CLIENT_SECRET}"\n'
        f'server_metadata_url = "{issuer}/.well-known/openid-configuration"\n',
        encoding="utf-8",
    )
    env = {"PET2REP_SIGN_IN": "oidc", "STREAMLIT_SECRETS_FILES": str(secrets)}
    running = start_app(home, demo=False, env=env, port=port)
    yield running
    running.stop()
    said = running.said()
    assert "Traceback" not in said, said
    assert "hospital.example" not in said


@pytest.fixture
def browser(federated: RunningApp, _browser: Any) -> Iterator[Watched]:
    context = _browser.new_context(viewport={"width": 1600, "height": 950}, locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    yield watch(context.new_page(), federated.url)
    context.close()


def say(key: str) -> str:
    return text(Language.ENGLISH, key)


def _sign_in(browser: Watched, person: str) -> None:
    browser.page.goto(browser.base)
    browser.drawn()
    browser.page.get_by_role("button", name=say("sign_in.provider"), exact=True).click()
    browser.page.get_by_role("link", name=person, exact=True).click()
    browser.page.wait_for_url(f"{browser.base}/*")
    browser.drawn()


def _alert(browser: Watched) -> str:
    return str(browser.page.get_by_test_id("stAlert").first.inner_text())


def test_a_person_signs_in_stays_and_leaves(browser: Watched) -> None:
    _sign_in(browser, "reader")
    side = browser.page.get_by_test_id("stSidebar")
    side.get_by_text("R01", exact=True).wait_for()
    browser.page.reload()
    browser.drawn()
    side.get_by_text("R01", exact=True).wait_for()
    for place in ("Results", "Review"):
        browser.page.goto(f"{browser.base}/{place}?view=research&reader=LAB")
        browser.drawn()
        browser.page.get_by_text("you are signed in as 'rater'").wait_for()
    browser.page.get_by_role("button", name=say("sign_in.sign_out")).click()
    browser.page.get_by_role("button", name=say("sign_in.provider"), exact=True).wait_for()
    browser.page.goto(browser.base)
    browser.page.get_by_role("button", name=say("sign_in.provider"), exact=True).wait_for()
    assert side.get_by_text("R01", exact=True).count() == 0


def test_a_cookie_kept_from_before_the_end_is_worth_nothing(browser: Watched) -> None:
    _sign_in(browser, "lab")
    side = browser.page.get_by_test_id("stSidebar")
    side.get_by_text("LAB", exact=True).wait_for()
    kept = [one for one in browser.page.context.cookies() if one["name"].startswith("_streamlit_user")]
    browser.page.get_by_role("button", name=say("sign_in.sign_out")).click()
    browser.page.get_by_role("button", name=say("sign_in.provider"), exact=True).wait_for()
    browser.page.context.add_cookies(kept)
    browser.page.goto(browser.base)
    browser.drawn()
    browser.page.get_by_text("Your sign-in has ended.").wait_for()
    assert side.get_by_text("LAB", exact=True).count() == 0


def test_a_stranger_reads_one_sentence(browser: Watched) -> None:
    _sign_in(browser, "stranger")
    assert _alert(browser).startswith("You are signed in, but nobody has given you access to this installation.")
    assert browser.page.get_by_test_id("stPageLink").count() == 0


def test_a_token_that_has_run_out_is_not_believed(browser: Watched) -> None:
    """Streamlit keeps its cookie for 30 days, and would."""
    _sign_in(browser, "short")
    browser.page.get_by_test_id("stSidebar").get_by_text("R02", exact=True).wait_for()
    browser.page.wait_for_timeout(1000 * (SHORT_S + 1))
    browser.page.reload()
    browser.drawn()
    assert _alert(browser).startswith("Your sign-in has ended.")
    browser.page.get_by_role("button", name=say("sign_in.provider"), exact=True).wait_for()


def test_a_person_taken_out_of_the_table_is_out(browser: Watched, federated: RunningApp) -> None:
    table = federated.home / "people.toml"
    _sign_in(browser, "lab")
    browser.page.get_by_test_id("stSidebar").get_by_text("LAB", exact=True).wait_for()
    table.write_text(_PEOPLE.replace("lab@", "nobody@"), encoding="utf-8")
    browser.page.get_by_test_id("stSidebar").get_by_role("radio", name=say("app.research"), exact=True).click()
    browser.page.get_by_text("nobody has given you access to this installation").wait_for()
    table.write_text(_PEOPLE, encoding="utf-8")
