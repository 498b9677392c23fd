"""What a planned study asks of its readers and how precise it will be, before anything is stored."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pet2rep_core.study.precision import AIM, UNINFORMATIVE
from pet2rep_core.ui.formats import NONE
from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.workflow.study_make import MINUTES_AN_ITEM, Preview

_NAMED = 5


def draw_preview(page: Page, preview: Preview) -> None:
    """Draw numbers, the load of each reader, and what could not be reached."""
    say = page.text
    st.markdown(f"**{say('studies.preview')}**")
    boxes = st.columns(4)
    boxes[0].metric(say("studies.reports"), preview.reports)
    boxes[1].metric(say("studies.patients"), preview.patients)
    boxes[2].metric(say("studies.per_item"), preview.readers_per_report)
    widths = NONE
    if preview.width_reports is not None:
        widths = f"{page.formats.number(preview.width_reports, 2)} – {page.formats.number(preview.width_patients, 2)}"
    boxes[3].metric(say("studies.width"), widths, help=say("studies.width_help"))
    if preview.width_reports is None:
        st.warning(say("studies.one_reader"))
    else:
        said = say(
            "studies.precision",
            reports=preview.reports,
            readers=preview.readers_per_report,
            icc=preview.expected_icc,
            narrow=page.formats.number(preview.width_reports, 2),
            patients=preview.patients,
            wide=page.formats.number(preview.width_patients, 2),
        )
        st.caption(f"{escape_markdown(said)}  \n`{preview.signature}`")
        if preview.width_patients is not None and preview.width_patients > UNINFORMATIVE:
            boxes[3].caption(say("studies.width_empty"))
            st.warning(
                say(
                    "studies.too_wide",
                    aim=page.formats.number(AIM, 1),
                    readers=preview.readers_per_report,
                    n=preview.reports_for_aim,
                )
            )
    _draw_loads(page, preview)
    for line in _remarks(page, preview):
        st.warning(escape_markdown(line))


def _draw_loads(page: Page, preview: Preview) -> None:
    say = page.text
    rows = []
    for load in preview.loads:
        total = preview.training + load.main + load.repeats
        rows.append(
            {
                say("studies.reader"): load.reader,
                say("studies.training"): preview.training,
                say("studies.reports"): load.main,
                say("studies.repeats_placed"): f"{load.repeats} / {load.repeats_wanted}",
                say("studies.total"): total,
                say("studies.hours"): f"{total * MINUTES_AN_ITEM / 60:.1f}",
                say("studies.patient_gap_reached"): load.patient_gap if load.patient_gap is not None else NONE,
                say("studies.repeat_gap_reached"): load.repeat_gap if load.repeat_gap is not None else NONE,
            }
        )
    st.dataframe(pd.DataFrame(rows).astype(str), hide_index=True, width="stretch")
    st.caption(say("studies.hours_help", minutes=f"{MINUTES_AN_ITEM:g}"))


def _remarks(page: Page, preview: Preview) -> list[str]:
    found = []
    if preview.absent:
        named = ", ".join(case_id for case_id, _ in preview.absent[:_NAMED])
        more = "…" if len(preview.absent) > _NAMED else ""
        found.append(page.text("studies.absent", n=len(preview.absent), names=f"{named}{more}"))
    if any(load.repeats < load.repeats_wanted for load in preview.loads):
        found.append(page.text("studies.repeats_short"))
    return found
