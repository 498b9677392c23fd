"""What is refused before the app is served; and that no page forgets to say who asks."""

from __future__ import annotations

import ast
import inspect
from importlib import import_module
from pathlib import Path

import pytest

from pet2rep_core.errors import MissingDependencyError, SettingsError
from pet2rep_core.settings import Settings, SignIn, read_settings
from pet2rep_core.ui import reach
from pet2rep_core.ui.reach import check_reach, is_in_the_open
from tests.browser.server import PROJECT

_NOBODY_ASKS = {
    "board_cache.py read_score_book",  # shown_book() has asked: what is behind a cache cannot
    "failures.py read_failures",  # likewise draw_failures()
    "server.py start_scoring",  # the server fills its own demo study
}


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_one_person_is_served_on_this_machine(tmp_path: Path, address: str) -> None:
    check_reach(Settings(tmp_path, 1), address)


@pytest.mark.parametrize("address", [None, "", "0.0.0.0", "::", "192.168.1.5", "pet.example", "127.0.0.1.evil"])
def test_one_person_is_served_to_no_other_machine(tmp_path: Path, address: str | None) -> None:
    with pytest.raises(SettingsError, match="anyone who reaches it would be its one person"):
        check_reach(Settings(tmp_path, 1), address)
    check_reach(Settings(tmp_path, 1, sign_in=SignIn.ACCOUNTS), address)


def test_a_provider_needs_authlib_and_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(tmp_path, 1, sign_in=SignIn.OIDC)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=r"Streamlit's secrets\.toml has no \[auth\]"):
        check_reach(settings, "0.0.0.0")
    monkeypatch.setattr(reach.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"Install it with: pip install 'pet2rep-review\[oidc\]'"):
        check_reach(settings, "0.0.0.0")


def test_the_way_to_sign_in_is_one_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PET2REP_SIGN_IN", raising=False)
    assert read_settings().sign_in is SignIn.SINGLE
    for name in ("accounts", "oidc", "single"):
        monkeypatch.setenv("PET2REP_SIGN_IN", name)
        assert read_settings().sign_in.value == name
    monkeypatch.setenv("PET2REP_SIGN_IN", "Accounts")
    with pytest.raises(SettingsError, match=r"PET2REP_SIGN_IN is 'Accounts'\. Set it to 'single', 'acc"):
        read_settings()


@pytest.mark.parametrize(
    ("address", "is_open"),
    [
        ("http://pet.example/Review?case=a", True),
        ("http://192.168.1.5:8501/", True),
        ("http://[fd00::5]:8501/", True),
        ("https://pet.example/Review", False),
        ("http://127.0.0.1:8501/", False),
        ("http://[::1]:8501/", False),
        ("http://localhost:8501/", False),
        ("http://[not-an-address/", False),
        ("", False),
        (None, False),
    ],
)
def test_plain_http_from_another_machine_is_in_the_open(address: str | None, is_open: bool) -> None:
    assert is_in_the_open(address) is is_open


def _checked_names() -> set[str]:
    """Return the functions of the workflow that ask who does it, and take the owner where nobody is named."""
    names = set()
    for path in sorted((PROJECT / "pet2rep_core" / "workflow").glob("*.py")):
        module = import_module(f"pet2rep_core.workflow.{path.stem}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            person = inspect.signature(function).parameters.get("person")
            if function.__module__ == module.__name__ and person and person.default is not inspect.Parameter.empty:
                names.add(name)
    return names


def test_every_page_says_who_asks() -> None:
    """The default is the owner at the command line: a page that forgot would act as an administrator."""
    names = _checked_names() - {"require"}
    assert len(names) > 15  # the search itself works
    forgotten, found = [], 0
    for path in [*(PROJECT / "pet2rep_core" / "ui").rglob("*.py"), *(PROJECT / "pages").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in names:
                continue
            found += 1
            if "person" not in {word.arg for word in node.keywords}:
                forgotten.append(f"{path.name} {getattr(node.func, 'id', '')}")
    assert found > 15
    assert set(forgotten) == _NOBODY_ASKS
