"""What each sentence of a report points at: organs with their side, SUVmax values, slices named by number.

Nothing is said here about uptake (see :mod:`pet2rep_core.report.uptake`); findings and impression are walked alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pet2rep_core.records import Language
from pet2rep_core.report.lexicon import read_lexicon
from pet2rep_core.report.mention_rules import RULES, SLICE_NUMBERS, MentionRules
from pet2rep_core.report.normalise import PlainText, normalise
from pet2rep_core.report.relative_sides import name_relative_sides
from pet2rep_core.report.suv_values import RawSuv, find_suv_values
from pet2rep_core.report.uptake_words import (
    NODE,
    OTHER,
    chinese_mentions,
    english_mentions,
    resolve_node,
    spans_between,
)
from pet2rep_core.report.uptake_words import Mention as Word

_WIDENED_BY = 48
"""Characters before an organ's word that its side and part may take."""

_CHEST_NODES = "thoracic_ln"


class Side(StrEnum):
    """Side of the patient."""

    LEFT = "left"
    RIGHT = "right"
    BILATERAL = "bilateral"


@dataclass(frozen=True, slots=True)
class OrganWord:
    """Words that name an organ, at [start, end) of the given text, with the side that stands by them.

    The span takes in side and part ("右肺上叶", "right upper lobe", "腰3椎体"). ``side`` is what the words say
    ("肝右叶" is right): a caller leaves it out for organs that are not paired. ``reference`` marks an organ that is
    named only to compare with, or to say what lies beside ("高于肝脏", "adjacent to the liver").
    """

    organ: str
    start: int
    end: int
    side: Side | None = None
    reference: bool = False


@dataclass(frozen=True, slots=True)
class SuvMax:
    """One stated SUVmax (g/mL), its number at [start, end) of the given text, and the organs it is most likely of.

    ``decimals`` is how many were printed; ``label_start`` where the label begins (``start`` itself for a further number
    of the same label). ``named_max`` is False for a bare "SUV"; ``earlier`` marks a value of an earlier study.
    ``organs`` may stand in the sentence before.
    """

    value: float
    decimals: int
    start: int
    end: int
    label_start: int
    named_max: bool
    earlier: bool
    organs: tuple[OrganWord, ...]


@dataclass(frozen=True, slots=True)
class NamedSlice:
    """Slices named by their numbers, ``first`` to ``last``, at [start, end) of the given text."""

    first: int
    last: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Mention:
    """One sentence, at [start, end) of the given text, that names an organ, an SUVmax or a slice."""

    start: int
    end: int
    organs: tuple[OrganWord, ...]
    suv_max: tuple[SuvMax, ...]
    slices: tuple[NamedSlice, ...]

    @property
    def side(self) -> Side | None:
        """Side of the sentence's organs, bilateral where they name both; None where they name none."""
        sides = {word.side for word in self.organs if word.side is not None and not word.reference}
        return next(iter(sides)) if len(sides) == 1 else Side.BILATERAL if sides else None


def find_mentions(text: str, language: Language) -> tuple[Mention, ...]:
    """Return the sentences that name something, in order; places are characters of the given text.

    Parameters
    ----------
    text : str
        A whole report or a part of it, as its author wrote it.
    language : Language
        Language of the report.
    """
    plain = name_relative_sides(normalise(text, language), language)
    rules = RULES[language]
    spot = chinese_mentions if language is Language.CHINESE else english_mentions
    found: list[Mention] = []
    known: list[Word] = []
    subject: tuple[OrganWord, ...] = ()
    of_nodes = False
    for start, end in spans_between(plain.text, rules.sentence_end, 0, len(plain.text)):
        heads = rules.node_heading.match(plain.text, start, end) is not None
        of_nodes = heads or (of_nodes and plain.text[start - 1] == ";")
        shown = _after_lead(plain.text, start, end, rules)
        words = _settle(plain.text, end, spot(plain.text, shown, end), known, rules, of_nodes=of_nodes)
        organs = _with_sides(plain.text, start, end, words, rules)
        values = find_suv_values(plain.text, start, end)
        slices = _slices(plain, start, end)
        if organs or values or slices:
            suv_max = _tied(plain, (start, end), values, organs, subject, rules)
            in_text = tuple(_in_original(word, plain) for word in organs)
            found.append(Mention(*_trimmed(plain, start, end), in_text, suv_max, slices))
        if words:
            known = words
            subject = tuple(_in_original(word, plain) for word in _last_run(plain.text, organs, rules))
    return tuple(found)


