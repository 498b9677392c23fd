"""Import: look at a folder, then take its cases."""

import streamlit as st

from pet2rep_core.ui.frame import open_page, shown_errors
from pet2rep_core.ui.importing import ask_path, draw_job, draw_preview

page = open_page("import")
st.title(page.text("import.title"))
st.markdown(page.text("import.lead"))
with shown_errors():
    scan = ask_path(page)
    if scan is not None:
        draw_preview(page, scan)
    draw_job(page)
