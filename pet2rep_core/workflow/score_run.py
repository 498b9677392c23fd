"""Score a whole run, or everything: only what is missing or out of date, in processes where that pays."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pet2rep_core.records import Generation, GenerationStatus, Language, PetUnit, Report
from pet2rep_core.scoring.checks import Given
from pet2rep_core.scoring.profiles import DEFAULT_PROFILE, ReportPart
from pet2rep_core.settings import Settings
from pet2rep_core.store import CaseRow, Store, StoredGeneration, StoredOverrule
from pet2rep_core.store.rows import score_rows
from pet2rep_core.workflow.build_request import study_prompt
from pet2rep_core.workflow.import_dataset import ignore_interrupt
from pet2rep_core.workflow.score_pairs import (
    CaseFacts,
    Output,
    PairScores,
    Way,
    overruled_signatures,
    score_outputs,
    wanted_inputs,
)

NO_REFERENCE = "no reference report in the language of the generated one"
PAYS = 400
"""Reports from which further processes are worth their start of some seconds."""
CHUNK = 16
_RECORDED_TOGETHER = 64


@dataclass(frozen=True, slots=True)
class ScoreOutcome:
    """One report that was scored: the signatures of the scores that were made, or why none could be."""

    generation_id: str
    case_id: str
    model: str
    signatures: frozenset[str]
    reason: str = ""

    @property
    def made(self) -> int:
        """Scores that were made."""
        return len(self.signatures)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some reports of one case, with the signatures that each of them lacks."""

    facts: CaseFacts
    outputs: tuple[Output, ...]
    needed: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class ScorePlan:
    """What is to be scored, found without scoring anything.

    ``fresh`` reports have every score already; ``unscorable`` ones have no reference in their language.
    """

    way: Way
    chunks: tuple[Chunk, ...]
    fresh: int
    unscorable: tuple[ScoreOutcome, ...]

    @property
    def total(self) -> int:
        """Reports that will be scored."""
        return sum(len(chunk.outputs) for chunk in self.chunks)


def plan_scores(
    store: Store,
    *,
    profile: str = DEFAULT_PROFILE,
    part: ReportPart = ReportPart.FULL,
    run_id: str | None = None,
    images: bool = True,
    again: bool = False,
) -> ScorePlan:
    """Return what lacks a score, or has one that was made from another reference, prompt, image or correction.

    Parameters
    ----------
    run_id : str, optional
        Only the reports of this run.
    images : bool
        Look for SUVmax values in the PET too, where it is in SUV.
    again : bool
        Everything, whatever is stored.

    Raises
    ------
    UnknownNameError
        If there is no such profile.
    """
    way = Way(profile, part)
    stored: Mapping[str, Mapping[str, str | None]] = {} if again else store.score_inputs()
    before = store.score_inputs() if again else stored
    cells = _by_case(store.overrules())
    chunks: list[Chunk] = []
    unscorable: list[ScoreOutcome] = []
    fresh = 0
    rows = {row.case_id: row for row in store.cases()}
    for (case_id, language), generations in _grouped(store.generations(run_id=run_id)).items():
        facts = case_facts(store, rows[case_id], language, images=images) if case_id in rows else None
        if facts is None:
            unscorable += [
                ScoreOutcome(g.generation_id, case_id, g.model, frozenset(), NO_REFERENCE) for g in generations
            ]
            continue
        outputs, needed = [], {}
        for one in generations:
            output = output_of(one, facts, cells.get(case_id, ()), before.get(one.generation_id, {}))
            known = stored.get(one.generation_id, {})
            lacking = {line for line, digest in wanted_inputs(facts, output, way).items() if known.get(line) != digest}
            if lacking:
                outputs.append(output)
                needed[output.generation_id] = frozenset(lacking)
            else:
                fresh += 1
        chunks += [
            Chunk(facts, part_of, {o.generation_id: needed[o.generation_id] for o in part_of})
            for part_of in (tuple(outputs[at : at + CHUNK]) for at in range(0, len(outputs), CHUNK))
        ]
    return ScorePlan(way, tuple(chunks), fresh, tuple(unscorable))


def score_planned(
    store: Store, settings: Settings | None, plan: ScorePlan, *, cancelled: Callable[[], bool] = lambda: False
) -> Iterator[ScoreOutcome]:
    """Score what was planned and yield each report as its scores are stored; those without a reference come first.

    What was stored before a cancel or an error stays, and the next plan leaves it out. Without settings the work stays
    in this process, and no image is looked at.

    Raises
    ------
    StoreError
        If scores cannot be stored.
    """
    yield from plan.unscorable
    named = {output.generation_id: (chunk, output) for chunk in plan.chunks for output in chunk.outputs}
    waiting: list[PairScores] = []
    for made in _score_all(plan, settings, cancelled):
        waiting += made
        if len(waiting) >= _RECORDED_TOGETHER or plan.total < _RECORDED_TOGETHER:
            yield from _record(store, waiting, named)
            waiting = []
    yield from _record(store, waiting, named)


