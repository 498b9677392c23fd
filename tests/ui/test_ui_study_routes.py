"""The addresses of the reading desk as a browser asks them: leave, own items only, drafts, submitting, no names."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pet2rep_core.imaging.prepared import open_prepared
from pet2rep_core.records import Stage
from pet2rep_core.ui.leave import HEADER, NO_LEAVE, STUDY_HEADER, study_scope
from pet2rep_core.ui.routes import ROUTES
from pet2rep_core.ui.server import server
from tests.browser.studies import MadeStudy, study_in
from tests.study_files import build_study, import_all

SAME = {"Sec-Fetch-Site": "same-origin"}
REFUSED = (403, {"error": NO_LEAVE})
ANSWERS = {"acc": 4, "com": 3, "cla": 5, "usa": 2, "ove": None}


@pytest.fixture
def study(home: Path, tmp_path: Path) -> MadeStudy:
    one = server()
    import_all(build_study(tmp_path / "study"), one.settings, one.store, backend="threading")
    return study_in(one.store, ("R01", "R02"), cases=("a", "c"))


@pytest.fixture
def client(study: MadeStudy) -> TestClient:
    return TestClient(Starlette(routes=ROUTES))


def leave(study: MadeStudy, reader: str = "R01") -> dict[str, str]:
    return {STUDY_HEADER: server().signer.sign(study_scope(study.study_id), reader)}


def get(client: TestClient, study: MadeStudy, path: str, reader: str = "R01", **headers: str) -> tuple[int, Any]:
    answer = client.get(f"/api/study/{study.study_id}/{path}", headers=leave(study, reader) | headers)
    assert answer.headers["cache-control"] == "private, no-store"
    return answer.status_code, answer.json()


def post(
    client: TestClient, study: MadeStudy, path: str, sent: Any, reader: str = "R01", **headers: str
) -> tuple[int, Any]:
    address = f"/api/study/{study.study_id}/{path}"
    answer = client.post(address, json=sent, headers=leave(study, reader) | SAME | headers)
    return answer.status_code, answer.json()


def opened(client: TestClient, study: MadeStudy, code: str = "", reader: str = "R01") -> dict[str, Any]:
    status, said = get(client, study, f"desk?code={code}", reader)
    assert status == 200, said
    item: dict[str, Any] = said["item"]
    return item


def test_an_item_arrives_without_the_reference_and_without_names(client: TestClient, study: MadeStudy) -> None:
    item = opened(client, study)
    assert (item["code"], item["number"], item["total"]) == (study.codes("R01")[0], 1, 4)
    assert (item["stage"], item["reference"], item["training"]) == ("provisional", None, False)
    text = "".join(part["text"] for one in item["generated"]["segments"] for part in one["parts"])
    assert text == server().store.generation(study.items["R01"][0].generation_id).generation.text
    said = json.dumps(item)
    assert [name for name in study.hidden if len(name) > 2 and name in said] == []
    assert not {"case_id", "model", "run_id", "generation_id", "dataset"} & set(item)


def test_a_draft_is_kept_and_comes_back_and_an_older_screen_is_stale(client: TestClient, study: MadeStudy) -> None:
    item = opened(client, study)
    draft = item["draft"] | {"answers": {"acc": 2}, "comment": "half", "active_ms": 0}
    status, kept = post(client, study, f"items/{item['code']}/draft", draft)
    assert (status, set(kept)) == (200, {"number", "kept_at"})
    again = opened(client, study, item["code"])
    assert (again["draft"]["answers"], again["draft"]["comment"], again["source"]) == ({"acc": 2}, "half", "draft")
    status, said = post(client, study, f"items/{item['code']}/draft", draft | {"answers": {"acc": 5}})
    assert status == 409
    assert said["error"] == "This item was opened in another tab or window since; nothing was overwritten."
    status, said = post(client, study, f"items/{item['code']}/draft", draft, **{"Accept-Language": "zh"})
    assert status == 409
    assert "\u4e00" <= said["error"][0] <= "\u9fff"
    assert opened(client, study, item["code"])["draft"]["answers"] == {"acc": 2}


def test_the_same_click_twice_is_one_answer(client: TestClient, study: MadeStudy) -> None:
    item = opened(client, study)
    sent = item["draft"] | {"answers": ANSWERS, "reasons": {"ove": "too short"}, "event_id": str(uuid.uuid4())}
    first = post(client, study, f"items/{item['code']}/submit", sent)
    second = post(client, study, f"items/{item['code']}/submit", sent)
    assert first[0] == second[0] == 200
    assert first[1] | {"saved_at": ""} == second[1] | {"saved_at": ""}
    assert (first[1]["revision"], first[1]["next_stage"], first[1]["next_code"]) == (1, "final", item["code"])
    [saved] = server().store.studies.ratings(study.study_id, "R01")
    assert (saved.rating.answers, saved.rating.stage) == (ANSWERS, Stage.PROVISIONAL)
    final = opened(client, study, item["code"])
    assert final["stage"] == "final"
    assert final["provisional"] == ANSWERS
    assert "suspicious for malignancy" in json.dumps(final["reference"])


def test_what_cannot_be_an_answer_is_refused_in_one_sentence(client: TestClient, study: MadeStudy) -> None:
    item = opened(client, study)
    wrong: list[tuple[dict[str, Any], int]] = [
        ({"answers": {"acc": 1}}, 404),
        ({"answers": {**ANSWERS, "ove": 6}}, 404),
        ({"marks": [{"sentence": 99, "start": 0, "end": 2, "kind": "false", "significant": True}]}, 404),
        ({"opening": "0" * 24}, 409),
        ({"event_id": 7}, 400),
        ({"answers": "none"}, 404),
    ]
    for changed, status in wrong:
        sent = item["draft"] | {"answers": {**ANSWERS, "ove": 3}, "event_id": str(uuid.uuid4())} | changed
        answered, said = post(client, study, f"items/{item['code']}/submit", sent)
        assert answered == status
        assert said["error"].endswith(".")
        assert said["hint"]
    assert server().store.studies.ratings(study.study_id) == []


def test_only_our_own_page_may_post(client: TestClient, study: MadeStudy) -> None:
    item = opened(client, study)
    status, said = post(client, study, f"items/{item['code']}/draft", item["draft"], **{"Sec-Fetch-Site": "cross-site"})
    assert (status, said["error"]) == (403, "This was not sent by the app's own page.")


def test_another_readers_item_is_closed(client: TestClient, study: MadeStudy) -> None:
    other = study.codes("R02")[0]
    assert get(client, study, f"desk?code={other}")[0] == 403
    item = opened(client, study)
    assert post(client, study, f"items/{other}/draft", item["draft"])[0] == 403
    assert post(client, study, f"items/{other}/unlock", {"reason": "please"})[0] == 403
    assert [one["code"] for one in get(client, study, "items")[1]["items"]] == study.codes("R01")


def test_leave_is_for_one_study_and_for_no_case(client: TestClient, study: MadeStudy) -> None:
    place, alias = f"/api/study/{study.study_id}", study.items["R01"][0].alias
    signer = server().signer
    for path in ("/desk", "/items", f"/case/{alias}/settings", f"/case/{alias}/volume/pet"):
        for token in ("", "1.2.3", signer.sign("a", "R01"), signer.sign(study_scope("s-0"), "R01")):
            answer = client.get(place + path, headers={STUDY_HEADER: token})
            assert (answer.status_code, answer.json()) == REFUSED
    token = leave(study)[STUDY_HEADER]
    for case_id in ("a", study_scope(study.study_id)):
        answer = client.get(f"/api/case/{case_id}/settings", headers={HEADER: token, STUDY_HEADER: token})
        assert (answer.status_code, answer.json()) == REFUSED
    answer = client.get(f"/api/case/{alias}/settings", headers=leave(study))
    assert (answer.status_code, answer.json()) == REFUSED


def _imaged(study: MadeStudy, reader: str = "R01") -> Any:
    return next(item for item in study.items[reader] if item.case_id == "a")


def test_volumes_come_by_alias_and_no_error_names_the_case(client: TestClient, study: MadeStudy) -> None:
    place = f"/api/study/{study.study_id}/case/{_imaged(study).alias}"
    assert client.get(f"{place}/volume/pet", headers=leave(study)).status_code == 200
    # The viewer's own header carries the study's token too.
    token = leave(study)[STUDY_HEADER]
    assert client.get(f"{place}/coronal/3.png", headers={HEADER: token}).status_code == 200
    assert client.get(f"{place}/coronal/3.png", params={"token": token}).status_code == 200
    assert client.get(f"{place}/volume/pet", params={"token": token}).status_code == 403
    assert client.get(f"/api/study/{study.study_id}/case/a/volume/pet", headers=leave(study)).status_code == 403
    one = server()
    shutil.rmtree(one.settings.prepared)
    answer = client.get(f"{place}/volume/pet", headers=leave(study))
    assert (answer.status_code, answer.json()) == (
        404,
        {"error": "This cannot be shown for this item.", "hint": "Tell the researcher who runs the study."},
    )


def test_a_report_is_shown_even_where_its_images_are_gone(client: TestClient, study: MadeStudy) -> None:
    shutil.rmtree(server().settings.prepared)
    assert opened(client, study, _imaged(study).code)["generated"]["segments"]


def test_a_measurement_is_kept_for_its_item(client: TestClient, study: MadeStudy) -> None:
    one = server()
    key = one.store.case("a").prepared_key
    assert key is not None
    pet = open_prepared(one.settings.prepared, key).pet
    assert pet is not None
    mine, again = (item for item in study.items["R01"] if item.case_id == "a")
    ball = {"shape": "sphere", "centre_mm": pet.affine_lps[:3, 3].tolist(), "diameter_mm": 9.0, "keep": True}
    status, said = post(client, study, f"case/{mine.alias}/measure", ball | {"id": "", "generation_id": mine.code})
    assert status == 200
    assert said["kept"]["generation_id"] == mine.code
    [note] = one.store.measurements("a", "R01")
    assert note.measurement.generation_id == mine.generation_id
    listed = {
        item.code: get(client, study, f"case/{item.alias}/measurements?item={item.code}")[1]["measurements"]
        for item in (mine, again)
    }
    assert [len(found) for found in listed.values()] == [1, 0]
    # Kept again under its own name it is the next revision, not another note.
    name = said["kept"]["id"]
    larger = ball | {"diameter_mm": 11.0, "id": name, "generation_id": mine.code}
    status, said = post(client, study, f"case/{mine.alias}/measure", larger)
    assert (status, said["kept"]["id"], said["kept"]["revision"]) == (200, name, 2)
    theirs = _imaged(study, "R02")
    status, _ = post(client, study, f"case/{mine.alias}/measure", ball | {"id": "", "generation_id": theirs.code})
    assert status == 403


def test_the_guess_is_asked_for_only_at_the_end(client: TestClient, study: MadeStudy) -> None:
    event = str(uuid.uuid4())
    assert post(client, study, "guess", {"guesses": {"": "a template"}, "event_id": event})[0] == 403
    for code in study.codes("R01"):
        for _ in Stage:
            item = opened(client, study, code)
            sent = item["draft"] | {"answers": {**ANSWERS, "ove": 3}, "event_id": str(uuid.uuid4())}
            assert post(client, study, f"items/{code}/submit", sent)[0] == 200
    _, said = get(client, study, "desk")
    assert said["empty"]["reason"] == "all_done"
    assert set(said["empty"]["guess"]) == {"codes"}  # no names to choose from
    assert set(said["empty"]["guess"]["codes"]) == set(study.codes("R01"))
    assert post(client, study, "guess", {"guesses": {"": "a template"}, "event_id": event})[0] == 200
    assert post(client, study, "guess", {"guesses": {}, "event_id": str(uuid.uuid4())})[0] == 404
