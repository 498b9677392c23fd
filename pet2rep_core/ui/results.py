"""The results page: ratings, and tables to take away."""

from __future__ import annotations

import hashlib
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from pet2rep_core.ui.board_cache import shown_files
from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.names import format_name
from pet2rep_core.ui.tables import draw_table
from pet2rep_core.workflow.export import FORMATS, TABLES, encode_table, table
from pet2rep_core.workflow.leaderboard import Leaderboard
from pet2rep_core.workflow.leaderboard_export import MANIFEST, zip_files
from pet2rep_core.workflow.score_book import ScoreBook


def draw_ratings(page: Page) -> None:
    """Draw the newest ratings."""
    ratings = table(page.server.store, "ratings", person=page.person)
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
    frame["created_at"] = [page.formats.table(at) for at in frame["created_at"]]
    frame["dimension"] = frame["dimension"].map(lambda key: dimensions.get(key, key))
    draw_table(frame.rename(columns=names))


def draw_downloads(page: Page, book: ScoreBook, board: Leaderboard | None) -> None:
    """Offer the leaderboard in every format with its manifest, and every table of the study."""
    if board is not None and board.rows:
        _draw_board_files(page, book, board)
    contents = {name: table(page.server.store, name, person=page.person) for name in TABLES}
    if not any(content.num_rows for content in contents.values()):
        st.info(page.text("results.no_files"))
        return
    st.subheader(page.text("leaderboard.tables_title"))
    for name, content in contents.items():
        if content.num_rows == 0:
            continue
        for box, file_format in zip(st.columns(4), FORMATS, strict=False):
            said = page.text(
                "results.download", name=page.text(f"results.{name}_name"), format=format_name(file_format)
            )
            box.download_button(
                said,
                partial(encode_table, content, file_format),  # made at the click: 300,000 scores take seconds
                file_name=f"pet2rep_{name}_{_mark(content)}.{file_format}",
                on_click="ignore",
                key=f"download-{name}-{file_format}",
                width="stretch",
            )


def _mark(content: pa.Table) -> str:
    """Return a few letters that tell a table from what it was before."""
    said = f"{content.num_rows} {pc.max(content['created_at'])}"
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def _draw_board_files(page: Page, book: ScoreBook, board: Leaderboard) -> None:
    st.subheader(page.text("leaderboard.files_title"))
    st.caption(page.text("leaderboard.files_note"))
    files = shown_files(book, board)
    boxes = st.columns(4)
    for place, (name, data) in enumerate(files.items()):
        file_format = name.rsplit(".", 1)[-1]
        said = page.text("leaderboard.file", format=format_name(file_format))
        _offer(boxes[place % 4], page.text("leaderboard.file_manifest") if name == MANIFEST else said, data, name)
    _offer(boxes[len(files) % 4], page.text("leaderboard.file_all"), zip_files(files), "leaderboard.zip")


def _offer(box: DeltaGenerator, label: str, data: bytes, name: str) -> None:
    # The name carries the content's hash: Streamlit tells large files of one name apart by their ends only.
    stem, ending = name.split(".", 1)
    digest = hashlib.sha256(data).hexdigest()[:12]
    box.download_button(
        label, data, file_name=f"{stem}_{digest}.{ending}", on_click="ignore", key=f"download-{name}", width="stretch"
    )
