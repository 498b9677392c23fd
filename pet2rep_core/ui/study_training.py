"""Choose the training items of a new study, and enter what experts agreed on for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from pet2rep_core.study.protocol import PASS_MARK, TrainingItem
from pet2rep_core.study.rubric import VALUES
from pet2rep_core.ui.formats import NONE
from pet2rep_core.ui.frame import Page
from pet2rep_core.ui.tables import run_names

_MOST_TRAINING = 20
_NAMED = 3


@dataclass(frozen=True, slots=True)
class Training:
    """The training items whose consensus is whole, all cases that were chosen, and what is still to be entered."""

    items: tuple[TrainingItem, ...] = ()
    case_ids: tuple[str, ...] = ()
    missing: str = ""


def choose_training(page: Page, case_ids: Sequence[str], run_ids: Sequence[str]) -> Training:
    """Let cases be taken out for training, each with a run, the consensus and a word to the reader.

    No score stands there before somebody entered it: readers are admitted by their distance from these.
    """
    say = page.text
    with st.expander(say("studies.training_title")):
        st.caption(say("studies.training_help"))
        left, right = st.columns([3, 1])
        cases = left.multiselect(
            say("studies.training_cases"),
            list(case_ids),
            key="new-training",
            max_selections=_MOST_TRAINING,
            placeholder=say("studies.nothing"),
        )
        right.slider(
            say("studies.pass_mark"), 0, 100, round(100 * PASS_MARK), 5, format="%d %%", key="new-pass-mark",
            help=say("studies.pass_mark_help"),
        )  # fmt: skip
        if not cases or not run_ids:
            return Training()
        names = run_names(page, [run for run in page.server.store.runs() if run.run_id in run_ids])
        shown = {name: run_id for run_id, name in names.items()}
        return read_training(page, _edited(page, cases, list(shown)), shown)


def _edited(page: Page, cases: Sequence[str], runs: Sequence[str]) -> pd.DataFrame:
    """Return the table of the consensus as it was filled in; its columns are run, the dimensions, and feedback."""
    say = page.text
    dimensions = [one.name[page.language] for one in page.server.rubric.dimensions]
    table = pd.DataFrame(
        {
            say("studies.training_run"): [runs[0]] * len(cases),
            **{name: pd.array([None] * len(cases), "Int64") for name in dimensions},
            say("studies.feedback"): [""] * len(cases),
        },
        index=pd.Index(cases, name=say("review.case")),
    )
    low, high = VALUES[0], VALUES[-1]
    number = st.column_config.NumberColumn(min_value=low, max_value=high, step=1, required=True)
    return st.data_editor(
        table,
        key=f"new-consensus-{'|'.join(cases)}-{len(runs)}",
        width="stretch",
        placeholder=NONE,
        column_config={
            say("studies.training_run"): st.column_config.SelectboxColumn(options=list(runs), required=True),
            **dict.fromkeys(dimensions, number),
        },
    )


def read_training(page: Page, edited: pd.DataFrame, runs: Mapping[str, str]) -> Training:
    """Return the training items of a filled table, and in words what it lacks.

    Parameters
    ----------
    runs : mapping of str to str
        Run by the name that the table shows.
    """
    say = page.text
    names = {one.key: one.name[page.language] for one in page.server.rubric.dimensions}
    items, lacking = [], []
    for case_id, row in edited.iterrows():
        absent = [name for name in names.values() if pd.isna(row[name])]
        if absent:
            lacking.append(say("studies.consensus_of", case=str(case_id), dimensions=", ".join(absent)))
            continue
        items.append(
            TrainingItem(
                case_id=str(case_id),
                run_id=runs[row[say("studies.training_run")]],
                consensus={key: int(row[name]) for key, name in names.items()},
                feedback=str(row[say("studies.feedback")] or ""),
            )
        )
    missing = ""
    if lacking:
        more = ["…"] if len(lacking) > _NAMED else []
        missing = say("studies.consensus_missing", what="; ".join([*lacking[:_NAMED], *more]))
    return Training(tuple(items), tuple(str(case_id) for case_id in edited.index), missing)
