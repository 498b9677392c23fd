"""A whole reader study in the browser: from the draft to the unblinding, its numbers, and what its raters were sent."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import krippendorff
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from pet2rep_core.records import Language
from pet2rep_core.study.agreement import STATISTICS
from pet2rep_core.study.rubric import read_rubric
from pet2rep_core.ui.texts import text
from tests.browser import reading as desk
from tests.browser import whole_study as whole
from tests.browser.conftest import PATIENCE_MS, Watched, watch
from tests.browser.recording_proxy import RecordingProxy
from tests.browser.server import RunningApp, free_port, start_app
from tests.study_files import COMMAND, PROJECT, environment

TITLE = "Reports of PET/CT, spring"
_SETTLED = "The effusion is not there."
_CELLS = """one => [...one.querySelectorAll('canvas table tr')].map(
  row => [...row.children].map(cell => cell.textContent))"""
_ACCOUNTS = {"PET2REP_SIGN_IN": "accounts"}


def say(key: str, **values: object) -> str:
    return text(Language.ENGLISH, key, **values)


@pytest.fixture
def browser(_browser: Any) -> Any:
    """Return Chromium."""
    return _browser


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_whole_study(tmp_path: Path, browser: Any) -> None:
    home = tmp_path / "home"
    whole.fill_home(home)
    hidden = whole.secrets(home)
    with contextlib.ExitStack() as stack:
        scene = _Scene(home, browser, stack)
        researcher = scene.person(whole.RESEARCHER, "Studies")
        _plan(researcher)
        _move(researcher, "calibration")
        readers = careful, straight, _ = [
            whole.Reader("R01", scene.rater("R01"), whole.careful, whole.careful_marks),
            whole.Reader("R02", scene.rater("R02"), whole.straight),
            whole.Reader("R03", scene.rater("R03"), whole.hasty),
        ]
        for reader in readers:
            reader.read()
            reader.sheet.get_by_text(say("desk.empty_training_done"), exact=True).wait_for()
        _admit(researcher, "R01")
        _move(researcher, "collecting")
        for reader in readers:
            reader.page.page.reload()
        straight.read(most=4)  # to the first scores of the third item
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
        assert [(one.foreign, one.dialogs) for one in scene.pages] == [([], [])] * 5
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
        self.pages: list[Watched] = []

    def _start(self) -> RunningApp:
        return start_app(self.home, demo=False, port=self._port, env=_ACCOUNTS)

    def kill(self) -> None:
        """Kill the server, as a crash of the machine does."""
        assert "Traceback" not in self.app.said(), self.app.said()
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
        context.set_default_timeout(PATIENCE_MS)
        page = watch(context.new_page(), url)
        self.pages.append(page)
        page.page.goto(f"{url}/{place}")
        page.page.get_by_label(say("sign_in.name"), exact=True).fill(name)
        page.page.get_by_label(say("sign_in.password"), exact=True).fill(whole.WORDS)
        page.page.get_by_role("button", name=say("sign_in.sign_in"), exact=True).click()
        return page


def _choose_many(page: Watched, label: str, *options: str) -> None:
    from playwright.sync_api import TimeoutError as PlaywrightTimeout

    field = page.page.get_by_role("combobox", name=label, exact=True)
    for option in options:
        choice = page.page.get_by_role("option", name=option, exact=True)
        for _ in range(10):  # a list that opens while its part of the page still grows is closed again
            field.fill(option)
            with contextlib.suppress(PlaywrightTimeout):
                choice.click(timeout=2_000)
                break
        else:
            pytest.fail(f"{label} offers no {option}.")
        page.drawn()
    field.press("Escape")  # what lies below the list is clicked next
    page.until(page.page.get_by_role("listbox").filter(visible=True).count, 0)


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
    _choose_many(page, say("studies.runs"), *(f"{model} · {setting}" for model in whole.LABELS))
    _choose_many(page, say("studies.readers"), *whole.READERS)
    page.page.get_by_test_id("stSlider").filter(has_text=say("studies.repeats")).get_by_role("slider").focus()
    page.page.keyboard.press("End")
    page.drawn()
    page.page.get_by_label(say("studies.repeat_gap"), exact=True).fill("2")
    page.page.keyboard.press("Enter")
    page.drawn()
    page.page.get_by_text(say("studies.training_title"), exact=True).click()
    _choose_many(page, say("studies.training_cases"), whole.TRAINING)
    _enter_consensus(page)
    # Three readers of four reports (and one a second time) of two patients, after one training item.
    _expect_column(page, say("studies.total"), ["6"] * 3, 1)
    _expect_column(page, say("studies.training"), ["1"] * 3, 1)
    _expect_column(page, say("studies.repeats_placed"), ["1 / 1"] * 3, 1)
    # Bonett 2002 at an ICC of 0.7 with three readers: see tests/unit/study/test_precision.py
    width = page.page.get_by_test_id("stMetric").filter(has_text=say("studies.width"))
    page.until(width.get_by_test_id("stMetricValue").inner_text, "0.94 – 1.63")
    page.page.get_by_role("button", name=say("studies.make"), exact=True).click()
    page.drawn()


def _enter_consensus(page: Watched) -> None:
    """Type 3 for every dimension of the one training case; before, the study cannot be made."""
    make = page.page.get_by_role("button", name=say("studies.make"), exact=True)
    make.and_(page.page.locator(":disabled")).wait_for()
    for place, dimension in enumerate(read_rubric().dimensions):
        _type_cell(page, 2 + place, "3")  # right of the case and its run
        _expect_column(page, dimension.name[Language.ENGLISH], ["3"])
    make.and_(page.page.locator(":enabled")).wait_for()


def _type_cell(page: Watched, column: int, value: str) -> None:
    """Type into the first row of the first table, as many columns right of its first one."""
    from playwright.sync_api import TimeoutError as PlaywrightTimeout

    editor = page.page.get_by_test_id("stDataFrame").filter(visible=True).first
    for _ in range(10):  # a table that moves while the page still grows is not where it was looked for
        page.drawn()
        editor.scroll_into_view_if_needed()
        box = editor.bounding_box()
        page.page.mouse.click(box["x"] + 20, box["y"] + 52)
        for _ in range(column):
            page.page.keyboard.press("ArrowRight")
        page.page.keyboard.press(value)
        with contextlib.suppress(PlaywrightTimeout):
            page.page.locator("#portal input").wait_for(timeout=5_000)
            page.page.keyboard.press("Enter")
            return
        page.page.keyboard.press("Escape")
    pytest.fail(f"Column {column} of the table takes no {value}.")


def _table(page: Watched, place: int = 0) -> pd.DataFrame:
    """Return what a table on the page shows, as a screen reader is told it."""
    table = page.page.get_by_test_id("stDataFrame").filter(visible=True).nth(place)
    table.locator("canvas table [role=gridcell]").first.wait_for(state="attached")
    head, *rows = table.evaluate(_CELLS)
    return pd.DataFrame(rows, columns=head)


def _expect_column(page: Watched, name: str, expected: list[str], place: int = 0) -> None:
    """Wait until a column of a table shows this."""
    page.until(lambda: list(_table(page, place).get(name, [])), expected)


def _move(page: Watched, to: str) -> None:
    """Move the study to its next state, by the two clicks that it takes."""
    page.page.get_by_role("button", name=say(f"studies.to_{to}"), exact=True).click()
    page.page.get_by_role("button", name=say(f"studies.to_{to}_sure"), exact=True).click()
    page.page.get_by_text(say("studies.moved", state=say(f"studies.state_{to}"))).wait_for()
    page.drawn()


def _admit(page: Watched, reader: str) -> None:
    """Let a reader go on whose training answers were too far from the consensus."""
    page.page.reload()
    page.drawn()
    page.page.get_by_label(say("studies.admit_reason"), exact=True).fill("We have talked it over.")
    page.page.get_by_role("button", name=say("studies.admit"), exact=True).click()
    page.page.get_by_label(say("studies.admit_reason"), exact=True).wait_for(state="detached")
    page.drawn()
    _expect_column(page, say("studies.passed"), [say("studies.admitted"), say("studies.yes"), say("studies.yes")])


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
        assert before["reason"] == whole.REASON
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
            other.page.page.locator(".desk[data-state=kept]:not(.locked)").wait_for()
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
    _expect_column(page, say("studies.items"), ["5 / 5"] * 3)
    _tab(page, "studies.tab_quality")
    _expect_column(page, say("studies.straight"), ["0%", "100%", "0%"])
    flagged = _table(page)[say("studies.flags")]
    assert [say("studies.flag_straight_lining") in one for one in flagged] == [False, True, False]
    _tab(page, "studies.tab_blinding")
    _tab(page, "studies.tab_plan")
    plan = _table(page)
    return str(plan[say("saw.value")][list(plan[say("saw.what")]).index(say("studies.study_name"))])


def _settle(page: Watched) -> None:
    """Settle one difference between the readers."""
    _tab(page, "studies.tab_differences")
    page.page.get_by_role("radio", name=re.compile("^2 ")).click()
    page.page.get_by_label(say("studies.settle_reason"), exact=True).fill(_SETTLED)
    page.page.get_by_role("button", name=say("studies.settle"), exact=True).click()
    page.page.get_by_text(say("studies.settled_note")).wait_for()
    page.page.get_by_text(re.compile("^1 of [0-9]+ settled$")).wait_for()
    page.drawn()


def _search(scene: _Scene, study_id: str, hidden: frozenset[str]) -> None:
    """Search all that the raters' browsers were sent for anything that names a model, a run or a case."""
    for reader, proxy in scene.proxies.items():
        # what Streamlit itself sends to anyone, its own program, is left out
        received = [one for one in proxy.received() if not one.path.startswith("/static/")]
        frames = b"".join(one.data for one in received if one.what == "frame")
        bodies = b"".join(one.data for one in received if one.what == "body")
        # The search works: what stands for the names is everywhere, and the reports came.
        assert study_id.encode() in frames
        assert whole.INVENTED.encode() in bodies
        assert sum("/volume/" in one.path for one in received) >= 2
        assert sum(one.what == "frame" for one in received) > 50
        leaks = {
            (name, one.what, one.path)
            for one in received
            for name in hidden
            if name.lower().encode() in one.data.lower() or name.lower() in one.path.lower()
        }
        assert leaks == set(), reader


