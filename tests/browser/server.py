"""The app as a user starts it: ``streamlit run app.py``, in a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
_START_S = 120.0


@dataclass(frozen=True, slots=True)
class RunningApp:
    """A started app."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> int:
        """Stop the app as Ctrl-C does and return its status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
            raise

    def said(self) -> str:
        """Return what it wrote to its terminal."""
        return self.log.read_text(encoding="utf-8", errors="replace")


def start_app(
    home: Path, *, demo: bool, cwd: Path = PROJECT, env: Mapping[str, str] | None = None, port: int | None = None
) -> RunningApp:
    """Start the app on a free port (or this one, with these settings) and wait until it answers."""
    port = port or free_port()
    home.mkdir(parents=True, exist_ok=True)
    log = home / "server.log"
    env = {
        **os.environ, "PET2REP_HOME": str(home), "PET2REP_DEMO": "1" if demo else "0", "PET2REP_WORKERS": "1",
        **(env or {}),
    }  # fmt: skip
    command = [sys.executable, "-m", "streamlit", "run", str(PROJECT / "app.py"), "--server.port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    app = RunningApp(f"http://127.0.0.1:{port}", home, process, log)
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and process.poll() is None:
        if _answers(f"{app.url}/api/health"):
            return app
        time.sleep(0.1)
    if process.poll() is None:
        app.stop()
    raise RuntimeError(f"The app did not start:\n{app.said()}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
