"""Handing out whole-body cases: packing PET and CT with igzip against zlib, and a server asked by 1 and 8 clients.

Run as ``python -m benchmarks.serve_volumes``. The case is one of the demo study on grids of clinical size (PET
200 x 200 x 350 of 4.07 x 4.07 x 3 mm, CT 512 x 512 x 350) with noise added to the CT; the ACRIN study comes
second where PET2REP_REAL_DATA names its folder. The server is uvicorn with the app's own routes behind
Streamlit's compression, in a process of its own on the same processors as the clients, which read and do not
unpack. Its own memory is told apart from the mapped files, which the system takes back when it needs to, and
which it counts once for every request that maps them.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.measure import PROJECT, Side, answer_side, in_turns, print_table

GOAL = 0.4
CASE, READER = "bench", "R01"
CLIENTS, SECONDS = (1, 8), 10.0
_NOISE_HU = 10.0
_START_S = 60.0


def packed(arguments: Sequence[str]) -> Callable[[], object]:
    """Arguments: folder, key. Packs both volumes, chunk by chunk, keeping none."""
    from pet2rep_core.imaging.keyslices import body_box
    from pet2rep_core.imaging.packed import pack_volume, plan_volume
    from pet2rep_core.imaging.planes import shown_ct
    from pet2rep_core.imaging.prepared import open_prepared

    def work() -> object:
        images = open_prepared(Path(arguments[0]), arguments[1])
        assert images.grid is not None
        box = body_box(images.ct, images.pet)
        sizes: list[int] = []
        for name, volume in (("pet", images.pet), ("ct", shown_ct(images.pet, images.ct, images.ct_fine))):
            assert volume is not None
            plan = plan_volume(name, volume, images.grid, box)  # type: ignore[arg-type]
            sizes.append(sum(len(chunk) for chunk in pack_volume(volume, plan)))
        return sizes

    return work


def packed_by_zlib(arguments: Sequence[str]) -> Callable[[], object]:
    """The same, with the compressor of the standard library at its fastest."""
    from pet2rep_core.imaging import packed as packing

    packing.isal_zlib = zlib  # type: ignore[attr-defined]  # both take level, method and window the same way
    return packed(arguments)


SIDES: dict[str, Side] = {"igzip": packed, "zlib, level 1": packed_by_zlib}


def write_phantom(home: Path) -> str:
    """Record a demo case on clinical grids in a store of its own and return its key."""
    import numpy as np
    import SimpleITK as sitk

    from pet2rep_core.datasets.phantom import make_demo_case
    from pet2rep_core.imaging.volume import Volume, volume_from_sitk, volume_to_sitk
    from pet2rep_core.records import PetUnit, SuvFactors

    demo = make_demo_case("demo-01")

    def on(volume: Volume, size: int, spacing: float, outside: float) -> Volume:
        image = volume_to_sitk(volume)
        middle = image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])
        half = [(n - 1) / 2 * step for n, step in zip((size, size, 350), (spacing, spacing, 3.0), strict=True)]
        origin = [place - reach for place, reach in zip(middle, half, strict=True)]
        grid = ((size, size, 350), sitk.Transform(), sitk.sitkLinear, origin, (spacing, spacing, 3.0))
        return volume_from_sitk(sitk.Resample(image, *grid, image.GetDirection(), outside))

    smooth = on(demo.ct, 512, 500 / 512, -1000)
    noise = np.random.default_rng(1).normal(0, _NOISE_HU, smooth.values.shape[:2])
    values = np.rint(smooth.values + noise[:, :, None]).clip(-1024, 3000).astype(np.int16)
    ct = Volume(values, smooth.affine_lps)
    pet = on(demo.pet, 200, 4.07, 0)
    return _record(home, pet=pet, pet_unit=PetUnit.SUVBW, suv=SuvFactors(bw=1.0), ct=ct)


def write_real(home: Path, folder: Path) -> str:
    """Record the ACRIN study in a store of its own and return its key."""
    from pet2rep_core.datasets.layouts import scan_dataset
    from pet2rep_core.datasets.load import load_case

    (source,) = scan_dataset(folder).cases
    case = load_case(source)
    return _record(home, pet=case.pet, pet_unit=case.pet_unit, suv=case.suv, ct=case.ct)


def _record(home: Path, **volumes: object) -> str:
    from pet2rep_core.imaging.prepared import prepare_case
    from pet2rep_core.settings import Settings
    from pet2rep_core.store import CaseRow, open_store
    from pet2rep_core.workflow.import_dataset import Preparation, record_preparation

    settings = Settings(home=home, workers=1)
    home.mkdir(parents=True)
    key = prepare_case(settings.prepared, **volumes)  # type: ignore[arg-type]
    row = CaseRow(
        case_id=CASE, dataset="bench", layout="bench", prepared_key=key, source_sha256=key, metadata={}, suv={}
    )
    store = open_store(settings)
    record_preparation(Preparation(row, (), CASE), store)
    store.close()
    return key


def serve(port: int) -> None:
    """Serve the app's routes; the first line that is printed is leave for the case."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from streamlit.web.server.starlette.starlette_gzip_middleware import SelectiveGZipMiddleware

    from pet2rep_core.ui.routes import ROUTES, SecurityHeaders
    from pet2rep_core.ui.server import server

    print(server().signer.sign(CASE, READER), flush=True)
    app = Starlette(routes=ROUTES, middleware=[Middleware(SecurityHeaders), Middleware(SelectiveGZipMiddleware)])
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")


