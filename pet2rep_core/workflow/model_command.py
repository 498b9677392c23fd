"""The one command that runs a model by a route, and the one that starts its server."""

from __future__ import annotations

from urllib.parse import urlsplit

from pet2rep_core.vlm.checkpoint import is_local_path
from pet2rep_core.vlm.model_row import ModelRow
from pet2rep_core.vlm.request import Route


def command(row: ModelRow, route: Route) -> str:
    """Return the one command that runs a model by a route, weights or key given."""
    generate = f"pet2rep generate --models {row.id} --input fused --cases all"
    if route is Route.TRANSFORMERS:
        return generate if is_local_path(row.repo) else f"hf download {row.repo} && {generate}"
    if route is Route.OPENAI and row.is_local_server:
        address = "" if row.routes[0] is Route.OPENAI else f" --base-url {row.base_url}"
        return f"{generate}{address}"
    if route in (Route.OPENAI, Route.ANTHROPIC):
        allowed = f"{generate} --allow-provider {urlsplit(row.base_url).netloc}"
        return f"{row.key_env}=... {allowed}" if row.key_env else allowed
    if route is Route.IMPORT:
        return f"pet2rep import-outputs PATH --model {row.id} --input fused"
    return f"pet2rep generate --models {row.id} --cases all"


def server(row: ModelRow, route: Route) -> str:
    """Return how the server of an open model is started; empty where a vendor or this process answers."""
    if route is not Route.OPENAI or not row.repo:
        return ""
    return f"vllm serve {row.repo}" if row.family.architectures else "as the note says"
