"""The pages without a browser: one store at a time, closed and forgotten after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pet2rep_core.ui.server import server
from tests.browser.server import PROJECT

PAGES = {
    "home": "home.py",
    "review": "pages/1_Review.py",
    "import": "pages/2_Import.py",
    "results": "pages/3_Results.py",
    "failures": "pages/4_Failures.py",
    "generate": "pages/5_Generate.py",
    "studies": "pages/6_Studies.py",
    "reading": "pages/7_Reading.py",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of its own for the app, without the demo study."""
    folder = tmp_path / "home"
    monkeypatch.setenv("PET2REP_HOME", str(folder))
    monkeypatch.setenv("PET2REP_DEMO", "0")
    monkeypatch.setenv("PET2REP_WORKERS", "1")
    server.clear()
    yield folder
    server().close()
    server.clear()


@pytest.fixture
def open_app(home: Path) -> Callable[..., AppTest]:
    """Return a function that opens a page as a person with this address would."""

    def run(name: str = "home", **query: str) -> AppTest:
        app = AppTest.from_file(str(PROJECT / "home.py"), default_timeout=30)
        for key, value in {"language": "en", "view": "reading", "reader": "R01", **query}.items():
            app.query_params[key] = value
        app.run()
        return app if name == "home" else app.switch_page(PAGES[name]).run()

    return run
