"""Where a text names organs, and the parts that the uptake rules of both languages share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache

from pet2rep_core.records import Language, UptakeState
from pet2rep_core.report.lexicon import read_lexicon
from pet2rep_core.report.normalise import BLANK

NODE = "lymph-node"
"""Pseudo organ of a bare "lymph node", until its region is known."""

OTHER = "other-structure"
"""Pseudo organ of a structure without a row in the lexicon: it takes its statements away from the others."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A word that names an organ, at [start, end) of the plain text."""

    organ: str
    start: int
    end: int
    near_node_only: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """Words that state uptake, at [start, end) of the plain text; state None only uses the words up."""

    state: UptakeState | None
    start: int
    end: int
    rule: str


@dataclass(frozen=True, slots=True)
class Link:
    """A statement and the mention it is about."""

    statement: Statement
    mention: Mention


@dataclass(slots=True)
class Reading:
    """What is read in a normalised text: statements with their mentions, every organ named, the sentences.

    ``earlier`` are the places of words about earlier studies. ``named`` leaves out organs that are
    only landmarks, comparators, removed or of the history.
    """

    links: list[Link] = field(default_factory=list)
    named: list[Mention] = field(default_factory=list)
    sentences: list[tuple[int, int]] = field(default_factory=list)
    earlier: list[tuple[int, int]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Group:
    """Organs named together; ``clear`` where the text says that nothing is there."""

    mentions: tuple[Mention, ...]
    clear: bool = False


@dataclass(frozen=True, slots=True)
class _Word:
    organs: tuple[str, ...]
    near_node: tuple[str, ...]


_JUNCTION = re.compile(r"junction|交界|结合部|连接部|\b(?:ge|eg|go|og)j\b", re.IGNORECASE)
_BESIDE_JUNCTION = {"esophagus", "stomach"}


def _by_first_letter(patterns: Iterable[str]) -> str:
    """Return one alternation, parted by first letter: only words that begin as the text does are tried there."""
    rest: dict[str, list[str]] = {}
    for pattern in patterns:
        rest.setdefault(pattern[0], []).append(pattern[1:])
    return "|".join(f"{letter}(?:{'|'.join(tails)})" for letter, tails in rest.items())


@cache
def _chinese_table() -> tuple[re.Pattern[str], dict[str, _Word]]:
    lexicon = read_lexicon()
    always: dict[str, list[str]] = {}
    near: dict[str, list[str]] = {}
    for organ in lexicon.organs:
        for word in organ.words[Language.CHINESE]:
            always.setdefault(word, []).append(organ.id)
        for word in organ.near_node_words[Language.CHINESE]:
            near.setdefault(word, []).append(organ.id)
    for word in lexicon.other_structures[Language.CHINESE]:
        always.setdefault(word, []).append(OTHER)
    table = {word: _Word(tuple(always.get(word, ())), tuple(near.get(word, ()))) for word in {*always, *near}}
    for word in lexicon.not_organs[Language.CHINESE]:
        table.setdefault(word, _Word((), ()))
    words = _by_first_letter(sorted(map(re.escape, table), key=lambda w: (-len(w), w)))
    number = r"(?:(?<![A-Za-z0-9])[CTLS]|[颈胸腰骶])\d{1,2}(?:[-/~][CTLS]?\d{1,2})?"
    level = rf"{number}(?:椎体?)?(?:及其?|[左右双]侧)*附件|{number}(?![A-Za-z0-9期区组.])(?!水平|层面|平面|cm|mm)"
    return re.compile(rf"(?P<word>{words})|(?P<node>淋巴结)|(?P<level>{level})"), table


_JUNCTION_LIST = re.compile(
    r"[、,/及和与至累侵犯并、向延伸上下段]{1,6}|,? ?(?:and|or|to|/|with|into|involving|extending(?: in)?to"
    r"|(?:and|or) the)?"
    r"(?: (?:the|distal|lower|proximal|adjacent|gastric|lesser|upper|mid))* ?",
    re.IGNORECASE,
)


def _settle_junctions(clause: str, found: list[Mention]) -> list[Mention]:
    """Return the mentions with a word for two neighbours left to one, where that one stands in a list beside it.

    "Gastro-oesophageal junction" is oesophagus and stomach; in "junction and distal oesophagus" it is oesophagus alone.
    """
    if not _JUNCTION.search(clause):
        return found
    kept = list(found)
    for mention in found:
        both = {m.organ for m in found if m.start == mention.start} == _BESIDE_JUNCTION
        if not both or mention not in kept:
            continue
        beside = {
            m.organ
            for m in found
            if m.organ in _BESIDE_JUNCTION
            and m.start != mention.start
            and _JUNCTION_LIST.fullmatch(
                clause, *sorted((m.end, mention.start) if m.end <= mention.start else (mention.end, m.start))
            )
        }
        if len(beside) == 1:
            kept = [m for m in kept if m.start != mention.start or m.organ in beside]
    return kept


def chinese_mentions(text: str, start: int, end: int) -> list[Mention]:
    """Return every organ word of [start, end), longest word first; node regions are marked as such."""
    return [_moved(mention, start) for mention in _chinese_mentions(text[start:end])]


def _moved(mention: Mention, by: int) -> Mention:
    return Mention(mention.organ, mention.start + by, mention.end + by, mention.near_node_only)


@lru_cache(maxsize=8192)
def _chinese_mentions(clause: str) -> tuple[Mention, ...]:
    pattern, table = _chinese_table()
    found: list[Mention] = []
    for match in pattern.finditer(clause):
        if match["node"]:
            found.append(Mention(NODE, *match.span()))
        elif match["level"]:
            if not match["level"].startswith("S") or clause.startswith("椎", match.end()):
                found.append(Mention("bone", *match.span()))
        else:
            word = table[match["word"]]
            found.extend(Mention(organ, *match.span()) for organ in word.organs)
            found.extend(Mention(organ, *match.span(), near_node_only=True) for organ in word.near_node)
    return tuple(_settle_junctions(clause, found))


def _english_pattern(word: str) -> str:
    return re.escape(word).replace(r"\*", "[a-z]*").replace(r"\ ", r"[ \n]+")


@cache
def _english_rows() -> tuple[tuple[str, str, bool], ...]:
    lexicon = read_lexicon()
    rows = [(word, "", False) for word in lexicon.not_organs[Language.ENGLISH]]
    rows.extend((word, OTHER, False) for word in lexicon.other_structures[Language.ENGLISH])
    for organ in lexicon.organs:
        rows.extend((word, organ.id, False) for word in organ.words[Language.ENGLISH])
        rows.extend((word, organ.id, True) for word in organ.near_node_words[Language.ENGLISH])
    return tuple(sorted(rows, key=lambda row: (-len(row[0]), row[0])))


@cache
def _english_finder() -> re.Pattern[str]:
    words = _by_first_letter(dict.fromkeys(_english_pattern(word) for word, _, _ in _english_rows()))
    return re.compile(
        r"(?<![a-z])(?:(?P<node>lymph[- ]?nodes?|lymphadenopath[a-z]*|adenopath[a-z]*|nodes?|nodal)"
        rf"|(?P<word>{words})|(?P<level>(?:[clt]\d{{1,2}}|s1)(?:[-/](?:[clts]?\d{{1,2}}))?))"
        rf"(?![a-z0-9])",
        re.IGNORECASE,
    )


@lru_cache(maxsize=4096)
def _english_meaning(found: str) -> tuple[tuple[str, bool], ...]:
    """Return the organs of the longest lexicon word that reads as ``found``, and whether it needs a node."""
    plain = " ".join(found.split())
    fitting = [row for row in _english_rows() if _reads_as(row[0], plain)]
    if not fitting:
        return ()
    length = len(fitting[0][0])
    return tuple((organ, near) for word, organ, near in fitting if len(word) == length and organ)


def _reads_as(word: str, found: str) -> bool:
    if "*" not in word:
        return word == found
    head, _, tail = word.partition("*")
    if not found.startswith(head):
        return False
    if not tail:
        return found[len(head) :].isalpha() or found == head
    return re.fullmatch(_english_pattern(word), found) is not None


def english_mentions(text: str, start: int, end: int) -> list[Mention]:
    """Return every organ word of [start, end), longest word first; node regions are marked as such."""
    return [_moved(mention, start) for mention in _english_mentions(text[start:end])]


@lru_cache(maxsize=8192)
def _english_mentions(clause: str) -> tuple[Mention, ...]:
    found: list[Mention] = []
    for match in _english_finder().finditer(clause):
        if match["node"]:
            found.append(Mention(NODE, *match.span()))
        elif match["level"]:
            found.append(Mention("bone", *match.span()))
        else:
            meanings = _english_meaning(match["word"].lower())
            found.extend(Mention(organ, *match.span(), near_node_only=near) for organ, near in meanings)
    return tuple(_settle_junctions(clause, found))


def resolve_node(mention: Mention, known: Iterable[Mention]) -> Mention | None:
    """Return a bare "lymph node" as the group of its region: the nearest group named before, else its zone."""
    lexicon = read_lexicon()
    before = list(known)
    for other in reversed(before):
        if other.organ in lexicon.by_id and lexicon.by_id[other.organ].nodes:
            return Mention(other.organ, mention.start, mention.end)
    for other in reversed(before):
        if other.organ in lexicon.by_id:
            group = lexicon.nodes_of_zone.get(lexicon.by_id[other.organ].zone)
            if group:
                return Mention(group, mention.start, mention.end)
    return None


def drop_link(links: list[Link], link: Link) -> bool:
    """Take a link that was added lately out of a list; False where it is not in it."""
    for place in range(len(links) - 1, -1, -1):
        if links[place] is link or links[place] == link:
            del links[place]
            return True
    return False


def blank(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return the text with these spans made unreadable, at the same length."""
    characters = list(text)
    for start, end in spans:
        characters[start:end] = BLANK * (end - start)
    return "".join(characters)


def spans_between(
    text: str, separator: re.Pattern[str], start: int, end: int, *, longest: int = 2000
) -> Iterator[tuple[int, int]]:
    """Yield the places of the parts of text[start:end] that a separator cuts; empty parts are left out.

    A part of more than ``longest`` characters is cut again, so that time grows no faster than the text.
    """
    at = start
    for match in separator.finditer(text, start, end):
        stop = match.start()
        while stop - at > longest:
            yield at, at + longest
            at += longest
        if at < stop:
            yield at, stop
        at = match.end()
    while end - at > longest:
        yield at, at + longest
        at += longest
    if at < end:
        yield at, end
