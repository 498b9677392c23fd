"""Reading the volumes of a case that was found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pet2rep_core.datasets.bids import sidecar_suv
from pet2rep_core.datasets.dicom import dicom_suv, read_dicom_volume
from pet2rep_core.imaging.organ_masks import OrganPlace, measure_masks
from pet2rep_core.imaging.read import read_volume_checked
from pet2rep_core.imaging.volume import Volume
from pet2rep_core.records import CaseSource, PetUnit, SeriesInfo, SeriesRole, SuvFactors

_SUV_WARNINGS = {
    "autopet": (
        "The published SUV of autoPET decays to the acquisition time of one file, so it may differ by a few per cent "
        "from SUV computed from the DICOM files."
    ),
    "image-pair": "The PET is taken as SUVbw because its file's name says SUV.",
    "nnunet": "The PET is taken as SUVbw as autoPET publishes it; the files themselves do not say it.",
    "manifest": "The PET is taken as SUVbw because the manifest says so.",
}


@dataclass(frozen=True, slots=True)
class LoadedCase:
    """The volumes of a case as they were read, on their own grids.

    Parameters
    ----------
    pet : Volume or None
        Values in ``pet_unit``; float32.
    pet_unit : PetUnit or None
        SUVBW wherever ``suv.bw`` is known; ACTIVITY_BQML or COUNTS otherwise. None without a PET.
    suv : SuvFactors
        Factors from the values *of the files* to SUV, or the reason why there are none.
    ct : Volume or None
        HU, padding included.
    warnings : tuple of str
        What a reader should know before trusting picture and numbers.
    """

    pet: Volume | None
    pet_unit: PetUnit | None
    suv: SuvFactors
    ct: Volume | None
    warnings: tuple[str, ...] = ()


def load_case(source: CaseSource) -> LoadedCase:
    """Read the PET and the CT of a case; either may be absent.

    The PET comes in SUVbw where its factor is known. Orientation and grids stay as in the files.

    Raises
    ------
    ImageReadError
        If a file is damaged.
    ImageGeometryError
        If the place of a volume in the patient is not defined.
    """
    warnings: list[str] = []
    pet_series = source.used(SeriesRole.PET)
    ct_series = source.used(SeriesRole.CT)
    if pet_series is None:
        pet, unit, suv = None, None, SuvFactors(reason="The case has no PET that can be used.")
    else:
        suv = pet_suv(source, pet_series)
        values = _read(source, pet_series, warnings)
        pet, unit = _in_best_unit(values, pet_series, suv)
        warnings += suv.warnings
    ct = _read(source, ct_series, warnings) if ct_series is not None else None
    return LoadedCase(pet, unit, suv, ct, tuple(dict.fromkeys(warnings)))


def load_organs(source: CaseSource, loaded: LoadedCase) -> tuple[dict[str, OrganPlace], tuple[str, ...]]:
    """Return the places of the case's organ masks on its grid in LPS order, by name, and what a reader should know.

    Masks that carry no names of organs (those of lesions) are passed over.
    """
    series = [s for s in source.series if s.role is SeriesRole.MASK and s.skipped is None]
    grid = loaded.pet if loaded.pet is not None else loaded.ct
    organs: dict[str, OrganPlace] = {}
    notes: list[str] = []
    if grid is None:
        return organs, ()
    for masks in series:
        turned = grid.to_lps()
        pet = None if loaded.pet is None else turned
        found, warnings = measure_masks(masks.files, turned, pet, folder=masks.size is None)
        organs |= found
        notes += warnings
    return organs, tuple(notes)


def pet_suv(source: CaseSource, series: SeriesInfo) -> SuvFactors:
    """Return the SUV factors of a case's PET as its layout proves them, without reading voxels."""
    if source.layout == "dicom":
        return dicom_suv(series)
    if source.layout == "bids-pet":
        return sidecar_suv(series, source.metadata)
    if series.units == "SUVBW":
        known = _SUV_WARNINGS.get(source.layout)
        return SuvFactors(bw=1.0, time_rule="already-suv", warnings=(known,) if known else ())
    if series.units == "BQML":
        return SuvFactors(reason="The PET is in Bq/mL, and the layout gives no dose, weight and times for SUV.")
    return SuvFactors(reason="The layout does not say in which unit the PET is, so there is no SUV.")


def _read(source: CaseSource, series: SeriesInfo, warnings: list[str]) -> Volume:
    if source.layout == "dicom":
        return read_dicom_volume(series)
    volume, notes = read_volume_checked(series.files[0])
    warnings.extend(notes)
    return volume


def _in_best_unit(pet: Volume, series: SeriesInfo, suv: SuvFactors) -> tuple[Volume, PetUnit]:
    values = pet.values.astype(np.float32, copy=False)
    if suv.bw is None:
        unit = PetUnit.ACTIVITY_BQML if series.units == "BQML" else PetUnit.COUNTS
        return Volume(values, pet.affine_lps), unit
    if suv.bw != 1.0:
        values = values * np.float32(suv.bw)
    return Volume(values, pet.affine_lps), PetUnit.SUVBW
