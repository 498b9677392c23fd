"""Every pixel on the screen is the one that Python draws, and the left anterior superior corner is where it belongs."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

from pet2rep_core.imaging.display import read_display
from pet2rep_core.imaging.packed import PackedHeader
from pet2rep_core.imaging.planes import PLANE_AXES, Plane
from pet2rep_core.imaging.render import Picture
from tests.browser.cases import BRIGHT, NO_SUV, PET_SIZE, PHANTOM, REAL, UNEVEN
from tests.browser.conftest import Watched
from tests.browser.server import RunningApp
from tests.browser.viewing import SentCase, Viewing, prepared_images, presets, style_of

FEW = 0.01  # share of channels that may differ by their one grey level
# Planes, zoom, and how far the middle is moved, in voxels of the grid.
_FIELDS = [(1.0, (0.0, 0.0)), (2.3, (4.25, -3.5)), (0.6, (0.0, 0.0)), (7.0, (-2.2, 5.1))]
_SET = """
  const { state } = viewer;
  Object.assign(state, arg.settings, { plane: arg.plane, smooth: arg.smooth });
  state.goTo(arg.index, arg.plane);
  const view = state.views[arg.plane];
  state.resetViews();
  state.views[arg.plane].zoom = arg.zoom;
  state.views[arg.plane].centre = state.views[arg.plane].centre.map((at, n) => at + arg.moved[n]);
  viewer.layOut();
  viewer.draw(true);
