"""Text of others (reports, model output, file names) is shown as text, never as HTML or Markdown."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence
from typing import Protocol

_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")
_KEPT_CONTROLS = "\n\t"


def escape_markdown(text: str) -> str:
    """Return a text that Streamlit's Markdown shows letter by letter."""
    return _MARKDOWN.sub(r"\\\1", _visible(text)).replace("\n", "  \n")


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


def report_html(text: str, *, language: str, label: str, places: Sequence[Clickable] = ()) -> str:
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
    """
    parts: list[str] = []
    at = 0
    for number, place in enumerate(places):
        title = html.escape(_visible(place.label))
        point = ",".join(f"{part:.2f}" for part in place.point)
        words = html.escape(_visible(text[place.start : place.end]))
        parts.append(html.escape(_visible(text[at : place.start])))
        parts.append(
            f'<span role="button" tabindex="{0 if number == 0 else -1}" class="p2r-place" '
            f'data-point="{point}" data-plane="{html.escape(place.plane)}" title="{title}">{words}</span>'
        )
        at = place.end
    parts.append(html.escape(_visible(text[at:])))
    # The box has a name and takes the focus, so that it scrolls by keyboard.
    return (
        f'<div role="region" tabindex="0" aria-label="{html.escape(label)}" lang="{html.escape(language)}" '
        f'class="p2r-report">{"".join(parts)}</div>'
    )


def _visible(text: str) -> str:
    """Replace control and direction marks by their code, so that nothing hides or turns the words around it."""

    def shown(character: str) -> str:
        if character in _KEPT_CONTROLS or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co"):
            return character
        return "" if character == "\r" else f"\u2039U+{ord(character):04X}\u203a"

    return "".join(map(shown, text))
