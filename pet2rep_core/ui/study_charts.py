"""Charts of a reader study: distributions as diverging bars, the radar of the paper, numbers with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from pet2rep_core.ui.chart_frame import GRID, LINE, framed

# Okabe and Ito's colours keep apart for colour-blind readers, on white and on black.
ARM_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8c8c8c")
ARM_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot", "solid")
ARM_SYMBOLS = ("circle", "diamond", "square", "triangle-up", "x", "cross", "star")
VALUE_COLOURS = ("#b35806", "#f1a340", "#9aa0a6", "#5ab4ac", "#01665e")
_ON_VALUE = ("#ffffff", "#1a1a1a", "#1a1a1a", "#1a1a1a", "#ffffff")
_SMALLEST_LABEL = 0.06
_SPAN_HOVER = "%{customdata[0]}<br>%{x:.3f} [%{customdata[1]}, %{customdata[2]}]<extra>"


@dataclass(frozen=True, slots=True)
class Bar:
    """How often each value from 1 to 5 was given."""

    label: str
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Mean:
    """One model of the radar: its mean on every dimension, None where there is none."""

    label: str
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """One number with its interval, and which series it belongs to."""

    label: str
    series: str
    value: float
    low: float | None
    high: float | None


def diverging_bars(bars: Sequence[Bar], *, names: Sequence[str], axis: str) -> go.Figure:
    """Return the distribution of values, one bar a label; the middle of 3 stands at zero.

    Parameters
    ----------
    names : sequence of str
        What each value from 1 to 5 is called in the legend.
    """
    figure = go.Figure()
    shown = [bar for bar in bars if sum(bar.counts)]
    for at, name in enumerate(names):
        shares = [bar.counts[at] / sum(bar.counts) for bar in shown]
        before = [sum(bar.counts[:at]) / sum(bar.counts) for bar in shown]
        middle = [(sum(bar.counts[:2]) + bar.counts[2] / 2) / sum(bar.counts) for bar in shown]
        figure.add_bar(
            x=shares,
            base=[start - centre for start, centre in zip(before, middle, strict=True)],
            y=[bar.label for bar in shown],
            orientation="h",
            name=name,
            marker={"color": VALUE_COLOURS[at], "line": {"width": 0}},
            text=[f"{100 * share:.0f}" if share >= _SMALLEST_LABEL else "" for share in shares],
            textfont={"color": _ON_VALUE[at]},
            textposition="inside",
            insidetextanchor="middle",
            textangle=0,
            constraintext="none",
            customdata=[[bar.counts[at], sum(bar.counts)] for bar in shown],
            hovertemplate="%{y}<br>" + name + ": %{customdata[0]} / %{customdata[1]} (%{x:.0%})<extra></extra>",
        )
    figure.update_layout(barmode="overlay", bargap=0.28)
    figure.add_vline(x=0, line_color=LINE, line_width=1)
    ticks = [-1, -0.5, 0, 0.5, 1]
    figure.update_xaxes(
        title_text=axis, range=[-1, 1], tickvals=ticks, ticktext=[f"{abs(100 * tick):.0f}" for tick in ticks]
    )
    figure.update_yaxes(categoryorder="array", categoryarray=[bar.label for bar in reversed(shown)], automargin=True)
    figure = framed(figure, rows=len(shown))
    figure.update_layout(legend={"traceorder": "normal"})
    return figure


def radar(means: Sequence[Mean], dimensions: Sequence[str]) -> go.Figure:
    """Return the means of every model on all dimensions, as in Figure 3 of the paper."""
    figure = go.Figure()
    for at, mean in enumerate(means):
        closed = [*mean.values, *mean.values[:1]]
        figure.add_scatterpolar(
            r=closed,
            theta=[*dimensions, *dimensions[:1]],
            name=mean.label,
            mode="lines+markers",
            line={"color": _of(ARM_COLOURS, at), "dash": _of(ARM_DASHES, at), "width": 2},
            marker={"symbol": _of(ARM_SYMBOLS, at), "size": 8},
            hovertemplate=mean.label + "<br>%{theta}: %{r:.2f}<extra></extra>",
        )
    radial = {"range": [1, 5], "tickvals": [1, 2, 3, 4, 5], "gridcolor": GRID, "linecolor": GRID, "angle": 90}
    figure.update_layout(
        polar={
            "bgcolor": "rgba(0, 0, 0, 0)",
            "radialaxis": radial,
            "angularaxis": {"gridcolor": GRID, "linecolor": LINE, "rotation": 90, "direction": "clockwise"},
        },
        height=400,
        margin={"l": 60, "r": 60, "t": 30, "b": 10},
        legend={"orientation": "h", "yanchor": "top", "y": -0.08, "x": 0.5, "xanchor": "center"},
    )
    return figure


def interval_plot(
    spans: Sequence[Span],
    *,
    axis: str,
    reference: tuple[float, str] | None = None,
    band: tuple[float, float] | None = None,
    bounds: tuple[float, float] | None = None,
) -> go.Figure:
    """Return numbers with their intervals, one line a label, in the given order from the top.

    Parameters
    ----------
    reference : (float, str), optional
        Where a dashed line stands, and what is written beside it.
    band : (float, float), optional
        An interval of the reference.
    """
    figure = go.Figure()
    series = list(dict.fromkeys(span.series for span in spans))
    labels = list(dict.fromkeys(span.label for span in spans))
    for at, name in enumerate(series):
        mine = [span for span in spans if span.series == name]
        shift = (at - (len(series) - 1) / 2) * min(0.6 / max(len(series), 1), 0.22)
        figure.add_scatter(
            x=[span.value for span in mine],
            y=[labels.index(span.label) + shift for span in mine],
            mode="markers",
            name=name,
            showlegend=len(series) > 1,
            marker={"color": _of(ARM_COLOURS, at), "size": 9, "symbol": _of(ARM_SYMBOLS, at)},
            error_x={
                "type": "data", "symmetric": False, "thickness": 1.6, "width": 4, "color": _of(ARM_COLOURS, at),
                "array": [0 if span.high is None else span.high - span.value for span in mine],
                "arrayminus": [0 if span.low is None else span.value - span.low for span in mine],
            },
            customdata=[[span.label, _end(span.low), _end(span.high)] for span in mine],
            hovertemplate=_SPAN_HOVER + name + "</extra>",
        )  # fmt: skip
    if band is not None:
        figure.add_vrect(x0=band[0], x1=band[1], fillcolor=LINE, opacity=0.18, line_width=0)
    if reference is not None:
        place, said = reference
        figure.add_vline(
            x=place, line_dash="dash", line_color=LINE, annotation_text=said, annotation_position="top right"
        )
    top = -1.3 if reference is not None and reference[1] else -0.6  # room for the words of the line
    figure.update_yaxes(
        tickvals=list(range(len(labels))), ticktext=labels, range=[len(labels) - 0.4, top], automargin=True
    )
    figure.update_xaxes(title_text=axis, range=bounds)
    return framed(figure, rows=len(labels))


def _of(colours: Sequence[str], at: int) -> str:
    return colours[at % len(colours)]


def _end(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
