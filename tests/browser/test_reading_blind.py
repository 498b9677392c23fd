"""What reaches the browser of a study's reader: everything is recorded, and nothing of it names a model or a case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pet2rep_core.vlm.baselines import BUILT_IN_MODELS
from tests.browser import reading as desk
from tests.browser.cases import NO_SUV, PHANTOM, PICTURES, fill_home
from tests.browser.conftest import Watched
from tests.browser.server import RunningApp, start_app
from tests.browser.studies import MadeStudy, add_study

_CASES = (PHANTOM, NO_SUV, PICTURES)
# What Streamlit itself sends to anyone: its own program.
_STREAMLITS_OWN = "/static/"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("blind") / "home"
    fill_home(home)
    return home


@pytest.fixture(scope="module")
def study(home: Path) -> MadeStudy:
    return add_study(home, ("R20",), cases=_CASES)


@pytest.fixture(scope="module")
def app(home: Path, study: MadeStudy, _browser: Any) -> Iterator[RunningApp]:
    running = start_app(home, demo=False)
    yield running
    running.stop()
    assert "Traceback" not in running.said(), running.said()


_EVERYTHING_DRAWN = """() => {
  const seen = [];
  const walk = root => {
    for (const one of root.querySelectorAll('*')) {
      for (const { name, value } of one.attributes) seen.push(`${name}=${value}`);
      if (one.shadowRoot) { seen.push(one.shadowRoot.innerHTML); walk(one.shadowRoot); }
    }
  };
  walk(document);
  return [document.documentElement.outerHTML, ...seen, JSON.stringify(sessionStorage), JSON.stringify(localStorage),
    document.cookie, location.href, document.title].join('\\n');
}"""


def _record(page: Watched) -> Callable[[], dict[str, bytes]]:
    """Record a page from now on; returns a function that gives all that went over the line, by where it was."""
    answers: list[Any] = []
    page.page.on("response", lambda answer: answers.append(answer) if _STREAMLITS_OWN not in answer.url else None)
    drawn: list[str] = []

    def everything() -> dict[str, bytes]:
        drawn.append(page.page.evaluate(_EVERYTHING_DRAWN))
        bodies = {f"body {n} {answer.url}": _body(answer) for n, answer in enumerate(answers)}
        headers = {f"headers {n} {a.url}": repr(a.all_headers()).encode() for n, a in enumerate(answers)}
        asked = {f"request {n}": f"{r.url} {r.post_data or ''}".encode() for n, r in enumerate(page.asked)}
        frames = {f"frame {n}": frame for n, frame in enumerate([*page.frames, *page.sent])}
        return bodies | headers | asked | frames | {f"page {n}": said.encode() for n, said in enumerate(drawn)}

    return everything


def _body(answer: Any) -> bytes:
    from playwright.sync_api import Error

    try:
        return bytes(answer.body())
    except Error:  # redirects and answers that were broken off have none
        return b""


def test_nothing_that_reaches_a_readers_browser_names_a_model_or_a_case(page: Watched, study: MadeStudy) -> None:
    everything = _record(page)
    codes = study.codes("R20")
    desk.open_desk(page, "R20")
    found: dict[str, bytes] = {}
    measured = False
    for item in study.items["R20"]:
        code = item.code
        desk.ready(page, code)
        if item.case_id in (PHANTOM, NO_SUV):
            page.page.locator(".viewer[data-ready]").wait_for()
        if item.case_id == PHANTOM and not measured:
            _measure(page)
            measured = True
        for stage in ("provisional", "final"):
            page.page.locator(f".desk[data-stage={stage}][data-code='{code}']:not(.locked)").wait_for()
            desk.settled(page)
            desk.press(page, "3", "3", "2", "4", "3")
            desk.kept(page)
            found |= everything()
            desk.press(page, "Enter")
    end = page.page.get_by_role("dialog", name="Every item is rated. Thank you.")
    end.wait_for()
    end.get_by_role("button", name="Items").click()
    page.page.get_by_role("dialog", name="Items").locator(".item").first.click()
    desk.ready(page, codes[0])
    found |= everything()

    # The search itself works: the names that stand for them are all over the place.
    everything_said = b"\n".join(found.values())
    for item in study.items["R20"]:
        assert item.code.encode() in everything_said
        if item.case_id == PHANTOM:
            assert item.alias.encode() in everything_said
    assert any(name.startswith("body") and b"FDG-avid nodule" in said for name, said in found.items())
    assert any(name.startswith("frame") and study.study_id.encode() in said for name, said in found.items())
    assert sum("/volume/" in name for name in found) >= 3

    secret = {*study.hidden, *_CASES, *BUILT_IN_MODELS} - {"template"}  # the rubric speaks of template brackets
    leaks = {
        (name, where[:120]) for where, said in found.items() for name in secret if name.lower().encode() in said.lower()
    }
    assert leaks == set()
    assert page.media() == []
    assert (page.errors, page.foreign, page.failed, page.dialogs) == ([], [], [], [])


def _measure(page: Watched) -> None:
    """Draw a region in the images: what is kept of it goes through the study's own address."""
    page.page.locator(".viewer .group.tools button").nth(4).click()
    pane = page.page.locator(".pane").nth(1).bounding_box()
    page.page.mouse.click(pane["x"] + pane["width"] / 2, pane["y"] + pane["height"] / 2)
    page.page.locator(".measured tr").nth(1).wait_for()
    assert page.page.locator(".measured button[aria-label='Chart']").count() == 0


def test_a_measurement_stays_with_its_item(page: Watched, study: MadeStudy) -> None:
    """Another item of the same patient must not tell that the patient was seen before."""
    items = study.items["R20"]
    first, other = (item for item in items if item.case_id == PHANTOM)
    desk.open_desk(page, "R20", item=first.code)
    desk.ready(page, first.code)
    page.page.locator(".measured tr").nth(1).wait_for()
    desk.press(page, "p")
    page.page.get_by_role("dialog", name="Items").locator(".item").nth(items.index(other)).click()
    desk.ready(page, other.code)
    page.page.wait_for_function(
        "() => [...document.querySelectorAll('*')].some(one => one.shadowRoot?.querySelector('.measured')?.hidden)"
    )
    page.quiet()


def test_the_routes_of_a_case_are_closed_to_a_readers_leave(page: Watched, study: MadeStudy) -> None:
    """The token of a study opens its aliases and nothing else."""
    tokens: list[str] = []
    page.page.on("request", lambda one: tokens.append(one.headers.get("x-study-token", "")))
    desk.open_desk(page, "R20", item=study.codes("R20")[0])
    token = next(one for one in tokens if one)
    ask = """async ([path, token]) => {
      const headers = { 'X-Case-Token': token, 'X-Study-Token': token };
      return (await fetch(path, { headers })).status;
    }"""
    alias = study.items["R20"][0].alias
    status = {
        path: page.page.evaluate(ask, [path, token])
        for path in (
            f"api/study/{study.study_id}/case/{alias}/settings",
            f"api/study/{study.study_id}/case/{PHANTOM}/settings",
            f"api/study/s-000000000000/case/{alias}/settings",
            f"api/case/{PHANTOM}/settings",
            f"api/case/{alias}/settings",
            f"api/case/study:{study.study_id}/settings",
        )
    }
    assert list(status.values()) == [200, 403, 403, 403, 403, 403]
