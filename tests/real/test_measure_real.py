"""Volumes of interest on real studies.

Witnesses: expected.json beside the scans; MIRP 2.7.0 (an IBSI-compliant program), which was run once on the same
files and masks, its numbers are the constants below; SimpleITK and scipy here. The masks for MIRP were made without
this package: balls from SimpleITK's PhysicalPointSource, the outline with scikit-image's polygon2mask. The balls lie
on the study's published NIfTI file; for the outline MIRP was given the SUV that this package read, whose minimum and
maximum in the tumour are those that MIRP finds from the DICOM files (expected.json).
"""

import json
import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import scipy.ndimage
import SimpleITK as sitk

from pet2rep_core.datasets.layouts import scan_dataset
from pet2rep_core.datasets.load import load_case
from pet2rep_core.imaging.measure import VoiResult, liver_reference, measure_voi
from pet2rep_core.imaging.planes import Plane
from pet2rep_core.imaging.prepared import PreparedCase, open_prepared, prepare_case
from pet2rep_core.imaging.voi import Freehand, Sphere, region_of, to_mm

pytestmark = pytest.mark.real


@dataclass(frozen=True)
class Mirp:
    """morph_vol_approx in mm3, stat_mean, stat_var, stat_min, stat_max and loc_peak_glob of MIRP 2.7.0."""

    volume_mm3: float
    mean: float
    variance: float
    minimum: float
    maximum: float
    peak: float


HILAR_60 = Mirp(111737.85947612487, 4.201271, 47.62627, 0.14354178, 42.21738, 33.15343)
HILAR_25 = Mirp(8838.428755989298, 17.693426, 134.68744, 1.1631815, 42.21738, 33.15342712402344)
HOTTEST_40 = Mirp(34563.28643602319, 3.6107814, 37.915363, 0.25728297, 51.093277, 26.15708)
GTV_OUTLINE = Mirp(494691.28129421733, 2.1882746, 1.8037622, 0.16878799, 7.910674, 6.0784354)
"""The contour of GTV_Mass in slice 28, its largest, extruded by 13 slices to both sides."""


