"""What a run would do, in words and as JSON, before it does it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pet2rep_core.cli.output import note, one_line, say, table
from pet2rep_core.vlm.request import Severity
from pet2rep_core.workflow.preflight_run import PairingCheck
from pet2rep_core.workflow.providers import Sending
from pet2rep_core.workflow.run_plan import Pairing, RunPlan


def note_findings(checks: Sequence[PairingCheck]) -> None:
    """Write what was found before the run to standard error."""
    for check in checks:
        for one in check.findings:
            word = "error" if one.severity is Severity.ERROR else "warning"
            note(one_line(f"{word}: {check.pairing.name}: {one.message} {one.hint}"))


def say_plan(plan: RunPlan, checks: Sequence[PairingCheck], sendings: Sequence[Sending]) -> None:
    """Write what a run would ask, of whom, and what of it would leave this machine."""
    rows = [("model", "input", "route", "to ask", "there", "left out", "tokens in + out", "at most")]
    found = {check.pairing.key: check for check in checks}
    for pairing in plan.pairings:
        check = found.get(pairing.key)
        there, left_out = _counts(plan, pairing)
        rows.append(
            (
                pairing.row.id, pairing.setting, pairing.route.value, str(len(plan.of(pairing))), str(there),
                str(left_out), _tokens(check), _price(check),
            )
        )  # fmt: skip
    for line in table(rows):
        say(line)
    for out in plan.left_out:
        say(one_line(f"left out: {out.case_id} {out.pairing.name}: {out.message} {out.hint}"))
    for one in sendings:
        say(
            one_line(
                f"would leave this machine: {one.pictures} pictures and {one.requests} prompts of {one.dataset} "
                f"to {one.host}"
            )
        )
    note_findings(checks)


def checks_json(plan: RunPlan, checks: Sequence[PairingCheck], sendings: Sequence[Sending]) -> Iterator[dict[str, Any]]:
    """Yield the same as lines of JSON: one for each model and input, then one for each machine outside."""
    found = {check.pairing.key: check for check in checks}
    for pairing in plan.pairings:
        check = found.get(pairing.key)
        there, left_out = _counts(plan, pairing)
        tokens = None if check is None or check.tokens is None else check.tokens.prompt
        yield {
            "model": pairing.row.id,
            "input": pairing.setting,
            "route": pairing.route.value,
            "to_ask": len(plan.of(pairing)),
            "there": there,
            "left_out": left_out,
            "input_tokens": tokens,
            "new_tokens": None if check is None else check.new_tokens or None,
            "price_at_most": None if check is None else check.price,
            "currency": "" if check is None else check.currency,
            "findings": [
                {"severity": one.severity.value, "message": one.message, "hint": one.hint}
                for one in (() if check is None else check.findings)
            ],
        }
    for one in sendings:
        yield {"sending_to": one.host, "dataset": one.dataset, **one.detail}


def _counts(plan: RunPlan, pairing: Pairing) -> tuple[int, int]:
    there = sum(item.pairing.key == pairing.key for item, _ in plan.there)
    return there, sum(out.pairing.key == pairing.key for out in plan.left_out)


def _tokens(check: PairingCheck | None) -> str:
    if check is None or check.tokens is None:
        return "-"
    return f"about {check.tokens.prompt} + {check.new_tokens}"


def _price(check: PairingCheck | None) -> str:
    return "-" if check is None or check.price is None else f"{check.price:.2f} {check.currency}"
