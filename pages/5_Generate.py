"""Generate: runs of models over many cases, what was run, and what may leave this machine."""

import streamlit as st

from pet2rep_core.ui.batch_runs import draw_new_run
from pet2rep_core.ui.frame import open_page, show_note, shown_errors
from pet2rep_core.ui.model_table import draw_models
from pet2rep_core.ui.outputs_import import draw_outputs_import
from pet2rep_core.ui.privacy_gate import draw_allowed
from pet2rep_core.ui.run_list import draw_earlier_runs, draw_runs_under_way

page = open_page("generate")
show_note()
st.title(page.text("generate.title"))
if not page.is_research:
    st.info(page.text("generate.reading_only"))
    st.stop()
with shown_errors():
    draw_runs_under_way(page)
parts = {
    "tab_new": draw_new_run, "tab_runs": draw_earlier_runs, "tab_models": draw_models,
    "tab_outputs": draw_outputs_import, "tab_privacy": draw_allowed,
}  # fmt: skip
names = [page.text(f"generate.{name}") for name in parts]
for tab, draw in zip(st.tabs(names, key="generate-part", on_change="rerun"), parts.values(), strict=True):
    if tab.open:
        with tab, shown_errors():
            draw(page)
