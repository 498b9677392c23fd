"""From words to places in a real study. Numbers: expected.json beside the scans, with their witnesses."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pet2rep_core.datasets.layouts import scan_dataset
from pet2rep_core.datasets.load import load_case
from pet2rep_core.imaging.bands import read_bands
from pet2rep_core.imaging.landmarks import CaseLandmarks, read_landmarks
from pet2rep_core.imaging.prepared import PreparedCase
from pet2rep_core.imaging.resample import clamp_padding, ct_on_pet_grid
from pet2rep_core.records import Language
from pet2rep_core.store import CaseRow
from pet2rep_core.workflow.open_case import OpenCase
from pet2rep_core.workflow.places import Place, find_places

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def want(real_data: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((real_data / "expected.json").read_text())["acrin042"]
    return loaded


@pytest.fixture(scope="module")
def images(real_data: Path) -> PreparedCase:
    loaded = load_case(scan_dataset(real_data / "acrin042_nifti").cases[0])
    assert loaded.pet is not None
    assert loaded.ct is not None
    pet = loaded.pet.to_lps()
    ct = ct_on_pet_grid(clamp_padding(loaded.ct.to_lps()), pet)
    return PreparedCase("", pet, loaded.pet_unit, loaded.suv, ct, None, None)


@pytest.fixture(scope="module")
def landmarks(images: PreparedCase) -> CaseLandmarks:
    found = read_landmarks(images)
    assert found is not None
    return found


def places_of(images: PreparedCase, landmarks: CaseLandmarks, text: str, language: Language) -> dict[str, Place]:
    row = CaseRow(case_id="x", dataset="d", layout="autopet", prepared_key=None, source_sha256="")
    found = find_places(OpenCase(row, images, None, {}), text, language, landmarks=landmarks)
    return {text[place.start : place.end]: place for place in found}


def test_lungs_are_in_view_and_the_ends_are_not(landmarks: CaseLandmarks) -> None:
    seen = {name for name, level in landmarks.levels.items() if level.seen}
    assert seen == {"lung_apex", "lung_base"}
    assert landmarks.levels["vertex"].k > landmarks.shape[2]
    assert landmarks.levels["bladder"].k < 0


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("右肺门旁肿块，FDG摄取明显增高，SUVmax约为42.2。", Language.CHINESE),
        ("右肺肿块，最大SUV值42.2。", Language.CHINESE),
        ("Mass of the right hilum with a maximum SUV of 42.2.", Language.ENGLISH),
        ("Large mass in the right lung, SUVmax 42.", Language.ENGLISH),
    ],
)
def test_the_stated_tumour(
    images: PreparedCase, landmarks: CaseLandmarks, want: dict[str, Any], text: str, language: Language
) -> None:
    z, y, x = want["hilar_zyx"]
    found = places_of(images, landmarks, text, language)
    assert len(found) == 2
    for place in found.values():
        assert (place.how, place.point) == ("suvmax", (x, y, z))


def test_the_liver(images: PreparedCase, landmarks: CaseLandmarks, want: dict[str, Any]) -> None:
    (z0, z1), _, (x0, x1) = want["box_zyx"]
    (place,) = places_of(images, landmarks, "肝脏FDG摄取未见异常。", Language.CHINESE).values()
    assert place.how == "band"
    assert place.k_range is not None
    assert place.k_range[0] < z0 < z1 < place.k_range[1]
    box = landmarks.place(read_bands().organs["liver"], None)
    assert box is not None
    assert box.box[0][0] < x0 < x1 < box.box[0][1]
    i, j, k = (round(at) for at in place.point)
    around = np.s_[i - 1 : i + 2, j - 1 : j + 2, k - 1 : k + 2]
    assert images.ct is not None
    assert images.pet is not None
    # the liver's own numbers: 52 HU and SUV 1.7 in the box
    assert float(images.ct.values[around].mean()) == pytest.approx(want["ctres_liver_mean_HU"], abs=25)
    assert float(images.pet.values[around].mean()) == pytest.approx(want["suv_liver_mean_box"], abs=0.4)


def test_lobes_are_air_and_what_is_out_of_view_has_no_place(images: PreparedCase, landmarks: CaseLandmarks) -> None:
    text = "The left upper lobe, the left lower lobe and the bladder are normal. The brain is normal."
    found = places_of(images, landmarks, text, Language.ENGLISH)
    assert set(found) == {"left upper lobe", "left lower lobe"}
    assert images.ct is not None
    for place in found.values():
        i, j, k = (round(at) for at in place.point)
        assert np.median(images.ct.values[i - 1 : i + 2, j - 1 : j + 2, k - 1 : k + 2]) < -600


def test_without_the_ct_nothing_is_made_up(images: PreparedCase) -> None:
    """Neither brain nor bladder is in view, so a PET alone shows no landmark of this torso."""
    found = read_landmarks(replace(images, ct=None))
    assert found is not None
    assert found.levels == {}
    assert places_of(replace(images, ct=None), found, "SUVmax 42.2. The liver is normal.", Language.ENGLISH).keys() == {
        "SUVmax 42.2"
    }
