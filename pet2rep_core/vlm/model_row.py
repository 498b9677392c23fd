"""One row of the catalog: a checkpoint or a vendor's model, what it takes, and how to reach it.

A family is what the checkpoints of one architecture share: how pictures become tokens, and which words of a text the
family's processor reads as the place of a picture.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from urllib.parse import urlsplit

from pet2rep_core.errors import SettingsError
from pet2rep_core.vlm.request import Route

OPTIONS = ("max_new_tokens", "temperature", "top_p", "top_k", "repetition_penalty", "seed")
"""Every option of a request."""
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


class Group(StrEnum):
    """The groups of Table 1."""

    BASELINE = "baseline"
    GENERAL = "general"
    MEDICAL = "medical"
    CLOSED = "closed"


class Status(StrEnum):
    """Whether the model can be had on the date of the row."""

    AVAILABLE = "available"
    RETIRING = "retiring"
    GONE = "gone"
    UNKNOWN = "unknown"


class LengthOption(StrEnum):
    """What an API calls the limit of new tokens."""

    MAX_TOKENS = "max_tokens"
    MAX_COMPLETION_TOKENS = "max_completion_tokens"


class PictureRule(StrEnum):
    """How a picture becomes tokens.

    ``patches``: squares of ``side`` pixels, rounded to whole squares; ``patches-up``: rounded up. ``tiles``: squares of
    ``side`` pixels with ``tokens`` each, and one more for the whole picture. ``fixed``: ``tokens`` for any picture.
    """

    PATCHES = "patches"
    PATCHES_UP = "patches-up"
    TILES = "tiles"
    FIXED = "fixed"
    UNKNOWN = "unknown"


class Proof(StrEnum):
    """How a route of a row was proved. None of them needs weights or a key."""

    TESTS = "tests"
    TINY_TWIN = "tiny-twin"
    PROTOCOL_SERVER = "protocol-server"
    FILES = "files"
    NOT_PROVED = "not-proved"


@dataclass(frozen=True, slots=True)
class Family:
    """What the checkpoints of one architecture share.

    Parameters
    ----------
    architectures : tuple of str
        What ``config.json`` of the weights says where they are in the native format; empty where transformers has no
        class for them.
    placeholders : tuple of str
        Words that the family's processor reads as the place of a picture; they may not stand in a text. ``<image>``
        in a text is plain text where it is not among them.
    rule, side, tokens, scale : PictureRule, int, int, float
        How a picture becomes tokens; ``scale`` multiplies their number.
    min_pixels, max_pixels : int
        Between these a picture is scaled; 0 is no limit.
    marks : int
        Tokens around each picture.
    wide_tokens, narrow_tokens : float
        Tokens for a character of Chinese and for one of Latin script, as measured or from above.
    needs_torchvision : bool
        Whether the stock processor needs torchvision, for videos; in-process it is loaded without that part.
    twin : bool
        Whether the tests build a tiny model of this family and load it through the real path.
    """

    name: str
    architectures: tuple[str, ...] = ()
    model_type: str = ""
    placeholders: tuple[str, ...] = ()
    rule: PictureRule = PictureRule.UNKNOWN
    side: int = 0
    tokens: int = 0
    scale: float = 1.0
    min_pixels: int = 0
    max_pixels: int = 0
    max_tiles: int = 0
    marks: int = 0
    wide_tokens: float = 1.6
    narrow_tokens: float = 0.4
    needs_torchvision: bool = False
    twin: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a rule without its numbers."""
        wanted = {
            PictureRule.PATCHES: ("side",),
            PictureRule.PATCHES_UP: ("side",),
            PictureRule.TILES: ("side", "tokens", "max_tiles"),
            PictureRule.FIXED: ("tokens",),
        }
        for key in wanted.get(self.rule, ()):
            if getattr(self, key) < 1:
                raise SettingsError(
                    f"The family {self.name!r} counts pictures by {self.rule.value!r} and has no {key!r}.",
                    hint=f"Add {key} to the family.",
                )


