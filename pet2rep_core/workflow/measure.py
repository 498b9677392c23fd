"""Measure in a case, keep what was measured as the reader's own note, and remember how a reader sets the viewer."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pet2rep_core.errors import ImageGeometryError, InputDataError
from pet2rep_core.imaging.measure import (
    LineResult,
    LiverReference,
    VoiResult,
    liver_reference,
    measure_line,
    measure_voi,
)
from pet2rep_core.imaging.prepared import PreparedCase, open_prepared
from pet2rep_core.imaging.voi import Line, Sphere
from pet2rep_core.settings import Settings
from pet2rep_core.store import Measurement, Store, StoredMeasurement
from pet2rep_core.workflow.measure_json import (
    LIVER,
    MeasureRequest,
    kept_json,
    read_shape,
    result_json,
    shape_json,
)
from pet2rep_core.workflow.rate import check_reader

_NO_LIVER = "There is no liver reference yet: put a sphere of 30 mm into the right liver lobe and keep it."
_OTHER_IMAGES = "The liver reference was measured on earlier images of this case: measure it again."
_ITSELF = "This is the liver reference itself."
_MAX_NAME = 64


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured, and the note where it was kept. ``content`` is the result as JSON."""

    kind: str
    shape: dict[str, Any]
    role: str
    result: VoiResult | LineResult
    content: dict[str, Any]
    note: StoredMeasurement | None


def measure_case(store: Store, settings: Settings, case_id: str, reader: str, request: MeasureRequest) -> Measured:
    """Measure a shape on the original voxels of a case, and keep it where that was asked for.

    The PERCIST threshold uses the newest liver reference that this reader has kept in this case.

    Raises
    ------
    UnknownNameError
        If the case is not in the store.
    ImageGeometryError
        If it has no volumes, or the shape holds none of their voxels.
    PermissionDeniedError
        If the note to keep it under belongs to another reader or case.
    StoreError
        If it could not be kept.
    """
    key = store.case(case_id).prepared_key
    if key is None:
        raise ImageGeometryError("This case has no images to measure in.", hint="Choose a case with PET or CT.")
    images = open_prepared(settings.prepared, key)
    liver: LiverReference | None = None
    result: VoiResult | LineResult
    if isinstance(request.shape, Line):
        result = measure_line(images, request.shape)
    elif request.role == LIVER and isinstance(request.shape, Sphere):
        liver = liver_reference(images, request.shape)
        result = measure_voi(images, request.shape, no_liver=_ITSELF)
    else:
        liver, reason = _kept_liver(store, images, case_id, reader)
        result = measure_voi(images, request.shape, liver=liver, no_liver=reason)
    kind, shape = shape_json(request.shape)
    content = result_json(result, liver)
    note = None
    if request.keep:
        note = store.record_measurement(
            Measurement(
                measurement_id=request.measurement_id or str(uuid.uuid4()),
                case_id=case_id,
                reader=check_reader(reader),
                kind=kind,
                shape=shape,
                result=kept_json(content),
                signature=result.signature,
                prepared_key=key,
                generation_id=request.generation_id,
                label=request.label,
                role=request.role,
            )
        )
    return Measured(kind, shape, request.role, result, content, note)


def kept_measurements(store: Store, case_id: str, reader: str) -> list[StoredMeasurement]:
    """Return what a reader has kept in a case and not withdrawn, the newest first; never another reader's."""
    return store.measurements(case_id, reader)


def withdraw_measurement(store: Store, case_id: str, reader: str, measurement_id: str) -> StoredMeasurement:
    """Withdraw a note of a reader; withdrawing it twice changes nothing.

    Raises
    ------
    PermissionDeniedError
        If it belongs to another reader or another case.
    StoreError
        If there is no such note.
    """
    return store.withdraw_measurement(measurement_id, case_id, reader)


def _kept_liver(store: Store, images: PreparedCase, case_id: str, reader: str) -> tuple[LiverReference | None, str]:
    """Return the newest liver reference of a reader, measured anew, or the reason why there is none."""
    notes = [note.measurement for note in store.measurements(case_id, reader) if note.measurement.role == LIVER]
    if not notes:
        return None, _NO_LIVER
    if notes[0].prepared_key != images.key:
        return None, _OTHER_IMAGES
    sphere = read_shape("sphere", notes[0].shape)
    return (liver_reference(images, sphere), "") if isinstance(sphere, Sphere) else (None, _NO_LIVER)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _MAX_NAME and value.isprintable()


def _is_switch(value: object) -> bool:
    return isinstance(value, bool)


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_range(value: object) -> bool:
    numbers = isinstance(value, list) and len(value) == 2 and all(type(one) in (int, float) for one in value)
    return isinstance(value, list) and numbers and -1e9 <= value[0] < value[1] <= 1e9


VIEWER_SETTINGS: dict[str, Callable[[object], bool]] = {
    "layout": _is_name,
    "plane": _is_name,
    "pet": _is_name,
    "ct": _is_name,
    "map": _is_name,
    "pet_map": _is_name,
    "pet_range": _is_range,
    "ct_range": _is_range,
    "opacity": _is_share,
    "smooth": _is_switch,
    "inverted": _is_switch,
    "cross": _is_switch,
}
"""What the viewer may remember of a reader, and how a value of it must look. A new one is one line here."""


def save_viewer_settings(store: Store, reader: str, sent: Mapping[str, Any]) -> dict[str, Any]:
    """Remember how a reader set the viewer, and return it; what is not sent keeps its value.

    Raises
    ------
    InputDataError
        If a setting is not known or has a value that it cannot have; nothing is stored then.
    """
    for name, value in sent.items():
        if name not in VIEWER_SETTINGS:
            raise InputDataError(
                f"The viewer has no setting {name[:40]!r}.", hint=f"It has {', '.join(VIEWER_SETTINGS)}."
            )
        if not VIEWER_SETTINGS[name](value):
            raise InputDataError(f"The setting {name!r} cannot have this value.", hint="Set it in the viewer again.")
    merged = {**viewer_settings(store, reader), **sent}
    store.record_reader_settings(check_reader(reader), merged)
    return merged


def viewer_settings(store: Store, reader: str) -> dict[str, Any]:
    """Return how a reader last set the viewer; empty before the first time."""
    kept = store.reader_settings(reader)
    return {name: value for name, value in kept.items() if name in VIEWER_SETTINGS and VIEWER_SETTINGS[name](value)}
