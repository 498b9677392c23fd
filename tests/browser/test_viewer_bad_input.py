"""Images, networks and browsers that are not as they should be: a picture or one sentence, and the page goes on."""

from __future__ import annotations

import re
import shutil
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pet2rep_core.imaging.packed import pack_volume, plan_volume
from pet2rep_core.imaging.prepared import open_prepared, prepare_case
from pet2rep_core.imaging.volume import Array, Volume
from pet2rep_core.records import Language, PetUnit, SuvFactors
from pet2rep_core.settings import Settings
from pet2rep_core.store import CaseRow, open_store
from pet2rep_core.ui.texts import read_texts
from pet2rep_core.workflow.import_dataset import Preparation, record_preparation
from tests.browser.chromium import find_chromium, launch_arguments
from tests.browser.conftest import PATIENCE_MS, Watched
from tests.browser.cutting_proxy import CuttingProxy
from tests.browser.server import RunningApp, start_app

_CT_BEGINS = """frame => new Promise(done => {
  const look = () => (frame.viewer.volumes.ct?.ready ? done() : setTimeout(look, 20));
  look();
})"""
_FIRST_PICTURES = """frame => new Promise(done => {
  const look = () => (frame.viewer.mip && !frame.viewer.mip.frames[0] ? setTimeout(look, 20) : setTimeout(done, 250));
  look();
})"""
_MEAN = """canvas => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  let sum = 0;
  for (let n = 0; n < data.length; n += 4) sum += data[n];
  return sum / (data.length / 4);
}"""
GOOD, OTHER, LOST = "good", "other", "lost"
_EN, _ZH = (
    {key.removeprefix("viewer."): said for key, said in read_texts(language).items() if key.startswith("viewer.")}
    for language in (Language.ENGLISH, Language.CHINESE)
)
_SUV = SuvFactors(bw=1.0, time_rule="already-suv")
_NO_SUV = SuvFactors(reason="The files do not say when the tracer was injected.")


def _affine(step_mm: float, shape: tuple[int, ...]) -> Array:
    affine = np.diag([step_mm, step_mm, step_mm, 1.0])
    affine[:3, 3] = [-(n - 1) / 2 * step_mm for n in shape]
    return affine


def _volume(values: Array, step_mm: float) -> Volume:
    return Volume(values, _affine(step_mm, values.shape))


def _body(shape: tuple[int, int, int]) -> Array:
    """Return an ellipse in I and J along K: True inside."""
    i, j, _ = np.ogrid[tuple(slice(-1, 1, n * 1j) if n > 1 else slice(0, 1) for n in shape)]
    return np.broadcast_to(np.asarray(i**2 + j**2 < 0.7), shape)


def _pet(shape: tuple[int, int, int] = (48, 44, 50), step_mm: float = 5.0) -> Volume:
    """Return SUV 2 in the body, 0.1 around it."""
    return _volume(np.where(_body(shape), 2.0, 0.1).astype(np.float32), step_mm)


def _changed(change: Callable[[Array], None]) -> Volume:
    pet = _pet()
    values = pet.values.copy()
    change(values)
    return Volume(values, pet.affine_lps)


def _ct(shape: tuple[int, int, int] = (128, 120, 140), step_mm: float = 1.9, seed: int = 3) -> Volume:
    """Return 40 HU in the body and air around it, with noise that does not pack: several blocks on the wire."""
    values = np.where(_body(shape), 40, -1000) + np.random.default_rng(seed).integers(-90, 90, shape)
    return _volume(values.astype(np.int16), step_mm)


def _put(values: Array, what: float, where: Any = slice(20, 24)) -> None:
    values[where] = what


@dataclass(frozen=True, slots=True)
class Odd:
    """A case that few would expect, and the panes that it must show."""

    pet: Callable[[], Volume] | None
    ct: Callable[[], Volume] | None
    panes: tuple[str, ...]
    unit: PetUnit = PetUnit.SUVBW


