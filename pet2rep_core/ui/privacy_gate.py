"""What may leave this machine: a question before anything does, what was allowed, and what was sent."""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Callable
from functools import cache

import streamlit as st

from pet2rep_core.errors import Pet2RepError
from pet2rep_core.ui.frame import Page, shown_errors
from pet2rep_core.ui.names import model_name, setting_name
from pet2rep_core.ui.plain import escape_markdown, visible
from pet2rep_core.ui.tables import draw_table
from pet2rep_core.workflow.build_request import build_request
from pet2rep_core.workflow.open_case import open_case
from pet2rep_core.workflow.providers import (
    ALLOWED,
    SENT,
    WITHDRAWN,
    Sending,
    allow_provider,
    allowed_hosts,
    sendings_of,
    withdraw_provider,
)
from pet2rep_core.workflow.readiness import key_is_set
from pet2rep_core.workflow.run_plan import PlannedItem, RunPlan, input_setting

_FOCUS = """
export default function ({ parentElement }) {
  const root = parentElement.getRootNode();
  const place = root instanceof ShadowRoot ? root.host : parentElement;
  const focus = () => place.closest('[role="dialog"]')?.querySelector(".st-key-gate-cancel button")?.focus();
  focus();
  const later = setTimeout(focus, 150);
  return () => clearTimeout(later);
}
"""
_SHOWN = 200
"""Sendings that the log shows, the newest first; all stand in the audit log."""


def not_allowed(page: Page, plan: RunPlan) -> list[Sending]:
    """Return what a plan would send out of this machine that nobody has allowed yet."""
    store = page.server.store
    return [one for one in sendings_of(plan) if one.host not in allowed_hosts(store, one.dataset)]


def ask_before_sending(page: Page, plan: RunPlan, go: Callable[[], object]) -> None:
    """Do something at once where all of it stays here or is allowed; else ask first, naming what would go where."""
    if not_allowed(page, plan):
        st.dialog(page.text("gate.title"), width="large")(_draw_question)(page, plan, go)
        return
    go()
    st.rerun()


def _draw_question(page: Page, plan: RunPlan, go: Callable[[], object]) -> None:
    say = page.text
    waiting = not_allowed(page, plan)
    if not waiting:
        return
    host = waiting[0].host
    of_host = [one for one in waiting if one.host == host]
    items = [item for item in plan.items if plan.host_of(item.pairing) == host]
    cancel_box, allow_box = st.columns(2)
    if cancel_box.button(say("gate.cancel"), type="primary", width="stretch", key="gate-cancel"):
        st.rerun()
    allowed = allow_box.button(
        say("gate.allow", host=escape_markdown(host)), width="stretch", key="gate-allow", icon=":material/upload:"
    )
    if allowed:
        with shown_errors():
            for one in of_host:
                allow_provider(page.server.store, page.person, one)
            if not_allowed(page, plan):
                st.rerun(scope="fragment")
            go()
            st.rerun()
    st.warning(escape_markdown(say("gate.would", host=host, vendor=_vendor(page, host))), icon=":material/warning:")
    rows = [
        {
            say("gate.dataset"): one.dataset,
            say("gate.cases"): len({item.case.case_id for item in items if item.case.dataset == one.dataset}),
            say("gate.prompts"): one.requests,
            say("gate.pictures"): one.pictures,
            say("gate.models"): page.formats.listed(model_name(page, model) for model in one.models),
            say("gate.inputs"): page.formats.listed(setting_name(page, setting) for setting in one.settings),
        }
        for one in of_host
    ]
    draw_table(rows)
    st.markdown(say("gate.means"))
    _draw_keys(page, items)
    with st.expander(say("gate.example")):
        _draw_example(page, plan, items[0])
    _focus()(key="gate-focus")


@cache
def _focus() -> Callable[..., object]:
    """Return what moves the focus of the keyboard to the button that sends nothing."""
    return st.components.v2.component("pet2rep_gate_focus", js=_FOCUS)


def _draw_keys(page: Page, items: list[PlannedItem]) -> None:
    for name in dict.fromkeys(item.pairing.row.key_env for item in items):
        if name:
            draw_key(page, name)


