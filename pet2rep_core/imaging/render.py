"""The one renderer: planes of values become pictures, for the screen and for the model.

CT values become bytes and PET values levels from 0 to 4095, so that a steep colour map shows no steps that the
values do not have. The viewer draws in the browser by the same rules; the tests compare both.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from pet2rep_core.errors import ImageGeometryError
from pet2rep_core.imaging.display import LEVELS, Display, Window
from pet2rep_core.imaging.planes import Plane, Planes, plane_values
from pet2rep_core.imaging.volume import Volume

Picture = npt.NDArray[np.uint8]
"""(rows, columns, 3) uint8, turned as :mod:`pet2rep_core.imaging.planes` says."""

_FADE_IN = LEVELS // 4
"""PET below a quarter of the window fades in, so that background does not veil the CT."""


def _spread(values: npt.NDArray[Any], window: Window, top: int) -> npt.NDArray[np.float64]:
    scaled = (values.astype(np.float64) - window.low) * top / (window.high - window.low)
    return np.asarray(np.floor(np.where(np.isnan(scaled), 0.0, np.clip(scaled, 0, top)) + 0.5))


def to_byte(values: npt.NDArray[Any], window: Window) -> npt.NDArray[np.uint8]:
    """Spread the window over 0 to 255, rounding half up; NaN becomes 0."""
    return _spread(values, window, 255).astype(np.uint8)


def to_level(values: npt.NDArray[Any], window: Window) -> npt.NDArray[np.uint16]:
    """Spread the window over 0 to 4095, the entries of a colour map, rounding half up; NaN becomes 0."""
    return _spread(values, window, LEVELS - 1).astype(np.uint16)


def grey(plane: npt.NDArray[np.uint8]) -> Picture:
    """Return one byte plane as a grey picture."""
    return np.repeat(plane[:, :, None], 3, axis=2)


def fuse(
    ct: npt.NDArray[np.uint8], pet: npt.NDArray[np.uint16], table: npt.NDArray[np.uint8], opacity: float
) -> Picture:
    """Blend PET colours over CT greys, rounding half up.

    Parameters
    ----------
    ct : (rows, columns) uint8 array
        Windowed CT.
    pet : (rows, columns) uint16 array
        Levels of the PET on the same pixels, see :func:`to_level`.
    table : (4096, 3) uint8 array
        Colour map of the PET.
    opacity : float
        0 shows CT only, 1 PET only where the uptake is above a quarter of the window.
    """
    alpha = (opacity * np.minimum(pet.astype(np.float64) / _FADE_IN, 1.0))[:, :, None]
    mixed = ct.astype(np.float64)[:, :, None] * (1 - alpha) + table[pet].astype(np.float64) * alpha
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


def render_planes(planes: Planes, kind: str, style: Style, display: Display) -> Picture:
    """Draw planes as one picture; ``kind`` is ``ct``, ``pet`` or ``fused``.

    Raises
    ------
    ImageGeometryError
        If the case does not have what ``kind`` asks for.
    """
    ct = None if planes.ct is None else to_byte(planes.ct, style.ct_window)
    pet = None if planes.pet is None else to_level(planes.pet, style.pet_window)
    if kind == "ct" and ct is not None:
        return grey(ct)
    if kind == "pet" and pet is not None:
        return np.asarray(display.colour_map(style.pet_map)[pet])
    if kind == "fused" and pet is not None and ct is not None:
        return fuse(ct, pet, display.colour_map(style.fused_map), style.opacity)
    raise ImageGeometryError(f"This case has no {kind} picture.", hint="Show one of the images that it has.")


def model_ct_window(ct: Volume | None, display: Display) -> Window:
    """Return the window of the CT in a model's pictures; it takes a look at every voxel."""
    return Window.of(400, 40) if ct is None else zscore_window(ct, limit=display.model_ct_z_limit)


def model_picture(
    pet: Volume | None,
    ct: Volume | None,
    kind: str,
    j: int,
    display: Display,
    pet_window: Window,
    ct_window: Window | None = None,
) -> Picture:
    """Draw the picture that a model gets: one pixel a voxel of the PET grid, CT z-scored over the volume.

    ``ct_window`` is that of :func:`model_ct_window`, for who draws several pictures of one case.
    """
    ct_window = ct_window or model_ct_window(ct, display)
    style = Style(
        pet_window=pet_window, ct_window=ct_window, fused_map=display.model_map, opacity=display.model_opacity
    )
    planes = Planes(
        pet=None if pet is None else plane_values(pet, Plane.CORONAL, j).astype(np.float32),
        ct=None if ct is None else plane_values(ct, Plane.CORONAL, j).astype(np.float32),
    )
    return render_planes(planes, kind, style, display)


def encode_png(picture: Picture) -> bytes:
    """Return a picture as PNG, losslessly; compression is light because it is sent at once."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()
