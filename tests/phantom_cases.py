"""The demo study's cases, made once for all processes of a run, and an independent way to read their voxels."""

import os
import pickle
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path

import numpy as np

from pet2rep_core.datasets.phantom import DemoCase, make_demo_case
from pet2rep_core.imaging.volume import Volume

_FOLDER = "PET2REP_TEST_PHANTOMS"


def share_cases() -> None:
    """Keep the cases of this run on the disk for its other processes: each takes five seconds to make."""
    os.environ[_FOLDER] = tempfile.mkdtemp(prefix="pet2rep-phantoms-")


def forget_cases() -> None:
    """Delete what the run has kept."""
    shutil.rmtree(os.environ.pop(_FOLDER), ignore_errors=True)


@lru_cache(maxsize=6)
def case_of(case_id: str) -> DemoCase:
    kept = Path(os.environ[_FOLDER]) / case_id
    if not kept.exists():
        part = kept.with_suffix(f".{os.getpid()}")
        part.write_bytes(pickle.dumps(make_demo_case(case_id), protocol=5))
        part.rename(kept)
    made: DemoCase = pickle.loads(kept.read_bytes())
    return made


def values_in_sphere(volume: Volume, centre_mm: tuple[float, float, float], radius_mm: float) -> np.ndarray:
    """Voxels within a sphere, through the inverse affine and a label image (not the package's way)."""
    middle = np.linalg.inv(volume.affine_lps) @ [*centre_mm, 1.0]
    reach = np.ceil(radius_mm / np.array(volume.spacing_mm)) + 1
    low = np.maximum(np.floor(middle[:3] - reach), 0).astype(int)
    high = np.minimum(np.ceil(middle[:3] + reach) + 1, volume.values.shape).astype(int)
    index = np.stack(np.meshgrid(*(np.arange(a, b) for a, b in zip(low, high, strict=True)), indexing="ij"), -1)
    world = index @ volume.affine_lps[:3, :3].T + volume.affine_lps[:3, 3]
    near = np.linalg.norm(world - np.array(centre_mm), axis=-1) <= radius_mm
    return volume.values[tuple(index[near].T)].astype(float)
