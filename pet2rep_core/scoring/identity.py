"""Who a generated report says it is about: names, ages, dates, hospitals and numbers that nobody gave it.

Images carry none of these. What also stands in the reference, the prompt or the case's metadata was given and is
not flagged; placeholders (XXX, ___, 未提供) are slots left over, not identities.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pet2rep_core.scoring.read_text import Quote

_HAN = r"\u4e00-\u9fff"
_LABEL_END = r"[ \t\u3000*]*[:：#][ \t\u3000*]*"
_NAME_ZH = re.compile(
    r"(?:患者姓名|病人姓名|受检者姓名|姓名|(?:报告|审核|检查|诊断|送检|主治|书写|申请)(?:医[师生]|者))"
    rf"{_LABEL_END}(?P<value>[{_HAN}·]{{2,8}}|[A-Z][a-z]+(?: [A-Z][a-z.]+)+)"
)
_NAME_ZH_TITLE = re.compile(
    r"(?:患者|病人|受检者)(?P<value>[王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文]"
    r"(?:某{1,2}|先生|女士))"
)
_NAME_EN = re.compile(
    r"(?i:\b(?:patient(?:'s)? name|name of (?:the )?patient|name"
    r"|(?:reported|dictated|signed|read|interpreted|reviewed) by|radiologist"
    r"|attending(?: physician)?|referring physician))"
    rf"{_LABEL_END}(?P<value>(?:(?:Dr|Mr|Mrs|Ms|Prof)\.? )?[A-Z][a-z]+(?:[ ,]+[A-Z][a-z'.\-]*)+)",
)
_AGE = re.compile(
    rf"(?<![\d.])(?P<zh>\d{{1,3}})\s*(?:周?岁)(?![{_HAN}]?前)|年龄{_LABEL_END}(?P<labelled>\d{{1,3}})"
    r"|(?<![\d.])(?P<en>\d{1,3})[ \-]?(?:years?|yrs?)[ \-]old\b|(?<![\d.])(?P<short>\d{2,3})[ \-]?y/?o\b"
    r"|\b(?:[Aa]ge|AGE|aged)(?:[:：] ?| )(?P<aged>\d{1,3})\b(?! ?(?:mm|cm|%))",
)
_MONTHS = {name: number for number, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
)}  # fmt: skip
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?|Oct(?:ober)?"
    r"|Nov(?:ember)?|Dec(?:ember)?)"
)
_YEAR = r"(?:19|20)\d{2}"
_DATE = re.compile(
    rf"(?<!\d)(?P<y1>{_YEAR})\s?年\s?(?P<m1>\d{{1,2}})\s?月(?:\s?(?P<d1>\d{{1,2}})\s?[日号])?"
    rf"|(?<![\d.])(?P<y2>{_YEAR})(?P<sep>[-/.])(?P<m2>\d{{1,2}})(?P=sep)(?P<d2>\d{{1,2}})(?![\d])"
    rf"|(?<![\d.])(?P<a>\d{{1,2}})/(?P<b>\d{{1,2}})/(?P<y5>{_YEAR})(?!\d)"
    rf"|\b(?P<m3>{_MONTH})\.? (?P<d3>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<y3>{_YEAR})\b"
    rf"|\b(?P<d4>\d{{1,2}})(?:st|nd|rd|th)? (?P<m4>{_MONTH})\.?,? (?P<y4>{_YEAR})\b"
)
_HOSPITAL_ZH = re.compile(
    rf"(?:[{_HAN}]{{2,12}}(?:大学|医学院|医科大)[{_HAN}]{{0,10}}|[{_HAN}]{{2,6}}(?:省|市|县|区)[{_HAN}]{{0,10}}"
    rf"|[{_HAN}]{{0,8}}(?:第[一二三四五六七八九十]+|协和|华西|瑞金|湘雅|同济|齐鲁|人民|解放军))$"
)
_NO_HOSPITAL_ZH = re.compile(r"[市省县区]级$|(?:当地|外地|上级|专科|本|我|外|他|该|原|综合|教学)$|建议|前往|就诊|转诊")
_HOSPITAL_EN = re.compile(
    r"\b(?P<value>(?:[A-Z][\w'&\-]+ (?:of |the |and )*){1,5}"
    r"(?:Hospital|Medical Cent(?:er|re)|Cancer Cent(?:er|re)|Clinic))\b"
)
_NO_HOSPITAL_EN = re.compile(
    r"^(?:(?:Outside|Local|Our|Referring|The|This|Another|Other|Prior|Previous|General|An?|Same|In|At|From) )+"
    r"(?:Hospital|Medical|Cancer|Clinic)"
)
_NUMBER = re.compile(
    r"(?:住院|病历|病案|门诊|影像|检查|登记|放射|PET|病理|身份证|就诊卡|申请单|流水)(?:编)?(?:号码?|编号|ID)"
    rf"{_LABEL_END}(?P<zh>[A-Za-z]{{0,4}}[\-]?\d[\dA-Za-z\-]{{3,23}})"
    r"|\b(?i:MRN|medical record (?:number|no\.?)|accession(?: (?:number|no\.?))?|patient ID|study ID)"
    r"[ \t]*[:：#]?[ \t]*#?(?P<en>[A-Za-z]{0,4}-?\d[\dA-Za-z\-]{3,23})"
    r"|(?<!\d)(?P<card>[1-9]\d{5}(?:19|20)\d{2}(?:0\d|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dXx])(?![\dA-Za-z])"
    r"|(?:电话|手机|联系方式)"
    rf"{_LABEL_END}(?P<phone>1[3-9]\d{{9}}|0\d{{2,3}}-?\d{{7,8}})"
)
_PLACEHOLDER = re.compile(
    r"未提供|未知|不详|匿名|保密|某某某|无|暂无|姓名|年龄|性别|科室|签名|日期|[Xx×*_＿]{2,}|Not|None|Unknown|Anonym|Name|Redacted|Confidential|N/A"
)
_SQUEEZE = re.compile(r"\s+")


class IdentityKind(StrEnum):
    """What a report made up."""

    NAME = "name"
    AGE = "age"
    DATE = "date"
    HOSPITAL = "hospital"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class IdentityFlag:
    """One made-up part of an identity; ``value`` as compared with what was given."""

    kind: IdentityKind
    value: str
    quote: Quote


def find_identity(
    text: str, given: Iterable[str] = (), metadata: Mapping[str, str] | None = None
) -> tuple[IdentityFlag, ...]:
    """Return names, ages, dates, hospitals and numbers of a text that stand in nothing that was given.

    A name needs its label (姓名：, Patient name:, 报告医师：) or 患者 with a surname and 某, 先生 or 女士; an age its
    unit; a date its year and month; a hospital a proper name, not 外院 or "outside hospital"; a number its label, or
    the form of an identity card. Anything less is not flagged.

    Parameters
    ----------
    given : iterable of str
        Texts that the author may have had: the reference, the prompt.
    metadata : mapping, optional
        Facts of the case; an age is compared with ``age``, anything else with every value.

    Examples
    --------
    ==========================================  ========
    姓名：王建国                                 name
    患者，男，56岁。                             age
    与2023年5月12日片对比                        date
    复旦大学附属中山医院PET中心                   hospital
    住院号：A1024567                             number
    MRN: 00452317                               number
    与外院CT对比；3年前手术；SUVmax 5.6          (none)
    ==========================================  ========
    """
    candidates = list(_candidates(text))
    if not candidates:
        return ()
    facts = {key: str(value) for key, value in (metadata or {}).items()}
    texts = [*given, *facts.values()]
    squeezed = [_squeezed(one) for one in texts]
    ages = {value for one in given for kind, value, _ in _candidates(one) if kind is IdentityKind.AGE}
    ages |= {str(age)} if (age := age_of(facts)) is not None else set()
    dates = {value for one in texts for kind, value, _ in _candidates(one) if kind is IdentityKind.DATE}
    flags = []
    for kind, value, (start, end) in candidates:
        if kind is IdentityKind.AGE:
            known = value in ages
        elif kind is IdentityKind.DATE:
            known = any(value == one or one.startswith(f"{value}-") for one in dates)
        else:
            known = any(_squeezed(value) in one for one in squeezed)
        if not known:
            flags.append(IdentityFlag(kind, value, Quote(start, end, text[start:end])))
    return tuple(sorted(flags, key=lambda flag: (flag.quote.start, flag.quote.end)))


def age_of(metadata: Mapping[str, str]) -> int | None:
    """Return the age in years that a case's metadata give, or None where they give none or a range."""
    match = re.fullmatch(r"\s*0*(\d{1,3})(?:\.0+)?\s*(?:[Yy](?:ears?)?|岁)?\s*", str(metadata.get("age", "")))
    return int(match[1]) if match and 0 < int(match[1]) < 120 else None


