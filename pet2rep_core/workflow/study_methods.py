"""The paragraph of a paper that says how a study was done, filled with its own numbers, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pet2rep_core import __version__
from pet2rep_core.records import Language
from pet2rep_core.scoring.statistics import RESAMPLES
from pet2rep_core.study.rubric import read_rubric
from pet2rep_core.workflow.study_latex import dimension_name
from pet2rep_core.workflow.study_results import ALL_READERS, StudyResults

_RANGES = (("icc_2_k", "icc_2_k_shared"), ("weighted_kappa",), ("krippendorff_alpha",), ("gwet_ac2",))


def methods_text(results: StudyResults, protocol: Mapping[str, Any], language: Language) -> str:
    """Return the methods of a study in sentences.

    Parameters
    ----------
    protocol : mapping
        What was decided before the first reading: design, seed, repeats, staged reveal; what is not there is not said.
    """
    parts = _chinese(results, protocol) if language is Language.CHINESE else _english(results, protocol)
    return ("" if language is Language.CHINESE else " ").join(part for part in parts if part)


def methods_document(results: StudyResults, protocol: Mapping[str, Any]) -> str:
    """Return the methods in both languages as one Markdown text, with the signatures of the numbers."""
    signatures = list(
        dict.fromkeys(one.signature for found in results.agreement.values() for one in found.statistics.values())
    )
    lines = [
        "# Methods", "", methods_text(results, protocol, Language.ENGLISH), "",
        "# 方法", "", methods_text(results, protocol, Language.CHINESE), "",
        "# Signatures", "", *(f"    {one}" for one in signatures), "",
    ]  # fmt: skip
    return "\n".join(lines)


def _english(results: StudyResults, protocol: Mapping[str, Any]) -> list[str]:
    counts, plan = results.counts, results.plan
    names = _listed([dimension_name(one).lower() for one in results.dimensions])
    blocks = protocol.get("design") == "blocks"
    settings = len({one.input_setting for one in results.arms if one.input_setting})
    design = (
        f"Reports were given out in balanced incomplete blocks, {protocol.get('per_item')} readers a report."
        if blocks
        else "Readers rated independently of each other."
    )
    repeats = (
        f"{counts.repeats} readings were hidden repeats, at least {protocol['repeat_gap']} items after the first."
        if counts.repeats and "repeat_gap" in protocol
        else f"{counts.repeats} readings were hidden repeats." if counts.repeats else ""
    )  # fmt: skip
    return [
        f"{_many(counts.readers, 'reader')} rated {_many(counts.reports, 'generated report')} of "
        f"{_many(counts.patients, 'patient')}, written by {_many(len(results.arms), 'model configuration')}"
        + (f" ({_many(settings, 'input setting')})" if settings else "")
        + f", blinded to the models ({_many(counts.ratings, 'rating')}).",
        design,
        f"Each report was rated from 1 to 5 for {names}, with printed anchors "
        f"(rubric {', '.join(results.rubric_versions) or 'unknown'}); {counts.not_assessable} answers were "
        "'not assessable'.",
        f"The texts were shown as they were written; {counts.giveaways} of {_many(counts.reports, 'report')} had "
        f"words or signs that tell something of their author (table of give-aways {', '.join(results.leaks_versions)})."
        if results.leaks_versions
        else "",
        "Readers first rated with the images alone, then with the reference report; the final ratings are analysed."
        if counts.staged
        else "",
        repeats,
        f"The order of the items was drawn with seed {protocol['seed']}." if "seed" in protocol else "",
        f"The median time for an item was {counts.seconds_per_item:.0f} s without idle time."
        if counts.seconds_per_item is not None
        else "",
        "Agreement is given as mean pairwise quadratic weighted kappa, ICC(2,1) and ICC(2,k) (two-way random effects, "
        "absolute agreement), Krippendorff's alpha (ordinal), Gwet's AC2 (quadratic weights), and the shares of exact "
        "agreement and of agreement within one point.",
        _ranges_english(results),
        f"Intervals ({round(100 * plan.level)} %) are percentile bootstrap intervals over patients "
        f"({plan.resamples} resamples, seed {plan.seed}).",
        f"Models were compared on patient means by paired permutation tests ({RESAMPLES} draws, exact where there are "
        "fewer permutations), with Holm's correction over all comparisons of a dimension."
        if len(results.arms) > 1
        else "",
        f"Statistics were computed with PET2Rep Review {__version__}.",
    ]


def _chinese(results: StudyResults, protocol: Mapping[str, Any]) -> list[str]:
    counts, plan = results.counts, results.plan
    names = "、".join(dimension_name(one, Language.CHINESE) for one in results.dimensions)
    design = (
        f"采用平衡不完全区组设计，每份报告由 {protocol.get('per_item')} 名阅片者评分"
        if protocol.get("design") == "blocks"
        else "各阅片者独立评分"
    )
    settings = len({one.input_setting for one in results.arms if one.input_setting})
    gap = f"，与首次评分至少间隔 {protocol['repeat_gap']} 份" if "repeat_gap" in protocol else ""
    return [
        f"{counts.readers} 名阅片者对 {counts.patients} 例患者的 {counts.reports} 份生成报告进行评分，报告来自 "
        f"{len(results.arms)} 种模型配置"
        + (f"（{settings} 种输入方式）" if settings else "")
        + f"；{design}，且对模型设盲（共 {counts.ratings} 次评分）。",
        f"每份报告从{names} {len(results.dimensions)} 个维度按 1–5 分评定，各分值附有文字锚点"
        f"（评分标准版本 {'、'.join(results.rubric_versions) or '未知'}）；{counts.not_assessable} 项为“无法评估”。",
        f"报告文本原样显示；{counts.reports} 份报告中有 {counts.giveaways} 份含有可能泄露来源的用语或符号"
        f"（泄露线索词表版本 {'、'.join(results.leaks_versions)}）。"
        if results.leaks_versions
        else "",
        "阅片者先仅根据图像评分，随后显示参考报告并给出最终评分；分析采用最终评分。" if counts.staged else "",
        f"其中 {counts.repeats} 次为隐藏的重复评分{gap}。" if counts.repeats else "",
        f"评分顺序由随机种子 {protocol['seed']} 生成。" if "seed" in protocol else "",
        f"每份报告的中位有效用时为 {counts.seconds_per_item:.0f} 秒。" if counts.seconds_per_item is not None else "",
        "阅片者间一致性采用两两二次加权 kappa 的均值、ICC(2,1) 与 ICC(2,k)（双向随机效应，绝对一致）、"
        "Krippendorff α（有序）、Gwet AC2（二次加权），以及完全一致率和相差不超过 1 分的比例。",
        _ranges_chinese(results),
        f"{round(100 * plan.level)}% 置信区间按患者进行百分位自助法估计（重抽样 {plan.resamples} 次，"
        f"随机种子 {plan.seed}）。",
        f"模型间比较基于患者均值的配对置换检验（抽样 {RESAMPLES} 次，排列数较少时为精确检验），"
        "并在每个维度内进行 Holm 校正。"
        if len(results.arms) > 1
        else "",
        f"统计分析由 PET2Rep Review {__version__} 完成。",
    ]


def _ranges(results: StudyResults) -> dict[str, tuple[float, float]]:
    """Return the smallest and the largest value over the dimensions; of the ICC, that of shared items where needed."""
    found = {}
    for names in _RANGES:
        values: list[float] = []
        for one in results.agreement.values():
            value = next((v for name in names if (v := one.statistics[name].value) is not None), None)
            values += [] if value is None else [value]
        if values:
            found[names[0]] = (min(values), max(values))
    again = [
        value
        for found_by in results.repeats.values()
        if (value := found_by[ALL_READERS]["weighted_kappa"].value) is not None
    ]
    if again:
        found["repeats"] = (min(again), max(again))
    return found


_NAMES_EN = {
    "icc_2_k": "ICC(2,k)", "weighted_kappa": "weighted kappa", "krippendorff_alpha": "alpha", "gwet_ac2": "AC2",
    "repeats": "weighted kappa of the repeats",
}  # fmt: skip
_NAMES_ZH = {**_NAMES_EN, "weighted_kappa": "加权 kappa", "krippendorff_alpha": "α", "repeats": "重复评分的加权 kappa"}


def _ranges_english(results: StudyResults) -> str:
    said = [f"{_NAMES_EN[name]} {low:z.2f} to {high:z.2f}" for name, (low, high) in _ranges(results).items()]
    return f"Over the dimensions these were: {'; '.join(said)}." if said else ""


def _ranges_chinese(results: StudyResults) -> str:
    said = [f"{_NAMES_ZH[name]} 为 {low:z.2f}–{high:z.2f}" for name, (low, high) in _ranges(results).items()]
    return f"各维度的范围：{'；'.join(said)}。" if said else ""


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def _many(count: int, one: str) -> str:
    return f"{count} {one}" if count == 1 else f"{count} {one}s"


def rubric_facts() -> dict[str, Any]:
    """Return the rubric of this installation with all anchors, for a manifest."""
    rubric = read_rubric()
    return {
        "version": rubric.version,
        "dimensions": [
            {
                "key": one.key,
                "name": {language.value: text for language, text in one.name.items()},
                "question": {language.value: text for language, text in one.question.items()},
                "anchors": {
                    str(value): {language.value: text for language, text in anchor.items()}
                    for value, anchor in sorted(one.anchors.items())
                },
            }
            for one in rubric.dimensions
        ],
    }
