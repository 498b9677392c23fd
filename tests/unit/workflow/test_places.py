"""From words to places on the demo study, whose lesions lie where its files put them, and on small made cases."""

import time
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest

from pet2rep_core.datasets.phantom import demo_case_ids
from pet2rep_core.imaging.landmarks import CaseLandmarks, read_landmarks
from pet2rep_core.imaging.organ_masks import OrganPlace
from pet2rep_core.imaging.prepared import PreparedCase
from pet2rep_core.imaging.resample import clamp_padding, ct_on_pet_grid
from pet2rep_core.imaging.volume import Volume
from pet2rep_core.records import Language, PetUnit, SuvFactors
from pet2rep_core.store import CaseRow
from pet2rep_core.workflow.open_case import OpenCase
from pet2rep_core.workflow.places import Place, find_places
from tests.phantom_cases import case_of

CASES = demo_case_ids()
WITH_LESIONS = ("demo-01", "demo-02", "demo-03", "demo-06")


def opened(images: PreparedCase | None) -> OpenCase:
    row = CaseRow(
        case_id="x", dataset="d", layout="demo", prepared_key=None, source_sha256="", metadata={}, suv={"warnings": []}
    )
    return OpenCase(row, images, None, {})


@lru_cache(maxsize=6)
def images_of(case_id: str) -> tuple[PreparedCase, CaseLandmarks]:
    case = case_of(case_id)
    pet = Volume(case.pet.values.astype(np.float32), case.pet.affine_lps)
    images = PreparedCase(
        key="", pet=pet, pet_unit=PetUnit.SUVBW, suv=SuvFactors(bw=1.0), ct=ct_on_pet_grid(clamp_padding(case.ct), pet),
        ct_fine=None, key_slices=None,
    )  # fmt: skip
    landmarks = read_landmarks(images)
    assert landmarks is not None
    return images, landmarks


def places_of(case_id: str, text: str, language: Language, **changes: object) -> list[tuple[str, Place]]:
    images, landmarks = images_of(case_id)
    found = find_places(opened(replace(images, **changes)), text, language, landmarks=landmarks)  # type: ignore[arg-type]
    return [(text[place.start : place.end], place) for place in found]


def world(case_id: str, place: Place) -> np.ndarray:
    grid = images_of(case_id)[0].grid
    assert grid is not None
    return (grid.affine_lps @ [*place.point, 1.0])[:3]


# --- the demo study ---


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("case_id", WITH_LESIONS)
def test_a_stated_suvmax_leads_to_its_lesion(case_id: str, language: Language) -> None:
    """Witness: the lesions' centres as painted. The hottest voxel of a large lesion may lie up to its edge."""
    case = case_of(case_id)
    (report,) = (r for r in case.reports if r.language is language)
    values = [(words, place) for words, place in places_of(case_id, report.text, language) if "SUV" in words]
    assert len(values) == report.text.count("SUVmax")
    for words, place in values:
        assert place.how == "suvmax"
        of_value = [t for t in case.truth if t.suv_max is not None and t.centre_mm and f"{t.suv_max:.1f}" in words]
        (lesion,) = (t for t in of_value if t.organ == place.organ)
        assert lesion.centre_mm is not None
        assert lesion.size_mm is not None
        away = world(case_id, place) - lesion.centre_mm
        assert np.linalg.norm(away) <= 10 or np.linalg.norm(away / (np.array(lesion.size_mm) / 2)) <= 1
        words_too = [p for _, p in places_of(case_id, report.text, language) if p.point == place.point]
        assert len(words_too) >= 2  # the organ's words lead to the same voxel


@pytest.mark.parametrize("case_id", CASES)
def test_words_of_normal_organs_lead_into_them(case_id: str) -> None:
    """Witness: CT numbers and activity of the tissues that the demo study is painted with."""
    images, _ = images_of(case_id)
    assert images.ct is not None
    assert images.pet is not None
    text = "肝脏未见异常。右肺上叶未见异常。左肺下叶未见异常。膀胱充盈。脑未见异常。"
    found = dict(places_of(case_id, text, Language.CHINESE))
    assert set(found) == {"肝脏", "右肺上叶", "左肺下叶", "膀胱", "脑"}
    assert {place.how for place in found.values()} == {"band"}
    around = {}
    for words, place in found.items():
        i, j, k = (round(at) for at in place.point)
        box = np.s_[i - 1 : i + 2, j - 1 : j + 2, k - 1 : k + 2]
        around[words] = (float(np.median(images.ct.values[box])), float(np.median(images.pet.values[box])))
        assert place.k_range is not None
        assert place.k_range[0] < k < place.k_range[1]
    assert around["左肺下叶"][0] < -600
    assert around["膀胱"][1] > 8
    assert around["脑"][1] > 3
    assert around["肝脏"][0] == pytest.approx(50, abs=45)  # the cyst of demo-05 is there too
    assert around["右肺上叶"][0] < -600 or case_id == "demo-01"  # its mass is there


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("case_id", CASES)
def test_whole_reports_are_quick_and_in_order(case_id: str, language: Language) -> None:
    images, landmarks = images_of(case_id)
    (report,) = (r for r in case_of(case_id).reports if r.language is language)
    find_places(opened(images), report.text, language, landmarks=landmarks)
    began = time.process_time()
    found = find_places(opened(images), report.text, language, landmarks=landmarks)
    assert time.process_time() - began < 0.05
    assert len(found) > 40
    last = 0
    for place in found:
        assert last <= place.start < place.end <= len(report.text)
        last = place.end
        assert place.label
        assert all(0 <= at <= n - 1 for at, n in zip(place.point, landmarks.shape, strict=True))


