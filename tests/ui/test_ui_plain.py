"""Text of others stays text: laws of the two functions that show it."""

from __future__ import annotations

import re
import string
import unicodedata
from html.parser import HTMLParser
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pet2rep_core.ui.plain import Mark, escape_markdown, report_html

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


class _Words(NamedTuple):
    start: int
    end: int
    label: str
    point: tuple[float, float, float] = (1.0, 2.25, 3.5)
    plane: str = "axial"


@given(
    st.one_of(st.text(min_size=1), st.lists(st.sampled_from(ATTACKS), min_size=1).map("".join)),
    st.lists(st.integers(0, 60), min_size=2, max_size=8, unique=True),
    st.one_of(st.text(), st.sampled_from(ATTACKS)),
)
def test_words_to_click_on_are_buttons_and_the_text_stays_text(text: str, cuts: list[int], label: str) -> None:
    ends = [min(cut, len(text)) for cut in sorted(cuts)]
    places = [_Words(a, b, label) for a, b in zip(ends[::2], ends[1::2], strict=False)]
    places = [place for place in places if place.end > place.start]
    seen = _Seen()
    seen.feed(report_html(text, language="zh", label="Report", places=places))
    seen.close()
    assert [tag for tag, _ in seen.tags] == ["div"] + ["span"] * len(places)
    assert seen.ends == ["span"] * len(places) + ["div"]
    assert seen.other == []
    for number, (_, attributes) in enumerate(seen.tags[1:]):
        assert set(attributes) == {"role", "tabindex", "class", "data-point", "data-plane", "title"}
        assert attributes["role"] == "button"
        assert attributes["tabindex"] == ("0" if number == 0 else "-1")
        assert (attributes["class"], attributes["data-point"]) == ("p2r-place", "1.00,2.25,3.50")
        assert attributes["title"] == "".join(map(_shown, label))
    assert seen.text == "".join(map(_shown, text))


def test_a_place_is_around_its_own_words() -> None:
    page = report_html("a <b> c", language="en", label="R", places=[_Words(2, 5, '"><script>')])
    assert page.endswith(
        'class="p2r-report">a <span role="button" tabindex="0" class="p2r-place" data-point="1.00,2.25,3.50" '
        'data-plane="axial" title="&quot;&gt;&lt;script&gt;">&lt;b&gt;</span> c</div>'
    )
    assert report_html("a", language="en", label="R", places=()) == report_html("a", language="en", label="R")


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


def test_marks_and_places_may_cut_each_other() -> None:
    marks = [Mark(4, 8, "match", "said & meant"), Mark(6, 9, "missed", "later one"), Mark(0, 1, "invented", "first")]
    page = report_html("abcdefghij", language="en", label="R", places=[_Words(2, 6, "there")], marks=marks)
    target = 'data-point="1.00,2.25,3.50" data-plane="axial" title="there"'
    place = '<span role="button" tabindex="{}" class="p2r-place" ' + target + ">"
    mark = '<mark class="p2r-match" title="said &amp; meant">'
    body = page[page.index('report">') + 8 : -6]
    assert body == (
        '<mark class="p2r-invented" title="first">a</mark>b'
        + place.format(0) + "cd</span>" + place.format(-1) + mark + "ef</mark></span>" + mark + "gh</mark>ij"
    )  # fmt: skip
