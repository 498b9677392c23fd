"""What one server process has once: settings, store, presets, and the work behind the pages."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from pet2rep_core.errors import Pet2RepError, SettingsError
from pet2rep_core.imaging.display import Display, read_display
from pet2rep_core.imaging.prepared import remove_leftovers
from pet2rep_core.settings import PROJECT_DIR, Settings, SignIn, read_settings
from pet2rep_core.store import Store, open_store
from pet2rep_core.study.rubric import Rubric, read_rubric
from pet2rep_core.ui.access import Access, open_access
from pet2rep_core.ui.case_facts import CaseFacts
from pet2rep_core.ui.tokens import Signer
from pet2rep_core.workflow.demo import DATASET, fill_demo_study, missing_demo_cases
from pet2rep_core.workflow.jobs import GenerateJob, ImportJob, Job, ScoreJob, start_scoring
from pet2rep_core.workflow.live_answer import LiveAnswer

_INBOX_PAUSE_S = 1.0
_LEFTOVER_AGE_S = 3600.0


@dataclass(slots=True)
class Server:
    """The one instance is :func:`server`."""

    settings: Settings
    store: Store
    display: Display
    rubric: Rubric
    signer: Signer
    access: Access
    demo: DemoMaker
    notices: list[tuple[str, str]]  # which file it is about, if any, and what it says
    facts: CaseFacts = field(default_factory=CaseFacts)
    jobs: list[ImportJob] = field(default_factory=list)
    score_jobs: list[ScoreJob] = field(default_factory=list)
    generate_jobs: list[GenerateJob] = field(default_factory=list)
    answers: dict[tuple[str, str], LiveAnswer] = field(default_factory=dict)
    """What is written now, or has just ended, by who asked and for which case."""
    stopping: threading.Event = field(default_factory=threading.Event)
    filling: threading.Lock = field(default_factory=threading.Lock)

    def still_allowed(self, reader: str) -> bool:
        """Tell whether a reader may ask for anything now: neither disabled nor signed out."""
        return self.access.person(reader) is not None

    def take_inbox(self) -> None:
        """Take what the command line handed over; what cannot be used is told on the home page."""
        try:
            taken = self.store.ingest_inbox()
        except Pet2RepError as error:
            if ("", str(error)) not in self.notices:
                self.notices.append(("", str(error)))
            return
        self.notices += [(file.name, file.reason) for file in taken if file.reason]
        if self.demo.wanted and any(file.kind == "reports" for file in taken):
            self.fill_demo()

    def fill_demo(self) -> None:
        """Let the built-in models report the demo cases that came in; score everything once the study is whole."""
        try:
            with self.filling:
                if fill_demo_study(self.store, self.settings):
                    self.score_jobs.append(start_scoring(self.store, self.settings, name=DATASET))
        except Pet2RepError as error:
            self.notices.append((DATASET, str(error)))

    def close(self) -> None:
        """Stop the work behind the pages and close the store."""
        self.stopping.set()
        self.demo.stop()
        self.facts.close()
        jobs: list[Job[Any]] = [*self.jobs, *self.score_jobs, *self.generate_jobs, *self.answers.values()]
        for job in jobs:
            job.cancel()
        for job in jobs:
            job.wait(10)
        try:
            self.access.close()
        finally:
            self.store.close()

    def watch_inbox(self) -> None:
        """Take the inbox again and again until the server stops."""
        if self.demo.wanted:
            self.fill_demo()  # what an earlier stop left out
        while not self.stopping.wait(_INBOX_PAUSE_S):
            self.take_inbox()


class DemoMaker:
    """Makes the demo study in a process of its own, which hands each case over as it is ready."""

    def __init__(self, settings: Settings, missing: tuple[str, ...], *, wanted: bool) -> None:
        self.wanted = wanted
        self._log = settings.home / "demo.log"
        self._process: subprocess.Popen[bytes] | None = None
        if missing:
            command = [sys.executable, "-m", "pet2rep_core.cli.main", "demo", "--cases", ",".join(missing)]
            with self._log.open("wb") as log:
                self._process = subprocess.Popen(
                    command,
                    cwd=PROJECT_DIR,
                    stdout=log,
                    stderr=log,
                    env=os.environ | {"PET2REP_HOME": str(settings.home)},
                )

    @property
    def running(self) -> bool:
        """Tell whether cases are still being made."""
        return self._process is not None and self._process.poll() is None

    @property
    def problem(self) -> str:
        """The last line of what the process said, if it failed; empty otherwise."""
        if self._process is None or self._process.poll() in (None, 0):
            return ""
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else f"It ended with status {self._process.returncode}."

    def stop(self) -> None:
        """End the process; the next start goes on with the cases that are missing."""
        if self.running and self._process is not None:
            self._process.terminate()
            self._process.wait(10)


@st.cache_resource(show_spinner=False)
def server() -> Server:
    """Open the store and start the work behind the pages, once per process."""
    settings = read_settings()
    _make_home(settings.home)
    if settings.sign_in is not SignIn.SINGLE:
        _keep_private(settings.home)
    store = open_store(settings)
    try:
        access = open_access(settings, store)
    except Pet2RepError:
        store.close()
        raise
    refused = [(file.name, file.reason) for file in store.ingest_inbox() if file.reason]
    remove_leftovers(settings.prepared, older_than_s=_LEFTOVER_AGE_S)
    wanted = os.environ.get("PET2REP_DEMO", "1") != "0"
    missing = missing_demo_cases(store, settings) if wanted else ()
    one = Server(
        settings=settings,
        store=store,
        display=read_display(),
        rubric=read_rubric(),
        signer=Signer(),
        access=access,
        demo=DemoMaker(settings, missing, wanted=wanted),
        notices=[*(("", notice) for notice in store.notices), *refused],
    )
    threading.Thread(target=one.watch_inbox, name="inbox", daemon=True).start()
    return one


def _make_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"The folder {home.name!r} cannot be made: {error.strerror}.", hint="Set PET2REP_HOME to a folder of yours."
        ) from error


def _keep_private(home: Path) -> None:
    """Let nobody else on this machine read hashes of passwords and sessions."""
    try:
        home.chmod(0o700)
    except OSError as error:
        raise SettingsError(
            f"The folder {home.name!r} cannot be made private: {error.strerror}.",
            hint="Set PET2REP_HOME to a folder of yours.",
        ) from error
