"""Reading: a blinded reader of a study rates item after item."""

import streamlit as st

from pet2rep_core.ui.frame import open_page, shown_errors
from pet2rep_core.ui.reading import draw_reading

page = open_page("reading")
st.set_page_config(initial_sidebar_state="collapsed")
with shown_errors():
    draw_reading(page)
