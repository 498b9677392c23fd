"""Look at every pairing of a run before the first call: what would fail, what it would take, what it would cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pet2rep_core.errors import Pet2RepError, SettingsError
from pet2rep_core.vlm.adapters import open_adapter
from pet2rep_core.vlm.preflight import TokenEstimate, check_request, estimate_price, estimate_tokens
from pet2rep_core.vlm.request import Adapter, Finding, Route, Severity
from pet2rep_core.workflow.build_request import BuiltRequest, build_request
from pet2rep_core.workflow.open_case import open_for_models
from pet2rep_core.workflow.run_outcome import Workplace
from pet2rep_core.workflow.run_plan import Pairing, PlannedItem, RunPlan, input_setting


@dataclass(frozen=True, slots=True)
class PairingCheck:
    """What was found about one pairing, from the first of its cases that can be asked about.

    Parameters
    ----------
    findings : tuple of Finding
        Errors stop the pairing, warnings do not.
    items : int
        Reports that it will be asked for.
    tokens : TokenEstimate or None
        Of one request; None for built-in models, or where no case could be asked about.
    new_tokens : int
        The most that one answer may have.
    price : float or None
        The most that all its items may cost, in ``currency``; None where no price is known.
    """

    pairing: Pairing
    findings: tuple[Finding, ...]
    items: int
    tokens: TokenEstimate | None = None
    new_tokens: int = 0
    price: float | None = None
    currency: str = ""

    @property
    def problem(self) -> Finding | None:
        """The first error, or None."""
        return next((one for one in self.findings if one.severity is Severity.ERROR), None)


def check_plan(
    place: Workplace,
    plan: RunPlan,
    *,
    opener: Callable[..., Adapter] = open_adapter,
    ask_servers: bool = True,
) -> tuple[PairingCheck, ...]:
    """Return what is found about each pairing that has something to ask.

    Parameters
    ----------
    ask_servers : bool
        Also ask each server whether it is there and has the model; no text and no picture goes out for that. In-process
        models look at their weights, without loading them.
    """
    return tuple(
        _check(place, plan, pairing, items, opener, ask_servers)
        for pairing in plan.pairings
        if (items := plan.of(pairing))
    )


def _check(
    place: Workplace,
    plan: RunPlan,
    pairing: Pairing,
    items: Sequence[PlannedItem],
    opener: Callable[..., Adapter],
    ask_servers: bool,
) -> PairingCheck:
    if pairing.is_built_in:
        return PairingCheck(pairing, (), len(items))
    built: BuiltRequest | None = None
    problem: Pet2RepError | None = None
    for item in items:
        try:
            case = open_for_models(place.settings, item.case)
            built = build_request(
                case, pairing.row, pairing.route, input_setting(pairing), plan.choices.asking, place.display
            )
            break
        except Pet2RepError as error:
            problem = problem or error
    if built is None:
        assert problem is not None  # there is at least one item
        return PairingCheck(pairing, (Finding(Severity.ERROR, problem.message, problem.hint),), len(items))
    findings = _findings(plan, pairing, built, opener, ask_servers)
    price = estimate_price(pairing.row, built.request)
    return PairingCheck(
        pairing,
        tuple(findings),
        len(items),
        tokens=estimate_tokens(pairing.row, built.request),
        new_tokens=built.request.options.max_new_tokens,
        price=None if price is None else price * len(items),
        currency="" if pairing.row.prices is None else pairing.row.prices.currency,
    )


def _findings(
    plan: RunPlan, pairing: Pairing, built: BuiltRequest, opener: Callable[..., Adapter], ask_servers: bool
) -> list[Finding]:
    local = pairing.route is Route.TRANSFORMERS
    # in-process the adapter makes the same checks with the exact count of tokens
    findings = [] if local and ask_servers else check_request(pairing.row, pairing.route, built.wished)
    if plan.host_of(pairing) and not (plan.choices.base_url or pairing.row.base_url).startswith("https://"):
        findings.append(
            Finding(
                Severity.WARNING,
                f"What is sent to {plan.host_of(pairing)} is not encrypted on its way.",
                "Give an https address where the network is not your own.",
            )
        )
    if not ask_servers or any(one.severity is Severity.ERROR for one in findings):
        return findings
    try:
        adapter = opener(
            pairing.row,
            pairing.route,
            base_url=plan.choices.base_url,
            parallel=plan.choices.parallel,
            time_limit_s=plan.choices.time_limit_s,
        )
    except Pet2RepError as error:
        return [*findings, Finding(Severity.ERROR, error.message, error.hint)]
    try:
        return [*findings, *adapter.check(built.wished if local else built.request)]
    except Pet2RepError as error:
        return [*findings, Finding(Severity.ERROR, error.message, error.hint)]
    finally:
        adapter.close()


def require_one_currency(plan: RunPlan) -> None:
    """Refuse a cost cap that could not hold.

    Raises
    ------
    SettingsError
        If a model that is asked over the network has no price, or two models have prices in different currencies.
    """
    if plan.choices.max_cost is None:
        return
    paid = [one for one in plan.pairings if plan.host_of(one) and plan.of(one)]
    for pairing in paid:
        if pairing.row.prices is None:
            raise SettingsError(
                f"Nobody vouches for a price of {pairing.row.id!r}, so a cost cap could not hold.",
                hint="Add prices to its row in your own file of models, or leave the cap out.",
            )
    currencies = sorted({one.row.prices.currency for one in paid if one.row.prices is not None})
    if len(currencies) > 1:
        raise SettingsError(
            f"The models have prices in {' and '.join(currencies)}, so one cost cap cannot hold for all.",
            hint="Run them one after the other.",
        )
