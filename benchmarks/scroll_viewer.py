"""Scrolling through a whole-body case in the browser, and opening it; against a picture from the server per slice.

Run as ``python -m benchmarks.scroll_viewer [HOME]``; a home that is named is kept and used again. Chromium runs
headless and draws in software, on the same processors as the app. The case is the phantom of
:mod:`benchmarks.serve_volumes` (PET 200 x 200 x 350 of 4.07 x 4.07 x 3 mm, CT 512 x 512 x 350).

A step takes from the wheel's event to the end of the browser's work on the frame that shows the slice. The earlier
way asks the server for the PNG of each coronal plane and decodes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measure import PROJECT
from benchmarks.serve_volumes import CASE, write_phantom

STEPS, SPIN_S, READERS, CASES = 120, 3.0, 40, 8
MEDIAN_MS, P95_MS, FIRST_S, WHOLE_S = 20.0, 33.0, 1.0, 3.0
PLANES = ("coronal", "axial", "sagittal")
_SIZE = {"width": 1920, "height": 1080}
_OPENED_MS = 120_000

# Marks every drawn frame: when the browser had finished it, and what of the case it could show.
_WATCH = """frame => {
  const { viewer } = frame;
  const marks = globalThis.drawn = [];
  const channel = new MessageChannel();
  const waiting = [];
  channel.port1.onmessage = () => {
    const mark = waiting.shift();
    mark.painted = performance.now();
    marks.push(mark);
    globalThis.onDrawn?.(mark);
  };
  const draw = viewer.draw;
  viewer.draw = function (resting) {
    const frames = viewer.frames;
    draw.call(viewer, resting);
    if (viewer.frames === frames || !viewer.volumes.pet) return;
    const { pet, ct } = viewer.volumes;
    const [first] = viewer.state.box[1];
    const plane = viewer.state.slice('coronal');
    const has = volume => Boolean(volume) && volume.ready > volume.at(plane, 1);
    waiting.push({ key: viewer.data.source.key, slice: viewer.state.slice(), ms: viewer.drawMs,
      pet: has(pet), ct: has(ct), whole: resting && viewer.whole() });
    channel.port2.postMessage(0);
  };
  addEventListener('pointerdown', event => { globalThis.clicked = event.timeStamp; }, { capture: true, passive: true });
}"""
# Turns the wheel one notch at a time: each when the frame before is done.
_STEP = """async (pane, count) => {
  const { viewer } = pane.closest('.viewer');
  const plane = pane.dataset.plane;
  const taken = [];
  let by = 1;
  for (let n = 0; n < count; n += 1) {
    const at = viewer.state.slice(plane);
    by = at <= 0 ? 1 : at >= viewer.state.count(plane) - 1 ? -1 : by;
    const before = viewer.frames;
    const began = performance.now();
    const drawn = new Promise(resolve => { globalThis.onDrawn = resolve; });
    pane.dispatchEvent(new WheelEvent('wheel', { deltaY: 100 * by, bubbles: true, cancelable: true }));
    const mark = await drawn;
    taken.push([mark.painted - began, mark.ms, viewer.frames - before === 1 && mark.slice === at + by]);
  }
  globalThis.onDrawn = null;
  return taken;
}"""
# Turns the wheel at every frame for some seconds, back and forth through the volume.
_SPIN = """async (pane, seconds) => {
  const { viewer } = pane.closest('.viewer');
  const plane = pane.dataset.plane;
  const before = viewer.frames;
  const began = performance.now();
  let by = 1;
  while (performance.now() - began < 1000 * seconds) {
    const at = viewer.state.slice(plane);
    by = at <= 0 ? 1 : at >= viewer.state.count(plane) - 1 ? -1 : by;
    pane.dispatchEvent(new WheelEvent('wheel', { deltaY: 100 * by, bubbles: true, cancelable: true }));
    await new Promise(resolve => requestAnimationFrame(resolve));
  }
  return (viewer.frames - before) / (performance.now() - began) * 1000;
}"""
_PICTURES = """async (frame, count) => {
  const { api, token } = frame.viewer.data.source;
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d');
  const [first, end] = frame.viewer.state.box[1];
  const taken = [];
  for (let n = 0; n < count; n += 1) {
    const began = performance.now();
    const answer = await fetch(`${api}/coronal/${first + n % (end - first)}.png?token=${encodeURIComponent(token)}`);
    const picture = await createImageBitmap(await answer.blob());
    [canvas.width, canvas.height] = [picture.width, picture.height];
    context.drawImage(picture, 0, 0);
    taken.push(performance.now() - began);
  }
  return taken;
}"""


class Wire:
    """Counts what a page gets and sends: HTTP answers and websocket frames, in bytes."""

    def __init__(self, session: Any) -> None:
        self.bytes = 0
        session.on("Network.dataReceived", lambda said: self._add(said["encodedDataLength"]))
        for way in ("Received", "Sent"):
            session.on(f"Network.webSocketFrame{way}", lambda said: self._add(len(said["response"]["payloadData"])))
        session.send("Network.enable")

    def _add(self, size: float) -> None:
        self.bytes += int(size)


def write_cases(home: Path) -> None:
    """Record the phantom as several cases of the same voxels, each prepared under a key of its own."""
    from pet2rep_core.settings import Settings
    from pet2rep_core.store import CaseRow, open_store
    from pet2rep_core.workflow.import_dataset import Preparation, record_preparation

    key = write_phantom(home)
    settings = Settings(home=home, workers=1)
    store = open_store(settings)
    for n in range(1, CASES):
        other = _copy(settings.prepared, key, n)
        row = CaseRow(
            case_id=f"{CASE}-{n}", dataset="bench", layout="bench", prepared_key=other, source_sha256=other,
            metadata={}, suv={},
        )  # fmt: skip
        record_preparation(Preparation(row, (), row.case_id), store)
    store.close()


def _copy(prepared: Path, key: str, n: int) -> str:
    """Prepare a case again with another warning; the volumes are links to the same files."""
    source = prepared / key[:2] / key
    index = json.loads((source / "case.json").read_text(encoding="utf-8"))
    index["warnings"] = [f"Copy {n}."]
    text = json.dumps(index, sort_keys=True, ensure_ascii=False, indent=1)
    other = hashlib.sha256(text.encode("utf-8")).hexdigest()
    target = prepared / other[:2] / other
    target.mkdir(parents=True)
    for path in source.glob("*.npy"):
        os.link(path, target / path.name)
    (target / "case.json").write_text(text, encoding="utf-8")
    sizes = {path.name: path.stat().st_size for path in target.iterdir()}
    (target / "sizes.json").write_text(json.dumps(sizes), encoding="utf-8")
    return other


def cpu_s(process: int) -> float:
    """Return the processor seconds that a process has used; zero but on Linux."""
    stat = Path(f"/proc/{process}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(session: Any) -> float:
    """Return the memory of the browser's page processes together, in MiB; zero but on Linux."""
    total = 0.0
    for process in session.send("SystemInfo.getProcessInfo")["processInfo"]:
        status = Path(f"/proc/{process['id']}/status")
        if process["type"] == "renderer" and status.exists():
            rows = dict(line.split(":", 1) for line in status.read_text().splitlines())
            total += int(rows["RssAnon"].split()[0]) / 1024
    return total


