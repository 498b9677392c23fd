"""The store for commands that read what is in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from pet2rep_core.cli.output import note, one_line
from pet2rep_core.errors import StoreError, StoreLockedError
from pet2rep_core.settings import Settings
from pet2rep_core.store import Store, open_store


@contextlib.contextmanager
def own_store(settings: Settings) -> Iterator[Store]:
    """Open the store for one command, with everything that waits in the inbox taken in.

    Raises
    ------
    StoreLockedError
        If the app has it; this command cannot hand over.
    """
    try:
        store = open_store(settings)
    except StoreLockedError as error:
        raise StoreLockedError(
            "The app (or another command) has the store open.",
            hint="Do this on the app's page, or stop the app and try again.",
        ) from error
    with contextlib.closing(store):
        for file in store.ingest_inbox():
            if file.reason is not None:
                note(one_line(f"Results that were handed over earlier were refused: {file.reason}"))
        yield store


def require_case_ids(store: Store, names: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the named cases, or all.

    Raises
    ------
    UnknownNameError
        If a name is not in the store.
    StoreError
        If there is no case at all.
    """
    if names is not None:
        return tuple(store.case(name).case_id for name in dict.fromkeys(names))
    found = tuple(row.case_id for row in store.cases())
    if not found:
        raise StoreError("There are no cases yet.", hint="Import a dataset, or run: pet2rep demo")
    return found
