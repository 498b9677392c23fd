"""A run of a model in a process that is killed where the test wants: while asking, or between answer and store.

Run as ``python -m tests.crash.run_until_killed HOME URL PARALLEL [between]``.
"""

import os
import signal
import sys
from pathlib import Path

from pet2rep_core.imaging.display import read_display
from pet2rep_core.records import Person, Role
from pet2rep_core.settings import Settings
from pet2rep_core.store import open_store
from pet2rep_core.vlm.catalog import read_catalog
from pet2rep_core.workflow.answer_ledger import take_in_answers
from pet2rep_core.workflow.run_models import run_planned
from pet2rep_core.workflow.run_outcome import Workplace
from pet2rep_core.workflow.run_plan import RunChoices, pair_models, plan_run

MODEL = "qwen2.5-vl-7b"


def main(home: str, url: str, parallel: str, *where: str) -> None:
    settings = Settings(home=Path(home), workers=1)
    store = open_store(settings)
    take_in_answers(store, settings)  # as every run begins; here before the store is made to kill
    choices = RunChoices(base_url=url, parallel=int(parallel))
    plan = plan_run(
        store,
        pair_models(read_catalog(), [MODEL], ["fused"], base_url=url),
        [case.case_id for case in store.cases()],
        choices,
    )
    if where == ("between",):
        record = store.record_rows

        def die_before_the_store(kind, rows):
            if kind == "generations":
                os.kill(os.getpid(), signal.SIGKILL)
            return record(kind, rows)

        store.record_rows = die_before_the_store  # the answer is on the disk by then, and nowhere else
    place = Workplace(store, settings, read_display(), Person("R07", Role.RESEARCHER))
    for outcome in run_planned(place, plan, cancelled=lambda: False):
        os.write(1, f"{outcome.case_id} {outcome.status.value} {outcome.already}\n".encode())
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
