"""The page of failures: filters with their counts, a grid of what they find, and links that reopen a view."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import pandas as pd
import streamlit as st

from pet2rep_core.errors import UnknownNameError
from pet2rep_core.records import GenerationStatus, Language
from pet2rep_core.report.lexicon import organ_name, read_lexicon
from pet2rep_core.store import CaseRow
from pet2rep_core.ui import state
from pet2rep_core.ui.failure_tiles import STYLE, tile_html
from pet2rep_core.ui.frame import LANGUAGE_NAMES, PAGES, Page, address_of_person, link_to
from pet2rep_core.ui.names import label_name
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.ui.sentences import error_in_language
from pet2rep_core.ui.viewer import picture_address
from pet2rep_core.workflow.failures import (
    FILTERS,
    VIEW_KEYS,
    FailureTable,
    FailureView,
    count_failures,
    numbers_of,
    page_of,
    read_failures,
    read_view,
    select_failures,
    write_view,
)
from pet2rep_core.workflow.flags import find_flags
from pet2rep_core.workflow.permissions import RESEARCH, require

_COLUMNS = 3
_GROUPS = ("content", "text", "ended")
_READY = {
    "ready_missed": FailureView(filters=("missed",), order="worst_ce"),
    "ready_fluent": FailureView(filters=("fluent_wrong",)),
    "ready_template": FailureView(filters=("template",)),
    "ready_identity": FailureView(filters=("identity",)),
    "ready_ended": FailureView(filters=("cut",)),
}
_PAGE_NUMBER, _FIRST_WIDGET = "failure_page", "failure_order"
_CHOSEN = {"models": "failure_models", "languages": "failure_languages", "datasets": "failure_datasets"}


def draw_failures(page: Page) -> None:
    """Draw the filters, and the reports that they find."""
    require(page.person, RESEARCH)  # the cache asks nobody who looks
    store = page.server.store
    table = _table(str(page.server.settings.home), store.scores_version(), page.server)
    if table.rows.empty:
        st.info(page.text("failures.no_generated"))
        link_to("generate", page.text("menu.generate"), icon=":material/play_arrow:")
        return
    st.session_state.pop(state.LINKED, None)  # the same link opens the same report again
    st.html(STYLE)
    st.caption(page.text("failures.lead"))
    if table.unscored:
        st.warning(page.text("failures.unscored", n=table.unscored))
    _come_from_address(page, table)
    asked, shown = st.container(key="failures").columns([3, 10], gap="medium")
    view = _view_of_widgets()
    with asked:
        _draw_filters(page, table, view)
    with shown:
        _draw_found(page, table, view)


@st.cache_resource(max_entries=2, show_spinner=False)
def _table(home: str, version: str, _server: Any) -> FailureTable:  # noqa: ARG001 - both are the cache's key
    """Return the table of one version of the scores; nobody may write to it, so everybody gets the same."""
    return read_failures(_server.store)


def _come_from_address(page: Page, table: FailureTable) -> None:
    """Set the filters as the address says, where a link or a reload brought a person here; else as they were."""
    address = {key: st.query_params.get_all(key) for key in VIEW_KEYS if key in st.query_params}
    kept: dict[str, list[str]] | None = st.session_state.get(state.FAILURES)
    # the widgets forget what they were set to when a person leaves the page
    if (not address or address == kept) and _FIRST_WIDGET in st.session_state:
        return
    try:
        view = read_view(address or kept or {}, table)
    except UnknownNameError as error:
        st.error(
            f"{page.text('failures.unknown')} {escape_markdown(' '.join(error_in_language(error, page.language)))}"
        )
        view = FailureView()
    _set_widgets(view)


def _set_widgets(view: FailureView) -> None:
    for name, one in FILTERS.items():
        if one.group != "order":
            st.session_state[f"failure_{name}"] = name in view.filters
    # the order in which filters were chosen says which sorts first
    st.session_state["failure_chosen"] = list(view.filters)
    st.session_state["failure_organ"] = view.organ or ""
    st.session_state[_FIRST_WIDGET] = view.order
    for name, key in _CHOSEN.items():
        st.session_state[key] = list(getattr(view, name))
    st.session_state[_PAGE_NUMBER] = view.page


def _view_of_widgets() -> FailureView:
    said = st.session_state
    on = {name for name, one in FILTERS.items() if one.group != "order" and said.get(f"failure_{name}")}
    before = [name for name in said.get("failure_chosen", []) if name in on]
    filters = (*before, *(name for name in FILTERS if name in on and name not in before))
    said["failure_chosen"] = list(filters)
    return FailureView(
        filters=filters,
        organ=said.get("failure_organ") or None,
        order=said.get(_FIRST_WIDGET) or "",
        models=tuple(said.get(_CHOSEN["models"]) or ()),
        languages=tuple(said.get(_CHOSEN["languages"]) or ()),
        datasets=tuple(said.get(_CHOSEN["datasets"]) or ()),
        page=said.get(_PAGE_NUMBER, 1),
    )


def _first_page() -> None:
    st.session_state[_PAGE_NUMBER] = 1


def _draw_filters(page: Page, table: FailureTable, view: FailureView) -> None:
    say = page.text
    counts = count_failures(table, view)
    orders = ["", *(name for name, one in FILTERS.items() if one.group == "order")]
    st.selectbox(
        say("failures.order"),
        orders,
        format_func=lambda name: say(f"failures.filter_{name}") if name else say("failures.order_first"),
        key=_FIRST_WIDGET,
        on_change=_first_page,
    )
    for group in _GROUPS:
        st.markdown(f"**{say(f'failures.group_{group}')}**")
        if group == "content":
            st.selectbox(
                say("failures.organ"),
                ["", *(organ.id for organ in read_lexicon().organs)],
                format_func=lambda one: organ_name(one, page.language) if one else say("failures.any_organ"),
                key="failure_organ",
                on_change=_first_page,
            )
        with st.container(gap=None):
            for name, one in FILTERS.items():
                if one.group == group:
                    st.checkbox(
                        f"{say(f'failures.filter_{name}')} · {counts[name]:,}",
                        key=f"failure_{name}",
                        help=say(f"failures.help_{name}"),
                        on_change=_first_page,
                    )
    models = {str(label): str(model) for label, model in zip(table.rows["label"], table.rows["model"], strict=True)}
    for name, column, label, shown in (
        ("models", "label", say("failures.model"), lambda one: label_name(page, models[one], one)),
        ("languages", "language", say("failures.language"), lambda one: LANGUAGE_NAMES[Language(one)]),
        ("datasets", "dataset", say("failures.dataset"), str),
    ):
        st.multiselect(
            label, table.values(column), key=_CHOSEN[name], format_func=shown, placeholder=say("failures.all"),
            on_change=_first_page, select_all=False,
        )  # fmt: skip


def _draw_found(page: Page, table: FailureTable, view: FailureView) -> None:
    say = page.text
    rows = select_failures(table, view)
    here, view, pages = page_of(rows, view)
    st.session_state[_PAGE_NUMBER] = view.page
    _write_address(view)
    bar = st.container(horizontal=True, vertical_alignment="center")
    bar.markdown(f"**{say('failures.found', n=f'{len(rows):,}', total=f'{len(table.rows):,}')}**", width="stretch")
    bar.button(say("failures.clear"), icon=":material/filter_alt_off:", on_click=_set_widgets, args=(FailureView(),))
    with bar.popover(say("failures.ready"), icon=":material/bookmark:"):
        for key, ready in _READY.items():
            st.page_link(
                PAGES["failures"].file,
                label=say(f"failures.{key}"),
                query_params={**address_of_person(), **write_view(ready)},
            )
    with bar.popover(say("failures.link"), icon=":material/link:"):
        st.caption(say("failures.link_note"))
        st.code(_link(view), language=None, wrap_lines=True)
    if rows.empty:
        st.info(say("failures.none"))
        return
    cases: dict[str, CaseRow] = {}
    for start in range(0, len(here), _COLUMNS):
        for column, (_, row) in zip(st.columns(_COLUMNS), here.iloc[start : start + _COLUMNS].iterrows(), strict=False):
            with column.container(border=True, height="stretch"):
                _draw_tile(page, row, view, cases)
    if pages > 1:
        _draw_pager(page, view, pages)


def _draw_tile(page: Page, row: pd.Series[Any], view: FailureView, cases: dict[str, CaseRow]) -> None:
    store = page.server.store
    case_id, generation_id = str(row["case_id"]), str(row["generation_id"])
    if case_id not in cases:
        cases[case_id] = store.case(case_id)
    flags = find_flags(store.scores(generation_id)) if row["has_report"] else ()
    st.html(
        tile_html(
            page,
            {str(key): value for key, value in row.items()},
            flags,
            picture=_picture(page, cases[case_id]),
            numbers=numbers_of(view),
            first=view.filters,
        )
    )
    address = address_of_person() | {"case": case_id}
    # a failed generation cannot be opened there; the case can
    address |= {"linked": "1"} if row["status"] == GenerationStatus.FAILED.value else {"generation": generation_id}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.page_link(
            PAGES["review"].file, label=page.text("failures.open"), icon=":material/open_in_new:", query_params=address
        )
        st.html(_card_links(page, case_id, generation_id), width="content")


def _picture(page: Page, case: CaseRow) -> str | None:
    """Return the address of the middle picture that a model gets of a case, or of its own first picture."""
    slices = 0 if case.key_slices is None else len(case.key_slices.indices)
    if slices:
        return picture_address(page, case.case_id, f"model/{min(1, slices - 1)}.png")
    return picture_address(page, case.case_id, "picture/0") if case.n_pictures else None


def _card_links(page: Page, case_id: str, generation_id: str) -> str:
    links = []
    for ending, label in (("html", "HTML"), ("png", "PNG")):
        address = picture_address(page, case_id, f"card/{quote(generation_id, safe='')}.{ending}")
        links.append(f'<a href="{address}&amp;language={page.language.value}" download>{label}</a>')
    return f'<div class="p2r-cards">{page.text("failures.card")} {"".join(links)}</div>'


def _draw_pager(page: Page, view: FailureView, pages: int) -> None:
    bar = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="center")
    for where, label, icon, number in (
        ("before", page.text("failures.before"), ":material/chevron_left:", view.page - 1),
        ("after", page.text("failures.after"), ":material/chevron_right:", view.page + 1),
    ):
        bar.button(
            label, key=f"failure_{where}", icon=icon, disabled=not 1 <= number <= pages,
            on_click=st.session_state.update, args=({_PAGE_NUMBER: number},),
        )  # fmt: skip
        if where == "before":
            bar.markdown(page.text("failures.page", page=view.page, pages=pages), width="content")


def _write_address(view: FailureView) -> None:
    parts = write_view(view)
    st.session_state[state.FAILURES] = parts
    for key in VIEW_KEYS:
        if key in parts:
            if st.query_params.get_all(key) != parts[key]:
                st.query_params[key] = parts[key]
        elif key in st.query_params:
            del st.query_params[key]


def _link(view: FailureView) -> str:
    parts: Mapping[str, Sequence[str] | str] = {**address_of_person(), **write_view(view)}
    parts = {key: value for key, value in parts.items() if key != state.READER}
    base = (st.context.url or "").partition("?")[0]
    return f"{base}?{urlencode(parts, doseq=True)}"
