"""The published Table 1 on a place of its own, never mixed with the scores of this program."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pet2rep_core.ui.chart_frame import draw
from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.leaderboard_charts import Dot, Line, settings_plot, size_plot
from pet2rep_core.ui.names import group_name, metric_name, setting_name
from pet2rep_core.workflow.leaderboard import FUSED, OVERALL, OVERALL_OF, SEPARATE
from pet2rep_core.workflow.published import PublishedRow, read_published

_TABLE_PX = 560


def draw_published(page: Page) -> None:
    """Draw the printed table, scores against model size, and separate against fused images."""
    say = page.text
    rows = read_published()
    st.subheader(say("leaderboard.published_title"))
    st.caption(say("leaderboard.published_note"))
    group_box, setting_box, sd_box = st.columns([3, 3, 3], vertical_alignment="bottom")
    groups = group_box.multiselect(
        say("leaderboard.groups"), list(dict.fromkeys(row.group for row in rows)),
        format_func=lambda group: group_name(page, group), key="published_groups", placeholder=say("leaderboard.all"),
    )  # fmt: skip
    settings = setting_box.multiselect(
        say("leaderboard.settings"), list(dict.fromkeys(row.input_setting for row in rows)),
        format_func=lambda setting: setting_name(page, setting), key="published_settings",
        placeholder=say("leaderboard.all"),
    )  # fmt: skip
    with_sd = sd_box.toggle(say("leaderboard.show_sd"), key="published_sd")
    shown = [
        row for row in rows if (not groups or row.group in groups) and (not settings or row.input_setting in settings)
    ]
    if not shown:
        st.info(say("leaderboard.nothing_left"))
        return
    _draw_table(page, shown, with_sd=with_sd)
    metric = st.selectbox(
        say("leaderboard.metric"), [OVERALL, *OVERALL_OF], format_func=lambda name: metric_name(page, name),
        key="published_metric", width=320,
    ) or OVERALL  # fmt: skip
    _draw_sizes(page, shown, metric)
    _draw_settings(page, shown, metric)


def _draw_table(page: Page, rows: list[PublishedRow], *, with_sd: bool) -> None:
    say = page.text
    table = []
    for row in rows:
        scores: dict[str, object] = {}
        for name in OVERALL_OF:
            scores[metric_name(page, name)] = row.scores[name][0]
            if with_sd:
                scores[say("leaderboard.sd_of", metric=metric_name(page, name))] = row.scores[name][1]
        table.append(
            {
                say("leaderboard.model"): row.model,
                say("leaderboard.group"): group_name(page, row.group),
                say("leaderboard.setting"): setting_name(page, row.input_setting),
                say("leaderboard.released"): row.released,
                **scores,
                say("leaderboard.overall_printed"): row.overall_pct,
                say("leaderboard.overall_mean"): row.mean_of_six_pct,
            }
        )
    number = st.column_config.NumberColumn
    config = {column: number(format="%.4f") for column, value in table[0].items() if isinstance(value, float)}
    config[say("leaderboard.overall_printed")] = number(format="%.1f")
    config[say("leaderboard.overall_mean")] = number(format="%.2f")
    st.dataframe(pd.DataFrame(table), hide_index=True, width="stretch", height=_TABLE_PX, column_config=config)


def _draw_sizes(page: Page, rows: list[PublishedRow], metric: str) -> None:
    say = page.text
    st.subheader(say("leaderboard.chart_size"))
    dots = [
        Dot(f"{row.model} · {setting_name(page, row.input_setting)}", row.group, row.input_setting, _value(row, metric),
            size_b=row.size_b)
        for row in rows
        if row.size_b is not None
    ]  # fmt: skip
    models = {row.model for row in rows if row.group != "baseline"}
    sized = {row.model for row in rows if row.size_b is not None}
    if dots:
        template = next((_value(row, metric) for row in rows if row.group == "baseline"), None)
        figure = size_plot(
            dots, axis=metric_name(page, metric), size_axis=say("leaderboard.size"),
            group_name=lambda group: group_name(page, group), setting_name=lambda one: setting_name(page, one),
            template=template, template_name=say("leaderboard.chart_template"), percent=metric == OVERALL,
        )  # fmt: skip
        draw(figure, "published_sizes")
    st.caption(say("leaderboard.size_note", n=len(sized), all=len(models)))


def _draw_settings(page: Page, rows: list[PublishedRow], metric: str) -> None:
    say = page.text
    st.subheader(say("leaderboard.chart_settings"))
    found = {(row.model, row.input_setting): row for row in rows}
    lines = [
        Line(row.model, row.group, _value(row, metric), _value(found[row.model, FUSED], metric))
        for row in rows
        if row.input_setting == SEPARATE and (row.model, FUSED) in found
    ]
    if not lines:
        st.info(say("leaderboard.no_pairs"))
        return
    names = {one: setting_name(page, one) for one in (SEPARATE, FUSED)}
    draw(
        settings_plot(lines, axis=metric_name(page, metric), names=names, percent=metric == OVERALL),
        "published_settings_plot",
    )
    st.caption(say("leaderboard.chart_settings_help"))


def _value(row: PublishedRow, metric: str) -> float:
    return row.overall_pct / 100 if metric == OVERALL else row.scores[metric][0]
