"""What leaves this machine: nothing, until a person has seen what would be sent where and allowed it for the dataset.

Decisions and sendings stand in the audit log, with hashes and never with content.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pet2rep_core.errors import PermissionDeniedError, SettingsError
from pet2rep_core.records import Person
from pet2rep_core.store import Store
from pet2rep_core.vlm.request import Request
from pet2rep_core.workflow.permissions import RESEARCH, require
from pet2rep_core.workflow.run_plan import PlannedItem, RunPlan

ALLOWED, WITHDRAWN, SENT = "provider.allow", "provider.withdraw", "provider.send"
_DATASET = "dataset"


@dataclass(frozen=True, slots=True)
class Sending:
    """What a run would send to one machine from one dataset, as a person sees it before deciding."""

    host: str
    dataset: str
    models: tuple[str, ...]
    settings: tuple[str, ...]
    requests: int
    pictures: int

    @property
    def detail(self) -> dict[str, object]:
        """What the audit log keeps of it."""
        return {
            "host": self.host,
            "models": list(self.models),
            "input": list(self.settings),
            "requests": self.requests,
            "pictures": self.pictures,
        }


def sendings_of(plan: RunPlan) -> tuple[Sending, ...]:
    """Return what a plan would send out of this machine, by machine and dataset; empty where all stays here."""
    grouped: dict[tuple[str, str], list[PlannedItem]] = {}
    for item in plan.items:
        host = plan.host_of(item.pairing)
        if host:
            grouped.setdefault((host, item.case.dataset), []).append(item)
    return tuple(
        Sending(
            host=host,
            dataset=dataset,
            models=tuple(dict.fromkeys(item.pairing.row.id for item in items)),
            settings=tuple(dict.fromkeys(item.pairing.setting for item in items)),
            requests=len(items),
            pictures=sum(_pictures_of(item) for item in items),
        )
        for (host, dataset), items in grouped.items()
    )


def allow_provider(store: Store, person: Person, sending: Sending) -> None:
    """Let a dataset's pictures and prompts go to a machine, from now on and until it is withdrawn.

    Raises
    ------
    PermissionDeniedError
        If the person's role does not allow it.
    """
    require(person, RESEARCH)
    store.record_event(person.name, ALLOWED, _DATASET, sending.dataset, sending.detail)


def withdraw_provider(store: Store, person: Person, dataset: str, host: str) -> None:
    """Let nothing more of a dataset go to a machine.

    Raises
    ------
    PermissionDeniedError
        If the person's role does not allow it.
    SettingsError
        If it was not allowed.
    """
    require(person, RESEARCH)
    if host not in allowed_hosts(store, dataset):
        raise SettingsError(f"Nothing of {dataset!r} was allowed to go to {host}.", hint="There is nothing to do.")
    store.record_event(person.name, WITHDRAWN, _DATASET, dataset, {"host": host})


def allowed_hosts(store: Store, dataset: str) -> tuple[str, ...]:
    """Return the machines to which a dataset's pictures may go now."""
    newest: dict[str, str] = {}
    for event in store.events((ALLOWED, WITHDRAWN), object_id=dataset):
        newest[str(event.detail.get("host"))] = event.action
    return tuple(sorted(host for host, action in newest.items() if action == ALLOWED))


def require_allowed(store: Store, sendings: Iterable[Sending]) -> None:
    """Refuse where something would leave this machine that nobody has allowed.

    Raises
    ------
    PermissionDeniedError
        It says what would be sent where.
    """
    for one in sendings:
        if one.host not in allowed_hosts(store, one.dataset):
            raise PermissionDeniedError(
                f"This would send {one.pictures} pictures and {one.requests} prompts of {one.dataset!r} to {one.host}, "
                "outside this machine.",
                hint=f"Nothing was sent. To allow it, confirm it on the page, or add: --allow-provider {one.host}",
            )


def record_sending(store: Store, person: Person, item: PlannedItem, host: str, request: Request) -> None:
    """Log that a request leaves this machine, before it does.

    Raises
    ------
    PermissionDeniedError
        If it is not allowed any more.
    """
    if host not in allowed_hosts(store, item.case.dataset):
        raise PermissionDeniedError(
            f"Nothing more of {item.case.dataset!r} may go to {host}.", hint="Somebody withdrew it; nothing was sent."
        )
    store.record_event(
        person.name,
        SENT,
        "generation",
        item.generation_id,
        {
            "host": host,
            "dataset": item.case.dataset,
            "case_id": item.case.case_id,
            "model": item.pairing.row.id,
            "request_sha256": request.sha256,
            "picture_sha256": [one.sha256 for one in request.pictures],
        },
    )


def _pictures_of(item: PlannedItem) -> int:
    case = item.case
    if case.has_pet or case.has_ct:
        planes = 0 if case.key_slices is None else len(case.key_slices.indices)
        return planes * (2 if item.pairing.setting == "separate" else 1)
    return case.n_pictures
