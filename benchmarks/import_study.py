"""Import of a DICOM study against reading both series and resampling in bare SimpleITK.

Run as ``python -m benchmarks.import_study FOLDER``, where FOLDER holds the ACRIN study with its series in
``CT`` and ``PET_AC`` (or holds ``acrin042_dicom``). The import finds the series, checks and reads them,
computes SUV, resamples, hashes and writes the prepared case; the bare way is told where both series are.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.measure import Side, answer_side, in_turns, print_table

GOAL = 1.3


def ours(arguments: Sequence[str]) -> Callable[[], object]:
    from pet2rep_core.datasets.layouts import scan_dataset
    from pet2rep_core.datasets.load import load_case
    from pet2rep_core.imaging.prepared import prepare_case

    def work() -> object:
        with tempfile.TemporaryDirectory() as folder:
            (source,) = scan_dataset(Path(arguments[0])).cases
            case = load_case(source)
            return prepare_case(
                Path(folder), pet=case.pet, pet_unit=case.pet_unit, suv=case.suv, ct=case.ct, warnings=case.warnings
            )

    return work


def bare(arguments: Sequence[str]) -> Callable[[], object]:
    import SimpleITK as sitk

    sitk.ProcessObject.SetGlobalWarningDisplay(False)

    def read(name: str) -> sitk.Image:
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(Path(arguments[0]) / name)))
        return reader.Execute()

    def work() -> object:
        ct, pet = read("CT"), read("PET_AC")
        return pet, ct, sitk.Resample(ct, pet, sitk.Transform(), sitk.sitkLinear, -1024.0)

    return work


SIDES: dict[str, Side] = {"import": ours, "bare SimpleITK": bare}


def main() -> int:
    if answer_side(SIDES):
        return 0
    if len(sys.argv) != 2:
        print("python -m benchmarks.import_study FOLDER", file=sys.stderr)
        return 2
    folder = Path(sys.argv[1]).resolve()
    if (folder / "acrin042_dicom").is_dir():
        folder /= "acrin042_dicom"
    costs = in_turns("benchmarks.import_study", {side: [str(folder)] for side in SIDES})
    print_table(costs)
    ratio = costs["import"].seconds / costs["bare SimpleITK"].seconds
    print(f"ratio {ratio:.2f} (goal: at most {GOAL})")
    return 0 if ratio <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
