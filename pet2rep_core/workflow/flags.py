"""What stored scores say is wrong with one generated report, each flag with its words in the texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from pet2rep_core.scoring.claims import ValueStatus
from pet2rep_core.scoring.clinical import Agreement
from pet2rep_core.store import StoredScore

Side: TypeAlias = Literal["reference", "generated"]
Detail: TypeAlias = Mapping[str, Any]

_OF_AGREEMENT = MappingProxyType(
    {
        Agreement.MISSED.value: "missed",
        Agreement.INVENTED.value: "invented",
        Agreement.DIFFERS.value: "other_state",
    }
)


@dataclass(frozen=True, slots=True)
class Words:
    """Words of one of the two texts, at [start, end) of it."""

    side: Side
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Flag:
    """One thing that is wrong.

    ``kind`` is the id of the filter that finds it; ``organ`` an id of the lexicon, or None; ``reference`` and
    ``generated`` the uptake states on both sides, where it is about states.
    """

    kind: str
    organ: str | None
    words: tuple[Words, ...] = ()
    reference: tuple[str, ...] = ()
    generated: tuple[str, ...] = ()


def find_flags(scores: Iterable[StoredScore]) -> tuple[Flag, ...]:
    """Return the flags of one report from its stored scores; one for each kind and organ.

    Where a person corrected the organ table, that form counts.
    """
    chosen: dict[str, StoredScore] = {}
    for stored in scores:
        name = stored.score.metric
        corrected = "cells:overruled" in stored.score.signature
        if name in _READ and (name not in chosen or corrected) and (stored.score.value is not None or not corrected):
            chosen[name] = stored
    found: dict[tuple[str, str | None, str], Flag] = {}
    for name, read in _READ.items():
        if name not in chosen or chosen[name].detail is None:
            continue
        for flag in read(chosen[name].detail):
            key = (flag.kind, flag.organ, "" if flag.organ else "".join(w.text for w in flag.words))
            before = found.get(key)
            found[key] = flag if before is None else _joined(before, flag)
    return tuple(found.values())


def _joined(one: Flag, other: Flag) -> Flag:
    words = dict.fromkeys((*one.words, *other.words))
    return Flag(one.kind, one.organ, tuple(words), one.reference or other.reference, one.generated or other.generated)


def _clinical(detail: Any) -> Iterator[Flag]:
    for row in detail["organs"]:
        kind = _OF_AGREEMENT.get(row["agreement"])
        if kind is not None:
            yield Flag(kind, row["organ"], (), tuple(row["reference"]), tuple(row["generated"]))


def _positive(kind: str, here: Side, there: Side) -> Callable[[Any], Iterator[Flag]]:
    def read(detail: Sequence[Detail]) -> Iterator[Flag]:
        for one in detail:
            words = (*_said(here, one["evidence"]), *_said(there, one["other_evidence"]))
            states, other = tuple(one["states"]), tuple(one["other"])
            yield Flag(kind, one["organ"], words, *((states, other) if here == "reference" else (other, states)))

    return read


def _sides(detail: Sequence[Detail]) -> Iterator[Flag]:
    for one in detail:
        words = (*_said("reference", one["reference_evidence"]), *_said("generated", one["hypothesis_evidence"]))
        yield Flag("wrong_side", one["organ"], words)


def _values(kind: str) -> Callable[[Any], Iterator[Flag]]:
    wrong = (ValueStatus.INVENTED.value, ValueStatus.OTHER_ORGAN.value)

    def read(detail: Sequence[Detail]) -> Iterator[Flag]:
        organs = {one["organ"] for one in detail if one["status"] in wrong}
        for one in detail:
            # the value that was missed stands beside the one that took its place
            if one["organ"] in organs and one["status"] != ValueStatus.MATCHED.value:
                true, said = ([value["quote"]] if value else [] for value in (one["reference"], one["hypothesis"]))
                yield Flag(kind, one["organ"], (*_said("reference", true), *_said("generated", said)))

    return read


def _contradictions(detail: Sequence[Detail]) -> Iterator[Flag]:
    for one in detail:
        yield Flag("contradiction", one["organ"], _said("generated", [one["positive"], one["normal"]]))


def _quoted(kind: str) -> Callable[[Any], Iterator[Flag]]:
    def read(detail: Sequence[Detail]) -> Iterator[Flag]:
        for one in detail:
            yield Flag(kind, None, _said("generated", [one["quote"]]))

    return read


def _said(side: Side, quotes: Iterable[Detail]) -> tuple[Words, ...]:
    return tuple(Words(side, one["start"], one["end"], one["text"]) for one in quotes)


_READ: Mapping[str, Callable[[Any], Iterator[Flag]]] = MappingProxyType(
    {
        "ce_f1": _clinical,
        "omissions": _positive("missed", "reference", "generated"),
        "hallucinations": _positive("invented", "generated", "reference"),
        "laterality_errors": _sides,
        "suvmax_f1": _values("wrong_suvmax"),
        "size_f1": _values("wrong_size"),
        "contradictions": _contradictions,
        "metadata_conflicts": _quoted("patient"),
        "fabricated_identity": _quoted("identity"),
        "slots_left": _quoted("slots"),
    }
)
