"""Accounts in a real browser: sign in, reload, be shut out, sign out; and what a rater is refused on the server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pet2rep_core.records import Language, Role
from pet2rep_core.settings import Settings
from pet2rep_core.store import open_store
from pet2rep_core.ui.texts import text
from pet2rep_core.workflow.accounts import add_account
from tests.browser import reading as desk
from tests.browser.cases import PHANTOM, fill_home
from tests.browser.conftest import PATIENCE_MS, Watched, watch
from tests.browser.server import PROJECT, RunningApp, start_app
from tests.browser.studies import MadeStudy, add_study

BOSS, WORDS = "BOSS", "purple lantern seven"
RATER, RATER_WORDS = "R01", "wide river morning"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with cases, an administrator and raters."""
    home = tmp_path_factory.mktemp("sign_in") / "home"
    fill_home(home)
    store = open_store(Settings(home=home, workers=1))
    add_account(store, BOSS, Role.ADMIN, WORDS)
    for name in (RATER, "R02", "R03", "R04"):
        add_account(store, name, Role.RATER, RATER_WORDS)
    store.close()
    return home


@pytest.fixture(scope="module")
def study(home: Path) -> MadeStudy:
    """A study of one case that two of the raters read."""
    return add_study(home, (RATER, "R02"), staged=False, cases=(PHANTOM,))


@pytest.fixture(scope="module")
def guarded(home: Path, study: MadeStudy, _browser: Any) -> Iterator[RunningApp]:
    """The app with accounts."""
    running = start_app(home, demo=False, env={"PET2REP_SIGN_IN": "accounts"})
    yield running
    running.stop()
    said = running.said()
    assert "Traceback" not in said, said
    assert WORDS not in said
    assert (home / "server.secret").stat().st_mode & 0o777 == 0o600


@pytest.fixture
def browser_of(guarded: RunningApp, _browser: Any) -> Iterator[Callable[..., Watched]]:
    """Return a function that opens a browser of its own, with no cookie in it."""
    contexts = []

    def make(**options: Any) -> Watched:
        context = _browser.new_context(**{"viewport": {"width": 1600, "height": 950}, "locale": "en-GB", **options})
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        return watch(context.new_page(), guarded.url)

    yield make
    for context in contexts:
        context.close()


def say(key: str, **values: object) -> str:
    return text(Language.ENGLISH, key, **values)


def _sign_in(browser: Watched, name: str, password: str, place: str = "") -> None:
    browser.page.goto(f"{browser.base}/{place}")
    browser.page.get_by_label(say("sign_in.name"), exact=True).fill(name)
    browser.page.get_by_label(say("sign_in.password"), exact=True).fill(password)
    browser.page.get_by_role("button", name=say("sign_in.sign_in"), exact=True).click()


def _is_signed_in(browser: Watched, name: str) -> None:
    browser.drawn()
    browser.page.get_by_test_id("stSidebar").get_by_text(name, exact=True).first.wait_for()


def _open_side(browser: Watched) -> None:
    """Open the side bar, which the reading desk keeps folded away."""
    browser.page.get_by_test_id("stExpandSidebarButton").click()


def _at_the_desk(browser: Watched, name: str, study: MadeStudy) -> tuple[str, str, dict[str, str]]:
    """Sign a rater in at the desk; returns where its images are, the leave given for them, the cookies."""
    _sign_in(browser, name, RATER_WORDS, "Reading")
    desk.ready(browser, study.codes(name)[0])
    browser.page.locator(".viewer[data-ready]").wait_for()
    images = f"{browser.base}/api/study/{study.study_id}/case/{study.items[name][0].alias}"
    asked = next(one for one in browser.asked if one.url.startswith(f"{images}/volume/"))
    return images, asked.headers["x-case-token"], _cookies(browser)


def _cookies(browser: Watched) -> dict[str, str]:
    return {one["name"]: one["value"] for one in browser.page.context.cookies()}


def _alert(browser: Watched) -> str:
    return str(browser.page.get_by_role("alert").inner_text())


