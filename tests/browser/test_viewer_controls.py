"""Keys, pointer and readout of the viewer; and no word to Streamlit or the server while a reader looks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pet2rep_core.imaging.planes import PLANE_AXES, Plane, placement, shown_ct
from pet2rep_core.imaging.prepared import PreparedCase
from tests.browser.cases import NO_SUV, PET_SIZE, PHANTOM, REAL, UNEVEN
from tests.browser.conftest import Watched
from tests.browser.server import RunningApp
from tests.browser.viewing import Viewing, prepared_images

READER = "R32"
_LAST = PET_SIZE[1] - 1
_STATE = """
  const { plane, layout, active, tool, smooth, inverted, opacity, map, frame } = viewer.state;
  return { plane, layout, active, tool, smooth, inverted, opacity, map, frame, cross: viewer.state.crossShown,
    pet: viewer.state.pet.name, ct: viewer.state.ct.name, zoom: viewer.state.views[plane].zoom,
    index: viewer.state.slice(), turning: Boolean(viewer.turning), help: viewer.keys.helpShown };
"""


@pytest.fixture(scope="module")
def viewing(kept_page: Callable[..., Watched]) -> Viewing:
    """One page for the whole file."""
    return Viewing(kept_page(viewport={"width": 1366, "height": 768}))


def _letters(mm: np.ndarray) -> str:
    """Return a place in mm as the readout says it, from LPS: grows to L, P and H."""
    return "  ".join(f"{('RAF', 'LPH')[bool(at >= 0)][n]} {abs(at):.1f}" for n, at in enumerate(mm)) + " mm"


def _hu_at(images: PreparedCase, place: list[float]) -> int | None:
    """Return the CT value of the voxel that holds a place of the grid, on the CT's own grid."""
    ct = shown_ct(images.pet, images.ct, images.ct_fine)
    assert images.grid is not None
    assert ct is not None
    scale, shift = placement(images.grid, ct)
    index = tuple(int(np.floor(at * s + t + 0.5)) for at, s, t in zip(place, scale, shift, strict=True))
    inside = all(0 <= n < size for n, size in zip(index, ct.values.shape, strict=True))
    return int(ct.values[index]) if inside else None


@pytest.mark.parametrize("case", [PHANTOM, UNEVEN, pytest.param(REAL, marks=pytest.mark.real, id="real study")])
def test_suv_and_hu_under_the_cursor_are_those_of_the_original_voxels(
    app: RunningApp, viewing: Viewing, request: pytest.FixtureRequest, case: str
) -> None:
    if case == REAL:
        request.getfixturevalue("real_data")
    viewing.open(case, reader=READER)
    images = prepared_images(app.home, viewing)
    assert images.pet is not None
    rng = np.random.default_rng(3)
    box = viewing.do("return viewer.data.case.box;")
    step = viewing.do("return viewer.volumes.pet.header.step;")
    seen_hu = set()
    for kind, plane in (("fused", Plane.CORONAL), ("pet", Plane.AXIAL), ("ct", Plane.SAGITTAL), ("fused", Plane.AXIAL)):
        viewing.reset()
        voxel = [int(rng.integers(first + 2, end - 2)) for first, end in box]
        viewing.do(
            "viewer.state.moveTo(arg[0]); viewer.setPlane(arg[1]); viewer.state.views[arg[1]].zoom = 6;"
            "const { across, down } = arg[2]; viewer.state.views[arg[1]].centre = [arg[0][across], arg[0][down]];"
            "viewer.draw(true);",
            [voxel, str(plane), {"across": PLANE_AXES[plane].across, "down": PLANE_AXES[plane].down}],
        )
        axes = PLANE_AXES[plane]
        for away in ((0.0, 0.0), (1.0, -1.0), (-0.3, 0.35)):
            place: list[float] = [float(at) for at in voxel]
            place[axes.across] += away[0]
            place[axes.down] += away[1]
            viewing.watched.page.mouse.move(*viewing.pixel(kind, plane, place[axes.across], place[axes.down]))
            nearest = tuple(round(at) for at in place)
            suv, hu = float(images.pet.values[nearest]), _hu_at(images, place)
            said = viewing.readout().split(" · ")
            assert said[2:] == [
                f"({nearest[0]}, {nearest[1]}, {nearest[2]})",
                _letters(images.pet.affine_lps[:3, :3] @ nearest + images.pet.affine_lps[:3, 3]),
            ]
            if np.isnan(suv):
                assert said[0] == "SUV –"
            else:
                assert float(said[0].removeprefix("SUV ")) == pytest.approx(suv, abs=0.0051 + step)
            assert said[1] == f"HU {'–' if hu is None else hu}"
            seen_hu.add(hu)
    assert len(seen_hu) > (1 if case == PHANTOM else 6)
    viewing.watched.quiet()


