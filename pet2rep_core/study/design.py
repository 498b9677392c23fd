"""Who reads what, and in which order: balanced, seeded, repeats hidden, outputs of one patient kept apart.

Pure: the same plan gives the same assignment on every machine. A patient is a case.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from pet2rep_core.errors import SettingsError
from pet2rep_core.records import ItemKind

REPEAT_SHARE, REPEAT_GAP, PATIENT_GAP = 0.1, 20, 10
_TRIES = 20


class Design(StrEnum):
    """How cases are shared out: every reader reads all, or a balanced part."""

    CROSSED = "crossed"
    BLOCKS = "blocks"


@dataclass(frozen=True, slots=True)
class Output:
    """One generated report that is to be read: a case and the run that wrote it."""

    case_id: str
    run_id: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What an assignment is made from.

    Parameters
    ----------
    outputs : tuple of Output
        Reports to be read, each once; a case whose run failed is simply absent.
    per_item : int
        Readers of each report in blocks; in a crossed design it does not matter.
    repeat_share : float
        Share of a reader's reports that come a second time, unannounced.
    repeat_gap, patient_gap : int
        Positions that a repeat is at least away from its first reading, and reports of one patient from each other
        where there are enough patients.
    """

    outputs: tuple[Output, ...]
    readers: tuple[str, ...]
    design: Design = Design.CROSSED
    per_item: int = 2
    repeat_share: float = REPEAT_SHARE
    repeat_gap: int = REPEAT_GAP
    patient_gap: int = PATIENT_GAP
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be assigned."""
        if not self.outputs:
            raise SettingsError("The study has no report to read.", hint="Choose cases that have generated reports.")
        if len(set(self.outputs)) != len(self.outputs):
            raise SettingsError("A report is in the study twice.", hint="Name each case and each run once.")
        if not self.readers:
            raise SettingsError("The study has no reader.", hint="Name at least one; two or more for agreement.")
        if len(set(self.readers)) != len(self.readers):
            raise SettingsError("A reader is in the study twice.", hint="Name each reader once.")
        if self.design is Design.BLOCKS and not 1 <= self.per_item <= len(self.readers):
            raise SettingsError(
                f"{self.per_item} of {len(self.readers)} readers cannot read each report.",
                hint="Choose between 1 and the number of readers.",
            )
        if not 0 <= self.repeat_share <= 0.5:
            raise SettingsError(f"The share of repeats is {self.repeat_share}.", hint="Choose between 0 and 0.5.")
        if self.repeat_gap < 1 or self.patient_gap < 1:
            raise SettingsError("A gap is less than 1.", hint="Give the number of positions between two readings.")


@dataclass(frozen=True, slots=True)
class Reading:
    """One report at one position of a reader, counted from 0; ``repeat_of`` is the position of the first reading."""

    reader: str
    position: int
    output: Output
    kind: ItemKind
    repeat_of: int | None = None


@dataclass(frozen=True, slots=True)
class Load:
    """What one reader has to do, and what the order reached.

    ``repeats_wanted`` is what the share asks for; fewer come where there is no place far enough away. The gaps are
    the smallest that are there, None where nothing is compared.
    """

    reader: str
    main: int
    repeats: int
    repeats_wanted: int
    patients: int
    patient_gap: int | None
    repeat_gap: int | None


def assign(plan: Plan) -> tuple[Reading, ...]:
    """Return all readings of a plan, by reader and position."""
    shares = _shares(plan)
    return tuple(one for reader in plan.readers for one in _ordered(plan, reader, shares[reader]))


def loads(plan: Plan, readings: Iterable[Reading]) -> tuple[Load, ...]:
    """Return what each reader of a plan has to do, in the order of the readers."""
    by_reader: dict[str, list[Reading]] = {reader: [] for reader in plan.readers}
    for one in readings:
        by_reader[one.reader].append(one)
    return tuple(_load(plan, reader, found) for reader, found in by_reader.items())


def _load(plan: Plan, reader: str, readings: Sequence[Reading]) -> Load:
    repeats = [one for one in readings if one.repeat_of is not None]
    places: dict[str, list[int]] = {}
    for one in readings:
        places.setdefault(one.output.case_id, []).append(one.position)
    between = [b - a for at in places.values() for a, b in pairwise(at)]
    main = len(readings) - len(repeats)
    return Load(
        reader=reader,
        main=main,
        repeats=len(repeats),
        repeats_wanted=_repeats_wanted(plan, main),
        patients=len(places),
        patient_gap=min(between, default=None),
        repeat_gap=min((one.position - one.repeat_of for one in repeats if one.repeat_of is not None), default=None),
    )


def _repeats_wanted(plan: Plan, main: int) -> int:
    return round(plan.repeat_share * main)


def _chance(plan: Plan, *purpose: str) -> random.Random:
    """Return chance that is the same for a seed and a purpose, in every process."""
    return random.Random("|".join([str(plan.seed), *purpose]))


def _shares(plan: Plan) -> dict[str, list[Output]]:
    """Return what each reader reads; a case's outputs stay together, so that models are compared within readers."""
    if plan.design is Design.CROSSED:
        return {reader: list(plan.outputs) for reader in plan.readers}
    chance = _chance(plan, "blocks")
    by_case: dict[str, list[Output]] = {}
    for output in plan.outputs:
        by_case.setdefault(output.case_id, []).append(output)
    cases = sorted(by_case)
    chance.shuffle(cases)
    shares: dict[str, list[Output]] = {reader: [] for reader in plan.readers}
    together: Counter[frozenset[str]] = Counter()
    for case in cases:
        chosen: list[str] = []
        for _ in range(plan.per_item):
            # the least loaded first; among those, who has shared least with the readers chosen already
            def cost(reader: str, with_: tuple[str, ...] = tuple(chosen)) -> tuple[int, int, float]:
                shared = sum(together[frozenset((reader, other))] for other in with_)
                return len(shares[reader]), shared, chance.random()

            chosen.append(min((reader for reader in plan.readers if reader not in chosen), key=cost))
        for place, reader in enumerate(chosen):
            shares[reader] += by_case[case]
            together.update(frozenset((reader, other)) for other in chosen[:place])
    return shares


