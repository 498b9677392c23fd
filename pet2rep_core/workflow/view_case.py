"""What the viewer in the browser is given: a description of a case, and its volumes as streams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pet2rep_core.errors import ImageGeometryError, UnknownNameError
from pet2rep_core.imaging.keyslices import body_box
from pet2rep_core.imaging.packed import VolumeName, pack_volume, plan_volume
from pet2rep_core.imaging.planes import Plane, plane_letters, shown_ct
from pet2rep_core.imaging.prepared import PreparedCase
from pet2rep_core.imaging.volume import Volume
from pet2rep_core.workflow.open_case import OpenCase


def describe_case(case: OpenCase) -> dict[str, Any]:
    """Return what the viewer must know before the first voxel arrives; JSON-able, the same for the same case.

    Reads part of the volumes to find the body: some tens of milliseconds for a whole-body case.

    Returns
    -------
    dict
        ``grid``: shape, spacing_mm, affine_lps of the volume that planes are counted on. ``columns``: first and one
        past the last along I that a picture drawn by the server shows. ``box``: what is sent of the grid, (first, one
        past the last) along I, J, K. ``letters``: at the four edges, by plane. ``volumes``: the names that
        :func:`stream_volume` takes. ``pet_unit`` (``suvbw``, ``bqml``, ``counts`` or None) and ``pet_unit_label``.
        ``key_slices``: indices along J.

    Raises
    ------
    ImageGeometryError
        If the case has no volumes.
    """
    images, grid = _volumes(case)
    return {
        "grid": {
            "shape": list(grid.values.shape),
            "spacing_mm": list(grid.spacing_mm),
            "affine_lps": grid.affine_lps.tolist(),
        },
        "columns": list(images.columns),
        "box": [list(part) for part in body_box(images.ct, images.pet)],
        "letters": {str(plane): plane_letters(grid, plane) for plane in Plane},
        "volumes": list(sent_volumes(images)),
        "pet_unit": None if images.pet_unit is None else str(images.pet_unit),
        "pet_unit_label": case.pet_unit_label,
        "key_slices": [] if case.key_slices is None else list(case.key_slices.indices),
    }


def stream_volume(case: OpenCase, name: str) -> Iterator[bytes]:
    """Return the chunks of one volume in the format of :mod:`pet2rep_core.imaging.packed`.

    The errors below are raised here, before the first chunk is asked for.

    Raises
    ------
    ImageGeometryError
        If the case has no volumes.
    UnknownNameError
        If it has none of this name.
    """
    images, grid = _volumes(case)
    sent = sent_volumes(images)
    for known, volume in sent.items():
        if known == name:
            return pack_volume(volume, plan_volume(known, volume, grid, body_box(images.ct, images.pet)))
    raise UnknownNameError("volume of this case", name, sent)


def _volumes(case: OpenCase) -> tuple[PreparedCase, Volume]:
    if case.images is None or case.images.grid is None:
        raise ImageGeometryError("This case has no volumes.", hint="Its pictures or reports are shown instead.")
    return case.images, case.images.grid


def sent_volumes(images: PreparedCase) -> dict[VolumeName, Volume]:
    """Return the volumes that the viewer gets by name; the PET first, it is smaller and counts more."""
    sent: dict[VolumeName, Volume] = {}
    if images.pet is not None:
        sent["pet"] = images.pet
    ct = shown_ct(images.pet, images.ct, images.ct_fine)
    if ct is not None:
        sent["ct"] = ct
    return sent
