"""Tiny datasets of every layout, for tests of the importer and of what stands on it.

The PET is 12 x 10 x 8 voxels of 4 x 4 x 3 mm, 1.0 everywhere but for one voxel of 7.0 in the left anterior
superior corner; the CT is 24 x 20 x 8 of 2 x 2 x 3 mm over the same place, stored with its axes the other way round.
All text is invented.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import nibabel
import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, PositronEmissionTomographyImageStorage

from pet2rep_core.records import CaseSource, DatasetScan

PET_SIZE = (12, 10, 8)
PET_SPACING_MM = (4.0, 4.0, 3.0)
CT_SIZE = (24, 20, 8)
CT_SPACING_MM = (2.0, 2.0, 3.0)
BRIGHT = 7.0
BRIGHT_VOXEL_LPS = (11, 0, 7)
"""Where the bright voxel is once the axes grow left, posterior, superior."""

FINDINGS_ZH = "脑形态正常，FDG摄取未见异常。右肺下叶见结节，FDG摄取增高。"
IMPRESSION_ZH = "右肺下叶结节伴FDG摄取增高，考虑恶性。"
REPORT_ZH = f"影像所见：{FINDINGS_ZH}\n影像诊断：{IMPRESSION_ZH}"
FINDINGS_EN = "The brain is normal. A nodule in the right lower lobe shows increased FDG uptake."
IMPRESSION_EN = "FDG-avid nodule in the right lower lobe, suspicious for malignancy."
REPORT_EN = f"Findings: {FINDINGS_EN}\nImpression: {IMPRESSION_EN}"


def by_id(scan: DatasetScan) -> dict[str, CaseSource]:
    """Return the cases of a scan by their names."""
    return {case.case_id: case for case in scan.cases}


def save_pet(path: Path, *, scale: float = 1.0, frames: int | None = None) -> Path:
    """Write the PET, voxels growing left, posterior, superior; with ``frames`` as a time series."""
    values = np.ones(PET_SIZE, np.float32)
    values[BRIGHT_VOXEL_LPS] = BRIGHT
    values *= scale
    if frames is not None:
        values = np.stack([values] * frames, axis=-1)
    affine_ras = np.diag([-4.0, -4.0, 3.0, 1.0])
    affine_ras[:3, 3] = (22.0, 18.0, -10.5)
    return _save(path, values, affine_ras)


def save_ct(path: Path) -> Path:
    """Write the CT in HU, voxels growing right, anterior, superior, with scanner padding below air."""
    values = np.full(CT_SIZE, 40, np.int16)
    values[0, 0, :] = -3024
    affine_ras = np.diag([2.0, 2.0, 3.0, 1.0])
    affine_ras[:3, 3] = (-23.0, -19.0, -10.5)
    return _save(path, values, affine_ras)


def save_mask(path: Path) -> Path:
    """Write a mask of the bright voxel on the PET's grid."""
    values = np.zeros(PET_SIZE, np.uint8)
    values[BRIGHT_VOXEL_LPS] = 1
    affine_ras = np.diag([-4.0, -4.0, 3.0, 1.0])
    affine_ras[:3, 3] = (22.0, 18.0, -10.5)
    return _save(path, values, affine_ras)


def _save(path: Path, values: np.ndarray, affine_ras: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(values, affine_ras), path)
    return path


