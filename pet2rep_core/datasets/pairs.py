"""Images by plain names: a single PET or CT, or a folder with one of each (``pet.nii.gz``, ``ct.nii.gz``).

What a file is stands in its name as a word of its own: pet, pt or suv; ct; mask, seg or label. Files that
share the rest of the name belong together, so that ``a_pet.nii.gz, a_ct.nii.gz, b_pet.nii.gz`` are two cases.
"""

from __future__ import annotations

import re
from pathlib import Path

from pet2rep_core.datasets.files import Found, Layout, case_name, image_series, image_stem, relative_parts, walk
from pet2rep_core.datasets.tables import CaseTables, reports_beside
from pet2rep_core.errors import DatasetLayoutError
from pet2rep_core.records import CaseError, CaseSource, SeriesInfo, SeriesRole

_DEPTH = 2
_WORDS = {
    SeriesRole.MASK: {"mask", "seg", "label", "labels", "segmentation"},
    SeriesRole.PET: {"pet", "pt", "suv", "suvbw"},
    SeriesRole.CT: {"ct", "ctres"},
}
_FILLERS = {"image", "img", "volume", "res", "nac", "ac", "norm"}
_NO_UNIT = "The file's name does not say in which unit the PET is, so there is no SUV; a manifest with pet_unit can."


def _words(stem: str) -> list[str]:
    return [word for word in re.split(r"[^0-9a-z]+", stem.lower()) if word]


def _role(stem: str) -> SeriesRole | None:
    """Return what a file is for by its name; a PET's mask is a mask; both PET and CT is no answer."""
    words = set(_words(stem))
    roles = [role for role, names in _WORDS.items() if words & names]
    return roles[0] if len(roles) == 1 or roles[:1] == [SeriesRole.MASK] else None


def _rest(stem: str) -> str:
    known = set().union(*_WORDS.values()) | _FILLERS
    return "_".join(word for word in _words(stem) if word not in known)


def _images(root: Path) -> list[tuple[Path, list[str], dict[str, list[str]]]]:
    """Return the folders with named images: each with all its file names, and its images by the rest of the name."""
    folders = []
    for folder, names in walk(root, _DEPTH):
        groups: dict[str, list[str]] = {}
        for name in names:
            stem = image_stem(name)
            if stem is not None and _role(stem) is not None:
                groups.setdefault(_rest(stem), []).append(name)
        if groups:
            folders.append((folder, names, groups))
    return folders


def detect_pair(root: Path) -> bool:
    """Tell whether the path is an image file, or a folder with images named PET or CT."""
    if root.is_file():
        return image_stem(root.name) is not None
    return root.is_dir() and bool(_images(root))


def find_pair(root: Path) -> tuple[list[CaseSource], list[CaseError]]:
    """List the cases of images by plain names.

    Raises
    ------
    DatasetLayoutError
        If a single image is given whose name says neither PET nor CT.
    """
    found = Found()
    if root.is_file():
        stem = image_stem(root.name) or root.stem
        with found.case(root.name):
            role = _role(stem)
            series = _series(root, role or SeriesRole.OTHER)
            if series.skipped is None and role not in (SeriesRole.PET, SeriesRole.CT):
                raise DatasetLayoutError(
                    f"{root.name} is an image, but its name says neither PET nor CT.",
                    hint="Rename it (pet.nii.gz, suv.nii.gz, ct.nii.gz), or list it in a manifest.",
                )
            found.add(CaseSource(case_name(stem), "image-pair", (series,), problems=_problems([series])))
        return found.result()
    tables = CaseTables().read_folder(root)
    for folder, names, groups in _images(root):
        for rest, members in sorted(groups.items()):
            place = relative_parts(folder, root)
            parts = (rest,) if rest and folder == root else (*place, rest)
            with found.case("/".join((*place, members[0]))):
                series_list = _group(folder, members)
                reports, facts, problems = tables.of([case_name(*parts), rest or place[-1]])
                own, own_problems = reports_beside(folder, names) if len(groups) == 1 else ((), ())
                found.add(
                    CaseSource(
                        case_name(*parts),
                        "image-pair",
                        series=tuple(series_list),
                        reports=own or reports,
                        metadata=facts,
                        problems=problems + own_problems + _problems(series_list),
                    )
                )
    found.errors += tables.close()
    return found.result()


def _group(folder: Path, names: list[str]) -> list[SeriesInfo]:
    """Return the series of one case; of several for one role the best is used: SUV, then the plainest name."""
    series: list[SeriesInfo] = []
    taken: dict[SeriesRole, str] = {}
    for name in sorted(names, key=lambda name: (not _is_suv(name), "res" in name.lower(), len(name), name)):
        role = _role(image_stem(name) or name) or SeriesRole.OTHER
        stem_words = set(_words(name))
        reason = f"{taken[role]} is used." if role in taken and role is not SeriesRole.MASK else None
        if role is SeriesRole.PET and "nac" in stem_words:
            reason = f"{name} is not corrected for attenuation by its name."
        if role is SeriesRole.CT and "norm" in stem_words:
            reason = f"{name} is normalised by its name, so it is not in HU."
        series.append(_series(folder / name, role, reason))
        if reason is None:
            taken.setdefault(role, name)
    return series


def _is_suv(name: str) -> bool:
    return bool({"suv", "suvbw"} & set(_words(name)))


def _series(path: Path, role: SeriesRole, skipped: str | None = None) -> SeriesInfo:
    units = {SeriesRole.PET: "SUVBW" if _is_suv(path.name) else None, SeriesRole.CT: "HU"}.get(role)
    return image_series(path, role, units=units, skipped=skipped)


def _problems(series: list[SeriesInfo]) -> tuple[str, ...]:
    unknown = any(s.role is SeriesRole.PET and s.skipped is None and s.units is None for s in series)
    return (_NO_UNIT,) if unknown else ()


IMAGE_PAIR = Layout(
    "image-pair", "Images by plain names: pet.nii.gz or suv.nii.gz, and ct.nii.gz", detect_pair, find_pair
)
