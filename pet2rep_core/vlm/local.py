"""Models in this process: one adapter for every family that transformers has.

A request becomes one chat: the system text, then one user turn with all pictures before the text. Every option is given
explicitly, so nothing that a checkpoint's own files say about sampling can change a run.
"""

from __future__ import annotations

import io
import secrets
import threading
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from PIL import Image

from pet2rep_core.errors import ModelUnavailableError, Pet2RepError, ProviderRefusedError
from pet2rep_core.records import GenerationStatus
from pet2rep_core.settings import read_settings
from pet2rep_core.vlm.checkpoint import Checkpoint, check_checkpoint
from pet2rep_core.vlm.local_device import (
    Setup,
    card_count,
    choose,
    has_accelerate,
    is_out_of_memory,
    memory_of,
    value_bytes,
)
from pet2rep_core.vlm.local_generation import ComputationError, Generation
from pet2rep_core.vlm.local_weights import Loaded, LoadedModels, load_processor, loaded_models
from pet2rep_core.vlm.model_row import ModelRow
from pet2rep_core.vlm.preflight import (
    check_options,
    check_pictures,
    check_placeholders,
    check_window,
    without_placeholders,
)
from pet2rep_core.vlm.request import Answer, Finding, Options, Request, Route, Severity, Usage

_SAME_SEED_AS_TORCH = 2**63


class TransformersAdapter:
    """One model of the catalog, asked in this process, one request at a time.

    Parameters
    ----------
    row : ModelRow
        A model with the route ``transformers``.
    setup : Setup, optional
        Device and type of numbers; those of the settings where left out.
    models : LoadedModels, optional
        Where the weights are held; those of this process where left out.
    """

    parallel = 1

    def __init__(self, row: ModelRow, setup: Setup | None = None, models: LoadedModels | None = None) -> None:
        self._row = row
        self._setup = setup or _setup_of_settings()
        self._models = models or loaded_models()
        self._loaded: Loaded | None = None
        self._processor: Any = None
        self._lock = threading.Lock()

    def check(self, request: Request) -> list[Finding]:
        """Return what would go wrong with this request; the weights are looked at, not loaded."""
        row = self._row
        findings = [
            *check_pictures(row, request),
            *check_placeholders(row, request),
            *check_options(row, Route.TRANSFORMERS, request.options),
        ]
        checkpoint, wrong = check_checkpoint(row)
        if checkpoint is None:
            return [*findings, *wrong, *check_window(row, request)]
        try:
            device, dtype = choose(self._setup)
            findings += self._check_memory(checkpoint, device, dtype)
            tokens = int(prepare(row, self._read_processor(checkpoint), request)[0]["input_ids"].shape[1])
        except Pet2RepError as error:
            return [*findings, Finding(Severity.ERROR, error.message, error.hint)]
        return [*findings, *check_window(row, request, prompt_tokens=tokens, window=checkpoint.window)]

    def ask(
        self, request: Request, *, on_text: Callable[[str], None] | None = None, cancelled: Callable[[], bool]
    ) -> Answer:
        """Return the answer; the first call loads the weights.

        Raises
        ------
        ModelUnavailableError
            If the weights cannot be used.
        ProviderRefusedError
            If the request does not fit the memory or the model's processor refuses it.
        CancelledError
            If ``cancelled`` said so; the call ends within a second or two, a computation under way with its layer.
        """
        _refuse(check_pictures(self._row, request))
        loaded = self._take(cancelled)
        sampling, sent = sampling_options(request.options)
        self._models.take_turn(cancelled)
        try:
            inputs, changes = prepare(self._row, loaded.processor, request)
            prompt = int(inputs["input_ids"].shape[1])
            _refuse(check_window(self._row, request, prompt_tokens=prompt, window=loaded.window))
            work = Generation(loaded, inputs, sampling, sent["seed"], with_pieces=on_text is not None)
            work.start(when_ended=self._models.end_turn)
        except BaseException:
            self._models.end_turn()
            raise
        try:
            ids, text = work.follow(on_text, cancelled)
        except ComputationError as error:
            if is_out_of_memory(error.cause):
                raise ProviderRefusedError(
                    f"{self._row.label} ran out of memory on {loaded.device} with a prompt of {prompt} tokens.",
                    hint="Give fewer or smaller pictures, or fewer new tokens.",
                ) from error.cause
            raise ProviderRefusedError(
                f"{self._row.label} could not compute this request: {' '.join(str(error.cause).split())[:200]}",
                hint="Try the request with another model; if that works, report this one.",
            ) from error.cause
        ended = bool(ids) and ids[-1] in loaded.eos
        status = GenerationStatus.DONE if ended else GenerationStatus.CUT
        return Answer(
            status=status if text else GenerationStatus.EMPTY,
            text=text,
            finish_reason="stop" if ended else "length",
            usage=Usage(input_tokens=prompt, output_tokens=len(ids)),
            sent=MappingProxyType(sent | changes),
            model=self._row.repo,
            engine=MappingProxyType(dict(loaded.engine)),
        )

    def close(self) -> None:
        """Let go of the weights; they leave the memory when no other adapter uses them."""
        with self._lock:
            loaded, self._loaded, self._processor = self._loaded, None, None
        if loaded is not None:
            self._models.give_back(loaded)

    def _take(self, cancelled: Callable[[], bool]) -> Loaded:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._models.take(self._row, self._setup, cancelled)
            return self._loaded

    def _read_processor(self, checkpoint: Checkpoint) -> Any:
        with self._lock:
            if self._processor is None:
                # not that of the loaded model: a tokenizer does not bear two threads
                self._processor = load_processor(self._row, checkpoint)
            return self._processor

    def _check_memory(self, checkpoint: Checkpoint, device: str, dtype: str) -> list[Finding]:
        if self._loaded is not None:
            return []
        findings: list[Finding] = []
        needed = checkpoint.memory_bytes(value_bytes(dtype))
        free, total = memory_of(device)
        if total is not None and needed > total:
            findings.append(
                Finding(
                    Severity.ERROR,
                    f"The weights of {self._row.id!r} take about {needed / 1e9:.0f} GB in {dtype}, and {device} has "
                    f"{total / 1e9:.0f} GB.",
                    "Choose a smaller model, or serve this one from several cards and use the route openai.",
                )
            )
        elif free is not None and needed > free:
            findings.append(
                Finding(
                    Severity.WARNING,
                    f"The weights of {self._row.id!r} take about {needed / 1e9:.1f} GB in {dtype}, and {device} has "
                    f"{free / 1e9:.1f} GB free.",
                    "Close other programs, or let other models finish first.",
                )
            )
        if device == "cuda" and not has_accelerate() and card_count() > 1:
            findings.append(
                Finding(
                    Severity.WARNING,
                    "Only one of the cards can be used, since accelerate is not installed.",
                    "Install it with: pip install accelerate",
                )
            )
        return findings


