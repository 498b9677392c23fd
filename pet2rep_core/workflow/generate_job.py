"""A run over many cases in the background: it goes on when the page is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pet2rep_core.workflow.jobs import Job
from pet2rep_core.workflow.permissions import RESEARCH, require
from pet2rep_core.workflow.preflight_run import require_one_currency
from pet2rep_core.workflow.providers import require_allowed, sendings_of
from pet2rep_core.workflow.run_item import ItemOutcome, Workplace
from pet2rep_core.workflow.run_models import run_planned
from pet2rep_core.workflow.run_plan import RunPlan
from pet2rep_core.workflow.run_progress import RunProgress


class GenerateJob(Job[ItemOutcome]):
    """One run of models over many cases; :func:`start_generating` starts it."""

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


def start_generating(place: Workplace, plan: RunPlan, *, name: str = "") -> GenerateJob:
    """Start to ask for everything in a plan, in the background."""
    require(place.person, RESEARCH)
    require_allowed(place.store, sendings_of(plan))
    require_one_currency(plan)
    progress = RunProgress()

    def start(cancelled: Callable[[], bool]) -> Iterator[ItemOutcome]:
        return run_planned(place, plan, cancelled=cancelled, progress=progress)

    return GenerateJob(name, plan, progress, start)
