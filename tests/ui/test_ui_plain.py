"""Text of others stays text: laws of the two functions that show it."""

from __future__ import annotations

import re
import string
import unicodedata
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pet2rep_core.ui.plain import escape_markdown, report_html

PUNCTUATION = re.escape(string.punctuation)


class _Seen(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ends: list[str] = []
        self.other: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.ends.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_comment(self, data: str) -> None:
        self.other.append(data)

    handle_decl = handle_pi = unknown_decl = handle_comment


def _parse(text: str, *, label: str = "Report") -> _Seen:
    seen = _Seen()
    seen.feed(report_html(text, language="zh", label=label))
    seen.close()
    return seen


ATTACKS = [
    "<img src=x onerror=alert(1)>",
    "</div><script>alert(1)</script>",
    "<!-- x",
    "<![CDATA[x]]>",
    "&lt;b&gt;",
    '"><b>',
]


@given(st.one_of(st.text(), st.sampled_from(ATTACKS), st.lists(st.sampled_from(ATTACKS)).map("".join)))
def test_a_report_is_one_box_with_its_text_in_it(text: str) -> None:
    seen = _parse(text)
    assert [tag for tag, _ in seen.tags] == ["div"]
    assert seen.ends == ["div"]
    assert seen.other == []
    assert set(seen.tags[0][1]) == {"role", "tabindex", "aria-label", "lang", "class"}
    # Marks that turn or hide text are shown by their number, carriage returns go; all else is as it was.
    assert seen.text == "".join(map(_shown, text))


def _shown(character: str) -> str:
    if character in "\n\t" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co"):
        return character
    return "" if character == "\r" else f"‹U+{ord(character):04X}›"


@given(st.text())
def test_the_label_of_a_report_cannot_leave_its_attribute(label: str) -> None:
    seen = _parse("x", label=f'"><b>{label}')
    assert [tag for tag, _ in seen.tags] == ["div"]
    assert set(seen.tags[0][1]) == {"role", "tabindex", "aria-label", "lang", "class"}


@given(st.text(st.characters(exclude_categories=("Cc", "Cf", "Cs", "Co"))))
def test_markdown_is_escaped_to_the_letter(text: str) -> None:
    escaped = escape_markdown(text)
    assert re.sub(rf"\\([{PUNCTUATION}])", r"\1", escaped) == text
    assert not re.search(rf"[{PUNCTUATION}]", re.sub(rf"\\[{PUNCTUATION}]", "", escaped))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**b** $x$", r"\*\*b\*\* \$x\$"),
        (":red[x]", r"\:red\[x\]"),
        ("a\nb", "a  \nb"),
        ("a\r\nb", "a  \nb"),
        ("\u202eb", r"‹U\+202E›b"),
        ("a\x00b", r"a‹U\+0000›b"),
        ("\u200b", r"‹U\+200B›"),
        ("影像所见：FDG", "影像所见：FDG"),
    ],
)
def test_markdown_table(text: str, shown: str) -> None:
    assert escape_markdown(text) == shown
