"""The reading page without a browser: which study and item it opens, and that nothing in it names a case."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pet2rep_core.records import Language
from pet2rep_core.ui.server import server
from pet2rep_core.ui.texts import text
from tests.browser.studies import MadeStudy, study_in
from tests.study_files import build_study, import_all

Open = Callable[..., AppTest]


@pytest.fixture
def study(home: Path, tmp_path: Path) -> MadeStudy:
    one = server()
    import_all(build_study(tmp_path / "study"), one.settings, one.store, backend="threading")
    return study_in(one.store, ("R01", "R02"), cases=("a", "c"))


def _components(app: AppTest) -> dict[str, Any]:
    """Return what the page sends to its components, by their names."""
    return {str(one.proto.component_name).rpartition(".")[2]: one.proto for one in app.get("bidi_component")}


@pytest.mark.parametrize("language", list(Language))
def test_a_reader_without_a_study_is_told_so(open_app: Open, study: MadeStudy, language: Language) -> None:
    app = open_app("reading", reader="R99", language=language.value)
    assert [one.value for one in app.info] == [text(language, "reading.no_study")]
    assert _components(app) == {}


def test_the_first_item_is_opened_and_stands_in_the_address(open_app: Open, study: MadeStudy) -> None:
    app = open_app("reading", reader="R01")
    assert not app.exception
    assert not app.error
    assert app.query_params["study"] == study.study_id
    assert app.query_params["item"] == study.codes("R01")[0]
    assert "pet2rep_desk" in _components(app)


def test_the_address_opens_an_item_and_never_another_readers(open_app: Open, study: MadeStudy) -> None:
    third, theirs = study.codes("R01")[2], study.codes("R02")[1]
    assert open_app("reading", reader="R01", item=third).query_params["item"] == third
    assert open_app("reading", reader="R01", item=theirs).query_params["item"] == study.codes("R01")[0]
    assert open_app("reading", reader="R01", item="nobody").query_params["item"] == study.codes("R01")[0]


def test_nothing_that_the_page_sends_names_a_case_or_a_model(open_app: Open, study: MadeStudy) -> None:
    imaged = next(item for item in study.items["R01"] if item.case_id == "a")
    app = open_app("reading", reader="R01", item=imaged.code)
    sent = {name: proto.SerializeToString() for name, proto in _components(app).items()}
    assert set(sent) == {"pet2rep_desk", "pet2rep_viewer"}
    assert f"api/study/{study.study_id}/case/{imaged.alias}".encode() in sent["pet2rep_viewer"]
    everything = b"\n".join(sent.values())
    hidden = [name for name in study.hidden if len(name) > 1]  # "a" is everywhere
    assert [name for name in hidden if name.encode() in everything] == []
    assert b"api/case/" not in everything


def test_a_reader_of_two_studies_chooses_by_title(open_app: Open, study: MadeStudy) -> None:
    other = study_in(server().store, ("R01",), staged=False, cases=("c",))
    app = open_app("reading", reader="R01")
    choice = app.sidebar.selectbox(key="study_choice")
    assert set(choice.options) == {f"Reports of PET/CT · {one.study_id}" for one in (study, other)}
    for wanted in (study, other):
        app = app.sidebar.selectbox(key="study_choice").set_value(wanted.study_id).run()
        assert app.query_params["study"] == wanted.study_id
        assert app.query_params["item"] == wanted.codes("R01")[0]
