"""Every page opens on an empty store and with cases; the form saves one row; errors show their hint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pet2rep_core.records import Language
from pet2rep_core.ui.server import server
from pet2rep_core.ui.texts import text
from pet2rep_core.workflow.generate import generate_report
from tests.layout_files import REPORT_EN
from tests.study_files import build_study, import_all
from tests.ui.conftest import PAGES

ANSWERS = {"acc": 4, "com": 3, "cla": 5, "usa": 2, "ove": 0}  # 0 on the form is "cannot be assessed"
Open = Callable[..., AppTest]


@pytest.fixture
def study(home: Path, tmp_path: Path) -> None:
    """Three cases; the first has a report to rate in each language."""
    one = server()
    import_all(build_study(tmp_path / "study"), one.settings, one.store, backend="threading")
    for language in Language:
        generate_report(one.store, "a", "template", language)


def _said(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.info, *app.warning, *app.error, *app.title]
    return "\n".join(str(part.value) for part in parts)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("name", list(PAGES))
@pytest.mark.parametrize("view", ["reading", "research"])
def test_a_page_opens_on_an_empty_store(open_app: Open, name: str, language: Language, view: str) -> None:
    app = open_app(name, language=language.value, view=view)
    assert not app.exception
    assert not app.error
    assert text(language, "app.research_only") in _said(app)


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("name", list(PAGES))
def test_a_page_opens_with_cases(open_app: Open, name: str, language: Language) -> None:
    app = open_app(name, language=language.value, view="research", case="a")
    assert not app.exception
    assert not app.error
    assert text(language, "app.research_only") in _said(app)


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize("case", ["a", "b", "c"])
def test_every_kind_of_case_opens_for_a_reader(open_app: Open, case: str) -> None:
    app = open_app("review", case=case)
    assert not app.exception
    assert not app.error
    assert app.selectbox(key="case_choice").value == case


def _answer(app: AppTest, generation_id: str, answers: dict[str, int]) -> AppTest:
    for key, value in answers.items():
        app = app.button_group(key=f"rate-R01-{generation_id}-{key}").set_value(value).run()
    return app


@pytest.mark.usefixtures("study")
def test_the_form_saves_one_row_a_dimension_once(open_app: Open) -> None:
    store = server().store
    [waiting] = [g.generation for g in store.generations("a") if g.generation.language is Language.ENGLISH]
    app = open_app("review", case="a")
    app = _answer(app, waiting.generation_id, ANSWERS)
    assert store.draft("R01", waiting.generation_id).answers == {**ANSWERS, "ove": None}
    [save] = [button for button in app.button if button.label == text(Language.ENGLISH, "rating.save")]
    assert not save.disabled
    app = save.click().run()
    assert not app.exception
    assert not app.error
    rows = store.ratings_table().to_pylist()
    assert {row["dimension"]: row["value"] for row in rows} == {**ANSWERS, "ove": None}
    assert {(row["reader"], row["case_id"], row["revision"]) for row in rows} == {("R01", "a", 1)}
    assert len(rows) == len(ANSWERS)
    assert store.rating("g-none", "R01") is None


@pytest.mark.usefixtures("study")
def test_the_form_cannot_be_saved_with_an_answer_missing(open_app: Open) -> None:
    store = server().store
    [waiting] = [g.generation for g in store.generations("a") if g.generation.language is Language.ENGLISH]
    app = _answer(open_app("review", case="a"), waiting.generation_id, {"acc": 4, "com": 3, "cla": 5, "usa": 2})
    [save] = [button for button in app.button if button.label == text(Language.ENGLISH, "rating.save")]
    assert save.disabled
    assert text(Language.ENGLISH, "rating.missing", names="Overall") in _said(app)
    assert store.ratings_table().num_rows == 0


@pytest.mark.usefixtures("study")
def test_a_rating_saved_elsewhere_meanwhile_is_not_written_over(open_app: Open) -> None:
    """Two tabs of one reader: the second, which still shows no rating, is told so."""
    store = server().store
    [waiting] = [g.generation for g in store.generations("a") if g.generation.language is Language.ENGLISH]
    tabs = [_answer(open_app("review", case="a"), waiting.generation_id, ANSWERS) for _ in range(2)]
    label = text(Language.ENGLISH, "rating.save")
    for tab in tabs:
        [save] = [button for button in tab.button if button.label == label]
        save.click().run()
    assert not tabs[0].error
    [error] = tabs[1].error
    sentence, hint = error.value.split("  \n")
    assert sentence
    assert hint
    assert {row["revision"] for row in store.ratings_table().to_pylist()} == {1}


def test_a_wrong_path_shows_the_sentence_and_the_hint(open_app: Open, tmp_path: Path) -> None:
    app = open_app("import")
    [path] = [box for box in app.text_input if box.label == text(Language.ENGLISH, "import.path")]
    path.set_value(str(tmp_path / "nowhere"))
    [look] = [button for button in app.button if button.label == text(Language.ENGLISH, "import.look")]
    app = look.click().run()
    assert not app.exception
    [error] = app.error
    sentence, hint = error.value.split("  \n")
    assert "nowhere" in sentence
    assert hint


def test_a_second_path_is_looked_at_after_a_first(open_app: Open, tmp_path: Path) -> None:
    build_study(tmp_path / "study")
    app = open_app("import")
    for path in (tmp_path / "nowhere", tmp_path / "study", tmp_path / "elsewhere"):
        [box] = [box for box in app.text_input if box.label == text(Language.ENGLISH, "import.path")]
        box.set_value(str(path))
        [look] = [button for button in app.button if button.label == text(Language.ENGLISH, "import.look")]
        app = look.click().run()
        assert [path.name in one.value for one in app.error] == [True] * (path.name != "study")
        assert bool(len(app.dataframe)) is (path.name == "study")


def test_the_import_page_says_layouts_and_what_is_left_out_in_chinese(open_app: Open, tmp_path: Path) -> None:
    path = tmp_path / "cases.jsonl"
    lines = ['{"patient_id": "p1", "answer": "双肺未见异常。"}', '["no object"]']
    path.write_text("\n".join(lines), encoding="utf-8")
    app = open_app("import", language="zh")
    described = [one.value for one in app.text]
    assert "dicom: DICOM：扫描设备或 PACS 的导出，文件夹层级不限" in described
    [box] = [box for box in app.text_input if box.label == text(Language.CHINESE, "import.path")]
    box.set_value(str(path))
    [look] = [button for button in app.button if button.label == text(Language.CHINESE, "import.look")]
    app = look.click().run()
    tables = "".join(frame.value.to_string() for frame in app.dataframe)
    assert "该行不是 JSON 对象。" in tables
    assert "The line" not in tables


def test_a_readers_real_name_is_refused_with_a_hint(open_app: Open) -> None:
    app = open_app("home", reader="Dr. Li")
    assert not app.exception
    [error] = app.error
    assert "cannot be a reader" in error.value
    assert "pseudonym" in error.value


def test_a_second_app_on_the_same_store_gives_one_sentence(open_app: Open, home: Path) -> None:
    from pet2rep_core.settings import Settings
    from pet2rep_core.store import open_store

    other = open_store(Settings(home=home, workers=1))
    try:
        app = open_app("review")
        assert not app.exception
        [error] = app.error
        assert error.value.split("  \n")[1]
    finally:
        other.close()


@pytest.mark.usefixtures("study")
def test_a_reader_sees_no_model_and_no_score(open_app: Open) -> None:
    reading = open_app("review", case="a")
    assert [box.key for box in reading.selectbox if box.key in ("model", "behaviour")] == []
    labels = {button.label for button in reading.button}
    assert labels & {text(Language.ENGLISH, "review.generate"), text(Language.ENGLISH, "review.score")} == set()
    results = open_app("results", case="a")
    assert text(Language.ENGLISH, "results.reading_only") in _said(results)
    assert len(results.dataframe) == 0


@pytest.mark.usefixtures("study")
def test_a_researcher_scores_a_report_with_signatures(open_app: Open) -> None:
    app = open_app("review", view="research", case="a")
    [score] = [button for button in app.button if button.label == text(Language.ENGLISH, "review.score")]
    app = score.click().run()
    assert not app.exception
    numbers = app.dataframe[0].value
    assert (numbers["Signature"].str.contains(r"\|v:\d+$")).all()
    assert len(numbers) == len(server().store.scores())
    assert REPORT_EN.split()[0] == "Findings:"  # the reference that the numbers stand against is in English
