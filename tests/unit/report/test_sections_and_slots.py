"""Sections, language, slots and the lexicon."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pet2rep_core.errors import ReportParseError, SettingsError, UnknownNameError
from pet2rep_core.records import Language
from pet2rep_core.report.lexicon import organ_name, read_lexicon
from pet2rep_core.report.sections import detect_language, split_report
from pet2rep_core.report.slots import SlotKind, fill_slots, find_slots, strip_slots


@pytest.mark.parametrize(
    ("text", "findings", "impression"),
    [
        ("影像所见：脑正常。\n影像诊断：未见异常。", "脑正常。", "未见异常。"),
        ("检查所见:脑正常。\n诊断意见:1.未见异常。", "脑正常。", "1.未见异常。"),
        ("**影像所见**：\n脑正常。\n\n**影像诊断**：\n未见异常。", "脑正常。", "未见异常。"),
        ("**影像所见：** 脑正常。\n**印象：** 未见异常。", "脑正常。", "未见异常。"),
        ("## PET-CT所见：\n脑正常。\n## 结论\n未见异常。", "脑正常。", "未见异常。"),
        ("【PET/CT所见】：脑正常。\n【影像学诊断】：未见异常。", "脑正常。", "未见异常。"),
        ("脑正常。影像诊断：未见异常。", "脑正常。", "未见异常。"),
        ("脑正常。", "脑正常。", ""),
        ("脑正常，诊断明确。", "脑正常，诊断明确。", ""),
        ("Findings:\nBrain normal.\nImpression:\nNo lesion.", "Brain normal.", "No lesion."),
        ("FINDINGS\nBrain normal.\n\nIMPRESSION\nNo lesion.", "Brain normal.", "No lesion."),
        ("**Findings:** Brain normal.\n\n**Conclusion:** No lesion.", "Brain normal.", "No lesion."),
        ("Brain normal.\nOpinion: No lesion.", "Brain normal.", "No lesion."),
        ("The findings are normal.", "The findings are normal.", ""),
        ("影像诊断：未见异常。", "", "未见异常。"),
    ],
)
def test_split(text, findings, impression):
    report = split_report(text)
    assert (report.findings, report.impression, report.text) == (findings, impression, text)


@pytest.mark.parametrize("text", ["", " \n\t", "\u3000"])
def test_empty_report_is_refused(text):
    with pytest.raises(ReportParseError, match="The report is empty"):
        split_report(text)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("右肺下叶结节，FDG代谢增高，SUVmax 5.2。", Language.CHINESE),
        ("The liver is normal.", Language.ENGLISH),
        ("123", Language.ENGLISH),
        ("PET/CT FDG SUVmax 肝脏", Language.ENGLISH),
    ],
)
def test_language(text, language):
    assert detect_language(text) is language


def test_a_given_language_is_not_questioned():
    assert split_report("The liver is normal.", Language.CHINESE).language is Language.CHINESE


@given(st.text())
def test_parts_of_a_report_are_parts_of_its_text(text):
    if not text.strip():
        return
    report = split_report(text)
    for part in (*report.findings.split("\n"), *report.impression.split("\n")):
        assert part in text


def test_slots():
    template = "肝脏[形态正常]，FDG【摄取增高】，[]单独】"
    slots = find_slots(template)
    assert [(s.kind, s.text) for s in slots] == [
        (SlotKind.CT, "形态正常"),
        (SlotKind.PET, "摄取增高"),
        (SlotKind.CT, ""),
    ]
    assert [template[s.start : s.end] for s in slots] == ["[形态正常]", "【摄取增高】", "[]"]
    assert strip_slots(template) == "肝脏形态正常，FDG摄取增高，单独"
    assert fill_slots(template, {1: "未见异常"}) == "肝脏[形态正常]，FDG【未见异常】，[]单独】"
    assert fill_slots(template, ["a", "b", "c"]) == "肝脏[a]，FDG【b】，[c]单独】"


def test_wrong_fills_are_refused():
    with pytest.raises(ReportParseError, match="has 1 slots, and 2 fills"):
        fill_slots("[a]", ["x", "y"])
    with pytest.raises(ReportParseError, match="no slot 3"):
        fill_slots("[a]", {3: "x"})


@given(st.lists(st.text(alphabet=st.characters(exclude_characters="[]【】")), max_size=8))
def test_filling_slots_with_their_own_text_changes_nothing(texts):
    template = "".join(f"[{t}]" if i % 2 else f"【{t}】" for i, t in enumerate(texts))
    assert fill_slots(template, [slot.text for slot in find_slots(template)]) == template
    assert strip_slots(template) == "".join(texts)


def test_lexicon_is_head_to_toe_and_complete():
    # Witness: the 33 groups of the research note on metrics, 5.2.
    lexicon = read_lexicon()
    assert [organ.id for organ in lexicon.organs] == [
        "brain",
        "eye",
        "nasal_sinus",
        "nasopharynx",
        "oropharynx_tonsil",
        "larynx_hypopharynx",
        "salivary_gland",
        "thyroid",
        "cervical_ln",
        "lung",
        "pleura",
        "thoracic_ln",
        "heart",
        "vessel",
        "breast",
        "esophagus",
        "liver",
        "portal_vein",
        "gallbladder_bile",
        "pancreas",
        "spleen",
        "kidney",
        "urinary_tract",
        "adrenal",
        "stomach",
        "bowel",
        "prostate",
        "uterus_ovary",
        "bladder",
        "abdominopelvic_ln",
        "peritoneum",
        "bone",
        "soft_tissue",
    ]
    for organ in lexicon.organs:
        assert all(organ.names[language] and organ.words[language] for language in Language)
    assert read_lexicon() is lexicon


def test_organ_names():
    assert organ_name("kidney", Language.ENGLISH) == "Kidneys"
    assert organ_name("kidney", Language.CHINESE) == "肾"
    with pytest.raises(UnknownNameError, match="Did you mean 'kidney'"):
        organ_name("kidny", Language.ENGLISH)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[organ]", "cannot be read"),
        ('[[organ]]\nid = "x"', "cannot be read"),
        ('[[organ]]\nid="x"\nzone="head"\nzh="x"\nen="x"\nwords_zh="x"\nwords_en="x"\n' * 2, "lists 'x' twice"),
    ],
)
def test_damaged_lexicon_is_refused(tmp_path, text, message):
    path = tmp_path / "organs.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=message):
        read_lexicon(path)
