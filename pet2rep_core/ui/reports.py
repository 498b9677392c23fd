"""Reports side by side."""

from __future__ import annotations

import streamlit as st

from pet2rep_core.records import Generation, GenerationStatus, Language
from pet2rep_core.ui.answering import draw_ending
from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.names import model_name
from pet2rep_core.ui.places import places_in
from pet2rep_core.ui.plain import escape_markdown, report_html
from pet2rep_core.ui.privacy_gate import inert_box
from pet2rep_core.workflow.open_case import OpenCase


def draw_reports(page: Page, case: OpenCase, generation: Generation | None, language: Language) -> None:
    """Draw the generated and the reference report beside each other."""
    left, right = st.columns(2)
    with left:
        title = page.text("review.generated")
        st.markdown(f"**{title}**")
        if generation is None:
            empty = "review.no_generated" if page.is_research else "review.no_generated_reading"
            st.info(page.text(empty))
        else:
            if page.is_research:
                name = model_name(page, generation.model)
                st.caption(escape_markdown(page.text("review.generated_by", model=name, n=len(generation.text))))
                draw_ending(page, page.server.store.generation(generation.generation_id))
            if has_report(generation):
                _draw_report(page, case, generation.text, language, title)
            else:
                _draw_no_report(page, generation)
    with right:
        title = page.text("review.reference")
        st.markdown(f"**{title}**")
        reference = case.references.get(language)
        if reference is None:
            st.info(page.text("review.no_reference"))
        else:
            if page.is_research and generation is not None:
                st.caption(page.text("review.length", n=len(reference.text)))
            _draw_report(page, case, reference.text, language, title)


def has_report(generation: Generation) -> bool:
    """Tell whether there is a report to read, whole or cut; a refusal or nothing is none."""
    return generation.status in (GenerationStatus.DONE, GenerationStatus.CUT)


def _draw_no_report(page: Page, generation: Generation) -> None:
    """Show what was said in place of a report, apart from where reports stand."""
    if generation.text.strip():
        with st.expander(page.text("generate.said_instead")):
            st.html(inert_box(generation.text, page.text("generate.said_instead")))


def _draw_report(page: Page, case: OpenCase, body: str, language: Language, title: str) -> None:
    places = places_in(page.server, case, body, language)
    st.html(report_html(body, language=language.value, label=title, places=places))
