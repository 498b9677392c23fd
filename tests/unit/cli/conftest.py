from pathlib import Path

import pytest

from tests.study_files import build_study


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Home of an installation, set as a person would: in the environment."""
    monkeypatch.setenv("PET2REP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PET2REP_WORKERS", "1")
    return tmp_path / "home"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return build_study(tmp_path / "study")
