"""The results page: summaries, and tables to take away."""

from __future__ import annotations

import hashlib

import streamlit as st

from pet2rep_core.ui.frame import Page
from pet2rep_core.workflow.export import FORMATS, TABLES, encode_table, table
from pet2rep_core.workflow.score import score_everything, summarise_scores


def draw_scores_by_model(page: Page) -> None:
    """Draw mean and spread over cases of each metric and model, with signatures."""
    say = page.text
    st.subheader(say("results.scores"))
    if st.button(say("results.score_all")):
        bar = st.progress(0.0)
        for done, total in score_everything(page.server.store):
            bar.progress(done / total, say("results.scoring", done=done, total=total))
        bar.empty()
    summary = summarise_scores(table(page.server.store, "scores"))
    if summary.empty:
        st.info(say("results.none"))
        return
    names = {
        "model": say("results.model"),
        "language": say("app.language"),
        "metric": say("results.metric"),
        "mean": say("results.mean"),
        "sd": say("results.sd"),
        "cases": say("results.cases"),
        "unscored": say("results.unscored"),
        "signature": say("scores.signature"),
    }
    st.dataframe(
        summary.rename(columns=names),
        hide_index=True,
        width="stretch",
        column_config={names[c]: st.column_config.NumberColumn(format="%.4f") for c in ("mean", "sd")},
    )


def draw_ratings(page: Page) -> None:
    """Draw the newest ratings."""
    st.subheader(page.text("results.ratings"))
    ratings = table(page.server.store, "ratings")
    if ratings.num_rows == 0:
        st.info(page.text("results.no_ratings"))
        return
    names = {
        "case_id": page.text("review.case"),
        "model": page.text("results.model"),
        "language": page.text("app.language"),
        "reader": page.text("app.reader"),
        "dimension": page.text("results.dimension"),
        "value": page.text("scores.value"),
        "not_assessable": page.text("results.not_assessable"),
        "revision": page.text("results.revision"),
        "created_at": page.text("results.saved_at"),
    }
    frame = ratings.select(list(names)).to_pandas()
    dimensions = {d.key: d.name[page.language] for d in page.server.rubric.dimensions}
    frame["dimension"] = frame["dimension"].map(lambda key: dimensions.get(key, key))
    st.dataframe(frame.rename(columns=names), hide_index=True, width="stretch")


def draw_downloads(page: Page) -> None:
    """Offer every table in every format."""
    for name in TABLES:
        content = table(page.server.store, name)
        if content.num_rows == 0:
            continue
        for box, file_format in zip(st.columns(4), FORMATS, strict=False):
            data = encode_table(content, file_format)
            # The name carries the content's hash: Streamlit tells large files of one name apart by their ends only.
            digest = hashlib.sha256(data).hexdigest()[:12]
            box.download_button(
                page.text("results.download", name=page.text(f"results.{name}_name"), format=file_format.upper()),
                data,
                file_name=f"pet2rep_{name}_{digest}.{file_format}",
                on_click="ignore",
                key=f"download-{name}-{file_format}",
                width="stretch",
            )
