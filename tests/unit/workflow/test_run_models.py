"""Runs against a real server: everything asked once, every end said honestly, stopped and resumed at any time."""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from pet2rep_core.errors import PermissionDeniedError, SettingsError
from pet2rep_core.imaging.display import read_display
from pet2rep_core.records import GenerationStatus, Language, Person, Role
from pet2rep_core.settings import Settings
from pet2rep_core.store import Store
from pet2rep_core.store.rows import generation_row, run_row
from pet2rep_core.vlm.catalog import read_catalog
from pet2rep_core.vlm.request import Options
from pet2rep_core.workflow import providers
from pet2rep_core.workflow.answer_ledger import AnswerLedger, ledger_folder, take_in_answers
from pet2rep_core.workflow.build_request import Asking
from pet2rep_core.workflow.jobs import start_generating
from pet2rep_core.workflow.model_saw import what_model_saw
from pet2rep_core.workflow.patience import Patience
from pet2rep_core.workflow.preflight_run import check_plan
from pet2rep_core.workflow.run_models import generate_one, run_planned
from pet2rep_core.workflow.run_outcome import Workplace
from pet2rep_core.workflow.run_plan import RunChoices, pair_models, plan_run
from pet2rep_core.workflow.run_progress import RunProgress
from tests import vendor_servers as vendor
from tests.study_files import build_scans, import_all
from tests.vendor_servers import vendor_server

SOMEBODY = Person("R07", Role.RESEARCHER)
MODEL = "qwen2.5-vl-7b"
DONE, FAILED = GenerationStatus.DONE, GenerationStatus.FAILED
CASES = ("p0", "p1", "p2", "p3")
QUICK = Patience(tries=3, first_s=0.05, most_s=0.1)


@pytest.fixture
def place(tmp_path: Path, settings: Settings, store: Store) -> Workplace:
    """Four cases with PET and CT that differ, in a store."""
    import_all(build_scans(tmp_path / "study", CASES), settings, store)
    return Workplace(store, settings, read_display(), SOMEBODY)


def choices(server, **more) -> RunChoices:
    return RunChoices(**{"base_url": server.base_url, "patience": QUICK, "parallel": 2, **more})


def plan(place, server, *, models=(MODEL,), settings=("fused",), cases=CASES, **more):
    chosen = choices(server, **more)
    pairs = pair_models(read_catalog(), models, settings, base_url=chosen.base_url)
    return plan_run(place.store, pairs, cases, chosen)


def run(place, planned, **more):
    return list(run_planned(place, planned, cancelled=more.pop("cancelled", lambda: False), **more))


def test_every_case_is_asked_once_and_all_of_it_is_recorded(place, server):
    outcomes = run(place, plan(place, server))
    assert {(one.case_id, one.status) for one in outcomes} == {(case, DONE) for case in CASES}
    assert len(server.calls) == 4
    [stored] = place.store.generations("p0")
    assert stored.generation.text == "影像所见：肝脏未见异常。"
    detail = stored.detail
    assert [one["name"] for one in detail["pictures"]] == ["fused 1", "fused 2", "fused 3"]
    assert all(len(one["sha256"]) == 64 for one in detail["pictures"])
    assert detail["finish_reason"] == "stop"
    assert detail["usage"] == {"input_tokens": 2100, "output_tokens": 300, "reasoning_tokens": None}
    assert (detail["model_returned"], detail["request_id"], detail["route"]) == ("m-2026", "rq-9", "openai")
    assert detail["options_sent"]["top_k"] == 50
    assert detail["engine"]["host"] == server.host
    assert (detail["attempts"], detail["not_sent"]) == (1, [])
    assert stored.duration_s is not None
    [run_row] = place.store.runs()
    assert (run_row.model, run_row.input_setting, run_row.seed) == (MODEL, "fused", 0)
    assert list(ledger_folder(place.settings).iterdir()) == []


def test_again_asks_nothing_and_a_server_that_moved_does_not_matter(place, server):
    first = run(place, plan(place, server))
    with vendor_server() as other:
        second = run(place, plan(place, other))
        assert other.calls == []
    assert {(one.case_id, one.generation_id) for one in second} == {(one.case_id, one.generation_id) for one in first}
    assert all(one.already for one in second)