def address(url: str, case: str) -> str:
    return f"{url}/Review?language=en&view=reading&reader=R01&case={case}"


def watch(page: Any) -> Any:
    """Wait until a case is whole, and watch its viewer from then on."""
    frame = page.locator(".viewer[data-ready]")
    frame.wait_for(timeout=_OPENED_MS)
    frame.evaluate(_WATCH)
    return page.locator(".viewer")


def choose(page: Any, case: str) -> dict[str, float]:
    """Choose another case, and return how many seconds after the click what was there."""
    page.evaluate("() => { drawn.length = 0; }")
    page.get_by_role("combobox", name="Case", exact=True).click()
    page.get_by_role("option", name=f"{case} · bench", exact=True).click()
    page.wait_for_function(f"() => drawn.some(m => m.whole && m.key.startsWith('{case}@'))", timeout=_OPENED_MS)
    return dict(
        page.evaluate(
            """case_id => { const marks = drawn.filter(m => m.key.startsWith(`${case_id}@`));
            const at = what => (marks.find(what).painted - clicked) / 1000;
            return { PET: at(m => m.pet), fused: at(m => m.pet && m.ct), whole: at(m => m.whole) }; }""",
            case,
        )
    )


def quantile(values: Sequence[float], part: float) -> float:
    ordered = sorted(values)
    return ordered[min(round(part * (len(ordered) - 1)), len(ordered) - 1)]


def scroll(pane: Any) -> tuple[list[float], list[float], int]:
    """Turn the wheel step by step; returns ms of every step and of its drawing, and how many drew one new frame."""
    rows = pane.evaluate(_STEP, STEPS)
    return [row[0] for row in rows], [row[1] for row in rows], sum(row[2] for row in rows)


