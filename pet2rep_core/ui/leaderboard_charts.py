"""Charts of a leaderboard: scores with intervals, organs, input settings, model size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from pet2rep_core.ui.chart_frame import LINE, framed

# Okabe and Ito's colours keep apart for colour-blind readers, on white and on black.
COLOURS = {
    "baseline": "#8c8c8c", "demonstration": "#E69F00", "model": "#0072B2",
    "general": "#0072B2", "medical": "#009E73", "closed": "#D55E00",
}  # fmt: skip
SYMBOLS = {"separate": "circle", "fused": "diamond", "fused-measured": "star", "text-only": "square"}


@dataclass(frozen=True, slots=True)
class Dot:
    """One score of one model. ``low`` and ``high`` are the ends of its interval."""

    label: str
    group: str
    setting: str
    value: float
    low: float | None = None
    high: float | None = None
    size_b: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One model from separate to fused images."""

    label: str
    group: str
    separate: float
    fused: float


Name = Callable[[str], str]


def dot_plot(
    dots: Sequence[Dot], *, axis: str, group_name: Name, template: float | None, template_name: str, percent: bool
) -> go.Figure:
    """Return scores with their intervals, the highest on top."""
    ordered = sorted(dots, key=lambda dot: dot.value)
    figure = go.Figure()
    for group in dict.fromkeys(dot.group for dot in dots):
        mine = [dot for dot in ordered if dot.group == group]
        symbols = [SYMBOLS.get(dot.setting, "circle") for dot in mine]
        figure.add_scatter(
            x=[dot.value for dot in mine],
            y=[dot.label for dot in mine],
            mode="markers",
            name=group_name(group),
            marker={"color": COLOURS[group], "size": 10, "symbol": symbols},
            error_x={
                "type": "data", "symmetric": False, "thickness": 1.6, "width": 4, "color": COLOURS[group],
                "array": [(dot.high or dot.value) - dot.value for dot in mine],
                "arrayminus": [dot.value - (dot.value if dot.low is None else dot.low) for dot in mine],
            },
            customdata=[[_end(dot.low), _end(dot.high)] for dot in mine],
            hovertemplate="%{y}<br>%{x:.4f} [%{customdata[0]}, %{customdata[1]}]<extra></extra>",
        )  # fmt: skip
    _template_line(figure, template, template_name, vertical=True)
    figure.update_yaxes(categoryorder="array", categoryarray=[dot.label for dot in ordered], automargin=True)
    figure.update_xaxes(title_text=axis, tickformat=_tick(percent))
    return framed(figure, rows=len(dots))


def settings_plot(lines: Sequence[Line], *, axis: str, names: Mapping[str, str], percent: bool) -> go.Figure:
    """Return a line for each model from its score with separate images to that with fused ones."""
    ordered = sorted(lines, key=lambda line: line.fused)
    figure = go.Figure()
    for line in ordered:
        figure.add_scatter(
            x=[line.separate, line.fused], y=[line.label] * 2, mode="lines", showlegend=False, hoverinfo="skip",
            line={"color": LINE, "width": 3},
        )  # fmt: skip
    for setting, colour in (("separate", "#56B4E9"), ("fused", "#D55E00")):
        figure.add_scatter(
            x=[line.separate if setting == "separate" else line.fused for line in ordered],
            y=[line.label for line in ordered],
            mode="markers",
            name=names[setting],
            marker={"color": colour, "size": 10, "symbol": SYMBOLS[setting]},
            hovertemplate="%{y}<br>%{x:.4f}<extra>" + names[setting] + "</extra>",
        )
    figure.update_yaxes(categoryorder="array", categoryarray=[line.label for line in ordered], automargin=True)
    figure.update_xaxes(title_text=axis, tickformat=_tick(percent))
    return framed(figure, rows=len(lines))


def organ_map(
    labels: Sequence[str],
    organs: Sequence[str],
    shares: Sequence[Sequence[float | None]],
    counts: Sequence[Sequence[str]],
    hovers: Sequence[Sequence[str]],
) -> go.Figure:
    """Return a heat map of models (down) and organs (across); shares from 0 to 1, None where there is no case."""
    figure = go.Figure(
        go.Heatmap(
            z=shares, x=list(organs), y=list(labels), text=counts, customdata=hovers, zmin=0, zmax=1, xgap=2, ygap=2,
            texttemplate="%{text}", colorscale="Cividis", hoverongaps=False,
            hovertemplate="%{y}<br>%{x}: %{z:.0%}<br>%{customdata}<extra></extra>",
            colorbar={"tickformat": ".0%", "thickness": 12, "outlinewidth": 0},
        )
    )  # fmt: skip
    figure.update_xaxes(tickangle=-50, automargin=True, showgrid=False, tickfont={"size": 12})
    figure.update_yaxes(autorange="reversed", automargin=True, showgrid=False)
    figure = framed(figure, rows=len(labels))
    figure.update_layout(height=len(labels) * 34 + 190)
    return figure


def size_plot(
    dots: Sequence[Dot],
    *,
    axis: str,
    size_axis: str,
    group_name: Name,
    setting_name: Name,
    template: float | None,
    template_name: str,
    percent: bool,
) -> go.Figure:
    """Return scores against the number of parameters on a logarithmic axis."""
    figure = go.Figure()
    for group in dict.fromkeys(dot.group for dot in dots):
        for setting in dict.fromkeys(dot.setting for dot in dots):
            mine = [dot for dot in dots if dot.group == group and dot.setting == setting and dot.size_b is not None]
            if not mine:
                continue
            marker = {"color": COLOURS[group], "size": 11, "symbol": SYMBOLS[setting], "opacity": 0.85}
            figure.add_scatter(
                x=[dot.size_b for dot in mine],
                y=[dot.value for dot in mine],
                text=[dot.label for dot in mine],
                mode="markers",
                name=f"{group_name(group)} · {setting_name(setting)}",
                marker=marker,
                hovertemplate="%{text}<br>%{y:.4f}<extra></extra>",
            )
    sizes = sorted({dot.size_b for dot in dots if dot.size_b is not None})
    _template_line(figure, template, template_name, vertical=False)
    figure.update_xaxes(
        type="log", title_text=size_axis, tickvals=_apart(sizes), ticktext=[f"{s:g}" for s in _apart(sizes)]
    )
    figure.update_yaxes(title_text=axis, rangemode="tozero", tickformat=_tick(percent))
    figure = framed(figure, rows=0)
    figure.update_layout(height=430)
    return figure


def _template_line(figure: go.Figure, value: float | None, name: str, *, vertical: bool) -> None:
    if value is None:
        return
    line = {"line_dash": "dash", "line_color": COLOURS["baseline"], "annotation_text": name}
    if vertical:
        figure.add_vline(x=value, annotation_position="bottom right", **line)
    else:
        figure.add_hline(y=value, annotation_position="top right", **line)


def _apart(sizes: Sequence[float]) -> list[float]:
    """Return the sizes that can be written beside each other on a logarithmic axis."""
    kept: list[float] = []
    for size in sizes:
        if not kept or size / kept[-1] > 1.15:
            kept.append(size)
    return kept


def _tick(percent: bool) -> str:
    return ".0%" if percent else ""


def _end(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"
