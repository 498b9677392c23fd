"""How a reader of a study works at the desk, as the browser tests do it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from tests.browser.conftest import Watched

DIMENSIONS = ("Accuracy", "Completeness", "Clarity", "Usability", "Overall")
KEYS = ("acc", "com", "cla", "usa", "ove")


def open_desk(watched: Watched, reader: str, *, language: str = "en", base: str = "", **query: str) -> None:
    """Open the reading page and wait until the item is there, its images too."""
    said = {"language": language, "reader": reader, **query}
    watched.page.goto(f"{base or watched.base}/Reading?{urlencode(said)}")
    ready(watched)


def ready(watched: Watched, code: str | None = None) -> None:
    """Wait until an item can be rated: the named one, or any."""
    wanted = "[data-code]:not([data-code=''])" if code is None else f"[data-code='{code}']"
    watched.page.locator(f".desk{wanted}:not(.locked)").wait_for()


def code(watched: Watched) -> str:
    """Return the code of the item on the desk."""
    return str(watched.page.locator(".desk").get_attribute("data-code"))


def kept(watched: Watched) -> None:
    """Wait until the server has confirmed everything."""
    watched.page.locator(".desk[data-state=kept] .state[data-kind=good]").wait_for()


def settled(watched: Watched) -> None:
    """Wait until Enter is no longer taken for the slip of a finger after the item before."""
    watched.page.wait_for_function(
        "() => [...document.querySelectorAll('*')].some(one => {"
        "  const desk = one.shadowRoot?.querySelector('.desk')?.desk;"
        "  return desk && performance.now() - desk.since > 500; })"
    )


def press(watched: Watched, *keys: str) -> None:
    """Press keys one after the other."""
    for key in keys:
        watched.page.keyboard.press(key)


def scores(watched: Watched) -> dict[str, str]:
    """Return what the form shows as chosen, by dimension."""
    found = {}
    for name in DIMENSIONS:
        chosen = row(watched, name).locator("[role=radio][aria-checked=true]")
        if chosen.count():
            found[name] = str(chosen.text_content())
    return found


def row(watched: Watched, dimension: str) -> Any:
    """Return the scale of a dimension."""
    return watched.page.get_by_role("radiogroup", name=dimension, exact=True)


def expect_scores(watched: Watched, expected: dict[str, str]) -> None:
    """Wait until the form shows exactly these scores."""
    from playwright.sync_api import expect

    for name in DIMENSIONS:
        given = [expected[name]] if name in expected else []
        expect(row(watched, name).locator("[role=radio][aria-checked=true]")).to_have_text(given)


def current(watched: Watched) -> str:
    """Return the dimension that the digits score; empty past the last."""
    name = watched.page.locator(".row.current .name")
    return str(name.text_content()) if name.count() else ""


def flag(watched: Watched, report: str, sentence: int) -> Any:
    """Return the sign after a sentence, counted from 0, of ``generated`` or ``reference``."""
    return watched.page.locator(f".reports .{report} .flag").nth(sentence)


def marks(watched: Watched, report: str) -> list[str]:
    """Return the words of the marks that a report shows."""
    return [str(text) for text in watched.page.locator(f".reports .{report} .chip").all_text_contents()]


def notice(watched: Watched) -> Any:
    """Return the sentence above the reports."""
    return watched.page.locator(".desk .notice")
