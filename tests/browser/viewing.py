"""The viewer as a test sees it: what its panes show, where a pointer meets a voxel, and the same drawn in Python."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pet2rep_core.imaging.display import Display, Window, read_display
from pet2rep_core.imaging.planes import PLANE_AXES, Field, Plane, Planes, placement, shown_ct
from pet2rep_core.imaging.prepared import PreparedCase, open_prepared
from pet2rep_core.imaging.render import Picture, Style, render_planes
from pet2rep_core.imaging.volume import Volume
from pet2rep_core.settings import Settings
from pet2rep_core.workflow.open_case import draw_plane
from tests.browser.conftest import Watched

_RESET = """
  const { state, data } = viewer;
  clearInterval(viewer.turning);
  viewer.turning = 0;
  if (viewer.keys.helpShown) viewer.keys.toggleHelp();
  viewer.hover = null;
  Object.assign(state, { plane: 'coronal', layout: 'four', active: 'fused', tool: 'cross', smooth: true,
    inverted: true, crossShown: true, opacity: data.display.opacity, map: data.display.fused_map,
    petName: undefined, ctName: undefined });
  viewer.frame.dataset.tool = 'cross';
  state.openAnew(data);
  viewer.layOut();
  viewer.draw(true);
"""
_PANES = """
  const coded = canvas => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const bytes = new Uint8Array(data.length / 4 * 3);
    for (let n = 0, m = 0; n < data.length; n += 4) {
      bytes[m++] = data[n]; bytes[m++] = data[n + 1]; bytes[m++] = data[n + 2];
    }
    let text = '';
    for (let n = 0; n < bytes.length; n += 32768) text += String.fromCharCode(...bytes.subarray(n, n + 32768));
    return btoa(text);
  };
  return viewer.panes.map(({ kind, plane, field, canvas }) => ({
    kind, plane, field, rows: canvas.height, columns: canvas.width, pixels: coded(canvas),
  }));
"""


@dataclass(frozen=True, slots=True, eq=False)
class Pane:
    """What one pane shows: its pixels, and which field of which plane they are."""

    kind: str
    plane: str
    field: Field
    picture: Picture

    def at(self, across: float, down: float) -> list[int]:
        """Return the pixel over a place of the grid."""
        row = round((down - self.field.down_start) / self.field.down_step)
        column = round((across - self.field.across_start) / self.field.across_step)
        return [int(value) for value in self.picture[row, column]]


@dataclass(frozen=True, slots=True)
class Viewing:
    """The viewer of an open page."""

    watched: Watched

    def open(self, case: str, **query: str) -> None:
        """Open a case, unless it is open, and wait until all of it has come."""
        frame = self.watched.page.locator(f".viewer[data-ready^='{case}@']")
        if query.keys() - {"reader"} or not frame.count():
            self.watched.open("Review", case=case, **query)
        self.ready(case)

    def ready(self, case: str) -> None:
        """Wait until all volumes of a case are there and drawn."""
        self.watched.page.locator(f".viewer[data-ready^='{case}@'][data-shown^='{case}@']").wait_for()

    def reset(self) -> None:
        """Bring the viewer to what it shows at first, and forget what was asked for until now."""
        self.watched.page.mouse.move(2, 2)
        self.do(_RESET)
        self.watched.requests.clear()
        self.watched.sent.clear()
        self.watched.frames.clear()

    def do(self, script: str, arg: Any = None) -> Any:
        """Run a script that knows ``viewer`` and ``arg``."""
        run = f"(element, arg) => {{ const viewer = element.viewer; {script} }}"
        return self.watched.page.locator(".viewer").evaluate(run, arg)

    def press(self, *keys: str) -> None:
        """Press keys while the images have the focus."""
        self.watched.page.locator(".viewer").focus()
        for key in keys:
            self.watched.page.keyboard.press(key)

    def resting(self) -> None:
        """Wait until the viewer itself has drawn the sharp picture of what was asked last."""
        self.watched.page.locator(".viewer[data-resting=true]").wait_for()

    def mip_ready(self) -> None:
        """Wait until all frames of the MIP are made."""
        for _ in range(400):
            if self.do("return viewer.mip?.count ?? 0;") == 36:
                return
            self.watched.page.wait_for_timeout(25)
        raise AssertionError("The frames of the MIP were not made.")

    def panes(self) -> list[Pane]:
        """Return what every pane shows now; one that has just been laid out is drawn with the next frame."""
        self.watched.until(lambda: self.do("return viewer.panes.every(pane => Boolean(pane.field));"), True)
        return [
            Pane(
                kind=said["kind"],
                plane=said["plane"],
                field=_field(said["field"]),
                picture=np.frombuffer(base64.b64decode(said["pixels"]), np.uint8).reshape(
                    said["rows"], said["columns"], 3
                ),
            )
            for said in self.do(_PANES)
        ]

    def pane(self, kind: str, plane: str | None = None) -> Pane:
        """Return one pane."""
        return next(p for p in self.panes() if p.kind == kind and plane in (None, p.plane))

    def cross(self) -> list[int]:
        """Return the voxel of the grid under the crosshair."""
        found: list[int] = self.do("return viewer.state.cross;")
        return found

    def readout(self) -> str:
        """Return what stands below the panes about the voxel under the cursor."""
        return str(self.watched.page.locator(".readout").text_content())

    def pixel(self, kind: str, plane: str, across: float, down: float) -> tuple[float, float]:
        """Return where in the window a place of a pane lies, from its field and its size on the screen."""
        element = self.watched.page.locator(f".pane[data-kind='{kind}'][data-plane='{plane}']")
        box, field = element.bounding_box(), self.pane(kind, plane).field
        x = (across - field.across_start) / field.across_step + 0.5
        y = (down - field.down_start) / field.down_step + 0.5
        return box["x"] + x / field.columns * box["width"], box["y"] + y / field.rows * box["height"]


def _field(said: dict[str, Any]) -> Field:
    return Field(
        across_start=said["acrossStart"],
        across_step=said["acrossStep"],
        down_start=said["downStart"],
        down_step=said["downStep"],
        columns=said["columns"],
        rows=said["rows"],
    )


def prepared_images(home: Path, viewing: Viewing) -> PreparedCase:
    """Open the images of the case on the screen beside the app: from their files alone, the store is the app's."""
    key = viewing.do("return viewer.data.source.key;").split("@")[1]
    root = Settings(home=home, workers=1).prepared
    [folder] = root.glob(f"*/{key}*")
    return open_prepared(root, folder.name)