_ALL = ("ct", "pet", "fused", "mip")
_PET = ("pet", "mip")
ODD = {
    "pet-only": Odd(_pet, None, _PET),
    "ct-only": Odd(None, lambda: _ct((64, 60, 70), 4.0), ("ct",)),
    "one-coronal": Odd(lambda: _pet((48, 1, 50)), None, _PET),
    "one-axial": Odd(lambda: _pet((48, 44, 1)), None, _PET),
    "one-axial-ct": Odd(None, lambda: _ct((64, 60, 1), 4.0), ("ct",)),
    "4-mm": Odd(lambda: _pet((64, 60, 70), 4.0), lambda: _ct((64, 60, 70), 4.0), _ALL),
    "1-mm": Odd(lambda: _pet((150, 120, 140), 1.0), None, _PET),
    "some-nan": Odd(lambda: _changed(lambda v: _put(v, np.nan)), None, _PET),
    "all-nan": Odd(lambda: _changed(lambda v: _put(v, np.nan, ...)), None, _PET),
    "all-nan-with-ct": Odd(lambda: _changed(lambda v: _put(v, np.nan, ...)), lambda: _ct((64, 60, 70), 4.0), _ALL),
    "nan-no-suv": Odd(lambda: _changed(lambda v: _put(v, np.nan)), None, _PET, PetUnit.ACTIVITY_BQML),
    "zero": Odd(lambda: _changed(lambda v: _put(v, 0, ...)), None, _PET),
    "zero-no-suv": Odd(lambda: _changed(lambda v: _put(v, 0, ...)), None, _PET, PetUnit.COUNTS),
    "suv-500": Odd(lambda: _changed(lambda v: _put(v, 500.0)), None, _PET),
    "negative": Odd(lambda: _changed(lambda v: _put(v, -7.0)), None, _PET),
    "infinite": Odd(lambda: _changed(lambda v: _put(v, np.inf)), None, _PET),
    "bqml": Odd(lambda: Volume(_pet().values * 4000, _pet().affine_lps), None, _PET, PetUnit.ACTIVITY_BQML),
}  # fmt: skip


def _fill(home: Path) -> None:
    settings = Settings(home=home, workers=1)
    home.mkdir(parents=True)
    store = open_store(settings)
    keys = {
        name: prepare_case(
            settings.prepared,
            pet=odd.pet and odd.pet(),
            pet_unit=odd.unit if odd.pet else None,
            suv=_SUV if odd.unit is PetUnit.SUVBW else _NO_SUV,
            ct=odd.ct and odd.ct(),
        )
        for name, odd in ODD.items()
    }
    for n, name in enumerate((GOOD, OTHER, LOST)):
        ct = _ct(seed=n)
        keys[name] = prepare_case(settings.prepared, pet=_pet(), pet_unit=PetUnit.SUVBW, suv=_SUV, ct=ct)
    for name, key in keys.items():
        case = open_prepared(settings.prepared, key)
        row = CaseRow(
            case_id=name, dataset="odd", layout="test", prepared_key=key, source_sha256=key, metadata={},
            has_pet=case.pet is not None, has_ct=case.ct is not None, key_slices=case.key_slices,
            suv={**asdict(case.suv), "unit": case.pet_unit, "warnings": []},
        )  # fmt: skip
        record_preparation(Preparation(row, (), name), store)
    store.close()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, _browser: Any) -> Iterator[RunningApp]:
    """Take the place of the shared app: these cases are not for the other tests."""
    home = tmp_path_factory.mktemp("odd") / "home"
    _fill(home)
    running = start_app(home, demo=False)
    yield running
    running.stop()
    said = running.said()
    assert "Traceback" not in said, said


@pytest.fixture(scope="module")
def tab(app: RunningApp, _browser: Any) -> Iterator[Any]:
    """Give one tab for all odd cases, so that each also shows that the one before hurt nobody."""
    context = _browser.new_context(viewport={"width": 1600, "height": 950}, locale="en-GB")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.wrong = wrong
    page.goto(f"{app.url}/Review?language=en&view=reading&reader=R01&case={GOOD}")
    _ready(page, GOOD)
    yield page
    context.close()


def _ready(page: Any, case: str) -> None:
    page.locator(f".viewer[data-ready^='{case}@'][data-resting=true]").wait_for()


def _choose(page: Any, case: str) -> None:
    page.get_by_role("combobox", name="Case", exact=True).click()
    page.get_by_role("option", name=f"{case} · odd", exact=True).click()


