"""The viewer: every pixel, every key, and no word to Streamlit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pet2rep_core.imaging.display import read_display
from pet2rep_core.imaging.prepared import open_prepared
from pet2rep_core.imaging.render import Picture
from pet2rep_core.settings import Settings
from pet2rep_core.store import CaseRow
from pet2rep_core.workflow.open_case import SCREEN_PIXEL_MM, OpenCase, draw_coronal
from tests.browser.cases import BRIGHT_PLANE, LIVER_PLANE, NO_SUV, PET_MM, PET_SIZE, PHANTOM, PICTURES
from tests.browser.conftest import Watched
from tests.browser.server import RunningApp

_PIXELS = """canvas => {
  const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  let bytes = '';
  for (let n = 0; n < data.length; n += 4) bytes += String.fromCharCode(data[n], data[n + 1], data[n + 2]);
  return [canvas.height, canvas.width, btoa(bytes)];
}"""
_LAST = PET_SIZE[1] - 1


def _open(page: Watched, case: str = PHANTOM) -> None:
    page.open("Review", case=case)
    page.page.locator(".viewer[data-shown]").wait_for()


def _panes(page: Watched) -> dict[str, Picture]:
    panes = page.page.locator(".pane").all()
    return {str(p.get_attribute("data-kind")): _pixels(p.locator("canvas")) for p in panes}


def _pixels(canvas: Any) -> Picture:
    import base64

    rows, columns, data = canvas.evaluate(_PIXELS)
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(rows, columns, 3)


def _pixels_other_than(page: Watched, before: Picture) -> Picture:
    """Wait until the PET pane shows another picture, and return it."""
    for _ in range(100):
        after = _panes(page)["pet"]
        if after.shape == before.shape and not np.array_equal(after, before) and after.any():
            return after
        page.page.wait_for_timeout(50)
    raise AssertionError("The picture did not change.")


def _prepared(app: RunningApp, page: Watched) -> OpenCase:
    """Open the case beside the app: from its prepared files alone, since the store belongs to the app."""
    start = str(page.page.locator(".viewer").get_attribute("data-shown")).split("@")[1].split(":")[0]
    prepared = Settings(home=app.home, workers=1).prepared
    [folder] = prepared.glob(f"*/{start}*")
    images = open_prepared(prepared, folder.name)
    row = CaseRow(PHANTOM, "browser", "test", folder.name, "")
    return OpenCase(row, images, images.key_slices, {})


@pytest.mark.parametrize("plane", [BRIGHT_PLANE, LIVER_PLANE])
def test_every_pixel_on_the_screen_is_the_one_that_was_drawn(app: RunningApp, page: Watched, plane: int) -> None:
    _open(page)
    page.page.locator(".slider").fill(str(plane))
    page.shown(plane)
    display = read_display()
    drawn = draw_coronal(
        _prepared(app, page), plane, pet_preset=display.default_pet, ct_preset=display.default_ct, display=display
    )
    panes = _panes(page)
    assert list(panes) == ["ct", "pet", "fused"]
    np.testing.assert_array_equal(np.concatenate(list(panes.values()), axis=1), drawn)
    page.quiet()


def test_left_anterior_superior_corner_is_at_the_upper_right(page: Watched) -> None:
    """The corner spans voxels 54-60 of 64 to the left and 60-66 of 70 to the head, at 5 mm (tests.browser.cases)."""
    _open(page)
    page.page.locator(".slider").fill(str(BRIGHT_PLANE))
    page.shown(BRIGHT_PLANE)
    ct, pet, fused = _panes(page).values()
    rows, columns = ct.shape[:2]
    assert (rows, columns) == tuple(round(n * PET_MM / SCREEN_PIXEL_MM) for n in (PET_SIZE[2], PET_SIZE[0]))
    # Radiological: column 0 is the patient's right, so left voxel 57 of 64 is 57/64 of the way across;
    # row 0 is the head, so voxel 63 of 70 is 7/70 of the way down.
    inside = round(7 / 70 * rows), round(57 / 64 * columns)
    mirrored = [
        (inside[0], columns - inside[1]),
        (rows - inside[0], inside[1]),
        (rows - inside[0], columns - inside[1]),
    ]
    assert ct[inside].tolist() == [255, 255, 255]
    assert pet[inside].tolist() == [0, 0, 0]  # dark on white: SUV 20 is above the window of 0 to 5
    # W 400 L 40 puts 40 HU in the middle; SUV 1 of 5 is a fifth of the way from white to black.
    for place in mirrored:
        assert ct[place].tolist() == [128, 128, 128]
        assert pet[place].tolist() == [204, 204, 204]
        assert fused[place].tolist() != fused[inside].tolist()
    bright = np.argwhere(pet[:, :, 0] < 128)
    assert bright.min(axis=0)[0] > 0
    assert bright.max(axis=0)[0] < rows / 4
    assert bright.min(axis=0)[1] > columns * 3 / 4


def test_letters_say_which_side_is_which(page: Watched) -> None:
    _open(page)
    for pane in page.page.locator(".pane").all():
        said = {side: pane.locator(f".letter.{side}").inner_text() for side in ("left", "right", "top", "bottom")}
        assert said == {"left": "R", "right": "L", "top": "H", "bottom": "F"}
        box, middle = pane.bounding_box(), {}
        for side in said:
            at = pane.locator(f".letter.{side}").bounding_box()
            middle[side] = (at["x"] - box["x"]) / box["width"], (at["y"] - box["y"]) / box["height"]
        assert middle["left"][0] < 0.2 < 0.8 < middle["right"][0]
        assert middle["top"][1] < 0.2 < 0.8 < middle["bottom"][1]


def test_keys_wheel_slider_and_marks_move_the_plane_without_streamlit(page: Watched) -> None:
    _open(page)
    at = int(str(page.page.locator(".viewer").get_attribute("data-shown")).rsplit(":", 1)[1])
    page.page.locator(".viewer").focus()
    page.page.wait_for_timeout(500)  # what the first draw still sends belongs to it
    page.requests.clear(), page.sent.clear(), page.frames.clear()
    keys = {
        "ArrowDown": at + 1, "ArrowRight": at + 2, "ArrowUp": at + 1, "ArrowLeft": at, "PageDown": at + 5,
        "PageUp": at, "Home": 0, "End": _LAST,
    }  # fmt: skip
    for key, plane in keys.items():
        page.page.keyboard.press(key)
        page.shown(plane)
    page.page.locator(".panes").hover()
    page.page.mouse.wheel(0, -120)
    page.shown(_LAST - 3)
    page.page.locator(".slider").fill("7")
    page.shown(7)
    assert page.page.locator(".position").inner_text() == f"Coronal plane 7 / {_LAST} · y {-150 + 7 * 5:.1f} mm"
    marks = page.page.locator(".marks button")
    assert marks.count() == 3
    for mark in marks.all():
        mark.click()
        page.shown(int(mark.inner_text()))
        assert mark.get_attribute("aria-pressed") == "true"
    for key in ("r", "c"):  # Streamlit's shortcuts: rerun, and clear the cache
        page.page.locator(".viewer").focus()
        page.page.keyboard.press(key)
    page.page.wait_for_timeout(300)
    assert page.page.get_by_role("dialog").count() == 0
    assert (page.sent, page.frames) == ([], [])
    assert {url.split("?")[0].rsplit("/", 1)[0] for url in page.requests} == {f"{page.base}/api/case/{PHANTOM}/coronal"}
    page.quiet()


def test_planes_come_through_the_checked_route_and_never_twice(page: Watched) -> None:
    _open(page)
    page.page.locator(".viewer").focus()
    for _ in range(2):
        for key in ("Home", "End"):
            page.page.keyboard.press(key)
            page.shown(0 if key == "Home" else _LAST)
    pictures = [url for url in page.requests if "/coronal/" in url]
    assert len(pictures) == len(set(pictures)) > 0
    assert page.media() == []
    page.quiet()


def test_another_window_changes_the_pictures(page: Watched) -> None:
    _open(page)
    before = _panes(page)["pet"]
    page.choose("PET window", "SUV 0–10")
    page.page.locator(".bar", has_text="10 SUVbw").first.wait_for()
    plane = str(page.page.locator(".viewer").get_attribute("data-shown")).rsplit(":", 1)[1]
    assert int(plane) == 29  # the plane stays; only the picture is another
    after = _pixels_other_than(page, before)
    body = before == 204  # SUV 1 of 5; of 10 it is a tenth: 255 - 25.5, rounded half up
    assert set(after[body].tolist()) == {229}


def test_a_case_without_suv_says_so_and_speaks_of_no_suv_elsewhere(page: Watched) -> None:
    _open(page, NO_SUV)
    warning = page.page.get_by_test_id("stAlert").filter(has_text="No SUV for this case")
    assert warning.inner_text() == ("No SUV for this case: The files do not say when the tracer was injected.")
    assert "SUV" not in page.page.locator(".viewer").inner_text()
    assert page.page.get_by_test_id("stAlert").filter(has_text="SUV").count() == 1
    assert "SUV" not in " ".join(page.page.get_by_role("combobox").evaluate_all("all => all.map(one => one.value)"))
    assert page.page.locator(".pane").count() == 1
    assert "Bq/mL" in page.page.locator(".bar").inner_text()
    assert page.page.get_by_text("PET window").count() == 0
    page.quiet()


def test_pictures_of_a_case_without_volumes_are_shown(page: Watched) -> None:
    page.open("Review", case=PICTURES)
    images = page.page.locator(".p2r-strip img")
    images.nth(1).wait_for()
    assert images.count() == 2
    page.page.wait_for_function(
        "() => [...document.querySelectorAll('.p2r-strip img')].every(i => i.naturalWidth === 60)"
    )
    assert page.page.locator(".viewer").count() == 0
    assert page.media() == []
    page.quiet()


def test_the_model_strip_shows_three_pictures(page: Watched) -> None:
    _open(page)
    page.page.get_by_text("What the model sees").click()
    images = page.page.locator(".p2r-strip img")
    page.page.wait_for_function(
        "() => { const all = [...document.querySelectorAll('.p2r-strip img')];"
        " return all.length === 3 && all.every(i => i.naturalWidth === 64 && i.naturalHeight === 70); }"
    )
    assert images.count() == 3
    page.quiet()
