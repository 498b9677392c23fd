"""Landmarks of bodies that are built with known lungs, brain and bladder; bands between them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from pet2rep_core.errors import SettingsError
from pet2rep_core.imaging.bands import BANDS_FILE, LANDMARKS, mask_side, read_bands, vertebrae_named
from pet2rep_core.imaging.landmarks import CaseLandmarks, read_landmarks
from pet2rep_core.imaging.maxima import LEAST_SUV, REACH_MM, find_peaks
from pet2rep_core.imaging.prepared import PreparedCase
from pet2rep_core.imaging.volume import Array, Volume
from pet2rep_core.records import PetUnit, SuvFactors
from pet2rep_core.report.lexicon import read_lexicon

APEX_MM, BASE_MM, BLADDER_MM, VERTEX_MM = 700.0, 450.0, 190.0, 1000.0
"""Heights of the built body over the first slice of the whole volume."""
SPACINGS = [(4.07, 4.07, 3.0), (2.0, 3.0, 5.0), (5.0, 5.0, 2.0)]


def ball(x: Array, y: Array, z: Array, centre: tuple[float, ...], radii: tuple[float, ...]) -> Array:
    return sum(((p - c) / r) ** 2 for p, c, r in zip((x, y, z), centre, radii, strict=True)) <= 1


def body(
    spacing: tuple[float, float, float] = SPACINGS[0], *, low: float = 0.0, high: float = 1050.0, side_mm: float = 10.0
) -> tuple[Volume, Volume]:
    """CT and PET of a body of ellipses between two heights; its middle lies ``side_mm`` to the patient's left."""
    size = (round(560 / spacing[0]), round(400 / spacing[1]), round((high - low) / spacing[2]))
    axes = [(np.arange(n) - (n - 1) / 2) * s for n, s in zip(size[:2], spacing[:2], strict=True)]
    z = low + np.arange(size[2]) * spacing[2]
    x, y, z = np.meshgrid(axes[0] - side_mm, axes[1], z, indexing="ij", sparse=True)
    trunk = ((x / 170) ** 2 + (y / 110) ** 2 <= 1) & (z < 760)
    head = ball(x, y, z, (0, 0, 890), (80, 95, 110)) | (((x / 60) ** 2 + (y / 60) ** 2 <= 1) & (z >= 760) & (z < 890))
    ct = np.where(trunk | head, 40, -1000).astype(np.int16)
    lungs = (np.abs(np.abs(x) - 75) < 50) & (np.abs(y) < 60) & (z >= BASE_MM) & (z <= APEX_MM)
    ct[np.broadcast_to(lungs, ct.shape)] = -800
    ct[np.broadcast_to((np.abs(x) < 200) & (y > 125) & (y < 134), ct.shape)] = 100  # the table
    pet = np.where(trunk | head, 1.0, 0.0).astype(np.float32)
    pet[np.broadcast_to(lungs, ct.shape)] = 0.4
    pet[ball(x, y, z, (0, 0, 910), (65, 80, 78))] = 9.0
    pet[ball(x, y, z, (0, -30, BLADDER_MM), (35, 30, 30))] = 25.0
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = axes[0][0], axes[1][0], low
    return Volume(ct, affine), Volume(pet, affine)


def case_of(ct: Volume | None, pet: Volume | None, unit: PetUnit = PetUnit.SUVBW) -> PreparedCase:
    return PreparedCase(
        key="", pet=pet, pet_unit=None if pet is None else unit, suv=SuvFactors(), ct=ct, ct_fine=None, key_slices=None
    )


def levels_mm(found: CaseLandmarks, grid: Volume) -> dict[str, float]:
    return {name: grid.affine_lps[2, 3] + level.k * grid.spacing_mm[2] for name, level in found.levels.items()}


def read(ct: Volume | None, pet: Volume | None) -> CaseLandmarks:
    found = read_landmarks(case_of(ct, pet))
    assert found is not None
    return found