def draw_key(page: Page, name: str) -> None:
    """Say whether a key is set, and where it would be; never what it is, and never ask for it here."""
    there = key_is_set(name)
    st.caption(escape_markdown(page.text("gate.key_set" if there else "gate.key_not_set", name=name)))


def _draw_example(page: Page, plan: RunPlan, item: PlannedItem) -> None:
    """Show the exact prompt of the first request."""
    try:
        case = open_case(page.server.store, page.server.settings, item.case.case_id)
        pairing, asking = item.pairing, plan.choices.asking
        display = page.server.display
        built = build_request(case, pairing.row, pairing.route, input_setting(pairing), asking, display)
    except Pet2RepError as error:
        st.caption(escape_markdown(page.said(error.message)))
        return
    names = page.formats.listed(f"{one.name} ({one.width}×{one.height})" for one in built.request.pictures)
    st.caption(escape_markdown(page.text("gate.example_of", case=item.case.case_id, pictures=names)))
    st.html(inert_box(f"{built.request.system}\n\n{built.request.user}".strip(), page.text("saw.user")))


def inert_box(text: str, label: str, *, extra: str = "p2r-said") -> str:
    """Return a text in a box that scrolls, letter by letter."""
    return (
        f'<div role="region" tabindex="0" aria-label="{html.escape(label)}" class="p2r-report {extra}">'
        f'<div class="p2r-plain">{html.escape(visible(text))}</div></div>'
    )


def _vendor(page: Page, host: str) -> str:
    known = page.name("vendor", host)
    return page.text("gate.unknown_vendor") if known == host else known


def draw_allowed(page: Page) -> None:
    """Show what may leave this machine now, since when and by whom, with a way to turn it off; then what was sent."""
    say, store = page.text, page.server.store
    st.markdown(say("gate.lead"))
    newest = {}
    for event in store.events((ALLOWED, WITHDRAWN)):
        newest[event.object_id, str(event.detail.get("host"))] = event
    on = {key: event for key, event in newest.items() if event.action == ALLOWED}
    if not on:
        st.info(say("gate.nothing_allowed"), icon=":material/lock:")
    for (dataset, host), event in sorted(on.items()):
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            words = say("gate.on", host=host, vendor=_vendor(page, host), dataset=dataset)
            since = say("gate.since", when=page.formats.moment(event.created_at), who=event.actor)
            st.markdown(f"**{escape_markdown(words)}**  \n{escape_markdown(since)}")
            if st.button(say("gate.turn_off", host=escape_markdown(host)), key=f"off-{dataset}-{host}"):
                with shown_errors():
                    withdraw_provider(store, page.person, dataset, host)
                    st.rerun()
    _draw_log(page)


def _draw_log(page: Page) -> None:
    say = page.text
    sent = page.server.store.events((SENT,))
    st.subheader(say("gate.log"))
    if not sent:
        st.caption(say("gate.log_empty"))
        return
    grouped = defaultdict(list)
    for event in sent:
        grouped[str(event.detail.get("host")), str(event.detail.get("dataset"))].append(event)
    rows = [
        {
            say("gate.host"): host,
            say("gate.dataset"): dataset,
            say("gate.sent_times"): len(events),
            say("gate.pictures"): sum(len(event.detail.get("picture_sha256", ())) for event in events),
            say("gate.first_time"): page.formats.moment(events[0].created_at),
            say("gate.last_time"): page.formats.moment(events[-1].created_at),
        }
        for (host, dataset), events in sorted(grouped.items())
    ]
    draw_table(rows)
    with st.expander(say("gate.log_each", n=min(len(sent), _SHOWN))):
        each = [
            {
                say("gate.when"): page.formats.moment(event.created_at),
                say("gate.who"): event.actor,
                say("gate.host"): str(event.detail.get("host")),
                say("review.case"): str(event.detail.get("case_id")),
                say("results.model"): model_name(page, str(event.detail.get("model"))),
                say("gate.pictures"): len(event.detail.get("picture_sha256", ())),
                say("gate.request_hash"): str(event.detail.get("request_sha256"))[:16],
                say("gate.picture_hashes"): " ".join(str(one)[:8] for one in event.detail.get("picture_sha256", ())),
            }
            for event in reversed(sent[-_SHOWN:])
        ]
        draw_table(each)
