"""Find the generated reports that went wrong: one table of all of them, and named filters over it.

Nothing is scored here. A filter asks stored scores and what stands behind them; a report without a score of the
present rules is under no filter that needs one, and is counted apart.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import pandas as pd

from pet2rep_core.errors import UnknownNameError
from pet2rep_core.records import GenerationStatus, Language, Person
from pet2rep_core.report.lexicon import read_lexicon
from pet2rep_core.scoring.checks import CHECKS, FROM_CELLS
from pet2rep_core.scoring.claims import ValueStatus
from pet2rep_core.scoring.clinical import Agreement, clinical_signature
from pet2rep_core.scoring.nlg import METRICS
from pet2rep_core.scoring.profiles import DEFAULT_PROFILE, ReportPart, find_profile
from pet2rep_core.store import Store
from pet2rep_core.workflow.permissions import OWNER, RESEARCH, require

CE, NLG = "ce_f1", "rougeL"
MOST_COPIED = 0.5
"""Share of a report's letters in sentences of its template from which the template counts as copied."""
HIGH_NLG, LOW_CE = 0.6, 0.5
"""ROUGE-L from which and CE F1 up to which a report reads well and is wrong."""
SAME = 0.9995
"""ROUGE-L from which a report is the reference word for word."""
PAGE_SIZE = 12

Rows: TypeAlias = pd.DataFrame
Asked: TypeAlias = "pd.Series[bool]"
Group = Literal["content", "text", "ended", "order"]

_WITH_REPORT = (GenerationStatus.DONE.value, GenerationStatus.CUT.value)
_WRONG_VALUES = (ValueStatus.INVENTED.value, ValueStatus.OTHER_ORGAN.value)
# Lists of organs that a filter asks for: the scores behind it, and what has become of the organ (None: whatever).
# An organ counts as missed where the findings leave it out, even if the impression names it, and likewise as invented.
_ORGANS: Mapping[str, tuple[tuple[str, tuple[str, ...] | None], ...]] = MappingProxyType(
    {
        "missed": ((CE, (Agreement.MISSED.value,)), ("omissions", None)),
        "invented": ((CE, (Agreement.INVENTED.value,)), ("hallucinations", None)),
        "other_state": ((CE, (Agreement.DIFFERS.value,)),),
        "wrong_side": (("laterality_errors", None),),
        "wrong_suvmax": (("suvmax_f1", _WRONG_VALUES),),
        "wrong_size": (("size_f1", _WRONG_VALUES),),
    }
)


@dataclass(frozen=True, slots=True)
class FailureFilter:
    """One question to the table of all generated reports.

    Parameters
    ----------
    id : str
        Stands in the address of a view, and in the keys of its texts.
    holds : (rows, organ or None) -> series of bool
        Which rows it keeps.
    sort, ascending
        Column by which the worst comes first.
    numbers : tuple of str
        Columns to show beside a report that it found.
    by_organ : bool
        Whether it may be asked of one organ.
    """

    id: str
    group: Group
    holds: Callable[[Rows, str | None], Asked]
    sort: str
    ascending: bool = False
    numbers: tuple[str, ...] = (CE, NLG)
    by_organ: bool = False


def _organ_filter(name: str, *numbers: str) -> FailureFilter:
    def holds(rows: Rows, organ: str | None) -> Asked:
        if organ is None:
            return rows[f"n_{name}"] > 0
        return rows[name].map(lambda organs: organ in organs).astype(bool)

    return FailureFilter(name, "content", holds, f"n_{name}", numbers=(*numbers, CE), by_organ=True)


def _counted(name: str, group: Group, column: str, *numbers: str, least: float = 1) -> FailureFilter:
    return FailureFilter(
        name, group, lambda rows, _: rows[column] >= least, column, numbers=(column, *(numbers or (CE,)))
    )


def _ended(status: GenerationStatus) -> FailureFilter:
    return FailureFilter(
        status.value, "ended", lambda rows, _: rows["status"] == status.value, "characters", numbers=("characters",)
    )


