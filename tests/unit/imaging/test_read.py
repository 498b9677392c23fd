"""Single image files. The witness of each number is the array and affine that were written."""

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from pet2rep_core.errors import ImageGeometryError, ImageReadError
from pet2rep_core.imaging.read import read_header, read_volume, read_volume_checked

LAS = np.array([[-3.0, 0, 0, 20], [0, 4, 0, -30], [0, 0, 5, -40], [0, 0, 0, 1]])
"""NIfTI affine (RAS world) of a grid that grows left, anterior, superior, as converters write it."""


def corner(shape: tuple[int, ...] = (4, 5, 6), kind: type = np.int16) -> np.ndarray:
    """One bright voxel in the left anterior superior corner of a LAS grid."""
    values = np.full(shape, 10, kind)
    values[-1, -1, -1] = 400
    return values


def write_nifti(path: Path, values: np.ndarray, *, sform: int = 1, qform: int = 1, unit: str = "mm") -> Path:
    image = nibabel.Nifti1Image(values, LAS)
    image.header.set_xyzt_units(unit)
    image.set_sform(LAS, code=sform)
    image.set_qform(LAS, code=qform)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mha", "a.mhd", "a.nrrd"])
@pytest.mark.parametrize("kind", [np.int16, np.uint8, np.float32])
def test_asymmetric_phantom(tmp_path: Path, name: str, kind: type) -> None:
    values, path = corner(kind=kind if kind != np.uint8 else np.int16), tmp_path / name
    values = np.minimum(values, 200).astype(kind)
    if ".nii" in name:
        write_nifti(path, values)
    else:
        image = sitk.GetImageFromArray(np.ascontiguousarray(values.T))
        image.SetSpacing((3, 4, 5))
        image.SetOrigin((-20, 30, -40))
        image.SetDirection((1, 0, 0, 0, -1, 0, 0, 0, 1))
        sitk.WriteImage(image, str(path))
    header = read_header(path)
    assert header == ((4, 5, 6), pytest.approx((3, 4, 5)), "LAS")
    volume = read_volume(path)
    assert volume.values.dtype == kind
    assert volume.orientation == "LAS"
    lps = volume.to_lps().values
    assert np.unravel_index(int(lps.argmax()), lps.shape) == (3, 0, 5)
    # left = +x, anterior = -y, superior = +z in LPS
    assert (volume.affine_lps @ [3, 4, 5, 1])[:3] == pytest.approx((-20 + 9, 30 - 16, -40 + 25))


@pytest.mark.parametrize(("sform", "qform"), [(1, 0), (0, 1), (1, 1), (4, 1), (0, 2)])
def test_either_form_is_enough(tmp_path: Path, sform: int, qform: int) -> None:
    path = write_nifti(tmp_path / "a.nii", corner(), sform=sform, qform=qform)
    volume, notes = read_volume_checked(path)
    assert volume.affine_lps == pytest.approx(np.diag([-1.0, -1, 1, 1]) @ LAS)
    assert notes == ()


def test_no_form_is_refused(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "a.nii.gz", corner(), sform=0, qform=0)
    for read in (read_volume, read_header):
        with pytest.raises(ImageGeometryError, match=r"a\.nii\.gz does not say how it lies") as caught:
            read(path)
        assert caught.value.hint


