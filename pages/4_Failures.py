"""Failures: find the generated reports that went wrong, and take one along to a talk."""

import streamlit as st

from pet2rep_core.ui.failures import draw_failures
from pet2rep_core.ui.frame import open_page, shown_errors

page = open_page("failures")
st.title(page.text("failures.title"))
if not page.is_research:
    st.info(page.text("failures.reading_only"))
    st.stop()
with shown_errors():
    draw_failures(page)
