"""A process that saves, imports and checkpoints until it is killed; it says on standard output what was confirmed.

Run as ``python -m tests.crash.writer HOME ROUND``.
"""

import os
import sys
import threading
import time
from pathlib import Path

from pet2rep_core.store import hand_over
from pet2rep_core.store.rows import case_row
from tests.crash.samples import a_case, click, opened, rate, settings_in

READERS = 3


def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def read(store, reader):
    while True:
        latest = store.rating("gen-1", reader)
        base = latest.revision if latest else 0
        event_id = click()
        saved = rate(store, reader=reader, base=base, event_id=event_id, comment=event_id * (1 + base % 7))
        say("rated", event_id, reader, saved.revision)


def bring_in(store, home, prefix):
    for number in range(10**6):
        case_id = f"{prefix}-{number}"
        hand_over(settings_in(home), "cases", [case_row(a_case(case_id))])
        say("handed", case_id)
        store.ingest_inbox()


def checkpoint(store):
    while True:
        say("checkpoint-begins")
        store._database.checkpoint()
        say("checkpoint-ends")
        time.sleep(0.01)


def main(home, name):
    store = opened(home)
    jobs = [(read, (store, f"R{n}")) for n in range(READERS)]
    jobs += [(bring_in, (store, home, name)), (checkpoint, (store,))]
    say("ready")
    threads = [threading.Thread(target=job, args=arguments) for job, arguments in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
