"""autoPET III/IV and other datasets in nnU-Net's raw format.

::

    dataset.json, imagesTr/<id>_0000.nii.gz, imagesTr/<id>_0001.nii.gz, labelsTr/<id>.nii.gz

In autoPET III the id is ``<tracer>_<patient>_<study>``, channel 0 the CT resampled to the PET, channel 1 the
PET in SUV; autoPET IV adds channels 2 and 3 with clicks.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from pet2rep_core.datasets.files import UNKNOWN_UNIT, Found, Layout, case_name, file_names, image_series, walk
from pet2rep_core.datasets.report_files import read_text
from pet2rep_core.datasets.tables import CaseTables
from pet2rep_core.errors import DatasetLayoutError
from pet2rep_core.records import CaseError, CaseSource, SeriesInfo, SeriesRole

_IMAGE_FOLDERS = ("imagesTr", "imagesTs", "imagesVal")
_CHANNEL_NAME = re.compile(r"(?P<id>[^.].*)_(?P<channel>\d{4})(?P<suffix>\.nii\.gz|\.nii|\.mha|\.nrrd)")
_AUTOPET_ID = re.compile(r"(?P<tracer>fdg|psma)_(?P<patient>[^_]+)_(?P<study>.+)", re.IGNORECASE)
_DEFAULT_CHANNELS = {0: "CT", 1: "PET"}


def _dataset_folder(root: Path) -> Path:
    """Return the dataset's folder where one of its image folders is given."""
    return root.resolve().parent if root.resolve().name in _IMAGE_FOLDERS else root


def detect_nnunet(root: Path) -> bool:
    """Tell whether imagesTr or imagesTs holds files that end in a channel number."""
    dataset = _dataset_folder(root)
    return any(_CHANNEL_NAME.fullmatch(name) for images in _IMAGE_FOLDERS for name in file_names(dataset / images))


def _read_description(dataset: Path) -> dict[str, Any]:
    path = dataset / "dataset.json"
    if not path.is_file():
        return {}
    try:
        description = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise DatasetLayoutError(f"dataset.json is not valid JSON: {error}.", hint="Copy it again.") from error
    if not isinstance(description, dict):
        raise DatasetLayoutError("dataset.json is not an object.", hint="Copy it again.")
    return description


def _channels(description: dict[str, Any]) -> dict[int, str]:
    """Return what each channel is, from dataset.json of nnU-Net 2 or 1; CT and PET where there is none."""
    names = description.get("channel_names") or description.get("modality")
    if not isinstance(names, dict):
        return _DEFAULT_CHANNELS
    channels = {int(key): str(name) for key, name in names.items() if str(key).isdigit()}
    if not any(_role(name) is SeriesRole.PET for name in channels.values()):
        shown = ", ".join(f"{key}: {name!r}" for key, name in sorted(channels.items()))
        raise DatasetLayoutError(
            f"dataset.json names no PET channel ({shown}).", hint="Name the channels CT and PET, or give a manifest."
        )
    return channels


def _role(name: str) -> SeriesRole:
    words = set(re.split(r"[^a-z]+", name.lower()))
    if words & {"click", "clicks", "fg", "bg", "foreground", "background"}:
        return SeriesRole.OTHER
    if words & {"pet", "pt", "suv", "suvbw"}:
        return SeriesRole.PET
    return SeriesRole.CT if "ct" in words else SeriesRole.OTHER


def find_nnunet(root: Path) -> tuple[list[CaseSource], list[CaseError]]:
    """List the cases of a dataset in nnU-Net's raw format."""
    dataset = _dataset_folder(root)
    description = _read_description(dataset)
    channels = _channels(description)
    is_autopet = "autopet" in str(description.get("name", "")).lower()
    found = Found()
    tables = CaseTables().read_folder(dataset)
    labels = {name for folder, names in walk(dataset, 1) if folder.name.startswith("labels") for name in names}
    for images in _IMAGE_FOLDERS:
        if root.resolve() != dataset.resolve() and root.resolve().name != images:
            continue
        cases: dict[str, dict[int, Path]] = {}
        for name in file_names(dataset / images):
            match = _CHANNEL_NAME.fullmatch(name)
            if match is not None:
                cases.setdefault(match["id"], {})[int(match["channel"])] = dataset / images / name
        for name, files in sorted(cases.items()):
            with found.case(name):
                known = _AUTOPET_ID.fullmatch(name)
                in_suv = known is not None or is_autopet
                series = [_series(path, channel, channels, in_suv) for channel, path in sorted(files.items())]
                label = next((n for n in (f"{name}.nii.gz", f"{name}.nii") if n in labels), None)
                if label is not None:
                    folder = dataset / images.replace("images", "labels")
                    if (folder / label).is_file():
                        series.append(image_series(folder / label, SeriesRole.MASK))
                patient = known["patient"] if known else None
                alone = patient is not None and sum(f"_{patient}_" in other for other in cases) == 1
                keys = [
                    name,
                    *([f"{patient}_{known['study']}"] if known else []),
                    *([patient] if patient and alone else []),
                ]
                reports, facts, problems = tables.of(keys, shared=patient)
                if known is not None:
                    facts = {"tracer": known["tracer"].upper()} | facts
                if any(s.role is SeriesRole.PET and s.skipped is None and s.units is None for s in series):
                    problems += (UNKNOWN_UNIT,)
                found.add(CaseSource(case_name(name), "nnunet", tuple(series), (), reports, facts, problems))
    found.errors += tables.close()
    return found.result()


def _series(path: Path, channel: int, channels: dict[int, str], in_suv: bool) -> SeriesInfo:
    name = channels.get(channel, "")
    role = _role(name)
    if role is SeriesRole.PET:
        return image_series(path, role, units="SUVBW" if in_suv or "suv" in name.lower() else None)
    if role is SeriesRole.CT:
        return image_series(path, role, units="HU")
    what = f"{name!r}" if name else "a click or another input of a network"
    return image_series(path, role, skipped=f"Channel {channel} is {what}, neither PET nor CT.")


NNUNET = Layout(
    "nnunet",
    "autoPET III/IV and nnU-Net: imagesTr/<id>_0000.nii.gz (CT) and <id>_0001.nii.gz (PET)",
    detect_nnunet,
    find_nnunet,
)