def save_text(path: Path, text: str, *, encoding: str = "utf-8") -> Path:
    """Write a text file, line ends as given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def save_table(
    path: Path, columns: Iterable[str], rows: Iterable[Iterable[str]], *, encoding: str = "utf-8", separator: str = ","
) -> Path:
    """Write a CSV or TSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def save_picture(path: Path) -> Path:
    """Write a small grey picture."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 22), (90, 90, 90)).save(path)
    return path


def build_autopet(root: Path) -> Path:
    """Build two patients: one complete with all five images, one with SUV alone and two studies."""
    study = root / "PETCT_0a1b" / "01-02-2003-PET CT"
    for name in ("SUV", "PET"):
        save_pet(study / f"{name}.nii.gz", scale=1.0 if name == "SUV" else 1000.0)
    save_ct(study / "CT.nii.gz")
    save_mask(study / "CTres.nii.gz")
    save_mask(study / "SEG.nii.gz")
    for day in ("01", "05"):
        other = root / "PETCT_0c2d" / f"{day}-02-2003-PET"
        save_pet(other / "SUV.nii.gz")
        save_mask(other / "CTres.nii.gz")
    save_table(
        root / "fdg_metadata.csv",
        ["Subject ID", "Study Date", "Series Description", "age", "sex", "diagnosis"],
        [
            ["PETCT_0a1b", "01-02-2003", "CT", "061Y", "F", "LUNG_CANCER"],
            ["PETCT_0a1b", "01-02-2003", "PET", "061Y", "F", "LUNG_CANCER"],
            ["PETCT_0c2d", "01-02-2003", "PET", "050Y", "M", "NEGATIVE"],
            ["PETCT_0c2d", "05-02-2003", "PET", "050Y", "M", "LYMPHOMA"],
        ],
    )
    save_table(root / "reports.csv", ["case", "report"], [["PETCT_0a1b", REPORT_ZH]])
    return root


def build_nnunet(root: Path) -> Path:
    """Build autoPET III/IV: an FDG case with clicks and a label, and a PSMA case."""
    for name in ("fdg_0a1b_2003-01-02", "psma_77ff_2018-04-16"):
        save_mask(root / "imagesTr" / f"{name}_0000.nii.gz")
        save_pet(root / "imagesTr" / f"{name}_0001.nii.gz")
    for channel in ("0002", "0003"):
        save_mask(root / "imagesTr" / f"fdg_0a1b_2003-01-02_{channel}.nii.gz")
    save_mask(root / "labelsTr" / "fdg_0a1b_2003-01-02.nii.gz")
    names = {"0": "CT", "1": "PET", "2": "FG clicks", "3": "BG clicks"}
    save_text(root / "dataset.json", json.dumps({"channel_names": names, "file_ending": ".nii.gz"}))
    save_table(root / "reports_en.csv", ["id", "report"], [["psma_77ff_2018-04-16", REPORT_EN]])
    return root


def build_hecktor(root: Path) -> Path:
    """Build HECKTOR 2022: one patient with a label, one PET alone."""
    save_ct(root / "imagesTr" / "CHUM-001__CT.nii.gz")
    save_pet(root / "imagesTr" / "CHUM-001__PT.nii.gz")
    save_pet(root / "imagesTr" / "MDA-002__PT.nii.gz")
    save_mask(root / "labelsTr" / "CHUM-001.nii.gz")
    save_table(
        root / "hecktor2022_clinical_info_training.csv",
        ["PatientID", "Gender", "Age", "Weight"],
        [["CHUM-001", "M", "63", "82"]],
    )
    return root


def build_hecktor_2025(root: Path) -> Path:
    """Build HECKTOR 2025: one folder a patient."""
    for name in ("CHUM-001", "USZ-012"):
        save_ct(root / name / f"{name}__CT.nii.gz")
        save_pet(root / name / f"{name}__PT.nii.gz")
        save_mask(root / name / f"{name}.nii.gz")
    return root


def build_petwb(root: Path) -> Path:
    """Build PETWB-REP's release: the SUV derivative under both of its names."""
    for number, ending in (("001", "desc-pet_suv"), ("002", "desc-suv_pet")):
        name = f"sub-{number}"
        save_ct(root / "rawdata" / name / "ses-01" / "anat" / f"{name}_ses-01_ct.nii.gz")
        save_pet(root / "rawdata" / name / "ses-01" / "pet" / f"{name}_ses-01_pet.nii.gz", scale=1000.0)
        save_pet(root / "derivatives" / name / "ses-01" / f"{name}_ses-01_{ending}.nii.gz")
    save_table(
        root / "metadata.csv",
        ["Image ID", "Name", "Sex", "Age", "Weight_kg", "Disease"],
        [["001", "A. Nobody", "F", "55", "61", "Lung cancer"], ["sub-002", "B. Nobody", "M", "70", "80", "Lymphoma"]],
    )
    save_table(root / "report_zh.csv", ["Image ID", "影像所见", "影像诊断"], [["001", FINDINGS_ZH, IMPRESSION_ZH]])
    save_table(root / "report_en.csv", ["Image ID", "Findings", "Impression"], [["001", FINDINGS_EN, IMPRESSION_EN]])
    return root


def build_petwb_script(root: Path) -> Path:
    """Build what PETWB-REP's own script writes."""
    save_pet(root / "0007" / "0007_pet_suv.nii.gz")
    save_mask(root / "0007" / "0007_ct_res.nii.gz")
    return root


