"""Organ masks: places that are known by construction, on grids of every kind."""

import json
from pathlib import Path

import nibabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pet2rep_core.imaging import organ_masks
from pet2rep_core.imaging.organ_masks import OrganPlace, label_names, measure_masks, place_of_mask
from pet2rep_core.imaging.volume import Array, Volume

SIZE, SPACING = (30, 26, 24), (4.0, 4.0, 3.0)
RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
BOX = ((10, 15), (6, 9), (12, 18))
"""Voxels of the grid that the organ fills."""


def grid_affine() -> Array:
    affine = np.diag([*SPACING, 1.0])
    affine[:3, 3] = (-58.0, -50.0, -34.5)
    return affine


def pet() -> Volume:
    values = np.random.default_rng(3).gamma(2, 1, SIZE).astype(np.float32)
    values[12, 7, 13] = 40.0  # inside
    values[20, 20, 20] = 90.0  # outside
    return Volume(values, grid_affine())


def organ(box: tuple[tuple[int, int], ...] = BOX, label: int = 1) -> Volume:
    values = np.zeros(SIZE, np.uint8)
    values[tuple(slice(*part) for part in box)] = label
    return Volume(values, grid_affine())


def fine(volume: Volume, factor: int = 2) -> Volume:
    """The same boxes of voxels on a grid with ``factor`` times as many along each axis."""
    values = volume.values
    for axis in range(3):
        values = np.repeat(values, factor, axis)
    affine = volume.affine_lps.copy()
    affine[:3, :3] /= factor
    affine[:3, 3] -= volume.affine_lps[:3, :3] @ np.full(3, 0.5) - affine[:3, :3] @ np.full(3, 0.5)
    return Volume(values, affine)


def turned(volume: Volume) -> Volume:
    """The same voxels with axes in another order and direction."""
    values = volume.values.transpose(2, 0, 1)[::-1, :, ::-1]
    affine = volume.affine_lps[:, [2, 0, 1, 3]].copy()
    for axis in (0, 2):
        affine[:3, 3] += affine[:3, axis] * (values.shape[axis] - 1)
        affine[:3, axis] *= -1
    return Volume(values, affine)


def save(path: Path, volume: Volume, *, xml: str = "", dtype: type = np.uint8) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(np.asarray(volume.values, dtype), RAS @ volume.affine_lps)
    if xml:
        image.header.extensions.append(nibabel.nifti1.Nifti1Extension(0, xml.encode()))
    nibabel.save(image, path)
    return path


def label_table(names: dict[int, str]) -> str:
    """The header extension as TotalSegmentator writes it (nifti_ext_header.py)."""
    rows = "\n".join(
        f'<Label Key="{n}" Red="1.0" Green="0.0" Blue="0.0" Alpha="1"><![CDATA[{name}]]></Label>'
        for n, name in names.items()
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?> <CaretExtension>  <Date><![CDATA[2013-07-14T05:45:09]]></Date>'
        f'   <VolumeInformation Index="0">   <LabelTable>\n{rows}\n  </LabelTable>  <VolumeType><![CDATA[Label]]>'
        "</VolumeType>   </VolumeInformation></CaretExtension>\n              "
    )


EXPECTED = OrganPlace(
    # 5 x 3 x 6 voxels: the middle of 12..17 is 14.5; the first of two equally near voxels is taken
    centre=(12, 7, 14), box=BOX, volume_ml=5 * 3 * 6 * 48 / 1000, hottest=(12, 7, 13), hottest_value=40.0,
)  # fmt: skip


@pytest.mark.parametrize("kind", ["same", "fine", "turned", "fine and turned"])
def test_a_mask_on_any_grid_lies_where_it_is(kind: str) -> None:
    mask = organ()
    mask = fine(mask) if "fine" in kind else mask
    mask = turned(mask) if "turned" in kind else mask
    place = place_of_mask(Volume(mask.values > 0, mask.affine_lps), pet(), pet())
    assert place is not None
    assert (place.box, place.hottest, place.hottest_value) == (BOX, (12, 7, 13), 40.0)
    assert place.volume_ml == pytest.approx(EXPECTED.volume_ml, abs=1e-3)
    assert place.centre[:2] == (12, 7)
    assert place.centre[2] in (14, 15)


@settings(max_examples=25, deadline=None)
@given(angle=st.floats(-0.6, 0.6), shift=st.tuples(*[st.floats(-20, 20)] * 3), spacing=st.sampled_from([1.5, 3.0, 6.0]))
def test_an_oblique_mask_is_within_a_voxel(angle: float, shift: tuple[float, ...], spacing: float) -> None:
    """Witness: the ball's centre and volume by formula."""
    c, s = np.cos(angle), np.sin(angle)
    affine = np.eye(4)
    affine[:3, :3] = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) * spacing
    n = round(80 / spacing)
    affine[:3, 3] = np.array(shift) - affine[:3, :3] @ np.full(3, (n - 1) / 2)
    index = np.stack(np.meshgrid(*[np.arange(n)] * 3, indexing="ij"), -1)
    ball = np.linalg.norm((index - (n - 1) / 2) * spacing, axis=-1) < 18
    place = place_of_mask(Volume(ball, affine), pet(), None)
    assert place is not None
    centre = (grid_affine() @ [*place.centre, 1])[:3]
    assert np.abs(centre - shift).max() <= 4.1
    assert place.volume_ml == pytest.approx(ball.sum() * spacing**3 / 1000, abs=1e-3)
    assert (place.hottest, place.hottest_value) == (None, None)