def test_the_side_decides() -> None:
    text = "左肾囊肿。右肾未见异常。"
    (_, left), (_, right) = places_of("demo-03", text, Language.CHINESE)
    assert left.point[0] > right.point[0]
    assert world("demo-03", left)[0] > 20
    assert world("demo-03", right)[0] < -20


# --- values ---


@pytest.mark.parametrize(
    ("text", "how"),
    [
        ("The left adrenal gland has SUVmax 10.8.", "suvmax"),
        ("The left adrenal gland has SUVmax 10.7.", "suvmax"),  # within 2 %
        ("The left adrenal gland has SUVmax 9.9.", "band"),
        ("The right kidney has SUVmax 10.8.", "band"),  # the peak lies on the other side
        ("The brain has SUVmax 11.2.", "suvmax"),
        ("SUVmax 14.6.", "suvmax"),  # no organ, and one peak has it
    ],
)
def test_a_value_is_looked_for_in_its_organ(text: str, how: str) -> None:
    found = places_of("demo-01", text, Language.ENGLISH)
    values = [place for words, place in found if "SUV" in words]
    assert [place.how for place in values] == [how]
    if how == "band":
        assert "no peak of the stated SUVmax" in values[0].label


def test_values_that_lead_nowhere() -> None:
    assert places_of("demo-01", "SUVmax 2.0.", Language.ENGLISH) == []  # many peaks, and no organ
    assert places_of("demo-01", "SUVmax 400.", Language.ENGLISH) == []
    ((words, place),) = places_of("demo-01", "左肾上腺结节，原SUVmax 10.8。", Language.CHINESE)
    assert (words, place.how) == ("左肾上腺", "band")  # the value of an earlier study


def test_without_suv_a_value_leads_to_the_organ_alone() -> None:
    images, _ = images_of("demo-01")
    activity = replace(images, pet_unit=PetUnit.ACTIVITY_BQML)
    text = "左肾上腺结节，SUVmax 10.8。"
    found = find_places(opened(activity), text, Language.CHINESE)
    assert {place.how for place in found} == {"band"}
    assert not any("SUV" in place.label for place in found)


# --- slices ---


def test_a_slice_is_counted_from_the_head() -> None:
    images, _ = images_of("demo-01")
    assert images.grid is not None
    planes = images.grid.values.shape[2]
    found = places_of("demo-01", f"层面1。第{planes}层。第{planes + 1}层。第0层。", Language.CHINESE)
    assert [(words, place.how, place.plane, place.point[2]) for words, place in found] == [
        ("层面1", "slice", "axial", planes - 1),
        (f"第{planes}层", "slice", "axial", 0),
    ]
    assert "从头侧数起" in found[0][1].label


# --- masks ---

MASKS = {
    "liver": OrganPlace((60, 70, 160), ((50, 71), (60, 81), (140, 181)), 1500.0, (61, 71, 161), 3.0),
    "kidney_left": OrganPlace((100, 90, 140), ((95, 106), (85, 96), (130, 151)), 160.0, (101, 91, 141), 4.0),
    "kidney_right": OrganPlace((60, 90, 135), ((55, 66), (85, 96), (125, 146)), 170.0, (61, 91, 136), 5.0),
    "lung_upper_lobe_right": OrganPlace((60, 80, 230), ((50, 71), (70, 91), (215, 246)), 900.0, (61, 81, 231), 14.0),
    "lung_lower_lobe_right": OrganPlace((62, 90, 190), ((50, 71), (70, 111), (170, 221)), 900.0, (63, 91, 191), 1.0),
    "vertebrae_L3": OrganPlace((84, 92, 135), ((80, 89), (88, 97), (130, 141)), 60.0, (85, 93, 136), 11.0),
}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("肝脏未见异常。", "liver"),
        ("左肾囊肿。", "kidney_left"),
        ("右肾囊肿。", "kidney_right"),
        ("双肾未见异常。", "kidney_right"),  # the hotter one
        ("右肺上叶未见异常。", "lung_upper_lobe_right"),
        ("右肺下叶未见异常。", "lung_lower_lobe_right"),
        ("腰3椎体未见异常。", "vertebrae_L3"),
    ],
)
def test_a_mask_is_taken_before_the_band(text: str, name: str) -> None:
    ((_, place),) = places_of("demo-01", text, Language.CHINESE, organs=MASKS)
    assert place.how == "mask"
    assert place.point == MASKS[name].centre
    low, high = MASKS[name].box[2]
    assert place.k_range == (low - 0.5, high - 0.5)
    assert name in place.label


def test_an_organ_without_a_mask_keeps_its_band() -> None:
    found = places_of("demo-01", "脾脏未见异常。左肺未见异常。", Language.CHINESE, organs=MASKS)
    assert [place.how for _, place in found] == ["band", "band"]


# --- cases that show less ---


def test_cases_without_volumes_lead_nowhere() -> None:
    pictures = PreparedCase("", None, None, SuvFactors(), None, None, None)
    for images in (None, pictures):
        assert find_places(opened(images), "肝脏未见异常。", Language.CHINESE) == ()


def test_organs_out_of_view_lead_nowhere() -> None:
    images, _ = images_of("demo-04")
    assert images.ct is not None
    affine = images.ct.affine_lps.copy()
    affine[:3, 3] += affine[:3, 2] * 140
    torso = Volume(images.ct.values[:, :, 140:270], affine)
    found = find_places(
        opened(replace(images, pet=None, pet_unit=None, ct=torso)),
        "膀胱充盈。脑未见异常。左肺未见异常。",
        Language.CHINESE,
    )
    assert [place.organ for place in found] == ["lung"]


@pytest.mark.parametrize("text", ["", "。。。", "FDG", "SUVmax", "第层"])
def test_texts_that_name_nothing(text: str) -> None:
    assert places_of("demo-04", text, Language.CHINESE) == []
