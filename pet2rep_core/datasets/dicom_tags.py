"""Headers of DICOM files, read without voxels and tolerant of what vendors and de-identifiers write.

Values are parsed from their raw bytes: private attributes come as bytes with NUL, numbers with trailing
blanks, dates as zeros, and none of that may stop an import.
"""

from __future__ import annotations

import datetime
import math
import re
import struct
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian

from pet2rep_core.errors import ImageReadError
from pet2rep_core.imaging.suv import PetAttributes
from pet2rep_core.imaging.suv_time import Moment, PetFrame

TRANSFER_SYNTAX = 0x00020010
IMAGE_TYPE, SOP_CLASS, SOP_INSTANCE = 0x00080008, 0x00080016, 0x00080018
SERIES_DATE, ACQUISITION_DATE, ACQUISITION_DATETIME = 0x00080021, 0x00080022, 0x0008002A
SERIES_TIME, ACQUISITION_TIME = 0x00080031, 0x00080032
MODALITY, MANUFACTURER, DESCRIPTION = 0x00080060, 0x00080070, 0x0008103E
GE_SCAN, GE_INJECTION = 0x0009100D, 0x0009103B
SEX, AGE, HEIGHT, WEIGHT = 0x00100040, 0x00101010, 0x00101020, 0x00101030
THICKNESS, SLICE_DISTANCE, FRAME_DURATION = 0x00180050, 0x00180088, 0x00181242
INJECTION_TIME, DOSE, HALF_LIFE, INJECTION_DATETIME = 0x00181072, 0x00181074, 0x00181075, 0x00181078
STUDY, SERIES, POSITION, ORIENTATION, FRAME_OF_REFERENCE = 0x0020000D, 0x0020000E, 0x00200032, 0x00200037, 0x00200052
SAMPLES, PHOTOMETRIC, FRAMES, ROWS, COLUMNS, SPACING = (
    0x00280002, 0x00280004, 0x00280008, 0x00280010, 0x00280011, 0x00280030,
)  # fmt: skip
CORRECTED, BITS, BITS_STORED, SIGNED = 0x00280051, 0x00280100, 0x00280101, 0x00280103
INTERCEPT, SLOPE = 0x00281052, 0x00281053
RADIOPHARMACEUTICALS, SERIES_TYPE, UNITS, SUV_TYPE = 0x00540016, 0x00541000, 0x00541001, 0x00541006
ATTENUATION_METHOD, DECAY_CORRECTION, FRAME_REFERENCE = 0x00541101, 0x00541102, 0x00541300
PHILIPS_SUV, PHILIPS_ACTIVITY, SIEMENS_DECAY = 0x70531000, 0x70531009, 0x00711022

_SLICE_TAGS: list[Any] = [
    IMAGE_TYPE, SOP_CLASS, SOP_INSTANCE, ACQUISITION_DATE, ACQUISITION_TIME, ACQUISITION_DATETIME, MODALITY,
    THICKNESS, SLICE_DISTANCE, FRAME_DURATION, STUDY, SERIES, POSITION, ORIENTATION, FRAME_OF_REFERENCE, SAMPLES,
    PHOTOMETRIC, FRAMES, ROWS, COLUMNS, SPACING, BITS, BITS_STORED, SIGNED, INTERCEPT, SLOPE, SERIES_TYPE, UNITS,
    FRAME_REFERENCE, PHILIPS_SUV, PHILIPS_ACTIVITY,
]  # fmt: skip
_SERIES_TAGS: list[Any] = [
    SERIES_DATE, SERIES_TIME, MANUFACTURER, DESCRIPTION, GE_SCAN, GE_INJECTION, SEX, AGE, HEIGHT, WEIGHT, CORRECTED,
    RADIOPHARMACEUTICALS, UNITS, SUV_TYPE, ATTENUATION_METHOD, DECAY_CORRECTION, SIEMENS_DECAY,
]  # fmt: skip
_BINARY = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d"}
_UNSIGNED_SHORT_TAGS = frozenset({SAMPLES, ROWS, COLUMNS, BITS, BITS_STORED, SIGNED})
_TIME = re.compile(r"(\d{2})(?:(\d{2})(?:(\d{2})(\.\d*)?)?)?")
_UNDEFINED = 0xFFFFFFFF
_HEAD = 132


