"""Leaderboards are computed once for the scores that are in the store, whoever looks at them."""

from __future__ import annotations

from typing import TypeAlias

import streamlit as st

from pet2rep_core.records import text_sha256
from pet2rep_core.store import Store
from pet2rep_core.ui.frame import Page
from pet2rep_core.workflow.leaderboard import Leaderboard, Selection, make_leaderboard
from pet2rep_core.workflow.leaderboard_export import leaderboard_files
from pet2rep_core.workflow.permissions import RESEARCH, require
from pet2rep_core.workflow.score_book import ScoreBook, read_score_book

Version: TypeAlias = tuple[str, int, str]
"""Folder of the store, number of runs, mark of the scores."""

_KEEP_S = 3600
_READ_AGAIN_S = 300  # a generation that is not scored yet moves no version


def shown_book(page: Page) -> ScoreBook:
    """Return all scores of the store; the cache asks nobody who looks, so this does."""
    require(page.person, RESEARCH)
    return _book(_version(page), page.server.store)


def shown_board(book: ScoreBook, selection: Selection) -> Leaderboard:
    """Return a leaderboard of these scores."""
    return _board(_identity(book), selection, book)


def shown_files(book: ScoreBook, board: Leaderboard) -> dict[str, bytes]:
    """Return a leaderboard in every format, and its manifest."""
    return _files(_identity(book), board.selection, board)


def _identity(book: ScoreBook) -> str:
    """Return what a leaderboard depends on beside the scores, in one hash: cases, datasets, how generations ended."""
    facts = (book.sha256, book.cases, book.datasets, [(one.entry, one.statuses) for one in book.entries])
    return text_sha256(repr(facts))


def _version(page: Page) -> Version:
    store = page.server.store
    return str(page.server.settings.home), len(store.runs()), store.scores_version()


@st.cache_resource(max_entries=2, ttl=_READ_AGAIN_S, show_spinner=False)
def _book(version: Version, _store: Store) -> ScoreBook:  # noqa: ARG001 - what the cache goes by
    return read_score_book(_store)


@st.cache_data(max_entries=32, ttl=_KEEP_S, show_spinner=False)
def _board(identity: str, selection: Selection, _book: ScoreBook) -> Leaderboard:  # noqa: ARG001
    return make_leaderboard(_book, selection)


@st.cache_data(max_entries=8, ttl=_KEEP_S, show_spinner=False)
def _files(identity: str, selection: Selection, _board: Leaderboard) -> dict[str, bytes]:  # noqa: ARG001
    return leaderboard_files([_board])
