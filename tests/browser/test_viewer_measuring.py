"""Measuring on the screen: the numbers of Python, kept for their reader and for nobody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pet2rep_core.imaging.measure import liver_reference, measure_line, measure_voi
from pet2rep_core.imaging.planes import Plane
from pet2rep_core.imaging.voi import Freehand, Line, Sphere
from tests.browser.cases import NO_SUV, PHANTOM
from tests.browser.conftest import Watched
from tests.browser.server import RunningApp
from tests.browser.viewing import Viewing, prepared_images

# Middle of the bright corner and of the liver, voxels of 5 mm from (-160, -150, -175) (cases.py).
_HOT, _LIVER = (57, 5, 63), (18, 30, 32)


@pytest.fixture(scope="module")
def viewing(kept_page: Callable[..., Watched]) -> Viewing:
    """One page for the whole file; its reader measures nowhere else."""
    return Viewing(kept_page())


def _draw(viewing: Viewing, key: str, *places: tuple[float, float]) -> Any:
    """Draw with a tool on the coronal CT pane, and return what the server said."""
    viewing.press("Escape", key)
    mouse = viewing.watched.page.mouse
    pixels = [viewing.pixel("ct", "coronal", *place) for place in places]
    mouse.move(*pixels[0])
    with viewing.watched.page.expect_response(lambda answer: answer.url.endswith("/measure")) as answered:
        mouse.down()
        for pixel in pixels[1:]:
            mouse.move(*pixel)
        mouse.up()
    assert answered.value.status == 200, answered.value.text()
    said = answered.value.json()
    viewing.press("Escape")
    return said


def _rows(viewing: Viewing, count: int) -> list[list[str]]:
    """Return the cells of the table, once it has as many rows."""
    from playwright.sync_api import expect

    rows = viewing.watched.page.locator(".measured tr:has(td)")
    expect(rows).to_have_count(count)
    return [[str(cell) for cell in row.locator("td").all_inner_texts()][:-1] for row in rows.all()]


def _mm(i: float, j: float, k: float) -> tuple[float, float, float]:
    return -160 + 5 * i, -150 + 5 * j, -175 + 5 * k


def test_a_sphere_a_liver_reference_an_outline_and_a_line(
    app: RunningApp, viewing: Viewing, new_page: Callable[..., Watched]
) -> None:
    viewing.open(PHANTOM, reader="R38")
    viewing.reset()
    images = prepared_images(app.home, viewing)
    viewing.do("viewer.moveTo(arg); viewer.draw(true);", list(_HOT))
    said = _draw(viewing, "v", (57, 63), (58, 63), (60, 63))
    assert said["shape"]["centre_mm"] == pytest.approx(_mm(*_HOT), abs=2.5)  # a pixel of the screen
    sphere = Sphere(tuple(said["shape"]["centre_mm"]), said["shape"]["diameter_mm"])
    assert sphere.diameter_mm == pytest.approx(30, abs=4)
    want = measure_voi(images, sphere)
    assert want.uptake is not None
    assert want.hu is not None
    first = want.segments[0]
    assert (first.volume_ml is not None, first.total is not None) == (True, True)
    [row] = _rows(viewing, 1)
    assert row[1:] == [
        "20.00", f"{want.uptake.mean:.2f}", _number(want.uptake.peak.value), f"{want.volume_ml:.1f}",
        f"{want.hu.mean:.0f}", f"{first.volume_ml:.1f}", f"{first.total:.1f}",
    ]  # fmt: skip
    threshold = viewing.watched.page.get_by_role("combobox", name="Threshold")
    options = threshold.locator("option").all_inner_texts()
    assert options == ["41 % of max", "SUV 2.5", "SUV 4.0", "PERCIST (liver)"]
    for n, segment in enumerate(want.segments):
        threshold.select_option(index=n)
        [row] = _rows(viewing, 1)
        assert row[-2:] == ["–" if v is None else f"{v:.1f}" for v in (segment.volume_ml, segment.total)]
    assert row[-2:] == ["–", "–"]  # no liver reference yet

    viewing.do("viewer.moveTo(arg); viewer.draw(true);", list(_LIVER))
    liver_said = _draw(viewing, "y", (18, 32))
    assert (liver_said["role"], liver_said["shape"]["diameter_mm"]) == ("liver", 30)
    reference = liver_reference(images, Sphere(tuple(liver_said["shape"]["centre_mm"]), 30))
    assert (reference.mean, reference.sd) == (4.0, 0.0)  # the liver is SUV 4 everywhere
    percist = measure_voi(images, sphere, liver=reference).segments[-1]
    assert percist.value == 6
    liver = _rows(viewing, 2)[1]
    hot = _wait_for_cell(viewing, 0, -2, f"{percist.volume_ml:.1f}")
    assert hot[-1] == f"{percist.total:.1f}"
    assert liver[0] == "Liver reference 2"
    assert liver[1:3] == ["4.00", "4.00"]

    corners = [(12, 28), (24, 28), (24, 36), (12, 36)]
    outline_said = _draw(viewing, "e", *corners)
    shape = outline_said["shape"]
    assert (shape["kind"], shape["plane"], shape["index"]) == ("freehand", "coronal", _LIVER[1])
    outline = Freehand(Plane.CORONAL, _LIVER[1], tuple(tuple(point) for point in shape["points_mm"]))
    want = measure_voi(images, outline)
    row = _rows(viewing, 3)[2]
    assert want.uptake is not None
    assert row[:4] == ["Freehand 3", "4.00", "4.00", _number(want.uptake.peak.value)]
    assert row[4] == f"{want.volume_ml:.1f}"
    assert want.volume_ml == pytest.approx(12 * 8 * 13 * 0.125, rel=0.25)  # half of its 60 mm to the front and the back

    line_said = _draw(viewing, "l", (12, 32), (24, 32))
    shape = line_said["shape"]
    want_line = measure_line(images, Line(tuple(shape["start_mm"]), tuple(shape["end_mm"])))
    assert want_line.length_mm == pytest.approx(60, abs=3)
    row = _rows(viewing, 4)[3]
    assert row[:2] == ["Line 4", f"{want_line.length_mm:.1f} mm"]

    # Another reader sees none of it; a reload brings the own ones back; Delete takes back the chosen one.
    other = Viewing(new_page())
    other.open(PHANTOM, reader="R39")
    other.watched.page.wait_for_timeout(300)
    assert _rows(other, 0) == []
    said_to_other = b"".join(other.watched.frames).decode("utf-8", errors="replace")
    assert line_said["kept"]["id"] not in said_to_other
    other.watched.quiet()

    before = _rows(viewing, 4)
    viewing.watched.page.reload()
    viewing.watched.drawn()
    viewing.ready(PHANTOM)
    threshold.select_option(label="PERCIST (liver)")
    # What was measured anew for the liver reference comes back later, so that the numbers before the rows may change.
    assert sorted(row[1:] for row in _rows(viewing, 4)) == sorted(row[1:] for row in before)
    for left in (3, 2, 1, 0):
        viewing.press("Delete")
        _rows(viewing, left)
    viewing.watched.page.reload()
    viewing.watched.drawn()
    viewing.ready(PHANTOM)
    assert _rows(viewing, 0) == []
    viewing.watched.quiet()


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _wait_for_cell(viewing: Viewing, row: int, cell: int, wanted: str) -> list[str]:
    """Return a row once a cell of it says what is wanted; the PERCIST threshold comes a moment later."""
    for _ in range(100):
        found = _rows(viewing, 2)[row]
        if found[cell] == wanted:
            return found
        viewing.watched.page.wait_for_timeout(30)
    raise AssertionError(f"Cell {cell} of {found} does not say {wanted}.")


def test_the_outline_lies_where_it_was_drawn(viewing: Viewing) -> None:
    """The circle on the screen has its middle and its radius where the sphere has them, and shrinks beside it."""
    viewing.open(PHANTOM, reader="R38")
    viewing.reset()
    viewing.do("viewer.moveTo(arg); viewer.draw(true);", list(_LIVER))
    said = _draw(viewing, "v", (18, 32), (22, 32))
    radius = said["shape"]["diameter_mm"] / 2
    assert radius == pytest.approx(20, abs=1)
    _rows(viewing, 1)
    widths = []
    for j in (30, 33, 36):
        viewing.do("viewer.state.goTo(arg); viewer.draw(true);", j)
        region = viewing.watched.page.locator(".pane[data-kind=ct] .region")
        widths.append(region.evaluate("e => e.getBBox().width") if region.count() else 0.0)
    per_mm = (viewing.pixel("ct", "coronal", 22, 32)[0] - viewing.pixel("ct", "coronal", 14, 32)[0]) / 40
    # 15 mm beside its middle the circle of a sphere is smaller; at 30 mm there is none.
    assert widths[0] == pytest.approx(2 * radius * per_mm, abs=1)
    assert widths[1] == pytest.approx(2 * np.sqrt(radius**2 - 15**2) * per_mm, abs=1)
    assert widths[2] == 0
    viewing.press("Delete")
    _rows(viewing, 0)


def test_without_suv_there_is_no_liver_reference_and_no_suv(viewing: Viewing) -> None:
    viewing.open(NO_SUV, reader="R38")
    viewing.reset()
    viewing.do("viewer.moveTo(arg); viewer.draw(true);", list(_HOT))
    viewing.press("y")
    assert viewing.do("return viewer.state.tool;") == "cross"
    assert viewing.watched.page.locator("button[aria-label='Liver reference']").count() == 0
    viewing.press("v")
    viewing.watched.page.mouse.click(*viewing.pixel("pet", "coronal", 57, 63))
    [row] = _rows(viewing, 1)
    assert row[1] == "20000.00"
    assert "SUV" not in viewing.watched.page.locator(".measured").inner_text()
    viewing.press("Escape", "Delete")
    _rows(viewing, 0)
    viewing.watched.quiet()
