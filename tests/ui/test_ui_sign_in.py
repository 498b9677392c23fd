"""Pages and routes where accounts decide who asks, and where the site's identity provider does."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from pet2rep_core.records import Language, Person, Role
from pet2rep_core.settings import SignIn
from pet2rep_core.ui import access as rooms
from pet2rep_core.ui import who
from pet2rep_core.ui.access import COOKIE, ProviderAccess
from pet2rep_core.ui.frame import PAGES
from pet2rep_core.ui.server import server
from pet2rep_core.ui.texts import text
from pet2rep_core.workflow import accounts
from pet2rep_core.workflow.accounts import set_disabled, set_role
from tests.browser.studies import MadeStudy
from tests.ui.signing_in import (
    NOT_FOR_RATERS,
    NOT_SIGNED_IN,
    PEOPLE,
    RESEARCH_PAGES,
    WORDS,
    access,
    claims_of,
    errors,
    menu,
    open_page,
    said_on,
    say,
    sign_in,
    study_place,
)


@pytest.mark.usefixtures("guarded", "cookies")
@pytest.mark.parametrize("page", ["home", *RESEARCH_PAGES, "7_Reading", "8_Accounts"])
def test_who_is_not_signed_in_sees_nothing(page: str) -> None:
    app = open_page(page, reader="BOSS", view="research", case="a")
    assert errors(app) == []
    assert menu(app) == set()
    assert say("sign_in.needed") in [one.value for one in app.markdown]
    assert not app.selectbox
    assert not app.text_input
    assert not app.metric


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("R01", {"home", "reading"}),
        ("LAB", set(PAGES) - {"accounts"}),
        ("BOSS", set(PAGES)),
    ],
)
def test_the_menu_shows_what_a_role_may_see(cookies: dict[str, str], name: str, seen: set[str]) -> None:
    sign_in(cookies, name)
    app = open_page()
    assert errors(app) == []
    assert menu(app) == {say(f"menu.{page}") for page in seen}
    assert not app.sidebar.text_input  # nobody types who they are


@pytest.mark.usefixtures("guarded")
def test_the_reading_view_of_a_researcher_names_no_model(cookies: dict[str, str]) -> None:
    sign_in(cookies, "LAB")
    app = open_page("1_Review", case="a", reader="BOSS")
    assert errors(app) == []
    assert not [one for one in app.button if one.label == say("review.generate")]
    assert "template" not in said_on(app).lower()
    assert "LAB" in said_on(app)
    assert "BOSS" not in said_on(app)


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize(
    ("name", "address", "warned"),
    [
        ("BOSS", "http://pet.example/", True),
        ("LAB", "http://10.0.0.5:8501/Review", True),
        ("R01", "http://pet.example/", False),
        ("BOSS", "https://pet.example/", False),
        ("BOSS", "http://127.0.0.1:8501/", False),
    ],
)
def test_who_can_mend_it_is_told_that_the_line_is_open(
    cookies: dict[str, str], monkeypatch: pytest.MonkeyPatch, name: str, address: str, warned: bool
) -> None:
    monkeypatch.setattr(who, "browser_address", lambda: address)
    sign_in(cookies, name)
    assert [str(one.value) for one in open_page().sidebar.warning] == [say("sign_in.in_the_open")] * warned


@pytest.mark.usefixtures("guarded")
def test_who_is_disabled_saves_nothing_more(cookies: dict[str, str]) -> None:
    """Not in a part of the page that is drawn alone either, nor in what runs before it is drawn."""
    store = server().store
    [waiting] = [g.generation for g in store.generations("a") if g.generation.language is Language.ENGLISH]
    sign_in(cookies, "LAB")
    app = open_page("1_Review", case="a")
    app = app.button_group(key=f"rate-LAB-{waiting.generation_id}-acc").set_value(4).run()
    assert store.draft("LAB", waiting.generation_id).answers == {"acc": 4}
    set_disabled(store, "LAB", True)
    app = app.button_group(key=f"rate-LAB-{waiting.generation_id}-acc").set_value(1).run()
    assert store.draft("LAB", waiting.generation_id).answers == {"acc": 4}
    assert not app.exception
    assert not app.button_group(key="language_choice").disabled
    assert [one.label for one in app.main.button_group] == []
    set_disabled(store, "LAB", False)  # the old session stays ended
    assert not app.run().main.button_group


@pytest.mark.parametrize("change", ["role", "password", "sign out", "twelve hours"])
def test_a_session_ends_at_once(
    cookies: dict[str, str], change: str, monkeypatch: pytest.MonkeyPatch, client: TestClient, rated: MadeStudy
) -> None:
    store = server().store
    sign_in(cookies, "R01")
    app = open_page("7_Reading")
    assert app.get("bidi_component")
    _, images, leave = study_place(rated)
    ask = lambda: client.get(f"{images}/settings", headers=leave)  # noqa: E731
    client.cookies.set(COOKIE, cookies[COOKIE])
    assert server().still_allowed("R01")
    assert ask().status_code == 200
    if change == "role":
        set_role(store, "R01", Role.RESEARCHER)
    elif change == "password":
        accounts.reset_password(store, "R01", "seven green boats")
    elif change == "sign out":
        app.button(key="sign_out").click().run()
    else:
        monkeypatch.setattr(access().book, "_clock", lambda: time.time() + 12 * 3600)
    assert not server().still_allowed("R01")
    assert (ask().status_code, ask().json()["error"]) == (403, NOT_SIGNED_IN)
    app.run()
    assert not app.get("bidi_component")
    assert say("sign_in.needed") in [one.value for one in app.markdown]


@pytest.mark.usefixtures("guarded")
def test_leave_for_a_case_is_for_the_person_on_that_browser(cookies: dict[str, str], client: TestClient) -> None:
    sign_in(cookies, "LAB")
    token = server().signer.sign("a", "LAB")
    others: dict[str, str] = {}
    sign_in(others, "BOSS")
    for jar, status in ((cookies, 200), (others, 403), ({}, 403)):
        client.cookies.clear()
        client.cookies.update(jar)
        assert client.get("/api/case/a/settings", headers={"X-Case-Token": token}).status_code == status


@pytest.mark.usefixtures("guarded")
@pytest.mark.parametrize(("name", "status"), [("R01", 403), ("LAB", 200)])
def test_a_case_card_is_for_researchers(cookies: dict[str, str], client: TestClient, name: str, status: int) -> None:
    [one] = [g.generation for g in server().store.generations("a") if g.generation.language is Language.ENGLISH]
    sign_in(cookies, name)
    client.cookies.update(cookies)
    token = server().signer.sign("a", name)
    answer = client.get(f"/api/case/a/card/{one.generation_id}.html", params={"token": token})
    assert answer.status_code == status
    assert ("template" in answer.text) == (status == 200)


def test_the_gate_lets_through_what_shows_nobody(client: TestClient) -> None:
    assert client.get("/api/health").status_code == 200
    assert client.get("/sign-in").status_code == 200
    page = client.get("/Review?case=a", headers={"accept": "text/html,*/*"})
    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=%2FReview%3Fcase%3Da")
    assert client.get("/", headers={"accept": "text/html"}).headers["location"] == "/sign-in"
    for path in ("/media/a.png", "/component/a", "/Review", "/app/static/x"):
        assert client.get(path).status_code == 403


def test_the_sign_in_page_is_in_both_languages_and_repeats_nothing_as_html(client: TestClient) -> None:
    chinese = client.get("/sign-in", headers={"accept-language": "zh-CN,zh;q=0.9"}).text
    assert '<html lang="zh">' in chinese
    assert text(Language.CHINESE, "sign_in.sign_in") in chinese
    assert say("sign_in.lead") in client.get("/sign-in?language=en", headers={"accept-language": "zh"}).text
    name = '"><script>alert(1)</script>'
    answer = client.post("/sign-in", data={"name": name, "password": "x", "next": f"/{name}"})
    assert answer.status_code == 401
    assert "<script" not in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "private, no-store"


def test_a_form_of_no_form_is_refused(client: TestClient) -> None:
    assert client.post("/sign-in", content=b"x" * 2**14).status_code == 400
    assert client.post("/sign-in", content=b"&".join([b"a=1"] * 99)).status_code == 400
    assert client.post("/sign-in", content=b"\xff\xfe").status_code == 400
    assert client.post("/sign-in", headers={"sec-fetch-site": "same-site"}).status_code == 403


def test_signing_in_gives_a_new_session_and_ends_the_one_before(client: TestClient) -> None:
    given = []
    for _ in range(2):
        answer = client.post("/sign-in", data={"name": "R01", "password": WORDS, "next": "/Review?case=a&language=zh"})
        assert (answer.status_code, answer.headers["location"]) == (303, "/Review?case=a&language=en")
        header = answer.headers["set-cookie"]
        assert re.search(r"HttpOnly.*Path=/; SameSite=lax", header)
        assert "Secure" not in header  # plain http
        given.append(client.cookies[COOKIE])
    assert access().signed_in({COOKIE: given[0]}) is None
    assert access().signed_in({COOKIE: given[1]}) == Person("R01", Role.RATER)


@pytest.mark.usefixtures("guarded")
def test_an_administrator_makes_and_disables_an_account(cookies: dict[str, str]) -> None:
    sign_in(cookies, "BOSS")
    app = open_page("8_Accounts")
    assert errors(app) == []
    [name] = [box for box in app.main.text_input if box.label == say("accounts.name")]
    name.set_value("R02")
    [add] = [one for one in app.button if one.label == say("accounts.add")]
    app = add.click().run()
    [shown] = [one.value for one in app.code]
    assert access().door.sign_in("R02", shown).must_change
    app = app.button(key="handed_over").click().run()
    assert not app.code
    app = app.selectbox(key="changed_account").set_value("R02").run()
    app = app.button(key="switch_account").click().run()
    assert server().store.accounts.get("R02").disabled
    assert server().store.accounts.history("R02")[-1]["actor"] == "BOSS"
    app = app.selectbox(key="changed_account").set_value("BOSS").run()
    app = app.button(key="switch_account").click().run()
    [refused] = errors(app)
    assert refused.startswith("'BOSS' is the only administrator.")


@pytest.mark.usefixtures("guarded")
def test_what_one_person_left_is_gone_for_the_next(cookies: dict[str, str]) -> None:
    sign_in(cookies, "LAB")
    app = open_page("1_Review", view="research", case="a")
    assert app.session_state["view"] == "research"
    sign_in(cookies, "R01")
    app.run()
    assert "view" not in app.session_state
    assert "case_id" not in app.session_state
    [refused] = errors(app)
    assert refused.startswith(NOT_FOR_RATERS)


def test_in_single_mode_there_are_no_accounts(home: Path) -> None:
    [refused] = errors(open_page("8_Accounts"))
    assert refused.startswith("There are no accounts where everyone on this machine is one person.")
    assert server().still_allowed("anyone")
    assert server().settings.sign_in is SignIn.SINGLE


# --- the site's identity provider, without one: tests/browser/test_oidc.py has one


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    one = Clock()
    monkeypatch.setattr(rooms.time, "time", one)
    return one


def test_the_providers_word_gives_pseudonym_and_role(said: dict[str, Any]) -> None:
    assert menu(open_page()) == set()
    said.update(claims_of("reader@hospital.example"))
    app = open_page()
    assert menu(app) == {say("menu.home"), say("menu.reading")}
    assert server().still_allowed("R01")
    assert not server().still_allowed("LAB")
    for place in ("1_Review", "3_Results"):
        [refused] = errors(open_page(place, view="research", case="a"))
        assert refused.startswith(NOT_FOR_RATERS)
    said.update(claims_of("stranger@hospital.example"))
    [refused] = errors(open_page())
    assert refused.startswith("You are signed in, but nobody has given you access to this installation.")


def test_an_expired_word_is_none(said: dict[str, Any]) -> None:
    """Streamlit would go on for 30 days."""
    said.update(claims_of("reader@hospital.example", lasts=-1))
    [refused] = errors(open_page())
    assert refused.startswith("Your sign-in has ended.")
    assert not server().still_allowed("R01")


def test_a_person_who_is_taken_out_of_the_table_is_out_at_once(said: dict[str, Any], home: Path) -> None:
    said.update(claims_of("reader@hospital.example"))
    app = open_page()
    assert server().still_allowed("R01")
    (home / "people.toml").write_text(PEOPLE.replace("reader@", "other.reader@"), encoding="utf-8")
    assert not server().still_allowed("R01")
    [refused] = errors(app.run())
    assert refused.startswith("You are signed in, but nobody has given you access")
    (home / "people.toml").write_text("not toml", encoding="utf-8")
    assert not server().still_allowed("LAB")


def test_provider_sessions_end(said: dict[str, Any]) -> None:
    clock = Clock()
    one = ProviderAccess(server().settings, server().store, clock=clock)
    claims = {"email": "reader@hospital.example", "sub": "1", "iat": clock.now, "exp": clock.now + 100 * 3600}
    began = clock.now
    assert one.signed_in(claims) == Person("R01", Role.RATER)
    clock.now += 3599
    assert one.person("R01") is not None
    one.signed_in(claims)
    clock.now += 3600
    assert one.person("R01") is None
    with pytest.raises(Exception, match="Your sign-in has ended"):
        one.signed_in(claims)
    again = {**claims, "iat": clock.now}
    while clock.now + 1800 < began + 7199 + 12 * 3600:
        one.signed_in(again)
        clock.now += 1800
    clock.now = began + 7199 + 12 * 3600
    assert one.person("R01") is None
    newest = {**claims, "iat": clock.now}
    one.signed_in(newest)
    one.end(newest)
    assert one.person("R01") is None
    with pytest.raises(Exception, match="Your sign-in has ended"):
        one.signed_in(newest)