def test_the_readout_of_the_bright_corner(viewing: Viewing) -> None:
    """Voxel (56, 5, 63) of 5 mm from (-160, -150, -175): L 120, A 125, H 140; SUV 20 and 1000 HU (cases.py)."""
    viewing.open(PHANTOM, reader=READER)
    viewing.reset()
    viewing.do("viewer.state.moveTo([56, 5, 63]); viewer.draw(true);")
    assert viewing.readout() == "SUV 20.00 · HU 1000 · (56, 5, 63) · L 120.0  A 125.0  H 140.0 mm"
    viewing.watched.page.mouse.move(*viewing.pixel("pet", "coronal", 20, 30))
    assert viewing.readout() == "SUV 1.00 · HU 40 · (20, 5, 30) · R 60.0  A 125.0  F 25.0 mm"
    viewing.watched.page.mouse.move(2, 2)  # away from the panes it is the crosshair's voxel again
    assert viewing.readout().startswith("SUV 20.00 · HU 1000 · (56, 5, 63)")


def test_the_crosshair_is_one_for_all_panes(viewing: Viewing) -> None:
    viewing.open(PHANTOM, reader=READER)
    viewing.reset()
    viewing.do("viewer.setActive('fused'); viewer.state.layout = 'planes'; viewer.layOut(); viewer.draw(true);")
    mouse = viewing.watched.page.mouse
    mouse.click(*viewing.pixel("fused", "coronal", 40, 50))
    j = viewing.cross()[1]
    assert viewing.cross() == [40, j, 50]
    mouse.click(*viewing.pixel("fused", "axial", 12, 33))
    assert viewing.cross() == [12, 33, 50]
    mouse.click(*viewing.pixel("fused", "sagittal", 41, 9))
    assert viewing.cross() == [12, 41, 9]
    viewing.resting()
    for plane in Plane:
        axes, cross = PLANE_AXES[plane], viewing.cross()
        at = viewing.pixel("fused", plane, cross[axes.across], cross[axes.down])
        figure = viewing.watched.page.locator(f".pane[data-plane={plane}]")
        path = str(figure.locator(".cross").get_attribute("d")).removeprefix("M").replace("V", " ").split()
        box = figure.bounding_box()
        assert float(path[0]) + box["x"] == pytest.approx(at[0], abs=1.5)


def test_a_click_on_the_mip_leads_to_the_hottest_voxel_of_the_ray(app: RunningApp, viewing: Viewing) -> None:
    viewing.open(UNEVEN, reader=READER)
    viewing.reset()
    images = prepared_images(app.home, viewing)
    assert images.pet is not None
    values = np.nan_to_num(images.pet.values, nan=-1)
    page = viewing.watched.page
    viewing.mip_ready()
    size = values.shape
    for i, k in ((5, 40), (30, 12), (41, 3)):
        viewing.do("viewer.state.frame = 0; viewer.draw(true);")
        # From the front: pixels from the middle are voxels of I, where the columns of the MIP are I wide or wider.
        spacing = images.pet.spacing_mm
        page.mouse.click(*viewing.pixel("mip", "mip", (i - (size[0] - 1) / 2) * spacing[0] / max(spacing[:2]), k))
        cross = viewing.cross()
        assert cross[2] == k
        assert abs(cross[0] - i) <= 1  # the voxels are smaller than the columns of the MIP
        ray = values[max(i - 1, 0) : i + 2, :, k]
        assert float(values[tuple(cross)]) >= float(values[i, :, k].max())
        assert float(values[tuple(cross)]) <= float(ray.max())


