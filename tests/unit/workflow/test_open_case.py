"""Drawing an open case: one plane at a time, and the coronal picture that the server draws first."""

import numpy as np
import pytest

from pet2rep_core.errors import ImageGeometryError, UnknownNameError
from pet2rep_core.imaging.display import Window, read_display
from pet2rep_core.imaging.planes import Field, Plane, fit_field, sample_plane
from pet2rep_core.imaging.prepared import PreparedCase
from pet2rep_core.imaging.render import fuse, grey, to_byte, to_level
from pet2rep_core.imaging.volume import Volume
from pet2rep_core.records import PetUnit, SuvFactors
from pet2rep_core.store import CaseRow
from pet2rep_core.workflow.open_case import SCREEN_PIXEL_MM, OpenCase, draw_coronal, draw_plane, reader_style

DISPLAY = read_display()
SHAPE, COLUMNS = (12, 9, 10), (2, 11)


def volume(values, spacing=(4.0, 4.0, 3.0), origin=(0.0, 0.0, 0.0)):
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = origin
    return Volume(values, affine)


def prepared(**changes):
    rng = np.random.default_rng(5)
    parts = {
        "key": "0" * 64,
        "pet": volume(rng.uniform(0, 8, SHAPE).astype(np.float32)),
        "pet_unit": PetUnit.SUVBW,
        "suv": SuvFactors(bw=1.0),
        "ct": volume(rng.integers(-900, 900, SHAPE, dtype=np.int16)),
        "ct_fine": volume(rng.integers(-900, 900, (40, 30, 26), dtype=np.int16), (1.25, 1.25, 1.25), (-1, -1, -1)),
        "key_slices": None,
        "columns": COLUMNS,
    }
    return PreparedCase(**{**parts, **changes})


def opened(images):
    return OpenCase(CaseRow("a", "study", "test", images.key, ""), images, None, {})


def style_of(images):
    return reader_style(images, pet_preset="suv-7", ct_preset="bone", display=DISPLAY)


@pytest.mark.parametrize("plane", list(Plane))
@pytest.mark.parametrize("smooth", [True, False])
def test_a_plane_is_the_sampled_one_in_the_style_of_the_reader(plane, smooth):
    images = prepared()
    field = fit_field(images.grid, plane, 1.1)
    planes = sample_plane(images.pet, images.ct_fine, plane, 4, field, smooth=smooth)
    ct, pet = to_byte(planes.ct, Window.of(2500, 480)), to_level(planes.pet, Window(0, 7))
    expected = {
        "ct": grey(ct),
        "pet": DISPLAY.colour_map("grey-inverted")[pet],
        "fused": fuse(ct, pet, DISPLAY.colour_map("hot"), 0.5),
    }
    for kind, picture in expected.items():
        drawn = draw_plane(images, plane, 4, field, kind=kind, style=style_of(images), display=DISPLAY, smooth=smooth)
        np.testing.assert_array_equal(drawn, picture)


def test_the_coronal_picture_is_every_kind_side_by_side_on_the_columns_of_the_patient():
    images = prepared()
    drawn = draw_coronal(opened(images), 4, pet_preset="suv-7", ct_preset="bone", display=DISPLAY)
    field = fit_field(images.grid, Plane.CORONAL, SCREEN_PIXEL_MM, (COLUMNS, (0, 9), (0, 10)))
    # Witness: 9 columns of 4 mm and 10 rows of 3 mm in pixels of 1.5 mm.
    assert (field.rows, field.columns) == (20, 24)
    panes = [
        draw_plane(images, Plane.CORONAL, 4, field, kind=kind, style=style_of(images), display=DISPLAY)
        for kind in ("ct", "pet", "fused")
    ]
    np.testing.assert_array_equal(drawn, np.concatenate(panes, axis=1))


def test_a_case_draws_the_kinds_that_it_has():
    pet_only, ct_only = prepared(ct=None, ct_fine=None), prepared(pet=None, pet_unit=None, ct_fine=None)
    field = Field(0, 1, 9, -1, 12, 10)
    for images, kind, missing in ((pet_only, "pet", "ct"), (ct_only, "ct", "fused")):
        style = style_of(images)
        alone = draw_coronal(opened(images), 0, pet_preset="suv-5", ct_preset="lung", display=DISPLAY)
        assert alone.shape == (20, 24, 3)
        assert draw_plane(images, Plane.AXIAL, 9, field, kind=kind, style=style, display=DISPLAY).any()
        with pytest.raises(ImageGeometryError, match=f"This case has no {missing} picture"):
            draw_plane(images, Plane.AXIAL, 9, field, kind=missing, style=style, display=DISPLAY)


def test_what_cannot_be_drawn_is_refused():
    empty = prepared(pet=None, pet_unit=None, ct=None, ct_fine=None)
    with pytest.raises(ImageGeometryError, match="This case has no volumes"):
        draw_coronal(opened(empty), 0, pet_preset="suv-5", ct_preset="lung", display=DISPLAY)
    with pytest.raises(ImageGeometryError, match=r"There is no coronal plane 9; planes are 0 to 8\."):
        draw_coronal(opened(prepared()), 9, pet_preset="suv-5", ct_preset="lung", display=DISPLAY)
    with pytest.raises(UnknownNameError, match="There is no PET window named 'suv-6'"):
        draw_coronal(opened(prepared()), 0, pet_preset="suv-6", ct_preset="lung", display=DISPLAY)
