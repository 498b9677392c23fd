"""Orientation and grids, with SimpleITK and nibabel as witnesses."""

import itertools

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from pet2rep_core.errors import ImageGeometryError
from pet2rep_core.imaging.volume import Array, Volume, volume_from_sitk, volume_to_sitk

SHAPE, SPACING, ORIGIN = (5, 6, 7), (2.0, 3.0, 4.0), (-11.0, 23.0, -301.0)
CORNER = (4, 0, 6)  # left, anterior, superior in an LPS array
ORIENTATIONS = list(itertools.product(itertools.permutations(range(3)), itertools.product((1, -1), repeat=3)))
OBLIQUE = np.array([[0.936, -0.352, 0.0], [0.352, 0.936, 0.0], [0.0, 0.0, 1.0]])  # about 20 degrees around the body


def phantom() -> Volume:
    """Every voxel has a value of its own; the brightest lies in the left anterior superior corner."""
    values = np.random.default_rng(5).permutation(np.prod(SHAPE)).reshape(SHAPE).astype(np.float32)
    values[CORNER] = 9999
    affine = np.diag([*SPACING, 1.0])
    affine[:3, 3] = ORIGIN
    return Volume(values, affine)


def turned(volume: Volume, axes: tuple[int, ...], signs: tuple[int, ...], rotation: Array | None = None) -> Volume:
    """The same voxels in another order, by numpy alone; its new axis n is the old axis ``axes[n]``."""
    values = volume.values.transpose(axes)
    affine = volume.affine_lps.copy()
    affine[:3, :3] = volume.affine_lps[:3, axes]
    for axis, sign in enumerate(signs):
        if sign < 0:
            values = np.flip(values, axis)
            affine[:3, 3] += affine[:3, axis] * (values.shape[axis] - 1)
            affine[:3, axis] *= -1
    if rotation is not None:
        affine[:3] = rotation @ affine[:3]
    return Volume(values, affine)


def world_of_brightest(volume: Volume) -> Array:
    index = np.unravel_index(int(volume.values.argmax()), volume.values.shape)
    return volume.affine_lps[:3] @ [*index, 1]


def test_there_are_48_orientations() -> None:
    letters = {turned(phantom(), *how).orientation for how in ORIENTATIONS}
    assert len(letters) == 48
    assert {frozenset(one) for one in letters} == {frozenset(p) for p in itertools.product("LR", "PA", "SI")}


@pytest.mark.parametrize("rotation", [None, OBLIQUE], ids=["straight", "oblique"])
@pytest.mark.parametrize(("axes", "signs"), ORIENTATIONS)
def test_to_lps_from_every_orientation(axes: tuple[int, ...], signs: tuple[int, ...], rotation: Array | None) -> None:
    given = turned(phantom(), axes, signs, rotation)
    lps = given.to_lps()
    assert lps.orientation == "LPS"
    assert np.unravel_index(int(lps.values.argmax()), SHAPE) == CORNER
    assert np.array_equal(lps.values, phantom().values)
    assert lps.spacing_mm == pytest.approx(SPACING, abs=1e-3)
    assert world_of_brightest(lps) == pytest.approx(world_of_brightest(given), abs=1e-9)
    # Witness: SimpleITK's own reordering of the same image.
    witness = volume_from_sitk(sitk.DICOMOrient(volume_to_sitk(given), "LPS"))
    assert np.array_equal(lps.values, witness.values)
    assert lps.affine_lps == pytest.approx(witness.affine_lps, abs=1e-6)


def test_letters_are_those_of_nibabel_in_its_own_world() -> None:
    for how in ORIENTATIONS:
        volume = turned(phantom(), *how)
        # Witness: nibabel, whose world grows right, anterior, superior.
        codes = nibabel.aff2axcodes(np.diag([-1, -1, 1, 1]) @ volume.affine_lps)
        assert volume.orientation == "".join(codes)


@pytest.mark.parametrize("rotation", [None, OBLIQUE], ids=["straight", "oblique"])
def test_sitk_and_back(rotation: Array | None) -> None:
    volume = turned(phantom(), (2, 0, 1), (-1, 1, -1), rotation)
    image = volume_to_sitk(volume)
    assert image.GetSize() == volume.values.shape
    # Witness: SimpleITK's value and place of one voxel, by its own index.
    assert image[1, 2, 3] == volume.values[1, 2, 3]
    assert image.TransformIndexToPhysicalPoint((1, 2, 3)) == pytest.approx(volume.affine_lps[:3] @ [1, 2, 3, 1])
    back = volume_from_sitk(image)
    assert np.array_equal(back.values, volume.values)
    assert back.affine_lps == pytest.approx(volume.affine_lps, abs=1e-9)


@given(
    shift=st.floats(-1, 1),
    axis=st.integers(0, 2),
    stretch=st.floats(0.99, 1.01),
)
def test_same_grid_asks_for_both_corners(shift: float, axis: int, stretch: float) -> None:
    one = phantom()
    affine = one.affine_lps.copy()
    affine[axis, 3] += shift
    affine[axis, axis] *= stretch
    other = Volume(one.values, affine)
    near = shift
    far = shift + SPACING[axis] * (stretch - 1) * (SHAPE[axis] - 1)
    if abs(max(abs(near), abs(far)) - 0.01) > 1e-6:
        assert one.same_grid(other) == other.same_grid(one) == (max(abs(near), abs(far)) < 0.01)


def test_same_grid_needs_the_same_shape() -> None:
    one = phantom()
    assert one.same_grid(Volume(one.values * 2, one.affine_lps.copy()))
    assert not one.same_grid(Volume(one.values[:-1], one.affine_lps))


@pytest.mark.parametrize(
    ("shape", "affine", "sentence"),
    [
        ((4, 4), np.eye(4), "The volume has shape (4, 4), not three dimensions."),
        ((4, 4, 4, 2), np.eye(4), "The volume has shape (4, 4, 4, 2), not three dimensions."),
        ((4, 0, 4), np.eye(4), "The volume has shape (4, 0, 4), not three dimensions."),
        ((4, 4, 4), np.eye(3), "The volume has no finite affine."),
        ((4, 4, 4), np.diag([1, np.nan, 1, 1]), "The volume has no finite affine."),
        ((4, 4, 4), np.diag([1, 1, 0, 1]), "The volume's axes do not span three dimensions."),
    ],
)
def test_refusals(shape: tuple[int, ...], affine: Array, sentence: str) -> None:
    with pytest.raises(ImageGeometryError) as caught:
        Volume(np.zeros(shape), affine)
    assert caught.value.message == sentence
    assert caught.value.hint
