"""The coronal viewer: a Streamlit component that scrolls through server-drawn planes."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from urllib.parse import quote, urlencode

import streamlit as st

from pet2rep_core.imaging.display import Display
from pet2rep_core.imaging.render import coronal_letters
from pet2rep_core.records import Language
from pet2rep_core.ui import state
from pet2rep_core.ui.texts import text
from pet2rep_core.ui.tokens import Signer
from pet2rep_core.workflow.open_case import SCREEN_PIXEL_MM, OpenCase, pet_window

_FOLDER = Path(__file__).parent
_RENEW_BELOW_S = 900
_GRADIENT = 12


@cache
def _component() -> Callable[..., object]:
    markup, style, script = ((_FOLDER / f"viewer.{kind}").read_text(encoding="utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("pet2rep_coronal_viewer", html=markup, css=style, js=script)


def picture_token(signer: Signer, case_id: str) -> str:
    """Return this session's token for a case; the same one until it nears its end, so that reruns resend nothing."""
    tokens: dict[str, str] = st.session_state.setdefault(state.TOKENS, {})
    if case_id not in tokens or signer.seconds_left(tokens[case_id], now=time.time()) < _RENEW_BELOW_S:
        tokens[case_id] = signer.sign(case_id)
    return tokens[case_id]


def picture_address(signer: Signer, case_id: str, what: str) -> str:
    """Return the address of one checked picture of a case, such as ``model/0.png``."""
    return f"api/case/{quote(case_id, safe='')}/{what}?{urlencode({'token': picture_token(signer, case_id)})}"


def draw_viewer(
    case: OpenCase, *, pet_preset: str, ct_preset: str, display: Display, signer: Signer, language: Language
) -> None:
    """Draw the viewer of a case with volumes."""
    images = case.images
    grid = None if images is None else images.grid
    if images is None or grid is None:
        return
    case_id = case.row.case_id
    query = {"pet": pet_preset, "ct": ct_preset, "token": picture_token(signer, case_id)}
    marks = [] if case.key_slices is None else list(case.key_slices.indices)
    planes = grid.values.shape[1]
    _component()(
        key="coronal_viewer",
        data={
            "case": f"{case_id}@{images.key[:8]}",
            "address": f"api/case/{quote(case_id, safe='')}/coronal",
            "query": urlencode(query),
            "planes": planes,
            "start": marks[len(marks) // 2] if marks else planes // 2,
            "marks": marks,
            "first_mm": float(grid.affine_lps[1, 3]),
            "step_mm": grid.spacing_mm[1],
            "pixel_mm": SCREEN_PIXEL_MM,
            "letters": coronal_letters(grid),
            "panes": [_pane(kind, case, pet_preset, ct_preset, display, language) for kind in case.kinds],
            "texts": {
                "viewer": text(language, "viewer.label"),
                "plane": text(language, "viewer.plane"),
                "key_slices": text(language, "viewer.key_slices"),
                "failed": text(language, "viewer.failed"),
            },
        },
    )


def _pane(
    kind: str, case: OpenCase, pet_preset: str, ct_preset: str, display: Display, language: Language
) -> dict[str, object]:
    caption = text(language, f"viewer.{kind}")
    if kind == "ct":
        window = display.ct_window(ct_preset)
        width, centre = window.high - window.low, (window.high + window.low) / 2
        return {"kind": kind, "caption": f"{caption} · W {width:g} L {centre:g} HU", "light": False, "bar": None}
    assert case.images is not None  # a PET pane exists only with images
    window = pet_window(case.images, pet_preset, display)
    table = display.colour_map("grey-inverted" if kind == "pet" else "hot")
    picks = [round(n * 255 / (_GRADIENT - 1)) for n in range(_GRADIENT)]
    bar = {
        "low": f"{window.low:g}",
        "high": f"{window.high:.4g} {case.pet_unit_label}",
        "colours": ["rgb({}, {}, {})".format(*table[pick]) for pick in picks],
    }
    return {"kind": kind, "caption": caption, "light": kind == "pet", "bar": bar}
