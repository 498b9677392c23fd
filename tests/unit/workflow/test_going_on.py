"""Runs that go on, models that can or cannot be asked now, and what a model saw, against a real server."""

from __future__ import annotations

import hashlib
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from pet2rep_core.errors import ImageGeometryError, SettingsError, UnknownNameError
from pet2rep_core.imaging.display import read_display
from pet2rep_core.records import GenerationStatus, Language, Person, Role
from pet2rep_core.settings import Settings
from pet2rep_core.store import Store
from pet2rep_core.vlm.catalog import Catalog, read_catalog
from pet2rep_core.vlm.request import Options, Route
from pet2rep_core.workflow.build_request import Asking
from pet2rep_core.workflow.live_answer import LiveAnswer
from pet2rep_core.workflow.model_saw import seen_picture, what_model_saw
from pet2rep_core.workflow.open_case import choose_key_slices, open_case
from pet2rep_core.workflow.patience import Patience
from pet2rep_core.workflow.readiness import Ready, key_is_set, look_at
from pet2rep_core.workflow.run_log import earlier_runs, plan_to_go_on, record_start
from pet2rep_core.workflow.run_models import run_planned
from pet2rep_core.workflow.run_outcome import Workplace
from pet2rep_core.workflow.run_plan import RunChoices, RunPlan, pair_models, plan_run
from tests import vendor_servers as vendor
from tests.study_files import build_scans, import_all
from tests.vendor_servers import VendorServer

MODEL = "qwen2.5-vl-7b"
CASES = ("p0", "p1", "p2")
ONCE = Patience(tries=1)


@pytest.fixture
def place(tmp_path: Path, settings: Settings, store: Store) -> Workplace:
    import_all(build_scans(tmp_path / "study", CASES), settings, store)
    return Workplace(store, settings, read_display(), Person("R07", Role.RESEARCHER))


def plan(place: Workplace, server: VendorServer, *, model: str = MODEL, setting: str = "fused", **more) -> RunPlan:
    choices = RunChoices(**{"base_url": server.base_url, "patience": ONCE, "parallel": 1, **more})
    pairs = pair_models(read_catalog(), [model], [setting], base_url=choices.base_url)
    return plan_run(place.store, pairs, CASES, choices)


def run(place: Workplace, planned: RunPlan) -> None:
    assert len(list(run_planned(place, planned, cancelled=lambda: False))) == len(planned.items) + len(planned.there)


@pytest.mark.parametrize("setting", ["separate", "fused", "fused-measured"])
def test_what_failed_or_was_never_asked_is_asked_later_exactly_as_before(place, server, setting):
    asking = Asking(Language.ENGLISH, size_px=96, options=Options(seed=3, temperature=None, max_new_tokens=77))
    planned = plan(place, server, setting=setting, asking=asking, max_cost=None)
    server.answer = lambda call: vendor.refusal(400, {"message": "no"}) if len(server.calls) == 1 else vendor.good(call)
    record_start(place.store, place.person, planned)
    run(place, replace(planned, items=planned.items[:2]))  # the first fails, and the program ends before the third
    asked = len(server.calls)
    [earlier] = earlier_runs(place.store)
    assert earlier.can_go_on
    assert (earlier.counts[GenerationStatus.FAILED], earlier.counts[GenerationStatus.DONE]) == (1, 1)
    assert (len(earlier.missing), earlier.missing[-1]) == (2, "p2")
    later = plan_to_go_on(place.store, read_catalog(), earlier)
    assert [item.case.case_id for item in later.items] == list(earlier.missing)
    assert {item.run.run_id for item in later.items} == {earlier.run.run_id}
    assert later.choices.base_url == server.base_url
    run(place, later)
    assert len(server.calls) == asked + len(earlier.missing)
    first, last = server.calls[0].body, server.calls[-1].body
    assert {key: first[key] for key in first if key != "messages"} == {
        key: last[key] for key in last if key != "messages"
    }
    [whole] = earlier_runs(place.store)
    assert (whole.missing, whole.counts[GenerationStatus.DONE]) == ((), 3)


def test_a_run_of_the_command_line_goes_on_with_what_failed(place, server):
    """Nobody kept what it was meant to hold, so only its own failures are known."""
    server.answer = lambda call: vendor.refusal(400, {"message": "no"}) if len(server.calls) == 2 else vendor.good(call)
    run(place, plan(place, server))
    [earlier] = earlier_runs(place.store)
    assert (earlier.started, len(earlier.missing)) == (None, 1)
    # where the server was is not kept by a run, so the model's own address is asked
    assert plan_to_go_on(place.store, read_catalog(), earlier).choices.base_url == ""


def test_a_built_in_run_goes_on(place, server):
    planned = plan(place, server, model="template-normal", asking=Asking(Language.ENGLISH), base_url="")
    record_start(place.store, place.person, planned)
    run(place, replace(planned, items=planned.items[:1]))
    [earlier] = earlier_runs(place.store)
    assert earlier.missing == CASES[1:]
    run(place, plan_to_go_on(place.store, read_catalog(), earlier))
    [whole] = earlier_runs(place.store)
    assert whole.missing == ()


