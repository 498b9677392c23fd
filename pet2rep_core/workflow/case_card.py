"""What a case card for a talk shows: the key slices, the sentences that matter on both sides, the scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from pet2rep_core.errors import StoreError
from pet2rep_core.imaging.display import Display
from pet2rep_core.imaging.render import Picture
from pet2rep_core.records import POSITIVE_STATES, Generation, GenerationStatus, Language, Person, Score
from pet2rep_core.report.uptake import Evidence
from pet2rep_core.scoring.checks import CHECKS
from pet2rep_core.scoring.clinical import ClinicalResult, OrganRow, clinical_signature, score_clinical
from pet2rep_core.scoring.read_text import read_texts
from pet2rep_core.settings import Settings
from pet2rep_core.store import Store
from pet2rep_core.workflow.flags import Flag, Side, Words, find_flags
from pet2rep_core.workflow.open_case import OpenCase, draw_model_picture, open_case
from pet2rep_core.workflow.permissions import OWNER, RESEARCH, require
from pet2rep_core.workflow.score import score_signatures
from pet2rep_core.workflow.score_pairs import CLINICAL

MOST_EXCERPTS = 8
MOST_CHARACTERS = 360
MOST_PICTURES = 4
_FIRST_SENTENCES = 3


@dataclass(frozen=True, slots=True)
class Marked:
    """Words of an excerpt, at [start, end) of it; ``kind`` is the filter that they belong to."""

    start: int
    end: int
    kind: str


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A sentence of a report, cut where it is very long."""

    text: str
    marks: tuple[Marked, ...] = ()
    cut: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class CaseCard:
    """One generated report as a talk shows it; nobody is named in it but the case.

    ``pictures`` are those that a model gets, fused where the case has both; ``whole`` tells of a side that no
    flag speaks of, so that its excerpts are the report's first sentences.
    """

    generation: Generation
    input_setting: str
    dataset: str
    pictures: tuple[Picture, ...]
    flags: tuple[Flag, ...]
    reference: tuple[Excerpt, ...]
    generated: tuple[Excerpt, ...]
    whole: frozenset[Side]
    scores: tuple[Score, ...]

    @property
    def language(self) -> Language:
        """Language of both reports."""
        return self.generation.language


def read_case_card(
    store: Store, settings: Settings, display: Display, case_id: str, generation_id: str, *, person: Person = OWNER
) -> CaseCard:
    """Return the card of one generated report, from what is stored.

    Raises
    ------
    PermissionDeniedError
        If the person is a rater: the card names the model.
    StoreError
        If the case has no such generation.
    ImageReadError
        If the images of the case are missing or damaged.
    """
    require(person, RESEARCH)
    generation = store.generation(generation_id).generation
    if generation.case_id != case_id:
        raise StoreError(f"The case {case_id!r} has no generation {generation_id!r}.", hint="Load the page again.")
    case = open_case(store, settings, case_id)
    run = next(run for run in store.runs() if run.run_id == generation.run_id)
    stored = store.scores(generation_id)
    report = case.references.get(generation.language)
    reference = "" if report is None else report.text
    has_report = generation.status in (GenerationStatus.DONE, GenerationStatus.CUT) and bool(generation.text.strip())
    flags = find_flags(stored) if has_report else ()
    if reference and has_report:
        flags = _with_words(flags, score_clinical(generation.text, reference, generation.language))
    texts: Mapping[Side, str] = {"reference": reference, "generated": generation.text}
    excerpts: dict[Side, tuple[Excerpt, ...]] = {}
    whole: set[Side] = set()
    for side, text in texts.items():
        words = [(flag.kind, one) for flag in flags for one in flag.words if one.side == side]
        # a reference may have been replaced since it was scored
        words = [(kind, one) for kind, one in words if text[one.start : one.end] == one.text]
        if not words:
            whole.add(side)
        excerpts[side] = _excerpts(text, generation.language, words)
    known = _known(generation.language)
    return CaseCard(
        generation=generation,
        input_setting=run.input_setting,
        dataset=case.row.dataset,
        pictures=_pictures(case, display),
        flags=flags,
        reference=excerpts["reference"],
        generated=excerpts["generated"],
        whole=frozenset(whole),
        scores=tuple(
            sorted((one.score for one in stored if one.score.signature in known), key=lambda s: known[s.signature])
        ),
    )


