"""From a row of the catalog to something that can be asked."""

from __future__ import annotations

from pet2rep_core.errors import ModelUnavailableError, SettingsError
from pet2rep_core.vlm.endpoint import Endpoint, host_of
from pet2rep_core.vlm.model_row import LengthOption, ModelRow
from pet2rep_core.vlm.request import Adapter, Route
from pet2rep_core.vlm.secret_keys import SecretKey, read_key

SERVER_KEY = "PET2REP_SERVER_KEY"
"""Holds the key of a server of one's own, such as vLLM started with ``--api-key``."""

PARALLEL = 4
"""Requests at the same time where nobody says how many."""


def endpoint_of(
    row: ModelRow,
    route: Route,
    *,
    base_url: str = "",
    parallel: int | None = None,
    time_limit_s: float = 600.0,
) -> Endpoint:
    """Return the endpoint of a row, or of the same model at another address.

    A row's key belongs to the row's host: at another address :data:`SERVER_KEY` is used instead, so that no key of a
    vendor reaches a machine that is not the vendor's.
    """
    address = base_url or row.base_url
    own = not base_url or (bool(row.base_url) and host_of(base_url) == host_of(row.base_url))
    return Endpoint(
        model=row.api_model or row.repo or row.id,
        base_url=address,
        key_env=row.key_env if own else "",
        accepts=row.accepted(route),
        length_option=LengthOption(row.length_option).value,
        parallel=parallel or PARALLEL,
        time_limit_s=time_limit_s,
    )


def key_of(endpoint: Endpoint) -> SecretKey | None:
    """Return the key of an endpoint; None where a server of one's own asks for none.

    Raises
    ------
    ModelUnavailableError
        If a vendor's key is not set.
    """
    if not endpoint.key_env:
        return read_key(SERVER_KEY)
    key = read_key(endpoint.key_env)
    if key is None:
        raise ModelUnavailableError(
            f"There is no key for {endpoint.host}.",
            hint=f"Set {endpoint.key_env} in the environment or in .streamlit/secrets.toml.",
        )
    return key


def choose_route(row: ModelRow, *, base_url: str = "", route: Route | None = None) -> Route:
    """Return the route by which a model is asked.

    That which was chosen; else a server where an address is given; else in this process where the model can; else the
    row's best.

    Raises
    ------
    ModelUnavailableError
        If it can only be imported, or not by the route that was chosen.
    SettingsError
        If an address is given and the model is not asked through a server.
    """
    askable = [one for one in row.routes if one is not Route.IMPORT]
    if not askable:
        raise ModelUnavailableError(
            f"The model {row.id!r} runs only in its own code.",
            hint=f"Run it there, then: pet2rep import-outputs PATH --model {row.id} --input fused",
        )
    if route is not None and route not in askable:
        raise ModelUnavailableError(
            f"The model {row.id!r} is not asked by the route {route.value!r}.",
            hint=f"Its routes are: {', '.join(one.value for one in askable)}.",
        )
    if base_url and not {Route.OPENAI, Route.ANTHROPIC} & set(askable):
        raise SettingsError(
            f"The model {row.id!r} is not asked through a server.", hint="Leave --base-url out for this model."
        )
    if route is not None:
        return route
    if base_url and Route.OPENAI in askable:
        return Route.OPENAI
    return Route.TRANSFORMERS if Route.TRANSFORMERS in askable and not base_url else askable[0]


def open_adapter(
    row: ModelRow,
    route: Route,
    *,
    base_url: str = "",
    parallel: int | None = None,
    time_limit_s: float = 600.0,
) -> Adapter:
    """Return the adapter of a model; SDKs and torch are imported here and not before.

    Parameters
    ----------
    base_url : str
        Another address, such as a server of one's own.
    parallel : int, optional
        Requests at the same time.
    time_limit_s : float
        How long one answer may take.

    Raises
    ------
    ModelUnavailableError
        If its key or its weights are not there, or the route is not one that asks.
    """
    if route is Route.TRANSFORMERS:
        from pet2rep_core.vlm.local import TransformersAdapter  # noqa: PLC0415 - torch

        return TransformersAdapter(row)
    if route not in (Route.OPENAI, Route.ANTHROPIC):
        raise ModelUnavailableError(
            f"The route {route.value!r} asks no model.", hint="Choose transformers, openai or anthropic."
        )
    endpoint = endpoint_of(row, route, base_url=base_url, parallel=parallel, time_limit_s=time_limit_s)
    key = key_of(endpoint)
    if route is Route.ANTHROPIC:
        from pet2rep_core.vlm.anthropic_route import AnthropicRoute  # noqa: PLC0415 - SDK

        return AnthropicRoute(endpoint, key)
    from pet2rep_core.vlm.openai_route import OpenAIRoute  # noqa: PLC0415 - SDK

    return OpenAIRoute(endpoint, key)