def test_a_run_whose_model_has_changed_does_not_go_on_as_another(place, server):
    planned = plan(place, server)
    record_start(place.store, place.person, planned)
    [earlier] = earlier_runs(place.store)
    assert earlier.missing == CASES
    catalog = read_catalog()
    row = catalog.row(MODEL)
    less = replace(row, accepts=frozenset({"temperature"}))
    changed = Catalog({**catalog.rows, MODEL: less}, catalog.families, catalog.updated)
    with pytest.raises(SettingsError, match=r"cannot go on: its prompt, its options or its model have changed"):
        plan_to_go_on(place.store, changed, earlier)
    elsewhere = Catalog({**catalog.rows, MODEL: replace(row, routes=(Route.IMPORT,))}, catalog.families, "")
    with pytest.raises(SettingsError, match=r"is not asked by the route 'openai' any more"):
        plan_to_go_on(place.store, elsewhere, earlier)
    gone = Catalog({}, catalog.families, "")
    with pytest.raises(UnknownNameError, match="There is no model named"):
        plan_to_go_on(place.store, gone, earlier)


@pytest.mark.parametrize("setting", ["separate", "fused", "fused-measured"])
def test_what_a_model_saw_is_made_again_and_its_hashes_compared(place, server, setting):
    run(place, plan(place, server, setting=setting, asking=Asking(size_px=128)))
    generation = place.store.generations("p1")[0].generation
    look = lambda: what_model_saw(  # noqa: E731
        place.store, place.settings, place.display, read_catalog(), generation.generation_id
    )
    seen = look()
    assert seen.is_same
    assert seen.same_text
    assert seen.problem is None
    assert len(seen.pictures) == (6 if setting == "separate" else 3)
    sent = [part for part in server.calls[1].body["messages"][-1]["content"] if part["type"] == "image_url"]
    for n, one in enumerate(seen.pictures):
        picture = seen_picture(place.store, place.settings, place.display, "p1", generation.generation_id, n)
        assert hashlib.sha256(picture.png).hexdigest() == one.sha256
        assert max(one.size) == 128
    assert len(sent) == len(seen.pictures)
    assert seen.request.user == server.calls[1].text
    case = open_case(place.store, place.settings, "p1")
    other = tuple(0 for _ in case.key_slices.indices)
    choose_key_slices(place.store, case, other, "for the test", "R07")
    seen = look()
    assert not seen.is_same
    assert not all(one.same for one in seen.pictures)


def test_a_picture_is_given_with_its_own_case_alone(place, server):
    run(place, plan(place, server))
    generation = place.store.generations("p1")[0].generation
    with pytest.raises(ImageGeometryError, match="of another case"):
        seen_picture(place.store, place.settings, place.display, "p0", generation.generation_id, 0)
    with pytest.raises(ImageGeometryError, match="no picture 3"):
        seen_picture(place.store, place.settings, place.display, "p1", generation.generation_id, 3)


def test_a_report_without_pictures_has_nothing_to_make_again(place, server):
    run(place, plan(place, server, model="template", base_url=""))
    generation = place.store.generations("p0")[0].generation
    seen = what_model_saw(place.store, place.settings, place.display, read_catalog(), generation.generation_id)
    assert (seen.pictures, seen.request, seen.problem) == ((), None, None)
    with pytest.raises(ImageGeometryError, match="written without pictures"):
        seen_picture(place.store, place.settings, place.display, "p0", generation.generation_id, 0)


def test_an_answer_is_read_while_it_comes_and_stops(place, server):
    server.answer = lambda _call: vendor.stream(vendor.chat_events(["one ", *["…"] * 400]), pause_s=0.2)
    [item] = plan(place, server).items[:1]
    one = replace(plan(place, server), items=(item,))
    job = LiveAnswer(place, one)
    while not job.text:
        assert job.running
        job.wait(0.02)
    assert job.text.startswith("one ")
    job.cancel()
    job.wait(20)
    assert (job.running, job.outcome, job.problem) == (False, None, None)
    assert place.store.generations() == []


def test_models_say_why_they_cannot_be_asked(server, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    catalog = read_catalog()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{probe.getsockname()[1]}/v1"
    seen = {
        "own code": look_at(catalog.row("radfm")),
        "no weights": look_at(catalog.row(MODEL)),
        "server": look_at(catalog.row(MODEL), base_url=server.base_url),
        "nobody": look_at(catalog.row(MODEL), base_url=nobody),
        "no key": look_at(catalog.row("gpt-4o")),
        "built in": look_at(catalog.row("template")),
        "outside": look_at(catalog.row(MODEL), base_url="http://scanner.example.org/v1"),
        "wrong": look_at(catalog.row(MODEL), base_url="ftp://somewhere"),
    }
    assert {name: one.ready for name, one in seen.items()} == {
        "own code": Ready.OWN_CODE, "no weights": Ready.NO_WEIGHTS, "server": Ready.YES, "nobody": Ready.NO_SERVER,
        "no key": Ready.NO_KEY, "built in": Ready.YES, "outside": Ready.YES, "wrong": Ready.WRONG_ADDRESS,
    }  # fmt: skip
    assert {name for name, one in seen.items() if one.outside} == {"no key", "outside"}
    assert all(one.message and one.hint for one in seen.values() if one.ready is not Ready.YES)
    assert (server.calls, server.looks) == ([], [])
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-real-key-000000")
    ready = look_at(catalog.row("gpt-4o"))
    assert (ready.ready, ready.host, ready.key_env) == (Ready.YES, "api.openai.com", "OPENAI_API_KEY")
    assert key_is_set("OPENAI_API_KEY")
    assert "sk-not" not in repr(ready)
