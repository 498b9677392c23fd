"""The running app and a watched page for every browser test."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.browser.cases import fill_home
from tests.browser.chromium import browser_required, find_chromium, launch_arguments
from tests.browser.server import PROJECT, RunningApp, start_app

PATIENCE_MS = 60_000
"""How long a busy machine may take for anything; a test that passes waits for nothing."""

_HERE = Path(__file__).parent
_IGNORED = ("/_stcore/health", "/_stcore/host-config")  # Streamlit asks for them below the page's name first
_VOLUME = re.compile(r"/api/case/([^/]+)/volume/([a-z]+)$")
_CELLS = """grid => [...grid.querySelectorAll('tr')]
  .map(row => [...row.querySelectorAll('[role=gridcell]')].map(cell => cell.textContent))
  .filter(row => row.length)"""
_OPEN_STORE = (
    "import sys; from pathlib import Path; from pet2rep_core.settings import Settings; "
    "from pet2rep_core.store import open_store; "
    "store = open_store(Settings(home=Path(sys.argv[1]), workers=1)); print(store.verify()); "
    "print(list(store.notices)); store.close()"
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            # A page is read from outside while it changes. A fault fails twice; the summary counts what ran again.
            item.add_marker(pytest.mark.flaky(reruns=1))


@dataclass
class Watched:
    """A page, and everything about it that should not have happened."""

    page: Any
    base: str
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)
    frames: list[bytes] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def open(self, place: str = "", **query: str) -> None:
        """Open a page of the app and wait until it is drawn."""
        said = {"language": "en", "view": "reading", "reader": "R01", **query}
        self.page.goto(f"{self.base}/{place}?{urlencode(said)}")
        self.drawn()

    def drawn(self) -> None:
        """Wait until the script has ended and nothing is stale."""
        self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()
        self.page.locator("[data-testid=stSidebar]").wait_for()

    def shown(self, index: int) -> None:
        """Wait until the viewer has drawn a slice of its plane."""
        self.page.locator(f".viewer[data-shown$=':{index}']").wait_for()

    def choose(self, label: str, option: str) -> None:
        """Choose in a select box, as a person does with the mouse."""
        self.page.get_by_role("combobox", name=label, exact=True).click()
        self.page.get_by_role("option", name=option, exact=True).click()
        self.drawn()

    def catch(self) -> None:
        """Let requests be caught by routes that come later; call it before a page is opened.

        Where Chromium is told so while a page is there, requests of the next moment may still pass.
        """
        self.page.route("**/nothing-is-here", lambda route: route.continue_())

    def cells(self, table: int = 0) -> list[list[str]]:
        """Return the cells of one of the tables in sight, as they are at this moment."""
        grid = self.page.get_by_test_id("stDataFrame").filter(visible=True).nth(table)
        grid.locator("[role=gridcell]").first.wait_for(state="attached")
        cells: list[list[str]] = grid.evaluate(_CELLS)
        return cells

    def until(self, read: Callable[[], Any], wanted: Any) -> None:
        """Wait until what is read from the page is what is wanted."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while (found := read()) != wanted and time.monotonic() < deadline:
            self.page.wait_for_timeout(100)
        assert found == wanted

    def volumes(self) -> list[str]:
        """Return which volumes were asked for, as "case/name", in order."""
        found = (_VOLUME.search(urlsplit(url).path) for url in self.requests)
        return ["/".join(one.groups()) for one in found if one]

    def media(self) -> list[str]:
        """Return what was asked of Streamlit's media store."""
        return [url for url in self.requests if urlsplit(url).path.startswith("/media/")]

    def quiet(self) -> None:
        """Check that nothing went wrong behind the page."""
        assert (self.errors, self.foreign, self.failed, self.dialogs) == ([], [], [], [])


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory, _browser: Any) -> Iterator[RunningApp]:
    home = tmp_path_factory.mktemp("browser") / "home"
    fill_home(home)
    running = start_app(home, demo=False)
    yield running
    running.stop()
    said = running.said()
    assert "Traceback" not in said, said
    opened = subprocess.run(
        [sys.executable, "-c", _OPEN_STORE, str(home)], cwd=PROJECT, capture_output=True, text=True, timeout=60
    )
    assert (opened.returncode, opened.stdout.split("\n")[:2]) == (0, ["[]", "[]"]), opened.stderr + opened.stdout


@pytest.fixture(scope="session")
def _browser() -> Iterator[Any]:
    where = find_chromium()
    if where is None:
        reason = "There is no Chromium: run python -m tests.browser.chromium"
        if browser_required():
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=where, args=launch_arguments())
        yield browser
        browser.close()


@pytest.fixture
def new_page(app: RunningApp, _browser: Any) -> Iterator[Callable[..., Watched]]:
    """Return a function that opens a page in a context of its own."""
    yield from _pages(app, _browser)


@pytest.fixture(scope="module")
def kept_page(app: RunningApp, _browser: Any) -> Iterator[Callable[..., Watched]]:
    """Return the same for pages that all tests of a file share."""
    yield from _pages(app, _browser)


def _pages(app: RunningApp, browser: Any) -> Iterator[Callable[..., Watched]]:
    contexts = []

    def make(**options: Any) -> Watched:
        context = browser.new_context(**{"viewport": {"width": 1600, "height": 950}, "locale": "en-GB", **options})
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        return watch(context.new_page(), app.url)

    yield make
    for context in contexts:
        context.close()


@pytest.fixture
def page(new_page: Callable[..., Watched]) -> Watched:
    return new_page()


def watch(page: Any, base: str) -> Watched:
    watched = Watched(page, base)

    def on_console(message: Any) -> None:
        place = urlsplit((message.location or {}).get("url", "")).path
        if message.type == "error" and not place.endswith(_IGNORED):
            watched.errors.append(f"{message.text} {place}")

    def on_request(request: Any) -> None:
        watched.requests.append(request.url)
        watched.asked.append(request)
        if not request.url.startswith((base, base.replace("http", "ws"), "data:", "blob:")):
            watched.foreign.append(request.url)

    def on_response(response: Any) -> None:
        if response.status >= 400 and not urlsplit(response.url).path.endswith(_IGNORED):
            watched.failed.append(f"{response.status} {response.url}")

    def on_dialog(dialog: Any) -> None:
        watched.dialogs.append(dialog.message)
        dialog.dismiss()

    def on_socket(socket: Any) -> None:
        as_bytes = lambda said: said.encode() if isinstance(said, str) else said  # noqa: E731
        socket.on("framereceived", lambda said: watched.frames.append(as_bytes(said)))
        socket.on("framesent", lambda said: watched.sent.append(as_bytes(said)))

    page.on("console", on_console)
    page.on("pageerror", lambda error: watched.errors.append(str(error)))
    page.on("request", on_request)
    page.on("response", on_response)
    page.on("dialog", on_dialog)
    page.on("websocket", on_socket)
    return watched
