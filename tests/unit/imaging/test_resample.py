"""CT on the PET grid: padding, interpolation against bare SimpleITK, grids that do not belong together."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from pet2rep_core.errors import ImageGeometryError
from pet2rep_core.imaging.resample import AIR_HU, clamp_padding, ct_on_pet_grid, shared_extent, world_box_mm
from pet2rep_core.imaging.volume import Array, Volume, volume_to_sitk

PADDING = -3024


def grid(shape: tuple[int, int, int], spacing: tuple[float, float, float], origin: tuple[float, float, float]) -> Array:
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = origin
    return affine


def pet_of(shift: tuple[float, float, float] = (0, 0, 0)) -> Volume:
    """30 x 24 x 10 voxels of 4, 4 and 3 mm whose box is 120 x 96 x 30 mm around the origin."""
    origin = np.array([-58.0, -46.0, -13.5]) + shift
    return Volume(np.zeros((30, 24, 10), np.float32), grid((30, 24, 10), (4, 4, 3), tuple(origin)))


def ct_of(rotation_deg: float = 0.0) -> Volume:
    """Noise of tissue within a circle of 45 mm, padding around it, on voxels of 1.1, 1.1 and 2.5 mm."""
    shape, spacing = (110, 90, 13), (1.1, 1.1, 2.5)
    affine = grid(shape, spacing, tuple(-(n - 1) / 2 * s for n, s in zip(shape, spacing, strict=True)))
    i, j = np.indices(shape[:2])
    x, y = i * 1.1 + affine[0, 3], j * 1.1 + affine[1, 3]
    values = np.random.default_rng(3).integers(-60, 90, shape).astype(np.int16)
    values[x**2 + y**2 > 45**2] = PADDING
    turn = np.deg2rad(rotation_deg)
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    affine[:3] = rotation @ affine[:3]
    return Volume(values, affine)


def bare(ct: sitk.Image, pet: Volume) -> Array:
    """Witness: SimpleITK alone."""
    moved = sitk.Resample(ct, volume_to_sitk(pet), sitk.Transform(), sitk.sitkLinear, -1024.0, sitk.sitkInt16)
    return np.asarray(sitk.GetArrayFromImage(moved).T)


@pytest.mark.parametrize("rotation_deg", [0.0, 12.0])
def test_equals_simpleitk_on_the_clamped_image_bit_for_bit(rotation_deg: float) -> None:
    ct, pet = ct_of(rotation_deg), pet_of()
    clamped = sitk.Clamp(volume_to_sitk(ct), sitk.sitkInt16, -1024.0, 32767.0)
    ours = ct_on_pet_grid(ct, pet)
    assert ours.values.dtype == np.int16
    assert np.array_equal(ours.values, bare(clamped, pet))
    assert ours.same_grid(pet, tolerance_mm=0)
    assert np.ptp(ours.values) > 1000


def test_padding_neither_shows_nor_bleeds() -> None:
    ct, pet = ct_of(12.0), pet_of()
    ours = ct_on_pet_grid(ct, pet).values
    assert ours.min() == AIR_HU
    # Counter-example: the wrong order, which pulls voxels on the circle towards -3024 before it is cut off.
    wrong = np.maximum(bare(volume_to_sitk(ct), pet), -1024)
    on_circle = wrong != ours
    assert on_circle.sum() > 50
    assert (wrong[on_circle] < ours[on_circle]).all()
    assert (ours - wrong).max() > 300
    # Half air and half tissue is the least that a voxel between them can be, not -1024.
    inside = np.abs(ours - wrong) > 300
    assert (ours[inside] > AIR_HU).all()


def test_outside_the_ct_is_air() -> None:
    ct = ct_of()
    full = Volume(np.full_like(ct.values, 40), ct.affine_lps)
    wide = pet_of()
    moved = ct_on_pet_grid(full, Volume(wide.values, grid((30, 24, 10), (6, 6, 3), (-87, -69, -13.5)))).values
    assert moved[0, 0, 5] == AIR_HU
    assert moved[15, 12, 5] == 40


def test_an_identical_grid_passes_through() -> None:
    pet = pet_of()
    values = np.arange(pet.values.size, dtype=np.int16).reshape(pet.values.shape) - 2000
    nearly = pet.affine_lps.copy()
    nearly[0, 3] += 0.005
    moved = ct_on_pet_grid(Volume(values, nearly), pet)
    assert np.array_equal(moved.values, np.maximum(values, -1024))
    assert np.array_equal(moved.affine_lps, pet.affine_lps)


@pytest.mark.parametrize(
    ("shift", "sentence"),
    [
        ((84, 0, 0), "The CT covers only 30% of the PET left to right; they may not be of one examination."),
        ((-84, 0, 0), "The CT covers only 30% of the PET left to right; they may not be of one examination."),
        ((0, 72, 0), "The CT covers only 25% of the PET front to back; they may not be of one examination."),
        ((0, 0, 18), "The CT covers only 40% of the PET head to foot; they may not be of one examination."),
        ((0, 0, 500), "The CT covers only 0% of the PET head to foot; they may not be of one examination."),
    ],
)
def test_barely_overlapping_grids_are_refused(shift: tuple[float, float, float], sentence: str) -> None:
    ct = Volume(np.zeros((60, 48, 15), np.int16), grid((60, 48, 15), (2, 2, 2), (-59, -47, -14)))
    assert shared_extent(pet_of(), ct) == pytest.approx([1, 1, 1])
    with pytest.raises(ImageGeometryError) as caught:
        ct_on_pet_grid(ct, pet_of(shift))
    assert caught.value.message == sentence
    assert "belong together" in caught.value.hint


def test_just_over_half_is_taken() -> None:
    ct = Volume(np.zeros((60, 48, 15), np.int16), grid((60, 48, 15), (2, 2, 2), (-59, -47, -14)))
    pet = pet_of((0, 0, 14.9))
    assert shared_extent(pet, ct)[2] == pytest.approx(15.1 / 30)
    assert ct_on_pet_grid(ct, pet).values.shape == pet.values.shape


def test_the_world_box_holds_the_voxels_edges() -> None:
    low, high = world_box_mm(pet_of())
    assert (low, high) == (pytest.approx([-60, -48, -15]), pytest.approx([60, 48, 15]))


@given(st.tuples(*[st.floats(-300, 300)] * 3))
def test_shares_are_shares(shift: tuple[float, float, float]) -> None:
    shared = shared_extent(pet_of(), pet_of(shift))
    expected = np.clip(1 - np.abs(shift) / np.array([120, 96, 30]), 0, 1)
    assert shared == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("dtype", "given_hu", "expected"),
    [
        (np.int16, [-3024, -1025, -1024, 0, 3071], [-1024, -1024, -1024, 0, 3071]),
        (np.int32, [-100000, 100000], [-1024, 32767]),
        (np.uint16, [0, 1500, 65535], [0, 1500, 32767]),
        (np.uint8, [0, 255], [0, 255]),
        (np.int8, [-128, 127], [-128, 127]),
        (np.float32, [-3024.0, -0.6, 40.4, 1e9], [-1024, -1, 40, 32767]),
        (np.float64, [-np.inf, np.inf], [-1024, 32767]),
    ],
)
def test_clamping_every_type_of_file(dtype: type, given_hu: list[float], expected: list[int]) -> None:
    values = clamp_padding(Volume(np.array(given_hu, dtype).reshape(-1, 1, 1), np.eye(4))).values
    assert values.dtype == np.int16
    assert values.ravel().tolist() == expected