@dataclass(frozen=True, slots=True)
class Price:
    """What a million tokens cost, as seen on a date; never more exact than its source."""

    input: float
    output: float
    currency: str
    date: str
    source: str


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model of the catalog, valid from birth.

    Parameters
    ----------
    id : str
        Name in commands, in the store and in addresses: small letters, digits, dot and hyphen.
    routes : tuple of Route
        How it can be asked; the first is taken where nobody says otherwise.
    repo : str
        Where its weights are: a repository of the hub, or a folder of this machine. For the route ``transformers``.
    api_model, base_url, key_env : str
        Its name at a server, the server's address, and the environment variable that holds the key.
    max_images : int or None
        Pictures that one request may hold; None where no limit is known.
    trained_images : int or None
        Pictures that it has seen together in training, where that is fewer; more of them run, with a warning.
    context : int or None
        Tokens of its window, prompt and answer together; None where nobody said.
    max_output : int or None
        New tokens that one answer may have.
    accepts : frozenset of str
        Options that its server takes, by our names. In-process every option is taken.
    limits : mapping of str to (low, high)
        Options that the server takes within these bounds alone.
    extra_body : tuple of str
        Options that no OpenAI client knows; they travel beside the others in the body.
    thinking_counts : bool
        Whether tokens of thought count against the limit of new tokens.
    advised_new_tokens : int or None
        Below this limit an answer may come back empty or cut.
    prices : Price or None
        Where known.
    paper_rows : tuple of str
        Names of this model in Table 1 of the paper.
    note : str
        What a user should know: quirks, and what could not be verified.
    """

    id: str
    label: str
    group: Group
    routes: tuple[Route, ...]
    family: Family
    size_b: float | None = None
    released: str = ""
    repo: str = ""
    api_model: str = ""
    base_url: str = ""
    key_env: str = ""
    max_images: int | None = None
    trained_images: int | None = None
    context: int | None = None
    max_output: int | None = None
    accepts: frozenset[str] = frozenset(OPTIONS)
    limits: Mapping[str, tuple[float, float]] = field(default_factory=lambda: MappingProxyType({}))
    length_option: LengthOption = LengthOption.MAX_TOKENS
    extra_body: tuple[str, ...] = ()
    thinking_counts: bool = False
    advised_new_tokens: int | None = None
    licence: str = ""
    gate: str = ""
    memory_gb: float | None = None
    prices: Price | None = None
    paper_rows: tuple[str, ...] = ()
    paper_note: str = ""
    status: Status = Status.UNKNOWN
    status_date: str = ""
    status_source: str = ""
    status_note: str = ""
    note: str = ""
    source_file: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        """Refuse a row that no route could use."""
        if not _ID.fullmatch(self.id):
            raise SettingsError(
                f"A model has the id {self.id!r}.", hint="Use small letters, digits, dot and hyphen, 64 at most."
            )
        if not self.routes:
            raise SettingsError(
                f"The model {self.id!r} has no route.",
                hint="Give it routes: transformers, openai, anthropic or import.",
            )
        self._require_route_keys()
        for key in ("size_b", "max_images", "trained_images", "context", "max_output", "memory_gb"):
            number = getattr(self, key)
            if number is not None and not (math.isfinite(number) and number > 0):
                raise SettingsError(
                    f"The model {self.id!r} has {number!r} as {key!r}.", hint="Give a number above 0, or leave it out."
                )
        unknown = sorted((set(self.accepts) | set(self.limits) | set(self.extra_body)) - set(OPTIONS))
        if unknown:
            raise SettingsError(
                f"The model {self.id!r} names the option {unknown[0]!r}, which no request has.",
                hint=f"Use: {', '.join(OPTIONS)}.",
            )

    def _require_route_keys(self) -> None:
        wanted = {
            Route.TRANSFORMERS: ("repo",),
            Route.OPENAI: ("api_model", "base_url"),
            Route.ANTHROPIC: ("api_model", "key_env"),
        }
        for route in self.routes:
            for key in wanted.get(route, ()):
                if not getattr(self, key):
                    raise SettingsError(
                        f"The model {self.id!r} has the route {route.value!r} and no {key!r}.",
                        hint=f"Add {key} to the row, or take the route out.",
                    )
        if Route.TRANSFORMERS in self.routes and not self.family.architectures:
            raise SettingsError(
                f"The model {self.id!r} has the route 'transformers', and the family {self.family.name!r} has no "
                "class there.",
                hint="Choose a family with architectures, or take the route out.",
            )
        if self.base_url:
            check_address(self.id, self.base_url)

    @property
    def is_local_server(self) -> bool:
        """Tell whether the address of its server is on this machine."""
        return on_this_machine(self.base_url)

    @property
    def image_token_rule(self) -> str:
        """Say what becomes of ``<image>`` in a text: ``plain`` text that stays, or ``removed``."""
        return "removed" if "<image>" in self.family.placeholders else "plain"

    def leaves_machine(self, route: Route) -> bool:
        """Tell whether asking by this route sends pictures out of this machine."""
        return route is Route.ANTHROPIC or (route is Route.OPENAI and not self.is_local_server)

    def accepted(self, route: Route) -> frozenset[str]:
        """Return the names of the options that a route takes for this model."""
        if route is Route.TRANSFORMERS:
            return frozenset(OPTIONS)
        if route in (Route.IMPORT, Route.BUILT_IN):
            return frozenset()
        return self.accepts | {"max_new_tokens"}

    def proof(self, route: Route) -> Proof:
        """Return how this route was proved for this model."""
        if route is Route.BUILT_IN:
            return Proof.TESTS
        if route is Route.TRANSFORMERS:
            return Proof.TINY_TWIN if self.family.twin else Proof.NOT_PROVED
        if route is Route.IMPORT:
            return Proof.FILES
        return Proof.PROTOCOL_SERVER


def check_address(model: str, url: str) -> None:
    """Refuse an address that is none, or that carries a key.

    Raises
    ------
    SettingsError
        If the scheme is not http or https, there is no host, or a user, password or query stands in it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise SettingsError(
            f"The model {model!r} has a 'base_url' that is no http or https address.",
            hint="Write it like http://127.0.0.1:8000/v1.",
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise SettingsError(
            f"The model {model!r} has a 'base_url' with more than an address in it.",
            hint="Take user, password and everything after ? or # out; the key belongs in the environment.",
        )


def on_this_machine(url: str) -> bool:
    """Tell whether an address is of this machine itself: localhost or a loopback number, never a name that resolves."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
