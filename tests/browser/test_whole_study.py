"""A whole reader study in the browser: from the draft to the unblinding, its numbers, and what its raters were sent."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from pet2rep_core.records import Language
from pet2rep_core.ui.texts import text
from tests.browser import reading as desk
from tests.browser import whole_study as whole
from tests.browser.conftest import Watched, watch
from tests.browser.recording_proxy import RecordingProxy
from tests.browser.server import RunningApp, free_port, start_app
from tests.study_files import COMMAND, PROJECT, environment

TITLE = "Reports of PET/CT, spring"
_ACCOUNTS = {"PET2REP_SIGN_IN": "accounts"}


def say(key: str, **values: object) -> str:
    return text(Language.ENGLISH, key, **values)


def test_a_whole_study(tmp_path: Path, _browser: Any) -> None:
    home = tmp_path / "home"
    whole.fill_home(home)
    hidden = whole.secrets(home)
    with contextlib.ExitStack() as stack:
        scene = _Scene(home, _browser, stack)
        researcher = scene.person(whole.RESEARCHER, "Studies")
        _plan(researcher)
        _move(researcher, "calibration")
        readers = careful, straight, hasty = [
            whole.Reader("R01", scene.rater("R01"), whole.careful, whole.careful_marks),
            whole.Reader("R02", scene.rater("R02"), whole.straight),
            whole.Reader("R03", scene.rater("R03"), whole.hasty),
        ]
        for reader in readers:
            reader.read()
            reader.sheet.get_by_text(say("desk.empty_training_done"), exact=True).wait_for()
        _move(researcher, "collecting")
        for reader in readers:
            reader.page.page.reload()
        straight.read(most=3)
        _read_through_reload_and_crash(scene, careful, straight)
        for reader in readers:
            reader.read()
            reader.sheet.get_by_role("button", name=say("desk.guess_none")).click()
            reader.sheet.get_by_text(say("desk.guess_thanks")).wait_for()
        study_id = _watch(researcher)
        _settle(researcher)
        _move(researcher, "locked")
        for reader in readers:
            reader.page.page.reload()
            reader.sheet.get_by_text(say("desk.empty_closed"), exact=True).wait_for()
        _search(scene, study_id, hidden)
        boss = scene.person(whole.BOSS, "Studies")
        _move(_research(boss), "unblinded")
        means, agreement, downloaded = _results(researcher, tmp_path)
    assert "Traceback" not in scene.app.said(), scene.app.said()
    _check_numbers(home, study_id, tmp_path / "export", means, agreement, downloaded)
    _check_chain(home)


class _Scene:
    """The server, which may be killed and started again at its address, and everyone's browser."""

    def __init__(self, home: Path, browser: Any, stack: contextlib.ExitStack) -> None:
        self.home, self._browser, self._stack = home, browser, stack
        self._port = free_port()
        self.app = self._start()
        stack.callback(lambda: self.app.stop())
        self.proxies: dict[str, RecordingProxy] = {}

    def _start(self) -> RunningApp:
        return start_app(self.home, demo=False, port=self._port, env=_ACCOUNTS)

    def kill(self) -> None:
        """Kill the server, as a crash of the machine does."""
        self.app.process.kill()
        self.app.process.wait(10)

    def come_back(self) -> None:
        """Start the server again at the same address."""
        self.app = self._start()

    def person(self, name: str, place: str) -> Watched:
        """Sign somebody in, in a browser of their own."""
        return self._sign_in(name, place, self.app.url, height=2000)

    def rater(self, name: str) -> Watched:
        """Sign a rater in, behind a proxy that keeps all that the browser is sent."""
        proxy = self.proxies[name] = self._stack.enter_context(RecordingProxy(self._port))
        return self._sign_in(name, "Reading", proxy.url)

    def _sign_in(self, name: str, place: str, url: str, *, height: int = 950) -> Watched:
        context = self._browser.new_context(viewport={"width": 1600, "height": height}, locale="en-GB")
        self._stack.callback(context.close)
        context.set_default_timeout(20_000)
        page = watch(context.new_page(), url)
        page.page.goto(f"{url}/{place}")
        page.page.get_by_label(say("sign_in.name"), exact=True).fill(name)
        page.page.get_by_label(say("sign_in.password"), exact=True).fill(whole.WORDS)
        page.page.get_by_role("button", name=say("sign_in.sign_in"), exact=True).click()
        return page


def _choose_many(page: Watched, label: str, *options: str) -> None:
    field = page.page.get_by_role("combobox", name=label, exact=True)
    for option in options:
        field.fill(option)  # typing opens the list, which the growing page may have closed again after a click
        page.page.get_by_role("option", name=option, exact=True).click()
        page.drawn()
    page.page.keyboard.press("Escape")


def _research(page: Watched) -> Watched:
    page.drawn()
    page.page.get_by_role("radio", name=say("app.research"), exact=True).click()
    page.page.wait_for_url("**view=research*")
    page.drawn()
    return page


