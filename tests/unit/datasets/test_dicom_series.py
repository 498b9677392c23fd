"""Reading DICOM series. The witness of each number is the phantom that was written."""

import contextlib
import itertools
import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from pet2rep_core.datasets.dicom_series import FoundSeries, dicom_suv, find_dicom_series, read_dicom_volume
from pet2rep_core.errors import DatasetLayoutError, ImageGeometryError, ImageReadError, InputDataError
from pet2rep_core.records import SeriesInfo, SeriesRole
from tests.dicom_files import AXIAL, PET_BW, phantom, uid, write_ct, write_pet, write_series


def only(folder: Path) -> FoundSeries:
    series, errors = find_dicom_series(folder)
    assert errors == []
    assert len(series) == 1
    return series[0]


def test_header_facts(tmp_path: Path) -> None:
    write_pet(tmp_path, phantom())
    series = only(tmp_path)
    assert series.role is SeriesRole.PET
    assert series.size == (8, 10, 6)
    assert series.spacing_mm == pytest.approx((4.0, 4.0, 3.0))
    assert series.orientation == "LPS"
    assert series.units == "BQML"
    assert series.skipped is None
    assert dicom_suv(series).bw == pytest.approx(PET_BW)


def test_different_slopes_in_every_slice(tmp_path: Path) -> None:
    values = np.broadcast_to(np.array([500.0, 600, 700, 800, 900, 1000]), (8, 10, 6))
    # the first slope is 1, so that its slice decodes to integers and must not make the others integers
    write_pet(tmp_path, values + 0.25, slopes=[1.0, 0.25, 0.05, 0.125, 0.25, 0.05])
    volume = read_dicom_volume(only(tmp_path))
    assert volume.values.dtype == np.float32
    assert volume.values[0, 0, :] == pytest.approx([500, 600.25, 700.25, 800.25, 900.25, 1000.25])


ORIENTATIONS = {
    "axial": AXIAL,
    "axial, rows to the right": (-1, 0, 0, 0, 1, 0),
    "axial, columns to the front": (1, 0, 0, 0, -1, 0),
    "axial, both turned": (-1, 0, 0, 0, -1, 0),
    "coronal": (1, 0, 0, 0, 0, -1),
    "sagittal": (0, 1, 0, 0, 0, -1),
    "oblique": (0.98, 0.199, 0.0, -0.199, 0.98, 0.0),
}


@pytest.mark.parametrize("name", ORIENTATIONS)
@pytest.mark.parametrize("seed", [0, 1])
def test_bright_corner_survives_any_orientation_and_file_order(tmp_path: Path, name: str, seed: int) -> None:
    row, column = np.array(ORIENTATIONS[name], dtype=float).reshape(2, 3)
    row, column = row / np.linalg.norm(row), column / np.linalg.norm(column)
    axes = np.stack([row, column, np.cross(row, column)])
    values = np.full((5, 6, 7), 100.0)
    # voxel that lies farthest to the left (+x), front (-y) and head (+z)
    corners = list(itertools.product((0, 4), (0, 5), (0, 6)))
    best = max(corners, key=lambda ijk: float(np.array(ijk) * (4.0, 4.0, 3.0) @ axes @ np.array([1.0, -1.0, 1.0])))
    values[best] = 4000
    numbers = list(range(7))
    random.Random(seed).shuffle(numbers)
    write_pet(
        tmp_path,
        values,
        orientation=(*row, *column),
        names=lambda index: f"{numbers[index]:03d}" if index % 2 else f"sub{index}.IMA",
    )
    volume = read_dicom_volume(only(tmp_path)).to_lps()
    assert volume.orientation == "LPS"
    where = np.unravel_index(int(volume.values.argmax()), volume.values.shape)
    size = volume.values.shape
    assert where == (size[0] - 1, 0, size[2] - 1)
    expected_mm = np.array((-20.0, -30.0, -40.0)) + np.array(best) * (4.0, 4.0, 3.0) @ axes
    assert (volume.affine_lps @ [*where, 1])[:3] == pytest.approx(expected_mm, abs=1e-3)