def _panes(page: Any) -> dict[str, list[int]]:
    """Return the smallest and largest grey of every pane's pixels."""
    return dict(
        page.locator(".viewer").evaluate(
            """frame => frame.viewer.panes.map(pane => {
              const { data } = pane.canvas.getContext('2d').getImageData(0, 0, pane.canvas.width, pane.canvas.height);
              let [low, high] = [255, 0];
              for (let n = 0; n < data.length; n += 4) { low = Math.min(low, data[n]); high = Math.max(high, data[n]); }
              return [pane.kind, [low, high]]; })"""
        )
    )


def _goes_on(page: Any, case: str = OTHER) -> None:
    """Open another case, and scroll in it."""
    _choose(page, case)
    _ready(page, case)
    assert page.locator(".viewer .message").inner_text() == ""
    before = page.locator(".position").inner_text()
    page.locator(".pane").first.hover()
    page.mouse.wheel(0, 100)
    for _ in range(50):
        if page.locator(".position").inner_text() != before:
            return
        page.wait_for_timeout(50)
    raise AssertionError("The wheel did not move the plane.")


@pytest.mark.parametrize("name", ODD)
def test_an_odd_case_is_a_picture(tab: Any, name: str) -> None:
    odd = ODD[name]
    _choose(tab, name)
    _ready(tab, name)
    tab.locator(".viewer").evaluate(_FIRST_PICTURES)
    shades = _panes(tab)
    assert tuple(shades) == odd.panes
    flat = {"all-nan", "all-nan-with-ct", "zero", "zero-no-suv"}
    for kind, (low, high) in shades.items():
        if name in flat and kind in _PET:
            assert low == high  # nothing taken up anywhere: white throughout
        else:
            assert high - low > 30, (kind, low, high)
    tab.locator(".viewer").focus()
    for key in ("a", "s", "End", "Home", "g", "g", "g", "o"):
        tab.keyboard.press(key)
    tab.wait_for_timeout(250)
    text = tab.locator(".viewer").inner_text()
    assert not re.search(r"NaN|undefined|Infinity|null", text), text
    assert ("SUV" in text) == (odd.pet is not None and odd.unit is PetUnit.SUVBW)
    if name == "nan-no-suv":  # the values are 0.1 and 2.0 beside the missing ones
        window = tab.locator(".viewer").evaluate("f => [f.viewer.state.pet.low, f.viewer.state.pet.high]")
        assert window == [0, 2]
    assert tab.locator(".note").all_inner_texts() == [""] * len(odd.panes)
    assert (tab.locator(".viewer .message").inner_text(), tab.wrong) == ("", [])
    assert tab.get_by_test_id("stException").count() == 0


def test_a_ct_beyond_the_limit_is_shown_smaller(page: Watched) -> None:
    """The stream is what the server packs under a limit of 100 000 voxels; the grey of the whole stays the same."""
    page.open("Review", case=GOOD)
    _ready(page.page, GOOD)
    full = page.page.locator(".pane[data-kind=ct] .picture").evaluate(_MEAN)
    pet, ct = _pet(), _ct(seed=0)
    whole = tuple((0, n) for n in pet.values.shape)
    plan = plan_volume("ct", ct, pet, whole, most_voxels=100_000)  # type: ignore[arg-type]
    body = zlib.decompress(b"".join(pack_volume(ct, plan)), 31)
    page.page.route("**/volume/ct", lambda route: route.fulfill(status=200, body=body))
    page.page.reload()
    _ready(page.page, GOOD)
    reduced = page.page.locator(".viewer").evaluate("f => f.viewer.volumes.ct.header.reduction")
    assert tuple(reduced) == plan.header.reduction != (1, 1, 1)
    # Window of 400 HU: noise of 90 HU around 40 HU is not cut off, so means of voxels keep the mean grey.
    assert page.page.locator(".pane[data-kind=ct] .picture").evaluate(_MEAN) == pytest.approx(full, abs=3)
    page.page.unroute("**/volume/ct")
    _goes_on(page.page)
    page.quiet()


@pytest.fixture
def proxied(app: RunningApp, new_page: Callable[..., Watched]) -> Iterator[tuple[Watched, CuttingProxy]]:
    """Give a page behind a proxy that can cut and hold the answers of the volume route."""
    with CuttingProxy(int(app.url.rpartition(":")[2])) as proxy:
        page = new_page()
        page.base = proxy.url
        yield page, proxy


def _said(page: Watched) -> str:
    page.page.locator(".viewer .message button").wait_for()
    return str(page.page.locator(".viewer .message").inner_text())


