"""Patterns by which :mod:`pet2rep_core.report.mentions` reads a language; all read normalised text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pet2rep_core.records import Language
from pet2rep_core.report import uptake_context_en, uptake_rules_zh


@dataclass(frozen=True, slots=True)
class MentionRules:
    """How one language marks sentences, lists, sides and comparisons.

    ``lists`` is what may stand between two organs of one list; ``shares`` between two that share a side, which words
    of ``midline`` never do; ``joined`` between two words for the same organ that are shown as one; ``before`` and
    ``after`` what belongs to an organ's word on either side (``number_before`` for bones); ``node_after`` a lymph node
    of the region just named; ``general`` words for an organ that do not say where; ``lead`` and ``shows`` how the scan
    was done, and where the findings begin after it; ``node_heading`` opens a list of nodes; ``side_reach`` how many
    characters before an organ's word its side is looked for.
    """

    sentence_end: re.Pattern[str]
    clause_end: re.Pattern[str]
    lists: re.Pattern[str]
    shares: re.Pattern[str]
    joined: re.Pattern[str]
    sides: re.Pattern[str]
    side_after: re.Pattern[str]
    two_sides: re.Pattern[str]
    before: re.Pattern[str]
    number_before: re.Pattern[str]
    after: re.Pattern[str]
    reference: re.Pattern[str]
    node_after: re.Pattern[str]
    region_alone: re.Pattern[str]
    respectively: re.Pattern[str]
    earlier: re.Pattern[str]
    general: re.Pattern[str]
    midline: re.Pattern[str]
    lead: re.Pattern[str]
    shows: re.Pattern[str]
    node_heading: re.Pattern[str]
    side_reach: int


_BONE_NUMBER = r"第?(?:[颈胸腰骶尾]椎?)?\d{1,2}"
RULES = {
    Language.CHINESE: MentionRules(
        sentence_end=re.compile(r"[。;!?\n\r\u2028\u2029]+|(?<=[\u4e00-\u9fff)])\.(?!\d)"),
        clause_end=re.compile(r",(?!\d{3}(?!\d))|[:(]"),
        lists=re.compile(r"[、及和与/以或并双两左右侧叶部区]{1,6}"),
        shares=re.compile(r"(?:上|下|中)?(?:区|部)?[、及和与/]"),
        joined=re.compile(r"\s?"),
        sides=re.compile(r"(?<![\dm月])左右|左、右|双侧?|两侧?|(?<!胃)(?:左侧?|右侧?)|(?<![\dA-Za-z.])(?:[24]|1[0-4])[RL](?![A-Za-z])"),
        two_sides=re.compile(r"[^,;。:(]{0,6}[及和与、](?:第?\d{1,2})?"),
        side_after=re.compile(r"(?:的|[:,(])?(左|右|双|两)(?:侧|叶|上|下|中|肺|肾|半|份)"),
        before=re.compile(r"(?:左|右|双|两)侧?(?:[上中下前后内外]{0,2}(?:部|段|份)?)$"),
        number_before=re.compile(rf"(?:{_BONE_NUMBER}(?:[-~/、至及和]{_BONE_NUMBER}){{0,6}}|[颈胸腰骶尾])$"),
        after=re.compile(r"(?:[上中下]叶|舌[叶段]|[前后内外尖背上下]{1,2}(?:基底)?段|(?<=[肺叶])尖)+"),
        reference=re.compile(
            r"(?:高于|低于|等于|近似于|相当于|相似于|较|邻近|毗邻|紧邻|紧贴|侵犯|侵及|累及|包绕|推移|推压|牵拉|压迫)"
            r"(?:周围|邻近|相邻|正常|同层面|对侧|的)*$"
        ),
        node_after=re.compile(r"(?:旁|周围?|内|区|门|部|侧)*(?:可?见)?(?:多发|多个|肿大|小|数枚|稍大|增大)*淋巴结"),
        region_alone=re.compile(r"纵隔|肺门"),
        respectively=re.compile("分别|依次"),
        earlier=uptake_rules_zh.EARLIER_STUDY,
        general=re.compile(r"骨(?:质|皮质|髓)?(?:破坏|增生)?|[肺肝肾脾胃脑](?:内|部|组织|实质)?"),
        midline=re.compile(r"纵隔|隆突|腹膜后|^(?:肝|脾|胰|胃|膀胱|前列腺)"),
        lead=uptake_rules_zh.LEAD,
        shows=uptake_rules_zh.SHOWS,
        node_heading=re.compile(r"(?!)"),
        side_reach=24,
    ),
    Language.ENGLISH: MentionRules(
        sentence_end=re.compile(
            r"(?<!\bapprox)(?<!\bvs)(?<!\be\.g)(?<!\bi\.e)(?<!\bDr)(?<!\bca)(?<!\bmax)(?<!\bim)(?<!\bNo)"
            r"(?<!^\d)(?<!\n\d)\.(?=\s|$)|[;!?\n\r\u2028\u2029。;]",
            re.IGNORECASE,
        ),
        clause_end=re.compile(r"[,:(]"),
        lists=re.compile(
            r"[\s,/&]*(?:\b(?:and|or|as well as|the|both|left|right|bilateral|of|in|upper|lower|middle)\b"
            r"[\s,/&]*){0,4}",
            re.IGNORECASE,
        ),
        shares=re.compile(r"\s?(?:and|or|/)\s?", re.IGNORECASE),
        joined=re.compile(r"[\s-]?|\s(?:of|in)\s(?:the\s)?(?:left\s|right\s)?", re.IGNORECASE),
        sides=re.compile(r"\b(?:right and left|left and right|(?:left(?!\s(?:gastric|colic)\b)|right"
            r"|bilateral|both)(?:-sided)?"
            r"|[rl](?:ul|ll|t)|rml|lingula\w*|(?:[24]"
        r"|1[0-4])[rl]|(?-i:[RL])(?=:| [a-z]|$))\b", re.IGNORECASE),
        two_sides=re.compile(r"\s(?:[\w-]+\s){0,2}(?:and|&)\s(?:the\s)?", re.IGNORECASE),
        side_after=re.compile(
            r"\s?(?:(?:nodes?|lymph nodes?|glands?|lobes?)\s)?(?:\(|on\s(?:the\s)?|,\s)?(left|right|bilateral)(?:ly)?\b"
            r"(?!\s(?:upper|lower|middle|hilar|lobe|lung|kidney|adrenal|axilla|breast|femur|iliac))",
            re.IGNORECASE,
        ),
        before=re.compile(
            r"\b(?:left|right|bilateral|both|[rl]t|(?-i:[RL]))(?:\s(?:upper|lower|middle|mid|anterior|posterior|lateral|medial|main"
            r"|internal|external|common)){0,2}\s$",
            re.IGNORECASE,
        ),
        number_before=re.compile(
            r"\b(?:\d{1,2}(?:st|nd|rd|th)|first|second|third|fourth|fifth|sixth)\s$", re.IGNORECASE
        ),
        after=re.compile(r"(?:\s(?:apex|base)\b)", re.IGNORECASE),
        reference=re.compile(
            r"\b(?:than|above|below|exceeding|adjacent to|similar to|comparable to|equal to|abutting|near"
            r"|invad(?:es|ing)|relative to|compared (?:to|with))\s(?:(?:that of|the|normal|adjacent|background)\s)*$",
            re.IGNORECASE,
        ),
        node_after=re.compile(
            r"[\s/-]*(?:(?:region\w*|chain|area|enlarged|and|or)\s){0,2}(?:lymph|nod(?:e|al)|adenop)", re.IGNORECASE
        ),
        region_alone=re.compile(r"mediastin|hil(?:ar|um|a)\b", re.IGNORECASE),
        respectively=re.compile("respectively", re.IGNORECASE),
        earlier=uptake_context_en.EARLIER_STUDY,
        general=re.compile(r"bones?|bony|osseous|(?:bone )?marrow|lungs?|pulmonary", re.IGNORECASE),
        midline=re.compile(
            r"mediastin|subcarinal|retroperiton|^(?:liver|hepatic|spleen|pancrea|bladder|prostat)", re.IGNORECASE
        ),
        lead=uptake_context_en.LEAD,
        shows=re.compile(r"\b(?:shows?|demonstrates?|reveals?)\b", re.IGNORECASE),
        node_heading=uptake_context_en.NODE_HEADING,
        side_reach=44,
    ),
}  # fmt: skip
_SLICES = r"(?P<first>\d{1,4})(?:\s?(?:-|~|–|至|到|to|and|及|、)\s?(?P<last>\d{1,4}))?"
SLICE_NUMBERS = (
    re.compile(rf"第\s?{_SLICES}\s?(?:层|幅|张)(?:面|图像)?"),
    re.compile(
        rf"(?:(?:层面|图像|切面)(?:号|序号)?[:\s]?|(?<![a-z])(?:images?|ims?|imgs?|slices?)(?:\s(?:no|number))?[.:#\s]{{0,2}})"
        rf"{_SLICES}(?![\d.]*\d)(?!\s?(?:mm|cm|层|张|幅))",
        re.IGNORECASE,
    ),
)
"""Both languages name slices in both ways."""