def test_plain_series_info_reads_the_same(tmp_path: Path) -> None:
    files = write_pet(tmp_path, phantom())
    found = only(tmp_path)
    plain = SeriesInfo(SeriesRole.PET, tuple(reversed(files)))
    a, b = read_dicom_volume(found), read_dicom_volume(plain)
    assert np.array_equal(a.values, b.values)
    assert np.array_equal(a.affine_lps, b.affine_lps)
    assert dicom_suv(plain) == dicom_suv(found)


def test_ct_is_int16_hu(tmp_path: Path) -> None:
    write_ct(tmp_path, phantom(low=-3024, high=1400))
    volume = read_dicom_volume(only(tmp_path))
    assert volume.values.dtype == np.int16
    assert (volume.values.min(), volume.values.max()) == (-3024, 1400)


def test_ct_beyond_int16_is_kept_as_float(tmp_path: Path) -> None:
    write_ct(tmp_path, phantom(low=-1000, high=40_000), slopes=2.0)
    volume = read_dicom_volume(only(tmp_path))
    assert volume.values.dtype == np.float32
    assert (volume.values.min(), volume.values.max()) == (-1000, 40_000)


def test_ct_with_broken_slopes_is_rounded_to_hu(tmp_path: Path) -> None:
    write_ct(tmp_path, phantom(low=-999.6, high=1400.4), slopes=0.2)
    volume = read_dicom_volume(only(tmp_path))
    assert volume.values.dtype == np.int16
    assert (volume.values.min(), volume.values.max()) == (-1000, 1400)


def test_more_slices_than_are_decoded_at_once(tmp_path: Path) -> None:
    values = np.broadcast_to(np.arange(100.0, 140.0), (4, 5, 40))
    write_pet(tmp_path, values)
    assert np.array_equal(read_dicom_volume(only(tmp_path)).values, values)


def test_slice_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    files = write_pet(tmp_path, phantom())
    for file in files:
        data = pydicom.dcmread(file)
        data.compress(pydicom.uid.RLELossless)
        data.save_as(file)
    raw = files[3].read_bytes()
    start = raw.rindex(struct.pack("<HH", 0xFFFE, 0xE000)) + 8
    files[3].write_bytes(raw[:start] + b"\xff" * 64 + raw[start + 64 :])
    with pytest.raises(ImageReadError, match=r"The voxels of 0003\.dcm cannot be decoded"):
        read_dicom_volume(only(tmp_path))


def test_single_slice(tmp_path: Path) -> None:
    (file,) = write_pet(tmp_path, phantom((8, 10, 1)))
    series = only(file)
    assert series.size == (8, 10, 1)
    assert series.spacing_mm == pytest.approx((4.0, 4.0, 3.0))
    assert series.skipped is None
    assert read_dicom_volume(series).values.shape == (8, 10, 1)


def test_uncorrected_beds_are_scaled_to_the_first(tmp_path: Path) -> None:
    write_pet(
        tmp_path,
        np.full((4, 4, 4), 1000.0),
        tags={"DecayCorrection": "NONE", "CorrectedImage": ["ATTN"]},
        per_slice=lambda index: {"AcquisitionTime": "110000" if index >= 2 else "110500"},
    )
    volume = read_dicom_volume(only(tmp_path))
    later = 1000 * 2 ** (300 / 6586.2)
    assert volume.values[0, 0] == pytest.approx([later, later, 1000, 1000], rel=1e-6)


