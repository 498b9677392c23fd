"""The images of a case: the viewer with its windows, slice pictures, and what the model sees."""

from __future__ import annotations

import html

import streamlit as st

from pet2rep_core.errors import ImageGeometryError
from pet2rep_core.imaging.keyslices import RULE
from pet2rep_core.records import Generation, PetUnit
from pet2rep_core.ui.cases import following_case
from pet2rep_core.ui.charts import draw_chart
from pet2rep_core.ui.frame import Page, note_for_next_run, page_part, shown_errors
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.ui.viewer import draw_viewer, picture_address
from pet2rep_core.workflow.open_case import OpenCase, choose_key_slices


def draw_images(page: Page, case: OpenCase, generation: Generation | None) -> None:
    """Draw what images the case has, and say what it does not have."""
    images = case.images
    if images is None:
        st.info(page.text("review.no_images"))
        return
    if images.grid is None:
        st.info(page.text("review.only_pictures"))
        _draw_strip(page, case, "picture/{n}", len(images.pictures))
        return
    _draw_viewer(page, case, generation)
    if images.pet is not None and images.pet_unit is not PetUnit.SUVBW:
        st.warning(escape_markdown(page.text("review.no_suv", reason=page.said(images.suv.reason or ""))))
    if images.warnings:
        with st.expander(page.text("review.about_images", n=len(images.warnings))):
            for warning in images.warnings:
                st.text(page.said(warning))
    _draw_key_slices(page, case)


@page_part
def _draw_viewer(page: Page, case: OpenCase, generation: Generation | None) -> None:
    """Draw the viewer; a chart that is asked for draws only this part anew."""
    rated = None if generation is None else generation.generation_id
    chart = draw_viewer(
        page,
        case,
        next_case=following_case(page, case),
        generation_id=rated,
    )
    if chart:
        with shown_errors():
            draw_chart(page, case, chart)


def _draw_key_slices(page: Page, case: OpenCase) -> None:
    if case.key_slices is None or not page.is_research:
        return
    with st.expander(page.text("review.model_strip")):
        rule, reason = case.key_slices.rule, case.key_slices.reason
        # the reason is the program's only where its own rule chose; a person's words stay as they are
        rule = f"{page.said(rule)} {page.said(reason) if rule == RULE else reason}".strip()
        st.caption(escape_markdown(page.text("review.key_rule", rule=rule)))
        _draw_key_slice_form(page, case)


def _draw_key_slice_form(page: Page, case: OpenCase) -> None:
    assert case.key_slices is not None  # the caller has seen it
    with st.form("key_slices", border=False):
        st.markdown(f"**{page.text('review.key_change')}**")
        planes = st.text_input(page.text("review.key_planes"), ", ".join(map(str, case.key_slices.indices)))
        reason = st.text_input(page.text("review.key_reason"))
        if st.form_submit_button(page.text("review.key_save")):
            with shown_errors():
                chosen = _read_planes(planes, page.text("review.key_numbers"))
                choose_key_slices(page.server.store, case, chosen, reason, page.reader, person=page.person)
                note_for_next_run(page.text("review.key_saved"))
                st.rerun()


def _read_planes(planes: str, message: str) -> tuple[int, ...]:
    parts = [part.strip() for part in planes.replace("，", ",").split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        raise ImageGeometryError(message)
    return tuple(int(part) for part in parts)


def _draw_strip(page: Page, case: OpenCase, what: str, count: int) -> None:
    addresses = (picture_address(page, case.row.case_id, what.format(n=n)) for n in range(count))
    images = "".join(f'<img src="{html.escape(a)}" alt="{n + 1}">' for n, a in enumerate(addresses))
    st.html(f'<div class="p2r-strip">{images}</div>')
