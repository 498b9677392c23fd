"""Opening a prepared whole-body case and drawing a fused coronal plane, against the compressed NIfTI files.

Run as ``python -m benchmarks.open_case``. The case is one of the demo study, written to a temporary folder
both ways. The plain way reads PET and CT with SimpleITK, resamples the CT and draws with the same renderer.
The files are in the system's cache on both sides. Mapped memory is the system's cache of the files and is
given back whenever another program needs it; own memory is not.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.measure import Side, answer_side, in_turns, print_table

GOAL = 0.1
PIXEL_MM = 2.0
CASE = "demo-01"


def prepared(arguments: Sequence[str]) -> Callable[[], object]:
    """Arguments: folder, key, how many planes (all of them are kept, as a viewer's cache would)."""
    from pet2rep_core.imaging.display import read_display
    from pet2rep_core.imaging.planes import Plane, fit_field, sample_plane, shown_ct
    from pet2rep_core.imaging.prepared import open_prepared
    from pet2rep_core.imaging.render import Style, render_planes

    display = read_display()
    style = Style(display.pet_window(display.default_pet), display.ct_window(display.default_ct))

    def work() -> object:
        case = open_prepared(Path(arguments[0]), arguments[1])
        assert case.grid is not None
        n_planes = case.grid.values.shape[1]
        count = min(int(arguments[2]), n_planes)
        field = fit_field(case.grid, Plane.CORONAL, PIXEL_MM)
        ct = shown_ct(case.pet, case.ct, case.ct_fine)
        pictures = []
        for n in range(count):
            j = (n_planes // 2 + n) % n_planes
            planes = sample_plane(case.pet, ct, Plane.CORONAL, j, field)
            pictures.append(render_planes(planes, "fused", style, display))
        return case, pictures

    return work


def nifti(arguments: Sequence[str]) -> Callable[[], object]:
    """Arguments: folder with pet.nii.gz and ct.nii.gz."""
    import SimpleITK as sitk

    from pet2rep_core.imaging.display import read_display
    from pet2rep_core.imaging.planes import Plane, fit_field, sample_plane
    from pet2rep_core.imaging.render import Style, render_planes
    from pet2rep_core.imaging.volume import volume_from_sitk

    display = read_display()
    style = Style(display.pet_window(display.default_pet), display.ct_window(display.default_ct))

    def work() -> object:
        pet, ct = (sitk.ReadImage(str(Path(arguments[0]) / name)) for name in ("pet.nii.gz", "ct.nii.gz"))
        moved = sitk.Resample(ct, pet, sitk.Transform(), sitk.sitkLinear, -1024.0)
        volumes = volume_from_sitk(pet).to_lps(), volume_from_sitk(moved).to_lps()
        field = fit_field(volumes[0], Plane.CORONAL, PIXEL_MM)
        planes = sample_plane(*volumes, Plane.CORONAL, volumes[0].values.shape[1] // 2, field)
        return volumes, render_planes(planes, "fused", style, display)

    return work


SIDES: dict[str, Side] = {"prepared, 1 plane": prepared, "NIfTI, 1 plane": nifti}
MORE = {"prepared, 10 planes": 10, "prepared, all planes": 10_000}


def write_case(root: Path) -> str:
    """Write the demo case both ways and return its key."""
    import SimpleITK as sitk

    from pet2rep_core.datasets.phantom import make_demo_case
    from pet2rep_core.imaging.prepared import prepare_case
    from pet2rep_core.imaging.volume import volume_to_sitk
    from pet2rep_core.records import PetUnit, SuvFactors

    case = make_demo_case(CASE)
    for name, volume in (("pet", case.pet), ("ct", case.ct)):
        sitk.WriteImage(volume_to_sitk(volume), str(root / f"{name}.nii.gz"), useCompression=True)
    return prepare_case(root, pet=case.pet, pet_unit=PetUnit.SUVBW, suv=SuvFactors(bw=1.0), ct=case.ct)


def main() -> int:
    if answer_side({**SIDES, **dict.fromkeys(MORE, prepared)}):
        return 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        key = write_case(root)
        study = sum(path.stat().st_size for path in root.rglob("*.npy")) / 1024**2
        packed = sum(path.stat().st_size for path in root.glob("*.nii.gz")) / 1024**2
        one, plain = SIDES
        costs = in_turns(
            "benchmarks.open_case",
            {one: [folder, key, "1"], plain: [folder]}
            | {name: [folder, key, str(planes)] for name, planes in MORE.items()},
        )
    print_table(costs)
    print(f"study {study:.0f} MiB prepared, {packed:.0f} MiB as NIfTI")
    ratio = costs[one].seconds / costs[plain].seconds
    print(f"ratio {ratio:.3f} (goal: below {GOAL})")
    return 0 if ratio < GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
