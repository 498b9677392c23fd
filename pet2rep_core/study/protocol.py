"""What a reader study is made of, as it was decided before the first reading, and as JSON in its first event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pet2rep_core.errors import SettingsError
from pet2rep_core.records import Language
from pet2rep_core.study.design import PATIENT_GAP, REPEAT_GAP, REPEAT_SHARE, Design
from pet2rep_core.study.rubric import VALUES

PASS_MARK = 0.8
MAX_TITLE = 80
MAX_FEEDBACK = 4000


@dataclass(frozen=True, slots=True)
class TrainingItem:
    """A report that every reader rates first, what experts agreed on for it, and a word of the researcher."""

    case_id: str
    run_id: str
    consensus: dict[str, int]
    feedback: str = ""

    def __post_init__(self) -> None:
        """Refuse a training item that nobody could be compared with."""
        if not self.consensus or any(value not in VALUES for value in self.consensus.values()):
            raise SettingsError(
                f"The consensus for the training case {self.case_id!r} is {self.consensus}.",
                hint="Give a whole number from 1 to 5 for each dimension.",
            )
        if len(self.feedback) > MAX_FEEDBACK:
            raise SettingsError(
                f"The feedback has {len(self.feedback)} characters.", hint=f"Use at most {MAX_FEEDBACK}."
            )


@dataclass(frozen=True, slots=True)
class Protocol:
    """A study as it was planned; it never changes after the study was made.

    Parameters
    ----------
    title : str
        Shown to the readers: it must not tell which models wrote the reports.
    per_item : int
        Readers of each report in blocks; every reader in a crossed design.
    staged : bool
        Whether readers first rate without the reference report, then with it.
    pass_mark : float
        Share of the answers to training items that must be within one point of the consensus.
    expected_icc : float
        Agreement that the expected precision was computed for.
    """

    title: str
    language: Language
    case_ids: tuple[str, ...]
    run_ids: tuple[str, ...]
    readers: tuple[str, ...]
    rubric_version: str
    design: Design = Design.CROSSED
    per_item: int = 2
    repeat_share: float = REPEAT_SHARE
    repeat_gap: int = REPEAT_GAP
    patient_gap: int = PATIENT_GAP
    seed: int = 0
    staged: bool = True
    training: tuple[TrainingItem, ...] = ()
    pass_mark: float = PASS_MARK
    expected_icc: float = 0.7

    def __post_init__(self) -> None:
        """Refuse a study that cannot be run or analysed."""
        if not self.title.strip() or len(self.title) > MAX_TITLE:
            raise SettingsError(
                f"The title has {len(self.title.strip())} characters.", hint=f"Use between 1 and {MAX_TITLE}."
            )
        both = sorted({one.case_id for one in self.training} & set(self.case_ids))
        if both:
            raise SettingsError(
                f"The case {both[0]!r} is both for training and to be analysed.",
                hint="Take it out of the cases, or choose another training case.",
            )
        if len({(one.case_id, one.run_id) for one in self.training}) != len(self.training):
            raise SettingsError("A training report is in the study twice.", hint="Name each once.")
        if not 0 <= self.pass_mark <= 1:
            raise SettingsError(f"The pass mark is {self.pass_mark}.", hint="Give a share between 0 and 1.")

    @property
    def readers_per_report(self) -> int:
        """How many readers read each report."""
        return len(self.readers) if self.design is Design.CROSSED else self.per_item


def protocol_json(protocol: Protocol) -> dict[str, Any]:
    """Return a protocol as JSON holds it."""
    said = asdict(protocol)
    for name in ("case_ids", "run_ids", "readers", "training"):
        said[name] = list(said[name])
    return said | {"language": protocol.language.value, "design": protocol.design.value}


def read_protocol(value: Mapping[str, Any]) -> Protocol:
    """Return the protocol of an event."""
    changed: dict[str, Any] = {name: tuple(value[name]) for name in ("case_ids", "run_ids", "readers")}
    changed["training"] = tuple(TrainingItem(**one) for one in value["training"])
    changed |= {"language": Language(value["language"]), "design": Design(value["design"])}
    return Protocol(**{**value, **changed})
