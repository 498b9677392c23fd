"""An import killed in mid-write: what is there is whole, what is half is removed, and building again works."""

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from pet2rep_core.imaging.prepared import open_prepared, prepare_case, remove_leftovers, verify_prepared
from pet2rep_core.imaging.volume import Volume
from pet2rep_core.records import PetUnit, SuvFactors

KILLS = 8
PROJECT = Path(__file__).parents[2]


def build(root: Path, number: int) -> str:
    """A case of 12 MB whose content follows from its number."""
    values = np.full((120, 120, 200), number, np.float32)
    values[30:90, 30:90, :] += 5
    ct = np.where(values > number, 40, -1000).astype(np.int16)
    affine = np.diag([4.0, 4.0, 3.0, 1.0])
    return prepare_case(
        root, pet=Volume(values, affine), pet_unit=PetUnit.SUVBW, suv=SuvFactors(bw=1.0), ct=Volume(ct, affine)
    )


def write_without_end(root: Path, first: int) -> None:
    """Runs in the process that is killed; each key is said once its case is confirmed."""
    for number in range(first, first + 10**6):
        print(number, build(root, number), flush=True)


def run_and_kill(root: Path, first: int, *, in_build: bool, delay_s: float) -> dict[int, str]:
    """Return the cases that were confirmed before the kill."""
    command = [sys.executable, "-m", "tests.crash.test_prepared_kill", str(root), str(first)]
    writer = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    assert writer.stderr is not None
    lines = [writer.stdout.readline()]
    assert lines[0], writer.stderr.read()
    time.sleep(delay_s)
    deadline = time.monotonic() + 20
    while in_build and not list(root.glob(".build-*/pet.npy")) and time.monotonic() < deadline:
        pass
    writer.send_signal(signal.SIGKILL)
    rest, complaint = writer.communicate()
    assert writer.returncode == -signal.SIGKILL
    assert complaint == ""
    lines += [line for line in rest.splitlines(keepends=True) if line.endswith("\n")]
    return {int(number): key for number, key in (line.split() for line in lines)}


def test_kills_leave_whole_cases_and_parts_that_are_removed(tmp_path: Path) -> None:
    chance = random.Random(20261123)
    leftovers = 0
    for kill in range(KILLS):
        root = tmp_path / "prepared"
        confirmed = run_and_kill(root, 1000 * kill, in_build=kill % 2 == 0, delay_s=chance.uniform(0, 0.1))
        assert confirmed
        # Before anything is tidied: every folder under its name is whole, confirmed or not.
        there = {folder.name for folder in root.glob("??/*")}
        assert set(confirmed.values()) <= there
        for key in there:
            assert verify_prepared(root, key) == []
        half = list(root.glob(".build-*"))
        assert len(half) <= 1
        # The case that was under way, and one that was confirmed, are built again beside the part.
        for number in (max(confirmed) + 1, max(confirmed)):
            key = build(root, number)
            assert confirmed.get(number, key) == key
            assert verify_prepared(root, key) == []
            pet = open_prepared(root, key).pet
            assert pet is not None
            assert float(pet.values[0, 0, 0]) == number
        assert remove_leftovers(root) == len(half)
        assert list(root.glob(".build-*")) == []
        leftovers += len(half)
        for key in {folder.name for folder in root.glob("??/*")}:
            (root / key[:2] / key / "pet.npy").unlink()  # keeps the disk small; the next round counts anew
        tmp_path = tmp_path / "next"
    assert leftovers >= KILLS // 4


if __name__ == "__main__":
    write_without_end(Path(sys.argv[1]), int(sys.argv[2]))
