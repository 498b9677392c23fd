"""The rating form: five dimensions, every click kept, saved at once."""

from __future__ import annotations

import uuid
from dataclasses import replace

import streamlit as st

from pet2rep_core.records import Generation
from pet2rep_core.study.rubric import VALUES, Dimension
from pet2rep_core.ui import state
from pet2rep_core.ui.cases import go_to
from pet2rep_core.ui.frame import Page, note_for_next_run, page_part, shown_errors
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.workflow.rate import Form, next_unrated, open_form, save_rating, to_rate, unanswered

_NOT_ASSESSABLE = 0
"""Widgets cannot tell None (no answer) from None (not assessable), so the form says 0 for the latter."""


@page_part
def draw_rating_form(page: Page, generation: Generation) -> None:
    """Draw the form for one generated report; drafts are kept with every click."""
    form = _form(page, generation)
    say = page.text
    head, progress = st.columns([1, 3], vertical_alignment="center")
    head.markdown(f"**{say('rating.title')}**")
    rated = to_rate(page.server.store, generation.language)
    done = sum(page.server.store.rating(g.generation_id, page.reader) is not None for g in rated)
    progress.caption(say("review.progress", done=done, total=len(rated), reader=page.reader))
    kept = say("rating.draft") if form.is_draft else ""
    saved = say("rating.was_saved", revision=form.revision) if form.revision else "\u00a0"
    st.caption(kept or saved)  # always there: an element that comes later would take the focus from those below it
    with st.container(key="rating"):
        for dimension in page.server.rubric.dimensions:
            _draw_dimension(page, generation, form, dimension)
    st.text_area(
        say("rating.comment"),
        value=form.comment,
        key=_key(page, generation, "comment"),
        height=70,
        max_chars=2000,
        on_change=_keep_draft,
        args=(page, generation),
    )
    open_names = [
        page.server.rubric.dimension(k).name[page.language] for k in unanswered(page.server.rubric, form.answers)
    ]
    bar = st.container(horizontal=True, vertical_alignment="center")
    clicked = bar.button(say("rating.save"), type="primary", disabled=bool(open_names), shortcut="Ctrl+Enter")
    if open_names:
        bar.caption(say("rating.missing", names=page.formats.listed(open_names)))
    if clicked:
        _save(page, generation, form)


def _draw_dimension(page: Page, generation: Generation, form: Form, dimension: Dimension) -> None:
    language = page.language
    anchors = "\n".join(f"- **{v}** {escape_markdown(dimension.anchors[v][language])}" for v in reversed(VALUES))
    value = form.answers.get(dimension.key, -1)
    name_box, control_box, anchor_box = st.columns([4, 7, 6], gap="xsmall", vertical_alignment="center")
    name_box.markdown(
        escape_markdown(dimension.name[language]),
        help=f"{escape_markdown(dimension.question[language])}\n\n{anchors}",
    )
    control_box.segmented_control(
        dimension.name[language],
        [*VALUES, _NOT_ASSESSABLE],
        default=None if value == -1 else (_NOT_ASSESSABLE if value is None else value),
        format_func=lambda v: page.text("rating.not_assessable") if v == _NOT_ASSESSABLE else str(v),
        key=_key(page, generation, dimension.key),
        label_visibility="collapsed",
        on_change=_keep_draft,
        args=(page, generation),
    )
    chosen = dimension.anchors[value][language] if value in VALUES else dimension.question[language]
    anchor_box.caption(escape_markdown(chosen))


def _key(page: Page, generation: Generation, part: str) -> str:
    # Keys reach the browser: they name the generation, never the model.
    return f"rate-{page.reader}-{generation.generation_id}-{part}"


def _form(page: Page, generation: Generation) -> Form:
    """Return what the form shows: the session's copy, or what the store kept when it is opened first."""
    kept = st.session_state.get(state.FORM)
    identity = (page.reader, generation.generation_id)
    if kept is None or kept[0] != identity:
        kept = (identity, open_form(page.server.store, page.reader, generation.generation_id))
        st.session_state[state.FORM] = kept
        st.session_state[state.CLICK] = str(uuid.uuid4())
    form: Form = kept[1]
    return form


def _keep_draft(page: Page, generation: Generation) -> None:
    """Store the answers as they stand; runs before the form is drawn again."""
    with shown_errors():
        _store_draft(page, generation)


def _store_draft(page: Page, generation: Generation) -> None:
    form = _form(page, generation)
    answers: dict[str, int | None] = {}
    for key in page.server.rubric.keys:
        value = st.session_state.get(_key(page, generation, key))
        if value is not None:
            answers[key] = None if value == _NOT_ASSESSABLE else int(value)
    comment = str(st.session_state.get(_key(page, generation, "comment")) or "")
    changed = replace(form, answers=answers, comment=comment, is_draft=True)
    st.session_state[state.FORM] = ((page.reader, generation.generation_id), changed)
    st.session_state[state.CLICK] = str(uuid.uuid4())
    page.server.store.record_draft(page.reader, generation.generation_id, answers, comment)


def _save(page: Page, generation: Generation, form: Form) -> None:
    with shown_errors():
        saved = save_rating(
            page.server.store,
            page.server.rubric,
            generation,
            page.reader,
            form,
            event_id=st.session_state[state.CLICK],
            session_id=page.session,
        )
        st.session_state.pop(state.FORM, None)
        message = page.text("rating.saved", revision=saved.revision)
        following = next_unrated(page.server.store, page.reader, generation.language, after=generation.case_id)
        if following is None:
            message += " " + page.text("rating.all_done")
        note_for_next_run(message)
        go_to(following)
        st.rerun()
