"""The table of dataset layouts, and the one door that finds the cases below a path.

Detection goes down the table and stops at the first layout that fits, so its order is a promise: what a person
wrote for this purpose (a manifest), then the benchmark's JSON Lines, then layouts with names of their own, then
DICOM at any depth, then images by plain names.
"""

from __future__ import annotations

import os
from pathlib import Path

from pet2rep_core.datasets.benchmark import BENCHMARK
from pet2rep_core.datasets.bids import BIDS
from pet2rep_core.datasets.dicom import find_dicom_cases
from pet2rep_core.datasets.dicom_tags import read_slice_header
from pet2rep_core.datasets.files import Layout
from pet2rep_core.datasets.manifest import MANIFEST
from pet2rep_core.datasets.nifti_folders import AUTOPET, HECKTOR
from pet2rep_core.datasets.nnunet import NNUNET
from pet2rep_core.datasets.organ_files import add_organ_masks
from pet2rep_core.datasets.pairs import IMAGE_PAIR
from pet2rep_core.datasets.petwb import PETWB, PETWB_TABLES
from pet2rep_core.errors import DatasetLayoutError, ImageReadError, UnknownNameError
from pet2rep_core.records import DatasetScan

_DICOM_SUFFIXES = (".dcm", ".ima", ".dicom")


def _is_dicom(file: Path) -> bool:
    if file.name.upper() == "DICOMDIR" or file.suffix.lower() in _DICOM_SUFFIXES:
        return True
    try:
        return read_slice_header(file) is not None
    except ImageReadError:
        return True


def detect_dicom(root: Path) -> bool:
    """Tell whether the path is a DICOM file, or a folder with one at any depth; damaged ones count."""
    if root.is_file():
        return _is_dicom(root)
    for folder, folders, names in os.walk(root):
        folders.sort()
        if any(_is_dicom(Path(folder, name)) for name in sorted(names) if not name.startswith(".")):
            return True
    return False


DICOM = Layout("dicom", "DICOM: an export of a scanner or PACS, of any depth", detect_dicom, find_dicom_cases)

LAYOUTS: dict[str, Layout] = {
    layout.name: layout
    for layout in (
        MANIFEST,
        BENCHMARK,
        AUTOPET,
        NNUNET,
        HECKTOR,
        PETWB,
        PETWB_TABLES,
        BIDS,
        DICOM,
        IMAGE_PAIR,
    )
}


def detect_layout(path: Path) -> Layout:
    """Return the first layout of the table that fits a path.

    Raises
    ------
    DatasetLayoutError
        If none fits.
    """
    for layout in LAYOUTS.values():
        if layout.detect(path):
            return layout
    if path.is_file():
        raise DatasetLayoutError(
            f"{path.name} is neither an image nor a list of cases.",
            hint="Give a DICOM, NIfTI, MHA or NRRD file, a manifest (CSV or JSONL), or a folder.",
        )
    raise DatasetLayoutError(
        f"The folder {path.resolve().name!r} holds no DICOM file, no known dataset and no image named PET or CT.",
        hint="Known layouts: " + ", ".join(LAYOUTS) + ". For anything else write a manifest.csv.",
    )


def scan_dataset(path: Path, *, layout: str | None = None) -> DatasetScan:
    """Return the cases below a path, and the reasons for those that cannot be taken. Nothing is written.

    Only headers of images are read.

    Parameters
    ----------
    path : Path
        A dataset, the folder of one case, or a file.
    layout : str, optional
        Name in ``LAYOUTS``; detected where it is left out.

    Returns
    -------
    DatasetScan
        ``cases`` may be empty where ``errors`` say why for each.

    Raises
    ------
    DatasetLayoutError
        If the path does not exist, or nothing below it can be used.
    UnknownNameError
        If there is no such layout.
    """
    if layout is not None and layout not in LAYOUTS:
        raise UnknownNameError("layout", layout, LAYOUTS)
    root = Path(path).expanduser()
    if not root.exists():
        raise DatasetLayoutError(f"There is no file or folder {root.name!r}.", hint="Check the path.")
    chosen = LAYOUTS[layout] if layout is not None else detect_layout(root)
    cases, errors = chosen.find(root)
    if not cases and root.is_file() and len(errors) == 1:
        raise DatasetLayoutError(errors[0].reason)
    if not cases and not errors:
        raise DatasetLayoutError(
            f"{root.resolve().name!r} holds no case of the layout {chosen.name!r} ({chosen.description}).",
            hint="Check the path, or leave the layout to be detected.",
        )
    return DatasetScan(root, chosen.name, add_organ_masks(cases), tuple(errors))