def _known(language: Language) -> dict[str, int]:
    """Return the signatures of the present rules, in the order of the card."""
    lines = [
        *sorted(score_signatures(language)),
        *(clinical_signature(name, language, overruled=o) for name in CLINICAL for o in (False, True)),
        *(metric.signature(language) for metric in CHECKS.values()),
    ]
    return {line: place for place, line in enumerate(lines)}


def _pictures(case: OpenCase, display: Display) -> tuple[Picture, ...]:
    if case.images is None or case.images.grid is None or case.key_slices is None:
        return ()
    count = min(len(case.key_slices.indices), MOST_PICTURES)
    return tuple(draw_model_picture(case, "fused", n, display) for n in range(count))


def _with_words(flags: Iterable[Flag], table: ClinicalResult) -> tuple[Flag, ...]:
    """Return flags about states with the words of both sides; the stored organ table has no words of its own."""
    rows = {row.organ: row for row in table.rows}
    return tuple(
        flag
        if flag.organ not in rows or not (flag.reference or flag.generated)
        else replace(flag, words=_filled(flag, rows[flag.organ]))
        for flag in flags
    )


def _filled(flag: Flag, row: OrganRow) -> tuple[Words, ...]:
    words = list(flag.words)
    sides: tuple[tuple[Side, tuple[Evidence, ...]], ...] = (
        ("reference", row.reference_evidence),
        ("generated", row.hypothesis_evidence),
    )
    for side, evidence in sides:
        if not any(one.side == side for one in flag.words):
            words += _words(side, evidence)
    return tuple(words)


def _words(side: Side, evidence: Iterable[Evidence]) -> list[Words]:
    """Return the words of abnormal uptake; where there is none, those of normal uptake."""
    found = list(evidence)
    abnormal = [one for one in found if one.state in POSITIVE_STATES]
    return [Words(side, one.start, one.end, one.text) for one in abnormal or found]


def _excerpts(text: str, language: Language, words: Iterable[tuple[str, Words]]) -> tuple[Excerpt, ...]:
    if not text.strip():
        return ()
    read = read_texts().get(text, language)
    marks: dict[tuple[int, int], list[Marked]] = {}
    for kind, one in words:
        start, _ = read.sentence_at(one.start)
        _, end = read.sentence_at(max(one.start, one.end - 1))
        start, end = min(start, one.start), max(end, one.end)
        marks.setdefault((start, end), []).append(Marked(one.start - start, one.end - start, kind))
    if not marks:
        marks = {place: [] for place in [p for p in read.sentences if text[slice(*p)].strip()][:_FIRST_SENTENCES]}
    return tuple(_excerpt(text[slice(*place)], marks[place]) for place in sorted(marks)[:MOST_EXCERPTS])


def _excerpt(sentence: str, marks: Iterable[Marked]) -> Excerpt:
    """Return a sentence with its marks in order, without those that overlap one before or are cut away."""
    lead = len(sentence) - len(sentence.lstrip())
    text = sentence.strip()
    kept: list[Marked] = []
    shown = text[:MOST_CHARACTERS]
    for mark in sorted(marks, key=lambda one: (one.start, -one.end)):
        start, end = max(0, mark.start - lead), min(mark.end - lead, len(shown))
        if start < end and (not kept or kept[-1].end <= start):
            kept.append(Marked(start, end, mark.kind))
    return Excerpt(shown, tuple(kept), cut=len(text) > MOST_CHARACTERS)
