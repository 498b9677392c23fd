"""The results of a reader study on the page: every part in both languages, blind until unblinded, the same numbers."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Block

from pet2rep_core.records import Language, Score, StudyState
from pet2rep_core.study.estimates import SENTENCES, Estimate, Reason
from pet2rep_core.ui.sentences import in_language
from pet2rep_core.ui.server import server
from pet2rep_core.ui.study_cache import shown_study_files, version_of
from pet2rep_core.ui.study_results import PARTS
from pet2rep_core.ui.study_words import span_text
from pet2rep_core.ui.texts import text
from pet2rep_core.workflow.study_export import STUDY_FORMATS
from pet2rep_core.workflow.study_results import make_results
from pet2rep_core.workflow.study_source import read_source
from tests.reader_study import MODELS, RESEARCHER, a_report, whole_study

Open = Callable[..., AppTest]
ENGLISH = Language.ENGLISH


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    st.cache_resource.clear()


def _study(until: StudyState) -> str:
    store = server().store
    study_id = whole_study(store, cases=4, until=until)
    for place, model in enumerate(MODELS):
        for number in range(1, 5):
            value = 0.9 - 0.2 * place - 0.01 * number
            store.record_scores(a_report(model, number).generation_id, [Score("chrf", value, "chrf|v:1")], {})
    return study_id


def _open(open_app: Open, part: str = "ratings", language: Language = ENGLISH) -> AppTest:
    app = open_app("results", view="research", language=language.value)
    app.session_state["results_tab"] = text(language, "leaderboard.tab_study")
    app.session_state["results_part"] = part
    app = app.run()
    assert not app.exception
    assert not app.error
    return app


def _tables(app: AppTest) -> str:
    return "\n".join(frame.value.to_csv() for frame in app.dataframe)


def _said(app: AppTest) -> str:
    words = (*app.markdown, *app.caption, *app.info, *app.subheader, *app.code, *app.metric)
    return "\n".join([*(str(part.value) for part in words), _tables(app)])


def test_without_a_study_the_page_says_so(open_app: Open) -> None:
    assert text(ENGLISH, "study_results.no_study") in _said(_open(open_app))


@pytest.mark.slow
def test_every_part_of_an_unblinded_study_in_both_languages(open_app: Open) -> None:
    study_id = _study(StudyState.UNBLINDED)
    source = read_source(server().store, RESEARCHER, study_id)
    results = make_results(source.frame, blind=False)
    for language in Language:
        app = _open(open_app, "ratings", language)
        table = next(f.value for f in app.dataframe if text(language, "study_results.median") in f.value)
        names = table[text(language, "study_results.model")]
        assert set(names) == {f"{model} · {text(language, 'leaderboard.setting_fused')}" for model in MODELS}
        means = [results.summaries[one, arm.key].mean for one in results.dimensions for arm in results.arms]
        assert table[text(language, "study_results.mean")].tolist() == pytest.approx(means)
        app = _open(open_app, "agreement", language)
        kappa = results.agreement["acc"].statistics["weighted_kappa"]
        assert f"{kappa.value:.2f} [{kappa.low:.2f}, {kappa.high:.2f}]" in _tables(app)
        assert kappa.signature in _said(app)
        assert text(language, "study_results.few_patients", n=20) in _said(app)
        app = _open(open_app, "models", language)
        assert text(language, "study_results.effect") in _tables(app)
        assert results.comparisons["ove"][0].signature in _said(app)
        app = _open(open_app, "metrics", language)
        assert text(language, "study_results.one_reader") in _tables(app)
        assert "chrf|v:1" in _said(app)
        app = _open(open_app, "readers", language)
        assert text(language, "study_results.shift_title") in _said(app)
        app = _open(open_app, "files", language)
        buttons = {button.proto.id for button in app.get("download_button")}
        assert all(any(f"study-file-{one}-False" in name for name in buttons) for one in STUDY_FORMATS)
    app = _open(open_app, "ratings")
    assert all(model in _sent(app)[1] for model in MODELS)  # what the blind page is searched for can be found
    page = type("Page", (), {"server": server()})
    files = shown_study_files(version_of(page, study_id), source, "csv", mark=False)  # type: ignore[arg-type]
    assert json.loads(files["manifest_csv.json"])["state"] == "unblinded"
    assert zipfile.is_zipfile(io.BytesIO(_zipped(files)))


def _zipped(files: dict[str, bytes]) -> bytes:
    from pet2rep_core.workflow.leaderboard_export import zip_files

    return zip_files(files)


@pytest.mark.slow
def test_before_unblinding_no_part_of_the_study_names_a_model(open_app: Open) -> None:
    _study(StudyState.COLLECTING)
    for part in PARTS:
        app = _open(open_app, part)
        tab, sent = _sent(app)
        for word in (*MODELS, "r-model", "g-model", "fused"):
            assert word not in sent, part
        if part == "ratings":
            assert "Model A" in sent
            blind = text(ENGLISH, "study_results.blind", state=text(ENGLISH, "studies.state_collecting"))
            assert blind in [one.value for one in tab.info]


def _sent(app: AppTest) -> tuple[Block, str]:
    """Return the tab of the study, and all that the browser gets of it: every element, and the cells of tables."""
    tab = next(one for one in app.tabs if one.label == text(ENGLISH, "leaderboard.tab_study"))
    protos = [str(getattr(node, "proto", "")) for node in _nodes(tab)]
    return tab, "\n".join([*protos, *(frame.value.to_csv() for frame in tab.dataframe)])


def _nodes(block: object) -> list[object]:
    children = list(getattr(block, "children", {}).values())
    return [block, *(node for child in children for node in _nodes(child))]


def test_the_reading_view_shows_no_results(open_app: Open, home: Path) -> None:
    app = open_app("results", view="reading")
    assert text(ENGLISH, "results.reading_only") in _said(app)
    assert not app.tabs


@pytest.mark.parametrize("language", list(Language))
def test_every_reason_has_its_words(language: Language) -> None:
    assert len({in_language(SENTENCES[one], language) for one in Reason}) == len(Reason)
    assert (in_language(SENTENCES[Reason.ONE_READER], language) == SENTENCES[Reason.ONE_READER]) == (
        language is ENGLISH
    )
    for state in StudyState:
        assert text(language, f"studies.state_{state.value}")


def test_a_number_a_little_below_nothing_has_no_sign() -> None:
    assert span_text(Estimate(-0.001, -0.004, 0.5, 4, 2, "s")) == "0.00 [0.00, 0.50]"
    assert span_text(Estimate(-0.006, None, None, 4, 2, "s")) == "-0.01"
    assert span_text(Estimate(None, None, None, 4, 2, "s")) == "–"
