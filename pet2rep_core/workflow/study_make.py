"""Make a study, see what it asks of its readers before it begins, and move it from state to state."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pet2rep_core.errors import SettingsError, StoreError, UnknownNameError
from pet2rep_core.records import ItemKind, Person, StudyState
from pet2rep_core.store import RunRow, Store
from pet2rep_core.store.study_rows import ASSIGN, STATE
from pet2rep_core.study.design import Load, Output, Plan, Reading, assign, loads
from pet2rep_core.study.leaks import find_leaks
from pet2rep_core.study.precision import AIM, METHOD, icc_items, icc_width
from pet2rep_core.study.protocol import Protocol, protocol_json
from pet2rep_core.study.rubric import read_rubric
from pet2rep_core.workflow.permissions import ADMINISTER, RESEARCH, require
from pet2rep_core.workflow.rate import check_reader
from pet2rep_core.workflow.study_file import CREATE, DISCARD, StudyFile, event_of, read_study, rubric_of

MINUTES_AN_ITEM = 5.0
"""Only for the estimate before a study starts; the page says so."""

_NEXT = {
    StudyState.DRAFT: (StudyState.CALIBRATION, StudyState.COLLECTING),
    StudyState.CALIBRATION: (StudyState.COLLECTING,),
    StudyState.COLLECTING: (StudyState.LOCKED,),
    StudyState.LOCKED: (StudyState.UNBLINDED,),
    StudyState.UNBLINDED: (),
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What a protocol asks for and gives, before anything is stored.

    ``reports`` are read by ``readers_per_report`` readers each; ``absent`` names the (case, run) pairs without a
    finished report, which are left out. ``width_reports`` is the expected width of the 95 % interval of the ICC if
    reports were independent, ``width_patients`` if only patients were: the truth lies between; None with one reader
    a report. ``reports_for_aim`` is how many independent reports give an interval as wide as
    :data:`~pet2rep_core.study.precision.AIM`. ``signature`` names the method.
    """

    reports: int
    patients: int
    readers_per_report: int
    absent: tuple[tuple[str, str], ...]
    loads: tuple[Load, ...]
    training: int
    width_reports: float | None
    width_patients: float | None
    expected_icc: float
    reports_for_aim: int | None
    signature: str = METHOD


@dataclass(frozen=True, slots=True)
class StudyLine:
    """One study in the list of a researcher."""

    study_id: str
    title: str
    state: StudyState
    created_by: str
    created_at: str
    readers: int
    done: int
    items: int


def preview_study(store: Store, person: Person, protocol: Protocol) -> Preview:
    """Return what a protocol asks of its readers and how precise it will be.

    Raises
    ------
    SettingsError
        If it cannot be run: no report, an unknown case or run, runs in several languages, a telling title.
    """
    require(person, RESEARCH)
    there = _reports(store, protocol)
    found = [pair for pair in _analysed(protocol) if pair in there]
    plan = _plan(protocol, found)
    k = protocol.readers_per_report
    patients = len({case_id for case_id, _ in found})
    return Preview(
        reports=len(found),
        patients=patients,
        readers_per_report=k,
        absent=tuple(pair for pair in _analysed(protocol) if pair not in there),
        loads=loads(plan, assign(plan)),
        training=len(protocol.training),
        width_reports=icc_width(len(found), k, protocol.expected_icc) if k > 1 else None,
        width_patients=icc_width(patients, k, protocol.expected_icc) if k > 1 else None,
        expected_icc=protocol.expected_icc,
        reports_for_aim=icc_items(AIM, k, protocol.expected_icc) if k > 1 else None,
    )


def make_study(store: Store, person: Person, protocol: Protocol, *, event_id: str = "") -> str:
    """Record a study as a draft and return its name; nothing is assigned to readers before it starts.

    Raises
    ------
    SettingsError
        As :func:`preview_study`; and where a training item has no consensus for a dimension.
    """
    preview_study(store, person, protocol)
    _require_consensus(protocol)
    for reader in protocol.readers:
        check_reader(reader)
    study_id = f"s-{secrets.token_hex(6)}"
    store.studies.record_event(event_of(person, study_id, CREATE, "", {"protocol": protocol_json(protocol)}, event_id))
    return study_id


