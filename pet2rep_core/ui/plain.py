"""Text of others (reports, model output, file names) is shown as text, never as HTML or Markdown."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")
_KEPT_CONTROLS = "\n\t"


def escape_markdown(text: str) -> str:
    """Return a text that Streamlit's Markdown shows letter by letter."""
    return _MARKDOWN.sub(r"\\\1", visible(text)).replace("\n", "  \n")


class Clickable(Protocol):
    """Words of a text that lead somewhere: [start, end) of the text as given, and where, in one sentence."""

    @property
    def start(self) -> int:
        """First character."""

    @property
    def end(self) -> int:
        """One past the last character."""

    @property
    def point(self) -> tuple[float, float, float]:
        """Grid coordinates to go to."""

    @property
    def plane(self) -> str:
        """Plane that shows it best."""

    @property
    def label(self) -> str:
        """Where they lead."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Words of a text to be marked: [start, end) of the text as given, the kind of mark, and why in one sentence."""

    start: int
    end: int
    kind: str
    label: str


def report_html(
    text: str, *, language: str, label: str, places: Sequence[Clickable] = (), marks: Sequence[Mark] = ()
) -> str:
    """Return a report as inert HTML in a box that scrolls; line breaks are kept.

    Parameters
    ----------
    text : str
        The report; it is shown letter by letter.
    language : str
        ``zh`` or ``en``, for screen readers.
    label : str
        Name of the box.
    places : sequence, optional
        Words to click on, in order and not overlapping. Each becomes a button of the class ``p2r-place`` with
        its point (grid coordinates) and plane around its words; what a click does is up to the viewer. Only the
        first is a stop of the Tab key.
    marks : sequence, optional
        Words to mark, such as the evidence of a score; where two overlap the one that begins first counts. Each
        becomes a ``mark`` of the class ``p2r-<kind>``, which the style sheet tells apart by more than colour.
    """
    body = "".join(_pieces(text, places, marks))
    # The box has a name and takes the focus, so that it scrolls by keyboard.
    return (
        f'<div role="region" tabindex="0" aria-label="{html.escape(label)}" lang="{html.escape(language)}" '
        f'class="p2r-report">{body}</div>'
    )


def _pieces(text: str, places: Sequence[Clickable], marks: Sequence[Mark]) -> Iterator[str]:
    """Cut a text where a place or a mark begins or ends, and dress each piece."""
    marks = _apart(marks)
    cuts = {0, len(text)}
    ends = [(place.start, place.end) for place in places] + [(mark.start, mark.end) for mark in marks]
    cuts |= {min(cut, len(text)) for pair in ends for cut in pair}
    next_place = next_mark = 0
    tab_stop = True
    for start, end in pairwise(sorted(cuts)):
        while next_mark < len(marks) and marks[next_mark].end <= start:
            next_mark += 1
        while next_place < len(places) and places[next_place].end <= start:
            next_place += 1
        piece = html.escape(visible(text[start:end]))
        if next_mark < len(marks) and marks[next_mark].start <= start:
            piece = _mark_html(piece, marks[next_mark])
        if next_place < len(places) and places[next_place].start <= start:
            piece = _place_html(piece, places[next_place], tab_stop=tab_stop)
            tab_stop = False
        yield piece


def _apart(marks: Sequence[Mark]) -> list[Mark]:
    """Return marks in order, without those that overlap one before."""
    kept: list[Mark] = []
    for mark in sorted(marks, key=lambda one: one.start):
        if mark.end > mark.start and (not kept or kept[-1].end <= mark.start):
            kept.append(mark)
    return kept


def _mark_html(words: str, mark: Mark) -> str:
    title = html.escape(visible(mark.label))
    return f'<mark class="p2r-{html.escape(mark.kind)}" title="{title}">{words}</mark>'


def _place_html(words: str, place: Clickable, *, tab_stop: bool) -> str:
    point = ",".join(f"{part:.2f}" for part in place.point)
    return (
        f'<span role="button" tabindex="{0 if tab_stop else -1}" class="p2r-place" data-point="{point}" '
        f'data-plane="{html.escape(place.plane)}" title="{html.escape(visible(place.label))}">{words}</span>'
    )


def visible(text: str) -> str:
    """Replace control and direction marks by their code, so that nothing hides or turns the words around it."""

    def shown(character: str) -> str:
        if character in _KEPT_CONTROLS or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co"):
            return character
        return "" if character == "\r" else f"\u2039U+{ord(character):04X}\u203a"

    return "".join(map(shown, text))
