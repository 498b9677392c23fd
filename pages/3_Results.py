"""Results: the leaderboard, the published table beside it, ratings, and everything as files."""

import streamlit as st

from pet2rep_core.ui.board_cache import shown_book
from pet2rep_core.ui.frame import open_page, shown_errors
from pet2rep_core.ui.leaderboard import draw_leaderboard, draw_scoring
from pet2rep_core.ui.published import draw_published
from pet2rep_core.ui.results import draw_downloads, draw_ratings
from pet2rep_core.ui.study_results import draw_study_results

page = open_page("results")
st.title(page.text("results.title"))
if not page.is_research:
    st.info(page.text("results.reading_only"))
    st.stop()
names = ("tab_ours", "tab_published", "tab_study", "tab_ratings", "tab_files")
labels = [page.text(f"leaderboard.{name}") for name in names]
ours, published, study, ratings, files = st.tabs(labels, key="results_tab", on_change="rerun")
book, board = shown_book(page), None
with ours, shown_errors():
    draw_scoring(page, expanded=not book.languages)
    board = draw_leaderboard(page, book)
with published, shown_errors():
    draw_published(page)
# Thousands of ratings take seconds: only for who looks at them. And a tab that opens draws the page anew, which
# takes back the files that were offered a moment before.
if study.open:
    with study, shown_errors():
        draw_study_results(page)
if ratings.open:
    with ratings, shown_errors():
        draw_ratings(page)
if files.open:
    with files, shown_errors():
        draw_downloads(page, book, board)
