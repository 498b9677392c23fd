"""What the viewer asks the server for: each volume once, with leave, and nothing at all while a reader looks."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.browser.cases import NO_SUV, PHANTOM, PICTURES, UNEVEN
from tests.browser.conftest import Watched
from tests.browser.server import RunningApp
from tests.browser.viewing import Viewing

_BOTH = [f"{PHANTOM}/ct", f"{PHANTOM}/pet"]
_WATCH_CANVAS = """
  const canvas = viewer.panes[0].canvas;
  globalThis.seen = { frames: 0, black: 0 };
  const look = () => {
    const { data } = canvas.getContext('2d').getImageData(0, Math.floor(canvas.height / 2), canvas.width, 1);
    globalThis.seen.frames += 1;
    const blank = !canvas.isConnected || !data.some((value, n) => n % 4 < 3 && value);
    globalThis.seen.black += Number(blank);
    globalThis.looking = requestAnimationFrame(look);
  };
  look();
"""


@pytest.fixture(scope="module")
def viewing(kept_page: Callable[..., Watched]) -> Viewing:
    """One page for the whole file."""
    return Viewing(kept_page())


def _settings(watched: Watched) -> list[dict[str, Any]]:
    """Return what was posted as settings."""
    return [json.loads(r.post_data) for r in watched.asked if r.method == "POST" and r.url.endswith("/settings")]


def test_volumes_come_once_a_session_and_the_next_case_before_it_is_asked_for(
    new_page: Callable[..., Watched],
) -> None:
    viewing = Viewing(new_page())
    viewing.open(PHANTOM, reader="R33", view="research")
    watched = viewing.watched
    assert sorted(watched.volumes())[:2] == _BOTH
    for _ in range(100):
        if len(watched.volumes()) > 2:
            break
        watched.page.wait_for_timeout(30)
    assert sorted(watched.volumes()) == [*_BOTH, f"{NO_SUV}/pet"]
    # A rerun of the page, which another language of the reports makes, draws nothing anew.
    viewing.do(_WATCH_CANVAS)
    watched.sent.clear()
    watched.page.get_by_role("radiogroup", name="Report language").get_by_role("radio", name="中文").click()
    watched.drawn()
    watched.page.wait_for_timeout(300)
    seen = watched.page.evaluate("() => { cancelAnimationFrame(globalThis.looking); return globalThis.seen; }")
    assert watched.sent
    assert seen["frames"] > 5
    assert seen["black"] == 0
    for case in (NO_SUV, PHANTOM, NO_SUV):
        watched.choose("Case", f"{case} · browser")
        viewing.ready(case)
    # Coming back asks for nothing; what the second case made the viewer fetch beforehand came once, too.
    assert len(watched.volumes()) == len(set(watched.volumes()))
    assert {name.split("/")[0] for name in watched.volumes()} <= {PHANTOM, NO_SUV}
    watched.quiet()


def test_nothing_is_asked_for_while_a_reader_looks(viewing: Viewing) -> None:
    viewing.open(PHANTOM, reader="R33")
    viewing.mip_ready()
    viewing.watched.page.wait_for_timeout(500)  # what the first draw still sends belongs to it
    viewing.reset()
    viewing.press("Home", *["ArrowDown"] * 50)
    viewing.watched.shown(50)
    viewing.press(
        "a", "PageDown", "s", "PageUp", "o", "g", "g", "g", "Shift+Digit2", "w", "i", "b", "]", "+", "x", "z", ">"
    )
    page = viewing.watched.page
    page.get_by_role("combobox", name="Colours of the fusion").select_option("Viridis (colour-blind safe)")
    x, y = viewing.pixel("fused", "coronal", 30, 30)
    page.mouse.move(x, y)
    page.mouse.wheel(0, 120)
    page.mouse.click(x, y)
    page.wait_for_timeout(1100)
    assert [url for url in viewing.watched.requests if not url.endswith("/settings")] == []
    assert (viewing.watched.sent, viewing.watched.frames) == ([], [])
    # All of it is posted in one piece, a moment after the last change.
    assert 1 <= len(viewing.watched.requests) <= 3
    viewing.watched.quiet()


def test_settings_are_remembered_per_reader_over_a_reload_and_for_the_next_case(
    new_page: Callable[..., Watched],
) -> None:
    viewing = Viewing(new_page())
    viewing.open(PHANTOM, reader="R34", view="research")
    page = viewing.watched.page
    viewing.press("Shift+Digit3", "w", "i", "b", "]", "g")
    page.get_by_role("combobox", name="Colours of the fusion").select_option("Hot iron")
    with page.expect_response(lambda r: r.url.endswith("/settings") and r.request.method == "POST") as answered:
        pass
    assert answered.value.status == 200
    wanted = {
        "layout": "planes", "smooth": False, "inverted": False, "opacity": 0.6, "map": "hot-iron", "pet": "suv-10",
        "ct": "lung",
    }  # fmt: skip
    assert _settings(viewing.watched)[-1] == wanted
    read = "return viewer.state.settings();"
    page.reload()
    viewing.watched.drawn()
    viewing.ready(PHANTOM)
    assert viewing.do(read) == wanted
    assert viewing.do("return viewer.state.pet.high;") == 10
    viewing.watched.choose("Case", f"{UNEVEN} · browser")
    viewing.ready(UNEVEN)
    assert viewing.do(read) == wanted
    viewing.open(UNEVEN, reader="R35", view="research")
    assert viewing.do(read) == {
        "layout": "four", "smooth": True, "inverted": True, "opacity": 0.5, "map": "hot",
    }  # fmt: skip
    viewing.watched.quiet()


def test_settings_that_come_late_leave_the_reader_where_he_is(new_page: Callable[..., Watched]) -> None:
    viewing = Viewing(new_page())
    held: list[Any] = []
    viewing.watched.page.route("**/settings", lambda route: held.append(route))
    viewing.watched.open("Review", case=PHANTOM, reader="R40")
    viewing.watched.page.locator(".viewer[data-ready]").wait_for()
    viewing.do("viewer.moveTo([10, 11, 12]); viewer.zoom(2);")
    answer = {**viewing.do("return viewer.state.settings();"), "pet": "suv-7", "inverted": False}
    held[0].fulfill(json=answer)
    viewing.watched.page.locator(".pane[data-kind=pet]:not(.light)").wait_for()
    assert viewing.cross() == [10, 11, 12]
    assert viewing.do("return [viewer.state.pet.high, viewer.state.views.coronal.zoom];") == [7, 2]


def _answer(url: str, token: str | None = None) -> tuple[int, str]:
    request = urllib.request.Request(url, headers={} if token is None else {"X-Case-Token": token})
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.headers["Content-Type"]
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())["error"]


def test_volumes_are_given_to_the_holder_of_the_token_of_that_case_alone(app: RunningApp, viewing: Viewing) -> None:
    """A token that has run out is refused too: tests/ui/test_ui_tokens.py, with a clock of its own."""
    tokens = {}
    for case in (PHANTOM, NO_SUV):
        viewing.open(case, reader="R33")
        tokens[case] = viewing.do("return viewer.data.source.token;")
    for asked in viewing.watched.asked:
        parts = urlsplit(asked.url)
        if "/volume/" in parts.path or "/coronal/" in parts.path or parts.path.endswith(("/settings", "/measurements")):
            assert "token" not in parts.query  # addresses stand in access logs
            assert asked.headers["x-case-token"]
        else:
            assert "x-case-token" not in asked.headers
    place = f"{app.url}/api/case/{PHANTOM}/volume/pet"
    refused = (403, "No leave for this case. Open it again.")
    right = tokens[PHANTOM]
    assert _answer(place, right) == (200, "application/octet-stream")
    assert _answer(place) == refused
    assert _answer(f"{place}?token={right}") == refused
    assert _answer(place, tokens[NO_SUV]) == refused
    assert _answer(place, f"9{right}") == refused
    assert _answer(f"{app.url}/api/case/nobody/volume/pet", right) == refused
    assert _answer(f"{app.url}/api/case/{PHANTOM}/volume/mri", right)[0] == 404
    assert viewing.watched.media() == []
    viewing.watched.quiet()


def test_a_lost_connection_gives_one_sentence_and_a_button_that_tries_again(new_page: Callable[..., Watched]) -> None:
    viewing = Viewing(new_page())
    page = viewing.watched.page
    page.route("**/volume/ct", lambda route: route.abort())
    viewing.watched.open("Review", case=PHANTOM, reader="R33")
    again = page.get_by_role("button", name="Try again")
    again.wait_for()
    assert "could not be loaded" in page.locator(".message").inner_text()
    # The PET has come and is shown meanwhile.
    assert viewing.pane("pet").at(20, 30)[0] < 255
    page.unroute("**/volume/ct")
    again.click()
    viewing.ready(PHANTOM)
    assert page.locator(".message").inner_text() == ""
    assert viewing.pane("ct").picture.max() > 0
    assert viewing.watched.foreign == []


def test_pictures_of_a_case_without_volumes_are_shown(page: Watched) -> None:
    page.open("Review", case=PICTURES)
    images = page.page.locator(".p2r-strip img")
    images.nth(1).wait_for()
    assert images.count() == 2
    page.page.wait_for_function(
        "() => [...document.querySelectorAll('.p2r-strip img')].every(i => i.naturalWidth === 60)"
    )
    assert page.page.locator(".viewer").count() == 0
    assert page.media() == []
    page.quiet()


def test_a_case_that_comes_late_is_never_shown_as_the_one_that_is_open(new_page: Callable[..., Watched]) -> None:
    """The slow case is the next of the one that was stepped back to, so that its transfer is not stopped."""
    viewing = Viewing(new_page())
    held: list[Any] = []
    page = viewing.watched.page
    page.route(f"**/{NO_SUV}/volume/pet", lambda route: held.append(route))
    viewing.watched.open("Review", case=NO_SUV, reader="R35", view="research")
    page.locator(f".viewer[data-shown^='{NO_SUV}@']").wait_for()  # its first plane, drawn by the server
    page.wait_for_timeout(200)
    assert viewing.do("return viewer.volumes.pet ?? null;") is None
    page.keyboard.press("h")
    viewing.ready(PHANTOM)
    before = viewing.do("return viewer.volumes.pet.header;")
    for route in held:
        route.continue_()
    for _ in range(100):
        if viewing.do("return viewer.data.next?.source.key ?? '';").startswith(NO_SUV) and len(held) == 1:
            break
        page.wait_for_timeout(30)
    page.wait_for_timeout(800)
    assert viewing.do("return [viewer.data.source.key, viewer.volumes.pet.header];")[1] == before
    page.keyboard.press("j")
    viewing.ready(NO_SUV)
    assert viewing.do("return viewer.volumes.pet.header;") != before
