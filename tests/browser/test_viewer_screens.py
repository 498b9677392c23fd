"""The viewer on other screens and for other people: laptop, 4K, tablet and phone; by keyboard; in both languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pet2rep_core.records import Language
from pet2rep_core.ui.texts import text
from tests.browser.cases import PHANTOM, UNEVEN
from tests.browser.conftest import Watched
from tests.browser.viewing import Viewing

READER = "R36"
_REACHED = """
  const { width, height, left, top } = element.getBoundingClientRect();
  const page = document.documentElement;
  const scrolled = document.querySelector('[data-testid=stMain]');
  return {
    overflow: Math.max(page.scrollWidth - page.clientWidth, scrolled.scrollWidth - scrolled.clientWidth),
    hidden: [...element.querySelectorAll('.pane, :is(.toolbar, .foot) :is(button, select, input)')].filter(one => {
      const box = one.getBoundingClientRect();
      return box.width < 8 || box.height < 8 || box.left < left - 3 || box.right > left + width + 3;
    }).map(one => one.getAttribute('aria-label') || one.innerText || one.className),
    small: viewer.panes.filter(pane => pane.width < 100 || pane.height < 100).length,
  };
"""
_NAMELESS = """
  return [...element.querySelectorAll('button, select, input, [role=img], [role=group], [role=dialog]')].filter(one => {
    const label = one.closest('label');
    return !(one.getAttribute('aria-label') || one.innerText?.trim() || label?.innerText.trim());
  }).map(one => one.outerHTML.slice(0, 120));
"""
_WORDS = """
  const said = [element.textContent];
  for (const one of element.querySelectorAll('*')) {
    said.push(one.title, one.getAttribute('aria-label') ?? '', one.getAttribute('aria-valuetext') ?? '', one.alt ?? '');
  }
  return said.join('\\n');
"""


@pytest.mark.parametrize(
    ("size", "scale"), [((1366, 768), 1), ((3840, 2160), 1), ((390, 844), 3), ((820, 1180), 2)], ids=str
)
def test_everything_is_reached_on_every_screen(
    new_page: Callable[..., Watched], size: tuple[int, int], scale: int
) -> None:
    small = size[0] < 1000
    viewing = Viewing(
        new_page(
            viewport={"width": size[0], "height": size[1]}, device_scale_factor=scale, has_touch=small, is_mobile=small
        )
    )
    viewing.watched.page.goto(f"{viewing.watched.base}/Review?language=en&view=reading&reader={READER}&case={PHANTOM}")
    viewing.ready(PHANTOM)
    viewing.resting()
    said = viewing.do(_REACHED)
    assert said == {"overflow": 0, "hidden": [], "small": 0}
    for pane in viewing.panes():
        assert pane.picture.min() < pane.picture.max(), pane.kind
    viewing.watched.quiet()


@pytest.mark.parametrize("language", list(Language))
def test_every_control_has_a_name_and_no_text_is_missing(new_page: Callable[..., Watched], language: Language) -> None:
    viewing = Viewing(new_page())
    viewing.open(PHANTOM, reader="R37", language=language.value)
    said = []
    for layout in ("planes", "one", "four"):
        viewing.do("viewer.state.layout = arg; viewer.layOut(); viewer.draw(true);", layout)
        said.append(viewing.do(_WORDS))
    viewing.press("v")
    viewing.watched.page.mouse.click(*viewing.pixel("fused", "coronal", 18, 32))
    viewing.watched.page.locator(".measured table").wait_for()
    viewing.press("?")
    assert viewing.do(_NAMELESS) == []
    said.append(viewing.do(_WORDS))
    for words in said:
        assert "undefined" not in words
        assert "null" not in words
        assert "NaN" not in words
    if language is Language.CHINESE:
        for name in ("coronal", "axial", "pet_window", "key_slices", "key_step", "tool_sphere"):
            assert text(language, f"viewer.{name}") in said[-1]
    help_sheet = viewing.watched.page.locator(".help")
    assert help_sheet.is_visible()
    assert help_sheet.get_attribute("role") == "dialog"
    viewing.watched.page.keyboard.press("Escape")
    assert help_sheet.is_hidden()
    viewing.press("Delete")
    viewing.watched.page.locator(".measured").wait_for(state="hidden")
    viewing.watched.quiet()


def test_the_focus_shows_on_every_control(new_page: Callable[..., Watched]) -> None:
    viewing = Viewing(new_page())
    viewing.open(PHANTOM, reader=READER)
    viewing.watched.page.locator(".viewer").focus()
    names = []
    for _ in range(60):
        viewing.watched.page.keyboard.press("Tab")
        now = viewing.do(
            """
            const root = element.getRootNode();
            const at = root.activeElement;
            if (!at || !element.contains(at)) return null;
            const { outlineStyle, outlineWidth } = getComputedStyle(at);
            const name = at.getAttribute('aria-label') || at.innerText || at.className;
            return [name, outlineStyle, parseFloat(outlineWidth)];
            """
        )
        if now is None:
            break
        names.append(now[0])
        assert now[1] != "none", now
        assert now[2] >= 1, now
    count = viewing.do("return element.querySelectorAll('button, select, input').length;")
    hidden = viewing.do("return element.querySelectorAll('.help button, [hidden] button').length;")
    assert len(names) == count - hidden, names


@pytest.fixture(scope="module")
def touched(kept_page: Callable[..., Watched]) -> Viewing:
    """A tablet's page."""
    return Viewing(kept_page(viewport={"width": 1180, "height": 820}, device_scale_factor=2, has_touch=True))


