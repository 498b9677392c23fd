"""Fixtures that every test folder shares."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from pet2rep_core.settings import Settings
from pet2rep_core.store import open_store
from tests.phantom_cases import forget_cases, share_cases
from tests.reader_study import add_reports

settings.register_profile("untimed", deadline=None)  # a busy machine fails no test
settings.load_profile("untimed")


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # xdist's workers use what the process before them shares
        share_cases()


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        forget_cases()


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real and reference scans; skips with the reason where it is not set."""
    folder = os.environ.get("PET2REP_REAL_DATA")
    if not folder:
        pytest.skip("PET2REP_REAL_DATA is not set: it names the folder of real scans")
    path = Path(folder)
    if not path.is_dir():
        pytest.fail(f"PET2REP_REAL_DATA names {folder!r}, which is not a folder")
    return path.resolve()


@pytest.fixture(scope="session")
def reported_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed store with the reports of three models for 16 cases; copied by the tests of reader studies."""
    home = tmp_path_factory.mktemp("reported") / "home"
    store = open_store(Settings(home=home, workers=1))
    add_reports(store, 16)
    store.close()
    return home