def test_the_centre_lies_in_the_mask() -> None:
    """A ring: its centroid is in its hole."""
    values = np.zeros(SIZE, bool)
    values[8:19, 8:19, 10] = True
    values[10:17, 10:17, 10] = False
    place = place_of_mask(Volume(values, grid_affine()), pet(), None)
    assert place is not None
    assert values[place.centre]


def test_a_mask_between_the_voxels_is_kept() -> None:
    dot = np.zeros((9, 9, 9), bool)
    dot[4, 4, 4] = True
    affine = np.diag([0.2, 0.2, 0.2, 1.0])
    affine[:3, 3] = grid_affine()[:3, :3] @ [5.4, 5.4, 5.4] + grid_affine()[:3, 3] - 0.8
    place = place_of_mask(Volume(dot, affine), pet(), pet())
    assert place is not None
    assert place.centre == (5, 5, 5)
    assert place.box == ((5, 6), (5, 6), (5, 6))


def test_a_mask_elsewhere_has_no_place() -> None:
    for axis in range(3):
        affine = grid_affine()
        affine[axis, 3] += 500
        assert place_of_mask(Volume(organ().values > 0, affine), pet(), pet()) is None


# --- files ---


def test_one_file_an_organ(tmp_path: Path) -> None:
    files = (
        save(tmp_path / "liver.nii.gz", fine(organ())),
        save(tmp_path / "spleen.nii.gz", organ(((1, 3), (1, 3), (1, 3))), dtype=np.float32),
        save(tmp_path / "kidney_left.nii.gz", organ(((0, 0), (0, 0), (0, 0)))),  # empty: not in view
    )
    organs, warnings = measure_masks(files, pet(), pet(), folder=True)
    assert organs["liver"] == EXPECTED
    assert organs["spleen"].box == ((1, 3), (1, 3), (1, 3))
    assert set(organs) == {"liver", "spleen"}
    assert warnings == ()


def test_one_map_with_names_in_its_header(tmp_path: Path) -> None:
    values = organ(label=5).values + organ(((20, 22), (20, 22), (2, 4)), label=52).values
    names = {5: "liver", 52: "aorta", 2: "kidney_right"}
    path = save(tmp_path / "segmentations.nii.gz", Volume(values, grid_affine()), xml=label_table(names))
    assert label_names(path) == names
    organs, warnings = measure_masks((path,), pet(), pet(), folder=False)
    assert organs["liver"] == EXPECTED
    assert organs["aorta"].box == ((20, 22), (20, 22), (2, 4))
    assert set(organs) == {"liver", "aorta"}
    assert warnings == ()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("organs.json", {"background": 0, "liver": 5}),
        ("organs.json", {"5": "liver"}),
        ("labels.json", {"labels": {"liver": 5}}),
    ],
)
def test_names_in_a_file_beside(tmp_path: Path, name: str, content: dict[str, object]) -> None:
    path = save(tmp_path / "organs.nii.gz", organ(label=5))
    (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    organs, warnings = measure_masks((path,), pet(), pet(), folder=False)
    assert organs == {"liver": EXPECTED}
    assert warnings == ()


def test_names_of_nnunet(tmp_path: Path) -> None:
    path = save(tmp_path / "labelsTr" / "a.nii.gz", organ(label=5))
    (tmp_path / "dataset.json").write_text('{"labels": {"background": 0, "liver": 5}}', encoding="utf-8")
    assert measure_masks((path,), pet(), pet(), folder=False)[0] == {"liver": EXPECTED}


@pytest.mark.parametrize("beside", ["", '{"tumor": 1, "background": 0}', "not json", '["liver"]', '{"liver": "x"}'])
def test_a_mask_of_lesions_is_passed_over_unread(tmp_path: Path, monkeypatch, beside: str) -> None:  # type: ignore[no-untyped-def]
    path = save(tmp_path / "SEG.nii.gz", organ())
    (tmp_path / "SEG.json").write_text(beside, encoding="utf-8")
    monkeypatch.setattr(organ_masks, "read_volume", None)
    assert measure_masks((path,), pet(), pet(), folder=False) == ({}, ())


def test_what_cannot_be_used_is_told(tmp_path: Path) -> None:
    affine = grid_affine()
    affine[2, 3] += 5000
    damaged = tmp_path / "spleen.nii.gz"
    damaged.write_bytes(save(tmp_path / "liver.nii.gz", fine(organ(), 4)).read_bytes()[:300])
    files = (
        tmp_path / "liver.nii.gz",
        damaged,
        save(tmp_path / "heart.nii.gz", Volume(organ().values, affine)),
        save(tmp_path / "<b>thing.nii.gz", organ()),
    )
    organs, warnings = measure_masks(files, pet(), pet(), folder=True)
    assert set(organs) == {"liver"}
    assert warnings == (
        "An organ mask was left out: spleen.nii.gz is cut off or damaged.",
        "Organ masks outside the images are not used (1): 'heart'.",
        "Masks of unknown names are not used (1): '<b>thing'.",
    )


def test_a_hostile_label_table_is_read_as_text(tmp_path: Path) -> None:
    entity = '<!DOCTYPE x [<!ENTITY a "aaaa">]>'
    xml = f'{entity}<LabelTable><Label Key="1" Red="0"><![CDATA[&a;<b>liver]]></Label></LabelTable>'
    path = save(tmp_path / "organs.nii.gz", organ(), xml=xml)
    assert label_names(path) == {1: "&a;"}
    assert measure_masks((path,), pet(), pet(), folder=False) == ({}, ())