def _results(page: Watched, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, Path]:
    """Return the tables of means and of agreement as the page of results shows them, and its download as CSV."""
    page.page.get_by_test_id("stSidebar").get_by_role("link", name=say("menu.results"), exact=True).click()
    _tab(page, "leaderboard.tab_study")
    page.page.get_by_role("heading", name=say("study_results.table_title")).wait_for()
    means = _table(page)
    _part(page, "agreement")
    page.page.get_by_role("heading", name=say("study_results.agreement_title")).wait_for()
    agreement = _table(page)
    _part(page, "files")
    with page.page.expect_download() as download:
        page.page.get_by_role("button", name=say("study_results.file", format="CSV")).click()
    download.value.save_as(folder / "page.zip")
    return means, agreement, folder / "page.zip"


def _part(page: Watched, part: str) -> None:
    page.page.get_by_role("radio", name=say(f"study_results.part_{part}"), exact=True).click()
    page.drawn()


def _command(home: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run the command line on the store that the app has let go of."""
    return subprocess.run(
        [*COMMAND, *map(str, words)], cwd=PROJECT, env=environment(home), text=True, capture_output=True, timeout=120
    )


def _check_numbers(
    home: Path, study_id: str, folder: Path, means: pd.DataFrame, agreement: pd.DataFrame, downloaded: Path
) -> None:
    """Work the numbers of the page out anew from the exported ratings, and compare them with the exported tables."""
    done = _command(home, "export", study_id, "--format", "csv", "--out", folder)
    assert (done.returncode, done.stderr) == (0, "")
    with zipfile.ZipFile(downloaded) as archive:
        tables = {Path(name).name: archive.read(name) for name in archive.namelist() if name.endswith(".csv")}
    assert {path.name: path.read_bytes() for path in folder.glob("*.csv")} == tables
    ratings = pd.read_csv(folder / "ratings_long.csv", dtype={"value": "Int64"})
    assert len(ratings) == 3 * 6 * 2 * 5  # readers, items, stages, dimensions
    main = ratings[(ratings["kind"] == "main") & (ratings["stage"] == "final")]
    summary = pd.read_csv(folder / "summary.csv").set_index(["dimension", "model"])
    names = {read_rubric().dimension(key).name[Language.ENGLISH]: key for key in read_rubric().keys}
    assert len(means) == len(summary) == 10
    for _, shown in means.iterrows():
        key = names[shown[say("study_results.dimension")]]
        model = whole.LABELS[shown[say("study_results.model")].split(" · ")[0]]
        values = main[(main["dimension"] == key) & (main["model"] == model)]["value"]
        given, exported = values.dropna().astype(float), summary.loc[(key, model)]
        assert int(shown[say("study_results.n")]) == len(given) == exported["n"]
        for name, column, value in (
            ("mean", "mean", given.mean()), ("sd", "sd", given.std()), ("median", "median", given.median()),
        ):  # fmt: skip
            assert exported[column] == pytest.approx(value, abs=1e-12)
            assert float(shown[say(f"study_results.{name}")]) == pytest.approx(value, abs=0.00501)
        for score in range(1, 6):
            assert int(shown[str(score)]) == int((given == score).sum()) == exported[f"rated_{score}"]
        absent = int(shown[say("study_results.count_not_assessable")])
        assert absent == values.isna().sum() == exported["not_assessable"]
    _check_agreement(main, pd.read_csv(folder / "agreement.csv"), agreement, names)
    settled = pd.read_csv(folder / "adjudicated.csv")
    assert list(settled["value"]) == [2]
    assert list(settled["reason"]) == [_SETTLED]


def _check_agreement(main: pd.DataFrame, exported: pd.DataFrame, shown: pd.DataFrame, names: dict[str, str]) -> None:
    """Ask scikit-learn and krippendorff; each cell of the page is the exported number, rounded."""
    statistics = {say(f"study_results.stat_{name}"): name for name in STATISTICS}
    everyone = exported[exported["readers"] == "all"].set_index(["dimension", "statistic"])["value"]
    for dimension, key in names.items():
        sheet = main[main["dimension"] == key].pivot(index="generation_id", columns="reader", values="value")
        expected = _agreement_of(sheet.astype(float))
        for statistic, value in expected.items():
            assert everyone[key, statistic] == pytest.approx(value, abs=1e-9), (key, statistic)
        cells = dict(zip(shown[say("study_results.statistic")], shown[dimension], strict=True))
        assert set(expected) <= {statistics[one] for one in cells}
        for statistic, cell in cells.items():
            value = everyone[key, statistics[statistic]]
            assert cell.split(" ")[0] == ("–" if pd.isna(value) else f"{round(value, 2) + 0.0:.2f}"), (key, statistic)


def _agreement_of(sheet: pd.DataFrame) -> dict[str, float]:
    kappas, exact, near = [], [], []
    for first, second in itertools.combinations(sheet.columns, 2):
        both = sheet[[first, second]].dropna()
        if both.to_numpy().min() == both.to_numpy().max():
            continue  # two readers who always said the same one thing: there is no kappa of them
        kappas.append(cohen_kappa_score(both[first], both[second], weights="quadratic", labels=[1, 2, 3, 4, 5]))
    for _, row in sheet.iterrows():
        apart = [abs(one - other) for one, other in itertools.combinations(row.dropna(), 2)]
        exact.append(np.mean([one == 0 for one in apart]))
        near.append(np.mean([one <= 1 for one in apart]))
    alpha = krippendorff.alpha(sheet.to_numpy().T, level_of_measurement="ordinal", value_domain=[1, 2, 3, 4, 5])
    return {
        "weighted_kappa": float(np.mean(kappas)), "exact": float(np.mean(exact)), "within_one": float(np.mean(near)),
        "krippendorff_alpha": float(alpha),
    }  # fmt: skip


def _check_chain(home: Path) -> None:
    """The chain is whole; one byte of one answer in the journal, and it is found."""
    done = _command(home, "study", "verify", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"studies": 1, "ratings": 36, "problems": []})
    journal = home / "pet2rep.journal.jsonl"
    before = journal.read_bytes()
    at = before.index(b'"answers":{"acc":') + len(b'"answers":{"acc":')
    edited = bytearray(before)
    edited[at] = ord("1") + (before[at] - ord("1") + 1) % 5  # another score
    journal.write_bytes(edited)
    done = _command(home, "study", "verify", "--json")
    line = before[:at].count(b"\n") + 1
    assert done.returncode == 1
    assert f"The journal is damaged in line {line}." in json.loads(done.stdout)["problems"]
