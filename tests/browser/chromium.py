"""Find Chromium for the browser tests, or install it: ``python -m tests.browser.chromium``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


def find_chromium() -> Path | None:
    """Return the browser to test with: the one that PET2REP_CHROMIUM names, one of the system, Playwright's own."""
    named = os.environ.get("PET2REP_CHROMIUM")
    if named:
        return Path(named) if os.access(named, os.X_OK) else None
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    return _playwrights_own()


def launch_arguments() -> list[str]:
    """Return the switches of a test browser; the sandbox does not work for root."""
    return [*_QUIET, *(["--no-sandbox"] if _is_root() else [])]


def browser_required() -> bool:
    """Tell whether a missing browser fails the tests instead of skipping them."""
    return os.environ.get("PET2REP_REQUIRE_BROWSER") == "1"


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _playwrights_own() -> Path | None:
    from playwright.sync_api import Error, sync_playwright

    try:
        with sync_playwright() as playwright:
            path = Path(playwright.chromium.executable_path)
    except Error:
        return None
    return path if path.is_file() else None


def _installers() -> list[list[list[str]]]:
    """Return the ways to install a browser, each a list of commands."""
    ways = [[[sys.executable, "-m", "playwright", "install", "chromium"]]]
    if _is_root() and shutil.which("apt-get"):
        packages = ["chromium", "fonts-noto-cjk"]
        ways.insert(0, [["apt-get", "update"], ["apt-get", "install", "--yes", *packages]])
    return ways


def _run(command: list[str]) -> bool:
    try:
        return subprocess.run(command, check=False, timeout=900).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def main() -> int:
    """Make sure that there is a browser; say which, or that there is none."""
    found = find_chromium()
    for way in _installers():
        if found or os.environ.get("PET2REP_CHROMIUM"):
            break
        if all(_run(command) for command in way):
            found = find_chromium()
    if found:
        print(f"The browser tests use {found}.")
        return 0
    print("There is no Chromium, and it could not be installed: the browser tests will be left out.")
    return 1 if browser_required() else 0


if __name__ == "__main__":
    sys.exit(main())