def _menu(browser: Watched) -> set[str]:
    links = browser.page.get_by_test_id("stSidebar").get_by_test_id("stPageLink").all()
    return {link.inner_text().strip() for link in links}


def test_every_address_leads_to_the_sign_in_and_back(browser_of: Callable[..., Watched], study: MadeStudy) -> None:
    browser, second = browser_of(), study.codes(RATER)[1]
    browser.page.goto(f"{browser.base}/Reading?item={second}")
    assert urlsplit(browser.page.url).path == "/sign-in"
    browser.page.get_by_label(say("sign_in.name"), exact=True).fill(RATER)
    browser.page.get_by_label(say("sign_in.password"), exact=True).fill(RATER_WORDS)
    browser.page.keyboard.press("Enter")
    browser.page.wait_for_url(f"**/Reading?*item={second}*")
    desk.ready(browser, second)
    [cookie] = [one for one in browser.page.context.cookies() if one["name"] == "pet2rep_session"]
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    browser.page.reload()
    desk.ready(browser, second)
    _open_side(browser)
    _is_signed_in(browser, RATER)
    assert browser.page.get_by_role("textbox", name=say("app.reader")).count() == 0
    assert browser.page.get_by_role("radio", name=say("app.research"), exact=True).count() == 0
    assert _menu(browser) == {say("menu.home"), say("menu.reading")}
    browser.quiet()


def test_the_start_page_leads_a_rater_to_the_desk(browser_of: Callable[..., Watched], study: MadeStudy) -> None:
    browser = browser_of()
    _sign_in(browser, RATER, RATER_WORDS)
    _is_signed_in(browser, RATER)
    assert browser.page.get_by_text(say("home.open_review"), exact=True).count() == 0
    browser.page.get_by_text(say("home.open_reading"), exact=True).click()
    desk.ready(browser, study.codes(RATER)[0])
    browser.quiet()


def test_a_wrong_password_and_a_name_that_nobody_has_look_the_same(browser_of: Callable[..., Watched]) -> None:
    browser = browser_of()
    said = []
    for name in (BOSS, "NOBODY"):
        _sign_in(browser, name, "not the password")
        said.append((_alert(browser), browser.failed.pop().split()[0]))
    assert said[0] == said[1]
    assert said[0][0].startswith("Name and password do not belong together")
    assert said[0][1] == "401"
    assert "pet2rep_session" not in {one["name"] for one in browser.page.context.cookies()}


def test_a_name_waits_after_five_failures_even_with_the_right_password(browser_of: Callable[..., Watched]) -> None:
    browser = browser_of()
    for name, words in (("R04", RATER_WORDS), ("NOBODY-2", "anything at all")):
        for _ in range(5):
            _sign_in(browser, name, "not the password")
            assert _alert(browser).startswith("Name and password")
        _sign_in(browser, name, words)
        assert _alert(browser).startswith("Too many failed sign-ins. The next attempt is possible in 1 min.")
    assert [line.split()[0] for line in browser.failed] == [*["401"] * 5, "429"] * 2


@pytest.mark.parametrize("place", ["Review", "Results", "Failures", "Import", "Accounts"])
def test_a_rater_is_refused_a_page_by_its_address(browser_of: Callable[..., Watched], place: str) -> None:
    browser = browser_of()
    _sign_in(browser, RATER, RATER_WORDS, f"{place}?view=research&reader=BOSS&case={PHANTOM}")
    browser.page.wait_for_url(f"**/{place}*")
    _is_signed_in(browser, RATER)
    error = browser.page.get_by_test_id("stAlert").inner_text()
    role = "admin" if place == "Accounts" else "researcher"
    assert error.startswith(f"This needs the role '{role}'; you are signed in as 'rater'.")
    assert browser.page.get_by_role("heading", name=say("results.title"), exact=True).count() == 0
    assert browser.page.locator(".viewer, .p2r-report, [role=combobox]").count() == 0
    browser.quiet()


