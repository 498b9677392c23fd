"""Which voxels belong to a VOI. Witnesses: every voxel asked one by one, ray casting along the other axis."""

import math

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pet2rep_core.errors import ImageGeometryError
from pet2rep_core.imaging.planes import PLANE_AXES, Plane
from pet2rep_core.imaging.voi import (
    MAX_POINTS,
    Freehand,
    Line,
    Region,
    Sphere,
    reach_in_voxels,
    region_of,
    to_index,
    to_mm,
    voxel_volume_ml,
)
from pet2rep_core.imaging.volume import Volume

SHAPE = (24, 20, 16)
AFFINE = np.array([[4.0, 0, 0, -50], [0, 3.0, 0, -30], [0, 0, 2.5, 100], [0, 0, 0, 1]])
ANGLE = math.radians(20)
OBLIQUE = AFFINE.copy()
OBLIQUE[:3, :3] = (
    np.array([[math.cos(ANGLE), -math.sin(ANGLE), 0], [math.sin(ANGLE), math.cos(ANGLE), 0], [0, 0, 1]])
    @ AFFINE[:3, :3]
)


def grid(affine=AFFINE, shape=SHAPE):
    return Volume(np.zeros(shape, dtype=np.float32), affine)


def whole(region: Region, shape=SHAPE):
    mask = np.zeros(shape, dtype=bool)
    mask[region.box] = region.mask
    return mask


def centres(volume):
    """LPS mm of every voxel, by the affine itself."""
    index = np.indices(volume.values.shape).reshape(3, -1)
    homogeneous = np.vstack([index, np.ones(index.shape[1])])
    return (volume.affine_lps @ homogeneous)[:3].T.reshape(*volume.values.shape, 3)


@pytest.mark.parametrize("affine", [AFFINE, OBLIQUE], ids=["straight", "oblique"])
@pytest.mark.parametrize("diameter", [1.0, 9.0, 12.407, 30.0, 120.0])
@pytest.mark.parametrize("at", [(12, 10, 8), (11.4, 9.7, 8.2), (0, 0, 15), (23.4, 19.4, -0.4)])
def test_a_sphere_holds_the_voxels_whose_centre_is_inside_and_its_own(affine, diameter, at):
    volume = grid(affine)
    centre = to_mm(volume, at)[0]
    region = region_of(volume, Sphere(tuple(centre.tolist()), diameter))
    expected = np.linalg.norm(centres(volume) - centre, axis=-1) <= diameter / 2 + 1e-6  # rounding decides no voxel
    expected[tuple(np.clip(np.rint(at), 0, np.array(SHAPE) - 1).astype(int))] = True
    assert np.array_equal(whole(region), expected)


@pytest.mark.parametrize(
    ("at", "diameter", "clipped"),
    [((12, 10, 8), 30.0, False), ((0, 10, 8), 30.0, True), ((12, 10, 15), 1.0, False), ((12, 19, 8), 12.0, True)],
)
def test_a_sphere_says_where_the_image_cuts_it(at, diameter, clipped):
    volume = grid()
    assert region_of(volume, Sphere(tuple(to_mm(volume, at)[0].tolist()), diameter)).clipped is clipped


def test_volume_of_a_voxel_and_places_there_and_back():
    assert voxel_volume_ml(grid()) == pytest.approx(0.03)
    assert voxel_volume_ml(grid(OBLIQUE)) == pytest.approx(0.03)
    assert to_mm(grid(), (1, 2, 3)).tolist() == [[-46.0, -24.0, 107.5]]
    assert to_index(grid(OBLIQUE), to_mm(grid(OBLIQUE), [(1, 2, 3), (4.5, 0, 7)])) == pytest.approx(
        np.array([(1, 2, 3), (4.5, 0, 7)])
    )
    assert reach_in_voxels(grid(), 12.0) == pytest.approx([3.0, 4.0, 4.8])


