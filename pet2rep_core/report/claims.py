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
from pet2rep_core.report.claim_sides import BESIDE, SUV_ALONE, SidedText
from pet2rep_core.report.mentions import Side, find_mentions, in_closed_bracket
from pet2rep_core.report.normalise import PlainText
from pet2rep_core.report.relative_sides import name_relative_sides
from pet2rep_core.report.sizes import find_sizes
from pet2rep_core.report.uptake_words import Link, Mention, Reading, Statement


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


_LONGEST_LIST = 12
"""Parts of a list with semicolons that are looked back over, at most."""
_COMPARED = re.compile(r"\b(?:compared (?:with|to)|versus|vs\.?)\s?$", re.IGNORECASE)
_SIZE = re.compile(r"\d ?[cm]m\b", re.IGNORECASE)
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


class _Page(SidedText):
    """A text with its reading, and the values that it ties to its organs."""

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
        listed: dict[int, set[str]] = {}
        for sentence in self.said:
            for value in sentence.suv_max:
                at = self._at(value.start)
                if value.earlier or value.value < HIGH_SUV_MAX or self._of_earlier(value.start):
                    continue
                label = self._at(value.label_start)
                if _COMPARED.search(self._text[max(0, at - 16) : at]):
                    continue
                places = self._places_of_bare_value(label, at, listed)
                statement = Statement(UptakeState.INCREASED, label, self._at(value.end - 1) + 1, SUV_ALONE)
                found.extend(Link(statement, place) for place in places)
                listed.setdefault(self._sentence(at)[0], set()).update(place.organ for place in places)
        return found

    def _places_of_bare_value(self, label: int, at: int, alone: dict[int, set[str]]) -> tuple[Mention, ...]:
        """Return the words for the organ of a value where nothing else is said of its lesion's uptake, else none."""
        start, end = self._sentence(at)
        links = self._links_in(start, end)
        if all(link.statement.state is UptakeState.ABSENT for link in links):
            near = self._rules.lesion.search(self._text, start, min(at + 16, end))
            is_lesion = near is not None or self._rules.cause.search(self._text, at, end) is not None
            places = [place for place in self._places_at(label, at) if start <= place.start < end]
            listed = set() if is_lesion else self._listed_before(start, alone)
            return tuple(place for place in places if is_lesion or place.organ in listed)
        before = [link for link in links if link.statement.end <= label]
        after = [link for link in links if link.statement.start >= at]
        about_this = any(link.mention.start < at for link in after) and not self._of_parts(label, at, after)
        last = [link for link in before if link.statement == before[-1].statement]
        since = max(
            (max(link.statement.end, link.mention.end) for link in last if link.mention.end <= label), default=start
        )
        if about_this or len(before) + len(after) < len(links):
            return ()
        named = self._named[bisect_left(self._named_starts, since) : bisect_left(self._named_starts, label)]
        if any(link.statement.state in POSITIVE_STATES for link in last):
            # a mass is avid, with nodal metastases, SUVmax 6
            others = named and {m.organ for m in named}.isdisjoint(link.mention.organ for link in last)
            if not others or not self._rules.lesion.search(self._text, named[0].start, label):
                return ()
        if not named and self._rules.part.search(self._text, since, label):
            return self._places_at(label, at)
        stated = {link.mention for link in before}
        marks = (self._rules.lesion, self._rules.part, _SIZE)
        lesion = any(mark.search(self._text, since, label) for mark in marks) or (
            not after and self._rules.cause.search(self._text, at, end)
        )
        if stated.intersection(named) or not lesion:
            return ()
        return tuple(self._last_run(named))

    def _listed_before(self, start: int, alone: dict[int, set[str]]) -> set[str]:
        """Return the positive organs of a list that a sentence goes on with: 增高灶:1左肺上叶;2左肺下叶,SUVmax 4."""
        found: set[str] = set()
        number = bisect_left(self._starts, start)
        for before in range(number - 1, max(-1, number - _LONGEST_LIST), -1):
            if self._text[self._starts[before + 1] - 1] != ";":
                break
            links = self._links_in(*self._sentences[before])
            found |= {link.mention.organ for link in links if link.statement.state in POSITIVE_STATES}
            found |= alone.get(self._starts[before], set())
        return found

    def _of_parts(self, label: int, at: int, after: Sequence[Link]) -> bool:
        """Tell whether a value and the statements after it are of two parts of one lesion: 洞壁SUVmax 6，洞内无摄取."""
        begin = max(self._text.rfind(mark, max(0, label - 40), label) for mark in ",;。") + 1
        return (
            self._rules.part.search(self._text, begin, label) is not None
            and self._rules.other_part.search(self._text, at, min(link.statement.start for link in after)) is not None
        )

    def tied_sizes(self) -> Iterator[tuple[SizeClaim, tuple[str, ...]]]:
        """Yield every size of this study with its organs."""
        for start, end in self._sentences:
            for size in find_sizes(self._text, start, end):
                if self._in_earlier(size.start):
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
            if there and there[0].start - found_at.end() <= BESIDE:
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

    def _last_run(self, named: Sequence[Mention]) -> list[Mention]:
        run: list[Mention] = []
        for mention in reversed(named):
            apart = run and mention.end <= run[0].start
            if apart and run[0].start - mention.end < 80 and in_closed_bracket(self._text, mention.end, run[0].start):
                # stations of the region named before: 纵隔(2R、4R)及右肺门淋巴结
                continue
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
