"""Read the uptake statements of an English report and tie each to its organs."""

from __future__ import annotations

import re
from dataclasses import replace

from pet2rep_core.records import POSITIVE_STATES, UptakeState
from pet2rep_core.report import uptake_context_en as context
from pet2rep_core.report import uptake_rules_en as rules
from pet2rep_core.report.suv_values import find_suv_values
from pet2rep_core.report.uptake_words import (
    NODE,
    OTHER,
    Link,
    Mention,
    Reading,
    Statement,
    blank,
    drop_link,
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
    r"|of|in|to|upper|lower|middle|with|also|regions?|stations?|levels?|areas?|spaces?|fossae?|zones?|chains?|groups?|lymph"
    r"|nodes?|glands?|lobes?|[IV]{1,3}[AB]?(?:-[IV]{1,3}[AB]?)?|\d{1,2}[LR]?(?:-\d{1,2})?)\b[\s,/&()]*)*",
    re.IGNORECASE,
)
_ADJACENT_NODE = re.compile(
    r"[\s/,-]*(?:(?:lymph|hilar|region\w*|chain|and|or|\w+al|\w+ic)\b[\s/,-]*){0,3}"
    r"(?:nodes?|nodal|lymphadenop\w+|adenopath\w+)\b",
    re.IGNORECASE,
)
LOWER_THAN_BEFORE = "lower than before"
HIGH_SUV_MAX = 2.5
"""SUVmax (g/mL) from which a lesion counts as above background where the text gives nothing else."""

_VALUE_OF = re.compile(
    r"\s(?:measuring|measures) (?:up to )?[\d.]+(?: ?[x×] ?[\d.]+)*(?: ?[cm]m)?"
    r"|\s?\([^()]{1,60}\)|\s?\(?(?:with |has |having )?(?:an? )?SUV\s?-?max(?: of)?[ :=]*[\d.]*\d\)?",
    re.IGNORECASE,
)
_JOINS_CLAUSE = re.compile(r",|\b(?:and|but) the (?:left |right )?$", re.IGNORECASE)
_SUBJECT_OF_NEXT = re.compile(
    r"[^,.;]{0,25}?\b(?:is|are|was|were|shows?|demonstrates?|exhibits?|has|have|remains?)(?: \w+){0,2} ?", re.IGNORECASE
)
_NORMAL_ORGAN = re.compile(r"\b(?:normal|unremarkable|negative|no) (?:\w+ )?$", re.IGNORECASE)
_GOES_WITH_NEXT = re.compile(r"\s(?:in|within|of|inside|with|and|surrounded by)(?:\s[\w-]+){0,2}\s?$", re.IGNORECASE)
_SHARES_ORGAN = re.compile(
    r"\s(?:(?:left|right|larger|smaller|dominant|anterior|posterior|upper|lower|superior|inferior|medial|lateral|proximal"
    r"|distal)(?:-sided)?\s?)+,?\s?(?:and|but|or)?\s?(?:an?|the|another)?\s?",
    re.IGNORECASE,
)
"""Between two adjectives with one organ after them: "an avid right and a nonavid left adrenal nodule"."""
_SOFT_TISSUE_OF = re.compile(r"soft tissue", re.IGNORECASE)
_LIES_IN = re.compile(
    r" (?:in|within|filling|along|around|of|involving) (?:the )?(?:(?:left|right|both|bilateral) )?", re.I
)
_LIES_OVER = re.compile(
    r" (?:(?:lesions?|nodules?|mass|foc(?:us|i)) )?(?:of|in|over|at|along|within) (?:the )?(?:(?:left|right|both) )?",
    re.I,
)
_NEW_SUBJECT = re.compile(
    r"\b(?:is|are|was|were|has|have|measures|appears?|remains?|shows?|demonstrates?)\b[^,]*,? "
    r"\b(?:and|but|while) (?:an?|the)\b",
    re.IGNORECASE,
)
_PLACED = re.compile(r"(?: [\w-]+){0,2} (?:in|at|within) (?:the )?(?:(?:left|right) )?", re.IGNORECASE)
_FAT = re.compile(r"\b(?:brown fat|adipose|muscles?|musculature)\b", re.IGNORECASE)
_BOTH = re.compile(r"\b(?:both|all|each|respectively|also)\b", re.IGNORECASE)


