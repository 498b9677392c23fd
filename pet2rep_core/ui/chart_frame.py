"""What all charts of results have in common: lines that are seen on white and on black, size, legend."""

from __future__ import annotations

import plotly.graph_objects as go
import streamlit as st

LINE, GRID = "rgba(128, 128, 128, 0.75)", "rgba(128, 128, 128, 0.25)"
_ROW_PX, _FRAME_PX = 30, 100


def draw(figure: go.Figure, key: str) -> None:
    """Draw a figure in the colours of the page."""
    st.plotly_chart(figure, key=key, config={"displaylogo": False, "displayModeBar": False})


def framed(figure: go.Figure, *, rows: int) -> go.Figure:
    """Return a figure with its legend above, a quiet grid, and the height that so many rows need."""
    figure.update_layout(
        height=_FRAME_PX + _ROW_PX * max(rows, 3),
        margin={"l": 10, "r": 20, "t": 40, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.02, "x": 0, "xanchor": "left"},
        hoverlabel={"namelength": -1},
    )
    figure.update_xaxes(gridcolor=GRID, zeroline=False)
    figure.update_yaxes(gridcolor=GRID, zeroline=False)
    return figure
