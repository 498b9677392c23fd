"""What the tests of signed-in pages share: who there is, how a person signs in, and what a page says to them."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Metric

from pet2rep_core.records import Language
from pet2rep_core.ui.access import COOKIE, AccountAccess
from pet2rep_core.ui.leave import STUDY_HEADER, study_scope
from pet2rep_core.ui.server import server
from pet2rep_core.ui.texts import text
from tests.browser.server import PROJECT
from tests.browser.studies import MadeStudy

WORDS = "purple lantern seven"
PEOPLE = """
[[person]]
is = "reader@hospital.example"
name = "R01"
role = "rater"
[[person]]
is = "lab@hospital.example"
name = "LAB"
role = "researcher"
"""
RESEARCH_PAGES = ("1_Review", "2_Import", "3_Results", "4_Failures", "5_Generate", "6_Studies")
NOT_SIGNED_IN = "You are not signed in any more."
NOT_FOR_RATERS = "This needs the role 'researcher'; you are signed in as 'rater'."


def access() -> AccountAccess:
    found = server().access
    assert isinstance(found, AccountAccess)
    return found


def sign_in(cookies: dict[str, str], name: str) -> None:
    cookies[COOKIE] = access().begin(access().door.sign_in(name, WORDS))


def open_page(page: str = "home", **query: str) -> AppTest:
    place = "home.py" if page == "home" else f"pages/{page}.py"
    app = AppTest.from_file(str(PROJECT / "home.py"), default_timeout=30)
    app.query_params.update({"language": "en", **query})
    app.run()
    return app if page == "home" else app.switch_page(place).run()


def errors(app: AppTest) -> list[str]:
    assert not app.exception
    return [re.sub(r"\\(.)", r"\1", str(one.value)) for one in app.error]


def menu(app: AppTest) -> set[str]:
    return {str(one.proto.label) for one in app.sidebar.get("page_link")}


def say(key: str, **values: object) -> str:
    return text(Language.ENGLISH, key, **values)


def said_on(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.text, *app.info, *app.error, *app.metric]
    return "\n".join(f"{one.label} {one.value}" if isinstance(one, Metric) else str(one.value) for one in parts)


def study_place(study: MadeStudy) -> tuple[str, str, dict[str, str]]:
    """Return where the rater's study is, where its images are, and the rater's leave for both."""
    place = f"/api/study/{study.study_id}"
    leave = {STUDY_HEADER: server().signer.sign(study_scope(study.study_id), "R01")}
    return place, f"{place}/case/{study.items['R01'][0].alias}", leave


def claims_of(mail: str, *, lasts: float = 3600.0, number: int = 1) -> Mapping[str, Any]:
    now = time.time()
    return {"email": mail, "iss": "https://login.example", "sub": mail, "iat": now, "exp": now + lasts, "nonce": number}
