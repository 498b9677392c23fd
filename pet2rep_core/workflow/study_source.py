"""What a study has gathered, as tables for its results and exports; models are letters until it is unblinded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pet2rep_core.errors import UnknownNameError
from pet2rep_core.records import Person, StudyState
from pet2rep_core.store import Store
from pet2rep_core.study.protocol import protocol_json
from pet2rep_core.workflow.permissions import RESEARCH, require
from pet2rep_core.workflow.study_adjudicate import settled_values
from pet2rep_core.workflow.study_file import read_study
from pet2rep_core.workflow.study_frame import blinded, filled, frame_of, run_letters

_TEXT = pa.string()
SCORES = pa.schema({"generation_id": _TEXT, "metric": _TEXT, "value": pa.float64(), "signature": _TEXT})
SETTLED = pa.schema(
    {
        "study": _TEXT, "patient": _TEXT, "model": _TEXT, "input_setting": _TEXT, "run_id": _TEXT,
        "generation_id": _TEXT, "dimension": _TEXT, "value": pa.int64(), "readers_values": _TEXT, "reason": _TEXT,
        "created_at": _TEXT, "event_id": _TEXT,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class StudySource:
    """The tables of one study: ratings (newest revisions), marks, adjudicated values, and the scores of its reports.

    ``protocol`` is what was decided before the first reading; of a blind study it does not name the runs.
    """

    study_id: str
    title: str
    state: str
    blind: bool
    protocol: Mapping[str, Any]
    ratings: pa.Table
    marks: pa.Table
    settled: pa.Table
    scores: pa.Table

    @property
    def frame(self) -> pd.DataFrame:
        """The ratings as a frame."""
        return frame_of(self.ratings)


def read_source(store: Store, person: Person, study_id: str) -> StudySource:
    """Return what a study has gathered.

    Raises
    ------
    PermissionDeniedError
        If the person may not see results.
    UnknownNameError
        If there is no such study.
    """
    require(person, RESEARCH)
    study = read_study(store, study_id)
    blind = study.state is not StudyState.UNBLINDED
    ratings = filled(store.studies.ratings_table(study_id))
    marks = filled(store.studies.marks_table(study_id))
    settled = _settled(store, person, study_id, ratings)
    reports = pc.unique(ratings["generation_id"])
    scores = store.scores_table()
    scores = scores.filter(pc.is_in(scores["generation_id"], value_set=reports)).select(SCORES.names)
    protocol = protocol_json(study.protocol)
    if blind:
        letters = run_letters(ratings)
        names = dict(
            zip(
                ratings["generation_id"].to_pylist(),
                blinded(ratings, letters)["generation_id"].to_pylist(),
                strict=True,
            )
        )
        hidden = [names[one] for one in scores["generation_id"].to_pylist()]
        scores = scores.set_column(0, SCORES.field(0), pa.array(hidden, _TEXT))
        ratings, marks, settled = (blinded(one, letters) for one in (ratings, marks, settled))
        protocol = {name: value for name, value in protocol.items() if name not in ("run_ids", "training")} | {
            "runs": len(study.protocol.run_ids), "training_items": len(study.protocol.training),
        }  # fmt: skip
    return StudySource(
        study_id, study.protocol.title, study.state.value, blind, protocol, ratings, marks, settled, scores
    )


def source_version(store: Store, study_id: str) -> str:
    """Return a mark that changes whenever what :func:`read_source` returns may have changed."""
    return f"{store.studies.version(study_id)} {store.scores_version()}"


def find_study(store: Store, name: str) -> str:
    """Return the study of this id, or of this title where only one has it.

    Raises
    ------
    UnknownNameError
        If there is none.
    """
    ids = store.studies.study_ids()
    if name in ids:
        return name
    titled = [one for one in ids if read_study(store, one).protocol.title == name]
    if len(titled) == 1:
        return titled[0]
    raise UnknownNameError("study", name[:64], ids)


def _settled(store: Store, person: Person, study_id: str, ratings: pa.Table) -> pa.Table:
    facts = {
        generation: (model, setting)
        for generation, model, setting in zip(
            *(ratings[name].to_pylist() for name in ("generation_id", "model", "input_setting")), strict=True
        )
    }
    rows = []
    for one in settled_values(store, person, study_id):
        said = asdict(one)
        model, setting = facts.get(one.generation_id, ("", ""))
        said |= {"study": study_id, "patient": said.pop("case_id"), "model": model, "input_setting": setting}
        said["readers_values"] = " ".join(map(str, one.values))
        rows.append(said)
    return pa.Table.from_pylist(rows, schema=SETTLED)
