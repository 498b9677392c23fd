"""The renderer: bytes, sides, interpolation and blending, each against arithmetic done another way."""

import io
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from pet2rep_core.errors import ImageGeometryError, UnknownNameError
from pet2rep_core.imaging.display import Window, read_display
from pet2rep_core.imaging.read import read_volume
from pet2rep_core.imaging.render import (
    CoronalPlanes,
    Style,
    coronal_plane,
    encode_png,
    fuse,
    grey,
    model_picture,
    render_planes,
    sample_coronal,
    to_byte,
    zscore_window,
)
from pet2rep_core.imaging.volume import Array, Volume

SUV5, SOFT = Window(0, 5), Window(-160, 240)
STYLE = Style(SUV5, SOFT)
VALUES = st.floats(-1e6, 1e6, width=32)


def volume_of(values: Array, spacing: tuple[float, ...], origin: tuple[float, ...]) -> Volume:
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = origin
    return Volume(values, affine)


def random_volume(shape: tuple[int, int, int] = (9, 7, 11), spacing: tuple[float, ...] = (4.07, 4.07, 3.0)) -> Volume:
    return volume_of(np.random.default_rng(1).normal(0, 300, shape).astype(np.float32), spacing, (-20, -10, 5))


# --- values to bytes ---


@given(values=hnp.arrays(np.float32, 40, elements=VALUES), low=st.floats(-2000, 2000), width=st.floats(0.01, 5000))
def test_to_byte_is_monotone(values: Array, low: float, width: float) -> None:
    in_order = np.sort(values)
    bytes_ = to_byte(in_order, Window(low, low + width)).astype(int)
    assert (np.diff(bytes_) >= 0).all()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-1e9, 0), (-1, 0), (0, 0), (255, 255), (256, 255), (1e30, 255), (-np.inf, 0), (np.inf, 255), (np.nan, 0),
        (0.49, 0), (0.5, 1), (1.5, 2), (2.5, 3), (254.49, 254), (254.5, 255),
    ],
)  # fmt: skip
def test_to_byte_rounds_half_up_and_holds_the_ends(value: float, expected: int) -> None:
    assert to_byte(np.array([value], np.float32), Window(0, 255)).tolist() == [expected]


