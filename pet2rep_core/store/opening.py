"""Opening the store, or handing over where it is open already."""

from __future__ import annotations

from pathlib import Path

from pet2rep_core.errors import StoreLockedError
from pet2rep_core.settings import Settings
from pet2rep_core.store.driver import MIN_FREE_BYTES
from pet2rep_core.store.inbox import InboxRecorder
from pet2rep_core.store.recorder import Recorder
from pet2rep_core.store.schema import MIGRATIONS
from pet2rep_core.store.store import Store


def open_store(settings: Settings, *, min_free_bytes: int | None = None, migrations: Path = MIGRATIONS) -> Store:
    """Open the store of this installation, making or updating it where needed. One per process.

    Raises
    ------
    StoreLockedError
        If another process has it open.
    SchemaVersionError
        If it belongs to another version of this program.
    StoreError
        If it cannot be opened.
    """
    room = MIN_FREE_BYTES if min_free_bytes is None else min_free_bytes
    return Store(settings, min_free_bytes=room, migrations=migrations)


def open_or_hand_over(settings: Settings) -> Recorder:
    """Return a recorder for the command line: the store where it is free, else the inbox of the app."""
    try:
        store = open_store(settings)
    except StoreLockedError:
        return InboxRecorder(settings)
    store.ingest_inbox()
    return store
