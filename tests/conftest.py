"""Fixtures that every test folder shares."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # a busy machine fails no test
settings.load_profile("untimed")


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
