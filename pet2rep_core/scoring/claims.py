"""Sides, SUVmax values and sizes of a generated report against its reference, and positive organs left out or added.

A flag must be right; where the texts do not allow a statement, there is none. The rule stands at each function.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from pet2rep_core.records import POSITIVE_STATES, UptakeState
from pet2rep_core.report.lexicon import read_lexicon
from pet2rep_core.report.mentions import Side
from pet2rep_core.report.uptake import Evidence
from pet2rep_core.scoring.read_text import Quote, ReadText, StatedValue

SUV_SHARE, SUV_LEAST = 0.05, 0.1
"""An SUVmax is matched within 5 % of the reference's, or 0.1 g/mL where that is more: our convention."""
SIZE_SHARE, SIZE_LEAST_MM = 0.10, 2.0
"""A length is matched within 10 % of the reference's, or 2 mm where that is more: our convention."""


class SideAgreement(StrEnum):
    """How the sides of an organ's positive lesions stand to each other."""

    SAME = "same"
    OPPOSITE = "opposite"
    PARTLY = "partly"


class ValueStatus(StrEnum):
    """What became of a stated value."""

    MATCHED = "matched"
    MISSING = "missing"
    INVENTED = "invented"
    OTHER_ORGAN = "of another organ"


class Quantity(StrEnum):
    """What a value measures."""

    SUV_MAX = "suvmax"
    SIZE = "size"


@dataclass(frozen=True, slots=True)
class SideCheck:
    """One organ that is positive in both reports, both with a side."""

    organ: str
    reference: Side
    hypothesis: Side
    agreement: SideAgreement
    reference_evidence: tuple[Evidence, ...]
    hypothesis_evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class ValueCheck:
    """One value of one organ; what it is not stated in is None."""

    quantity: Quantity
    organ: str
    status: ValueStatus
    reference: StatedValue | None
    hypothesis: StatedValue | None


@dataclass(frozen=True, slots=True)
class PositiveCheck:
    """One organ that one report states as positive and the other does not, anywhere.

    ``other`` is what the findings of the other report state instead: normal, or nothing.
    """

    organ: str
    states: tuple[UptakeState, ...]
    other: tuple[UptakeState, ...]
    evidence: tuple[Evidence, ...]
    other_evidence: tuple[Evidence, ...]


def compare_sides(hypothesis: ReadText, reference: ReadText) -> tuple[SideCheck, ...]:
    """Return every organ that is positive in the findings of both reports, both with a side.

    Left against right is ``opposite``; one side against both is ``partly``. An organ without sides of the body, or
    whose side one report leaves out, is not compared: nothing is said then.

    Examples (reference, hypothesis, agreement)
    -------------------------------------------
    ====================================  =====================================  ========
    右肺上叶结节，FDG代谢增高。            左肺上叶结节，FDG代谢增高。             opposite
    双侧颈部淋巴结FDG代谢增高。            右侧颈部淋巴结FDG代谢增高。             partly
    右肺上叶结节，FDG代谢增高。            肺内结节，FDG代谢增高。                 (none)
    Increased uptake in the left kidney.  Increased uptake in the right kidney.  opposite
    ====================================  =====================================  ========
    """
    checks = []
    for organ, true in reference.findings.items():
        said = hypothesis.findings.get(organ)
        if said is None or true.laterality is None or said.laterality is None:
            continue
        if not (_positive(true.states) and _positive(said.states)):
            continue
        same = true.laterality is said.laterality
        partly = Side.BILATERAL in (true.laterality, said.laterality)
        agreement = SideAgreement.SAME if same else SideAgreement.PARTLY if partly else SideAgreement.OPPOSITE
        checks.append(SideCheck(organ, true.laterality, said.laterality, agreement, true.evidence, said.evidence))
    return tuple(checks)


def compare_values(hypothesis: ReadText, reference: ReadText, quantity: Quantity) -> tuple[ValueCheck, ...]:
    """Return what became of every SUVmax or size of both reports, organ by organ, head to toe.

    Values are those of the whole report, findings and impression; a value stated twice for an organ counts once.
    They are paired one to one, the nearest first, within :data:`SUV_SHARE` and :data:`SUV_LEAST`, or, for as many
    lengths as both state, longest first, :data:`SIZE_SHARE` and :data:`SIZE_LEAST_MM`. What is left of the
    hypothesis is ``of another organ`` where the reference states it for one, else ``invented``.

    Examples (reference, hypothesis, status)
    ----------------------------------------
    ===================================  ==================================  ================
    肝脏FDG代谢增高，SUVmax 8.0。         肝脏FDG代谢增高，SUVmax 8.4。        matched
    肝脏FDG代谢增高，SUVmax 8.0。         肝脏FDG代谢增高，SUVmax 8.5。        missing, invented
    肝脏…SUVmax 8.0。脾脏…SUVmax 3.0。    肝脏…SUVmax 3.0。                   of another organ
    右肺结节，大小约1.8cm×1.5cm，…        右肺结节，直径约1.9cm，…             matched
    ===================================  ==================================  ================
    """
    true, said = _stated(reference, quantity), _stated(hypothesis, quantity)
    checks: list[ValueCheck] = []
    for organ in sorted({*true, *said}, key=read_lexicon().rank.__getitem__):
        pairs, missing, more = _paired(true.get(organ, ()), said.get(organ, ()), quantity)
        checks += [ValueCheck(quantity, organ, ValueStatus.MATCHED, one, other) for one, other in pairs]
        checks += [ValueCheck(quantity, organ, ValueStatus.MISSING, one, None) for one in missing]
        for other in more:
            elsewhere = any(
                values_agree(one.values, other.values, quantity)
                for name, values in true.items()
                if name != organ
                for one in values
            )
            status = ValueStatus.OTHER_ORGAN if elsewhere else ValueStatus.INVENTED
            checks.append(ValueCheck(quantity, organ, status, None, other))
    return tuple(checks)


