"""The one renderer: planes of values become pictures, for the screen and for the model.

A coronal picture has the head at the top and the patient's right at its left (radiological). That follows
from volumes in LPS order and is the only place where axes are turned.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from pet2rep_core.errors import ImageGeometryError
from pet2rep_core.imaging.display import Display, Window
from pet2rep_core.imaging.volume import Volume

Picture = npt.NDArray[np.uint8]
"""(rows, columns, 3) uint8, row 0 is the head, column 0 the patient's right."""

_OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "S": "I", "I": "S"}
_FADE_IN = 64
"""PET below a quarter of the window fades in, so that background does not veil the CT."""


def to_byte(values: npt.NDArray[Any], window: Window) -> npt.NDArray[np.uint8]:
    """Spread the window over 0 to 255, rounding half up; NaN becomes 0."""
    scaled = (values.astype(np.float32) - np.float32(window.low)) * np.float32(255.0 / (window.high - window.low))
    return np.asarray(np.floor(np.clip(np.nan_to_num(scaled, nan=0.0), 0, 255) + 0.5).astype(np.uint8))


def coronal_plane(volume: Volume, j: int) -> npt.NDArray[Any]:
    """Return plane ``j`` as it is shown: (K, I) array, head first, the patient's right first.

    Raises
    ------
    ImageGeometryError
        If the volume is not in LPS order or has no plane ``j``.
    """
    if volume.orientation != "LPS":
        raise ImageGeometryError(
            f"The volume is in {volume.orientation} order, not LPS.", hint="Turn it with Volume.to_lps() first."
        )
    if not 0 <= j < volume.values.shape[1]:
        raise ImageGeometryError(
            f"There is no coronal plane {j}; planes are 0 to {volume.values.shape[1] - 1}.",
            hint="Choose a plane of the volume.",
        )
    return np.asarray(volume.values[:, j, ::-1].T)


def coronal_letters(volume: Volume) -> dict[str, str]:
    """Return the letters at the left, right, top and bottom of a coronal picture, from the volume's affine."""
    across, up = volume.orientation[0], volume.orientation[2]
    heads = {"S": "H", "I": "F"}
    return {
        "left": _OPPOSITE[across],
        "right": across,
        "top": heads[up],
        "bottom": heads[_OPPOSITE[up]],
    }


def grey(plane: npt.NDArray[np.uint8]) -> Picture:
    """Return one byte plane as a grey picture."""
    return np.repeat(plane[:, :, None], 3, axis=2)


def fuse(
    ct: npt.NDArray[np.uint8], pet: npt.NDArray[np.uint8], table: npt.NDArray[np.uint8], opacity: float
) -> Picture:
    """Blend PET colours over CT greys.

    Parameters
    ----------
    ct, pet : (rows, columns) uint8 arrays
        Windowed planes on the same grid.
    table : (256, 3) uint8 array
        Colour map of the PET.
    opacity : float
        0 shows CT only, 1 PET only where the uptake is above a quarter of the window.
    """
    alpha = (np.float32(opacity) * np.minimum(pet.astype(np.float32) / _FADE_IN, 1.0))[:, :, None]
    mixed = ct.astype(np.float32)[:, :, None] * (1 - alpha) + table[pet].astype(np.float32) * alpha
    return np.asarray(np.floor(mixed + 0.5).astype(np.uint8))


def zscore_window(ct: Volume, *, limit: float) -> Window:
    """Return the window that shows z-scores from -limit to +limit.

    Mean and standard deviation are over every voxel of the volume above -1000 HU, so that the air around
    the patient does not decide the contrast.
    """
    inside = ct.values[ct.values > -1000]
    if inside.size == 0 or float(inside.std()) == 0.0:
        return Window.of(400, 40)
    return Window.of(2 * limit * float(inside.std()), float(inside.mean()))


@dataclass(frozen=True, slots=True)
class Style:
    """How a plane is drawn. PET values are in the unit of the volume (SUV where it is known)."""

    pet_window: Window
    ct_window: Window
    pet_map: str = "grey-inverted"
    fused_map: str = "hot"
    opacity: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class CoronalPlanes:
    """The planes of one position on one pixel grid; ``pet`` or ``ct`` may be missing.

    Arrays are (rows, columns); ``pixel_mm`` is the size of a pixel (rows, columns).
    """

    pet: npt.NDArray[Any] | None
    ct: npt.NDArray[Any] | None
    pixel_mm: tuple[float, float]


