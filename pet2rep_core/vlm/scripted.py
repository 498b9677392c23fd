"""A scripted model for demonstrations: the reference report with mistakes that it names.

It reads no image. The same case, reference, behaviour and seed always give the same report.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from pet2rep_core.errors import UnknownNameError
from pet2rep_core.records import POSITIVE_STATES, Language, UptakeState
from pet2rep_core.report.uptake import Evidence, extract_findings_uptake


class Behaviour(StrEnum):
    """Which mistakes the scripted model makes."""

    COPY = "copy"
    OMIT = "omit"
    INVENT = "invent"
    CONTRADICT = "contradict"
    MIXED = "mixed"


class MistakeKind(StrEnum):
    """One kind of mistake."""

    OMITTED = "sentence omitted"
    INVENTED = "uptake invented"
    STATE_FLIPPED = "state flipped"
    SIDE_SWAPPED = "side swapped"
    SUV_CHANGED = "SUV changed"


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake: what stood in the reference and what was written; ``organ`` is an id of the lexicon."""

    kind: MistakeKind
    organ: str
    original: str
    written: str


@dataclass(frozen=True, slots=True)
class ScriptedReport:
    """A report of the scripted model, and what is wrong with it."""

    text: str
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True)
class _Edit:
    start: int
    end: int
    written: str
    mistake: Mistake


_PLAN: dict[Behaviour, tuple[tuple[MistakeKind, int], ...]] = {
    Behaviour.COPY: (),
    Behaviour.OMIT: ((MistakeKind.OMITTED, 2),),
    Behaviour.INVENT: ((MistakeKind.INVENTED, 2),),
    Behaviour.CONTRADICT: ((MistakeKind.STATE_FLIPPED, 2), (MistakeKind.SIDE_SWAPPED, 1)),
    Behaviour.MIXED: (
        (MistakeKind.OMITTED, 1),
        (MistakeKind.STATE_FLIPPED, 1),
        (MistakeKind.SIDE_SWAPPED, 1),
        (MistakeKind.SUV_CHANGED, 1),
        (MistakeKind.INVENTED, 1),
    ),
}
_SENTENCE_END = {
    Language.CHINESE: re.compile(r"[。；;！!\n]|(?<=[\u4e00-\u9fff])\.(?!\d)"),
    Language.ENGLISH: re.compile(r"[.;!](?=\s|$)|\n"),
}
_SUV = re.compile(r"SUV\s?max[^\d。；;\n]{0,12}(\d+(?:\.\d+)?)", re.IGNORECASE)
_SUV_PHRASE = re.compile(
    r"[，, ]*[（(]?\s*(?:with (?:an? )?)?SUV\s?max[^，,。；;）)\n]*?\d+(?:\.\d+)?[）)]?", re.IGNORECASE
)
_SIDE = {
    Language.CHINESE: (re.compile(r"[左右](?!右)"), {"左": "右", "右": "左"}),
    Language.ENGLISH: (
        re.compile(r"\b(?:left|right)\b", re.IGNORECASE),
        {"left": "right", "right": "left", "Left": "Right", "Right": "Left"},
    ),
}


def write_scripted_report(
    case_id: str, reference: str, language: Language, *, behaviour: str = Behaviour.MIXED, seed: int = 0
) -> ScriptedReport:
    """Return the reference with the mistakes of a behaviour, as many of them as the reference allows.

    Parameters
    ----------
    case_id : str
        Together with ``seed`` it decides which sentences are changed.
    reference : str
        The case's reference report.
    language : Language
        Language of the reference.
    behaviour : str
        ``copy`` makes no mistake; ``omit`` drops sentences with abnormal uptake; ``invent`` turns normal uptake
        into increased; ``contradict`` flips states and a side; ``mixed`` does one of each and changes an SUV.
    seed : int
        Another seed changes other sentences.

    Raises
    ------
    UnknownNameError
        If there is no such behaviour.
    """
    if behaviour not in set(Behaviour):
        raise UnknownNameError("behaviour of the scripted model", behaviour, [b.value for b in Behaviour])
    dice = random.Random(f"{case_id}\n{seed}\n{behaviour}")
    edits: list[_Edit] = []
    for kind, wanted in _PLAN[Behaviour(behaviour)]:
        made = 0
        candidates = list(_candidates(reference, language, kind))
        dice.shuffle(candidates)
        for organ, evidence in candidates:
            edit = _edit(reference, language, kind, organ, evidence, dice)
            if edit is None or any(edit.start < e.end and e.start < edit.end for e in edits):
                continue
            edits.append(edit)
            made += 1
            if made == wanted:
                break
    edits.sort(key=lambda e: e.start)
    text = reference
    for edit in reversed(edits):
        text = text[: edit.start] + edit.written + text[edit.end :]
    return ScriptedReport(text, tuple(edit.mistake for edit in edits))


