"""The pages without a browser: one store at a time, closed and forgotten after each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from pet2rep_core.records import Language, Role
from pet2rep_core.ui import who
from pet2rep_core.ui.gate import SignInGate
from pet2rep_core.ui.routes import ROUTES, SecurityHeaders
from pet2rep_core.ui.server import server
from pet2rep_core.workflow import accounts
from pet2rep_core.workflow.accounts import add_account
from pet2rep_core.workflow.generate import generate_report
from pet2rep_core.workflow.passwords import Cost, hash_password
from tests.browser.server import PROJECT
from tests.browser.studies import MadeStudy, study_in
from tests.study_files import build_study, import_all
from tests.ui.signing_in import PEOPLE, WORDS

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


@pytest.fixture
def guarded(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The app with accounts, and a case with a report."""
    monkeypatch.setenv("PET2REP_SIGN_IN", "accounts")
    monkeypatch.setattr(accounts, "hash_password", lambda password: hash_password(password, Cost(log2_n=4)))
    server.clear()
    one = server()
    import_all(build_study(tmp_path / "study"), one.settings, one.store, backend="threading")
    for language in Language:
        generate_report(one.store, "a", "template", language)
    for name, role in (("R01", Role.RATER), ("LAB", Role.RESEARCHER), ("BOSS", Role.ADMIN)):
        add_account(one.store, name, role, WORDS)
    return home


@pytest.fixture
def cookies(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The cookies of the one browser of a test without a browser."""
    jar: dict[str, str] = {}
    monkeypatch.setattr(who, "browser_cookies", lambda: jar)
    return jar


@pytest.fixture
def client(guarded: Path) -> Iterator[TestClient]:
    middleware = [Middleware(SecurityHeaders), Middleware(SignInGate)]
    with TestClient(Starlette(routes=ROUTES, middleware=middleware), follow_redirects=False) as one:
        one.headers["sec-fetch-site"] = "same-origin"
        yield one


@pytest.fixture
def rated(guarded: Path) -> MadeStudy:
    """A study that the rater reads, of the case with images."""
    return study_in(server().store, ("R01",), staged=False, cases=("a",))


@pytest.fixture
def said(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the provider says of the person at the one browser of a test."""
    monkeypatch.setenv("PET2REP_SIGN_IN", "oidc")
    home.mkdir()
    (home / "people.toml").write_text(PEOPLE, encoding="utf-8")
    server.clear()
    claims: dict[str, Any] = {}
    monkeypatch.setattr(who, "provider_claims", lambda: claims)
    return claims
