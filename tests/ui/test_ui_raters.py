"""Where people sign in, a rater has the start page and the reading desk, and no case by its own name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from pet2rep_core.errors import PermissionDeniedError
from pet2rep_core.records import Language
from pet2rep_core.ui.frame import RESEARCH, Page
from pet2rep_core.ui.leave import HEADER, STUDY_HEADER
from pet2rep_core.ui.routes import ROUTES
from pet2rep_core.ui.server import server
from pet2rep_core.ui.viewer import Blind, picture_address
from pet2rep_core.workflow.accounts import set_disabled
from tests.browser.studies import MadeStudy, study_in
from tests.study_files import build_study, import_all
from tests.ui.signing_in import (
    NOT_FOR_RATERS,
    NOT_SIGNED_IN,
    RESEARCH_PAGES,
    access,
    claims_of,
    errors,
    open_page,
    said_on,
    say,
    sign_in,
    study_place,
)


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("page", RESEARCH_PAGES)
def test_a_rater_is_refused_and_a_researcher_is_not(cookies: dict[str, str], page: str) -> None:
    sign_in(cookies, "R01")
    [refused] = errors(open_page(page, view="research"))
    assert refused.startswith(NOT_FOR_RATERS)
    sign_in(cookies, "LAB")
    assert errors(open_page(page, view="research")) == []


@pytest.mark.usefixtures("guarded")
def test_a_rater_sees_no_case_on_review(cookies: dict[str, str]) -> None:
    sign_in(cookies, "R01")
    app = open_page("1_Review", view="research", case="a", reader="BOSS")
    [refused] = errors(app)
    assert refused.startswith(NOT_FOR_RATERS)
    assert not app.main.button_group
    assert _shown_of_cases(app) == (0, 0, 0)
    sign_in(cookies, "LAB")
    assert _shown_of_cases(open_page("1_Review", case="a")) == (1, 1, 2)


def _shown_of_cases(app: AppTest) -> tuple[int, int, int]:
    """Return how many choices of cases, viewers and reports a page shows."""
    reports = [one for one in app.get("html") if 'class="p2r-report' in one.proto.body]
    return len(app.main.selectbox), len(app.get("bidi_component")), len(reports)


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize(("name", "places"), [("R01", ["reading"]), ("LAB", ["reading", "review"])])
def test_the_start_page_leads_to_what_a_role_may_open(cookies: dict[str, str], name: str, places: list[str]) -> None:
    sign_in(cookies, name)
    app = open_page()
    assert errors(app) == []
    assert [str(one.proto.label) for one in app.main.get("page_link")] == [
        say(f"home.open_{place}") for place in places
    ]
    assert (say("home.rater_text") in said_on(app)) == (name == "R01")
    assert (say("home.reader_text") in said_on(app)) == (name == "LAB")
    assert [one.label for one in app.metric] == [say(f"home.{one}") for one in ("cases", "generated", "ratings")]


@pytest.mark.usefixtures("guarded")
def test_a_rater_is_not_told_what_went_wrong_with_a_named_case(
    cookies: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(server().demo), "problem", "The case 'demo-7' has no images.")
    for name, shown in (("R01", 0), ("LAB", 1)):
        sign_in(cookies, name)
        assert sum("demo-7" in one for one in errors(open_page())) == shown


def case_routes() -> Iterator[tuple[str, str]]:
    """Give every address below the case's own name, with its method, as the server has them."""
    values = {"case_id": "a", "name": "pet", "j": "3", "n": "0"}
    for route in ROUTES:
        if route.path.startswith("/api/case/"):
            path = re.sub(r"\{(\w+)(:\w+)?\}", lambda part: values.get(part[1], "g-anything"), route.path)
            yield "POST" if "POST" in (route.methods or ()) else "GET", path


