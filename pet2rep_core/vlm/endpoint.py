"""Where a server stands and what it takes: all that a route needs to know of one model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlsplit

from pet2rep_core.vlm.model_row import check_address, on_this_machine

LengthOption = Literal["max_tokens", "max_completion_tokens"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One model behind one address.

    Parameters
    ----------
    model : str
        The name that the server knows it by.
    base_url : str
        Address up to and without ``/chat/completions`` or ``/v1/messages``.
    key_env : str
        Environment variable that holds the key; empty where none is needed.
    accepts : frozenset of str
        Names of :class:`~pet2rep_core.vlm.request.Options` that may be sent beside the length.
    length_option : str
        How the number of new tokens is called.
    extra : mapping
        Further fields of the body.
    parallel : int
        Requests at the same time.
    time_limit_s : float
        How long one answer may take in all.
    """

    model: str
    base_url: str
    key_env: str = ""
    accepts: frozenset[str] = frozenset({"temperature", "top_p", "top_k", "repetition_penalty", "seed"})
    length_option: LengthOption = "max_tokens"
    extra: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    parallel: int = 4
    time_limit_s: float = 600.0

    def __post_init__(self) -> None:
        """Refuse an address that leads nowhere."""
        check_address(self.model, self.base_url)

    @property
    def host(self) -> str:
        """Name of the machine, with its port where the address gives one."""
        return host_of(self.base_url)

    @property
    def is_local(self) -> bool:
        """Tell whether what is sent stays on this machine."""
        return on_this_machine(self.base_url)


def host_of(base_url: str) -> str:
    """Return the machine that a checked address leads to, as ``name`` or ``name:port``."""
    parts = urlsplit(base_url)
    host, port = parts.hostname or "", parts.port
    named = f"[{host}]" if ":" in host else host
    return named if port is None else f"{named}:{port}"