def test_to_byte_of_whole_hu() -> None:
    hu = np.arange(-1024, 3072, dtype=np.int16)
    # Witness: whole-number arithmetic; 255 / 400 of the distance from -160, halves up.
    exact = [min(max((2 * 255 * (int(v) + 160) + 400) // 800, 0), 255) for v in hu]
    assert to_byte(hu, SOFT).tolist() == exact


# --- sides ---


def write_nifti(path: Path, order: str) -> None:
    """A volume whose one bright voxel lies left, anterior, superior; nibabel's world grows right, front, up."""
    values = np.zeros((6, 5, 7), np.float32)
    affine = np.diag([4.0, 4.0, 3.0, 1.0])
    affine[:3, 3] = (-10, -8, -9)
    values[0 if order == "RAS" else 5, 4, 6] = 9  # in RAS the left is the first column, in LAS the last
    if order == "LAS":
        affine[0, 0], affine[0, 3] = -4.0, 10
    assert "".join(nibabel.aff2axcodes(affine)) == order
    bright = np.argwhere(values == 9)[0]
    assert (affine[:3] @ [*bright, 1]).tolist() == [-10, 8, 9]  # 10 mm left, 8 mm front, 9 mm up
    nibabel.save(nibabel.Nifti1Image(values, affine), path)


@pytest.mark.parametrize("order", ["RAS", "LAS"])
def test_the_left_anterior_superior_corner_is_seen_top_right_in_the_first_plane(tmp_path: Path, order: str) -> None:
    write_nifti(tmp_path / "phantom.nii.gz", order)
    volume = read_volume(tmp_path / "phantom.nii.gz").to_lps()
    plane = coronal_plane(volume, 0)
    assert plane.shape == (7, 6)
    assert np.argwhere(plane == 9).tolist() == [[0, 5]]  # head first, the patient's right first
    assert not any((coronal_plane(volume, j) == 9).any() for j in range(1, 5))
    display = read_display()
    for pixel_mm in (1.0, 2.0):
        drawn = render_planes(sample_coronal(volume, None, None, 0, pixel_mm), "pet", STYLE, display).astype(int)
        rows, columns, _ = drawn.shape
        dark = np.argwhere(drawn[:, :, 0] == drawn[:, :, 0].min())  # grey-inverted: uptake is dark
        assert (dark[:, 0] < rows / 7).all()
        assert (dark[:, 1] >= columns * 5 / 6).all()
    picture = model_picture(volume, None, "pet", 0, display, SUV5)
    assert np.argwhere(picture[:, :, 0] == 0).tolist() == [[0, 5]]
    with Image.open(io.BytesIO(encode_png(picture))) as png:
        assert png.getpixel((5, 0)) == (0, 0, 0)
        assert png.getpixel((0, 0)) == (255, 255, 255)


def test_a_volume_that_is_not_turned_is_refused(tmp_path: Path) -> None:
    write_nifti(tmp_path / "phantom.nii", "RAS")
    with pytest.raises(ImageGeometryError) as caught:
        coronal_plane(read_volume(tmp_path / "phantom.nii"), 0)
    assert caught.value.message == "The volume is in RAS order, not LPS."
    assert "to_lps" in caught.value.hint


@pytest.mark.parametrize("j", [-1, 7])
def test_a_plane_outside_is_refused(j: int) -> None:
    with pytest.raises(ImageGeometryError, match=rf"There is no coronal plane {j}; planes are 0 to 6\."):
        coronal_plane(random_volume(), j)


# --- blending ---


@given(
    ct=hnp.arrays(np.uint8, (3, 4)), pet=hnp.arrays(np.uint8, (3, 4)), name=st.sampled_from(["hot", "grey-inverted"])
)
def test_fuse_ends(ct: Array, pet: Array, name: str) -> None:
    table = read_display().colour_map(name)
    assert np.array_equal(fuse(ct, pet, table, 0.0), grey(ct))
    full = fuse(ct, pet, table, 1.0)
    shown = pet >= 64  # a quarter of the window
    assert np.array_equal(full[shown], table[pet[shown]])
    assert np.array_equal(full[pet == 0], grey(ct)[pet == 0])


@given(ct=st.integers(0, 255), pet=st.integers(64, 255), opacity=st.floats(0, 1))
def test_fuse_between_the_ends(ct: int, pet: int, opacity: float) -> None:
    table = read_display().colour_map("hot")
    (mixed,) = fuse(np.array([[ct]], np.uint8), np.array([[pet]], np.uint8), table, opacity)[0].astype(float)
    assert mixed == pytest.approx(ct * (1 - opacity) + table[pet].astype(float) * opacity, abs=0.51)


def test_zscore_window_is_the_zscore_cut_off() -> None:
    hu = np.random.default_rng(8).normal(-50, 180, (12, 9, 10)).round().astype(np.int16)
    hu[:4] = -1024  # air around the patient, which must not count
    ct = Volume(hu, np.eye(4))
    body = hu[4:].astype(float)
    assert body.min() > -1000
    for limit in (1.0, 2.0, 3.5):
        z = (hu.astype(float) - body.mean()) / body.std()
        witness = (np.clip(z, -limit, limit) + limit) / (2 * limit) * 255
        drawn = to_byte(hu, zscore_window(ct, limit=limit))
        assert np.abs(drawn - witness).max() <= 0.51
        assert len(np.unique(drawn)) > 100


@pytest.mark.parametrize("fill", [-1024, 40])
def test_zscore_window_of_a_ct_without_contrast(fill: int) -> None:
    assert zscore_window(Volume(np.full((3, 3, 3), fill, np.int16), np.eye(4)), limit=2) == SOFT


# --- planes on pixels ---


def test_pixels_of_the_voxels_size_give_the_plane_itself() -> None:
    pet, ct = random_volume(spacing=(4.07, 4.07, 4.07)), random_volume(spacing=(4.07, 4.07, 4.07))
    planes = sample_coronal(pet, ct, None, 3, 4.07)
    assert planes.pet is not None
    assert planes.ct is not None
    assert planes.pet == pytest.approx(coronal_plane(pet, 3), abs=1e-3)
    assert planes.ct == pytest.approx(coronal_plane(ct, 3), abs=1e-3)
    assert planes.pixel_mm == (4.07, 4.07)


@given(st.floats(0.5, 6))
def test_pixels_cover_the_whole_plane_and_stay_within_its_values(pixel_mm: float) -> None:
    pet = random_volume()
    plane = sample_coronal(pet, None, None, 2, pixel_mm).pet
    assert plane is not None
    assert plane.shape == (round(11 * 3.0 / pixel_mm), round(9 * 4.07 / pixel_mm))
    values = coronal_plane(pet, 2)
    assert values.min() - 1e-3 <= plane.min() <= plane.max() <= values.max() + 1e-3


def test_chosen_columns_are_a_part_of_the_whole_picture() -> None:
    volume = random_volume(spacing=(4.0, 4.0, 4.0))
    whole = sample_coronal(volume, volume, None, 3, 2.0)
    part = sample_coronal(volume, volume, None, 3, 2.0, (2, 7))
    for shown, full in ((part.pet, whole.pet), (part.ct, whole.ct)):
        assert shown is not None
        assert full is not None
        assert np.array_equal(shown, full[:, 4:14])


def ramp(shape: tuple[int, int, int], spacing: tuple[float, ...], origin: tuple[float, ...], dtype: type) -> Volume:
    """HU that rise linearly along all three axes of the patient."""
    volume = volume_of(np.zeros(shape), spacing, origin)
    at = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    world = at @ volume.affine_lps[:3, :3].T + volume.affine_lps[:3, 3]
    return Volume(linear(world).astype(dtype), volume.affine_lps)


def linear(world: Array) -> Array:
    return world @ np.array([2.0, -3.0, 1.5]) + 40


@pytest.mark.parametrize("pixel_mm", [1.0, 1.7, 4.0])
@pytest.mark.parametrize("j", [0, 7, 19])
def test_the_fine_ct_of_a_ramp_is_the_ramp(pixel_mm: float, j: int) -> None:
    shape, spacing, origin = (20, 20, 16), (4.0, 4.0, 3.0), (-38.0, -38.0, -22.5)
    pet = ramp(shape, spacing, origin, np.float32)
    fine = ramp((61, 62, 40), (1.4, 1.4, 1.25), (-42.3, -43.1, -24.6), np.float32)
    planes = sample_coronal(pet, pet, fine, j, pixel_mm)
    assert planes.ct is not None
    assert planes.pet is not None
    # Witness: each pixel's place, counted from the edges of the PET's box, in the ramp's own formula.
    rows, columns = planes.ct.shape
    x = -40.0 + (np.arange(columns) + 0.5) * pixel_mm
    z = 24.0 - (np.arange(rows) + 0.5) * pixel_mm
    y = -38.0 + 4.0 * j
    grid = np.stack(np.broadcast_arrays(x[None, :], y, z[:, None]), -1)
    assert planes.ct == pytest.approx(linear(grid), abs=2e-3)
    inside = (np.abs(x) <= 38)[None, :] & (np.abs(z) <= 22.5)[:, None]
    assert planes.pet[inside] == pytest.approx(linear(grid)[inside], abs=2e-3)


def test_outside_the_fine_ct_is_air() -> None:
    pet = random_volume((20, 20, 16), (4.0, 4.0, 3.0))  # x from -22 to 58 mm, y from -12 to 68, z from 3.5 to 51.5
    fine = volume_of(np.full((10, 10, 10), 40, np.int16), (2, 2, 2), (-1, -1, 21))  # 20 mm of it
    planes = sample_coronal(pet, pet, fine, 4, 2.0)  # y = 6 mm
    assert planes.ct is not None
    rows, columns = np.nonzero(planes.ct == 40)
    # 10 pixels of 2 mm each way: x from -2 to 18 and z from 20 to 40, counted from the corner at -22 and 51.5 mm.
    assert (columns.min(), columns.max()) == (10, 19)
    assert 10 <= np.unique(rows).size <= 11
    assert np.unique(planes.ct).tolist() == [-1024, 40]
    beside = sample_coronal(pet, pet, fine, 19, 2.0).ct
    assert beside is not None
    assert (beside == -1024).all()


def test_an_oblique_fine_ct_is_left_for_the_resampled_one() -> None:
    pet = random_volume()
    turn = np.array([[0.96, -0.28, 0], [0.28, 0.96, 0], [0, 0, 1]])
    affine = pet.affine_lps.copy()
    affine[:3, :3] = turn @ affine[:3, :3]
    oblique = Volume(np.full(pet.values.shape, 500, np.int16), affine)
    planes = sample_coronal(pet, pet, oblique, 3, 2.0)
    assert planes.ct is not None
    assert np.array_equal(planes.ct, np.asarray(planes.pet))


def test_pet_only_and_ct_only() -> None:
    volume = random_volume()
    assert sample_coronal(volume, None, None, 0, 2.0).ct is None
    ct_only = sample_coronal(None, volume, None, 0, 2.0)
    assert ct_only.pet is None
    assert ct_only.ct is not None
    with pytest.raises(ImageGeometryError, match="The case has no volume"):
        sample_coronal(None, None, None, 0, 2.0)


# --- whole pictures ---


def test_render_planes_by_kind() -> None:
    pet, ct = np.full((2, 3), 2.5), np.full((2, 3), 40)
    display, both = read_display(), CoronalPlanes(np.full((2, 3), 2.5), np.full((2, 3), 40), (1, 1))
    assert np.unique(render_planes(both, "ct", STYLE, display)).tolist() == [128]  # 127.5, half up
    assert np.unique(render_planes(both, "pet", STYLE, display)).tolist() == [127]  # 255 - 128
    hot = display.colour_map("hot")[128].astype(float)
    assert render_planes(both, "fused", STYLE, display)[1, 2] == pytest.approx(64 + hot / 2, abs=0.51)
    for planes, kind in (
        (CoronalPlanes(None, ct, (1, 1)), "pet"),
        (CoronalPlanes(pet, None, (1, 1)), "ct"),
        (CoronalPlanes(pet, None, (1, 1)), "fused"),
        (CoronalPlanes(None, ct, (1, 1)), "fused"),
        (both, "mip"),
    ):
        with pytest.raises(ImageGeometryError, match=f"This case has no {kind} picture"):
            render_planes(planes, kind, STYLE, display)
    with pytest.raises(UnknownNameError):
        render_planes(both, "pet", Style(SUV5, SOFT, pet_map="hott"), display)


@pytest.mark.parametrize("kind", ["pet", "ct", "fused"])
def test_the_models_picture_has_a_pixel_for_each_voxel(kind: str) -> None:
    pet = random_volume((9, 7, 11))
    ct = Volume((random_volume((9, 7, 11)).values).astype(np.int16), pet.affine_lps)
    picture = model_picture(pet, ct, kind, 3, read_display(), SUV5)
    assert picture.shape == (11, 9, 3)
    assert picture.dtype == np.uint8
    display = read_display()
    if kind == "ct":
        window = zscore_window(ct, limit=display.model_ct_z_limit)
        assert np.array_equal(picture, grey(to_byte(coronal_plane(ct, 3), window)))
    if kind == "fused":
        z = to_byte(coronal_plane(ct, 3), zscore_window(ct, limit=display.model_ct_z_limit))
        table = display.colour_map(display.model_map)
        assert np.array_equal(picture, fuse(z, to_byte(coronal_plane(pet, 3), SUV5), table, display.model_opacity))


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_png_is_lossless(picture: Array) -> None:
    with Image.open(io.BytesIO(encode_png(picture))) as png:
        assert png.format == "PNG"
        assert np.array_equal(np.asarray(png), picture)
