"""SUVmax values in a sentence of a report: their labels in both languages, ranges, lists and delayed images."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LABEL = re.compile(
    r"(?P<named>"
    r"(?:\b(?:maximum|maximal|max)\.?|最[大高])\s?(?:SUV\s?-?max|SUV(?:bw)?|standardi[sz]ed uptake values?"
    r"|标准化?摄取值)"
    r"(?:\s?\(\s?SUV\s?-?(?:max)?\s?\))?"
    r"|(?:standardi[sz]ed uptake value|标准化?摄取值)s?\s?\(\s?SUV\s?-?max\s?\)"
    r"|SUV(?:bw)?\s?-?\(?\s?(?:max(?:imum|imal)?\b\.?|max(?![a-z])|最[大高])\)?"
    r"|\bSUVs\s?max(?![a-z])"
    r")"
    r"|(?P<bare>\bSUVs?(?![a-z])(?!\s?-?\(?(?:mean|avg|average|peak|min|med|ratio|r\b|lbm|lean|平均|均值?|峰|最小|比))"
    r"|标准化?摄取值)",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    r"(?:\s(?:of|in|for|within)\s(?:the\s)?(?:(?!and\b|with\b|mean\b|than\b)[a-z-]+\s){1,6}?(?=(?:is|was|has|measur\w+|decreas\w+"
    r"|increas\w+|declin\w+|fell|rose|now)\b|[=:]))?"
    r"(?:\s|\(?(?:\d{1,3}\s?(?:h|min|小时|分钟)|early|delayed|早期|延迟|常规)(?:显像|相)?\)|[=:≈~<>≤≥(]|值|约|为|是|达|高|最"
    r"|大|于|介|范围|在|分别|依次|均|接近|近|从|由|到|至|升|降|增|加|减|低(?!于)|上|下|者|仍|仅|区间|波动|较前|较治疗前"
    r"|[左右][侧叶]?|(?<![A-Za-z])(?:L|R)(?=[\s:=]{0,2}\d)|早期|常规|初始|第一次|显像|现|本次|目前|其|数值|测|得"
    r"|\b(?:values?|of|is|was|are|were|up|to|about|approximately|approx\.?|around|roughly|nearly|measur(?:es?|ed|ing)"
    r"|at|between|from|rang(?:es?|ing)|as|high|a|the|with|reach(?:es|ed|ing)|ca\.?|now|currently|respectively"
    r"|has|have|had|been|increas(?:ed|ing)|decreas(?:ed|ing)|rising|falling|risen|fallen|declined)\b)*",
    re.IGNORECASE,
)
_UNIT_AFTER = (
    r"(?![\d.]*\d)(?!\s?(?:cm|mm|厘米|毫米|m?L\b|%|×|\*|x\s?\d|HU\b|h\b|hours?|小时|分钟|min|年|月|日|枚|个|处|层|级|[kMG]?Bq"
    r"|lesions?|nodules?|foci|nodes))"
)
_NUMBER = re.compile(rf"\d{{1,3}}(?:\.\d{{1,2}})?{_UNIT_AFTER}", re.IGNORECASE)
_RANGE = re.compile(r"\s?(?:-|~|–|—|至|到|to\b|and(?=\s\d))\s?", re.IGNORECASE)
_LIST = re.compile(
    r"(?:\s(?:(?:on|in) (?:the )?)?(?:right|left)(?: side)?"
    r"|\s(?:on|at|in)\s(?:the\s)?(?:early|initial|delayed|standard|routine)(?:\s(?:imaging|images?|phase|scan))?"
    r"|\s(?:at|after)\s\d{1,3}[\s-]?(?:min\w*|h\w*)(?!\S)|\s?\((?:left|right|左侧?|右侧?)\))?\s?(?:、|,\s?and\b|,"
    r"|/|和|及|与|or\b|and\b"
    r"|或|\s(?:versus|vs\.?|compared (?:with|to))(?=\s?[\d.]+\s(?:on the (?:left|right)|in the contralateral"
    r"|contralateral)))\s?(?:(?:[左右][侧叶]?|另一[个枚处])(?:约|为)?|[LR][\s:=]{0,2}(?=\d))?",
    re.IGNORECASE,
)
_CHANGE = re.compile(r"\s?(?:→|->|(?:降低?|减低?|下降|升高?|增高?|上升)(?:至|到|为)(?:延迟(?:显像|相)?)?)\s?")
_CHANGED_BEFORE = re.compile(
    r"(?:由|从|\b(?:increas(?:ed|ing)|decreas(?:ed|ing)|risen|rising|fallen|falling|declined|reduced) from)\s?$",
    re.IGNORECASE,
)
_CHANGED_FROM = re.compile(
    r"(?:由|从|\b(?:increas(?:ed|ing)|decreas(?:ed|ing)|risen|rising|fallen|falling|declined"
    r"|reduced) from) ?(?:an? )?$",
    re.IGNORECASE,
)
_FROM = re.compile(r"(?<!ranging )(?<!ranges )(?<!range )\bfrom ?$", re.IGNORECASE)
_COMPARES = re.compile(r"\b(?:compar\w+|prior|previous\w*|interval|increas\w+|decreas\w+|progress\w+)\b", re.IGNORECASE)
"""Words that make "from 3.1 to 6.6" a change between studies, not a range."""
_DELAYED = re.compile(
    r"[,;(\s]*(?:(?:\d\s?(?:h|小时)\s?)?延迟(?:显像|相|扫描|期|后|像)*"
    r"|(?:and )?(?:on )?delayed(?: imaging| images?| scan| phase)?)[^\d,;。]{0,12}",
    re.IGNORECASE,
)
_MEAN = r"(?:SUV\s?-?)?(?:mean|avg|ave|average|peak|平均值?|均值)"
_WITH_MEAN = re.compile(rf"\s?(?:/|、|及|和|and\b)\s?{_MEAN}(?![a-z])", re.IGNORECASE)
_MEAN_BEFORE = re.compile(rf"{_MEAN}\s?/\s?$", re.IGNORECASE)
_NOT_MAX_BEFORE = re.compile(
    r"(?:\b(?:peak|mean|average|avg|median|minimum|min|lean)|平均|最小|峰值?)\s?$", re.IGNORECASE
)
_DELAYED_IMAGES = re.compile(r"延迟|双时相|\bdelayed\b|\bdual[- ](?:time|phase)", re.IGNORECASE)
_EARLIER_STUDY = re.compile(
    r"较前|前次|上次|前片|旧片|既往|外院|原|(?:治疗|化疗|放疗|术)前|\b(?:previous|prior|baseline|earlier|last)",
    re.IGNORECASE,
)
_EARLIER_BEFORE = re.compile(
    r"(?:(?<=[(,;])前|较前|原|前次|上次|前片|旧片|既往|外院|治疗前|化疗前|术前|(?:previous|prior|baseline|earlier|old|former)(?:ly)?)\s?\(?\s?$",
    re.IGNORECASE,
)
_EARLIER_AFTER = re.compile(
    r"\s?\(?\s?(?:previously(?!,?\s?(?:SUV\s?-?max)?\s?(?:was|of)?\s?\d)|on (?:the )?(?:prior|previous"
    r"|baseline|earlier)|at baseline)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class RawSuv:
    """One SUVmax in normalised text: its number at [start, end), and where its label begins."""

    value: float
    decimals: int
    start: int
    end: int
    label_start: int
    named_max: bool
    earlier: bool


def find_suv_values(text: str, start: int, end: int) -> list[RawSuv]:
    """Return the SUVmax values of ``text[start:end]``; SUVmean, SUVpeak and ratios are not among them."""
    found: list[RawSuv] = []
    at = start
    while (label := _LABEL.search(text, at, end)) is not None:
        at = label.end()
        if label["bare"] is not None and _NOT_MAX_BEFORE.search(text, start, label.start()):
            continue
        paired = _WITH_MEAN.match(text, label.end(), end)
        between = _BETWEEN.match(text, label.end() if paired is None else paired.end(), end)
        first = None if between is None else _NUMBER.match(text, between.end(), end)
        if between is None or first is None:
            continue
        earlier = _EARLIER_BEFORE.search(text, start, label.start()) is not None
        mean_first = _MEAN_BEFORE.search(text, start, label.start()) is not None
        changed = _CHANGED_BEFORE.search(text, label.end(), between.end()) is not None or (
            _CHANGED_FROM.search(text, start, label.start()) is not None
        )
        changed = changed or (
            _FROM.search(text, label.end(), between.end()) is not None
            and _COMPARES.search(text, start, label.start()) is not None
        )
        one_study = _DELAYED_IMAGES.search(text, start, end) and not _EARLIER_STUDY.search(text, start, end)
        for number, (match, was_before) in enumerate(_numbers(text, first, changed, end)):
            was_before = was_before and not one_study
            at = match.end()
            if (paired is not None and number) or (mean_first and not number):
                # the mean of "SUVmax/SUVmean 3.2/2.0"
                continue
            value = match.group()
            found.append(
                RawSuv(
                    value=float(value),
                    decimals=len(value.partition(".")[2]),
                    start=match.start(),
                    end=match.end(),
                    label_start=match.start() if number else label.start(),
                    named_max=label["named"] is not None,
                    earlier=earlier or was_before or _EARLIER_AFTER.match(text, match.end(), end) is not None,
                )
            )
            at = match.end()
    return found


def _numbers(text: str, first: re.Match[str], changed: bool, end: int) -> Iterator[tuple[re.Match[str], bool]]:
    """Yield the numbers that one label has, each with whether it is what the value was before a change."""
    number: re.Match[str] | None = first
    while number is not None:
        change = _CHANGE.match(text, number.end(), end)
        span = change or _RANGE.match(text, number.end(), end)
        following = None if span is None else _NUMBER.match(text, span.end(), end)
        yield number, (change is not None or changed) and following is not None
        changed = False
        if following is None:
            following = _next_of_list(text, number.end(), end)
        number = following


def _next_of_list(text: str, at: int, end: int) -> re.Match[str] | None:
    mark = _LIST.match(text, at, end)
    if mark is not None:
        number = _NUMBER.match(text, mark.end(), end)
        # a number without decimals after a comma counts something else
        if number is not None and "." in number.group():
            return number
    delayed = _DELAYED.match(text, at, end)
    if delayed is None:
        return None
    # the label may stand again; it then speaks for itself
    return _NUMBER.match(text, delayed.end(), end)