def discard_study(store: Store, person: Person, study_id: str, *, event_id: str = "") -> None:
    """Take a draft out of the list; its events stay.

    Raises
    ------
    StoreError
        If it was started.
    """
    require(person, RESEARCH)
    with store.studies.alone():
        if read_study(store, study_id).state is not StudyState.DRAFT:
            raise StoreError("A study that was started cannot be discarded.", hint="Lock it instead.")
        store.studies.record_event(event_of(person, study_id, DISCARD, "", {}, event_id))


def next_states(study: StudyFile) -> tuple[StudyState, ...]:
    """Return where a study may go from here; without training items there is no calibration, and with them one."""
    states = _NEXT[study.state]
    if study.state is StudyState.DRAFT:
        return states[:1] if study.protocol.training else states[1:]
    return states


def move_study(store: Store, person: Person, study_id: str, to: StudyState, *, event_id: str = "") -> None:
    """Move a study to its next state, by an event of its own.

    Leaving the draft assigns the items under fresh codes; locking keeps a seal over all ratings; unblinding needs
    an administrator.

    Raises
    ------
    StoreError
        If the study may not go there now.
    PermissionDeniedError
        If the person may not move it.
    """
    require(person, ADMINISTER if to is StudyState.UNBLINDED else RESEARCH)
    with store.studies.alone():
        study = read_study(store, study_id)
        if study.state is to:  # a second click on the same button
            return
        if to not in next_states(study) or study.discarded:
            raise StoreError(
                f"A study in the state {study.state.value!r} cannot go to {to.value!r}.", hint="Load the page again."
            )
        content: dict[str, Any] = {"from": study.state.value, "to": to.value}
        if study.state is StudyState.DRAFT:
            rubric_of(study)
            _require_consensus(study.protocol)
            _assign_items(store, person, study)
        if to is StudyState.LOCKED:
            content["seal"] = store.studies.seal(study_id)
        store.studies.record_event(event_of(person, study_id, STATE, "", content, event_id))


def study_list(store: Store, person: Person) -> tuple[StudyLine, ...]:
    """Return all studies that were not discarded, the newest first."""
    require(person, RESEARCH)
    found = []
    for study_id in store.studies.study_ids():
        study = read_study(store, study_id)
        if study.discarded:
            continue
        done, items = store.studies.counts(study_id)
        found.append(
            StudyLine(
                study_id=study_id,
                title=study.protocol.title,
                state=study.state,
                created_by=study.created_by,
                created_at=study.created_at,
                readers=len(study.protocol.readers),
                done=done,
                items=items,
            )
        )
    return tuple(found)


def study_of(store: Store, person: Person, study_id: str) -> StudyFile:
    """Return one study for a researcher."""
    require(person, RESEARCH)
    return read_study(store, study_id)


def _runs(store: Store, protocol: Protocol) -> dict[str, RunRow]:
    known = {run.run_id: run for run in store.runs()}
    wanted = list(dict.fromkeys([*protocol.run_ids, *(one.run_id for one in protocol.training)]))
    if not protocol.run_ids:
        raise SettingsError("The study has no model.", hint="Choose at least one run.")
    for run_id in wanted:
        if run_id not in known:
            raise SettingsError(f"The run {run_id!r} is not in the store.", hint="Choose among the runs there are.")
        if known[run_id].language is not protocol.language:
            raise SettingsError(
                f"A run of {known[run_id].model!r} is in another language than the study.",
                hint="A study compares reports of one language; make one study for each.",
            )
    return {run_id: known[run_id] for run_id in wanted}


