import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pet2rep_core.settings import Settings
from pet2rep_core.store import Store, open_store
from tests.study_files import build_study, import_all
from tests.vendor_servers import VendorServer, vendor_server


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", workers=1)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = open_store(settings)
    yield opened
    opened.close()


@pytest.fixture
def reported(settings: Settings, reported_home: Path) -> Iterator[Store]:
    """The open store of :func:`reported_home`, a copy of the test's own."""
    shutil.copytree(reported_home, settings.home)
    opened = open_store(settings)
    yield opened
    opened.close()


@pytest.fixture
def study(tmp_path: Path, settings: Settings, store: Store) -> Path:
    """The small study, imported."""
    root = build_study(tmp_path / "study")
    import_all(root, settings, store)
    return root


@pytest.fixture
def server() -> Iterator[VendorServer]:
    """A server that speaks a vendor's protocol, over HTTP on this machine."""
    with vendor_server() as one:
        yield one
