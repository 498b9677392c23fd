"""The store: everything that happened, never overwritten."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from pet2rep_core.errors import StoreError, UnknownNameError
from pet2rep_core.records import KeySlices, Rating
from pet2rep_core.settings import Settings
from pet2rep_core.store import browsing, integrity, tables
from pet2rep_core.store.accounts import AccountLog
from pet2rep_core.store.driver import Database, utc_now
from pet2rep_core.store.events import reconcile
from pet2rep_core.store.inbox import move_aside, read_handed_over, waiting_files
from pet2rep_core.store.journal import Journal, canonical_json
from pet2rep_core.store.kinds import insert_rows, kind_named
from pet2rep_core.store.notes import NoteLog
from pet2rep_core.store.overrules import OverruleLog
from pet2rep_core.store.ratings import RatingLog
from pet2rep_core.store.recorder import Recorder
from pet2rep_core.store.rows import (
    CASE_COLUMNS,
    GENERATION_COLUMNS,
    REPORT_COLUMNS,
    RUN_COLUMNS,
    SCORE_COLUMNS,
    Row,
    iso,
    key_slices_json,
    read_case,
    read_generation,
    read_key_slices,
    read_report,
    read_run,
    read_score,
)
from pet2rep_core.store.schema import migrate, read_migrations
from pet2rep_core.store.stored import (
    CaseRow,
    Cell,
    CellOverrule,
    Draft,
    IngestedFile,
    Measurement,
    Recorded,
    RunRow,
    SavedRating,
    StoredEvent,
    StoredGeneration,
    StoredMeasurement,
    StoredOverrule,
    StoredRating,
    StoredReport,
    StoredScore,
)
from pet2rep_core.store.studies import StudyLog
from pet2rep_core.store.transaction import RowsRefusedError, Transaction

_OF_RUN = ("model", "language")


class Store(Recorder):
    """The open store; safe from many threads. ``notices`` says what had to be repaired on opening.

    ``studies`` keeps the reader studies, ``accounts`` are those of this installation.
    """

    def __init__(self, settings: Settings, *, min_free_bytes: int, migrations: Path) -> None:
        known = read_migrations(migrations)
        self._inbox = settings.inbox
        self._inbox_lock = threading.Lock()
        self._database = Database(settings.database, min_free_bytes=min_free_bytes)
        try:
            migrate(self._database, known)
            self._journal = Journal(settings.database.with_suffix(".journal.jsonl"))
            self._ratings = RatingLog(self._database, self._journal)
            self._notes = NoteLog(self._database, self._journal)
            self._overrules = OverruleLog(self._database, self._journal)
            self.studies = StudyLog(self._database, self._journal)
            self.accounts = AccountLog(self._database, self._journal)
            logs = (
                *(self._ratings.log, self._notes.log, self._overrules.log),
                *(self.studies.events_log, self.studies.ratings_log, self.accounts.log),
            )
            repairs = reconcile(self._database, self._journal, logs)
            repairs += self.studies.open_drafts(settings.database.with_suffix(".drafts.jsonl"))
        except BaseException:
            self._database.close()
            raise
        self.notices = (*self._database.notices, *self._journal.notices, *repairs)

    def close(self) -> None:
        """Write everything into the file and let others open it."""
        try:
            self._database.close()
        finally:
            self.studies.close()
            self._journal.close()

    # --- what both the app and the command line record

    def record_rows(self, kind: str, rows: Sequence[Row]) -> list[Recorded]:
        """Record many rows of one kind together; all of them or none."""
        with self._database.transaction() as tx:
            return insert_rows(tx, kind_named(kind), rows)

    def ingest_inbox(self) -> list[IngestedFile]:
        """Take every file of the inbox exactly once, the oldest first.

        A file that cannot be used is moved to ``rejected`` beside its reason; a taken one to ``done``.
        """
        with self._inbox_lock:
            return [self._ingest(path) for path in waiting_files(self._inbox)]

    def _ingest(self, path: Path) -> IngestedFile:
        kind = ""
        rows: list[Row] = []
        try:
            kind, rows = read_handed_over(path)
            with self._database.transaction() as tx:
                if not tx.rows("SELECT 1 FROM ingested_file WHERE name = ?", path.name):
                    insert_rows(tx, kind_named(kind), rows)
                    tx.execute(
                        "INSERT INTO ingested_file (name, kind, rows, created_at) VALUES (?, ?, ?, ?)",
                        *(path.name, kind, len(rows), utc_now()),
                    )
        except (RowsRefusedError, UnknownNameError) as error:
            move_aside(path, "rejected", str(error))
            return IngestedFile(path.name, kind, len(rows), str(error))
        move_aside(path, "done")
        return IngestedFile(path.name, kind, len(rows))

    # --- cases

    def cases(self, dataset: str | None = None) -> list[CaseRow]:
        """Return the newest revision of all cases, or of one dataset's, by name."""
        return self._cases("WHERE ? IS NULL OR dataset = ?", dataset, dataset)

    def case(self, case_id: str) -> CaseRow:
        """Return the newest revision of a case.

        Raises
        ------
        UnknownNameError
            If it is not in the store.
        """
        found = self._cases("WHERE case_id = ?", case_id)
        if not found:
            raise UnknownNameError("case", case_id, (case.case_id for case in self.cases()))
        return found[0]

    def _cases(self, where: str, *values: object) -> list[CaseRow]:
        rows = self._database.rows(
            f"SELECT {', '.join(CASE_COLUMNS)} FROM case_latest {where} ORDER BY case_id", *values
        )
        return [read_case(row) for row in rows]

    def record_key_slices(self, case_id: str, key_slices: KeySlices, author: str) -> int:
        """Record the slices that a person chose, with the reason, and return the revision.

        Raises
        ------
        StoreError
            If there is no reason or no such case.
        """
        if not key_slices.reason.strip():
            raise StoreError("The chosen slices have no reason.", hint="Say why other slices stand for this case.")
        with self._database.transaction() as tx:
            if not tx.rows("SELECT 1 FROM study_case WHERE case_id = ? LIMIT 1", case_id):
                raise StoreError(f"The case {case_id!r} is not in the store.", hint="Import the case first.")
            revision = _next_revision(tx, "key_slices WHERE case_id = ?", case_id)
            tx.execute(
                "INSERT INTO key_slices (case_id, revision, key_slices, author, created_at) VALUES (?, ?, ?, ?, ?)",
                *(case_id, revision, key_slices_json(key_slices), author, utc_now()),
            )
        return revision

    def key_slices(self, case_id: str) -> KeySlices | None:
        """Return the slices that were chosen last, or those of the import, or None where there are none."""
        chosen = self._database.rows(
            "SELECT key_slices FROM key_slices WHERE case_id = ? ORDER BY revision DESC LIMIT 1", case_id
        )
        return read_key_slices(chosen[0][0]) if chosen else self.case(case_id).key_slices

    def chosen_key_slices(self) -> dict[str, KeySlices]:
        """Return the slices that persons chose last, by case; cases with those of their import are not in it."""
        rows = self._database.rows("SELECT case_id, key_slices FROM key_slices ORDER BY case_id, revision")
        return {case_id: read_key_slices(text) for case_id, text in rows}

    def reports(self, case_id: str) -> list[StoredReport]:
        """Return the newest revision of each report of a case."""
        rows = self._database.rows(
            f"SELECT {', '.join(REPORT_COLUMNS)} FROM report_latest WHERE case_id = ? ORDER BY kind, language, source",
            case_id,
        )
        return [read_report(row) for row in rows]

    # --- runs, generations, scores

    def runs(self) -> list[RunRow]:
        """Return all runs, the oldest first."""
        rows = self._database.rows(f"SELECT {', '.join(RUN_COLUMNS)} FROM run ORDER BY created_at, run_id")
        return [read_run(row) for row in rows]

    def generations(self, case_id: str | None = None, run_id: str | None = None) -> list[StoredGeneration]:
        """Return the newest attempt of each generation, of one case or run where given."""
        return self._generations(
            "(? IS NULL OR g.case_id = ?) AND (? IS NULL OR g.run_id = ?)", case_id, case_id, run_id, run_id
        )

    def generation(self, generation_id: str) -> StoredGeneration:
        """Return one generation in its newest attempt.

        Raises
        ------
        StoreError
            If it is not in the store.
        """
        found = self._generations("g.generation_id = ?", generation_id)
        if not found:
            raise StoreError(f"The generation {generation_id!r} is not in the store.", hint="Load the page again.")
        return found[0]

    def _generations(self, where: str, *values: object) -> list[StoredGeneration]:
        columns = ", ".join(f"{'r' if name in _OF_RUN else 'g'}.{name}" for name in GENERATION_COLUMNS)
        rows = self._database.rows(
            f"SELECT {columns} FROM generation_latest g JOIN run r ON r.run_id = g.run_id "
            f"WHERE {where} ORDER BY g.case_id, r.created_at, g.run_id",
            *values,
        )
        return [read_generation(row) for row in rows]

    def scores(self, generation_id: str | None = None, run_id: str | None = None) -> list[StoredScore]:
        """Return the newest score of each present text, metric and signature."""
        rows = self._database.rows(
            f"SELECT {', '.join(SCORE_COLUMNS)} FROM score_latest s JOIN generation_latest g "
            "ON g.generation_id = s.generation_id AND g.sha256 = s.text_sha256 "
            "WHERE (? IS NULL OR s.generation_id = ?) AND (? IS NULL OR g.run_id = ?) "
            "ORDER BY g.case_id, g.run_id, s.metric, s.signature",
            *(generation_id, generation_id, run_id, run_id),
        )
        return [read_score(row) for row in rows]

    def score_inputs(self, case_id: str | None = None) -> dict[str, dict[str, str | None]]:
        """Return, by generation and signature, what each newest score of a present text was made from.

        The value is the hash that was recorded with the score, None where none was.
        """
        rows = self._database.rows(
            "SELECT s.generation_id, s.signature, s.inputs_sha256 FROM score_latest s JOIN generation_latest g "
            "ON g.generation_id = s.generation_id AND g.sha256 = s.text_sha256 WHERE ? IS NULL OR g.case_id = ?",
            *(case_id, case_id),
        )
        found: dict[str, dict[str, str | None]] = {}
        for generation_id, signature, inputs in rows:
            found.setdefault(generation_id, {})[signature] = inputs
        return found

    # --- cells of the organ table that a person overruled

    def record_overrule(self, overrule: CellOverrule) -> StoredOverrule:
        """Overrule a cell; it is in the database and in the journal when this returns.

        The next revision of the cell, unless states, reason and author are those of the newest.

        Raises
        ------
        StoreError
            If it has no author, no reason, or states that cannot stand together; nothing is stored then.
        """
        return self._overrules.record(overrule)

    def withdraw_overrule(self, cell: Cell, author: str, reason: str) -> StoredOverrule:
        """Let the automatic value of a cell count again, by an event of its own.

        Raises
        ------
        StoreError
            If the cell is not overruled, or there is no reason.
        """
        return self._overrules.withdraw(cell, author, reason)

    def overrules(self, case_id: str | None = None) -> list[StoredOverrule]:
        """Return the overrules that hold now, of one case where given; withdrawn ones are not among them."""
        return self._overrules.holding(case_id)

    def overrule_history(self, cell: Cell) -> list[StoredOverrule]:
        """Return all revisions of a cell, withdrawals included, the oldest first."""
        return self._overrules.history(cell)

    # --- ratings and drafts

    def record_rating(self, rating: Rating, *, event_id: str, base_revision: int, session_id: str) -> SavedRating:
        """Save a rating; it is in the database and in the journal when this returns.

        Parameters
        ----------
        event_id : str
            Name of this click, made by the screen (a UUID): the same click twice is saved once.
        base_revision : int
            Revision that the screen showed; 0 where it showed no rating.

        Raises
        ------
        StaleRatingError
            If a newer revision was saved meanwhile, for example in another tab.
        StoreError
            If it could not be saved; nothing is stored then.
        """
        return self._ratings.record(rating, event_id=event_id, base_revision=base_revision, session_id=session_id)

    def withdraw_rating(
        self, generation_id: str, reader: str, *, event_id: str, base_revision: int, session_id: str, reason: str
    ) -> SavedRating:
        """Withdraw a rating; its revisions stay in the history."""
        return self._ratings.withdraw(
            generation_id, reader, event_id=event_id, base_revision=base_revision, session_id=session_id, reason=reason
        )

    def rating(self, generation_id: str, reader: str) -> StoredRating | None:
        """Return the newest revision of a rating, or None where there is none or it was withdrawn."""
        latest = self._ratings.latest(generation_id, reader)
        return None if latest is None or latest.withdrawn else latest

    def rating_history(self, generation_id: str, reader: str) -> list[StoredRating]:
        """Return all revisions of a rating, withdrawals included, the oldest first."""
        return self._ratings.history(generation_id, reader)

    def record_draft(
        self, reader: str, generation_id: str, answers: Mapping[str, int | None], comment: str = ""
    ) -> None:
        """Keep answers that have not been saved as a rating yet."""
        with self._database.transaction() as tx:
            revision = _next_revision(tx, "draft WHERE reader = ? AND generation_id = ?", reader, generation_id)
            saved = _next_revision(tx, "rating_event WHERE reader = ? AND generation_id = ?", reader, generation_id) - 1
            tx.execute(
                "INSERT INTO draft (reader, generation_id, revision, rating_revision, answers, comment, created_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                *(reader, generation_id, revision, saved, canonical_json(dict(answers)), comment, utc_now()),
            )

    def draft(self, reader: str, generation_id: str) -> Draft | None:
        """Return the newest draft, or None where there is none or a rating was saved after it."""
        rows = self._database.rows(
            "SELECT answers, comment, created_at FROM draft d WHERE reader = ? AND generation_id = ? "
            "AND NOT EXISTS (SELECT 1 FROM rating_event e WHERE e.reader = d.reader "
            "AND e.generation_id = d.generation_id AND e.revision > d.rating_revision) "
            "ORDER BY revision DESC LIMIT 1",
            *(reader, generation_id),
        )
        return Draft(json.loads(rows[0][0]), rows[0][1], iso(rows[0][2])) if rows else None

    # --- a reader's own notes

    def record_measurement(self, measurement: Measurement) -> StoredMeasurement:
        """Keep a measurement; it is in the database and in the journal when this returns.

        The same name with another content is its next revision; with the same content nothing is stored again.

        Raises
        ------
        PermissionDeniedError
            If the name belongs to another reader or another case.
        StoreError
            If it could not be kept; nothing is stored then.
        """
        return self._notes.keep(measurement)

    def withdraw_measurement(self, measurement_id: str, case_id: str, reader: str) -> StoredMeasurement:
        """Withdraw a measurement of a reader; its revisions stay in the history.

        Raises
        ------
        PermissionDeniedError
            If it belongs to another reader or another case.
        StoreError
            If there is none of this name, or it could not be withdrawn.
        """
        return self._notes.withdraw(measurement_id, case_id, reader)

    def measurements(self, case_id: str, reader: str) -> list[StoredMeasurement]:
        """Return what a reader has kept in a case and not withdrawn, the newest first; nobody else's."""
        return self._notes.of_reader(case_id, reader)

    def record_reader_settings(self, reader: str, settings: Mapping[str, Any]) -> int:
        """Keep how a reader set the viewer, at most 4 kB of JSON; returns the revision."""
        return self._notes.record_settings(reader, settings)

    def reader_settings(self, reader: str) -> dict[str, Any]:
        """Return the newest settings of a reader; empty where there are none."""
        return self._notes.settings(reader)

    # --- audit, export, checks

    def record_event(
        self, actor: str, action: str, object_type: str, object_id: str, detail: Mapping[str, Any] | None = None
    ) -> None:
        """Record who did what to what."""
        with self._database.transaction() as tx:
            tx.execute(
                "INSERT INTO audit_event (event_id, actor, action, object_type, object_id, detail, created_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                *(str(uuid.uuid4()), actor, action, object_type, object_id),
                *(canonical_json(dict(detail or {})), utc_now()),
            )

    def events(self, actions: Sequence[str], *, object_id: str | None = None) -> list[StoredEvent]:
        """Return the entries of the audit log with one of these actions, the oldest first."""
        rows = self._database.rows(
            "SELECT actor, action, object_type, object_id, detail, created_at FROM audit_event "
            f"WHERE action IN ({', '.join('?' * len(actions))}) AND (? IS NULL OR object_id = ?) "
            "ORDER BY created_at, event_id",
            *(*actions, object_id, object_id),
        )
        return [
            StoredEvent(actor, action, kind, name, json.loads(detail), iso(created_at))
            for actor, action, kind, name, detail, created_at in rows
        ]

    def ratings_table(self) -> pa.Table:
        """Return the newest ratings, one row per dimension, in :data:`tables.RATINGS_SCHEMA`."""
        return tables.ratings_table(self._database)

    def scores_table(self) -> pa.Table:
        """Return the newest scores in :data:`tables.SCORES_SCHEMA`."""
        return tables.scores_table(self._database)

    def scores_version(self) -> str:
        """Return a mark that changes whenever a score, a generation or a case is added."""
        return browsing.scores_version(self._database)

    def generations_table(self) -> pa.Table:
        """Return the newest attempt of every generation with its run and dataset, and the beginning of its text."""
        return browsing.generations_table(self._database)

    def score_organs_table(self) -> pa.Table:
        """Return the newest score of every present text and signature, with the organs that its detail names."""
        return browsing.score_organs_table(self._database)

    def measurements_table(self) -> pa.Table:
        """Return all kept measurements, one row per number, in :data:`tables.MEASUREMENTS_SCHEMA`."""
        return tables.measurements_table(self._database)

    def verify(self) -> list[str]:
        """Return what is wrong with the store, one sentence each; empty where all is well."""
        return integrity.problems(self._database, self._journal)


def _next_revision(tx: Transaction, place: str, *values: object) -> int:
    [(revision,)] = tx.rows(f"SELECT coalesce(max(revision), 0) + 1 FROM {place}", *values)
    return int(revision)