def _setup_of_settings() -> Setup:
    settings = read_settings()
    return Setup(settings.device, settings.dtype)


def _refuse(findings: list[Finding]) -> None:
    for finding in findings:
        if finding.severity is Severity.ERROR:
            raise ProviderRefusedError(finding.message, hint=finding.hint)


def sampling_options(options: Options) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what ``generate`` gets, and what the run records as sent: the same, with the seed.

    A temperature of None or 0 asks greedily. A seed of None is drawn, and recorded, so that the run can be repeated.
    """
    greedy = not options.temperature
    sampling: dict[str, Any] = {
        "max_new_tokens": options.max_new_tokens,
        "do_sample": not greedy,
        "num_beams": 1,
        "repetition_penalty": 1.0 if options.repetition_penalty is None else options.repetition_penalty,
    }
    if not greedy:
        sampling["temperature"] = options.temperature
        sampling["top_p"] = 1.0 if options.top_p is None else options.top_p
        sampling["top_k"] = 0 if options.top_k is None else max(options.top_k, 0)
    seed = secrets.randbits(63) if options.seed is None else options.seed % _SAME_SEED_AS_TORCH
    return sampling, sampling | {"seed": seed}


def prepare(row: ModelRow, processor: Any, request: Request) -> tuple[Any, dict[str, Any]]:
    """Return the tensors of a request, and what was changed on the way (for the record).

    Raises
    ------
    ModelUnavailableError
        If the model's chat template drops the prompt.
    ProviderRefusedError
        If the processor refuses texts or pictures.
    """
    system, user = (without_placeholders(row.family, text) for text in (request.system, request.user))
    changes: dict[str, Any] = {}
    if (system, user) != (request.system, request.user):
        changes["placeholders"] = "removed"
    pictures = [_rgb(one.png) for one in request.pictures]
    try:
        chat = _chat(system, user, pictures)
        if system.strip() and not _keeps(processor, chat, system):
            # a template without a system role drops the text or refuses it; it must reach the model all the same
            changes["system_text"] = "in the user turn"
            chat = _chat("", f"{system.strip()}\n\n{user}", pictures)
        if not _keeps(processor, chat, user):
            raise ModelUnavailableError(
                f"The chat template of {row.id!r} drops the prompt.",
                hint="Put the chat_template.jinja of the model that it was made from beside its config.json.",
            )
        inputs = processor.apply_chat_template(
            chat, tokenize=True, return_dict=True, return_tensors="pt", add_generation_prompt=True
        )
    except (ValueError, TypeError, KeyError, IndexError, RuntimeError) as error:
        raise ProviderRefusedError(
            f"The processor of {row.label} refuses the request: {' '.join(str(error).split())[:200]}",
            hint="Look at the prompt and at the size of the pictures.",
        ) from error
    return inputs, changes


def _chat(system: str, user: str, pictures: list[Any]) -> list[dict[str, Any]]:
    """Return the turns; contents are lists of parts, since some templates drop a plain text without a word."""
    parts = [{"type": "image", "image": one} for one in pictures] + [{"type": "text", "text": user}]
    turns = [{"role": "system", "content": [{"type": "text", "text": system}]}] if system.strip() else []
    return [*turns, {"role": "user", "content": parts}]


def _keeps(processor: Any, chat: list[dict[str, Any]], text: str) -> bool:
    """Tell whether the rendered chat holds a text, whatever blanks the template changes."""
    from jinja2.exceptions import TemplateError  # noqa: PLC0415 - it comes with transformers

    try:
        rendered = processor.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    except TemplateError:
        return False
    return "".join(text.split()) in "".join(rendered.split())


def _rgb(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")
