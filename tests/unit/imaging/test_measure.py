"""Numbers of a VOI. Witnesses: values that were put in, SimpleITK, scipy, and loops over every voxel."""

import math
import time
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from pet2rep_core.errors import ImageGeometryError
from pet2rep_core.imaging.measure import (
    MAX_BINS,
    MAX_SAMPLES,
    THRESHOLDS,
    LiverReference,
    liver_reference,
    measure_line,
    measure_voi,
)
from pet2rep_core.imaging.peak import PEAK_DIAMETER_MM, peak_of
from pet2rep_core.imaging.planes import Plane
from pet2rep_core.imaging.prepared import PreparedCase, open_prepared, prepare_case
from pet2rep_core.imaging.voi import Freehand, Line, Region, Sphere, region_of, to_mm
from pet2rep_core.imaging.volume import Volume, volume_to_sitk
from pet2rep_core.records import PetUnit, SuvFactors

SHAPE = (30, 26, 40)
AFFINE = np.array([[4.0, 0, 0, -60], [0, 4.0, 0, -50], [0, 0, 3.0, 200], [0, 0, 0, 1]])
VOXEL_ML = 0.048


def images(pet=None, *, unit=PetUnit.SUVBW, suv=None, ct=None, ct_fine=None, affine=AFFINE):
    return PreparedCase(
        key="0" * 64,
        pet=None if pet is None else Volume(pet.astype(np.float32), affine),
        pet_unit=None if pet is None else unit,
        suv=suv or SuvFactors(bw=2e-4, lbm=1.5e-4),
        ct=None if ct is None else Volume(ct.astype(np.int16), affine),
        ct_fine=ct_fine,
        key_slices=None,
    )


def noise(seed=0, shape=SHAPE):
    return np.random.default_rng(seed).gamma(2.0, 0.6, shape)


def at(i, j, k):
    x, y, z = to_mm(Volume(np.zeros((1, 1, 1)), AFFINE), (i, j, k))[0].tolist()
    return (x, y, z)


