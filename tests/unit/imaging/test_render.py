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
from pet2rep_core.imaging.planes import Plane, Planes, fit_field, plane_values, sample_plane
from pet2rep_core.imaging.read import read_volume
from pet2rep_core.imaging.render import (
    Style,
    encode_png,
    fuse,
    grey,
    model_picture,
    render_planes,
    to_byte,
    to_level,
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


def random_volume(shape: tuple[int, int, int] = (9, 7, 11)) -> Volume:
    return volume_of(np.random.default_rng(1).normal(0, 300, shape).astype(np.float32), (4.07, 4.07, 3), (-20, -10, 5))


def coronal(volume: Volume, j: int) -> Array:
    return plane_values(volume, Plane.CORONAL, j)


def planes_of(pet: float | None, ct: float | None) -> Planes:
    pet_plane, ct_plane = (None if value is None else np.full((2, 3), value, np.float32) for value in (pet, ct))
    return Planes(pet_plane, ct_plane)


# --- values to bytes and levels ---


@given(values=hnp.arrays(np.float32, 40, elements=VALUES), low=st.floats(-2000, 2000), width=st.floats(0.01, 5000))
def test_bytes_and_levels_are_monotone(values: Array, low: float, width: float) -> None:
    in_order = np.sort(values)
    for scale in (to_byte, to_level):
        assert (np.diff(scale(in_order, Window(low, low + width)).astype(int)) >= 0).all()


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


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (-1e9, 0), (0, 0), (4095, 4095), (4096, 4095), (1e30, 4095), (-np.inf, 0), (np.inf, 4095), (np.nan, 0),
        (0.49, 0), (0.5, 1), (1.5, 2), (2.5, 3), (4094.49, 4094), (4094.5, 4095),
    ],
)  # fmt: skip
def test_to_level_rounds_half_up_and_holds_the_ends(value: float, expected: int) -> None:
    level = to_level(np.array([value], np.float32), Window(0, 4095))
    assert (level.tolist(), level.dtype) == ([expected], np.uint16)


def test_to_level_of_windows_in_suv() -> None:
    # Witness: 4095 / 5 = 819 levels a SUV, and 2.5 of 5 lies on the edge between two, which goes up.
    assert to_level(np.array([1, 2, 2.5, 3.5]), SUV5).tolist() == [819, 1638, 2048, 2867]
    assert to_level(np.array([1, 2.5, 10, 14.999]), Window(0, 15)).tolist() == [273, 683, 2730, 4095]


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
    plane = coronal(volume, 0)
    assert plane.shape == (7, 6)
    assert np.argwhere(plane == 9).tolist() == [[0, 5]]  # head first, the patient's right first
    assert not any((coronal(volume, j) == 9).any() for j in range(1, 5))
    display = read_display()
    for pixel_mm in (1.0, 2.0):
        planes = sample_plane(volume, None, Plane.CORONAL, 0, fit_field(volume, Plane.CORONAL, pixel_mm))
        drawn = render_planes(planes, "pet", STYLE, display).astype(int)
        rows, columns, _ = drawn.shape
        dark = np.argwhere(drawn[:, :, 0] == drawn[:, :, 0].min())  # grey-inverted: uptake is dark
        assert (dark[:, 0] < rows / 7).all()
        assert (dark[:, 1] >= columns * 5 / 6).all()
    picture = model_picture(volume, None, "pet", 0, display, SUV5)
    assert np.argwhere(picture[:, :, 0] == 0).tolist() == [[0, 5]]
    with Image.open(io.BytesIO(encode_png(picture))) as png:
        assert png.getpixel((5, 0)) == (0, 0, 0)
        assert png.getpixel((0, 0)) == (255, 255, 255)


# --- blending ---


@given(
    ct=hnp.arrays(np.uint8, (3, 4)),
    pet=hnp.arrays(np.uint16, (3, 4), elements=st.integers(0, 4095)),
    name=st.sampled_from(["hot", "grey-inverted"]),
)
def test_fuse_ends(ct: Array, pet: Array, name: str) -> None:
    table = read_display().colour_map(name)
    assert np.array_equal(fuse(ct, pet, table, 0.0), grey(ct))
    full = fuse(ct, pet, table, 1.0)
    shown = pet >= 1024  # a quarter of the window
    assert np.array_equal(full[shown], table[pet[shown]])
    assert np.array_equal(full[pet == 0], grey(ct)[pet == 0])


@given(ct=st.integers(0, 255), pet=st.integers(0, 4095), opacity=st.floats(0, 1))
def test_fuse_between_the_ends(ct: int, pet: int, opacity: float) -> None:
    table = read_display().colour_map("hot")
    (mixed,) = fuse(np.array([[ct]], np.uint8), np.array([[pet]], np.uint16), table, opacity)[0].astype(float)
    alpha = opacity * min(pet / 1024, 1)
    assert mixed == pytest.approx(ct * (1 - alpha) + table[pet].astype(float) * alpha, abs=0.500001)


def test_fuse_rounds_half_up() -> None:
    table = np.full((4096, 3), [1, 2, 3], np.uint8)
    # Witness: halves of 100 and 1, 2, 3; at level 512 of 1024 the PET has half of its opacity.
    assert fuse(np.array([[100]], np.uint8), np.array([[4095]], np.uint16), table, 0.5).tolist() == [[[51, 51, 52]]]
    assert fuse(np.array([[100]], np.uint8), np.array([[512]], np.uint16), table, 1.0).tolist() == [[[51, 51, 52]]]


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


# --- whole pictures ---


def test_render_planes_by_kind() -> None:
    display, both = read_display(), planes_of(2.5, 40)
    assert np.unique(render_planes(both, "ct", STYLE, display)).tolist() == [128]  # 127.5, half up
    assert np.unique(render_planes(both, "pet", STYLE, display)).tolist() == [127]  # 255 * (1 - 2048 / 4095)
    hot = display.colour_map("hot")[2048].astype(float)
    assert render_planes(both, "fused", STYLE, display)[1, 2] == pytest.approx(64 + hot / 2, abs=0.51)
    for planes, kind in (
        (planes_of(None, 40), "pet"),
        (planes_of(2.5, None), "ct"),
        (planes_of(2.5, None), "fused"),
        (planes_of(None, 40), "fused"),
        (both, "mip"),
    ):
        with pytest.raises(ImageGeometryError, match=f"This case has no {kind} picture"):
            render_planes(planes, kind, STYLE, display)
    nothing = planes_of(np.nan, -1024)
    assert np.unique(render_planes(nothing, "pet", STYLE, display)).tolist() == [255]  # the lowest value
    assert np.unique(render_planes(nothing, "fused", STYLE, display)).tolist() == [0]
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
        assert np.array_equal(picture, grey(to_byte(coronal(ct, 3), window)))
    if kind == "fused":
        z = to_byte(coronal(ct, 3), zscore_window(ct, limit=display.model_ct_z_limit))
        table = display.colour_map(display.model_map)
        assert np.array_equal(picture, fuse(z, to_level(coronal(pet, 3), SUV5), table, display.model_opacity))


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))))
def test_png_is_lossless(picture: Array) -> None:
    with Image.open(io.BytesIO(encode_png(picture))) as png:
        assert png.format == "PNG"
        assert np.array_equal(np.asarray(png), picture)