def test_another_seed_prompt_language_or_size_is_another_run(place, server):
    asking = Asking()
    kinds = [
        asking, replace(asking, language=Language.ENGLISH), replace(asking, size_px=256),
        replace(asking, options=Options(seed=1)), replace(asking, options=Options(temperature=0.0)),
    ]  # fmt: skip
    for one in kinds:
        run(place, plan(place, server, cases=("p0",), asking=one))
    run(place, plan(place, server, cases=("p0",), settings=("separate",)))
    assert len(server.calls) == len(place.store.runs()) == len(kinds) + 1
    assert len({json.dumps(call.body, sort_keys=True) for call in server.calls}) == len(kinds) + 1
    separate = server.calls[-1].body["messages"][-1]["content"]
    assert [part["type"] for part in separate].count("image_url") == 6


def test_a_failure_is_no_answer_and_only_it_is_asked_again(place, server):
    refused = [False, True, True, False]
    server.answer = lambda call: vendor.refusal(400, {"message": "no"}) if refused.pop(0) else vendor.good(call)
    outcomes = run(place, plan(place, server, parallel=1))
    bad = [one.case_id for one in outcomes if one.status is FAILED]
    assert len(bad) == 2
    assert {one.status for one in outcomes if one.case_id not in bad} == {DONE}
    [failed] = place.store.generations(bad[0])
    assert (failed.generation.status, failed.generation.text) == (FAILED, "")
    assert "refused the request (HTTP 400): no" in failed.generation.error
    server.answer = vendor.good
    again = run(place, plan(place, server, parallel=1))
    assert len(server.calls) == 6
    assert {one.status for one in again} == {DONE}
    [mended] = place.store.generations(bad[0])
    assert (mended.attempt, mended.generation.status) == (2, DONE)


@pytest.mark.parametrize(
    ("body", "status"),
    [(vendor.chat("半", finish="length"), GenerationStatus.CUT), (vendor.chat(""), GenerationStatus.EMPTY),
     (vendor.chat("不", finish="content_filter"), GenerationStatus.REFUSED)],
    ids=["cut", "empty", "refused"],
)  # fmt: skip
def test_a_bad_end_is_an_answer_that_is_paid_and_not_asked_again_unless_wanted(place, server, body, status):
    server.answer = lambda _: vendor.as_json(body)
    [first] = run(place, plan(place, server, cases=("p0",)))
    assert first.status is status
    assert first.reason
    [second] = run(place, plan(place, server, cases=("p0",)))
    assert (second.status, second.already, len(server.calls)) == (status, True, 1)
    server.answer = vendor.good
    [third] = run(place, plan(place, server, cases=("p0",), again=True))
    assert (third.status, len(server.calls)) == (DONE, 2)


def test_a_busy_server_is_tried_again_with_a_visible_wait(place, server):
    replies = [vendor.refusal(429, {"message": "slow"}, retry_after="1"), vendor.Reply(503, [b"<html>x</html>"])]
    server.answer = lambda call: replies.pop(0) if replies else vendor.good(call)
    progress = RunProgress()
    seen: list[str] = []
    ended = threading.Event()

    def watch():
        while not ended.wait(0.01):
            seen.extend(one.reason for one in progress.waiting)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        [outcome] = run(place, plan(place, server, cases=("p0",)), progress=progress)
    finally:
        ended.set()
        watcher.join()
    assert (outcome.status, outcome.attempts) == (DONE, 3)
    assert "HTTP 429" in seen[0]
    assert progress.waiting == ()
    assert place.store.generations("p0")[0].detail["attempts"] == 3


def test_a_server_that_stays_busy_is_given_up_for_the_case(place, server):
    server.answer = lambda _: vendor.refusal(503, {"message": "overloaded"})
    [outcome] = run(place, plan(place, server, cases=("p0",)))
    assert (outcome.status, outcome.attempts, len(server.calls)) == (FAILED, 3, 3)
    assert "HTTP 503" in outcome.reason


