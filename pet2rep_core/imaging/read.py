"""Volumes from single image files: NIfTI, MetaImage and NRRD.

Rules, so that nothing is guessed:

- NIfTI: the sform is used where ``sform_code`` is set, else the qform where ``qform_code`` is set, else the
  file has no orientation and is refused. Where both are set and name different directions it is refused.
- MetaImage without ``TransformMatrix`` and NRRD without ``space`` and ``space directions`` are refused.
- Values that are not numbers are accepted in regions that reach the border of the grid (outside the field of
  view); they become the lowest value of the image. Inside, or infinite, they are refused.
"""

from __future__ import annotations

import contextlib
import re
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import nibabel
import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from scipy import ndimage

from pet2rep_core.errors import ImageGeometryError, ImageReadError
from pet2rep_core.imaging.volume import Array, Volume

NIFTI_SUFFIXES = (".nii", ".nii.gz")
ITK_SUFFIXES = (".mha", ".mhd", ".nrrd")
_ITK_READERS = {".mha": "MetaImageIO", ".mhd": "MetaImageIO", ".nrrd": "NrrdImageIO"}
_MM_PER_UNIT = {"meter": 1000.0, "mm": 1.0, "micron": 0.001, "unknown": 1.0}
_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
_FORMS_AGREE_MM = 1.0
_LONGEST_TEXT_HEADER = 65536
_AGAIN = "Convert or copy the file again from its source."
_LETTERS = (("R", "L"), ("A", "P"), ("I", "S"))


class ImageHeader(NamedTuple):
    """Grid of an image file: (I, J, K) voxels, their distance in mm, letters in which the axes grow (``LPS``).

    ``size`` has more than three numbers where the file holds several volumes; such a file has a header but
    cannot be read.
    """

    size: tuple[int, ...]
    spacing_mm: tuple[float, float, float]
    orientation: str


def read_header(path: Path) -> ImageHeader:
    """Read size, spacing and orientation of an image file without its voxels.

    Raises
    ------
    ImageReadError
        If the file is no readable image.
    ImageGeometryError
        If it does not say how it lies in the patient.
    """
    _require_file(path)
    if _is_nifti(path):
        image = _open_nifti(path)
        size = _without_last_ones(tuple(image.shape))
        affine, _ = _nifti_affine_lps(image, path)
    else:
        reader = _open_itk(path)
        size = _without_last_ones(tuple(reader.GetSize()))
        affine = _itk_affine_lps(reader)
    _require_axes(affine, path)
    norms = np.linalg.norm(affine[:3, :3], axis=0)
    return ImageHeader(size, (float(norms[0]), float(norms[1]), float(norms[2])), _letters(affine))


def read_volume(path: Path) -> Volume:
    """Read an image file; see :func:`read_volume_checked`, which also says what was mended."""
    return read_volume_checked(path)[0]


def read_volume_checked(path: Path) -> tuple[Volume, tuple[str, ...]]:
    """Read an image file and what a reader should know about it.

    Returns
    -------
    volume : Volume
        Integer type of the file, or float32 where the file is scaled or holds floating point.
    warnings : tuple of str
        One sentence for each thing that was mended.

    Raises
    ------
    ImageReadError
        If the file is missing, empty, truncated, no image, or has values that are not numbers inside the body.
    ImageGeometryError
        If it is not one 3D volume or does not say how it lies in the patient.
    """
    _require_file(path)
    values, affine, notes = _read_nifti(path) if _is_nifti(path) else _read_itk(path)
    _require_axes(affine, path)
    values, more = _only_numbers(values, path)
    return Volume(values, affine), notes + more


def _require_file(path: Path) -> None:
    if not path.is_file():
        raise ImageReadError(f"There is no file {path.name!r}.", hint="Check the path.")
    if not path.name.lower().endswith((*NIFTI_SUFFIXES, *ITK_SUFFIXES)):
        raise ImageReadError(
            f"{path.name} is not an image file that can be read.",
            hint=f"Give one of {', '.join((*NIFTI_SUFFIXES, *ITK_SUFFIXES))}.",
        )
    if path.stat().st_size == 0:
        raise ImageReadError(f"{path.name} is empty.", hint=_AGAIN)


def _is_nifti(path: Path) -> bool:
    return path.name.lower().endswith(NIFTI_SUFFIXES)


def _without_last_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    return shape