"""


@pytest.fixture(scope="module")
def viewing(kept_page: Callable[..., Watched]) -> Viewing:
    """One page for the whole file, with panes of a moderate size."""
    return Viewing(kept_page(viewport={"width": 1150, "height": 760}))


@pytest.fixture(
    scope="module", params=[PHANTOM, UNEVEN, NO_SUV, pytest.param(REAL, marks=pytest.mark.real, id="real study")]
)
def sent(app: RunningApp, viewing: Viewing, request: pytest.FixtureRequest) -> SentCase:
    """A case on the screen, as the browser has it."""
    if request.param == REAL:
        request.getfixturevalue("real_data")
    viewing.open(request.param, reader="R31")
    # A code is off by half a step at most, which a single PET colour can turn into one grey level; where CT and
    # PET are noise, some pixels in a million of the fusion come by another from rounding.
    return SentCase.of(prepared_images(app.home, viewing), viewing, coded=request.param == UNEVEN)


def _pairs(viewing: Viewing, sent: SentCase, index: int, *, smooth: bool) -> list[tuple[Picture, Picture]]:
    """Return what every pane but the MIP shows, each with the same drawn in Python."""
    panes, style = viewing.panes(), style_of(viewing)
    return [(p.picture, sent.draw(p, index, style, smooth=smooth)) for p in panes if p.kind != "mip"]


def _difference(shown: Picture, drawn: Picture) -> npt.NDArray[np.int16]:
    return np.abs(shown.astype(np.int16) - drawn)


def test_every_pixel_is_the_one_that_python_draws(viewing: Viewing, sent: SentCase) -> None:
    """Every preset and map, three planes, smooth and not, several slices, zoomed and moved fields."""
    viewing.reset()
    assert sent.images.grid is not None
    fused = sent.images.ct is not None
    assert [p.kind for p in viewing.panes() if p.kind != "mip"] == (["ct", "pet", "fused"] if fused else ["pet"])
    differing, count, contrast = 0, 0, 0
    settings = presets(read_display()) if fused else [{"inverted": True}, {"inverted": False}]
    for n, chosen in enumerate(settings):
        for m, plane in enumerate(Plane):
            zoom, moved = _FIELDS[(n + m) % len(_FIELDS)]
            axis = PLANE_AXES[plane].normal
            index = sent.first[axis] + (n + 1) * sent.images.grid.values.shape[axis] // (len(settings) + 1)
            smooth = (n + m) % 2 == 0
            asked = {"settings": chosen, "plane": str(plane), "index": index, "zoom": zoom, "moved": moved}
            viewing.do(_SET, {**asked, "smooth": smooth})
            for shown, drawn in _pairs(viewing, sent, index, smooth=smooth):
                difference = _difference(shown, drawn)
                assert difference.max() <= 1, (plane, index, chosen, zoom, smooth)
                differing += int(np.count_nonzero(difference))
                count += difference.size
                contrast = max(contrast, int(np.ptp(drawn)))
    print(f"{differing} of {count} channels differ")
    assert differing <= FEW * count
    assert contrast > 100  # or two empty screens were compared
    viewing.watched.quiet()


def test_the_picture_at_rest_is_the_sharp_one_on_a_dense_screen(
    app: RunningApp, kept_page: Callable[..., Watched]
) -> None:
    """While a reader moves, a dense screen gets fewer pixels; 140 ms later every pixel of it is drawn."""
    viewing = Viewing(kept_page(viewport={"width": 1250, "height": 800}, device_scale_factor=2))
    viewing.open(UNEVEN, reader="R31")
    viewing.reset()
    viewing.press("ArrowDown")
    index = viewing.cross()[1]
    viewing.watched.shown(index)
    viewing.resting()
    for pane in viewing.panes():
        box = viewing.watched.page.locator(f".pane[data-kind={pane.kind}]").bounding_box()
        assert abs(pane.field.columns - 2 * box["width"]) <= 2
    sent = SentCase.of(prepared_images(app.home, viewing), viewing, coded=True)
    for shown, drawn in _pairs(viewing, sent, index, smooth=True):
        assert _difference(shown, drawn).max() <= 1


def test_a_slice_outside_of_what_was_sent_shows_nothing(viewing: Viewing) -> None:
    viewing.open(UNEVEN, reader="R31")
    viewing.reset()
    viewing.do("viewer.state.views.coronal.centre = [-400, -400]; viewer.draw(true);")
    ct, pet, fused = (viewing.pane(kind).picture for kind in ("ct", "pet", "fused"))
    assert (ct.max(), pet.min(), fused.max()) == (0, 255, 0)  # air, no uptake dark on white, nothing on air


def test_the_left_anterior_superior_corner_is_where_it_belongs(viewing: Viewing) -> None:
    """It spans voxels 54-59 of 64 to the left, 4-7 of 60 from the front and 60-65 of 70 to the head (cases.py)."""
    viewing.open(PHANTOM, reader="R31")
    viewing.reset()
    middle = tuple((part.start + part.stop - 1) / 2 for part in BRIGHT)
    viewing.do("viewer.state.moveTo(arg); viewer.state.layout = 'planes'; viewer.layOut();", [56, 5, 63])
    sides = {"coronal": ("right", "top"), "axial": ("right", "top"), "sagittal": ("left", "top")}
    letters = {"coronal": "RLHF", "axial": "RLAP", "sagittal": "APHF"}
    for kind, bright, body in (("pet", 0, 204), ("ct", 255, 128)):
        # SUV 20 is above the window of 0 to 5, SUV 1 a fifth of it; W 400 L 40 puts 40 HU in the middle.
        viewing.do("viewer.setActive(arg); viewer.draw(true);", kind)
        for plane in Plane:
            pane, axes = viewing.pane(kind, plane), PLANE_AXES[plane]
            inside = middle[axes.across], middle[axes.down]
            mirrored = [PET_SIZE[axis] - 1 - at for axis, at in zip((axes.across, axes.down), inside, strict=True)]
            assert pane.at(*inside) == [bright] * 3
            for place in ((mirrored[0], inside[1]), (inside[0], mirrored[1]), mirrored):
                assert pane.at(*place) == [body] * 3
            # On the screen itself, whatever the field says.
            rows, columns = np.nonzero(pane.picture[:, :, 0] == bright)
            if kind == "pet":
                shown = {
                    "right" if columns.mean() > pane.field.columns / 2 else "left",
                    "top" if rows.mean() < pane.field.rows / 2 else "bottom",
                }
                assert shown == set(sides[plane]), plane
            figure = viewing.watched.page.locator(f".pane[data-kind={kind}][data-plane={plane}]")
            said = "".join(
                figure.locator(f".letter.{side}").inner_text() for side in ("left", "right", "top", "bottom")
            )
            assert said == letters[plane]
    viewing.watched.quiet()


def test_letters_stand_at_their_edges(viewing: Viewing) -> None:
    viewing.open(PHANTOM, reader="R31")
    viewing.reset()
    for pane in viewing.watched.page.locator(".pane").all():
        box, middle = pane.bounding_box(), {}
        for side in ("left", "right", "top", "bottom"):
            at = pane.locator(f".letter.{side}").bounding_box()
            middle[side] = (at["x"] - box["x"]) / box["width"], (at["y"] - box["y"]) / box["height"]
        assert middle["left"][0] < 0.2 < 0.8 < middle["right"][0]
        assert middle["top"][1] < 0.2 < 0.8 < middle["bottom"][1]


_MIP = """
  const made = viewer.mip.slice(arg);
  return { width: made.width, values: [...made.values].map(v => Number.isNaN(v) ? null : v) };