def _only_the_network_failed(page: Watched) -> None:
    assert [error for error in page.errors if not error.startswith("Failed to load resource")] == []
    assert page.dialogs == []


def test_a_connection_lost_once_is_made_again(proxied: tuple[Watched, CuttingProxy]) -> None:
    page, proxy = proxied
    proxy.cut(times=2, after=300_000)
    page.open("Review", case=GOOD)
    _ready(page.page, GOOD)
    assert proxy.cuts == 2
    assert page.page.locator(".viewer .message").inner_text() == ""
    _only_the_network_failed(page)


def test_a_connection_that_stays_lost_is_one_sentence_and_trying_again_helps(
    proxied: tuple[Watched, CuttingProxy],
) -> None:
    page, proxy = proxied
    proxy.cut(times=100, after=300_000)
    page.open("Review", case=GOOD)
    assert _said(page) == f"{_EN['failed']} {_EN['again']}"
    assert "pet" in _panes(page.page)
    proxy.cut(times=0)
    page.page.get_by_role("button", name=_EN["again"]).click()
    _ready(page.page, GOOD)
    assert page.page.locator(".viewer .message").inner_text() == ""
    _goes_on(page.page)
    _only_the_network_failed(page)


def test_a_slow_server_shows_the_first_planes_and_says_that_the_rest_is_coming(
    proxied: tuple[Watched, CuttingProxy],
) -> None:
    page, proxy = proxied
    proxy.hold(after=700_000)
    page.open("Review", case=GOOD)
    ct = page.page.locator(".pane[data-kind=ct] .note")
    ct.get_by_text(_EN["loading"]).wait_for()
    page.page.locator(".viewer").evaluate(_CT_BEGINS)
    assert page.page.locator(".pane[data-kind=pet] .note").inner_text() == ""
    page.page.locator(".viewer").focus()
    page.page.keyboard.press("Home")
    page.page.wait_for_timeout(400)
    assert ct.inner_text() == ""  # the first coronal plane is there already
    proxy.release()
    _ready(page.page, GOOD)
    assert (page.errors, page.dialogs) == ([], [])


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_server_error_is_one_sentence(new_page: Callable[..., Watched], language: str) -> None:
    page = new_page()
    texts = _EN if language == "en" else _ZH
    page.page.route("**/volume/ct", lambda route: route.fulfill(status=500, body="<h1>Internal Server Error</h1>"))
    page.open("Review", case=GOOD, language=language)
    assert _said(page) == f"{texts['failed']} {texts['again']}"
    assert page.page.locator(".pane[data-kind=ct] .note").inner_text() == texts["not_loaded"]
    shown = page.page.locator(".viewer").inner_text()
    if language == "zh":
        assert not re.search(r"[A-Za-z]{3,} [a-z]{2,} [a-z]{2,}", shown), shown
    page.page.unroute("**/volume/ct")
    page.page.get_by_role("button", name=texts["again"]).click()
    _ready(page.page, GOOD)
    _only_the_network_failed(page)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_leave_that_has_run_out_asks_for_a_reload(new_page: Callable[..., Watched], language: str) -> None:
    page = new_page()
    texts = _EN if language == "en" else _ZH
    forged = lambda route: route.continue_(headers={**route.request.headers, "x-case-token": "1.UjAx.0"})  # noqa: E731
    page.page.route("**/api/case/**", forged)
    page.open("Review", case=GOOD, language=language)
    assert _said(page) == f"{texts['expired']} {texts['reload']}"
    page.page.unroute("**/api/case/**")
    page.page.get_by_role("button", name=texts["reload"]).click()
    _ready(page.page, GOOD)
    _only_the_network_failed(page)


def test_images_deleted_from_the_disk_are_one_sentence(app: RunningApp, page: Watched) -> None:
    gone = "The prepared images of this case are missing or damaged. Import the case again; ratings stay."
    page.page.route("**/volume/*", lambda route: route.abort())
    page.open("Review", case=LOST)
    _said(page)
    start = str(page.page.locator(".viewer").evaluate("f => f.viewer.data.source.key")).rpartition("@")[2]
    [folder] = Settings(home=app.home, workers=1).prepared.glob(f"*/{start}*")
    shutil.rmtree(folder)
    page.page.unroute("**/volume/*")
    page.page.get_by_role("button", name=_EN["again"]).click()
    page.page.locator(".viewer .message", has_text=gone).wait_for()
    _goes_on(page.page)
    _choose(page.page, LOST)
    page.page.get_by_test_id("stAlert").get_by_text("missing or damaged").wait_for()
    _choose(page.page, GOOD)
    _ready(page.page, GOOD)
    _only_the_network_failed(page)