def _ordered(plan: Plan, reader: str, outputs: Sequence[Output]) -> list[Reading]:
    if not outputs:
        return []
    chance = _chance(plan, "order", reader)
    runs_of_case = _rotated_runs(outputs, chance)
    order = _spread(runs_of_case, plan.patient_gap, chance)
    wanted = _repeats_wanted(plan, len(order))
    sequence = _with_repeats(order, wanted, plan, chance)
    first = {output: place for place, (output, is_repeat) in enumerate(sequence) if not is_repeat}
    return [
        Reading(
            reader=reader,
            position=place,
            output=output,
            kind=ItemKind.REPEAT if is_repeat else ItemKind.MAIN,
            repeat_of=first[output] if is_repeat else None,
        )
        for place, (output, is_repeat) in enumerate(sequence)
    ]


def _rotated_runs(outputs: Sequence[Output], chance: random.Random) -> dict[str, list[str]]:
    """Return the runs of each case in the order in which they are read: rows of a Latin square in turn."""
    runs = sorted({output.run_id for output in outputs})
    chance.shuffle(runs)
    has = set(outputs)
    cases = sorted({output.case_id for output in outputs})
    chance.shuffle(cases)
    rotated = {}
    for number, case in enumerate(cases):
        turn = number % len(runs)
        rotated[case] = [run for run in runs[turn:] + runs[:turn] if Output(case, run) in has]
    return rotated


def _spread(runs_of_case: dict[str, list[str]], gap: int, chance: random.Random) -> list[Output]:
    """Order the outputs so that those of one case are ``gap`` apart, or as far apart as can be.

    No order keeps the outputs of every case further apart than there are cases.
    """
    most = max(len(runs) for runs in runs_of_case.values())
    for wanted in range(gap if most > 1 else 1, 0, -1):
        for _ in range(_TRIES if wanted > 1 else 1):
            order = _spread_by(runs_of_case, wanted, chance)
            if order is not None:
                return order
    raise AssertionError


def _spread_by(runs_of_case: dict[str, list[str]], gap: int, chance: random.Random) -> list[Output] | None:
    """Place always a case with the most outputs left among those that rested long enough; None where none did."""
    waiting = {case: list(runs) for case, runs in sorted(runs_of_case.items())}
    left = {case: len(runs) for case, runs in waiting.items()}
    order: list[Output] = []
    while left:
        resting = {output.case_id for output in order[max(0, len(order) - gap + 1) :]} if gap > 1 else set()
        rested = [case for case in left if case not in resting]
        if not rested:
            return None
        most = max(map(left.__getitem__, rested))
        case = chance.choice([case for case in rested if left[case] == most])
        order.append(Output(case, waiting[case].pop(0)))
        left[case] -= 1
        if not left[case]:
            del left[case]
    return order


def _with_repeats(order: Sequence[Output], wanted: int, plan: Plan, chance: random.Random) -> list[tuple[Output, bool]]:
    """Put repeats in at random places that are far enough from the first reading, the runs taking turns."""
    sequence = [(output, False) for output in order]
    if wanted == 0 or len(order) < plan.repeat_gap:
        return sequence
    repeated: set[Output] = set()
    used: Counter[str] = Counter()
    for gap in dict.fromkeys((plan.patient_gap, 1)):
        candidates = [output for output in order if output not in repeated]
        chance.shuffle(candidates)
        while len(repeated) < wanted and candidates:
            candidates.sort(key=lambda output: used[output.run_id])  # stable: chance decides among equals
            output = candidates.pop(0)
            places = _free_places(sequence, output, plan.repeat_gap, gap)
            if places:
                sequence.insert(chance.choice(places), (output, True))
                repeated.add(output)
                used[output.run_id] += 1
    return sequence


def _free_places(sequence: Sequence[tuple[Output, bool]], output: Output, repeat_gap: int, gap: int) -> list[int]:
    """Return where a repeat may be put in: away from its first reading and from other reports of the patient."""
    first, taken = 0, set[int]()
    for place, (one, is_repeat) in enumerate(sequence):
        if one.case_id == output.case_id:
            # what stands at or after the place of the repeat moves on by one
            taken.update(range(place + 2 - gap, place + gap))
            if one.run_id == output.run_id and not is_repeat:
                first = place
    return [place for place in range(first + repeat_gap, len(sequence) + 1) if place not in taken]