def test_a_click_on_the_mip_of_the_phantom_finds_the_corner_from_every_side(viewing: Viewing) -> None:
    viewing.open(PHANTOM, reader=READER)
    viewing.reset()
    for frame in (0, 9, 18, 27, 4):
        viewing.do("viewer.state.moveTo([30, 30, 30]); viewer.state.frame = arg; viewer.draw(true);", frame)
        across = viewing.do("return viewer.mip.across(viewer.state.frame, [56.5, 5.5, 62]);")
        viewing.watched.page.mouse.click(*viewing.pixel("mip", "mip", across, 62))
        i, j, k = viewing.cross()
        assert 54 <= i < 60, frame
        assert 4 <= j < 8, frame
        assert k == 62


# What is pressed, and what of the viewer's state then is how; each row goes on from the row before.
_KEYS: list[tuple[str, dict[str, Any]]] = [
    ("Home", {"index": 0}),
    ("ArrowUp", {"index": 0}),
    ("ArrowDown", {"index": 1}),
    ("PageDown", {"index": 11}),
    ("PageUp", {"index": 1}),
    ("End", {"index": _LAST}),
    ("ArrowDown", {"index": _LAST}),
    ("a", {"plane": "axial"}),
    ("End", {"index": PET_SIZE[2] - 1}),
    ("s", {"plane": "sagittal"}),
    ("Home", {"index": 0}),
    ("o", {"plane": "coronal", "index": _LAST}),
    ("ArrowRight", {"active": "mip"}),
    ("ArrowLeft", {"active": "fused"}),
    ("ArrowLeft", {"active": "pet"}),
    ("g", {"layout": "planes"}),
    ("g", {"layout": "one"}),
    ("g", {"layout": "four"}),
    ("m", {"active": "mip"}),
    ("f", {"active": "fused"}),
    ("f", {"active": "pet"}),
    ("f", {"active": "ct"}),
    ("Shift+Digit2", {"ct": "lung", "pet": "suv-5"}),
    ("Shift+Digit5", {"ct": "liver"}),
    ("f", {"active": "fused"}),
    ("Shift+Digit2", {"pet": "suv-7", "ct": "liver"}),
    ("Shift+Digit3", {"pet": "suv-10"}),
    ("Shift+Digit4", {"pet": "brain-15"}),
    ("Shift+Digit5", {"pet": "brain-15"}),  # there is no fifth
    ("Shift+Digit1", {"pet": "suv-5"}),
    ("w", {"ct": "soft-tissue"}),
    ("w", {"ct": "lung"}),
    ("Shift+W", {"ct": "soft-tissue"}),
    ("i", {"inverted": False}),
    ("i", {"inverted": True}),
    ("b", {"smooth": False}),
    ("b", {"smooth": True}),
    ("]", {"opacity": 0.6}),
    ("[", {"opacity": 0.5}),
    ("+", {"zoom": 1.25}),
    ("=", {"zoom": 1.5625}),
    ("-", {"zoom": 1.25}),
    ("z", {"zoom": 1}),
    ("t", {"turning": True}),
    ("t", {"turning": False}),
    ("x", {"cross": False}),
    ("x", {"cross": True}),
    ("d", {"tool": "window"}),
    ("v", {"tool": "sphere"}),
    ("e", {"tool": "freehand"}),
    ("l", {"tool": "line"}),
    ("y", {"tool": "liver"}),
    ("Escape", {"tool": "cross"}),
    ("?", {"help": True}),
    ("Escape", {"help": False}),
]


