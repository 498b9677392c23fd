"""CT on the PET grid."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk

from pet2rep_core.errors import ImageGeometryError
from pet2rep_core.imaging.volume import Volume, volume_from_sitk, volume_to_sitk

AIR_HU = -1024
LEAST_SHARED_LENGTH = 0.5


def clamp_padding(ct: Volume) -> Volume:
    """Return the CT as int16 HU with nothing below air.

    Scanners fill the corners outside the reconstruction circle with values such as -3024 HU. They must
    go before any interpolation, or the edge of the circle bleeds into the picture.
    """
    if ct.values.dtype == np.int16:
        inside = int(ct.values.min()) >= AIR_HU
        # several times faster than clip, and a CT has tens of millions of voxels
        return ct if inside else Volume(np.maximum(ct.values, np.int16(AIR_HU)), ct.affine_lps)
    highest = np.iinfo(np.int16).max
    if ct.values.dtype.kind == "f":
        values = np.clip(np.rint(ct.values), AIR_HU, highest).astype(np.int16)
    else:
        limits = np.iinfo(ct.values.dtype)  # numpy refuses a bound that an unsigned or 8-bit type cannot hold
        values = np.clip(ct.values, max(AIR_HU, limits.min), min(highest, limits.max)).astype(np.int16, copy=False)
    return Volume(values, ct.affine_lps)


def world_box_mm(volume: Volume) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest corner of a volume in LPS mm, voxel edges included: two (3,) arrays."""
    size = np.array(volume.values.shape)
    corners = np.stack(np.meshgrid(*[(-0.5, n - 0.5) for n in size], indexing="ij"), -1).reshape(-1, 3)
    world = corners @ volume.affine_lps[:3, :3].T + volume.affine_lps[:3, 3]
    return world.min(axis=0), world.max(axis=0)


def shared_extent(pet: Volume, ct: Volume) -> np.ndarray:
    """Return which share of the PET's extent the CT covers along left, posterior, superior: (3,) array, 0 to 1."""
    pet_low, pet_high = world_box_mm(pet)
    ct_low, ct_high = world_box_mm(ct)
    shared = np.minimum(pet_high, ct_high) - np.maximum(pet_low, ct_low)
    return np.asarray(np.clip(shared / (pet_high - pet_low), 0.0, 1.0))


def ct_on_pet_grid(ct: Volume, pet: Volume) -> Volume:
    """Return the CT interpolated linearly at the PET's voxel centres.

    Parameters
    ----------
    ct : Volume
        HU, any grid in the same world; its padding is clamped here.
    pet : Volume
        Gives the grid.

    Returns
    -------
    Volume
        int16 HU on the PET's grid; -1024 outside the CT.

    Raises
    ------
    ImageGeometryError
        If the CT covers less than half of the PET along any direction.
    """
    shared = shared_extent(pet, ct)
    if shared.min() < LEAST_SHARED_LENGTH:
        worst = ("left to right", "front to back", "head to foot")[int(shared.argmin())]
        raise ImageGeometryError(
            f"The CT covers only {shared.min():.0%} of the PET {worst}; they may not be of one examination.",
            hint="Check that both belong together; to take the PET alone, leave the CT out.",
        )
    clamped = clamp_padding(ct)
    if clamped.same_grid(pet):
        return Volume(clamped.values, pet.affine_lps)
    grid = sitk.Image([int(n) for n in pet.values.shape], sitk.sitkUInt8)
    spacing = np.array(pet.spacing_mm)
    grid.SetSpacing(spacing.tolist())
    grid.SetOrigin(pet.affine_lps[:3, 3].tolist())
    grid.SetDirection((pet.affine_lps[:3, :3] / spacing).ravel().tolist())
    image = volume_to_sitk(clamped)
    moved = sitk.Resample(image, grid, sitk.Transform(), sitk.sitkLinear, float(AIR_HU), sitk.sitkInt16)
    return Volume(volume_from_sitk(moved).values, pet.affine_lps)
