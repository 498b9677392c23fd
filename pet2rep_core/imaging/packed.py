"""Volumes on their way to the browser: cropped, 16 bits a voxel, compressed while they are sent.

Format "p2r volume 1", a gzip stream of: the length n of the header (4 bytes, little-endian); the header, n
bytes of JSON in UTF-8, filled up with spaces so that 4 + n is a multiple of 8; then blocks of
``block_planes`` coronal planes each (the last may be shorter). A block holds its codes in the order (J, K, I),
I fastest: all low bytes, then all high bytes, which packs a fifth smaller than 16-bit numbers one by one.

The value of a code is ``low + step * code``, the code ``nan`` is no number. A place g on the case's grid lies at
``g * scale + shift`` in this volume, axis by axis.

Nothing is kept: igzip packs faster than a disk would give a file back, and memory holds one block at a time.
"""

from __future__ import annotations

import gzip
import json
import math
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from isal import isal_zlib

from pet2rep_core.errors import ImageGeometryError, ImageReadError
from pet2rep_core.imaging.planes import Box, Placement, parallel, placement
from pet2rep_core.imaging.volume import Array, Volume

FORMAT = 1
MOST_VOXELS = 100_000_000
"""A CT with more voxels is reduced: a browser tab holds about ten times as much before it is closed."""

VolumeName = Literal["pet", "ct"]
Triple = tuple[int, int, int]
_NAN = 65535
_STEPS = 65534
_BLOCK_BYTES = 2**20
_LEVEL = 1
_GZIP = 31
_TO_PLANES, _FROM_PLANES = (1, 2, 0), (2, 0, 1)


@dataclass(frozen=True, slots=True)
class PackedHeader:
    """What the browser is told about a volume.

    Parameters
    ----------
    shape : (I, J, K)
        After crop and reduction.
    type : "uint16" or "int16"
        Of the codes: PET and CT.
    low, step : float
        The value of code 0, and between two codes, in the unit of the volume.
    nan : int or None
        The code that is no number.
    scale, shift : three floats
        Index in this volume = index on the case's grid * scale + shift.
    reduction : three ints
        How many voxels along each axis became one.
    """

    name: VolumeName
    shape: Triple
    type: Literal["uint16", "int16"]
    low: float
    step: float
    nan: int | None
    block_planes: int
    scale: tuple[float, float, float]
    shift: tuple[float, float, float]
    reduction: Triple
    format: int = FORMAT

    def encode(self) -> bytes:
        """Return the beginning of the stream: the length and the JSON, filled up with spaces."""
        text = json.dumps(asdict(self), allow_nan=False).encode("utf-8")
        text += b" " * (-(4 + len(text)) % 8)
        return len(text).to_bytes(4, "little") + text


@dataclass(frozen=True, slots=True)
class PackingPlan:
    """How a volume will be packed: its header, and which of its voxels (first, one past the last) are sent."""

    header: PackedHeader
    crop: Box


