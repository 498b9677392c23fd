"""The viewer: a Streamlit component that gets a description of a case and draws its volumes in the browser.

The component's own script only loads ``viewer.js`` and its modules from the app's server; volumes, settings and
measurements go through checked routes (:mod:`pet2rep_core.ui.routes`), never through Streamlit.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import streamlit as st

from pet2rep_core.imaging.display import Display
from pet2rep_core.records import Language, PetUnit
from pet2rep_core.ui import state
from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.leave import check_leave, study_scope
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


@dataclass(frozen=True, slots=True)
class Blind:
    """How a case is named in the browser of a study's reader: by its alias; ``code`` is the item that is rated."""

    study_id: str
    alias: str
    code: str = ""


def picture_address(page: Page, case_id: str, what: str, blind: Blind | None = None) -> str:
    """Return the address of one checked picture of a case, such as ``model/0.png``."""
    return f"{_api(case_id, blind)}/{what}?{urlencode({'token': _token(page, case_id, blind)})}"


def draw_viewer(
    page: Page,
    case: OpenCase,
    *,
    next_case: str | None = None,
    generation_id: str | None = None,
    blind: Blind | None = None,
    next_blind: Blind | None = None,
) -> str | None:
    """Draw the viewer of a case with volumes.

    Parameters
    ----------
    next_case
        Case whose volumes are fetched once this one is whole.
    generation_id
        The report that a measurement is kept with.
    blind, next_blind
        What stands for the case, and for the next one, in a study; nothing sent to the browser then names them, and
        there are neither the pictures that models get nor charts.

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
        "source": _source(page, case_id, case.images.key, blind),
        "next": _next(page, next_case, next_blind),
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
        "model_pictures": []
        if blind
        else [picture_address(page, case_id, f"model/{n}.png") for n in range(len(slices))],
        "generation_id": blind.code if blind else generation_id,
        "blind": blind is not None,
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


def _next(page: Page, case_id: str | None, blind: Blind | None) -> dict[str, Any] | None:
    if case_id is None:
        return None
    case = open_case(page.server.store, page.server.settings, case_id)
    if case.images is None or case.images.grid is None:
        return None
    page.server.facts.look_ahead(case)
    return {"source": _source(page, case_id, case.images.key, blind), "volumes": list(sent_volumes(case.images))}


def _source(page: Page, case_id: str, key: str, blind: Blind | None) -> dict[str, str]:
    name, version = (case_id, key[:16]) if blind is None else (blind.alias, _version(blind.alias, key))
    return {
        "key": f"{name}@{version}",
        "api": _api(case_id, blind),
        "token": _token(page, case_id, blind),
        "reader": page.reader,
        "language": page.language.value,
    }


def _version(alias: str, key: str) -> str:
    """Return what changes with the images of a case and tells nothing of them: their key names them elsewhere."""
    return hashlib.sha256(f"{alias}|{key}".encode()).hexdigest()[:16]


def _api(case_id: str, blind: Blind | None) -> str:
    if blind is None:
        return f"api/case/{quote(case_id, safe='')}"
    return f"api/study/{quote(blind.study_id, safe='')}/case/{quote(blind.alias, safe='')}"


def _token(page: Page, case_id: str, blind: Blind | None) -> str:
    return token_for(page, case_id if blind is None else study_scope(blind.study_id))


def token_for(page: Page, scope: str) -> str:
    """Return this reader's token for a case or a study; the same until it nears its end, so that reruns resend none.

    Raises
    ------
    PermissionDeniedError
        If a rater would get leave for a case by its own name.
    """
    check_leave(page.operator, scope)
    tokens: dict[tuple[str, str], str] = st.session_state.setdefault(state.TOKENS, {})
    key, signer = (scope, page.reader), page.server.signer
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
