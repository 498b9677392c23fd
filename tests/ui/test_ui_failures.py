"""The page of failures: a link reopens a view, nothing of a report runs, cards go through the checked route."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from pet2rep_core.records import Generation, GenerationStatus, Language, Score
from pet2rep_core.store import RunRow
from pet2rep_core.ui.card_html import card_html, score_text
from pet2rep_core.ui.card_png import WIDTH, card_png
from pet2rep_core.ui.card_routes import CARD_ROUTES
from pet2rep_core.ui.server import server
from pet2rep_core.ui.texts import read_texts, text
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow.case_card import read_case_card
from pet2rep_core.workflow.failures import FILTERS
from pet2rep_core.workflow.generate import generate_report
from pet2rep_core.workflow.score_run import plan_scores, score_planned
from tests.study_files import build_study, import_all

Open = Callable[..., AppTest]
HOSTILE = (
    '<script>alert(1)</script><img src=x onerror="alert(2)">姓名：王小明。肝右叶FDG代谢增高，SUVmax约 99.9。\u202e'
)


@pytest.fixture
def study(home: Path, tmp_path: Path) -> None:
    """The small study with reports of three models, one of them hostile; all scored."""
    one = server()
    import_all(build_study(tmp_path / "study"), one.settings, one.store, backend="threading")
    generate_report(one.store, "a", "template", Language.CHINESE)
    generate_report(one.store, "b", "scripted", Language.CHINESE, behaviour=Behaviour.INVENT)
    one.store.record_run(RunRow("r-x", "evil <b>model</b>", "fused", "0" * 64, Language.CHINESE))
    one.store.record_generation(
        Generation("g-x", "r-x", "a", "evil <b>model</b>", Language.CHINESE, GenerationStatus.DONE, HOSTILE)
    )
    one.store.record_generation(
        Generation("g-f", "r-x", "b", "evil <b>model</b>", Language.CHINESE, GenerationStatus.FAILED, "", "<i>time</i>")
    )
    assert list(score_planned(one.store, one.settings, plan_scores(one.store, images=False)))


def _shown(app: AppTest) -> str:
    return "\n".join(str(one.proto.body) for one in app.get("html"))


def _tiles(app: AppTest) -> list[str]:
    return re.findall(r'<div class="p2r-name">([^<]*)<', _shown(app))


@pytest.mark.parametrize("language", list(Language))
def test_every_filter_has_its_texts(language: Language) -> None:
    known = read_texts(language)
    numbers = {name for one in FILTERS.values() for name in one.numbers}
    wanted = {f"failures.filter_{name}" for name in FILTERS} | {f"failures.number_{name}" for name in numbers}
    wanted |= {f"failures.help_{one.id}" for one in FILTERS.values() if one.group != "order"}
    assert wanted - set(known) == set()


@pytest.mark.usefixtures("study")
def test_a_link_reopens_its_view(open_app: Open) -> None:
    app = open_app("failures", view="research", filter="template")
    assert not app.exception
    assert not app.error
    assert _tiles(app) == ["a · Template baseline (slots stripped)"]
    assert app.checkbox(key="failure_template").value
    assert app.checkbox(key="failure_template").label.endswith("· 1")
    app = app.checkbox(key="failure_template").uncheck().run()
    assert len(_tiles(app)) == 4
    app = app.checkbox(key="failure_invented").check().run()
    assert app.query_params["filter"] == "invented"
    assert "b · Scripted model (demonstration)" in _tiles(app)


@pytest.mark.usefixtures("study")
def test_an_unknown_filter_in_the_address_is_said_and_everything_is_shown(open_app: Open) -> None:
    app = open_app("failures", view="research", filter="mised")
    assert not app.exception
    [error] = app.error
    assert "mised" in error.value
    assert len(_tiles(app)) == 4


@pytest.mark.usefixtures("study")
def test_a_new_report_is_in_the_table_at_once(open_app: Open) -> None:
    assert len(_tiles(open_app("failures", view="research"))) == 4
    generate_report(server().store, "c", "template", Language.ENGLISH)
    app = open_app("failures", view="research")
    assert "c · Template baseline (slots stripped)" in _tiles(app)
    assert text(Language.ENGLISH, "failures.unscored", n=1) in [one.value for one in app.warning]


@pytest.mark.usefixtures("study")
def test_a_reader_sees_no_failures(open_app: Open) -> None:
    app = open_app("failures")
    assert _tiles(app) == []
    assert len(app.checkbox) == 0


@pytest.mark.usefixtures("study")
def test_nothing_of_a_report_or_of_a_model_is_markup(open_app: Open) -> None:
    shown = _shown(open_app("failures", view="research"))
    assert "evil &lt;b&gt;model&lt;/b&gt;" in shown
    for markup in ("<script", "<b>model", 'onerror="', "<i>time", "\u202e"):
        assert markup not in shown


@pytest.mark.usefixtures("study")
def test_a_linked_report_is_opened_with_its_case_and_language(open_app: Open) -> None:
    one = server()
    [scripted] = [g.generation for g in one.store.generations("b") if g.generation.model == "scripted"]
    app = open_app("review", view="research", case="b", generation=scripted.generation_id)
    assert app.selectbox(key="case_choice").value == "b"
    assert app.session_state["generation_id"] == scripted.generation_id


@pytest.fixture
def client(study: None) -> Iterator[TestClient]:
    with TestClient(Starlette(routes=list(CARD_ROUTES))) as opened:
        yield opened


def test_a_card_needs_leave_for_its_case(client: TestClient) -> None:
    leave = server().signer.sign("a", "R01")
    assert client.get("/api/case/a/card/g-x.html").status_code == 403
    assert client.get("/api/case/b/card/g-f.html", params={"token": leave}).status_code == 403
    assert client.get("/api/case/a/card/g-f.html", params={"token": leave}).status_code == 404
    assert client.get("/api/case/a/card/g-x.html", params={"token": leave, "language": "fr"}).status_code == 404


@pytest.mark.parametrize("language", list(Language))
def test_a_card_is_one_inert_file_to_be_saved(client: TestClient, language: Language) -> None:
    leave = server().signer.sign("a", "R01")
    answer = client.get("/api/case/a/card/g-x.html", params={"token": leave, "language": language.value})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="card_a_g-x.html"'
    assert "no-store" in answer.headers["cache-control"]
    page = answer.text
    assert text(language, "app.research_only") in page
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    assert "\u202e" not in page
    assert leave not in page
    addresses = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(addresses) == 3
    assert all(address.startswith("data:image/png;base64,") for address in addresses)
    assert re.search(r"rougeL\|agg:case\|lang:zh\|[^<]*\|v:\d", page)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        (Language.CHINESE, "未计分：生成报告没有 SUVmax"),
        (Language.ENGLISH, "not scored: no SUVmax in the generated report"),
    ],
)
def test_a_card_says_why_a_score_is_missing(language: Language, said: str) -> None:
    score = Score("suvmax_in_image", None, "suvmax_in_image|v:1", "no SUVmax in the generated report")
    assert score_text(partial(text, language), language, score) == said


def test_a_picture_of_a_card_is_a_png(client: TestClient) -> None:
    leave = server().signer.sign("a", "R01")
    answer = client.get("/api/case/a/card/g-x.png", params={"token": leave, "language": "zh"})
    assert answer.headers["content-type"] == "image/png"
    picture = Image.open(io.BytesIO(answer.content))
    assert picture.width == WIDTH
    assert 600 < picture.height < 4000


@pytest.mark.usefixtures("study")
def test_a_card_says_where_chinese_needs_a_font(monkeypatch: pytest.MonkeyPatch) -> None:
    one = server()
    card = read_case_card(one.store, one.settings, one.display, "a", "g-x")
    with_font = card_png(card, Language.CHINESE)
    monkeypatch.setattr("pet2rep_core.ui.card_png.chinese_font", lambda: None)
    without = card_png(card, Language.CHINESE)
    assert Image.open(io.BytesIO(without)).width == WIDTH
    assert without != with_font
    assert card_html(card, Language.CHINESE).count("王小明") >= 1
