"""The stored scores in the form that a leaderboard adds up: arrays over cases, one set per model and setting.

Nothing is scored here. Language scores are the stored values, clinical efficacy the stored counts of cells as the
rules read them: what a person overruled is not in it, so that every model is measured by the same rules.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from pet2rep_core.records import POSITIVE_STATES, GenerationStatus, Language, Person
from pet2rep_core.scoring.clinical import Agreement, clinical_signature
from pet2rep_core.scoring.profiles import NLG_METRICS, PROFILES, ReportPart
from pet2rep_core.scoring.statistics import Array
from pet2rep_core.store import RunRow, Store, StoredScore
from pet2rep_core.vlm.baselines import SCRIPTED, TEMPLATE, TEMPLATE_NORMAL
from pet2rep_core.workflow.permissions import OWNER, RESEARCH, require
from pet2rep_core.workflow.score import score_signatures

CELLS = 3 * len(POSITIVE_STATES)
"""Counts per case: TP, FP and FN of each positive state in turn."""
_BASELINES = (TEMPLATE, TEMPLATE_NORMAL)
_POSITIVE = frozenset(state.value for state in POSITIVE_STATES)
_CLINICAL = ("ce_precision", "ce_recall", "ce_f1")
_METRICS = frozenset((*NLG_METRICS, *_CLINICAL))
_AGREEMENTS = {one.value: one for one in Agreement}

Way: TypeAlias = tuple[str, ReportPart]
"""Name of a profile, and the part of the reports that was read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of a leaderboard: a model with its parameters, in one input setting and language.

    ``variant`` says what tells it from other entries of the same model; empty where it is the only one.
    """

    model: str
    variant: str
    group: str
    input_setting: str
    language: Language
    parameters: str
    run_ids: tuple[str, ...]

    @property
    def label(self) -> str:
        """Model and variant in one line."""
        return f"{self.model} ({self.variant})" if self.variant else self.model


@dataclass(frozen=True, slots=True, eq=False)
class EntryScores:
    """Scores of one entry over the cases of its language, in the order of :attr:`ScoreBook.cases`.

    Parameters
    ----------
    statuses : tuple of (GenerationStatus or None), one a case
        How the generation ended; None where there is none.
    values : mapping of way to mapping of metric to (cases,) array
        Language scores; NaN where there is none.
    cells : (cases, CELLS) array
        Counts of clinical efficacy; NaN where the case is not scored.
    organs : mapping of organ to tuple of (place of the case, Agreement)
        Agreement on organs of which either report states an increased, decreased or absent uptake.
    """

    entry: Entry
    statuses: tuple[GenerationStatus | None, ...]
    values: Mapping[Way, Mapping[str, Array]]
    cells: Array
    organs: Mapping[str, tuple[tuple[int, Agreement], ...]]


@dataclass(frozen=True, slots=True, eq=False)
class ScoreBook:
    """Everything that leaderboards are made from.

    ``rows`` counts the stored scores in it and ``sha256`` is the hash over them; ``passed_over`` counts those
    of versions or profiles that this program does not make any more.
    """

    cases: Mapping[Language, tuple[str, ...]]
    datasets: Mapping[str, str]
    entries: tuple[EntryScores, ...]
    rows: int
    sha256: str
    passed_over: int

    def ways(self, language: Language) -> tuple[Way, ...]:
        """Return the profiles and parts under which anything is scored in a language, in the order of profiles."""
        found = {way for one in self.entries if one.entry.language is language for way in one.values}
        return tuple((name, part) for name in PROFILES for part in ReportPart if (name, part) in found)

    @property
    def languages(self) -> tuple[Language, ...]:
        """Return the languages in which anything is scored."""
        return tuple(language for language in Language if self.ways(language))


def read_score_book(store: Store, *, person: Person = OWNER) -> ScoreBook:
    """Read all stored generations and scores into arrays; not for raters."""
    require(person, RESEARCH)
    runs = {run.run_id: run for run in store.runs()}
    statuses: dict[str, dict[str, GenerationStatus]] = defaultdict(dict)
    for stored in store.generations():
        statuses[stored.generation.run_id][stored.generation.case_id] = stored.generation.status
    used = [run for run in runs.values() if run.run_id in statuses]
    cases = {
        language: tuple(sorted({c for run in used if run.language is language for c in statuses[run.run_id]}))
        for language in Language
    }
    sheets: dict[str, _Sheet] = {}
    places = {language: {case: place for place, case in enumerate(names)} for language, names in cases.items()}
    for entry in _entries(used, statuses):
        sheet = _Sheet(entry, places[entry.language])
        for run_id in entry.run_ids:
            sheet.statuses.update(statuses[run_id])
            sheets[run_id] = sheet
    digest, rows, passed_over = hashlib.sha256(), 0, 0
    known = {language: _Known(language) for language in Language}
    for score in store.scores():
        if score.score.metric not in _METRICS or score.run_id not in sheets:
            continue
        signatures = known[runs[score.run_id].language]
        if sheets[score.run_id].take(score, signatures):
            rows += 1
            digest.update(_line(score))
        elif score.score.signature not in signatures.overruled:
            passed_over += 1
    entries = tuple(sheet.finished() for sheet in dict.fromkeys(sheets.values()))
    datasets = {row.case_id: row.dataset for row in store.cases()}
    return ScoreBook(cases, datasets, entries, rows, digest.hexdigest(), passed_over)


class _Known:
    """The signatures that this program makes in a language, and where their values go."""

    def __init__(self, language: Language) -> None:
        self.ways: dict[str, Way] = {
            signature: (name, part)
            for name, profile in PROFILES.items()
            if language in profile.words
            for part in ReportPart
            for signature in score_signatures(language, profile=name, part=part)
        }
        self.clinical = frozenset(clinical_signature(name, language) for name in _CLINICAL)
        self.overruled = frozenset(clinical_signature(name, language, overruled=True) for name in _CLINICAL)


class _Sheet:
    """Scores of one entry while they are read."""

    def __init__(self, entry: Entry, places: Mapping[str, int]) -> None:
        self.entry = entry
        self.places = places
        self.statuses: dict[str, GenerationStatus] = {}
        self._values: dict[Way, dict[str, Array]] = {}
        self._cells = np.full((len(places), CELLS), np.nan)
        self._organs: dict[str, list[tuple[int, Agreement]]] = defaultdict(list)

    def take(self, stored: StoredScore, known: _Known) -> bool:
        """Take a score where it is one that this program makes; tell whether it was."""
        score, place = stored.score, self.places[stored.case_id]
        way = known.ways.get(score.signature)
        if way is not None:
            values = self._values.setdefault(way, {})
            if score.metric not in values:
                values[score.metric] = np.full(len(self.places), np.nan)
            if score.value is not None:
                values[score.metric][place] = score.value
            return True
        if score.signature not in known.clinical:
            return False
        if stored.detail is not None:
            self._take_detail(place, stored.detail)
        return True

    def _take_detail(self, place: int, detail: Mapping[str, Any]) -> None:
        counts = {one["state"]: (one["tp"], one["fp"], one["fn"]) for one in detail["classes"]}
        self._cells[place] = [number for state in POSITIVE_STATES for number in counts[state.value]]
        for row in detail["organs"]:
            if not _POSITIVE.isdisjoint(row["reference"]) or not _POSITIVE.isdisjoint(row["generated"]):
                self._organs[row["organ"]].append((place, _AGREEMENTS[row["agreement"]]))

    def finished(self) -> EntryScores:
        statuses = tuple(self.statuses.get(case) for case in self.places)
        organs = {organ: tuple(rows) for organ, rows in self._organs.items()}
        return EntryScores(self.entry, statuses, self._values, self._cells, organs)


def group_of(model: str) -> str:
    """Return the group of a model: baseline, demonstration or model."""
    return "baseline" if model in _BASELINES else "demonstration" if model == SCRIPTED else "model"


def _entries(runs: Iterable[RunRow], statuses: Mapping[str, Mapping[str, Any]]) -> Iterator[Entry]:
    """Yield the entries: runs that differ in the prompt of their cases alone are one.

    A case's own prompt makes a run of its own. Where two such runs have a case in common, they are two tries at
    the same cases, and each run is an entry.
    """
    siblings: dict[tuple[str, str, Language], list[RunRow]] = defaultdict(list)
    for run in runs:
        siblings[run.model, run.input_setting, run.language].append(run)
    for (model, setting, language), found in siblings.items():
        facts = {run.run_id: _facts(run) for run in found}
        told = {key for key in set().union(*facts.values()) if len({f.get(key) for f in facts.values()}) > 1}
        together: dict[str, list[RunRow]] = defaultdict(list)
        for run in found:
            together[json.dumps(facts[run.run_id], sort_keys=True, ensure_ascii=False)].append(run)
        for parameters, same in together.items():
            variant = ", ".join(
                f"{key}={facts[same[0].run_id][key]}" for key in sorted(told & set(facts[same[0].run_id]))
            )
            shared = Counter(case for run in same for case in statuses[run.run_id])
            parts = [same] if max(shared.values()) == 1 else [[run] for run in same]
            for part in parts:
                name = variant if len(parts) == 1 else ", ".join(filter(None, [variant, f"run={part[0].run_id}"]))
                ids = tuple(run.run_id for run in part)
                yield Entry(model, name, group_of(model), setting, language, parameters, ids)


def _facts(run: RunRow) -> dict[str, str]:
    """Return what makes a run, as text: its parameters and its seed."""
    facts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in run.parameters.items()}
    return facts if run.seed is None else facts | {"seed": str(run.seed)}


def _line(stored: StoredScore) -> bytes:
    """Return a score as one line of text, as far as a leaderboard depends on it."""
    score = stored.score
    counts = stored.detail["classes"] if isinstance(stored.detail, dict) and "classes" in stored.detail else None
    said = (stored.generation_id, stored.text_sha256, score.metric, score.signature, score.value, score.reason, counts)
    return f"{said!r}\n".encode()