def test_forms_that_contradict(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(corner(), LAS)
    image.set_sform(LAS, code=1)
    image.set_qform(np.diag([-1.0, 1, 1, 1]) @ LAS, code=1)
    nibabel.save(image, tmp_path / "flipped.nii")
    with pytest.raises(ImageGeometryError, match=r"contradict each other \(LAS, RAS\)"):
        read_volume(tmp_path / "flipped.nii")
    moved = LAS.copy()
    moved[2, 3] += 7
    image.set_qform(moved, code=1)
    nibabel.save(image, tmp_path / "moved.nii")
    volume, notes = read_volume_checked(tmp_path / "moved.nii")
    assert volume.affine_lps == pytest.approx(np.diag([-1.0, -1, 1, 1]) @ LAS)
    assert notes == ("The sform and the qform of moved.nii lie 7.0 mm apart; the sform was used.",)


def test_metres_become_millimetres(tmp_path: Path) -> None:
    path = write_nifti(tmp_path / "a.nii", corner(), unit="meter")
    assert read_header(path).spacing_mm == pytest.approx((3000, 4000, 5000))
    assert read_volume(path).spacing_mm == pytest.approx((3000, 4000, 5000))


@pytest.mark.parametrize("name", ["a.nii.gz", "a.mha"])
def test_frames(tmp_path: Path, name: str) -> None:
    for count in (1, 3):
        values = np.stack([corner(kind=np.float32)] * count, axis=3)
        path = tmp_path / f"{count}{name}"
        if name == "a.nii.gz":
            write_nifti(path, values)
        else:
            sitk.WriteImage(sitk.JoinSeries([sitk.GetImageFromArray(corner(kind=np.float32).T)] * count), str(path))
    assert read_volume(tmp_path / f"1{name}").values.shape == (4, 5, 6)
    assert read_header(tmp_path / f"1{name}").size == (4, 5, 6)
    assert read_header(tmp_path / f"3{name}").size == (4, 5, 6, 3)
    with pytest.raises(ImageGeometryError, match=r"holds 3 volumes \(shape 4x5x6x3\), not one"):
        read_volume(tmp_path / f"3{name}")


def test_scaled_integers_become_float(tmp_path: Path) -> None:
    image = nibabel.Nifti1Image(corner(), LAS)
    image.header.set_slope_inter(0.5, -10)
    nibabel.save(image, tmp_path / "a.nii")
    # nibabel stores the array through the slope; set the raw voxels back
    raw = bytearray((tmp_path / "a.nii").read_bytes())
    raw[352:] = corner().astype("<i2").tobytes(order="F")
    (tmp_path / "a.nii").write_bytes(bytes(raw))
    volume = read_volume(tmp_path / "a.nii")
    assert volume.values.dtype == np.float32
    assert (volume.values.min(), volume.values.max()) == (10 * 0.5 - 10, 400 * 0.5 - 10)


def test_big_endian(tmp_path: Path) -> None:
    header = nibabel.Nifti1Header(endianness=">")
    header.set_data_dtype(np.int16)
    image = nibabel.Nifti1Image(corner(), LAS, header)
    nibabel.save(image, tmp_path / "a.nii")
    values = read_volume(tmp_path / "a.nii").values
    assert values.dtype == np.int16
    assert values.dtype.isnative
    assert values.max() == 400


def test_numbers_missing_at_the_border_become_the_lowest_value(tmp_path: Path) -> None:
    values = corner(kind=np.float32)
    values[0, :2, :] = np.nan
    path = write_nifti(tmp_path / "a.nii.gz", values)
    volume, notes = read_volume_checked(path)
    assert volume.values[0, 0, 0] == 10
    assert notes == (
        "a.nii.gz has 12 values that are not numbers at its border; they were set to its lowest value, 10.",
    )


@pytest.mark.parametrize(
    ("where", "value", "words"),
    [
        ((2, 2, 2), np.nan, "1 values that are not numbers inside the image"),
        ((0, 0, 0), np.inf, "1 infinite values"),
        ((2, 2, 2), -np.inf, "1 infinite values"),
        ((slice(None), slice(None), slice(None)), np.nan, "holds no numbers at all"),
    ],
)
def test_other_missing_numbers_are_refused(tmp_path: Path, where: tuple[int, ...], value: float, words: str) -> None:
    values = corner(kind=np.float32)
    values[where] = value
    path = write_nifti(tmp_path / "a.nii", values)
    with pytest.raises(ImageReadError, match=words):
        read_volume(path)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mha", "b.mha", "a.nrrd", "b.nrrd"])
@pytest.mark.parametrize("part", [0.5, 0.9])
def test_cut_off_file(tmp_path: Path, name: str, part: float) -> None:
    path = tmp_path / name
    values = np.random.default_rng(0).integers(0, 1000, (20, 20, 20)).astype(np.int16)
    if ".nii" in name:
        write_nifti(path, values)
    else:
        sitk.WriteImage(sitk.GetImageFromArray(values), str(path), useCompression=name.startswith("b"))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(ImageReadError, match=f"{name} is (cut off or )?damaged"):
        read_volume(path)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.mha", "a.mhd", "a.nrrd"])
@pytest.mark.parametrize(
    "content",
    [b"", b"this is not an image", gzip.compress(b"neither is this" * 100), b"\0" * 4000],
    ids=["empty", "text", "packed-text", "zeros"],  # packed bytes carry the time and cannot name a test
)
def test_not_an_image(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    for read in (read_volume, read_header):
        with pytest.raises(ImageReadError, match=f"{name} is ") as caught:
            read(path)
        assert caught.value.hint
        assert str(tmp_path) not in str(caught.value)


def test_no_file_and_wrong_kind(tmp_path: Path) -> None:
    with pytest.raises(ImageReadError, match=r"There is no file 'a\.nii'"):
        read_volume(tmp_path / "a.nii")
    (tmp_path / "a.png").write_bytes(b"x")
    with pytest.raises(ImageReadError, match=r"a\.png is not an image file that can be read"):
        read_volume(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("name", "old", "new", "error", "words"),
    [
        ("a.mha", b"TransformMatrix", b"TransformMatrox", ImageGeometryError, "how it lies"),
        ("a.nrrd", b"space: ", b"spoce: ", ImageGeometryError, "how it lies"),
        ("a.mhd", b"ElementDataFile = a.raw", b"ElementDataFile = ../a.raw", ImageReadError, "another folder"),
        ("a.mhd", b"ElementDataFile = a.raw", b"ElementDataFile = /etc/a.raw", ImageReadError, "another folder"),
        ("a.mhd", b"ElementDataFile = a.raw", b"ElementDataFile = LIST", ImageReadError, "several files"),
        ("a.nrrd", b"\n\n", b"\ndata file: ../b.raw\n\n", ImageReadError, "another folder"),
    ],
)
def test_text_headers_that_are_refused(
    tmp_path: Path, name: str, old: bytes, new: bytes, error: type[Exception], words: str
) -> None:
    path = tmp_path / name
    sitk.WriteImage(sitk.GetImageFromArray(corner()), str(path))
    raw = path.read_bytes()
    assert old in raw
    path.write_bytes(raw.replace(old, new, 1))
    with pytest.raises(error, match=words):
        read_volume(path)


def test_colour_is_refused(tmp_path: Path) -> None:
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((4, 5, 6, 3), np.uint8), isVector=True), str(tmp_path / "a.mha"))
    with pytest.raises(ImageReadError, match="3 values in a voxel"):
        read_volume(tmp_path / "a.mha")


@settings(max_examples=20, deadline=None)
@given(st.permutations([0, 1, 2]), st.lists(st.sampled_from([-1.0, 1.0]), min_size=3, max_size=3))
def test_any_orientation_keeps_its_corner(
    tmp_path_factory: pytest.TempPathFactory, axes: list[int], signs: list[float]
) -> None:
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3)[axes] * np.array(signs)[:, None]).T * 2.5
    world = np.array([-1.0, 1.0, 1.0])  # left, anterior, superior in the RAS world
    best = tuple(int(n - 1) if one > 0 else 0 for one, n in zip(world @ affine[:3, :3], (4, 5, 6), strict=True))
    values = np.zeros((4, 5, 6), np.int16)
    values[best] = 7
    path = tmp_path_factory.mktemp("nifti") / "a.nii"
    nibabel.save(nibabel.Nifti1Image(values, affine), path)
    lps = read_volume(path).to_lps().values
    assert np.unravel_index(int(lps.argmax()), lps.shape) == (lps.shape[0] - 1, 0, lps.shape[2] - 1)
