"""A volume: values on a grid whose place in the patient is known.

Arrays are indexed (I, J, K). Volumes that leave this room for the screen are in LPS order: I grows to the
patient's left, J to the back, K to the head, so that a coronal plane ``values[:, j, :]`` has the
patient's right at I = 0 and radiological display needs no mirror.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import nibabel
import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from pet2rep_core.errors import ImageGeometryError

Array = npt.NDArray[Any]
_LPS_LABELS = (("R", "L"), ("A", "P"), ("I", "S"))


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Values on a regular grid.

    Parameters
    ----------
    values : (I, J, K) array
        Read-only from here on.
    affine_lps : (4, 4) float array
        Maps (i, j, k, 1) to DICOM patient coordinates in mm (left, posterior, superior).
    """

    values: Array
    affine_lps: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        """Refuse a volume whose place in the patient is not defined."""
        if self.values.ndim != 3 or 0 in self.values.shape:
            raise ImageGeometryError(
                f"The volume has shape {self.values.shape}, not three dimensions.",
                hint="Give one 3D volume; for a time series, extract one frame first.",
            )
        if self.affine_lps.shape != (4, 4) or not np.isfinite(self.affine_lps).all():
            raise ImageGeometryError("The volume has no finite affine.", hint="Convert it again from the DICOM files.")
        if abs(float(np.linalg.det(self.affine_lps[:3, :3]))) < 1e-9:
            raise ImageGeometryError(
                "The volume's axes do not span three dimensions.", hint="Convert it again from the DICOM files."
            )

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxel centres along I, J, K in mm."""
        norms = np.linalg.norm(self.affine_lps[:3, :3], axis=0)
        return float(norms[0]), float(norms[1]), float(norms[2])

    @property
    def orientation(self) -> str:
        """Letters of the directions in which I, J, K grow, such as ``LPS``."""
        codes = nibabel.orientations.aff2axcodes(self.affine_lps, labels=_LPS_LABELS)
        return "".join(str(code) for code in codes)

    def to_lps(self) -> Volume:
        """Return the same voxels with axes permuted and flipped so that they grow left, posterior, superior.

        No value is interpolated; an oblique grid stays oblique.
        """
        orientation = nibabel.orientations.io_orientation(self.affine_lps)
        values = nibabel.orientations.apply_orientation(self.values, orientation)
        change = nibabel.orientations.inv_ornt_aff(orientation, self.values.shape)
        return Volume(values, self.affine_lps @ change)

    def same_grid(self, other: Volume, *, tolerance_mm: float = 0.01) -> bool:
        """Tell whether both volumes have the same shape and the corners lie within the tolerance."""
        if self.values.shape != other.values.shape:
            return False
        corner = np.array([[0, 0, 0, 1], [*(n - 1 for n in self.values.shape), 1]], dtype=float).T
        return bool(np.abs((self.affine_lps - other.affine_lps) @ corner).max() <= tolerance_mm)


def volume_from_sitk(image: sitk.Image) -> Volume:
    """Return a SimpleITK image (LPS world) as a volume; the array is (I, J, K), I fastest in memory."""
    affine = np.eye(4)
    direction = np.array(image.GetDirection()).reshape(3, 3)
    affine[:3, :3] = direction * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return Volume(sitk.GetArrayFromImage(image).T, affine)


def volume_to_sitk(volume: Volume) -> sitk.Image:
    """Return a volume as a SimpleITK image (LPS world)."""
    spacing = np.array(volume.spacing_mm)
    image = sitk.GetImageFromArray(np.ascontiguousarray(volume.values.T))
    image.SetSpacing(tuple(spacing.tolist()))
    image.SetOrigin(tuple(volume.affine_lps[:3, 3].tolist()))
    image.SetDirection(tuple((volume.affine_lps[:3, :3] / spacing).ravel().tolist()))
    return image
