"""Records that cross rooms: frozen, and valid from birth.

Images themselves are :class:`pet2rep_core.imaging.volume.Volume`; everything else that one room hands
to another is here.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from pet2rep_core.errors import DatasetLayoutError, ReportParseError

_CASE_ID = re.compile(r"[^\W_](?:[\w.\- ]{0,126}[\w\-])?", re.UNICODE)


class Language(StrEnum):
    """Language of a report or of the interface."""

    CHINESE = "zh"
    ENGLISH = "en"


class UptakeState(StrEnum):
    """What a report says about the FDG uptake of an organ."""

    INCREASED = "increased"
    DECREASED = "decreased"
    ABSENT = "absent"
    NORMAL = "normal"


POSITIVE_STATES = (UptakeState.INCREASED, UptakeState.DECREASED, UptakeState.ABSENT)


class PetUnit(StrEnum):
    """Unit of the voxels of a PET volume, as far as the files prove it."""

    SUVBW = "suvbw"
    ACTIVITY_BQML = "bqml"
    COUNTS = "counts"


class SeriesRole(StrEnum):
    """What a series or an image file is for."""

    PET = "pet"
    CT = "ct"
    MASK = "mask"
    OTHER = "other"


class GenerationStatus(StrEnum):
    """How one generation ended; only DONE has a report that may be scored."""

    DONE = "done"
    EMPTY = "empty"
    CUT = "cut"
    REFUSED = "refused"
    FAILED = "failed"


class Role(StrEnum):
    """What a person may do: rate; also run studies and see models; also manage accounts and unblind."""

    RATER = "rater"
    RESEARCHER = "researcher"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks for something: a pseudonym and a role, found out by the sign-in, never taken from a form."""

    name: str
    role: Role


def text_sha256(text: str) -> str:
    """Return the SHA-256 of a text in UTF-8, as 64 hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


@dataclass(frozen=True, slots=True)
class Report:
    """A report as its author wrote it, with the two parts that metrics ask for.

    ``text`` is the whole report. ``findings`` (影像所见) and ``impression`` (影像诊断) are parts of it; a
    report without headings is all findings.
    """

    language: Language
    text: str
    findings: str
    impression: str = ""

    def __post_init__(self) -> None:
        """Refuse a report without a word in it."""
        if not self.text.strip():
            raise ReportParseError("The report is empty.", hint="Leave the report out, or give a file with text in it.")

    @property
    def sha256(self) -> str:
        """Hash of the whole text, the report's identity in the store."""
        return text_sha256(self.text)


@dataclass(frozen=True, slots=True)
class SuvFactors:
    """Factors that turn the PET values of the files (after rescale) into SUV, and how they were found.

    Parameters
    ----------
    bw, lbm, bsa, ibw : float or None
        SUV per stored unit: g/mL for body weight (BW), lean body mass (LBM, James) and ideal body weight
        (IBW); cm2/mL for body surface area (BSA). None where the tags do not allow it.
    time_rule : str or None
        Name of the rule that gave the scan time for decay correction.
    reason : str or None
        One sentence why there is no SUV; None where ``bw`` is given.
    warnings : tuple of str
        What a reader should know before trusting the numbers.
    """

    bw: float | None = None
    lbm: float | None = None
    bsa: float | None = None
    ibw: float | None = None
    time_rule: str | None = None
    reason: str | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """One series (or image file) as the importer sees it, before anything is read in full.

    ``size`` is (I, J, K) in voxels, ``spacing_mm`` along the same axes, ``orientation`` the three letters
    of the directions in which the axes grow (``LPS`` = left, posterior, superior), ``units`` as the file
    names them (``BQML``, ``HU``, …). ``skipped`` is the one-sentence reason why it is not used, or None.
    """

    role: SeriesRole
    files: tuple[Path, ...]
    size: tuple[int, ...] | None = None
    spacing_mm: tuple[float, ...] | None = None
    orientation: str | None = None
    units: str | None = None
    description: str = ""
    skipped: str | None = None


