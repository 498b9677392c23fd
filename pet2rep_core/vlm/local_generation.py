"""One generation under way: it computes in a thread, gives its text piece by piece, and ends when a person says so."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from queue import Empty, Queue
from typing import Any

from pet2rep_core.errors import CancelledError
from pet2rep_core.vlm.local_weights import Loaded, Stopped

_POLL_S = 0.1
_GRACE_S = 1.5


class ComputationError(Exception):
    """What torch or transformers raised in the computation; the caller says it in a sentence."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class Generation:
    """New tokens for the tensors of one request."""

    def __init__(
        self, loaded: Loaded, inputs: Any, sampling: Mapping[str, Any], seed: int, *, with_pieces: bool
    ) -> None:
        self._loaded = loaded
        self._inputs = inputs
        self._sampling = dict(sampling)
        self._seed = seed
        self._with_pieces = with_pieces
        self._pieces: Queue[str | None] = Queue()
        self._ids: list[int] = []
        self._text = ""
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._work, name="generate", daemon=True)
        self._when_ended: Callable[[], None] = lambda: None

    def start(self, *, when_ended: Callable[[], None]) -> None:
        """Begin; ``when_ended`` is called when the computation has really ended, also after a cancelled call."""
        self._when_ended = when_ended
        self._loaded.stop.clear()
        self._thread.start()

    def follow(self, on_text: Callable[[str], None] | None, cancelled: Callable[[], bool]) -> tuple[list[int], str]:
        """Return the ids and the text of the new tokens, handing text on as it comes.

        Raises
        ------
        CancelledError
            If ``cancelled`` said so. The computation ends with the layer under way; on a slow machine the call does
            not wait for that, the next request does.
        ComputationError
            If the computation failed.
        """
        try:
            while True:
                if cancelled():
                    raise CancelledError("The generation was stopped.")
                try:
                    piece = self._pieces.get(timeout=_POLL_S)
                except Empty:
                    continue
                if piece is None:
                    break
                if on_text:
                    on_text(piece)
        except BaseException:
            self._loaded.stop.set()
            self._thread.join(timeout=_GRACE_S)
            raise
        self._thread.join()
        if self._error is not None:
            raise ComputationError(self._error) from self._error
        return self._ids, self._text

    def _work(self) -> None:
        try:
            self._ids = self._compute()
            self._text = _decode(self._loaded.processor.tokenizer, self._ids).strip()
        except Exception as error:  # follow() raises it in the caller's thread
            self._error = error
        finally:
            del self._inputs
            self._when_ended()
            self._pieces.put(None)

    def _compute(self) -> list[int]:
        import torch  # noqa: PLC0415 - heavy
        import transformers  # noqa: PLC0415 - heavy

        loaded, model = self._loaded, self._loaded.model
        inputs = self._inputs.to(model.device, dtype=model.dtype)
        known = model.generation_config
        settings: Any = transformers.GenerationConfig
        with _seeded(self._seed, loaded.device), torch.inference_mode():
            everything = model.generate(
                **inputs,
                generation_config=settings(
                    bos_token_id=known.bos_token_id,
                    eos_token_id=known.eos_token_id,
                    pad_token_id=known.pad_token_id,
                    **self._sampling,
                ),
                streamer=_texts_into(self._pieces, loaded.processor.tokenizer) if self._with_pieces else None,
                stopping_criteria=transformers.StoppingCriteriaList([_when_set(loaded.stop)]),
            )
        if loaded.stop.is_set():
            raise Stopped
        return [int(one) for one in everything[0, inputs["input_ids"].shape[1] :].tolist()]


def _when_set(stop: threading.Event) -> Any:
    """Return the criterion that ends a generation after the token under way."""
    import torch  # noqa: PLC0415 - heavy
    from transformers import StoppingCriteria  # noqa: PLC0415 - heavy

    class Cancelled(StoppingCriteria):
        def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:  # noqa: ARG002 - the protocol has both
            return torch.full((input_ids.shape[0],), stop.is_set(), dtype=torch.bool, device=input_ids.device)

    return Cancelled()


def _texts_into(pieces: Queue[str | None], tokenizer: Any) -> Any:
    """Return a streamer that hands text on as tokens complete it; its first call brings the prompt."""
    from transformers.generation.streamers import BaseStreamer  # noqa: PLC0415 - heavy

    reader = _Reader(tokenizer)

    class Texts(BaseStreamer):
        def __init__(self) -> None:
            self.prompt = True

        def put(self, value: Any) -> None:
            for token in [] if self.prompt else value.reshape(-1).tolist():
                if text := reader.read(int(token)):
                    pieces.put(text)
            self.prompt = False

        def end(self) -> None:
            if text := reader.rest():
                pieces.put(text)

    return Texts()


@contextmanager
def _seeded(seed: int, device: str) -> Iterator[None]:
    """Seed torch, and leave its random state behind as it was."""
    import torch  # noqa: PLC0415 - heavy

    cards = list(range(torch.cuda.device_count())) if device.startswith("cuda") else []
    with torch.random.fork_rng(devices=cards):
        torch.manual_seed(seed)
        yield


def _decode(tokenizer: Any, ids: list[int]) -> str:
    return str(tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))


class _Reader:
    """Text of tokens as they come, in the time that the new ones take: only the end is decoded again."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._from = 0
        self._read = 0

    def read(self, token: int) -> str:
        """Return the text that one more token completes; half a character waits for its other half."""
        self._ids.append(token)
        text = self._new()
        if not text or text.endswith("\ufffd"):
            return ""
        self._from, self._read = self._read, len(self._ids)
        return text

    def rest(self) -> str:
        """Return what was held back, now that nothing more comes."""
        return self._new()

    def _new(self) -> str:
        before = _decode(self._tokenizer, self._ids[self._from : self._read])
        return _decode(self._tokenizer, self._ids[self._from :])[len(before) :]
