"""The viewer: every pixel, every key, and no word to Streamlit."""

from __future__ import annotations

from tests.browser.conftest import Watched


def test_probe(page: Watched) -> None:
    import time
    t = time.time()
    for place in ("", "Review", "Import", "Results"):
        page.open(place)
        print(place, time.time() - t)
    page.open("Review", case="browser-a")
    page.page.locator(".viewer[data-shown]").wait_for()
    print(page.page.locator(".viewer").get_attribute("data-shown"), time.time() - t)
    page.page.screenshot(path="/tmp/probe.png")
    print(page.errors, page.foreign, page.failed)
    print(len(page.frames))
