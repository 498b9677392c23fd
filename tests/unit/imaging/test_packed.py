"""What arrives in the browser is the volume: within half a step, at its place, and nothing of the patient cut off."""

from __future__ import annotations

import gzip
import json
import math
import struct
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pet2rep_core.errors import ImageGeometryError, ImageReadError
from pet2rep_core.imaging.keyslices import body_box
from pet2rep_core.imaging.packed import pack_volume, plan_volume, unpack_volume
from pet2rep_core.imaging.planes import Box
from pet2rep_core.imaging.volume import Array, Volume

SHAPES = hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=9)
FLOATS = st.floats(-500, 500, width=32) | st.sampled_from([0.0, 500.0, math.nan, math.inf, -math.inf, 1e-40])


def volume_of(values: Array, spacing: tuple[float, float, float] = (4.0, 4.0, 3.0), at: float = -10.0) -> Volume:
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = at
    return Volume(values, affine)


def whole(values: Array) -> Box:
    n_i, n_j, n_k = values.shape
    return (0, n_i), (0, n_j), (0, n_k)


def sent(name: str, volume: Volume, grid: Volume | None = None, box: Box | None = None, **more: int) -> bytes:
    plan = plan_volume(name, volume, grid or volume, box or whole((grid or volume).values), **more)  # type: ignore[arg-type]
    return b"".join(pack_volume(volume, plan))


@settings(max_examples=150, deadline=None)
@given(hnp.arrays(np.float32, SHAPES, elements=FLOATS))
def test_a_pet_arrives_within_half_a_step(values: Array) -> None:
    header, arrived = unpack_volume(sent("pet", volume_of(values)))
    finite = np.isfinite(values)
    assert np.array_equal(np.isnan(arrived), ~finite)
    off = np.abs(arrived[finite] - values[finite].astype(float))
    # A part in 10^12 is the rounding of double precision, which JavaScript has too.
    assert (off <= header["step"] / 2 * (1 + 1e-9) + 1e-12).all()
    if finite.any():
        low, high = float(values[finite].min()), float(values[finite].max())
        assert arrived[finite].min() == low
        assert header["step"] == ((high - low) / 65534 if high > low else 1.0)


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.int16, SHAPES))
def test_a_ct_arrives_as_it_is(values: Array) -> None:
    header, arrived = unpack_volume(sent("ct", volume_of(values)))
    assert arrived.dtype == np.int16
    assert np.array_equal(arrived, values)
    assert (header["low"], header["step"], header["nan"], header["reduction"]) == (0.0, 1.0, None, [1, 1, 1])


@pytest.mark.parametrize("value", [0.0, 3.3, -7.25, 1e6])
def test_a_constant_volume_is_exact(value: float) -> None:
    values = np.full((3, 2, 4), value, np.float32)
    _, arrived = unpack_volume(sent("pet", volume_of(values)))
    assert np.array_equal(arrived, values.astype(float))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_volume_without_a_number_is_all_missing(value: float) -> None:
    _, arrived = unpack_volume(sent("pet", volume_of(np.full((3, 2, 4), value, np.float32))))
    assert np.isnan(arrived).all()


def test_suv_up_to_500_leaves_a_low_window_its_grey_levels() -> None:
    values = np.linspace(0, 500, 4000, dtype=np.float32).reshape(10, 20, 20)
    header, arrived = unpack_volume(sent("pet", volume_of(values)))
    assert header["step"] < 5 / 255 / 2  # half a grey level of the window 0-5
    assert np.abs(arrived - values).max() <= header["step"] / 2 + 1e-9


def test_the_bytes_are_as_the_format_says() -> None:
    """Read here by struct alone: the header, then two blocks (3 planes, 1 plane) of low and of high bytes."""
    values = np.arange(2 * 4 * 3, dtype=np.int16).reshape(2, 4, 3) * 300 - 1000
    ct = volume_of(values)
    plan = plan_volume("ct", ct, ct, whole(values))
    assert plan.header.block_planes == 2**20 // (2 * 2 * 3)
    data = gzip.decompress(b"".join(pack_volume(ct, plan)))
    length = struct.unpack("<I", data[:4])[0]
    assert (4 + length) % 8 == 0
    header = json.loads(data[4 : 4 + length])
    assert header == {
        "format": 1, "name": "ct", "shape": [2, 4, 3], "type": "int16", "low": 0.0, "step": 1.0, "nan": None,
        "block_planes": 87381, "scale": [1.0, 1.0, 1.0], "shift": [0.0, 0.0, 0.0], "reduction": [1, 1, 1],
    }  # fmt: skip
    body = data[4 + length :]
    half = len(body) // 2
    read = [struct.unpack("<h", bytes([body[n], body[half + n]]))[0] for n in range(half)]
    assert read == [int(values[i, j, k]) for j in range(4) for k in range(3) for i in range(2)]


def test_several_blocks_with_a_shorter_last_one() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(-1024, 3000, (300, 17, 300), dtype=np.int16)
    chunks = list(
        pack_volume(volume_of(values), plan_volume("ct", volume_of(values), volume_of(values), whole(values)))
    )
    header, arrived = unpack_volume(b"".join(chunks))
    assert header["block_planes"] == 5  # 2**20 / (2 * 300 * 300) = 5.8
    assert np.array_equal(arrived, values)
    assert len(chunks) >= 4


