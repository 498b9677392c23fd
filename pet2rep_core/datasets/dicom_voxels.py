"""Voxels of DICOM slices, decoded by GDCM through SimpleITK."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import numpy as np
import SimpleITK as sitk

from pet2rep_core.datasets.dicom_grid import SeriesGrid
from pet2rep_core.datasets.dicom_tags import SliceHeader
from pet2rep_core.errors import ImageReadError
from pet2rep_core.imaging.volume import Array

_EXPORT_HINT = "Export the whole series again from its source."
_DECODERS = min(4, os.cpu_count() or 1)
_CHUNK = 16


def decode_activity(grid: SeriesGrid) -> Array:
    """Return the rescaled values of a PET as (slice, row, column) float32 array."""
    return _decode(grid, sitk.sitkFloat32)


def decode_hu(grid: SeriesGrid) -> Array:
    """Return the rescaled values of a CT as (slice, row, column) array, int16 where they fit, else float32."""
    values = _decode(grid, _ct_type(grid.slices))
    if values.dtype == np.int16:
        return values
    fits = values.min() >= -32768 and values.max() <= 32767
    return np.rint(values).astype(np.int16) if fits else values.astype(np.float32)


def _ct_type(slices: Sequence[SliceHeader]) -> int:
    """Return the narrowest SimpleITK pixel type that surely holds every HU of a CT."""
    kinds = {(one.stored_as, one.slope, one.intercept) for one in slices}
    lows, highs = [], []
    for (_, bits, signed), slope, intercept in kinds:
        scale, offset = slope if slope is not None else 1.0, intercept or 0.0
        if not (scale.is_integer() and offset.is_integer()):
            return int(sitk.sitkFloat32)
        ends = [
            stored * scale + offset for stored in ((-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits))
        ]
        lows.append(min(ends))
        highs.append(max(ends))
    return int(sitk.sitkInt16 if min(lows) >= -32768 and max(highs) <= 32768 else sitk.sitkInt32)


def _decode(grid: SeriesGrid, pixel_type: int) -> Array:
    """Decode the slices, rescaled, as (slice, row, column); GDCM works outside Python's lock, so threads help."""
    columns, rows, count = grid.size
    starts = range(0, count, _CHUNK)
    chunks = [grid.slices[start : start + _CHUNK] for start in starts]
    values: Array | None = None
    with ThreadPoolExecutor(min(_DECODERS, len(chunks))) as pool:
        for start, chunk, decoded in zip(
            starts, chunks, pool.map(_decode_chunk, chunks, repeat(pixel_type)), strict=True
        ):
            if decoded.shape != (len(chunk), rows, columns):
                raise ImageReadError(
                    f"{chunk[0].file.name} and its neighbours do not hold {columns}x{rows} voxels.",
                    hint=_EXPORT_HINT,
                )
            if values is None:
                values = np.empty((count, rows, columns), decoded.dtype)
            values[start : start + len(chunk)] = decoded
    assert values is not None
    return values


def _decode_chunk(slices: Sequence[SliceHeader], pixel_type: int) -> Array:
    """Decode a few slices at once, which is faster than one by one; then one by one to name a damaged file."""
    reader = sitk.ImageSeriesReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetOutputPixelType(pixel_type)
    reader.SetSpacingWarningRelThreshold(1e6)  # the spacing was checked with our own tolerance
    reader.SetFileNames([str(one.file) for one in slices])
    try:
        values: Array = sitk.GetArrayFromImage(reader.Execute())
    except RuntimeError as error:
        if len(slices) > 1:
            for one in slices:
                _decode_chunk([one], pixel_type)
        raise ImageReadError(
            f"The voxels of {slices[0].file.name} cannot be decoded.", hint="Export this file again from its source."
        ) from error
    return values.reshape(-1, *values.shape[-2:])
