"""Organ masks that come with a study: what is kept of each is its place, not the mask.

Masks are known by the class names of TotalSegmentator (Wasserthal et al., Radiology: AI 2023, doi 10.1148/ryai.230024):
one file an organ, named after it, or one label map whose names stand in the header of the NIfTI file (the label table
that TotalSegmentator writes with ``--ml``) or in a JSON file beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from scipy import ndimage

from pet2rep_core.errors import InputDataError
from pet2rep_core.imaging.bands import read_bands
from pet2rep_core.imaging.read import ITK_SUFFIXES, NIFTI_SUFFIXES, read_volume
from pet2rep_core.imaging.volume import Volume

Box = tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
Voxel = tuple[int, int, int]
_LABEL = re.compile(r'<Label\s[^>]*?Key="(\d{1,9})"[^>]*>\s*(?:<!\[CDATA\[)?([^<\]]{1,200})')
_LONGEST_JSON = 1_000_000
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class OrganPlace:
    """Where one organ mask lies on the grid of its case (LPS order).

    Parameters
    ----------
    centre : (i, j, k)
        Voxel of the mask nearest to its centroid.
    box : three (first, one past the last)
        Voxels along I, J and K that hold the mask.
    volume_ml : float
        Volume on the mask's own grid.
    hottest : (i, j, k) or None
        PET voxel of the highest value inside; None without a PET.
    hottest_value : float or None
        Its value, in the unit of the case's PET.
    """

    centre: Voxel
    box: Box
    volume_ml: float
    hottest: Voxel | None = None
    hottest_value: float | None = None


def organ_from_json(raw: Mapping[str, Any]) -> OrganPlace:
    """Return a place from what :func:`dataclasses.asdict` made of it and JSON kept."""
    (i0, i1), (j0, j1), (k0, k1) = raw["box"]
    hottest = raw["hottest"]
    return OrganPlace(
        centre=_voxel(raw["centre"]),
        box=((int(i0), int(i1)), (int(j0), int(j1)), (int(k0), int(k1))),
        volume_ml=float(raw["volume_ml"]),
        hottest=None if hottest is None else _voxel(hottest),
        hottest_value=None if raw["hottest_value"] is None else float(raw["hottest_value"]),
    )


def measure_masks(
    files: tuple[Path, ...], grid: Volume, pet: Volume | None, *, folder: bool
) -> tuple[dict[str, OrganPlace], tuple[str, ...]]:
    """Return where the organs of mask files lie on a case's grid, by their names, and what a reader should know.

    A file without names that is not named after an organ is a mask of something else and is passed over unread.

    Parameters
    ----------
    files : tuple of Path
        A label map, or masks of one organ each.
    grid : Volume
        The case's grid, in LPS order.
    pet : Volume or None
        On the same grid.
    folder : bool
        Whether the files are the content of a folder of organ masks; then files of unknown names are told of.

    Returns
    -------
    organs : dict
        Name of the mask to its place.
    warnings : tuple of str
        One sentence each for damaged files, unknown names and masks that lie outside the images.
    """
    organs: dict[str, OrganPlace] = {}
    unknown: list[str] = []
    outside: list[str] = []
    warnings: list[str] = []
    for path in files:
        try:
            names = label_names(path)
            known = {label: name for label, name in names.items() if read_bands().organ_of_mask(name) is not None}
            if known:
                unknown += [name for label, name in names.items() if label not in known and label != 0]
                measured = _measure(_label_map(read_volume(path)), known, grid, pet)
            elif read_bands().organ_of_mask(stem := _stem(path)) is not None:
                measured = _measure(_one_mask(read_volume(path)), {1: stem}, grid, pet)
            else:
                unknown += [stem] if folder else []
                continue
            for name, place in measured:
                if place is None:
                    outside.append(name)
                else:
                    organs[name] = place
        except InputDataError as error:
            warnings.append(f"An organ mask was left out: {error.message}")
    if outside:
        warnings.append(f"Organ masks outside the images are not used ({len(outside)}): {_listed(outside)}.")
    if unknown:
        warnings.append(f"Masks of unknown names are not used ({len(unknown)}): {_listed(unknown)}.")
    return organs, tuple(warnings)


def label_names(path: Path) -> dict[int, str]:
    """Return the names of a label map's labels, from its header or a JSON file beside it; empty where nothing names.

    Raises
    ------
    ImageReadError
        If a JSON file that should hold the names is damaged.
    """
    return _names_in_header(path) or _names_beside(path)


def _names_in_header(path: Path) -> dict[int, str]:
    if not path.name.lower().endswith(NIFTI_SUFFIXES):
        return {}
    try:
        header: Any = nibabel.load(path).header
        extensions = header.extensions
    except (nibabel.filebasedimages.ImageFileError, OSError, EOFError, ValueError, AttributeError):
        return {}  # reading the voxels will say what is wrong with the file
    for extension in extensions:
        content = extension.get_content()
        text = content.decode("utf-8", errors="replace") if isinstance(content, bytes) else str(content)
        if "<LabelTable" in text:
            return {int(match[1]): match[2].strip() for match in _LABEL.finditer(text)}
    return {}


def _names_beside(path: Path) -> dict[int, str]:
    candidates = [path.with_name(f"{_stem(path)}.json"), path.with_name("labels.json")]
    if path.parent.name.startswith("labels"):
        candidates.append(path.parent.parent / "dataset.json")  # nnU-Net
    for file in candidates:
        if not file.is_file() or file.stat().st_size > _LONGEST_JSON:
            continue
        try:
            content = json.loads(file.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError):
            continue  # it may belong to something else; without names the mask is passed over
        names = _names_of(content.get("labels", content)) if isinstance(content, dict) else {}
        if names:
            return names
    return {}


def _names_of(content: object) -> dict[int, str]:
    """Return names by label, from {name: label} or {label: name}."""
    if not isinstance(content, dict):
        return {}
    names: dict[int, str] = {}
    for key, value in content.items():
        if isinstance(value, int) and not isinstance(value, bool):
            names[value] = str(key)
        elif isinstance(value, str) and str(key).isdigit():
            names[int(key)] = value
    return names


def _one_mask(volume: Volume) -> Volume:
    set_there = volume.values != 0 if volume.values.dtype.kind in "ub" else volume.values > 0.5
    return Volume(set_there.view(np.uint8), volume.affine_lps)


def _label_map(volume: Volume) -> Volume:
    values = volume.values
    if values.dtype.kind != "u" or values.itemsize > 2:
        values = np.clip(np.rint(values), 0, 65535).astype(np.uint16)
    return Volume(values, volume.affine_lps)


def _measure(
    labels: Volume, names: Mapping[int, str], grid: Volume, pet: Volume | None
) -> Iterator[tuple[str, OrganPlace | None]]:
    """Yield every named label with its place, or None where it lies outside; labels without a voxel are left out."""
    # The search is several times faster along the order in which the voxels lie in memory.
    boxes = ndimage.find_objects(labels.values.T)
    for label, name in names.items():
        found = boxes[label - 1] if 0 < label <= len(boxes) else None
        if found is None:
            continue
        where = found[::-1]
        affine = labels.affine_lps.copy()
        affine[:3, 3] += affine[:3, :3] @ [part.start for part in where]
        yield name, place_of_mask(Volume(labels.values[where] == label, affine), grid, pet)


def place_of_mask(mask: Volume, grid: Volume, pet: Volume | None) -> OrganPlace | None:
    """Return where a mask lies on a grid, or None where no part of it does.

    Every voxel of the grid takes the nearest voxel of the mask. A mask that slips between the grid's voxels is the one
    voxel nearest to its centroid.

    Parameters
    ----------
    mask : Volume
        Boolean, on any grid in the same world, with at least one voxel set.
    grid : Volume
        The case's grid.
    pet : Volume or None
        On the case's grid.
    """
    count = int(mask.values.sum())
    sums = [np.asarray(mask.values.sum(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    centroid = np.array([float((line * np.arange(line.size)).sum()) / count for line in sums])
    to_grid = np.linalg.inv(grid.affine_lps) @ mask.affine_lps
    size = np.array(grid.values.shape)
    corners = np.stack(np.meshgrid(*[(-0.5, n - 0.5) for n in mask.values.shape], indexing="ij"), -1).reshape(-1, 3)
    on_grid = corners @ to_grid[:3, :3].T + to_grid[:3, 3]
    low = np.clip(np.floor(on_grid.min(axis=0)), 0, size).astype(int)
    high = np.clip(np.ceil(on_grid.max(axis=0)) + 1, 0, size).astype(int)
    middle = to_grid[:3, :3] @ centroid + to_grid[:3, 3]
    if (high <= low).any():
        return None
    to_mask = np.linalg.inv(to_grid)
    inside = ndimage.affine_transform(
        mask.values.astype(np.uint8), to_mask[:3, :3], offset=to_mask[:3, :3] @ low + to_mask[:3, 3],
        output_shape=tuple(high - low), order=0, mode="constant", cval=0, prefilter=False,
    ).astype(bool)  # fmt: skip
    places = np.argwhere(inside) + low
    if not places.size:
        nearest = np.rint(middle).astype(int)
        if ((nearest < 0) | (nearest >= size)).any():
            return None
        places = nearest[None, :]
    away = ((places - middle) * np.array(grid.spacing_mm)) ** 2
    centre = places[int(away.sum(axis=1).argmin())]
    hottest, value = None, None
    if pet is not None:
        heat = pet.values[tuple(places.T)]
        hottest, value = _voxel(places[int(heat.argmax())]), float(heat.max())
    first, last = places.min(axis=0), places.max(axis=0) + 1
    box = tuple((int(a), int(b)) for a, b in zip(first, last, strict=True))
    volume_ml = count * abs(float(np.linalg.det(mask.affine_lps[:3, :3]))) / 1000
    return OrganPlace(_voxel(centre), (box[0], box[1], box[2]), round(volume_ml, 3), hottest, value)


def _voxel(place: Any) -> Voxel:
    i, j, k = place
    return int(i), int(j), int(k)


def _stem(path: Path) -> str:
    name = path.name
    suffix = next((s for s in (".nii.gz", *NIFTI_SUFFIXES, *ITK_SUFFIXES) if name.lower().endswith(s)), "")
    return name[: len(name) - len(suffix)]


def _listed(names: list[str]) -> str:
    shown = ", ".join(repr(name[:60]) for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown}, …"
