"""Read the uptake statements of an English report and tie each to its organs."""

from __future__ import annotations

import re
from dataclasses import replace

from pet2rep_core.records import POSITIVE_STATES, UptakeState
from pet2rep_core.report import uptake_rules_en as rules
from pet2rep_core.report.uptake_words import (
    NODE,
    OTHER,
    Link,
    Mention,
    Statement,
    blank,
    english_mentions,
    resolve_node,
    spans_between,
)

_SENTENCE_END = re.compile(
    r"(?:(?<!\bapprox)(?<!\bvs)(?<!\be\.g)(?<!\bi\.e)(?<!\bDr)(?<!\bca)"
    r"(?<!\bmax)\.(?=\s|$))|[;!\n\r\u2028\u2029。；]",
    re.IGNORECASE,
)
_LISTED = re.compile(
    r"[\s,/&()]*(?:\b(?:and|or|nor|as well as|the|both|left|right|bilateral"
    r"|of|in|to|upper|lower|middle|with|also)\b[\s,/&()]*)*",
    re.IGNORECASE,
)
_ADJACENT_NODE = re.compile(
    r"[\s/,-]*(?:(?:lymph|hilar|region\w*|chain|and|or|\w+al|\w+ic)\b[\s/,-]*){0,3}"
    r"(?:nodes?|nodal|lymphadenop\w+|adenopath\w+)\b",
    re.IGNORECASE,
)
_FAT = re.compile(r"\b(?:brown fat|adipose|muscles?|musculature)\b", re.IGNORECASE)
_BOTH = re.compile(r"\b(?:both|all|each|respectively|also)\b", re.IGNORECASE)


def read_links(text: str) -> list[Link]:
    """Return every uptake statement of a normalised English text with the mention it is about."""
    links: list[Link] = []
    previous: list[Mention] = []
    for start, end in spans_between(text, _SENTENCE_END, 0, len(text)):
        previous = _read_sentence(text, start, end, previous, links)
    return links


def _read_sentence(text: str, start: int, end: int, previous: list[Mention], links: list[Link]) -> list[Mention]:
    sentence = text[start:end]
    if rules.LEAD.search(sentence) or rules.ADVICE.search(sentence):
        return previous
    spans = [
        m.span()
        for p in (rules.COMPARISON, rules.CT_WORDING, rules.EARLIER_STUDY)
        for m in p.finditer(text, start, end)
    ]
    readable = blank(text[:end], spans)
    pending: list[list[Mention]] = []
    last: list[Link] = []
    named = False
    for a, b in spans_between(text, rules.CONTRAST, start, end):
        mentions = _mentions(text, a, b, [*previous, *(m for group in pending for m in group)])
        found = _statements(readable, a, b, named, mentions)
        named = named or rules.UPTAKE_WORD.search(text, a, b) is not None
        if not found:
            pending.extend(_runs(text, mentions))
            continue
        last = _tie_clause(text, (start, a, b), found, mentions, pending, previous, last, links)
        pending = []
    if last:
        return [link.mention for link in last]
    return [m for group in pending for m in group] or previous


def _statements(readable: str, a: int, b: int, named: bool, mentions: list[Mention]) -> list[Statement]:
    found = [replace(s, start=s.start + a, end=s.end + a) for s in rules.statements(readable[a:b])]
    for match in rules.BARE.finditer(readable, a, b):
        uptake_before = named or rules.UPTAKE_WORD.search(readable, a, match.start()) is not None
        if uptake_before and not any(s.start < match.end() and match.start() < s.end for s in found):
            word = match["state"].lower()
            found.append(
                Statement(rules.BARE_STATES.get(word, UptakeState.NORMAL), match.start(), match.end(), "continued")
            )
    if not found and named and mentions and (ellipsis := rules.ELLIPSIS.search(readable, a, b)):
        found.append(Statement(UptakeState.NORMAL, ellipsis.start(), ellipsis.end(), "continued"))
    return sorted(found, key=lambda s: s.start)


def _tie_clause(
    text: str,
    span: tuple[int, int, int],
    found: list[Statement],
    mentions: list[Mention],
    pending: list[list[Mention]],
    previous: list[Mention],
    last: list[Link],
    links: list[Link],
) -> list[Link]:
    sentence_start, a, b = span
    at = a
    for number, statement in enumerate(found):
        stop = found[number + 1].start if number + 1 < len(found) else b
        targets = _targets(text, (at, stop), statement, mentions, pending)
        at = max([statement.end, *(m.end for m in targets if m.start >= statement.start)])
        if statement.state is None:
            continue
        if "physiolog" in text[statement.start : statement.end].lower() and _physiological(
            text, (a, b), statement, targets, last, links
        ):
            continue
        if not targets and not mentions and last:
            targets = [link.mention for link in last]
        if not targets and not rules.GENERAL.search(text, sentence_start, b):
            after = [m for m in mentions if statement.end <= m.start < stop]
            targets = _run_from(text, after, stop) if after else [] if mentions else previous
            at = max([at, *(m.end for m in targets if m.start >= statement.start)])
        if targets:
            last = [Link(statement, mention) for mention in dict.fromkeys(targets)]
            links.extend(last)
    return last


