"""What the start page shows: counts, the making of the demo study, repairs of the store."""

from __future__ import annotations

from functools import partial

import streamlit as st

from pet2rep_core.datasets.phantom import demo_case_ids
from pet2rep_core.records import GenerationStatus
from pet2rep_core.ui.frame import Page, link_to, page_part
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.workflow.demo import DATASET
from pet2rep_core.workflow.permissions import RESEARCH


def draw_overview(page: Page) -> None:
    """Draw how many cases, reports and ratings there are."""
    store = page.server.store
    cases = store.cases()
    if not cases and not page.server.demo.running and page.operator.role in RESEARCH:
        st.info(page.text("home.empty"))
        link_to("import", page.text("generate.go_import"), icon=":material/download:")
    generated = sum(g.generation.status is GenerationStatus.DONE for g in store.generations())
    free = len(set(store.ratings_table()["event_id"].to_pylist()))
    ratings = free + sum(store.studies.counts(study_id)[0] for study_id in store.studies.study_ids())
    boxes = st.columns(3)
    for box, key, count in zip(boxes, ("cases", "generated", "ratings"), (len(cases), generated, ratings), strict=True):
        box.metric(page.text(f"home.{key}"), page.formats.number(count), border=True)


def draw_notices(page: Page) -> None:
    """Say what the store had to repair and what of the inbox could not be taken, to who can do something about it."""
    if page.operator.role not in RESEARCH:
        return
    for where, notice in page.server.notices:
        st.warning(escape_markdown(page.formats.labelled(where, page.said(notice)) if where else page.said(notice)))


def draw_demo_progress(page: Page) -> None:
    """Show how far the demo study is, and draw the page anew when it is whole.

    What went wrong is said to who can do something about it; it may name a case.
    """
    demo = page.server.demo
    if demo.problem:
        if page.operator.role not in RESEARCH:
            return
        st.error(escape_markdown(page.text("home.demo_failed", problem=page.said(demo.problem))))
    elif demo.running:
        _draw_running_demo(page)


@partial(page_part, run_every=1.0)
def _draw_running_demo(page: Page) -> None:
    page.server.take_inbox()
    done, total = len(page.server.store.cases(DATASET)), len(demo_case_ids())
    st.progress(min(done / total, 1.0), page.text("home.demo_making", done=done, total=total))
    if not page.server.demo.running:
        st.rerun()