def test_a_ball_of_known_value_and_volume():
    """Digital phantom: a 36 mm ball of SUV 8 in SUV 1; 24.43 mL, of which the grid holds 521 voxels (25.01 mL)."""
    index = np.indices(SHAPE).reshape(3, -1).T
    distance = np.linalg.norm(to_mm(Volume(np.zeros((1, 1, 1)), AFFINE), index) - at(15, 13, 20), axis=1)
    ball = (distance <= 18).reshape(SHAPE)
    result = measure_voi(images(np.where(ball, 8.0, 1.0)), Sphere(at(15, 13, 20), 60.0))
    uptake = result.uptake
    assert (uptake.max, uptake.min, uptake.peak.value) == (8.0, 1.0, 8.0)
    n = 521
    assert int(ball.sum()) == n
    assert n * VOXEL_ML == pytest.approx(4 / 3 * math.pi * 1.8**3, rel=0.03)
    by_name = {segment.threshold: segment for segment in result.segments}
    for name in ("41pct", "suv2.5", "suv4.0"):
        segment = by_name[name]
        assert (segment.voxels, segment.mean, segment.reason) == (n, 8.0, "")
        assert segment.volume_ml == pytest.approx(n * VOXEL_ML)
        assert segment.total == pytest.approx(8 * n * VOXEL_ML)
    assert [by_name[name].value for name in ("41pct", "suv2.5", "suv4.0")] == [pytest.approx(3.28), 2.5, 4.0]
    assert result.clipped is False
    assert result.left_out == 0
    assert result.volume_ml == pytest.approx(result.voxels * VOXEL_ML)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "shape",
    [
        Sphere(at(14.3, 12.6, 18.9), 50.0),
        Sphere(at(0, 25, 39), 40.0),
        Freehand(Plane.CORONAL, 12, (at(4, 12, 5), at(24, 12, 9), at(11, 12, 33))),
    ],
    ids=["sphere", "sphere at the corner", "freehand"],
)
def test_everything_against_simpleitk(shape, seed):
    case = images(noise(seed) * 2, ct=noise(seed + 50) * 300 - 200)
    liver = LiverReference(mean=1.2, sd=0.4, sul_per_suvbw=0.75)
    result = measure_voi(case, shape, liver=liver)
    mask = np.zeros(SHAPE, dtype=np.uint8)
    region = region_of(case.pet, shape)
    mask[region.box] = region.mask
    voi = volume_to_sitk(Volume(mask, AFFINE))
    for volume, ours in ((case.pet, result.uptake), (case.ct, result.hu)):
        image = sitk.Cast(volume_to_sitk(volume), sitk.sitkFloat64)
        witness = sitk.LabelStatisticsImageFilter()
        witness.Execute(image, voi)
        assert ours.max == witness.GetMaximum(1)
        assert ours.min == witness.GetMinimum(1)
        assert ours.mean == pytest.approx(witness.GetMean(1), rel=1e-9)
        n = witness.GetCount(1)
        # SimpleITK divides by n - 1
        assert ours.sd == pytest.approx(math.sqrt(witness.GetVariance(1) * (n - 1) / n), rel=1e-9)
    assert result.voxels == n
    uptake = result.uptake
    assert case.pet.values[uptake.max_index] == uptake.max
    assert uptake.max_mm == pytest.approx(at(*uptake.max_index))
    assert [segment.threshold for segment in result.segments] == list(THRESHOLDS)
    for segment in result.segments:
        wanted = {"41pct": 0.41 * uptake.max, "suv2.5": 2.5, "suv4.0": 4.0, "percist": 2.6}[segment.threshold]
        assert segment.value == pytest.approx(wanted)
        pet = sitk.Cast(volume_to_sitk(case.pet), sitk.sitkFloat64)
        inside = sitk.And(sitk.Cast(pet >= segment.value, sitk.sitkUInt8), voi)
        parts = sitk.ConnectedComponent(inside, True)  # True: corners connect
        chosen = sitk.GetArrayFromImage(parts == parts[uptake.max_index]).T.astype(bool)
        values = case.pet.values[chosen].astype(float)
        assert segment.voxels == values.size
        assert segment.volume_ml == pytest.approx(values.size * VOXEL_ML)
        assert segment.mean == pytest.approx(values.mean())
        assert segment.total == pytest.approx(values.sum() * VOXEL_ML)
    counts, edges = np.histogram(case.pet.values[mask.astype(bool)].astype(float), bins=len(result.histogram.counts))
    assert result.histogram.counts == tuple(counts.tolist())
    assert result.histogram.edges == pytest.approx(edges.tolist())
    assert len(counts) <= MAX_BINS


def test_what_does_not_hang_together_with_the_hottest_voxel_is_left_out():
    pet = np.ones(SHAPE)
    pet[10, 10, 10] = 9.0
    pet[11, 11, 11] = 8.0  # by a corner
    pet[13, 10, 10] = 8.0  # two voxels away
    by_name = {s.threshold: s for s in measure_voi(images(pet), Sphere(at(11, 10, 10), 40.0)).segments}
    assert {name: by_name[name].voxels for name in ("41pct", "suv2.5", "suv4.0")} == {
        "41pct": 2, "suv2.5": 2, "suv4.0": 2,
    }  # fmt: skip