def test_a_crop_of_the_pet_says_where_it_lies() -> None:
    values = np.arange(6 * 7 * 8, dtype=np.float32).reshape(6, 7, 8)
    header, arrived = unpack_volume(sent("pet", volume_of(values), box=((2, 5), (1, 6), (0, 8))))
    assert (header["scale"], header["shift"]) == ([1.0, 1.0, 1.0], [-2.0, -1.0, 0.0])
    assert np.abs(arrived - values[2:5, 1:6]).max() <= header["step"] / 2


def sampled_at(header: dict[str, list[float]], grid: Volume, index: tuple[float, float, float]) -> Array:
    return np.array(index) * header["scale"] + header["shift"]


@pytest.mark.parametrize("most", [10**8, 9000, 2000, 300, 20, 1])
@pytest.mark.parametrize("fine_mm", [(1.0, 1.0, 3.0), (0.98, 0.98, 1.5), (5.0, 5.0, 5.0)])
def test_every_place_keeps_its_value_through_crop_and_reduction(most: int, fine_mm: tuple[float, float, float]) -> None:
    """A CT whose HU is linear in mm: the mean of a block is the value at its middle, so that places can be checked."""
    slope = np.array([3.0, -2.0, 5.0])
    size = [round(80 / step) for step in fine_mm]
    mm = np.stack(
        np.meshgrid(*(np.arange(n) * step - 43.0 for n, step in zip(size, fine_mm, strict=True)), indexing="ij")
    )
    fine = volume_of(np.rint(np.tensordot(slope, mm, 1)).astype(np.int16), fine_mm, at=-43.0)
    grid = volume_of(np.zeros((16, 14, 20), np.float32), (4.0, 4.0, 3.0), at=-30.0)
    header, arrived = unpack_volume(sent("ct", fine, grid, ((3, 12), (2, 13), (0, 20)), most_voxels=most))
    assert arrived.size <= most
    scale, shift = np.array(header["scale"]), np.array(header["shift"])
    inner = [np.arange(0, max(n - 1, 1)) for n in arrived.shape]  # the last block may have been filled up
    for q in [(i[0], j[-1], k[len(k) // 2]) for i, j, k in [inner]]:
        place = (np.array(q) - shift) / scale  # on the grid
        expected = slope @ (place * grid.spacing_mm + grid.affine_lps[:3, 3])
        if all(n > 1 for n in arrived.shape):
            assert abs(float(arrived[q]) - expected) <= 1.0
    if header["reduction"] == [1, 1, 1]:
        # The box and the neighbours that interpolation reads are there.
        for corner in [(2.5, 1.5, -0.5), (11.5, 12.5, 19.5)]:
            at = np.array(corner) * scale + shift
            assert (at >= -1e-9).all()
            assert (at <= np.array(arrived.shape) - 1 + 1e-9).all()


@pytest.mark.parametrize(
    ("shape", "spacing", "most", "reduction"),
    [
        ((64, 64, 40), (1.0, 1.0, 3.0), 64 * 64 * 40, [1, 1, 1]),
        ((64, 64, 40), (1.0, 1.0, 3.0), 64 * 64 * 40 - 1, [2, 2, 1]),
        ((64, 64, 40), (1.0, 1.0, 3.0), 20_000, [3, 3, 1]),
        ((64, 64, 40), (1.0, 1.0, 3.0), 15_000, [4, 4, 2]),  # 3 mm everywhere by then
        ((64, 64, 40), (0.98, 0.98, 1.0), 100_000, [2, 2, 1]),
        ((10, 1, 10), (1.0, 1.0, 1.0), 30, [2, 1, 2]),
        ((7, 5, 3), (2.0, 2.0, 2.0), 1, [7, 7, 7]),
    ],
)
def test_the_finest_axes_are_reduced_first(
    shape: tuple[int, int, int], spacing: tuple[float, float, float], most: int, reduction: list[int]
) -> None:
    ct = volume_of(np.zeros(shape, np.int16), spacing)
    plan = plan_volume("ct", ct, ct, whole(ct.values), most_voxels=most)
    assert math.prod(plan.header.shape) <= most
    assert list(plan.header.reduction)[: len(reduction)] == reduction or shape == (7, 5, 3)


def test_a_reduced_ct_has_rounded_means() -> None:
    values = np.array([[[-3, 4], [0, 0]], [[1, 4], [1, 5]]], np.int16)  # 2 x 2 x 2
    ct = volume_of(values, (1.0, 1.0, 9.0))
    header, arrived = unpack_volume(sent("ct", ct, most_voxels=2))
    assert header["reduction"] == [2, 2, 1]
    # By hand: (-3+0+1+1)/4 = -0.25, (4+0+4+5)/4 = 3.25.
    assert arrived.ravel().tolist() == [0, 3]
    assert header["shift"] == [-0.25, -0.25, 0.0]


def test_what_the_ct_lacks_of_the_box_is_left_out() -> None:
    grid = volume_of(np.zeros((10, 10, 10), np.float32), at=0.0)
    beside = volume_of(np.full((5, 5, 5), 7, np.int16), at=1000.0)
    header, arrived = unpack_volume(sent("ct", beside, grid))
    assert arrived.shape == (1, 1, 1)
    # The whole grid lies outside it: every place is far below 0.
    assert (9 * np.array(header["scale"]) + header["shift"] < -1).all()


def test_what_cannot_be_packed_is_refused() -> None:
    pet = volume_of(np.zeros((4, 4, 4), np.float32))
    tilt = np.eye(4)
    tilt[:2, :2] = [[0.995, 0.1], [-0.1, 0.995]]
    turned = Volume(pet.values.astype(np.int16), tilt @ pet.affine_lps)
    with pytest.raises(ImageGeometryError, match="not parallel"):
        plan_volume("ct", turned, pet, whole(pet.values))
    with pytest.raises(ImageGeometryError, match="PET is not on the case's grid"):
        plan_volume("pet", volume_of(pet.values, (2.0, 2.0, 2.0)), pet, whole(pet.values))
    with pytest.raises(ImageReadError, match="type float32, not whole HU"):
        plan_volume("ct", pet, pet, whole(pet.values))


@pytest.mark.parametrize("damage", ["cut", "turned", "empty", "text"])
def test_a_damaged_stream_is_refused(damage: str) -> None:
    good = sent("ct", volume_of(np.arange(1000, dtype=np.int16).reshape(10, 10, 10)))
    bad = {"cut": good[:-200], "turned": good[::-1], "empty": b"", "text": gzip.compress(b"\x04\0\0\0null")}[damage]
    with pytest.raises(ImageReadError, match="packed volume"):
        unpack_volume(bad)


def test_memory_holds_one_block_at_a_time() -> None:
    values = np.random.default_rng(0).integers(-1000, 1000, (160, 160, 160), dtype=np.int16)
    ct = volume_of(values)
    plan = plan_volume("ct", ct, ct, whole(values))
    tracemalloc.start()
    try:
        size = sum(len(chunk) for chunk in pack_volume(ct, plan))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 4e6
    assert peak < 5 * 2**20


def body(shape: tuple[int, int, int] = (60, 50, 40), *, inside: float, outside: float, kind: str) -> Array:
    values = np.full(shape, outside, kind)
    values[20:40, 15:35, 5:35] = inside
    return values


@pytest.mark.parametrize("parts", ["ct", "pet", "both"])
def test_the_box_holds_the_body_and_a_margin(parts: str) -> None:
    ct = volume_of(body(inside=40, outside=-1000, kind="int16"))
    pet = volume_of(body(inside=2, outside=0, kind="float32"))
    box = body_box(None if parts == "pet" else ct, None if parts == "ct" else pet)
    # 15 mm are 4 voxels of 4 mm. Every second voxel is looked at: the body is seen from 16 to 34 along J.
    assert box == ((16, 44), (12, 40), (0, 40))


def test_uptake_beside_what_the_ct_shows_is_kept() -> None:
    """An arm outside the CT's field of view."""
    ct = volume_of(body(inside=40, outside=-1000, kind="int16"))
    uptake = body(inside=2, outside=0, kind="float32")
    uptake[50:54, 20:26, 10:30] = 1
    assert body_box(ct, volume_of(uptake))[0][1] >= 54 + 3


@pytest.mark.parametrize("corner", [(59, 0, 39), (58, 1, 38), (0, 49, 0)])
def test_one_bright_voxel_in_a_corner_is_kept(corner: tuple[int, int, int]) -> None:
    """One voxel in 120 000, on odd and even indices: far below one sample in 200."""
    ct = volume_of(body(inside=40, outside=-1000, kind="int16"))
    values = body(inside=2, outside=0, kind="float32")
    without = body_box(ct, volume_of(values))
    values[corner] = 20
    box = body_box(ct, volume_of(values))
    assert not all(a <= n < b for n, (a, b) in zip(corner, without, strict=True))
    assert all(a <= n < b for n, (a, b) in zip(corner, box, strict=True))
    _, arrived = unpack_volume(sent("pet", volume_of(values), box=box))
    assert arrived[tuple(n - a for n, (a, _) in zip(corner, box, strict=True))] == 20


@pytest.mark.parametrize(
    "pet",
    [None, np.zeros((20, 20, 20), np.float32), np.full((20, 20, 20), np.nan, np.float32)],
    ids=["none", "zero", "nan"],
)
def test_everything_is_sent_where_no_body_is_found(pet: Array | None) -> None:
    air = volume_of(np.full((20, 20, 20), -1000, np.int16))
    assert body_box(air, None if pet is None else volume_of(pet)) == ((0, 20), (0, 20), (0, 20))


def test_a_grain_of_noise_does_not_widen_the_box() -> None:
    ct = body(inside=40, outside=-1000, kind="int16")
    quiet = body_box(volume_of(ct), None)
    ct[50, 40, ::20] = 200  # 2 of the 500 samples of its column
    assert body_box(volume_of(ct), None) == quiet
