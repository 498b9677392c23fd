"""What the command line may record, the same whether the store is free or the running app has it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pet2rep_core.records import Generation, Report, Score
from pet2rep_core.store.rows import Row, case_row, generation_row, report_row, run_row, score_rows
from pet2rep_core.store.stored import CaseRow, Recorded, RunRow


class Recorder(Protocol):
    """Something that records imports, runs, generations and scores.

    :class:`~pet2rep_core.store.store.Store` writes at once; :class:`~pet2rep_core.store.inbox.InboxRecorder`
    hands over to the app that has the store.
    """

    def record_rows(self, kind: str, rows: Sequence[Row]) -> list[Recorded]:
        """Record many rows of one kind together; all of them or none.

        Raises
        ------
        StoreError
            If they could not be recorded; then none is.
        """
        ...

    def close(self) -> None:
        """Finish; nothing that was recorded waits for this."""
        ...

    def record_case(self, case: CaseRow) -> Recorded:
        """Record an imported case.

        Unchanged where source and prepared images are those of the newest revision, whatever name its dataset
        has now; else the next revision. A case of another dataset with other files is refused: two cases that
        happen to share a name are not revisions of each other.
        """
        return self.record_rows("cases", [case_row(case)])[0]

    def record_report(
        self,
        case_id: str,
        report: Report,
        *,
        kind: str = "reference",
        source: str = "import",
        case_source_sha256: str | None = None,
    ) -> Recorded:
        """Record a report of a case; another text for the same kind, source and language is its next revision.

        With ``case_source_sha256`` it is refused where the case in the store was made from other files.
        """
        row = report_row(case_id, report, kind=kind, source=source, case_source_sha256=case_source_sha256)
        return self.record_rows("reports", [row])[0]

    def record_run(self, run: RunRow) -> Recorded:
        """Record a run; the same id with other parameters is refused."""
        return self.record_rows("runs", [run_row(run)])[0]

    def record_generation(
        self,
        generation: Generation,
        *,
        started_at: str | None = None,
        duration_s: float | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> Recorded:
        """Record what a model answered for a case, whatever its status.

        One per run and case: a finished one is never replaced, one with another status may be followed by a
        further attempt.
        """
        row = generation_row(generation, started_at=started_at, duration_s=duration_s, detail=detail)
        return self.record_rows("generations", [row])[0]

    def record_scores(
        self,
        generation_id: str,
        scores: Sequence[Score],
        details: Mapping[str, Any] | None = None,
        inputs: Mapping[str, str] | None = None,
    ) -> list[Recorded]:
        """Record scores of the present text of a generation.

        ``details`` come by the name of the metric, ``inputs`` by signature: a hash of all that a number was made from
        beside the text.
        """
        return self.record_rows("scores", score_rows(generation_id, scores, details, inputs))
