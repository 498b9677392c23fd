"""Open a case: its images, its key slices, its reports."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pet2rep_core.errors import ImageGeometryError
from pet2rep_core.imaging.display import Display, Window
from pet2rep_core.imaging.planes import Field, Plane, Planes, fit_field, sample_plane, shown_ct
from pet2rep_core.imaging.prepared import PreparedCase, open_prepared
from pet2rep_core.imaging.render import Picture, Style, model_ct_window, model_picture, render_planes
from pet2rep_core.prompts.prompt import InputSetting
from pet2rep_core.records import KeySlices, Language, Person, PetUnit, Report
from pet2rep_core.settings import Settings
from pet2rep_core.store import CaseRow, Store
from pet2rep_core.workflow.permissions import OWNER, RESEARCH, require

SCREEN_PIXEL_MM = 1.5
_UNIT_LABELS = {PetUnit.SUVBW: "SUVbw g/mL", PetUnit.ACTIVITY_BQML: "Bq/mL", PetUnit.COUNTS: "counts"}


@dataclass(frozen=True, slots=True, eq=False)
class OpenCase:
    """A case as a person sees it. ``images`` is None for a case that has only reports."""

    row: CaseRow
    images: PreparedCase | None
    key_slices: KeySlices | None
    references: dict[Language, Report]

    @property
    def kinds(self) -> tuple[str, ...]:
        """Which of ct, pet and fused can be drawn."""
        if self.images is None:
            return ()
        has = (self.images.ct is not None, self.images.pet is not None)
        return tuple(kind for kind, there in zip(("ct", "pet", "fused"), (*has, all(has)), strict=True) if there)

    @property
    def pet_unit_label(self) -> str:
        """Unit of the PET in words; empty without a PET."""
        unit = None if self.images is None else self.images.pet_unit
        return "" if unit is None else _UNIT_LABELS[unit]


def open_case(store: Store, settings: Settings, case_id: str) -> OpenCase:
    """Open a case of the store.

    Raises
    ------
    UnknownNameError
        If it is not in the store.
    ImageReadError
        If its prepared images are missing or damaged.
    """
    row = store.case(case_id)
    images = None if row.prepared_key is None else open_prepared(settings.prepared, row.prepared_key)
    references = {r.report.language: r.report for r in store.reports(case_id) if r.kind == "reference"}
    return OpenCase(row, images, store.key_slices(case_id), references)


def open_for_models(settings: Settings, row: CaseRow) -> OpenCase:
    """Open a case whose row is at hand, with the row's key slices and without its reports.

    Raises
    ------
    ImageReadError
        If its prepared images are missing or damaged.
    """
    images = None if row.prepared_key is None else open_prepared(settings.prepared, row.prepared_key)
    return OpenCase(row, images, row.key_slices, {})


def pet_window(images: PreparedCase, preset: str, display: Display) -> Window:
    """Return the window of the PET: the SUV preset, or 0 to the 99.8th percentile where there is no SUV."""
    if images.pet is None or images.pet_unit is PetUnit.SUVBW:
        return display.pet_window(preset)
    samples = images.pet.values[::4, ::4, ::4]
    known = samples[np.isfinite(samples)]
    high = float(np.percentile(known, 99.8)) if known.size else 0.0
    return Window(0.0, high if high > 0 else 1.0)


def reader_style(images: PreparedCase, *, pet_preset: str, ct_preset: str, display: Display) -> Style:
    """Return how a reader sees a case at first: the windows of the presets, the maps of the display file.

    Raises
    ------
    UnknownNameError
        If there is no such preset.
    """
    return Style(
        pet_window=pet_window(images, pet_preset, display),
        ct_window=display.ct_window(ct_preset),
        pet_map=display.pet_map,
        fused_map=display.fused_map,
        opacity=display.opacity,
    )


def draw_plane(
    images: PreparedCase,
    plane: Plane,
    index: int,
    field: Field,
    *,
    kind: str,
    style: Style,
    display: Display,
    smooth: bool = True,
) -> Picture:
    """Draw one plane of a case as ``ct``, ``pet`` or ``fused`` on the pixels of a field.

    Raises
    ------
    ImageGeometryError
        If the case has no such plane or no such kind of picture.
    UnknownNameError
        If there is no such colour map.
    """
    return render_planes(_sample(images, plane, index, field, smooth=smooth), kind, style, display)


def draw_coronal(case: OpenCase, j: int, *, pet_preset: str, ct_preset: str, display: Display) -> Picture:
    """Draw every kind of picture of one coronal plane side by side, in the order of ``case.kinds``.

    Raises
    ------
    ImageGeometryError
        If the case has no volumes or no such plane.
    UnknownNameError
        If there is no such preset.
    """
    images = _volumes(case)
    assert images.grid is not None  # _volumes has refused this
    _, n_j, n_k = images.grid.values.shape
    box = (images.columns, (0, n_j), (0, n_k))
    field = fit_field(images.grid, Plane.CORONAL, SCREEN_PIXEL_MM, box)
    planes = _sample(images, Plane.CORONAL, j, field, smooth=True)
    style = reader_style(images, pet_preset=pet_preset, ct_preset=ct_preset, display=display)
    return np.concatenate([render_planes(planes, kind, style, display) for kind in case.kinds], axis=1)


def draw_model_picture(case: OpenCase, setting: InputSetting, n: int, display: Display) -> Picture:
    """Draw the n-th picture that a model gets: of three fused ones, or of three CT and then three PET ones.

    A case without CT or without PET gives those that it has.

    Raises
    ------
    ImageGeometryError
        If the case has no such picture.
    """
    images = _volumes(case)
    views = _model_views(case, setting)
    if not 0 <= n < len(views):
        raise ImageGeometryError(f"This case has no picture {n} for a model.", hint="Open the case again.")
    kind, j = views[n]
    return model_picture(images.pet, images.ct, kind, j, display, pet_window(images, display.model_pet, display))


def draw_model_pictures(case: OpenCase, setting: InputSetting, display: Display) -> list[tuple[str, Picture]]:
    """Draw all pictures that a model gets, as :func:`draw_model_picture` does, with names such as ``ct 2``.

    Raises
    ------
    ImageGeometryError
        If the case lacks CT or PET, which every input setting needs, or has no key slices.
    """
    images = _volumes(case)
    for kind in ("ct", "pet"):
        if kind not in case.kinds:
            raise ImageGeometryError(
                f"The case has no {kind.upper()}, which the input {setting!r} needs.",
                hint="Leave it out, or choose another input.",
            )
    views = _model_views(case, setting)
    if not views:
        raise ImageGeometryError("This case has no key slices.", hint="Choose slices of the case first.")
    window, ct_window = pet_window(images, display.model_pet, display), model_ct_window(images.ct, display)
    drawn: list[tuple[str, Picture]] = []
    for kind, j in views:
        number = 1 + sum(name.startswith(kind) for name, _ in drawn)
        picture = model_picture(images.pet, images.ct, kind, j, display, window, ct_window)
        drawn.append((f"{kind} {number}", picture))
    return drawn


def _model_views(case: OpenCase, setting: InputSetting) -> list[tuple[str, int]]:
    indices = () if case.key_slices is None else case.key_slices.indices
    wanted = ("fused",) if setting != "separate" and "fused" in case.kinds else ("ct", "pet")
    return [(kind, j) for kind in wanted if kind in case.kinds for j in indices]


def choose_key_slices(
    store: Store, case: OpenCase, indices: tuple[int, ...], reason: str, author: str, *, person: Person = OWNER
) -> KeySlices:
    """Record other key slices for a case, with the reason.

    Raises
    ------
    PermissionDeniedError
        If the person is a rater.
    ImageGeometryError
        If an index is not a plane of the case.
    StoreError
        If there is no reason.
    """
    require(person, RESEARCH)
    grid = _volumes(case).grid
    n_planes = 0 if grid is None else grid.values.shape[1]
    wrong = [j for j in indices if not 0 <= j < n_planes]
    if wrong or not indices:
        raise ImageGeometryError(
            f"Plane {wrong[0]} is not in the volume." if wrong else "No plane was chosen.",
            hint=f"Choose planes from 0 to {n_planes - 1}.",
        )
    chosen = KeySlices(indices, "chosen by a person", reason.strip())
    store.record_key_slices(case.row.case_id, chosen, author)
    return chosen


def _volumes(case: OpenCase) -> PreparedCase:
    if case.images is None or case.images.grid is None:
        raise ImageGeometryError("This case has no volumes.", hint="Its pictures or reports are shown instead.")
    return case.images


def _sample(images: PreparedCase, plane: Plane, index: int, field: Field, *, smooth: bool) -> Planes:
    ct = shown_ct(images.pet, images.ct, images.ct_fine)
    return sample_plane(images.pet, ct, plane, index, field, smooth=smooth)
