"""What the viewer is told about a case: the same words for the same case, and nothing that is not known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pet2rep_core.datasets.layouts import scan_dataset
from pet2rep_core.datasets.load import load_case
from pet2rep_core.errors import ImageGeometryError, UnknownNameError
from pet2rep_core.imaging.packed import unpack_volume
from pet2rep_core.imaging.planes import placement
from pet2rep_core.imaging.prepared import PreparedCase, open_prepared, prepare_case
from pet2rep_core.imaging.volume import Volume
from pet2rep_core.records import KeySlices, PetUnit, SuvFactors
from pet2rep_core.store import CaseRow
from pet2rep_core.workflow.open_case import OpenCase
from pet2rep_core.workflow.view_case import describe_case, stream_volume

SHAPE, STEP = (24, 20, 16), (4.0, 4.0, 3.0)
CORNER = (21, 2, 14)
"""The bright voxel of the PET: left, anterior, superior."""


def grid_of(values: np.ndarray, step: tuple[float, float, float], shift_mm: float = 0.0) -> Volume:
    affine = np.diag([*step, 1.0])
    affine[:3, 3] = np.array([-48.0, -40.0, 100.0]) + shift_mm
    return Volume(values, affine)


def pet() -> Volume:
    values = np.zeros(SHAPE, np.float32)
    values[4:20, 4:16] = 1.0
    values[CORNER] = 20.0
    return grid_of(values, STEP)


def ct(*, tilt: float = 0.0) -> Volume:
    """HU on voxels of half the size, air around; the corner is bone. A fine voxel's centre lies a quarter nearer."""
    values = np.full((48, 40, 32), -1000, np.int16)
    values[8:40, 8:32] = 40
    values[42:44, 4:6, 28:30] = 1000
    volume = grid_of(values, (2.0, 2.0, 1.5))
    affine = volume.affine_lps.copy()
    affine[:3, 3] -= np.array([1.0, 1.0, 0.75])
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]]
    return Volume(values, turn @ affine)


def opened(images: PreparedCase | None, key_slices: KeySlices | None = None) -> OpenCase:
    row = CaseRow(
        case_id="a", dataset="d", layout="test", prepared_key=None, source_sha256="0" * 64, metadata={}, suv={}
    )
    return OpenCase(row, images, key_slices, {})


def prepared(
    root: Path,
    *,
    pet_volume: Volume | None = None,
    ct_volume: Volume | None = None,
    unit: PetUnit | None = PetUnit.SUVBW,
    suv: SuvFactors | None = None,
) -> PreparedCase:
    unit = None if pet_volume is None else unit
    key = prepare_case(root, pet=pet_volume, pet_unit=unit, suv=suv or SuvFactors(bw=2.0, lbm=1.5), ct=ct_volume)
    return open_prepared(root, key)


def test_a_case_with_both_is_described_in_full(tmp_path: Path) -> None:
    images = prepared(tmp_path, pet_volume=pet(), ct_volume=ct())
    case = opened(images, KeySlices((12, 10, 8), "rule"))
    described = describe_case(case)
    assert described == {
        "grid": {
            "shape": [24, 20, 16],
            "spacing_mm": [4.0, 4.0, 3.0],
            "affine_lps": [[4, 0, 0, -48], [0, 4, 0, -40], [0, 0, 3, 100], [0, 0, 0, 1]],
        },
        "columns": [0, 24],
        # The body from 4 to 20 and 4 to 16, the hot corner at 21 and 2, and 15 mm = 4 voxels.
        "box": [[0, 24], [0, 20], [0, 16]],
        "letters": {
            "coronal": {"left": "R", "right": "L", "top": "H", "bottom": "F"},
            "axial": {"left": "R", "right": "L", "top": "A", "bottom": "P"},
            "sagittal": {"left": "A", "right": "P", "top": "H", "bottom": "F"},
        },
        "volumes": ["pet", "ct"],
        "pet_unit": "suvbw",
        "pet_unit_label": "SUVbw g/mL",
        "key_slices": [12, 10, 8],
    }  # fmt: skip
    assert json.loads(json.dumps(described, allow_nan=False)) == described
    again = opened(open_prepared(tmp_path, images.key), KeySlices((12, 10, 8), "rule"))
    assert json.dumps(describe_case(again)) == json.dumps(described)