def stated_ages(text: str) -> list[tuple[int, Quote]]:
    """Return the ages that a text states, in years."""
    return [
        (int(value), Quote(start, end, text[start:end]))
        for kind, value, (start, end) in _candidates(text)
        if kind is IdentityKind.AGE
    ]


def _candidates(text: str) -> Iterator[tuple[IdentityKind, str, tuple[int, int]]]:
    for pattern in (_NAME_ZH, _NAME_ZH_TITLE, _NAME_EN):
        for match in pattern.finditer(text):
            if not _PLACEHOLDER.match(match["value"]):
                yield IdentityKind.NAME, match["value"].strip(" ,"), match.span("value")
    for match in _AGE.finditer(text):
        age = next(value for value in match.groups() if value is not None)
        if 0 < int(age) < 120:
            yield IdentityKind.AGE, str(int(age)), match.span()
    for match in _DATE.finditer(text):
        date = _date(match)
        if date:
            yield IdentityKind.DATE, date, match.span()
    yield from _hospitals(text)
    for match in _NUMBER.finditer(text):
        name = next(name for name, value in match.groupdict().items() if value is not None)
        yield IdentityKind.NUMBER, match[name], match.span(name)


def _date(match: re.Match[str]) -> str:
    """Return a date as YYYY-MM-DD, or YYYY-MM where it has no day; empty where it is none."""
    parts = match.groupdict()
    year = next(parts[name] for name in ("y1", "y2", "y3", "y4", "y5") if parts[name])
    if parts["a"]:
        # month first or day first cannot be told: as written
        return f"{year}-{int(parts['a']):02}/{int(parts['b']):02}"
    raw = next(parts[name] for name in ("m1", "m2", "m3", "m4") if parts[name])
    month = int(raw) if raw.isdigit() else _MONTHS[raw[:3].lower()]
    day = next((parts[name] for name in ("d1", "d2", "d3", "d4") if parts[name]), None)
    if not 1 <= month <= 12 or (day is not None and not 1 <= int(day) <= 31):
        return ""
    return f"{year}-{month:02}" + ("" if day is None else f"-{int(day):02}")


def _hospitals(text: str) -> Iterator[tuple[IdentityKind, str, tuple[int, int]]]:
    at = text.find("医院")
    while at >= 0:
        before = re.search(rf"[{_HAN}]{{0,24}}$", text[max(0, at - 24) : at])
        words = before.group() if before else ""
        named = _HOSPITAL_ZH.search(words)
        if named and not _NO_HOSPITAL_ZH.search(words):
            start = at - len(named.group())
            yield IdentityKind.HOSPITAL, text[start : at + 2], (start, at + 2)
        at = text.find("医院", at + 2)
    for match in _HOSPITAL_EN.finditer(text):
        if not _NO_HOSPITAL_EN.match(match["value"]):
            yield IdentityKind.HOSPITAL, match["value"], match.span("value")


def _squeezed(text: str) -> str:
    return _SQUEEZE.sub("", text).casefold()
