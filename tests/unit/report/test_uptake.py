"""Uptake per organ, on hand-labelled sentences and by laws."""

import re
import time
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pet2rep_core.records import POSITIVE_STATES, Language, UptakeState
from pet2rep_core.report.lexicon import read_lexicon
from pet2rep_core.report.uptake import extract_findings_uptake, extract_uptake

LABELS = tomllib.loads((Path(__file__).parent / "uptake_sentences.toml").read_text(encoding="utf-8"))
STATES = {state.value[0]: state for state in UptakeState}
SETS = [{language.value: LABELS[language.value]["sentences"] for language in Language}]
SETS += [LABELS[name] for name in ("first_sight", "second_sight", "third_sight", "fourth_sight")]
ROWS = [(language, text, expected) for rows in SETS for language in Language for text, expected in rows[language.value]]
PIECES = re.findall(
    r"[^|]+",
    "肝脏|两肺|左肾|淋巴结|纵隔|颈部|FDG|摄取|代谢|增高|减低|缺失|未见|异常|，|。|；|:|【|】|[|]|较前|原|本次"
    "|考虑|生理性|术后|除|外|密度|SUVmax5.2|(|)|1.|ﬁ|㎝|\n|\u3000| liver | lung | no | FDG uptake | increased | is "
    "| in the | hypermetabolic | nodes |, |. ",
)


def states(text: str, language: Language) -> dict[str, tuple[UptakeState, ...]]:
    return {item.organ: item.states for item in extract_uptake(text, language)}


def label(text: str) -> dict[str, set[UptakeState]]:
    pairs = (pair.split("=") for pair in text.split())
    return {organ: {STATES[letter] for letter in letters} for organ, letters in pairs}


def test_there_are_enough_labelled_sentences():
    assert len(LABELS["zh"]["sentences"]) >= 80
    assert len(LABELS["en"]["sentences"]) >= 40
    assert sum(len(LABELS["first_sight"][language]) for language in ("zh", "en")) == 20


@pytest.mark.parametrize(("language", "text", "expected"), ROWS, ids=[row[1][:40] for row in ROWS])
def test_labelled_sentence(language, text, expected):
    # Witness: labelled by hand, before the rules were run on the sentence.
    got = {organ: set(said) for organ, said in states(text, language).items()}
    assert got == label(expected)


def test_organs_come_head_to_toe():
    text = "骨骼FDG代谢增高。脑FDG摄取正常。肝脏FDG摄取减低。"
    assert [item.organ for item in extract_uptake(text, Language.CHINESE)] == ["brain", "liver", "bone"]


def test_evidence_points_into_the_text_as_given():
    text = "胃壁增厚，ＦＤＧ 【摄取 增高】。"
    (item,) = extract_uptake(text, Language.CHINESE)
    (evidence,) = item.evidence
    assert text[evidence.start : evidence.end] == evidence.text == "ＦＤＧ 【摄取 增高"
    assert text[evidence.organ_start : evidence.organ_end] == "胃壁"
    assert evidence.state is UptakeState.INCREASED


def test_normal_is_dropped_beside_a_positive_state_and_so_is_its_evidence():
    (item,) = extract_uptake("右肺结节FDG代谢增高。左肺FDG代谢未见异常。", Language.CHINESE)
    assert item.states == (UptakeState.INCREASED,)
    assert [e.text for e in item.evidence] == ["FDG代谢增高"]


def test_the_impression_does_not_count_as_findings():
    text = "影像所见：肝脏FDG摄取未见异常。\n影像诊断：脾脏FDG代谢增高。"
    (item,) = extract_findings_uptake(text, Language.CHINESE)
    assert (item.organ, item.states) == ("liver", (UptakeState.NORMAL,))
    assert text[item.evidence[0].start : item.evidence[0].end] == "FDG摄取未见异常"


@settings(max_examples=300, deadline=None)
@given(
    text=st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES), max_size=40).map("".join)),
    language=st.sampled_from(list(Language)),
)
def test_any_text_gives_valid_spans_and_known_organs(text, language):
    rank = read_lexicon().rank
    found = extract_uptake(text, language)
    assert [item.organ for item in found] == sorted({item.organ for item in found}, key=rank.__getitem__)
    for item in found:
        assert item.states
        assert item.states == (UptakeState.NORMAL,) or set(item.states) <= set(POSITIVE_STATES)
        assert {e.state for e in item.evidence} == set(item.states)
        for evidence in item.evidence:
            assert 0 <= evidence.start < evidence.end <= len(text)
            assert text[evidence.start : evidence.end] == evidence.text
            assert 0 <= evidence.organ_start < evidence.organ_end <= len(text)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(ROWS), min_size=1, max_size=6))
def test_brackets_of_slots_change_nothing(rows):
    for language, text, _ in rows:
        if "[" not in text and "【" not in text and language is Language.CHINESE:
            assert states(text.replace("，", "，【").replace("。", "】。"), language) == states(text, language)


def test_a_thousand_reports_take_a_few_seconds():
    report = "\n".join(text for language, text, _ in ROWS if language is Language.CHINESE)
    began = time.process_time()
    for _ in range(20):
        extract_uptake(report, Language.CHINESE)
    # 20 texts of about 2,000 characters; 1,000 reports of 1,000 characters are 25 times that.
    assert (time.process_time() - began) * 25 < 30


@pytest.mark.parametrize("language", list(Language))
def test_a_long_run_without_end_does_not_blow_up(language):
    began = time.process_time()
    extract_uptake("未见异常密度影及FDG代谢" * 400 + "no abnormal uptake in the liver and " * 200, language)
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Hypermetabolic thickening at the gastro-oesophageal junction.", Language.ENGLISH, "esophagus=i stomach=i"),
        ("GEJ tumour with intense uptake.", Language.ENGLISH, "esophagus=i stomach=i"),
        ("Intense uptake in the distal esophagus and gastroesophageal junction.", Language.ENGLISH, "esophagus=i"),
        ("Gastro-oesophageal reflux. The spleen shows no uptake.", Language.ENGLISH, "spleen=n"),
        ("食管胃结合部管壁增厚，代谢增高。", Language.CHINESE, "esophagus=i stomach=i"),
        ("食管下段及食管胃结合部代谢增高。", Language.CHINESE, "esophagus=i"),
    ],
)
def test_a_junction_is_of_both_organs_unless_one_stands_beside_it(text, language, expected):
    # Witness: read by hand.
    assert {organ: set(said) for organ, said in states(text, language).items()} == label(expected)