def build_petwb_tables(root: Path) -> Path:
    """Build PETWB-REP with tables: a case with images, one with reports alone; the Chinese table in GB18030."""
    images = root / "Imaging_data"
    save_pet(images / "PET_SUV" / "sub-001_PET_SUV.nii.gz")
    save_pet(images / "PET_RAW" / "sub-001_PET_RAW.nii.gz", scale=1000.0)
    save_ct(images / "CT_RAW" / "sub-001_CT_RAW.nii.gz")
    save_ct(images / "CT_NORM" / "sub-001_CT_NORM.nii.gz")
    tables = root / "Non-Imaging_data"
    save_table(tables / "meta_data.csv", ["ID", "Age", "Sex"], [["001", "55", "F"]])
    save_table(tables / "report_zh.csv", ["ID", "报告"], [["001", REPORT_ZH], ["002", REPORT_ZH]], encoding="gb18030")
    save_table(tables / "report_en.csv", ["ID", "report"], [["sub-001", REPORT_EN]])
    return root


def build_benchmark(root: Path) -> Path:
    """Build PET2Rep as published: prompts in one folder, pictures in another; one answer is missing."""
    lines = []
    for name in ("demo_001", "demo_002"):
        pictures = [f"slice_prompt/{name}_{y}_coronal.jpg" for y in (90, 100, 110)]
        for picture in pictures:
            save_picture(root / picture)
        record = {
            "patient_id": name,
            "task": "PET2Rep",
            "prompt_system": "你是一位核医学科医师。",
            "prompt_image_fuse": pictures,
            "prompt_user_text": "请生成报告<image> <image> <image>。",
            "answer": REPORT_ZH if name == "demo_001" else "",
        }
        lines.append(json.dumps(record, ensure_ascii=False))
    save_text(root / "text_prompt" / "prompt_model.jsonl", "\n".join(lines) + "\n")
    return root


BIDS_SIDECAR = {
    "Units": "Bq/mL",
    "TracerName": "FDG",
    "TracerRadionuclide": "F18",
    "InjectedRadioactivity": 300.0,
    "InjectedRadioactivityUnits": "MBq",
    "TimeZero": "10:00:00",
    "InjectionStart": 0,
    "ScanStart": 3600,
    "FrameTimesStart": [3600],
    "FrameDuration": [600],
    "ImageDecayCorrected": True,
    "ImageDecayCorrectionTime": 3600,
    "AttenuationCorrection": "CT",
}


def build_bids(root: Path) -> Path:
    """Build BIDS: sub-01 in two sessions with one not corrected image, sub-02 with a dynamic image, sub-03 plain."""
    for session in ("ses-01", "ses-02"):
        stem = f"sub-01_{session}"
        pet = root / "sub-01" / session / "pet"
        save_pet(pet / f"{stem}_trc-18FFDG_rec-acstat_pet.nii.gz", scale=1000.0)
        save_text(pet / f"{stem}_trc-18FFDG_rec-acstat_pet.json", json.dumps(BIDS_SIDECAR))
        save_ct(root / "sub-01" / session / "ct" / f"{stem}_ct.nii.gz")
    save_pet(root / "sub-01" / "ses-01" / "pet" / "sub-01_ses-01_trc-18FFDG_rec-nacstat_pet.nii.gz")
    save_table(
        root / "sub-01" / "sub-01_sessions.tsv",
        ["session_id", "body_weight"],
        [["ses-01", "70"], ["ses-02", "68"]],
        separator="\t",
    )
    save_pet(root / "sub-02" / "pet" / "sub-02_pet.nii.gz", frames=3)
    save_text(root / "sub-02" / "pet" / "sub-02_pet.json", json.dumps(BIDS_SIDECAR))
    save_pet(root / "sub-03" / "pet" / "sub-03_pet.nii.gz", scale=1000.0)
    at_injection = BIDS_SIDECAR | {"ImageDecayCorrectionTime": 0}
    save_text(root / "sub-03" / "pet" / "sub-03_pet.json", json.dumps(at_injection))
    save_table(
        root / "participants.tsv",
        ["participant_id", "sex", "body_weight"],
        [["sub-01", "F", "71"], ["sub-02", "M", "80"], ["sub-03", "M", "90"]],
        separator="\t",
    )
    save_text(root / "dataset_description.json", json.dumps({"Name": "invented", "BIDSVersion": "1.9.0"}))
    return root