def read_uptake(text: str) -> Reading:
    """Return every uptake statement of a normalised English text with the mention it is about."""
    reading = Reading()
    previous: list[Mention] = []
    of_nodes = False
    for start, end in spans_between(text, _SENTENCE_END, 0, len(text)):
        reading.sentences.append((start, end))
        # "Pelvic nodes: right iliac …; left iliac …" names nodes up to the next full stop
        of_nodes = context.NODE_HEADING.match(text, start, end) is not None or (of_nodes and text[start - 1] == ";")
        previous = _read_sentence(text, start, end, previous, reading, of_nodes=of_nodes)
    return reading


def _read_sentence(
    text: str, start: int, end: int, previous: list[Mention], reading: Reading, *, of_nodes: bool
) -> list[Mention]:
    links = reading.links
    sentence = text[start:end]
    if context.LEAD.search(sentence) or context.ADVICE.search(sentence):
        return previous
    reading.earlier.extend(m.span() for m in context.EARLIER_STUDY.finditer(text, start, end))
    spans = [
        m.span()
        for p in (context.COMPARISON, context.CT_WORDING, context.EARLIER_STUDY)
        for m in p.finditer(text, start, end)
    ]
    readable = blank(sentence, [(a - start, b - start) for a, b in spans])
    already = len(links)
    compared = _compared(text, start, end)
    lower: list[Link] = []
    pending: list[list[Mention]] = []
    last: list[Link] = []
    named = False
    heading: Statement | None = None
    relative = context.RELATIVE_TO_EARLIER.search(sentence) is not None
    for a, b in spans_between(text, context.CONTRAST, start, end):
        known = [*previous, *(m for group in pending for m in group)]
        mentions = _mentions(text, a, b, known, of_nodes=of_nodes)
        if mentions and text[b : b + 1] == ":" and all(m.organ == OTHER for m in mentions):
            # a heading of a body region places nothing; "FDG-avid nodes:" states what is listed after it
            stated = rules.statements(readable[a - start : b - start])
            heading = replace(stated[0], start=stated[0].start + a, end=stated[0].end + a) if len(stated) == 1 else None
            continue
        reading.named.extend(mentions)
        clause = readable[a - start : b - start]
        found = _statements(clause, a, named, mentions)
        found = sorted([*found, *(s for s in compared if a <= s.start < b)], key=lambda s: s.start)
        if not found and not named and (bare := context.BARE_UPTAKE.search(readable[a - start : end - start])):
            found = [Statement(UptakeState.INCREASED, a + bare.start(), a + bare.end(), "uptake seen")]
        if not found and context.UPTAKE_WORD.search(text, a, b) and (gone := context.RESOLUTION.search(text, a, b)):
            found = [Statement(UptakeState.NORMAL, *gone.span(), "resolved")]
        named = named or context.UPTAKE_WORD.search(text, a, b) is not None
        if heading is not None and mentions and not found:
            last = [Link(heading, mention) for mention in mentions]
            links.extend(last)
            continue
        heading = None
        if len(found) == 1 and found[0].state is not None and text[b : b + 1] == ":" and not (mentions or pending):
            heading = found[0]
            continue
        if not found:
            pending.extend(_runs(text, mentions))
            continue
        if relative:
            found = [_against_earlier(text, statement) for statement in found]
        for statement in found:
            if statement.rule == LOWER_THAN_BEFORE:
                about = mentions or (pending[-1] if pending else [])
                lower = [Link(statement, mention) for mention in about]
        stating = [statement for statement in found if statement.rule != LOWER_THAN_BEFORE]
        if not stating:
            pending.extend(_runs(text, mentions))
            continue
        last = _tie_clause(text, (start, a, b), stating, mentions, pending, previous, last, links)
        pending = []
    if lower and len(links) == already:
        last = _still_above(text, start, end, lower)
        links.extend(last)
    if last:
        return [link.mention for link in last]
    return [m for group in pending for m in group] or previous


