"""Read the uptake statements of a Chinese report and tie each to its organs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from pet2rep_core.records import POSITIVE_STATES, UptakeState
from pet2rep_core.report import uptake_rules_zh as rules
from pet2rep_core.report.suv_values import find_suv_values
from pet2rep_core.report.uptake_places_zh import UPTAKE_WORD, excepted, read_places
from pet2rep_core.report.uptake_words import (
    OTHER,
    Group,
    Link,
    Mention,
    Reading,
    Statement,
    blank,
    chinese_mentions,
    drop_link,
    spans_between,
)

_SENTENCE_END = re.compile(r"[。;!\n\r\u2028\u2029]+|(?<=[\u4e00-\u9fff)])\.(?!\d)")
_CLAUSE_END = re.compile(r",(?!\d{3}(?!\d))|:")
LOWER_THAN_BEFORE = "lower than before"
HIGH_SUV_MAX = 2.5
"""SUVmax (g/mL) from which a lesion counts as above background where the text gives nothing else."""

_LONGEST_CLAUSE = 400
_LIGHT = re.compile(
    r"局部|部分|其中|其内|内|病灶|病变|结节|肿块|该|上述|以上|其|边缘|较大者?|最大者?|大小约?|左侧|右侧|双侧|两侧|亦|均|可|中央|周边|实性"
)
_CHANGED = re.compile(r"缩小|减|降|好转|下降")
_FINDING = re.compile(r"积液|水$|囊肿|癌|瘤|破坏|增生")
_NOT_SIDE_WORDS = re.compile(
    r"[^\u4e00-\u9fffA-Za-z0-9]|及|和|与|双侧|两侧|左侧|右侧|左|右|双|两|侧|部|区|上|中|下|段|叶|余|各|第|\d|肋"
)


@dataclass(slots=True)
class _Sentence:
    """What is known while one sentence is read, clause by clause."""

    groups: list[Group] = field(default_factory=list)
    closed: bool = False
    uptake_named: bool = False
    relative: bool = False
    earlier_uptake: bool = False
    last: list[Link] = field(default_factory=list)
    removed: list[Mention] = field(default_factory=list)
    lower: list[Link] = field(default_factory=list)
    raised: list[Link] = field(default_factory=list)
    nodes_anywhere: bool = False
    forward: Statement | None = None


def read_uptake(text: str) -> Reading:
    """Return every uptake statement of a normalised Chinese text with the mention it is about."""
    reading = Reading()
    previous: list[Group] = []
    for start, end in spans_between(text, _SENTENCE_END, 0, len(text)):
        start = _after_lead(text, start, end)
        if start < end:
            reading.sentences.append((start, end))
            previous = _read_sentence(text, start, end, previous, reading)
    return reading


def _after_lead(text: str, start: int, end: int) -> int:
    """Return where the findings begin in a sentence that opens with how the scan was done."""
    at = start
    for clause_start, clause_end in spans_between(text, _CLAUSE_END, start, end, longest=_LONGEST_CLAUSE):
        if not rules.LEAD.search(text, clause_start, clause_end):
            break
        shows = list(rules.SHOWS.finditer(text, clause_start, clause_end))
        at = shows[-1].end() if shows else clause_end
    return at


def _read_sentence(text: str, start: int, end: int, previous: list[Group], reading: Reading) -> list[Group]:
    state = _Sentence()
    links = reading.links
    readable = _readable(text, start, end, reading.earlier)
    state.earlier_uptake = any(
        UPTAKE_WORD.search(match.group()) for match in rules.EARLIER_STUDY.finditer(text, start, end)
    )
    state.relative = rules.RELATIVE_TO_EARLIER.search(text, start, end) is not None
    clauses = list(spans_between(text, _CLAUSE_END, start, end, longest=_LONGEST_CLAUSE))
    waiting: tuple[Mention, ...] = ()
    for number, (a, b) in enumerate(clauses):
        following = text[clauses[number + 1][0] : clauses[number + 1][1]] if number + 1 < len(clauses) else ""
        listed = state.nodes_anywhere and rules.LISTED_NODES.match(text, a, b) is not None
        known = [m for group in [*previous, *state.groups] for m in group.mentions]
        mentions = read_places(
            text, a, b, "淋巴结" if listed else following, known, state.removed, opened=bool(state.groups)
        )
        if mentions and text[b : b + 1] == ":" and all(m.organ == OTHER for m in mentions):
            # a heading of a body region places nothing
            continue
        reading.named.extend(mentions)
        found = _clause_statements(readable[a - start : b - start], a, state, bool(mentions), _compared(text, a, b))
        if UPTAKE_WORD.search(text, a, b):
            state.uptake_named = True
        comparison = rules.COMPARISON.search(text, a, b)
        if comparison and _CHANGED.search(comparison.group()):
            state.relative = True
        if not mentions and (rules.GENERAL.search(text[a:b]) or rules.ADVICE.match(text[a:b].strip())):
            state.forward = next((s for s in found if s.state in POSITIVE_STATES), None)
            continue
        if waiting:
            if mentions:
                mentions = [*waiting, *mentions]
            else:
                _open(state, Group(waiting))
            waiting = ()
        if not found:
            if not mentions:
                continue
            if (state.forward is not None and rules.FORWARD.search(text[a:b])) or (
                state.forward and text[a - 1] == ":"
            ):
                _tie(state, links, state.forward, mentions)
                state.forward = None
            elif _only_names(text, a, b, mentions) and following:
                waiting = tuple(mentions)
            else:
                _open(state, Group(tuple(mentions), _is_clear(text[a:b])))
            continue
        _tie_clause(text, (start, a, b), found, mentions, state, previous, links)
    if waiting:
        _open(state, Group(waiting))
    links.extend(_still_above(text, end, state))
    if state.groups:
        return state.groups
    if state.last:
        return [Group(tuple(dict.fromkeys(link.mention for link in state.last)))]
    return [] if state.removed else previous


def _still_above(text: str, end: int, state: _Sentence) -> list[Link]:
    """Return an increase where uptake is lower than before and the text gives an SUVmax that is still high."""
    if not state.lower or (state.last and state.last[0].statement.start > state.lower[0].statement.start):
        return []
    values = find_suv_values(text, state.lower[0].statement.start, end)
    now = next((value.value for value in values if not value.earlier), 0.0)
    if now < HIGH_SUV_MAX:
        return []
    return [
        Link(replace(link.statement, state=UptakeState.INCREASED, rule="lower but still high"), link.mention)
        for link in state.lower
    ]


def _readable(text: str, start: int, end: int, earlier: list[tuple[int, int]]) -> str:
    """Return the sentence with everything blanked that is no statement of this study."""
    spans = excepted(text, start, end)
    spans += [m.span() for m in rules.NOT_EXCLUDED.finditer(text, start, end)]
    spans += [m.span() for m in rules.COMPARISON.finditer(text, start, end)]
    spans += [m.span() for m in rules.CT_WORDING.finditer(text, start, end)]
    for match in rules.EARLIER_STUDY.finditer(text, start, end):
        if re.search("比较|相比|对比", match.group()):
            continue
        earlier.append((match.start(), _end_of_earlier(text, match, end)))
        spans.append(earlier[-1])
    return blank(text[start:end], [(a - start, b - start) for a, b in spans])


def _end_of_earlier(text: str, match: re.Match[str], end: int) -> int:
    """Return where the words about an earlier study end: at "now", else at the next clause with an organ."""
    now = rules.CURRENT_STUDY.search(text, match.start() + 1, match.end())
    if now:
        return now.start()
    clause_end = next((m.start() for m in _CLAUSE_END.finditer(text, match.end(), end)), end)
    now = rules.CURRENT_STUDY.search(text, match.end(), clause_end)
    if now:
        return now.start()
    if match.group().startswith("原") and (gone := rules.GONE_NOW.search(text, match.start() + 1, clause_end)):
        return gone.start()
    if match.group().startswith("原") or not rules.REPORTS.search(text, match.start(), clause_end):
        return match.end() if not match.group().startswith("原") else clause_end
    for a, b in spans_between(text, _CLAUSE_END, clause_end, end, longest=_LONGEST_CLAUSE):
        if rules.CURRENT_STUDY.search(text, a, b) or chinese_mentions(text, a, b):
            break
        clause_end = b
    return clause_end


def _compared(text: str, a: int, b: int) -> list[Statement]:
    """Return what a clause says of uptake against an earlier study: higher is an increase, lower no state yet."""
    found: list[Statement] = []
    for match in rules.COMPARISON.finditer(text, a, b):
        uptake = rules.HIGHER_THAN_BEFORE.search(text[a : match.start()])
        if uptake is None:
            continue
        start = a + uptake.start()
        if rules.HIGHER.search(match.group()):
            found.append(Statement(UptakeState.INCREASED, start, match.end(), "higher than before"))
        elif _CHANGED.search(match.group()) and "缩小" not in match.group():
            found.append(Statement(None, start, match.end(), LOWER_THAN_BEFORE))
    return found


def _clause_statements(
    clause: str, a: int, state: _Sentence, named: bool, compared: list[Statement]
) -> list[Statement]:
    found = [replace(s, start=s.start + a, end=s.end + a) for s in rules.statements(clause)]
    if state.relative:
        found = [
            replace(s, state=UptakeState.NORMAL, rule="resolved")
            if s.rule == "uptake absent" and "消失" in clause[s.start - a : s.end - a]
            else replace(s, state=None, rule=LOWER_THAN_BEFORE)
            if s.rule == "uptake lower" and "于" not in clause[s.start - a : s.end - a]
            else s
            for s in found
        ]
    found = sorted([*found, *compared], key=lambda s: s.start)
    if not found and state.earlier_uptake and (gone := rules.GONE_NOW.search(clause)):
        return [Statement(UptakeState.NORMAL, a + gone.start(), a + gone.end(), "resolved")]
    if not found and state.uptake_named and (back := rules.RETURNED.fullmatch(clause)):
        return [Statement(UptakeState.NORMAL, a + back.start(), a + back.end(), "back to background")]
    if not found and state.uptake_named and rules.NOTHING_MORE.fullmatch(clause):
        return [Statement(UptakeState.NORMAL, a, a + len(clause), "continued")]
    if found or not state.uptake_named or rules.CT_LEFT.search(clause):
        return found
    more = rules.CONTINUED.search(clause)
    if not more or not (named or more.start() == 0):
        return found
    kind = UptakeState.INCREASED if more["up"] else UptakeState.DECREASED if more["down"] else UptakeState.ABSENT
    return [Statement(kind, a + more.start(), a + more.end(), "continued")]


def _tie_clause(
    text: str,
    span: tuple[int, int, int],
    found: list[Statement],
    mentions: list[Mention],
    state: _Sentence,
    previous: list[Group],
    links: list[Link],
) -> None:
    sentence_start, a, b = span
    at = min(a, mentions[0].start) if mentions else a
    together = rules.TOGETHER.search(text, a, b) is not None
    for number, statement in enumerate(found):
        own = [m for m in mentions if at <= m.start < statement.end]
        at = statement.end
        removed = [] if own else [m for m in state.removed if a <= m.start < statement.start]
        if removed and rules.STUMP.search(text, removed[0].start, statement.start):
            own = removed
        if not own and number == 0:
            stop = found[1].start if len(found) > 1 else b
            after = [m for m in mentions if statement.end <= m.start < stop]
            if after and (
                not state.groups or text[statement.end : after[0].start].startswith(("的", "灶", "影", "区"))
            ):
                own = after
                at = after[-1].end
        if statement.rule == "below liver" and (livers := _livers(own, state)):
            # a lesion of the liver itself
            statement, own = replace(statement, state=UptakeState.DECREASED), livers
        if statement.rule == "below liver" and statement.state is None and rules.CALLED_NORMAL.match(text, b):
            statement = replace(statement, state=UptakeState.NORMAL)
        if statement.rule == "between pool and liver" and rules.DEAUVILLE_3.match(text, statement.end):
            statement = replace(statement, state=UptakeState.NORMAL)
        if statement.state is None:
            if statement.rule == LOWER_THAN_BEFORE:
                about = own or _choose(state.groups, all_groups=False)
                state.lower = [Link(statement, mention) for mention in about]
                if own:
                    state.groups = [Group(tuple(own))]
            continue
        if statement.rule == "physiological" and _physiological(text, (a, b), own, state, links):
            continue
        if own:
            targets = own
        elif state.groups:
            targets = _choose(state.groups, all_groups=statement.state is UptakeState.NORMAL or together)
        elif state.removed:
            targets = state.removed if rules.STUMP.search(text, sentence_start, b) else []
        elif state.last:
            targets = [link.mention for link in state.last]
        elif _names_new_place(text[sentence_start : statement.start]):
            targets = []
        else:
            targets = _choose(previous, all_groups=statement.state is UptakeState.NORMAL or together)
        if not targets:
            state.forward = statement
            continue
        if all(m.organ == OTHER and text[m.start : m.end] == "淋巴结" for m in targets):
            # lymph nodes of the whole body, whose regions may follow
            state.forward, state.nodes_anywhere = statement, True
        _tie(state, links, statement, targets)
        if own:
            state.groups = [Group(tuple(own))]
    state.closed = True
    trailing = [m for m in mentions if m.start >= at]
    if trailing and not rules.FORWARD.search(text[at:b]):
        _open(state, Group(tuple(trailing)))


def _livers(own: list[Mention], state: _Sentence) -> list[Mention]:
    about = own or _choose(state.groups, all_groups=False)
    return [mention for mention in about if mention.organ == "liver"]


def _tie(state: _Sentence, links: list[Link], statement: Statement, targets: list[Mention]) -> None:
    state.last = [Link(statement, mention) for mention in targets]
    if statement.state in POSITIVE_STATES:
        state.raised = state.last
    links.extend(state.last)


def _open(state: _Sentence, group: Group) -> None:
    if state.closed:
        state.groups = []
        state.closed = False
    state.groups.append(group)


def _choose(groups: list[Group], *, all_groups: bool) -> list[Mention]:
    if not groups:
        return []
    if all_groups:
        return [mention for group in groups for mention in group.mentions]
    nearest = next((group for group in reversed(groups) if not group.clear), groups[-1])
    return list(nearest.mentions)


def _physiological(text: str, clause: tuple[int, int], own: list[Mention], state: _Sentence, links: list[Link]) -> bool:
    """Handle "physiological" after an increase of the same sentence; True where that settles the statement."""
    about = {link.mention.organ for link in state.last}
    increased = [link for link in state.raised if link.mention.organ in about]
    if own and increased and min(m.start for m in own) > increased[-1].statement.end:
        return False
    if not increased or (own and {m.organ for m in own} - {link.mention.organ for link in increased}):
        return False
    if rules.HEDGE.search(text, *clause):
        return True
    for link in increased:
        drop_link(links, link)
    state.last = [
        Link(replace(link.statement, state=UptakeState.NORMAL, rule="physiological"), link.mention)
        for link in increased
    ]
    state.raised = []
    links.extend(state.last)
    return True


def _names_new_place(before: str) -> bool:
    """Tell whether the words before a statement set out from a place that the lexicon does not know."""
    head, seen, _ = before.partition("见")
    return bool(seen) and len(re.sub(r"[^\u4e00-\u9fff]", "", _LIGHT.sub("", head))) > 1


def _is_clear(clause: str) -> bool:
    rest = re.sub(r"(?:未见|无|未)[^,]*", "", clause)
    return rules.CLEAR.search(clause) is not None and rules.LESION.search(rest) is None


def _only_names(text: str, a: int, b: int, mentions: list[Mention]) -> bool:
    rest = text[a:b]
    if any(_FINDING.search(text, m.start, m.end) for m in mentions):
        return False
    for mention in mentions:
        rest = rest.replace(text[mention.start : mention.end], "")
    return text[b : b + 1] != ":" and not _NOT_SIDE_WORDS.sub("", rest)