def test_every_key_does_its_work_without_streamlit(viewing: Viewing) -> None:
    viewing.open(PHANTOM, reader=READER)
    viewing.reset()
    viewing.watched.page.locator(".viewer").focus()
    before = viewing.do(_STATE)
    for key, changed in _KEYS:
        viewing.watched.page.keyboard.press(key)
        after = viewing.do(_STATE)
        for name, value in changed.items():
            assert after[name] == pytest.approx(value), (key, name)
        # Nothing else has changed but the frame of the MIP and what belongs to another plane.
        loose = {"frame", "index", "zoom"} if "plane" in changed or after["turning"] else {"frame"}
        kept = {name for name in after if after[name] != before[name]} - changed.keys() - loose
        assert kept == set(), key
        before = after
    viewing.press("<")
    assert viewing.do(_STATE)["frame"] == (before["frame"] - 1) % 36
    viewing.press(">", ">")
    assert viewing.do(_STATE)["frame"] == (before["frame"] + 1) % 36
    assert viewing.watched.sent == []
    viewing.watched.quiet()


def test_k_leads_through_the_key_slices_and_the_strip_shows_them(viewing: Viewing) -> None:
    viewing.open(PHANTOM, reader=READER)
    viewing.reset()
    keys = sorted(viewing.do("return viewer.data.case.key_slices;"))
    assert len(set(keys)) == 3
    viewing.press("a", "Home", "o", "Home")
    for wanted in (*keys, keys[0]):
        viewing.press("k")
        viewing.watched.shown(wanted)
    viewing.press("Shift+K")
    viewing.watched.shown(keys[-1])
    strip = viewing.watched.page.locator(".strip button[data-plane]")
    assert strip.count() == 3
    viewing.press("s")
    for button in strip.all():
        button.click()
        plane = int(str(button.get_attribute("data-plane")))
        viewing.watched.shown(plane)
        assert button.get_attribute("aria-pressed") == "true"
        assert viewing.do(_STATE)["plane"] == "coronal"
        image = button.locator("img")
        assert image.evaluate("i => i.decode().then(() => [i.naturalWidth, i.naturalHeight])") == [64, 70]
    viewing.watched.quiet()


def test_digits_c_and_r_do_nothing_and_do_not_reach_streamlit(viewing: Viewing) -> None:
    viewing.open(PHANTOM, reader=READER)
    viewing.reset()
    before = viewing.do(_STATE)
    viewing.press("1", "2", "3", "4", "5", "r", "c", "R", "C")
    viewing.watched.page.wait_for_timeout(300)
    assert viewing.do(_STATE) == before
    assert viewing.watched.page.get_by_role("dialog").count() == 0
    assert (viewing.watched.sent, viewing.watched.frames) == ([], [])
    viewing.watched.quiet()


def test_keys_in_the_rating_form_stay_there(viewing: Viewing) -> None:
    """Typing a comment moves nothing; arrows on a scale are the scale's."""
    viewing.open(UNEVEN, reader=READER)
    viewing.reset()
    page = viewing.watched.page
    before = viewing.do(_STATE)
    comment = page.get_by_role("textbox", name="Comment")
    comment.press_sequentially("asogfm k+-zx?")
    for key in ("Home", "ArrowDown", "End", "PageDown"):
        comment.press(key)
    assert comment.input_value() == "asogfm k+-zx?"
    assert viewing.do(_STATE) == before
    scale = page.get_by_role("radiogroup", name="Accuracy", exact=True)
    scale.get_by_role("radio").first.focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowUp", "End"):
        page.keyboard.press(key)
        viewing.watched.drawn()  # a person presses on when the page has answered
    assert viewing.do(_STATE) == before
    # Elsewhere on the page the keys are the viewer's: a reader need not click the images first.
    page.evaluate("() => document.activeElement.blur()")
    page.keyboard.press("ArrowDown")
    assert viewing.do(_STATE)["index"] == before["index"] + 1
    viewing.watched.quiet()


