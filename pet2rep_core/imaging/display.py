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
    """All presets. ``colour_maps`` maps a name to a (256, 3) uint8 table."""

    pet_windows: dict[str, Window]
    ct_windows: dict[str, Window]
    colour_maps: dict[str, npt.NDArray[np.uint8]]
    default_pet: str
    default_ct: str
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


def _table(points: list[list[float]]) -> npt.NDArray[np.uint8]:
    places, *channels = np.array(points, dtype=float).T
    at = np.linspace(0.0, 1.0, 256)
    table = np.stack([np.interp(at, places, c) for c in channels], axis=1)
    if len(channels) != 3 or not (np.diff(places) > 0).all() or table.min() < 0 or table.max() > 255:
        raise ValueError("a colour map needs rising positions and three colours from 0 to 255")
    table = np.rint(table).astype(np.uint8)
    table.setflags(write=False)
    return np.asarray(table)


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
        pet, ct, model = raw["pet_windows"], raw["ct_windows"], raw["model_picture"]
        display = Display(
            pet_windows={name: Window(*pair) for name, pair in pet["presets"].items()},
            ct_windows={name: Window.of(entry["width"], entry["center"]) for name, entry in ct["presets"].items()},
            colour_maps={name: _table(points) for name, points in raw["colour_maps"].items()},
            default_pet=pet["default"],
            default_ct=ct["default"],
            model_ct_z_limit=float(model["ct_z_limit"]),
            model_pet=model["pet_window"],
            model_map=model["colour_map"],
            model_opacity=float(model["opacity"]),
        )
        display.pet_window(display.default_pet), display.ct_window(display.default_ct)
        display.pet_window(display.model_pet), display.colour_map(display.model_map)
        return display
    except (OSError, AttributeError, LookupError, TypeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error).rstrip(".")
        raise SettingsError(
            f"{path.name} cannot be used: {reason}.", hint="Correct it, or restore it from git."
        ) from error
