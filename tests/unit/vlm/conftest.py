"""Tiny models, each built once for all tests of this folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tiny_models import save_twin


@pytest.fixture(scope="session")
def twin(tmp_path_factory) -> Callable[[str], Path]:
    """Return the folder of a family's tiny model, for reading only."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch

    torch.set_num_threads(1)
    made: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in made:
            made[name] = save_twin(name, tmp_path_factory.mktemp(name))
        return made[name]

    return folder


@pytest.fixture
def own_twin(twin, tmp_path) -> Callable[[str], Path]:
    """Return a copy of a family's tiny model that a test may break."""

    def folder(name: str) -> Path:
        return Path(shutil.copytree(twin(name), tmp_path / name))

    return folder
