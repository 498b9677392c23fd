"""The scanner: what a PET and a CT show of a map of tissues.

PET: every slice goes through a Gaussian point spread (matrix products, sampled on the PET grid), then gets
correlated noise that grows with the signal, as OSEM images have. All sums are taken over multiples of
2**-8 and 2**-12 in double precision and are therefore exact, in whatever order a machine takes them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from pet2rep_core.datasets.phantom.canvas import Array, Canvas

_FWHM_TO_SIGMA = 1 / 2.354820045


@dataclass(frozen=True, slots=True)
class PetScanner:
    """PET grid in plane and image quality: point spread in mm FWHM, noise at SUV 1 as a share."""

    size: int
    spacing_mm: float
    fwhm_mm: float
    noise: float


def _spread(source: Array, target: Array, sigma: Array) -> Array:
    """Return a (target, source) matrix of Gaussian weights that are multiples of 2**-12."""
    d = (target[:, None] - source[None, :]) / sigma[:, None]
    weights = np.exp(-0.5 * d * d) / (sigma[:, None] * math.sqrt(2 * math.pi)) * (source[1] - source[0])
    weights[np.abs(d) > 3.2] = 0
    return np.asarray(np.round(weights * 4096) / 4096)


def scan_pet(canvas: Canvas, suv: Array, scanner: PetScanner, rng: np.random.Generator) -> tuple[Array, Array]:
    """Return SUVbw as (K, J, I) float32, and the world mm of the PET voxel centres in plane."""
    x, y, z = (a.astype(np.float64) for a in canvas.axes)
    centres = (np.arange(scanner.size) - (scanner.size - 1) / 2) * scanner.spacing_mm
    used = np.flatnonzero(np.abs(centres) < x[-1])
    first, count = int(used[0]), len(used)
    sigma = scanner.fwhm_mm * _FWHM_TO_SIGMA
    across = _spread(x, centres[used], np.full(count, sigma))
    down = _spread(y, centres[used], np.full(count, sigma))
    # Breathing smears the region of the diaphragm along the body.
    breath = np.clip(1 - np.abs(canvas.model_z.astype(np.float64) - 330) / 110, 0, 1)
    along = _spread(z, z, np.round(sigma + 1.6 * breath, 3))
    table = np.round(suv.astype(np.float64) * 256) / 256
    flat = np.empty((len(z), count * count))
    for k in range(len(z)):
        flat[k] = (down @ (table[canvas.labels[k]] @ across.T)).ravel()
    flat = np.round(flat * 1048576) / 1048576
    clean = np.zeros((len(z), count, count), dtype=np.float32)
    for k in range(len(z)):
        near = np.flatnonzero(along[k])
        plane = along[k, near] @ flat[near[0] : near[-1] + 1]
        clean[k] = plane.reshape(count, count)
    noisy = clean + _pet_noise(clean, scanner.noise, rng)
    pet = np.zeros((len(z), scanner.size, scanner.size), dtype=np.float32)
    inner = slice(first, first + count)
    pet[:, inner, inner] = np.round(np.maximum(noisy, 0) * 512) / 512
    return pet, centres


def _pet_noise(clean: Array, level: float, rng: np.random.Generator) -> Array:
    white = _dyadic(rng.standard_normal(clean.shape, dtype=np.float32))
    grain = _smooth(white, (1, 1, 1))
    coarse = _smooth(_dyadic(rng.standard_normal(clean.shape, dtype=np.float32)), (2, 4, 4))
    mixed = grain / np.float32(_gain((1, 1, 1))) + np.float32(0.55) * coarse / np.float32(_gain((2, 4, 4)))
    # Deep inside the body fewer photons get out: noise grows from the skin to the middle.
    body = (clean > 0.12).astype(np.float32)
    depth: Array = ndimage.uniform_filter(ndimage.uniform_filter(body, (5, 17, 17)), (5, 17, 17))
    depth = np.round(depth * np.float32(64)) / np.float32(64)
    rise = np.float32(level) * (np.float32(0.35) + np.float32(0.8) * depth * depth)
    bright = clean * np.float32(0.55) + np.float32(0.55) * np.sqrt(clean)
    cap = np.minimum(bright, np.float32(2.6) + np.float32(0.08) * clean)
    return np.asarray(mixed * rise * cap)


def _dyadic(white: Array) -> Array:
    return np.round(white * 64) / 64


def _smooth(white: Array, times: tuple[int, int, int]) -> Array:
    """Smooth by repeated (1, 2, 1) sums: a binomial filter, without the division."""
    out = white
    for axis, count in enumerate(times):
        for _ in range(count):
            moved = np.zeros_like(out)
            head = [slice(None)] * 3
            tail = [slice(None)] * 3
            head[axis], tail[axis] = slice(1, None), slice(None, -1)
            moved[tuple(head)] += out[tuple(tail)]
            moved[tuple(tail)] += out[tuple(head)]
            out = (moved + 2 * out) / 4
    return out


def _gain(times: tuple[int, int, int]) -> float:
    """Return the standard deviation that :func:`_smooth` leaves of white noise."""
    return math.prod(math.sqrt(math.comb(4 * n, 2 * n) / 16.0**n) for n in times)


def scan_ct(canvas: Canvas, hu: Array, texture: Array, noise_hu: float, rng: np.random.Generator) -> Array:
    """Return HU as (K, J, I) int16 inside the round field of view, -1024 outside.

    ``hu`` and ``texture`` give the mean and the graininess in HU by tissue code.
    """
    x, y, _ = (a.astype(np.float32) for a in canvas.axes)
    n = len(canvas.labels)
    out = np.empty(canvas.labels.shape, dtype=np.int16)
    outside = x[None, :] * x[None, :] + y[:, None] * y[:, None] > np.float32(max(x[-1], 1) ** 2)
    bone = canvas.among([t for t in canvas.codes if t in _BONES])
    solid = canvas.among([t for t in canvas.codes if t not in ("air", "foam", "table", "lung", "gas", "airway")])
    table = hu.astype(np.float32)
    grain = canvas.grain
    for k in range(n):
        lab = canvas.labels[k]
        image = table[lab]
        tile = grain[k % grain.shape[0]]
        tile = np.tile(tile, (-(-image.shape[0] // tile.shape[0]), -(-image.shape[1] // tile.shape[1])))
        image = image + texture[lab] * tile[: image.shape[0], : image.shape[1]]
        image = _plane_blur(image)
        width = solid[lab]
        rows = width.sum(axis=1) + 2 * bone[lab].sum(axis=1)
        heavy = np.float32(np.clip(float(rows.max()) / 220.0, 0.5, 2.6))
        white = np.round(rng.standard_normal(lab.shape, dtype=np.float32) * 64) / 64
        white = _plane_blur(white) * np.float32(1.9)
        streak = np.round(rng.standard_normal(lab.shape[0], dtype=np.float32) * 64)[:, None] / 64
        rows_share = np.clip(rows.astype(np.float32) / np.float32(230) - 1, 0, 1)[:, None]
        inside = np.where(width, np.float32(1), np.float32(0.55))
        image = image + np.float32(noise_hu) * heavy * white * inside
        image = image + np.float32(0.9 * noise_hu) * rows_share * streak * inside
        image[outside] = -1024
        out[k] = np.clip(np.rint(image), -1024, 3071)
    return out


_BONES = frozenset({"cortical", "thin_cortex", "trabecular", "rib_marrow", "pelvic_marrow", "skull", "diploe", "tooth"})


def _plane_blur(image: Array) -> Array:
    """Blur in plane by (1, 4, 1) / 6 along both axes: what the kernel of a body CT does to an edge."""
    out = image * np.float32(4)
    out[1:] += image[:-1]
    out[:-1] += image[1:]
    out[0] += image[0]
    out[-1] += image[-1]
    wide = out * np.float32(4)
    wide[:, 1:] += out[:, :-1]
    wide[:, :-1] += out[:, 1:]
    wide[:, 0] += out[:, 0]
    wide[:, -1] += out[:, -1]
    return np.asarray(wide / np.float32(36))