def _one_volume(shape: tuple[int, ...], path: Path) -> tuple[int, int, int]:
    shape = _without_last_ones(shape)
    if len(shape) > 3:
        frames = int(np.prod(shape[3:]))
        raise ImageGeometryError(
            f"{path.name} holds {frames} volumes (shape {'x'.join(map(str, shape))}), not one.",
            hint="Extract one frame, or sum the frames, and give that file.",
        )
    if len(shape) < 3 or 0 in shape:
        raise ImageGeometryError(
            f"{path.name} has shape {'x'.join(map(str, shape))}, which is not a volume.", hint="Give one 3D volume."
        )
    return shape[0], shape[1], shape[2]


def _require_axes(affine: npt.NDArray[np.float64], path: Path) -> None:
    if not np.isfinite(affine).all() or abs(float(np.linalg.det(affine[:3, :3]))) < 1e-9:
        raise ImageGeometryError(f"The axes of {path.name} do not span three dimensions.", hint=_AGAIN)


def _letters(affine_lps: npt.NDArray[np.float64]) -> str:
    codes = nibabel.orientations.aff2axcodes(affine_lps, labels=_LETTERS)
    return "".join(str(code) for code in codes)


def _not_an_image(path: Path) -> ImageReadError:
    return ImageReadError(f"{path.name} is damaged or not an image.", hint=_AGAIN)


def _open_nifti(path: Path) -> Any:
    try:
        image = nibabel.load(path)
    except (nibabel.filebasedimages.ImageFileError, OSError, EOFError, zlib.error, ValueError) as error:
        raise _not_an_image(path) from error
    if not isinstance(image, nibabel.nifti1.Nifti1Pair):
        raise _not_an_image(path)
    return image


def _nifti_affine_lps(image: Any, path: Path) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    header = image.header
    sform = qform = None
    if int(header["sform_code"]) > 0:
        sform = np.asarray(header.get_sform(), dtype=float)
    if int(header["qform_code"]) > 0:
        # A quaternion that is no rotation does no harm where the sform rules.
        with contextlib.suppress(nibabel.spatialimages.HeaderDataError):
            qform = np.asarray(header.get_qform(), dtype=float)
    ruling = sform if sform is not None else qform
    if ruling is None:
        raise ImageGeometryError(
            f"{path.name} does not say how it lies in the patient (sform_code and qform_code give no orientation).",
            hint="Convert it again from the DICOM files.",
        )
    _require_axes(ruling, path)
    try:
        unit = str(header.get_xyzt_units()[0])
    except KeyError:
        unit = "unknown"
    scale = np.diag([*[_MM_PER_UNIT.get(unit, 1.0)] * 3, 1.0])
    notes: tuple[str, ...] = ()
    if sform is not None and qform is not None:
        _require_axes(qform, path)
        sform_letters, qform_letters = _letters(_RAS_TO_LPS @ sform), _letters(_RAS_TO_LPS @ qform)
        if sform_letters != qform_letters:
            raise ImageGeometryError(
                f"The sform and the qform of {path.name} contradict each other ({sform_letters}, {qform_letters}).",
                hint="Convert it again from the DICOM files.",
            )
        far = np.array([[0, 0, 0, 1], [*(n - 1 for n in image.shape[:3]), 1]], dtype=float).T
        apart = float(np.linalg.norm(((sform - qform) @ far)[:3], axis=0).max())
        if apart > _FORMS_AGREE_MM:
            notes = (f"The sform and the qform of {path.name} lie {apart:.1f} mm apart; the sform was used.",)
    return _RAS_TO_LPS @ scale @ ruling, notes


def _read_nifti(path: Path) -> tuple[Array, npt.NDArray[np.float64], tuple[str, ...]]:
    image = _open_nifti(path)
    size = _one_volume(tuple(image.shape), path)
    affine, notes = _nifti_affine_lps(image, path)
    stored = image.dataobj
    if stored.dtype.kind not in "iuf":
        raise ImageReadError(f"{path.name} holds {stored.dtype} voxels, not plain numbers.", hint=_AGAIN)
    try:
        plain = stored.dtype.kind in "iu" and (stored.slope, stored.inter) == (1, 0)
        values = stored.get_unscaled() if plain else np.asarray(stored, dtype=np.float32)
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise ImageReadError(f"{path.name} is cut off or damaged.", hint=_AGAIN) from error
    kind = values.dtype.newbyteorder("=") if plain else np.dtype(np.float32)
    return np.asarray(values, dtype=kind).reshape(size, order="F"), affine, notes


