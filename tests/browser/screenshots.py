"""Take the pictures of the README: ``python -m tests.browser.screenshots OUTDIR [--app URL]``."""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from PIL import Image

from tests.browser.chromium import find_chromium, launch_arguments
from tests.browser.server import start_app
from tests.layout_files import build_bids

SIZE = {"width": 1600, "height": 950}
LARGEST_BYTES = 400_000
_DEMO_S = 600
_STUDY = "study"
_DIMENSIONS = ("Accuracy", "Completeness", "Clarity", "Usability", "Overall")


def main() -> int:
    """Take every picture; the app is started on a fresh home with the demo study unless one is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--app", metavar="URL", help="an app that runs already, with the demo study in it")
    options = parser.parse_args()
    chromium = find_chromium()
    if chromium is None:
        print("There is no Chromium: run python -m tests.browser.chromium first.")
        return 1
    options.folder.mkdir(parents=True, exist_ok=True)
    from playwright.sync_api import sync_playwright

    with _app(options.app) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=launch_arguments())
        _take_all(browser, url, options.folder)
        _take_desk(browser, url, options.folder)
        browser.close()
    return 0


@contextlib.contextmanager
def _app(url: str | None) -> Iterator[str]:
    if url:
        yield url.rstrip("/")
        return
    with tempfile.TemporaryDirectory() as folder:
        # The app starts in this folder, so that the path on the picture is a short relative one.
        build_bids(Path(folder) / _STUDY)
        app = start_app(Path(folder) / "home", demo=True, cwd=Path(folder))
        try:
            yield app.url
        finally:
            app.stop()


def _take_desk(browser: Any, url: str, folder: Path) -> None:
    with _page(browser, color_scheme="dark", locale="zh-CN") as page:
        _open(page, url, "Reading", language="zh", view="reading", reader="R03")
        page.locator(".viewer[data-ready]").wait_for()
        page.wait_for_timeout(1500)  # the desk takes scores once the images of its item are there
        for key in "43545":
            page.keyboard.press(key)
        page.keyboard.press("Enter")
        page.wait_for_timeout(2000)
        _picture(page, folder / "reading_desk_zh.png")


def _take_all(browser: Any, url: str, folder: Path) -> None:
    with _page(browser) as page:
        _wait_for_demo(page, url)
        _fill_results(page, url)
        _open(page, url, "Review", language="en", view="reading", case="demo-02")
        _answer(page, {"Accuracy": 4, "Completeness": 3, "Clarity": 5})
        _picture(page, folder / "review_reading_en.png")
        _open(page, url, "Import", language="en", view="reading")
        _look_at_study(page)
        _picture(page, folder / "import_en.png")
        _open(page, url, "Results", language="en", view="research")
        page.get_by_test_id("stDataFrame").first.wait_for()
        _drawn(page)
        _picture(page, folder / "results_en.png")
        _open(page, url, "Failures", language="en", view="research")
        page.locator("img").nth(3).wait_for()
        _picture(page, folder / "failures_en.png")
        _open(page, url, "Review", language="en", view="research", case="demo-03")
        page.locator(".viewer[data-ready]").wait_for()
        page.locator(".viewer").focus()
        page.keyboard.press("g")
        page.locator(".viewer[data-resting=true]").wait_for()
        _picture(page, folder / "viewer_planes_en.png")
        _open(page, url, "", language="en", view="reading")
        _picture(page, folder / "home_en.png")
    with _page(browser, color_scheme="dark", locale="zh-CN") as page:
        _open(page, url, "Review", language="zh", view="research", case="demo-01")
        page.get_by_role("button", name="为此报告计分").click()
        page.get_by_test_id("stDataFrame").nth(2).wait_for()
        page.get_by_text("分数", exact=True).last.evaluate(
            "e => { e.style.scrollMarginTop = '5rem'; e.scrollIntoView(); }"
        )
        _picture(page, folder / "review_research_zh.png")


@contextlib.contextmanager
def _page(browser: Any, **options: Any) -> Iterator[Any]:
    context = browser.new_context(viewport=SIZE, **{"locale": "en-GB", **options})
    context.set_default_timeout(30_000)
    yield context.new_page()
    context.close()


def _open(page: Any, url: str, place: str, **query: str) -> None:
    page.goto(f"{url}/{place}?{urlencode({'reader': 'R01', **query})}")
    _drawn(page)


def _drawn(page: Any) -> None:
    page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
    page.get_by_test_id("stSidebar").wait_for(state="attached")  # the reading desk folds it away


def _wait_for_demo(page: Any, url: str) -> None:
    deadline = time.monotonic() + _DEMO_S
    while time.monotonic() < deadline:
        _open(page, url, "", language="en", view="reading")
        cases = page.get_by_test_id("stMetricValue").first.inner_text()
        if int(cases) >= 6 and page.get_by_test_id("stProgress").count() == 0 and _is_scored(page, url):
            return
        time.sleep(2)
    raise TimeoutError("The demo study was not made in time.")


def _is_scored(page: Any, url: str) -> bool:
    _open(page, url, "Results", language="en", view="research")
    return page.get_by_text("7 models on 6 cases.").count() > 0


def _fill_results(page: Any, url: str) -> None:
    """Rate one report by two readers, so that the results page has something to say."""
    for reader, scores in (("R01", (4, 4, 5, 4, 4)), ("R02", (4, 3, 5, 3, 3))):
        _open(page, url, "Review", language="en", view="reading", case="demo-01", reader=reader)
        _answer(page, dict(zip(_DIMENSIONS, scores, strict=True)))
        page.get_by_role("button", name="Save and next").click()
        page.get_by_test_id("stToast").wait_for()


def _answer(page: Any, answers: dict[str, int]) -> None:
    for name, value in answers.items():
        page.get_by_role("radiogroup", name=name).get_by_role("radio", name=str(value), exact=True).click()
        _drawn(page)


def _look_at_study(page: Any) -> None:
    page.get_by_role("textbox", name="Folder or file").fill(_STUDY)
    page.get_by_role("button", name="Look").click()
    page.get_by_test_id("stDataFrame").first.wait_for()
    _drawn(page)


def _picture(page: Any, path: Path) -> None:
    """Write what the window shows as a PNG small enough for a README."""
    if page.locator(".viewer").count():
        page.locator(".viewer[data-ready][data-resting=true]").wait_for()
    page.mouse.move(2, 948)
    page.wait_for_timeout(800)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.save(path, optimize=True)
    if path.stat().st_size > LARGEST_BYTES:
        # Maximum coverage keeps the few bright colours of the fusion, which the median cut gives up for greys.
        few = picture.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
        few.save(path, optimize=True)
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise ValueError(f"{path.name} has {size} bytes, more than {LARGEST_BYTES}.")
    print(f"{path.name}: {size // 1000} kB")


if __name__ == "__main__":
    sys.exit(main())