"""


def _mip(viewing: Viewing, frame: int) -> np.ndarray:
    """Return a frame of the MIP, (K, across)."""
    said = viewing.do(_MIP, frame)
    return np.array([np.nan if v is None else v for v in said["values"]]).reshape(-1, said["width"])


def test_the_mip_from_four_sides_is_the_maximum(viewing: Viewing, sent: SentCase) -> None:
    """From the front it is numpy's maximum along J; from behind the same mirrored."""
    viewing.reset()
    viewing.mip_ready()
    assert sent.images.pet is not None
    header = PackedHeader(**viewing.do("return viewer.volumes.pet.header;"))
    values = sent.images.pet.values
    spacing = sent.images.pet.spacing_mm
    front = np.nanmax(values, axis=1).T  # (K, I)
    side = np.nanmax(values, axis=0).T  # (K, J)
    for frame, want, step in (
        (0, front, spacing[0]),
        (9, side, spacing[1]),
        (18, front[:, ::-1], spacing[0]),
        (27, side[:, ::-1], spacing[1]),
    ):
        made = _mip(viewing, frame)
        pixel = max(spacing[:2])
        # Where each of numpy's columns lies; a smaller voxel may share a pixel with its neighbour.
        place = (np.arange(want.shape[1]) - (want.shape[1] - 1) / 2) * step / pixel + (made.shape[1] - 1) / 2
        columns = np.floor(place + 0.5 + 1e-9).astype(int)
        if step == pixel:
            np.testing.assert_allclose(made[:, columns], want, atol=0.51 * header.step)
            outside = np.delete(made, columns, axis=1)
            assert np.isnan(outside).all()
        else:
            np.testing.assert_allclose(np.nanmax(made, axis=1), want.max(axis=1), atol=0.51 * header.step)
    viewing.watched.quiet()


def test_the_mip_shows_the_corner_and_the_letters_from_every_side(viewing: Viewing) -> None:
    """From the front the patient's left is at the right, from the left side the front is at the left."""
    viewing.open(PHANTOM, reader="R31")
    viewing.reset()
    viewing.mip_ready()
    figure = viewing.watched.page.locator(".pane[data-kind=mip]")
    for frame, letters, right in ((0, "RL", True), (9, "AP", False), (18, "LR", False), (27, "PA", True)):
        viewing.do("viewer.state.frame = arg; viewer.draw(true);", frame)
        pane = viewing.pane("mip")
        rows, columns = np.nonzero(pane.picture[:, :, 0] == 0)  # SUV 20, above the window; dark on white
        assert rows.mean() < pane.field.rows / 2
        assert (columns.mean() > pane.field.columns / 2) == right, frame
        assert "".join(figure.locator(f".letter.{side}").inner_text() for side in ("left", "right")) == letters
        assert figure.locator("figcaption").inner_text().startswith(f"MIP {frame * 10}°")