def _targets(
    text: str, span: tuple[int, int], statement: Statement, mentions: list[Mention], pending: list[list[Mention]]
) -> list[Mention]:
    """Return the organs of a statement in its own clause or, failing that, those named before it."""
    at, stop = span
    inside = [m for m in mentions if statement.start <= m.start < statement.end]
    after = [m for m in mentions if statement.end <= m.start < stop]
    forward: list[Mention] = []
    if after:
        gap = text[statement.end : after[0].start]
        adjective = rules.ADJECTIVE.search(text[statement.start : statement.end]) is not None
        predicate = rules.COPULA_BEFORE.search(text[at : statement.start]) is not None
        if (
            (
                adjective
                and not predicate
                and "," not in gap
                and not rules.VERB.search(gap)
                and rules.BETWEEN_ADJECTIVE.fullmatch(gap)
            )
            or (rules.FORWARD.fullmatch(gap) and not (predicate and adjective))
            or (inside and _LISTED.fullmatch(gap))
        ):
            forward = _run_from(text, after, stop)
    if inside or forward:
        return [*inside, *forward]
    before = [m for m in mentions if at <= m.start < statement.start]
    if before:
        runs = _runs(text, before)
        several = statement.state is UptakeState.NORMAL or _BOTH.search(text, at, statement.start)
        return [m for run in runs for m in run] if several else runs[-1]
    if pending:
        return [m for group in pending for m in group] if statement.state is UptakeState.NORMAL else pending[-1]
    return []


def _runs(text: str, mentions: list[Mention]) -> list[list[Mention]]:
    """Part the mentions where more than a list stands between them."""
    runs: list[list[Mention]] = []
    for mention in mentions:
        if runs and _same_run(text, runs[-1][-1], mention):
            runs[-1].append(mention)
        else:
            runs.append([mention])
    return runs


def _same_run(text: str, left: Mention, right: Mention) -> bool:
    gap = text[left.end : right.start]
    if right.start <= left.end or _LISTED.fullmatch(gap):
        return True
    return "," not in gap and not rules.VERB.search(gap)


def _run_from(text: str, after: list[Mention], stop: int) -> list[Mention]:
    """Return the list of organs that starts with the first of these, without the subject of what follows."""
    run = [after[0]]
    for mention in after[1:]:
        gap = text[run[-1].end : mention.start]
        if rules.VERB.search(gap):
            break
        starts_clause = re.search(r",(?! ?(?:and|or|nor)\b)", gap) and re.match(
            r"[^,]{0,25}?\b(?:is|are|shows?|demonstrates?|has|have)\b", text[mention.end : stop]
        )
        if starts_clause:
            break
        run.append(mention)
    return run


def _physiological(
    text: str,
    clause: tuple[int, int],
    statement: Statement,
    targets: list[Mention],
    last: list[Link],
    links: list[Link],
) -> bool:
    """Handle "physiologic" after an increase of the same sentence; True where that settles the statement."""
    increased = [link for link in last if link.statement.state in POSITIVE_STATES]
    if not increased or {m.organ for m in targets} - {link.mention.organ for link in increased}:
        return False
    after_increase = max(clause[0], increased[-1].statement.end)
    if rules.HEDGE.search(text, min(after_increase, statement.start), clause[1]):
        return True
    for link in increased:
        if link in links:
            links.remove(link)
            normal = replace(link.statement, state=UptakeState.NORMAL, rule="physiological")
            links.append(Link(normal, link.mention))
    return True


def _mentions(text: str, a: int, b: int, earlier: list[Mention]) -> list[Mention]:
    raw = english_mentions(text, a, b)
    nodes = [m for m in raw if m.organ == NODE]
    if not nodes and _FAT.search(text, a, b):
        raw = [m for m in raw if not m.organ.endswith("_ln") or "adenop" in text[m.start : m.end].lower()]
    settled: list[Mention] = []
    for mention in raw:
        if mention.organ == NODE:
            settled.append(mention)
            continue
        twin = any(
            m is not mention and m.start == mention.start and m.near_node_only != mention.near_node_only for m in raw
        )
        beside = _ADJACENT_NODE.match(text, mention.end, b) is not None
        if not mention.near_node_only:
            if not (twin and beside):
                settled.append(mention)
        elif (nodes and not twin) or (twin and beside):
            settled.append(replace(mention, near_node_only=False))
        elif not twin:
            region = _region_alone(text, mention, b, raw)
            if region:
                settled.append(region)
    kept: list[Mention] = []
    landmark: Mention | None = None
    for mention in settled:
        if mention.organ == NODE:
            if any(m.organ.endswith("_ln") for m in settled):
                continue
            kept.append(
                resolve_node(mention, [*earlier, *(m for m in settled if m.start < mention.start)])
                or replace(mention, organ=OTHER)
            )
            continue
        listed = landmark is not None and re.fullmatch(r",? (?:and|or) (?:the )?", text[landmark.end : mention.start])
        if (
            listed
            or rules.LANDMARK_BEFORE.search(text[a : mention.start])
            or rules.REMOVED_AFTER.match(text, mention.end, b)
        ):
            landmark = mention
            continue
        kept.append(mention)
    return list(dict.fromkeys(kept))


def _region_alone(text: str, mention: Mention, b: int, raw: list[Mention]) -> Mention | None:
    """Return what a node region means where no lymph node is named: the chest's own nodes, or another structure."""
    if any(0 <= m.start - mention.end <= 2 for m in raw):
        return None
    if mention.organ == "thoracic_ln" and text[mention.start : mention.end].lower().startswith(("hil", "mediast")):
        mass = rules.MASS.search(text, mention.end, min(b, mention.end + 30))
        if not mass:
            return replace(mention, near_node_only=False)
        if text[mention.start : mention.end].lower().startswith("hil"):
            return replace(mention, organ="lung", near_node_only=False)
    return replace(mention, organ=OTHER, near_node_only=False)
