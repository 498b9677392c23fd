"""The tables of a study for a paper: LaTeX with booktabs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pet2rep_core.records import Language
from pet2rep_core.scoring.nlg import METRICS
from pet2rep_core.study.agreement import STATISTICS
from pet2rep_core.study.estimates import Estimate
from pet2rep_core.study.rubric import read_rubric
from pet2rep_core.workflow.leaderboard_latex import SIGNIFICANT, escape_latex
from pet2rep_core.workflow.study_results import StudyResults
from pet2rep_core.workflow.study_validity import DimensionValidity

STATISTIC_NAMES = {
    "weighted_kappa": r"Weighted $\kappa$ (quadratic)", "icc_2_1": "ICC(2,1)", "icc_2_k": "ICC(2,$k$)",
    "icc_2_1_shared": "ICC(2,1), shared items", "icc_2_k_shared": "ICC(2,$k$), shared items",
    "krippendorff_alpha": r"Krippendorff $\alpha$ (ordinal)", "gwet_ac2": "Gwet AC2 (quadratic)",
    "gwet_ac2_ordinal": "Gwet AC2 (ordinal)", "exact": "Exact agreement", "within_one": "Within one point",
}  # fmt: skip
_CLINICAL = {
    "ce_precision": "CE precision", "ce_recall": "CE recall", "ce_f1": "CE F1", "ce_f1_macro": "CE F1 (class mean)",
}  # fmt: skip
_NONE = "--"


def latex_tables(results: StudyResults, validity: Mapping[str, DimensionValidity]) -> str:
    """Return summaries, agreement, comparisons and metrics as four ``tabular``; needs the package booktabs."""
    parts = [_summaries(results), _agreement(results)]
    if any(results.comparisons.values()):
        parts.append(_comparisons(results))
    if any(one.metrics for one in validity.values()):
        parts.append(_validity(results, validity))
    head = [
        f"% PET2Rep Review, reader study {_plain(results.study)}.",
        f"% Brackets: {round(100 * results.plan.level)} % percentile bootstrap intervals over patients, "
        f"{results.plan.resamples} resamples, seed {results.plan.seed}.",
        "% A dash is a number that cannot be had; the CSV export says why.",
    ]
    if results.blind:
        head.append("% The study is not unblinded: models are letters.")
    return "\n".join([*head, "", "\n".join(parts)])


def dimension_name(key: str, language: Language = Language.ENGLISH) -> str:
    """Return what a dimension of the rubric is called; one that it does not have keeps its key."""
    rubric = read_rubric()
    return rubric.dimension(key).name[language] if key in rubric.keys else key


def metric_label(name: str) -> str:
    """Return what a paper calls a metric; one that we do not know keeps its name."""
    return METRICS[name].label if name in METRICS else _CLINICAL.get(name, name)


def _summaries(results: StudyResults) -> str:
    columns = "ll" + "r" * len(results.dimensions)
    lines = [
        "% Mean and standard deviation, median and quartiles, share of 4 and 5, number of ratings.",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _row(["Model", "", *(escape_latex(dimension_name(one)) for one in results.dimensions)]),
        r"\midrule",
    ]
    for arm in results.arms:
        found = [results.summaries[one, arm.key] for one in results.dimensions]
        facts: list[tuple[str, list[str]]] = [
            ("Mean (SD)", [_two(one.mean, one.sd) for one in found]),
            ("Median [IQR]", [_quartiles(one.q1, one.median, one.q3) for one in found]),
            (r"$\geq 4$, \%", [_NONE if one.good_share is None else f"{100 * one.good_share:.0f}" for one in found]),
            ("$n$", [str(one.n) for one in found]),
        ]
        for at, (name, cells) in enumerate(facts):
            lines.append(_row([escape_latex(arm.label) if at == 0 else "", name, *cells]))
    return _closed(lines)


def _agreement(results: StudyResults) -> str:
    lines = [
        "% Agreement of the readers.",
        rf"\begin{{tabular}}{{l{'c' * len(results.dimensions)}}}",
        r"\toprule",
        _row(["Statistic", *(escape_latex(dimension_name(one)) for one in results.dimensions)]),
        r"\midrule",
    ]
    for name in STATISTICS:
        cells = [_estimate(results.agreement[one].statistics[name]) for one in results.dimensions]
        lines.append(_row([STATISTIC_NAMES[name], *cells]))
    signed = [f"% {one.signature}" for one in results.agreement[results.dimensions[0]].statistics.values()] if (
        results.dimensions
    ) else []  # fmt: skip
    return _closed([*signed, *lines])


def _comparisons(results: StudyResults) -> str:
    lines = [
        f"% First less second, means over patients; a star marks Holm-corrected p < {SIGNIFICANT}.",
        r"\begin{tabular}{lllrrr}",
        r"\toprule",
        _row(["Dimension", "First", "Second", "Difference", "$p$ (Holm)", "$d_z$"]),
        r"\midrule",
    ]
    for dimension, found in results.comparisons.items():
        for at, one in enumerate(found):
            star = "$^{*}$" if one.p_holm is not None and one.p_holm < SIGNIFICANT else ""
            span = _span(one.difference.value, one.difference.low, one.difference.high)
            lines.append(
                _row(
                    [
                        escape_latex(dimension_name(dimension)) if at == 0 else "", escape_latex(one.first.label),
                        escape_latex(one.second.label), span + star, _p_value(one.p_holm),
                        _NONE if one.effect is None else f"{one.effect:z.2f}",
                    ]
                )
            )  # fmt: skip
    return _closed(lines)


def _validity(results: StudyResults, validity: Mapping[str, DimensionValidity]) -> str:
    names = list(dict.fromkeys(one.name for found in validity.values() for one in found.metrics))
    shown = [one for one in results.dimensions if one in validity]
    lines = [
        "% Kendall's tau-b of every metric with the mean of the readers; the last line is one reader with the others.",
        rf"\begin{{tabular}}{{l{'c' * len(shown)}}}",
        r"\toprule",
        _row([r"Metric, $\tau_b$", *(escape_latex(dimension_name(one)) for one in shown)]),
        r"\midrule",
    ]
    for name in names:
        cells = []
        for dimension in shown:
            one = next((one for one in validity[dimension].metrics if one.name == name), None)
            cells.append(_NONE if one is None else _estimate(one.measures["tau_b"]))
        lines.append(_row([escape_latex(metric_label(name)), *cells]))
    lines += [r"\midrule", _row(["One reader", *(_estimate(validity[one].ceiling.mean["tau_b"]) for one in shown)])]
    return _closed(lines)


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _closed(lines: Sequence[str]) -> str:
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _estimate(one: Estimate) -> str:
    return _span(one.value, one.low, one.high)


def _span(value: float | None, low: float | None, high: float | None) -> str:
    if value is None:
        return _NONE
    number = _signed(value)
    return number if low is None or high is None else f"{number} [{_signed(low)}, {_signed(high)}]"


def _signed(value: float) -> str:
    text = f"{value:z.2f}"
    return f"${text}$" if text.startswith("-") else text


def _two(mean: float | None, sd: float | None) -> str:
    if mean is None:
        return _NONE
    return f"{mean:.2f}" if sd is None else f"{mean:.2f} ({sd:.2f})"


def _quartiles(q1: float | None, median: float | None, q3: float | None) -> str:
    return _NONE if median is None or q1 is None or q3 is None else f"{median:g} [{q1:g}, {q3:g}]"


def _p_value(p: float | None) -> str:
    if p is None:
        return _NONE
    return "$<0.001$" if p < 0.001 else f"{p:.3f}"


def _plain(text: str) -> str:
    return " ".join(text.split())
