"""Planes on pixels: sides and letters of a phantom, and every sample against scipy's interpolation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from pet2rep_core.errors import ImageGeometryError
from pet2rep_core.imaging.planes import (
    PLANE_AXES,
    Box,
    Field,
    Plane,
    fit_field,
    parallel,
    placement,
    plane_letters,
    plane_values,
    sample_plane,
    shown_ct,
)
from pet2rep_core.imaging.volume import Array, Volume

SHAPE, SPACING, ORIGIN = (9, 7, 11), (4.07, 4.2, 3.0), (-20.0, -10.0, 5.0)
FINE_SHAPE, FINE_SPACING, FINE_ORIGIN = (33, 27, 24), (1.4, 1.3, 1.25), (-24.1, -13.3, 3.9)
ALL = list(Plane)


def volume_of(values: Array, spacing: tuple[float, ...] = SPACING, origin: tuple[float, ...] = ORIGIN) -> Volume:
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = origin
    return Volume(values, affine)


def random_pet(shape: tuple[int, ...] = SHAPE) -> Volume:
    return volume_of(np.random.default_rng(1).uniform(0, 30, shape).astype(np.float32))


def random_fine() -> Volume:
    values = np.random.default_rng(2).integers(-1024, 3000, FINE_SHAPE, dtype=np.int16)
    return volume_of(values, FINE_SPACING, FINE_ORIGIN)


def turned(volume: Volume) -> Volume:
    """The same voxels on axes that are 16 degrees off the patient's."""
    turn = np.array([[0.96, -0.28, 0], [0.28, 0.96, 0], [0, 0, 1]])
    affine = volume.affine_lps.copy()
    affine[:3, :3] = turn @ affine[:3, :3]
    return Volume(volume.values, affine)


def coordinates(plane: Plane, index: int, field: Field) -> Array:
    """Grid coordinates (3, rows, columns) of the pixels, written out plane by plane."""
    a = field.across_start + field.across_step * np.arange(field.columns)[None, :]
    d = field.down_start + field.down_step * np.arange(field.rows)[:, None]
    order = {Plane.CORONAL: (a, index, d), Plane.AXIAL: (a, d, index), Plane.SAGITTAL: (index, a, d)}[plane]
    return np.stack(np.broadcast_arrays(*(np.asarray(part, dtype=float) for part in order)))


def to_volume(grid: Volume, other: Volume, at: Array) -> Array:
    """Voxel coordinates in another volume, through millimetres and the inverse of its affine."""
    flat = np.vstack([at.reshape(3, -1), np.ones(at[0].size)])
    return (np.linalg.inv(other.affine_lps) @ grid.affine_lps @ flat)[:3].reshape(at.shape)


def witness(volume: Volume, at: Array, nothing: float, order: int) -> Array:
    """scipy.ndimage.map_coordinates, edges held for half a voxel and nothing beyond."""
    drawn = ndimage.map_coordinates(volume.values.astype(float), at, order=order, mode="nearest")
    counts = np.array(volume.values.shape)[:, None, None]
    outside = ((at < -0.5) | (at > counts - 0.5)).any(axis=0)
    return np.where(outside, nothing, drawn)


# --- sides ---