def plan_volume(
    name: VolumeName, volume: Volume, grid: Volume, box: Box, *, most_voxels: int = MOST_VOXELS
) -> PackingPlan:
    """Return how a volume is packed. A PET is read once, for its range.

    Parameters
    ----------
    name : "pet" or "ct"
        A CT has whole HU (int16).
    volume : Volume
        On the grid, or a CT on a grid of its own with parallel axes.
    grid : Volume
        The case's grid.
    box : ((i0, i1), (j0, j1), (k0, k1))
        What is sent of the grid: first, one past the last.
    most_voxels : int
        A CT with more is reduced by whole factors along the axes with the smallest spacing.

    Raises
    ------
    ImageGeometryError
        If the axes are not parallel, or the PET is not on the grid.
    ImageReadError
        If the CT does not have whole HU.
    """
    place = _place_on(volume, grid)
    if name == "pet":
        if not volume.same_grid(grid):
            raise ImageGeometryError("The PET is not on the case's grid.", hint="Import the case again.")
        crop, reduction = box, (1, 1, 1)
        low, step = _range_of(_planes(volume, crop))
    else:
        if volume.values.dtype != np.int16:
            raise ImageReadError(
                f"The CT has values of type {volume.values.dtype}, not whole HU.", hint="Import the case again."
            )
        crop = _crop_of(volume, box, place)
        reduction = _reduction(volume, crop, most_voxels)
        low, step = 0.0, 1.0
    shape = _reduced_shape(crop, reduction)
    first = np.array([part[0] for part in crop])
    factor = np.array(reduction)
    header = PackedHeader(
        name=name,
        shape=shape,
        type="uint16" if name == "pet" else "int16",
        low=low,
        step=step,
        nan=_NAN if name == "pet" else None,
        block_planes=max(1, _BLOCK_BYTES // (2 * shape[0] * shape[2])),
        scale=_triple(np.array(place.scale) / factor),
        # The middle of the first block of voxels is half a block behind its first voxel.
        shift=_triple((np.array(place.shift) - first - (factor - 1) / 2) / factor),
        reduction=reduction,
    )
    return PackingPlan(header, crop)


def pack_volume(volume: Volume, plan: PackingPlan) -> Iterator[bytes]:
    """Yield the gzip stream of a volume, each chunk made when it is asked for."""
    header = plan.header
    packer = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _GZIP)
    yield packer.compress(header.encode())
    planes = _planes(volume, plan.crop)
    thick = header.block_planes * header.reduction[1]
    for first in range(0, planes.shape[0], thick):
        chunk = packer.compress(_bytes_of(planes[first : first + thick], header))
        if chunk:
            yield chunk
    yield packer.flush()


def unpack_volume(stream: bytes) -> tuple[dict[str, Any], Array]:
    """Return the header and the values of a whole stream, as the browser reads them.

    Returns
    -------
    header : dict
    values : (I, J, K) array
        float64 for a PET, int16 for a CT.

    Raises
    ------
    ImageReadError
        If the stream is cut off, damaged, or of another format.
    """
    try:
        data = gzip.decompress(stream)
        start = 4 + int.from_bytes(data[:4], "little")
        header: dict[str, Any] = json.loads(data[4:start])
        n_i, n_j, n_k = header["shape"]
        known = header["format"] == FORMAT and len(data) - start == 2 * n_i * n_j * n_k
    except (OSError, EOFError, zlib.error, ValueError, KeyError, TypeError) as error:
        raise ImageReadError("The packed volume is damaged.", hint="Fetch it again.") from error
    if not known:
        raise ImageReadError("The packed volume is of another format or cut off.", hint="Fetch it again.")
    codes = np.empty((n_j, n_k, n_i), dtype=header["type"])
    for first in range(0, n_j, header["block_planes"]):
        block = codes[first : first + header["block_planes"]]
        pairs = np.frombuffer(data, np.uint8, 2 * block.size, start + 2 * first * n_k * n_i).reshape(2, -1)
        block[...] = (pairs[0] | pairs[1].astype(np.uint16) << 8).view(header["type"]).reshape(block.shape)
    codes = codes.transpose(_FROM_PLANES)
    if header["nan"] is None:
        return header, codes
    return header, np.where(codes == header["nan"], np.nan, header["low"] + header["step"] * codes.astype(float))