@pytest.mark.parametrize(
    "reply",
    [vendor.refusal(429, {"message": "quota", "code": "insufficient_quota"}), vendor.refusal(401, {"message": "no"}),
     vendor.refusal(404, {"message": "The model does not exist"})],
    ids=["quota", "key", "model"],
)  # fmt: skip
def test_what_every_case_would_meet_ends_the_model(place, server, reply):
    server.answer = lambda _: reply
    outcomes = run(place, plan(place, server, parallel=1))
    assert len(server.calls) == 1
    assert sorted(str(one.status) for one in outcomes) == ["None", "None", "None", "failed"]
    assert len({one.reason for one in outcomes}) == 1
    assert len(place.store.generations()) == 1


def test_an_error_before_the_first_call_asks_nothing(place, server):
    server.models = vendor.refusal(401, {"message": "no"})
    outcomes = run(place, plan(place, server))
    assert server.calls == []
    assert {one.status for one in outcomes} == {None}
    assert "does not accept the key" in outcomes[0].reason
    assert place.store.generations() == []


def test_stopping_ends_within_a_moment_and_leaves_the_rest_missing(place, server):
    slow = threading.Event()
    server.answer = lambda call: vendor.good(call) if not slow.is_set() else replace(vendor.good(call), delay_s=60)
    stop = threading.Event()
    found = []
    outcomes = run_planned(place, plan(place, server, parallel=1), cancelled=stop.is_set)
    found.append(next(outcomes))
    slow.set()
    timer = threading.Timer(0.3, stop.set)
    timer.start()
    found += list(outcomes)
    timer.join()
    assert server.gone.wait(10)
    assert 1 <= len(found) < 4
    slow.clear()
    asked = len(place.store.generations())
    again = run(place, plan(place, server, parallel=1))
    assert {one.status for one in again} == {DONE}
    assert sum(not one.already for one in again) == 4 - asked


def test_a_report_with_text_as_it_comes(place, server):
    pieces: list[str] = []
    outcome = generate_one(place, plan(place, server, cases=("p0",)), cancelled=lambda: False, on_text=pieces.append)
    assert (
        "".join(pieces) == place.store.generation(outcome.generation_id).generation.text == "影像所见：肝脏未见异常。"
    )
    again = generate_one(place, plan(place, server, cases=("p0",)), cancelled=lambda: False, on_text=pieces.append)
    assert (again.already, len(server.calls)) == (True, 1)


def test_the_same_request_is_not_paid_twice_under_another_run(place, server, monkeypatch):
    [first] = run(place, plan(place, server, cases=("p0",)))
    # another run by its name, whose request has the same bytes
    monkeypatch.setattr("pet2rep_core.workflow.run_plan.RUN_VERSION", 99)
    [second] = run(place, plan(place, server, cases=("p0",)))
    assert second.run_id != first.run_id
    assert (second.status, second.already, len(server.calls)) == (DONE, True, 1)
    copy = place.store.generation(second.generation_id)
    assert copy.generation.text == place.store.generation(first.generation_id).generation.text
    assert copy.detail["copied_from"] == first.generation_id
    assert "cost" not in copy.detail


# --- cost


def priced(tmp_path, monkeypatch, server, **prices):
    own = tmp_path / "own.toml"
    price = {"input": 1.0, "output": 100.0, "currency": "USD", **prices}
    said = ", ".join(f"{key} = {json.dumps(value)}" for key, value in price.items())
    own.write_text(
        f'[[model]]\nid = "{MODEL}"\nprices = {{ {said}, date = "2026-11", source = "a test" }}\n', encoding="utf-8"
    )
    monkeypatch.setenv("PET2REP_MODELS", str(own))
    # this machine's own address would stay here and cost nothing
    monkeypatch.setattr("pet2rep_core.workflow.run_plan.on_this_machine", lambda url: False)


