"""The reading desk by keyboard: scores, reasons, marks, both stages, feedback, the end; and its size on the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pet2rep_core.records import Language, MarkKind, Stage
from pet2rep_core.settings import Settings
from pet2rep_core.store import Store, open_store
from pet2rep_core.study.rubric import read_rubric
from pet2rep_core.ui.texts import text
from tests.browser import reading as desk
from tests.browser.cases import HOSTILE, HOSTILE_PARTS, PHANTOM, UNEVEN, fill_home
from tests.browser.conftest import Watched
from tests.browser.server import RunningApp, start_app
from tests.browser.studies import CONSENSUS, FEEDBACK, WORDS, MadeStudy, add_case_with_words, add_study, finish_and_lock

_STAGED = tuple(f"R{n}" for n in range(40, 53))
_PLAIN = ("R60", "R62")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("reading") / "home"
    fill_home(home)
    add_case_with_words(home)
    return home


@pytest.fixture(scope="module")
def studies(home: Path) -> dict[str, MadeStudy]:
    return {
        "staged": add_study(home, _STAGED),
        "plain": add_study(home, _PLAIN, staged=False, cases=(PHANTOM, UNEVEN, HOSTILE)),
        "screen": add_study(home, ("R80",), staged=False),
        "words": add_study(home, ("R81",), staged=False, cases=(WORDS,)),
        "locked": add_study(home, ("R82",), staged=False, cases=(PHANTOM,)),
        "training": add_study(home, ("R70",), staged=False, training=True),
    }


@pytest.fixture(scope="module")
def afterwards() -> list[Callable[[Store], None]]:
    """Take what is looked for in the store once the app has let go of it."""
    return []


@pytest.fixture(scope="module")
def app(
    home: Path, studies: dict[str, MadeStudy], afterwards: list[Callable[[Store], None]], _browser: Any
) -> Iterator[RunningApp]:
    finish_and_lock(home, studies["locked"], "R82")
    running = start_app(home, demo=False)
    yield running
    running.stop()
    assert "Traceback" not in running.said(), running.said()
    store = open_store(Settings(home=home, workers=1))
    try:
        assert store.studies.problems() == []
        for look in afterwards:
            look(store)
    finally:
        store.close()


def _check_first_item(store: Store, study: MadeStudy) -> None:
    item = study.items["R40"][0]
    first, final = (store.studies.rating(study.study_id, item.code, stage) for stage in Stage)
    assert first is not None
    assert final is not None
    assert first.rating.answers == {"acc": 4, "com": 3, "cla": None, "usa": 2, "ove": 3}
    assert first.rating.reasons == {"cla": "too noisy"}
    assert first.rating.reference_sha256 == ""
    assert final.rating.answers == {"acc": 2, "com": 3, "cla": None, "usa": 2, "ove": 3}
    assert final.rating.comments == {"com": "nodes"}
    assert final.rating.comment == "a comment"
    assert [(one.sentence, one.kind, one.significant) for one in final.rating.marks] == [
        (0, MarkKind.UPTAKE, True), (1, MarkKind.FALSE, False),
    ]  # fmt: skip
    assert [(one.sentence, one.significant) for one in final.rating.missed] == [(1, True)]
    generated = store.generation(item.generation_id).generation.text
    assert generated[final.rating.marks[1].start : final.rating.marks[1].end].startswith("A nodule")
    assert final.rating.active_ms > 0


def test_a_whole_item_by_keyboard(
    page: Watched, studies: dict[str, MadeStudy], afterwards: list[Callable[[Store], None]]
) -> None:
    first, second, *_ = studies["staged"].codes("R40")
    afterwards.append(lambda store: _check_first_item(store, studies["staged"]))
    desk.open_desk(page, "R40")
    assert desk.code(page) == first
    assert desk.current(page) == "Accuracy"
    assert page.page.get_by_text("Item 1 of 4", exact=True).is_visible()
    assert page.page.get_by_text("The reference report is shown after your first scores.").is_visible()
    desk.press(page, "4", "3", "0")
    page.page.keyboard.type("too noisy")
    desk.press(page, "Enter", "2")
    desk.expect_scores(page, {"Accuracy": "4", "Completeness": "3", "Clarity": "n/a", "Usability": "2"})
    anchor = read_rubric().dimension("acc").anchors[4][Language.ENGLISH]
    assert page.page.locator(".row .anchor", has_text=anchor).is_visible()

    desk.settled(page)
    desk.press(page, "Enter")
    assert "Still open: Overall." in str(desk.notice(page).text_content())
    assert desk.current(page) == "Overall"
    desk.press(page, "3")
    desk.kept(page)
    desk.press(page, "Enter")

    page.page.locator(".desk[data-stage=final]:not(.locked)").wait_for()
    assert desk.code(page) == first
    reference = page.page.get_by_role("region", name="Reference report")
    assert "suspicious for malignancy" in str(reference.text_content())
    assert reference.get_attribute("lang") == "en"
    # The first scores stand in the form, each with its sign.
    desk.expect_scores(page, {"Accuracy": "4", "Completeness": "3", "Clarity": "n/a", "Usability": "2", "Overall": "3"})
    assert page.page.locator(".value.first").count() == 5
    desk.row(page, "Accuracy").get_by_role("radio", name="4:").focus()
    desk.press(page, "2")
    assert desk.current(page) == "Completeness"  # every row has its answer: simply the next
    _mark_by_keyboard(page)
    desk.row(page, "Completeness").get_by_role("radio", name="3:").focus()
    desk.press(page, "/")
    page.page.keyboard.type("nodes")
    desk.press(page, "Enter")
    page.page.get_by_role("textbox", name="Comment on this item").fill("a comment")
    desk.kept(page)
    desk.press(page, "Control+Enter")
    desk.ready(page, second)
    assert "last item saved" in str(page.page.locator(".state").text_content())
    desk.expect_scores(page, {})
    assert page.page.locator(".desk").get_attribute("data-stage") == "provisional"
    assert f"item={second}" in page.page.url
    page.quiet()


def _mark_by_keyboard(page: Watched) -> None:
    desk.flag(page, "generated", 0).focus()
    desk.press(page, "Enter")
    menu = page.page.get_by_role("dialog", name="What is wrong with this sentence?")
    menu.wait_for()
    desk.press(page, "3", "3")
    assert desk.marks(page, "generated") == ["◐ uptake !"]
    desk.press(page, "Escape", "ArrowDown", "Enter", "1")
    assert desk.marks(page, "generated") == ["◐ uptake !", "✕ false"]
    desk.press(page, "5", "5", "5")  # minor, significant, off
    assert desk.marks(page, "generated") == ["◐ uptake !", "✕ false"]
    desk.press(page, "Escape")
    assert menu.is_hidden()
    desk.flag(page, "reference", 1).focus()
    desk.press(page, "Enter", "Shift+1", "Escape")
    assert desk.marks(page, "reference") == ["○ missed !"]
    label = str(desk.flag(page, "generated", 1).get_attribute("aria-label"))
    assert label.startswith("Mark sentence 2: A nodule")
    assert label.endswith("False finding, minor")


def test_taking_back_undoes_scores_marks_and_typing(page: Watched) -> None:
    desk.open_desk(page, "R41")
    desk.press(page, "1", "2")
    page.page.locator(".generated .sentence").first.click(position={"x": 6, "y": 8})
    desk.press(page, "6", "Escape")
    assert desk.marks(page, "generated") == ["≡ copied"]
    desk.press(page, "u")
    assert desk.marks(page, "generated") == []
    desk.press(page, "u")
    desk.expect_scores(page, {"Accuracy": "1"})
    assert desk.current(page) == "Completeness"
    desk.press(page, "5", "u", "u")
    desk.expect_scores(page, {})
    desk.kept(page)
    page.page.reload()
    desk.ready(page)
    desk.expect_scores(page, {})
    page.quiet()


def test_digits_score_while_the_images_have_the_focus(page: Watched) -> None:
    desk.open_desk(page, "R42")
    page.page.locator(".viewer[data-ready]").wait_for()
    page.page.locator(".viewer").focus()
    before = page.page.locator(".position").text_content()
    desk.press(page, "ArrowDown", "4", "ArrowDown", "Shift+2", "5")
    desk.expect_scores(page, {"Accuracy": "4", "Completeness": "5"})
    assert page.page.locator(".position").text_content() != before
    assert page.page.locator("select.pet_window").input_value() == "1"  # the second window, and no score
    focused = "document.activeElement.shadowRoot.activeElement.className"
    assert page.page.evaluate(focused) == "viewer"
    desk.press(page, "?")
    assert page.page.locator(".viewer .help").is_visible()
    assert page.page.locator(".desk .sheet").is_hidden()
    page.quiet()


def test_typed_letters_are_nobodys_keys(page: Watched) -> None:
    desk.open_desk(page, "R43")
    runs = len(page.sent)
    comment = page.page.get_by_role("textbox", name="Comment on this item")
    comment.focus()
    page.page.keyboard.type("Crucial note, number 5? urgh")
    assert comment.input_value() == "Crucial note, number 5? urgh"
    desk.expect_scores(page, {})
    desk.press(page, "Escape", "r", "c")
    desk.kept(page)
    assert page.page.get_by_test_id("stDialog").count() == 0
    assert len(page.sent) == runs  # Streamlit was asked for nothing
    page.quiet()


def test_words_of_a_report_lead_into_the_images(page: Watched) -> None:
    desk.open_desk(page, "R81")
    page.page.locator(".viewer[data-ready]").wait_for()
    words = page.page.get_by_role("region", name="Reference report").get_by_role("button", name="image 12", exact=True)
    words.click()
    # Image 12 counts from the head down on 70 planes: plane 58 of the PET, seen best from below.
    page.page.locator(".position", has_text="Axial 58 / 69").wait_for()
    assert page.page.locator(".menu").is_hidden()
    desk.press(page, "o")
    page.page.locator(".position", has_text="Coronal").wait_for()
    words.focus()
    desk.press(page, "Enter")
    page.page.locator(".position", has_text="Axial 58 / 69").wait_for()
    desk.expect_scores(page, {})
    page.quiet()


def test_the_list_shows_numbers_and_states_and_jumps(page: Watched, studies: dict[str, MadeStudy]) -> None:
    codes = studies["staged"].codes("R45")
    desk.open_desk(page, "R45")
    desk.press(page, "4")
    desk.kept(page)
    desk.press(page, "p")
    items = page.page.get_by_role("dialog", name="Items")
    items.wait_for()
    names = [one.get_attribute("aria-label") for one in items.locator(".item").all()]
    assert names == ["1: begun", "2: open", "3: open", "4: open"]
    desk.press(page, "ArrowRight", "ArrowRight", "Enter")
    desk.ready(page, codes[2])
    desk.press(page, "h")
    desk.ready(page, codes[1])
    desk.press(page, "h")
    desk.ready(page, codes[0])
    desk.expect_scores(page, {"Accuracy": "4"})
    page.quiet()


def test_training_shows_the_consensus_and_then_the_study_begins(page: Watched, studies: dict[str, MadeStudy]) -> None:
    training, first, *_ = studies["training"].codes("R70")
    desk.open_desk(page, "R70")
    assert desk.code(page) == training
    shown = "\n".join(page.page.locator(".reports .p2r-report").first.locator(".sentence").all_text_contents())
    for part in HOSTILE_PARTS[:5]:
        assert part in shown
    assert page.page.locator(".reports img, .reports script, .reports a, .reports strong").count() == 0
    desk.press(page, "2", "1", "5", "3", "3")
    desk.settled(page)
    desk.press(page, "Enter")
    feedback = page.page.get_by_role("dialog", name="How the experts scored this training item")
    feedback.wait_for()
    rows = [row.locator("td").all_text_contents()[:3] for row in feedback.locator("tr").all()[1:]]
    yours = {"acc": 2, "com": 1, "cla": 5, "usa": 3, "ove": 3}
    said = {0: "✓", 1: "+1", -2: "−2"}
    assert rows == [[str(yours[key]), str(value), said[yours[key] - value]] for key, value in CONSENSUS.items()]
    assert feedback.get_by_text(FEEDBACK).is_visible()
    assert feedback.get_by_text("80 % of your scores").is_visible()
    desk.press(page, "Escape")
    assert feedback.is_visible()
    desk.press(page, "Enter")
    desk.ready(page, first)
    page.quiet()


def test_the_end_asks_for_the_models_and_a_saved_item_changes_only_with_a_reason(
    page: Watched, studies: dict[str, MadeStudy]
) -> None:
    codes = studies["plain"].codes("R60")
    desk.open_desk(page, "R60")
    for code in codes:
        desk.ready(page, code)
        desk.settled(page)
        desk.press(page, "3", "3", "3", "3", "3", "Enter")
    end = page.page.get_by_role("dialog", name="Every item is rated. Thank you.")
    end.wait_for()
    assert end.locator("select").count() == 0  # no names to choose from
    end.get_by_role("button", name="Send and finish").click()
    assert end.get_by_role("alert").text_content() == "Write a guess, or choose that you have no idea."
    end.get_by_role("textbox", name="In general").fill("a template")
    end.get_by_role("button", name="Send and finish").click()
    page.page.get_by_text("Your answer has been kept.").wait_for()

    page.page.get_by_role("button", name="Items").click()
    page.page.get_by_role("dialog", name="Items").locator(".item").nth(1).click()
    desk.ready(page, codes[1])
    desk.expect_scores(page, dict.fromkeys(desk.DIMENSIONS, "3"))
    assert "saved, revision 1" in str(page.page.locator(".state").text_content())
    desk.row(page, "Accuracy").get_by_role("radio", name="1:").click()
    desk.settled(page)
    page.page.get_by_role("button", name="Save the change").click()
    assert "Say in a few words why" in str(desk.notice(page).text_content())
    page.page.get_by_role("textbox", name="Why do you change it?").fill("read it again")
    page.page.get_by_role("button", name="Save the change").click()
    page.page.get_by_role("dialog", name="Every item is rated. Thank you.").wait_for()
    page.quiet()


def test_an_item_of_a_locked_study_is_looked_at_and_its_change_asked_for(
    page: Watched, studies: dict[str, MadeStudy]
) -> None:
    page.page.goto(f"{page.base}/Reading?language=en&reader=R82")
    closed = page.page.get_by_role("dialog", name="The study is closed")
    closed.wait_for()
    closed.get_by_role("button", name="Items").click()
    page.page.get_by_role("dialog", name="Items").locator(".item").first.click()
    page.page.locator(f".desk.locked[data-code='{studies['locked'].codes('R82')[0]}']").wait_for()
    desk.expect_scores(page, dict.fromkeys(desk.DIMENSIONS, "3"))
    desk.press(page, "1")
    desk.expect_scores(page, dict.fromkeys(desk.DIMENSIONS, "3"))
    ask = page.page.get_by_role("button", name="Ask to change it")
    ask.click()
    assert "Say in a few words why" in str(desk.notice(page).text_content())
    page.page.get_by_role("textbox", name="Why should this item be changed?").fill("the wrong side")
    ask.click()
    page.page.get_by_text("Your request has been sent to the researchers of the study.").wait_for()
    assert page.page.get_by_role("button", name="Change asked for").is_disabled()
    page.quiet()


_FITS = """() => {
  const all = [document.documentElement, document.querySelector('[data-testid=stMain]')];
  const hosts = [...document.querySelectorAll('*')].filter(one => one.shadowRoot);
  const within = what => hosts.flatMap(one => [...one.shadowRoot.querySelectorAll(what)]);
  const inner = within('.desk, .foot, .viewer > .foot');
  const bottoms = inner.map(one => one.getBoundingClientRect().bottom);
  return {
    over: all.map(one => [one.scrollHeight - one.clientHeight, one.scrollWidth - one.clientWidth]).flat(),
    below: Math.max(...bottoms) - innerHeight, seen: inner.length,
    report: Math.min(...within('.p2r-report').map(one => one.clientHeight)),
    rows: within('.form .row').map(one => one.getBoundingClientRect().bottom),
  };
}"""


@pytest.mark.parametrize(
    ("width", "height", "report", "language", "theme"),
    [
        (1920, 1080, 500, "en", "light"),
        (1920, 950, 380, "zh", "dark"),
        (1366, 768, 250, "zh", "light"),
        (1366, 768, 250, "en", "dark"),
    ],
)
def test_everything_is_on_one_screen(
    new_page: Callable[..., Watched], width: int, height: int, report: int, language: str, theme: str
) -> None:
    page = new_page(viewport={"width": width, "height": height}, color_scheme=theme)
    desk.open_desk(page, "R80", language=language)
    page.page.locator(".viewer[data-ready]").wait_for()
    desk.press(page, "4", "4", "4")
    fits = page.page.evaluate(_FITS)
    assert fits["over"] == [0, 0, 0, 0]
    assert fits["seen"] == 3
    assert fits["below"] <= 0
    assert fits["report"] >= report
    assert len(fits["rows"]) == 5
    assert max(fits["rows"]) <= height
    page.quiet()


def test_the_reason_is_asked_for_where_a_value_has_the_focus(page: Watched) -> None:
    """After the menu of marks the focus is on a value, whose anchor stands where the reason is written."""
    desk.open_desk(page, "R52")
    desk.flag(page, "generated", 0).click()
    desk.press(page, "Escape")
    desk.row(page, "Accuracy").get_by_role("radio", name="3").focus()
    desk.press(page, "0")
    page.page.keyboard.type("1 slice only")
    desk.press(page, "Enter", "4")
    assert page.page.locator(".line.reasons:visible").input_value() == "1 slice only"
    desk.expect_scores(page, {"Accuracy": text(Language.ENGLISH, "desk.not_assessable"), "Completeness": "4"})
    page.quiet()


def test_the_language_changes_in_the_middle_of_an_item(page: Watched) -> None:
    desk.open_desk(page, "R46")
    desk.press(page, "4", "0")
    page.page.keyboard.type("too noisy")
    desk.press(page, "Enter")
    desk.flag(page, "generated", 0).focus()
    desk.press(page, "Enter", "1", "Escape")
    page.page.get_by_test_id("stExpandSidebarButton").click()
    page.page.get_by_test_id("stSidebar").get_by_text("中文", exact=True).click()
    accuracy = read_rubric().dimension("acc").name[Language.CHINESE]
    page.page.get_by_role("radiogroup", name=accuracy, exact=True).wait_for()
    chosen = page.page.locator(".form [role=radio][aria-checked=true]").all_text_contents()
    assert chosen == ["4", text(Language.CHINESE, "desk.not_assessable")]
    assert page.page.locator(".line.reasons:visible").input_value() == "too noisy"
    assert desk.marks(page, "generated") == [f"✕ {text(Language.CHINESE, 'desk.kind_false_short')}"]
    assert page.page.locator(".reports .p2r-report").get_attribute("lang") == "en"  # the report's own
    desk.press(page, "5")  # the menu of pages has the focus, and the digits still score
    assert page.page.locator(".form [role=radio][aria-checked=true]").last.text_content() == "5"
    page.quiet()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_desk_speaks_the_readers_language(page: Watched, language: str) -> None:
    desk.open_desk(page, "R62", language=language)
    tongue = Language(language)
    for name in ("generated", "reference", "comment", "stage_only"):
        said = text(tongue, f"desk.{name}")
        found = page.page.get_by_text(said, exact=True).or_(page.page.get_by_placeholder(said, exact=True))
        assert found.first.is_visible(), name
    for dimension in read_rubric().dimensions:
        assert page.page.get_by_role("radiogroup", name=dimension.name[tongue], exact=True).is_visible()
    desk.press(page, "?")
    page.page.get_by_role("dialog", name=text(tongue, "desk.help")).wait_for()
    page.quiet()