def _after_lead(text: str, start: int, end: int, rules: MentionRules) -> int:
    """Return where the findings begin in a sentence that opens with how the scan was done, else its start."""
    opening = [span for _, span in zip(range(2), spans_between(text, rules.clause_end, start, end), strict=False)]
    if not any(rules.lead.search(text, *span) for span in opening):
        return start
    shows = rules.shows.search(text, start, end)
    return end if shows is None else shows.end()


def _settle(
    text: str, end: int, raw: list[Word], known: list[Word], rules: MentionRules, *, of_nodes: bool
) -> list[Word]:
    """Return the words that name organs of the lexicon; bare lymph nodes get their region."""
    lexicon = read_lexicon().by_id
    has_node = of_nodes or any(word.organ == NODE for word in raw)
    settled: list[Word] = []
    for word in raw:
        alone = rules.region_alone.search(text, word.start, word.end) is not None
        if word.organ == OTHER:
            settled += [replace(word, organ=_CHEST_NODES)] if alone else []
            continue
        twin = any(w.start == word.start and w.near_node_only != word.near_node_only and w.organ != OTHER for w in raw)
        node_follows = rules.node_after.match(text, word.end, end) is not None
        if word.organ == NODE:
            if not any(lexicon[w.organ].nodes for w in settled):
                node = resolve_node(word, [*known, *settled])
                settled += [] if node is None else [node]
        elif word.near_node_only:
            if node_follows if twin else has_node or alone:
                settled.append(replace(word, near_node_only=False))
        elif not (twin and node_follows):
            settled.append(word)
    return list(dict.fromkeys(settled))


def _with_sides(text: str, start: int, end: int, words: list[Word], rules: MentionRules) -> list[OrganWord]:
    """Return the words widened to their side and part, words for one organ in a row joined."""
    organs: list[OrganWord] = []
    for number, word in enumerate(words):
        after_last = max([start, *(w.end for w in organs)])
        at, to = _widened(text, word, min(after_last, word.start), end, rules)
        previous = organs[-1] if organs else None
        if previous is not None and word.start < previous.end:
            # one word for two organs
            organs.append(replace(previous, organ=word.organ))
            continue
        following = next((w.start for w in words[number + 1 :] if w.start >= word.end), end)
        side = _side(text, after_last, word, min(following, end), rules)
        gap = "" if previous is None else text[previous.end : word.start]
        if previous is not None and previous.organ == word.organ and rules.joined.fullmatch(gap):
            within = _side_in(text, previous.end, word.end, rules)
            organs[-1] = replace(previous, end=to, side=previous.side or within or side)
            continue
        if side is None and previous is not None and _shares_side(text, previous, word, rules):
            side = previous.side
        reference = rules.reference.search(text[max(start, at - rules.side_reach) : at]) is not None
        organs.append(OrganWord(word.organ, at, to, side, reference))
    return organs


def _widened(text: str, word: Word, floor: int, end: int, rules: MentionRules) -> tuple[int, int]:
    at = word.start
    for pattern in (rules.number_before, rules.before) if word.organ == "bone" else (rules.before,):
        near = max(floor, at - _WIDENED_BY)
        match = pattern.search(text[near:at])
        at = at if match is None else near + match.start()
    part = rules.after.match(text, word.end, end)
    return at, word.end if part is None else part.end()


def _side(text: str, floor: int, word: Word, following: int, rules: MentionRules) -> Side | None:
    """Return the side that stands in the word or before it in its clause, else right after it."""
    floor = max(floor, word.start - rules.side_reach)
    for mark in rules.clause_end.finditer(text, floor, word.start):
        floor = mark.end()
    side = _side_in(text, floor, word.end, rules)
    if side is None and (after := rules.side_after.match(text, word.end, following)) is not None:
        side = side_named(after[1])
    return side


def _side_in(text: str, start: int, end: int, rules: MentionRules) -> Side | None:
    found = [m for m in rules.sides.finditer(text, start, end) if not in_closed_bracket(text, m.end(), end)]
    if not found:
        return None
    side = side_named(found[-1].group())
    if len(found) > 1 and rules.two_sides.fullmatch(text, found[-2].end(), found[-1].start()):
        # "the right 4th and left 7th ribs"
        return side if side_named(found[-2].group()) is side else Side.BILATERAL
    return side