def three(index: int) -> bool:
    return index == 3


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"positions_mm": [0, 3, 6, 12, 15, 18]}, "1 slice is missing between -34.0 and -28.0 mm."),
        ({"positions_mm": [0, 3, 6, 15, 18, 21]}, "2 slices are missing between -34.0 and -25.0 mm."),
        ({"positions_mm": [0, 3, 6, 10, 13, 16]}, "The slice distance changes from 3.00 to 4.00 mm"),
        ({"positions_mm": [0, 3, 6.0, 9.09, 12.18, 15.27]}, None),
        ({"positions_mm": [0, 3, 6, 6, 9, 12]}, "2 or more images share positions, first at -34.0 mm"),
        ({"per_slice": lambda i: {"PixelSpacing": [5, 5]} if three(i) else {}}, "different PixelSpacing"),
        (
            {"per_slice": lambda i: {"ImageOrientationPatient": [-1, 0, 0, 0, 1, 0]} if three(i) else {}},
            "different ImageOrientationPatient",
        ),
        ({"per_slice": lambda i: {"Rows": 5, "Columns": 16} if three(i) else {}}, "mixes slices of 8x10 and 16x5"),
        ({"per_slice": lambda i: {"Units": "CNTS"} if three(i) else {}}, "different Units"),
        (
            {"per_slice": lambda i: {"ImagePositionPatient": [-20, -30 + i, -40 + 3 * i]}},
            "shift sideways by 5.0 mm",
        ),
        ({"tags": {"PixelSpacing": None}}, "PixelSpacing (0028,0030) is absent"),
        ({"tags": {"ImageOrientationPatient": None}}, "ImageOrientationPatient (0020,0037) is absent"),
        ({"tags": {"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}}, "two perpendicular unit vectors"),
        ({"per_slice": lambda i: {"ImagePositionPatient": None} if three(i) else {}}, "ImagePositionPatient"),
    ],
)
def test_uneven_stacks_are_refused_with_the_place(tmp_path: Path, how: dict[str, Any], words: str | None) -> None:
    files = write_pet(tmp_path, phantom(), **how)
    series = only(tmp_path)
    if words is None:
        assert series.skipped is None
        return
    assert series.skipped is not None
    assert words in series.skipped
    with pytest.raises(ImageGeometryError) as caught:
        read_dicom_volume(SeriesInfo(SeriesRole.PET, tuple(files)))
    assert words in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"PixelData": None}, "0000.dcm has no pixel data."),
        ({"Modality": "RTSTRUCT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.481.3"}, "RTSTRUCT is not a PET or CT"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, "A secondary capture"),
        ({"ImageType": ["DERIVED", "SECONDARY", "CSA MIP"]}, "A maximum-intensity projection"),
        ({"SeriesType": ["WHOLE BODY", "REPROJECTION"]}, "A reprojection"),
        ({"ImagePositionPatient": None}, "ImagePositionPatient (0020,0032) is absent"),
        ({"CorrectedImage": ["DECY"]}, "CorrectedImage (0028,0051) lacks ATTN."),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.130"}, "An enhanced or multi-frame object"),
    ],
)
def test_what_is_no_volume_is_named(tmp_path: Path, tags: dict[str, Any], words: str) -> None:
    write_pet(tmp_path, phantom(), tags=tags)
    skipped = only(tmp_path).skipped
    assert skipped is not None
    assert words in skipped