def _compared(text: str, start: int, end: int) -> list[Statement]:
    """Return what a sentence says of uptake against an earlier study: higher is an increase, lower no state yet."""
    found: list[Statement] = []
    for match in context.COMPARISON.finditer(text, start, end):
        if not context.UPTAKE_WORD.search(match.group()) and not context.UPTAKE_WORD.search(
            text, max(start, match.start() - 40), match.start()
        ):
            continue
        if context.HIGHER_THAN_BEFORE.search(match.group()):
            found.append(Statement(UptakeState.INCREASED, *match.span(), "higher than before"))
        elif context.LOWER_THAN_BEFORE.search(match.group()):
            found.append(Statement(None, *match.span(), LOWER_THAN_BEFORE))
    return found


def _against_earlier(text: str, statement: Statement) -> Statement:
    """Return a decrease that is measured against an earlier study as no state of its own."""
    words = text[statement.start : statement.end].lower()
    if statement.rule == "uptake lower" and words.startswith(("decreas", "reduc", "diminish", "lower", "less")):
        return replace(statement, state=None, rule=LOWER_THAN_BEFORE)
    return statement


def _still_above(text: str, start: int, end: int, lower: list[Link]) -> list[Link]:
    """Return an increase where uptake is lower than before and the text gives an SUVmax that is still high."""
    now = next((value.value for value in find_suv_values(text, start, end) if not value.earlier), 0.0)
    if now < HIGH_SUV_MAX:
        return []
    return [
        Link(replace(link.statement, state=UptakeState.INCREASED, rule="lower but still high"), link.mention)
        for link in lower
    ]


