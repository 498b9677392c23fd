"""Contradictions inside one report, and of a report with what is known of the patient."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pet2rep_core.records import POSITIVE_STATES, Language, UptakeState
from pet2rep_core.report.uptake import Evidence, OrganUptake
from pet2rep_core.scoring.identity import age_of, stated_ages
from pet2rep_core.scoring.read_text import Quote, ReadText

Sex = Literal["M", "F"]

_LESION = {
    Language.CHINESE: re.compile(
        r"结节|肿块|肿物|占位|病[灶变]|灶|囊肿|囊性|斑片|影(?!像)|术后|术区|残端|钙化|结石|积液|增厚|淋巴结肿大|血管瘤"
    ),
    Language.ENGLISH: re.compile(
        r"\b(?:nodul\w*|mass(?:es)?|lesions?|cysts?|cystic|foc(?:us|i)|opacit\w*|status post|surg\w*|resect\w*"
        r"|calcif\w*|stones?|effusions?|thicken\w*|haemangioma|hemangioma|enlarged|scar\w*)\b",
        re.IGNORECASE,
    ),
}
_DENIED = {
    Language.CHINESE: re.compile(r"未见|没有|无|不伴"),
    Language.ENGLISH: re.compile(r"\b(?:no|without|free of|not)\b", re.IGNORECASE),
}
_LIMITED = {
    Language.CHINESE: re.compile(r"余|其他|其它|另|除|较前|前片|前次|原|治疗后|部分|局部"),
    Language.ENGLISH: re.compile(
        r"\b(?:other\w*|remain\w*|rest|else\w*|except|apart from|compared|prior|previous\w*|after|partly|some|new)\b",
        re.IGNORECASE,
    ),
}
_CLAUSE = re.compile(r"[，,：:]")
_SIDES = {
    Language.CHINESE: (re.compile(r"左"), re.compile(r"右"), re.compile(r"[双两]")),
    Language.ENGLISH: (
        re.compile(r"\bleft\b", re.IGNORECASE),
        re.compile(r"\bright\b", re.IGNORECASE),
        re.compile(r"\b(?:both|bilateral\w*)\b", re.IGNORECASE),
    ),
}
_PART_WORDS = re.compile(
    r"[左右双两侧脏叶段上中下部区]|\b(?:left|right|both|bilateral|the|upper|middle|lower|lobes?|of|segments?)\b\s*|s\b",
    re.IGNORECASE,
)
_NAMED_PART = re.compile(
    r"[上中下左右尾前后][叶段极]|第?\d+段|S\d+段?|[舌基底背]段|胰[头体尾]|胃[底体窦]|肺[尖底]"
    r"|\b(?:upper|middle|lower|left|right|caudate)(?: lobe| pole)|\bsegments? \d"
    r"|\b(?:head|body|tail|fundus|antrum|apex) of\b",
    re.IGNORECASE,
)
_WHOLE = re.compile(r"(?:全身|扫描范围内|所见)*诸?骨(?:骼|质)?|bones?|skeleton|osseous structures?", re.IGNORECASE)

_MALE_ORGANS = re.compile(
    r"前列腺|精囊|睾丸|附睾|阴囊|阴茎|精索"
    r"|\b(?:prostat(?:e|ic)|seminal vesicles?|test(?:is|es|icles?|icular)|scrot(?:um|al)|epididym\w+|penis|penile)\b",
    re.IGNORECASE,
)
_FEMALE_ORGANS = re.compile(
    r"子宫|宫颈|宫体|宫腔|卵巢|输卵管|阴道|附件区|双侧附件|[左右]侧附件"
    r"|\b(?:uter(?:us|ine)|ovar(?:y|ies|ian)|adnexa\w*|vagin\w+|endometri\w+|fallopian|cervix uteri)\b",
    re.IGNORECASE,
)
_NOT_OF_PATIENT = re.compile(
    r"家族|母亲|父亲|特异|抗原|PSA|PSMA|不适用|如为|若为|者：|或|样|/"
    r"|\b(?:family|mother|father|specific|antigen|if|or|not applicable)\b",
    re.IGNORECASE,
)
_DENIED_BEFORE = re.compile(r"(?:未见|无)[^，,。；;]{0,4}$|\b(?:no|without)(?: the)? $", re.IGNORECASE)
_DENIED_AFTER = re.compile(r"[^，,。；;]{0,4}(?:缺如|未见显示|不存在)|[^,.;]{0,12}\babsent\b", re.IGNORECASE)
_SAID_SEX = re.compile(
    r"性别[ \t]*[:：][ \t]*(?P<label>[男女])"
    r"|(?:患者|病人|受检者)[，,为系是、 ]{0,3}(?P<patient>[男女])(?:性|[，,、。\d ])"
    r"|\d{1,3}岁[，,、 ]?(?P<aged>[男女])(?:性|[，,、。 ])|(?P<before>[男女])性?[，,、 ]{0,2}\d{1,3}岁"
    r"|\b(?:[Ss]ex|[Gg]ender|SEX|GENDER)[ \t]*[:：][ \t]*(?P<en_label>M(?:ale)?|F(?:emale)?|male|female)\b"
    r"|\b(?:year|yr)s?[- ]old[- ](?P<en_old>man|woman|male|female)\b|\b(?P<en_patient>male|female) patient\b",
)


class MetadataKind(StrEnum):
    """What a report says otherwise than the case's metadata."""

    SEX = "sex"
    ORGAN = "organ of the other sex"
    AGE = "age"