def in_closed_bracket(text: str, at: int, end: int) -> bool:
    """Tell whether a bracket that is open at ``at`` closes before ``end``: what it holds is of the word before it."""
    closes = text.find(")", at, end)
    return closes >= 0 and text.find("(", at, closes) < 0


def side_named(word: str) -> Side:
    """Return the side that a word for a side names, in either language."""
    lower = word.lower()
    left = "左" in lower or "left" in lower or lower.startswith("l") or (lower[0].isdigit() and lower.endswith("l"))
    right = "右" in lower or "right" in lower or lower.startswith("r") or (lower[0].isdigit() and lower.endswith("r"))
    return Side.BILATERAL if left == right else Side.LEFT if left else Side.RIGHT


def _shares_side(text: str, previous: OrganWord, word: Word, rules: MentionRules) -> bool:
    if rules.midline.search(text[word.start : word.end]):
        return False
    organs = read_lexicon().by_id
    near = organs[previous.organ].zone is organs[word.organ].zone
    return near and rules.shares.fullmatch(text[previous.end : word.start]) is not None


def _tied(
    plain: PlainText,
    span: tuple[int, int],
    values: list[RawSuv],
    organs: list[OrganWord],
    subject: tuple[OrganWord, ...],
    rules: MentionRules,
) -> tuple[SuvMax, ...]:
    """Tie every value to the organs named before it, else to the first after it, else to those of the sentence before.

    "Respectively" ties each value to its own organ of a list of the same length.
    """
    if not values:
        return ()
    earlier = [match.span() for match in rules.earlier.finditer(plain.text, *span)]
    current = [value for value in values if not _within(value.start, earlier)]
    own = rules.respectively.search(plain.text, *span) is not None
    tied = []
    for value in values:
        run = _run_before(plain.text, organs, value.label_start, rules)
        targets = tuple(_in_original(word, plain) for word in run)
        if own and len(targets) == len(current) and value in current:
            targets = (targets[current.index(value)],)
        start, end = plain.span(value.start, value.end)
        tied.append(
            SuvMax(
                value=value.value,
                decimals=value.decimals,
                start=start,
                end=end,
                label_start=plain.origin[value.label_start],
                named_max=value.named_max,
                earlier=value.earlier or _within(value.start, earlier),
                organs=targets or subject,
            )
        )
    return tuple(tied)


def _run_before(text: str, organs: Sequence[OrganWord], at: int, rules: MentionRules) -> list[OrganWord]:
    named = [word for word in organs if not word.reference]
    before = [word for word in named if word.start < at]
    if not before:
        return named[:1]
    run = _last_run(text, before, rules)
    return list(dict.fromkeys(_telling(text, word, before, rules) for word in run))


def _telling(text: str, word: OrganWord, before: Sequence[OrganWord], rules: MentionRules) -> OrganWord:
    """Return the nearest word for the same organ that says where: "腰3椎体" for the "骨质" of the same sentence."""
    same = [w for w in reversed(before) if w.organ == word.organ and w.start <= word.start]
    return next((w for w in same if w.side or not rules.general.fullmatch(text[w.start : w.end])), word)


def _last_run(text: str, organs: Sequence[OrganWord], rules: MentionRules) -> list[OrganWord]:
    """Return the last list of organs: those with nothing but list words between them."""
    run: list[OrganWord] = []
    for word in reversed([word for word in organs if not word.reference]):
        if run and word.end <= run[0].start and not rules.lists.fullmatch(text[word.end : run[0].start]):
            break
        run.insert(0, word)
    return run


def _within(at: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= at < end for start, end in spans)


def _slices(plain: PlainText, start: int, end: int) -> tuple[NamedSlice, ...]:
    found = []
    for pattern in SLICE_NUMBERS:
        for match in pattern.finditer(plain.text, start, end):
            first = int(match["first"])
            last = int(match["last"]) if match["last"] else first
            found.append(NamedSlice(first, last, *plain.span(*match.span())))
    return tuple(sorted(found, key=lambda one: one.start))


def _in_original(word: OrganWord, plain: PlainText) -> OrganWord:
    start, end = plain.span(word.start, word.end)
    return replace(word, start=start, end=end)


def _trimmed(plain: PlainText, start: int, end: int) -> tuple[int, int]:
    part = plain.text[start:end]
    return plain.span(start + len(part) - len(part.lstrip()), start + len(part.rstrip()))
