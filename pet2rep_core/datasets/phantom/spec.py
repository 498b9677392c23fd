"""What the demo study's plain files say: tissues and cases, read and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pet2rep_core.datasets.phantom.body import Build
from pet2rep_core.datasets.phantom.canvas import Frame, Point
from pet2rep_core.datasets.phantom.scanner import PetScanner
from pet2rep_core.errors import DatasetLayoutError, UnknownNameError
from pet2rep_core.records import UptakeState
from pet2rep_core.settings import DATA_DIR

DEMO_DIR = DATA_DIR / "demo"
_SEEN = ("both", "pet", "ct")
_SIDES = ("", "left", "right", "bilateral")


@dataclass(frozen=True, slots=True)
class Tissue:
    """Mean CT number in HU, SUVbw in g/mL, and unevenness on CT in HU."""

    hu: float
    suv: float
    grain_hu: float


@dataclass(frozen=True, slots=True)
class LesionSpec:
    """One lesion as its case file describes it.

    ``centre`` is in model mm (see :mod:`~pet2rep_core.datasets.phantom.canvas`), ``diameter_mm`` in the patient's.
    ``like`` is the tissue whose HU or SUV it takes where it has none of its own; ``only`` are the tissues it
    replaces; ``spicules`` is a number of fine strands around it; ``painted`` is False for a whole organ whose SUV
    the case changes and that is only measured.
    """

    name: str
    group: str
    organ: str
    side: str
    state: UptakeState
    seen: str
    centre: Point
    diameter_mm: Point
    like: str
    only: tuple[str, ...]
    hu: float | None
    suv: float | None
    rough: float
    power: int
    spicules: int
    painted: bool

    def __post_init__(self) -> None:
        """Refuse a lesion whose words have no meaning."""
        for word, value, known in (("seen", self.seen, _SEEN), ("side", self.side, _SIDES)):
            if value not in known:
                raise DatasetLayoutError(
                    f"Lesion {self.name!r} has {word} = {value!r}.", hint=f"Use one of: {', '.join(known)}."
                )


@dataclass(frozen=True, slots=True)
class CaseSpec:
    """One case as its file describes it, before anything is painted."""

    case_id: str
    number: int
    seed: int
    metadata: dict[str, str]
    frame: Frame
    build: Build
    bladder_mm: float
    scanner: PetScanner
    ct_noise_hu: float
    tissues: dict[str, Tissue]
    lesions: tuple[LesionSpec, ...]
    sections: dict[str, dict[str, str]]
    impression: dict[str, str]


def demo_case_ids() -> tuple[str, ...]:
    """Return the names of the cases of the demo study, in order."""
    return tuple(sorted(path.stem for path in DEMO_DIR.glob("demo-*.toml")))


def read_toml(path: Path) -> dict[str, Any]:
    """Return one of the demo study's files as a dictionary."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DatasetLayoutError(
            f"The demo study lacks its file {path.name}.", hint="Install the program again: the file ships with it."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DatasetLayoutError(
            f"The file {path.name} is not valid TOML: {error}.", hint="Correct that line."
        ) from error


def read_case_spec(case_id: str) -> CaseSpec:
    """Return the description of one demo case.

    Raises
    ------
    UnknownNameError
        If there is no such case.
    DatasetLayoutError
        If a file of the demo study cannot be used.
    """
    known = demo_case_ids()
    if case_id not in known:
        raise UnknownNameError("demo case", case_id, known)
    path = DEMO_DIR / f"{case_id}.toml"
    raw = read_toml(path)
    try:
        return _case(case_id, known.index(case_id), raw)
    except KeyError as error:
        raise DatasetLayoutError(f"{path.name} has no entry {error.args[0]!r}.", hint="Add it to the file.") from error


def _case(case_id: str, number: int, raw: Mapping[str, Any]) -> CaseSpec:
    patient, build, pet = raw["patient"], raw["build"], raw["pet"]
    tissues = {
        name: Tissue(float(row["hu"]), float(row["suv"]), float(row.get("grain_hu", 0)))
        for name, row in read_toml(DEMO_DIR / "tissues.toml").items()
    }
    for name, suv in raw.get("suv", {}).items():
        if name not in tissues:
            raise UnknownNameError("tissue", name, tissues)
        tissues[name] = Tissue(tissues[name].hu, float(suv), tissues[name].grain_hu)
    lesions = tuple(_lesion(row) for row in raw.get("lesion", ()))
    for tissue in (t for row in lesions for t in (row.like, *row.only) if t):
        if tissue not in tissues:
            raise UnknownNameError("tissue", tissue, tissues)
    sx, sy, sz = (float(s) for s in build["scale"])
    breast = float(build.get("breast_mm", 0))
    return CaseSpec(
        case_id=case_id,
        number=number,
        seed=int(raw["seed"]),
        metadata={
            "sex": str(patient["sex"]), "age": str(patient["age"]), "weight_kg": str(patient["weight_kg"]),
            "indication": str(patient["indication"]), "synthetic": "yes",
        },
        frame=Frame((sx, sy, sz), float(build["lean_mm"]), float(build["sway_mm"])),
        build=Build(patient["sex"] == "F", float(build["fat_mm"]), build["arms"] == "up", breast),
        bladder_mm=float(build["bladder_mm"]),
        scanner=PetScanner(int(pet["size"]), float(pet["spacing_mm"]), float(pet["fwhm_mm"]), float(pet["noise"])),
        ct_noise_hu=float(raw["ct"]["noise_hu"]),
        tissues=tissues,
        lesions=lesions,
        sections=raw.get("section", {}),
        impression=raw["impression"],
    )  # fmt: skip


def _lesion(row: Mapping[str, Any]) -> LesionSpec:
    centre, size = row["centre"], row["diameter_mm"]
    return LesionSpec(
        name=row["name"],
        group=row.get("group", ""),
        organ=row["organ"],
        side=row.get("side", ""),
        state=UptakeState(row["state"]),
        seen=row.get("seen", "both"),
        centre=(float(centre[0]), float(centre[1]), float(centre[2])),
        diameter_mm=(float(size[0]), float(size[1]), float(size[2])),
        like=row.get("like", ""),
        only=tuple(row.get("only", ())),
        hu=row.get("hu"),
        suv=row.get("suv"),
        rough=float(row.get("rough", 0.05)),
        power=int(row.get("power", 2)),
        spicules=int(row.get("spicules", 0)),
        painted=bool(row.get("painted", True)),
    )
