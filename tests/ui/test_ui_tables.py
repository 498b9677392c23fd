"""The tables of every page: a dash where there is nothing, names where the store has ids."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pet2rep_core.records import Language, StudyState
from pet2rep_core.scoring.profiles import PROFILES
from pet2rep_core.ui.formats import NONE
from pet2rep_core.ui.server import server
from pet2rep_core.ui.study_results import PARTS
from pet2rep_core.ui.texts import text
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow.generate import generate_report
from pet2rep_core.workflow.score import score_generation
from tests.browser.server import PROJECT
from tests.reader_study import whole_study
from tests.study_files import build_study, import_all

Open = Callable[..., AppTest]
CHINESE = Language.CHINESE
_RAW = re.compile(r"[a-z]+[0-9]*|[a-z0-9]+(?:_[a-z0-9]+)+")
_MINE = ("ours", "published", "study", "ratings")
_STUDY = ("progress", "quality", "blinding", "plan", "events")
_GENERATE = ("runs", "models")


@pytest.fixture
def filled(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store with everything: cases, scored reports of several models, a reader study that is done."""
    from pet2rep_core.ui import board_cache
    from pet2rep_core.workflow.leaderboard import make_leaderboard

    st.cache_data.clear()
    st.cache_resource.clear()
    monkeypatch.setattr(
        board_cache, "make_leaderboard", lambda book, chosen: make_leaderboard(book, chosen, resamples=200)
    )
    one = server()
    import_all(build_study(tmp_path / "study"), one.settings, one.store, backend="threading")
    for model, behaviours in (("template", [Behaviour.MIXED]), ("scripted", [Behaviour.COPY, Behaviour.OMIT])):
        for behaviour in behaviours:
            generated = generate_report(one.store, "a", model, CHINESE, behaviour=behaviour)
            score_generation(one.store, generated.generation_id)
    whole_study(one.store, cases=4, until=StudyState.UNBLINDED)


def _pages(open_app: Open) -> Iterator[tuple[str, AppTest]]:
    """Yield every page that has tables, in Chinese, each of its tabs apart."""
    review = open_app("review", view="research", language="zh", case="a")
    [score] = [one for one in review.button if one.label == text(CHINESE, "review.score")]
    yield "review", score.click().run()
    for page, key, group, tabs in (
        ("results", "results_tab", "leaderboard", _MINE),
        ("generate", "generate-part", "generate", _GENERATE),
        ("studies", "study-tabs", "studies", _STUDY),
    ):
        for tab in tabs:
            for part in PARTS if tab == "study" else ("",):
                app = open_app(page, view="research", language="zh", reader="S01")
                app.session_state[key] = text(CHINESE, f"{group}.tab_{tab}")
                if part:
                    app.session_state["results_part"] = part
                yield f"{page} {tab} {part}", app.run()


@pytest.mark.usefixtures("filled")
def test_no_cell_is_none_and_no_metric_is_an_id(open_app: Open) -> None:
    wrong, places, with_tables = [], set(), set()
    metric = text(CHINESE, "scores.metric")
    for place, app in _pages(open_app):
        places.add(place)
        assert not app.exception, place
        assert not app.error, place
        for frame in app.dataframe:
            with_tables.add(place)
            assert frame.proto.placeholder == NONE, place
            for column in frame.value.columns:
                for cell in frame.value[column].dropna():
                    if str(cell).strip().casefold() in ("none", "nan", "<na>", "null"):
                        wrong.append((place, column, cell))
            if metric in frame.value.columns:
                wrong += [(place, metric, cell) for cell in frame.value[metric] if _RAW.fullmatch(str(cell))]
    assert wrong == []
    assert with_tables == places - {"generate runs "}  # which is a list


@pytest.mark.usefixtures("filled")
def test_profiles_reports_and_studies_have_names(open_app: Open) -> None:
    review = open_app("review", view="research", language="zh", case="a")
    [profile] = [box for box in review.selectbox if box.key == "score_profile"]
    assert list(profile.options) == [text(CHINESE, f"leaderboard.profile_{name}") for name in PROFILES]
    [report] = [box for box in review.selectbox if box.label == text(CHINESE, "review.which")]
    assert list(report.options) == [
        "模板基线（去除槽位括号） · 仅文本",
        "脚本模型（演示） · 无错误（照抄） · 仅文本",
        "脚本模型（演示） · 遗漏所见 · 仅文本",
    ]
    app = open_app("results", view="research", language="zh")
    app.session_state["results_tab"] = text(CHINESE, "leaderboard.tab_study")
    [study] = [box for box in app.run().selectbox if box.key == "results_study"]
    assert not [one for one in study.options if re.search(r"\bs-[0-9a-f]{6}", one)]


def test_every_table_is_drawn_in_one_place() -> None:
    """Streamlit itself writes None into an empty cell."""
    calls = [
        path.name
        for path in sorted((PROJECT / "pet2rep_core" / "ui").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in ("dataframe", "table")
        and isinstance(node.value, ast.Name) and node.value.id == "st"
    ]  # fmt: skip
    assert calls == ["tables.py"]


def test_a_cell_without_a_value_is_a_dash_in_a_column_of_numbers() -> None:
    def page() -> None:
        from pet2rep_core.ui.tables import draw_table

        draw_table([{"a": 1.0, "b": None}, {"a": None, "b": "x"}])

    [frame] = AppTest.from_function(page).run().dataframe
    assert frame.proto.placeholder == NONE
    assert pd.isna(frame.value["a"][1])
