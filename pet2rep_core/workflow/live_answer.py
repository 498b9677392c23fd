"""One report that a model writes now, with its text so far: it goes on when the page is left."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from pet2rep_core.vlm.adapters import open_adapter
from pet2rep_core.workflow.jobs import Job
from pet2rep_core.workflow.run_item import Stopped
from pet2rep_core.workflow.run_models import Opener, generate_one
from pet2rep_core.workflow.run_outcome import ItemOutcome, Workplace
from pet2rep_core.workflow.run_plan import RunPlan
from pet2rep_core.workflow.run_progress import RunProgress


class LiveAnswer(Job[ItemOutcome]):
    """One request under way or ended; read from any thread.

    Parameters
    ----------
    plan : RunPlan
        With one model and one case.
    """

    kind = "answer"

    def __init__(self, place: Workplace, plan: RunPlan, *, opener: Opener = open_adapter) -> None:
        self.plan = plan
        self.place = place
        self.progress = RunProgress()
        self._opener = opener
        self._pieces: list[str] = []
        self._tries = 0
        self._lock = threading.Lock()
        super().__init__(plan.pairings[0].name, 1, self._ask)

    @property
    def text(self) -> str:
        """What has come so far of the present attempt."""
        with self._lock:
            return "".join(self._pieces)

    @property
    def tries(self) -> int:
        """Attempts so far."""
        return self._tries

    @property
    def outcome(self) -> ItemOutcome | None:
        """How it ended; None while it runs, where it was stopped, or where :attr:`problem` says why."""
        return self.outcomes[0] if self.outcomes else None

    def _ask(self, cancelled: Callable[[], bool]) -> Iterator[ItemOutcome]:
        try:
            yield generate_one(
                self.place,
                self.plan,
                cancelled=cancelled,
                on_text=self._add,
                on_try=self._begin,
                progress=self.progress,
                opener=self._opener,
            )
        except Stopped:
            return

    def _add(self, piece: str) -> None:
        with self._lock:
            self._pieces.append(piece)

    def _begin(self, number: int) -> None:
        with self._lock:
            self._tries = number
            self._pieces.clear()
