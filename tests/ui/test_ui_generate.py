"""The pages of generation without a browser: forms, plans, empty states, and the gate."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pet2rep_core.records import GenerationStatus, Language, Person, Role
from pet2rep_core.ui.server import server
from pet2rep_core.ui.texts import text
from pet2rep_core.vlm.catalog import read_catalog
from pet2rep_core.workflow.providers import ALLOWED, Sending, allow_provider, allowed_hosts
from tests import vendor_servers as vendor
from tests.study_files import build_study, import_all
from tests.vendor_servers import vendor_server

ENGLISH = Language.ENGLISH
Open = Callable[..., AppTest]


@pytest.fixture
def study(home: Path, tmp_path: Path) -> None:
    one = server()
    import_all(build_study(tmp_path / "study"), one.settings, one.store, backend="threading")


def say(key: str, **values: object) -> str:
    return text(ENGLISH, key, **values)


def said(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.info, *app.warning, *app.error, *app.success, *app.title]
    return "\n".join(str(part.value).replace("\\", "") for part in parts)


def tab(app: AppTest, name: str) -> AppTest:
    """Open a part of the page, which is drawn only then."""
    app.session_state["generate-part"] = say(f"generate.{name}")
    return app.run()


def models(app: AppTest) -> object:
    [box] = [one for one in app.multiselect if str(one.key).startswith("run-models")]
    return box


def wait(kind: str) -> None:
    jobs = server().generate_jobs if kind == "run" else list(server().answers.values())
    for job in jobs:
        job.wait(30)
        assert not job.running


def test_readers_are_told_where_models_run(open_app: Open) -> None:
    app = open_app("generate", view="reading")
    assert say("generate.reading_only") in said(app)
    assert not app.multiselect


def test_empty_parts_say_what_to_do(open_app: Open) -> None:
    app = open_app("generate", view="research")
    assert say("generate.no_cases") in said(app)
    assert say("run.none") in said(tab(app, "tab_runs"))
    privacy = said(tab(app, "tab_privacy"))
    assert say("gate.nothing_allowed") in privacy
    assert say("gate.log_empty") in privacy
    assert not app.exception


@pytest.mark.usefixtures("study")
def test_a_run_is_planned_started_and_listed(open_app: Open) -> None:
    app = open_app("generate", view="research")
    assert app.button(key="make-plan").disabled
    models(app).set_value(["template", "template-normal"])
    app.run()
    app.button(key="make-plan").click().run()
    plan = app.dataframe[0].value
    assert plan[say("plan.to_ask")].tolist() == [3, 3]
    assert plan[say("plan.there")].tolist() == [0, 0]
    assert plan[say("plan.check")].tolist() == [say("plan.can_run")] * 2
    app.button(key="start-run").click().run()
    wait("run")
    app.run()
    assert not app.exception
    assert not app.error
    assert f"{say('run.ended')}: {say('generate.ended_done')} 6" in said(app)
    assert {g.generation.status for g in server().store.generations()} == {GenerationStatus.DONE}
    assert len(server().store.generations()) == 6
    runs = said(tab(app, "tab_runs"))
    assert runs.count(f"{say('generate.ended_done')} 3") == 2
    assert say("run.whole") in runs


@pytest.mark.usefixtures("study")
def test_a_plan_is_void_once_the_choices_change(open_app: Open) -> None:
    app = open_app("generate", view="research")
    models(app).set_value(["template"])
    app.run()
    app.button(key="make-plan").click().run()
    app.segmented_control(key="run-cases").set_value("chosen").run()
    app.multiselect(key="run-chosen").set_value(["a"]).run()
    assert say("generate.plan_old") in said(app)
    assert [one.key for one in app.button if one.key == "start-run"] == []


@pytest.mark.usefixtures("study")
def test_what_stands_in_the_way_is_said_with_the_command(open_app: Open) -> None:
    app = open_app("generate", view="research")
    models(app).set_value(["qwen2.5-vl-7b"])
    app.run()
    app.button(key="make-plan").click().run()
    assert app.dataframe[0].value[say("plan.check")].tolist() == [say("plan.cannot_run")]
    assert any("hf download Qwen/Qwen2.5-VL-7B-Instruct" in error.value.replace("\\", "") for error in app.error)
    assert say("generate.none_can_run") in said(app)
    assert say("plan.left_out", n=1) in [one.label for one in app.expander]  # the case that has only a report


@pytest.mark.usefixtures("study")
def test_the_plan_says_that_a_key_is_missing(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    app = open_app("generate", view="research")
    models(app).set_value(["gpt-4o"])
    app.run()
    app.button(key="make-plan").click().run()
    assert app.dataframe[0].value[say("plan.check")].tolist() == [say("plan.cannot_run")]
    assert "OPENAI_API_KEY" in said(app)
    assert say("generate.none_can_run") in said(app)
    assert [one.key for one in app.button if one.key == "start-run"] == []


@pytest.mark.usefixtures("study")
def test_nobody_is_asked_to_let_something_out_for_a_model_that_cannot_run(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    app = open_app("generate", view="research")
    models(app).set_value(["template", "gpt-4o"])
    app.run()
    app.button(key="make-plan").click().run()
    app.button(key="start-run").click().run()
    wait("run")
    app.run()
    assert not app.exception
    assert {one.generation.model for one in server().store.generations()} == {"template"}


@pytest.mark.usefixtures("study")
def test_a_key_that_is_missing_is_named_and_nothing_can_be_asked(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    app = open_app("review", view="research", case="a")
    app.selectbox(key="model").set_value("gpt-4o").run()
    assert "OPENAI_API_KEY" in said(app)
    assert app.button(key="generate-one").disabled
    names = {one.label for one in app.number_input}
    assert say("generate.seed") in names
    assert say("generate.top_k") not in names  # the vendor takes none
    assert not [one for one in app.text_input if one.label == say("generate.address")]


@pytest.mark.usefixtures("study")
def test_a_model_of_its_own_code_leads_to_the_import(open_app: Open) -> None:
    app = open_app("review", view="research", case="a")
    app.selectbox(key="model").set_value("radfm").run()
    assert "pet2rep import-outputs PATH --model radfm" in said(app)
    assert app.button(key="generate-one").disabled


@pytest.mark.usefixtures("study")
@pytest.mark.parametrize(
    ("reply", "ended", "shown"),
    [
        (vendor.chat_events(["Findings: half"], "length"), "cut", True),
        (vendor.chat_events([], "length"), "empty", False),
        (vendor.chat_events(["I cannot do that."], "content_filter"), "refused", False),
    ],
    ids=["cut", "empty", "refused"],
)
def test_an_answer_that_is_no_finished_report_is_said_to_be_none(
    open_app: Open, reply: list[object], ended: str, shown: bool
) -> None:
    with vendor_server(lambda _call: vendor.stream(reply)) as one:
        app = open_app("review", view="research", case="a")
        app.selectbox(key="model").set_value("qwen2.5-vl-7b").run()
        app.text_input(key="one-address").set_value(one.base_url).run()
        app.button(key="generate-one").click().run()
        wait("answer")
        app.run()
    assert not app.exception
    warning = next(part.value for part in app.warning if say(f"generate.ended_{ended}")[1:] in part.value)
    assert say(f"generate.next_{ended}") in warning.replace("\\", "")
    rated = [group for group in app.get("button_group") if str(group.key).startswith("rate-")]
    assert bool(rated) == shown
    assert ended in {g.generation.status.value for g in server().store.generations()}


@pytest.mark.usefixtures("study")
def test_the_table_of_models_can_be_filtered(open_app: Open) -> None:
    app = tab(open_app("generate", view="research"), "tab_models")
    assert len(app.dataframe[0].value) == len(read_catalog().rows)
    app.text_input(key="models-find").set_value("medgemma").run()
    found = app.dataframe[0].value
    assert set(found[say("models.id")]) == {row for row in read_catalog().rows if "medgemma" in row}
    app.text_input(key="models-find").set_value("no such thing").run()
    assert say("models.none") in said(app)


@pytest.mark.usefixtures("study")
def test_finished_outputs_are_taken_in(open_app: Open, tmp_path: Path) -> None:
    lines = [{"subject_id": "a", "llm_output": ["Findings: normal."]}, {"subject_id": "zz", "llm_output": ["x"]}]
    path = tmp_path / "outputs.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)) + "\n", encoding="utf-8")
    app = tab(open_app("generate", view="research"), "tab_outputs")
    app.text_input(key="outputs-path").set_value(str(path))
    app.selectbox(key="outputs-model").set_value("radfm")
    [take] = [one for one in app.button if one.label == say("outputs.take")]
    take.click().run()
    assert not app.exception
    assert app.dataframe[0].value[say("import.status")].tolist() == [
        say("generate.ended_done"), say("generate.ended_not_asked")
    ]  # fmt: skip
    [stored] = server().store.generations()
    assert (stored.generation.model, stored.generation.case_id) == ("radfm", "a")
    assert say("run.imported") in said(tab(app, "tab_runs"))


def test_what_was_allowed_is_shown_and_turned_off(open_app: Open) -> None:
    store = server().store
    sending = Sending("api.openai.com", "study", ("gpt-4o",), ("fused",), 3, 9)
    allow_provider(store, Person("R02", Role.RESEARCHER), sending)
    app = tab(open_app("generate", view="research"), "tab_privacy")
    shown = said(app)
    assert say("gate.on", host="api.openai.com", vendor="OpenAI, USA", dataset="study") in shown
    assert "allowed by R02" in shown
    app.button(key="off-study-api.openai.com").click().run()
    assert allowed_hosts(store, "study") == ()
    assert say("gate.nothing_allowed") in said(app)
    assert len(store.events((ALLOWED,))) == 1