def case_facts(store: Store, row: CaseRow, language: Language, *, images: bool = True) -> CaseFacts | None:
    """Return what the reports of a case are scored against; None without a reference in the language."""
    reference = reference_of(store, row.case_id, language)
    if reference is None:
        return None
    prompt = study_prompt(row.metadata, language)
    metadata = {
        key: value for key, value in row.metadata.items() if isinstance(value, str) and not key.startswith("prompt_")
    }
    in_suv = images and row.has_pet and row.suv.get("unit") == PetUnit.SUVBW.value
    return CaseFacts(
        case_id=row.case_id,
        language=language,
        reference=reference,
        given=Given(prompt.template, f"{prompt.system}\n{prompt.task}", metadata),
        prepared_key=row.prepared_key if in_suv else None,
    )


def reference_of(store: Store, case_id: str, language: Language) -> Report | None:
    """Return the reference report of a case in a language, or None."""
    return next(
        (r.report for r in store.reports(case_id) if r.kind == "reference" and r.report.language is language), None
    )


def output_of(
    generation: Generation, facts: CaseFacts, overrules: Iterable[StoredOverrule], stored: Mapping[str, Any]
) -> Output:
    """Return a generation as it is scored; ``stored`` has the signatures of its scores."""
    ours = {"reference": facts.reference.sha256, "hypothesis": generation.sha256}
    mine = tuple(
        one
        for one in overrules
        if one.overrule.cell.language is facts.language
        and ours.get(one.overrule.cell.side) == one.overrule.cell.text_sha256
    )
    ended_well = generation.status in (GenerationStatus.DONE, GenerationStatus.CUT)
    return Output(
        generation.generation_id,
        generation.model,
        generation.text if ended_well else "",
        mine,
        any(line in stored for line in overruled_signatures(facts.language)),
    )


def score_rows_of(made: PairScores) -> list[dict[str, Any]]:
    """Return the rows of one report's scores for the store, those of both forms."""
    return [
        *score_rows(made.generation_id, made.scores, made.details, made.inputs),
        *score_rows(made.generation_id, made.overruled, made.overruled_details, made.inputs),
    ]


def _score_all(plan: ScorePlan, settings: Settings | None, cancelled: Callable[[], bool]) -> Iterator[list[PairScores]]:
    prepared = None if settings is None else settings.prepared
    workers = 1 if settings is None else min(settings.workers, len(plan.chunks))
    if workers < 2 or plan.total < PAYS:
        for chunk in plan.chunks:
            for output in chunk.outputs:
                if cancelled():
                    return
                yield score_outputs(chunk.facts, (output,), chunk.needed, plan.way, prepared)
        return
    from joblib import Parallel, delayed, parallel_config  # noqa: PLC0415 - not needed to open the app

    def calls() -> Iterator[Any]:
        for chunk in plan.chunks:
            if cancelled():
                return
            yield delayed(score_outputs)(chunk.facts, chunk.outputs, chunk.needed, plan.way, prepared)

    with parallel_config(backend="loky", n_jobs=workers, initializer=ignore_interrupt):
        results = Parallel(return_as="generator_unordered", pre_dispatch="2*n_jobs", batch_size=1)(calls())
        with contextlib.closing(results):
            yield from results


def _record(store: Store, made: list[PairScores], named: Mapping[str, tuple[Chunk, Output]]) -> Iterator[ScoreOutcome]:
    rows = [row for one in made for row in score_rows_of(one)]
    if rows:
        store.record_rows("scores", rows)
    for one in made:
        chunk, output = named[one.generation_id]
        made_now = frozenset(score.signature for score in (*one.scores, *one.overruled))
        yield ScoreOutcome(one.generation_id, chunk.facts.case_id, output.model, made_now)


def _grouped(generations: Iterable[StoredGeneration]) -> dict[tuple[str, Language], list[Generation]]:
    groups: defaultdict[tuple[str, Language], list[Generation]] = defaultdict(list)
    for stored in generations:
        groups[stored.generation.case_id, stored.generation.language].append(stored.generation)
    return dict(groups)


def _by_case(overrules: Iterable[StoredOverrule]) -> dict[str, list[StoredOverrule]]:
    found: defaultdict[str, list[StoredOverrule]] = defaultdict(list)
    for one in overrules:
        found[one.overrule.cell.case_id].append(one)
    return dict(found)
