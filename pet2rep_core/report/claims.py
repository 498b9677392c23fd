"""Ties sides, SUVmax values and sizes to the organs whose uptake a text states.

A side counts where uptake is positive. A value belongs to the organ whose statement carries it: the statement
or the organ named last before the value, and in a sentence without either that of the sentence before.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pet2rep_core.records import POSITIVE_STATES, Language, UptakeState
from pet2rep_core.report.claim_rules import RULES, ClaimRules
from pet2rep_core.report.lexicon import read_lexicon
from pet2rep_core.report.mention_rules import RULES as MENTION_RULES
from pet2rep_core.report.mentions import Mention as Sentence
from pet2rep_core.report.mentions import Side, find_mentions, side_named
from pet2rep_core.report.normalise import PlainText
from pet2rep_core.report.relative_sides import name_relative_sides
from pet2rep_core.report.sizes import find_sizes
from pet2rep_core.report.uptake_words import Link, Mention, Reading, Statement

_VALUE = re.compile(r"SUV|\d\.\d", re.IGNORECASE)
_BESIDE = 6
"""Characters between a side and the organ's word that it belongs to, at most."""


@dataclass(frozen=True, slots=True)
class SuvClaim:
    """An SUVmax (g/mL) of this study, its number at [start, end) of the given text."""

    value: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class SizeClaim:
    """A size of this study, one to three lengths in mm as written, at [start, end) of the given text."""

    mm: tuple[float, ...]
    start: int
    end: int


@dataclass(slots=True)
class Claims:
    """What a text claims of one organ beside its uptake states."""

    sides: set[Side] = field(default_factory=set)
    suv_max: list[SuvClaim] = field(default_factory=list)
    sizes: list[SizeClaim] = field(default_factory=list)

    @property
    def side(self) -> Side | None:
        """Side of the positive lesions; bilateral where they are on both; None where no side is named."""
        return next(iter(self.sides)) if len(self.sides) == 1 else Side.BILATERAL if self.sides else None


HIGH_SUV_MAX = 2.5
"""SUVmax (g/mL) from which a lesion counts as above background where the text says nothing else of its uptake."""


def find_claims(text: str, plain: PlainText, reading: Reading, language: Language) -> dict[str, Claims]:
    """Return what the text claims of each organ that has uptake, by organ id.

    A lesion whose uptake is said by a high SUVmax alone is added to ``reading.links`` as increased.
    """
    if not reading.named and not reading.links:
        return {}
    plain = name_relative_sides(plain, language)
    page = _Page(plain, reading, find_mentions(text, language), language)
    if more := page.said_by_suv_alone():
        reading.links.extend(more)
        page = _Page(plain, reading, page.said, language)
    claims = {link.mention.organ: Claims() for link in reading.links}
    for link in reading.links:
        if link.statement.state in POSITIVE_STATES and page.sided(link.mention.organ):
            claims[link.mention.organ].sides |= page.sides_of(link)
    for suv, organs in page.tied_suv_max():
        for organ in organs:
            if organ in claims and suv.value not in {one.value for one in claims[organ].suv_max}:
                claims[organ].suv_max.append(suv)
    for size, organs in page.tied_sizes():
        for organ in organs:
            if organ in claims:
                claims[organ].sizes.append(size)
    return claims