def _triple(numbers: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    i, j, k = (float(number) for number in numbers)
    return i, j, k


def _place_on(volume: Volume, grid: Volume) -> Placement:
    if not (volume is grid or parallel(grid, volume) or volume.same_grid(grid)):
        raise ImageGeometryError("The axes of the volume are not parallel to the grid's.", hint="Resample it first.")
    return placement(grid, volume)


def _crop_of(volume: Volume, box: Box, place: Placement) -> Box:
    """Return the voxels that hold a box of the grid, and the neighbours that interpolation at its rim reads."""
    parts = []
    for (first, stop), scale, shift, size in zip(box, place.scale, place.shift, volume.values.shape, strict=True):
        low = min(max(math.floor((first - 0.5) * scale + shift), 0), size - 1)
        high = min(math.ceil((stop - 0.5) * scale + shift) + 1, size)
        parts.append((low, max(high, low + 1)))
    return parts[0], parts[1], parts[2]


def _reduced_shape(crop: Box, reduction: Triple) -> Triple:
    i, j, k = (-(-(stop - first) // factor) for (first, stop), factor in zip(crop, reduction, strict=True))
    return i, j, k


def _reduction(volume: Volume, crop: Box, most_voxels: int) -> Triple:
    """Return the factors that bring a crop below a number of voxels, the finest axes first."""
    factors = [1, 1, 1]
    spacing = volume.spacing_mm
    while math.prod(shape := _reduced_shape(crop, (factors[0], factors[1], factors[2]))) > most_voxels:
        # An axis that has come down to one voxel has nothing more to give.
        now = {axis: spacing[axis] * factors[axis] for axis in range(3) if shape[axis] > 1}
        for axis, distance in now.items():
            if distance <= 1.01 * min(now.values()):
                factors[axis] += 1
    return factors[0], factors[1], factors[2]


def _planes(volume: Volume, crop: Box) -> Array:
    """Return a view of the crop by coronal planes: (J, K, I) array."""
    return volume.values[tuple(slice(*part) for part in crop)].transpose(_TO_PLANES)


def _range_of(planes: Array) -> tuple[float, float]:
    """Return the value of code 0 and the step between codes; infinite values do not count."""
    low, high = math.inf, -math.inf
    for plane in planes:
        least, most = float(plane.min()), float(plane.max())
        if not (math.isfinite(least) and math.isfinite(most)):
            finite = plane[np.isfinite(plane)]
            if finite.size == 0:
                continue
            least, most = float(finite.min()), float(finite.max())
        low, high = min(low, least), max(high, most)
    if low > high:
        return 0.0, 1.0
    return low, (high - low) / _STEPS or 1.0


def _bytes_of(planes: Array, header: PackedHeader) -> bytes:
    """Return a block of (J, K, I) values as all low bytes and then all high bytes of its codes."""
    codes = _pet_codes(planes, header) if header.name == "pet" else _reduced(planes, header.reduction)
    pairs = np.ascontiguousarray(codes, dtype=codes.dtype.newbyteorder("<")).view(np.uint8).reshape(-1, 2)
    return pairs.T.tobytes()


def _pet_codes(planes: Array, header: PackedHeader) -> npt.NDArray[np.uint16]:
    # In double precision: rounding in single precision would add to the half step that a code is off by.
    codes = planes.astype(np.float64)
    missing = ~np.isfinite(codes)
    codes[missing] = header.low
    codes -= header.low
    codes /= header.step
    np.rint(codes, out=codes)
    codes[missing] = _NAN
    return codes.astype(np.uint16)


def _reduced(planes: Array, reduction: Triple) -> npt.NDArray[np.int16]:
    """Return the rounded means of blocks of (J, K, I) voxels; blocks at the end repeat the last voxel."""
    factors = tuple(reduction[axis] for axis in _TO_PLANES)
    if factors == (1, 1, 1):
        return np.asarray(planes, dtype=np.int16)
    rest = [(0, -size % factor) for size, factor in zip(planes.shape, factors, strict=True)]
    planes = np.pad(planes, rest, mode="edge")
    total = np.zeros([size // factor for size, factor in zip(planes.shape, factors, strict=True)], dtype=np.int32)
    for start in np.ndindex(factors):
        total += planes[tuple(slice(first, None, step) for first, step in zip(start, factors, strict=True))]
    return np.floor(total / math.prod(factors) + 0.5).astype(np.int16)
