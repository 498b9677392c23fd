"""Text of others (reports, model output, file names) is shown as text, never as HTML or Markdown."""

from __future__ import annotations

import html
import re
import unicodedata

_MARKDOWN = re.compile(r"([!-/:-@\[-`{-~])")
_KEPT_CONTROLS = "\n\t"


def escape_markdown(text: str) -> str:
    """Return a text that Streamlit's Markdown shows letter by letter."""
    return _MARKDOWN.sub(r"\\\1", _visible(text)).replace("\n", "  \n")


def report_html(text: str, *, language: str, label: str) -> str:
    """Return a report as inert HTML in a box that scrolls; line breaks are kept."""
    body = html.escape(_visible(text))
    # The box has a name and takes the focus, so that it scrolls by keyboard.
    return (
        f'<div role="region" tabindex="0" aria-label="{html.escape(label)}" lang="{html.escape(language)}" '
        f'class="p2r-report">{body}</div>'
    )


def _visible(text: str) -> str:
    """Replace control and direction marks by their code, so that nothing hides or turns the words around it."""

    def shown(character: str) -> str:
        if character in _KEPT_CONTROLS or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co"):
            return character
        return "" if character == "\r" else f"\u2039U+{ord(character):04X}\u203a"

    return "".join(map(shown, text))
