"""Reader studies for the browser tests and the benchmark, on the quick cases."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from pet2rep_core.records import Generation, ItemKind, Language, Person, Role, StudyItem, StudyState
from pet2rep_core.settings import Settings
from pet2rep_core.store import Store, open_store
from pet2rep_core.store.study_rows import ASSIGN, STATE
from pet2rep_core.study.protocol import Protocol, TrainingItem, protocol_json
from pet2rep_core.study.rubric import read_rubric
from pet2rep_core.vlm.scripted import Behaviour
from pet2rep_core.workflow.generate import generate_report
from pet2rep_core.workflow.study_file import CREATE, event_of
from tests.browser.cases import HOSTILE, PHANTOM, UNEVEN, fill_home

RESEARCHER = Person("researcher", Role.RESEARCHER)
CONSENSUS = {"acc": 2, "com": 3, "cla": 4, "usa": 3, "ove": 3}
FEEDBACK = "The second sentence is the one that matters."
BEHAVIOURS = (Behaviour.MIXED, Behaviour.COPY)


@dataclass(frozen=True, slots=True)
class MadeStudy:
    """A study, the codes of each reader's items in order, and what must never reach a reader's browser."""

    study_id: str
    codes: dict[str, list[str]]
    hidden: tuple[str, ...]


def make_study(
    home: Path, title: str, readers: Sequence[str], *, staged: bool, training: bool = False, fill: bool = True
) -> MadeStudy:
    """Make a study of two runs on three cases that is collecting; with a training item on a case of its own.

    The first reader's items are the phantom, the uneven case, the phantom again with the other run's report, the
    uneven case likewise, and the hostile one. With ``fill`` the home is made first.
    """
    if fill:
        fill_home(home)
    store = open_store(Settings(home=home, workers=1))
    try:
        return _make(store, title, readers, staged=staged, training=training)
    finally:
        store.close()


def _make(store: Store, title: str, readers: Sequence[str], *, staged: bool, training: bool) -> MadeStudy:
    first, second = (
        [_generate(store, case_id, behaviour) for case_id in (PHANTOM, UNEVEN, HOSTILE)] for behaviour in BEHAVIOURS
    )
    order = [first[0], first[1], second[0], second[1], first[2]]
    consensus = {name: CONSENSUS[name] for name in read_rubric().keys}
    trained = [TrainingItem(HOSTILE, first[2].run_id, consensus, FEEDBACK)] if training else []
    if training:
        order = [first[2], *order[:-1]]
    protocol = Protocol(
        title=title,
        language=Language.ENGLISH,
        case_ids=(PHANTOM, UNEVEN) if training else (PHANTOM, UNEVEN, HOSTILE),
        run_ids=(first[0].run_id, second[0].run_id),
        readers=tuple(readers),
        rubric_version=read_rubric().version,
        staged=staged,
        training=tuple(trained),
        pass_mark=0.0,
    )
    study_id = f"s-{secrets.token_hex(8)}"
    _record(store, study_id, CREATE, "", {"protocol": protocol_json(protocol)})
    aliases = {case_id: secrets.token_hex(8) for case_id in (PHANTOM, UNEVEN, HOSTILE)}
    codes = {reader: _assign(store, study_id, reader, order, aliases, training=training) for reader in readers}
    for state in (StudyState.CALIBRATION, StudyState.COLLECTING):
        _record(store, study_id, STATE, "", {"to": state.value})
    used = {one.generation_id: one for one in order}.values()
    hidden = {name for one in used for name in (one.generation_id, one.run_id, one.case_id, one.model)}
    keys = {store.case(one.case_id).prepared_key or "no-key" for one in used}
    return MadeStudy(study_id, codes, tuple(sorted(hidden | {key[:16] for key in keys} | {"browser-"})))


def _generate(store: Store, case_id: str, behaviour: Behaviour) -> Generation:
    return generate_report(store, case_id, "scripted", Language.ENGLISH, behaviour=behaviour)


def _assign(
    store: Store, study_id: str, reader: str, order: Sequence[Generation], aliases: dict[str, str], *, training: bool
) -> list[str]:
    items = [
        StudyItem(
            code=secrets.token_hex(10),
            reader=reader,
            position=n,
            kind=ItemKind.TRAINING if training and n == 1 else ItemKind.MAIN,
            case_id=one.case_id,
            run_id=one.run_id,
            generation_id=one.generation_id,
            alias=aliases[one.case_id],
        )
        for n, one in enumerate(order, start=1)
    ]
    content = {
        "items": [{name: value for name, value in asdict(item).items() if name != "reader"} for item in items],
        "runs": {
            one.run_id: {"model": one.model, "input_setting": "separate", "language": one.language.value}
            for one in order
        },
        "datasets": {one.case_id: "browser" for one in order},
    }
    _record(store, study_id, ASSIGN, reader, content)
    return [item.code for item in items]


def _record(store: Store, study_id: str, action: str, subject: str, content: dict[str, object]) -> None:
    store.studies.record_event(event_of(RESEARCHER, study_id, action, subject, content))