FILTERS: Mapping[str, FailureFilter] = MappingProxyType(
    {
        one.id: one
        for one in (
            _organ_filter("missed", "omissions"),
            _organ_filter("invented", "hallucinations"),
            _organ_filter("other_state"),
            _organ_filter("wrong_side", "laterality_errors"),
            _organ_filter("wrong_suvmax", "suvmax_f1"),
            _organ_filter("wrong_size", "size_f1"),
            _counted("contradiction", "content", "contradictions"),
            _counted("patient", "content", "metadata_conflicts"),
            FailureFilter(
                "fluent_wrong", "content",
                lambda rows, _: (rows[NLG] >= HIGH_NLG) & (rows[CE] <= LOW_CE), "gap", numbers=(NLG, CE),
            ),
            _counted("template", "text", "template_copy", NLG, CE, least=MOST_COPIED),
            _counted("slots", "text", "slots_left"),
            _counted("identity", "text", "fabricated_identity"),
            _counted("verbatim", "text", NLG, CE, least=SAME),
            _ended(GenerationStatus.EMPTY),
            _ended(GenerationStatus.CUT),
            _ended(GenerationStatus.REFUSED),
            _ended(GenerationStatus.FAILED),
            FailureFilter("worst_ce", "order", lambda rows, _: rows[CE].notna(), CE, ascending=True),
            FailureFilter(
                "longest", "order", lambda rows, _: rows["characters"] > 0, "characters", numbers=("characters", CE)
            ),
            FailureFilter(
                "shortest", "order", lambda rows, _: rows["characters"] > 0, "characters", ascending=True,
                numbers=("characters", CE),
            ),
        )
    }
)  # fmt: skip
"""Every filter: adding one is one row here and two texts (``failures.filter_…`` and ``failures.help_…``)."""

_NUMBERS = (CE, NLG, *(name for name in CHECKS if name != "reference_contradictions"))


@dataclass(frozen=True, slots=True, eq=False)
class FailureTable:
    """All generated reports, one row each; read it, never write to it. ``version`` is that of the store's scores.

    Columns: ``generation_id``, ``case_id``, ``dataset``, ``run_id``, ``model``, ``label``, ``input_setting``,
    ``language``, ``status``, ``error``, ``characters``, ``beginning`` (of its text), ``has_report``, ``scored``; the
    scores by name, NaN where there is none; ``gap`` (ROUGE-L less CE F1); for each filter that may be asked of an
    organ its organs and, as ``n_…``, how many.
    """

    rows: Rows
    version: str

    @property
    def unscored(self) -> int:
        """Reports without scores of the present rules."""
        return int((~self.rows["scored"]).sum())

    def values(self, column: str) -> tuple[str, ...]:
        """Return what there is to choose from in a column."""
        return tuple(sorted(self.rows[column].unique()))


@dataclass(frozen=True, slots=True)
class FailureView:
    """What a researcher looks at: filters that must all hold, one order, and which reports at all.

    Empty tuples stand for all. It is written into and read from the address of a page.
    """

    filters: tuple[str, ...] = ()
    organ: str | None = None
    order: str = ""
    models: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    page: int = field(default=1)


_CHOICES = {"models": ("model", "label"), "languages": ("reports", "language"), "datasets": ("dataset", "dataset")}
"""Field of a view: its name in the address, and the column of the table."""
VIEW_KEYS = ("filter", "organ", "order", "page", *(key for key, _ in _CHOICES.values()))


