"""Made-up identities: what is flagged and, above all, what is not."""

import pytest

from pet2rep_core.scoring.identity import age_of, find_identity

FLAGGED = [
    ("姓名：王建国", "name"),
    ("患者姓名: 李小红", "name"),
    ("报告医师：张伟", "name"),
    ("患者王某某，因咳嗽就诊。", "name"),
    ("患者张先生", "name"),
    ("Patient name: John Smith", "name"),
    ("Reported by: Dr. Alice Wong", "name"),
    ("患者，男，56岁。", "age"),
    ("年龄：56", "age"),
    ("A 56-year-old woman.", "age"),
    ("Age: 56", "age"),
    ("检查日期：2023年5月12日", "date"),
    ("与2023-05-12片对比", "date"),
    ("与2023年5月PET/CT对比", "date"),
    ("Compared with 12 May 2023.", "date"),
    ("Compared with May 12, 2023.", "date"),
    ("Compared with 05/12/2023.", "date"),
    ("复旦大学附属中山医院PET中心", "hospital"),
    ("北京协和医院", "hospital"),
    ("上海市第一人民医院核医学科", "hospital"),
    ("Massachusetts General Hospital", "hospital"),
    ("住院号：A1024567", "number"),
    ("检查号: 20230512001", "number"),
    ("MRN: 00452317", "number"),
    ("Accession Number: CT-558211", "number"),
    ("身份证号：310101196503121234", "number"),
    ("联系方式：13812345678", "number"),
]
NOT_FLAGGED = [
    "姓名：XXX",
    "姓名：___ 性别： 年龄：",
    "姓名：未提供",
    "报告医师：",
    "与外院CT对比，3年前行手术。",
    "我院行化疗，建议上级医院就诊。",
    "建议到市级医院复查。",
    "右肺结节，大小约1.8cm×1.5cm，SUVmax 5.6，距胸膜2.3 cm。",
    "SUVmax约20.05，较前2.3增高。",
    "第12胸椎、腰3-5椎体，层面2023。",
    "5年前手术，18岁前患病史不详。",
    "静脉注射18F-FDG 60分钟后显像，血糖5.6mmol/L。",
    "Compared with outside hospital CT.",
    "The Hospital protocol was used.",
    "Patient name: Not provided",
    "Lesion of 3 years duration, 12 mm in size, SUVmax 5.6.",
    "Nodule in segment 5/6, 1/3 of the rib, T12/L1.",
    "Image 12/35, slice 2019 of the stack.",
    "FDG PET/CT in the May-Thurner syndrome.",
]


@pytest.mark.parametrize(("text", "kind"), FLAGGED)
def test_what_nobody_gave_is_flagged(text, kind):
    flags = find_identity(text)
    assert kind in [flag.kind.value for flag in flags]
    assert all(text[flag.quote.start : flag.quote.end] == flag.quote.text for flag in flags)


@pytest.mark.parametrize("text", NOT_FLAGGED)
def test_what_is_no_identity_is_left_alone(text):
    assert find_identity(text) == ()


@pytest.mark.parametrize(("text", "_kind"), FLAGGED)
def test_what_stands_in_the_reference_was_given(text, _kind):
    assert find_identity(f"报告。{text}", [f"参考：{text}"]) == ()


@pytest.mark.parametrize(
    ("text", "metadata", "kinds"),
    [
        ("患者，男，56岁。", {"age": "56"}, []),
        ("患者，男，56岁。", {"age": "057Y"}, ["age"]),
        ("患者，男，56岁。", {"weight_kg": "56"}, ["age"]),
        ("2023年5月12日检查", {"study_date": "2023-05-12"}, []),
        ("2023年5月检查", {"study_date": "2023-05-12"}, []),
        ("2023年5月13日检查", {"study_date": "2023-05-12"}, ["date"]),
        ("北京协和医院", {"site": "北京协和医院"}, []),
    ],
)
def test_what_the_metadata_say_was_given(text, metadata, kinds):
    assert [flag.kind.value for flag in find_identity(text, (), metadata)] == kinds


@pytest.mark.parametrize(
    ("age", "years"),
    [("63", 63), ("063Y", 63), ("63 岁", 63), ("60-69", None), ("", None), ("0", None), ("063M", None)],
)
def test_age_of_a_case(age, years):
    assert age_of({"age": age}) == years
