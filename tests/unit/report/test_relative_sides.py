"""Sides that go back to a side named before: which one they mean, and that every character keeps its place."""

import pytest

from pet2rep_core.records import Language
from pet2rep_core.report.normalise import normalise
from pet2rep_core.report.relative_sides import name_relative_sides
from pet2rep_core.report.uptake import extract_uptake

ZH, EN = Language.CHINESE, Language.ENGLISH


def named(text, language):
    return name_relative_sides(normalise(text, language), language).text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("左肺肿块,同侧肺门", "左肺肿块,左侧肺门"),
        ("左肺肿块,对侧肺门", "左肺肿块,右侧肺门"),
        ("右乳肿块。同侧腋窝淋巴结", "右乳肿块。右侧腋窝淋巴结"),
        ("左额叶代谢较对侧减低", "左额叶代谢较对侧减低"),
        ("左额叶代谢减低,与对侧相仿", "左额叶代谢减低,与对侧相仿"),
        ("左额叶SUVmax 6.5(对侧皮质9.8)", "左额叶SUVmax 6.5(对侧皮质9.8)"),
        ("右乳肿块,左乳未见异常,同侧腋窝", "右乳肿块,左乳未见异常,右侧腋窝"),
        ("肝左叶结节,对侧未见异常", "肝左叶结节,对侧未见异常"),
        ("同侧肺门", "同侧肺门"),
    ],
)
def test_chinese_sides(text, expected):
    assert named(text, ZH) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Right lung mass, ipsilateral hilum.", "Right lung mass, right------ hilum."),
        ("Right lung mass, contralateral hilum.", "Right lung mass, left--------- hilum."),
        ("Left lobe darker than the contralateral side.", "Left lobe darker than the contralateral side."),
        ("Contralateral hilum.", "Contralateral hilum."),
    ],
)
def test_english_sides(text, expected):
    assert named(text, EN) == expected
    assert len(named(text, EN)) == len(normalise(text, EN).text)


def test_a_side_too_far_before_is_not_gone_back_to():
    assert named("左肺肿块。" + "肝脏大小正常。" * 60 + "同侧肺门", ZH).endswith("同侧肺门")


@pytest.mark.parametrize(
    ("text", "language", "organ", "side"),
    [
        ("右肺上叶肿块，代谢增高，同侧肺门淋巴结代谢增高。", ZH, "thoracic_ln", "right"),
        ("左侧扁桃体代谢增高，同侧及对侧颈部II区淋巴结代谢增高。", ZH, "cervical_ln", "bilateral"),
        ("Left breast mass, avid. Avid ipsilateral axillary nodes.", EN, "thoracic_ln", "left"),
        ("Left tonsillar mass with intense uptake and avid contralateral level II nodes.", EN, "cervical_ln", "right"),
    ],
)
def test_uptake_takes_the_side(text, language, organ, side):
    found = {item.organ: item.laterality for item in extract_uptake(text, language)}
    assert found[organ] == side
