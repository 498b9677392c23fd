"""Every page opens, in both languages and themes, and asks nobody but its own server."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest

from pet2rep_core.records import Language
from pet2rep_core.ui.texts import text
from tests.browser.cases import HOSTILE, HOSTILE_PARTS, HOSTILE_TEXT, NO_SUV, PHANTOM
from tests.browser.conftest import Watched
from tests.browser.server import RunningApp

_PLACES = {"home": "", "review": "Review", "import": "Import", "results": "Results", "failures": "Failures",
           "generate": "Generate"}  # fmt: skip
_HEADS = {
    "home": "home.title", "import": "import.title", "results": "results.title", "failures": "failures.title",
    "generate": "generate.title",
}  # fmt: skip


@pytest.mark.parametrize(("language", "theme"), [(Language.ENGLISH, "light"), (Language.CHINESE, "dark")])
def test_every_page_opens_by_address_and_by_menu(
    new_page: Callable[..., Watched], language: Language, theme: str
) -> None:
    page = new_page(color_scheme=theme, locale="zh-CN" if language is Language.CHINESE else "en-GB")
    for name, place in _PLACES.items():
        page.open(place, language=language.value, view="research")
        _check_page(page, name, language)
    background = page.page.locator("[data-testid=stApp]").evaluate("e => getComputedStyle(e).backgroundColor")
    assert (sum(int(part) for part in background[4:-1].split(",")) < 3 * 128) == (theme == "dark")
    for name in ("home", "import", "review", "results", "failures", "generate"):
        page.page.get_by_test_id("stSidebar").get_by_role(
            "link", name=text(language, f"menu.{name}"), exact=True
        ).click()
        page.page.wait_for_url(f"**/{_PLACES[name]}?*")
        page.drawn()
        _check_page(page, name, language)
    page.quiet()


def _check_page(page: Watched, name: str, language: Language) -> None:
    if name in _HEADS:
        page.page.get_by_role("heading", name=text(language, _HEADS[name]), exact=True).first.wait_for()
    else:
        page.page.get_by_role("combobox", name=text(language, "review.case"), exact=True).wait_for()
    assert page.page.title() == f"{text(language, f'menu.{name}')} · {text(language, 'app.name')}"
    assert page.page.get_by_test_id("stException").count() == 0
    assert page.page.get_by_text(text(language, "app.research_only")).first.is_visible()


def test_every_answer_carries_the_content_policy(page: Watched) -> None:
    answer = page.page.goto(page.base)
    assert answer.status == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "'unsafe-eval'" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    page.drawn()
    # The browser obeys it: a picture from elsewhere is refused before anybody is asked.
    refused = page.page.evaluate(
        """() => new Promise(done => {
             document.addEventListener('securitypolicyviolation', event => done(event.blockedURI));
             const image = document.createElement('img');
             image.src = 'http://192.0.2.1/x.png';
             document.body.append(image);
             setTimeout(() => done('nothing was refused'), 5000);
           })"""
    )
    assert refused == "http://192.0.2.1/x.png"


def test_language_theme_view_and_reader_survive_a_reload(page: Watched) -> None:
    page.open("", view="research", reader="R07")
    page.page.get_by_role("radio", name="中文", exact=True).click()
    page.page.get_by_role("link", name="开始", exact=True).or_(
        page.page.get_by_role("link", name=text(Language.CHINESE, "menu.home"), exact=True)
    ).first.wait_for()
    page.page.wait_for_url("**language=zh*")
    page.page.reload()
    page.drawn()
    page.page.get_by_role("textbox", name=text(Language.CHINESE, "app.reader")).wait_for()
    assert page.page.get_by_role("textbox", name=text(Language.CHINESE, "app.reader")).input_value() == "R07"
    checked = page.page.get_by_role("radio", name=text(Language.CHINESE, "app.research"), exact=True)
    assert checked.get_attribute("aria-checked") == "true"
    page.quiet()


def _answer(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=20) as answer:
            return answer.status, answer.headers["Content-Type"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())["error"]


def test_the_picture_route_answers_only_who_holds_the_token_of_that_case(app: RunningApp, page: Watched) -> None:
    """A token that has run out is refused too: tests/ui/test_ui_tokens.py, with a clock of its own."""
    tokens = {}
    for case in (PHANTOM, NO_SUV):
        page.open("Review", case=case)
        picture = page.page.locator(".strip img").first
        picture.wait_for()
        tokens[case] = str(picture.get_attribute("src")).rsplit("token=", 1)[1]
    place = f"{app.url}/api/case/{PHANTOM}/model"
    refused = (403, "No leave for this case. Open it again.")
    right = tokens[PHANTOM]
    assert _answer(f"{place}/2.png?token={right}") == (200, "image/png")
    assert _answer(f"{place}/2.png") == refused
    assert _answer(f"{place}/2.png?token=") == refused
    assert _answer(f"{place}/2.png?token={tokens[NO_SUV]}") == refused
    assert _answer(f"{place}/2.png?token=9{right}") == refused
    assert _answer(f"{app.url}/api/case/nobody/model/2.png?token={right}") == refused
    assert _answer(f"{place}/3.png?token={right}") == (404, "This case has no picture 3 for a model.")
    assert _answer(f"{app.url}/api/case/{PHANTOM}/picture/0?token={right}")[0] == 404
    assert page.media() == []
    page.quiet()


@pytest.mark.parametrize("view", ["reading", "research"])
def test_report_text_of_others_is_shown_as_text(page: Watched, view: str) -> None:
    page.open("Review", case=HOSTILE, view=view)
    reports = page.page.locator(".p2r-report")
    reports.nth(1).wait_for()
    shown = HOSTILE_TEXT.replace("\u202e", "‹U+202E›")
    for report in reports.all():
        assert report.inner_text() == shown
        assert report.evaluate("e => e.childElementCount") == 0
    if view == "research":
        page.page.get_by_role("button", name="Score this report").click()
        page.page.get_by_test_id("stDataFrame").first.wait_for()
        page.drawn()
    page.page.wait_for_timeout(300)
    assert page.page.locator("img[src=x], script:text('alert')").count() == 0
    assert not [url for url in page.requests if url.endswith("/x")]
    assert HOSTILE_PARTS[0] in reports.first.inner_text()
    page.quiet()