def _open_itk(path: Path) -> sitk.ImageFileReader:
    suffix = path.suffix.lower()
    _check_text_header(path, suffix)
    reader = sitk.ImageFileReader()
    reader.SetImageIO(_ITK_READERS[suffix])
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise _not_an_image(path) from error
    if reader.GetNumberOfComponents() != 1:
        raise ImageReadError(f"{path.name} holds {reader.GetNumberOfComponents()} values in a voxel.", hint=_AGAIN)
    return reader


def _check_text_header(path: Path, suffix: str) -> None:
    """Refuse a header without orientation, and voxels that are not in or beside the file."""
    with path.open("rb") as stream:
        text = stream.read(_LONGEST_TEXT_HEADER)
    if suffix == ".nrrd":
        if not text.startswith(b"NRRD"):
            raise _not_an_image(path)
        text = re.split(rb"\r?\n\r?\n", text, maxsplit=1)[0]
        fields = dict(re.findall(r"^([a-z ]+):[= ]*(.*?)\s*$", text.decode("latin-1").lower(), re.MULTILINE))
        oriented = "space directions" in fields and "space" in fields
        voxels = fields.get("data file") or fields.get("datafile") or ""
    else:
        fields = dict(re.findall(r"^(\w+)\s*=\s*(.*?)\s*$", text.decode("latin-1"), re.MULTILINE))
        if "NDims" not in fields or "ElementDataFile" not in fields:
            raise _not_an_image(path)
        oriented = not {"TransformMatrix", "Rotation", "Orientation"}.isdisjoint(fields)
        voxels = "" if fields["ElementDataFile"].upper() == "LOCAL" else fields["ElementDataFile"]
    if not oriented:
        raise ImageGeometryError(
            f"{path.name} does not say how it lies in the patient.", hint="Convert it again from the DICOM files."
        )
    if voxels and (Path(voxels).name != voxels or "\\" in voxels or voxels.upper().startswith("LIST")):
        raise ImageReadError(
            f"{path.name} takes its voxels from another folder or from several files.",
            hint="Put the one file with the voxels beside it.",
        )


def _itk_affine_lps(source: Any) -> npt.NDArray[np.float64]:
    count = source.GetDimension()
    affine = np.eye(4)
    direction = np.array(source.GetDirection()).reshape(count, count)[:3, :3]
    affine[:3, :3] = direction * np.array(source.GetSpacing())[:3]
    affine[:3, 3] = np.array(source.GetOrigin())[:3]
    return affine


def _read_itk(path: Path) -> tuple[Array, npt.NDArray[np.float64], tuple[str, ...]]:
    reader = _open_itk(path)
    size = _one_volume(tuple(reader.GetSize()), path)
    try:
        image = reader.Execute()
    except RuntimeError as error:
        raise ImageReadError(f"{path.name} is cut off or damaged.", hint=_AGAIN) from error
    values: Array = sitk.GetArrayFromImage(image)
    if values.dtype.kind not in "iuf":
        raise ImageReadError(f"{path.name} holds {values.dtype} voxels, not plain numbers.", hint=_AGAIN)
    if values.dtype.kind == "f":
        values = values.astype(np.float32, copy=False)
    return values.reshape(size[::-1]).T, _itk_affine_lps(reader), ()


def _only_numbers(values: Array, path: Path) -> tuple[Array, tuple[str, ...]]:
    """Mend values that are not numbers outside the field of view; refuse all others."""
    if values.dtype.kind != "f":
        return values, ()
    bad = ~np.isfinite(values)
    if not bad.any():
        return values, ()
    if np.isinf(values).any():
        raise ImageReadError(
            f"{path.name} has {int(np.isinf(values).sum())} infinite values.",
            hint="Look for a division by zero where the file was made.",
        )
    if bad.all():
        raise ImageReadError(f"{path.name} holds no numbers at all.", hint=_AGAIN)
    labels, _ = ndimage.label(bad)
    border = {int(one) for axis in range(3) for end in (0, -1) for one in np.unique(labels.take(end, axis=axis))}
    inside = bad & ~np.isin(labels, list(border - {0}))
    if inside.any():
        raise ImageReadError(
            f"{path.name} has {int(inside.sum())} values that are not numbers inside the image.",
            hint="Look for the step that left holes in the image.",
        )
    lowest = float(values[~bad].min())
    mended = values.copy(order="K")
    mended[bad] = lowest
    return mended, (
        f"{path.name} has {int(bad.sum())} values that are not numbers at its border; "
        f"they were set to its lowest value, {lowest:g}.",
    )
