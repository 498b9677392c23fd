"""A Dask cluster that prepares cases instead of this machine's processes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pet2rep_core.errors import MissingDependencyError, SettingsError
from pet2rep_core.workflow.import_dataset import Backend

_CONNECT_S = "15s"
WORKER_WAIT_S = 60.0
"""How long a cluster may take to start its first worker."""

_SCHEDULER_HINT = "Give the address that the scheduler printed, such as tcp://host:8786, and see that it runs."


@contextlib.contextmanager
def connected(address: str | None) -> Iterator[Backend]:
    """Connect to a Dask scheduler for the length of a block and return the joblib backend to use.

    Without an address it is this machine's processes. joblib takes the newest client of this process.

    Raises
    ------
    MissingDependencyError
        If distributed is not installed.
    SettingsError
        If the scheduler cannot be reached or has no workers.
    """
    if address is None:
        yield "loky"
        return
    try:
        from distributed import Client  # noqa: PLC0415 - optional, and slow to import
    except ImportError as error:
        raise MissingDependencyError("Importing on a Dask cluster", "pip install 'pet2rep-review[dask]'") from error
    try:
        client = Client(address, timeout=_CONNECT_S)
    except (OSError, ValueError, TimeoutError) as error:
        raise SettingsError(f"There is no Dask scheduler at {address!r}.", hint=_SCHEDULER_HINT) from error
    with client:
        try:
            # a task, not a count of workers: a cluster that grows on demand starts none before it has one
            client.submit(int, pure=False).result(timeout=WORKER_WAIT_S)
        except TimeoutError as error:
            raise SettingsError(
                f"The Dask cluster at {address!r} has no workers.", hint="Start workers, then import again."
            ) from error
        yield "dask"
