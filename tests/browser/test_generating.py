"""Generating in the browser: text as it comes, stop, runs that outlive their tab, and nothing that leaves unasked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pet2rep_core.settings import Settings
from pet2rep_core.store import open_store
from tests import vendor_servers as vendor
from tests.browser.cases import HOSTILE_PARTS, HOSTILE_TEXT
from tests.browser.conftest import Watched, _pages
from tests.browser.server import RunningApp, start_app
from tests.layout_files import save_ct, save_pet, save_table
from tests.study_files import import_all
from tests.vendor_servers import VendorServer, vendor_server

_MODEL = "Qwen2.5-VL-7B"
_CASES = ("p0", "p1", "p2")
_LIVE = ".p2r-live"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """An app with three cases that differ, and nothing generated."""
    root = tmp_path_factory.mktemp("generating")
    rows = []
    for number, name in enumerate(_CASES):
        save_pet(root / "study" / f"{name}_pet.nii.gz", scale=1 + number / 10)
        save_ct(root / "study" / f"{name}_ct.nii.gz")
        rows.append((name, f"{name}_pet.nii.gz", f"{name}_ct.nii.gz", "suvbw"))
    save_table(root / "study" / "manifest.csv", ("case", "pet", "ct", "pet_unit"), rows)
    settings = Settings(home=root / "home", workers=1)
    settings.home.mkdir()
    store = open_store(settings)
    import_all(root / "study", settings, store, backend="threading")
    store.close()
    app = start_app(settings.home, demo=False)
    yield app
    app.stop()
    assert "Traceback" not in app.said()


@pytest.fixture
def new_tab(desk: RunningApp, _browser: Any) -> Iterator[Callable[..., Watched]]:
    yield from _pages(desk, _browser)


@pytest.fixture
def server() -> Iterator[VendorServer]:
    with vendor_server() as one:
        yield one


def _review(page: Watched, case: str, address: str) -> None:
    """Open a case in the research view, with a model at an address."""
    page.open("Review", view="research", case=case)
    box = page.page.get_by_role("combobox", name="Model", exact=True)
    box.click()
    page.page.keyboard.type(_MODEL)
    page.page.get_by_role("option", name=f"{_MODEL} ").first.click()
    page.drawn()
    page.page.get_by_role("button", name="Options").click()
    field = page.page.get_by_role("textbox", name="Address of an OpenAI-compatible server")
    field.fill(address)
    field.press("Enter")
    page.page.get_by_text("no weights here").first.wait_for(state="detached")
    page.drawn()
    page.page.keyboard.press("Escape")
    field.wait_for(state="hidden")


def _press(page: Watched, name: str) -> None:
    page.page.get_by_role("button", name=name, exact=True).click()


def _seed(page: Watched, seed: int) -> None:
    page.page.get_by_role("button", name="Options").click()
    field = page.page.get_by_role("spinbutton", name="Seed")
    field.fill(str(seed))
    field.press("Enter")
    page.drawn()
    page.page.keyboard.press("Escape")
    field.wait_for(state="hidden")


def test_text_is_shown_as_it_comes_and_can_be_stopped(new_tab: Callable[..., Watched], server: VendorServer) -> None:
    def answer(_call: vendor.Call) -> vendor.Reply:
        # the rest comes so late that only a stop can end it
        return vendor.stream(vendor.chat_events(["The first words.", *["…"] * 600]), pause_s=0.5)

    server.answer = answer
    page = new_tab()
    _review(page, "p0", server.base_url)
    _press(page, "Generate")
    page.page.locator(_LIVE).get_by_text("The first words.").wait_for()
    _press(page, "Stop")
    page.page.get_by_text("Stopped. The text so far was not kept").wait_for()
    assert server.gone.wait(20)
    assert page.page.locator(_LIVE).count() == 0
    assert page.page.get_by_role("combobox", name="Open report").count() == 0
    assert len(server.calls) == 1
    page.quiet()


def test_a_hostile_answer_becomes_an_inert_report_and_its_pictures_are_those_that_went_out(
    new_tab: Callable[..., Watched], server: VendorServer
) -> None:
    server.answer = lambda _call: vendor.stream(vendor.chat_events(list(HOSTILE_TEXT)))
    page = new_tab()
    _review(page, "p0", server.base_url)
    _press(page, "Generate")
    page.page.get_by_role("combobox", name="Open report").wait_for()
    page.drawn()
    report = page.page.locator(".p2r-report").first
    said = report.inner_text()
    assert all(part in said for part in HOSTILE_PARTS if "\u202e" not in part)
    assert "\u202e" not in said
    assert report.locator("script, a, img, strong, b").count() == 0
    page.page.get_by_text("What the model saw for this report").click()
    page.page.get_by_text("every hash is the same").wait_for()
    pictures = page.page.locator(".p2r-strip figure img")
    assert pictures.count() == 3
    for n in range(3):
        pictures.nth(n).evaluate("image => image.decode()")
    prompt = "\n".join(page.page.locator(".p2r-said").all_inner_texts())
    asked = server.calls[0].body["messages"]
    assert " ".join(server.calls[0].text.split()[:8]) in " ".join(prompt.split())
    assert len(asked[-1]["content"]) == 4
    page.quiet()


def test_a_failure_is_shown_apart_and_never_as_a_report(new_tab: Callable[..., Watched], server: VendorServer) -> None:
    server.answer = lambda _call: vendor.refusal(400, {"message": "no such option"})
    page = new_tab()
    _review(page, "p1", server.base_url)
    _press(page, "Generate")
    alert = page.page.get_by_test_id("stAlert").filter(has_text=f"{_MODEL} gave no report.")
    alert.wait_for()
    assert "no such option" in alert.inner_text()
    page.page.get_by_text("Attempts that failed (1)").wait_for()
    assert page.page.get_by_role("combobox", name="Open report").count() == 0
    server.answer = vendor.good
    _press(page, "Close this message")
    alert.wait_for(state="detached")
    page.drawn()
    _press(page, "Generate")
    page.page.get_by_role("combobox", name="Open report").wait_for()
    assert len(server.calls) == 2
    page.quiet()


def test_nothing_leaves_the_machine_before_somebody_confirms_it(
    new_tab: Callable[..., Watched], server: VendorServer
) -> None:
    # 127.1 reaches this machine, and is no name or number that the program knows to be it
    address = server.base_url.replace("127.0.0.1", "127.1")
    host = address.removeprefix("http://").removesuffix("/v1")
    page = new_tab()
    _review(page, "p2", address)
    _press(page, "Generate")
    dialog = page.page.get_by_role("dialog")
    dialog.get_by_text("Nothing has been sent.").wait_for()
    page.drawn()
    assert host in dialog.inner_text()
    page.page.wait_for_function("document.activeElement.innerText.trim() === 'Cancel, send nothing'")
    page.page.keyboard.press("Enter")
    dialog.wait_for(state="detached")
    assert (server.calls, server.looks) == ([], [])
    _press(page, "Generate")
    dialog.get_by_role("button", name=f"Allow, and send to {host}").click()
    page.page.get_by_role("combobox", name="Open report").wait_for()
    assert len(server.calls) == 1
    other = new_tab()
    other.open("Generate", view="research")
    other.page.get_by_role("tab", name="What may leave this machine").click()
    other.page.get_by_text(f"{host} (not known to this program) may get pictures and prompts").wait_for()
    other.page.get_by_role("button", name=f"Turn off {host}").click()
    other.page.get_by_text("Nothing may leave this machine.").wait_for()
    _seed(page, 7)
    _press(page, "Generate")
    dialog.get_by_text("Nothing has been sent.").wait_for()
    assert len(server.calls) == 1
    page.quiet()
    other.quiet()


def test_a_run_outlives_its_tab_and_asks_later_for_what_is_missing(
    new_tab: Callable[..., Watched], server: VendorServer
) -> None:
    go_on, broken = threading.Event(), [True]

    def answer(call: vendor.Call) -> vendor.Reply:
        first = len(server.calls) == 1
        assert go_on.wait(60)
        return vendor.refusal(400, {"message": "broken"}) if first and broken else vendor.good(call)

    server.answer = answer
    page = new_tab()
    page.open("Generate", view="research")
    page.page.get_by_role("combobox", name="Models").first.click()
    page.page.keyboard.type("Qwen3-VL-8B")
    page.page.get_by_role("option", name="Qwen3-VL-8B ").first.click()
    page.page.keyboard.press("Escape")
    page.drawn()
    page.page.get_by_text("Options", exact=True).click()
    field = page.page.get_by_role("textbox", name="Address of an OpenAI-compatible server")
    field.fill(server.base_url)
    field.press("Enter")
    page.page.get_by_text("no weights here").first.wait_for(state="detached")
    page.drawn()
    _press(page, "Plan")
    page.page.get_by_role("button", name="Start: ask for 3 reports").click()
    page.page.get_by_role("button", name="Cancel the run").wait_for()
    page.quiet()
    page.page.close()
    go_on.set()

    again = new_tab()
    again.open("Generate", view="research")
    again.page.get_by_text("Ended: done 2 · failed 1").wait_for()
    assert len(server.calls) == 3
    broken.clear()
    again.page.get_by_role("tab", name="Earlier runs").click()
    again.page.get_by_role("button", name="Ask for what is missing: 1").click()
    again.page.get_by_text("Ended: done 1").wait_for()
    assert len(server.calls) == 4
    again.page.get_by_test_id("stMarkdown").filter(has_text="Qwen3-VL-8B").filter(has_text="done 3").wait_for()
    again.quiet()


def test_the_page_has_a_head_in_both_languages(new_tab: Callable[..., Watched]) -> None:
    for language, head in (("en", "Generate"), ("zh", "生成")):
        page = new_tab(locale="zh-CN" if language == "zh" else "en-GB")
        page.open("Generate", language=language, view="research")
        page.page.get_by_role("heading", name=head, exact=True).first.wait_for()
        page.quiet()
