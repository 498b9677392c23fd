"""``pet2rep study``: the reader studies of this installation, and whether anything in them was edited."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from pet2rep_core.cli.exit_status import ExitStatus
from pet2rep_core.cli.output import one_line, say, table, write_json
from pet2rep_core.cli.stores import own_store
from pet2rep_core.errors import UnknownNameError
from pet2rep_core.records import Person, Role
from pet2rep_core.settings import Settings
from pet2rep_core.store import Store
from pet2rep_core.study.protocol import protocol_json
from pet2rep_core.workflow.study_make import study_list, study_of
from pet2rep_core.workflow.study_watch import history, progress

_HERE = Person("command-line", Role.ADMIN)
"""Who has the files of the store has everything in it."""


def run(args: argparse.Namespace, settings: Settings) -> ExitStatus:
    """Run ``list``, ``show`` or ``verify``."""
    with own_store(settings) as store:
        if args.action == "list":
            return _list(args, store)
        if args.action == "show":
            return _show(args, store)
        return _verify(args, store)


def _list(args: argparse.Namespace, store: Store) -> ExitStatus:
    lines = study_list(store, _HERE)
    if args.json:
        write_json({"studies": [asdict(line) for line in lines]})
    elif not lines:
        say("There is no reader study yet.")
    else:
        head = ("study", "state", "readers", "done", "made", "title")
        rows = [
            (one.study_id, one.state.value, str(one.readers), f"{one.done}/{one.items}", one.created_at[:10], one.title)
            for one in lines
        ]
        for line in table([head, *((*row[:-1], one_line(row[-1])) for row in rows)]):
            say(line)
    return ExitStatus.DONE


def _show(args: argparse.Namespace, store: Store) -> ExitStatus:
    study = study_of(store, _HERE, args.study)
    readers, events = progress(store, _HERE, args.study), history(store, _HERE, args.study)
    if args.json:
        write_json(
            {
                "study": study.study_id,
                "state": study.state.value,
                "protocol": protocol_json(study.protocol),
                "readers": [asdict(one) for one in readers],
                "events": [asdict(one) for one in events],
            }
        )
        return ExitStatus.DONE
    plan = study.protocol
    say(f"{study.study_id}  {study.state.value}  {one_line(plan.title)}")
    for words in (
        f"{len(plan.case_ids)} cases, {len(plan.run_ids)} runs, {len(plan.training)} for training, "
        f"{plan.design.value},",
        f"{plan.readers_per_report} readers a report, seed {plan.seed}, rubric {plan.rubric_version},",
        f"staged reveal {'on' if plan.staged else 'off'}, repeats {plan.repeat_share:.0%} at least {plan.repeat_gap} "
        f"items apart, reports of a patient {plan.patient_gap} apart",
    ):
        say(f"  {words}")
    say("readers")
    cells: list[tuple[str, ...]] = [("reader", "training", "done", "last answer")]
    cells += [
        (r.reader, f"{r.training_done}/{r.training_total}", f"{r.done}/{r.total}", r.last_at[:16] or "-")
        for r in readers
    ]
    for line in table(cells, indent="  "):
        say(line)
    say("events")
    for line in table(
        [(e.created_at[:19], e.actor, e.action, one_line(f"{e.subject} {e.detail}".strip())) for e in events],
        indent="  ",
    ):
        say(line)
    return ExitStatus.DONE


def _verify(args: argparse.Namespace, store: Store) -> ExitStatus:
    """Say what was edited; what opening the store had to bring back or set aside is an edit too."""
    names = store.studies.study_ids()
    if args.study is not None and args.study not in names:
        raise UnknownNameError("study", args.study, names)
    problems = [*_repaired(store), *store.studies.problems(args.study)]
    ratings = sum(store.studies.seal(name)["ratings"] for name in names if args.study in (None, name))
    counts: dict[str, Any] = {"studies": len(names) if args.study is None else 1, "ratings": ratings}
    if args.json:
        write_json({**counts, "problems": problems})
    else:
        for problem in problems:
            say(one_line(problem))
        if not problems:
            say(f"All is well: {counts['studies']} studies with {ratings} ratings, every chain whole.")
    return ExitStatus.SOME_FAILED if problems else ExitStatus.DONE


def _repaired(store: Store) -> list[str]:
    return [notice for notice in store.notices if "study" in notice or "journal" in notice]