class _Page:
    """A text with its reading, all places in the plain text."""

    def __init__(self, plain: PlainText, reading: Reading, sentences: Sequence[Sentence], language: Language) -> None:
        self._plain = plain
        self._text = plain.text
        self._rules: ClaimRules = RULES[language]
        self._mention_rules = MENTION_RULES[language]
        self._sentences = reading.sentences
        self._starts = [start for start, _ in reading.sentences]
        self._links = sorted(reading.links, key=lambda link: (link.statement.end, link.statement.start))
        self._ends = [link.statement.end for link in self._links]
        self._starts_of_links = sorted({link.statement.start for link in reading.links})
        self._named = sorted(dict.fromkeys(reading.named), key=lambda mention: (mention.start, mention.end))
        self._named_starts = [mention.start for mention in self._named]
        self._earlier = sorted(reading.earlier)
        self.said = list(self._suv_and_sides(sentences))

    def _suv_and_sides(self, sentences: Sequence[Sentence]) -> Iterator[Sentence]:
        self._words: dict[int, Side] = {}
        for sentence in sentences:
            for word in sentence.organs:
                if word.side is not None:
                    start, end = self._at(word.start), self._at(word.end)
                    self._words.update(dict.fromkeys(range(start, end), word.side))
            yield sentence

    def _at(self, place: int) -> int:
        return bisect_left(self._plain.origin, place)

    def _of_earlier(self, place: int) -> bool:
        return _inside(self._at(place), self._earlier)

    def _sentence(self, place: int) -> tuple[int, int]:
        number = bisect_right(self._starts, place) - 1
        return self._sentences[number] if number >= 0 else (0, len(self._text))

    # Sides

    @staticmethod
    def sided(organ: str) -> bool:
        """Tell whether the organ has sides of the body."""
        row = read_lexicon().by_id.get(organ)
        return row is not None and row.sided

    def sides_of(self, link: Link) -> set[Side]:
        """Return the sides that the words of one statement give to one of its organs."""
        statement, mention = link.statement, link.mention
        worse = self._rules.worse_on.search(self._text, *self._reach(link))
        if worse is not None:
            return {Side.BILATERAL}
        own = self._own_side(mention)
        if own is not None and (apart := self._side_of_adjective(link)):
            return apart
        local = self._local_sides(link)
        if local:
            return local | {own} if own is not None and self._goes_on(link) else local
        if own is None:
            own = self._side_beside_node(mention)
        if own is None and (start := self._listed_side(mention)) is not None:
            own = start
        if own is None:
            own = self._side_before(mention, statement.end)
        more = self._rules.most_of_all.search(self._text, max(0, mention.start - 40), mention.start)
        if more:
            general = self._side_before(mention, statement.end, always=True)
            free = self._free_sides(self._sentence(mention.start)[0], mention.start)
            if sides := {side for side in (own, general, *free) if side is not None}:
                return sides
        if own is not None:
            return {own}
        return self._sides_after(link) or self._sides_of_examples(link)

    def _own_side(self, mention: Mention) -> Side | None:
        """Return the side of the words for an organ; a bracket right after them may name several."""
        bracket = self._rules.bracket.match(self._text, mention.end)
        if bracket is None and self._mention_rules.general.fullmatch(self._text, mention.start, mention.end):
            # 肋骨(左侧3、5,右侧7)骨质破坏
            opening = self._text.rfind("(", max(0, mention.start - 80), mention.start)
            found = self._rules.bracket.match(self._text, opening) if opening >= 0 else None
            bracket = found if found and found.end() == mention.start else None
        sides = self._free_sides(*bracket.span()) if bracket else set()
        if len(sides) > 1:
            return Side.BILATERAL
        return self._words.get(mention.start) or next(iter(sides), None)

    def _reach(self, link: Link) -> tuple[int, int]:
        """Return where words about the sides of a statement's organ may stand: up to the next organ."""
        start, end = sorted((link.mention.end, link.statement.end))
        following = bisect_left(self._named_starts, end)
        stop = self._sentence(end)[1] if end <= self._sentence(link.statement.start)[1] else end
        if following < len(self._named):
            stop = min(stop, self._named[following].start)
        return start, max(stop, end)

    def _local_sides(self, link: Link) -> set[Side]:
        """Return sides between the organ and its statement that narrow the organ's own: 双肾…，左侧代谢增高."""
        start, end = link.mention.end, link.statement.start
        if end <= start:
            return set()
        start = max(start, self._sentence(end)[0])
        found: set[Side] = set()
        valued_before = in_bracket = False
        together = self._rules.together.search(self._text, start, link.statement.end) is not None
        for a, b in _parts(self._text, self._mention_rules.clause_end, start, end):
            sides = self._free_sides(a, b)
            valued = _VALUE.search(self._text, a, b) is not None
            if sides:
                # all sides of one bracket count: 肋骨(左侧3、5,右侧7)
                listed = together or (valued and valued_before) or in_bracket
                found = found | sides if listed else sides
                valued_before = valued
            in_bracket = (in_bracket or self._text[a - 1 : a] == "(") and ")" not in self._text[a:b]
        return found

    def _side_of_adjective(self, link: Link) -> set[Side]:
        """Return the side right after a statement that shares its organ with another: avid right and nonavid left."""
        start, end = link.statement.end, link.mention.start
        following = bisect_left(self._starts_of_links, start)
        if following == len(self._starts_of_links) or not start < self._starts_of_links[following] < end:
            return set()
        return self._free_sides(start, self._starts_of_links[following])

    def _goes_on(self, link: Link) -> bool:
        """Tell whether the first side after the organ goes on with its list: 右侧II区、III区及左侧IV区淋巴结."""
        match = self._rules.sides.search(self._text, link.mention.end, max(link.mention.end, link.statement.start))
        if match is None:
            return False
        before = self._text[link.mention.end : match.start()]
        return self._rules.goes_on.search(before) is not None and self._rules.clause_mark.search(before) is None

    def _free_sides(self, start: int, end: int) -> set[Side]:
        """Return side words of text[start:end] that stand by no organ and compare with nothing."""
        found: set[Side] = set()
        for match in self._rules.sides.finditer(self._text, start, end):
            if self._rules.compared_before.search(self._text, max(start, match.start() - 24), match.start()):
                continue
            station = match.group()[0].isdigit()
            if (not station and self._names_organ(match.start(), match.end())) or self._rules.mostly_after.match(
                self._text, match.end()
            ):
                continue
            found.add(side_named(match.group()))
        return found

    def _listed_side(self, mention: Mention) -> Side | None:
        """Return the side of the list that the mention stands in: 双侧颈部、腋窝."""
        if self._rules.midline.match(self._text, mention.start, mention.end):
            return None
        before = bisect_left(self._named_starts, mention.start)
        at = mention.start
        over_midline = False
        for other in reversed(self._named[max(0, before - 8) : before]):
            if other.end > at:
                continue
            if not self._rules.list_gap.fullmatch(self._text, other.end, at):
                return None
            if (side := self._words.get(other.start)) is not None and self.sided(other.organ):
                apart = self._side_is_part(other) or (over_midline and side is not Side.BILATERAL)
                return None if other.organ != mention.organ and apart else side
            over_midline = over_midline or self._rules.midline.match(self._text, other.start, other.end) is not None
            at = other.start
        return None

    def _side_beside_node(self, mention: Mention) -> Side | None:
        """Return the side of the organ that a bare lymph node lies beside: 右侧颌下腺旁淋巴结."""
        if not self._rules.bare_node.fullmatch(self._text, mention.start, mention.end):
            return None
        near = max(0, mention.start - _BESIDE)
        places = [place for place in range(near, mention.start) if place in self._words]
        if not places or self._rules.clause_mark.search(self._text, places[-1], mention.start):
            return None
        return self._words[places[-1]]

    def _side_is_part(self, mention: Mention) -> bool:
        """Tell whether the word for the organ holds its side: 双肺、肝脏 gives the liver none."""
        return self._text[mention.start] in "左右双两"

    def _side_before(self, mention: Mention, stop: int, *, always: bool = False) -> Side | None:
        """Return the side of the nearest earlier word for the same organ in the sentence of the statement."""
        if not always and self._rules.midline.match(self._text, mention.start, mention.end):
            return None
        general = self._mention_rules.general.fullmatch(self._text, mention.start, mention.end)
        refers_back = self._rules.bare_node.fullmatch(self._text, mention.start, mention.end)
        if mention.organ == "bone" and not (always or general or refers_back):
            return None
        start, _ = self._sentence(min(mention.start, stop))
        first = bisect_left(self._named_starts, start)
        last = bisect_left(self._named_starts, mention.start)
        for other in reversed(self._named[first:last]):
            if other.organ == mention.organ and (side := self._own_side(other)) is not None:
                return side
        if refers_back or (general and self._text[start - 1 : start] == ";"):
            return self._side_of_sentence_before(mention, start)
        return None

    def _side_of_sentence_before(self, mention: Mention, start: int) -> Side | None:
        number = bisect_left(self._starts, start) - 1
        if number < 0:
            return None
        words = self._named[
            bisect_left(self._named_starts, self._starts[number]) : bisect_left(self._named_starts, start)
        ]
        sides = {self._words.get(word.start) for word in words if word.organ == mention.organ} - {None}
        return next(iter(sides)) if len(sides) == 1 else Side.BILATERAL if sides else None

    def _sides_after(self, link: Link) -> set[Side]:
        """Return sides that follow the statement in its own clause or as 左侧5.1、右侧4.8."""
        start = max(link.statement.end, link.mention.end)
        _, end = self._sentence(link.statement.start)
        match = self._rules.side_after.match(self._text, start, end)
        if match is None:
            return set()
        return self._free_sides(match.start(), match.end())

    def _sides_of_examples(self, link: Link) -> set[Side]:
        """Return sides of places given as examples of a general statement: bones, including the left ilium."""
        start = max(link.statement.end, link.mention.end)
        _, end = self._sentence(link.statement.start)
        if not self._rules.example.search(self._text, start, end):
            return set()
        linked = {one.mention.start for one in self._links_in(*self._sentence(link.statement.start))}
        named = self._named[bisect_left(self._named_starts, start) : bisect_left(self._named_starts, end)]
        places = [one.start for one in named if one.organ == link.mention.organ and one.start not in linked]
        return {self._words[place] for place in places if place in self._words}

    def _names_organ(self, start: int, end: int) -> bool:
        """Tell whether a side word at [start, end) stands by the name of an organ."""
        first = bisect_left(self._named_starts, start)
        nearest = self._named[first : first + 1]
        if not nearest:
            return False
        at = nearest[0].start
        if at > end + _BESIDE:
            return False
        return self._rules.clause_mark.search(self._text, end, at) is None and ")" not in self._text[end:at]

    # Values

    def tied_suv_max(self) -> Iterator[tuple[SuvClaim, tuple[str, ...]]]:
        """Yield every SUVmax of this study with its organs; "respectively" gives each place of a list its own."""
        for sentence in self.said:
            values = [value for value in sentence.suv_max if not value.earlier and not self._of_earlier(value.start)]
            alone = len(values) == 1
            runs = [self._places_at(self._at(v.label_start), self._at(v.start), alone=alone) for v in values]
            span = self._at(sentence.start), self._at(sentence.end)
            each = self._rules.respectively.search(self._text, *span) is not None
            for number, (value, run) in enumerate(zip(values, runs, strict=True)):
                organs, nth = _organs(run), number - runs.index(run)
                if each and len(run) == runs.count(run) > 1:
                    organs = (run[nth].organ,)
                elif each and len(organs) == runs.count(run) > 1:
                    organs = (organs[nth],)
                elif each and len(stated := self._organs_stated(span[0], self._at(value.start))) == runs.count(run) > 1:
                    organs = (stated[nth],)
                yield SuvClaim(value.value, value.start, value.end), organs

    def _organs_stated(self, start: int, end: int) -> tuple[str, ...]:
        """Return the organs of all positive statements of text[start:end], in order."""
        links = [link for link in self._links_in(start, end) if link.statement.state in POSITIVE_STATES]
        return _organs(_in_order(link.mention for link in links))

    def said_by_suv_alone(self) -> list[Link]:
        """Return an increase for each lesion of which a sentence gives a high SUVmax and no word on uptake."""
        found: list[Link] = []
        for sentence in self.said:
            for value in sentence.suv_max:
                at = self._at(value.start)
                start, end = self._sentence(at)
                if value.earlier or value.value < HIGH_SUV_MAX or self._of_earlier(value.start):
                    continue
                label = self._at(value.label_start)
                places = self._places_of_bare_value(label, at)
                statement = Statement(UptakeState.INCREASED, label, self._at(value.end - 1) + 1, "SUVmax alone")
                found.extend(Link(statement, place) for place in places if start <= place.start < end)
        return found

    def _places_of_bare_value(self, label: int, at: int) -> tuple[Mention, ...]:
        """Return the words for the organ of a value where nothing else is said of its lesion's uptake, else none."""
        start, end = self._sentence(at)
        links = self._links_in(start, end)
        if all(link.statement.state is UptakeState.ABSENT for link in links):
            lesion = self._rules.lesion.search(self._text, start, min(at + 16, end)) or self._rules.cause.search(self._text, at, end)
            return () if lesion is None else self._places_at(label, at)
        before = [link for link in links if link.statement.end <= label]
        after = [link for link in links if link.statement.start >= at]
        about_this = any(link.mention.start < at for link in after) and not self._of_parts(label, at, after)
        last = [link for link in before if link.statement == before[-1].statement]
        since = max((max(link.statement.end, link.mention.end) for link in last if link.mention.end <= label), default=start)
        if about_this or len(before) + len(after) < len(links):
            return ()
        if any(link.statement.state in POSITIVE_STATES for link in last):
            return ()
        named = self._named[bisect_left(self._named_starts, since) : bisect_left(self._named_starts, label)]
        if not named and self._rules.part.search(self._text, since, label):
            return self._places_at(label, at)
        stated = {link.mention for link in before}
        lesion = self._rules.lesion.search(self._text, since, label) or self._rules.part.search(self._text, since, label)
        if stated.intersection(named) or not lesion:
            return ()
        return tuple(self._last_run(named))

    def _of_parts(self, label: int, at: int, after: Sequence[Link]) -> bool:
        """Tell whether a value and the statements after it are of two parts of one lesion: 洞壁SUVmax 6.8，洞内未见摄取."""
        begin = max(self._text.rfind(mark, max(0, label - 40), label) for mark in ",;。") + 1
        return (
            self._rules.part.search(self._text, begin, label) is not None
            and self._rules.other_part.search(self._text, at, min(link.statement.start for link in after)) is not None
        )

    def tied_sizes(self) -> Iterator[tuple[SizeClaim, tuple[str, ...]]]:
        """Yield every size of this study with its organs."""
        for start, end in self._sentences:
            for size in find_sizes(self._text, start, end):
                if _inside(size.start, self._earlier):
                    continue
                at = size.start
                yield SizeClaim(size.mm, *self._plain.span(size.start, size.end)), _organs(self._places_at(at, at))

    def _places_at(self, label: int, number: int, *, alone: bool = False) -> tuple[Mention, ...]:
        """Return the words for the organs that a value is about, its label at ``label``; alone in its sentence or not.

        "Uptake greater than liver (SUVmax 4.1)" gives the value of the lesion where it gives no other.
        """
        start, end = self._sentence(number)
        if self._is_of_reference(max(start, label - 50), label, alone=alone):
            return ()
        if found_at := self._rules.found_at.match(self._text, number):
            there = self._named[bisect_left(self._named_starts, found_at.end()) :][:1]
            if there and there[0].start - found_at.end() <= _BESIDE:
                return tuple(there)
        links = self._links[bisect_left(self._ends, start) : bisect_right(self._ends, label)]
        links = [link for link in links if link.statement.start >= start]
        stated = [link for link in links if link.statement == links[-1].statement]
        named = self._named[bisect_left(self._named_starts, start) : bisect_left(self._named_starts, label)]
        run = self._last_run(named)
        if stated and run and run[-1].start >= stated[-1].statement.end:
            near = self._rules.clause_mark.search(self._text, run[-1].end, label) is None
            later = any(
                link.mention.organ == run[-1].organ and link.statement.start >= label
                for link in self._links_in(start, end)
            )
            if near or later:
                return tuple(run)
        if stated:
            return self._singled_out(_in_order(link.mention for link in stated))
        if run:
            linked = {link.mention.organ for link in self._links_in(start, end)}
            if not linked & {mention.organ for mention in run}:
                others = [mention for mention in named if mention.organ in linked]
                return tuple(self._last_run(others) or run)
            return tuple(run)
        after = self._links_in(start, end)
        if after:
            return _in_order(link.mention for link in after if link.statement == after[0].statement)
        following = self._named[bisect_left(self._named_starts, label) : bisect_left(self._named_starts, end)]
        return tuple(following[:1]) or self._places_of_sentence_before(start)

    def _singled_out(self, mentions: tuple[Mention, ...]) -> tuple[Mention, ...]:
        """Return the organ of the largest of several lesions where the words before it name it so: 较大者位于右颈."""
        last = mentions[-1]
        if self._rules.most_of_all.search(self._text, max(0, last.start - 40), last.start):
            return (last,)
        return mentions

    def _is_of_reference(self, start: int, label: int, *, alone: bool) -> bool:
        """Tell whether a value is the one that others are compared with."""
        before = self._text[start:label]
        if self._rules.compared_value.search(before):
            return not alone
        if self._rules.reference_before.search(before):
            return True
        organ = self._rules.reference_organ.search(before)
        if organ is None:
            return False
        named = bisect_left(self._named_starts, start + organ.start())
        return self._named_starts[named : named + 1] != [start + organ.start()]

    def _links_in(self, start: int, end: int) -> list[Link]:
        found = self._links[bisect_left(self._ends, start) : bisect_right(self._ends, end)]
        return [link for link in found if link.statement.start >= start]

    def _last_run(self, named: Sequence[Mention]) -> list[Mention]:
        run: list[Mention] = []
        for mention in reversed(named):
            apart = run and mention.end <= run[0].start
            if apart and not self._rules.list_gap.fullmatch(self._text, mention.end, run[0].start):
                break
            run.insert(0, mention)
        return run

    def _places_of_sentence_before(self, start: int) -> tuple[Mention, ...]:
        number = bisect_left(self._starts, start) - 1
        if number < 0:
            return ()
        before, end = self._sentences[number]
        if links := self._links_in(before, end):
            return _in_order(link.mention for link in links if link.statement == links[-1].statement)
        named = self._named[bisect_left(self._named_starts, before) : bisect_left(self._named_starts, end)]
        return tuple(self._last_run(named))


def _in_order(mentions: Iterable[Mention]) -> tuple[Mention, ...]:
    return tuple(sorted(dict.fromkeys(mentions), key=lambda mention: (mention.start, mention.end)))


def _organs(mentions: Iterable[Mention]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(mention.organ for mention in mentions))


def _inside(place: int, spans: Sequence[tuple[int, int]]) -> bool:
    number = bisect_right(spans, (place, place)) - 1
    return number >= 0 and spans[number][0] <= place < spans[number][1]


def _parts(text: str, mark: re.Pattern[str], start: int, end: int) -> Iterator[tuple[int, int]]:
    at = start
    for match in mark.finditer(text, start, end):
        yield at, match.start()
        at = match.end()
    yield at, end
