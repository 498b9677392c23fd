"""Windows and colour maps, read from ``data/display.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pet2rep_core.errors import SettingsError, UnknownNameError
from pet2rep_core.settings import DATA_DIR

LEVELS = 4096
"""Entries of a colour map: steps of PET that the screen tells apart."""


@dataclass(frozen=True, slots=True)
class Window:
    """Values from ``low`` to ``high`` are spread over black to white."""

    low: float
    high: float

    def __post_init__(self) -> None:
        """Refuse a window without width."""
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.high > self.low):
            raise SettingsError(
                f"The window {self.low:g} to {self.high:g} has no width.", hint="Give an upper value above the lower."
            )

    @classmethod
    def of(cls, width: float, center: float) -> Window:
        """Return the window that scanners call W (width) / L (center)."""
        return cls(center - width / 2, center + width / 2)


@dataclass(frozen=True, slots=True, eq=False)
class Display:
    """All presets, each table in the order of the file.

    ``colour_maps`` maps a name to a (4096, 3) uint8 table, ``colour_points`` to the points of the file that it
    was made from. ``pet_map``, ``fused_map``, ``fused_maps`` (those offered for fusion) and ``opacity`` are what
    a viewer starts with.
    """

    pet_windows: dict[str, Window]
    ct_windows: dict[str, Window]
    colour_points: dict[str, list[list[float]]]
    colour_maps: dict[str, npt.NDArray[np.uint8]]
    default_pet: str
    default_ct: str
    pet_map: str
    fused_map: str
    fused_maps: tuple[str, ...]
    opacity: float
    model_ct_z_limit: float
    model_pet: str
    model_map: str
    model_opacity: float

    def colour_map(self, name: str) -> npt.NDArray[np.uint8]:
        """Return one colour table."""
        if name not in self.colour_maps:
            raise UnknownNameError("colour map", name, self.colour_maps)
        return self.colour_maps[name]

    def pet_window(self, name: str) -> Window:
        """Return one PET window in SUV."""
        if name not in self.pet_windows:
            raise UnknownNameError("PET window", name, self.pet_windows)
        return self.pet_windows[name]

    def ct_window(self, name: str) -> Window:
        """Return one CT window in HU."""
        if name not in self.ct_windows:
            raise UnknownNameError("CT window", name, self.ct_windows)
        return self.ct_windows[name]


def colour_table(points: list[list[float]], levels: int = LEVELS) -> npt.NDArray[np.uint8]:
    """Return a colour map as a read-only (levels, 3) uint8 table.

    Between two points it is linear; level n lies at n / (levels - 1), and values are rounded half up.

    Raises
    ------
    ValueError
        If positions do not rise from 0 to 1 or a colour is not three numbers from 0 to 255.
    """
    places, *channels = np.array(points, dtype=np.float64).T
    ends = places.size > 1 and places[0] == 0 and places[-1] == 1 and bool((np.diff(places) > 0).all())
    colours = np.array(channels)
    if not ends or len(channels) != 3 or not ((colours >= 0) & (colours <= 255)).all():
        raise ValueError("a colour map needs positions rising from 0 to 1 and three colours from 0 to 255")
    at = np.arange(levels) / (levels - 1)
    table = np.stack([np.interp(at, places, channel) for channel in channels], axis=1)
    table = np.floor(table + 0.5).astype(np.uint8)
    table.setflags(write=False)
    return table


def _opacity(value: Any) -> float:
    if not 0 <= float(value) <= 1:
        raise ValueError(f"the opacity {value} is not between 0 and 1")
    return float(value)


@cache
def read_display(path: Path = DATA_DIR / "display.toml") -> Display:
    """Read windows and colour maps.

    Raises
    ------
    SettingsError
        If the file cannot be read or an entry is missing.
    """
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        pet, ct, viewer, model = raw["pet_windows"], raw["ct_windows"], raw["viewer"], raw["model_picture"]
        display = Display(
            pet_windows={name: Window(*pair) for name, pair in pet["presets"].items()},
            ct_windows={name: Window.of(entry["width"], entry["center"]) for name, entry in ct["presets"].items()},
            colour_points=dict(raw["colour_maps"]),
            colour_maps={name: colour_table(points) for name, points in raw["colour_maps"].items()},
            default_pet=pet["default"],
            default_ct=ct["default"],
            pet_map=viewer["pet_map"],
            fused_map=viewer["fused_map"],
            fused_maps=tuple(viewer["fused_maps"]),
            opacity=_opacity(viewer["opacity"]),
            model_ct_z_limit=float(model["ct_z_limit"]),
            model_pet=model["pet_window"],
            model_map=model["colour_map"],
            model_opacity=_opacity(model["opacity"]),
        )
        display.pet_window(display.default_pet), display.ct_window(display.default_ct)
        display.pet_window(display.model_pet)
        for name in (display.pet_map, *display.fused_maps, display.model_map):
            display.colour_map(name)
        if display.fused_map not in display.fused_maps:
            raise UnknownNameError("map for fusion", display.fused_map, display.fused_maps)
        return display
    except (OSError, AttributeError, LookupError, TypeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error).rstrip(".")
        raise SettingsError(
            f"{path.name} cannot be used: {reason}.", hint="Correct it, or restore it from git."
        ) from error
