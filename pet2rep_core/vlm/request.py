"""One request, whatever model it goes to, and one answer, whatever route it came by.

A request is built once from a case and a prompt. Each adapter converts it for its route; none changes it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol

from pet2rep_core.errors import SettingsError
from pet2rep_core.records import GenerationStatus


class Route(StrEnum):
    """How a request reaches a model."""

    BUILT_IN = "built-in"
    TRANSFORMERS = "transformers"
    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    IMPORT = "import"


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture as it goes out: an RGB PNG, and what it shows (``fused 1``, ``ct 2``)."""

    png: bytes = field(repr=False)
    name: str
    width: int
    height: int

    @property
    def sha256(self) -> str:
        """Hash of the bytes that go out."""
        return hashlib.sha256(self.png).hexdigest()


@dataclass(frozen=True, slots=True)
class Options:
    """How a model is asked to write. None is "not sent": a provider's own default then holds.

    The defaults are those of the one public script of the benchmark (temperature 0.7, top-k 50, top-p 1, 1024 new
    tokens, repetition penalty 1), with a seed, which it lacks.
    """

    max_new_tokens: int = 1024
    temperature: float | None = 0.7
    top_p: float | None = 1.0
    top_k: int | None = 50
    repetition_penalty: float | None = 1.0
    seed: int | None = 0

    def __post_init__(self) -> None:
        """Refuse what no model could follow."""
        if self.max_new_tokens < 1:
            raise SettingsError(
                f"{self.max_new_tokens} new tokens leave no room for a report.", hint="Give at least 1."
            )
        if self.temperature is not None and not 0 <= self.temperature <= 2:
            raise SettingsError(f"The temperature is {self.temperature}.", hint="Give a number from 0 to 2.")

    def sent(self) -> dict[str, int | float]:
        """Return the options that are set, by name."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Request:
    """Exactly what a model is asked: two texts, pictures in order, options."""

    system: str
    user: str
    pictures: tuple[Picture, ...]
    options: Options

    @property
    def sha256(self) -> str:
        """Hash of everything that can change the answer; the same request to the same model is never paid twice."""
        said = [self.system, self.user, [one.sha256 for one in self.pictures], self.options.sent()]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode("utf-8")).hexdigest()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider or the tokeniser counted them; None where nobody did."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. A failure is an error, never an answer; an empty or cut text is said in ``status``.

    Parameters
    ----------
    status : GenerationStatus
        DONE, EMPTY, CUT (the length limit ended it) or REFUSED (the model or its filter declined).
    finish_reason : str
        As the route names it: ``stop``, ``length``, ``max_tokens``, ``content_filter``, …
    sent : mapping
        The options that really went out, by their names there.
    model : str
        The model that says it answered.
    engine : mapping
        What ran it, with versions.
    """

    status: GenerationStatus
    text: str
    finish_reason: str
    usage: Usage = Usage()
    sent: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    model: str = ""
    engine: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    request_id: str = ""


class Severity(StrEnum):
    """Whether a finding stops a run."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was seen before a run: what is wrong with which value, and the command or step that mends it."""

    severity: Severity
    message: str
    hint: str = ""


class Adapter(Protocol):
    """One model, ready to be asked; made for a row of the catalog, closed when a run ends."""

    parallel: int
    """How many requests it takes at the same time; 1 in-process."""

    def check(self, request: Request) -> list[Finding]:
        """Return what would go wrong with this request, before anything is sent or computed."""
        ...

    def ask(
        self, request: Request, *, on_text: Callable[[str], None] | None = None, cancelled: Callable[[], bool]
    ) -> Answer:
        """Return the answer; one attempt, without waiting for another.

        Parameters
        ----------
        on_text : callable, optional
            Gets each piece of text as it comes.
        cancelled : callable
            Asked often; where it says so, the call ends within a second or two.

        Raises
        ------
        ProviderBusyError
            If the same request may succeed later (busy, rate limit, lost connection, time limit).
        ProviderRefusedError
            If it will not: options, length or pictures that the provider refuses, an empty account.
        ModelUnavailableError
            If weights, key, server or model name are not there.
        CancelledError
            If ``cancelled`` said so.
        """
        ...

    def close(self) -> None:
        """Let go of memory and connections."""
        ...
