"""Weights in memory: loaded once, shared by every request of this process, let go when nobody needs them.

torch and transformers are imported inside the functions that need them; opening the app loads neither.
"""

from __future__ import annotations

import gc
import importlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from queue import Empty, Queue
from typing import Any, TypeAlias

from pet2rep_core.errors import CancelledError, MissingDependencyError, ModelUnavailableError
from pet2rep_core.vlm.checkpoint import Checkpoint, find_checkpoint
from pet2rep_core.vlm.local_device import (
    Setup,
    choose,
    has_accelerate,
    is_out_of_memory,
    memory_of,
    needs_several_cards,
    value_bytes,
)
from pet2rep_core.vlm.model_row import ModelRow

Key: TypeAlias = tuple[str, str, str]
"""Repository, device and type of numbers."""
_NO_MATTER = ("inv_freq", "position_ids", "num_batches_tracked")
_POLL_S = 0.1


@dataclass(slots=True)
class Loaded:
    """A model and its processor, ready to generate; ``eos`` are the tokens that end an answer, ``window`` its reach.

    ``stop`` set makes the layers end the computation under way.
    """

    key: Key
    model: Any
    processor: Any
    device: str
    engine: dict[str, str]
    eos: frozenset[int]
    window: int | None
    stop: threading.Event
    users: int = 0


class Stopped(Exception):  # noqa: N818 - no error, a way out of a computation that a person cancelled
    """The computation was stopped between two layers."""


@dataclass(slots=True)
class LoadedModels:
    """Every model that this process holds, one copy of each."""

    _held: dict[Key, Loaded] = field(default_factory=dict)
    _books: threading.Lock = field(default_factory=threading.Lock)
    _loading: threading.Lock = field(default_factory=threading.Lock)
    _computing: threading.Lock = field(default_factory=threading.Lock)

    def take(self, row: ModelRow, setup: Setup, cancelled: Callable[[], bool]) -> Loaded:
        """Return a model, loaded where it is not yet; ``give_back`` it when done.

        Raises
        ------
        ModelUnavailableError
            If its weights cannot be used.
        CancelledError
            If ``cancelled`` said so. Weights that are being read then are let go as soon as they are there.
        """
        key = (row.repo, setup.device, setup.dtype)
        _acquire(self._loading, cancelled)
        with self._books:
            if key in self._held:
                self._held[key].users += 1
                self._loading.release()
                return self._held[key]
        unwanted, outcome = threading.Event(), Queue[Loaded | BaseException]()
        threading.Thread(
            target=self._load_into, args=(row, setup, key, unwanted, outcome), name="load weights", daemon=True
        ).start()
        while True:
            try:
                loaded = outcome.get(timeout=_POLL_S)
                break
            except Empty:
                if cancelled():
                    with self._books:
                        unwanted.set()
                    if outcome.empty():
                        raise CancelledError("The generation was stopped.") from None
        if isinstance(loaded, BaseException):
            raise loaded
        return loaded

    def _load_into(
        self, row: ModelRow, setup: Setup, key: Key, unwanted: threading.Event, outcome: Queue[Loaded | BaseException]
    ) -> None:
        try:
            loaded = _load(row, setup, key)
            with self._books:
                if not unwanted.is_set():
                    loaded.users = 1
                    self._held[key] = loaded
                    outcome.put(loaded)
        except BaseException as error:  # take() raises it in the caller's thread
            outcome.put(error)
        finally:
            self._loading.release()

    def give_back(self, loaded: Loaded) -> None:
        """Say that one user less needs a model; the last one frees its memory."""
        with self._books:
            loaded.users -= 1
            if loaded.users > 0:
                return
            self._held.pop(loaded.key, None)
            device, loaded.model, loaded.processor = loaded.device, None, None
        if device.startswith("cuda"):
            import torch  # noqa: PLC0415 - it is loaded already

            gc.collect()  # a model over several cards refers to itself
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
    try:
        kind = _without_video(transformers, row) if row.family.needs_torchvision else transformers.AutoProcessor
        processor = kind.from_pretrained(checkpoint.folder, **options)
    except Exception as error:  # whatever the libraries raise for files that they do not understand
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
    if not processor.tokenizer("PET/CT", add_special_tokens=False)["input_ids"]:
        # without its files transformers makes an empty one and says nothing
        raise ModelUnavailableError(
            f"The folder of {row.id!r} has no tokenizer.",
            hint="Download the whole repository again; the folder needs the tokenizer's and the processor's files.",
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


def _load(row: ModelRow, setup: Setup, key: Key) -> Loaded:
    checkpoint = find_checkpoint(row)
    processor = load_processor(row, checkpoint)
    transformers = _transformers()
    import torch  # noqa: PLC0415 - heavy

    device, dtype = choose(setup)
    needed, (_, total) = checkpoint.memory_bytes(value_bytes(dtype)), memory_of(device)
    if total is not None and needed > total:
        # the system would end this process, and with it whatever else runs in it
        raise ModelUnavailableError(
            f"The weights of {row.id!r} take about {needed / 1e9:.0f} GB in {dtype}, and {device} has "
            f"{total / 1e9:.0f} GB.",
            hint="Choose a smaller model, or serve this one from several cards and use the route openai.",
        )
    spread = device == "cuda" and needs_several_cards(needed)
    placement: dict[str, Any] = {}
    if device.startswith("cuda") and has_accelerate():
        placement["device_map"] = "auto" if spread else device  # read onto the card, not through the main memory
    try:
        model, info = transformers.AutoModelForImageTextToText.from_pretrained(
            checkpoint.folder, dtype=getattr(torch, dtype), attn_implementation="sdpa", output_loading_info=True,
            trust_remote_code=False, local_files_only=True, **placement,
        )  # fmt: skip
        _require_all_weights(row, info)
        if not spread:
            model = model.to(device)
    except ModelUnavailableError:
        raise
    except Exception as error:  # whatever the libraries raise for files that they do not understand
        if is_out_of_memory(error):
            raise ModelUnavailableError(
                f"The weights of {row.id!r} do not fit the memory of {device}.",
                hint="Choose a smaller model, or serve this one from several cards and use the route openai.",
            ) from error
        raise ModelUnavailableError(
            f"The weights of {row.id!r} cannot be loaded: {_first_line(error)}.",
            hint="Install what it names, or use weights that are not quantised."
            if isinstance(error, ImportError)
            else "Download the weights again.",
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
    return Loaded(key, model, processor, device, {k: v for k, v in engine.items() if v}, eos, checkpoint.window, stop)


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
