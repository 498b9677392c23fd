"""A small study in a manifest and a store in a folder, for the tests of workflows and of the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nibabel
import numpy as np

from pet2rep_core.cli.main import main
from pet2rep_core.datasets.layouts import scan_dataset
from pet2rep_core.settings import Settings
from pet2rep_core.store import Store
from pet2rep_core.workflow.import_dataset import ImportOutcome, import_cases
from tests.layout_files import REPORT_EN, REPORT_ZH, save_ct, save_pet, save_picture, save_table

PROJECT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-m", "pet2rep_core.cli.main"]
STUDY = ("a", "b", "c")


def build_study(root: Path) -> Path:
    """Build three cases: PET and CT with reports in both languages, pictures with a report, a report alone."""
    save_pet(root / "a_pet.nii.gz")
    save_ct(root / "a_ct.nii.gz")
    save_picture(root / "b.png")
    columns = ("case", "pet", "ct", "pet_unit", "report_zh", "report_en", "pictures")
    rows = [
        ("a", "a_pet.nii.gz", "a_ct.nii.gz", "suvbw", REPORT_ZH, REPORT_EN, ""),
        ("b", "", "", "", REPORT_ZH, "", "b.png"),
        ("c", "", "", "", "", REPORT_EN, ""),
    ]
    save_table(root / "manifest.csv", columns, rows)
    return root


def build_scans(root: Path, cases: Sequence[str]) -> Path:
    """Build cases of PET and CT, each a little hotter than the one before, without reports."""
    rows = []
    for number, name in enumerate(cases):
        save_pet(root / f"{name}_pet.nii.gz", scale=1 + number / 10)
        save_ct(root / f"{name}_ct.nii.gz")
        rows.append((name, f"{name}_pet.nii.gz", f"{name}_ct.nii.gz", "suvbw"))
    save_table(root / "manifest.csv", ("case", "pet", "ct", "pet_unit"), rows)
    return root


def build_slow_study(root: Path, *, count: int = 6, side: int = 96, files: int = 6) -> Path:
    """Build cases of many voxels, each of which takes long enough to be caught in the middle.

    Only so many pairs of ``files`` are written; further cases name the same ones again.
    """
    root.mkdir(parents=True)
    for number in range(files):
        values = np.random.default_rng(number).random((side, side, side), dtype=np.float32)
        for name, spacing in (("pet", 4.0), ("ct", 3.999)):
            nibabel.save(nibabel.Nifti1Image(values, np.diag([spacing] * 3 + [1])), root / f"{number}_{name}.nii")
    rows = [(f"case-{n}", f"{n % files}_pet.nii", f"{n % files}_ct.nii", "suvbw") for n in range(count)]
    save_table(root / "manifest.csv", ("case", "pet", "ct", "pet_unit"), rows)
    return root


def import_all(root: Path, settings: Settings, store: Store, **options: Any) -> dict[str, ImportOutcome]:
    """Import a folder and return the outcomes by case."""
    outcomes = list(import_cases(scan_dataset(root), settings, store, **options))
    assert len({one.case_id for one in outcomes}) == len(outcomes)
    return {one.case_id: one for one in outcomes}


def statuses(outcomes: dict[str, ImportOutcome]) -> dict[str, str]:
    return {name: one.status.value for name, one in outcomes.items()}


def keys(store: Store) -> dict[str, str | None]:
    """Return the prepared key of every case."""
    return {row.case_id: row.prepared_key for row in store.cases()}


def run_json(capsys: Any, *words: object) -> tuple[int, Any]:
    """Run a command with --json in this process; standard output must be one JSON value without NaN."""
    capsys.readouterr()
    status = main([*map(str, words), "--json"])
    text = capsys.readouterr().out

    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return status, json.loads(text, parse_constant=refuse)


def start(home: Path, *words: object, **more: Any) -> subprocess.Popen[str]:
    """Start the command line in a process group of its own."""
    return subprocess.Popen(
        [*COMMAND, *map(str, words)], cwd=PROJECT, env=environment(home), text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more,
    )  # fmt: skip


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "PET2REP_HOME": str(home), "PET2REP_WORKERS": "1"}