def slow_peak(pet: np.ndarray, region: Region, affine: np.ndarray):
    """The definition, voxel by voxel: the highest mean of whole spheres of 1 mL; NaN spoils a sphere."""
    reach = [math.ceil(PEAK_DIAMETER_MM / 2 / step) + 1 for step in np.linalg.norm(affine[:3, :3], axis=0)]
    best = None
    for place in np.argwhere(region.mask) + region.first:
        values = []
        for i in range(-reach[0], reach[0] + 1):
            for j in range(-reach[1], reach[1] + 1):
                for k in range(-reach[2], reach[2] + 1):
                    if np.linalg.norm(affine[:3, :3] @ (i, j, k)) <= PEAK_DIAMETER_MM / 2:
                        there = place + np.array([i, j, k])
                        inside = (there >= 0).all() and (there < pet.shape).all()
                        values.append(float(pet[tuple(there)]) if inside else math.nan)
        mean = float(np.mean(values))
        if not math.isnan(mean) and (best is None or mean > best):
            best = mean
    return best


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**20),
    centre=st.tuples(st.integers(0, 13), st.integers(0, 11), st.integers(0, 15)),
    diameter=st.sampled_from([3.0, 14.0, 26.0]),
    kind=st.sampled_from(["noise", "flat", "hot edge", "nan", "negative"]),
    spacing=st.sampled_from([(4.0, 4.0, 3.0), (5.5, 5.5, 5.5), (2.6, 3.0, 5.0)]),
)
def test_the_peak_is_the_highest_mean_of_all_spheres(seed, centre, diameter, kind, spacing):
    pet = noise(seed, (14, 12, 16)).astype(np.float32)
    if kind == "flat":
        pet[:] = np.float32(0.1)
    elif kind == "hot edge":
        pet[0] = 50.0
    elif kind == "nan":
        pet[seed % 14, seed % 12, seed % 16] = np.nan
    elif kind == "negative":
        pet -= 100.0
    affine = np.diag([*spacing, 1.0])
    region = region_of(Volume(pet, affine), Sphere(tuple(np.multiply(centre, spacing).tolist()), diameter))
    peak = peak_of(Volume(pet, affine), region)
    expected = slow_peak(pet, region, affine)
    if expected is None:
        assert (peak.value, peak.index) == (None, None)
        assert "wholly within" in peak.reason
        return
    assert peak.value == pytest.approx(expected, rel=1e-6)
    assert region.mask[tuple(np.subtract(peak.index, region.first))]
    assert peak.mm == pytest.approx(tuple(np.multiply(peak.index, spacing)))


def test_the_peak_may_lie_beside_the_hottest_voxel_and_reach_beyond_the_voi():
    pet = np.zeros(SHAPE)
    pet[10, 10, 10] = 10.0
    pet[14:18, 8:13, 8:13] = 8.0
    peak = measure_voi(images(pet), Sphere(at(13, 10, 10), 30.0)).uptake.peak
    assert peak.value == 8.0
    assert peak.index != (10, 10, 10)
    alone = measure_voi(images(pet), Sphere(at(15, 10, 10), 1.0)).uptake
    assert (alone.max, alone.peak.value) == (8.0, 8.0)
    assert alone.peak.voxels == 9 + 2 * 5 + 2 * 1  # within 6.204 mm at 0, 3 and 6 mm along K, by hand


def test_voxels_that_are_no_numbers_are_left_out_and_counted():
    pet = noise()
    pet[15, 13, 20], pet[15, 13, 21], pet[16, 13, 20] = np.nan, np.inf, -np.inf
    shape = Sphere(at(15, 13, 20), 24.0)
    result = measure_voi(images(pet), shape)
    region = region_of(Volume(pet, AFFINE), shape)
    values = pet.astype(np.float32)[region.box][region.mask].astype(float)
    values = values[np.isfinite(values)]
    assert (result.left_out, result.voxels) == (3, values.size)
    assert result.uptake.mean == pytest.approx(values.mean())
    assert sum(result.histogram.counts) == values.size


def test_only_nan_is_one_sentence():
    pet = np.full(SHAPE, np.nan)
    with pytest.raises(ImageGeometryError, match="None of the 1 voxels of this VOI holds a number") as caught:
        measure_voi(images(pet), Sphere(at(15, 13, 20), 1.0))
    assert caught.value.hint


def test_an_all_zero_pet():
    result = measure_voi(images(np.zeros(SHAPE)), Sphere(at(15, 13, 20), 24.0))
    assert (result.uptake.max, result.uptake.sd, result.uptake.peak.value) == (0.0, 0.0, 0.0)
    assert result.segments[0].reason == "The VOI has no uptake above zero."
    assert result.segments[1].reason == "No voxel of the VOI reaches 2.5."
    assert (result.segments[1].volume_ml, result.segments[1].total, result.segments[1].mean) == (0.0, 0.0, None)
    assert result.histogram.counts == (result.voxels,)