@pytest.fixture(scope="module")
def want(real_data: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((real_data / "expected.json").read_text())
    return loaded


def prepared(folder: Path, root: Path) -> PreparedCase:
    (source,) = scan_dataset(folder).cases
    case = load_case(source)
    key = prepare_case(root, pet=case.pet, pet_unit=case.pet_unit, suv=case.suv, ct=case.ct, warnings=case.warnings)
    return open_prepared(root, key)


@pytest.fixture(scope="module")
def acrin(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, PreparedCase]:
    root = tmp_path_factory.mktemp("prepared")
    return {name: prepared(real_data / f"acrin042_{name}", root) for name in ("dicom", "nifti")}


@pytest.fixture(scope="module")
def sts_folder(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sts")
    with zipfile.ZipFile(real_data / "sts001_GE_wholebody_FDG_PET_dicom.zip") as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def sts(sts_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> PreparedCase:
    return prepared(sts_folder, tmp_path_factory.mktemp("prepared"))


def ball(case: PreparedCase, zyx: list[int], diameter: float) -> Sphere:
    assert case.pet is not None
    x, y, z = to_mm(case.pet, zyx[::-1])[0].tolist()
    return Sphere((x, y, z), diameter)


def check(result: VoiResult, witness: Mirp, rel: float) -> None:
    uptake = result.uptake
    assert uptake is not None
    assert uptake.peak.value is not None
    ours = (uptake.mean, uptake.sd, uptake.min, uptake.max, uptake.peak.value)
    theirs = (witness.mean, math.sqrt(witness.variance), witness.minimum, witness.maximum, witness.peak)
    assert ours == pytest.approx(theirs, rel=rel)


@pytest.mark.parametrize("name", ["dicom", "nifti"])
@pytest.mark.parametrize(
    ("place", "diameter", "witness"),
    [("hilar_zyx", 60.0, HILAR_60), ("hilar_zyx", 25.0, HILAR_25), ("suv_max_zyx", 40.0, HOTTEST_40)],
)
def test_spheres_against_mirp(
    acrin: dict[str, PreparedCase], want: dict[str, Any], name: str, place: str, diameter: float, witness: Mirp
) -> None:
    case = acrin[name]
    result = measure_voi(case, ball(case, want["acrin042"][place], diameter))
    check(result, witness, rel=1e-5)
    assert result.volume_ml * 1000 == pytest.approx(witness.volume_mm3, rel=1e-5)
    assert (result.clipped, result.left_out) == (False, 0)
    uptake = result.uptake
    assert uptake is not None
    assert list(uptake.max_index)[::-1] == want["acrin042"][place]


def test_the_same_numbers_from_the_dicom_and_the_converted_study(
    acrin: dict[str, PreparedCase], want: dict[str, Any]
) -> None:
    one, other = (measure_voi(case, ball(case, want["acrin042"]["hilar_zyx"], 60.0)) for case in acrin.values())
    assert one.uptake is not None
    assert other.uptake is not None
    assert one.uptake.peak.value == pytest.approx(other.uptake.peak.value, rel=1e-5)
    assert [s.voxels for s in one.segments] == [s.voxels for s in other.segments]
    assert one.hu is not None
    assert other.hu is not None
    assert one.hu.mean == pytest.approx(other.hu.mean, abs=1.0)


def test_segmented_volumes_of_the_tumour_against_scipy_and_simpleitk(
    acrin: dict[str, PreparedCase], want: dict[str, Any]
) -> None:
    case = acrin["dicom"]
    assert case.pet is not None
    assert case.ct is not None
    sphere = ball(case, want["acrin042"]["hilar_zyx"], 60.0)
    # The liver box of expected.json has its centre here; PERCIST's sphere lies around it.
    (z0, z1), (y0, y1), (x0, x1) = want["acrin042"]["box_zyx"]
    liver = liver_reference(case, ball(case, [(z0 + z1) // 2, (y0 + y1) // 2, (x0 + x1) // 2], 30.0))
    assert liver.mean == pytest.approx(want["acrin042"]["suv_liver_mean_box"], rel=0.1)
    factors = want["acrin042"]["rwv_reference"]
    assert liver.sul_per_suvbw == pytest.approx(factors["suvlbm"] / factors["suvbw"], rel=1e-3)
    result = measure_voi(case, sphere, liver=liver)
    assert result.uptake is not None

    index = np.indices(case.pet.values.shape).reshape(3, -1)
    points = case.pet.affine_lps[:3, :3] @ index + case.pet.affine_lps[:3, 3:]
    distance = np.linalg.norm(points - np.array(sphere.centre_mm)[:, None], axis=0).reshape(case.pet.values.shape)
    inside = distance <= 30 + 1e-6
    hot = result.uptake.max_index
    voxel_ml = math.prod(case.pet.spacing_mm) / 1000
    for segment in result.segments:
        assert segment.value is not None
        labels, _ = scipy.ndimage.label(inside & (case.pet.values >= segment.value), np.ones((3, 3, 3)))
        values = case.pet.values[labels == labels[hot]].astype(float)
        assert segment.voxels == values.size
        assert segment.volume_ml == pytest.approx(values.size * voxel_ml, rel=1e-9)
        assert segment.mean == pytest.approx(values.mean(), rel=1e-9)
        assert segment.total == pytest.approx(values.sum() * voxel_ml, rel=1e-9)
    counts = {segment.threshold: segment.voxels for segment in result.segments}
    assert counts["41pct"] < counts["suv4.0"] < counts["suv2.5"]  # 41 % of 42 is 17

    statistics = sitk.LabelStatisticsImageFilter()
    statistics.Execute(
        sitk.GetImageFromArray(case.ct.values.T.astype(float)), sitk.GetImageFromArray(inside.T.astype(np.uint8))
    )
    assert result.hu is not None
    assert (result.hu.mean, result.hu.min, result.hu.max) == pytest.approx(
        (statistics.GetMean(1), statistics.GetMinimum(1), statistics.GetMaximum(1))
    )


def contours(folder: Path) -> list[np.ndarray]:
    (file,) = folder.glob("FDG_PET/mask/*.dcm")
    dataset = pydicom.dcmread(file)
    (number,) = (roi.ROINumber for roi in dataset.StructureSetROISequence if roi.ROIName == "GTV_Mass")
    (roi,) = (one for one in dataset.ROIContourSequence if one.ReferencedROINumber == number)
    return [np.array(one.ContourData, dtype=float).reshape(-1, 3) for one in roi.ContourSequence]


def drawn(case: PreparedCase, points: np.ndarray) -> Freehand:
    assert case.pet is not None
    origin, spacing = case.pet.affine_lps[2, 3], case.pet.spacing_mm[2]
    k = round((float(points[0, 2]) - origin) / spacing)
    return Freehand(Plane.AXIAL, k, tuple((float(x), float(y), float(z)) for x, y, z in points))


def test_the_contours_of_a_radiotherapy_structure(sts: PreparedCase, sts_folder: Path, want: dict[str, Any]) -> None:
    """Each contour's own plane of its extrusion; together they are the tumour that MIRP and IBSI measured."""
    assert sts.pet is not None
    tumour = np.zeros(sts.pet.values.shape, dtype=bool)
    for points in contours(sts_folder):
        shape = drawn(sts, points)
        region = region_of(sts.pet, shape)
        i, j, _ = region.box
        tumour[i, j, shape.index] ^= region.mask[:, :, shape.index - region.first[2]]
    values = sts.pet.values[tumour].astype(float)
    expected = want["sts001"]["gtv_mass_suvbw"]
    assert tumour.sum() == 5095  # scikit-image's polygon2mask
    assert (values.min(), values.max()) == pytest.approx((expected["min"], expected["max"]), rel=1e-5)
    assert np.median(values) == pytest.approx(expected["median_ibsi_nifti"], rel=1e-3)


def test_an_outline_against_mirp(sts: PreparedCase, sts_folder: Path) -> None:
    (shape,) = (one for points in contours(sts_folder) if (one := drawn(sts, points)).index == 28)
    result = measure_voi(sts, shape)
    assert result.voxels == 6885
    check(result, GTV_OUTLINE, rel=1e-5)
    assert result.volume_ml * 1000 == pytest.approx(GTV_OUTLINE.volume_mm3, rel=1e-5)
    assert result.hu is None
