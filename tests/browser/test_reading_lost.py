"""Nothing that a reader enters is lost: reload, cut line, killed server, a second tab, leave that runs out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pet2rep_core.settings import Settings
from pet2rep_core.store import open_store
from tests.browser import reading as desk
from tests.browser.cases import fill_home
from tests.browser.conftest import Watched
from tests.browser.server import RunningApp, start_app
from tests.browser.studies import MadeStudy, add_study

_READERS = tuple(f"R{n}" for n in range(20, 30))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("lost") / "home"
    fill_home(home)
    return home


@pytest.fixture(scope="module")
def study(home: Path) -> MadeStudy:
    return add_study(home, _READERS, staged=False)


@pytest.fixture(scope="module")
def app(home: Path, study: MadeStudy, _browser: Any) -> Iterator[RunningApp]:
    running = start_app(home, demo=False)
    yield running
    running.stop()
    assert "Traceback" not in running.said(), running.said()


def _expected_noise(page: Watched) -> None:
    """Forget what the browser said about the line that the test has cut."""
    page.errors[:] = [one for one in page.errors if not one.startswith(("Failed to load resource", "WebSocket"))]
    page.failed.clear()


def test_a_reload_in_the_middle(page: Watched, study: MadeStudy) -> None:
    second = study.codes("R20")[1]
    desk.open_desk(page, "R20")
    desk.press(page, "j")
    desk.ready(page, second)
    desk.press(page, "4", "0")
    page.page.keyboard.type("no reference")
    desk.flag(page, "generated", 0).focus()
    desk.press(page, "Enter", "1", "1", "Escape")
    desk.kept(page)
    page.page.reload()
    desk.ready(page, second)
    desk.expect_scores(page, {"Accuracy": "4", "Completeness": "n/a"})
    assert page.page.locator(".line.reasons:visible").input_value() == "no reference"
    assert desk.marks(page, "generated") == ["✕ false !"]
    assert "kept from before" in str(page.page.locator(".state").text_content())
    assert desk.current(page) == "Clarity"
    page.quiet()


def test_a_lost_line_keeps_what_was_entered_and_sends_it_when_it_is_back(page: Watched, study: MadeStudy) -> None:
    desk.open_desk(page, "R21")
    page.page.context.set_offline(True)
    desk.press(page, "2", "3")
    page.page.locator(".desk[data-state=lost]").wait_for()
    assert "connection lost, not kept yet; trying again" in str(page.page.locator(".state").text_content())
    page.page.get_by_role("textbox", name="Comment on this item").fill("typed without a line")
    desk.expect_scores(page, {"Accuracy": "2", "Completeness": "3"})
    page.page.context.set_offline(False)
    desk.kept(page)
    page.page.reload()
    desk.ready(page)
    desk.expect_scores(page, {"Accuracy": "2", "Completeness": "3"})
    assert page.page.get_by_role("textbox", name="Comment on this item").input_value() == "typed without a line"
    _expected_noise(page)
    page.quiet()


def test_a_reload_without_a_line_finds_in_the_tab_what_the_server_never_got(page: Watched) -> None:
    page.catch()
    desk.open_desk(page, "R22")
    desk.press(page, "5")
    desk.kept(page)
    page.page.route("**/draft", lambda route: route.abort())
    desk.press(page, "1", "2")
    page.page.locator(".desk[data-state=lost]").wait_for()
    page.page.unroute("**/draft")
    page.page.route("**/draft", lambda route: route.abort(), times=50)
    page.page.reload()
    page.page.unroute("**/draft")
    desk.ready(page)
    desk.expect_scores(page, {"Accuracy": "5", "Completeness": "1", "Clarity": "2"})
    desk.kept(page)
    _expected_noise(page)
    page.quiet()


def test_an_answer_whose_confirmation_was_lost_is_saved_once(page: Watched, home: Path, study: MadeStudy) -> None:
    first, second, *_ = study.codes("R23")
    page.catch()
    desk.open_desk(page, "R23")
    desk.press(page, "1", "2", "3", "4", "5")
    desk.kept(page)
    desk.settled(page)
    lost: list[Any] = []

    def lose_the_answer(route: Any) -> None:
        lost.append(json.loads(route.request.post_data)["event_id"])
        route.fetch()  # it reaches the server, and nothing comes back
        route.abort()

    page.page.route("**/submit", lose_the_answer, times=1)
    sent: list[str] = []
    page.page.on(
        "request",
        lambda one: sent.append(json.loads(one.post_data)["event_id"]) if one.url.endswith("/submit") else None,
    )
    desk.press(page, "Enter")
    desk.ready(page, second)
    assert len(sent) == 2
    assert set(sent) == set(lost)
    assert "revision 1" in str(page.page.locator(".state").text_content())
    desk.press(page, "h")
    desk.ready(page, first)
    assert "saved, revision 1" in str(page.page.locator(".state").text_content())
    _expected_noise(page)
    page.quiet()


def test_an_answer_waits_for_the_draft_before_it(page: Watched, study: MadeStudy) -> None:
    """The server would refuse a draft that it reads after the answer."""
    second = study.codes("R29")[1]
    held: list[Any] = []
    page.catch()
    desk.open_desk(page, "R29")
    desk.settled(page)
    page.page.route("**/draft", lambda route: held.append(route))
    desk.press(page, "1", "2", "3", "4", "5", "Enter")
    page.page.locator(".desk[data-state=saving]").wait_for()
    while not held:
        page.page.wait_for_timeout(50)
    page.page.wait_for_timeout(300)
    assert not [one for one in page.requests if one.endswith("/submit")]
    page.page.unroute("**/draft")
    held[0].continue_()
    desk.ready(page, second)
    sent = [one.rpartition("/")[2] for one in page.requests if one.endswith(("/draft", "/submit"))]
    assert sent == ["draft", "submit"]
    page.quiet()


def test_a_second_tab_and_the_older_one(page: Watched, study: MadeStudy) -> None:
    first = study.codes("R24")[0]
    desk.open_desk(page, "R24")
    desk.press(page, "1")
    desk.kept(page)
    other = Watched(page.page.context.new_page(), page.base)
    desk.open_desk(other, "R24")
    desk.expect_scores(other, {"Accuracy": "1"})
    desk.press(other, "2", "3")
    desk.kept(other)

    desk.press(page, "5")
    page.page.locator(".desk[data-state=stale]").wait_for()
    assert "This item was opened in another tab or window since; nothing was overwritten." in str(
        desk.notice(page).text_content()
    )
    assert "open elsewhere; nothing is kept here" in str(page.page.locator(".state").text_content())
    desk.press(page, "4", "Enter")  # nothing of it counts
    page.page.get_by_role("button", name="Go on here").click()
    desk.ready(page, first)
    desk.expect_scores(page, {"Accuracy": "1", "Completeness": "2", "Clarity": "3"})
    desk.press(page, "4")
    desk.kept(page)
    desk.press(other, "1")
    other.page.locator(".desk[data-state=stale]").wait_for()
    other.page.close()
    page.page.reload()
    desk.ready(page)
    desk.expect_scores(page, {"Accuracy": "1", "Completeness": "2", "Clarity": "3", "Usability": "4"})
    page.failed.clear()
    page.errors[:] = [one for one in page.errors if "409" not in one]
    page.quiet()


def test_a_killed_server_comes_back_with_everything(
    new_page: Callable[..., Watched], app: RunningApp, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("killed") / "home"
    fill_home(home)
    study = add_study(home, ("R30",), staged=False)
    first, second, *_ = study.codes("R30")
    running = start_app(home, demo=False)
    port = int(running.url.rpartition(":")[2])
    page = new_page()
    page.base = running.url
    desk.open_desk(page, "R30")
    desk.press(page, "4", "2")
    desk.kept(page)
    running.process.kill()
    running.process.wait(10)
    desk.press(page, "3")
    page.page.locator(".desk[data-state=lost]").wait_for()
    desk.press(page, "1", "5")
    running = start_app(home, demo=False, port=port)
    try:
        # The new server knows neither the leave nor the session: the page asks for both by itself.
        page.page.locator(".desk[data-state=kept]").wait_for()
        desk.expect_scores(
            page, {"Accuracy": "4", "Completeness": "2", "Clarity": "3", "Usability": "1", "Overall": "5"}
        )
        page.page.locator(".desk:not(.locked)").wait_for()
        desk.press(page, "Enter")
        desk.ready(page, second)
        page.page.locator(".viewer[data-ready]").wait_for()
    finally:
        running.stop()
    store = open_store(Settings(home=home, workers=1))
    try:
        [saved] = store.studies.ratings(study.study_id)
        assert saved.rating.code == first
        assert saved.rating.answers == {"acc": 4, "com": 2, "cla": 3, "usa": 1, "ove": 5}
        assert store.studies.problems() == []
    finally:
        store.close()


def test_leave_that_has_run_out_is_asked_for_again(page: Watched, study: MadeStudy) -> None:
    page.catch()
    desk.open_desk(page, "R26")
    tokens: list[str] = []

    def refuse_the_first(route: Any) -> None:
        token = route.request.headers["x-study-token"]
        tokens.append(token)
        if len(tokens) == 1:
            route.fulfill(status=403, json={"error": "No leave for this case. Open it again."})
        else:
            route.continue_()

    page.page.route("**/draft", refuse_the_first)
    desk.press(page, "3")
    desk.kept(page)
    assert len(tokens) >= 2
    page.failed.clear()
    page.errors[:] = [one for one in page.errors if "403" not in one]
    page.quiet()


def test_time_is_counted_only_while_somebody_is_there(new_page: Callable[..., Watched]) -> None:
    page = new_page()
    page.page.clock.install()
    desk.open_desk(page, "R27")
    clock = page.page.locator(".desk .time")
    page.page.mouse.move(50, 50)
    page.page.clock.run_for(30_000)
    page.page.mouse.move(60, 60)
    before = _seconds(clock)
    page.page.clock.run_for(600_000)  # ten minutes without a sign of life count as one
    after = _seconds(clock)
    assert 59 <= after - before <= 61
    page.page.mouse.move(70, 70)
    page.page.clock.run_for(20_000)
    assert 19 <= _seconds(clock) - after <= 21
    before = _seconds(clock)
    page.page.evaluate(_SEEN, "hidden")
    page.page.clock.run_for(30_000)
    page.page.evaluate(_SEEN, "visible")
    assert _seconds(clock) - before <= 1
    page.quiet()


_SEEN = """state => {
  Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}"""


def _seconds(clock: Any) -> int:
    minutes, seconds = str(clock.text_content()).split(":")
    return int(minutes) * 60 + int(seconds)


def test_the_images_of_another_item_are_never_scored(page: Watched, study: MadeStudy) -> None:
    """The page does not hear of the next item: the desk waits for its images instead of taking scores."""
    second = study.codes("R28")[1]
    desk.open_desk(page, "R28")
    page.page.evaluate(
        """() => { for (const one of document.querySelectorAll('*')) {
            const desk = one.shadowRoot?.querySelector('.desk')?.desk;
            if (desk) desk.component = { ...desk.component, setStateValue() {}, setTriggerValue() {} };
        } }"""
    )
    desk.press(page, "j")
    page.page.locator(f".desk.locked[data-code='{second}']").wait_for()
    page.page.locator(".veil:not([hidden])", has_text="images of this item").wait_for()
    desk.press(page, "4", "5")
    desk.expect_scores(page, {})
    page.page.get_by_text("The images of this item have not come yet").wait_for()
    page.quiet()
