"""The addresses of the reader's notes as a browser asks them: leave, same origin, JSON, and nobody else's notes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from pet2rep_core.imaging.prepared import open_prepared
from pet2rep_core.ui.leave import HEADER, NO_LEAVE
from pet2rep_core.ui.reader_routes import LARGEST_BODY, READER_ROUTES
from pet2rep_core.ui.server import server
from tests.study_files import build_study, import_all

SAME = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def client(home: Path, tmp_path: Path) -> TestClient:
    one = server()
    import_all(build_study(tmp_path / "study"), one.settings, one.store, backend="threading")
    return TestClient(Starlette(routes=READER_ROUTES))


@pytest.fixture
def ball(client: TestClient) -> dict[str, Any]:
    key = server().store.case("a").prepared_key
    assert key is not None
    pet = open_prepared(server().settings.prepared, key).pet
    assert pet is not None
    return {"shape": "sphere", "centre_mm": pet.affine_lps[:3, 3].tolist(), "diameter_mm": 9.0}


def leave(reader: str = "R01", case_id: str = "a") -> dict[str, str]:
    return {HEADER: server().signer.sign(case_id, reader)}


def post(client: TestClient, path: str, sent: Any = None, reader: str = "R01", **headers: str) -> tuple[int, Any]:
    answer = client.post(f"/api/case/a/{path}", json=sent or {}, headers={**leave(reader), **SAME, **headers})
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, answer.json()


def test_measure_keep_list_withdraw(client: TestClient, ball: dict[str, Any]) -> None:
    status, shown = post(client, "measure", ball)
    assert (status, shown["kept"]) == (200, None)
    assert shown["shape"] == {"kind": "sphere", **{name: ball[name] for name in ("centre_mm", "diameter_mm")}}
    assert {one["quantity"] for one in shown["numbers"]} >= {"suv_max", "suv_peak", "mtv_ml_41pct", "tlg_suv4.0"}
    assert shown["measured"]["uptake"]["unit"] == "suvbw"
    assert shown["measured"]["signature"].startswith("voi|conn:26|")

    status, kept = post(client, "measure", {**ball, "keep": True, "id": "note-0001", "label": "hilus"})
    assert status == 200
    assert kept["kept"]["id"] == "note-0001"
    assert {name: kept[name] for name in ("shape", "measured", "numbers")} == {
        name: shown[name] for name in ("shape", "measured", "numbers")
    }
    listed = client.get("/api/case/a/measurements", headers=leave()).json()["measurements"]
    assert listed == [kept]
    assert client.get("/api/case/a/measurements", headers=leave("R02")).json() == {"measurements": []}

    status, refused = post(client, "measurements/note-0001/withdraw", reader="R02")
    assert (status, "another reader" in refused["error"]) == (403, True)
    assert post(client, "measurements/note-0001/withdraw") == (200, {"withdrawn": "note-0001", "revision": 2})
    assert client.get("/api/case/a/measurements", headers=leave()).json() == {"measurements": []}


def test_a_line_and_an_outline(client: TestClient, ball: dict[str, Any]) -> None:
    x, y, z = ball["centre_mm"]
    status, line = post(client, "measure", {"shape": "line", "start_mm": [x, y, z], "end_mm": [x + 3, y + 4, z]})
    assert (status, line["measured"]["length_mm"]) == (200, 5.0)
    assert len(line["measured"]["pet"]) == len(line["measured"]["distance_mm"])
    points = [[x - 1, y, z - 1], [x + 30, y, z - 1], [x + 30, y, z + 30], [x - 1, y, z + 30]]
    sent = {"shape": "freehand", "plane": "coronal", "index": 0, "points_mm": points}
    status, drawn = post(client, "measure", sent)
    assert (status, drawn["measured"]["voxels"] > 1) == (200, True)


def test_why_a_number_is_missing_is_said_in_the_language_of_the_page(client: TestClient, ball: dict[str, Any]) -> None:
    chinese = {"Accept-Language": "zh"}
    _, shown = post(client, "measure", {**ball, "keep": True, "id": "note-0001"}, **chinese)
    sentence = "尚无肝脏参考：请在肝右叶内放置直径 30 mm 的球并保存。"
    assert {s["threshold"]: s["reason"] for s in shown["measured"]["segments"]}["percist"] == sentence
    assert {one["quantity"]: one["reason"] for one in shown["numbers"]}["mtv_ml_percist"] == sentence
    # kept in English, and said in the language of whoever asks
    kept = server().store.measurements("a", "R01")[0].measurement.result
    english = "There is no liver reference yet: put a sphere of 30 mm into the right liver lobe and keep it."
    assert {s["threshold"]: s["reason"] for s in kept["measured"]["segments"]}["percist"] == english
    for language, words in (("zh-CN", sentence), ("en", english)):
        listed = client.get("/api/case/a/measurements", headers={**leave(), "Accept-Language": language}).json()
        reasons = {one["quantity"]: one["reason"] for one in listed["measurements"][0]["numbers"]}
        assert reasons["tlg_percist"] == words


def test_a_refusal_is_said_in_the_language_of_the_page(client: TestClient, ball: dict[str, Any]) -> None:
    chinese = {"Accept-Language": "zh-CN"}
    assert post(client, "measure", ball, **{"Sec-Fetch-Site": "cross-site"}, **chinese) == (
        403, {"error": "该请求不是由本程序的页面发送的。", "hint": "请使用本程序的阅片器。"},
    )  # fmt: skip
    assert client.get("/api/case/a/settings", headers=chinese).json() == {"error": "没有查看该病例的许可。请重新打开。"}
    assert post(client, "measure", {**ball, "label": 3}, **chinese) == (
        400, {"error": "'label' 的值不是文本。", "hint": "请更正，或不提供。"},
    )  # fmt: skip


def test_settings(client: TestClient) -> None:
    assert client.get("/api/case/a/settings", headers=leave()).json() == {}
    sent = {"layout": "four", "smooth": True, "inverted": False, "opacity": 0.4, "map": "hot", "pet": "a", "ct": "b"}
    assert post(client, "settings", sent) == (200, sent)
    assert client.get("/api/case/a/settings", headers=leave()).json() == sent
    # of the reader, whatever the case
    other = client.get("/api/case/b/settings", headers=leave(case_id="b"))
    assert other.json() == sent
    assert client.get("/api/case/a/settings", headers=leave("R02")).json() == {}
    status, refused = post(client, "settings", {"spin": 1})
    assert (status, refused["error"]) == (400, "The viewer has no setting 'spin'.")


ADDRESSES = [("GET", "measurements"), ("GET", "settings"), ("POST", "settings"), ("POST", "measure"),
             ("POST", "measurements/note-0001/withdraw")]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), ADDRESSES)
def test_nobody_gets_in_without_leave_for_the_case(client: TestClient, method: str, path: str) -> None:
    for headers in ({}, leave(case_id="b"), {HEADER: "garbage"}):
        json_type = {"Content-Type": "application/json"}
        answer = client.request(method, f"/api/case/a/{path}", headers={**headers, **SAME, **json_type}, content="{}")
        assert (answer.status_code, answer.json()) == (403, {"error": NO_LEAVE})
    token = leave()[HEADER]
    assert client.request(method, f"/api/case/a/{path}?token={token}", headers=SAME).status_code == 403


@pytest.mark.parametrize(("method", "path"), [pair for pair in ADDRESSES if pair[0] == "POST"])
@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "none"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"}, False),
        ({"Origin": "http://testserver"}, True),
        ({"Origin": "https://testserver"}, True),  # behind a proxy that ends TLS
        ({"Origin": "http://testserver:81"}, False),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({}, False),
    ],
)
def test_only_our_own_page_may_post(
    client: TestClient, method: str, path: str, headers: dict[str, str], *, allowed: bool
) -> None:
    answer = client.request(method, f"/api/case/a/{path}", json={}, headers={**leave(), **headers})
    refused = answer.status_code == 403 and "own page" in answer.json()["error"]
    assert refused is not allowed


@pytest.mark.parametrize(
    ("content", "content_type", "status", "words"),
    [
        (b"{}", "text/plain", 415, "does not say that it is JSON"),
        (b"{}", "application/x-www-form-urlencoded", 415, "does not say that it is JSON"),
        (b"{", "application/json", 400, "not JSON"),
        (b"\xff", "application/json", 400, "not JSON"),
        (b"[]", "application/json", 400, "not an object"),
        (b"[" * 60000, "application/json", 400, "not JSON"),
        (b"{}", "application/json; charset=utf-8", 400, "'None' is no shape"),
        (b" " * (LARGEST_BODY + 1), "application/json", 413, f"More than {LARGEST_BODY} bytes"),
        (b" " * (2**20 + 1), "application/json", 413, "bytes were sent"),
        (b'{"shape": "sphere", "centre_mm": [NaN, 0, 0], "diameter_mm": 3}', "application/json", 400, "not a place"),
        (b'{"shape": "sphere", "centre_mm": [9e4, 0, 0], "diameter_mm": 3}', "application/json", 400, "outside"),
        (b'{"shape": "sphere", "centre_mm": [1e999, 0, 0], "diameter_mm": 3}', "application/json", 400, "not a place"),
    ],
)
def test_a_bad_body_is_one_sentence(
    client: TestClient, content: bytes, content_type: str, status: int, words: str
) -> None:
    headers = {**leave(), **SAME, "Content-Type": content_type}
    answer = client.post("/api/case/a/measure", content=content, headers=headers)
    assert answer.status_code == status
    assert words in answer.json()["error"]
    assert answer.headers["cache-control"] == "private, no-store"


def test_a_case_without_volumes_says_so(client: TestClient) -> None:
    for case_id, words in (("b", "no volume to measure in"), ("c", "no images to measure in")):
        answer = client.post(
            f"/api/case/{case_id}/measure",
            json={"shape": "sphere", "centre_mm": [0, 0, 0], "diameter_mm": 3},
            headers={**leave(case_id=case_id), **SAME},
        )
        assert (answer.status_code, words in answer.json()["error"]) == (400, True)


def test_an_outline_of_the_largest_size_fits(client: TestClient, ball: dict[str, Any]) -> None:
    x, y, z = ball["centre_mm"]
    points = [[round(x + n / 50, 3), y, round(z + (n % 7) * 4, 3)] for n in range(2000)]
    sent = {"shape": "freehand", "plane": "coronal", "index": 0, "points_mm": points, "keep": True}
    assert len(json.dumps(sent)) < LARGEST_BODY
    assert post(client, "measure", sent)[0] == 200