class PixelState(StrEnum):
    """Whether a file's voxels are there in full."""

    THERE = "there"
    ABSENT = "absent"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class SliceHeader:
    """What one DICOM file says about its place in a series.

    ``size`` is (columns, rows); ``spacing_mm`` the distance of (columns, rows); ``position_mm`` and
    ``orientation`` are ImagePositionPatient and ImageOrientationPatient (LPS); ``stored_as``
    BitsAllocated, BitsStored and PixelRepresentation.
    """

    file: Path
    modality: str
    sop_class: str
    sop_instance: str
    study: str
    series: str
    frame_of_reference: str
    image_type: tuple[str, ...]
    series_type: tuple[str, ...]
    photometric: str
    samples: int
    frame_count: int
    stored_as: tuple[int, int, int]
    size: tuple[int, int] | None
    spacing_mm: tuple[float, float] | None
    position_mm: tuple[float, float, float] | None
    orientation: tuple[float, ...] | None
    thickness_mm: float | None
    slope: float | None
    intercept: float | None
    units: str
    timing: PetFrame
    philips_suv: float | None
    philips_activity: float | None
    pixels: PixelState


@dataclass(frozen=True, slots=True)
class SeriesTags:
    """What the first file of a series says about the whole series."""

    description: str
    manufacturer: str
    sex: str
    age: str
    height_m: float | None
    weight_kg: float | None
    attributes: PetAttributes


def read_slice_header(file: Path) -> SliceHeader | None:
    """Read the header of one file, without its voxels; None if the file is not DICOM.

    Raises
    ------
    ImageReadError
        If the file is DICOM but its header is damaged.
    """
    try:
        with file.open("rb") as stream:
            if not _is_dicom(stream):
                return None
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                data = pydicom.dcmread(stream, stop_before_pixels=True, specific_tags=_SLICE_TAGS, force=True)
            return _slice_header(file, data, stream)
    except OSError as error:
        raise ImageReadError(f"{file.name} could not be opened.", hint="Check that the file can be read.") from error
    except Exception as error:  # pydicom meets damage with almost any kind of error
        raise ImageReadError(
            f"{file.name} is a damaged DICOM file.", hint="Export this file again from its source."
        ) from error


