"""Where a model runs: the device, the type of its numbers, and the memory that is there."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from pathlib import Path

from pet2rep_core.errors import SettingsError

DTYPES = ("bfloat16", "float16", "float32")
_MEMINFO = Path("/proc/meminfo")
_CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True, slots=True)
class Setup:
    """Where a model runs, and with which numbers; empty is "what suits this machine"."""

    device: str = ""
    dtype: str = ""

    def __post_init__(self) -> None:
        """Refuse numbers that no model runs with."""
        if self.dtype and self.dtype not in DTYPES:
            raise SettingsError(
                f"Models cannot run with numbers of the type {self.dtype!r}.", hint=f"Use one of: {', '.join(DTYPES)}."
            )


def value_bytes(dtype: str) -> int:
    """Return the size of one number."""
    return 4 if dtype == "float32" else 2


def choose(setup: Setup) -> tuple[str, str]:
    """Return device and type of numbers: a card with bfloat16 where there is one, else Apple's, else the processor.

    Raises
    ------
    SettingsError
        If the wanted device is not there.
    """
    import torch  # noqa: PLC0415 - heavy

    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    device = setup.device or next(name for name, is_there in there.items() if is_there)
    kind, _, number = device.partition(":")
    if not there.get(kind, False) or (
        number and not (number.isdecimal() and kind == "cuda" and int(number) < torch.cuda.device_count())
    ):
        raise SettingsError(
            f"The device {device!r} is not on this machine, or torch cannot use it.",
            hint="Take PET2REP_DEVICE out, or set it to cpu.",
        )
    if kind == "cpu":
        return device, setup.dtype or "float32"
    if kind == "cuda":
        return device, setup.dtype or ("bfloat16" if torch.cuda.is_bf16_supported() else "float16")
    return device, setup.dtype or "bfloat16"


def card_count() -> int:
    """Return how many CUDA cards torch sees."""
    import torch  # noqa: PLC0415 - heavy

    return torch.cuda.device_count()


def memory_of(device: str) -> tuple[int | None, int | None]:
    """Return the free and the whole memory of a device in bytes, of all cards together for ``cuda``.

    None where nobody says. In a container the whole is what it may use.
    """
    if device.startswith("cuda"):
        import torch  # noqa: PLC0415 - heavy

        cards = range(torch.cuda.device_count()) if device == "cuda" else [int(device.partition(":")[2])]
        pairs = [torch.cuda.mem_get_info(card) for card in cards]
        return sum(free for free, _ in pairs), sum(total for _, total in pairs)
    if device != "cpu":
        return None, None
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError, AttributeError):
        return None, None
    free = next((int(line.split()[1]) * 1024 for line in _lines(_MEMINFO) if line.startswith("MemAvailable:")), None)
    limit = next((int(line) for line in _lines(_CONTAINER_LIMIT) if line.isdecimal()), total)
    return free, min(total, limit)


def has_accelerate() -> bool:
    """Tell whether weights can be read onto cards directly, and over several of them."""
    return importlib.util.find_spec("accelerate") is not None


def needs_several_cards(needed_bytes: int) -> bool:
    """Tell whether weights of a size are spread over the cards: one has no room, and accelerate can do it."""
    import torch  # noqa: PLC0415 - heavy

    if card_count() < 2 or not has_accelerate():
        return False
    return needed_bytes * 1.2 > torch.cuda.mem_get_info(0)[0]


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error of torch means that the memory of a device is full."""
    if isinstance(error, MemoryError):
        return True
    text = str(error).lower()
    return type(error).__name__ == "OutOfMemoryError" or (
        isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)
    )


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return []
