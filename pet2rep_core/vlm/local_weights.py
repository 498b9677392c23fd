"""Weights in memory: loaded once, shared by every request of this process, let go when nobody needs them.

torch and transformers are imported inside the functions that need them; opening the app loads neither.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pet2rep_core.errors import CancelledError, MissingDependencyError, ModelUnavailableError, SettingsError
from pet2rep_core.vlm.checkpoint import Checkpoint, find_checkpoint
from pet2rep_core.vlm.model_row import ModelRow

DTYPES = ("bfloat16", "float16", "float32")
_NO_MATTER = ("inv_freq", "position_ids", "num_batches_tracked")
_POLL_S = 0.1


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


@dataclass(slots=True)
class Loaded:
    """A model and its processor, ready to generate; ``eos`` are the tokens that end an answer.

    ``stop`` set makes the layers end the computation under way.
    """

    key: tuple[str, str, str]
    model: Any
    processor: Any
    device: str
    engine: dict[str, str]
    eos: frozenset[int]
    stop: threading.Event
    users: int = 0


class Stopped(Exception):  # noqa: N818 - no error, a way out of a computation that a person cancelled
    """The computation was stopped between two layers."""


@dataclass(slots=True)
class LoadedModels:
    """Every model that this process holds, one copy of each."""

    _held: dict[tuple[str, str, str], Loaded] = field(default_factory=dict)
    _loading: threading.Lock = field(default_factory=threading.Lock)
    _computing: threading.Lock = field(default_factory=threading.Lock)

    def take(self, row: ModelRow, setup: Setup, cancelled: Callable[[], bool]) -> Loaded:
        """Return a model, loaded where it is not yet; ``give_back`` it when done.

        Raises
        ------
        ModelUnavailableError
            If its weights cannot be used.
        CancelledError
            If ``cancelled`` said so while another model was being loaded.
        """
        key = (row.repo, setup.device, setup.dtype)
        _acquire(self._loading, cancelled)
        try:
            if key not in self._held:
                self._held[key] = _load(row, setup, key)
            self._held[key].users += 1
            return self._held[key]
        finally:
            self._loading.release()

    def give_back(self, loaded: Loaded) -> None:
        """Say that one user less needs a model; the last one frees its memory."""
        with self._loading:
            loaded.users -= 1
            if loaded.users > 0:
                return
            self._held.pop(loaded.key, None)
            device, loaded.model, loaded.processor = loaded.device, None, None
        gc.collect()
        if device.startswith("cuda"):
            import torch  # noqa: PLC0415 - it is loaded already

            torch.cuda.empty_cache()

    def take_turn(self, cancelled: Callable[[], bool]) -> None:
        """Wait for the turn to compute: one request at a time, since torch's random state is the whole process's.

        Raises
        ------
        CancelledError
            If ``cancelled`` said so while waiting.
        """
        _acquire(self._computing, cancelled)

    def end_turn(self) -> None:
        """Let the next request compute; any thread may say so."""
        self._computing.release()

    @property
    def held(self) -> tuple[str, ...]:
        """Return the repositories of the models in memory."""
        return tuple(repo for repo, _, _ in self._held)


@cache
def loaded_models() -> LoadedModels:
    """Return the models of this process."""
    return LoadedModels()


def _acquire(lock: threading.Lock, cancelled: Callable[[], bool]) -> None:
    while not lock.acquire(timeout=_POLL_S):
        if cancelled():
            raise CancelledError("The generation was stopped.")


def load_processor(row: ModelRow, checkpoint: Checkpoint) -> Any:
    """Return what turns texts and pictures into tokens.

    The processors of Qwen-VL and InternVL are loaded without their part for videos: nothing here needs it, and it
    alone needs torchvision. Without torchvision Pillow resizes the pictures; the values differ in the fifth digit.

    Raises
    ------
    ModelUnavailableError
        If the files of the processor are not there or cannot be used.
    MissingDependencyError
        If transformers is not installed.
    """
    transformers = _transformers()
    options = {"local_files_only": True, "trust_remote_code": False}
    kind: Any = transformers.AutoProcessor
    if row.family.needs_torchvision:
        kind = _without_video(transformers, row)
    try:
        processor = kind.from_pretrained(checkpoint.folder, **options)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, ImportError, RuntimeError) as error:
        if "torchvision" in str(error):
            raise ModelUnavailableError(
                "The torchvision of this Python does not fit its torch.",
                hint="Install torchvision from the index that torch came from, or take it out: "
                "pip uninstall torchvision",
            ) from error
        raise ModelUnavailableError(
            f"The processor of {row.id!r} cannot be loaded: {_first_line(error)}.",
            hint="Download the whole repository again; the folder needs the tokenizer's and the processor's files.",
        ) from error
    if getattr(processor, "tokenizer", None) is None:
        raise ModelUnavailableError(
            f"The folder of {row.id!r} has a tokenizer and no processor for pictures.",
            hint="Use the weights of the vision model, not those of its language model.",
        )
    if not (getattr(processor, "chat_template", None) or getattr(processor.tokenizer, "chat_template", None)):
        raise ModelUnavailableError(
            f"The folder of {row.id!r} has no chat template.",
            hint="Put the chat_template.jinja of the model that it was made from beside its config.json.",
        )
    processor.tokenizer.padding_side = "left"
    return processor


def _without_video(transformers: Any, row: ModelRow) -> Any:
    """Return the family's processor class without its part for videos."""
    names = importlib.import_module("transformers.models.auto.processing_auto").PROCESSOR_MAPPING_NAMES
    stock: Any = getattr(transformers, str(names[row.family.model_type]))

    def get_attributes(_cls: type) -> list[str]:
        return [name for name in stock.get_attributes() if name != "video_processor"]

    return type(stock.__name__, (stock,), {"get_attributes": classmethod(get_attributes)})


