"""Where the words of the reports on the page lead, found once per text and case."""

from __future__ import annotations

import streamlit as st

from pet2rep_core.records import Language
from pet2rep_core.ui.server import Server
from pet2rep_core.workflow.open_case import OpenCase
from pet2rep_core.workflow.places import Place, find_places


def places_in(one: Server, case: OpenCase, text: str, language: Language) -> tuple[Place, ...]:
    """Return the clickable words of a report of a case; none where the case has no volumes."""
    if case.images is None or case.images.grid is None:
        return ()
    return _found(case.images.key, text, language.value, one, case)


@st.cache_resource(max_entries=256, show_spinner=False)
def _found(
    images_key: str,  # noqa: ARG001 - a part of the cache's key
    text: str,
    language: str,
    _server: Server,
    _case: OpenCase,
) -> tuple[Place, ...]:
    return find_places(_case, text, Language(language), landmarks=_server.facts.landmarks(_case))