def _statements(clause: str, a: int, named: bool, mentions: list[Mention]) -> list[Statement]:
    """Return what a clause that starts at ``a`` states, its own words and those that go on from before."""
    found = list(rules.statements(clause))
    for match in rules.BARE.finditer(clause):
        uptake_before = named or context.UPTAKE_WORD.search(clause, 0, match.start()) is not None
        if uptake_before and not any(s.start < match.end() and match.start() < s.end for s in found):
            state = rules.BARE_STATES.get(match["state"].lower(), UptakeState.NORMAL)
            found.append(Statement(state, *match.span(), "continued"))
    if not found and named and (persists := context.PERSISTS.search(clause)):
        found.append(Statement(UptakeState.INCREASED, *persists.span(), "continued"))
    if not found and named and mentions and (ellipsis := context.ELLIPSIS.search(clause)):
        found.append(Statement(UptakeState.NORMAL, *ellipsis.span(), "continued"))
    return [replace(s, start=s.start + a, end=s.end + a) for s in sorted(found, key=lambda s: s.start)]


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
    waiting: list[Statement] = []
    for number, statement in enumerate(found):
        stop = found[number + 1].start if number + 1 < len(found) else b
        targets = _targets(text, (at, stop), statement, mentions, pending)
        if stop < b and (
            _SHARES_ORGAN.fullmatch(text, statement.end, stop)
            or (not targets and _GOES_WITH_NEXT.fullmatch(text, statement.end, stop))
        ):
            # "photopenia within the hypermetabolic hepatic mass": the organ stands after both
            waiting.append(statement)
            continue
        at = max([statement.end, *(m.end for m in targets if m.start >= statement.start)])
        if statement.rule == "below liver" and statement.state is None:
            targets = [m for m in targets if m.organ == "liver"]
            statement = replace(statement, state=UptakeState.DECREASED if targets else None)
        if context.DEAUVILLE_3.match(text, statement.end):
            statement = replace(statement, state=UptakeState.NORMAL)
        if statement.state is None:
            continue
        if context.PHYSIOLOGICAL.search(text, statement.start, statement.end) and _physiological(
            text, (a, b), statement, targets, last, links
        ):
            continue
        if not targets and last and not any(m.start >= at or m.start >= statement.start for m in mentions):
            targets = [link.mention for link in last]
        if not targets and not context.GENERAL.search(text, sentence_start, b):
            after = [m for m in mentions if statement.end <= m.start < stop]
            targets = _run_from(text, after, stop) if after else [] if mentions else previous
            at = max([at, *(m.end for m in targets if m.start >= statement.start)])
        if targets:
            last = [Link(one, mention) for one in (*waiting, statement) for mention in dict.fromkeys(targets)]
            links.extend(last)
        waiting = []
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
        adjective = context.ADJECTIVE.search(text[statement.start : statement.end]) is not None
        predicate = context.COPULA_BEFORE.search(text[at : statement.start]) is not None
        if (
            (
                adjective
                and not predicate
                and "," not in gap
                and not context.VERB.search(gap)
                and context.BETWEEN_ADJECTIVE.fullmatch(gap)
            )
            or (context.FORWARD.fullmatch(gap) and not (predicate and adjective))
            or (inside and _LISTED.fullmatch(gap))
        ):
            forward = _run_from(text, after, stop)
    before = [m for m in mentions if at <= m.start < statement.start]
    if forward and before and context.SUBJECT_VERB.fullmatch(text, before[-1].end, statement.start):
        forward = [m for m in forward if m.organ in {one.organ for one in before}]
    if inside or forward:
        return [*inside, *forward]
    if before:
        runs = _runs(text, before)
        runs = _of_one_subject(text, runs)
        several = statement.state is UptakeState.NORMAL or _BOTH.search(text, at, statement.start)
        return [m for run in runs for m in run] if several else runs[-1]
    if pending:
        return [m for group in pending for m in group] if statement.state is UptakeState.NORMAL else pending[-1]
    return []


def _of_one_subject(text: str, runs: list[list[Mention]]) -> list[list[Mention]]:
    """Return the runs since the last one that has a predicate of its own: "the liver is large, and the spleen …"."""
    kept = runs[-1:]
    for left, right in zip(runs[-2::-1], runs[:0:-1], strict=False):
        if _NEW_SUBJECT.search(text, left[-1].end, right[0].start):
            break
        kept.insert(0, left)
    return kept


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
    gap = _without_values(text[left.end : right.start])
    if right.start <= left.end or _LISTED.fullmatch(gap):
        return True
    return "," not in gap and not context.VERB.search(gap)


def _without_values(gap: str) -> str:
    """Return the words between two organs without the size and the SUVmax of the first."""
    return _VALUE_OF.sub("", gap)


def _run_from(text: str, after: list[Mention], stop: int) -> list[Mention]:
    """Return the list of organs that starts with the first of these, without the subject of what follows."""
    run = [after[0]]
    for mention in after[1:]:
        gap = _without_values(text[run[-1].end : mention.start])
        if context.VERB.search(gap):
            break
        starts_clause = re.search(r",(?! ?(?:and|or|nor)\b)", gap) and re.match(
            r"[^,]{0,25}?\b(?:is|are|shows?|demonstrates?|has|have)\b", text[mention.end : stop]
        )
        own_statement = _JOINS_CLAUSE.search(gap) and _SUBJECT_OF_NEXT.fullmatch(text, mention.end, stop)
        if starts_clause or own_statement or _NORMAL_ORGAN.search(gap):
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
    apart = targets and min(m.start for m in targets) > increased[-1].statement.end if increased else False
    if apart and context.UPTAKE_WORD.search(text, statement.start, statement.end):
        return False
    if not increased or {m.organ for m in targets} - {link.mention.organ for link in increased}:
        return False
    after_increase = max(clause[0], increased[-1].statement.end)
    if context.HEDGE.search(text, min(after_increase, statement.start), clause[1]):
        return True
    for link in increased:
        if drop_link(links, link):
            normal = replace(link.statement, state=UptakeState.NORMAL, rule="physiological")
            links.append(Link(normal, link.mention))
    return True