def read_view(address: Mapping[str, Sequence[str]], table: FailureTable) -> FailureView:
    """Read a view from the parts of an address that are ours (:data:`VIEW_KEYS`).

    Raises
    ------
    UnknownNameError
        If it names a filter, an organ, a model or a dataset that there is not: such a link shows nothing rather
        than something else.
    """
    filters = tuple(address.get("filter", ()))
    for name in filters:
        _refuse_unknown("filter", name, (one.id for one in FILTERS.values() if one.group != "order"))
    order = next(iter(address.get("order", ())), "")
    if order:
        _refuse_unknown("order", order, (one.id for one in FILTERS.values() if one.group == "order"))
    organ = next(iter(address.get("organ", ())), None)
    if organ is not None:
        _refuse_unknown("organ", organ, (one.id for one in read_lexicon().organs))
    chosen = {}
    for name, (key, column) in _CHOICES.items():
        chosen[name] = tuple(address.get(key, ()))
        for value in chosen[name]:
            _refuse_unknown(key, value, table.values(column))
    page = next(iter(address.get("page", ())), "1")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1
    return FailureView(tuple(dict.fromkeys(filters)), organ, order, **chosen, page=max(1, number))


def write_view(view: FailureView) -> dict[str, list[str]]:
    """Return a view as parts of an address; :func:`read_view` gives the same view again."""
    parts = {
        "filter": list(view.filters),
        "organ": [view.organ] if view.organ else [],
        "order": [view.order] if view.order else [],
        "page": [str(view.page)] if view.page > 1 else [],
    }
    parts |= {key: list(getattr(view, name)) for name, (key, _) in _CHOICES.items()}
    return {key: values for key, values in parts.items() if values}


def read_failures(store: Store, *, person: Person = OWNER) -> FailureTable:
    """Read all generations and their scores into one table; not for raters."""
    require(person, RESEARCH)
    version = store.scores_version()
    rows: Rows = store.generations_table().to_pandas()
    rows["label"] = _labels(rows)
    scores: Rows = store.score_organs_table().to_pandas()
    columns = {line: column for language in Language for line, column in _signatures(language).items()}
    scores = scores.assign(
        column=scores["signature"].map({line: column for line, (column, _) in columns.items()}),
        place=scores["signature"].map({line: place for line, (_, place) in columns.items()}),
    )
    scores = scores[scores["column"].notna()]
    # what a person corrected counts before what was read; where all corrections were withdrawn it has no value
    scores = scores[(scores["place"] == 0) | scores["value"].notna()]
    scores = scores.sort_values("place", kind="stable").drop_duplicates(["generation_id", "column"], keep="last")
    wide = scores.pivot(index="generation_id", columns="column", values="value").reindex(columns=list(_NUMBERS))
    rows = rows.join(wide.astype(float).set_axis(wide.index.astype(object)), on="generation_id")
    rows["scored"] = rows["generation_id"].isin(scores.loc[scores["column"] == CE, "generation_id"])
    rows["gap"] = rows[NLG] - rows[CE]
    # what ended without a report has filters of its own: that it misses everything says nothing
    rows["has_report"] = rows["status"].isin(_WITH_REPORT) & (rows["characters"] > 0)
    scores = scores[scores["generation_id"].isin(rows.loc[rows["has_report"], "generation_id"])]
    for name, sources in _ORGANS.items():
        found = [_organs(scores[scores["column"] == column], kinds) for column, kinds in sources]
        rows[name] = [
            tuple(dict.fromkeys(organ for of_source in found for organ in of_source.get(one, ())))
            for one in rows["generation_id"]
        ]
        rows[f"n_{name}"] = rows[name].map(len).astype(int)
    return FailureTable(rows, version)


def select_failures(table: FailureTable, view: FailureView) -> Rows:
    """Return the rows of a view, the worst first: by its order, else by the first of its filters."""
    rows = table.rows[_kept(table, view)]
    chosen = [FILTERS[name] for name in ((view.order,) if view.order else ()) + view.filters]
    if not chosen:
        return rows
    return rows.sort_values(
        [*(one.sort for one in chosen), "case_id"],
        ascending=[*(one.ascending for one in chosen), True],
        kind="stable",
        na_position="last",
    )


