"""The results page: empty states, the leaderboard, the published table apart from it, and files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pet2rep_core.records import Language
from pet2rep_core.ui.server import server
from pet2rep_core.ui.texts import text
from pet2rep_core.workflow.leaderboard_export import BOARD_FORMATS
from tests.leaderboard_study import CASES, EMPTY, add_cases, add_entry

Open = Callable[..., AppTest]
ENGLISH = Language.ENGLISH


@pytest.fixture(autouse=True)
def fewer_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    from pet2rep_core.ui import board_cache
    from pet2rep_core.workflow.leaderboard import make_leaderboard

    st.cache_data.clear()
    monkeypatch.setattr(
        board_cache, "make_leaderboard", lambda book, chosen: make_leaderboard(book, chosen, resamples=200)
    )


@pytest.fixture
def scored(home: Path) -> None:
    store = server().store
    add_cases(store)
    add_entry(store, "template", dict.fromkeys(CASES, 0.2))
    add_entry(store, "vlm-7B", {"c1": 0.4, "c2": 0.5, "c3": None}, statuses={"c3": EMPTY}, setting="separate")
    add_entry(store, "vlm-7B", dict.fromkeys(CASES, 0.6), setting="fused")
    add_entry(store, "scripted", dict.fromkeys(CASES, 0.9), parameters={"behaviour": "copy"})


def _said(app: AppTest) -> str:
    return "\n".join(str(part.value) for part in (*app.markdown, *app.caption, *app.info, *app.warning, *app.subheader))


def _results(open_app: Open, language: Language = ENGLISH) -> AppTest:
    app = open_app("results", view="research", language=language.value)
    assert not app.exception
    assert not app.error
    return app


def _tab(app: AppTest, name: str) -> AppTest:
    app.session_state["results_tab"] = text(ENGLISH, f"leaderboard.tab_{name}")
    return app.run()


def _column(app: AppTest, key: str, **values: object) -> list[object]:
    return app.dataframe[0].value[text(ENGLISH, f"leaderboard.{key}", **values)].tolist()


def test_an_empty_store_says_what_to_do_and_still_shows_the_published_table(open_app: Open) -> None:
    app = _results(open_app)
    assert text(ENGLISH, "leaderboard.no_generated") in _said(app)
    assert text(ENGLISH, "results.no_ratings") in _said(_tab(app, "ratings"))
    assert text(ENGLISH, "results.no_files") in _said(_tab(app, "files"))
    [published] = app.dataframe
    assert len(published.value) == 49


def test_generated_and_not_scored_says_what_to_do_and_the_button_does_it(open_app: Open, tmp_path: Path) -> None:
    from pet2rep_core.workflow.generate import generate_report
    from tests.study_files import build_study, import_all

    one = server()
    import_all(build_study(tmp_path / "study"), one.settings, one.store, backend="threading")
    generate_report(one.store, "a", "template", ENGLISH)
    app = _results(open_app)
    assert text(ENGLISH, "leaderboard.none") in _said(app)
    [button] = [b for b in app.button if b.label == text(ENGLISH, "leaderboard.score_all")]
    app = button.click().run()
    assert not app.exception
    [job] = one.score_jobs  # it goes on in the background
    job.wait(30)
    assert not job.running
    app = app.run()
    assert not app.exception
    assert not app.error
    assert _column(app, "model") == [text(ENGLISH, "model.template")]


@pytest.mark.usefixtures("scored")
@pytest.mark.parametrize("language", list(Language))
def test_the_leaderboard_is_drawn_in_both_languages(open_app: Open, language: Language) -> None:
    app = _results(open_app, language)
    said = _said(app)
    assert text(language, "leaderboard.published_title") in said
    assert text(language, "leaderboard.overlap", common=3, cases=4) in said
    ours, published = app.dataframe[0].value, app.dataframe[-1].value
    assert len(ours) == 4
    assert len(published) == 49
    models = text(language, "leaderboard.model")
    assert set(ours[models]).isdisjoint(published[models])  # never one ranking


@pytest.mark.usefixtures("scored")
def test_the_table_says_what_was_measured(open_app: Open) -> None:
    app = _results(open_app)
    assert _column(app, "model") == [
        text(ENGLISH, "model.scripted"),
        "vlm-7B",
        "vlm-7B",
        text(ENGLISH, "model.template"),
    ]
    assert _column(app, "cases", n=4) == [4, 4, 3, 4]
    assert _column(app, "no_report") == [0, 0, 1, 0]
    # By hand: (3 * 0.9 + 3) / 6 and so on; separate: means of 0.45, CE P 1, R 2/3, F1 0.8.
    overall = [95.0, 80.0, 100 * (3 * 0.45 + 1 + 2 / 3 + 0.8) / 6, 60.0]
    assert _column(app, "overall_percent") == pytest.approx(overall)
    assert _column(app, "gain")[:2] == pytest.approx([35.0, 20.0])


@pytest.mark.usefixtures("scored")
def test_filters_change_the_rows_and_not_the_numbers(open_app: Open) -> None:
    app = _results(open_app)
    before = dict(zip(_column(app, "model"), _column(app, "p_holm"), strict=True))
    app = app.multiselect(key="board_settings").set_value(["fused"]).run()
    assert not app.exception
    assert _column(app, "model") == ["vlm-7B"]
    app = app.multiselect(key="board_settings").set_value([]).run()
    app = app.multiselect(key="board_groups").set_value(["demonstration"]).run()
    [name] = _column(app, "model")
    assert _column(app, "p_holm") == [before[name]]
    app = app.multiselect(key="board_models").set_value(["vlm-7B"]).run()
    assert text(ENGLISH, "leaderboard.nothing_left") in _said(app)


@pytest.mark.usefixtures("scored")
def test_the_same_cases_on_demand(open_app: Open) -> None:
    app = _results(open_app)
    app = app.toggle(key="board_same_cases").set_value(True).run()
    assert not app.exception
    assert _column(app, "cases", n=3) == [3, 3, 3, 3]
    assert text(ENGLISH, "leaderboard.overlap", common=3, cases=4) not in _said(app)


@pytest.mark.usefixtures("scored")
@pytest.mark.parametrize("metric", ["ce_f1", "chrf"])
def test_one_metric_in_full(open_app: Open, metric: str) -> None:
    app = _results(open_app)
    app = app.selectbox(key="board_metric").set_value(metric).run()
    assert not app.exception
    details = next(f.value for f in app.dataframe if text(ENGLISH, "leaderboard.p_value") in f.value)
    assert len(details) == 4
    assert details[text(ENGLISH, "leaderboard.scored")].tolist() == (
        [4, 4, 3, 4] if metric == "ce_f1" else [4, 4, 2, 4]
    )


@pytest.mark.usefixtures("scored")
def test_every_format_is_offered_with_the_manifest(open_app: Open) -> None:
    app = _tab(_results(open_app), "files")
    keys = {button.proto.id.rsplit("download-", 1)[-1] for button in app.get("download_button")}
    wanted = {*(f"leaderboard.{name}" for name in BOARD_FORMATS), "leaderboard.manifest.json", "leaderboard.zip"}
    assert wanted <= keys


def test_the_published_table_filters_and_shows_its_spread(open_app: Open) -> None:
    app = _results(open_app)
    app = app.multiselect(key="published_groups").set_value(["closed"]).run()
    assert len(app.dataframe[0].value) == 8
    app = app.toggle(key="published_sd").set_value(True).run()
    assert text(ENGLISH, "leaderboard.sd_of", metric="BLEU-4") in app.dataframe[0].value
    app = app.multiselect(key="published_settings").set_value(["text-only"]).run()
    assert text(ENGLISH, "leaderboard.nothing_left") in _said(app)
    assert not app.exception
