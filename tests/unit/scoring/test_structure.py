"""Headings, slots and copies against the standard template, each table read by hand."""

import pytest

from pet2rep_core.prompts.prompt import STANDARD, read_prompt
from pet2rep_core.records import Language
from pet2rep_core.scoring.read_text import ReadText
from pet2rep_core.scoring.structure import check_structure, find_copies
from pet2rep_core.vlm.baselines import normal_baseline, template_baseline

ZH, EN = Language.CHINESE, Language.ENGLISH
TEMPLATE = """影像所见：
脑：大脑[形态正常]，FDG代谢【未见异常】。
胸部：两肺[清晰]，FDG代谢【增高】。
影像诊断：【右肺癌：可能】"""


@pytest.mark.parametrize(
    ("text", "found", "in_order"),
    [
        ("影像所见：\n脑：正常。\n胸部：正常。\n影像诊断：正常。", 4, 1.0),
        ("**影像所见**：\n1. 脑：正常。\n## 胸部：正常。\n【影像诊断】：正常。", 4, 1.0),
        # other names of the same sections
        ("检查所见：\n脑：正常。\n胸部：正常。\n诊断意见：正常。", 4, 1.0),
        ("影像所见：\n胸部：正常。\n脑：正常。\n影像诊断：正常。", 4, 0.75),
        ("影像诊断：正常。\n影像所见：\n脑：正常。\n胸部：正常。", 4, 0.75),
        ("影像所见：\n脑：正常。", 2, 0.5),
        ("大脑形态正常。", 0, 0.0),
        ("", 0, 0.0),
    ],
)
def test_headings(text, found, in_order):
    check = check_structure(ReadText(text, ZH), TEMPLATE)
    # a colon inside a slot makes no heading
    assert [one.heading for one in check.headings] == ["影像所见", "脑", "胸部", "影像诊断"]
    assert sum(one.found is not None for one in check.headings) == found
    assert check.share == in_order


def test_without_a_template_there_is_no_structure():
    assert check_structure(ReadText("脑：正常。", ZH), "").share is None


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("脑：FDG代谢【】。", ["empty"]),
        ("脑：FDG代谢[  ]。肝脏____。", ["empty", "empty"]),
        ("FDG代谢【增高/减低/正常】。", ["choice"]),
        ("FDG代谢增高/减低。", ["choice"]),
        ("FDG代谢[请填写]。", ["instruction"]),
        ("大小约XX cm。", ["instruction"]),
        ("FDG代谢【增高】。", ["brackets"]),
        ("肝脏[密度正常]，FDG代谢【增高】。", ["brackets", "brackets"]),
        ("静脉注射[18F]FDG后显像。", []),
        ("静脉注射[18F]-FDG及[68Ga]Ga-PSMA。", []),
        ("见文献[1]及[2,3]。", []),
        ("【影像所见】\n脑正常。\n【影像诊断】：正常。", []),
        ("肝脏FDG代谢增高（SUVmax 8.0）。", []),
        ("FDG uptake is [increased].", ["brackets"]),
        ("FDG uptake is increased/decreased/normal.", ["choice"]),
        ("The size is [please specify].", ["instruction"]),
        ("The dose of [18F]FDG was given.", []),
        ("Uptake in the L4/5 disc is normal.", []),
    ],
)
def test_slots_left_over(text, kinds):
    slots = check_structure(ReadText(text, ZH), TEMPLATE).slots
    assert [slot.kind.value for slot in slots] == kinds
    assert all(text[slot.quote.start : slot.quote.end] == slot.quote.text for slot in slots)


@pytest.mark.parametrize("language", list(Language))
def test_the_template_itself_keeps_everything_and_is_all_copied(language):
    prompt = read_prompt(STANDARD, language)
    raw = ReadText(prompt.template, language)
    assert check_structure(raw, prompt.template).share == 1.0
    assert len(check_structure(raw, prompt.template).slots) > 50
    stripped = ReadText(template_baseline(prompt), language)
    assert check_structure(stripped, prompt.template) == check_structure(stripped, prompt.template)
    assert check_structure(stripped, prompt.template).slots == ()
    assert find_copies(stripped, prompt.template).share == 1.0
    normal = ReadText(normal_baseline(language), language)
    share = find_copies(normal, prompt.template).share
    # sentences whose example is the normal fill are the same in both
    assert share is not None
    assert 0.1 < share < 0.8


@pytest.mark.parametrize(
    ("language", "text", "copied"),
    [
        (ZH, "两肺清晰，FDG代谢增高。", ["两肺清晰，FDG代谢增高"]),
        (ZH, "**两肺[清晰]， FDG代谢【增高】。**", ["两肺[清晰]， FDG代谢【增高】"]),
        (ZH, "两肺清晰，FDG代谢减低。", []),
        (ZH, "正常。", []),
        (ZH, "请看图像并写报告。", ["请看图像并写报告"]),
        (EN, "The lungs are clear, FDG uptake is normal.", ["The lungs are clear, FDG uptake is normal"]),
        (EN, "The lungs are clear, FDG uptake is increased.", []),
    ],
)
def test_copies(language, text, copied):
    template = "两肺[清晰]，FDG代谢【增高】。\nThe lungs are [clear], FDG uptake 【is normal】."
    check = find_copies(ReadText(text, language), template, "请看图像并写报告。")
    assert [quote.text.strip("*") for quote in check.copied] == copied
    assert check.share == (None if text == "正常。" else float(bool(copied)))