def _interpolate(plane: npt.NDArray[Any], axis: int, places: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Read a plane linearly at fractional places along one axis; edge values are held."""
    places = np.clip(places, 0, plane.shape[axis] - 1)
    below = np.minimum(places.astype(int), max(plane.shape[axis] - 2, 0))
    above = np.minimum(below + 1, plane.shape[axis] - 1)
    part = (places - below).astype(np.float32)
    part = part[:, None] if axis == 0 else part[None, :]
    first, second = np.take(plane, below, axis=axis), np.take(plane, above, axis=axis)
    return np.asarray(first * (1 - part) + second * part, dtype=np.float32)


def sample_coronal(
    pet: Volume | None,
    ct: Volume | None,
    ct_fine: Volume | None,
    j: int,
    pixel_mm: float,
    columns: tuple[int, int] | None = None,
) -> CoronalPlanes:
    """Return plane ``j`` of a case on square pixels for the screen.

    Parameters
    ----------
    pet, ct : Volume or None
        On the same LPS grid (J and K count on it).
    ct_fine : Volume or None
        The CT on its own finer grid, shown in place of ``ct`` where both grids are parallel.
    pixel_mm : float
        Side of a pixel in mm.
    columns : (first, one past the last), optional
        Columns along I to show; all where it is left out.
    """
    grid = pet if pet is not None else ct
    if grid is None:
        raise ImageGeometryError("The case has no volume.", hint="Show its pictures instead.")
    step_i, _, step_k = grid.spacing_mm
    n_i, _, n_k = grid.values.shape
    first, last = columns or (0, n_i)
    width, rows = round((last - first) * step_i / pixel_mm), round(n_k * step_k / pixel_mm)
    at_i = first + (np.arange(width) + 0.5) * pixel_mm / step_i - 0.5
    at_row = (np.arange(rows) + 0.5) * pixel_mm / step_k - 0.5
    planes: list[npt.NDArray[Any] | None] = []
    for volume in (pet, ct):
        plane = None if volume is None else coronal_plane(volume, j)
        planes.append(None if plane is None else _interpolate(_interpolate(plane, 0, at_row), 1, at_i))
    pet_plane, ct_plane = planes
    if ct is not None and ct_fine is not None and _parallel(grid, ct_fine):
        ct_plane = _fine_plane(ct_fine, grid, j, at_i, (n_k - 1) - at_row)
    return CoronalPlanes(pet=pet_plane, ct=ct_plane, pixel_mm=(pixel_mm, pixel_mm))


def _parallel(one: Volume, other: Volume) -> bool:
    """Tell whether both grids have their axes along the patient's, within a thousandth."""
    for volume in (one, other):
        direction = volume.affine_lps[:3, :3] / np.array(volume.spacing_mm)
        if np.abs(direction - np.eye(3)).max() > 1e-3:
            return False
    return True


def _fine_plane(
    fine: Volume, grid: Volume, j: int, at_i: npt.NDArray[np.float64], at_k: npt.NDArray[np.float64]
) -> npt.NDArray[np.float32]:
    """Read the fine CT where the coarse grid's plane lies; outside it is air."""
    scale, shift = np.array(grid.spacing_mm), grid.affine_lps[:3, 3] - fine.affine_lps[:3, 3]
    fine_step = np.array(fine.spacing_mm)
    to_i = (at_i * scale[0] + shift[0]) / fine_step[0]
    to_j = (j * scale[1] + shift[1]) / fine_step[1]
    to_k = (at_k * scale[2] + shift[2]) / fine_step[2]
    n_i, n_j, n_k = fine.values.shape
    out_i = (to_i < -0.5) | (to_i > n_i - 0.5)
    out_k = (to_k < -0.5) | (to_k > n_k - 0.5)
    if not -0.5 <= to_j <= n_j - 0.5:
        return np.full((at_k.size, at_i.size), -1024, dtype=np.float32)
    first = int(np.clip(np.floor(to_j), 0, max(n_j - 2, 0)))
    part = np.float32(np.clip(to_j - first, 0, 1))
    slab = fine.values[:, first : first + 2, :].astype(np.float32)
    plane = (slab[:, 0] * (1 - part) + slab[:, -1] * part).T
    shown = _interpolate(_interpolate(plane, 0, to_k), 1, to_i)
    shown[out_k, :] = -1024
    shown[:, out_i] = -1024
    return shown


def render_planes(planes: CoronalPlanes, kind: str, style: Style, display: Display) -> Picture:
    """Draw planes as one picture; ``kind`` is ``ct``, ``pet`` or ``fused``.

    A fused picture of a case without CT is the PET in the colours of the fusion, and of a case without PET
    the CT.

    Raises
    ------
    ImageGeometryError
        If the case does not have what ``kind`` asks for.
    """
    ct = None if planes.ct is None else to_byte(planes.ct, style.ct_window)
    pet = None if planes.pet is None else to_byte(planes.pet, style.pet_window)
    if kind == "ct" and ct is not None:
        return grey(ct)
    if kind == "pet" and pet is not None:
        return np.asarray(display.colour_map(style.pet_map)[pet])
    if kind == "fused" and pet is not None and ct is not None:
        return fuse(ct, pet, display.colour_map(style.fused_map), style.opacity)
    raise ImageGeometryError(f"This case has no {kind} picture.", hint="Show one of the images that it has.")


def model_picture(
    pet: Volume | None, ct: Volume | None, kind: str, j: int, display: Display, pet_window: Window
) -> Picture:
    """Draw the picture that a model gets: one pixel a voxel of the PET grid, CT z-scored over the volume."""
    ct_window = Window.of(400, 40) if ct is None else zscore_window(ct, limit=display.model_ct_z_limit)
    style = Style(
        pet_window=pet_window, ct_window=ct_window, fused_map=display.model_map, opacity=display.model_opacity
    )
    grid = pet if pet is not None else ct
    pixel = (1.0, 1.0) if grid is None else (grid.spacing_mm[2], grid.spacing_mm[0])
    planes = CoronalPlanes(
        pet=None if pet is None else coronal_plane(pet, j),
        ct=None if ct is None else coronal_plane(ct, j),
        pixel_mm=pixel,
    )
    return render_planes(planes, kind, style, display)


def encode_png(picture: Picture) -> bytes:
    """Return a picture as PNG, losslessly; compression is light because it is sent at once."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()