@dataclass(frozen=True, slots=True)
class CaseSource:
    """One case found in a user's folder: where its parts are, not the parts themselves.

    ``case_id`` never carries a patient identifier out of DICOM (see datasets/dicom.py). ``pictures`` are
    ready-made slice pictures for cases without volumes, in the order in which a reader should see them.
    ``problems`` are one-sentence reasons why a part of the case was left out.
    """

    case_id: str
    layout: str
    series: tuple[SeriesInfo, ...] = ()
    pictures: tuple[Path, ...] = ()
    reports: tuple[Report, ...] = ()
    metadata: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an identifier that could leave a folder or break a table."""
        if not _CASE_ID.fullmatch(self.case_id):
            raise DatasetLayoutError(
                f"The case name {self.case_id[:60]!r} cannot be used.",
                hint="Use letters, digits, '-', '_' and '.', at most 128 of them.",
            )

    def used(self, role: SeriesRole) -> SeriesInfo | None:
        """Return the series that plays this role, or None."""
        return next((s for s in self.series if s.role is role and s.skipped is None), None)


@dataclass(frozen=True, slots=True)
class CaseError:
    """A case (or a file) that could not be taken, with its one-sentence reason."""

    where: str
    reason: str


@dataclass(frozen=True, slots=True)
class DatasetScan:
    """What the importer found below a path, before anything is written."""

    root: Path
    layout: str
    cases: tuple[CaseSource, ...]
    errors: tuple[CaseError, ...] = ()


@dataclass(frozen=True, slots=True)
class KeySlices:
    """The coronal planes that stand for a case: indices along J (anterior to posterior), and why these."""

    indices: tuple[int, ...]
    rule: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Generation:
    """One answer of one model for one case."""

    generation_id: str
    run_id: str
    case_id: str
    model: str
    language: Language
    status: GenerationStatus
    text: str
    error: str = ""

    @property
    def sha256(self) -> str:
        """Hash of the text that a reader saw."""
        return text_sha256(self.text)


@dataclass(frozen=True, slots=True)
class Score:
    """A computed number with the signature of its method, or the reason why there is none."""

    metric: str
    value: float | None
    signature: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Rating:
    """One reader's judgement of one generated report: dimension to 1-5, or None for not assessable."""

    generation_id: str
    reader: str
    answers: dict[str, int | None]
    rubric_version: str
    shown_sha256: str
    comment: str = ""
    duration_ms: int | None = None


class StudyState(StrEnum):
    """Where a reader study is; it only moves forward."""

    DRAFT = "draft"
    CALIBRATION = "calibration"
    COLLECTING = "collecting"
    LOCKED = "locked"
    UNBLINDED = "unblinded"


class Stage(StrEnum):
    """What a reader has seen: images and generated report, or the reference report too."""

    PROVISIONAL = "provisional"
    FINAL = "final"


class ItemKind(StrEnum):
    """What an item is for; to its reader a repeat looks like any main item."""

    TRAINING = "training"
    MAIN = "main"
    REPEAT = "repeat"


class MarkKind(StrEnum):
    """What is wrong with a sentence of a generated report."""

    FALSE = "false"
    PLACE = "place"
    UPTAKE = "uptake"
    SIZE = "size"
    CONTRADICTION = "contradiction"
    COPIED = "copied"
    FABRICATED = "fabricated"


@dataclass(frozen=True, slots=True)
class Mark:
    """A sentence of the generated report, at [start, end) of its text, and what is wrong with it.

    ``start`` and ``end`` count characters (code points). A sentence may carry several marks of different kinds.
    """

    sentence: int
    start: int
    end: int
    kind: MarkKind
    significant: bool


@dataclass(frozen=True, slots=True)
class Missed:
    """A sentence of the reference report, at [start, end) of its text, that the generated report lacks."""

    sentence: int
    start: int
    end: int
    significant: bool


@dataclass(frozen=True, slots=True)
class StudyItem:
    """One generated report for one reader at one position of a study.

    ``code`` names it in the browser and ``alias`` its case: both are random and say nothing. ``repeat_of`` is the
    code of the item that a repeat repeats, else empty. Training items come first; ``position`` counts from 1.
    """

    code: str
    reader: str
    position: int
    kind: ItemKind
    case_id: str
    run_id: str
    generation_id: str
    alias: str
    repeat_of: str = ""


@dataclass(frozen=True, slots=True)
class StudyRating:
    """What one reader answered about one item in one stage.

    ``answers`` are 1 to 5, or None for not assessable, which has its reason in ``reasons``; ``comments`` belong to
    dimensions, ``comment`` to the whole. ``shown_sha256`` and ``reference_sha256`` (empty where none was shown) are
    the texts that the reader saw; ``leaks`` names what in the text gave its author away, found with the table of
    give-aways of ``leaks_version`` (empty where an earlier program did not keep it). ``active_ms`` is the time in the
    stage without idle time; ``reason`` says why an earlier revision was changed.
    """

    study_id: str
    code: str
    stage: Stage
    reader: str
    answers: dict[str, int | None]
    rubric_version: str
    shown_sha256: str
    reference_sha256: str = ""
    reasons: dict[str, str] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    comment: str = ""
    marks: tuple[Mark, ...] = ()
    missed: tuple[Missed, ...] = ()
    leaks: tuple[str, ...] = ()
    leaks_version: str = ""
    active_ms: int = 0
    opening: str = ""
    reason: str = ""