def test_a_rater_gets_a_studys_volumes_and_no_case(
    browser_of: Callable[..., Watched], guarded: RunningApp, study: MadeStudy
) -> None:
    """By the alias, not by the case's own name: neither with the study's leave nor with a researcher's."""
    browser, boss = browser_of(), browser_of()
    images, token, cookies = _at_the_desk(browser, RATER, study)
    place = f"{guarded.url}/api/case/{PHANTOM}"
    assert _answer(f"{images}/volume/pet", token, cookies)[0] == 200
    # the token alone, without the browser of the person to whom it was given, is nothing
    status, said = _answer(f"{images}/volume/pet", token, {})
    assert (status, said["error"]) == (403, "You are not signed in any more.")
    _sign_in(boss, BOSS, WORDS, f"Review?case={PHANTOM}")
    _is_signed_in(boss, BOSS)
    theirs = str(boss.page.locator(".strip img").first.get_attribute("src")).rsplit("token=", 1)[1]
    for path in ("volume/pet", "model/0.png", "card/g-anything.html"):
        status, said = _answer(f"{place}/{path}", token, cookies)
        assert (status, said["error"]) == (403, "No leave for this case. Open it again.")
        status, said = _answer(f"{place}/{path}", theirs, cookies)
        assert (status, said["error"]) == (403, "You are not signed in any more.")
    assert _answer(f"{place}/volume/pet", theirs, _cookies(boss))[0] == 200
    assert browser.volumes() == []  # by case: nothing on the desk asked so
    boss.quiet()
    browser.quiet()


def _answer(url: str, token: str, cookies: dict[str, str]) -> tuple[int, Any]:
    headers = {"X-Case-Token": token, "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
            return answer.status, None
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def test_who_is_disabled_is_out_at_once(browser_of: Callable[..., Watched], study: MadeStudy) -> None:
    reader, boss = browser_of(), browser_of()
    images, token, cookies = _at_the_desk(reader, "R02", study)
    places = (f"{images}/volume/pet", f"{images}/coronal/3.png", f"{images.partition('/case/')[0]}/items")
    assert [_answer(place, token, cookies)[0] for place in places] == [200, 200, 200]
    _sign_in(boss, BOSS, WORDS, "Accounts")
    _is_signed_in(boss, BOSS)
    boss.choose(say("accounts.name"), "R02")
    boss.page.get_by_role("button", name=say("accounts.disable"), exact=True).click()
    boss.page.get_by_role("button", name=say("accounts.enable"), exact=True).wait_for()
    for place in places:
        status, said = _answer(place, token, cookies)
        assert (status, said["error"]) == (403, "You are not signed in any more.")
    # the open page: the next key saves nothing and says why; the next run of the page shows nothing
    desk.press(reader, "4")
    desk.notice(reader).get_by_text("You are not signed in any more. Sign in again.").wait_for()
    _open_side(reader)
    reader.page.get_by_test_id("stSidebar").get_by_role("radio", name="中文", exact=True).click()
    reader.page.get_by_role("link", name=text(Language.CHINESE, "sign_in.sign_in"), exact=True).wait_for()
    assert reader.page.locator(".desk, .viewer").count() == 0
    reader.page.reload()
    assert urlsplit(reader.page.url).path == "/sign-in"
    _sign_in(reader, "R02", RATER_WORDS)
    assert _alert(reader).startswith("Name and password do not belong together")
    boss.quiet()


def test_signing_out_ends_the_session_for_good(browser_of: Callable[..., Watched], study: MadeStudy) -> None:
    browser = browser_of()
    images, token, cookies = _at_the_desk(browser, RATER, study)
    _open_side(browser)
    browser.page.get_by_role("button", name=say("sign_in.sign_out")).click()
    browser.page.get_by_role("link", name=say("sign_in.sign_in"), exact=True).wait_for()
    status, said = _answer(f"{images}/volume/pet", token, cookies)
    assert (status, said["error"]) == (403, "You are not signed in any more.")
    browser.page.context.add_cookies(
        [{"name": "pet2rep_session", "value": cookies["pet2rep_session"], "url": browser.base}]
    )
    browser.page.goto(f"{browser.base}/Reading")
    assert urlsplit(browser.page.url).path == "/sign-in"
    assert {line.split()[0] for line in browser.failed} <= {"403"}  # the viewer may still have asked for something
    assert browser.foreign == []


def test_a_new_account_chooses_its_own_password_first(browser_of: Callable[..., Watched]) -> None:
    boss, new = browser_of(), browser_of()
    _sign_in(boss, BOSS, WORDS, "Accounts")
    _is_signed_in(boss, BOSS)
    boss.page.get_by_test_id("stForm").get_by_label(say("accounts.name"), exact=True).fill("R09")
    boss.page.get_by_role("button", name=say("accounts.add"), exact=True).click()
    shown = boss.page.get_by_test_id("stCode").inner_text().strip()
    assert re.fullmatch(r"[a-z2-9]{4}(-[a-z2-9]{4}){3}", shown)
    _sign_in(new, "r09", shown)
    new.page.wait_for_url("**/password*")
    new.page.goto(f"{new.base}/Review")
    assert urlsplit(new.page.url).path == "/password"
    new.page.get_by_label(say("sign_in.present_password"), exact=True).fill(shown)
    new.page.get_by_label(say("sign_in.new_password"), exact=True).fill("seven green boats")
    new.page.get_by_label(say("sign_in.again_password"), exact=True).fill("seven green boats")
    new.page.get_by_role("button", name=say("sign_in.save_password")).click()
    _is_signed_in(new, "R09")
    boss.page.get_by_role("button", name=say("accounts.handed_over")).click()
    boss.page.get_by_test_id("stCode").wait_for(state="detached")
    boss.quiet()
    new.quiet()


def test_another_sites_form_cannot_sign_anyone_in(guarded: RunningApp) -> None:
    body = f"name={BOSS}&password={WORDS.replace(' ', '+')}".encode()
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {}):
        request = urllib.request.Request(f"{guarded.url}/sign-in", body, headers)
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=20)
        with refused.value as answer:
            assert (answer.code, answer.headers["Set-Cookie"]) == (403, None)


