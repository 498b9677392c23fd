"""A process whose files may not grow beyond a limit for a while; it prints what was confirmed and what failed.

Run as ``python -m tests.crash.full_disk HOME FILE ROOM WHAT``: FILE may grow by ROOM bytes more, WHAT is saved: ratings
or studies.
"""

import json
import resource
import signal
import sys
from dataclasses import replace
from pathlib import Path

from pet2rep_core.errors import StoreError
from pet2rep_core.workflow.study_read import keep_draft, open_desk, submit
from tests.crash.samples import opened, rate
from tests.reader_study import KEYS, click, person


def save_rating(store):
    latest = store.rating("gen-1", "R01")
    base = latest.revision if latest else 0
    return rate(store, base=base, comment=f"{base + 1}").event_id


def save_answer(store):
    """Open, draft and submit an item of the newest study."""
    study_id = store.studies.study_ids()[0]
    desk = open_desk(store, person("R01"), study_id)
    draft = replace(desk.draft, answers=dict.fromkeys(KEYS, 3), comment="x" * 200)
    keep_draft(store, person("R01"), study_id, desk.code, draft)
    return submit(store, person("R01"), study_id, desk.code, draft, event_id=click()).event_id


def main(home, name, room, save_one):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = opened(home)
    confirmed, errors = [], []

    def save(count):
        for _ in range(count):
            try:
                confirmed.append(save_one(store))
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
    main(
        Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), {"ratings": save_rating, "studies": save_answer}[sys.argv[4]]
    )