def _load(row: ModelRow, setup: Setup, key: tuple[str, str, str]) -> Loaded:
    checkpoint = find_checkpoint(row)
    processor = load_processor(row, checkpoint)
    transformers = _transformers()
    import torch  # noqa: PLC0415 - heavy

    device, dtype = choose(setup)
    spread = device == "cuda" and _needs_several_cards(checkpoint)
    try:
        model, info = transformers.AutoModelForImageTextToText.from_pretrained(
            checkpoint.folder, dtype=getattr(torch, dtype), attn_implementation="sdpa", output_loading_info=True,
            trust_remote_code=False, local_files_only=True, **({"device_map": "auto"} if spread else {}),
        )  # fmt: skip
        _require_all_weights(row, info)
        if not spread:
            model = model.to(device)
    except (RuntimeError, MemoryError, OSError, ValueError, TypeError, KeyError, ImportError) as error:
        if is_out_of_memory(error):
            raise ModelUnavailableError(
                f"The weights of {row.id!r} do not fit the memory of {device}.",
                hint="Choose a smaller model, or serve this one from several cards and use the route openai.",
            ) from error
        raise ModelUnavailableError(
            f"The weights of {row.id!r} cannot be loaded: {_first_line(error)}.", hint="Download the weights again."
        ) from error
    stop = threading.Event()
    _stop_between_layers(model, stop)
    eos = _clear_generation_defaults(model, processor)
    engine = {
        "transformers": transformers.__version__,
        "torch": torch.__version__,
        "device": f"{device} {torch.cuda.get_device_name()}" if device.startswith("cuda") else device,
        "dtype": dtype,
        "attention": str(getattr(model.config, "_attn_implementation", "")),
        "picture_processor": type(getattr(processor, "image_processor", None)).__name__,
        "revision": checkpoint.revision,
    }
    unused = [name for name in info["unexpected_keys"] if not name.endswith(_NO_MATTER)]
    if unused:
        engine["unused_weights"] = str(len(unused))
    return Loaded(key, model, processor, device, {k: v for k, v in engine.items() if v}, eos, stop)