def test_wheel_slider_selections_and_drags(viewing: Viewing) -> None:
    viewing.open(PHANTOM, reader=READER)
    viewing.reset()
    page = viewing.watched.page
    viewing.press("Home")
    page.mouse.move(*viewing.pixel("fused", "coronal", 30, 30))
    for _ in range(3):
        page.mouse.wheel(0, 120)
    viewing.watched.shown(3)
    page.mouse.wheel(0, -120)
    viewing.watched.shown(2)
    page.mouse.move(*viewing.pixel("mip", "mip", 0, 30))
    page.mouse.wheel(0, 120)
    assert viewing.do(_STATE)["index"] == 2
    assert viewing.do(_STATE)["frame"] == 1
    page.locator(".slider").fill("7")
    viewing.watched.shown(7)
    assert page.locator(".position").inner_text() == f"Coronal 7 / {_LAST} · A {150 - 7 * 5:.1f} mm"
    page.get_by_role("combobox", name="PET window", exact=True).select_option("SUV 0–10")
    page.get_by_role("combobox", name="CT window", exact=True).select_option("Bone 2500/480")
    page.get_by_role("combobox", name="Colours of the fusion", exact=True).select_option("Hot iron")
    state = viewing.do(_STATE)
    assert (state["pet"], state["ct"], state["map"]) == ("suv-10", "bone", "hot-iron")
    page.locator(".bar", has_text="10 SUVbw g/mL").first.wait_for()
    viewing.resting()
    assert viewing.pane("pet").at(20, 20) == [229] * 3  # SUV 1 of 10: level 410 of 4095, 255 - 25.53
    # The right button drags the window: sideways the width.
    x, y = map(round, viewing.pixel("ct", "coronal", 30, 30))  # a wheel is at a whole pixel
    page.mouse.move(x, y)
    page.mouse.down(button="right")
    page.mouse.move(x + 20, y)
    page.mouse.up(button="right")
    window = viewing.do("return viewer.state.ct;")
    assert window["high"] - window["low"] == pytest.approx(2500 + 20 * 2500 / 200)
    assert (window["high"] + window["low"]) / 2 == pytest.approx(480)
    # The middle button moves the picture under the pointer, and the wheel with Ctrl keeps the place under it.
    page.mouse.down(button="middle")
    before = viewing.pane("ct").field.across_start
    page.mouse.move(x + 60, y)
    page.mouse.up(button="middle")
    viewing.resting()
    field = viewing.pane("ct").field
    assert field.across_start == pytest.approx(before - 40 * field.across_step, abs=1.5 * abs(field.across_step))
    place = viewing.do("return viewer.panes[0].under({ clientX: arg[0], clientY: arg[1] });", [x, y])
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    viewing.resting()
    assert viewing.do(_STATE)["zoom"] > 1.5
    assert viewing.do("return viewer.panes[0].under({ clientX: arg[0], clientY: arg[1] });", [x, y]) == pytest.approx(
        place, abs=0.05
    )
    page.mouse.dblclick(x, y)
    assert page.locator(".pane").count() == 1
    page.mouse.dblclick(x, y)
    assert page.locator(".pane").count() == 4
    viewing.watched.quiet()


def test_a_case_without_suv_speaks_of_no_suv(app: RunningApp, viewing: Viewing) -> None:
    viewing.open(NO_SUV, reader=READER)
    viewing.reset()
    page = viewing.watched.page
    warning = page.get_by_test_id("stAlert").filter(has_text="No SUV for this case")
    assert warning.inner_text() == "No SUV for this case: The files do not say when the tracer was injected."
    viewing.do("viewer.state.moveTo([56, 5, 63]); viewer.draw(true);")
    # 20 kBq/mL; without a CT nothing is said of HU.
    assert viewing.readout() == "20000 Bq/mL · (56, 5, 63) · L 120.0  A 125.0  H 140.0 mm"
    assert "Bq/mL" in page.locator(".bar").first.inner_text()
    assert page.locator(".pane").count() == 2
    said = page.locator(".viewer").evaluate("e => e.innerText + [...e.querySelectorAll('*')].map(x => x.title).join()")
    assert "SUV" not in said.replace("Sphere: drag from the centre", "")
    assert "HU" not in said
    assert page.get_by_test_id("stAlert").filter(has_text="SUV").count() == 1
    viewing.watched.quiet()
