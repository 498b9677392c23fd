"""Where a server stands and what it takes: all that a route needs to know of one model."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import urlsplit

from pet2rep_core.errors import SettingsError

LengthOption = Literal["max_tokens", "max_completion_tokens"]
SamplerStyle = Literal["flat", "generation_config"]


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
    sampler : str
        Where options go that the SDK does not know (top-k, repetition penalty): ``flat`` beside the others, as vLLM
        and SGLang want them, or ``generation_config``, the one field that ``transformers serve`` takes.
    extra : mapping
        Further fields of the body, as the row of the catalog gives them.
    max_images, context : int or None
        Pictures in one prompt and tokens of prompt and answer together; None where it is not known.
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
    sampler: SamplerStyle = "flat"
    extra: Mapping[str, Any] = MappingProxyType({})
    max_images: int | None = None
    context: int | None = None
    parallel: int = 4
    time_limit_s: float = 600.0

    def __post_init__(self) -> None:
        """Refuse an address that leads nowhere."""
        host_of(self.base_url)

    @property
    def host(self) -> str:
        """Name of the machine, with its port where the address gives one."""
        return host_of(self.base_url)

    @property
    def is_local(self) -> bool:
        """Tell whether what is sent stays on this machine."""
        return is_on_this_machine(self.base_url)


def host_of(base_url: str) -> str:
    """Return the machine that an address leads to, ``name`` or ``name:port``, never a user or password in it.

    Raises
    ------
    SettingsError
        If it is no http or https address.
    """
    try:
        parts = urlsplit(base_url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise SettingsError(
            "The base URL is no address of a server.", hint="Give one such as http://127.0.0.1:8000/v1."
        )
    if parts.username or parts.password:
        raise SettingsError(
            "The base URL holds a user or a password.", hint="Leave it out; keys come from the environment."
        )
    named = f"[{host}]" if ":" in host else host
    return named if port is None else f"{named}:{port}"


def is_on_this_machine(base_url: str) -> bool:
    """Tell whether an address is this machine's own: ``localhost`` or a loopback number, and nothing else."""
    name = (urlsplit(base_url).hostname or "").rstrip(".")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
