from collections.abc import Iterator
from pathlib import Path

import pytest

from pet2rep_core.store import Store
from tests.crash.samples import fill, opened


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def empty(home: Path) -> Iterator[Store]:
    store = opened(home)
    yield store
    store.close()


@pytest.fixture
def store(empty: Store) -> Store:
    fill(empty, generations=2)
    return empty
