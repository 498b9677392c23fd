"""The main job: generate, score, rate blind, come back to a draft, take the ratings away."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet
import pytest

from pet2rep_core.vlm.baselines import BUILT_IN_MODELS
from tests.browser.cases import NO_SUV, PHANTOM, PICTURES
from tests.browser.conftest import Watched

_MODEL = "Template baseline (slots stripped)"
_SCORES = {"Accuracy": 2, "Completeness": 1, "Clarity": 5, "Usability": 3, "Overall": 2}
_KEYS = dict(zip(("acc", "com", "cla", "usa", "ove"), _SCORES.values(), strict=True))


def _generate(page: Watched, case: str) -> None:
    page.open("Review", view="research", case=case)
    page.choose("Model", _MODEL)
    page.page.get_by_role("button", name="Generate", exact=True).click()
    page.page.get_by_text("Model: template").wait_for()
    page.drawn()


def _give(page: Watched, dimension: str, value: int | str) -> None:
    scale = page.page.get_by_role("radiogroup", name=dimension, exact=True)
    scale.get_by_role("radio", name=str(value), exact=True).click()
    scale.locator("[role=radio][aria-checked=true]", has_text=str(value)).wait_for()
    page.drawn()


def _expect(page: Watched, answers: dict[str, str]) -> None:
    """Wait until the form shows exactly these answers."""
    from playwright.sync_api import expect

    for dimension in _SCORES:
        scale = page.page.get_by_role("radiogroup", name=dimension, exact=True)
        given = [answers[dimension]] if dimension in answers else []
        expect(scale.locator("[role=radio]")).to_have_count(6)
        expect(scale.locator("[role=radio][aria-checked=true]")).to_have_text(given)


def _open_tab(page: Watched, name: str) -> None:
    page.page.get_by_role("tab", name=name, exact=True).click()
    page.page.get_by_test_id("stTabPanel").filter(visible=True).locator("*").first.wait_for()
    page.drawn()


def test_a_whole_session(new_page: Callable[..., Watched], tmp_path: Path) -> None:
    research = new_page()
    for case in (PHANTOM, NO_SUV, PICTURES):
        _generate(research, case)
    research.open("Review", view="research", case=PHANTOM)
    research.page.get_by_role("button", name="Score this report").click()
    research.page.get_by_test_id("stDataFrame").nth(2).wait_for()
    research.drawn()
    numbers = {row[0]: row[1:] for row in research.cells(0)}
    assert {"rougeL", "ce_f1"} <= set(numbers)
    for value, _, signature in numbers.values():
        assert value.startswith("not scored: ") or float(value) >= 0
        assert "|v:" in signature
    # The reference says that the brain is normal; it stands in the organ table with its words.
    organs = {row[0]: row[1:] for row in research.cells(1)}
    assert "brain" in " ".join(organs).lower()
    research.quiet()

    reader = new_page()
    reader.open("Review", reader="R11", case=PHANTOM)
    save = reader.page.get_by_role("button", name="Save and next")
    save.wait_for()
    assert save.is_disabled()
    for dimension, value in _SCORES.items():
        _give(reader, dimension, value)
    save.click()
    reader.page.get_by_test_id("stToast").get_by_text("Saved, revision 1.").wait_for()
    # The next case in order that this reader has not rated.
    reader.page.wait_for_url(f"**case={NO_SUV}*")
    reader.drawn()
    _expect(reader, {})

    _give(reader, "Accuracy", 4)
    _give(reader, "Clarity", "n/a")
    comment = reader.page.get_by_role("textbox", name="Comment")
    comment.fill("half done")
    comment.press("Tab")
    reader.drawn()
    reader.page.reload()
    reader.drawn()
    reader.page.get_by_text("You have answers here that are not saved yet.").wait_for()
    _expect(reader, {"Accuracy": "4", "Clarity": "n/a"})
    assert reader.page.get_by_role("textbox", name="Comment").input_value() == "half done"
    assert reader.media() == []
    _no_model_name(reader)
    reader.quiet()

    research.open("Results", view="research")
    _open_tab(research, "Ratings")
    research.until(
        lambda: {(row[0], row[4], row[5].split(".")[0]) for row in research.cells() if "R11" in row},
        {(PHANTOM, name, str(value)) for name, value in _SCORES.items()},
    )
    _open_tab(research, "Files")
    files = _downloads(research, tmp_path)
    rows = [row for row in csv.DictReader(io.StringIO(files["CSV"].decode("utf-8"))) if row["reader"] == "R11"]
    assert {row["dimension"]: int(row["value"]) for row in rows} == _KEYS
    assert {row["case_id"] for row in rows} == {PHANTOM}
    table = pyarrow.parquet.read_table(io.BytesIO(files["PARQUET"])).to_pylist()
    assert {row["dimension"]: row["value"] for row in table if row["reader"] == "R11"} == _KEYS
    research.quiet()


def _downloads(page: Watched, folder: Path) -> dict[str, bytes]:
    files = {}
    for kind in ("CSV", "PARQUET"):
        with page.page.expect_download() as coming:
            page.page.get_by_role("button", name=f"Download ratings as {kind}").click()
        assert coming.value.suggested_filename.startswith("pet2rep_ratings_")
        place = folder / coming.value.suggested_filename
        coming.value.save_as(place)
        files[kind] = place.read_bytes()
    return files


def _no_model_name(page: Watched) -> None:
    """Look through everything that reached the browser: text, HTML, addresses and frames."""
    # An anchor of the rubric speaks of templates, whatever the model; HTML and CSS have theirs.
    others = ("template brackets", "<template", "</template", "grid-template")
    html = page.page.content()
    text = page.page.locator("body").inner_text()
    frames = "\n".join(frame.decode("utf-8", errors="replace") for frame in page.frames)
    for said in (html, text, "\n".join(page.requests), frames):
        plain = said.lower()
        for other in others:
            plain = plain.replace(other, "")
        found = [name for name in (*BUILT_IN_MODELS, _MODEL.lower()) if name in plain]
        if found:
            at = plain.index(found[0])
            pytest.fail(f"{found} reached a reader: …{plain[max(0, at - 120) : at + 80]}…")


def test_the_form_is_reached_and_filled_by_keyboard(page: Watched) -> None:
    page.open("Review", reader="R12", case="browser-d")
    page.page.get_by_role("radiogroup", name="Accuracy").wait_for()
    page.page.get_by_role("textbox", name="Reader (pseudonym)").focus()
    seen: list[str] = []
    for _ in range(40):
        page.page.keyboard.press("Tab")
        focused = page.page.evaluate(_FOCUSED)
        seen.append(focused["name"])
        # Streamlit's own scrolling area takes the focus in Chromium, without a mark.
        assert focused["visible"] or focused["name"].startswith("MAIN"), (
            f"{focused['name']} has the focus and does not show it"
        )
        if focused["group"] == "Accuracy":
            break
    else:
        pytest.fail(f"The form was not reached: {seen}")
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("Space")
    _expect(page, {"Accuracy": "2"})
    page.quiet()


# Streamlit draws the focus as an outline, a border of another colour or a shadow, on the element or around it.
_FOCUSED = """() => {
  let at = document.activeElement;
  while (at.shadowRoot && at.shadowRoot.activeElement) at = at.shadowRoot.activeElement;
  const shows = element => {
    const style = getComputedStyle(element);
    return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none'
      || element.matches(':focus-within') && ['rgb(11, 110, 138)'].includes(style.borderTopColor);
  };
  let visible = false;
  for (let e = at, n = 0; e && n < 4; e = e.parentElement, n += 1) visible = visible || shows(e);
  const group = at.closest('[role=radiogroup]');
  return {
    name: `${at.tagName} ${at.getAttribute('aria-label') || at.innerText || at.className}`.slice(0, 60),
    group: group ? group.getAttribute('aria-label') : '', visible,
  };
}"""