def count_failures(table: FailureTable, view: FailureView) -> dict[str, int]:
    """Return, for each filter, how many rows there are with it and all that the view asks besides."""
    kept = _kept(table, view)
    inside = table.rows[kept]
    counts = {}
    for name, one in FILTERS.items():
        counts[name] = len(inside) if name in view.filters else int(one.holds(inside, view.organ).sum())
    return counts


def page_of(rows: Rows, view: FailureView) -> tuple[Rows, FailureView, int]:
    """Return the rows of the view's page, the view with a page that there is, and how many pages there are."""
    pages = max(1, -(-len(rows) // PAGE_SIZE))
    number = min(view.page, pages)
    return rows.iloc[(number - 1) * PAGE_SIZE : number * PAGE_SIZE], replace(view, page=number), pages


def numbers_of(view: FailureView) -> tuple[str, ...]:
    """Return the columns that matter for a view."""
    chosen = [FILTERS[name].numbers for name in (*view.filters, *((view.order,) if view.order else ()))]
    return tuple(dict.fromkeys(name for names in (chosen or [(CE, NLG)]) for name in names))


def _kept(table: FailureTable, view: FailureView) -> Asked:
    rows = table.rows
    kept = pd.Series(data=True, index=rows.index, dtype=bool)
    for name, (_, column) in _CHOICES.items():
        if values := getattr(view, name):
            kept &= rows[column].isin(values)
    for name in (*view.filters, *((view.order,) if view.order else ())):
        kept &= FILTERS[name].holds(rows, view.organ)
    return kept


def _signatures(language: Language) -> dict[str, tuple[str, int]]:
    """Return the signatures that count: their column, and 1 for those that a person corrected."""
    profile = find_profile(DEFAULT_PROFILE)
    found = {METRICS[NLG].signature(language, profile, ReportPart.FULL): (NLG, 0)}
    for place, overruled in enumerate((False, True)):
        found[clinical_signature(CE, language, overruled=overruled)] = (CE, place)
        for name, metric in CHECKS.items():
            if not overruled or name in FROM_CELLS:
                found[metric.signature(language, overruled=overruled)] = (name, place)
    return {line: (column, place) for line, (column, place) in found.items() if column in _NUMBERS}


def _organs(scores: Rows, kinds: tuple[str, ...] | None) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for generation, organs, of_organs in zip(scores["generation_id"], scores["organs"], scores["kinds"], strict=True):
        if organs is None or not len(organs):
            continue
        if kinds is None:
            found[generation] = tuple(dict.fromkeys(organs))
        elif wanted := [o for o, kind in zip(organs, of_organs, strict=True) if kind in kinds]:
            found[generation] = tuple(dict.fromkeys(wanted))
    return found


def _labels(rows: Rows) -> list[str]:
    """Return the models' names, with those parameters in which runs of one model differ."""
    runs = rows.drop_duplicates("run_id")
    facts = {run: json.loads(text) for run, text in zip(runs["run_id"], runs["parameters"], strict=True)}
    told: dict[str, set[str]] = {}
    for model, ids in runs.groupby("model")["run_id"]:
        told[str(model)] = _differing([facts[one] for one in ids])
    names = {}
    for run, model in zip(runs["run_id"], runs["model"], strict=True):
        said = [f"{key}={facts[run][key]}" for key in sorted(told[model]) if key in facts[run]]
        names[run] = f"{model} ({', '.join(said)})" if said else model
    return [names[run] for run in rows["run_id"]]


def _differing(facts: Iterable[Mapping[str, Any]]) -> set[str]:
    values: dict[str, set[str]] = {}
    for one in facts:
        for key, value in one.items():
            values.setdefault(key, set()).add(json.dumps(value, sort_keys=True))
    # the prompt differs with the language and the case, which are told apart anyhow
    return {key for key, found in values.items() if len(found) > 1 and not key.startswith("prompt")}


def _refuse_unknown(kind: str, name: str, known: Iterable[str]) -> None:
    names = tuple(known)
    if name not in names:
        raise UnknownNameError(kind, name, names)