@contextmanager
def running(home: Path) -> Iterator[tuple[int, int, str]]:
    """Start the server; gives its port, its process and leave for the case."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "benchmarks.serve_volumes", "--serve", str(port)]
    env = os.environ | {"PET2REP_HOME": str(home), "PET2REP_DEMO": "0"}
    process = subprocess.Popen(command, cwd=PROJECT, env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        token = process.stdout.readline().strip()
        deadline = time.monotonic() + _START_S
        while not _answers(port):
            if time.monotonic() > deadline or process.poll() is not None:
                raise SystemExit("The server did not start.")
            time.sleep(0.1)
        yield port, process.pid, token
    finally:
        process.terminate()
        process.wait(30)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def fetch(port: int, token: str, name: str) -> int:
    """Fetch one volume and return how many bytes came."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"X-Case-Token": token, "Accept-Encoding": "gzip"}
    connection.request("GET", f"/api/case/{CASE}/volume/{name}", headers=headers)
    answer = connection.getresponse()
    if answer.status != 200:
        raise SystemExit(f"The server answered {answer.status}.")
    size = 0
    while part := answer.read(2**18):
        size += len(part)
    connection.close()
    return size


def fetch_for(port: int, token: str, clients: int, seconds: float, process: int) -> tuple[int, float, float]:
    """Let clients fetch the case again and again.

    Returns how many cases came in how many seconds, and the server's own memory at its largest, in MiB.
    """
    counts = [0] * clients
    began = time.perf_counter()

    def client(n: int) -> None:
        while time.perf_counter() - began < seconds:
            for name in ("pet", "ct"):
                fetch(port, token, name)
            counts[n] += 1

    threads = [threading.Thread(target=client, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    largest = 0.0
    while any(thread.is_alive() for thread in threads):
        largest = max(largest, memory_mib(process)[0])
        time.sleep(0.05)
    return sum(counts), time.perf_counter() - began, largest


def memory_mib(process: int) -> tuple[float, float]:
    """Return own memory and mapped files of a process, in MiB; zero but on Linux."""
    status = Path(f"/proc/{process}/status")
    if not status.exists():
        return 0.0, 0.0
    rows = dict(line.split(":", 1) for line in status.read_text().splitlines())
    own, mapped = (int(rows[name].split()[0]) / 1024 for name in ("RssAnon", "RssFile"))
    return own, mapped


def report(name: str, home: Path, key: str) -> float:
    """Print everything about one case and return the ratio of the packers."""
    print(f"== {name}")
    costs = in_turns("benchmarks.serve_volumes", {side: [str(home / "prepared"), key] for side in SIDES})
    print_table(costs)
    igzip, plain = SIDES
    ratio = costs[igzip].seconds / costs[plain].seconds
    with running(home) as (port, process, token):
        print(f"server at its start: {memory_mib(process)[0]:.0f} MiB of its own")
        began = time.perf_counter()
        pet = fetch(port, token, "pet")
        middle = time.perf_counter()
        ct = fetch(port, token, "ct")
        after = time.perf_counter()
        print(f"sent: PET {pet / 1e6:.1f} MB in {middle - began:.2f} s, CT {ct / 1e6:.1f} MB in {after - middle:.2f} s")
        for clients in CLIENTS:
            own, mapped = memory_mib(process)
            count, seconds, largest = fetch_for(port, token, clients, SECONDS, process)
            own_after, mapped_after = memory_mib(process)
            print(f"{clients} clients: {count / seconds * 60:.0f} cases a minute")
            print(f"  own memory before {own:.0f}, at most {largest:.0f}, after {own_after:.0f} MiB")
            print(f"  mapped files before {mapped:.0f}, after {mapped_after:.0f} MiB")
    return ratio


def main() -> int:
    if answer_side(SIDES):
        return 0
    if sys.argv[1:2] == ["--serve"]:
        serve(int(sys.argv[2]))
        return 0
    print(f"{os.cpu_count()} processors")
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "phantom"
        ratio = report("phantom, 200 x 200 x 350 and 512 x 512 x 350", home, write_phantom(home))
        real = os.environ.get("PET2REP_REAL_DATA")
        if real:
            home = Path(folder) / "real"
            report("ACRIN study", home, write_real(home, Path(real) / "acrin042_dicom"))
    print(f"ratio igzip to zlib {ratio:.2f} (goal: at most {GOAL})")
    return 0 if ratio <= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
