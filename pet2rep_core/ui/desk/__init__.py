"""The reading desk: a Streamlit component that draws the reports and the scores of a study's items.

The component's own script only loads ``desk.js`` and its modules from the app's server. Items, drafts and submitted
answers go through checked routes (:mod:`pet2rep_core.ui.study_routes`); Streamlit is asked only for the images.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import streamlit as st

from pet2rep_core.records import Language
from pet2rep_core.study.rubric import Rubric
from pet2rep_core.ui import state
from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.leave import study_scope
from pet2rep_core.ui.routes import program_version
from pet2rep_core.ui.texts import read_texts
from pet2rep_core.ui.viewer import token_for

KEY = "desk"
"""Name of the component in the session state; its ``code`` is the item that the desk has open."""

_FOLDER = Path(__file__).parent
_PREFIX = "desk."


@cache
def _component() -> Callable[..., Any]:
    files = ("desk.html", "desk.css", "loader.js")
    markup, style, script = ((_FOLDER / name).read_text(encoding="utf-8") for name in files)
    return st.components.v2.component("pet2rep_desk", html=markup, css=style, js=script)


def draw_desk(page: Page, study_id: str, code: str) -> None:
    """Draw the desk of a reader in a study.

    Parameters
    ----------
    code
        The item whose images the page shows; the desk lets nobody rate another one. Empty where it shows none.
    """
    data = {
        "version": program_version("desk"),
        "study": study_id,
        "reader": page.reader,
        "api": f"api/study/{quote(study_id, safe='')}",
        "token": token_for(page, study_scope(study_id)),
        "language": page.language.value,
        "code": code,
        "rubric": _rubric(page.server.rubric, page.language),
        "texts": _texts(page.language),
    }
    _component()(key=KEY, data=data, default={"code": code}, on_code_change=_opened, on_again_change=_opened)


def _opened() -> None:
    """Remember which item the desk has opened, so that the page draws its images."""
    st.session_state[state.ITEM] = st.session_state[KEY].code


def _rubric(rubric: Rubric, language: Language) -> list[dict[str, Any]]:
    return [
        {
            "key": dimension.key,
            "name": dimension.name[language],
            "question": dimension.question[language],
            "anchors": {str(value): said[language] for value, said in dimension.anchors.items()},
        }
        for dimension in rubric.dimensions
    ]


@cache
def _texts(language: Language) -> dict[str, str]:
    return {key.removeprefix(_PREFIX): said for key, said in read_texts(language).items() if key.startswith(_PREFIX)}
