"""Patterns by which :mod:`pet2rep_core.report.claims` reads a language; all read normalised text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pet2rep_core.records import Language


@dataclass(frozen=True, slots=True)
class ClaimRules:
    """How one language says which side, and which organ a value is of.

    ``compared_before`` a side that is only compared with; ``mostly_after`` a side that is only the worse of two;
    ``most_of_all`` the largest of several lesions; ``side_after`` words right after a statement that may hold sides;
    ``reference_before`` a value that is named for comparison; ``clause_mark`` what parts clauses; ``bare_node`` a lymph
    node without its region; ``together`` both sides alike; ``worse_on`` both sides, one of them more; ``lesion`` words
    for a lesion, ``cause`` what it may be, ``part`` and ``other_part`` parts of it; ``example`` words before the places
    that a general statement gives; ``found_at`` a value with the place right after it; ``goes_on`` words before a side
    that joins it to a list; ``bracket`` what stands in brackets right after an organ; ``side_of_value`` a side right
    after a value; ``compared_value`` words before a value in brackets right after a comparison; ``reference_organ`` an
    organ right before its value, a reference where it is named for nothing else.
    """

    sides: re.Pattern[str]
    compared_before: re.Pattern[str]
    mostly_after: re.Pattern[str]
    most_of_all: re.Pattern[str]
    side_after: re.Pattern[str]
    midline: re.Pattern[str]
    list_gap: re.Pattern[str]
    clause_mark: re.Pattern[str]
    reference_before: re.Pattern[str]
    bare_node: re.Pattern[str]
    together: re.Pattern[str]
    worse_on: re.Pattern[str]
    lesion: re.Pattern[str]
    cause: re.Pattern[str]
    part: re.Pattern[str]
    other_part: re.Pattern[str]
    respectively: re.Pattern[str]
    example: re.Pattern[str]
    found_at: re.Pattern[str]
    goes_on: re.Pattern[str]
    bracket: re.Pattern[str]
    side_of_value: re.Pattern[str]
    compared_value: re.Pattern[str]
    reference_organ: re.Pattern[str]


RULES = {
    Language.CHINESE: ClaimRules(
        sides=re.compile(
            r"双侧|两侧|左右(?:两侧|双侧)?|(?:左|右)(?:侧|叶|份|上叶|下叶|中叶|(?=第?\d))|(?<![\dA-Za-z.])(?:[24]|1[0-4])[RL](?![A-Za-z])"
        ),
        compared_before=re.compile(r"(?:较|比|与|同|和|于|对|除)$"),
        mostly_after=re.compile(r"[^,;。]{0,4}?(?:为著|为主|较著|明显|为甚|显著|更|较)"),
        most_of_all=re.compile(r"(?:大|高|显著|明显|著)(?:者|的)?(?:一[个枚处])?(?:位于|在|见于|为|于)?(?:左|右)?侧?$"),
        side_after=re.compile(r"[,(]?(?:SUV\s?-?max|最大SUV值?)?(?:约|为|:|=)?(?:左|右)(?:侧|(?=第?\d))[^;。]{0,24}"),
        midline=re.compile(
            r"纵隔|隆突|腹膜后|肠系膜|气管前|气管隆|胸骨(?!旁)|骶骨|骶椎|尾骨|脊柱|[颈胸腰骶]\d|[颈胸腰骶尾]椎|椎体|[CTLS]\d|中轴骨|骨髓"
            r"|腹主动脉|门腔|肝胃|主-?肺动脉窗|血管前|骨盆|颅骨|骨骼|诸骨|全身骨|子?宫|阴道|膀胱|垂体"
        ),
        list_gap=re.compile(r"(?:\([^()。;]{1,40}\))?[、及和与/以并或,]{0,3}(?:双侧?|两侧?|左侧?|右侧?)?(?:区|部|内|旁)?[、及和与/以并或]{0,2}(?:双侧?|两侧?|左侧?|右侧?)?"),
        clause_mark=re.compile(r"[,;。]"),
        reference_before=re.compile(
            r"(?:血池|(?<!代谢)(?<!摄取)(?<!放射性)本底|背景|参考|对照|对侧|正常肝(?:脏|实质)?|(?:高于|低于|超过|接近|相当于|不高于)[^,;。]{0,10})"
            r"(?:区|的|值|部)*\(?(?:其|为|约)?$|\((?:参考|同期|正常|周围|而)*(?:肝脏?|脾脏?|纵隔)(?:实质|右叶)?$"
        ),
        lesion=re.compile(r"饱满|肿胀|隆起|息肉|实变|膨大|结节|肿[块物瘤]|包块|占位|团块|病灶|肿大|转移|灶|增厚|破坏|淋巴结|癌(?![^,;。]{0,6}(?:术|切除|史|治疗|化疗|放疗))"),
        cause=re.compile(r"(?:考虑|提示|符合|倾向)[^,;。]{0,14}?(?:炎|转移|恶性|癌|瘤|增生|感染|结核)"),
        part=re.compile(r"实性(?:部分|成分|区)|[囊外内]?壁结节|[洞囊]壁|边缘|周边|[大高]者|另(?:见|有|一)|余(?:者|部分)"),
        other_part=re.compile(r"[囊洞腔其]内|囊性|囊变|中[心央]|其?余|坏死"),
        bare_node=re.compile(r"淋巴结"),
        together=re.compile(r"均|皆|都"),
        worse_on=re.compile(r"以?[左右]侧?(?:较|更|显)?(?:为著|为主|较著|著|为甚|显著(?=[,;。(]|$)|明显(?=[,;。(]|$))"),
        respectively=re.compile(r"分别|依次"),
        goes_on=re.compile(r"[及和与、]$"),
        bracket=re.compile(r"\([^()。\n]{1,80}\)"),
        side_of_value=re.compile(r"\(([左右])侧?\)"),
        compared_value=re.compile(r"(?:高于|低于|大于|[<>]|超过|接近|相当于|不高于)[^,;。()]{0,10}\($"),
        reference_organ=re.compile(r"(?:肝脏?|脾脏?)(?:实质|右叶|本底|的)*$"),
        found_at=re.compile(r"[\d.]+[,(](?:最?[大高]者)?(?:位于|见于)"),
        example=re.compile(r"包括|例如|如|位于|见于|[大高著甚]者|为著|为甚|其中|:"),
    ),
    Language.ENGLISH: ClaimRules(
        sides=re.compile(
            r"\b(?:left(?!\s(?:gastric|colic)\b)|right|bilateral(?:ly)?|both sides|both(?=\s[a-z]+s\b|$)|[rl]t"
            r"|(?-i:[RL])(?=:| [a-z]|$))\b", re.IGNORECASE
        ),
        compared_before=re.compile(
            r"\b(?:than|to|versus|vs|with|except|not)\s(?:(?:the|that|of|on|in|contralateral)\s)*$", re.IGNORECASE
        ),
        mostly_after=re.compile(r"(?:\sside)?\s?(?:greater|more|worse|>|predominan\w+|larger|slightly)", re.IGNORECASE),
        most_of_all=re.compile(
            r"\b(?:largest|dominant|most (?:avid|intense|prominent)|hottest|up to)\b[^,;]{0,28}$", re.IGNORECASE
        ),
        side_after=re.compile(
            r"\s?(?:[a-z]+\s){0,2}bilaterally|[\s,(:]{1,2}(?:right|left)\s(?:SUV\s?-?max\s)?[\d.]+[^;]{0,40}"
            r"|\s?(?:,\s)?(?:[a-z]+\s){0,2}(?:on|in|at|along|over|overlying)\s(?:the\s)?(?:left|right|both)\b"
            r"(?!\s(?:upper|lower|middle|lobe))"
            r"|(?:the\s)?(?:left|right|both)\b(?!\s(?:upper|lower|middle|lobe))",
            re.IGNORECASE,
        ),
        midline=re.compile(
            r"mediastin|subcarinal|retroperiton|vertebr|spin|stern|sacr(?!oil)|[tlcs]\d|skull|marrow|axial|bones?\b|osseous|skelet|mesenter|paraaortic"
            r"|para-aortic|aortocaval|prevascular|precarinal|uter(?:us|ine)|cervix|endometri|vagin|bladder|pituitar",
            re.IGNORECASE,
        ),
        list_gap=re.compile(
            r"[\s,/&]*(?:\b(?:and|or|as well as|the|both|left|right|bilateral|also|of"
            r"|in)\b[\s,/&]*){0,4}", re.IGNORECASE
        ),
        clause_mark=re.compile(r"[,;]|\.\s"),
        reference_before=re.compile(
            r"\b(?:blood[- ]?pool|background(?! (?:uptake|activity|metabolism))|reference|threshold"
            r"|cut-?off)\b[^,;]{0,12}$"
            r"|\b(?:above|below|than|to|exceeds?|exceeding)\s(?:(?:the|that|of|normal|mediastinal|background)\s)*"
            r"(?:liver|hepatic\w*|spleen|contralateral\s\w+|right|left)(?:\s\w+)?\s?\(?$",
            re.IGNORECASE,
        ),
        together=re.compile(r"\b(?:both|all|each)\b", re.IGNORECASE),
        worse_on=re.compile(
            r"\b(?:left|right)(?:\sside)?\s?(?:greater|more|>|worse|larger|predominant|more \w+)(?:\sthan)?"
            r"|\b(?:worse|greater|more \w+|predominant\w*) on the (?:left|right)\b",
            re.IGNORECASE,
        ),
        lesion=re.compile(
            r"\b(?:fullness|prominen|asymmetr|hyperplas|enlarg|polyp|lytic|sclerotic|nodul|mass|lesion|adenop|lymphadenop|metasta|thicken|foc(?:us|i|al)|tumou?r|implant|primary\b|malignan|carcinoma|cancer"
            r"|nodes?\b)", re.IGNORECASE
        ),
        cause=re.compile(
            r"\b(?:consistent|compatible|suspicious|concerning|suggest\w*|likely|favou?r\w*|in keeping)\b[^;]{0,30}?"
            r"(?:itis\b|metasta|malignan|cancer|carcinoma|tumou?r|infect|inflam|lymphoma)",
            re.IGNORECASE,
        ),
        part=re.compile(r"\b(?:solid|soft tissue) (?:component|portion|part|element)|mural nodule"
            r"|\b(?:wall|rim|periphery)\b", re.I),
        other_part=re.compile(r"\b(?:cystic|center|centre|central|necro\w+|remainder|rest)\b", re.IGNORECASE),
        bare_node=re.compile(r"(?:lymph )?nodes?|nodal|lymphaden\w+|adenop\w+|periprosthetic", re.IGNORECASE),
        respectively=re.compile("respectively", re.IGNORECASE),
        goes_on=re.compile(r"\band (?:the )?$", re.IGNORECASE),
        bracket=re.compile(r"\s?\([^()\n]{1,80}\)"),
        side_of_value=re.compile(
            r"\s\(?(?:on\s(?:the\s)?)?(left|right)"
            r"(?=[\s,;.)]|$)(?!\s(?!and|side)[a-z])", re.IGNORECASE
        ),
        compared_value=re.compile(
            r"(?:\b(?:above|below|than|to|exceeds?|exceeding)|[<>])\s?(?:(?:the|that|of|in|normal|mediastinal|background)\s)*"
            r"(?:liver|hepatic|spleen|splenic|blood[- ]?pool|background)(?:\s\w+)?\s?\($",
            re.IGNORECASE,
        ),
        reference_organ=re.compile(
            r"\b(?:liver|hepatic|spleen|splenic)(?:\s(?:parenchyma|background|uptake|activity|reference|with|of))*\s?$",
            re.IGNORECASE,
        ),
        found_at=re.compile(r"[\d.]+,? (?:located |seen |found )?in (?=the\b|a\b|left|right)", re.IGNORECASE),
        example=re.compile(
            r"\b(?:includ\w+|such as|for example|e\.g|notabl\w+|index|largest|most|dominant|greatest|involving"
            r"|located|seen)\b|:",
            re.IGNORECASE,
        ),
    ),
}  # fmt: skip
