"""Measurements at the JSON edge: what the viewer asks for, what it gets, and what the store keeps."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pet2rep_core.errors import InputDataError
from pet2rep_core.imaging.measure import LineResult, LiverReference, Segment, Uptake, VoiResult
from pet2rep_core.imaging.planes import Plane
from pet2rep_core.imaging.voi import MAX_POINTS, Freehand, Line, Point, Sphere
from pet2rep_core.records import PetUnit

Shape = Sphere | Freehand | Line
LIVER = "liver"
ROLES = ("", LIVER)
_KINDS: dict[str, tuple[str, ...]] = {
    "sphere": ("centre_mm", "diameter_mm"),
    "freehand": ("plane", "index", "points_mm"),
    "line": ("start_mm", "end_mm"),
}
_OTHER_KEYS = ("shape", "role", "keep", "id", "label", "generation_id")
_VALUE_UNITS = {PetUnit.SUVBW: "g/mL", PetUnit.ACTIVITY_BQML: "Bq/mL", PetUnit.COUNTS: "counts"}
_TOTAL_UNITS = {PetUnit.SUVBW: "g", PetUnit.ACTIVITY_BQML: "Bq", PetUnit.COUNTS: "counts mL"}


@dataclass(frozen=True, slots=True)
class MeasureRequest:
    """What a reader wants measured, and whether to keep it under which name."""

    shape: Shape
    role: str = ""
    keep: bool = False
    measurement_id: str = ""
    label: str = ""
    generation_id: str | None = None


def read_request(sent: Mapping[str, Any]) -> MeasureRequest:
    """Return what was asked for.

    Raises
    ------
    InputDataError
        If a key is missing, not known or has a value of another kind; an ImageGeometryError where the shape
        itself cannot be.
    """
    kind = sent.get("shape")
    if not isinstance(kind, str) or kind not in _KINDS:
        raise InputDataError(f"{str(kind)[:40]!r} is no shape.", hint=f"Give one of {', '.join(_KINDS)}.")
    unknown = sorted(set(sent) - {*_KINDS[kind], *_OTHER_KEYS})
    if unknown:
        raise InputDataError(f"A {kind} has no {unknown[0][:40]!r}.", hint=f"It has {', '.join(_KINDS[kind])}.")
    role = _text(sent, "role", ROLES)
    if role == LIVER and kind != "sphere":
        raise InputDataError(f"A {kind} cannot be the liver reference.", hint="Use a sphere of 30 mm.")
    keep = sent.get("keep", False)
    if not isinstance(keep, bool):
        raise InputDataError("'keep' is neither true nor false.", hint="Send true or false.")
    return MeasureRequest(
        shape=read_shape(kind, sent),
        role=role,
        keep=keep,
        measurement_id=_text(sent, "id"),
        label=_text(sent, "label"),
        generation_id=_text(sent, "generation_id") or None,
    )


def read_shape(kind: str, sent: Mapping[str, Any]) -> Shape:
    """Return a shape from its JSON, as it was asked for or as it is stored."""
    missing = [name for name in _KINDS[kind] if name not in sent]
    if missing:
        raise InputDataError(f"The {kind} has no {missing[0]!r}.", hint=f"Send {', '.join(_KINDS[kind])}.")
    if kind == "sphere":
        return Sphere(_point(sent["centre_mm"]), _number(sent["diameter_mm"]))
    if kind == "line":
        return Line(_point(sent["start_mm"]), _point(sent["end_mm"]))
    plane, index, points = sent["plane"], sent["index"], sent["points_mm"]
    if plane not in list(Plane):
        raise InputDataError(f"{str(plane)[:40]!r} is no plane.", hint=f"Give one of {', '.join(Plane)}.")
    if isinstance(index, bool) or not isinstance(index, int):
        raise InputDataError("The index of the plane is no whole number.", hint="Count planes on the grid from 0.")
    if not isinstance(points, list) or len(points) > MAX_POINTS:
        raise InputDataError("The points are no list, or too many.", hint=f"Send at most {MAX_POINTS} points.")
    return Freehand(Plane(plane), index, tuple(_point(point) for point in points))


def shape_json(shape: Shape) -> tuple[str, dict[str, Any]]:
    """Return the kind of a shape and its JSON, which :func:`read_shape` reads."""
    kind = {Sphere: "sphere", Freehand: "freehand", Line: "line"}[type(shape)]
    plain = asdict(shape)
    return kind, {name: _plain(plain[name]) for name in _KINDS[kind]}


def result_json(result: VoiResult | LineResult, liver: LiverReference | None) -> dict[str, Any]:
    """Return a result as JSON: ``measured`` as the records of imaging/measure.py, ``numbers`` as a flat list.

    A number has ``quantity``, ``value``, ``unit`` and ``reason``; quantities are called SUV only where the PET is
    in SUV.
    """
    if isinstance(result, LineResult):
        return {"measured": _plain(asdict(result)), "numbers": [_entry("length_mm", result.length_mm, "mm")]}
    reference = None
    if liver is not None:
        reference = {**asdict(liver), "threshold": liver.threshold, "threshold_sul": liver.threshold_sul}
    return {"measured": _plain(asdict(result)), "liver": reference, "numbers": _numbers(result)}


def kept_json(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the store keeps of a result: all but the samples of a line, which can be measured again."""
    samples = ("distance_mm", "pet", "hu") if "length_mm" in content["measured"] else ()
    measured = {name: value for name, value in content["measured"].items() if name not in samples}
    return {**content, "measured": measured}


