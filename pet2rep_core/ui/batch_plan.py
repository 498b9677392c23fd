"""The plan of a run on a page: what is there, what will be asked, what it takes, and what would go wrong."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Sequence

import streamlit as st

from pet2rep_core.records import GenerationStatus
from pet2rep_core.ui.asking import span_in_words
from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.models import route_name
from pet2rep_core.ui.names import model_name, setting_name
from pet2rep_core.ui.plain import escape_markdown
from pet2rep_core.ui.tables import draw_table
from pet2rep_core.vlm.adapters import PARALLEL
from pet2rep_core.vlm.request import Finding, Route, Severity
from pet2rep_core.workflow.preflight_run import PairingCheck
from pet2rep_core.workflow.run_plan import Pairing, RunPlan

_LEFT_OUT_SHOWN = 200


def draw_plan(page: Page, plan: RunPlan, checks: Sequence[PairingCheck]) -> None:
    """Draw one line for each model and input, the sums, and each finding once."""
    say = page.text
    st.subheader(say("plan.title"))
    times = _seconds_each(page)
    found = {check.pairing.name: check for check in checks}
    rows = [_line(page, plan, pairing, found.get(pairing.name), times) for pairing in plan.pairings]
    draw_table(rows)
    sums = say("plan.sums", ask=len(plan.items), there=len(plan.there), left_out=len(plan.left_out))
    st.markdown(escape_markdown(" · ".join([sums, *_prices(page, checks)])))
    draw_grouped_findings(page, checks)
    if plan.left_out:
        with st.expander(say("plan.left_out", n=len(plan.left_out))):
            lines = [
                {
                    say("review.case"): one.case_id,
                    say("plan.model"): _pairing_name(page, one.pairing),
                    say("import.reason"): page.said(one.message),
                }
                for one in plan.left_out[:_LEFT_OUT_SHOWN]
            ]
            draw_table(lines)


def _line(
    page: Page, plan: RunPlan, pairing: Pairing, check: PairingCheck | None, times: dict[str, float]
) -> dict[str, object]:
    say = page.text
    to_ask = len(plan.of(pairing))
    tokens = "–" if check is None or check.tokens is None else f"{check.tokens.prompt:,} + {check.new_tokens:,}"
    return {
        say("plan.model"): model_name(page, pairing.row.id),
        say("plan.input"): setting_name(page, pairing.setting),
        say("plan.way"): plan.host_of(pairing) or route_name(page, pairing.route),
        say("plan.there"): sum(item.pairing.name == pairing.name for item, _ in plan.there),
        say("plan.to_ask"): to_ask,
        say("plan.cannot"): sum(one.pairing.name == pairing.name for one in plan.left_out),
        say("plan.tokens"): tokens,
        say("plan.price"): _price(page, check),
        say("plan.time"): _time(page, plan, pairing, to_ask, times),
        say("plan.check"): _verdict(page, check, to_ask),
    }


def _verdict(page: Page, check: PairingCheck | None, to_ask: int) -> str:
    if check is None or not to_ask:
        return "–"
    if check.problem is not None:
        return page.text("plan.cannot_run")
    return page.text("plan.with_remarks" if check.findings else "plan.can_run")


def _price(page: Page, check: PairingCheck | None) -> str:
    if check is None or check.pairing.is_built_in:
        return "–"
    if check.price is not None:
        return page.text("plan.at_most", amount=f"{check.price:,.2f}", currency=check.currency)
    return page.text("plan.no_price") if check.pairing.row.key_env else "–"


def _prices(page: Page, checks: Sequence[PairingCheck]) -> list[str]:
    sums: dict[str, float] = defaultdict(float)
    for check in checks:
        if check.price is not None and check.problem is None:
            sums[check.currency] += check.price
    return [page.text("plan.at_most", amount=f"{sums[one]:,.2f}", currency=one) for one in sorted(sums)]


def _seconds_each(page: Page) -> dict[str, float]:
    """Return how long an answer of each model took here, at the median of those that are stored."""
    taken: dict[str, list[float]] = defaultdict(list)
    for one in page.server.store.generations():
        if one.duration_s is not None and one.generation.status is not GenerationStatus.FAILED:
            taken[one.generation.model].append(one.duration_s)
    return {model: statistics.median(seconds) for model, seconds in taken.items()}


def _time(page: Page, plan: RunPlan, pairing: Pairing, to_ask: int, times: dict[str, float]) -> str:
    if not to_ask:
        return "–"
    each = times.get(pairing.row.id)
    if each is None:
        return page.text("plan.time_unknown")
    at_once = 1 if pairing.route in (Route.TRANSFORMERS, Route.BUILT_IN) else plan.choices.parallel or PARALLEL
    return page.text("plan.about", span=span_in_words(page, max(1.0, each * to_ask / min(at_once, to_ask))))


def draw_grouped_findings(page: Page, checks: Sequence[PairingCheck]) -> None:
    """Draw each finding once, with the models that it is about, the errors first."""
    about: dict[Finding, list[str]] = defaultdict(list)
    for check in checks:
        for one in dict.fromkeys(check.findings):
            about[one].append(_pairing_name(page, check.pairing))
    for one in sorted(about, key=lambda one: one.severity is not Severity.ERROR):
        names = escape_markdown(page.formats.listed(about[one]))
        words = "  \n".join(escape_markdown(page.said(part)) for part in (one.message, one.hint) if part)
        draw = st.error if one.severity is Severity.ERROR else st.warning
        draw(f"**{names}**  \n{words}")


def _pairing_name(page: Page, pairing: Pairing) -> str:
    name = model_name(page, pairing.row.id)
    return name if pairing.is_built_in else f"{name} · {setting_name(page, pairing.setting)}"