def build_manifest(root: Path) -> Path:
    """Build a manifest in CSV: a case with everything, pictures alone, a report alone."""
    save_pet(root / "images" / "a_pet.nii.gz")
    save_ct(root / "images" / "a_ct.nii.gz")
    save_text(root / "texts" / "a.txt", REPORT_ZH, encoding="gb18030")
    for name in ("p1.png", "p2.png"):
        save_picture(root / "pictures" / name)
    columns = [
        "case",
        "pet",
        "ct",
        "pet_unit",
        "report",
        "language",
        "findings",
        "impression",
        "pictures",
        "age",
        "Name",
    ]
    save_table(
        root / "manifest.csv",
        columns,
        [
            ["a", "images/a_pet.nii.gz", "images/a_ct.nii.gz", "suvbw", "texts/a.txt", "zh", "", "", "", "61", "X Y"],
            ["b", "", "", "", "", "", "", "", "pictures/p2.png;pictures/p1.png", "", ""],
            ["c", "", "", "", "", "en", FINDINGS_EN, IMPRESSION_EN, "", "", ""],
        ],
    )
    return root


def build_pair(root: Path) -> Path:
    """Build a folder with a PET, a CT and a report by plain names."""
    save_pet(root / "pet.nii.gz", scale=1000.0)
    save_ct(root / "ct.nii.gz")
    save_text(root / "report.txt", REPORT_EN)
    return root


def build_dicom(root: Path) -> Path:
    """Build a DICOM export: PET and CT of three slices each, names without a suffix, two folders down."""
    study = pydicom.uid.generate_uid(entropy_srcs=["study"])
    frame = pydicom.uid.generate_uid(entropy_srcs=["frame"])
    for modality in ("PT", "CT"):
        series = pydicom.uid.generate_uid(entropy_srcs=[modality])
        for k in range(3):
            _save_dicom(root / "export" / modality / f"I{k}", modality, k, study, series, frame)
    return root


def _save_dicom(path: Path, modality: str, k: int, study: str, series: str, frame: str) -> None:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = PositronEmissionTomographyImageStorage if modality == "PT" else CTImageStorage
    meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid(entropy_srcs=[modality, str(k)])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID, data.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    data.Modality, data.PatientID, data.PatientName = modality, "SECRET", "Secret^Person"
    data.StudyInstanceUID, data.SeriesInstanceUID, data.FrameOfReferenceUID = study, series, frame
    data.StudyDate = data.SeriesDate = data.AcquisitionDate = "20200101"
    data.StudyTime = data.SeriesTime = data.AcquisitionTime = "110000"
    data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.PatientWeight, data.PatientSize, data.PatientSex = 70, 1.75, "F"
    data.Rows, data.Columns, data.SamplesPerPixel, data.PhotometricInterpretation = 10, 12, 1, "MONOCHROME2"
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 16, 15, 1
    data.PixelSpacing, data.SliceThickness, data.ImageOrientationPatient = [4, 4], 3, [1, 0, 0, 0, 1, 0]
    data.ImagePositionPatient, data.InstanceNumber = [-22, -18, 3 * k], k + 1
    data.RescaleSlope, data.RescaleIntercept = 1, 0
    if modality == "PT":
        data.Units, data.DecayCorrection, data.CorrectedImage = "BQML", "START", ["ATTN", "DECY"]
        data.AttenuationCorrectionMethod, data.SeriesType = "CT", ["WHOLE BODY", "IMAGE"]
        data.FrameReferenceTime, data.ActualFrameDuration, data.NumberOfSlices = 0, 120000, 3
        tracer = Dataset()
        tracer.RadionuclideTotalDose, tracer.RadionuclideHalfLife = 3e8, 6586.2
        tracer.RadiopharmaceuticalStartTime = "100000"
        data.RadiopharmaceuticalInformationSequence = [tracer]
    data.PixelData = np.full((10, 12), 100 * (k + 1), np.int16).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    data.save_as(path, enforce_file_format=True)


BUILDERS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "autopet": ("autopet", build_autopet),
    "nnunet": ("nnunet", build_nnunet),
    "hecktor-2022": ("hecktor", build_hecktor),
    "hecktor-2025": ("hecktor", build_hecktor_2025),
    "petwb-release": ("petwb-rep", build_petwb),
    "petwb-script": ("petwb-rep", build_petwb_script),
    "petwb-tables": ("petwb-rep-tables", build_petwb_tables),
    "benchmark": ("pet2rep-jsonl", build_benchmark),
    "bids": ("bids-pet", build_bids),
    "manifest": ("manifest", build_manifest),
    "pair": ("image-pair", build_pair),
    "dicom": ("dicom", build_dicom),
}
"""Every kind of dataset: the layout's name and the function that builds it in an empty folder."""