def _numbers(result: VoiResult) -> list[dict[str, Any]]:
    found = [_entry("volume_ml", result.volume_ml, "mL"), _entry("voxels", result.voxels, "1")]
    if result.uptake is not None:
        found += _uptake_numbers(result.uptake)
        for segment in result.segments:
            found += _segment_numbers(segment, result.uptake.unit)
    if result.hu is not None:
        hu = result.hu
        named = {"hu_mean": hu.mean, "hu_sd": hu.sd, "hu_min": hu.min, "hu_max": hu.max}
        found += [_entry(name, value, "HU") for name, value in named.items()]
    return found


def _uptake_numbers(uptake: Uptake) -> list[dict[str, Any]]:
    prefix, unit = _prefix(uptake.unit), _VALUE_UNITS[uptake.unit]
    named = {"max": uptake.max, "mean": uptake.mean, "sd": uptake.sd, "min": uptake.min}
    found = [_entry(f"{prefix}{name}", value, unit) for name, value in named.items()]
    return [*found, _entry(f"{prefix}peak", uptake.peak.value, unit, uptake.peak.reason)]


def _segment_numbers(segment: Segment, unit: PetUnit) -> list[dict[str, Any]]:
    volume, total = ("mtv_ml", "tlg") if unit is PetUnit.SUVBW else ("volume_ml", "total")
    name, reason = segment.threshold, segment.reason
    return [
        _entry(f"{volume}_{name}", segment.volume_ml, "mL", reason),
        _entry(f"{total}_{name}", segment.total, _TOTAL_UNITS[unit], reason),
        _entry(f"{_prefix(unit)}mean_{name}", segment.mean, _VALUE_UNITS[unit], reason),
        _entry(f"threshold_{name}", segment.value, _VALUE_UNITS[unit], reason if segment.value is None else ""),
    ]


def _prefix(unit: PetUnit) -> str:
    return "suv_" if unit is PetUnit.SUVBW else ""


def _entry(quantity: str, value: float | None, unit: str, reason: str = "") -> dict[str, Any]:
    return {"quantity": quantity, "value": value, "unit": unit, "reason": reason}


def _plain(value: Any) -> Any:
    """Return lists for tuples, so that a value is the same before and after it was JSON."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, Plane | PetUnit) else value


def _text(sent: Mapping[str, Any], key: str, allowed: tuple[str, ...] | None = None) -> str:
    value = sent.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or (allowed is not None and value not in allowed):
        words = "text" if allowed is None else " or ".join(repr(one) for one in allowed)
        raise InputDataError(f"The value of {key!r} is not {words}.", hint="Correct it, or leave it out.")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputDataError("A length or place is no number.", hint="Send mm as numbers.")
    try:
        return float(value)
    except OverflowError:
        return math.inf  # the shape refuses it


def _point(value: object) -> Point:
    if not isinstance(value, list | tuple) or len(value) != 3:
        raise InputDataError("A point does not have three coordinates.", hint="Send [x, y, z] in LPS mm.")
    x, y, z = (_number(one) for one in value)
    return x, y, z