@dataclass(frozen=True, slots=True, eq=False)
class SentCase:
    """What the browser has of a case: both volumes as they were cut for it, and where the cut begins on the grid."""

    images: PreparedCase
    first: tuple[int, int, int]

    @classmethod
    def of(cls, images: PreparedCase, viewing: Viewing, *, coded: bool = False) -> SentCase:
        """Cut the volumes of a case as the headers of those that were sent say.

        ``coded`` rounds the PET to what its 16-bit codes can say, too.
        """
        headers = viewing.do(
            "return Object.fromEntries(Object.entries(viewer.volumes).map(([n, v]) => [n, v.header]));"
        )
        grid = images.grid
        assert grid is not None
        ct = shown_ct(images.pet, images.ct, images.ct_fine)
        cut = {}
        begins = {}
        for name, volume in (("pet", images.pet), ("ct", ct)):
            if volume is None:
                continue
            header = headers[name]
            assert header["reduction"] == [1, 1, 1]
            shift = placement(grid, volume).shift
            first = [round(a - b) for a, b in zip(shift, header["shift"], strict=True)]
            np.testing.assert_allclose(np.subtract(shift, header["shift"]), first, atol=1e-9)
            box = tuple(slice(f, f + n) for f, n in zip(first, header["shape"], strict=True))
            affine = volume.affine_lps.copy()
            affine[:3, 3] += affine[:3, :3] @ np.array(first)
            values = np.asarray(volume.values[box])
            if coded and name == "pet":
                codes = np.rint((values.astype(np.float64) - header["low"]) / header["step"])
                values = (header["low"] + codes * header["step"]).astype(np.float32)
            cut[name] = Volume(values, affine)
            begins[name] = first
        i, j, k = begins["pet" if images.pet is not None else "ct"]
        return cls(replace(images, pet=cut.get("pet"), ct=cut.get("ct"), ct_fine=None), (i, j, k))

    def draw(self, pane: Pane, index: int, style: Style, *, smooth: bool) -> Picture:
        """Draw what a pane shows with the renderer of Python."""
        display = read_display()
        plane = Plane(pane.plane)
        axes, field = PLANE_AXES[plane], pane.field
        own = index - self.first[axes.normal]
        assert self.images.grid is not None
        if not 0 <= own < self.images.grid.values.shape[axes.normal]:
            size = (field.rows, field.columns)
            nothing = Planes(pet=np.full(size, np.nan, np.float32), ct=np.full(size, -1024, np.float32))
            return render_planes(nothing, pane.kind, style, display)
        field = replace(
            field,
            across_start=field.across_start - self.first[axes.across],
            down_start=field.down_start - self.first[axes.down],
        )
        return draw_plane(self.images, plane, own, field, kind=pane.kind, style=style, display=display, smooth=smooth)


def style_of(viewing: Viewing) -> Style:
    """Return how the viewer is set now."""
    said = viewing.do(
        "const { pet, ct, map, opacity, inverted } = viewer.state; return { pet, ct, map, opacity, inverted };"
    )
    return Style(
        pet_window=Window(said["pet"]["low"], said["pet"]["high"]),
        ct_window=Window(said["ct"]["low"], said["ct"]["high"]),
        pet_map="grey-inverted" if said["inverted"] else "grey",
        fused_map=said["map"],
        opacity=said["opacity"],
    )


def presets(display: Display) -> list[dict[str, Any]]:
    """Return settings that have every PET window, CT window and fused map at least once, as the viewer's state."""
    pets = [{"name": name, "low": w.low, "high": w.high} for name, w in display.pet_windows.items()]
    cts = [{"name": name, "low": w.low, "high": w.high} for name, w in display.ct_windows.items()]
    count = max(len(pets), len(cts), len(display.fused_maps))
    return [
        {
            "pet": pets[n % len(pets)],
            "ct": cts[n % len(cts)],
            "map": display.fused_maps[n % len(display.fused_maps)],
            "opacity": (0.5, 0.25, 1.0, 0.75, 0.0)[n % 5],
            "inverted": n % 3 != 1,
        }
        for n in range(count)
    ]
