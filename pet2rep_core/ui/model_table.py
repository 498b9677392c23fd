"""The models of the catalog as a table: what each is, how it is reached and proved, the command that runs it."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.models import group_of, look_at_models, order_of, proof_name, route_name, way_of
from pet2rep_core.ui.names import catalog_of, group_name, model_name
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.ui.privacy_gate import draw_key
from pet2rep_core.ui.tables import draw_table
from pet2rep_core.vlm.model_row import Group, ModelRow
from pet2rep_core.vlm.request import Route
from pet2rep_core.workflow.model_command import command, server
from pet2rep_core.workflow.readiness import Readiness, Ready


def draw_models(page: Page) -> None:
    """Draw the table with its filters; a row that is chosen tells all about itself."""
    say = page.text
    catalog = catalog_of(page)
    looked = look_at_models(page)
    rows = sorted(catalog.rows.values(), key=order_of)
    words_box, group_box, route_box, ready_box = st.columns([4, 4, 4, 3], vertical_alignment="bottom")
    words = words_box.text_input(say("models.find"), key="models-find", placeholder=say("models.find_hint"))
    groups = group_box.multiselect(
        say("models.group"), list(Group), format_func=lambda one: group_name(page, one.value), key="models-group",
        placeholder=say("models.all"), select_all=False,
    )  # fmt: skip
    routes = route_box.multiselect(
        say("models.routes"), list(Route), format_func=lambda one: route_name(page, one), key="models-route",
        placeholder=say("models.all"), select_all=False,
    )  # fmt: skip
    ready = ready_box.checkbox(say("models.only_ready"), key="models-ready")
    shown = [
        row
        for row in rows
        if words.casefold().strip() in f"{row.id} {row.label} {row.repo} {row.api_model}".casefold()
        and (not groups or row.group in groups)
        and (not routes or set(routes) & set(row.routes))
        and (not ready or looked[row.id].ready is Ready.YES)
    ]
    st.caption(say("models.count", n=len(shown), all=len(rows), date=catalog.updated))
    if not shown:
        st.info(say("models.none"))
        return
    table = pd.DataFrame([_line(page, row, looked[row.id]) for row in shown])
    chosen = draw_table(
        table, height=430, on_select="rerun", selection_mode="single-row",
        key="models-table",
    )  # fmt: skip
    picked: list[int] = chosen["selection"]["rows"]
    if picked and picked[0] < len(shown):
        row = shown[picked[0]]
        _draw_row(page, row, looked[row.id])
    else:
        st.caption(say("models.choose"))


def _line(page: Page, row: ModelRow, one: Readiness) -> dict[str, object]:
    say = page.text
    return {
        say("models.model"): model_name(page, row.id),
        say("models.group"): group_of(page, row),
        say("models.now"): say("models.ready") if one.ready is Ready.YES else way_of(page, one),
        say("models.routes"): page.formats.listed(route_name(page, route) for route in row.routes),
        say("models.context"): row.context,
        say("models.pictures"): row.max_images,
        say("models.memory"): row.memory_gb,
        say("models.licence"): page.said(row.licence),
        say("models.gate"): page.said(row.gate),
        say("models.status"): f"{say(f'models.status_{row.status.value}')} {row.status_date}".strip(),
        say("models.proved"): page.formats.listed(
            dict.fromkeys(proof_name(page, row.proof(route)) for route in row.routes)
        ),
        say("models.id"): row.id,
    }


def _draw_row(page: Page, row: ModelRow, one: Readiness) -> None:
    say = page.text
    with st.container(border=True):
        st.markdown(f"**{escape_markdown(model_name(page, row.id))}** · {escape_markdown(way_of(page, one))}")
        for part in (one.message, one.hint):
            if part:
                st.markdown(escape_markdown(page.said(part)))
        if row.key_env:
            draw_key(page, row.key_env)
        st.caption(say("models.command"))
        for route in row.routes:
            lines = [line for line in (server(row, route), command(row, route)) if line]
            st.caption(
                f"{escape_markdown(route_name(page, route))} · {escape_markdown(proof_name(page, row.proof(route)))}"
            )
            st.code("\n".join(lines), language="bash")
        facts = {
            "models.repo": row.repo,
            "models.api_name": row.api_model,
            "models.served_at": row.base_url,
            "models.licence": page.said(row.licence),
            "models.gate": page.said(row.gate),
            "models.paper": ", ".join(row.paper_rows),
            "models.prices": _prices(row),
            "models.source": page.said(row.status_source),
        }
        lines = [page.formats.labelled(say(key), str(value)) for key, value in facts.items() if value]
        lines += [page.said(note) for note in (row.note, row.status_note, row.paper_note) if note]
        for line in lines:
            st.text(line)


def _prices(row: ModelRow) -> str:
    if row.prices is None:
        return ""
    price = row.prices
    return f"{price.input:g} / {price.output:g} {price.currency} ({price.date})"