@pytest.mark.parametrize("unit", [PetUnit.ACTIVITY_BQML, PetUnit.COUNTS])
def test_without_suv_the_same_numbers_come_in_their_own_unit(unit):
    pet = noise() * 5000
    suv = images(pet, suv=SuvFactors(bw=1.0))
    plain = images(pet, unit=unit, suv=SuvFactors(reason="no dose"))
    shape = Sphere(at(15, 13, 20), 40.0)
    one, other = measure_voi(plain, shape), measure_voi(suv, shape)
    assert one.uptake == replace(other.uptake, unit=unit)
    assert one.segments[0] == other.segments[0]
    assert [(s.value, s.volume_ml, s.reason) for s in one.segments[1:]] == [(None, None, "The PET is not in SUV.")] * 3
    assert "suv" not in one.signature
    with pytest.raises(ImageGeometryError, match="needs a PET in SUV"):
        liver_reference(plain, Sphere(at(15, 13, 20), 30.0))


def test_the_signature_says_how():
    case, ball = images(noise(), ct=noise()), Sphere(at(15, 13, 20), 40.0)
    assert measure_voi(case, ball).signature == (
        "voi|conn:26|peak:1ml-voxel-centres|sd:population|shape:sphere|thr:41pct,suv2.5,suv4.0|unit:suvbw|v:1"
    )
    for scale, factor in (("sul", 0.7), ("suvbw", None)):
        signature = measure_voi(case, ball, liver=LiverReference(2, 0.2, factor)).signature
        assert f"|thr:41pct,suv2.5,suv4.0,percist-{scale}|" in signature
    drawn = Freehand(Plane.AXIAL, 20, (at(4, 4, 20), at(20, 4, 20), at(9, 22, 20)))
    assert measure_voi(replace(case, pet_unit=PetUnit.COUNTS), drawn).signature == (
        "voi|conn:26|peak:1ml-voxel-centres|sd:population|shape:freehand|thr:41pct|unit:counts|v:1"
    )
    assert measure_voi(replace(case, pet=None, pet_unit=None), ball).signature == (
        "voi|sd:population|shape:sphere|unit:hu|v:1"
    )


def test_the_liver_threshold_picks_the_same_voxels_in_suvbw_and_in_sul():
    """PERCIST 1.0 (Wahl 2009): 1.5 x SULmean + 2 SD; worked by hand with lean body mass / weight = 0.75."""
    pet = noise(3)
    case = images(pet)
    liver = liver_reference(case, Sphere(at(15, 13, 20), 30.0))
    region = region_of(case.pet, Sphere(at(15, 13, 20), 30.0))
    values = case.pet.values[region.box][region.mask].astype(float)
    assert (liver.mean, liver.sd) == pytest.approx((values.mean(), np.std(values)))
    assert liver.sul_per_suvbw == pytest.approx(0.75)
    sul = values * 0.75
    assert liver.threshold_sul == pytest.approx(1.5 * sul.mean() + 2 * sul.std())
    in_sul, in_suvbw = case.pet.values * 0.75 >= liver.threshold_sul, case.pet.values >= liver.threshold
    assert np.array_equal(in_sul, in_suvbw)
    result = measure_voi(case, Sphere(at(15, 13, 20), 60.0), liver=liver)
    assert result.segments[3].value == liver.threshold
    unknown = liver_reference(images(pet, suv=SuvFactors(bw=1.0)), Sphere(at(15, 13, 20), 30.0))
    assert (unknown.threshold, unknown.threshold_sul, unknown.scale) == (liver.threshold, None, "suvbw")
    without = measure_voi(case, Sphere(at(15, 13, 20), 60.0), no_liver="Put it first.")
    assert (without.segments[3].value, without.segments[3].reason) == (None, "Put it first.")


@pytest.mark.parametrize(
    ("sphere", "words"),
    [
        (Sphere(at(15, 13, 20), 29.0), "diameter of 29 mm"),
        (Sphere(at(2, 13, 20), 30.0), "reaches beyond the image's valid voxels"),
        (Sphere(at(22, 20, 30), 30.0), "reaches beyond the image's valid voxels"),
    ],
)
def test_what_is_no_liver_reference(sphere, words):
    pet = noise()
    pet[22, 20, 30] = np.nan
    with pytest.raises(ImageGeometryError, match=words):
        liver_reference(images(pet), sphere)


