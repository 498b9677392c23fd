"""``pet2rep score``: scores of generated reports, those of the store or those in files."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from pet2rep_core.cli.exit_status import ExitStatus, status_of
from pet2rep_core.cli.interrupting import stop_on_interrupt
from pet2rep_core.cli.output import Progress, note, one_line, say, table, write_json
from pet2rep_core.cli.scoring_files import check_json, check_rows, score_lines, score_pair
from pet2rep_core.cli.stores import own_store
from pet2rep_core.errors import SettingsError
from pet2rep_core.scoring.profiles import ReportPart, find_profile
from pet2rep_core.settings import Settings
from pet2rep_core.store import Store
from pet2rep_core.workflow.score import verify_generation
from pet2rep_core.workflow.score_run import ScoreOutcome, plan_scores, score_planned


def run(args: argparse.Namespace, settings: Settings) -> ExitStatus:
    """Score two files, the lines of a file, or what waits in the store."""
    find_profile(args.profile)
    if args.jsonl is not None:
        _refuse_beside("--jsonl", args, "reference", "hypothesis", "all")
        return score_lines(args)
    if args.reference is not None or args.hypothesis is not None:
        _refuse_beside("--reference", args, "all")
        return score_pair(args)
    return _verify_store(args, settings) if args.verify else _score_store(args, settings)


def _refuse_beside(option: str, args: argparse.Namespace, *others: str) -> None:
    for other in others:
        if getattr(args, other):
            raise SettingsError(f"{option} cannot stand beside --{other}.", hint="Leave one of them out.")


def _score_store(args: argparse.Namespace, settings: Settings) -> ExitStatus:
    """Score every generation that lacks a score, or all of them; with --json a line for each as it is stored."""
    part = ReportPart(args.part)
    done = failed = 0
    with own_store(settings) as store:
        plan = plan_scores(store, profile=args.profile, part=part, again=args.all)
        progress = Progress(plan.total + len(plan.unscorable))
        with stop_on_interrupt() as stop:
            for one in score_planned(store, settings, plan, cancelled=stop):
                done, failed = (done, failed + 1) if one.reason else (done + 1, failed)
                if args.json:
                    say(json.dumps(_outcome_json(store, one), ensure_ascii=True, allow_nan=False))
                elif one.reason:
                    note(one_line(f"{one.case_id} {one.model}: {one.reason}"))
                progress.step(f"{one.case_id} {one.model}: {one.reason or f'{one.made} scores'}")
        progress.end()
    if stop.asked and done + failed < plan.total + len(plan.unscorable):
        raise KeyboardInterrupt
    if not args.json:
        say(f"{done} of {done + failed} reports were scored." if done + failed else "There is nothing to score.")
    return status_of(done, failed)


def _outcome_json(store: Store, one: ScoreOutcome) -> dict[str, Any]:
    stored = store.scores(one.generation_id) if one.signatures else []
    return {
        "generation_id": one.generation_id,
        "case_id": one.case_id,
        "model": one.model,
        "reason": one.reason,
        "scores": [asdict(score.score) for score in stored if score.score.signature in one.signatures],
    }


def _verify_store(args: argparse.Namespace, settings: Settings) -> ExitStatus:
    """Make every stored language score again with the reference libraries; nothing is written."""
    results: list[dict[str, Any]] = []
    wrong = 0
    with own_store(settings) as store:
        names = list(dict.fromkeys(one.generation_id for one in store.scores()))
        progress = Progress(len(names))
        for name in names:
            generation = store.generation(name).generation
            checks = verify_generation(store, name)
            wrong += sum(check.differs for _, check in checks)
            shown = [{**check_json(check), "signature": signature} for signature, check in checks]
            results.append({"generation_id": name, "case_id": generation.case_id, "checks": shown})
            progress.step(f"{generation.case_id} {generation.model}: {len(checks)} scores checked")
            if not args.json:
                say(f"{generation.case_id} {generation.model}")
                for line in table(check_rows([check for _, check in checks]), indent="  "):
                    say(line)
        progress.end()
    if args.json:
        write_json({"generations": results, "differences": wrong})
    else:
        say(f"{wrong} scores differ." if names else "There is no score to check.")
    return status_of(len(results), wrong)
