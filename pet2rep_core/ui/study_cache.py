"""Results of studies are computed once for the ratings that are in the store, whoever looks at them."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from pet2rep_core.records import Person
from pet2rep_core.store import Store
from pet2rep_core.study.agreement import Agreement
from pet2rep_core.study.estimates import Plan
from pet2rep_core.ui.frame import Page
from pet2rep_core.workflow.permissions import RESEARCH, require
from pet2rep_core.workflow.study_export import StudyTables, study_files, study_tables
from pet2rep_core.workflow.study_quality import ReaderQuality, quality
from pet2rep_core.workflow.study_results import StudyResults, agreement_of, make_results
from pet2rep_core.workflow.study_source import StudySource, read_source, source_version
from pet2rep_core.workflow.study_validity import DimensionValidity, metrics_against_readers
from pet2rep_core.workflow.study_watch import LeakCount, ReaderProgress, leak_counts, progress

_KEEP_S = 3600


def shown_source(page: Page, person: Person, study_id: str) -> StudySource:
    """Return what a study has gathered; who may see it is asked anew each time.

    Raises
    ------
    PermissionDeniedError
        If the person may not see results.
    """
    require(person, RESEARCH)
    return _source(version_of(page, study_id), study_id, page.server.store, person)


def version_of(page: Page, study_id: str) -> str:
    """Return what the results of a study go by: folder of the store, ratings, events and scores."""
    return f"{page.server.settings.home} {study_id} {source_version(page.server.store, study_id)}"


def shown_results(version: str, source: StudySource) -> StudyResults:
    """Return the results of a study."""
    return _results(version, source)


def shown_agreement(version: str, source: StudySource, dimension: str, run: str, plan: Plan) -> Agreement:
    """Return the agreement on the reports of one run."""
    return _agreement(version, dimension, run, plan, source)


def shown_validity(version: str, source: StudySource, dimension: str, plan: Plan) -> DimensionValidity:
    """Return the metrics against the readers on one dimension."""
    return _validity(version, dimension, plan, source)


def shown_study_files(version: str, source: StudySource, file_format: str, *, mark: bool) -> dict[str, bytes]:
    """Return a study in one format, with methods and manifest."""
    return study_files(_tables(version, source), file_format, mark=mark)


def shown_progress(page: Page, person: Person, study_id: str) -> tuple[ReaderProgress, ...]:
    """Return how far each reader is; who may see it is asked anew each time."""
    require(person, RESEARCH)
    return _progress(version_of(page, study_id), study_id, page.server.store, person)


def shown_quality(page: Page, person: Person, study_id: str) -> tuple[ReaderQuality, ...]:
    """Return how each reader works; who may see it is asked anew each time."""
    require(person, RESEARCH)
    return _quality(version_of(page, study_id), study_id, page.server.store, person)


def shown_leaks(page: Page, person: Person, study_id: str) -> tuple[LeakCount, ...]:
    """Return what gave the models away; who may see it is asked anew each time."""
    require(person, RESEARCH)
    return _leaks(version_of(page, study_id), study_id, page.server.store, person)


@st.cache_resource(max_entries=4, ttl=_KEEP_S, show_spinner=False)
def _progress(version: str, study_id: str, _store: Store, _person: Person) -> tuple[ReaderProgress, ...]:  # noqa: ARG001
    return progress(_store, _person, study_id)


@st.cache_resource(max_entries=4, ttl=_KEEP_S, show_spinner=False)
def _quality(version: str, study_id: str, _store: Store, _person: Person) -> tuple[ReaderQuality, ...]:  # noqa: ARG001
    return quality(_store, _person, study_id)


@st.cache_resource(max_entries=4, ttl=_KEEP_S, show_spinner=False)
def _leaks(version: str, study_id: str, _store: Store, _person: Person) -> tuple[LeakCount, ...]:  # noqa: ARG001
    return leak_counts(_store, _person, study_id)


@st.cache_resource(max_entries=4, ttl=_KEEP_S, show_spinner=False)
def _source(version: str, study_id: str, _store: Store, _person: Person) -> StudySource:  # noqa: ARG001
    return read_source(_store, _person, study_id)


@st.cache_resource(max_entries=4, ttl=_KEEP_S, show_spinner=False)
def _frame(version: str, _source: StudySource) -> pd.DataFrame:  # noqa: ARG001 - what the cache goes by
    return _source.frame


@st.cache_resource(max_entries=4, ttl=_KEEP_S, show_spinner=False)
def _results(version: str, _source: StudySource) -> StudyResults:
    return make_results(_frame(version, _source), blind=_source.blind)


@st.cache_resource(max_entries=64, ttl=_KEEP_S, show_spinner=False)
def _agreement(version: str, dimension: str, run: str, plan: Plan, _source: StudySource) -> Agreement:
    return agreement_of(_frame(version, _source), dimension, plan, run=run)


@st.cache_resource(max_entries=32, ttl=_KEEP_S, show_spinner=False)
def _validity(version: str, dimension: str, plan: Plan, _source: StudySource) -> DimensionValidity:
    return metrics_against_readers(_frame(version, _source), _source.scores, dimension, plan)


@st.cache_resource(max_entries=2, ttl=_KEEP_S, show_spinner=False)
def _tables(version: str, _source: StudySource) -> StudyTables:
    return study_tables(_source, results=_results(version, _source))