def outline(volume, plane, index, corners):
    """A Freehand from corners in voxels of the plane's two axes (lower axis first)."""
    normal = PLANE_AXES[plane].normal
    points = [list(corner) for corner in corners]
    for point in points:
        point.insert(normal, index)
    return Freehand(plane, index, tuple(tuple(p) for p in to_mm(volume, points).tolist()))


def cast_rays(corners, n_u, n_v):
    """Even-odd by rays along u, one point after the other (the package turns along v)."""
    inside = np.zeros((n_u, n_v), dtype=bool)
    for i in range(n_u):
        for j in range(n_v):
            for (u0, v0), (u1, v1) in zip(corners, [*corners[1:], corners[0]], strict=True):
                if (v0 <= j) != (v1 <= j) and u0 + (j - v0) / (v1 - v0) * (u1 - u0) <= i:
                    inside[i, j] = not inside[i, j]
    return inside


def on_an_edge(corners, n_u, n_v):
    """Tell whether the centre of a voxel lies on an edge: there it may fall to either side."""
    centres = np.stack(np.meshgrid(np.arange(n_u), np.arange(n_v), indexing="ij"), axis=-1).reshape(-1, 2)
    for start, end in zip(np.array(corners), np.roll(corners, -1, axis=0), strict=True):
        along = end - start
        share = np.clip((centres - start) @ along / max(along @ along, 1e-12), 0, 1)
        if np.linalg.norm(start + share[:, None] * along - centres, axis=1).min() < 1e-9:
            return True
    return False


# No corner on a line of voxel centres: there both ways may differ.
_COORDINATE = st.integers(-30, 250).map(lambda n: n / 10 + 0.037)


@settings(deadline=None)
@example([(0.5, 0.5), (9.5, 0.5), (9.5, 9.5), (0.5, 9.5)])
@given(st.lists(st.tuples(_COORDINATE, _COORDINATE), min_size=3, max_size=12, unique=True))
def test_an_outline_encloses_by_the_even_odd_rule(corners):
    assume(not on_an_edge(corners, SHAPE[0], SHAPE[2]))
    volume = grid()
    expected = cast_rays(corners, SHAPE[0], SHAPE[2])
    shape = outline(volume, Plane.CORONAL, 9, corners)
    if not expected.any():
        with pytest.raises(ImageGeometryError, match="does not enclose the centre of a single voxel"):
            region_of(volume, shape)
        return
    assert np.array_equal(whole(region_of(volume, shape))[:, 9, :], expected)


@pytest.mark.parametrize("affine", [AFFINE, OBLIQUE], ids=["straight", "oblique"])
@pytest.mark.parametrize(("plane", "index"), [(Plane.SAGITTAL, 11), (Plane.CORONAL, 9), (Plane.AXIAL, 7)])
def test_an_outline_reaches_as_far_out_of_its_plane_as_half_of_its_extent(affine, plane, index):
    volume, normal = grid(affine), PLANE_AXES[plane].normal
    u, v = (axis for axis in range(3) if axis != normal)
    corners = [(4.5, 4.5), (10.5, 4.5), (10.5, 8.5), (4.5, 8.5)]
    region = region_of(volume, outline(volume, plane, index, corners))
    half = max(6 * volume.spacing_mm[u], 4 * volume.spacing_mm[v]) / 2
    expected = np.zeros(SHAPE, dtype=bool)
    box = [slice(5, 11), slice(5, 9)]
    away = np.abs(np.arange(SHAPE[normal]) - index) * volume.spacing_mm[normal]
    for place in np.flatnonzero(away <= half + 1e-9):
        at = list(box)
        at.insert(normal, int(place))
        expected[tuple(at)] = True
    assert np.array_equal(whole(region), expected)
    assert expected.sum() > 24  # more than its own plane


def test_a_crossing_outline_leaves_out_what_is_enclosed_twice():
    volume = grid()
    square = [(2.5, 2.5), (12.5, 2.5), (12.5, 12.5), (2.5, 12.5)]
    inner = [(5.5, 5.5), (9.5, 5.5), (9.5, 9.5), (5.5, 9.5)]
    region = region_of(volume, outline(volume, Plane.CORONAL, 9, [*square, square[0], *inner, inner[0]]))
    inside = whole(region)[:, 9, :]
    assert inside.sum() == 100 - 16
    assert not inside[6:10, 6:10].any()


