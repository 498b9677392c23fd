"""The viewer: a Streamlit component that gets a description of a case and draws its volumes in the browser.

The component's own script only loads ``viewer.js`` and its modules from the app's server; volumes, settings and
measurements go through checked routes (:mod:`pet2rep_core.ui.routes`), never through Streamlit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import streamlit as st

from pet2rep_core.imaging.display import Display
from pet2rep_core.records import Language, PetUnit
from pet2rep_core.ui import state
from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.routes import viewer_version
from pet2rep_core.ui.texts import read_texts
from pet2rep_core.workflow.open_case import OpenCase, open_case, pet_window
from pet2rep_core.workflow.view_case import sent_volumes

_FOLDER = Path(__file__).parent
_RENEW_BELOW_S = 900
_PREFIX = "viewer."


@cache
def _component() -> Callable[..., Any]:
    files = ("viewer.html", "viewer.css", "loader.js")
    markup, style, script = ((_FOLDER / name).read_text(encoding="utf-8") for name in files)
    return st.components.v2.component("pet2rep_viewer", html=markup, css=style, js=script)


def picture_address(page: Page, case_id: str, what: str) -> str:
    """Return the address of one checked picture of a case, such as ``model/0.png``."""
    return f"{_api(case_id)}/{what}?{urlencode({'token': _token(page, case_id)})}"


def draw_viewer(
    page: Page,
    case: OpenCase,
    *,
    next_case: str | None = None,
    generation_id: str | None = None,
) -> str | None:
    """Draw the viewer of a case with volumes.

    Parameters
    ----------
    next_case
        Case whose volumes are fetched once this one is whole.
    generation_id
        The report that a measurement is kept with.

    Returns
    -------
    str or None
        The measurement whose chart the reader asked for.
    """
    if case.images is None or case.images.grid is None:
        return None
    case_id = case.row.case_id
    slices = () if case.key_slices is None else case.key_slices.indices
    display = page.server.display
    page.server.facts.look_ahead(case)
    pet_windows, pet_first = _windows(case, display)
    data = {
        "version": viewer_version(),
        "language": page.language.value,
        "source": _source(page, case_id, case.images.key),
        "next": _next(page, next_case),
        "case": page.server.facts.described(case) | {"key_slices": list(slices)},
        "pet_windows": pet_windows,
        "pet_default": pet_first,
        "ct_windows": _ct_windows(page, display),
        "ct_default": list(display.ct_windows).index(display.default_ct),
        "fused_maps": [{"name": n, "label": page.name("colour_map", n)} for n in display.fused_maps],
        "display": {
            "colour_points": display.colour_points,
            "fused_map": display.fused_map,
            "opacity": display.opacity,
        },
        "model_pictures": [picture_address(page, case_id, f"model/{n}.png") for n in range(len(slices))],
        "generation_id": generation_id,
        "texts": _texts(page.language),
    }
    result = _component()(key="viewer", data=data, on_chart_change=lambda: None)
    chart: str | None = result.chart
    return chart


def _windows(case: OpenCase, display: Display) -> tuple[list[dict[str, Any]], int]:
    """Return the PET windows that a reader chooses from, and which is the first."""
    images = case.images
    assert images is not None  # the caller has seen it
    if images.pet is None or images.pet_unit is PetUnit.SUVBW:
        windows = {f"SUV {w.low:g}–{w.high:g}": (name, w) for name, w in display.pet_windows.items()}
        first = list(display.pet_windows).index(display.default_pet)
    else:
        window = pet_window(images, display.default_pet, display)
        windows = {f"{window.low:.3g}–{window.high:.3g} {case.pet_unit_label}": ("range", window)}
        first = 0
    return [{"name": n, "label": label, "low": w.low, "high": w.high} for label, (n, w) in windows.items()], first


def _next(page: Page, case_id: str | None) -> dict[str, Any] | None:
    if case_id is None:
        return None
    case = open_case(page.server.store, page.server.settings, case_id)
    if case.images is None or case.images.grid is None:
        return None
    page.server.facts.look_ahead(case)
    return {"source": _source(page, case_id, case.images.key), "volumes": list(sent_volumes(case.images))}


def _source(page: Page, case_id: str, key: str) -> dict[str, str]:
    return {
        "key": f"{case_id}@{key[:16]}",
        "api": _api(case_id),
        "token": _token(page, case_id),
        "reader": page.reader,
        "language": page.language.value,
    }


def _api(case_id: str) -> str:
    return f"api/case/{quote(case_id, safe='')}"


def _token(page: Page, case_id: str) -> str:
    """Return this reader's token for a case; the same one until it nears its end, so that reruns resend nothing."""
    tokens: dict[tuple[str, str], str] = st.session_state.setdefault(state.TOKENS, {})
    key, signer = (case_id, page.reader), page.server.signer
    if key not in tokens or signer.seconds_left(tokens[key], now=time.time()) < _RENEW_BELOW_S:
        tokens[key] = signer.sign(*key)
    return tokens[key]


def _ct_windows(page: Page, display: Display) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "label": f"{page.name('ct_window', name)} {w.high - w.low:g}/{(w.high + w.low) / 2:g}",
            "low": w.low,
            "high": w.high,
        }
        for name, w in display.ct_windows.items()
    ]


@cache
def _texts(language: Language) -> dict[str, str]:
    return {key.removeprefix(_PREFIX): said for key, said in read_texts(language).items() if key.startswith(_PREFIX)}
