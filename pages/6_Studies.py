"""Studies: plan a reader study, watch it, settle differences, lock and unblind it."""

import streamlit as st

from pet2rep_core.ui.frame import open_page, show_note, shown_errors
from pet2rep_core.ui.studies import draw_study
from pet2rep_core.ui.study_form import draw_form
from pet2rep_core.workflow.study_make import study_list

page = open_page("studies")
show_note()
st.title(page.text("menu.studies"))
if not page.is_research:
    st.info(page.text("studies.reading_only"))
    st.stop()
st.markdown(page.text("studies.lead"))
with shown_errors():
    lines = study_list(page.server.store, page.person)
    names = [page.text("studies.tab_existing", n=len(lines)), page.text("studies.tab_new")]
    existing, new = st.tabs(names, key="studies-tabs", on_change="rerun")
    if existing.open:
        with existing, shown_errors():
            draw_study(page, lines)
    if new.open:
        with new, shown_errors():
            draw_form(page)