@contextmanager
def readers(url: str, count: int) -> Iterator[None]:
    """Keep sessions open as tabs of readers do."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from websockets.sync.client import connect

    first = BackMsg()
    first.rerun_script.query_string = address(url, CASE).partition("?")[2]
    first.rerun_script.page_name = "Review"
    place = f"{url.replace('http', 'ws')}/_stcore/stream"
    sockets = [connect(place, subprotocols=["streamlit"], origin=url, max_size=None) for _ in range(count)]  # type: ignore[list-item, arg-type]
    threads = [threading.Thread(target=lambda s=s: list(s), daemon=True) for s in sockets]
    for thread, socket in zip(threads, sockets, strict=True):
        thread.start()
        socket.send(first.SerializeToString())
    try:
        yield
    finally:
        for socket in sockets:
            socket.close()


def settle(process: int) -> None:
    """Wait until the server is idle."""
    for _ in range(60):
        before = cpu_s(process)
        time.sleep(1.0)
        if cpu_s(process) - before < 0.05:
            return


def report_scrolling(page: Any, wire: Wire, process: int) -> bool:
    """Print every way of scrolling; tells whether the goals are met."""
    good = True
    for layout, plane in (*(("4-up", plane) for plane in PLANES), *(("1-up", plane) for plane in PLANES)):
        page.get_by_role("button", name=layout, exact=True).click()
        page.get_by_role("button", name=plane.capitalize(), exact=True).click()
        pane = page.locator(f".pane[data-kind=fused][data-plane={plane}]")
        page.wait_for_timeout(1500)
        size = pane.evaluate("pane => pane.querySelector('canvas').getBoundingClientRect().toJSON()")
        before, cpu = wire.bytes, cpu_s(process)
        steps, drawing, frames = scroll(pane)
        rate = pane.evaluate(_SPIN, SPIN_S)
        sent, cpu = wire.bytes - before, cpu_s(process) - cpu
        median, late = statistics.median(steps), quantile(steps, 0.95)
        good &= median <= MEDIAN_MS and late <= P95_MS and frames == STEPS and sent == 0
        own = f"drawing {statistics.median(drawing):.1f} / {quantile(drawing, 0.95):.1f}"
        print(
            f"{layout} {plane:9} {size['width']:.0f} x {size['height']:.0f}: {frames}/{STEPS} frames, "
            f"step median {median:.1f} ms, p95 {late:.1f} ms ({own}), free {rate:.0f} frames/s, "
            f"{sent} bytes, server {cpu:.2f} CPU s"
        )
    return good


def report_opening(page: Any, wire: Wire) -> bool:
    """Print how long cases take to open: one that nobody asked for, and the one that was fetched before."""
    good = True
    for case, how in ((f"{CASE}-2", "not fetched"), (f"{CASE}-3", "fetched before")):
        page.wait_for_load_state("networkidle")
        before = wire.bytes
        took = choose(page, case)
        sent = (wire.bytes - before) / 1e6
        page.wait_for_timeout(200)
        good &= took["PET"] <= FIRST_S and took["whole"] <= WHOLE_S
        said = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in took.items())
        print(f"opened, {how}: {said} after the click; {sent:.1f} MB until then")
        page.wait_for_timeout(6000)
    return good


def run(home: Path) -> int:
    from playwright.sync_api import sync_playwright

    from tests.browser.chromium import find_chromium, launch_arguments
    from tests.browser.server import start_app

    app = start_app(home, demo=False, cwd=PROJECT)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=launch_arguments())
            context = browser.new_context(viewport=_SIZE, locale="en-GB")
            page = context.new_page()
            wire = Wire(context.new_cdp_session(page))
            processes = browser.new_browser_cdp_session()
            page.goto(address(app.url, CASE))
            frame = watch(page)
            page.wait_for_timeout(6000)
            memory = memory_mib(processes)
            print(f"first case: {wire.bytes / 1e6:.1f} MB with the page and the next case, page {memory:.0f} MiB")
            opened = report_opening(page, wire)
            settle(app.process.pid)
            scrolled = report_scrolling(page, wire, app.process.pid)
            with readers(app.url, READERS):
                settle(app.process.pid)
                pane = page.locator(".pane[data-kind=fused]").first
                cpu, began = cpu_s(app.process.pid), time.perf_counter()
                page.wait_for_timeout(10_000)
                idle = (cpu_s(app.process.pid) - cpu) / (time.perf_counter() - began)
                cpu, began = cpu_s(app.process.pid), time.perf_counter()
                before = wire.bytes
                pane.evaluate(_SPIN, 10)
                busy = (cpu_s(app.process.pid) - cpu) / (time.perf_counter() - began)
                print(
                    f"{READERS} readers' sessions open: server {1000 * idle:.0f} ms CPU a second while nobody scrolls, "
                    f"{1000 * busy:.0f} while one does; {wire.bytes - before} bytes"
                )
            taken = frame.evaluate(_PICTURES, STEPS)
            page.get_by_role("button", name="4-up", exact=True).click()
            page.get_by_role("button", name="Coronal", exact=True).click()
            page.wait_for_timeout(500)
            steps, _, _ = scroll(page.locator(".pane[data-kind=fused]"))
            ratio = statistics.median(steps) / statistics.median(taken)
            print(
                f"a picture from the server per slice: median {statistics.median(taken):.0f} ms, "
                f"p95 {quantile(taken, 0.95):.0f} ms; ratio of a step to it {ratio:.2f}"
            )
            for n in range(4, CASES):
                choose(page, f"{CASE}-{n}")
                page.wait_for_timeout(3000)
                print(f"after {CASE}-{n}: page {memory_mib(processes):.0f} MiB")
            browser.close()
    finally:
        app.stop()
    return 0 if opened and scrolled else 1


def main() -> int:
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(sys.argv[1]) if sys.argv[1:] else Path(folder) / "home"
        if not home.exists():
            write_cases(home)
        return run(home)


if __name__ == "__main__":
    sys.exit(main())