def _tab(page: Watched, key: str, **values: object) -> None:
    page.page.get_by_role("tab", name=say(key, **values), exact=True).click()
    page.drawn()


def _plan(page: Watched) -> None:
    """Plan the study and make it, looking at what it asks of the readers and how precise it will be."""
    _tab(_research(page), "studies.tab_new")
    page.page.get_by_label(say("studies.name"), exact=True).fill(TITLE)
    page.page.keyboard.press("Enter")
    page.drawn()
    setting = say("leaderboard.setting_fused")
    _choose_many(page, say("studies.runs"), *(f"{model} · {setting}" for model in whole.MODELS))
    _choose_many(page, say("studies.readers"), *whole.READERS)
    shot(page, "plan1")
    page.page.get_by_test_id("stSlider").filter(has_text=say("studies.repeats")).get_by_role("slider").focus()
    page.page.keyboard.press("End")
    page.drawn()
    page.page.get_by_label(say("studies.repeat_gap"), exact=True).fill("2")
    page.page.keyboard.press("Enter")
    page.drawn()
    page.page.get_by_text(say("studies.training_title"), exact=True).click()
    _choose_many(page, say("studies.training_cases"), whole.TRAINING)
    shot(page, "plan2")
    cells = _cells(page, 1)
    print(cells)
    page.page.get_by_role("button", name=say("studies.make"), exact=True).click()
    page.drawn()
    shot(page, "made")


def shot(page, name):
    page.page.screenshot(path=f"/tmp/ws/{name}.png")


def _cells(page: Watched, place: int) -> list[list[str]]:
    """Return what a table on the page shows, as a screen reader is told it."""
    table = page.page.get_by_test_id("stDataFrame").nth(place)
    table.locator("canvas table tr").first.wait_for(state="attached")
    return table.evaluate(
        "one => [...one.querySelectorAll('canvas table tr')].map(row => [...row.children].map(cell => cell.textContent))"
    )


def _move(page: Watched, to: str) -> None:
    """Move the study to its next state, by the two clicks that it takes."""
    page.page.get_by_role("button", name=say(f"studies.to_{to}"), exact=True).click()
    page.page.get_by_role("button", name=say(f"studies.to_{to}_sure"), exact=True).click()
    page.page.get_by_text(say("studies.moved", state=say(f"studies.state_{to}"))).wait_for()
    page.drawn()


def _read_through_reload_and_crash(scene: _Scene, careful: whole.Reader, other: whole.Reader) -> None:
    """Read until two reports with marks were on the desk: a reload comes into the first, a crash into the second."""
    for befalls in ("reload", "crash"):
        while not ((screen := careful.look()).is_poor and screen.is_final):
            careful.fill(screen)
            careful.submit(screen)
        careful.fill(screen)
        before = _on_the_desk(careful.page)
        assert before["marks"] == ["✕ false !"], before
        assert before["missed"] == ["○ missed"], before
        assert before["scores"] == {
            "Accuracy": "2", "Completeness": "3", "Clarity": "5", "Usability": "n/a", "Overall": "2"
        }  # fmt: skip
        if befalls == "crash":
            desk.press(other.page, "1", "2")
            desk.kept(other.page)
            scene.kill()
            desk.press(other.page, "4")  # into the void
            other.page.page.locator(".desk[data-state=lost]").wait_for()
            scene.come_back()
            other.page.page.locator(".desk[data-state=kept]:not(.locked)").wait_for(timeout=60_000)
            desk.expect_scores(other.page, {"Accuracy": "1", "Completeness": "2", "Clarity": "4"})
            desk.press(other.page, "u", "u", "u")
        careful.page.page.reload()
        desk.ready(careful.page, screen.code)
        assert _on_the_desk(careful.page) == before
        careful.submit(screen)


def _on_the_desk(page: Watched) -> dict[str, object]:
    return {
        "code": desk.code(page),
        "stage": page.page.locator(".desk").get_attribute("data-stage"),
        "scores": desk.scores(page),
        "reason": page.page.locator(".line.reasons:visible").input_value(),
        "marks": desk.marks(page, "generated"),
        "missed": desk.marks(page, "reference"),
    }


def _watch(page: Watched) -> str:
    """See how far the readers are and who stands out; returns the name of the study."""
    page.page.reload()
    page.drawn()
    shot(page, "progress")
    print(_cells(page, 0))
    _tab(page, "studies.tab_quality")
    shot(page, "quality")
    print(_cells(page, 0))
    _tab(page, "studies.tab_plan")
    shot(page, "planned")
    print(_cells(page, 0))
    return _cells(page, 0)[1][1]


def _settle(page: Watched) -> None:
    """Settle one difference between the readers."""
    _tab(page, "studies.tab_differences")
    shot(page, "differences")
