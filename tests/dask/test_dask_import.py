"""Importing on a real Dask cluster of two worker processes gives what importing here gives."""

import subprocess
import sys
import time

import pytest

from pet2rep_core.cli.main import main
from pet2rep_core.settings import Settings
from pet2rep_core.store import open_store
from tests.layout_files import build_dicom
from tests.study_files import build_study, import_all, keys, run_json

distributed = pytest.importorskip("distributed", reason="the Dask cluster is an optional part: pip install '.[dask]'")

# Warnings of Dask's own threads and sockets at its end are not ours to answer for.
pytestmark = pytest.mark.filterwarnings("default")

START_S = 120
"""How long a busy machine may take to start the cluster."""


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """A scheduler and two workers, started as an administrator does; gives the scheduler's address."""
    folder = tmp_path_factory.mktemp("cluster")
    said = folder / "scheduler.json"
    common = ["--scheduler-file", str(said), "--no-dashboard"]
    log = (folder / "cluster.log").open("wb")
    commands = [
        ["scheduler", "--host", "127.0.0.1", "--port", "0", *common],
        *[["worker", "--host", "127.0.0.1", "--no-nanny", "--nthreads", "1", *common]] * 2,
    ]
    processes = [
        subprocess.Popen([sys.executable, "-m", "dask", *command], cwd=folder, stdout=log, stderr=log)
        for command in commands
    ]
    try:
        deadline = time.monotonic() + START_S
        while not said.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        with distributed.Client(scheduler_file=str(said), timeout=START_S, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=START_S)
            address = client.scheduler.address
        yield address
    finally:
        for process in processes:
            process.kill()  # a worker that is asked to end waits for a scheduler that may be gone already
            process.wait()
        log.close()


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PET2REP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PET2REP_WORKERS", "1")
    return tmp_path / "home"


@pytest.mark.parametrize("build", [build_study, build_dicom])
def test_the_cluster_gives_the_same_cases(cluster, home, tmp_path, capsys, build):
    root = build(tmp_path / "set")
    status, said = run_json(capsys, "import", root, "--dask", cluster)
    assert status == 0
    assert {one["status"] for one in said["outcomes"]} == {"new"}
    store, here = open_store(Settings(home, 1)), Settings(tmp_path / "here", 1)
    beside = open_store(here)
    import_all(root, here, beside)
    assert keys(store) == keys(beside) != {}
    assert store.verify() == []
    store.close()
    beside.close()
    again = run_json(capsys, "import", root, "--dask", cluster)[1]
    assert {one["status"] for one in again["outcomes"]} == {"unchanged"}


def test_the_workers_did_it(cluster, home, tmp_path):
    """The scheduler saw tasks of ours, and a failure on a worker comes back as its sentence."""
    root = build_study(tmp_path / "set")
    (root / "b.png").write_bytes(b"no picture")
    with distributed.Client(cluster, set_as_default=False) as client:
        before = sum(client.run(lambda dask_worker: dask_worker.state.executed_count).values())
        assert main(["import", str(root), "--dask", cluster]) == 1
        after = sum(client.run(lambda dask_worker: dask_worker.state.executed_count).values())
    assert after - before == 3 + 1  # and the one that asks whether there is a worker


def test_a_cluster_without_workers_is_said(home, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("pet2rep_core.cli.cluster.WORKER_WAIT_S", 0.3)
    with distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=":0", silence_logs=50) as empty:
        assert main(["import", str(build_study(tmp_path / "set")), "--dask", empty.scheduler_address]) == 2
    assert "has no workers." in capsys.readouterr().err
