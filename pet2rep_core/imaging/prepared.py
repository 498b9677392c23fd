"""Prepared cases: volumes ready to be shown, memory-mapped, read-only, named by their content.

A prepared case is a folder named by the SHA-256 of what is in it. It is built beside its place and renamed
into it, so that a crash leaves either the whole case or a part that the next build removes. Opening maps
the arrays. In the files a coronal plane lies in one piece, (J, K, I): a system that maps files in large
pieces would otherwise hold the whole study in memory for one plane.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from pet2rep_core.errors import ImageReadError, StoreError
from pet2rep_core.imaging.keyslices import body_columns, choose_key_slices
from pet2rep_core.imaging.organ_masks import OrganPlace, organ_from_json
from pet2rep_core.imaging.resample import clamp_padding, ct_on_pet_grid
from pet2rep_core.imaging.volume import Volume
from pet2rep_core.records import KeySlices, PetUnit, SuvFactors

PREPARED_VERSION = 3
_INDEX = "case.json"
_TO_PLANES, _FROM_PLANES = (1, 2, 0), (2, 0, 1)
_TYPES = {"pet": np.dtype(np.float32), "ct": np.dtype(np.int16), "ct_fine": np.dtype(np.int16)}
_PICTURE_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


@dataclass(frozen=True, slots=True, eq=False)
class PreparedCase:
    """A case as the screen and the models take it; parts that the case lacks are None or empty.

    ``pet`` (float32, in ``pet_unit``) and ``ct`` (int16 HU) are on one LPS grid; ``ct_fine`` is the CT on
    its own grid.
    ``columns`` (first, one past the last, along I) hold the patient. ``pictures`` are the slice pictures of a
    case without volumes. ``organs`` are the places of its organ masks by name; cases prepared before
    version 3 have none.
    """

    key: str
    pet: Volume | None
    pet_unit: PetUnit | None
    suv: SuvFactors
    ct: Volume | None
    ct_fine: Volume | None
    key_slices: KeySlices | None
    columns: tuple[int, int] = (0, 0)
    pictures: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()
    organs: Mapping[str, OrganPlace] = field(default_factory=dict)

    @property
    def grid(self) -> Volume | None:
        """The volume that coronal planes are counted on."""
        return self.pet if self.pet is not None else self.ct


def prepare_case(
    root: Path,
    *,
    pet: Volume | None,
    pet_unit: PetUnit | None,
    suv: SuvFactors,
    ct: Volume | None,
    pictures: tuple[Path, ...] = (),
    warnings: tuple[str, ...] = (),
    organs: Mapping[str, OrganPlace] | None = None,
) -> str:
    """Put a case below ``root`` and return its key; the same content is written once.

    Volumes are turned to LPS, the CT is clamped and put on the PET grid, and the key slices are chosen. ``organs`` are
    places on the grid of the case as it lies in LPS order.

    Raises
    ------
    ImageGeometryError
        If PET and CT do not belong together.
    ImageReadError
        If there is nothing to show or a picture cannot be read.
    StoreError
        If the disk is full or cannot be written; nothing is left behind.
    """
    if pet is None and ct is None and not pictures:
        raise ImageReadError("The case has no images.", hint="Give a PET, a CT, or slice pictures.")
    pet = None if pet is None else _as_float32(pet.to_lps())
    fine = None if ct is None else clamp_padding(ct.to_lps())
    with _build_folder(root) as build, ThreadPoolExecutor(max_workers=3) as writers:
        # The disk is the slowest part: the large volumes are on their way while the CT is resampled.
        written: dict[str, Future[dict[str, Any]]] = {}

        def start_writing(name: str, volume: Volume) -> None:
            written[name] = writers.submit(_write_volume, build / f"{name}.npy", volume)

        if fine is not None and pet is not None and not fine.same_grid(pet):
            start_writing("ct_fine", fine)
        if pet is not None:
            start_writing("pet", pet)
        coarse = fine if pet is None or fine is None else ct_on_pet_grid(fine, pet)
        if coarse is not None:
            start_writing("ct", coarse)
        has_volume = pet is not None or coarse is not None
        key_slices = choose_key_slices(coarse, pet) if has_volume else None
        index: dict[str, Any] = {
            "version": PREPARED_VERSION,
            "pet_unit": pet_unit,
            "suv": asdict(suv),
            "key_slices": None if key_slices is None else asdict(key_slices),
            "columns": list(body_columns(coarse, pet)) if has_volume else [0, 0],
            "warnings": list(warnings),
            "organs": {name: asdict(place) for name, place in (organs or {}).items()},
            "pictures": [_copy_picture(path, build) for path in pictures],
            "volumes": {name: writing.result() for name, writing in written.items()},
        }
        return _finish(root, build, index)


def open_prepared(root: Path, key: str) -> PreparedCase:
    """Map a prepared case; no voxel is read until it is shown.

    Raises
    ------
    ImageReadError
        If the case is not there or was damaged.
    """
    folder = _folder(root, key)
    if not _is_whole(folder):
        raise _damaged()
    try:
        return _map(folder, key)
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise _damaged() from error


def _damaged() -> ImageReadError:
    return ImageReadError(
        "The prepared images of this case are missing or damaged.", hint="Import the case again; ratings stay."
    )


def _map(folder: Path, key: str) -> PreparedCase:
    index = json.loads((folder / _INDEX).read_text(encoding="utf-8"))
    volumes: dict[str, Volume] = {}
    for name, entry in index["volumes"].items():
        values = np.load(folder / f"{name}.npy", mmap_mode="r").transpose(_FROM_PLANES)
        # The header of the file is not part of its hash; a byte order that was turned would pass unseen.
        if values.dtype != _TYPES[name] or list(values.shape) != entry["shape"]:
            raise _damaged()
        volumes[name] = Volume(values, np.array(entry["affine_lps"]))
    suv = {**index["suv"], "warnings": tuple(index["suv"]["warnings"])}
    slices = index["key_slices"]
    return PreparedCase(
        key=key,
        pet=volumes.get("pet"),
        pet_unit=None if index["pet_unit"] is None else PetUnit(index["pet_unit"]),
        suv=SuvFactors(**suv),
        ct=volumes.get("ct"),
        ct_fine=volumes.get("ct_fine"),
        key_slices=None if slices is None else KeySlices(tuple(slices["indices"]), slices["rule"], slices["reason"]),
        columns=(index["columns"][0], index["columns"][1]),
        pictures=tuple(folder / entry["name"] for entry in index["pictures"]),
        warnings=tuple(index["warnings"]),
        organs={name: organ_from_json(place) for name, place in index.get("organs", {}).items()},
    )


def verify_prepared(root: Path, key: str) -> list[str]:
    """Read every byte of a prepared case and return what is wrong with it, in words; empty if nothing."""
    case = open_prepared(root, key)
    text = (_folder(root, key) / _INDEX).read_bytes()
    if hashlib.sha256(text).hexdigest() != key:
        return [f"{_INDEX} does not have the content that names the case"]
    index = json.loads(text)
    found = {"pet": case.pet, "ct": case.ct, "ct_fine": case.ct_fine}
    wrong = [
        f"{name}.npy does not have the recorded content"
        for name, entry in index["volumes"].items()
        if (volume := found[name]) is None or _sha256(volume) != entry["sha256"]
    ]
    for path, entry in zip(case.pictures, index["pictures"], strict=True):
        if hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
            wrong.append(f"{path.name} does not have the recorded content")
    return wrong


def remove_leftovers(root: Path, *, older_than_s: float = 0.0) -> int:
    """Delete half-built cases that a crash left behind; returns how many.

    What was touched less than ``older_than_s`` seconds ago stays: an import may be at work on it.
    """
    latest = time.time() - older_than_s
    leftovers = [path for path in root.glob(".build-*") if path.stat().st_mtime <= latest]
    for folder in leftovers:
        shutil.rmtree(folder)
    return len(leftovers)


def picture_type(path: Path) -> str:
    """Return the media type of a slice picture."""
    return _PICTURE_TYPES[path.suffix.lower()]


def _folder(root: Path, key: str) -> Path:
    if len(key) != 64 or not all(c in "0123456789abcdef" for c in key):
        raise ImageReadError(f"{key[:70]!r} is not the key of a prepared case.", hint="Open the case from its list.")
    return root / key[:2] / key


def _is_whole(folder: Path) -> bool:
    """Tell whether every file has its recorded length; contents are checked by :func:`verify_prepared`."""
    try:
        sizes = json.loads((folder / "sizes.json").read_text(encoding="utf-8"))
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError, AttributeError):
        return False


def _as_float32(volume: Volume) -> Volume:
    return Volume(volume.values.astype(np.float32, copy=False), volume.affine_lps)


def _sha256(volume: Volume) -> str:
    # No copy for an array whose planes lie in one piece.
    return hashlib.sha256(np.ascontiguousarray(volume.values.transpose(_TO_PLANES)).data).hexdigest()


def _write_volume(path: Path, volume: Volume) -> dict[str, Any]:
    """Write a volume by coronal planes, wait until it is on the disk, and return its entry of the index."""
    planes = np.ascontiguousarray(volume.values.transpose(_TO_PLANES))
    with path.open("wb") as file:
        np.save(file, planes)
        file.flush()
        os.fsync(file.fileno())
    return {
        "affine_lps": volume.affine_lps.tolist(),
        "shape": list(volume.values.shape),
        "sha256": hashlib.sha256(planes.data).hexdigest(),
    }


def _copy_picture(path: Path, build: Path) -> dict[str, str]:
    if path.suffix.lower() not in _PICTURE_TYPES:
        raise ImageReadError(f"{path.name} is not a PNG or JPEG picture.", hint="Convert it to PNG.")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageReadError(f"{path.name} cannot be read: {error.strerror}.", hint="Check the file.") from error
    if not data.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        raise ImageReadError(f"{path.name} does not contain a PNG or JPEG picture.", hint="Export the picture again.")
    digest = hashlib.sha256(data).hexdigest()
    name = f"{digest[:16]}{path.suffix.lower()}"
    (build / name).write_bytes(data)
    return {"name": name, "sha256": digest}


@contextmanager
def _build_folder(root: Path) -> Iterator[Path]:
    """Give a folder to build a case in; it is gone afterwards, and trouble with the disk is one sentence."""
    build = root / f".build-{uuid4().hex[:16]}"
    try:
        build.mkdir(parents=True)
        yield build
    except OSError as error:
        # numpy tells of a short write without the system's reason
        reason = error.strerror or "the disk took only a part of it"
        raise StoreError(
            f"The prepared case could not be written: {reason}.", hint="Free some space and import again."
        ) from error
    finally:
        shutil.rmtree(build, ignore_errors=True)


def _finish(root: Path, build: Path, index: dict[str, Any]) -> str:
    """Write the index, name the case by it, and move it to its place; returns the key."""
    text = json.dumps(index, sort_keys=True, ensure_ascii=False, indent=1)
    key = hashlib.sha256(text.encode("utf-8")).hexdigest()
    target = _folder(root, key)
    if _is_whole(target):
        return key
    (build / _INDEX).write_text(text, encoding="utf-8")
    sizes = {path.name: path.stat().st_size for path in build.iterdir()}
    with (build / "sizes.json").open("w", encoding="utf-8") as file:
        json.dump(sizes, file)
        file.flush()
        os.fsync(file.fileno())
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        shutil.rmtree(target)
    try:
        build.rename(target)
    except OSError:
        if not _is_whole(target):  # another import of the same case may have been first
            raise
    return key
