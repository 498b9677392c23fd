"""Files of a dataset: walking folders, naming cases, keeping paths inside, and headers of images."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath

from pet2rep_core.errors import DatasetLayoutError, InputDataError
from pet2rep_core.imaging.read import read_header
from pet2rep_core.records import CaseError, CaseSource, SeriesInfo, SeriesRole

IMAGE_SUFFIXES = (".nii.gz", ".nii", ".mha", ".mhd", ".nrrd")
_SYSTEM_FOLDERS = ("System Volume Information", "$RECYCLE.BIN", "lost+found", "__MACOSX")
UNKNOWN_UNIT = (
    "The layout does not say in which unit the PET is, so there is no SUV; "
    "give a manifest with pet_unit if you know it."
)


@dataclass(frozen=True, slots=True)
class Layout:
    """One row of the table of layouts.

    ``detect`` looks at names only and is quick; ``find`` lists the cases and the reasons for those left out.
    """

    name: str
    description: str
    detect: Callable[[Path], bool]
    find: Callable[[Path], tuple[list[CaseSource], list[CaseError]]]


@dataclass(slots=True)
class Found:
    """Cases and errors of one dataset, collected while it is walked."""

    cases: list[CaseSource] = field(default_factory=list)
    errors: list[CaseError] = field(default_factory=list)
    _ids: set[str] = field(default_factory=set)

    @contextmanager
    def case(self, where: str) -> Iterator[None]:
        """Turn an error about one case into its line in ``errors``, so that the others go on."""
        try:
            yield
        except InputDataError as error:
            self.errors.append(CaseError(printable(where), printable(str(error))))

    def add(self, case: CaseSource) -> None:
        """Take a case.

        Raises
        ------
        DatasetLayoutError
            If another case has the same name, or if nothing of this one can be used.
        """
        if case.case_id.casefold() in self._ids:
            raise DatasetLayoutError(
                f"Another case is already named {case.case_id!r}.", hint="Give each case its own name."
            )
        volumes = [s for s in case.series if s.skipped is None and s.role in (SeriesRole.PET, SeriesRole.CT)]
        if not (volumes or case.pictures or case.reports):
            reasons = [s.skipped for s in case.series if s.skipped] or list(case.problems)
            raise DatasetLayoutError(" ".join(["Nothing of the case can be used.", *reasons[:2]]))
        self._ids.add(case.case_id.casefold())
        self.cases.append(case)

    def result(self) -> tuple[list[CaseSource], list[CaseError]]:
        """Return both lists."""
        return self.cases, self.errors


def walk(root: Path, depth: int) -> Iterator[tuple[Path, list[str]]]:
    """Yield folders down to a depth below the root, in name order, each with its file names in order.

    Hidden names are left out, among them the ``._`` shadows that macOS puts on foreign disks, and the folders that
    systems keep for themselves on a disk.
    """
    try:
        with os.scandir(root) as listing:
            entries = sorted(
                (entry.name, entry.is_dir())
                for entry in listing
                if not entry.name.startswith(".") and entry.name not in _SYSTEM_FOLDERS
            )
    except OSError as error:
        raise DatasetLayoutError(
            f"The folder {root.name!r} cannot be read: {error.strerror}.", hint="Check its permissions."
        ) from error
    yield root, [name for name, is_folder in entries if not is_folder]
    if depth > 0:
        for name in (name for name, is_folder in entries if is_folder):
            yield from walk(root / name, depth - 1)


def printable(name: str) -> str:
    """Return a file name that can be printed: bytes that are no UTF-8 (names packed as GBK, say) become ``?``."""
    return name.encode("utf-8", errors="replace").decode("utf-8")


def file_names(folder: Path) -> list[str]:
    """Return the names of the files of one folder in order; none where there is no such folder."""
    return next(walk(folder, 0))[1] if folder.is_dir() else []


def image_stem(name: str) -> str | None:
    """Return the name of an image file without its suffix, or None where it is no image by its name.

    Examples
    --------
    >>> image_stem("sub-01_ct.nii.gz")
    'sub-01_ct'
    """
    lower = name.lower()
    suffix = next((suffix for suffix in IMAGE_SUFFIXES if lower.endswith(suffix)), None)
    return name[: -len(suffix)] if suffix and len(name) > len(suffix) else None


def case_name(*parts: str) -> str:
    """Return a case name of folder names: joined by ``_``, other marks and blanks as ``-``.

    Examples
    --------
    >>> case_name("PETCT_01", "04-21-2003 PET  (CT)")
    'PETCT_01_04-21-2003-PET-CT'
    """
    cleaned = (re.sub(r"[^\w.\-]+", "-", part).strip("-. ") for part in parts)
    return "_".join(part for part in cleaned if part)


def relative_parts(folder: Path, root: Path) -> tuple[str, ...]:
    """Return the folder names from below the root, or the root's own name for the root itself."""
    return folder.relative_to(root).parts or (root.resolve().name,)


def resolve_inside(name: str, base: Path, dataset: Path, *, folder: bool = False) -> Path:
    """Return the file that a table or manifest names, which must lie inside the dataset.

    Parameters
    ----------
    name : str
        Path relative to ``base``, with slashes of either kind.
    base : Path
        Folder of the file that says so.
    dataset : Path
        Folder that the path may not leave, also not through a symbolic link.
    folder : bool
        Whether a folder will do as well.

    Raises
    ------
    DatasetLayoutError
        If the path leads out of the dataset, or to no file.
    """
    raw = name.strip()
    windows = PureWindowsPath(raw)
    foreign = bool(windows.drive) or PurePosixPath(raw).is_absolute()
    shown = windows.name if foreign else raw
    try:
        given = Path(raw) if "\\" not in raw or (base / raw).exists() else Path(*windows.parts)
        resolved = (base / given).resolve()
        exists, is_file = resolved.exists(), resolved.is_file()
    except (OSError, ValueError) as error:
        raise DatasetLayoutError(f"The path {shown[:60]!r} cannot be used.", hint="Give a path of a file.") from error
    if bool(windows.drive) or not resolved.is_relative_to(dataset.resolve()):
        raise DatasetLayoutError(
            f"The path of {shown!r} leads out of the dataset's folder.", hint="Move the file into the dataset."
        )
    if not exists:
        raise DatasetLayoutError(f"There is no file {shown!r}.", hint="Paths are relative to the file that names them.")
    if not is_file and not folder:
        raise DatasetLayoutError(f"{shown!r} is a folder.", hint="Give one file.")
    return base / given


def image_series(
    path: Path, role: SeriesRole, *, units: str | None = None, description: str = "", skipped: str | None = None
) -> SeriesInfo:
    """Return an image file as a series; its header is read unless it is skipped anyway.

    A time series is skipped with the reason.

    Raises
    ------
    ImageReadError
        If the file is damaged or no image.
    """
    description = printable(description or path.name)
    if skipped is not None:
        return SeriesInfo(role, (path,), units=units, description=description, skipped=skipped)
    size, spacing_mm, orientation = read_header(path)
    if len(size) > 3 and any(n > 1 for n in size[3:]):
        skipped = f"{path.name} has {len(size)} dimensions ({size[3]} frames): only one 3D volume can be used."
    elif len(size) < 3:
        skipped = f"{path.name} has {len(size)} dimensions: only a 3D volume can be used."
    return SeriesInfo(role, (path,), tuple(size), tuple(spacing_mm), orientation, units, description, skipped)
