"""A process in which readers of a study draft and submit until it is killed; it says what was confirmed.

Run as ``python -m tests.crash.study_writer HOME ROUND``; the study is the newest of the store.
"""

import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

from pet2rep_core.workflow.study_read import EmptyDesk, keep_draft, list_items, open_desk, submit
from pet2rep_core.workflow.study_watch import remind
from tests.crash.samples import opened
from tests.crash.writer import checkpoint, say
from tests.reader_study import KEYS, READERS, RESEARCHER, click, person


def read(store, study_id, reader, name):
    """Draft twice and submit, one item after the other; with none left, change the submitted ones in turn."""
    who = person(reader)
    for turn in range(10**6):
        desk = open_desk(store, who, study_id)
        if isinstance(desk, EmptyDesk):
            codes = [one.code for one in list_items(store, who, study_id)]
            desk = open_desk(store, who, study_id, code=codes[turn % len(codes)])
        for part in (2, 5):
            mark = f"{name}-{turn}-{part}"
            draft = replace(desk.draft, answers=dict.fromkeys(KEYS[:part], 1 + turn % 5), comment=mark)
            number = keep_draft(store, who, study_id, desk.code, draft)
            say("drafted", desk.code, desk.stage.value, number, mark)
        event_id = click()
        done = submit(
            store, who, study_id, desk.code, replace(draft, comment=event_id * (1 + turn % 7)), event_id=event_id,
            reason=event_id if desk.draft.revision else "",
        )  # fmt: skip
        say("submitted", event_id, desk.code, done.stage.value, done.revision, reader)


def watch(store, study_id):
    while True:
        event_id = click()
        remind(store, RESEARCHER, study_id, READERS[0], event_id=event_id)
        say("reminded", event_id)
        time.sleep(0.05)


def main(home, name):
    store = opened(home)
    study_id = store.studies.study_ids()[0]
    jobs = [(read, (store, study_id, reader, name)) for reader in READERS]
    jobs += [(watch, (store, study_id)), (checkpoint, (store,))]
    say("ready")
    threads = [threading.Thread(target=job, args=arguments) for job, arguments in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
