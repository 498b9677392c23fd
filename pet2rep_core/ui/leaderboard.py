"""The leaderboard on the page: what to show, the table, one metric in full, and charts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from pet2rep_core.records import GenerationStatus, Language
from pet2rep_core.report.lexicon import organ_name, read_lexicon
from pet2rep_core.scoring.profiles import DEFAULT_PROFILE, PROFILES, ReportPart
from pet2rep_core.scoring.statistics import Interval
from pet2rep_core.ui.board_cache import shown_board
from pet2rep_core.ui.chart_frame import draw
from pet2rep_core.ui.frame import LANGUAGE_NAMES, Page, page_part
from pet2rep_core.ui.leaderboard_charts import Dot, Line, dot_plot, organ_map, settings_plot
from pet2rep_core.ui.names import entry_name, group_name, metric_name, profile_name, setting_name
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.workflow.jobs import ScoreJob, start_scoring
from pet2rep_core.workflow.leaderboard import OVERALL, OVERALL_OF, BoardRow, Leaderboard, Selection
from pet2rep_core.workflow.leaderboard_table import reason_of
from pet2rep_core.workflow.score_book import Entry, ScoreBook

_LINE_PX, _TALLEST_PX, _MODEL_PX = 35, 1200, 330
_BAD = (GenerationStatus.EMPTY, GenerationStatus.CUT, GenerationStatus.REFUSED, GenerationStatus.FAILED)


def draw_leaderboard(page: Page, book: ScoreBook) -> Leaderboard | None:
    """Draw the leaderboard with its controls; returns it as it is exported, or None where there is none."""
    if not book.entries:
        st.info(page.text("leaderboard.no_generated"))
        return None
    if not book.languages:
        st.info(page.text("leaderboard.none"))
        return None
    selection = _choose(page, book)
    with st.spinner(page.text("leaderboard.working")):
        board = shown_board(book, selection)
    if selection.same_cases and not board.cases:
        st.warning(page.text("leaderboard.no_common"))
        return None
    shown = _filtered(page, board)
    _draw_remarks(page, board)
    if not shown.rows:
        st.info(page.text("leaderboard.nothing_left"))
        return board
    _draw_table(page, shown)
    _draw_metric(page, shown)
    _draw_organs(page, shown)
    _draw_settings(page, shown)
    return board


def draw_scoring(page: Page, *, expanded: bool) -> None:
    """Let a researcher score everything that lacks scores."""
    say = page.text
    with st.expander(say("leaderboard.scoring"), expanded=expanded):
        _draw_scoring_form(page)


def _draw_scoring_form(page: Page) -> None:
    say = page.text
    profile_box, part_box, button_box = st.columns([3, 3, 3], vertical_alignment="bottom")
    profile = profile_box.selectbox(
        say("leaderboard.score_profile"), list(PROFILES), format_func=lambda name: profile_name(page, name),
        key="score_profile",
    )  # fmt: skip
    part = part_box.selectbox(
        say("leaderboard.score_part"), list(ReportPart), format_func=lambda one: say(f"leaderboard.part_{one.value}"),
        key="score_part",
    )  # fmt: skip
    jobs = page.server.score_jobs
    at_work = bool(jobs) and jobs[-1].running
    if button_box.button(say("leaderboard.score_all"), width="stretch", disabled=at_work):
        chosen = ReportPart(part or ReportPart.FULL)
        job = start_scoring(
            page.server.store,
            page.server.settings,
            profile=profile or DEFAULT_PROFILE,
            part=chosen,
            person=page.person,
        )
        jobs.append(job)
        st.rerun()
    if jobs:
        _draw_job(page, jobs[-1])


def _draw_job(page: Page, job: ScoreJob) -> None:
    """Show how far a scoring is, or how it ended; it goes on when the page is left."""
    if job.running:
        _draw_running(page, job)
        return
    say = page.text
    if job.problem is not None:
        st.error(escape_markdown(page.said(str(job.problem))))
    if job.cancelled and len(job.outcomes) < job.total:
        st.warning(say("leaderboard.score_cancelled", done=len(job.outcomes), total=job.total))
    without = [one for one in job.outcomes if one.reason]
    st.caption(say("leaderboard.score_done", done=len(job.outcomes) - len(without), without=len(without)))


@partial(page_part, run_every=0.7)
def _draw_running(page: Page, job: ScoreJob) -> None:
    say = page.text
    done, left = len(job.outcomes), job.seconds_left
    words = say("results.scoring", done=done, total=job.total)
    if left is not None:
        words += " · " + say("import.left", seconds=f"{left:.0f}")
    st.progress(done / job.total if job.total else 0.0, words)
    if job.cancelled:
        st.caption(say("import.cancelling"))
    elif st.button(say("import.cancel"), key="cancel_scoring"):
        job.cancel()
    if not job.running:
        st.rerun()


def _choose(page: Page, book: ScoreBook) -> Selection:
    say = page.text
    boxes = st.columns([2, 3, 3, 4], vertical_alignment="bottom")
    languages = book.languages
    first = page.language if page.language in languages else languages[0]
    language = Language(
        boxes[0].selectbox(
            say("leaderboard.language"), languages, index=languages.index(first),
            format_func=LANGUAGE_NAMES.__getitem__, key="board_language",
        )
        or first
    )  # fmt: skip
    ways = book.ways(language)
    profiles = list(dict.fromkeys(name for name, _ in ways))
    profile = boxes[1].selectbox(
        say("leaderboard.profile"), profiles, format_func=lambda name: profile_name(page, name), key="board_profile"
    ) or profiles[0]  # fmt: skip
    parts = [part for name, part in ways if name == profile]
    part = boxes[2].selectbox(
        say("leaderboard.part"), parts, format_func=lambda one: say(f"leaderboard.part_{one.value}"), key="board_part"
    ) or parts[0]  # fmt: skip
    there = sorted({book.datasets[case] for case in book.cases[language] if case in book.datasets})
    chosen = (
        boxes[3].multiselect(
            say("leaderboard.datasets"), there, key="board_datasets", placeholder=say("leaderboard.all")
        )
        if len(there) > 1
        else []
    )
    selection = Selection(language, profile, ReportPart(part), tuple(chosen) or None)
    if not PROFILES[profile].confirmed:
        st.caption(say("leaderboard.unconfirmed"))
    everything = shown_board(book, selection)
    if everything.common == everything.cases:
        return selection
    same = st.toggle(
        say("leaderboard.same_cases", n=everything.common, cases=everything.cases),
        help=say("leaderboard.same_cases_help"), key="board_same_cases",
    )  # fmt: skip
    return replace(selection, same_cases=same)


def _filtered(page: Page, board: Leaderboard) -> Leaderboard:
    """Let a person look at some of the rows; the numbers stay those of the whole table."""
    say = page.text
    groups = list(dict.fromkeys(row.entry.group for row in board.rows))
    settings = list(dict.fromkeys(row.entry.input_setting for row in board.rows))
    names = {row.entry: entry_name(page, row.entry) for row in board.rows}
    group_box, setting_box, model_box = st.columns([2, 2, 4])
    wanted_groups = group_box.multiselect(
        say("leaderboard.groups"),
        groups,
        format_func=lambda group: group_name(page, group),
        key="board_groups",
        placeholder=say("leaderboard.all"),
    )
    wanted_settings = setting_box.multiselect(
        say("leaderboard.settings"),
        settings,
        format_func=lambda one: setting_name(page, one),
        key="board_settings",
        placeholder=say("leaderboard.all"),
    )
    wanted_models = model_box.multiselect(
        say("leaderboard.models"),
        list(dict.fromkeys(names.values())),
        key="board_models",
        placeholder=say("leaderboard.all"),
    )
    rows = tuple(
        row
        for row in board.rows
        if (not wanted_groups or row.entry.group in wanted_groups)
        and (not wanted_settings or row.entry.input_setting in wanted_settings)
        and (not wanted_models or names[row.entry] in wanted_models)
    )
    kept = {row.entry for row in rows}
    pairs = tuple(pair for pair in board.pairs if pair.separate in kept and pair.fused in kept)
    return replace(board, rows=rows, pairs=pairs)


def _draw_remarks(page: Page, board: Leaderboard) -> None:
    say = page.text
    if not board.selection.same_cases and board.common < board.cases:
        st.warning(say("leaderboard.overlap", common=board.common, cases=board.cases))
    if waiting := sum(row.unscored for row in board.rows):
        st.info(say("leaderboard.not_scored", n=waiting))
    if board.template is None:
        st.info(say("leaderboard.no_template"))


def _draw_table(page: Page, board: Leaderboard) -> None:
    say = page.text
    number = st.column_config.NumberColumn
    names = {metric: metric_name(page, metric) for metric in OVERALL_OF if metric in board.metrics}
    rows = [_table_row(page, board, row) for row in board.rows]
    config: dict[str, Any] = {
        say("leaderboard.model"): st.column_config.TextColumn(pinned=True, width=_MODEL_PX),
        **{name: number(format="%.4f") for name in names.values()},
        say("leaderboard.overall_percent"): number(format="%.1f"),
        say("leaderboard.gain"): number(format="%+.1f"),
        say("leaderboard.p_holm"): number(format="%.4f"),
        say("leaderboard.no_report"): number(help=say("leaderboard.no_report_help")),
    }
    st.caption(say("leaderboard.about", models=len(board.rows), cases=board.cases))
    height = min(_TALLEST_PX, _LINE_PX * (len(rows) + 1) + 3)
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", height=height, column_config=config)
    for row in board.rows:
        if missing := row.cells[OVERALL].missing:
            lacking = ", ".join(metric_name(page, name) for name in missing)
            model = escape_markdown(entry_name(page, row.entry))
            st.caption(say("leaderboard.no_overall", model=model, metrics=lacking))
    st.caption(say("leaderboard.how", resamples=board.resamples, seed=board.seed))
    with st.expander(say("leaderboard.signatures")):
        lines = [
            {say("leaderboard.metric"): metric_name(page, name), say("leaderboard.signature"): board.signatures[name]}
            for name in board.metrics
        ]
        st.dataframe(pd.DataFrame(lines), hide_index=True, width="stretch")


def _table_row(page: Page, board: Leaderboard, row: BoardRow) -> dict[str, object]:
    say = page.text
    overall = row.cells[OVERALL]
    gain = None if overall.gain is None else overall.gain.value
    return {
        say("leaderboard.model"): entry_name(page, row.entry),
        say("leaderboard.setting"): setting_name(page, row.entry.input_setting),
        say("leaderboard.cases", n=board.cases): row.cases,
        say("leaderboard.no_report"): sum(row.statuses.get(one, 0) for one in _BAD if one is not GenerationStatus.CUT),
        say("leaderboard.overall_percent"): _percent(overall.interval.value),
        say("leaderboard.interval"): _span(overall.interval),
        say("leaderboard.gain"): _percent(gain),
        say("leaderboard.p_holm"): overall.p_holm,
        **{
            metric_name(page, name): row.cells[name].interval.value if name in row.cells else None
            for name in OVERALL_OF
            if name in board.metrics
        },
        **{say(f"leaderboard.status_{status.value}"): row.statuses.get(status, 0) for status in _BAD},
        say("leaderboard.group"): group_name(page, row.entry.group),
    }


def _draw_metric(page: Page, board: Leaderboard) -> None:
    say = page.text
    metric = _choose_metric(page, board.metrics, "board_metric")
    name = metric_name(page, metric)
    st.subheader(say("leaderboard.chart_dots", metric=name))
    dots = [
        Dot(
            _line_name(page, board, row.entry), row.entry.group, row.entry.input_setting, interval.value,
            interval.low, interval.high,
        )
        for row in board.rows
        if (interval := row.cells[metric].interval).value is not None
    ]  # fmt: skip
    template = next((row.cells[metric].interval.value for row in board.rows if row.entry == board.template), None)
    figure = dot_plot(
        dots, axis=name, group_name=lambda group: group_name(page, group), template=template,
        template_name=say("leaderboard.chart_template"), percent=metric == OVERALL,
    )  # fmt: skip
    if dots:
        draw(figure, "board_dots")
    with st.expander(say("leaderboard.one_metric")):
        rows = [_metric_row(page, row, metric) for row in board.rows]
        plain = (say("leaderboard.model"), say("leaderboard.setting"), say("leaderboard.reason"))
        counts = (say("leaderboard.scored"), say("leaderboard.same"))
        config = {
            column: st.column_config.NumberColumn(format="%.4f")
            for column in rows[0]
            if column not in (*plain, *counts)
        }
        st.dataframe(pd.DataFrame(rows), hide_index=True, width="stretch", column_config=config)


def _metric_row(page: Page, row: BoardRow, metric: str) -> dict[str, object]:
    say, cell = page.text, row.cells[metric]
    gain, test = cell.gain, cell.against
    return {
        say("leaderboard.model"): entry_name(page, row.entry),
        say("leaderboard.setting"): setting_name(page, row.entry.input_setting),
        say("leaderboard.value"): cell.interval.value,
        say("leaderboard.low"): cell.interval.low,
        say("leaderboard.high"): cell.interval.high,
        say("leaderboard.sd"): cell.sd,
        say("leaderboard.scored"): cell.scored,
        say("leaderboard.difference"): gain and gain.value,
        say("leaderboard.difference_low"): gain and gain.low,
        say("leaderboard.difference_high"): gain and gain.high,
        say("leaderboard.same"): gain and gain.cases,
        say("leaderboard.p_value"): test and test.p_value,
        say("leaderboard.p_holm"): cell.p_holm,
        say("leaderboard.reason"): page.said(reason_of(cell)),
    }


def _draw_organs(page: Page, board: Leaderboard) -> None:
    say = page.text
    st.subheader(say("leaderboard.chart_organs"))
    entries = [row.entry for row in board.rows]
    organs = [
        organ.id
        for organ in read_lexicon().organs
        if any(organ.id in board.organs and (c := board.organs[organ.id].get(e)) and c.cases for e in entries)
    ]
    if not organs:
        st.info(say("leaderboard.no_organs"))
        return
    shares: list[list[float | None]] = []
    counts, hovers = [], []
    for entry in entries:
        cells = [board.organs[organ].get(entry) for organ in organs]
        shares.append([cell.match / cell.cases if cell and cell.cases else None for cell in cells])
        counts.append([f"{cell.match}/{cell.cases}" if cell and cell.cases else "" for cell in cells])
        hovers.append(
            [
                say(
                    "leaderboard.chart_organs_hover",
                    match=cell.match, missed=cell.missed, invented=cell.invented, differs=cell.differs,
                )
                if cell
                else ""
                for cell in cells
            ]
        )  # fmt: skip
    labels = [_line_name(page, board, entry) for entry in entries]
    draw(organ_map(labels, [organ_name(o, page.language) for o in organs], shares, counts, hovers), "board_organs")
    st.caption(say("leaderboard.chart_organs_help"))


def _draw_settings(page: Page, board: Leaderboard) -> None:
    say = page.text
    st.subheader(say("leaderboard.chart_settings"))
    if not board.pairs:
        st.info(say("leaderboard.no_pairs"))
        return
    metric = str(st.session_state.get("board_metric", OVERALL))
    values = {row.entry: row.cells[metric].interval.value for row in board.rows if metric in row.cells}
    lines = [
        Line(entry_name(page, pair.separate), pair.separate.group, separate, fused)
        for pair in board.pairs
        if (separate := values.get(pair.separate)) is not None and (fused := values.get(pair.fused)) is not None
    ]
    names = {one: setting_name(page, one) for one in ("separate", "fused")}
    if lines:
        draw(
            settings_plot(lines, axis=metric_name(page, metric), names=names, percent=metric == OVERALL),
            "board_settings_plot",
        )
    st.caption(say("leaderboard.chart_settings_help"))


def _choose_metric(page: Page, metrics: tuple[str, ...], key: str) -> str:
    ordered = [OVERALL, *(name for name in metrics if name != OVERALL)]
    chosen = st.selectbox(
        page.text("leaderboard.metric"), ordered, format_func=lambda name: metric_name(page, name), key=key, width=320
    )
    return chosen or OVERALL


def _line_name(page: Page, board: Leaderboard, entry: Entry) -> str:
    """Return the name of an entry with its setting where the model has several."""
    name = entry_name(page, entry)
    twins = {row.entry.input_setting for row in board.rows if entry_name(page, row.entry) == name}
    return f"{name} · {setting_name(page, entry.input_setting)}" if len(twins) > 1 else name


def _span(interval: Interval) -> str:
    if interval.low is None or interval.high is None:
        return "–"
    return f"{100 * interval.low:.1f} – {100 * interval.high:.1f}"


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value