def test_localizer_is_kept_apart_from_the_slices_of_its_series(tmp_path: Path) -> None:
    write_ct(tmp_path / "a", phantom())
    write_ct(
        tmp_path / "b", phantom((8, 10, 1)), tags={"ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]},
        orientation=(1, 0, 0, 0, 0, -1), per_slice=lambda index: {"SOPInstanceUID": uid("scout")},
    )  # fmt: skip
    series, _ = find_dicom_series(tmp_path)
    reasons = {len(one.files): one.skipped for one in series}
    assert reasons[6] is None
    assert reasons[1] is not None
    assert "localizer" in reasons[1]


def test_truncated_file_is_refused_by_name(tmp_path: Path) -> None:
    files = write_pet(tmp_path, phantom())
    files[2].write_bytes(files[2].read_bytes()[:-40])
    skipped = only(tmp_path).skipped
    assert skipped == "0002.dcm is cut off: its pixel data are incomplete."
    with pytest.raises(ImageReadError, match=r"0002\.dcm is cut off"):
        read_dicom_volume(SeriesInfo(SeriesRole.PET, tuple(files)))


def test_copies_count_once(tmp_path: Path) -> None:
    write_pet(tmp_path / "a", phantom())
    write_pet(tmp_path / "b", phantom())
    assert only(tmp_path).size == (8, 10, 6)


def test_one_sop_instance_uid_for_all_slices_loses_none(tmp_path: Path) -> None:
    write_pet(tmp_path, phantom(), tags={"SOPInstanceUID": uid("same")})
    assert only(tmp_path).size == (8, 10, 6)


def test_dynamic_series_is_refused(tmp_path: Path) -> None:
    for frame in range(3):
        write_pet(
            tmp_path, phantom(), names=lambda index, frame=frame: f"{frame}-{index}",
            tags={"SOPInstanceUID": uid("same"), "AcquisitionTime": f"1100{frame}0"},
        )  # fmt: skip
    skipped = only(tmp_path).skipped
    assert skipped is not None
    assert "13 or more images share positions, first at -40.0 mm: a dynamic or gated series" in skipped


@pytest.mark.parametrize("seed", range(40))
def test_damaged_files_end_in_a_sentence(tmp_path: Path, seed: int) -> None:
    files = write_pet(tmp_path, phantom((4, 4, 3)))
    rng = random.Random(seed)
    raw = bytearray(files[1].read_bytes())
    for _ in range(rng.choice([1, 5, 40])):
        raw[rng.randrange(132, len(raw))] = rng.randrange(256)
    files[1].write_bytes(bytes(raw[: rng.randrange(140, len(raw))] if seed % 3 == 0 else raw))
    series, errors = find_dicom_series(tmp_path)
    assert all(one.reason for one in errors)
    for one in series:
        dicom_suv(one)
        with contextlib.suppress(InputDataError):  # any other error fails
            assert read_dicom_volume(one).values.size > 0


def test_what_is_not_dicom_is_left_aside(tmp_path: Path) -> None:
    write_pet(tmp_path / "deep" / "er", phantom(), names=lambda index: f"IM{index}")
    (tmp_path / "DICOMDIR").write_bytes(b"\0" * 200)
    (tmp_path / "readme.txt").write_text("hello")
    (tmp_path / "empty").write_bytes(b"")
    assert only(tmp_path).skipped is None
    (tmp_path / "text.dcm").write_text("not an image " * 50)
    series, errors = find_dicom_series(tmp_path)
    assert len(series) == 1
    assert [(one.where, one.reason) for one in errors] == [("text.dcm", "text.dcm is not a DICOM file.")]


def test_nothing_dicom_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("hello")
    with pytest.raises(DatasetLayoutError, match="No DICOM file was found"):
        find_dicom_series(tmp_path)
    with pytest.raises(DatasetLayoutError, match="There is no file or folder 'gone'"):
        find_dicom_series(tmp_path / "gone")


def test_links_do_not_lead_out(tmp_path: Path) -> None:
    write_pet(tmp_path / "outside", phantom(), series="other")
    write_pet(tmp_path / "root", phantom())
    (tmp_path / "root" / "folder").symlink_to(tmp_path / "outside")
    (tmp_path / "root" / "file.dcm").symlink_to(tmp_path / "outside" / "0000.dcm")
    assert only(tmp_path / "root").size == (8, 10, 6)


@pytest.mark.parametrize(
    ("tags", "private", "rule"),
    [
        ({"SeriesDate": "00000000"}, [], "series-time"),
        ({"SeriesDate": "", "AcquisitionDate": ""}, [], "series-time"),
        ({"SeriesTime": "11:00:00.00"}, [], "series-time"),
        (
            {"Manufacturer": "GE MEDICAL SYSTEMS", "SeriesTime": "120000"},
            [(0x00090010, "LO", "GEMS_PETD_01"), (0x0009100D, "DT", "19591224110000.00 "),
             (0x0009103B, "DT", "19591224100000.00")],
            "ge-scan-datetime",
        ),
        (  # the private tags are there and empty
            {"Manufacturer": "GE MEDICAL SYSTEMS"},
            [(0x00090010, "LO", "GEMS_PETD_01"), (0x0009100D, "DT", ""), (0x0009103B, "DT", "")],
            "series-time",
        ),
        (
            {"Manufacturer": "SIEMENS"},
            [(0x00710010, "LO", "SIEMENS MED PT"), (0x00711022, "UN", b"20250101110000.000000\0")],
            "series-time",
        ),
    ],
)  # fmt: skip
def test_times_as_vendors_write_them(
    tmp_path: Path, tags: dict[str, Any], private: list[tuple[int, str, Any]], rule: str
) -> None:
    write_pet(tmp_path, phantom(), tags=tags, private=private)
    suv = dicom_suv(only(tmp_path))
    assert suv.bw == pytest.approx(PET_BW)
    assert suv.time_rule == rule
    assert suv.warnings == ()


@pytest.mark.parametrize(
    ("private", "bw"),
    [
        ([(0x70531000, "DS", "0.000500  ")], 0.0005),
        ([(0x70531000, "UN", b"0.0005 \0")], 0.0005),
        ([(0x70531000, "LO", "0.0005"), (0x70531009, "DS", "0.5")], 0.0005),
        ([(0x70531000, "DS", "0"), (0x70531009, "DS", "0.5")], 0.5 * PET_BW),
        ([(0x70531009, "FL", 0.5)], 0.5 * PET_BW),
        ([(0x70531000, "DS", "0")], None),
        ([], None),
    ],
)
def test_philips_counts(tmp_path: Path, private: list[tuple[int, str, Any]], bw: float | None) -> None:
    creator = [(0x70530010, "LO", "Philips PET Private Group")] if private else []
    write_pet(tmp_path, phantom(), tags={"Units": "CNTS"}, private=[*creator, *private])
    suv = dicom_suv(only(tmp_path))
    assert suv.bw == (None if bw is None else pytest.approx(bw))
    assert (suv.reason is None) is (bw is not None)


@pytest.mark.parametrize(
    ("tags", "injection", "words"),
    [
        ({"PatientWeight": 0}, {}, "PatientWeight (0010,1030) is 0, which cannot be used."),
        ({"PatientWeight": None}, {}, "PatientWeight (0010,1030) is absent."),
        ({}, {"RadionuclideTotalDose": None}, "RadionuclideTotalDose (0018,1074) is absent."),
        ({}, {"RadiopharmaceuticalStartTime": ""}, "RadiopharmaceuticalStartTime (0018,1072)"),
        ({"RadiopharmaceuticalInformationSequence": None}, {}, "RadionuclideTotalDose (0018,1074) is absent."),
        ({"SeriesTime": None, "AcquisitionTime": None}, {}, "SeriesTime (0008,0031)"),
        ({"RescaleSlope": None}, {}, "RescaleSlope (0028,1053)"),
    ],
)
def test_missing_tags_leave_no_suv(tmp_path: Path, tags: dict[str, Any], injection: dict[str, Any], words: str) -> None:
    write_pet(tmp_path, phantom(), tags=tags, injection=injection)
    series = only(tmp_path)
    assert series.skipped is None
    suv = dicom_suv(series)
    assert suv.bw is None
    assert suv.reason is not None
    assert words in suv.reason


def test_compressed_series_cut_in_the_middle(tmp_path: Path) -> None:
    (file,) = write_series(
        tmp_path, phantom((8, 10, 1)), modality="CT", sop_class="1.2.840.10008.5.1.4.1.1.2", series="rle"
    )
    data = pydicom.dcmread(file)
    data.compress(pydicom.uid.RLELossless)
    data.save_as(file)
    whole = file.read_bytes()
    assert only(file).skipped is None
    file.write_bytes(whole[: whole.rindex(struct.pack("<HH", 0xFFFE, 0xE0DD)) - 6])
    assert only(file).skipped == "0000.dcm is cut off: its pixel data are incomplete."


def test_file_without_preamble(tmp_path: Path) -> None:
    (file,) = write_pet(tmp_path, phantom((8, 10, 1)))
    data = pydicom.dcmread(file)
    raw = tmp_path / "bare"
    del data.file_meta
    data.save_as(raw, implicit_vr=True, little_endian=True, enforce_file_format=False)
    file.unlink()
    assert only(raw).size == (8, 10, 1)
    assert dicom_suv(only(raw)).bw == pytest.approx(PET_BW)
