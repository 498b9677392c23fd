"""What the model saw for the open report: the pictures, the prompt, and everything that the run kept."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping

import streamlit as st

from pet2rep_core.records import Generation
from pet2rep_core.ui.asking import span_in_words
from pet2rep_core.ui.frame import Page, page_part, shown_errors
from pet2rep_core.ui.models import route_name, status_name
from pet2rep_core.ui.names import catalog_of, prompt_name, setting_name
from pet2rep_core.ui.plain import escape_markdown, visible
from pet2rep_core.ui.privacy_gate import inert_box
from pet2rep_core.ui.tables import draw_table
from pet2rep_core.ui.viewer import picture_address
from pet2rep_core.vlm.request import Route
from pet2rep_core.workflow.model_saw import Seen, what_model_saw
from pet2rep_core.workflow.open_case import OpenCase


@page_part
def draw_what_model_saw(page: Page, case: OpenCase, generation: Generation) -> None:
    """Draw the pictures and the prompt of the run of a report, and whether they are still what went out.

    Nothing is made again until somebody opens it.
    """
    box = st.expander(page.text("saw.title"), icon=":material/visibility:", key="what-model-saw", on_change="rerun")
    with box, shown_errors():
        if box.open:
            _draw(page, case, generation)


def _draw(page: Page, case: OpenCase, generation: Generation) -> None:
    server = page.server
    seen = what_model_saw(server.store, server.settings, server.display, catalog_of(page), generation.generation_id)
    if seen.detail.get("copied_from"):
        st.caption(escape_markdown(page.text("saw.copied", other=str(seen.detail["copied_from"]))))
    if seen.pictures:
        _draw_comparison(page, seen)
        _draw_pictures(page, case, seen)
    else:
        st.info(page.text("saw.nothing"))
    if seen.request is not None:
        st.markdown(f"**{page.text('saw.prompt')}**")
        system, user = st.columns(2)
        for box, label, body in ((system, "saw.system", seen.request.system), (user, "saw.user", seen.request.user)):
            box.caption(page.text(label))
            box.html(inert_box(body or "–", page.text(label)))
    _draw_facts(page, seen)


def _draw_comparison(page: Page, seen: Seen) -> None:
    say = page.text
    if seen.problem is not None:
        st.warning(escape_markdown(f"{say('saw.not_again')} {page.said(seen.problem.message)}"))
        return
    if seen.is_same:
        st.success(say("saw.same"), icon=":material/verified:")
        return
    different = [one.name for one in seen.pictures if not one.same]
    words = [say("saw.pictures_differ", names=page.formats.listed(different))] if different else []
    words += [] if seen.same_text else [say("saw.text_differs")]
    if not words:
        words = [say("saw.request_differs")]
    st.warning(escape_markdown(" ".join([*words, say("saw.why_differ")])))


def _draw_pictures(page: Page, case: OpenCase, seen: Seen) -> None:
    """Draw the pictures from our own checked route, each with its name, size and hash."""
    generation_id = seen.stored.generation.generation_id
    figures = []
    for n, one in enumerate(seen.pictures):
        address = html.escape(picture_address(page, case.row.case_id, f"seen/{generation_id}/{n}.png"))
        name = html.escape(visible(one.name))
        mark = "" if one.same else f" · <b>{html.escape(page.text('saw.differs'))}</b>"
        size = f"{one.size[0]}×{one.size[1]}"
        figures.append(
            f'<figure><img src="{address}" alt="{name}"><figcaption>{name} · {size} · '
            f"{html.escape(one.sha256[:12])}{mark}</figcaption></figure>"
        )
    st.html(f'<div class="p2r-strip">{"".join(figures)}</div>')


def _draw_facts(page: Page, seen: Seen) -> None:
    say, detail, run = page.text, seen.detail, seen.run
    route = str(detail.get("route") or run.parameters.get("route") or "")
    rows = {
        say("saw.ended"): status_name(page, seen.stored.generation.status),
        say("saw.input"): setting_name(page, run.input_setting),
        say("saw.route"): route_name(page, Route(route)) if route in set(Route) else route,
        say("saw.finish"): detail.get("finish_reason"),
        say("saw.returned"): detail.get("model_returned"),
        say("saw.options"): _pairs(detail.get("options_sent")),
        say("saw.not_sent"): ", ".join(map(str, detail.get("not_sent", ()))),
        say("saw.changed"): "; ".join(f"{c[0]}: {c[1]:g} → {c[2]:g}" for c in detail.get("changed", ())),
        say("saw.usage"): _pairs(detail.get("usage")),
        say("saw.engine"): _pairs(detail.get("engine")),
        say("saw.cost"): _pairs(detail.get("cost")),
        say("saw.attempts"): detail.get("attempts"),
        say("saw.seconds"): None if seen.stored.duration_s is None else span_in_words(page, seen.stored.duration_s),
        say("saw.began"): page.formats.moment(seen.stored.started_at or seen.stored.created_at),
        say("saw.measured"): detail.get("measured"),
        say("saw.prompt_name"): prompt_name(page, str(run.parameters.get("prompt") or "")),
        say("saw.run"): run.run_id,
        say("saw.prompt_hash"): run.prompt_sha256,
        say("saw.text_hash"): detail.get("text_sha256"),
        say("saw.request_hash"): detail.get("request_sha256"),
        say("saw.request_id"): detail.get("request_id"),
    }
    table = [{say("saw.what"): name, say("saw.value"): str(value)} for name, value in rows.items() if _said(value)]
    draw_table(table)


def _said(value: object) -> bool:
    return value is not None and value != "" and value != ()


def _pairs(found: object) -> str:
    """Return a table of the run as one line; what nobody said is left out."""
    if not isinstance(found, Mapping):
        return ""
    return ", ".join(f"{name} {_short(value)}" for name, value in found.items() if value is not None)


def _short(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
