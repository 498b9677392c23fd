"""The import page: look, import, open; a wrong path; cancel."""

from __future__ import annotations

import re
from pathlib import Path

import nibabel
import numpy as np

from tests.browser.conftest import Watched
from tests.layout_files import build_manifest, save_text

_MANY = 30


def _look(page: Watched, path: Path) -> None:
    page.open("Import")
    page.page.get_by_role("textbox", name="Folder or file").fill(str(path))
    page.page.get_by_role("button", name="Look", exact=True).click()


def test_a_folder_is_looked_at_imported_and_opened(page: Watched, tmp_path: Path) -> None:
    """The manifest has a case with everything, one of pictures and one of a report alone (tests.layout_files)."""
    _look(page, build_manifest(tmp_path / "invented"))
    page.page.get_by_text("cases found: 3, left out: 1").wait_for()
    found = [
        ["a", "12×10×8", "24×20×8", "SUVBW", "0"],
        ["b", "–", "–", "–", "2"],
        ["c", "–", "–", "–", "0"],
    ]
    page.until(lambda: [row[:5] for row in page.cells()], found)
    assert page.page.get_by_role("textbox", name="Name of the dataset").input_value() == "invented"
    page.page.get_by_role("button", name="Import (cases: 3)").click()
    # The column that may name a patient was left out, and is told among the outcomes too.
    page.page.get_by_text("3 new, 0 unchanged, 1 failed").wait_for()
    expected = [["a", "new"], ["b", "new"], ["c", "new"], ["manifest.csv", "failed"]]
    page.until(lambda: sorted(row[:2] for row in page.cells()), expected)
    page.page.get_by_role("link", name="Review the imported cases").click()
    page.page.wait_for_url("**/Review?*")
    page.choose("Case", "a · invented")
    page.page.locator(".viewer[data-shown^='a@']").wait_for()
    page.quiet()


def test_importing_again_changes_nothing(page: Watched, tmp_path: Path) -> None:
    root = tmp_path / "again"
    save_text(root / "manifest.csv", "case,report,language\nagain-1,one.txt,en\n")
    save_text(root / "one.txt", "Findings: Nothing abnormal.\nImpression: Normal.")
    for outcome, status in (
        ("1 new, 0 unchanged, 0 failed", "new"),
        ("0 new, 1 unchanged, 0 failed", "unchanged"),
    ):
        _look(page, root)
        page.page.get_by_role("button", name="Import (cases: 1)").click()
        page.page.get_by_text(outcome).wait_for()
        page.until(lambda: [row[:2] for row in page.cells()], [["again-1", status]])
    page.quiet()


def test_a_wrong_path_gives_one_sentence_letter_by_letter(page: Watched, tmp_path: Path) -> None:
    """What a person types comes back as text: no HTML, no emoji, no colour, no formula."""
    name = "nowhere <b>x :smile: :red[x] $x$ www.example.org"
    _look(page, tmp_path / name)
    alert = page.page.get_by_test_id("stAlert").filter(has_text="nowhere")
    alert.wait_for()
    assert name in alert.inner_text()
    assert alert.locator("b, img, .katex, span[style*=color]").count() == 0
    # Streamlit makes a link of what looks like an address, escaped or not; it must lead where it says.
    links = alert.locator("a").evaluate_all("all => all.map(one => [one.innerText, one.getAttribute('href')])")
    assert all(href in (f"http://{said}", said) for said, href in links)
    assert "Traceback" not in page.page.locator("body").inner_text()
    assert page.page.get_by_role("button", name=re.compile("^Import")).count() == 0
    page.quiet()


def _build_many(root: Path) -> Path:
    """Build thirty cases that share their files; each still has to be read and put on one grid."""
    root.mkdir()
    values = np.random.default_rng(1).random((72, 72, 72), dtype=np.float32)
    for name, spacing in (("pet", 4.0), ("ct", 3.999)):
        nibabel.save(nibabel.Nifti1Image(values, np.diag([spacing] * 3 + [1])), root / f"{name}.nii")
    lines = [f"many-{n:02},pet.nii,ct.nii,suvbw,{n}" for n in range(_MANY)]
    save_text(root / "manifest.csv", "\n".join(["case,pet,ct,pet_unit,number", *lines]) + "\n")
    return root


def test_an_import_is_cancelled_and_what_is_in_stays_in(page: Watched, tmp_path: Path) -> None:
    _look(page, _build_many(tmp_path / "many"))
    page.page.get_by_role("button", name=f"Import (cases: {_MANY})").click()
    page.page.get_by_test_id("stProgress").wait_for()
    page.page.get_by_role("button", name="Cancel").click()
    stopped = page.page.get_by_test_id("stAlert").filter(has_text="Stopped after")
    stopped.wait_for()
    done = int(re.search(r"Stopped after (\d+) of 30", stopped.inner_text()).group(1))
    assert done < _MANY
    assert f"{done} new, 0 unchanged, 0 failed" in page.page.locator("body").inner_text()
    page.quiet()
