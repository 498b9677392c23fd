"""The reading desk where people have accounts: who is signed out keeps nothing, is told so, and loses nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pet2rep_core.records import Language, Role
from pet2rep_core.settings import Settings
from pet2rep_core.store import open_store
from pet2rep_core.ui.texts import text
from pet2rep_core.workflow.accounts import add_account
from tests.browser import reading as desk
from tests.browser.cases import PHANTOM, fill_home
from tests.browser.conftest import Watched
from tests.browser.server import RunningApp, start_app
from tests.browser.studies import MadeStudy, add_study

RATER, WORDS = "R01", "wide river morning"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("signed_in") / "home"
    fill_home(home)
    store = open_store(Settings(home=home, workers=1))
    for name in (RATER, "R02"):
        add_account(store, name, Role.RATER, WORDS)
    store.close()
    return home


@pytest.fixture(scope="module")
def study(home: Path) -> MadeStudy:
    return add_study(home, (RATER,), staged=False, cases=(PHANTOM,))


@pytest.fixture(scope="module")
def app(home: Path, study: MadeStudy, _browser: Any) -> Iterator[RunningApp]:
    running = start_app(home, demo=False, env={"PET2REP_SIGN_IN": "accounts"})
    yield running
    running.stop()
    assert "Traceback" not in running.said(), running.said()


def _say(key: str) -> str:
    return text(Language.ENGLISH, key)


def _sign_in(page: Any, base: str, name: str, place: str = "Reading") -> None:
    page.goto(f"{base}/{place}")
    page.get_by_label(_say("sign_in.name"), exact=True).fill(name)
    page.get_by_label(_say("sign_in.password"), exact=True).fill(WORDS)
    page.get_by_role("button", name=_say("sign_in.sign_in"), exact=True).click()


def test_signed_out_in_the_middle_nothing_is_kept_and_nothing_lost(page: Watched, study: MadeStudy) -> None:
    _sign_in(page.page, page.base, RATER)
    desk.ready(page, study.codes(RATER)[0])
    desk.press(page, "4")
    desk.kept(page)
    page.page.context.clear_cookies()
    desk.press(page, "2")
    desk.notice(page).get_by_text("You are not signed in any more. Sign in again.").wait_for()
    assert "not kept" in str(page.page.locator(".state").text_content())
    desk.expect_scores(page, {"Accuracy": "4", "Completeness": "2"})
    # Signed in again in another tab, the desk sends by itself what it has.
    other = page.page.context.new_page()
    _sign_in(other, page.base, RATER, "")  # the start page: the desk would open the item in that tab
    other.get_by_test_id("stSidebar").get_by_text(RATER, exact=True).first.wait_for()
    other.close()
    desk.press(page, "3")
    desk.kept(page)
    page.page.reload()
    desk.ready(page)
    desk.expect_scores(page, {"Accuracy": "4", "Completeness": "2", "Clarity": "3"})
    page.failed.clear()
    page.errors[:] = [one for one in page.errors if "403" not in one]
    page.quiet()


def test_an_account_without_items_is_told_so(page: Watched) -> None:
    _sign_in(page.page, page.base, "R02")
    page.page.get_by_text(_say("reading.no_study")).wait_for()
    page.quiet()
