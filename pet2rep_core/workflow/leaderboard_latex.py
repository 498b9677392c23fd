"""A leaderboard as a LaTeX table with booktabs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pet2rep_core.workflow.leaderboard import OVERALL, OVERALL_OF, BoardRow, Leaderboard
from pet2rep_core.workflow.leaderboard_table import reason_of

SIGNIFICANT = 0.05
_HEADS = {
    "bleu4": "BLEU-4", "meteor": "METEOR", "rougeL": "ROUGE-L", "ce_precision": "P", "ce_recall": "R", "ce_f1": "F1",
    OVERALL: "Overall",
}  # fmt: skip
_SPECIAL = {
    "[": "{[}",  # at the start of a line it would belong to the line break before it
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    **{character: "\\" + character for character in "&%$#_{}"},
}  # fmt: skip


def escape_latex(text: str) -> str:
    """Return a text that LaTeX prints letter by letter; line breaks become spaces."""
    return "".join(_SPECIAL.get(character, character) for character in " ".join(text.split()))


def latex_table(board: Leaderboard) -> str:
    """Return a leaderboard as ``tabular``, in the columns of Table 1: Overall in per cent, the best of each in bold.

    The line below a model has the 95 % intervals. A star marks a significant difference of Overall to the
    template (Holm). Needs the package booktabs.
    """
    names = (*OVERALL_OF, OVERALL)
    best = {
        name: max((v for row in board.rows if (v := _value(row, name)) is not None), default=None) for name in names
    }
    lines = [
        *_remarks(board),
        r"\begin{tabular}{llr" + "r" * len(names) + "}",
        r"\toprule",
        r" & & & \multicolumn{3}{c}{NLG} & \multicolumn{3}{c}{CE} & \\",
        r"\cmidrule(lr){4-6} \cmidrule(lr){7-9}",
        r"Model & Input & Cases & " + " & ".join(_HEADS[name] for name in names) + r" \\",
        r"\midrule",
    ]
    for row in board.rows:
        cells = [_number(row, name, best[name]) for name in names]
        head = [escape_latex(row.entry.label), escape_latex(row.entry.input_setting), f"{row.cases}/{board.cases}"]
        lines.append(" & ".join([*head, *cells]) + r" \\")
        lines.append(" & ".join(["", "", "", *(_span(row, name) for name in names)]).strip() + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _remarks(board: Leaderboard) -> Sequence[str]:
    chosen = board.selection
    return (
        f"% PET2Rep Review: language {chosen.language.value}, profile {chosen.profile}, part {chosen.part.value}.",
        f"% Brackets: {round(100 * board.level)} % bootstrap intervals over cases, {board.resamples} resamples, "
        f"seed {board.seed}.",
        f"% Star: Overall differs from the template, Holm-corrected p < {SIGNIFICANT}.",
        *(f"% {name}: {board.signatures[name]}" for name in (*OVERALL_OF, OVERALL) if name in board.signatures),
        *(
            f"% {' '.join(row.entry.label.split())}, no {name}: {reason_of(row.cells[name])}"
            for row in board.rows
            for name in (*OVERALL_OF, OVERALL)
            if name in row.cells and row.cells[name].interval.value is None
        ),
    )


def _value(row: BoardRow, name: str) -> float | None:
    return row.cells[name].interval.value if name in row.cells else None


def _shown(name: str) -> Callable[[float], str]:
    return (lambda value: f"{100 * value:.1f}") if name == OVERALL else (lambda value: f"{value:.4f}")


def _number(row: BoardRow, name: str, best: float | None) -> str:
    value = _value(row, name)
    if value is None:
        return "--"
    text = _shown(name)(value)
    if best is not None and text == _shown(name)(best):
        text = rf"\textbf{{{text}}}"
    p_holm = row.cells[name].p_holm
    return text + ("$^{*}$" if name == OVERALL and p_holm is not None and p_holm < SIGNIFICANT else "")


def _span(row: BoardRow, name: str) -> str:
    if name not in row.cells:
        return ""
    interval = row.cells[name].interval
    if interval.low is None or interval.high is None:
        return ""
    return rf"{{\tiny [{_shown(name)(interval.low)}, {_shown(name)(interval.high)}]}}"
