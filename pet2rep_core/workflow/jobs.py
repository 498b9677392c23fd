"""Long work that goes on when the page is left: a thread with progress and cancel."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from pet2rep_core.errors import Pet2RepError
from pet2rep_core.records import Person
from pet2rep_core.scoring.profiles import DEFAULT_PROFILE, ReportPart
from pet2rep_core.settings import Settings
from pet2rep_core.store import Store
from pet2rep_core.workflow.import_dataset import ImportOutcome
from pet2rep_core.workflow.permissions import OWNER, RESEARCH, require
from pet2rep_core.workflow.preflight_run import require_one_currency
from pet2rep_core.workflow.providers import require_allowed, sendings_of
from pet2rep_core.workflow.run_models import run_planned
from pet2rep_core.workflow.run_outcome import ItemOutcome, Workplace
from pet2rep_core.workflow.run_plan import RunPlan
from pet2rep_core.workflow.run_progress import RunProgress
from pet2rep_core.workflow.score_run import ScoreOutcome, plan_scores, score_planned

Outcome = TypeVar("Outcome")


class Job(Generic[Outcome]):
    """One job under way or ended; read from any thread.

    Parameters
    ----------
    total : int
        Outcomes that will come if nobody cancels.
    start : callable
        Gets a function that says whether to stop, and yields outcomes.
    """

    kind = "job"

    def __init__(self, name: str, total: int, start: Callable[[Callable[[], bool]], Iterator[Outcome]]) -> None:
        self.name = name
        self.total = total
        self.outcomes: list[Outcome] = []
        self.problem: Pet2RepError | None = None
        self._stop = threading.Event()
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._run, args=(start,), name=self.kind, daemon=True)
        self._thread.start()

    def _run(self, start: Callable[[Callable[[], bool]], Iterator[Outcome]]) -> None:
        try:
            for outcome in start(self._stop.is_set):
                self.outcomes.append(outcome)
        except Pet2RepError as error:
            self.problem = error

    def cancel(self) -> None:
        """Stop after what is under way."""
        self._stop.set()

    @property
    def cancelled(self) -> bool:
        """Tell whether somebody cancelled it."""
        return self._stop.is_set()

    @property
    def running(self) -> bool:
        """Tell whether it is still at work."""
        return self._thread.is_alive()

    @property
    def seconds_left(self) -> float | None:
        """Estimate from the pace so far; None before the first outcome."""
        done = len(self.outcomes)
        if not done or not self.running:
            return None
        return (time.monotonic() - self._began) / done * (self.total - done)

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until it has ended."""
        self._thread.join(timeout_s)


class ImportJob(Job[ImportOutcome]):
    """One import."""

    kind = "import"


class GenerateJob(Job[ItemOutcome]):
    """One run of models over many cases; :func:`start_generating` starts it.

    ``progress`` says what is under way, what waits and why, what was spent, and what is left.
    """

    kind = "generate"

    def __init__(
        self,
        name: str,
        plan: RunPlan,
        progress: RunProgress,
        start: Callable[[Callable[[], bool]], Iterator[ItemOutcome]],
    ) -> None:
        self.plan = plan
        self.progress = progress
        super().__init__(name, len(plan.items) + len(plan.there) + len(plan.left_out), start)

    @property
    def seconds_left(self) -> float | None:
        """Estimate from the pace of what was really asked; None before the first answer."""
        return self.progress.seconds_left if self.running else None


class ScoreJob(Job[ScoreOutcome]):
    """One scoring of many reports; :func:`start_scoring` starts it."""

    kind = "score"


def start_generating(place: Workplace, plan: RunPlan, *, name: str = "") -> GenerateJob:
    """Start to ask for everything in a plan, in the background.

    Raises
    ------
    PermissionDeniedError
        If the person may not generate, or something would leave this machine that nobody has allowed.
    SettingsError
        If a cost cap cannot hold.
    """
    require(place.person, RESEARCH)
    require_allowed(place.store, sendings_of(plan))
    require_one_currency(plan)
    progress = RunProgress()

    def start(cancelled: Callable[[], bool]) -> Iterator[ItemOutcome]:
        return run_planned(place, plan, cancelled=cancelled, progress=progress)

    return GenerateJob(name, plan, progress, start)


def start_scoring(
    store: Store,
    settings: Settings,
    *,
    name: str = "",
    profile: str = DEFAULT_PROFILE,
    part: ReportPart = ReportPart.FULL,
    run_id: str | None = None,
    again: bool = False,
    person: Person = OWNER,
) -> ScoreJob:
    """Start to score what lacks scores, in the background.

    Parameters
    ----------
    name : str
        What the page calls it.
    profile, part, run_id, again
        As for :func:`pet2rep_core.workflow.score_run.plan_scores`.

    Raises
    ------
    PermissionDeniedError
        If the person is a rater.
    UnknownNameError
        If there is no such profile.
    """
    require(person, RESEARCH)
    plan = plan_scores(store, profile=profile, part=part, run_id=run_id, again=again)

    def start(cancelled: Callable[[], bool]) -> Iterator[ScoreOutcome]:
        return score_planned(store, settings, plan, cancelled=cancelled)

    return ScoreJob(name, plan.total + len(plan.unscorable), start)