def _reports(store: Store, protocol: Protocol) -> dict[tuple[str, str], str]:
    """Return the generations that are to be read by (case, run): those of the training first, then the others."""
    runs = _runs(store, protocol)
    telling = find_leaks(protocol.title, protocol.language, [*runs, *(run.model for run in runs.values())])
    if any(leak.kind == "names_model" for leak in telling):
        raise SettingsError("The title names a model.", hint="Readers see the title: choose one that says nothing.")
    known = {row.case_id for row in store.cases()}
    for case_id in protocol.case_ids:
        if case_id not in known:
            raise UnknownNameError("case", case_id, known)
    finished = store.studies.finished_reports()
    for one in protocol.training:
        if (one.case_id, one.run_id) not in finished:
            raise SettingsError(
                f"The training case {one.case_id!r} has no finished report of its run.", hint="Choose another one."
            )
    wanted = [*((one.case_id, one.run_id) for one in protocol.training), *_analysed(protocol)]
    return {pair: finished[pair] for pair in wanted if pair in finished}


def _require_consensus(protocol: Protocol) -> None:
    for one in protocol.training:
        missing = [key for key in read_rubric().keys if key not in one.consensus]
        if missing:
            raise SettingsError(
                f"The training case {one.case_id!r} has no consensus for {', '.join(missing)}.",
                hint="Enter what experts agreed on for every dimension, from 1 to 5.",
            )


def _analysed(protocol: Protocol) -> list[tuple[str, str]]:
    return [(case_id, run_id) for case_id in protocol.case_ids for run_id in protocol.run_ids]


def _plan(protocol: Protocol, reports: Iterable[tuple[str, str]]) -> Plan:
    return Plan(
        outputs=tuple(Output(case_id, run_id) for case_id, run_id in reports),
        readers=protocol.readers,
        design=protocol.design,
        per_item=protocol.per_item,
        repeat_share=protocol.repeat_share,
        repeat_gap=protocol.repeat_gap,
        patient_gap=protocol.patient_gap,
        seed=protocol.seed,
    )


def _assign_items(store: Store, person: Person, study: StudyFile) -> None:
    """Give every reader the items, under codes and aliases that say nothing; once, even if it was interrupted."""
    protocol = study.protocol
    reports = _reports(store, protocol)
    training = [(one.case_id, one.run_id) for one in protocol.training]
    readings = assign(_plan(protocol, [pair for pair in _analysed(protocol) if pair in reports]))
    earlier = store.studies.events(study.study_id, ASSIGN)
    aliases = {item["case_id"]: item["alias"] for event in earlier for item in event.content["items"]}
    cases = list(dict.fromkeys(case_id for case_id, _ in reports))
    aliases = {case_id: aliases.get(case_id) or secrets.token_hex(8) for case_id in cases}
    there = {event.subject for event in earlier}
    runs = {
        run_id: {"model": run.model, "input_setting": run.input_setting, "language": run.language.value}
        for run_id, run in _runs(store, protocol).items()
    }
    datasets = {row.case_id: row.dataset for row in store.cases() if row.case_id in aliases}
    for reader in protocol.readers:
        if reader in there:
            continue
        mine = [one for one in readings if one.reader == reader]
        items = [_item(n, ItemKind.TRAINING, one, reports, aliases) for n, one in enumerate(training, start=1)]
        items += _main(mine, reports, aliases, len(training))
        content = {"items": items, "runs": runs, "datasets": datasets}
        store.studies.record_event(event_of(person, study.study_id, ASSIGN, reader, content))


def _main(
    readings: list[Reading], reports: dict[tuple[str, str], str], aliases: dict[str, str], before: int
) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    for one in readings:
        pair = (one.output.case_id, one.output.run_id)
        item = _item(before + one.position + 1, one.kind, pair, reports, aliases)
        items.append(item | {"repeat_of": "" if one.repeat_of is None else items[one.repeat_of]["code"]})
    return items


def _item(
    position: int, kind: ItemKind, pair: tuple[str, str], reports: dict[tuple[str, str], str], aliases: dict[str, str]
) -> dict[str, Any]:
    case_id, run_id = pair
    return {
        "code": secrets.token_hex(8),
        "position": position,
        "kind": kind.value,
        "repeat_of": "",
        "case_id": case_id,
        "run_id": run_id,
        "generation_id": reports[pair],
        "alias": aliases[case_id],
    }
