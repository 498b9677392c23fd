"""Review: images, reports, scores and the rating of one case."""

import streamlit as st

from pet2rep_core.ui.cases import choose_case, generation_to_rate
from pet2rep_core.ui.frame import open_page, show_note, shown_errors
from pet2rep_core.ui.generating import choose_generation
from pet2rep_core.ui.images import draw_images
from pet2rep_core.ui.model_saw import draw_what_model_saw
from pet2rep_core.ui.overview import draw_demo_progress
from pet2rep_core.ui.rating_form import draw_rating_form
from pet2rep_core.ui.reports import draw_reports, has_report
from pet2rep_core.ui.scores import draw_scores

page = open_page("review")
show_note()
with shown_errors():
    chosen = choose_case(page)
    if chosen is None:
        draw_demo_progress(page)
        st.stop()
    case, language = chosen
    images, texts = st.container(key="review").columns([11, 9], gap="medium")
    with texts:
        generation = (
            choose_generation(page, case, language) if page.is_research else generation_to_rate(page, case, language)
        )
    with images:  # first, since the places of the reports' words may take a moment
        draw_images(page, case, generation)
    with texts:
        draw_reports(page, case, generation, language)
        if generation is None or not has_report(generation):
            st.caption(page.text("rating.empty"))
        else:
            draw_rating_form(page, generation)
    if page.is_research and generation is not None:
        draw_what_model_saw(page, case, generation)
        draw_scores(page, case, generation)
