"""Small synthetic DICOM PET and CT series, written with pydicom, for tests.

``write_pet`` and ``write_ct`` write one file a slice and return the files in slice order. The PET says by
default: 70 kg, 1.75 m, male, 350 MBq of F-18 (6586.2 s) injected at 10:00, scan at 11:00, Bq/mL, START.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.config import disable_value_validation
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

PET_CLASS = "1.2.840.10008.5.1.4.1.1.128"
CT_CLASS = "1.2.840.10008.5.1.4.1.1.2"
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
PET_BW = 70_000 / (350e6 * 2 ** (-3600 / 6586.2))
"""SUVbw per Bq/mL of the default PET: 70000 g / (350 MBq decayed for one hour)."""


def uid(*names: object) -> str:
    """A UID that is the same for the same names."""
    return generate_uid(entropy_srcs=[str(name) for name in names])


def write_pet(
    folder: Path,
    values: np.ndarray,
    *,
    slopes: Sequence[float] | float = 0.5,
    injection: Mapping[str, Any] | None = None,
    series: str = "pet",
    tags: Mapping[str, Any] | None = None,
    **more: Any,
) -> list[Path]:
    """Write (I, J, K) activity in Bq/mL; ``injection`` changes the radiopharmaceutical item (None removes)."""
    item = {
        "Radiopharmaceutical": "FDG",
        "RadiopharmaceuticalStartTime": "100000",
        "RadionuclideTotalDose": 350e6,
        "RadionuclideHalfLife": 6586.2,
        **(injection or {}),
    }
    radiopharmaceutical = Dataset()
    for name, value in item.items():
        if value is not None:
            setattr(radiopharmaceutical, name, value)
    own = {
        "Units": "BQML",
        "CorrectedImage": ["DECY", "ATTN", "SCAT", "NORM"],
        "AttenuationCorrectionMethod": "measured",
        "DecayCorrection": "START",
        "SeriesDescription": "PET AC",
        "SeriesType": ["WHOLE BODY", "IMAGE"],
        "FrameReferenceTime": 0.0,
        "ActualFrameDuration": "120000",
        "RadiopharmaceuticalInformationSequence": DicomSequence([radiopharmaceutical]),
        **(tags or {}),
    }
    return write_series(
        folder, values, modality="PT", sop_class=PET_CLASS, series=series, slopes=slopes, tags=own, **more
    )


def write_ct(
    folder: Path, values: np.ndarray, *, series: str = "ct", tags: Mapping[str, Any] | None = None, **more: Any
) -> list[Path]:
    """Write (I, J, K) HU, stored with intercept -1024."""
    own = {"SeriesDescription": "CT", "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"], **(tags or {})}
    more = {"spacing_mm": (1.0, 1.0, 3.0), "slopes": 1.0, "intercept": -1024.0, **more}
    return write_series(folder, values, modality="CT", sop_class=CT_CLASS, series=series, tags=own, **more)


def write_series(
    folder: Path,
    values: np.ndarray,
    *,
    modality: str,
    sop_class: str,
    series: str,
    study: str = "study",
    frame: str = "frame",
    spacing_mm: tuple[float, float, float] = (4.0, 4.0, 3.0),
    origin_lps: tuple[float, float, float] = (-20.0, -30.0, -40.0),
    orientation: tuple[float, ...] = AXIAL,
    positions_mm: Sequence[float] | None = None,
    slopes: Sequence[float] | float = 1.0,
    intercept: float = 0.0,
    tags: Mapping[str, Any] | None = None,
    per_slice: Callable[[int], Mapping[str, Any]] | None = None,
    private: Sequence[tuple[int, str, Any]] = (),
    names: Callable[[int], str] = lambda index: f"{index:04d}.dcm",
) -> list[Path]:
    """Write (I, J, K) values, I along the rows' direction, K along row x column, one file for each K.

    ``positions_mm`` are distances along the normal from the origin; ``tags`` and ``per_slice`` set public
    attributes (None removes one), ``private`` sets (tag, VR, value) in every slice.
    """
    folder.mkdir(parents=True, exist_ok=True)
    row, column = np.array(orientation, dtype=float).reshape(2, 3)
    normal = np.cross(row, column)
    count = values.shape[2]
    along = positions_mm if positions_mm is not None else [index * spacing_mm[2] for index in range(count)]
    slope_of = [slopes] * count if isinstance(slopes, (int, float)) else slopes
    files = []
    for index in range(count):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.SOPClassUID = sop_class
        data.SOPInstanceUID = uid(study, series, index)
        data.StudyInstanceUID, data.SeriesInstanceUID = uid(study), uid(study, series)
        data.FrameOfReferenceUID = uid(frame)
        data.Modality, data.Manufacturer = modality, "Synthetic"
        data.PatientName, data.PatientID = "Doe^Jane", "SECRET-4711"
        data.PatientSex, data.PatientAge, data.PatientWeight, data.PatientSize = "M", "069Y", 70.0, 1.75
        data.SeriesDate = data.AcquisitionDate = "20250101"
        data.SeriesTime = data.AcquisitionTime = "110000"
        data.ImageType = ["ORIGINAL", "PRIMARY"]
        data.Rows, data.Columns = values.shape[1], values.shape[0]
        data.PixelSpacing = [spacing_mm[1], spacing_mm[0]]
        data.SliceThickness = spacing_mm[2]
        data.ImageOrientationPatient = list(orientation)
        data.ImagePositionPatient = [
            round(float(one), 6) for one in np.array(origin_lps, dtype=float) + normal * along[index]
        ]
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
        data.RescaleSlope, data.RescaleIntercept = slope_of[index], intercept
        stored = np.rint((values[:, :, index].T - intercept) / slope_of[index]).astype("<i2")
        data.PixelData = stored.tobytes()
        with disable_value_validation():  # scanners write what the standard forbids
            for name, value in {**(tags or {}), **(per_slice(index) if per_slice else {})}.items():
                if name in data:
                    delattr(data, name)
                if value is not None:
                    setattr(data, name, value)
            for tag, kind, value in private:
                data.add_new(tag, kind, value)
            file = folder / names(index)
            data.save_as(file, enforce_file_format=True)
        files.append(file)
    return files


def phantom(shape: tuple[int, int, int] = (8, 10, 6), *, low: float = 100.0, high: float = 4000.0) -> np.ndarray:
    """Return (I, J, K) values with one bright voxel in the left anterior superior corner of an LPS grid."""
    values = np.full(shape, low)
    values[-1, 0, -1] = high
    return values