# Witness: radiological convention. The left anterior superior corner is voxel (8, 0, 10) of 9 x 7 x 11.
@pytest.mark.parametrize(
    ("plane", "index", "shape", "bright", "letters"),
    [
        (Plane.CORONAL, 0, (11, 9), (0, 8), {"left": "R", "right": "L", "top": "H", "bottom": "F"}),
        (Plane.AXIAL, 10, (7, 9), (0, 8), {"left": "R", "right": "L", "top": "A", "bottom": "P"}),
        (Plane.SAGITTAL, 8, (11, 7), (0, 0), {"left": "A", "right": "P", "top": "H", "bottom": "F"}),
    ],
)
def test_the_left_anterior_superior_corner(
    plane: Plane, index: int, shape: tuple[int, int], bright: tuple[int, int], letters: dict[str, str]
) -> None:
    values = np.zeros(SHAPE, np.float32)
    values[8, 0, 10] = 9
    phantom = volume_of(values)
    assert (phantom.affine_lps @ [8, 0, 10, 1])[:3] == pytest.approx([12.56, -10, 35])  # most left, front, up
    assert plane_letters(phantom, plane) == letters
    assert np.argwhere(plane_values(phantom, plane, index) == 9).tolist() == [list(bright)]
    for pixel_mm, smooth in product((1.0, 2.0), (True, False)):
        field = fit_field(phantom, plane, pixel_mm)
        planes = sample_plane(phantom, phantom, plane, index, field, smooth=smooth)
        for drawn in (planes.pet, planes.ct):
            assert drawn is not None
            rows, columns = np.nonzero(drawn > 4.5)
            assert rows.size
            # Where the voxel lies on the picture, as parts of its height and width.
            assert (rows // (drawn.shape[0] / shape[0]) == bright[0]).all()
            assert (columns // (drawn.shape[1] / shape[1]) == bright[1]).all()
            other = sample_plane(phantom, None, plane, 4, field, smooth=smooth).pet
            assert other is not None
            assert not other.any()


@pytest.mark.parametrize("plane", ALL)
def test_letters_come_from_the_affine(plane: Plane) -> None:
    ras = Volume(np.zeros(SHAPE), np.diag([-1.0, -1.0, 1.0, 1.0]))
    assert ras.orientation == "RAS"
    opposite = {"L": "R", "R": "L", "A": "P", "P": "A", "H": "H", "F": "F"}
    straight = plane_letters(volume_of(np.zeros(SHAPE)), plane)
    assert plane_letters(ras, plane) == {edge: opposite[letter] for edge, letter in straight.items()}


@pytest.mark.parametrize("plane", ALL)
def test_a_plane_voxel_by_voxel_is_a_view(plane: Plane) -> None:
    volume = random_pet()
    shown = plane_values(volume, plane, 3)
    assert np.shares_memory(shown, volume.values)
    straight = {
        Plane.CORONAL: volume.values[:, 3, ::-1].T,
        Plane.AXIAL: volume.values[:, :, 3].T,
        Plane.SAGITTAL: volume.values[3, :, ::-1].T,
    }[plane]
    assert np.array_equal(shown, straight)


# --- what is refused ---


@pytest.mark.parametrize(("plane", "last"), [(Plane.CORONAL, 6), (Plane.AXIAL, 10), (Plane.SAGITTAL, 8)])
def test_a_plane_outside_is_refused(plane: Plane, last: int) -> None:
    volume = random_pet()
    field = fit_field(volume, plane, 2.0)
    for index in (-1, last + 1):
        for call in (
            lambda n=index: plane_values(volume, plane, n),
            lambda n=index: sample_plane(volume, None, plane, n, field),
            lambda n=index: sample_plane(None, volume, plane, n, field),
        ):
            with pytest.raises(ImageGeometryError) as caught:
                call()
            assert caught.value.message == f"There is no {plane.value} plane {index}; planes are 0 to {last}."
    assert sample_plane(volume, None, plane, last, field).pet is not None


def test_a_volume_that_is_not_turned_is_refused() -> None:
    ras = Volume(np.zeros(SHAPE, np.float32), np.diag([-1.0, -1.0, 1.0, 1.0]))
    field = fit_field(ras, Plane.AXIAL, 1.0)
    for call in (
        lambda: plane_values(ras, Plane.AXIAL, 0),
        lambda: sample_plane(ras, None, Plane.AXIAL, 0, field),
    ):
        with pytest.raises(ImageGeometryError) as caught:
            call()
        assert caught.value.message == "The volume is in RAS order, not LPS."
        assert "to_lps" in caught.value.hint


def test_nothing_to_sample_is_refused() -> None:
    with pytest.raises(ImageGeometryError, match="The case has no volume"):
        sample_plane(None, None, Plane.AXIAL, 0, Field(0, 1, 0, 1, 1, 1))


@pytest.mark.parametrize(
    ("pixel_mm", "box", "words"),
    [
        (0.0, None, "A pixel of 0 mm"),
        (-1.0, None, "A pixel of -1 mm"),
        (float("nan"), None, "A pixel of nan mm"),
        (float("inf"), None, "A pixel of inf mm"),
        (1.0, ((0, 10), (0, 7), (0, 11)), r"The box .* is not a part of the volume \(9, 7, 11\)"),
        (1.0, ((0, 9), (-1, 7), (0, 11)), "The box"),
        (1.0, ((0, 9), (0, 7), (4, 4)), "The box"),
    ],
)
def test_a_field_that_cannot_be_is_refused(pixel_mm: float, box: Box | None, words: str) -> None:
    with pytest.raises(ImageGeometryError, match=words):
        fit_field(random_pet(), Plane.AXIAL, pixel_mm, box)


@pytest.mark.parametrize("wrong", [{"columns": 0}, {"rows": 0}, {"across_start": float("nan")}])
def test_a_field_without_pixels_or_place_is_refused(wrong: dict[str, float]) -> None:
    right = {"across_start": 0, "across_step": 1, "down_start": 0, "down_step": 1, "columns": 1, "rows": 1}
    with pytest.raises(ImageGeometryError, match="cannot be drawn there"):
        Field(**{**right, **wrong})  # type: ignore[arg-type]


# --- fields ---


@given(
    plane=st.sampled_from(ALL),
    pixel_mm=st.floats(0.3, 40),
    spacing=st.tuples(*[st.sampled_from([0.5, 1.0, 2.0, 4.07, 10.0])] * 3),
    ends=st.tuples(*[st.tuples(st.integers(0, 8), st.integers(1, 30))] * 3),
)
def test_a_field_covers_its_box(
    plane: Plane, pixel_mm: float, spacing: tuple[float, ...], ends: tuple[tuple[int, int], ...]
) -> None:
    grid = volume_of(np.zeros((40, 40, 40), np.int8), spacing)
    box = tuple((first, first + count) for first, count in ends)
    field = fit_field(grid, plane, pixel_mm, box)  # type: ignore[arg-type]
    axes = PLANE_AXES[plane]
    for places, axis, sign in ((field.across, axes.across, 1), (field.down, axes.down, axes.down_sign)):
        first, last = box[axis]
        assert (places > first - 0.5).all()
        assert (places < last - 0.5).all()
        assert (np.diff(places) * sign > 0).all()
        extent_mm, shown_mm = (last - first) * spacing[axis], len(places) * pixel_mm
        assert abs(extent_mm - shown_mm) <= pixel_mm * 0.5 + 1e-6 or len(places) == 1
        if extent_mm >= pixel_mm:  # the outer edges lie on each other
            edge = first - 0.5 if sign > 0 else last - 0.5
            assert abs(places[0] - edge) * spacing[axis] == pytest.approx(pixel_mm / 2)


def test_a_box_is_a_part_of_the_whole_picture() -> None:
    grid = volume_of(random_pet().values, (4.0, 4.0, 4.0))
    box = ((2, 7), (0, 7), (3, 9))
    whole = sample_plane(grid, grid, Plane.CORONAL, 3, fit_field(grid, Plane.CORONAL, 2.0))
    part = sample_plane(grid, grid, Plane.CORONAL, 3, fit_field(grid, Plane.CORONAL, 2.0, box))
    # Two pixels a voxel: columns from 2 * 2, and rows from 2 * (11 - 9) as the head is at the top.
    for shown, full in ((part.pet, whole.pet), (part.ct, whole.ct)):
        assert shown is not None
        assert full is not None
        assert np.array_equal(shown, full[4:16, 4:14])


@pytest.mark.parametrize("plane", ALL)
def test_pixels_of_the_voxels_size_give_the_plane_itself(plane: Plane) -> None:
    grid = volume_of(random_pet().values, (4.07, 4.07, 4.07))
    field = fit_field(grid, plane, 4.07)
    for smooth in (True, False):
        planes = sample_plane(grid, grid, plane, 5, field, smooth=smooth)
        assert planes.pet == pytest.approx(plane_values(grid, plane, 5), abs=1e-4)
        assert planes.ct == pytest.approx(plane_values(grid, plane, 5), abs=1e-4)


# --- values ---

FIELDS = [
    Field(-1.3, 0.29, 12.1, -0.31, 41, 45),  # beyond every side, against and along the axes
    Field(9.7, -0.37, -1.9, 0.33, 31, 43),
    Field(2.21, 0.011, 3.87, 0.013, 50, 40),  # far into one voxel
]


@pytest.mark.parametrize("smooth", [True, False])
@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("plane", ALL)
def test_samples_are_those_of_an_independent_program(plane: Plane, field: Field, smooth: bool) -> None:
    pet, fine = random_pet(), random_fine()
    for index in (0, 3, 6):
        planes = sample_plane(pet, fine, plane, index, field, smooth=smooth)
        assert planes.pet is not None
        assert planes.ct is not None
        assert planes.pet.dtype == planes.ct.dtype == np.float32
        assert planes.pet.shape == planes.ct.shape == (field.rows, field.columns)
        at = coordinates(plane, index, field)
        order = 1 if smooth else 0
        np.testing.assert_allclose(planes.pet, witness(pet, at, np.nan, order), atol=1e-3)
        np.testing.assert_allclose(planes.ct, witness(fine, to_volume(pet, fine, at), -1024, order), atol=1e-3)
    if field is FIELDS[0]:
        assert np.isnan(planes.pet).any()
        assert (planes.ct == -1024).any()


@pytest.mark.parametrize("plane", ALL)
def test_a_coarser_ct_and_one_on_the_grid(plane: Plane) -> None:
    pet, field = random_pet(), fit_field(random_pet(), plane, 1.3)
    coarse = volume_of(np.random.default_rng(3).integers(-99, 99, (4, 4, 4), dtype=np.int16), (9, 9, 9), (-20, -11, 3))
    for ct in (coarse, volume_of(pet.values)):
        drawn = sample_plane(pet, ct, plane, 2, field).ct
        at = to_volume(pet, ct, coordinates(plane, 2, field))
        np.testing.assert_allclose(np.asarray(drawn), witness(ct, at, -1024, 1), atol=1e-3)


def test_nearest_takes_the_upper_voxel_at_a_tie() -> None:
    pet = volume_of(np.arange(4, dtype=np.float32).reshape(4, 1, 1))
    field = Field(-0.5, 0.25, 0, 1, 17, 1)
    drawn = sample_plane(pet, None, Plane.AXIAL, 0, field, smooth=False).pet
    # Witness: floor(x + 0.5) of -0.5, -0.25, … 3.5, held at 3.
    assert drawn is not None
    assert drawn.tolist() == [[0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 3]]


@pytest.mark.parametrize("smooth", [True, False])
@pytest.mark.parametrize(
    ("place", "pet_value", "ct_value"),
    [(-0.501, np.nan, -1024), (-0.5, 7, 70), (0, 7, 70), (0.49, 7, 70), (0.5, 7, 70), (0.501, np.nan, -1024)],
)
def test_one_voxel_holds_for_half_a_voxel_around_it(
    place: float, pet_value: float, ct_value: float, smooth: bool
) -> None:
    pet = volume_of(np.full((1, 1, 1), 7, np.float32))
    ct = volume_of(np.full((1, 1, 1), 70, np.int16))
    for plane in ALL:
        for field in (Field(place, 1, 0, 1, 1, 1), Field(0, 1, place, 1, 1, 1)):
            planes = sample_plane(pet, ct, plane, 0, field, smooth=smooth)
            np.testing.assert_array_equal(np.asarray(planes.pet), [[pet_value]])
            np.testing.assert_array_equal(np.asarray(planes.ct), [[ct_value]])


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("plane", ALL)
def test_volumes_of_one_plane(plane: Plane, axis: int) -> None:
    shape = tuple(1 if n == axis else size for n, size in enumerate(SHAPE))
    fine_shape = tuple(1 if n == axis else size for n, size in enumerate(FINE_SHAPE))
    pet, rng = random_pet(shape), np.random.default_rng(4)
    fine = volume_of(rng.integers(-1000, 1000, fine_shape, dtype=np.int16), FINE_SPACING, ORIGIN)
    field = fit_field(pet, plane, 1.1)
    for smooth, order in ((True, 1), (False, 0)):
        planes = sample_plane(pet, fine, plane, 0, field, smooth=smooth)
        at = coordinates(plane, 0, field)
        np.testing.assert_allclose(np.asarray(planes.pet), witness(pet, at, np.nan, order), atol=1e-3)
        np.testing.assert_allclose(
            np.asarray(planes.ct), witness(fine, to_volume(pet, fine, at), -1024, order), atol=1e-3
        )
        assert np.isfinite(np.asarray(planes.pet)).all()


@pytest.mark.parametrize("plane", ALL)
def test_a_plane_beside_the_ct_is_air(plane: Plane) -> None:
    pet = random_pet((20, 20, 20))
    # Planes 3 to 5 of the PET along every axis; its voxels are those of the grid.
    ct = volume_of(np.full((3, 3, 3), 40, np.int16), origin=tuple(np.array(ORIGIN) + 3 * np.array(SPACING)))
    field = fit_field(pet, plane, 4.0)
    seen = [int((np.asarray(sample_plane(pet, ct, plane, n, field).ct) == 40).sum()) for n in range(20)]
    assert all(seen[3:6])
    assert not any(seen[:3] + seen[6:])


def test_nan_reaches_the_pixels_that_it_weighs_on() -> None:
    values = np.ones((3, 1, 1), np.float32)
    values[1] = np.nan
    pet = volume_of(values)
    field = Field(0, 0.25, 0, 1, 9, 1)  # 0, 0.25, … 2
    smooth = sample_plane(pet, pet, Plane.CORONAL, 0, field)
    nearest = sample_plane(pet, pet, Plane.CORONAL, 0, field, smooth=False)
    assert np.isnan(np.asarray(smooth.pet)[0]).tolist() == [False, *[True] * 7, False]
    assert np.isnan(np.asarray(smooth.ct)[0]).tolist() == [False, *[True] * 7, False]
    assert np.isnan(np.asarray(nearest.pet)[0]).tolist() == [False] * 2 + [True] * 4 + [False] * 3


@pytest.mark.parametrize("plane", ALL)
def test_nan_in_the_next_plane_is_not_seen(plane: Plane) -> None:
    values = random_pet().values.copy()
    for beside in (3, 5):
        np.moveaxis(values, PLANE_AXES[plane].normal, 0)[beside] = np.nan
    volume = volume_of(values)
    planes = sample_plane(volume, volume, plane, 4, fit_field(volume, plane, 1.7))
    assert np.isfinite(np.asarray(planes.pet)).all()
    assert np.isfinite(np.asarray(planes.ct)).all()


@given(value=st.floats(-1024, 3000, width=32), pixel_mm=st.floats(0.5, 6), plane=st.sampled_from(ALL))
def test_a_constant_stays_exactly_itself(value: float, pixel_mm: float, plane: Plane) -> None:
    # What lies on the edge between two grey levels must not be decided by rounding.
    pet = volume_of(np.full(SHAPE, value, np.float32))
    drawn = sample_plane(pet, pet, plane, 2, fit_field(pet, plane, pixel_mm))
    assert np.unique(np.asarray(drawn.pet)).tolist() == [value]
    assert np.unique(np.asarray(drawn.ct)).tolist() == [value]


@given(plane=st.sampled_from(ALL), pixel_mm=st.floats(0.5, 6), index=st.integers(0, 6))
def test_samples_stay_within_the_values_of_their_plane(plane: Plane, pixel_mm: float, index: int) -> None:
    pet = random_pet()
    drawn = np.asarray(sample_plane(pet, None, plane, index, fit_field(pet, plane, pixel_mm)).pet)
    values = plane_values(pet, plane, index)
    assert values.min() - 1e-4 <= drawn.min() <= drawn.max() <= values.max() + 1e-4


@pytest.mark.parametrize("plane", ALL)
def test_only_the_planes_beside_it_are_read(plane: Plane) -> None:
    """Memory-mapped studies are not copied for one plane: these would take terabytes."""
    normal = PLANE_AXES[plane].normal
    shape = tuple(10**9 if axis == normal else 30 for axis in range(3))
    pet = volume_of(np.broadcast_to(np.float32(3), shape))
    ct = volume_of(np.broadcast_to(np.int16(40), shape), (4.0, 4.0, 2.9))
    field = Field(0, 0.5, 0, 0.5, 9, 9)
    for smooth in (True, False):
        planes = sample_plane(pet, ct, plane, 12_345, field, smooth=smooth)
        assert np.unique(np.asarray(planes.pet)).tolist() == [3]
        assert np.unique(np.asarray(planes.ct)).tolist() == [40]


# --- which CT ---


def test_the_fine_ct_is_shown_where_it_is_parallel() -> None:
    pet, fine = random_pet(), random_fine()
    ct = volume_of(np.zeros(SHAPE, np.int16))
    assert shown_ct(pet, ct, fine) is fine
    assert shown_ct(pet, ct, None) is ct
    assert shown_ct(pet, ct, turned(fine)) is ct
    assert shown_ct(None, ct, fine) is ct
    assert shown_ct(pet, None, None) is None


def test_parallel_within_a_thousandth() -> None:
    pet = random_pet()
    for tilt, expected in ((0.0, True), (0.0009, True), (0.0011, False), (0.3, False)):
        affine = np.eye(4)
        affine[:2, :2] = [[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]]
        assert parallel(pet, Volume(pet.values, affine)) is expected
        assert parallel(Volume(pet.values, affine), pet) is expected


def test_placement() -> None:
    grid, other = random_pet(), random_fine()
    scale, shift = placement(grid, other)
    at = np.array([2.5, 1.25, 7.0]).reshape(3, 1, 1)
    assert np.array(scale) * at.ravel() + shift == pytest.approx(to_volume(grid, other, at).ravel())
    oblique = turned(grid)
    assert placement(oblique, oblique) == ((1, 1, 1), (0, 0, 0))
    assert placement(oblique, Volume(oblique.values, oblique.affine_lps.copy())) == ((1, 1, 1), (0, 0, 0))


def test_a_turned_ct_is_refused_and_a_turned_pair_is_drawn() -> None:
    pet, field = random_pet(), fit_field(random_pet(), Plane.AXIAL, 2.0)
    with pytest.raises(ImageGeometryError, match="not parallel to the grid's"):
        sample_plane(pet, turned(random_fine()), Plane.AXIAL, 2, field)
    oblique = turned(pet)
    straight, slanted = (sample_plane(v, v, Plane.AXIAL, 2, field) for v in (pet, oblique))
    assert np.array_equal(np.asarray(straight.ct), np.asarray(slanted.ct))


def test_pet_only_and_ct_only() -> None:
    volume, field = random_pet(), fit_field(random_pet(), Plane.SAGITTAL, 2.0)
    pet_only, ct_only = (sample_plane(*pair, Plane.SAGITTAL, 2, field) for pair in ((volume, None), (None, volume)))
    assert pet_only.ct is None
    assert ct_only.pet is None
    assert np.array_equal(np.asarray(pet_only.pet), np.asarray(ct_only.ct))