@dataclass(frozen=True, slots=True)
class MetadataConflict:
    """Words of a report that cannot be true of this patient; ``known`` is what the metadata say."""

    kind: MetadataKind
    known: str
    quote: Quote


@dataclass(frozen=True, slots=True)
class Contradiction:
    """An organ that one part of a report calls normal and the other part positive."""

    organ: str
    states: tuple[UptakeState, ...]
    positive: Evidence
    normal: Evidence
    normal_in_findings: bool


def find_contradictions(text: ReadText) -> tuple[Contradiction, ...]:
    """Return the organs that findings and impression of one report contradict each other about.

    One part states a positive uptake, the other states the same organ as normal and as nothing else. The normal
    statement must be about the organ as such: its sentence names no lesion that it does not deny (a non-avid nodule
    beside an avid one is no contradiction), no rest (余, 其他, remaining), no earlier study, not the other side
    alone and no other part (下叶 beside 上叶), and it names the organ with the same word as the positive one.

    Examples (findings, impression)
    -------------------------------
    ==============================  ===========================  =============
    肝脏FDG代谢未见异常。             肝右叶FDG代谢增高，转移可能。   contradiction
    右肺结节FDG代谢增高。             两肺FDG代谢未见异常。          contradiction
    肝囊肿，FDG代谢未见增高。          肝右叶FDG代谢增高。            (none)
    左肺FDG代谢未见异常。             右肺结节FDG代谢增高。          (none)
    余肺FDG代谢未见异常。             右肺结节FDG代谢增高。          (none)
    The liver shows normal uptake.  Increased liver uptake.      contradiction
    ==============================  ===========================  =============
    """
    found = []
    for organ, concluded in text.impression.items():
        described = text.findings.get(organ)
        if described is None:
            continue
        pair = _opposed(text, described, concluded) or _opposed(text, concluded, described)
        if pair is not None:
            normal, positive, item = pair
            found.append(Contradiction(organ, item.states, positive, normal, item is concluded))
    return tuple(found)


def sex_of(metadata: Mapping[str, str]) -> Sex | None:
    """Return the patient's sex where the metadata give one, else None."""
    words = str(metadata.get("sex", "")).strip().casefold()
    if words in ("m", "male", "man", "男", "男性"):
        return "M"
    return "F" if words in ("f", "female", "woman", "女", "女性") else None


def knows_patient(metadata: Mapping[str, str]) -> bool:
    """Tell whether there is anything to contradict: sex or age."""
    return sex_of(metadata) is not None or age_of(metadata) is not None


