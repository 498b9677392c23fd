"""A process whose files may not grow beyond a limit for a while; it prints what was confirmed and what failed.

Run as ``python -m tests.crash.full_disk HOME FILE ROOM``: FILE may grow by ROOM bytes more.
"""

import json
import resource
import signal
import sys
from pathlib import Path

from pet2rep_core.errors import StoreError
from tests.crash.samples import opened, rate


def main(home, name, room):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = opened(home)
    confirmed, errors = [], []

    def save(count):
        for _ in range(count):
            latest = store.rating("gen-1", "R01")
            base = latest.revision if latest else 0
            try:
                confirmed.append(rate(store, base=base, comment=f"{base + 1}").event_id)
            except StoreError as error:
                errors.append([error.message, error.hint])

    save(3)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((home / name).stat().st_size + room, hard))
    save(15)
    try:
        store._database.checkpoint()
    except StoreError as error:
        errors.append([error.message, error.hint])
    save(3)
    failed = len(errors)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    save(3)
    problems = store.verify()
    store.close()
    print(json.dumps([confirmed, errors[:failed], errors[failed:], problems]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
