"""A small score sheet in a store, with numbers that can be added up by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pet2rep_core.records import POSITIVE_STATES, Generation, GenerationStatus, Language, Score
from pet2rep_core.scoring.clinical import clinical_signature
from pet2rep_core.scoring.nlg import METRICS
from pet2rep_core.store import CaseRow, RunRow, Store

LANGUAGE = Language.ENGLISH
CASES = ("c1", "c2", "c3", "c4")
CE = ("ce_precision", "ce_recall", "ce_f1")
DONE, EMPTY, CUT, REFUSED, FAILED = (
    GenerationStatus.DONE, GenerationStatus.EMPTY, GenerationStatus.CUT, GenerationStatus.REFUSED,
    GenerationStatus.FAILED,
)  # fmt: skip
# (tp, fp, fn) of increased, decreased, absent
PERFECT = ((1, 0, 0), (0, 0, 0), (0, 0, 0))
MISSED = ((0, 0, 1), (0, 0, 0), (0, 0, 0))


def add_cases(store: Store, cases: Sequence[str] = CASES, dataset: str = "small") -> None:
    for case_id in cases:
        store.record_case(CaseRow(case_id, dataset, "test", None, "0" * 64))


def add_entry(
    store: Store,
    model: str,
    values: Mapping[str, float | None],
    *,
    setting: str = "text-only",
    cells: Mapping[str, tuple[tuple[int, int, int], ...]] | None = None,
    statuses: Mapping[str, GenerationStatus] | None = None,
    parameters: Mapping[str, object] | None = None,
    prompt: str = "0",
    language: Language = LANGUAGE,
    agreement: str = "match",
    version: str = "",
    scored: bool = True,
) -> RunRow:
    """Record one run whose language scores have the given value in each case (all metrics the same)."""
    said = "-".join([model, setting, prompt, language.value, *map(str, (parameters or {}).values())])
    run = RunRow(f"r-{said}", model, setting, prompt * 64, language, dict(parameters or {}))
    store.record_run(run)
    for case_id, value in values.items():
        status = (statuses or {}).get(case_id, DONE)
        text = f"{model} {case_id}" if status in (DONE, CUT) else ""
        generation = Generation(f"g-{said}-{case_id}", run.run_id, case_id, model, language, status, text)
        store.record_generation(generation)
        if not scored:
            continue
        reason = "" if value is not None else "empty generation"
        scores = [Score(n, value, METRICS[n].signature(language) + version, reason) for n in METRICS]
        scores += [Score(name, value, clinical_signature(name, language), reason) for name in CE]
        counts = (cells or {}).get(case_id, PERFECT if value is not None else MISSED)
        classes = [
            {"state": state.value, "tp": tp, "fp": fp, "fn": fn}
            for state, (tp, fp, fn) in zip(POSITIVE_STATES, counts, strict=True)
        ]
        organs = [
            {"organ": "liver", "agreement": agreement, "reference": ["increased"], "generated": ["increased"]},
            {"organ": "lung", "agreement": "match", "reference": ["normal"], "generated": []},
        ]
        store.record_scores(generation.generation_id, scores, {"ce_f1": {"classes": classes, "organs": organs}})
    return run
