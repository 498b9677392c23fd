"""Charts of a reader's measurement: the histogram of a region, the profile along a line."""

from __future__ import annotations

from itertools import pairwise

import plotly.graph_objects as go
import streamlit as st

from pet2rep_core.imaging.measure import measure_line
from pet2rep_core.imaging.voi import Line
from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.workflow.measure import kept_measurements
from pet2rep_core.workflow.open_case import OpenCase

_HEIGHT = 240
_PET_COLOUR, _CT_COLOUR = "#c0392b", "#7f8c8d"


def draw_chart(page: Page, case: OpenCase, measurement_id: str) -> None:
    """Draw the chart of one of the reader's own measurements; nothing where it was taken back."""
    kept = kept_measurements(page.server.store, case.row.case_id, page.reader)
    note = next((n for n in kept if n.measurement.measurement_id == measurement_id), None)
    if note is None:
        return
    measurement = note.measurement
    unit = case.pet_unit_label or "HU"
    if measurement.kind == "line":
        figure = _profile(page, case, measurement.shape, unit)
    else:
        figure = _histogram(page, measurement.result["measured"]["histogram"], unit)
    figure.update_layout(height=_HEIGHT, margin={"l": 10, "r": 10, "t": 10, "b": 10}, showlegend=False, bargap=0.02)
    st.plotly_chart(figure, key="measurement_chart", config={"displaylogo": False})
    st.caption(escape_markdown(measurement.signature))


def _histogram(page: Page, histogram: dict[str, list[float]], unit: str) -> go.Figure:
    edges, counts = histogram["edges"], histogram["counts"]
    middles = [(low + high) / 2 for low, high in pairwise(edges)]
    widths = [high - low for low, high in pairwise(edges)]
    figure = go.Figure(go.Bar(x=middles, y=counts, width=widths, marker_color=_PET_COLOUR))
    figure.update_xaxes(title_text=unit)
    figure.update_yaxes(title_text=page.text("viewer.voxels"))
    return figure


def _profile(page: Page, case: OpenCase, shape: dict[str, list[float]], unit: str) -> go.Figure:
    assert case.images is not None  # a measurement was made in them
    start, end = shape["start_mm"], shape["end_mm"]
    line = measure_line(case.images, Line((start[0], start[1], start[2]), (end[0], end[1], end[2])))
    figure = go.Figure()
    if line.pet is not None:
        figure.add_scatter(x=line.distance_mm, y=line.pet, name=unit, line={"color": _PET_COLOUR})
        figure.update_yaxes(title_text=unit)
    if line.hu is not None:
        figure.add_scatter(x=line.distance_mm, y=line.hu, name="HU", yaxis="y2", line={"color": _CT_COLOUR})
        figure.update_layout(yaxis2={"title": {"text": "HU"}, "overlaying": "y", "side": "right"})
    figure.update_xaxes(title_text=page.text("viewer.distance"))
    return figure
