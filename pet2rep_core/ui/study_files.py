"""A study as files to take away, made when they are asked for."""

from __future__ import annotations

import hashlib
from functools import partial

import streamlit as st

from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.names import format_name
from pet2rep_core.ui.study_cache import shown_study_files
from pet2rep_core.workflow.leaderboard_export import zip_files
from pet2rep_core.workflow.study_export import STUDY_FORMATS
from pet2rep_core.workflow.study_source import StudySource


def draw_files(page: Page, version: str, source: StudySource) -> None:
    """Offer the study in every format, each as one archive with methods and manifest."""
    say = page.text
    st.subheader(say("study_results.files_title"))
    st.caption(say("study_results.files_note"))
    mark = st.toggle(
        say("study_results.byte_order_mark"), help=say("study_results.byte_order_mark_help"), key="csv_mark"
    )
    digest = hashlib.sha256(version.encode()).hexdigest()[:8]
    for box, file_format in zip(st.columns(len(STUDY_FORMATS)), STUDY_FORMATS, strict=True):
        box.download_button(
            say("study_results.file", format=format_name(file_format)),
            partial(_archive, version, source, file_format, mark=mark),  # made at the click: it takes seconds
            file_name=f"pet2rep_study_{file_format}{'_bom' if mark and file_format == 'csv' else ''}_{digest}.zip",
            mime="application/zip",
            on_click="ignore",
            key=f"study-file-{file_format}-{mark}",
            width="stretch",
        )


def _archive(version: str, source: StudySource, file_format: str, *, mark: bool) -> bytes:
    return zip_files(shown_study_files(version, source, file_format, mark=mark))