@pytest.fixture
def plain_browser(_browser: Any) -> Iterator[Any]:
    """Start a browser that has no WebGL."""
    flags = ("--disable-webgl", "--disable-webgl2", "--disable-3d-apis")
    browser = _browser.browser_type.launch(executable_path=find_chromium(), args=[*launch_arguments(), *flags])
    yield browser
    browser.close()


def test_without_webgl_nothing_changes(app: RunningApp, plain_browser: Any) -> None:
    page = plain_browser.new_page(viewport={"width": 1600, "height": 950})
    page.goto(f"{app.url}/Review?language=en&view=reading&reader=R01&case={GOOD}")
    _ready(page, GOOD)
    assert page.evaluate("() => document.createElement('canvas').getContext('webgl')") is None
    page.locator(".viewer").evaluate(_FIRST_PICTURES)
    assert all(high - low > 30 for low, high in _panes(page).values())


def test_without_a_canvas_there_is_one_sentence(new_page: Callable[..., Watched]) -> None:
    page = new_page()
    page.page.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page.open("Review", case=GOOD)
    message = page.page.locator(".viewer .message")
    message.get_by_text(_EN["no_canvas"]).wait_for()
    page.page.locator(".viewer").focus()
    for key in ("ArrowDown", "?", "g"):
        page.page.keyboard.press(key)
    page.page.locator(".viewer .panes").hover()
    page.page.mouse.wheel(0, 100)
    _choose(page.page, OTHER)
    page.page.wait_for_url(f"**case={OTHER}**")
    assert message.inner_text() == _EN["no_canvas"]
    page.quiet()


@pytest.mark.parametrize(
    "refusal",
    [
        "delete globalThis.Worker",
        "globalThis.Worker = class { constructor() { throw new DOMException('no', 'SecurityError'); } }",
        "globalThis.Worker = class { constructor() { setTimeout(() => this.onerror(new Event('error')), 20); } "
        "postMessage() {} terminate() {} }",
    ],
)
def test_without_a_worker_only_the_mip_is_missing(new_page: Callable[..., Watched], refusal: str) -> None:
    page = new_page()
    page.page.add_init_script(refusal)
    page.open("Review", case=GOOD)
    _ready(page.page, GOOD)
    page.page.locator(".pane[data-kind=mip] .note").get_by_text(_EN["no_mip"]).wait_for()
    assert all(high - low > 30 for kind, (low, high) in _panes(page.page).items() if kind != "mip")
    page.page.locator(".viewer").focus()
    for key in (">", "m", "t", "t"):
        page.page.keyboard.press(key)
    _goes_on(page.page)
    page.quiet()


def test_a_phone_shows_and_scrolls(new_page: Callable[..., Watched]) -> None:
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, device_scale_factor=3)
    tab = page.page
    tab.goto(f"{page.base}/Review?language=en&view=reading&reader=R01&case={GOOD}")
    _ready(tab, GOOD)
    tab.locator(".viewer").evaluate(_FIRST_PICTURES)
    assert all(high - low > 30 for low, high in _panes(tab).values())
    assert tab.evaluate("() => document.documentElement.scrollWidth <= innerWidth + 1")
    pane = tab.locator(".pane[data-kind=pet]")
    pane.scroll_into_view_if_needed()
    box = pane.bounding_box()
    before = tab.locator(".viewer").evaluate("f => f.viewer.state.slice()")
    session = tab.context.new_cdp_session(tab)
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for n in range(1, 9):
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y + 8 * n}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    assert tab.locator(".viewer").evaluate("f => f.viewer.state.slice()") == before + 4  # 64 px, 14 px a slice
    page.quiet()


def test_a_very_slow_processor_still_shows_and_scrolls(new_page: Callable[..., Watched]) -> None:
    page = new_page()
    session = page.page.context.new_cdp_session(page.page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    page.open("Review", case=GOOD)
    _ready(page.page, GOOD)
    _goes_on(page.page)
    page.quiet()