def _mentions(text: str, a: int, b: int, earlier: list[Mention], *, of_nodes: bool) -> list[Mention]:
    raw = english_mentions(text, a, b)
    nodes = of_nodes or any(m.organ == NODE for m in raw)
    if not nodes and _FAT.search(text, a, b):
        raw = [m for m in raw if not m.organ.endswith("_ln") or "adenop" in text[m.start : m.end].lower()]
    settled: list[Mention] = []
    for mention in raw:
        if _SOFT_TISSUE_OF.fullmatch(text, mention.start, mention.end) and any(
            _is_inner(text, m)
            and (m.end == mention.start - 1 or _LIES_IN.fullmatch(text, mention.end, max(mention.end, m.start)))
            for m in raw
        ):
            # "nasopharyngeal soft tissue" is the nasopharynx
            continue
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
        if kept and not nodes and mention.organ.endswith("_ln") and _is_place(text, kept[-1], mention):
            # "a graft in the left groin" names no nodes
            continue
        if mention.organ == OTHER and kept and _LIES_OVER.fullmatch(text, kept[-1].end, mention.start):
            # "a skin lesion of the left forearm" is one of the skin
            continue
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
            or context.LANDMARK_BEFORE.search(text[a : mention.start])
            or _is_reference(text, a, b, mention, others=bool(kept))
            or context.REMOVED_AFTER.match(text, mention.end, b)
        ):
            landmark = mention
            continue
        kept.append(mention)
    return list(dict.fromkeys(kept))


def _is_place(text: str, before: Mention, region: Mention) -> bool:
    """Tell whether a region only places the vessel or soft tissue that is named right before it."""
    placed = before.organ in {"vessel", "soft_tissue", "lung"} and _PLACED.fullmatch(text, before.end, region.start)
    return bool(placed) and "adenop" not in text[region.start : region.end].lower()


def _is_inner(text: str, mention: Mention) -> bool:
    """Tell whether the soft tissue of an organ or region is the organ itself, not a muscle or fat beside it."""
    if mention.near_node_only:
        return text[mention.start : mention.end].lower().startswith("mediast")
    return mention.organ not in {"bone", OTHER} and not mention.organ.endswith("_ln")


def _is_reference(text: str, a: int, b: int, mention: Mention, *, others: bool) -> bool:
    """Tell whether an organ is named only for its value, which another organ's is compared with."""
    before = text[max(a, mention.start - 60) : mention.start]
    if context.COMPARED_WITH.search(before):
        return True
    return (
        others
        and context.REFERENCE_ORGAN.match(text, mention.start, mention.end) is not None
        and context.REFERENCE_BEFORE.search(before) is not None
        and context.REFERENCE_AFTER.match(text, mention.end, b) is not None
        and (before.rfind("(") > before.rfind(")") or context.COMPARES.search(text, a, b) is not None)
    )


def _region_alone(text: str, mention: Mention, b: int, raw: list[Mention]) -> Mention | None:
    """Return what a node region means where no lymph node is named: the chest's own nodes, or another structure."""
    if any(0 <= m.start - mention.end <= 2 for m in raw):
        return None
    if mention.organ == "thoracic_ln" and text[mention.start : mention.end].lower().startswith(("hil", "mediast")):
        mass = context.MASS.search(text, mention.end, min(b, mention.end + 30))
        if not mass:
            return replace(mention, near_node_only=False)
        if text[mention.start : mention.end].lower().startswith("hil"):
            return replace(mention, organ="lung", near_node_only=False)
    return replace(mention, organ=OTHER, near_node_only=False)