def _candidates(reference: str, language: Language, kind: MistakeKind) -> Iterator[tuple[str, Evidence]]:
    for item in extract_findings_uptake(reference, language):
        positive = item.states[0] in POSITIVE_STATES
        if positive != (kind is MistakeKind.INVENTED):
            yield item.organ, item.evidence[0]


def _edit(
    reference: str, language: Language, kind: MistakeKind, organ: str, evidence: Evidence, dice: random.Random
) -> _Edit | None:
    start, end = _sentence(reference, language, evidence)
    sentence = reference[start:end]
    if kind is MistakeKind.OMITTED:
        return _Edit(start, end, "", Mistake(kind, organ, sentence.strip(), ""))
    if kind is MistakeKind.SIDE_SWAPPED:
        pattern, other = _SIDE[language]
        side = pattern.search(reference, start, end)
        return _replaced(kind, organ, side.group(), other.get(side.group(), ""), side.span()) if side else None
    if kind is MistakeKind.SUV_CHANGED:
        suv = _SUV.search(reference, start, end)
        if not suv:
            return None
        return _replaced(kind, organ, suv[1], f"{float(suv[1]) * dice.choice((0.4, 1.6, 2.2)):.1f}", suv.span(1))
    target = UptakeState.NORMAL if evidence.state is UptakeState.INCREASED else UptakeState.INCREASED
    span_end = evidence.end
    if target is UptakeState.NORMAL and (suv := _SUV_PHRASE.match(reference, span_end, end)):
        span_end = suv.end()
    original = reference[evidence.start : span_end]
    written = _reworded(reference[evidence.start : evidence.end], language, target)
    changed = reference[: evidence.start] + written + reference[span_end:]
    states = next((item.states for item in extract_findings_uptake(changed, language) if item.organ == organ), ())
    if target not in states:
        return None
    return _Edit(evidence.start, span_end, written, Mistake(kind, organ, original, written))


def _replaced(kind: MistakeKind, organ: str, original: str, written: str, span: tuple[int, int]) -> _Edit | None:
    if not written or written == original:
        return None
    return _Edit(*span, written, Mistake(kind, organ, original, written))


def _sentence(text: str, language: Language, evidence: Evidence) -> tuple[int, int]:
    """Return the sentence of a statement with its end mark, from the sentence that names the organ on."""
    first = min(evidence.start, evidence.organ_start)
    last = max(evidence.end, evidence.organ_end)
    ends = _SENTENCE_END[language]
    start = max((m.end() for m in ends.finditer(text, 0, first)), default=0)
    after = ends.search(text, max(start, last - 1))
    return start, after.end() if after else len(text)


def _reworded(statement: str, language: Language, target: UptakeState) -> str:
    """Return a statement of the target state that fits where this one stands."""
    increased = target is UptakeState.INCREASED
    if language is Language.CHINESE:
        return "FDG代谢增高" if increased else "FDG摄取未见异常"
    if re.search(r"(?:avid|metabolic)$", statement, re.IGNORECASE):
        return "hypermetabolic" if increased else "non-FDG-avid"
    predicate = re.search(r"\b(is|are|was|were)\b[^.;]*$", statement, re.IGNORECASE)
    if predicate and predicate.start() > 0:
        return statement[: predicate.start()] + f"{predicate[1]} {'increased' if increased else 'normal'}"
    return "increased FDG uptake" if increased else "no abnormal FDG uptake"