def find_metadata_conflicts(text: ReadText, metadata: Mapping[str, str]) -> tuple[MetadataConflict, ...]:
    """Return what a report says of sex, organs of one sex and age that the case's metadata rule out.

    Without a sex in the metadata nothing is said about sex and organs, without an age nothing about age. An organ of
    the other sex is not flagged in a sentence that leaves open which it is (或, or, /, 如为), that denies the organ,
    that names organs of both sexes, or that speaks of a relative or an antigen. An age may differ by one year.

    Examples (sex in the metadata, text)
    ------------------------------------
    ======  =======================================  ======================
    F       前列腺增大，FDG代谢未见异常。              organ of the other sex
    M       The uterus shows increased uptake.       organ of the other sex
    F       患者，男，56岁。                          sex
    F       前列腺及精囊，或子宫及附件未见异常。        (none)
    M       母亲有卵巢癌家族史。                       (none)
    (none)  前列腺增大。                             (none)
    ======  =======================================  ======================
    """
    sex, age = sex_of(metadata), age_of(metadata)
    found: list[MetadataConflict] = []
    if sex is not None:
        for match in _SAID_SEX.finditer(text.text):
            said = next(value for value in match.groups() if value is not None)
            if sex_of({"sex": said}) not in (sex, None):
                found.append(MetadataConflict(MetadataKind.SEX, sex, text.quote(*match.span())))
        found += [MetadataConflict(MetadataKind.ORGAN, sex, quote) for quote in _organs_of_other(text, sex)]
    if age is not None:
        found += [
            MetadataConflict(MetadataKind.AGE, str(age), quote)
            for said, quote in stated_ages(text.text)
            if abs(said - age) > 1
        ]
    return tuple(sorted(found, key=lambda one: one.quote.start))


def _organs_of_other(text: ReadText, sex: Sex) -> Iterator[Quote]:
    own, other = (_MALE_ORGANS, _FEMALE_ORGANS) if sex == "M" else (_FEMALE_ORGANS, _MALE_ORGANS)
    if not other.search(text.text):
        return
    for start, end in text.sentences:
        sentence = text.text[start:end]
        if own.search(sentence) or _NOT_OF_PATIENT.search(sentence):
            continue
        for match in other.finditer(sentence):
            before, after = sentence[: match.start()], sentence[match.end() :]
            if not _DENIED_BEFORE.search(before) and not _DENIED_AFTER.match(after):
                yield text.quote(start + match.start(), start + match.end())
                break


def _opposed(
    text: ReadText, normal: OrganUptake, positive: OrganUptake
) -> tuple[Evidence, Evidence, OrganUptake] | None:
    if normal.states != (UptakeState.NORMAL,) or not any(state in POSITIVE_STATES for state in positive.states):
        return None
    for said in positive.evidence:
        for denied in normal.evidence:
            if _is_about_all(text, denied) and _same_place(text, denied, said):
                return denied, said, positive
    return None


def _is_about_all(text: ReadText, evidence: Evidence) -> bool:
    """Tell whether a normal statement is about the organ as such."""
    sentence = _sentence_of(text, evidence)
    if _LIMITED[text.language].search(sentence):
        return False
    for clause in _CLAUSE.split(sentence):
        lesion = _LESION[text.language].search(clause)
        if lesion and not _DENIED[text.language].search(clause, 0, lesion.start()):
            return False
    return True


def _same_place(text: ReadText, normal: Evidence, positive: Evidence) -> bool:
    word, sentence = text.text[positive.organ_start : positive.organ_end], _sentence_of(text, normal)
    general = text.text[normal.organ_start : normal.organ_end]
    bare, own = (_PART_WORDS.sub("", one).strip().casefold() for one in (word, general))
    same = bare in sentence.casefold() if bare else bool(own)
    if not _WHOLE.fullmatch(general) and not same and not (own and own in bare):
        return False
    parts = {one.casefold() for one in _NAMED_PART.findall(sentence)}
    if parts - {one.casefold() for one in _NAMED_PART.findall(_sentence_of(text, positive))}:
        return False
    left, right, both = _SIDES[text.language]
    here, there = _sentence_of(text, positive), sentence
    if both.search(there):
        return True
    only_left = bool(left.search(there)) and not right.search(there)
    only_right = bool(right.search(there)) and not left.search(there)
    return not (only_left and not left.search(here)) and not (only_right and not right.search(here))


def _sentence_of(text: ReadText, evidence: Evidence) -> str:
    start, _ = text.sentence_at(min(evidence.start, evidence.organ_start))
    _, end = text.sentence_at(max(evidence.end, evidence.organ_end) - 1)
    return text.text[start:end]