def check_a_raters_leave(client: TestClient, rated: MadeStudy) -> None:
    """Check that the rater who is signed in gets the study's images by their alias and no case by its own name."""
    place, images, leave = study_place(rated)
    assert client.get(f"{images}/volume/pet", headers=leave).status_code == 200
    for path in (f"{images}/coronal/3.png", f"{images}/settings", f"{place}/desk"):
        assert client.get(path, headers=leave).status_code == 200
    token = server().signer.sign("a", "R01")  # more than any page would give
    routes = list(case_routes())
    assert ("GET", "/api/case/a/volume/pet") in routes
    assert len(routes) > 10
    for method, path in routes:
        answer = client.request(method, path, headers={HEADER: token}, json={} if method == "POST" else None)
        assert (path, answer.status_code, answer.json()["error"]) == (path, 403, NOT_FOR_RATERS)
        assert client.request(method, path, headers={HEADER: leave[STUDY_HEADER]}).status_code == 403
    chinese = client.get("/api/case/a/volume/pet", headers={HEADER: token, "accept-language": "zh"}).json()
    assert chinese["error"].startswith("此操作需要角色")


def test_a_raters_own_session_fetches_no_case_by_its_name(
    cookies: dict[str, str], client: TestClient, rated: MadeStudy
) -> None:
    sign_in(cookies, "R01")
    client.cookies.update(cookies)
    check_a_raters_leave(client, rated)
    sign_in(cookies, "LAB")
    client.cookies.update(cookies)
    answer = client.get("/api/case/a/volume/pet", headers={HEADER: server().signer.sign("a", "LAB")})
    assert answer.status_code == 200


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize("name", ["R01", "LAB"])
def test_leave_for_a_case_is_signed_for_researchers_only(cookies: dict[str, str], name: str) -> None:
    sign_in(cookies, name)
    person = access().person(name)
    assert person is not None
    page = Page(server(), Language.ENGLISH, person, RESEARCH, "session")
    if name == "LAB":
        assert picture_address(page, "a", "model/0.png").startswith("api/case/a/model/0.png?token=")
        return
    with pytest.raises(PermissionDeniedError, match=re.escape(NOT_FOR_RATERS)):
        picture_address(page, "a", "model/0.png")
    address = picture_address(page, "a", "picture/0", Blind("s-1", "x"))
    assert address.startswith("api/study/s-1/case/x/picture/0?token=")


def test_a_rater_who_is_disabled_loses_the_desk_at_once(
    cookies: dict[str, str], client: TestClient, rated: MadeStudy
) -> None:
    store, code = server().store, rated.codes("R01")[0]
    place, images, leave = study_place(rated)
    sign_in(cookies, "R01")
    client.cookies.update(cookies)
    app = open_page("7_Reading")
    assert len(app.get("bidi_component")) == 2
    draft = client.get(f"{place}/desk?code={code}", headers=leave).json()["item"]["draft"]
    kept = client.post(f"{place}/items/{code}/draft", headers=leave, json=draft | {"answers": {"acc": 4}})
    assert kept.status_code == 200
    set_disabled(store, "R01", True)
    paths = (f"{place}/desk?code={code}", f"{place}/items", f"{images}/volume/pet", f"{images}/settings")
    refused = [client.get(path, headers=leave) for path in paths]
    refused.append(client.post(f"{place}/items/{code}/draft", headers=leave, json=draft | {"answers": {"acc": 1}}))
    assert {(one.status_code, one.json()["error"]) for one in refused} == {(403, NOT_SIGNED_IN)}
    assert not app.run().get("bidi_component")
    assert say("sign_in.needed") in [one.value for one in app.markdown]
    set_disabled(store, "R01", False)  # the old session stays ended
    assert not app.run().get("bidi_component")
    sign_in(cookies, "R01")
    client.cookies.update(cookies)
    again = client.get(f"{place}/desk?code={code}", headers=leave).json()["item"]["draft"]
    assert again["answers"] == {"acc": 4}


def test_a_rater_of_the_provider_fetches_no_case_by_its_name(said: dict[str, Any], tmp_path: Path) -> None:
    one = server()
    import_all(build_study(tmp_path / "study"), one.settings, one.store, backend="threading")
    said.update(claims_of("reader@hospital.example"))
    assert errors(open_page()) == []
    with TestClient(Starlette(routes=ROUTES)) as client:
        check_a_raters_leave(client, study_in(one.store, ("R01",), staged=False, cases=("a",)))