def values_agree(reference: Sequence[float], hypothesis: Sequence[float], quantity: Quantity) -> bool:
    """Tell whether two values count as one; lengths longest first."""
    return _distance(reference, hypothesis, quantity) <= 1


def values_f1(checks: Iterable[ValueCheck]) -> float | None:
    """Return 2 matched / (2 matched + missing + invented), wrong organs among the invented; None without a value."""
    found = [check.status for check in checks]
    matched = found.count(ValueStatus.MATCHED)
    return 2 * matched / (len(found) + matched) if found else None


def find_omissions(
    hypothesis: ReadText,
    reference: ReadText,
    cells: Mapping[str, tuple[tuple[UptakeState, ...], tuple[UptakeState, ...]]],
) -> tuple[PositiveCheck, ...]:
    """Return the organs that are positive in the reference's findings and normal or unstated in the hypothesis.

    An organ that the hypothesis states as positive in its impression alone is not omitted.

    Parameters
    ----------
    cells : mapping of str to (reference states, hypothesis states)
        The organ table, as read or as overruled.
    """
    return tuple(
        PositiveCheck(organ, true, said, _evidence(reference, organ), _evidence(hypothesis, organ))
        for organ, (true, said) in cells.items()
        if _positive(true) and not _positive(said) and not _in_impression(hypothesis, organ)
    )


def find_hallucinations(
    hypothesis: ReadText,
    reference: ReadText,
    cells: Mapping[str, tuple[tuple[UptakeState, ...], tuple[UptakeState, ...]]],
) -> tuple[PositiveCheck, ...]:
    """Return the organs that are positive in the hypothesis's findings and nowhere positive in the reference.

    The reverse of :func:`find_omissions`. Whether the uptake is in the image is not asked.
    """
    return tuple(
        PositiveCheck(organ, said, true, _evidence(hypothesis, organ), _evidence(reference, organ))
        for organ, (true, said) in cells.items()
        if _positive(said) and not _positive(true) and not _in_impression(reference, organ)
    )


def _evidence(text: ReadText, organ: str) -> tuple[Evidence, ...]:
    item = text.findings.get(organ)
    return () if item is None else item.evidence


def _in_impression(text: ReadText, organ: str) -> bool:
    item = text.impression.get(organ)
    return item is not None and _positive(item.states)


def _positive(states: Iterable[UptakeState]) -> bool:
    return any(state in POSITIVE_STATES for state in states)


def _stated(text: ReadText, quantity: Quantity) -> dict[str, tuple[StatedValue, ...]]:
    return text.suv_max if quantity is Quantity.SUV_MAX else text.sizes


def _paired(
    true: Sequence[StatedValue], said: Sequence[StatedValue], quantity: Quantity
) -> tuple[list[tuple[StatedValue, StatedValue]], list[StatedValue], list[StatedValue]]:
    """Return the pairs, what is missing and what is more."""
    near = sorted(
        (distance, i, j)
        for i, one in enumerate(true)
        for j, other in enumerate(said)
        if (distance := _distance(one.values, other.values, quantity)) <= 1
    )
    of_true: dict[int, int] = {}
    of_said: dict[int, int] = {}
    for _, i, j in near:
        if i not in of_true and j not in of_said:
            of_true[i], of_said[j] = j, i
    pairs = [(true[i], said[j]) for i, j in sorted(of_true.items())]
    missing = [one for i, one in enumerate(true) if i not in of_true]
    return pairs, missing, [other for j, other in enumerate(said) if j not in of_said]


def _distance(reference: Sequence[float], hypothesis: Sequence[float], quantity: Quantity) -> float:
    """Return the largest difference in tolerances: up to 1 is one and the same value."""
    share, least = (SUV_SHARE, SUV_LEAST) if quantity is Quantity.SUV_MAX else (SIZE_SHARE, SIZE_LEAST_MM)
    # a hair for numbers that binary fractions do not hold: 8.4 is 5 % above 8.0
    return max(
        abs(one - other) / (max(share * one, least) * (1 + 1e-9))
        for one, other in zip(reference, hypothesis, strict=False)
    )


__all__ = [
    "SIZE_LEAST_MM",
    "SIZE_SHARE",
    "SUV_LEAST",
    "SUV_SHARE",
    "PositiveCheck",
    "Quantity",
    "Quote",
    "SideAgreement",
    "SideCheck",
    "ValueCheck",
    "ValueStatus",
    "compare_sides",
    "compare_values",
    "find_hallucinations",
    "find_omissions",
    "values_agree",
    "values_f1",
]
