"""DICOM series: which files belong together, what they are, their voxels and their SUV factors."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pet2rep_core.datasets.dicom_grid import SeriesGrid, series_grid
from pet2rep_core.datasets.dicom_tags import (
    PixelState,
    SeriesTags,
    SliceHeader,
    read_series_tags,
    read_slice_header,
)
from pet2rep_core.datasets.dicom_voxels import decode_activity, decode_hu
from pet2rep_core.errors import DatasetLayoutError, ImageReadError, InputDataError
from pet2rep_core.imaging.suv import PetAttributes, not_attenuation_corrected, slice_decay_scales, suv_factors
from pet2rep_core.imaging.volume import Volume
from pet2rep_core.records import CaseError, SeriesInfo, SeriesRole, SuvFactors

_DIRECTORY_CLASS = "1.2.840.10008.1.3.10"
_IMAGE_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.128": SeriesRole.PET,
    "1.2.840.10008.5.1.4.1.1.2": SeriesRole.CT,
}
_MODALITIES = {"PT": SeriesRole.PET, "CT": SeriesRole.CT}
_ENHANCED_CLASSES = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.128.1",
        "1.2.840.10008.5.1.4.1.1.130",
        "1.2.840.10008.5.1.4.1.1.2.1",
        "1.2.840.10008.5.1.4.1.1.2.2",
    }
)
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_NOT_DICOM_HINT = "Give a folder with DICOM files, or one DICOM file."
_EXPORT_HINT = "Export the whole series again from its source."


@dataclass(frozen=True, slots=True)
class FoundSeries(SeriesInfo):
    """A series with the headers of its slices, so that reading it does not read them again.

    ``slices`` are in the order of ``files``; ``tags`` are absent for a series that is no PET or CT volume.
    """

    slices: tuple[SliceHeader, ...] = ()
    tags: SeriesTags | None = None


def find_dicom_series(root: Path) -> tuple[list[FoundSeries], list[CaseError]]:
    """Find the DICOM series below a path, reading headers only.

    Files may have any name and lie at any depth; what is not DICOM is left aside, a DICOMDIR too. Symbolic
    links to folders are not followed, and a link to a file only inside the root.

    Returns
    -------
    series : list of FoundSeries
        Those that are no volume of PET or CT have their reason in ``skipped``.
    errors : list of CaseError
        DICOM files that are damaged.

    Raises
    ------
    DatasetLayoutError
        If nothing below the path is DICOM.
    """
    headers: list[SliceHeader] = []
    errors: list[CaseError] = []
    base = root if root.is_dir() else root.parent
    for file in _files_below(root):
        try:
            header = read_slice_header(file)
        except ImageReadError as error:
            errors.append(CaseError(str(file.relative_to(base)), error.message))
            continue
        if header is not None and header.sop_class != _DIRECTORY_CLASS:
            headers.append(header)
        elif header is None and file.suffix.lower() in {".dcm", ".ima"}:
            errors.append(CaseError(str(file.relative_to(base)), f"{file.name} is not a DICOM file."))
    if not headers:
        reason = errors[0].reason if errors else f"No DICOM file was found in {root.name!r}."
        raise DatasetLayoutError(reason, hint=_NOT_DICOM_HINT)
    return [_series(group) for group in _grouped(headers)], errors


def read_dicom_volume(series: SeriesInfo) -> Volume:
    """Read the voxels of a series, rescaled slice by slice.

    A PET with DecayCorrection NONE is brought to the decay of its first acquisition, so that one SUV factor
    fits all slices.

    Returns
    -------
    Volume
        PET: float32 in the file's unit (Bq/mL for ``BQML``). CT: int16 HU where they fit, else float32.

    Raises
    ------
    ImageGeometryError
        If the slices do not form one even stack.
    ImageReadError
        If a file is damaged, truncated or without voxels.
    """
    headers = _headers(series)
    _require_pixels(headers)
    grid = series_grid(headers)
    is_pet = series.role is SeriesRole.PET
    values = decode_activity(grid) if is_pet else decode_hu(grid)
    if is_pet:
        scales = slice_decay_scales(read_pet_attributes(_with_headers(series, grid.slices)))
        if scales is not None:
            values *= np.asarray(scales, np.float32)[:, None, None]
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ImageReadError("The series has values that are not numbers.", hint=_EXPORT_HINT)
    return Volume(values.T, grid.affine_lps)


def read_pet_attributes(series: SeriesInfo) -> PetAttributes:
    """Read what a PET series says about its unit, patient, dose and times, without its voxels."""
    if isinstance(series, FoundSeries) and series.tags is not None:
        return series.tags.attributes
    headers = _headers(series)
    return read_series_tags(headers[0].file, headers).attributes


def dicom_suv(series: SeriesInfo) -> SuvFactors:
    """Return the factors from the values of :func:`read_dicom_volume` to SUV, or the reason why there are none.

    Raises
    ------
    ImageReadError
        If the header of a series that was skipped as damaged is read again.
    """
    return suv_factors(read_pet_attributes(series))


def _files_below(root: Path) -> Iterator[Path]:
    if not root.exists():
        raise DatasetLayoutError(f"There is no file or folder {root.name!r}.", hint="Check the path.")
    if not root.is_dir():
        yield root
        return
    real_root = root.resolve()
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            file = Path(folder, name)
            if name.upper() == "DICOMDIR" or not file.is_file():
                continue
            if file.is_symlink() and not file.resolve().is_relative_to(real_root):
                continue
            yield file


def _grouped(headers: Iterable[SliceHeader]) -> list[list[SliceHeader]]:
    """Group by series, a localizer apart from the slices it came with, each object once.

    De-identification may give all slices one SOPInstanceUID, so a copy must share place and timing too.
    """
    groups: dict[tuple[object, ...], dict[tuple[object, ...], SliceHeader]] = defaultdict(dict)
    for header in headers:
        series = header.series or str(header.file)
        key = (header.study, series, header.modality, header.sop_class, _is_localizer(header))
        same = (header.sop_instance or str(header.file), header.position_mm, header.timing)
        groups[key].setdefault(same, header)
    return [list(group.values()) for group in groups.values()]


def _series(slices: list[SliceHeader]) -> FoundSeries:
    first = slices[0]
    role = _role(first)
    tags: SeriesTags | None = None
    grid: SeriesGrid | None = None
    skipped = _not_a_volume(first)
    try:
        tags = read_series_tags(first.file, slices)
        if skipped is None:
            _require_pixels(slices)
            grid = series_grid(slices)
            tags = read_series_tags(first.file, grid.slices) if len(slices) > 1 else tags
            skipped = not_attenuation_corrected(tags.attributes) if role is SeriesRole.PET else None
    except InputDataError as error:
        skipped = skipped or error.message
    ordered = grid.slices if grid else tuple(slices)
    return FoundSeries(
        role=role,
        files=tuple(one.file for one in ordered),
        size=grid.size if grid else None,
        spacing_mm=grid.spacing_mm if grid else None,
        orientation=grid.orientation if grid else None,
        units=(first.units or None) if role is SeriesRole.PET else ("HU" if role is SeriesRole.CT else None),
        description=tags.description if tags else "",
        skipped=skipped,
        slices=ordered,
        tags=tags,
    )


def _role(header: SliceHeader) -> SeriesRole:
    by_class = _IMAGE_CLASSES.get(header.sop_class)
    return by_class or _MODALITIES.get(header.modality, SeriesRole.OTHER)


def _is_localizer(header: SliceHeader) -> bool:
    return "LOCALIZER" in header.image_type


def _not_a_volume(header: SliceHeader) -> str | None:
    """Return one sentence why a series can be no PET or CT volume, judged by one of its headers."""
    kind = header.modality or "without a modality"
    if _role(header) is SeriesRole.OTHER:
        return f"{kind} is not a PET or CT image volume."
    if _is_localizer(header):
        return "A localizer (scout) view, not an axial volume, although it says Modality CT."
    if header.sop_class.startswith(_SECONDARY_CAPTURE):
        return f"A secondary capture (a picture, not measured slices), although it says Modality {kind}."
    if header.sop_class in _ENHANCED_CLASSES or header.frame_count > 1:
        return "An enhanced or multi-frame object, which is not supported yet."
    if any("MIP" in word.split() or "PROJECTION" in word for word in header.image_type):
        return "A maximum-intensity projection, not slices."
    if "REPROJECTION" in header.series_type:
        return "A reprojection, not slices."
    if header.samples != 1 or (header.photometric and not header.photometric.startswith("MONOCHROME")):
        return "A colour picture, not measured values."
    if header.pixels is PixelState.ABSENT:
        return f"{header.file.name} has no pixel data."
    if header.position_mm is None:
        return "ImagePositionPatient (0020,0032) is absent (a secondary capture or projection)."
    return None


def _require_pixels(slices: Iterable[SliceHeader]) -> None:
    for one in slices:
        if one.pixels is PixelState.ABSENT:
            raise ImageReadError(f"{one.file.name} has no pixel data.", hint=_EXPORT_HINT)
        if one.pixels is PixelState.CUT:
            raise ImageReadError(f"{one.file.name} is cut off: its pixel data are incomplete.", hint=_EXPORT_HINT)


def _headers(series: SeriesInfo) -> tuple[SliceHeader, ...]:
    if isinstance(series, FoundSeries) and series.slices:
        return series.slices
    headers = []
    for file in series.files:
        header = read_slice_header(file)
        if header is None:
            raise ImageReadError(f"{file.name} is not a DICOM file.", hint=_NOT_DICOM_HINT)
        headers.append(header)
    if not headers:
        raise ImageReadError("The series has no files.", hint=_NOT_DICOM_HINT)
    return tuple(headers)


def _with_headers(series: SeriesInfo, slices: tuple[SliceHeader, ...]) -> SeriesInfo:
    if isinstance(series, FoundSeries):
        return series
    files = tuple(one.file for one in slices)
    return FoundSeries(role=series.role, files=files, slices=slices, tags=read_series_tags(files[0], slices))
