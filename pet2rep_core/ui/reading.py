"""The page on which a reader of a study rates: which study, which item, its images, and the desk beside them.

Nothing that is sent to the browser from here names a model, a run, a generation, a case or a dataset: images are
asked for by the alias of their case, items by their code.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import streamlit as st

from pet2rep_core.records import Person, PetUnit
from pet2rep_core.ui import state
from pet2rep_core.ui.desk import draw_desk
from pet2rep_core.ui.frame import Page, link_to
from pet2rep_core.ui.leave import unnamed
from pet2rep_core.ui.plain import escape_markdown, visible
from pet2rep_core.ui.tables import unlike
from pet2rep_core.ui.viewer import Blind, draw_viewer, picture_address
from pet2rep_core.workflow.open_case import OpenCase, open_case
from pet2rep_core.workflow.study_read import case_behind, list_items, studies_of
from pet2rep_core.workflow.study_records import ItemProgress, ItemState, ReaderStudy

_STUDY, _ITEM = "study", "item"
"""Names in the address, so that a reload comes back to the same item."""

_STYLE = """
<style>
[data-testid="stHeader"] { height: 2.4rem; min-height: 2.4rem; background: transparent; }
.stMainBlockContainer { padding: 2.5rem 1rem 0.5rem; }
.stMainBlockContainer > * { gap: 0.4rem; }
.st-key-reading { --p2r-desk-height: calc(100vh - 3.3rem); --p2r-viewer-height: calc(100vh - 3.3rem);
  --p2r-panes-grow: 1; --p2r-panes-height: 0px; --p2r-measured-height: 8rem; }
.stMain { scrollbar-gutter: auto; }
@media (max-width: 1500px) { .st-key-reading { --p2r-viewer-font: 0.72rem; } }
@media (max-width: 1100px) {
  .st-key-reading > * > [data-testid="stHorizontalBlock"] { flex-wrap: wrap; }
  .st-key-reading > * > [data-testid="stHorizontalBlock"] > .stColumn { min-width: 100%; }
  .st-key-reading { --p2r-viewer-height: 70vh; }
}
</style>
"""


def draw_reading(page: Page) -> None:
    """Draw the reading desk of the study that a reader has open, or say that there is none."""
    st.html(_STYLE)
    person = page.person
    studies = studies_of(page.server.store, person)
    if not studies:
        st.info(page.text("reading.no_study"))
        link_to("home", page.text("menu.home"), icon=":material/home:")  # the menu is folded away here
        return
    study = _choose_study(page, studies)
    items = list_items(page.server.store, person, study.study_id)
    code = _open_code(items)
    st.query_params[_STUDY] = study.study_id
    if code:
        st.query_params[_ITEM] = code
    else:
        st.query_params.pop(_ITEM, None)
    images, desk = st.container(key="reading").columns([1, 1], gap="small")
    # The desk first: a reader sees what to rate while the images of the case are still being described.
    with desk:
        draw_desk(page, study.study_id, code)
    with images:
        if code:
            _draw_images(page, person, study.study_id, items, code)
        else:
            st.caption(page.text("reading.no_images_now"))


def _choose_study(page: Page, studies: Sequence[ReaderStudy]) -> ReaderStudy:
    """Return the study that is open; a reader of several chooses in the side bar.

    Those with items left and in the language of the page come first.
    """
    ordered = sorted(studies, key=lambda study: (study.done == study.total, study.language is not page.language))
    by_id = {study.study_id: study for study in ordered}
    wanted = st.session_state.get(state.READING_STUDY) or st.query_params.get(_STUDY)
    ids = list(by_id)
    if len(ids) > 1:
        titles = unlike({one: visible(by_id[one].title) for one in ids})  # progress stands on the desk itself
        chosen = st.sidebar.selectbox(
            page.text("reading.study"),
            ids,
            index=ids.index(wanted) if wanted in by_id else 0,
            format_func=titles.__getitem__,
            key="study_choice",
        )
    else:
        chosen = ids[0]
    if st.session_state.get(state.READING_STUDY) not in (None, chosen):
        st.session_state.pop(state.ITEM, None)
        st.query_params.pop(_ITEM, None)
    st.session_state[state.READING_STUDY] = chosen
    return by_id[chosen]


def _open_code(items: Sequence[ItemState]) -> str:
    """Return the item whose images are shown: the one that the desk opened, that of the address, else the next."""
    opened = st.session_state.get(state.ITEM)
    if opened == "":  # the desk says that nothing is left
        return ""
    for wanted in (opened, st.query_params.get(_ITEM)):
        if any(item.code == wanted and item.may_open for item in items):
            return str(wanted)
    return next((item.code for item in items if _is_waiting(item)), "")


def _is_waiting(item: ItemState) -> bool:
    return item.may_open and item.progress is not ItemProgress.DONE


def _next_code(items: Sequence[ItemState], code: str) -> str | None:
    """Return the item that most likely comes next: the first that waits after this one, else the first that waits."""
    place = next(n for n, item in enumerate(items) if item.code == code)
    following = chain(items[place + 1 :], items[:place])
    return next((item.code for item in following if _is_waiting(item)), None)


def _draw_images(page: Page, person: Person, study_id: str, items: Sequence[ItemState], code: str) -> None:
    case, blind = _case(page, person, study_id, code)
    images = case.images
    if images is None:
        st.info(page.text("review.no_images"))
        return
    if images.grid is None:
        st.info(page.text("review.only_pictures"))
        _draw_pictures(page, case, blind, len(images.pictures))
        return
    following = _next_code(items, code)
    next_case, next_blind = (None, None) if following is None else _case(page, person, study_id, following)
    with unnamed(case.row.case_id):
        draw_viewer(
            page,
            case,
            next_case=None if next_case is None else next_case.row.case_id,
            blind=blind,
            next_blind=next_blind,
        )
    if images.pet is not None and images.pet_unit is not PetUnit.SUVBW:
        # Why there is no SUV stands in the files' own words: those stay with the researchers.
        st.caption(escape_markdown(page.text("reading.no_suv", unit=case.pet_unit_label)))


def _case(page: Page, person: Person, study_id: str, code: str) -> tuple[OpenCase, Blind]:
    store = page.server.store
    case_id = case_behind(store, person, study_id, code)
    with unnamed(case_id):
        case = open_case(store, page.server.settings, case_id)
    return case, Blind(study_id, store.studies.item(study_id, code).alias, code)


def _draw_pictures(page: Page, case: OpenCase, blind: Blind, count: int) -> None:
    addresses = [picture_address(page, case.row.case_id, f"picture/{n}", blind) for n in range(count)]
    images = "".join(
        f'<img src="{address}" alt="{page.text("reading.picture", n=n + 1)}">' for n, address in enumerate(addresses)
    )
    st.html(f'<div class="p2r-strip">{images}</div>')