@pytest.mark.parametrize(
    ("has_pet", "has_ct", "unit", "suv", "volumes", "said_unit", "sul"),
    [
        (True, False, PetUnit.SUVBW, SuvFactors(bw=1.0), ["pet"], "suvbw", None),
        (True, True, PetUnit.ACTIVITY_BQML, SuvFactors(reason="none"), ["pet", "ct"], "bqml", None),
        (True, True, PetUnit.COUNTS, SuvFactors(bw=1.0, lbm=0.5), ["pet", "ct"], "counts", None),
        (False, True, None, SuvFactors(), ["ct"], None, None),
    ],
)
def test_what_is_not_known_is_not_said(
    tmp_path: Path,
    *,
    has_pet: bool,
    has_ct: bool,
    unit: PetUnit | None,
    suv: SuvFactors,
    volumes: list[str],
    said_unit: str | None,
    sul: float | None,
) -> None:
    images = prepared(
        tmp_path, pet_volume=pet() if has_pet else None, ct_volume=ct() if has_ct else None, unit=unit, suv=suv
    )
    described = describe_case(opened(images))
    assert described["key_slices"] == []
    assert (described["pet_unit_label"] == "") is (unit is None)
    for name in volumes:
        header, _ = unpack_volume(b"".join(stream_volume(opened(images), name)))
        assert header["name"] == name


@pytest.mark.parametrize("tilt", [0.0, 0.1])
def test_the_bright_corner_arrives_at_its_place(tmp_path: Path, tilt: float) -> None:
    """In both volumes, whether the CT comes on its own grid or, where that is tilted, on the PET's."""
    images = prepared(tmp_path, pet_volume=pet(), ct_volume=ct(tilt=tilt))
    header, values = unpack_volume(b"".join(stream_volume(opened(images), "pet")))
    assert np.argwhere(values == values.max()).tolist() == [list(np.array(CORNER) + header["shift"])]
    header, values = unpack_volume(b"".join(stream_volume(opened(images), "ct")))
    assert (header["scale"] == [2.0, 2.0, 2.0]) is (tilt == 0.0)
    bright = np.argwhere(values > 500).mean(axis=0)
    # In the tilted one the bone lies elsewhere in the patient: where a turn about the origin puts it.
    mm = np.array([21.0, 2.0, 14.0]) * STEP + [-48.0, -40.0, 100.0]
    turned = [mm[0] * np.cos(tilt) - mm[1] * np.sin(tilt), mm[0] * np.sin(tilt) + mm[1] * np.cos(tilt), mm[2]]
    place = (np.array(turned) - [-48.0, -40.0, 100.0]) / STEP
    assert np.abs((bright - header["shift"]) / header["scale"] - place).max() < (0.6 if tilt else 0.01)


def test_a_case_without_volumes_says_so() -> None:
    for call in (describe_case, lambda case: stream_volume(case, "pet")):
        with pytest.raises(ImageGeometryError, match="This case has no volumes"):
            call(opened(None))


@pytest.mark.parametrize("name", ["mri", "", "PET", "ct_fine"])
def test_an_unknown_volume_is_refused_before_the_first_chunk(tmp_path: Path, name: str) -> None:
    case = opened(prepared(tmp_path, pet_volume=pet()))
    with pytest.raises(UnknownNameError, match=f"There is no volume of this case named '{name}'"):
        stream_volume(case, name)
    with pytest.raises(UnknownNameError, match="'ct'"):
        stream_volume(case, "ct")


@pytest.mark.real
def test_the_real_study_loses_nothing_that_counts(real_data: Path, tmp_path: Path) -> None:
    """Witness: the volumes before they were packed."""
    (source,) = scan_dataset(real_data / "acrin042_dicom").cases
    loaded = load_case(source)
    assert loaded.pet is not None
    key = prepare_case(tmp_path, pet=loaded.pet, pet_unit=loaded.pet_unit, suv=loaded.suv, ct=loaded.ct)
    images = open_prepared(tmp_path, key)
    assert images.pet is not None
    assert images.ct_fine is not None
    case = opened(images)
    header, values = unpack_volume(b"".join(stream_volume(case, "pet")))
    (i0, i1), (j0, j1), (k0, k1) = describe_case(case)["box"]
    assert np.abs(values - images.pet.values[i0:i1, j0:j1, k0:k1]).max() <= header["step"] / 2 * (1 + 1e-9)
    assert values.max() == pytest.approx(float(images.pet.values.max()), rel=1e-9)
    # What is cut away is the noise of the air around.
    inside = images.pet.values[i0:i1, j0:j1, k0:k1].sum(dtype=float)
    assert inside > 0.998 * images.pet.values.sum(dtype=float)
    header, values = unpack_volume(b"".join(stream_volume(case, "ct")))
    assert header["reduction"] == [1, 1, 1]
    first = np.rint(np.array(placement(images.pet, images.ct_fine).shift) - header["shift"]).astype(int)
    part = tuple(slice(n, n + size) for n, size in zip(first, header["shape"], strict=True))
    assert np.array_equal(values, images.ct_fine.values[part])
    # Of all that is denser than air, the part that is cut away is noise and table.
    dense = images.ct_fine.values > -300
    assert (values > -300).sum() > 0.97 * dense.sum()
