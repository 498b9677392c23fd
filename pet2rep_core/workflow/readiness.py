"""Whether a model of the catalog can be asked from this machine now, told quickly and without asking anybody outside.

The full answer is preflight's; this one is for lists of many models.
"""

from __future__ import annotations

import importlib.util
import socket
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from pet2rep_core.errors import Pet2RepError
from pet2rep_core.vlm.adapters import choose_route, endpoint_of
from pet2rep_core.vlm.checkpoint import check_checkpoint
from pet2rep_core.vlm.endpoint import host_of
from pet2rep_core.vlm.model_row import ModelRow, Status, on_this_machine
from pet2rep_core.vlm.request import Route
from pet2rep_core.vlm.secret_keys import read_key

_CONNECT_S = 0.2


class Ready(StrEnum):
    """What stands in the way, in one word."""

    YES = "yes"
    OWN_CODE = "own-code"
    GONE = "gone"
    NO_ENGINE = "no-engine"
    NO_WEIGHTS = "no-weights"
    NO_SERVER = "no-server"
    NO_KEY = "no-key"
    WRONG_ADDRESS = "wrong-address"


@dataclass(frozen=True, slots=True)
class Readiness:
    """The route that would be used, and what stands in the way of it.

    Parameters
    ----------
    host : str
        The server that would be asked; empty for other routes.
    outside : bool
        Whether pictures and prompt would leave this machine.
    key_env : str
        The variable that holds a vendor's key.
    message, hint : str
        What is wrong in one sentence, and what mends it; empty where nothing is.
    """

    route: Route
    ready: Ready
    host: str = ""
    outside: bool = False
    key_env: str = ""
    message: str = ""
    hint: str = ""


def look_at(row: ModelRow, *, base_url: str = "", open_hosts: dict[str, bool] | None = None) -> Readiness:
    """Return how a model stands; nothing is loaded, and only servers on this machine are knocked at.

    Parameters
    ----------
    base_url : str
        Another address for a model that is asked through a server.
    open_hosts : dict, optional
        Servers of this machine that were knocked at already; filled here.
    """
    try:
        route = choose_route(row, base_url=base_url)
    except Pet2RepError as error:
        kind = Ready.WRONG_ADDRESS if base_url and set(row.routes) != {Route.IMPORT} else Ready.OWN_CODE
        return Readiness(Route.IMPORT, kind, message=error.message, hint=error.hint)
    if route is Route.BUILT_IN:
        return Readiness(route, Ready.YES)
    if route is Route.TRANSFORMERS:
        return _in_process(row)
    return _server(row, route, base_url, {} if open_hosts is None else open_hosts)


def key_is_set(name: str) -> bool:
    """Tell whether a key is in the environment or in the secrets file; its value stays where it is."""
    try:
        return read_key(name) is not None
    except Pet2RepError:
        return False


def _in_process(row: ModelRow) -> Readiness:
    checkpoint, findings = check_checkpoint(row)
    if checkpoint is None:
        return Readiness(Route.TRANSFORMERS, Ready.NO_WEIGHTS, message=findings[0].message, hint=findings[0].hint)
    if importlib.util.find_spec("torch") is None or importlib.util.find_spec("transformers") is None:
        return Readiness(
            Route.TRANSFORMERS,
            Ready.NO_ENGINE,
            message=f"{row.label} runs in-process, and torch or transformers is not installed.",
            hint="Install them with: pip install torch transformers",
        )
    return Readiness(Route.TRANSFORMERS, Ready.YES)


def _server(row: ModelRow, route: Route, base_url: str, open_hosts: dict[str, bool]) -> Readiness:
    address = base_url or row.base_url
    try:
        endpoint = endpoint_of(row, route, base_url=base_url)
    except Pet2RepError as error:
        return Readiness(route, Ready.WRONG_ADDRESS, message=error.message, hint=error.hint)
    host, outside = host_of(address), not on_this_machine(address)
    if outside and row.status is Status.GONE and not base_url:
        return Readiness(
            route,
            Ready.GONE,
            host,
            outside,
            message=f"{row.label} is not offered any more.",
            hint="Import reports that it wrote, or choose another model.",
        )
    key_env = endpoint.key_env
    if key_env and not key_is_set(key_env):
        return Readiness(
            route,
            Ready.NO_KEY,
            host,
            outside,
            key_env,
            f"There is no key for {endpoint.host}.",
            f"Set {key_env} in the environment or in .streamlit/secrets.toml.",
        )
    if not outside and not _answers(address, open_hosts):
        return Readiness(
            route,
            Ready.NO_SERVER,
            host,
            outside,
            key_env,
            f"No server listens at {host}.",
            f"Start one there, such as: vllm serve {endpoint.model}",
        )
    return Readiness(route, Ready.YES, host, outside, key_env)


def _answers(address: str, open_hosts: dict[str, bool]) -> bool:
    host = host_of(address)
    if host not in open_hosts:
        parts = urlsplit(address)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        try:
            socket.create_connection((parts.hostname or "", port), _CONNECT_S).close()
            open_hosts[host] = True
        except OSError:
            open_hosts[host] = False
    return open_hosts[host]
