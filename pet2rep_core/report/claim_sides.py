"""Which sides of the body a text gives to the organs of its uptake statements."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from pet2rep_core.records import Language
from pet2rep_core.report.claim_rules import RULES, ClaimRules
from pet2rep_core.report.lexicon import read_lexicon
from pet2rep_core.report.mention_rules import RULES as MENTION_RULES
from pet2rep_core.report.mentions import Mention as Sentence
from pet2rep_core.report.mentions import Side, side_named
from pet2rep_core.report.normalise import PlainText
from pet2rep_core.report.uptake_words import Link, Mention, Reading

_VALUE = re.compile(r"SUV|\d\.\d", re.IGNORECASE)
SUV_ALONE = "SUVmax alone"
"""Rule of a lesion whose uptake is said by its value only."""
BESIDE = 6
"""Characters between a side and the organ's word that it belongs to, at most."""


class SidedText:
    """A text with its reading, all places in the plain text, and the sides that its words give."""

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
        return self._in_earlier(self._at(place))

    def _in_earlier(self, place: int) -> bool:
        """Tell whether a place of the plain text is among words about an earlier study."""
        number = bisect_right(self._earlier, (place, place)) - 1
        return number >= 0 and self._earlier[number][0] <= place < self._earlier[number][1]

    def _sentence(self, place: int) -> tuple[int, int]:
        number = bisect_right(self._starts, place) - 1
        return self._sentences[number] if number >= 0 else (0, len(self._text))

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
        if statement.rule == SUV_ALONE and (beside := self._rules.side_of_value.match(self._text, statement.end)):
            return {side_named(beside[1])}
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
        start, end = max(start, self._sentence(end)[0]), link.statement.end
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
        near = max(0, mention.start - BESIDE)
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
        if at > end + BESIDE:
            return False
        return self._rules.clause_mark.search(self._text, end, at) is None and ")" not in self._text[end:at]

    def _links_in(self, start: int, end: int) -> list[Link]:
        found = self._links[bisect_left(self._ends, start) : bisect_right(self._ends, end)]
        return [link for link in found if link.statement.start >= start]


def _parts(text: str, mark: re.Pattern[str], start: int, end: int) -> Iterator[tuple[int, int]]:
    at = start
    for match in mark.finditer(text, start, end):
        yield at, match.start()
        at = match.end()
    yield at, end
