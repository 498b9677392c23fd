"""Which words of a Chinese clause name an organ that a statement may be about, and which only a place beside it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from pet2rep_core.report import uptake_rules_zh as rules
from pet2rep_core.report.uptake_words import NODE, OTHER, Mention, chinese_mentions, resolve_node

_EXCEPT = re.compile(r"除[^,]{1,16}?外(?!科|周|侧|缘)")
UPTAKE_WORD = re.compile(r"FDG|SUV|代谢|摄取|放射性|显像剂|示踪剂|显影", re.IGNORECASE)
_LIST = re.compile(r"[、及和与/或以双两左右侧部并,第\d]*")
_ONE_OF_NODES = re.compile(r"(?:[大高著]者|残留|残余|其中|其一)[^,]{0,8}(?:位于|见于|在|为)")
_LEVEL = re.compile(r"(?:部)?第?(?:[IV]{1,3}|\d)[IVABab\d、~/及和-]*[区组]")
"""A level of the neck names its lymph nodes: 左颈VI区小结节."""
_NODE_OF = re.compile(r"(?:旁|周围?|内|区|门|部)*(?:可?见)?(?:多发|肿大|小|数[枚个]|\d{1,2}[枚个]|散在|稍大)*淋巴结")
_NODE_LIST = re.compile(r"[、及和与或以并区部内旁双左右侧周围]*[、及和与或][、及和与或以并区部内旁双左右侧周围]*")
_PERITONEUM = re.compile(r"网膜|腹膜(?!后)|腹水|积液")
_FAT = re.compile(r"脂肪(?!间隙)|肌肉|肌群")
_BONE_OF_OTHERS = frozenset({"骨质", "骨质破坏", "骨皮质", "骨"})
_BESIDE_LESION = re.compile(r"(?:紧邻|邻近|相邻|毗邻|周围)(?:的|左侧|右侧|左|右)*")
_LIES_IN = re.compile(r"位于(?:左|右)?侧?$")
_FLUID = re.compile(r"(?:左侧?|右侧?|双侧|该|上述)?(积液)")
_HOLDS_FLUID = frozenset({"pleura", "peritoneum", "heart"})
"""Bare "积液" goes back to the cavity named before it in the sentence."""
_FILLING = frozenset({"脂肪间隙", "脂肪组织"})
_FAT_PLANE = re.compile(r"(?:尚|稍|欠|略)?(?:模糊|清晰|清楚|消失|密度|浑浊|清|存在|可见)")
_MASS = re.compile(r"肿块|占位|软组织|团块")
_INVADES = re.compile(r"(?:累及|侵犯|侵及|浸润|侵入)[^,]{0,4}$")


def excepted(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return the places of "except for …" that state no uptake themselves."""
    return [m.span() for m in _EXCEPT.finditer(text, start, end) if not UPTAKE_WORD.search(m.group())]


def read_places(
    text: str, a: int, b: int, following: str, earlier: Sequence[Mention], removed: list[Mention], *, opened: bool
) -> list[Mention]:
    """Return the organs of a clause that a statement may be about; organs of the history are added to ``removed``.

    ``following`` is the text of the next clause, ``earlier`` the organs named before, which place a bare lymph node;
    ``opened`` tells that the sentence has named organs already, so that a further one may be a landmark.
    """
    spared = excepted(text, a, b)
    raw = [m for m in chinese_mentions(text, a, b) if not any(s <= m.start < e for s, e in spared)]
    if any(_is_node_region(m) for m in earlier) and _ONE_OF_NODES.search(text, a, b):
        following = "淋巴结"
    raw = _regions(text, b, raw, following)
    if _FAT.search(text, a, b) and "淋巴" not in text[a:b]:
        raw = [m for m in raw if not _is_node_region(m)]
    if not raw and (fluid := _FLUID.match(text, a, b)) is not None:
        organ = next((m.organ for m in reversed(earlier) if m.organ in _HOLDS_FLUID), None) if opened else None
        raw = [Mention(organ, fluid.start(1), fluid.end(1))] if organ else []
    history = _historic(text, b, raw)
    removed.extend(m for m in raw if m in history)
    kept: list[Mention] = []
    landmark: Mention | None = None
    for mention in raw:
        if mention in history:
            continue
        if mention.organ == NODE:
            if any(_is_node_region(m) for m in kept):
                continue
            node = resolve_node(mention, [*earlier, *removed, *(m for m in raw if m.start < mention.start)])
            if node and landmark and mention.start - landmark.end <= 1:
                continue
            kept.append(node or replace(mention, organ=OTHER))
            continue
        if _NODE_OF.match(text, mention.end, b) and not _is_node_region(mention):
            continue
        listed = landmark is not None and _LIST.fullmatch(text[landmark.end : mention.start]) is not None
        if listed or _is_landmark(text, a, b, mention, bool(kept) or opened):
            landmark = mention
            continue
        kept.append(mention)
    return list(dict.fromkeys(kept))