@pytest.mark.parametrize("spacing", SPACINGS)
def test_lungs_brain_and_bladder_are_seen(spacing: tuple[float, float, float]) -> None:
    ct, pet = body(spacing)
    found = read(ct, pet)
    where = levels_mm(found, ct)
    assert tuple(found.levels) == LANDMARKS
    for name, height in (
        ("lung_apex", APEX_MM),
        ("lung_base", BASE_MM),
        ("bladder", BLADDER_MM),
        ("vertex", VERTEX_MM),
    ):
        assert found.levels[name].seen
        assert where[name] == pytest.approx(height, abs=12)
    assert not found.levels["chin"].seen
    assert where["vertex"] > where["skull_base"] > where["chin"] > where["lung_apex"] > where["carina"]
    assert where["lung_base"] > where["bladder"] > where["pelvic_floor"]
    # 250 mm high, 2 x 125 mm wide by construction
    assert found.lung_height * spacing[2] == pytest.approx(250, abs=15)
    assert found.half_width * spacing[0] == pytest.approx(125, abs=8)
    at_chest = int(np.searchsorted(found.heights, (APEX_MM - 100) / spacing[2]))
    assert ct.affine_lps[0, 3] + found.middle[at_chest] * spacing[0] == pytest.approx(10, abs=8)
    # the table behind the body does not count
    assert ct.affine_lps[1, 3] + found.back[at_chest] * spacing[1] == pytest.approx(110, abs=8)


def test_without_a_ct_the_hot_ends_carry_the_body() -> None:
    _, pet = body()
    found = read(None, pet)
    where = levels_mm(found, pet)
    assert (found.levels["vertex"].seen, found.levels["bladder"].seen) == (True, True)
    assert (found.levels["lung_apex"].seen, found.levels["lung_base"].seen) == (False, False)
    assert where["lung_apex"] == pytest.approx(APEX_MM, abs=30)
    assert where["lung_base"] == pytest.approx(BASE_MM, abs=30)


def test_the_unit_of_the_pet_does_not_matter() -> None:
    _, pet = body()
    activity = Volume(pet.values * np.float32(3000), pet.affine_lps)
    one, other = read(None, pet), read_landmarks(case_of(None, activity, PetUnit.ACTIVITY_BQML))
    assert other is not None
    assert other.levels == one.levels
    assert (one.peaks is not None, other.peaks) == (True, None)  # no SUV, no SUVmax


@pytest.mark.parametrize(("low", "high", "unseen"), [(0, 600, "lung_apex"), (560, 1050, "lung_base")])
def test_lungs_that_are_cut_off_are_not_called_seen(low: float, high: float, unseen: str) -> None:
    ct, pet = body(low=low, high=high)
    found = read(ct, pet)
    assert {name for name in ("lung_apex", "lung_base") if not found.levels[name].seen} == {unseen}
    expected = APEX_MM if unseen == "lung_apex" else BASE_MM
    assert levels_mm(found, ct)[unseen] == pytest.approx(expected, abs=15)  # average height is the built one


def test_a_body_that_shows_nothing_has_no_landmarks() -> None:
    zero = Volume(np.zeros((40, 40, 40), np.float32), np.diag([4.0, 4.0, 4.0, 1.0]))
    warm = Volume(np.ones((40, 40, 40), np.float32), np.diag([4.0, 4.0, 4.0, 1.0]))
    solid = Volume(np.full((40, 40, 1), 40, np.int16), np.diag([4.0, 4.0, 4.0, 1.0]))
    for ct, pet in ((None, zero), (None, warm), (solid, None)):
        found = read(ct, pet)
        assert found.levels == {}
        assert found.place(read_bands().organs["liver"], None) is None
    assert read_landmarks(case_of(None, None)) is None


# --- bands ---


@pytest.fixture(scope="module")
def landmarks() -> CaseLandmarks:
    return read(*body())


def test_a_band_lies_on_its_side_and_height(landmarks: CaseLandmarks) -> None:
    bands = read_bands()
    ct, _ = body()

    def point(organ: str, words: str = "", side: str | None = None) -> Array:
        placed = landmarks.place(bands.find(organ, words)[0], side)
        assert placed is not None
        for at, (low, high) in zip(placed.point, placed.box, strict=True):
            assert low - 1 <= at <= high + 1
        return (ct.affine_lps @ [*placed.point, 1])[:3]

    upper, lower = point("lung", "右肺上叶", "right"), point("lung", "左肺下叶", "left")
    # witnesses: the lungs as built, 10 mm off the middle
    assert -115 < upper[0] < -15
    assert 35 < lower[0] < 135
    assert APEX_MM - 0.45 * 250 < upper[2] < APEX_MM
    assert BASE_MM < lower[2] < APEX_MM - 0.35 * 250
    assert point("liver")[0] < -20
    assert point("spleen")[0] > 40
    assert point("kidney", side="left")[0] > 40 > point("kidney")[0] > -20 > point("kidney", side="right")[0]
    assert point("bladder")[2] == pytest.approx(BLADDER_MM, abs=15)
    assert point("brain")[2] == pytest.approx(920, abs=40)
    heights = [point("bone", name)[2] for name in ("C1", "颈3", "T1", "胸8椎体", "L1", "腰3椎体", "L5", "S1")]
    assert heights == sorted(heights, reverse=True)
    assert len(set(heights)) == len(heights)


