"""Contradictions: what is flagged and, above all, what is not."""

import pytest

from pet2rep_core.prompts.prompt import STANDARD, read_prompt
from pet2rep_core.records import Language
from pet2rep_core.scoring.contradictions import find_contradictions, find_metadata_conflicts, sex_of
from pet2rep_core.scoring.read_text import ReadText
from pet2rep_core.vlm.baselines import normal_baseline, template_baseline

ZH, EN = Language.CHINESE, Language.ENGLISH


@pytest.mark.parametrize(
    ("findings", "impression", "organs"),
    [
        ("肝脏FDG代谢未见异常。", "肝右叶FDG代谢增高，转移可能。", ["liver"]),
        ("右肺结节FDG代谢增高。", "两肺FDG代谢未见异常。", ["lung"]),
        ("两肺纹理清晰，未见实变及结节，FDG代谢未见异常。", "右肺上叶结节，FDG代谢增高。", ["lung"]),
        ("肝脏FDG代谢未见异常。", "肝脏FDG代谢未见异常。", []),
        ("肝脏FDG代谢增高。", "肝脏FDG代谢增高。", []),
        ("肝囊肿，FDG代谢未见增高。", "肝右叶FDG代谢增高。", []),
        ("右肺下叶FDG代谢未见异常。", "右肺上叶结节FDG代谢增高。", []),
        ("胰头FDG代谢未见异常。", "胰尾FDG代谢增高。", []),
        ("左肺FDG代谢未见异常。", "右肺结节FDG代谢增高。", []),
        ("余肺FDG代谢未见异常。", "右肺结节FDG代谢增高。", []),
        ("右肺结节FDG代谢增高。", "左肺结节，FDG代谢未见增高。", []),
        ("右肺结节FDG代谢增高。", "右肺癌治疗后，较前FDG代谢未见增高。", []),
        ("脾脏FDG代谢未见异常。", "肝脏FDG代谢增高。", []),
        ("全身骨骼FDG代谢未见异常。", "第3腰椎FDG代谢增高，转移可能。", ["bone"]),
        ("腰椎FDG代谢未见异常。", "右侧髂骨FDG代谢增高。", []),
        ("纵隔、肺门淋巴结无肿大，FDG代谢未见异常。", "右肺门淋巴结FDG代谢增高。", ["thoracic_ln"]),
        ("腋窝淋巴结FDG代谢未见异常。", "右肺门淋巴结FDG代谢增高。", []),
    ],
)
def test_chinese(findings, impression, organs):
    text = f"影像所见：{findings}\n影像诊断：{impression}"
    found = find_contradictions(ReadText(text, ZH))
    assert [one.organ for one in found] == organs
    for one in found:
        assert text[one.positive.start : one.positive.end] == one.positive.text
        assert text[one.normal.start : one.normal.end] == one.normal.text
        assert (one.normal.start < text.index("影像诊断")) is one.normal_in_findings


@pytest.mark.parametrize(
    ("findings", "impression", "organs"),
    [
        ("FDG uptake in the liver is normal.", "Increased FDG uptake in the liver.", ["liver"]),
        ("Increased FDG uptake in the liver.", "FDG uptake in the liver is normal.", ["liver"]),
        ("FDG uptake in the right lower lobe is normal.", "Increased FDG uptake in the right upper lobe.", []),
        ("The remaining liver shows normal FDG uptake.", "Increased FDG uptake in the liver.", []),
        ("A cyst of the liver shows normal FDG uptake.", "Increased FDG uptake in the liver.", []),
        ("FDG uptake in the left kidney is normal.", "Increased FDG uptake in the right kidney.", []),
        ("FDG uptake in the lungs is normal.", "Increased FDG uptake in the right upper lobe of the lung.", ["lung"]),
        ("FDG uptake in the spleen is normal.", "Increased FDG uptake in the liver.", []),
    ],
)
def test_english(findings, impression, organs):
    text = f"Findings: {findings}\nImpression: {impression}"
    assert [one.organ for one in find_contradictions(ReadText(text, EN))] == organs


@pytest.mark.parametrize("language", list(Language))
def test_the_shipped_reports_do_not_contradict_themselves(language):
    for text in (template_baseline(read_prompt(STANDARD, language)), normal_baseline(language)):
        assert find_contradictions(ReadText(text, language)) == ()
        for sex in "MF":
            # its one sentence about either sex leaves open which
            assert find_metadata_conflicts(ReadText(text, language), {"sex": sex, "age": "60"}) == ()


def test_a_report_without_headings_cannot_contradict_itself():
    assert find_contradictions(ReadText("肝脏FDG代谢未见异常。肝脏FDG代谢增高。", ZH)) == ()


@pytest.mark.parametrize(
    ("language", "metadata", "text", "kinds"),
    [
        (ZH, {"sex": "F"}, "前列腺增大，FDG代谢未见异常。", ["organ of the other sex"]),
        (ZH, {"sex": "女"}, "双侧睾丸FDG代谢对称。", ["organ of the other sex"]),
        (ZH, {"sex": "M"}, "子宫及卵巢FDG代谢未见异常。", ["organ of the other sex"]),
        (ZH, {"sex": "M"}, "前列腺增大。", []),
        (ZH, {"sex": "F"}, "前列腺及精囊，或子宫及附件未见异常。", []),
        (ZH, {"sex": "F"}, "父亲有前列腺癌家族史。", []),
        (ZH, {"sex": "F"}, "前列腺特异性抗原（PSA）正常。", []),
        (ZH, {"sex": "M"}, "未见子宫。", []),
        (ZH, {"sex": "M"}, "附件炎；肾上腺、椎体附件骨质破坏。", []),
        (ZH, {"sex": "M"}, "颈部淋巴结无肿大。", []),
        (ZH, {}, "前列腺增大。子宫FDG代谢增高。", []),
        (ZH, {"sex": "O"}, "前列腺增大。", []),
        (ZH, {"sex": "F"}, "患者，男，56岁。", ["sex"]),
        (ZH, {"sex": "F"}, "性别：女", []),
        (ZH, {"sex": "M", "age": "60"}, "患者，男，56岁。", ["age"]),
        (ZH, {"age": "56"}, "患者，男，57岁。", []),
        (EN, {"sex": "M"}, "The uterus shows increased FDG uptake.", ["organ of the other sex"]),
        (EN, {"sex": "F"}, "The prostate is enlarged.", ["organ of the other sex"]),
        (EN, {"sex": "F"}, "The prostate or uterus is normal.", []),
        (EN, {"sex": "F"}, "No prostate is seen.", []),
        (EN, {"sex": "F"}, "Prostate-specific antigen is normal.", []),
        (EN, {"sex": "female"}, "A 56-year-old man.", ["sex"]),
        (EN, {"sex": "M"}, "Degeneration of the testicular implant.", []),
    ],
)
def test_metadata(language, metadata, text, kinds):
    found = find_metadata_conflicts(ReadText(text, language), metadata)
    assert [one.kind.value for one in found] == kinds
    assert all(text[one.quote.start : one.quote.end] == one.quote.text for one in found)


@pytest.mark.parametrize(
    ("words", "sex"), [("M", "M"), ("male", "M"), ("男", "M"), ("f", "F"), (" 女性 ", "F"), ("O", None), ("", None)]
)
def test_sex_of_a_case(words, sex):
    assert sex_of({"sex": words}) == sex