def _regions(text: str, b: int, raw: list[Mention], following: str) -> list[Mention]:
    """Settle the words that name a node group only beside "lymph node"."""
    last_node = max((m.start for m in raw if m.organ == NODE), default=-1)
    node_follows = "淋巴结" in following and all(
        m.organ == NODE for m in chinese_mentions(following, 0, len(following))
    )
    settled: list[Mention] = []
    for mention in raw:
        if not mention.near_node_only:
            twin = any(m.near_node_only and m.start == mention.start for m in raw)
            if not (twin and (_NODE_OF.match(text, mention.end, b) or _listed_with_nodes(text, b, mention, raw))):
                settled.append(mention)
            continue
        twin = any(not m.near_node_only and m.start == mention.start for m in raw)
        word = text[mention.start : mention.end]
        if twin:
            if _NODE_OF.match(text, mention.end, b) or _listed_with_nodes(text, b, mention, raw):
                settled.append(replace(mention, near_node_only=False))
        elif (
            mention.start < last_node
            or node_follows
            or (mention.organ == "cervical_ln" and (_LEVEL.match(text, mention.end, b) or _LEVEL.search(word)))
            or (rules.NODE_STATION.match(word) and "结节" in text[mention.end : b])
        ):
            settled.append(replace(mention, near_node_only=False))
        elif mention.organ == "abdominopelvic_ln" and "积液" in text[mention.end : min(b, mention.end + 8)]:
            settled.append(replace(mention, organ="peritoneum", near_node_only=False))
        elif "肺门" in word and not rules.PLACE_AFTER.match(text, mention.end, b):
            organ = "lung" if _MASS.search(text, mention.end, b) else mention.organ
            settled.append(replace(mention, organ=organ, near_node_only=False))
        elif not _names_part(text, mention, b):
            settled.append(replace(mention, organ=OTHER, near_node_only=False))
    return settled


def _listed_with_nodes(text: str, b: int, twin: Mention, raw: list[Mention]) -> bool:
    """Tell whether a word for an organ and a node region stands in a list of node regions ("肠系膜及腹膜后淋巴结")."""
    if _PERITONEUM.search(text, raw[0].start, b):
        return False
    after = next((m for m in raw if m.start >= twin.end), None)
    before = next((m for m in reversed(raw) if m.end <= twin.start), None)
    return any(
        other is not None and (_is_node_region(other) or other.organ == NODE) and _NODE_LIST.fullmatch(text, *gap)
        for other, gap in (
            (after, (twin.end, after.start if after else twin.end)),
            (before, (before.end if before else twin.start, twin.start)),
        )
    )


def _names_part(text: str, region: Mention, b: int) -> bool:
    """Tell whether a region only places the organ named right after it ("颈部肌肉", "盆腔内肠管")."""
    return any(m.organ != NODE for m in chinese_mentions(text, region.end, min(b, region.end + 5)))


def _is_node_region(mention: Mention) -> bool:
    return mention.organ.endswith("_ln")


def _historic(text: str, b: int, raw: list[Mention]) -> list[Mention]:
    found: list[Mention] = []
    for mention in reversed(raw):
        listed = any(_LIST.fullmatch(text[mention.end : m.start]) for m in found)
        if rules.HISTORY_AFTER.match(text, mention.end, b) or listed:
            found.append(mention)
    return found


def _is_landmark(text: str, a: int, b: int, mention: Mention, others: bool) -> bool:
    before = text[a : mention.start]
    if not _is_node_region(mention) and rules.PLACE_AFTER.match(text, mention.end, b):
        return True
    word = text[mention.start : mention.end]
    if mention.organ == "bone" and others and _BESIDE_LESION.fullmatch(before) and _is_destroyed(text, b, mention):
        return False
    if others and (
        (word in _BONE_OF_OTHERS and rules.WITH_BONE.search(before)) or (word == "胸腔" and _LIES_IN.search(before))
    ):
        return True
    if others and word.endswith("脂肪间隙") and _FAT_PLANE.match(text, mention.end, b):
        return True
    if (
        word in _FILLING
        and mention.start > a
        and any(m.end == mention.start for m in chinese_mentions(text, a, mention.start))
    ):
        # "眼球后脂肪间隙" is a place of the eye
        return True
    if others and rules.LANDMARK_AFTER.match(text, mention.end, b):
        return True
    if others and rules.REFERENCE_BEFORE.search(before) and rules.REFERENCE_AFTER.match(text, mention.end, b):
        return True
    if word == "软组织" and others and (before[-1:] in "样状见有性呈为" or before.endswith(("局部", "周围"))):
        # a lesion of soft tissue, not a muscle
        return True
    if others and mention.organ == "liver" and _is_reference(text, a, b, mention, before):
        return True
    if _is_node_region(mention) and _BESIDE_LESION.fullmatch(before) and "淋巴结" in text[mention.end : b]:
        return False
    if _BESIDE_LESION.fullmatch(before) and UPTAKE_WORD.search(text, mention.end, b):
        # the next organ has an uptake of its own
        return False
    if rules.STRONG_LANDMARK.search(before):
        return others or not _INVADES.search(before)
    return (
        rules.LANDMARK_BEFORE.search(before) is not None
        and rules.COMPARED_AFTER.match(text, mention.end, b) is not None
    )


def _is_reference(text: str, a: int, b: int, liver: Mention, before: str) -> bool:
    """Tell whether a clause gives the value of the liver only because the sentence compares with it."""
    if not rules.REFERENCE_ALONE.fullmatch(before) or not rules.REFERENCE_AFTER.match(text, liver.end, b):
        return False
    sentence = re.split(r"[。;\n]", text[max(0, a - 80) : a])[-1] + re.split(r"[。;\n]", text[a : b + 40])[0]
    return rules.COMPARES.search(sentence) is not None


def _is_destroyed(text: str, b: int, bone: Mention) -> bool:
    """Tell whether a bone beside a lesion is named as destroyed: then it is a finding of its own."""
    return text[bone.start : bone.end] not in _BONE_OF_OTHERS and "破坏" in text[bone.end : b]
