"""One generated report in the grid of failures, as inert HTML."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import pandas as pd

from pet2rep_core.records import GenerationStatus, Language
from pet2rep_core.report.lexicon import organ_name
from pet2rep_core.ui.frame import LANGUAGE_NAMES, Page
from pet2rep_core.ui.names import label_name, setting_name
from pet2rep_core.ui.plain import visible
from pet2rep_core.workflow.flags import Flag

_MOST_FLAGS = 4
_MOST_LETTERS = 120
_MOST_QUOTED = 60
COUNTS = frozenset(
    ("omissions", "hallucinations", "laterality_errors", "contradictions", "metadata_conflicts", "slots_left",
     "fabricated_identity", "reference_contradictions", "characters")
)  # fmt: skip
STYLE = """
<style>
.p2r-tile { display: flex; gap: 0.8rem; min-height: 13.5rem; font-size: 0.85rem; line-height: 1.4; }
.p2r-tile .p2r-seen { flex: 0 0 5.6rem; height: 13.5rem; background: #000; color: #bbb; border-radius: 3px;
  display: flex; align-items: center; justify-content: center; text-align: center; overflow: hidden; }
.p2r-tile .p2r-seen img { width: 100%; height: 100%; object-fit: contain; }
.p2r-tile .p2r-told { flex: 1 1 0; min-width: 0; overflow-wrap: anywhere; }
.p2r-tile .p2r-name { font-weight: 600; }
.p2r-tile .p2r-of { opacity: 0.75; }
.p2r-tile .p2r-numbers { display: flex; flex-wrap: wrap; gap: 0 0.9rem; margin: 0.3rem 0;
  font-variant-numeric: tabular-nums; }
.p2r-tile .p2r-numbers b { font-weight: 600; }
.p2r-tile ul { margin: 0; padding-left: 1.1rem; }
.p2r-tile .p2r-told ul > li { margin: 0 0 0.15rem; font-size: 0.85rem; line-height: 1.4; }
.p2r-tile q { font-style: italic; }
.p2r-tile .p2r-status { border: 1px solid currentColor; border-radius: 3px; padding: 0 0.3rem; }
.p2r-cards { display: flex; gap: 0.6rem; white-space: nowrap; font-size: 0.85rem; }
.p2r-cards a { color: inherit; }
</style>
"""


class Say(Protocol):
    """Gives a text of the interface in one language."""

    def __call__(self, key: str, **values: object) -> str:
        """Return the text with its placeholders filled."""


def tile_html(
    page: Page,
    row: Mapping[str, Any],
    flags: Sequence[Flag],
    *,
    picture: str | None,
    numbers: Sequence[str],
    first: Sequence[str] = (),
) -> str:
    """Return what a researcher sees of one report at a glance.

    Parameters
    ----------
    row : mapping
        Its row of the table of failures.
    picture : str or None
        Address of what the model saw.
    numbers : sequence of str
        Columns to show.
    first : sequence of str
        Kinds of flags that stand before the others: those that were asked for.
    """
    case = _plain(str(row["case_id"]))
    seen = _plain(page.text("failures.no_picture"))
    if picture is not None:
        alt = _plain(page.text("failures.picture_of", case=row["case_id"]))
        seen = f'<img src="{html.escape(picture)}" alt="{alt}" loading="lazy">'
    language = LANGUAGE_NAMES[Language(row["language"])]
    of = " · ".join(map(_plain, (str(row["dataset"]), language, setting_name(page, str(row["input_setting"])))))
    name = label_name(page, str(row["model"]), str(row["label"]))
    told = "".join(
        f"<span>{_plain(page.text(f'failures.number_{name}'))} <b>{number_text(name, row[name])}</b></span>"
        for name in numbers
        if not pd.isna(row[name])
    )
    return (
        f'<div class="p2r-tile"><div class="p2r-seen">{seen}</div><div class="p2r-told">'
        f'<div class="p2r-name">{case} · {_plain(name)}</div><div class="p2r-of">{of}</div>'
        f'<div class="p2r-numbers">{told}</div>{_ended(page, row)}{_flags_html(page, flags, row, first)}'
        "</div></div>"
    )


def flag_line(say: Say, language: Language, flag: Flag) -> tuple[str, str]:
    """Return a flag in one sentence, and its words."""
    kind = say(f"failures.filter_{flag.kind}")
    words = " … ".join(one.text for one in flag.words)
    if flag.organ is None:
        return kind, words
    organ = organ_name(flag.organ, language)
    if flag.reference or flag.generated:
        there, here = (
            "/".join(say(f"state.{one}") for one in said) or say("failures.not_stated")
            for said in (flag.reference, flag.generated)
        )
        # the first words are those of the report that states more
        first = flag.words[0].text if flag.words else ""
        return say("failures.flag_state", organ=organ, reference=there, generated=here), first
    return f"{organ} · {kind}", words


def number_text(name: str, value: float) -> str:
    """Return a number of the table as it is shown: counts whole, shares with three places."""
    return f"{value:.0f}" if name in COUNTS else f"{value:.3f}"


def in_order(flags: Iterable[Flag], first: Sequence[str]) -> list[Flag]:
    """Return flags with the kinds that were asked for in front."""
    return sorted(flags, key=lambda flag: first.index(flag.kind) if flag.kind in first else len(first))


def _ended(page: Page, row: Mapping[str, Any]) -> str:
    if row["status"] == GenerationStatus.DONE.value:
        return ""
    status = _plain(page.text(f"failures.filter_{row['status']}"))
    error = _plain(_short(str(row["error"])))
    return f'<div><span class="p2r-status">{status}</span> {error}</div>'


def _flags_html(page: Page, flags: Sequence[Flag], row: Mapping[str, Any], first: Sequence[str]) -> str:
    if not flags:
        words = _short(" ".join(str(row["beginning"]).split())) or page.text("failures.nothing_found")
        return f"<div>{_plain(words)}</div>"
    lines = []
    for flag in in_order(flags, first)[:_MOST_FLAGS]:
        said, words = flag_line(page.text, page.language, flag)
        quoted = f" <q>{_plain(_short(words, _MOST_QUOTED))}</q>" if words else ""
        lines.append(f"<li>{_plain(said)}{quoted}</li>")
    more = len(flags) - _MOST_FLAGS
    rest = f"<div>{_plain(page.text('failures.more_flags', n=more))}</div>" if more > 0 else ""
    return f"<ul>{''.join(lines)}</ul>{rest}"


def _short(text: str, most: int = _MOST_LETTERS) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _plain(text: str) -> str:
    return html.escape(visible(text))