def test_a_band_out_of_view_has_no_place() -> None:
    ct, pet = body(low=380, high=760)
    found = read(ct, pet)
    bands = read_bands().organs
    assert found.place(bands["brain"], None) is None
    assert found.place(bands["bladder"], None) is None
    placed = found.place(bands["lung"], "left")
    assert placed is not None
    assert placed.seen


@pytest.mark.parametrize("organ", list(read_lexicon().by_id))
def test_every_organ_has_a_band_in_the_body(landmarks: CaseLandmarks, organ: str) -> None:
    bands = read_bands()
    for band in (bands.organs[organ], *(part.band for part in bands.parts[organ])):
        for side in (None, "left", "right"):
            placed = landmarks.place(band, side)
            assert placed is not None
            assert all(0 <= at <= n - 1 for at, n in zip(placed.point, landmarks.shape, strict=True))
            assert all(low < high for low, high in placed.box)


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("腰3椎体", ["L3"]),
        ("腰3至腰5椎体", ["L3", "L5"]),
        ("T12", ["T12"]),
        ("第7胸椎", ["T7"]),
        ("颈5椎体", ["C5"]),
        ("L9", []),
        ("CT12", []),
        ("椎体", []),
    ],
)
def test_vertebrae_are_read(words: str, names: list[str]) -> None:
    assert vertebrae_named(words) == names


@pytest.mark.parametrize(
    ("name", "organ", "side"),
    [
        # class names of TotalSegmentator, map_to_binary.py
        ("liver", "liver", None),
        ("spleen", "spleen", None),
        ("lung_upper_lobe_left", "lung", "left"),
        ("kidney_right", "kidney", "right"),
        ("heart", "heart", None),
        ("heart_ventricle_left", "heart", "left"),
        ("brain", "brain", None),
        ("urinary_bladder", "bladder", None),
        ("vertebrae_T12", "bone", None),
        ("rib_left_3", "bone", "left"),
        ("clavicula_right", "bone", "right"),
        ("adrenal_gland_left", "adrenal", "left"),
        ("thyroid_gland", "thyroid", None),
        ("duodenum", "bowel", None),
        ("portal_vein_and_splenic_vein", "portal_vein", None),
        ("gluteus_maximus_left", "soft_tissue", "left"),
        ("aorta", "vessel", None),
        ("trachea", None, None),
        ("spinal_cord", None, None),
        ("tumor", None, None),
        ("background", None, None),
    ],
)
def test_names_of_masks(name: str, organ: str | None, side: str | None) -> None:
    assert (read_bands().organ_of_mask(name), mask_side(name)) == (organ, side)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"lung_base", 0.32', '"lung_bass", 0.32', "there is no landmark 'lung_bass'"),
        ("[body]", "[corpse]", "'body'"),
        ("[body]", "[body", "cannot be read"),
    ],
)
def test_a_spoilt_table_is_refused(tmp_path, old: str, new: str, said: str) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "bands.toml"
    file.write_text(BANDS_FILE.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"The table of organ bands bands\.toml cannot be read") as caught:
        read_bands(file)
    assert said in caught.value.message


# --- peaks ---


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 999), planes=st.integers(1, 70))
def test_peaks_are_those_of_the_whole_volume(seed: int, planes: int) -> None:
    """Witness: one maximum filter over the whole volume, which the slabs must equal."""
    values = np.random.default_rng(seed).gamma(1, 1.5, (9, planes, 7)).astype(np.float32)
    pet = Volume(values, np.diag([4.0, 4.0, 3.0, 1.0]))
    size = [2 * max(1, round(REACH_MM / mm)) + 1 for mm in pet.spacing_mm]
    whole = (values == ndimage.maximum_filter(values, size, mode="nearest")) & (values >= LEAST_SUV)
    found = find_peaks(pet)
    assert {tuple(place) for place in found.places.tolist()} == {tuple(p) for p in np.argwhere(whole).tolist()}
    assert np.array_equal(found.values, values[tuple(found.places.T)])
    assert (np.diff(found.values) <= 0).all()


def test_landmarks_do_not_need_every_voxel() -> None:
    """Voxels between the samples may be anything: a mapped CT is not read as a whole."""
    ct, _ = body((2.0, 3.0, 5.0))
    values = ct.values.copy()
    values[1::4] = 2000  # samples lie every 4th column (8 mm)
    one, other = read(ct, None), read(replace(ct, values=values), None)
    assert one.levels == other.levels