def test_a_cap_counts_requests_under_way_at_their_estimate(place, server, tmp_path, monkeypatch):
    priced(tmp_path, monkeypatch, server)
    asking = Asking(options=Options(max_new_tokens=1000))
    host = server.host
    wanted = plan(place, server, asking=asking, parallel=4)
    for one in providers.sendings_of(wanted):
        providers.allow_provider(place.store, SOMEBODY, one)
    [check] = check_plan(place, wanted)
    each = check.price / 4
    assert 0.1 < each < 0.11  # 1000 new tokens at 100 a million, and a few thousand at 1
    # an answer costs 300 tokens: 0.03 and 2100 at 1 a million
    real = (2100 * 1.0 + 300 * 100.0) / 1e6
    capped = plan(place, server, asking=asking, parallel=4, max_cost=each * 1.5)
    outcomes = run(place, capped)
    asked = [one for one in outcomes if one.status is DONE]
    left = [one for one in outcomes if one.status is None]
    # one estimate fits, then what it really cost plus one estimate, and again until the room is too small
    room, expected = each * 1.5, 0
    while room >= each:
        room, expected = room - real, expected + 1
    assert len(asked) == len(server.calls) == expected == 2
    assert all("cost cap" in one.reason for one in left)
    assert len(left) == 4 - expected
    assert sum(one.cost for one in asked) == pytest.approx(2 * real)
    assert place.store.generations(asked[0].case_id)[0].detail["cost"] == {
        "amount": pytest.approx(real), "currency": "USD"
    }  # fmt: skip
    assert host


def test_a_cap_without_a_price_is_refused(place, server, monkeypatch):
    monkeypatch.setattr("pet2rep_core.workflow.run_plan.on_this_machine", lambda url: False)
    wanted = plan(place, server, max_cost=1.0)
    for one in providers.sendings_of(wanted):
        providers.allow_provider(place.store, SOMEBODY, one)
    with pytest.raises(SettingsError, match="Nobody vouches for a price"):
        run(place, wanted)


# --- what leaves the machine


def test_nothing_leaves_until_a_person_allows_it_for_the_dataset(place, server, monkeypatch):
    monkeypatch.setattr("pet2rep_core.workflow.run_plan.on_this_machine", lambda url: False)
    wanted = plan(place, server, settings=("separate",))
    with pytest.raises(PermissionDeniedError) as caught:
        run(place, wanted)
    assert f"24 pictures and 4 prompts of 'study' to {server.host}, outside this machine" in caught.value.message
    assert f"--allow-provider {server.host}" in caught.value.hint
    assert (server.calls, server.looks) == ([], [])
    [sending] = providers.sendings_of(wanted)
    with pytest.raises(PermissionDeniedError, match="role"):
        providers.allow_provider(place.store, Person("R01", Role.RATER), sending)
    providers.allow_provider(place.store, SOMEBODY, sending)
    assert providers.allowed_hosts(place.store, "study") == (server.host,)
    assert {one.status for one in run(place, wanted)} == {DONE}
    sent = place.store.events((providers.SENT,))
    assert len(sent) == 4
    hashes = {one.detail["request_sha256"] for one in place.store.generations()}
    assert {one.detail["request_sha256"] for one in sent} == hashes
    assert all(len(one.detail["picture_sha256"]) == 6 and one.actor == "R07" for one in sent)
    everything = json.dumps([one.detail for one in place.store.events((providers.SENT, providers.ALLOWED))])
    assert "影像" not in everything
    assert "base64" not in everything
    providers.withdraw_provider(place.store, SOMEBODY, "study", server.host)
    with pytest.raises(PermissionDeniedError, match="outside this machine"):
        run(place, plan(place, server, cases=("p0",), asking=Asking(options=Options(seed=5))))


def test_a_rater_may_not_generate(place, server):
    rater = replace(place, person=Person("R01", Role.RATER))
    with pytest.raises(PermissionDeniedError, match="role 'researcher'"):
        run(rater, plan(place, server))


# --- cases that cannot be asked about


