"""Key slices on bodies whose middle is known by construction."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pet2rep_core.errors import InputDataError
from pet2rep_core.imaging.keyslices import OFFSET_MM, RULE, body_columns, choose_key_slices, find_body
from pet2rep_core.imaging.volume import Array, Volume


def cylinder(
    n: int = 200, spacing: float = 4.07, *, n_k: int = 40, step_k: float = 5.0,
    y: float = 0.0, radii: tuple[float, float] = (170.0, 110.0), inside: float = 40, outside: float = -1000,
) -> Volume:  # fmt: skip
    """An elliptic body along K whose axis lies ``y`` mm behind the middle of an n x n grid."""
    place = (np.arange(n) - (n - 1) / 2) * spacing
    plane = (place[:, None] / radii[0]) ** 2 + ((place[None, :] - y) / radii[1]) ** 2 <= 1
    values = np.repeat(np.where(plane, inside, outside)[:, :, None], n_k, 2)
    affine = np.diag([spacing, spacing, step_k, 1.0])
    affine[:2, 3] = place[0]
    return Volume(values.astype(np.float32 if inside == 4 else np.int16), affine)


def pet_of(**how: float) -> Volume:
    return cylinder(inside=4, outside=0, **how)  # type: ignore[arg-type]


def expected(volume: Volume, y: float) -> Array:
    """Where the planes lie by construction, as fractions of voxels."""
    step, n = volume.spacing_mm[1], volume.values.shape[1]
    return (n - 1) / 2 + np.array([y + OFFSET_MM, y, y - OFFSET_MM]) / step


@pytest.mark.parametrize("kind", ["both", "ct", "pet"])
def test_the_benchmarks_grid_gives_the_benchmarks_planes(kind: str) -> None:
    """The benchmark takes columns 90, 100 and 110 of a 200-wide array that grows to the front (RAS).

    Counted to the back, as here, column c is 199 - c: 109, 99 and 89, and with the centre at 99.5 the body's
    middle and 40.7 mm (10 voxels of 4.07 mm) on either side are 109.5, 99.5 and 89.5.
    """
    ct = None if kind == "pet" else cylinder()
    pet = None if kind == "ct" else pet_of()
    chosen = choose_key_slices(ct, pet)
    assert chosen.indices == (110, 100, 90)
    assert (chosen.rule, chosen.reason) == (RULE, "")
    columns = {199 - j for j in chosen.indices}
    assert {min((90, 100, 110), key=lambda c: abs(c - column)) for column in columns} == {90, 100, 110}
    assert all(min(abs(c - column) for c in (90, 100, 110)) <= 1 for column in columns)


@settings(max_examples=25, deadline=None)
@given(y=st.floats(-120, 120), with_ct=st.booleans())
def test_an_off_centre_body_is_followed(y: float, with_ct: bool) -> None:
    volume = cylinder(y=y, n_k=6) if with_ct else pet_of(y=y, n_k=6)
    chosen = choose_key_slices(volume if with_ct else None, None if with_ct else volume)
    assert np.abs(np.array(chosen.indices) - expected(volume, y)).max() <= 1.01


@pytest.mark.parametrize(
    ("n", "spacing"), [(128, 4.6875), (168, 4.0728), (400, 2.036), (512, 0.9766), (512, 1.37), (144, 5.3), (101, 4.0)]
)
def test_other_grids(n: int, spacing: float) -> None:
    ct = cylinder(n, spacing, n_k=6, y=13.0)
    chosen = choose_key_slices(ct, None)
    assert np.abs(np.array(chosen.indices) - expected(ct, 13.0)).max() * spacing <= 1.01 * max(spacing, 2)
    behind, middle, before = chosen.indices
    assert behind > middle > before


def test_a_thin_body_keeps_its_planes_inside() -> None:
    ct = cylinder(radii=(150.0, 35.0), y=-40.0)
    chosen = choose_key_slices(ct, None)
    assert len(set(chosen.indices)) == 3
    for j in chosen.indices:
        assert (ct.values[:, j, :] == 40).mean() > 0.15
    # Counter-example: without the hold the outer planes would lie in air.
    for j in np.rint(expected(ct, -40.0))[[0, 2]].astype(int):
        assert not (ct.values[:, j, :] == 40).any()


@pytest.mark.parametrize(("gap_voxels", "thick_voxels"), [(0, 3), (0, 7), (2, 3), (6, 3), (2, 7), (6, 7)])
def test_a_table_under_the_body_changes_nothing(gap_voxels: int, thick_voxels: int) -> None:
    bare = cylinder()
    values = bare.values.copy()
    table = int(np.flatnonzero((values == 40).any(axis=(0, 2))).max()) + 1 + gap_voxels
    values[40:160, table : table + thick_voxels, :] = 200  # 490 mm wide, over the whole length
    with_table = Volume(values, bare.affine_lps)
    assert (values == 200).sum() / (values == 40).sum() > 0.05
    assert choose_key_slices(with_table, None).indices == choose_key_slices(bare, None).indices
    mask = find_body(with_table, None)
    assert mask[:, : table // 2, :].sum() > 0.95 * (bare.values[::2, ::2, ::2] == 40).sum()
    beside = slice(20, 35) if gap_voxels == 0 else slice(None)  # where it touches the body it cannot be told apart
    assert not mask[beside, (table + 1) // 2 :, :].any()


def test_a_far_heavier_arm_phantom_does_not_win_over_the_body() -> None:
    ct = cylinder()
    values = ct.values.copy()
    values[2:14, 2:14, :] = 2000  # dense, but smaller
    assert choose_key_slices(Volume(values, ct.affine_lps), None).indices == (110, 100, 90)


@pytest.mark.parametrize(
    ("ct", "pet"),
    [
        (cylinder(inside=-1000, n_k=4), None),
        (None, cylinder(inside=0, outside=0, n_k=4)),
        (cylinder(inside=-1000, n_k=4), pet_of(n_k=4)),
    ],
    ids=["ct", "pet", "ct-of-air-beside-pet"],
)
def test_an_empty_volume_says_so_and_takes_the_middle(ct: Volume | None, pet: Volume | None) -> None:
    chosen = choose_key_slices(ct, pet)
    assert chosen.reason == "No body was found; the planes are taken around the middle of the grid."
    assert chosen.indices == (110, 100, 90)


def test_values_that_are_no_numbers_do_not_hide_the_body() -> None:
    pet = pet_of()
    values = pet.values.copy()
    values[:3] = np.nan
    assert choose_key_slices(None, Volume(values, pet.affine_lps)).indices == (110, 100, 90)


def test_a_single_plane_still_gives_planes_of_the_grid() -> None:
    one = Volume(np.full((20, 1, 20), 40, np.int16), np.diag([4.0, 4.0, 4.0, 1.0]))
    assert choose_key_slices(one, None).indices == (0, 0, 0)


def test_nothing_is_refused() -> None:
    with pytest.raises(InputDataError, match="There is no volume to find a body in"):
        choose_key_slices(None, None)


def test_planes_are_not_shifted_on_average() -> None:
    places = np.linspace(-60, 60, 31)
    errors = [
        np.array(choose_key_slices(volume, None).indices) - expected(volume, y)
        for y in places
        for volume in [cylinder(y=float(y), n_k=4)]
    ]
    assert abs(float(np.mean(errors))) < 0.15


@pytest.mark.parametrize("x", [-150.0, 0.0, 90.0])
def test_columns_hold_the_body_and_a_margin(x: float) -> None:
    ct = cylinder()
    moved = Volume(np.roll(ct.values, round(x / 4.07), axis=0), ct.affine_lps)
    body = np.flatnonzero((moved.values == 40).any(axis=(1, 2)))
    first, last = body_columns(moved, None)
    # 15 mm are 3.7 voxels; every second voxel is looked at, and columns with hardly any body do not count.
    assert 2 <= body[0] - first <= 6
    assert 2 <= last - 1 - body[-1] <= 6


def test_columns_stay_on_the_grid_and_are_all_of_an_empty_one() -> None:
    assert body_columns(cylinder(inside=-1000, n_k=4), None) == (0, 200)
    assert body_columns(cylinder(60, 4.07, n_k=4), None) == (0, 60)  # the body is wider than the grid
    with pytest.raises(InputDataError, match="There is no volume"):
        body_columns(None, None)
