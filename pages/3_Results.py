"""Results: scores by model, ratings, and their tables as files."""

import streamlit as st

from pet2rep_core.ui.frame import open_page, shown_errors
from pet2rep_core.ui.results import draw_downloads, draw_ratings, draw_scores_by_model

page = open_page("results")
st.title(page.text("results.title"))
if not page.is_research:
    st.info(page.text("results.reading_only"))
    st.stop()
with shown_errors():
    draw_scores_by_model(page)
    draw_ratings(page)
    draw_downloads(page)