def read_series_tags(file: Path, slices: Iterable[SliceHeader]) -> SeriesTags:
    """Read what one file says about its series; timing and private factors come from all slices.

    Raises
    ------
    ImageReadError
        If the file cannot be read as DICOM.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = pydicom.dcmread(file, stop_before_pixels=True, specific_tags=_SERIES_TAGS, force=True)
            description = str(data.get("SeriesDescription") or "").strip()
            items = _radiopharmaceuticals(data)
    except Exception as error:  # as above
        raise ImageReadError(
            f"{file.name} is a damaged DICOM file.", hint="Export this file again from its source."
        ) from error
    known = tuple(slices)
    item = items[0] if items else Dataset()
    manufacturer = _text(data, MANUFACTURER)
    height, weight = _number(data, HEIGHT), _number(data, WEIGHT)
    sex = _text(data, SEX).upper()
    attributes = PetAttributes(
        units=_text(data, UNITS).upper(),
        suv_type=_text(data, SUV_TYPE).upper(),
        corrected_image=tuple(word.upper() for word in _texts(data, CORRECTED)),
        attenuation_correction_method=_raw_text(data, ATTENUATION_METHOD),
        decay_correction=_text(data, DECAY_CORRECTION).upper(),
        manufacturer=manufacturer,
        description=description,
        weight_kg=weight,
        height_m=height,
        sex=sex,
        dose=_number(item, DOSE),
        half_life_s=_number(item, HALF_LIFE),
        injection_time=parse_moment("", _text(item, INJECTION_TIME)),
        injection_datetime=parse_datetime(_text(item, INJECTION_DATETIME)),
        injections=len({_injection_key(one) for one in items}) or 1,
        series=parse_moment(_text(data, SERIES_DATE), _text(data, SERIES_TIME)),
        frames=tuple(header.timing for header in known),
        ge_scan=parse_datetime(_text(data, GE_SCAN)),
        ge_injection=parse_datetime(_text(data, GE_INJECTION)),
        siemens_decay=parse_datetime(_text(data, SIEMENS_DECAY)),
        philips_suv=_different(header.philips_suv for header in known),
        philips_activity=_different(header.philips_activity for header in known),
        rescaled=all(header.slope is not None and header.slope != 0 for header in known),
    )
    return SeriesTags(description, manufacturer, sex, _text(data, AGE), height, weight, attributes)


def parse_moment(date: str, time: str) -> Moment | None:
    """Return a DICOM date and time as a moment; None without a time, no day for a date such as 00000000.

    >>> parse_moment("00000000", "095947.50")
    Moment(second=35987.5, day=None)
    """
    match = _TIME.fullmatch(time.replace(":", ""))
    if match is None:
        return None
    hour, minute, second, fraction = match.groups(default="0")
    if int(hour) > 23 or int(minute) > 59 or int(second) > 60:
        return None
    seconds = int(hour) * 3600 + int(minute) * 60 + int(second) + float(f"0{fraction}" if "." in fraction else 0)
    return Moment(seconds, _day(date))


def parse_datetime(text: str) -> Moment | None:
    """Return a DICOM date-time as a moment, its offset from UTC left aside; None without a time of day."""
    digits = re.split(r"[+&-]", text.strip(), maxsplit=1)[0]
    return parse_moment(digits[:8], digits[8:]) if len(digits) >= 10 else None


def _day(date: str) -> int | None:
    digits = date.replace(".", "").replace("-", "")
    if not re.fullmatch(r"\d{8}", digits):
        return None
    try:
        return datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:])).toordinal()
    except ValueError:
        return None


def _is_dicom(stream: BinaryIO) -> bool:
    head = stream.read(_HEAD)
    stream.seek(0)
    if head[128:] == b"DICM":
        return True
    # Old archives leave the preamble out and begin with group 0008 at once.
    return len(head) == _HEAD and head[:2] in (b"\x08\x00", b"\x02\x00") and head[3:4] == b"\x00"


def _slice_header(file: Path, data: Any, stream: BinaryIO) -> SliceHeader | None:
    sop_class = _text(data, SOP_CLASS)
    if not sop_class and not _text(data, MODALITY):
        return None
    columns, rows = _number(data, COLUMNS), _number(data, ROWS)
    spacing, position = _numbers(data, SPACING), _numbers(data, POSITION)
    orientation = _numbers(data, ORIENTATION)
    reference, duration = _number(data, FRAME_REFERENCE), _number(data, FRAME_DURATION)
    acquired = parse_moment(_text(data, ACQUISITION_DATE), _text(data, ACQUISITION_TIME))
    return SliceHeader(
        file=file,
        modality=_text(data, MODALITY).upper(),
        sop_class=sop_class,
        sop_instance=_text(data, SOP_INSTANCE),
        study=_text(data, STUDY),
        series=_text(data, SERIES),
        frame_of_reference=_text(data, FRAME_OF_REFERENCE),
        image_type=tuple(word.upper() for word in _texts(data, IMAGE_TYPE)),
        series_type=tuple(word.upper() for word in _texts(data, SERIES_TYPE)),
        photometric=_text(data, PHOTOMETRIC).upper(),
        samples=int(_number(data, SAMPLES) or 1),
        frame_count=int(_number(data, FRAMES) or 1),
        stored_as=(
            int(_number(data, BITS) or 0),
            int(_number(data, BITS_STORED) or 0),
            int(_number(data, SIGNED) or 0),
        ),
        size=(int(columns), int(rows)) if columns and rows else None,
        spacing_mm=(spacing[1], spacing[0]) if len(spacing) == 2 else None,
        position_mm=(position[0], position[1], position[2]) if len(position) == 3 else None,
        orientation=orientation if len(orientation) == 6 else None,
        thickness_mm=_number(data, SLICE_DISTANCE) or _number(data, THICKNESS),
        slope=_number(data, SLOPE),
        intercept=_number(data, INTERCEPT),
        units=_text(data, UNITS).upper(),
        timing=PetFrame(
            acquisition=acquired or parse_datetime(_text(data, ACQUISITION_DATETIME)),
            frame_reference_s=None if reference is None else reference / 1000,
            duration_s=None if duration is None else duration / 1000,
        ),
        philips_suv=_number(data, PHILIPS_SUV),
        philips_activity=_number(data, PHILIPS_ACTIVITY),
        pixels=_pixel_state(data, stream),
    )


def _pixel_state(data: Any, stream: BinaryIO) -> PixelState:
    """Tell from the element after the header whether the voxels are there, without reading them."""
    meta = getattr(data, "file_meta", None)
    syntax = _text(meta, TRANSFER_SYNTAX) if meta is not None else ""
    if syntax == DeflatedExplicitVRLittleEndian:
        return PixelState.THERE  # the header was inflated in memory; the decoder will tell
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    head = stream.read(12)
    if len(head) < 8 or struct.unpack(f"{order}H", head[:2])[0] != 0x7FE0:
        return PixelState.ABSENT
    if head[4:6].isalpha():
        length = struct.unpack(f"{order}I", head[8:12])[0] if len(head) == 12 else 0
    else:
        length = struct.unpack(f"{order}I", head[4:8])[0]
        stream.seek(-4, 1)
    start = stream.tell()
    end = stream.seek(0, 2)
    if length == 0:
        return PixelState.ABSENT
    if length != _UNDEFINED:
        columns, rows = _number(data, COLUMNS) or 0, _number(data, ROWS) or 0
        needed = columns * rows * (_number(data, SAMPLES) or 1) * (_number(data, BITS) or 0) / 8
        whole = start + length <= end and length >= needed * int(_number(data, FRAMES) or 1)
        return PixelState.THERE if whole else PixelState.CUT
    stream.seek(start)
    while len(item := stream.read(8)) == 8:
        group, element, size = struct.unpack("<HHI", item)
        if (group, element) == (0xFFFE, 0xE0DD):
            return PixelState.THERE
        if (group, element) != (0xFFFE, 0xE000) or stream.tell() + size > end:
            return PixelState.CUT
        stream.seek(size, 1)
    return PixelState.CUT


def _raw(data: Any, tag: int) -> tuple[Any, str, bool]:
    if tag not in data:
        return None, "", True
    item = data.get_item(tag)
    return item.value, str(item.VR or ""), getattr(item, "is_little_endian", True)


def _raw_text(data: Any, tag: int) -> str:
    value, _, _ = _raw(data, tag)
    if value is None:
        return ""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    elif not isinstance(value, str) and hasattr(value, "__iter__"):
        value = "\\".join(str(one) for one in value)
    return str(value).strip("\0 \t\r\n")


def _texts(data: Any, tag: int) -> tuple[str, ...]:
    return tuple(word for part in _raw_text(data, tag).split("\\") if (word := part.strip("\0 \t\r\n")))


def _text(data: Any, tag: int) -> str:
    words = _texts(data, tag)
    return words[0] if words else ""


def _numbers(data: Any, tag: int) -> tuple[float, ...]:
    """Return finite numbers of an attribute; none at all where one of them is not a number."""
    value, kind, little = _raw(data, tag)
    if isinstance(value, bytes) and (kind in _BINARY or (tag in _UNSIGNED_SHORT_TAGS and len(value) == 2)):
        code = _BINARY.get(kind, "H")
        count = len(value) // struct.calcsize(code)
        values = struct.unpack(f"{'<' if little else '>'}{count}{code}", value[: count * struct.calcsize(code)])
        return tuple(float(one) for one in values if math.isfinite(one))
    try:
        numbers = tuple(float(word) for word in _texts(data, tag))
    except ValueError:
        return ()
    return numbers if all(math.isfinite(one) for one in numbers) else ()


def _number(data: Any, tag: int) -> float | None:
    numbers = _numbers(data, tag)
    return numbers[0] if numbers else None


def _radiopharmaceuticals(data: Any) -> tuple[Any, ...]:
    if RADIOPHARMACEUTICALS not in data:
        return ()
    value = data[RADIOPHARMACEUTICALS].value
    return tuple(value) if isinstance(value, DicomSequence) else ()


def _injection_key(item: Any) -> tuple[str, ...]:
    return tuple(_text(item, tag) for tag in (INJECTION_TIME, INJECTION_DATETIME, DOSE, HALF_LIFE))


def _different(values: Iterable[float | None]) -> tuple[float, ...]:
    return tuple(sorted({value for value in values if value is not None}))
