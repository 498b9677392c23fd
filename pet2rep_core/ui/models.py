"""The models of the catalog on a page: their names, their routes, and whether they can be asked now."""

from __future__ import annotations

import time

import streamlit as st

from pet2rep_core.records import GenerationStatus
from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.names import catalog_of, group_name, model_name
from pet2rep_core.vlm.catalog import Catalog
from pet2rep_core.vlm.model_row import Group, ModelRow, Proof
from pet2rep_core.vlm.request import Route
from pet2rep_core.workflow.readiness import Readiness, Ready, look_at

_FRESH_S = 5.0
"""How long what was seen of weights, keys and servers counts."""


def look_at_models(page: Page, base_url: str = "") -> dict[str, Readiness]:
    """Return how every model stands, as seen in the last seconds."""
    catalog = catalog_of(page)
    return _looked(id(catalog), base_url, int(time.monotonic() / _FRESH_S), catalog)


@st.cache_resource(max_entries=4, show_spinner=False)
def _looked(
    catalog_id: int,  # noqa: ARG001 - a part of the cache's key
    base_url: str,
    moment: int,  # noqa: ARG001 - a part of the cache's key
    _catalog: Catalog,
) -> dict[str, Readiness]:
    open_hosts: dict[str, bool] = {}
    return {
        model: look_at(row, base_url=base_url if takes_address(row) else "", open_hosts=open_hosts)
        for model, row in _catalog.rows.items()
    }


def takes_address(row: ModelRow) -> bool:
    """Tell whether a person can say where the model's server is; a vendor's models stay with the vendor."""
    return Route.OPENAI in row.routes and row.is_local_server


def group_of(page: Page, row: ModelRow) -> str:
    """Return the name of a row's group; that of the program's own models says so."""
    return page.text("generate.built_in") if Route.BUILT_IN in row.routes else group_name(page, row.group.value)


def order_of(row: ModelRow) -> tuple[int, int]:
    """Return where a row stands in a list: built-in models first, then by group; what runs nowhere here last in it."""
    groups = (Group.BASELINE, Group.GENERAL, Group.MEDICAL, Group.CLOSED)
    return groups.index(row.group), int(set(row.routes) == {Route.IMPORT})


def route_name(page: Page, route: Route) -> str:
    """Return what a route is called on the page."""
    return page.text(f"generate.route_{route.value.replace('-', '_')}")


def proof_name(page: Page, proof: Proof) -> str:
    """Return how a route was proved, in words."""
    return page.text(f"generate.proof_{proof.value.replace('-', '_')}")


def status_name(page: Page, status: GenerationStatus | None) -> str:
    """Return how a generation ended, in words; None is one that was not asked."""
    return page.text(f"generate.ended_{'not_asked' if status is None else status.value}")


def way_of(page: Page, one: Readiness) -> str:
    """Return the route that would be used and, in plain words, what stands in its way."""
    if one.route is Route.BUILT_IN:
        return route_name(page, one.route)
    words = [] if one.ready in (Ready.OWN_CODE, Ready.WRONG_ADDRESS) else [page.text(f"generate.way_{one.route.value}")]
    if one.outside:
        words.append(one.host)
    if one.ready is not Ready.YES:
        words.append(page.text(f"generate.ready_{one.ready.value.replace('-', '_')}"))
    return " · ".join(words)


def choice_name(page: Page, row: ModelRow, one: Readiness) -> str:
    """Return a row as a list of models shows it: group, label, way."""
    if Route.BUILT_IN in row.routes:
        return model_name(page, row.id)
    return f"{group_of(page, row)} · {row.label} · {way_of(page, one)}"