def test_an_outline_beyond_the_image_is_clipped():
    volume = grid()
    region = region_of(
        volume, outline(volume, Plane.AXIAL, 0, [(-8.0, -8.0), (40.0, -8.0), (40.0, 40.0), (-8.0, 40.0)])
    )
    assert region.clipped
    assert whole(region).all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Sphere((0, 0, 0), 0.0), "cannot have a diameter of 0 mm"),
        (lambda: Sphere((0, 0, 0), math.nan), "cannot have a diameter of nan mm"),
        (lambda: Sphere((0, 0, 0), 501.0), "cannot have a diameter of 501 mm"),
        (lambda: Sphere((0, math.nan, 0), 5.0), "centre of the sphere is not a place"),
        (lambda: Sphere((0, 0, math.inf), 5.0), "centre of the sphere is not a place"),
        (lambda: Freehand(Plane.AXIAL, 0, ((0, 0, 0), (1, 1, 0))), "outline has 2 points"),
        (lambda: Freehand(Plane.AXIAL, 0, ((0, 0, 0),) * (MAX_POINTS + 1)), f"outline has {MAX_POINTS + 1} points"),
        (lambda: Freehand(Plane.AXIAL, 0, ((0, 0, 0), (1, 1, 0), (1, math.nan, 0))), "point of the outline is not"),
        (lambda: Line((1, 2, 3), (1, 2, 3)), "line has no length"),
        (lambda: Line((1, 2, 3), (1, 2, math.inf)), "end of the line is not a place"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(make, words):
    with pytest.raises(ImageGeometryError, match=words) as caught:
        make()
    assert caught.value.hint


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (Sphere((-52.1, 0, 110), 20.0), "centre of the sphere is outside the image"),
        (Sphere((0, 0, 141), 20.0), "centre of the sphere is outside the image"),
        (Freehand(Plane.AXIAL, 16, ((0, 0, 0),) * 3), "no axial plane 16; planes are 0 to 15"),
        (Freehand(Plane.AXIAL, -1, ((0, 0, 0),) * 3), "no axial plane -1"),
        (Freehand(Plane.AXIAL, 3, ((0, 0, 107.5), (9, 0, 107.5), (9, 9, 109))), "does not lie in axial plane 3"),
        (Freehand(Plane.AXIAL, 3, ((0, 0, 107.5),) * 3), "does not enclose"),
        (Freehand(Plane.AXIAL, 3, ((0, 0, 107.5), (9, 0, 107.5), (18, 0, 107.5))), "does not enclose"),
        (Freehand(Plane.AXIAL, 3, ((900, 0, 107.5), (999, 0, 107.5), (999, 99, 107.5))), "does not enclose"),
    ],
)
def test_a_shape_without_a_voxel_is_one_sentence(shape, words):
    with pytest.raises(ImageGeometryError, match=words) as caught:
        region_of(grid(), shape)
    assert caught.value.hint


@pytest.mark.parametrize(
    "shape",
    [
        Sphere((256.0, 256.0, 256.0), 400.0),
        Freehand(Plane.AXIAL, 256, ((0, 0, 256), (511, 0, 256), (511, 511, 256), (0, 511, 256))),
    ],
)
def test_a_voi_that_would_fill_the_memory_is_refused(shape):
    huge = Volume(np.broadcast_to(np.float32(0), (512, 512, 512)), np.eye(4))
    with pytest.raises(ImageGeometryError, match=r"spans \d+ million voxels, more than 30 million"):
        region_of(huge, shape)


def test_planes_need_a_grid_in_lps_order():
    turned = AFFINE.copy()
    turned[0, 0] *= -1
    with pytest.raises(ImageGeometryError, match="RPS order, not LPS"):
        region_of(grid(turned), Freehand(Plane.AXIAL, 0, ((0, 0, 100), (9, 0, 100), (9, 9, 100))))
