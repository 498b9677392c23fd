"""Start page: what there is, what to do next."""

import streamlit as st

from pet2rep_core.ui.frame import link_to, open_page
from pet2rep_core.ui.overview import draw_demo_progress, draw_notices, draw_overview
from pet2rep_core.workflow.permissions import RESEARCH

page = open_page("home")
st.title(page.text("home.title"))
st.markdown(page.text("home.lead"))
st.info(page.text("app.research_only"), icon=":material/science:")
draw_notices(page)
draw_demo_progress(page)
draw_overview(page)
link_to("review", page.text("home.open_review"), icon=":material/visibility:")
left, right = st.columns(2)
with left.container(border=True):
    st.markdown(f"**{page.text('home.reader_title')}**  \n{page.text('home.reader_text')}")
if page.operator.role in RESEARCH:
    with right.container(border=True):
        st.markdown(f"**{page.text('home.researcher_title')}**  \n{page.text('home.researcher_text')}")