class _Fingers:
    """Touches of the browser itself, so that its gestures are the real ones."""

    def __init__(self, page: Any) -> None:
        self._cdp = page.context.new_cdp_session(page)

    def move(self, *paths: list[tuple[float, float]]) -> None:
        """Put fingers down, move them along their paths together, and lift them."""
        for n in range(len(paths[0])):
            points = [{"x": path[n][0], "y": path[n][1], "id": m} for m, path in enumerate(paths)]
            self._send("touchStart" if n == 0 else "touchMove", points)
        self._send("touchEnd", [])

    def _send(self, what: str, points: list[dict[str, float]]) -> None:
        self._cdp.send("Input.dispatchTouchEvent", {"type": what, "touchPoints": points})


def test_one_finger_scrolls_and_a_tap_sets_the_crosshair(touched: Viewing) -> None:
    touched.open(UNEVEN, reader=READER)
    touched.reset()
    fingers = _Fingers(touched.watched.page)
    x, y = touched.pixel("fused", "coronal", 20, 25)
    before = touched.cross()
    fingers.move([(x, y + 7 * n) for n in range(11)])
    assert touched.cross() == [before[0], before[1] + 70 // 14, before[2]]
    assert touched.watched.page.evaluate("() => document.querySelector('[data-testid=stMain]').scrollTop") == 0
    touched.watched.page.touchscreen.tap(x, y)
    i, j, k = touched.cross()
    assert (i, k) == (20, 25)
    assert j == before[1] + 5
    x, y = touched.pixel("mip", "mip", 0, 25)
    fingers.move([(x + 6 * n, y) for n in range(11)])
    assert touched.do("return viewer.state.frame;") == 6
    touched.watched.quiet()


def test_two_fingers_zoom(touched: Viewing) -> None:
    touched.open(UNEVEN, reader=READER)
    touched.reset()
    fingers = _Fingers(touched.watched.page)
    x, y = touched.pixel("ct", "coronal", 20, 25)
    before = touched.cross()
    fingers.move([(x - 20 - 4 * n, y) for n in range(11)], [(x + 20 + 4 * n, y) for n in range(11)])
    zoom = touched.do("return viewer.state.views.coronal.zoom;")
    assert zoom == pytest.approx(120 / 40, rel=0.1)
    assert touched.cross()[1] == before[1]
    touched.watched.quiet()
