"""Importing on a real Dask cluster of two worker processes gives what importing here gives."""

import warnings

import pytest

from pet2rep_core.cli.main import main
from pet2rep_core.settings import Settings
from pet2rep_core.store import open_store
from tests.layout_files import build_dicom
from tests.study_files import build_study, import_all, keys, run_json

distributed = pytest.importorskip("distributed", reason="the Dask cluster is an optional part: pip install '.[dask]'")

# Warnings of Dask's own threads and sockets at its end are not ours to answer for.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(scope="module")
def cluster():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with distributed.LocalCluster(
            processes=True, n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
        ) as running:
            yield running


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("PET2REP_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PET2REP_WORKERS", "1")
    return tmp_path / "home"


@pytest.mark.parametrize("build", [build_study, build_dicom])
def test_the_cluster_gives_the_same_cases(cluster, home, tmp_path, capsys, build):
    root = build(tmp_path / "set")
    status, said = run_json(capsys, "import", root, "--dask", cluster.scheduler_address)
    assert status == 0
    assert {one["status"] for one in said["outcomes"]} == {"new"}
    store, here = open_store(Settings(home, 1)), Settings(tmp_path / "here", 1)
    beside = open_store(here)
    import_all(root, here, beside)
    assert keys(store) == keys(beside) != {}
    assert store.verify() == []
    store.close()
    beside.close()
    again = run_json(capsys, "import", root, "--dask", cluster.scheduler_address)[1]
    assert {one["status"] for one in again["outcomes"]} == {"unchanged"}


def test_the_workers_did_it(cluster, home, tmp_path):
    """The scheduler saw tasks of ours, and a failure on a worker comes back as its sentence."""
    root = build_study(tmp_path / "set")
    (root / "b.png").write_bytes(b"no picture")
    with distributed.Client(cluster, set_as_default=False) as client:
        before = sum(client.run(lambda dask_worker: dask_worker.state.executed_count).values())
        assert main(["import", str(root), "--dask", cluster.scheduler_address]) == 1
        after = sum(client.run(lambda dask_worker: dask_worker.state.executed_count).values())
    assert after - before == 3 + 1  # and the one that asks whether there is a worker


def test_a_cluster_without_workers_is_said(home, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("pet2rep_core.cli.cluster.WORKER_WAIT_S", 0.3)
    with distributed.LocalCluster(n_workers=0, processes=False, dashboard_address=":0", silence_logs=50) as empty:
        assert main(["import", str(build_study(tmp_path / "set")), "--dask", empty.scheduler_address]) == 2
    assert "has no workers." in capsys.readouterr().err