def test_cases_without_what_an_input_needs_are_listed_and_not_stored(place, server, tmp_path, settings):
    from tests.study_files import build_study

    import_all(build_study(tmp_path / "other"), settings, place.store)
    outcomes = {one.case_id: one for one in run(place, plan(place, server, cases=("a", "b", "c")))}
    assert {case: one.status for case, one in outcomes.items()} == {"a": DONE, "b": DONE, "c": None}
    assert "has no volumes, which the input 'fused' needs" in outcomes["c"].reason
    # finished pictures stand for the fused ones
    assert [one["name"] for one in place.store.generations("b")[0].detail["pictures"]] == ["fused 1"]
    separate = run(place, plan(place, server, cases=("b",), settings=("separate", "fused-measured")))
    assert {one.status for one in separate} == {None}


def test_progress_counts_what_is_asked(place, server):
    clock = [100.0]
    progress = RunProgress(clock=lambda: clock[0])
    progress.expect(10)
    assert progress.seconds_left is None
    progress.start_one()
    clock[0] += 4
    progress.end_one(answered=True)
    assert progress.seconds_left == 36.0  # nine more at four seconds
    progress.less(4)
    assert progress.seconds_left == 20.0
    progress.start_one()
    progress.end_one(answered=False)
    assert progress.asked == 1


# --- in the background, and afterwards


def test_a_job_goes_on_by_itself_and_says_how_it_stands(place, server):
    server.answer = lambda call: replace(vendor.good(call), delay_s=0.2)
    job = start_generating(place, plan(place, server, parallel=1), name="fused")
    job.wait(60)
    assert not job.running
    assert (len(job.outcomes), job.total, job.problem, job.cancelled) == (4, 4, None, False)
    assert (job.progress.asked, job.progress.under_way, job.seconds_left) == (4, 0, None)
    server.answer = lambda call: replace(vendor.good(call), delay_s=60)
    again = start_generating(place, plan(place, server, asking=Asking(options=Options(seed=8))))
    while len(server.calls) < 5:
        assert again.running
    again.cancel()
    again.wait(20)
    assert (again.running, again.outcomes) == (False, [])


def test_a_job_that_may_not_send_does_not_start(place, server, monkeypatch):
    monkeypatch.setattr("pet2rep_core.workflow.run_plan.on_this_machine", lambda url: False)
    with pytest.raises(PermissionDeniedError, match="outside this machine"):
        start_generating(place, plan(place, server))


@pytest.mark.parametrize("setting", ["separate", "fused", "fused-measured"])
def test_what_the_model_saw_is_shown_again_byte_for_byte(place, server, setting):
    [outcome] = run(place, plan(place, server, cases=("p0",), settings=(setting,)))
    seen = what_model_saw(place.store, place.settings, place.display, read_catalog(), outcome.generation_id)
    assert seen.is_same
    *pictures, text = server.calls[0].body["messages"][-1]["content"]
    assert text["text"] == seen.request.user
    sent = [base64.b64decode(part["image_url"]["url"].partition(",")[2]) for part in pictures]
    assert sent == [one.png for one in seen.request.pictures]


def test_what_a_built_in_model_saw_was_nothing(place):
    catalog = read_catalog()
    pairs = pair_models(catalog, ["template"], ["fused"])
    [outcome] = run(place, plan_run(place.store, pairs, ["p0"], RunChoices()))
    assert outcome.status is DONE
    seen = what_model_saw(place.store, place.settings, place.display, catalog, outcome.generation_id)
    assert (seen.request, seen.pictures) == (None, ())


def test_a_torn_line_of_the_ledger_was_never_an_answer(place, server):
    [outcome] = run(place, plan(place, server, cases=("p0",)))
    stored = place.store.generations("p0")[0]
    [run_of_it] = place.store.runs()
    row = generation_row(replace(stored.generation, case_id="p1", generation_id="g-torn"), detail=stored.detail)
    ledger = AnswerLedger(place.settings)
    ledger.keep(run_row(run_of_it), row)
    assert take_in_answers(place.store, place.settings) == 0  # its run is alive
    ledger.close(all_stored=False)
    [path] = ledger_folder(place.settings).iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert take_in_answers(place.store, place.settings) == 0
    path.write_bytes(whole)
    assert take_in_answers(place.store, place.settings) == 1
    assert [one.generation.generation_id for one in place.store.generations("p1")] == ["g-torn"]
    assert list(ledger_folder(place.settings).iterdir()) == []
    assert outcome.status is DONE
