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
is_researcher = page.operator.role in RESEARCH
link_to("reading", page.text("home.open_reading"), icon=":material/reviews:")
if is_researcher:
    link_to("review", page.text("home.open_review"), icon=":material/visibility:")
left, right = st.columns(2)
with left.container(border=True):
    what_to_do = page.text("home.reader_text") if is_researcher else page.text("home.rater_text")
    st.markdown(f"**{page.text('home.reader_title')}**  \n{what_to_do}")
if is_researcher:
    with right.container(border=True):
        st.markdown(f"**{page.text('home.researcher_title')}**  \n{page.text('home.researcher_text')}")