def test_hu_counts_only_where_the_ct_was_taken():
    """The CT on the PET's grid is air outside of the CT's own field of view; that is no measurement."""
    ct = np.full(SHAPE, -1024)
    ct[:15] = 40
    fine_affine = AFFINE @ np.diag([0.5, 0.5, 0.5, 1.0])
    fine_affine[:3, 3] -= AFFINE[:3, :3].diagonal() / 4
    fine = Volume(np.full((30, 52, 80), 40, dtype=np.int16), fine_affine)
    case = images(noise(), ct=ct, ct_fine=fine)
    hu = measure_voi(case, Sphere(at(15, 13, 20), 30.0)).hu
    assert (hu.mean, hu.sd, hu.min, hu.max) == (40.0, 0.0, 40.0, 40.0)
    assert hu.left_out > 0
    assert hu.voxels + hu.left_out == measure_voi(case, Sphere(at(15, 13, 20), 30.0)).voxels
    assert measure_voi(case, Sphere(at(25, 13, 20), 12.0)).hu is None
    assert measure_voi(images(noise()), Sphere(at(25, 13, 20), 12.0)).hu is None


def test_a_ct_alone_is_measured_in_hu():
    ct = noise() * 100 - 50
    result = measure_voi(images(ct=ct), Sphere(at(15, 13, 20), 30.0))
    assert (result.uptake, result.segments) == (None, ())
    assert result.hu.voxels == result.voxels == sum(result.histogram.counts)
    with pytest.raises(ImageGeometryError, match="no volume to measure in"):
        measure_voi(images(), Sphere(at(15, 13, 20), 30.0))


def test_a_profile_reads_a_ramp_exactly():
    i, j, k = np.indices(SHAPE)
    case = images(2.0 * i + 0.5 * j, ct=10 * k)
    line = Line(at(2, 3, 4), at(12, 23, 24))
    result = measure_line(case, line)
    share = np.linspace(0, 1, len(result.distance_mm))
    assert result.length_mm == pytest.approx(math.dist(line.start_mm, line.end_mm))
    assert result.distance_mm == pytest.approx(tuple(share * result.length_mm))
    assert result.pet == pytest.approx(tuple(2 * (2 + 10 * share) + 0.5 * (3 + 20 * share)), rel=1e-6)
    assert result.hu == pytest.approx(tuple(10 * (4 + 20 * share)), rel=1e-6)
    assert len(share) == math.ceil(2 * result.length_mm / 3.0) + 1
    assert result.signature == "line|interpolation:linear|unit:suvbw|v:1"


def test_a_profile_has_no_value_outside_and_where_the_image_has_none():
    pet = np.ones(SHAPE)
    pet[10, 10, 10] = np.nan
    result = measure_line(images(pet), Line(at(-10, 10, 10), at(40, 10, 10)))
    places = -10 + 50 * np.array(result.distance_mm) / result.length_mm
    for place, value in zip(places, result.pet, strict=True):
        spoilt = abs(place - 10) < 1 - 1e-9
        assert (value is None) == (place < -0.5 or place > 29.5 or spoilt), place
    assert len(measure_line(images(pet), Line(at(-4000, 10, 10), at(4000, 10, 10))).distance_mm) == MAX_SAMPLES
    with pytest.raises(ImageGeometryError, match="No part of the line"):
        measure_line(images(pet), Line(at(-10, -10, 10), at(40, -10, 10)))


def test_a_measurement_of_a_whole_body_case_is_quick(tmp_path):
    """Well under 100 ms; 5 ms here. The file is mapped, and only the VOI's box of it is read."""
    shape, affine = (200, 200, 350), np.diag([4.07, 4.07, 3.0, 1.0])
    pet = np.random.default_rng(0).random(shape, dtype=np.float32)
    key = prepare_case(
        tmp_path, pet=Volume(pet, affine), pet_unit=PetUnit.SUVBW, suv=SuvFactors(bw=1.0),
        ct=Volume(np.zeros(shape, dtype=np.int16), affine),
    )  # fmt: skip
    case = open_prepared(tmp_path, key)
    took = []
    for _ in range(3):
        started = time.perf_counter()
        measure_voi(case, Sphere((407.0, 407.0, 525.0), 100.0), liver=LiverReference(0.3, 0.1, 0.7))
        took.append(time.perf_counter() - started)
    assert min(took) < 0.1