def choose(setup: Setup) -> tuple[str, str]:
    """Return device and type of numbers: a card with bfloat16 where there is one, else Apple's, else the processor.

    Raises
    ------
    SettingsError
        If the wanted device is not there.
    """
    import torch  # noqa: PLC0415 - heavy

    device = setup.device or (
        "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    )
    kind = device.split(":")[0]
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if not there.get(kind, False):
        raise SettingsError(
            f"The device {device!r} is not on this machine, or torch cannot use it.",
            hint="Take PET2REP_DEVICE out, or set it to cpu.",
        )
    if kind == "cpu":
        return device, setup.dtype or "float32"
    if kind == "cuda":
        return device, setup.dtype or ("bfloat16" if torch.cuda.is_bf16_supported() else "float16")
    return device, setup.dtype or "bfloat16"


def free_memory_bytes(device: str) -> int | None:
    """Return the free memory of a device, of all cards together for ``cuda``; None where it does not say."""
    if device.startswith("cuda"):
        import torch  # noqa: PLC0415 - heavy

        cards = range(torch.cuda.device_count()) if device == "cuda" else [torch.device(device).index]
        return sum(torch.cuda.mem_get_info(card)[0] for card in cards)
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if device == "cpu" else None
    except (ValueError, OSError, AttributeError):
        return None


def _needs_several_cards(checkpoint: Checkpoint) -> bool:
    import torch  # noqa: PLC0415 - heavy

    if torch.cuda.device_count() < 2 or importlib.util.find_spec("accelerate") is None:
        return False
    return checkpoint.weight_bytes * 1.2 > torch.cuda.mem_get_info(0)[0]


def _require_all_weights(row: ModelRow, info: dict[str, Any]) -> None:
    """Refuse weights with holes: transformers fills them with random numbers without a word."""
    missing, wrong = sorted(info["missing_keys"]), list(info["mismatched_keys"])
    if missing or wrong:
        first = missing[0] if missing else str(wrong[0][0] if isinstance(wrong[0], tuple) else wrong[0])
        raise ModelUnavailableError(
            f"The weights of {row.id!r} lack {len(missing) + len(wrong)} parts of the model, such as {first}; "
            "they would be random numbers.",
            hint="Use weights in the format of transformers (many are named -hf), or serve these with their own engine "
            "and choose the route openai.",
        )


def _stop_between_layers(model: Any, stop: threading.Event) -> None:
    """Let a set ``stop`` end a computation within one layer, as the reading of a long prompt has no other way out."""
    from transformers.modeling_layers import GradientCheckpointingLayer  # noqa: PLC0415 - heavy

    def look(_module: Any, _arguments: Any) -> None:
        if stop.is_set():
            raise Stopped

    for module in model.modules():
        if isinstance(module, GradientCheckpointingLayer):
            module.register_forward_pre_hook(look)


def _clear_generation_defaults(model: Any, processor: Any) -> frozenset[int]:
    """Take every default of the checkpoint's own generation_config away but its token ids; return where it ends."""
    given = model.generation_config
    said = given.eos_token_id if given.eos_token_id is not None else processor.tokenizer.eos_token_id
    eos = list(said) if isinstance(said, list | tuple) else [said] if said is not None else []
    pad = given.pad_token_id if given.pad_token_id is not None else processor.tokenizer.pad_token_id
    model.generation_config = _transformers().GenerationConfig(
        bos_token_id=given.bos_token_id,
        eos_token_id=eos or None,
        pad_token_id=pad if pad is not None else (eos[0] if eos else None),
    )
    return frozenset(int(one) for one in eos)


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error of torch means that the memory of a device is full."""
    if isinstance(error, MemoryError):
        return True
    text = str(error).lower()
    return type(error).__name__ == "OutOfMemoryError" or (
        isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)
    )


def _first_line(error: BaseException) -> str:
    """Return what a foreign error says, on one line and not too long."""
    words = " ".join(str(error).split()).rstrip(".")
    return words[:200] if words else type(error).__name__


def _transformers() -> Any:
    try:
        import transformers  # noqa: PLC0415 - heavy
    except ImportError as error:
        raise MissingDependencyError("Running a model in-process", "pip install transformers torch") from error
    logging: Any = transformers.utils.logging
    logging.set_verbosity_error()  # what matters of it is said by this program's own errors
    logging.disable_progress_bar()
    return transformers