@pytest.mark.parametrize("after", ["//evil.example/", "/\\evil.example", "https://evil.example/"])
def test_a_sign_in_leads_nowhere_else(browser_of: Callable[..., Watched], after: str) -> None:
    browser = browser_of()
    _sign_in(browser, "R03", RATER_WORDS, f"sign-in?next={after}")
    browser.page.wait_for_url(f"{browser.base}/?*")
    _is_signed_in(browser, "R03")
    browser.quiet()


def test_signed_out_nothing_of_the_app_is_given(guarded: RunningApp) -> None:
    for path in ("/media/x.png", "/component/x", "/anything", "/Review"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{guarded.url}{path}", timeout=20)
        with refused.value as answer:
            assert answer.code == 403


def test_single_mode_is_not_served_to_other_machines(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT / "app.py"), "--server.port", "0",
               "--server.address", "0.0.0.0"]  # fmt: skip
    env = {"PATH": "/usr/bin", "HOME": str(tmp_path), "PYTHONPATH": str(PROJECT), "PET2REP_HOME": str(tmp_path / "h")}
    done = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, timeout=60, env=env,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode != 0
    assert "anyone who reaches it would be its one person. Set PET2REP_SIGN_IN to 'accounts'" in said
    assert "Traceback" not in said


def test_a_restart_signs_nobody_out(tmp_path: Path, browser_of: Callable[..., Watched]) -> None:
    home = tmp_path / "home"
    store = open_store(Settings(home=home, workers=1))
    add_account(store, BOSS, Role.ADMIN, WORDS)
    store.close()
    env = {"PET2REP_SIGN_IN": "accounts"}
    app = start_app(home, demo=False, env=env)
    context = browser_of().page.context.browser.new_context(locale="en-GB")
    browser = watch(context.new_page(), app.url)
    try:
        _sign_in(browser, BOSS, WORDS)
        _is_signed_in(browser, BOSS)
        app.stop()
        app = start_app(home, demo=False, env=env, port=urlsplit(app.url).port)
        browser.page.goto(f"{app.url}/Accounts")
        _is_signed_in(browser, BOSS)
        browser.page.get_by_role("heading", name=say("accounts.title"), exact=True).wait_for()
    finally:
        context.close()
        app.stop()
